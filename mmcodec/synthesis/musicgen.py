"""Music and sounds by MusicGen (Copet et al., 2023) and AudioGen (Kreuk et al., 2022)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from mmcodec.errors import BackendError
from mmcodec.models.audiogen_checkpoint import convert, is_audiocraft
from mmcodec.models.loading import at_work, load_part, load_weights
from mmcodec.models.placement import Placement, explained, place
from mmcodec.registry import Group, ModelSettings
from mmcodec.synthesis.contract import seed_of
from mmcodec.synthesis.fitting import Samples, fitted
from mmcodec.synthesis.offline_audio import OfflineAudio
from mmcodec.timeline import AudioTrack, Cue, SegmentKind

_GUIDANCE = 3.0
_OVERLAP_S = 5.0
"""What of a part the next one begins with."""
_MADE = (SegmentKind.MUSIC, SegmentKind.SOUND)


@dataclass(frozen=True, slots=True)
class _Model:
    placement: Placement
    weights: Any
    processor: Any
    longest_s: float

    @property
    def sample_rate(self) -> int:
        return int(self.weights.config.audio_encoder.sampling_rate)

    def make(self, text: str, seconds: float, guidance: float, seed: int) -> Samples:
        """``seconds`` or a little more of sound (n,)."""
        import torch

        rate = self.sample_rate
        made = np.zeros(0, np.float32)
        with torch.random.fork_rng(devices=[]), at_work(self.weights, self.placement):
            torch.manual_seed(seed)
            while len(made) < seconds * rate:
                before = made[-round(_OVERLAP_S * rate) :]
                missing = min(seconds - len(made) / rate, self.longest_s - len(before) / rate)
                part = self._part(text, before, missing, guidance)
                if len(part) <= len(before):
                    break  # it has nothing more to say
                made = np.concatenate([made[: len(made) - len(before)], part])
        return made

    def _part(self, text: str, before: Samples, seconds: float, guidance: float) -> Samples:
        """``before`` and what follows it."""
        sound = {"audio": before, "sampling_rate": self.sample_rate} if len(before) else {}
        asked = self.processor(text=[text], padding=True, return_tensors="pt", **sound)
        asked = asked.to(self.placement.device)
        if "input_values" in asked:  # sound has the model's arithmetic, words are numbers
            asked["input_values"] = asked["input_values"].to(self.placement.dtype)
        tokens = int(np.ceil(seconds * self.weights.config.audio_encoder.frame_rate)) + 4
        output = self.weights.generate(
            **asked,
            max_new_tokens=tokens,
            do_sample=True,
            guidance_scale=guidance,
        )
        return np.asarray(output[0].float().mean(dim=0).cpu().numpy(), np.float32)


class MusicGen:
    """Makes music and sounds from their prompts, as loud over time as the stream says.

    Speech is left to the offline synthesizer. Longer segments than the network was trained on go
    on from their own last seconds.
    """

    name = "musicgen"
    longest_s = 28.0
    """What the network was trained on."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._model: _Model | None = None

    def render(self, cue: Cue, track: AudioTrack, samples: int) -> Samples:
        """The sound of a cue, the same in every channel.

        Raises:
            BackendError: the model cannot be loaded, or fails.
            BitstreamError: the sound descriptor is damaged.
        """
        if getattr(cue.span, "kind", None) not in _MADE:
            return OfflineAudio().render(cue, track, samples)
        model = self._loaded()
        text = f"{cue.prompt.text} {cue.synthesis.style or ''}".strip()
        percent = cue.synthesis.guidance_percent
        guidance = _GUIDANCE if percent is None else percent / 100
        with explained(self.name, model.placement.model, "run"):
            made = model.make(text, samples / track.sample_rate, guidance, seed_of(cue))
            return fitted(made, model.sample_rate, cue, track, samples)

    def _loaded(self) -> _Model:
        if self._model is None:
            placement = place(Group.AUDIO_SYNTHESIZER, self.name, self._settings)
            with explained(self.name, placement.model, "load"):
                weights, processor = self._read(placement)
                self._model = _Model(placement, weights, processor, self.longest_s)
        return self._model

    def _read(self, placement: Placement) -> tuple[Any, Any]:
        """The weights, and what makes texts and sounds into their input."""
        from transformers import AutoProcessor, MusicgenForConditionalGeneration

        weights = load_weights(MusicgenForConditionalGeneration, placement)
        return weights, load_part(AutoProcessor, placement)


class AudioGen(MusicGen):
    """Makes sounds from their prompts with AudioGen's weights, in the classes of MusicGen.

    The model is a folder: a converted one, or one in audiocraft's own layout, which is converted
    each time that it is loaded.
    """

    name = "audiogen"
    longest_s = 10.0

    def __init__(self, settings: ModelSettings) -> None:
        if settings.model is None:
            raise BackendError("audiogen has no model of its own; name a folder: audiogen:FOLDER")
        super().__init__(settings)

    def _read(self, placement: Placement) -> tuple[Any, Any]:
        folder = Path(placement.model)
        if not is_audiocraft(folder):
            return super()._read(placement)
        with TemporaryDirectory() as made:
            convert(folder, Path(made))
            return super()._read(replace(placement, model=made, revision=None))
