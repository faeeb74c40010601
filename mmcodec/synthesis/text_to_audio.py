"""Speech by whatever else transformers reads aloud with: Bark, and models that come after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmcodec.errors import BackendError
from mmcodec.models.loading import at_work, load_part, load_weights
from mmcodec.models.placement import Placement
from mmcodec.registry import ModelSettings
from mmcodec.synthesis.speech import Speaker, Voice


class TextToAudio(Speaker):
    """Any model of transformers' text-to-audio pipeline that needs nothing but the text.

    It has no model of its own: the one that is named decides about language, voice and licence.
    """

    name = "text-to-audio"

    def __init__(self, settings: ModelSettings) -> None:
        if settings.model is None:
            line = "has no model of its own; name one: text-to-audio:suno/bark-small"
            raise BackendError(f"{self.name} {line}")
        super().__init__(settings)

    def _load(self, placement: Placement) -> Voice:
        from transformers import AutoModelForTextToWaveform, AutoProcessor, pipeline

        weights = load_weights(AutoModelForTextToWaveform, placement)
        processor = load_part(AutoProcessor, placement)
        return _Piped(
            placement,
            pipeline(
                "text-to-audio",
                model=weights,
                processor=processor,
                tokenizer=getattr(processor, "tokenizer", processor),
                device=weights.device,
            ),
        )


@dataclass(frozen=True, slots=True)
class _Piped:
    placement: Placement
    pipe: Any

    @property
    def sample_rate(self) -> int:
        return int(self.pipe.sampling_rate)

    def say(self, text: str) -> Any:
        import torch

        with at_work(self.pipe.model, self.placement):
            self.pipe.device = self.pipe.model.device  # it moves with --offload
            said = torch.from_numpy(self.pipe(text)["audio"])
        return said if said.ndim == 1 else said.mean(dim=0)
