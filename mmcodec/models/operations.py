"""What ``mmcodec models`` shows and does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mmcodec.errors import UsageError
from mmcodec.models.cache import is_cached, is_installed, pull
from mmcodec.models.catalogue import DEFAULTS, ModelCard
from mmcodec.registry import Group, backends


@dataclass(frozen=True, slots=True)
class ModelState:
    """A default model of a backend, and whether its weights are here."""

    card: ModelCard
    cached: bool


@dataclass(frozen=True, slots=True)
class BackendState:
    """A backend: ``extra`` installs it; its models for a processor and for a GPU, if it has any."""

    group: str
    name: str
    extra: str | None
    installed: bool
    cpu: ModelState | None
    gpu: ModelState | None


def list_backends() -> tuple[BackendState, ...]:
    """All backends of all groups, best first; nothing is loaded and nothing downloaded."""
    states = []
    for group in Group:
        for name, backend in backends(group).items():
            defaults = DEFAULTS.get((group, name))
            states.append(
                BackendState(
                    group.value,
                    name,
                    backend.extra,
                    is_installed(backend.extra),
                    _state(defaults.cpu) if defaults else None,
                    _state(defaults.gpu) if defaults else None,
                )
            )
    return tuple(states)


def pull_model(model: str, *, pickles: bool = False) -> str:
    """Download a model, ID or ID@REVISION, into the hub's cache; the folder.

    Its pickles are left out, unless they are asked for: a model that is nothing else has to be
    converted.

    Raises:
        BackendError: it cannot be had.
    """
    name, _, revision = model.partition("@")
    return str(pull(name, revision or None, pickles=pickles))


def convert_audiogen(source: str, target: str, text_encoder: str | None = None) -> None:
    """Convert AudioGen from audiocraft's layout, a folder, to a new folder that backends load.

    ``text_encoder`` is the T5 that it was trained with, a folder or a hub id that is here; by
    default the one that the checkpoint names.

    Raises:
        UsageError: the target exists.
        BackendError: the source is no such model, or its text encoder is not here.
    """
    from mmcodec.models.audiogen_checkpoint import convert

    place = Path(target)
    if place.exists():
        raise UsageError(f"{place}: exists; name a new folder")
    if not place.parent.is_dir():
        raise UsageError(f"{place.parent}: there is no such folder to write to")
    with TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as beside:
        convert(Path(source), Path(beside) / "model", text_encoder)
        (Path(beside) / "model").rename(place)


def _state(card: ModelCard) -> ModelState:
    return ModelState(card, is_cached(card.model))
