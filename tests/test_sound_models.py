"""The contract of models that make sound and speech; a new one joins by a line in ``CASES``."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from checkpoints import sound as checkpoints
from checkpoints.audiogen import audiogen
from conftest import tone

from mmcodec.descriptors import sound, voice
from mmcodec.descriptors.mel import log_mel, loudness_db
from mmcodec.errors import BackendError
from mmcodec.registry import Group, ModelSettings, load
from mmcodec.synthesis.offline_audio import OfflineAudio
from mmcodec.timeline import AudioTrack, Cue, Layer, Prompt, Segment, SegmentKind, Synthesis

MAKES, SPEAKS = Group.AUDIO_SYNTHESIZER, Group.SPEECH_SYNTHESIZER
CASES = {
    "musicgen": (MAKES, checkpoints.musicgen),
    "audiogen": (MAKES, audiogen),
    "audiocraft": (MAKES, audiogen),
    "stable-audio": (MAKES, checkpoints.stable_audio),
    "audioldm2": (MAKES, checkpoints.audioldm2),
    "vits": (SPEAKS, checkpoints.vits),
    "speecht5": (SPEAKS, checkpoints.speecht5),
    "text-to-audio": (SPEAKS, checkpoints.bark),
}
NEEDS_ITSELF = pytest.mark.skipif(find_spec("audiocraft") is None, reason="audiocraft is missing")
NAMES = [pytest.param(n, marks=NEEDS_ITSELF if n == "audiocraft" else ()) for n in CASES]
CPU, RATE, SAMPLES = ModelSettings(device="cpu"), 24_000, 48_480
TEXT = "hello world"
SPANS = ((0.2, 0.7), (1.2, 1.8))
VOICE = voice.encode(
    voice.Voice(
        voice.Tier.C, 1, 0, "en", 120.0, 2.0, -30.0, None, (0.0,) * voice.TIMBRE, words=SPANS
    ),
    TEXT,
    2.0,
)
LOUD = sound.encode(sound.measure(tone(2.0, RATE)[:, 0], RATE), 600)


def backend(name: str, model: object, settings: ModelSettings = CPU):
    return load(CASES[name][0], f"{name}:{model}", settings)


@pytest.fixture(scope="module", params=NAMES)
def case(request, tmp_path_factory):
    """The kind of cue that a backend makes itself, and a way to get a new one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    group, build = CASES[request.param]
    folder = build(tmp_path_factory.mktemp(request.param) / "model")
    kind = SegmentKind.MUSIC if group is MAKES else SegmentKind.SPEECH
    yield kind, lambda: backend(request.param, folder)
    torch.set_num_threads(threads)


def cue(kind: SegmentKind, layers=None, seed=None, text=f"A voice says: “{TEXT}”") -> Cue:
    span = Segment(50, 150, kind)
    return Cue(span, Prompt(text), layers or {}, Synthesis(seed=seed, steps=2))


def track(channels=1) -> AudioTrack:
    return AudioTrack(RATE, channels)


@pytest.mark.parametrize("kind", SegmentKind)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_render_has_its_length_its_channels_and_its_range(case, kind, channels):
    _, new = case
    for layers in ({}, {Layer.SOUND: LOUD}, {Layer.VOICE: VOICE}):
        made = new().render(cue(kind, layers), track(channels), SAMPLES)
        assert made.shape == (SAMPLES, channels)
        assert made.dtype == np.float32
        assert np.isfinite(made).all()
        assert np.abs(made).max() <= 1


