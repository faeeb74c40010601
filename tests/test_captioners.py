"""The contract of captioners, of pictures and of sound; a new one joins by a line in ``CASES``."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from chat_server import ChatServer
from checkpoints import hearing, vision
from conftest import scene, tone

from mmcodec.analysis.picture import analyse_shot
from mmcodec.analysis.segments import SoundSegment
from mmcodec.analysis.shots import ShotFrames
from mmcodec.analysis.sound import analyse_sound
from mmcodec.captioning.everyday_sounds import EVERYDAY_SOUNDS
from mmcodec.captioning.sound_rules import describe_sound
from mmcodec.captioning.sound_tags import best_tags
from mmcodec.captioning.waves import mono_at
from mmcodec.entropy.text import encode_text
from mmcodec.errors import BackendError
from mmcodec.registry import Group, ModelSettings, backends, load
from mmcodec.timeline import Segment, SegmentKind, Shot

SEES, HEARS = Group.CAPTIONER, Group.SOUND_CAPTIONER
CPU = ModelSettings(device="cpu")
CASES = [
    (SEES, "rules", None),
    (SEES, "openai", None),
    (SEES, "vision-language", vision.blip),
    (SEES, "vision-language", vision.florence),
    (SEES, "vision-language", vision.idefics3),
    (SEES, "vision-language", vision.smolvlm),
    (SEES, "vision-language", vision.qwen2_5_vl),
    (SEES, "vision-language", vision.qwen3_vl),
    (SEES, "vision-language", vision.mute),
    (HEARS, "rules", None),
    (HEARS, "tags", hearing.ast),
    (HEARS, "clap", hearing.clap),
    (HEARS, "audio-language", hearing.qwen2_audio),
]
NAMES = [f"{name}-{build.__name__}" if build else f"{group}-{name}" for group, name, build in CASES]
WITH_MODEL = list({(group, name): (group, name) for group, name, build in CASES if build})
BUDGET = 14


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Tiny models lose time to waiting where they share the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a checkpoint, built at its first use."""
    folders = {}

    def make(build):
        if build not in folders:
            folders[build] = tmp_path_factory.mktemp(build.__name__)
            build(folders[build])
        return folders[build]

    return make


@pytest.fixture(autouse=True)
def server(monkeypatch):
    with ChatServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        yield running


def shot(frames, size=(128, 72), number=1):
    pixels = tuple(scene(number, frame, size) for frame in range(frames))
    whole = ShotFrames(Shot(0, frames), tuple(range(frames)), pixels)
    return whole, analyse_shot(whole, Fraction(24))


def heard(samples, rate, kind):
    ticks = max(1, round(50 * len(samples) / rate))
    return SoundSegment(Segment(0, ticks, kind), samples, rate), analyse_sound(samples, rate, kind)


def work(group):
    """Shots and segments as they come, the odd ones too."""
    if group is SEES:
        yield shot(40)
        yield shot(1, (1, 1), number=2)
        yield shot(2, (4, 900))
        return
    noise = np.random.default_rng(0).normal(0, 0.1, (60_000, 2)).astype(np.float32)
    yield heard(tone(1.5, 24_000), 24_000, SegmentKind.MUSIC)
    yield heard(noise, 22_050, SegmentKind.SOUND)
    yield heard(tone(0.02, 8_000), 8_000, SegmentKind.SPEECH)
    yield heard(np.zeros((8_000, 1), np.float32), 16_000, SegmentKind.SILENCE)


def test_every_captioner_is_tested():
    for group in (SEES, HEARS):
        assert {name for known, name, _ in CASES if known is group} == set(backends(group))


@pytest.mark.parametrize(("group", "name", "build"), CASES, ids=NAMES)
def test_contract_of_a_captioner(group, name, build, made):
    choice = f"{name}:{made(build)}" if build else name
    first, again = (said(group, choice) for _ in range(2))
    assert first == again
    for prompt in first:
        assert prompt.text.strip() == prompt.text != ""
        assert prompt.text.isprintable()
        assert name == "rules" or len(encode_text(prompt.text)) <= BUDGET


def said(group, choice):
    """What one captioner says, one thing after another."""
    captioner = load(group, choice, CPU)
    return [captioner.caption(*item, BUDGET) for item in work(group)]


@pytest.mark.parametrize(("group", "name"), WITH_MODEL)
def test_a_model_that_is_not_there(group, name, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    captioner = load(group, f"{name}:someone/no-such-model", CPU)
    for _ in range(2):
        with pytest.raises(
            BackendError, match="mmcodec models pull someone/no-such-model"
        ) as error:
            captioner.caption(*next(work(group)), BUDGET)
        assert "\n" not in str(error.value)
    empty = load(group, f"{name}:{tmp_path}", CPU)
    with pytest.raises(BackendError, match=f"{name} cannot load {tmp_path}"):
        empty.caption(*next(work(group)), BUDGET)


@pytest.mark.parametrize(("group", "name"), WITH_MODEL)
def test_a_device_that_is_not_there(group, name):
    captioner = load(group, name, ModelSettings(device="abacus"))
    with pytest.raises(BackendError, match="no device 'abacus'"):
        captioner.caption(*next(work(group)), BUDGET)


@pytest.mark.parametrize(
    ("name", "build", "known"),
    [("tags", hearing.ast, hearing.AST_NAMES), ("clap", hearing.clap, EVERYDAY_SOUNDS)],
)
def test_tags_stand_before_what_was_measured(name, build, known, made):
    segment, analysis = next(work(HEARS))
    text = load(HEARS, f"{name}:{made(build)}", CPU).caption(segment, analysis, 60).text
    tags, _, measured = text.partition(": ")
    names = {one.partition(",")[0].lower() for one in known}
    assert {tag.lower() for tag in tags.split(", ")} <= names
    said = describe_sound(analysis, SegmentKind.MUSIC)
    assert measured == said[0].lower() + said[1:]


def test_only_tags_that_are_about_as_likely_as_the_best_are_said():
    names = ["Dog, bark", "Rain", "Bark", "Dog", "Wind"]
    assert best_tags(names, np.array([0.5, 0.2, 0.1, 0.1, 0.1])) == ["dog", "rain"]
    assert best_tags(names, np.array([0.9, 0.1, 0.0, 0.0, 0.0])) == ["dog"]
    assert best_tags(names, np.array([0.2, 0.2, 0.2, 0.2, 0.2])) == ["dog", "rain", "bark"]
    assert best_tags(names, np.array([0.4, 0.0, 0.0, 0.4, 0.2])) == ["dog", "wind"]


def test_samples_come_as_models_want_them():
    stereo = np.repeat(tone(2.0, 24_000), 2, axis=1)
    wave = mono_at(stereo, 24_000, 16_000)
    assert (wave.shape, wave.dtype) == ((32_000,), np.float32)
    spectrum = np.abs(np.fft.rfft(wave))
    assert np.argmax(spectrum) == 440  # 220 Hz in two seconds
    assert len(mono_at(stereo[:5], 24_000, 16_000)) == 16_000
    assert not mono_at(stereo[:0], 24_000, 16_000).any()
