"""Every model that makes the picture, by one contract, through the real loading code.

A new backend or family joins in one line of ``MODELS``.
"""

import shutil
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from checkpoints import image, video
from conftest import evenly_sketched, scene

from mmcodec.analysis.motion import CameraMotion
from mmcodec.descriptors import look
from mmcodec.descriptors.sketch import TemporalMode
from mmcodec.errors import BackendError, BitstreamError, OutOfMemoryError
from mmcodec.registry import Group, ModelSettings, load
from mmcodec.synthesis.clips import ClipLimits, at_rate, joined, parts_of
from mmcodec.synthesis.diffusion_loading import working_size
from mmcodec.synthesis.diffusion_video import DiffusionVideo
from mmcodec.synthesis.keyframes import KeyframeAnimation
from mmcodec.timeline import Cue, Layer, Prompt, Shot, Synthesis, VideoTrack


def small(settings):
    return KeyframeAnimation(settings, pixels=64 * 64)


MODELS = {
    "wan": (DiffusionVideo, video.wan),
    "wan-5b": (DiffusionVideo, video.wan_5b),
    "wan-of-two": (DiffusionVideo, video.wan_of_two),
    "wan-image": (DiffusionVideo, video.wan_image),
    "ltx": (DiffusionVideo, video.ltx),
    "cogvideox": (DiffusionVideo, video.cogvideox),
    "animatediff": (DiffusionVideo, video.animatediff),
    "sana": (DiffusionVideo, video.sana),
    "stable-diffusion": (small, image.stable_diffusion),
    "sdxl": (small, image.sdxl),
    "sd3": (small, image.sd3),
    "z-image": (small, image.z_image),
    "klein": (small, image.klein),
}
RESTYLE = ("wan", "wan-5b", "wan-of-two", "ltx", "cogvideox", "animatediff")
ONE_BY_ONE = {
    *(("wan-image", layers) for layers in ("sketch", "look", "prompt")),
    *((name, "sketch") for name in ("ltx", "sana", "klein")),
}
"""What a model that moves a first frame or edits pictures is asked for by itself."""
TRACK = VideoTrack(90, 50, Fraction(25, 2))
QUICK = Synthesis(steps=2, seed=1)


def sketch_of(number):
    frames = np.stack([scene(number, at) for at in (0, 9)])
    return {Layer.SKETCH: evenly_sketched(frames, (96, 64), 50, TemporalMode.FLOW)}


LAYERS = {
    "sketch": sketch_of(1),
    "look": {Layer.LOOK: look.encode(scene(1, 0), CameraMotion(0.1, 0.0, 0.0))},
    "prompt": {},
}


@pytest.fixture(scope="session")
def backend_of(tmp_path_factory):
    """Makes a backend over a tiny checkpoint, which is built, saved and loaded once."""
    folders, made = {}, {}

    def make(name, fresh=False):
        factory, build = MODELS[name]
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            build().save_pretrained(folders[name])
        if fresh or name not in made:
            made[name] = factory(ModelSettings(model=str(folders[name])))
        return made[name]

    return make


