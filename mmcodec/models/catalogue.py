"""The default models of each backend: one for a laptop's processor, one for a GPU of 24 GB.

Licences and sizes are those that the models' authors state; nothing is downloaded to learn them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmcodec.registry import Group


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model on the hub. ``parameters`` is in billions, all of its parts together."""

    model: str
    licence: str
    parameters: float
    commercial: bool = True
    """Whether the licence allows commercial use; if not, ``auto`` never picks it."""
    on_cpu: bool = True
    """Whether it takes seconds rather than minutes a shot on a processor."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """The models of a backend for the two kinds of machines."""

    cpu: ModelCard
    gpu: ModelCard


_SMOLVLM = ModelCard("HuggingFaceTB/SmolVLM2-500M-Video-Instruct", "Apache-2.0", 0.5)
_QWEN_VL = ModelCard("Qwen/Qwen3-VL-2B-Instruct", "Apache-2.0", 2.1, on_cpu=False)
_AST = ModelCard("MIT/ast-finetuned-audioset-10-10-0.4593", "BSD-3-Clause", 0.09)
_CLAP = ModelCard("laion/clap-htsat-unfused", "Apache-2.0", 0.15)
_QWEN_AUDIO = ModelCard("Qwen/Qwen2-Audio-7B-Instruct", "Apache-2.0", 8.4, on_cpu=False)
_WHISPER_BASE = ModelCard("openai/whisper-base", "Apache-2.0", 0.07)
_WHISPER_TURBO = ModelCard("openai/whisper-large-v3-turbo", "MIT", 0.8, on_cpu=False)
_MOONSHINE_TINY = ModelCard("UsefulSensors/moonshine-tiny", "MIT", 0.03)
_MOONSHINE_BASE = ModelCard("UsefulSensors/moonshine-base", "MIT", 0.06)
_WAN_SMALL = ModelCard("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "Apache-2.0", 7.1, on_cpu=False)
_WAN = ModelCard("Wan-AI/Wan2.2-TI2V-5B-Diffusers", "Apache-2.0", 11.4, on_cpu=False)
_KLEIN = ModelCard("black-forest-labs/FLUX.2-klein-4B", "Apache-2.0", 8.0, on_cpu=False)
_Z_IMAGE = ModelCard("Tongyi-MAI/Z-Image-Turbo", "Apache-2.0", 10.2, on_cpu=False)
_MUSICGEN = ModelCard("facebook/musicgen-small", "CC-BY-NC-4.0", 0.6, commercial=False)
_STABLE_AUDIO = ModelCard(
    "stabilityai/stable-audio-open-1.0", "Stability AI Community", 1.2, commercial=False
)
_AUDIOLDM = ModelCard("cvssp/audioldm2", "CC-BY-NC-SA-4.0", 1.1, commercial=False)
_MMS = ModelCard("facebook/mms-tts-eng", "CC-BY-NC-4.0", 0.04, commercial=False)
_SPEECHT5 = ModelCard("microsoft/speecht5_tts", "MIT", 0.15)

DEFAULTS: Mapping[tuple[Group, str], Defaults] = {
    (Group.CAPTIONER, "vision-language"): Defaults(_SMOLVLM, _QWEN_VL),
    (Group.SOUND_CAPTIONER, "tags"): Defaults(_AST, _AST),
    (Group.SOUND_CAPTIONER, "clap"): Defaults(_CLAP, _CLAP),
    (Group.SOUND_CAPTIONER, "audio-language"): Defaults(_QWEN_AUDIO, _QWEN_AUDIO),
    (Group.TRANSCRIBER, "whisper"): Defaults(_WHISPER_BASE, _WHISPER_TURBO),
    (Group.TRANSCRIBER, "moonshine"): Defaults(_MOONSHINE_TINY, _MOONSHINE_BASE),
    (Group.VIDEO_SYNTHESIZER, "diffusers"): Defaults(_WAN_SMALL, _WAN),
    (Group.VIDEO_SYNTHESIZER, "keyframes"): Defaults(_KLEIN, _Z_IMAGE),
    (Group.AUDIO_SYNTHESIZER, "musicgen"): Defaults(_MUSICGEN, _MUSICGEN),
    (Group.AUDIO_SYNTHESIZER, "stable-audio"): Defaults(_STABLE_AUDIO, _STABLE_AUDIO),
    (Group.AUDIO_SYNTHESIZER, "audioldm2"): Defaults(_AUDIOLDM, _AUDIOLDM),
    (Group.SPEECH_SYNTHESIZER, "vits"): Defaults(_MMS, _MMS),
    (Group.SPEECH_SYNTHESIZER, "speecht5"): Defaults(_SPEECHT5, _SPEECHT5),
}


def default_card(group: Group, name: str, on_gpu: bool) -> ModelCard:
    """The model that a backend runs when none is named."""
    defaults = DEFAULTS[group, name]
    return defaults.gpu if on_gpu else defaults.cpu
