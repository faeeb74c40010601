"""Pictures and a question as the inputs of a model that sees, and its output as text.

There are three kinds of such models: those that chat, Florence-2, which knows tasks by name, and
captioners that are only shown a picture. Processors of some families (Qwen-VL, SmolVLM) need
torchvision for videos, which we do not show them; where it is missing, their inputs for pictures
are put together here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mmcodec.captioning.chats import continuation, question
from mmcodec.models.loading import load_part
from mmcodec.models.placement import Placement

Pictures = Sequence[NDArray[np.uint8]]

_FLORENCE_TASK = "<MORE_DETAILED_CAPTION>"


class VisionInputs(Protocol):
    """Between pictures and words, and the numbers of a model."""

    @property
    def most_pictures(self) -> int:
        """How many pictures make sense in one question."""

    @property
    def is_told_what_to_say(self) -> bool:
        """Whether the instruction reaches the model."""

    def ask(self, pictures: Pictures, instruction: str) -> Any:
        """The inputs, a ``BatchFeature``, of pictures uint8 (height, width, 3) and a question."""

    def read(self, inputs: Any, output: Any) -> str:
        """The answer in what the model generated."""


def vision_inputs(config: Any, placement: Placement) -> VisionInputs:
    """The way to ask the model that has this configuration.

    Raises:
        ImportError: its processor needs torchvision, and it is of no family known here.
        ValueError: it has none for pictures.
    """
    from transformers import AutoProcessor

    try:
        processor = load_part(AutoProcessor, placement)
    except ImportError:
        return _without_torchvision(config, placement)
    if not hasattr(processor, "image_processor"):
        raise ValueError("it has no processor for pictures")
    if config.model_type == "florence2":
        return _Florence(processor)
    if getattr(processor, "chat_template", None):
        return _Chat(processor)
    return _Plain(processor)


def _without_torchvision(config: Any, placement: Placement) -> VisionInputs:
    from transformers import AutoImageProcessor, AutoTokenizer, Idefics3Processor

    images = load_part(AutoImageProcessor, placement)
    tokenizer = load_part(AutoTokenizer, placement)
    template = tokenizer.chat_template or _template(placement)
    if config.model_type == "smolvlm":
        # For pictures its processor does what that of its forerunner does.
        vision = config.vision_config
        seen = (vision.image_size // vision.patch_size) ** 2 // config.scale_factor**2
        return _Chat(Idefics3Processor(images, tokenizer, seen, chat_template=template))
    if hasattr(images, "merge_size"):
        token = tokenizer.convert_ids_to_tokens(config.image_token_id)
        return _Grid(images, tokenizer, template, token)
    raise ImportError(f"the processor of {config.model_type} needs torchvision")


def _template(placement: Placement) -> str | None:
    """A chat template that has a file of its own, which only processors look for."""
    from transformers import ProcessorMixin

    found, _ = ProcessorMixin.get_processor_dict(
        placement.model, revision=placement.revision, local_files_only=True
    )
    template: str | None = found.get("chat_template")
    return template


def _images(pictures: Pictures) -> list[Any]:
    from PIL import Image

    return [Image.fromarray(picture) for picture in pictures]


class _Chat:
    """Models that chat, asked by their own processor."""

    most_pictures = 4
    is_told_what_to_say = True

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        images = processor.image_processor
        if hasattr(images, "do_image_splitting"):
            # A frame is small: cut into tiles it would cost seventeen times as much.
            images.do_image_splitting = False
            images.size = {"longest_edge": images.max_image_size["longest_edge"]}

    def ask(self, pictures: Pictures, instruction: str) -> Any:
        images = _images(pictures)
        text = question(
            self._processor, self._processor.chat_template, ["image"] * len(images), instruction
        )
        return self._processor(text=[text], images=images, return_tensors="pt")

    def read(self, inputs: Any, output: Any) -> str:
        return continuation(self._processor.tokenizer, inputs, output)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Models of the Qwen-VL kind: a token for each cell of a grid over the picture."""

    images: Any
    tokenizer: Any
    template: Any
    token: str
    most_pictures: int = 4
    is_told_what_to_say: bool = True

    def ask(self, pictures: Pictures, instruction: str) -> Any:
        import torch
        from transformers import BatchFeature

        seen = self.images(images=_images(pictures), return_tensors="pt")
        text = question(self.tokenizer, self.template, ["image"] * len(pictures), instruction)
        before, *after = text.split(self.token)
        if len(after) != len(pictures):
            raise ValueError(f"its chat template has {len(after)} {self.token} for each picture")
        cells = seen["image_grid_thw"].prod(dim=1) // self.images.merge_size**2
        for count, part in zip(cells.tolist(), after, strict=True):
            before += self.token * count + part
        words = self.tokenizer(before, return_tensors="pt", add_special_tokens=False)
        token_id = self.tokenizer.convert_tokens_to_ids(self.token)
        kinds = (words["input_ids"] == token_id).to(torch.int)
        return BatchFeature({**words, **seen, "mm_token_type_ids": kinds})

    def read(self, inputs: Any, output: Any) -> str:
        return continuation(self.tokenizer, inputs, output)


@dataclass(frozen=True, slots=True)
class _Florence:
    """Florence-2, which is told the name of a task and knows one picture at a time."""

    processor: Any
    most_pictures: int = 1
    is_told_what_to_say: bool = False

    def ask(self, pictures: Pictures, instruction: str) -> Any:
        return self.processor(text=_FLORENCE_TASK, images=_images(pictures), return_tensors="pt")

    def read(self, inputs: Any, output: Any) -> str:
        return str(self.processor.batch_decode(output, skip_special_tokens=True)[0])


@dataclass(frozen=True, slots=True)
class _Plain:
    """Captioners such as BLIP: a sentence a picture; two that differ tell what happens."""

    processor: Any
    most_pictures: int = 2
    is_told_what_to_say: bool = False

    def ask(self, pictures: Pictures, instruction: str) -> Any:
        return self.processor(images=_images(pictures), return_tensors="pt")

    def read(self, inputs: Any, output: Any) -> str:
        said = self.processor.batch_decode(output, skip_special_tokens=True)
        return "; then ".join(dict.fromkeys(answer.strip(" .") for answer in said))