@pytest.fixture(autouse=True)
def on_one_core():
    """The sums of two threads may differ in their last bit from run to run of another machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def render(backend, layers="sketch", frames=5, track=TRACK, synthesis=QUICK, start=5):
    descriptors = LAYERS[layers] if isinstance(layers, str) else layers
    cue = Cue(Shot(start, start + frames), Prompt("A red dog."), descriptors, synthesis)
    return np.stack(list(backend.render(cue, track)))


def distance(a, b):
    return float(np.abs(a.astype(float) - b).mean())


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("layers", LAYERS)
def test_contract(backend_of, name, layers):
    backend = backend_of(name)
    frames = render(backend, layers)
    assert frames.shape == (5, 50, 90, 3) and frames.dtype == np.uint8
    assert np.array_equal(frames, render(backend, layers))
    one = render(backend, layers, 1, VideoTrack(33, 17, Fraction(25)))
    assert one.shape == (1, 17, 33, 3)


@pytest.mark.parametrize("name", MODELS)
def test_the_seed_decides(backend_of, name):
    backend = backend_of(name)
    frames = render(backend, frames=2)
    other = render(backend, frames=2, synthesis=replace(QUICK, seed=2))
    assert not np.array_equal(frames, other)
    moved_on = render(backend, frames=2, synthesis=replace(QUICK, seed=0), start=6)
    assert np.array_equal(frames, moved_on)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("layers", LAYERS)
def test_shots_made_together_are_as_those_made_alone(backend_of, name, layers):
    factory, _ = MODELS[name]
    backend = factory(ModelSettings(model=backend_of(name)._placement.model, batch=2))
    cues = [
        Cue(Shot(at, at + 5), Prompt(text), LAYERS[layers], QUICK)
        for at, text in ((0, "A red dog."), (5, "The sea at night."), (10, "A tree."))
    ]
    backend.prepare(cues, TRACK)
    for number, cue in enumerate(cues):
        together = np.stack(list(backend.render(cue, TRACK)))
        alone = np.stack(list(backend_of(name).render(cue, TRACK)))
        assert distance(together, alone) < 0.5
        if number == 0:
            assert len(backend._ready) == (0 if (name, layers) in ONE_BY_ONE else 1)


@pytest.mark.skipif(not shutil.which("c++"), reason="PyTorch compiles with a C++ compiler")
def test_a_compiled_model_makes_the_same(backend_of):
    name = "stable-diffusion"
    factory, _ = MODELS[name]
    backend = factory(ModelSettings(model=backend_of(name)._placement.model, compiled=True))
    assert distance(render(backend, frames=2), render(backend_of(name), frames=2)) < 0.5


@pytest.mark.parametrize("name", ["wan-5b", "ltx", "sdxl", "klein"])
def test_another_backend_object_makes_the_same(backend_of, name):
    assert np.array_equal(render(backend_of(name)), render(backend_of(name, fresh=True)))


@pytest.mark.parametrize("name", ["wan", "wan-5b", "cogvideox", "sana"])
@pytest.mark.parametrize("layers", ["sketch", "look"])
def test_a_shot_longer_than_a_clip(backend_of, name, layers):
    backend = backend_of(name)
    backend = DiffusionVideo(ModelSettings(model=backend._placement.model), longest=13)
    frames = render(backend, layers, 25)
    assert frames.shape == (25, 50, 90, 3)
    steps = [distance(a, b) for a, b in pairwise(frames)]
    assert max(steps) < 40


@pytest.mark.parametrize("name", [*RESTYLE, "stable-diffusion", "sdxl", "sd3", "z-image"])
def test_the_sketch_leads(backend_of, name):
    """At low strength, other noise changes less than another sketch does."""
    backend = backend_of(name)
    low = Synthesis(seed=1, steps=20, strength_percent=5)
    mine = render(backend, "sketch", 2, synthesis=low)
    noise = render(backend, "sketch", 2, synthesis=replace(low, seed=2))
    other = render(backend, sketch_of(2), 2, synthesis=low)
    assert distance(mine, noise) < 0.8 * distance(mine, other)


@pytest.mark.parametrize("name", ["wan-image", "sana", "klein"])
def test_a_model_without_strength_is_shown_the_sketch(backend_of, name):
    backend = backend_of(name)
    assert not np.array_equal(render(backend, "sketch", 2), render(backend, sketch_of(2), 2))


@pytest.mark.parametrize("name", ["wan", "sana", "sdxl"])
def test_at_no_strength_the_sketch_is_kept(backend_of, name):
    kept = render(backend_of(name), synthesis=Synthesis(strength_percent=0))
    offline = render(load(Group.VIDEO_SYNTHESIZER, "offline"))
    assert distance(kept, offline) < 6


def test_few_steps_and_a_low_strength_still_make_a_picture(backend_of):
    for name in ("wan", "ltx", "animatediff", "stable-diffusion"):
        barely = Synthesis(steps=1, strength_percent=30)
        assert render(backend_of(name), frames=2, synthesis=barely).shape == (2, 50, 90, 3)


def test_memory_that_runs_out_halves_the_picture_once(backend_of, monkeypatch):
    """The real decoder, that fails as one without memory does above a size."""
    from diffusers import AutoencoderKLWan

    real, sizes = AutoencoderKLWan.decode, []

    def decode(vae, latents, **options):
        sizes.append(latents.shape[3] * latents.shape[4])
        if sizes[-1] > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.")
        return real(vae, latents, **options)

    monkeypatch.setattr(AutoencoderKLWan, "decode", decode)
    big, limit = VideoTrack(192, 128, Fraction(16)), 24 * 16 - 1
    assert render(backend_of("wan", fresh=True), frames=3, track=big).shape == (3, 128, 192, 3)
    assert len(sizes) == 2 and sizes[1] < sizes[0]
    limit = 1
    with pytest.raises(OutOfMemoryError, match="out of memory"):
        render(backend_of("wan", fresh=True), frames=3, track=big)
    assert len(sizes) == 4
    backend_of("wan", fresh=True)


@pytest.mark.parametrize("name", ["diffusers", "keyframes"])
def test_what_cannot_be_loaded_is_said_in_a_line(name, tmp_path, backend_of, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "empty").mkdir()
    wrong = {
        "someone/no-such-model": "mmcodec models pull someone/no-such-model",
        str(tmp_path / "nowhere"): "there is no model folder",
        str(tmp_path / "empty"): "model_index.json",
    }
    other = backend_of("stable-diffusion" if name == "diffusers" else "wan")
    wrong[other._placement.model] = name
    for model, words in wrong.items():
        with pytest.raises(BackendError) as caught:
            render(load(Group.VIDEO_SYNTHESIZER, name, ModelSettings(model=model)))
        assert words in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(BackendError, match="there is no device 'abacus'"):
        load(Group.VIDEO_SYNTHESIZER, name, ModelSettings(device="abacus"))


@pytest.mark.parametrize("name", ["wan", "sdxl"])
def test_a_damaged_sketch_is_damage_not_a_failure(backend_of, name):
    with pytest.raises(BitstreamError):
        render(backend_of(name), {Layer.SKETCH: b"\x00broken"})


def test_parts_cover_a_shot_within_the_limits():
    for step, latents, most in ((1, 1, 16), (4, 1, 81), (8, 1, 81), (4, 2, 77), (4, 1, 9)):
        limits = ClipLimits(Fraction(16), most, step, latents, 32)
        assert limits.fewer(most) == limits.frames(most) == most
        for count in (1, 2, most - 1, most, most + 1, 3 * most, 500):
            for overlap in (0, 1, most // 3):
                parts = parts_of(count, limits, overlap)
                assert all(part.count <= most for part in parts)
                assert all(limits.frames(part.count) == part.count for part in parts)
                ends = [part.start + part.count for part in parts]
                assert ends[-1] >= count
                starts = [part.start + overlap for part in parts[1:]]
                assert starts == ends[:-1]


def test_parts_are_joined_without_a_jump():
    dark, bright = np.full((6, 2, 2, 3), 20, np.uint8), np.full((6, 2, 2, 3), 120, np.uint8)
    frames = np.concatenate(list(joined([dark, bright], 4)))
    assert len(frames) == 8
    assert np.abs(np.diff(frames[:, 0, 0, 0].astype(int))).max() <= 20
    assert len(np.concatenate(list(joined([dark, bright], 0)))) == 12


@pytest.mark.parametrize("rates", [(16, 25), (24, 12.5), (8, 30), (16, 16), (30, 29.97)])
def test_frames_are_at_their_times(rates):
    made_at, shown_at = map(Fraction, rates)
    ramp = np.arange(40, dtype=np.uint8)[:, None, None, None].repeat(3, 3) * np.uint8(4)
    count = int(30 * shown_at / made_at)
    shown = list(at_rate([ramp[:7], ramp[7:20], ramp[20:]], made_at, count, shown_at))
    wanted = [4 * float(at * made_at / shown_at) for at in range(count)]
    assert np.abs(np.array([frame[0, 0, 0] for frame in shown]) - wanted).max() <= 2.5


@pytest.mark.parametrize("size", [(1920, 1080), (90, 50), (1, 1), (4000, 2), (3, 999)])
def test_working_rasters(size):
    pixels = min(size[0] * size[1], 832 * 480)
    width, height = working_size(size, pixels, 32)
    assert width % 32 == height % 32 == 0
    assert 32 * 32 <= width * height <= max(1.2 * pixels, 8000)