def test_a_seed_decides_what_is_made(case):
    kind, new = case
    one, again, other = (
        new().render(cue(kind, {Layer.SOUND: LOUD}, seed), track(), SAMPLES) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert one.any()
    if type(new()).__name__ != "SpeechT5":  # it has no dice
        assert not np.array_equal(one, other)


def test_what_it_does_not_make_is_made_offline(case):
    kind, new = case
    others = {SegmentKind.SPEECH, SegmentKind.MUSIC, SegmentKind.SILENCE} - {kind}
    for other in others:
        asked = cue(other, {Layer.SOUND: LOUD})
        made = new().render(asked, track(), SAMPLES)
        assert np.array_equal(made, OfflineAudio().render(asked, track(), SAMPLES))


def test_it_is_as_loud_as_the_stream_says(case):
    kind, new = case
    for level in (0.02, 0.3):
        wanted = sound.encode(sound.measure(level * tone(2.0, RATE)[:, 0], RATE), 600)
        made = new().render(cue(kind, {Layer.SOUND: wanted}), track(), SAMPLES)
        heard = loudness_db(log_mel(made[:48_000, 0], RATE, 100, 2.0))
        asked = loudness_db(sound.decode(wanted, 2.0).envelope_db)
        assert heard == pytest.approx(asked, abs=3)


def test_a_voice_keeps_to_the_times_of_its_words(case):
    kind, new = case
    if kind is not SegmentKind.SPEECH:
        pytest.skip("it does not speak")
    made = new().render(cue(kind, {Layer.VOICE: VOICE}), track(), SAMPLES)[:, 0]
    ticks = np.abs(made[:48_000]).reshape(100, -1).max(axis=1)
    assert not ticks[:7].any()
    assert not ticks[38:57].any()
    assert ticks[7:38].any()
    assert ticks[57:92].any()


def test_speech_without_words_is_made_offline(case):
    _, new = case
    asked = cue(SegmentKind.SPEECH, {Layer.SOUND: LOUD}, text="A low voice.")
    made = new().render(asked, track(), SAMPLES)
    assert np.array_equal(made, OfflineAudio().render(asked, track(), SAMPLES))


@pytest.mark.parametrize(
    ("name", "length_s", "dtype"),
    [("musicgen", 34, "float32"), ("musicgen", 34, "bfloat16"), ("stable-audio", 12, "float32")],
)
def test_a_segment_longer_than_a_model_makes_at_once_goes_on(tmp_path, name, length_s, dtype):
    new = backend(name, CASES[name][1](tmp_path), ModelSettings(device="cpu", dtype=dtype))
    span = Segment(0, 50 * length_s, SegmentKind.SOUND)
    asked = Cue(span, Prompt("Rain."), synthesis=Synthesis(steps=2))
    made = new.render(asked, track(), length_s * RATE)
    seconds = np.abs(made[:, 0]).reshape(length_s, -1).max(axis=1)
    assert (seconds > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_one_line(name, tmp_path):
    group, _ = CASES[name]
    kind = SegmentKind.MUSIC if group is MAKES else SegmentKind.SPEECH
    for model, words_of_error in (
        ("nobody/nothing", "mmcodec models pull nobody/nothing"),
        (str(tmp_path), f"{name} cannot load {tmp_path}"),
        (f"{tmp_path}/no", "there is no model folder"),
    ):
        with pytest.raises(BackendError, match=words_of_error) as caught:
            backend(name, model).render(cue(kind), track(), SAMPLES)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_device_that_there_is_not_is_one_line(name, tmp_path):
    kind = SegmentKind.MUSIC if CASES[name][0] is MAKES else SegmentKind.SPEECH
    with pytest.raises(BackendError, match="there is no device 'toaster'") as caught:
        backend(name, tmp_path, ModelSettings(device="toaster")).render(cue(kind), track(), SAMPLES)
    assert "\n" not in str(caught.value)


def test_sound_is_made_as_music_is(case):
    kind, new = case
    if kind is SegmentKind.SPEECH:
        pytest.skip("it speaks")
    layers = {Layer.SOUND: LOUD}
    made, heard = (
        new().render(cue(k, layers), track(), SAMPLES) for k in (SegmentKind.SOUND, kind)
    )
    assert made.shape == (SAMPLES, 1)
    assert np.array_equal(made, heard)


def test_audiogen_is_never_chosen_by_itself():
    with pytest.raises(BackendError, match="name a folder"):
        load(MAKES, "audiogen", CPU)
