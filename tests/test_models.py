"""Which model is chosen, where it runs, and what is said when it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmcodec.errors import BackendError, FailedWorkError, OutOfMemoryError
from mmcodec.models import cache, choice
from mmcodec.models.catalogue import DEFAULTS, default_card
from mmcodec.models.choice import choose
from mmcodec.models.operations import list_backends, pull_model
from mmcodec.models.placement import explained, place
from mmcodec.registry import Group, ModelSettings, backends, load
from mmcodec.timeline import Synthesis

CPU, GPU = ModelSettings(device="cpu"), ModelSettings(device="cuda")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub cache, empty but for the models that a test puts there."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))

    def put(model: str, mark: str = "config.json") -> None:
        folder = tmp_path / f"models--{model.replace('/', '--')}"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text("0" * 40)
        (folder / "snapshots" / ("0" * 40)).mkdir(parents=True)
        (folder / "snapshots" / ("0" * 40) / mark).write_text("{}")

    return put


def test_every_default_belongs_to_a_backend():
    for group, name in DEFAULTS:
        assert backends(group)[name].extra == "models"


def test_a_name_is_taken_as_it_is():
    assert choose(Group.CAPTIONER, "vision-language:a/b@c", CPU).name == "vision-language:a/b@c"


@pytest.mark.parametrize("group", list(Group))
def test_auto_without_weights_is_what_needs_none(group, hub):
    expected = ("rules", "offline", "pocketsphinx")
    assert choose(group, "auto", CPU).name in expected


def test_auto_takes_a_model_that_is_here_and_fast_enough(hub):
    small = default_card(Group.TRANSCRIBER, "whisper", on_gpu=False).model
    large = default_card(Group.TRANSCRIBER, "whisper", on_gpu=True).model
    hub(large)
    assert choose(Group.TRANSCRIBER, "auto", CPU).name == "pocketsphinx"
    assert choose(Group.TRANSCRIBER, "auto", GPU).name == f"whisper:{large}"
    hub(small)
    chosen = choose(Group.TRANSCRIBER, "auto", CPU)
    assert chosen.name == f"whisper:{small}"
    assert "weights are here" in chosen.why


def test_auto_takes_no_model_whose_licence_forbids_commerce(hub):
    hub("facebook/musicgen-small")
    assert choose(Group.AUDIO_SYNTHESIZER, "auto", GPU).name == "offline"
    made_for = Synthesis(synthesizer="musicgen", model="facebook/musicgen-small")
    assert choose(Group.AUDIO_SYNTHESIZER, "auto", GPU, made_for).name == "offline"


def test_auto_prefers_what_the_stream_was_made_for_if_it_is_in_the_cache(hub, tmp_path):
    made_for = Synthesis(synthesizer="diffusers", model="someone/a-model", revision="main")
    assert choose(Group.VIDEO_SYNTHESIZER, "auto", CPU, made_for).name == "offline"
    hub("someone/a-model", "model_index.json")
    chosen = choose(Group.VIDEO_SYNTHESIZER, "auto", CPU, made_for)
    assert chosen.name == "diffusers:someone/a-model@main"
    assert "made for it" in chosen.why


@pytest.mark.parametrize("path", ["/etc", "../x", "~/models", ".", "a/b/c", "C:\\x"])
def test_a_stream_cannot_name_a_path(path, hub, monkeypatch):
    monkeypatch.setattr(choice, "is_cached", lambda *_: True)
    made_for = Synthesis(synthesizer="diffusers", model=path)
    assert "made for it" not in choose(Group.VIDEO_SYNTHESIZER, "auto", CPU, made_for).why


def test_auto_never_asks_another_machine(hub, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert choose(Group.CAPTIONER, "auto", CPU).name == "rules"


def test_a_model_for_a_backend_that_runs_none_is_refused():
    with pytest.raises(BackendError, match="runs no model"):
        load(Group.CAPTIONER, "rules:some/model")


def test_the_states_of_all_backends_are_listed(hub):
    hub("openai/whisper-base")
    states = {(state.group, state.name): state for state in list_backends()}
    assert len(states) == sum(len(backends(group)) for group in Group)
    assert states["transcribers", "whisper"].cpu.cached
    assert not states["transcribers", "whisper"].gpu.cached
    assert states["captioners", "rules"].installed
    assert states["captioners", "rules"].cpu is None


def test_pulling_offline_says_so():
    code = "from mmcodec.models.operations import pull_model; pull_model('someone/a-model@main')"
    offline = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=offline, capture_output=True, text=True)
    expected = "BackendError: someone/a-model: nothing is downloaded while HF_HUB_OFFLINE is set"
    assert expected in done.stderr


def test_pulling_what_cannot_be_an_id_is_one_line():
    with pytest.raises(BackendError, match="cannot be downloaded") as caught:
        pull_model("not an id/at/all")
    assert "\n" not in str(caught.value)


def test_a_folder_is_a_model_that_is_here(tmp_path):
    assert cache.is_cached(str(tmp_path))
    assert not cache.is_cached(str(tmp_path / "nothing"))


def test_a_processor_computes_in_float32_unless_told():
    import torch

    placed = place(Group.TRANSCRIBER, "whisper", CPU)
    assert (placed.device, placed.dtype, placed.offload) == ("cpu", torch.float32, False)
    assert placed.model == default_card(Group.TRANSCRIBER, "whisper", on_gpu=False).model
    told = ModelSettings("a/b", "v1", "cpu", "bfloat16", offload=True)
    placed = place(Group.TRANSCRIBER, "whisper", told)
    assert (placed.model, placed.revision, placed.dtype) == ("a/b", "v1", torch.bfloat16)
    assert not placed.offload  # there is nothing to offload to


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ModelSettings(device="abacus"), "no device 'abacus'"),
        (ModelSettings(device="cpu", dtype="float3"), "no dtype 'float3'"),
        (ModelSettings(device="cpu", dtype="save"), "no dtype 'save'"),
        (ModelSettings("/no/such/place", device="cpu"), "no model folder /no/such/place"),
    ],
)
def test_what_cannot_be_placed_is_refused(settings, words):
    with pytest.raises(BackendError, match=words):
        place(Group.TRANSCRIBER, "whisper", settings)


def test_errors_of_libraries_become_one_line():
    with (
        pytest.raises(BackendError, match="cannot load a/b: no such file; mmcodec models pull a/b"),
        explained("whisper", "a/b", "load"),
    ):
        raise OSError("no such file.\nA long explanation follows")
    with pytest.raises(FailedWorkError, match="cannot run"), explained("whisper", "a/b", "run"):
        raise RuntimeError("shapes do not match")


def test_memory_that_is_not_there_is_told_from_other_errors():
    import torch

    with pytest.raises(OutOfMemoryError), explained("diffusers", "a/b", "run"):
        torch.empty(1 << 60)


def test_nothing_heavy_is_imported_to_choose_where_no_weights_are(tmp_path):
    code = (
        "import sys; from mmcodec.models.choice import *; from mmcodec.registry import *;"
        "[choose(group, 'auto', ModelSettings()) for group in Group];"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not list(Path(tmp_path).rglob("*"))
