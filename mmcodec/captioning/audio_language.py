"""Captions segments of sound with a model that hears and speaks, such as Qwen2-Audio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmcodec.analysis.segments import SoundSegment
from mmcodec.analysis.sound import Samples, SoundAnalysis
from mmcodec.captioning.chats import continuation, question
from mmcodec.captioning.instructions import cleaned, fitted, sound_instruction, tokens_within
from mmcodec.captioning.sound_rules import describe_sound
from mmcodec.captioning.waves import mono_at
from mmcodec.models.loading import at_work, load_part, load_weights
from mmcodec.models.placement import Placement, explained, place
from mmcodec.registry import Group, ModelSettings
from mmcodec.timeline import Prompt, SegmentKind

_NAME = "audio-language"


@dataclass(frozen=True, slots=True)
class _Model:
    placement: Placement
    weights: Any
    processor: Any

    @property
    def sample_rate(self) -> int:
        return int(self.processor.feature_extractor.sampling_rate)

    def describe(self, wave: Samples, instruction: str, tokens: int) -> str:
        """What the model says of samples (n,) at its rate; it takes its most likely words."""
        processor = self.processor
        text = question(processor, processor.chat_template, ["audio"], instruction)
        with at_work(self.weights, self.placement):
            asked = processor(
                text=[text], audio=[wave], sampling_rate=self.sample_rate, return_tensors="pt"
            )
            asked = asked.to(self.placement.device, dtype=self.placement.dtype)
            output = self.weights.generate(**asked, max_new_tokens=tokens, do_sample=False)
        return continuation(processor.tokenizer, asked, output)


class AudioLanguage:
    """An audio-language model of transformers that chats; loaded at the first segment.

    It is told what kind of sound it is and what was heard before. Where it says nothing that can
    be printed, and of silence, the rules speak.
    """

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._model: _Model | None = None
        self._before = ""

    def caption(self, segment: SoundSegment, analysis: SoundAnalysis, budget: int) -> Prompt:
        """The same sound after the same segments gets the same words.

        Raises:
            BackendError: the model cannot be loaded, or fails.
        """
        kind = segment.segment.kind
        if kind is SegmentKind.SILENCE:
            return Prompt(fitted(describe_sound(analysis, kind), budget))
        model = self._loaded()
        with explained(_NAME, model.placement.model, "run"):
            wave = mono_at(segment.samples, segment.sample_rate, model.sample_rate)
            instruction = sound_instruction(kind, budget, self._before)
            answer = cleaned(model.describe(wave, instruction, tokens_within(budget)))
        if not answer:
            return Prompt(fitted(describe_sound(analysis, kind), budget))
        self._before = fitted(answer, budget)
        return Prompt(self._before)

    def _loaded(self) -> _Model:
        if self._model is None:
            placement = place(Group.SOUND_CAPTIONER, _NAME, self._settings)
            with explained(_NAME, placement.model, "load"):
                from transformers import AutoModelForMultimodalLM, AutoProcessor

                processor = load_part(AutoProcessor, placement)
                weights = load_weights(AutoModelForMultimodalLM, placement)
            self._model = _Model(placement, weights, processor)
        return self._model
