"""AudioGen in audiocraft's layout: converted without loss, and refused if it is anything else."""

import copy
import os

import pytest
import torch
import transformers
from checkpoints import audiogen as checkpoint

from mmcodec.errors import BackendError
from mmcodec.models.audiogen_checkpoint import convert, is_audiocraft

LANGUAGE, CODEC = "state_dict.bin", "compression_state_dict.bin"


@pytest.fixture(scope="module")
def original():
    return checkpoint.transformers_model()


@pytest.fixture
def source(tmp_path):
    return checkpoint.audiogen(tmp_path / "source")


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audiogen")
    source, target = checkpoint.audiogen(folder / "source"), folder / "target"
    assert is_audiocraft(source)
    convert(source, target)
    assert not is_audiocraft(target)
    assert not list(target.glob("*.bin"))
    return transformers.MusicgenForConditionalGeneration.from_pretrained(
        target, use_safetensors=True
    ).eval()


def test_the_language_model_says_the_same(original, converted):
    tokenizer = checkpoint.t5_tokenizer()
    asked = tokenizer(["a dog in the street", "night"], padding=True, return_tensors="pt")
    codes = torch.randint(0, 64, (8, 12), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        one, other = (
            model(**asked, decoder_input_ids=codes).logits for model in (original, converted)
        )
    assert one.std() > 0
    assert torch.equal(one, other)


def test_the_codec_sounds_the_same(original, converted):
    generator = torch.Generator().manual_seed(1)
    codes = torch.randint(0, 64, (1, 1, 4, 25), generator=generator)
    wave = torch.randn(1, 1, 16_000, generator=generator)
    with torch.inference_mode():
        one, other = (
            (m.audio_encoder.decode(codes, [None])[0], m.audio_encoder.encode(wave).audio_codes)
            for m in (original, converted)
        )
    assert one[0].std() > 0
    assert torch.equal(one[0], other[0])
    assert one[1].shape[-2] == 4
    assert torch.equal(one[1], other[1])


def test_the_text_encoder_can_be_anywhere(source, tmp_path):
    elsewhere = (source / "text_encoder").rename(tmp_path / "words")
    convert(source, tmp_path / "target", str(elsewhere))
    assert (tmp_path / "target" / "model.safetensors").is_file()


def test_the_text_encoder_that_is_not_here_can_be_pulled(source, tmp_path):
    (source / "text_encoder").rename(tmp_path / "words")
    with pytest.raises(BackendError, match="mmcodec models pull google-t5/t5-large") as caught:
        convert(source, tmp_path / "target")
    assert "\n" not in str(caught.value)


def test_a_path_in_a_checkpoint_is_not_followed(original, source, tmp_path):
    words = (source / "text_encoder").rename(tmp_path / "words")
    changed(source, original, "conditioners.description.t5.name", str(words))
    with pytest.raises(BackendError, match="put it into"):
        convert(source, tmp_path / "target")


class _Code:
    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("name", [LANGUAGE, CODEC])
def test_a_pickle_with_code_in_it_is_refused(source, tmp_path, name):
    code = _Code()
    code.path = str(tmp_path / "it-ran")
    torch.save({"best_state": {"emb.0.weight": code}, "xp.cfg": "a: 1"}, source / name)
    with pytest.raises(BackendError, match="holds more than weights: not loaded") as caught:
        convert(source, tmp_path / "target")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize(
    ("content", "words_of_error"),
    [
        (b"", "is damaged"),
        (b"no pickle", "is damaged"),
        ([1, 2], "no weights"),
        ({"pretrained": "facebook/encodec_32khz"}, "no weights"),
        ({"best_state": {"a": 1}, "xp.cfg": "a: 1"}, "something else"),
        ({"best_state": {}, "xp.cfg": "a: [1"}, "are no YAML"),
        ({"best_state": {}, "xp.cfg": "!!python/object/apply:os.getcwd []"}, "are no YAML"),
        ({"best_state": {}}, "no settings"),
        ({"best_state": {}, "xp.cfg": "a: 1"}, "missing or makes no sense"),
    ],
)
def test_what_is_no_checkpoint_is_one_line(source, tmp_path, content, words_of_error):
    if isinstance(content, bytes):
        (source / LANGUAGE).write_bytes(content)
    else:
        torch.save(content, source / LANGUAGE)
    with pytest.raises(BackendError, match=words_of_error) as caught:
        convert(source, tmp_path / "target")
    assert "\n" not in str(caught.value)


def changed(source, original, path: str, value: object) -> None:
    """Set one of the settings of the language model."""
    settings = copy.deepcopy(checkpoint.LANGUAGE_SETTINGS)
    *parents, name = path.split(".")
    tree = settings
    for parent in parents:
        tree = tree[parent]
    tree[name] = value
    checkpoint.save(source / LANGUAGE, checkpoint.language_weights(original), settings)


@pytest.mark.parametrize(
    ("path", "value", "words_of_error"),
    [
        ("transformer_lm.dim", 64, "does not fit its own settings"),
        ("transformer_lm.num_layers", 1, "does not fit its own settings"),
        ("transformer_lm.num_layers", 10**9, "makes no sense"),
        ("transformer_lm.card", "many", "makes no sense"),
        ("n_books", "${transformer_lm.n_q}", "makes no sense"),
        ("codebooks_pattern.modeling", "parallel", "can be converted"),
        ("codebooks_pattern.delay.delays", [0, 0, 1, 1], "can be converted"),
        ("fuser.cross", ["self_wav"], "can be converted"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(
    original, source, tmp_path, path, value, words_of_error
):
    changed(source, original, path, value)
    with pytest.raises(BackendError, match=words_of_error) as caught:
        convert(source, tmp_path / "target")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_is_named(source, tmp_path):
    (source / CODEC).unlink()
    with pytest.raises(BackendError, match=f"there is no .*{CODEC}"):
        convert(source, tmp_path / "target")


def test_the_command_converts_whole_or_not_at_all(run, source, tmp_path):
    target = tmp_path / "target"
    done = run("models", "convert-audiogen", source, target)
    assert done.returncode == 0, done.stderr
    assert f"--audio audiogen:{target}" in done.stderr
    assert (target / "model.safetensors").is_file()
    again = run("models", "convert-audiogen", source, target)
    assert (again.returncode, "exists" in again.stderr) == (2, True)
    (source / CODEC).unlink()
    done = run("models", "convert-audiogen", source, tmp_path / "other")
    assert done.returncode == 1
    assert {file.name for file in tmp_path.iterdir()} == {"source", "target"}
