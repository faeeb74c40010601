"""Backends by name: where each one lives, and what installs it.

A backend is named, never imported, until it is used. Other packages add theirs through entry
points in the group ``mmcodec.<group>``, for example ``mmcodec.captioners``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from importlib.metadata import entry_points

from mmcodec.errors import BackendError


class Group(StrEnum):
    """The kinds of backends; the contract of each stands beside its offline backend."""

    CAPTIONER = "captioners"
    SOUND_CAPTIONER = "sound_captioners"
    TRANSCRIBER = "transcribers"
    VIDEO_SYNTHESIZER = "video_synthesizers"
    AUDIO_SYNTHESIZER = "audio_synthesizers"


@dataclass(frozen=True, slots=True)
class Backend:
    """``target`` is "module:attribute" of a factory; ``extra`` is what pip installs for it."""

    target: str
    extra: str | None = None


_BUILT_IN: Mapping[Group, Mapping[str, Backend]] = {
    Group.CAPTIONER: {"rules": Backend("mmcodec.captioning.rules:RulesCaptioner")},
    Group.SOUND_CAPTIONER: {"rules": Backend("mmcodec.captioning.rules:RulesSoundCaptioner")},
    Group.TRANSCRIBER: {},
    Group.VIDEO_SYNTHESIZER: {"offline": Backend("mmcodec.synthesis.offline_video:OfflineVideo")},
    Group.AUDIO_SYNTHESIZER: {"offline": Backend("mmcodec.synthesis.offline_audio:OfflineAudio")},
}


def backends(group: Group) -> dict[str, Backend]:
    """All backends of a group by name, best first; the built-in ones cannot be replaced."""
    plugged = {e.name: Backend(e.value) for e in entry_points(group=f"mmcodec.{group}")}
    return {**plugged, **_BUILT_IN[group]}


def load(group: Group, name: str) -> object:
    """A new backend, made by its factory.

    Raises:
        BackendError: there is none of this name, or what it needs is not installed.
    """
    known = backends(group)
    if name not in known:
        names = ", ".join(known) or "none"
        raise BackendError(f"{group}: there is no {name!r}; known: {names}")
    backend = known[name]
    module, _, attribute = backend.target.partition(":")
    try:
        factory = getattr(import_module(module), attribute)
    except ImportError as error:
        extra = backend.extra
        hint = f'; pip install "mmcodec[{extra}]"' if extra else ""
        raise BackendError(f"{group} {name!r} cannot run: {error}{hint}") from error
    return factory()
