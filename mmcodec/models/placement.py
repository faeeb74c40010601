"""Where a model runs and in what arithmetic, and errors of its libraries in words for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from mmcodec.errors import BackendError, FailedWorkError, MMCodecError, OutOfMemoryError
from mmcodec.models.cache import is_hub_id
from mmcodec.models.catalogue import default_card
from mmcodec.registry import Group, ModelSettings

_ONE_AT_A_TIME = RLock()


@dataclass(frozen=True, slots=True)
class Placement:
    """A model, ready to be loaded: hub id or folder, revision, device, and a ``torch.dtype``."""

    model: str
    revision: str | None
    device: str
    dtype: Any
    offload: bool
    compiled: bool = False

    @property
    def is_local(self) -> bool:
        """Whether the model is a folder."""
        return Path(self.model).is_dir()


def place(group: Group, name: str, settings: ModelSettings) -> Placement:
    """Where a backend's model is to run: the device that is there, float32 on a processor.

    Raises:
        BackendError: PyTorch is not installed, or the device or the arithmetic is unknown, or
            the model is a folder that is not there.
    """
    try:
        import torch
    except ImportError as error:
        raise BackendError(f'{name} needs PyTorch: pip install "mmcodec[models]"') from error

    device = settings.device or _best_device(torch)
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise BackendError(f"there is no device {device!r}; try cpu, cuda or mps") from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise BackendError("there is no CUDA device here; --device cpu runs on the processor")
    dtype = getattr(torch, settings.dtype or ("float32" if kind == "cpu" else "bfloat16"), None)
    if not isinstance(dtype, torch.dtype):
        raise BackendError(f"there is no dtype {settings.dtype!r}; try float32, bfloat16, float16")
    model = settings.model or default_card(group, name, kind == "cuda").model
    if not is_hub_id(model) and not Path(model).is_dir():
        raise BackendError(f"{name}: there is no model folder {model}")
    offload = settings.offload and kind != "cpu"
    return Placement(model, settings.revision, device, dtype, offload, settings.compiled)


def _best_device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


@contextmanager
def explained(name: str, model: str, doing: str) -> Iterator[None]:
    """Errors of a model's libraries as BackendErrors of one line; ``doing``: "load", "run".

    One thread at a time is in here: libraries load through states of the whole process, and each
    model at work takes all of the machine.

    Raises:
        OutOfMemoryError: the model does not fit with this work; less may.
        FailedWorkError: it could not run on this work for another reason.
        BackendError: it could not be loaded.
    """
    try:
        with _ONE_AT_A_TIME:
            yield
    except MMCodecError:
        raise
    except ImportError as error:
        line = f'{name} cannot {doing} {model}: {_line(error)}; pip install "mmcodec[models]"'
        raise BackendError(line) from error
    except Exception as error:  # libraries of models raise whatever they like
        line = f"{name} cannot {doing} {model}: {_line(error)}"
        if doing == "load":
            hint = "" if Path(model).is_dir() else f"; mmcodec models pull {model}"
            raise BackendError(line + hint) from error
        kind = OutOfMemoryError if _is_out_of_memory(error) else FailedWorkError
        raise kind(line) from error


def _is_out_of_memory(error: Exception) -> bool:
    torch_says = type(error).__name__ == "OutOfMemoryError" or "can't allocate" in str(error)
    return torch_says or isinstance(error, MemoryError)


def _line(error: Exception) -> str:
    """The first line of a message, not too long."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].rstrip(". ")
