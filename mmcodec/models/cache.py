"""What of the model hub is on this machine, and what the user asks to have on it.

Nothing is downloaded but by :func:`pull`. ``huggingface_hub`` is only imported where it is there.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from mmcodec.errors import BackendError

_MARKS = ("config.json", "model_index.json")
"""Files of which a model has at least one."""
_PICKLES = ("*.bin", "*.ckpt", "*.pt", "*.pth", "*.pkl", "*.h5", "*.msgpack", "*.onnx*", "*.ot")


def is_installed(extra: str | None) -> bool:
    """Whether the packages of an extra are installed; none are needed for None."""
    needed = {
        None: (),
        "api": ("openai",),
        "models": ("diffusers", "torch", "transformers"),
        "speech": ("pocketsphinx",),
    }
    return all(find_spec(package) is not None for package in needed.get(extra, ()))


def is_cached(model: str, revision: str | None = None) -> bool:
    """Whether a model is a folder here, or in the hub's cache."""
    if Path(model).is_dir():
        return True
    if find_spec("huggingface_hub") is None:
        return False
    from huggingface_hub.constants import HF_HUB_CACHE

    if not Path(HF_HUB_CACHE, f"models--{model.replace('/', '--')}").is_dir():
        return False  # and what follows takes a while to import
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = (try_to_load_from_cache(model, mark, revision=revision) for mark in _MARKS)
        return any(isinstance(path, str) for path in found)
    except HFValidationError:  # not even the form of an id
        return False


def is_hub_id(model: str) -> bool:
    """Whether it has the form of an id, OWNER/NAME, and not that of a path."""
    owner, _, name = model.partition("/")
    return bool(owner and name) and not {"/", "\\"} & {*name} and not owner.startswith((".", "~"))


def pull(model: str, revision: str | None = None, *, pickles: bool = False) -> Path:
    """Download a model into the hub's cache, without its pickles if not told; its folder.

    Raises:
        BackendError: it cannot be had; what is there already stays.
    """
    if find_spec("huggingface_hub") is None:
        raise BackendError('pulling a model needs pip install "mmcodec[models]"')
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        left_out = None if pickles else list(_PICKLES)
        return Path(snapshot_download(model, revision=revision, ignore_patterns=left_out))
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        if isinstance(error.__cause__, OfflineModeIsEnabled):
            line = f"{model}: nothing is downloaded while HF_HUB_OFFLINE is set"
            raise BackendError(line) from error
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise BackendError(f"{model} cannot be downloaded: {line}") from error
