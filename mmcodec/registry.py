"""Backends by name: where each one lives, and what installs it.

A backend is named, never imported, until it is used. Other packages add theirs through entry
points in the group ``mmcodec.<group>``, for example ``mmcodec.captioners``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import import_module
from importlib.metadata import entry_points
from inspect import signature

from mmcodec.errors import BackendError


class Group(StrEnum):
    """The kinds of backends; the contract of each stands beside its offline backend."""

    CAPTIONER = "captioners"
    SOUND_CAPTIONER = "sound_captioners"
    TRANSCRIBER = "transcribers"
    VIDEO_SYNTHESIZER = "video_synthesizers"
    AUDIO_SYNTHESIZER = "audio_synthesizers"
    SPEECH_SYNTHESIZER = "speech_synthesizers"


@dataclass(frozen=True, slots=True)
class Backend:
    """``target`` is "module:attribute" of a factory; ``extra`` is what pip installs for it.

    ``complete`` says that nothing else is needed, no model and no other machine. A factory that
    runs a model takes a :class:`ModelSettings`; others take nothing.
    """

    target: str
    extra: str | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What a backend that runs a model is told; what is None is its own choice.

    ``model`` is the id of a model hub or a local folder, ``device`` such as "cpu" or "cuda:0",
    ``dtype`` such as "bfloat16". ``offload`` keeps in the device's memory only what is at work.
    ``batch`` is how many shots one call may make; ``compiled`` has PyTorch compile the networks
    that take the noise away. Both change the result by rounding.
    """

    model: str | None = None
    revision: str | None = None
    device: str | None = None
    dtype: str | None = None
    offload: bool = False
    batch: int = 1
    compiled: bool = False


OWN_CHOICE = ModelSettings()

_MODELS = "models"
_CAPTIONING, _SYNTHESIS = "mmcodec.captioning", "mmcodec.synthesis"
_BUILT_IN: Mapping[Group, Mapping[str, Backend]] = {
    Group.CAPTIONER: {
        "vision-language": Backend(f"{_CAPTIONING}.vision_language:VisionLanguage", _MODELS),
        "openai": Backend(f"{_CAPTIONING}.openai_chat:OpenAIChat", "api"),
        "rules": Backend(f"{_CAPTIONING}.rules:RulesCaptioner"),
    },
    Group.SOUND_CAPTIONER: {
        "audio-language": Backend(f"{_CAPTIONING}.audio_language:AudioLanguage", _MODELS),
        "tags": Backend(f"{_CAPTIONING}.sound_tags:SoundTags", _MODELS),
        "clap": Backend(f"{_CAPTIONING}.sound_tags:ClapTags", _MODELS),
        "rules": Backend(f"{_CAPTIONING}.rules:RulesSoundCaptioner"),
    },
    Group.TRANSCRIBER: {
        "whisper": Backend(f"{_CAPTIONING}.transcribers:Whisper", _MODELS),
        "moonshine": Backend(f"{_CAPTIONING}.transcribers:Moonshine", _MODELS),
        "pocketsphinx": Backend(f"{_CAPTIONING}.sphinx:PocketSphinx", "speech", complete=True),
    },
    Group.VIDEO_SYNTHESIZER: {
        "diffusers": Backend(f"{_SYNTHESIS}.diffusion_video:DiffusionVideo", _MODELS),
        "keyframes": Backend(f"{_SYNTHESIS}.keyframes:KeyframeAnimation", _MODELS),
        "openai": Backend(f"{_SYNTHESIS}.keyframes:OpenAIKeyframes", "api"),
        "offline": Backend(f"{_SYNTHESIS}.offline_video:OfflineVideo"),
        "grainy": Backend(f"{_SYNTHESIS}.grainy_video:GrainyVideo"),
    },
    Group.AUDIO_SYNTHESIZER: {
        "musicgen": Backend(f"{_SYNTHESIS}.musicgen:MusicGen", _MODELS),
        "audiogen": Backend(f"{_SYNTHESIS}.musicgen:AudioGen", _MODELS),
        "audiocraft": Backend(f"{_SYNTHESIS}.audiocraft_sound:AudioCraft", _MODELS),
        "stable-audio": Backend(f"{_SYNTHESIS}.diffusion_sound:StableAudio", _MODELS),
        "audioldm2": Backend(f"{_SYNTHESIS}.diffusion_sound:AudioLDM2", _MODELS),
        "offline": Backend(f"{_SYNTHESIS}.offline_audio:OfflineAudio"),
    },
    Group.SPEECH_SYNTHESIZER: {
        "speecht5": Backend(f"{_SYNTHESIS}.speech:SpeechT5", _MODELS),
        "vits": Backend(f"{_SYNTHESIS}.speech:Vits", _MODELS),
        "text-to-audio": Backend(f"{_SYNTHESIS}.text_to_audio:TextToAudio", _MODELS),
        "offline": Backend(f"{_SYNTHESIS}.offline_audio:OfflineAudio"),
    },
}


def backends(group: Group) -> dict[str, Backend]:
    """All backends of a group by name, best first; the built-in ones cannot be replaced."""
    plugged = {e.name: Backend(e.value) for e in entry_points(group=f"mmcodec.{group}")}
    return {**plugged, **_BUILT_IN[group]}


def load(group: Group, choice: str, settings: ModelSettings = OWN_CHOICE) -> object:
    """A new backend, made by its factory.

    ``choice`` is NAME, NAME:MODEL or NAME:MODEL@REVISION; a model named so is in place of that of
    the settings.

    Raises:
        BackendError: there is none of this name, or what it needs is not installed, or it runs no
            model and one is named.
    """
    name, _, model = choice.partition(":")
    known = backends(group)
    if name not in known:
        names = ", ".join(known) or "none"
        raise BackendError(f"{group}: there is no {name!r}; known: {names}")
    backend = known[name]
    module, _, attribute = backend.target.partition(":")
    try:
        factory = getattr(import_module(module), attribute)
        if backend.extra == _MODELS:
            # Here, before a job starts its threads: SciPy, at work in another one, takes a PyTorch
            # that is half imported for a whole one.
            import_module("torch")
    except ImportError as error:
        extra = backend.extra
        hint = f'; pip install "mmcodec[{extra}]"' if extra else ""
        raise BackendError(f"{group} {name!r} cannot run: {error}{hint}") from error
    if signature(factory).parameters:
        return factory(_named(model, settings))
    if model:
        raise BackendError(f"{group} {name!r} runs no model, so it cannot run {model!r}")
    return factory()


def _named(model: str, settings: ModelSettings) -> ModelSettings:
    if not model:
        return settings
    path, _, revision = model.partition("@")
    return replace(settings, model=path, revision=revision or None)
