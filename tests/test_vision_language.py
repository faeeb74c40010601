"""The vision-language captioner on tiny checkpoints, in its special cases."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from checkpoints import vision
from conftest import scene

from mmcodec.analysis.picture import analyse_shot
from mmcodec.analysis.shots import ShotFrames
from mmcodec.captioning.frames import pictures_of
from mmcodec.captioning.picture_rules import describe_shot
from mmcodec.captioning.vision_language import VisionLanguage
from mmcodec.entropy.text import encode_text
from mmcodec.errors import BackendError, OutOfMemoryError
from mmcodec.models.loading import at_work, load_weights
from mmcodec.models.placement import place
from mmcodec.registry import Group, ModelSettings
from mmcodec.timeline import Shot

PIXELS = tuple(scene(1, frame) for frame in range(48))
FRAMES = ShotFrames(Shot(0, 48), tuple(range(48)), PIXELS)
ANALYSIS = analyse_shot(FRAMES, Fraction(24))
BUDGET = 16


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


def captioner(folder, dtype=None):
    return VisionLanguage(ModelSettings(str(folder), device="cpu", dtype=dtype))


def text_of(model, analysis=ANALYSIS):
    return model.caption(FRAMES, analysis, BUDGET).text


@pytest.mark.parametrize("build", vision.VISION)
def test_each_family_speaks_for_itself(build, made):
    text = text_of(captioner(made(build)))
    assert text
    assert text != describe_shot(ANALYSIS)
    assert len(encode_text(text)) <= BUDGET


def test_what_a_plain_captioner_does_not_say_is_said_by_rule_if_it_fits(made):
    model = captioner(made(vision.florence))
    measured = describe_shot(ANALYSIS)
    said = watched(model, "pixel_values")
    assert model.caption(FRAMES, ANALYSIS, 150).text.endswith(f". {measured}")
    assert measured not in model.caption(FRAMES, ANALYSIS, 8).text
    assert [len(values) for values in said] == [1, 1]


def test_without_an_answer_the_rules_speak(made):
    model = captioner(made(vision.mute))
    assert text_of(model) == describe_shot(ANALYSIS)
    assert text_of(model) == describe_shot(ANALYSIS)


def test_the_last_caption_is_part_of_the_question(made):
    model = captioner(made(vision.idefics3))
    asked = watched(model, "input_ids")
    said = text_of(model)
    text_of(model)
    tokenizer = model._loaded().inputs._processor.tokenizer
    first, second = (tokenizer.decode(ids[0]) for ids in asked)
    assert f'"{said}"' in second
    assert "before" not in first
    assert second.count("<global-img>") == 3  # for two seconds


def watched(model, name):
    """What the model gets at the start of each answer, under a name."""
    got = []
    generate = model._loaded().weights.generate

    def listening(**inputs):
        got.append(inputs[name])
        return generate(**inputs)

    model._loaded().weights.generate = listening
    return got


@pytest.mark.parametrize("build", [vision.smolvlm, vision.qwen2_5_vl, vision.qwen3_vl])
def test_what_a_model_sees_is_the_frames(build, made):
    """A white frame and a black one make the inputs that their colours say."""
    model = captioner(made(build))
    seen = watched(model, "pixel_values")
    for shade in (0, 255):
        plain = tuple(np.full((72, 128, 3), shade, np.uint8) for _ in range(3))
        model.caption(ShotFrames(Shot(0, 3), (0, 1, 2), plain), ANALYSIS, BUDGET)
    dark, bright = (float(values.float().mean()) for values in seen)
    assert dark < -0.5 < 0.5 < bright


def test_want_of_memory_is_met_by_one_small_picture(made):
    """A real model whose eye refuses more than there is room for."""
    model = captioner(made(vision.idefics3))
    counts = []

    def refuse(_, inputs, named):
        values = named["pixel_values"]
        counts.append(len(values))
        if len(values) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    eye = model._loaded().weights.model.vision_model
    eye.register_forward_pre_hook(refuse, with_kwargs=True)
    room = 1
    assert text_of(model)
    assert counts == [3, 1]
    room = 0
    with pytest.raises(OutOfMemoryError, match="vision-language cannot run"):
        text_of(model)


def test_other_arithmetic(made):
    model = captioner(made(vision.qwen3_vl), "bfloat16")
    assert text_of(model)
    assert next(model._loaded().weights.parameters()).dtype == torch.bfloat16
    with pytest.raises(BackendError, match="no dtype 'float3'"):
        text_of(captioner(made(vision.blip), "float3"))


def test_a_model_that_is_only_lent_its_device_gives_it_back(made):
    placement = place(
        Group.CAPTIONER, "vision-language", ModelSettings(str(made(vision.idefics3)), device="cpu")
    )
    lent = replace(placement, device="meta", offload=True)
    import transformers

    weights = load_weights(transformers.AutoModelForImageTextToText, lent)
    assert weights.device.type == "cpu"
    with pytest.raises(RuntimeError), at_work(weights, replace(lent, device="cpu")):
        assert not torch.is_grad_enabled()
        raise RuntimeError
    assert weights.device.type == "cpu"


def copied(folder, to):
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def test_pickled_weights_are_not_read(made, tmp_path):
    folder = copied(made(vision.blip), tmp_path)
    (folder / "model.safetensors").unlink()
    torch.save({"x": torch.zeros(1)}, folder / "pytorch_model.bin")
    with pytest.raises(BackendError, match="cannot load") as caught:
        text_of(captioner(folder))
    assert "\n" not in str(caught.value)


def test_code_that_comes_with_a_model_is_not_run(made, tmp_path):
    folder = copied(made(vision.blip), tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "new", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.X"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(BackendError, match="cannot load"):
        text_of(captioner(folder))
    assert not (tmp_path / "ran").exists()


def test_damaged_weights_are_one_line(made, tmp_path):
    folder = copied(made(vision.idefics3), tmp_path)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(BackendError, match="cannot load") as caught:
        text_of(captioner(folder))
    assert "\n" not in str(caught.value)


def numbered(count, size=(64, 36)):
    pixels = tuple(np.full((size[1], size[0], 3), at, np.uint8) for at in range(count))
    return ShotFrames(Shot(0, count), tuple(range(count)), pixels)


@pytest.mark.parametrize(
    ("seconds", "most", "places"),
    [(1.0, 4, [25, 75]), (3.0, 4, [16, 50, 83]), (8.0, 4, [12, 37, 62, 87]), (8.0, 1, [50])],
)
def test_frames_are_spread_and_not_from_the_edges(seconds, most, places):
    shown = pictures_of(numbered(100), replace(ANALYSIS, duration_s=seconds), most)
    assert [int(picture[0, 0, 0]) for picture in shown] == places


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((1920, 1080), (288, 512)),
        ((64, 36), (36, 64)),
        ((1, 1), (32, 32)),
        ((4000, 2), (32, 512)),
    ],
)
def test_frames_are_neither_large_nor_tiny(size, shown):
    pictures = pictures_of(numbered(1, size), ANALYSIS)
    assert [picture.shape for picture in pictures] == [(*shown, 3)]
    small = pictures_of(numbered(9, size), ANALYSIS, 1, small=True)
    assert len(small) == 1
    assert max(small[0].shape) <= 224
