"""Captions shots with a vision-language model: one that chats, or a plain captioner."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mmcodec.analysis.picture import ShotAnalysis
from mmcodec.analysis.shots import ShotFrames
from mmcodec.captioning.frames import pictures_of
from mmcodec.captioning.instructions import (
    cleaned,
    completed,
    fitted,
    picture_instruction,
    tokens_within,
)
from mmcodec.captioning.picture_rules import describe_shot
from mmcodec.captioning.vision_inputs import Pictures, VisionInputs, vision_inputs
from mmcodec.errors import OutOfMemoryError
from mmcodec.models.loading import at_work, load_part, load_weights
from mmcodec.models.placement import Placement, explained, place
from mmcodec.registry import Group, ModelSettings
from mmcodec.timeline import Prompt

_NAME = "vision-language"


@dataclass(frozen=True, slots=True)
class _Model:
    placement: Placement
    weights: Any
    inputs: VisionInputs

    def describe(self, pictures: Pictures, instruction: str, tokens: int) -> str:
        """What the model says of pictures; it takes its most likely words."""
        with at_work(self.weights, self.placement):
            asked = self.inputs.ask(pictures, instruction)
            asked = asked.to(self.placement.device, dtype=self.placement.dtype)
            output = self.weights.generate(**asked, max_new_tokens=tokens, do_sample=False)
        return self.inputs.read(asked, output)


class VisionLanguage:
    """Any image-text-to-text model of transformers; loaded at the first shot.

    It is shown up to four frames of a shot and the caption of the shot before. What a model
    without an instruction does not tell, light, camera and movement, is said by rule if there is
    room. Where it says nothing that can be printed, the rules describe the shot.
    """

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._model: _Model | None = None
        self._before = ""

    def caption(self, frames: ShotFrames, analysis: ShotAnalysis, budget: int) -> Prompt:
        """The same frames after the same shots get the same words.

        Raises:
            BackendError: the model cannot be loaded, or fails.
            OutOfMemoryError: there is no room even for one small picture.
        """
        model = self._loaded()
        text = cleaned(self._answer(model, frames, analysis, budget))
        measured = describe_shot(analysis)
        if not text:
            return Prompt(fitted(measured, budget))
        if not model.inputs.is_told_what_to_say:
            text = completed(text, measured, budget)
        self._before = fitted(text, budget)
        return Prompt(self._before)

    def _answer(
        self, model: _Model, frames: ShotFrames, analysis: ShotAnalysis, budget: int
    ) -> str:
        """The answer; where memory is short, that to one small picture."""
        pictures = pictures_of(frames, analysis, model.inputs.most_pictures)
        with suppress(OutOfMemoryError):
            return self._ask(model, pictures, budget)
        # Not within the handling of the error, which keeps alive what filled the memory.
        return self._ask(model, pictures_of(frames, analysis, 1, small=True), budget)

    def _ask(self, model: _Model, pictures: Pictures, budget: int) -> str:
        instruction = picture_instruction(budget, self._before, len(pictures))
        with explained(_NAME, model.placement.model, "run"):
            return model.describe(pictures, instruction, tokens_within(budget))

    def _loaded(self) -> _Model:
        if self._model is None:
            placement = place(Group.CAPTIONER, _NAME, self._settings)
            with explained(_NAME, placement.model, "load"):
                from transformers import AutoConfig, AutoModelForImageTextToText

                inputs = vision_inputs(load_part(AutoConfig, placement), placement)
                weights = load_weights(AutoModelForImageTextToText, placement)
            self._model = _Model(placement, weights, inputs)
        return self._model
