"""Music and sounds by the audio diffusion models that diffusers runs: Stable Audio, AudioLDM 2."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmcodec.models.placement import explained, place
from mmcodec.registry import Group, ModelSettings
from mmcodec.synthesis.contract import seed_of
from mmcodec.synthesis.diffusion_loading import call, load_pipeline
from mmcodec.synthesis.fitting import Samples, fitted
from mmcodec.synthesis.offline_audio import OfflineAudio
from mmcodec.timeline import AudioTrack, Cue, SegmentKind

_STEPS = 50
_LONGEST_S, _OVERLAP_S = 40.0, 0.5
"""What a model is asked for at once, and how much of two parts is cross-faded."""
_MADE = (SegmentKind.MUSIC, SegmentKind.SOUND)


class _DiffusionSound:
    """Any text-to-audio pipeline: what its call names the length decides how it is asked.

    Speech is left to the offline synthesizer.
    """

    name = ""

    def __init__(self, settings: ModelSettings) -> None:
        self._placement = place(Group.AUDIO_SYNTHESIZER, self.name, settings)
        self._pipeline: Any = None

    def render(self, cue: Cue, track: AudioTrack, samples: int) -> Samples:
        """The sound of a cue, the same in every channel.

        Raises:
            BackendError: the model cannot be loaded, or fails.
            BitstreamError: the sound descriptor is damaged.
        """
        if getattr(cue.span, "kind", None) not in _MADE:
            return OfflineAudio().render(cue, track, samples)
        if self._pipeline is None:
            kind = "AutoPipelineForText2Audio"
            self._pipeline = load_pipeline(self.name, kind, self._placement)
        with explained(self.name, self._placement.model, "run"):
            made = self._made(cue, samples / track.sample_rate)
            return fitted(made, self._rate, cue, track, samples)

    @property
    def _rate(self) -> int:
        parts = (getattr(self._pipeline, name, None) for name in ("vocoder", "vae"))
        rates = (getattr(part.config, "sampling_rate", None) for part in parts if part is not None)
        return int(next(rate for rate in rates if rate))

    @property
    def _longest_s(self) -> float:
        """Stable Audio refuses more than its transformer has places for; a smaller one has few."""
        config = getattr(getattr(self._pipeline, "transformer", None), "config", None)
        places = getattr(config, "sample_size", None)
        hop = getattr(self._pipeline.vae, "hop_length", None)
        return min(_LONGEST_S, places * hop / self._rate) if places and hop else _LONGEST_S

    def _made(self, cue: Cue, seconds: float) -> Samples:
        """About ``seconds`` of sound (n,), part by part."""
        overlap = round(_OVERLAP_S * self._rate)
        count = max(1, int(np.ceil((seconds - _OVERLAP_S) / (self._longest_s - _OVERLAP_S))))
        length_s = (seconds - _OVERLAP_S) / count + _OVERLAP_S
        made = self._part(cue, length_s, 0)
        rise = np.sin(np.linspace(0, np.pi / 2, overlap, dtype=np.float32))
        for number in range(1, count):
            part = self._part(cue, length_s, number)
            joint = made[-overlap:] * rise[::-1] + part[:overlap] * rise
            made = np.concatenate([made[:-overlap], joint, part[overlap:]])
        return made

    def _part(self, cue: Cue, seconds: float, number: int) -> Samples:
        """At least ``seconds`` of sound, which models round to steps of their own."""
        import torch

        given = cue.synthesis
        # A pipeline takes one of the names of the length, and knows no other.
        names = ("audio_end_in_s", "audio_length_in_s", "audio_duration_s", "duration")
        wanted = {
            "prompt": f"{cue.prompt.text} {given.style or ''}".strip(),
            "negative_prompt": given.negative,
            "num_inference_steps": given.steps or _STEPS,
            "guidance_scale": None
            if given.guidance_percent is None
            else given.guidance_percent / 100,
            "generator": torch.Generator().manual_seed((seed_of(cue) + number) % (1 << 32)),
            **dict.fromkeys(names, seconds),
        }
        sound = call(self._pipeline, wanted).audios[0]
        if hasattr(sound, "detach"):
            sound = sound.detach().float().cpu().numpy()
        mono = np.atleast_2d(np.asarray(sound, np.float32)).mean(axis=0)
        return np.asarray(mono[: round(seconds * self._rate)])


class StableAudio(_DiffusionSound):
    """Stable Audio (Evans et al., 2024)."""

    name = "stable-audio"


class AudioLDM2(_DiffusionSound):
    """AudioLDM 2 (Liu et al., 2023)."""

    name = "audioldm2"
