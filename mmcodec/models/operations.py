"""What ``mmcodec models`` shows and does."""

from __future__ import annotations

from dataclasses import dataclass

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


def pull_model(model: str) -> str:
    """Download a model, ID or ID@REVISION, into the hub's cache; the folder.

    Raises:
        BackendError: it cannot be had.
    """
    name, _, revision = model.partition("@")
    return str(pull(name, revision or None))


def _state(card: ModelCard) -> ModelState:
    return ModelState(card, is_cached(card.model))
