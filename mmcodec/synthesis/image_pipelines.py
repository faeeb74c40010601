"""Image models of diffusers: one set of weights, from words or from a picture to a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmcodec.models.placement import Placement, explained
from mmcodec.synthesis.diffusion_loading import (
    call,
    load_pipeline,
    parameters_of,
    pictures_of,
    pixels_of,
    placed,
    quiet,
    together,
    working_size,
)
from mmcodec.synthesis.prompting import Words
from mmcodec.synthesis.still_motion import resized

_SIDE = 64
"""All families take sides that are multiples of this, and some none that are shorter."""
_STEPS = 28
"""Denoising steps of a model that is not made for few, where the stream does not say."""
_EDIT = "Turn this blurred sketch into a sharp picture with the same composition and colours: "
"""What a model that edits is told: it has no strength."""


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """A picture of the shape of ``size`` (width, height).

    ``start``, RGB uint8 (height, width, 3), is changed with ``strength``, 0 (exclusive) to 1. What
    is None is the model's choice.
    """

    words: Words
    size: tuple[int, int]
    seed: int
    steps: int | None
    guidance: float | None
    strength: float
    start: NDArray[np.uint8] | None = None

    def fits(self, other: ImageRequest) -> bool:
        """Whether one call can make both: all but words, seed and start is the same."""
        mine, its = (
            replace(request, words=Words(""), seed=0, start=None) for request in (self, other)
        )
        return mine == its and (self.start is None) == (other.start is None)


class ImageModel:
    """A model's pipelines, over one set of weights; ``pixels`` is the most that it is asked for.

    Raises:
        BackendError: it is not here, or makes no images.
    """

    def __init__(self, name: str, placement: Placement, pixels: int) -> None:
        self._name, self._placement = name, placement
        self._text = load_pipeline(name, "AutoPipelineForText2Image", placement)
        self._image: Any = None
        self._pixels = min(pixels, _native_pixels(self._text) or pixels)
        self._side = lcm(_SIDE, 2 * int(self._text.vae_scale_factor))

    def batches(self, request: ImageRequest) -> bool:
        """Whether one call can make several of the kind; editors take pictures for one result."""
        return request.start is None or "strength" in parameters_of(self._from_image())

    def make(self, requests: Sequence[ImageRequest], divisor: int = 1) -> list[NDArray[np.uint8]]:
        """A picture for each request, RGB uint8 (height, width, 3), with the model's pixels over
        ``divisor``; several only if the model ``batches`` and each fits the first.

        Raises:
            FailedWorkError: it could not be made; :class:`OutOfMemoryError` if it does not fit.
        """
        first = requests[0]
        size = working_size(first.size, self._pixels // divisor, self._side)
        with explained(self._name, self._placement.model, "run"):
            pipeline = self._text if first.start is None else self._from_image()
            asked = [self._arguments(pipeline, request, size) for request in requests]
            made = call(pipeline, together(asked))
            return list(pixels_of(made.images, self._name, self._placement.model))

    def _from_image(self) -> Any:
        if self._image is None:
            from diffusers import AutoPipelineForImage2Image

            with quiet():
                made = AutoPipelineForImage2Image.from_pipe(self._text)
                self._image = placed(made, self._placement)
        return self._image

    def _arguments(
        self, pipeline: Any, request: ImageRequest, size: tuple[int, int]
    ) -> dict[str, object]:
        import torch

        steps, guidance = _defaults(self._text, self._placement.model)
        steps = request.steps or steps
        wanted: dict[str, object] = {
            "prompt": request.words.prompt,
            "negative_prompt": request.words.negative,
            "width": size[0],
            "height": size[1],
            "guidance_scale": guidance if request.guidance is None else request.guidance,
            "generator": torch.Generator("cpu").manual_seed(request.seed),
            "output_type": "np",
        }
        if request.start is not None:
            wanted["image"] = pictures_of(resized(request.start, size)[None])[0]
            wanted["strength"] = request.strength
            if "strength" in parameters_of(pipeline):
                # With fewer, none would be left after those that a low strength leaves out.
                steps = max(steps, ceil(1 / request.strength))
            else:
                wanted["prompt"] = _EDIT + request.words.prompt
        return wanted | {"num_inference_steps": steps}


def _native_pixels(pipeline: Any) -> int | None:
    """Pixels that a model was trained at, if it says so."""
    net: Any = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    side = net.config.get("sample_size") if net is not None else None
    side = side or getattr(pipeline, "default_sample_size", None)
    return (side * int(pipeline.vae_scale_factor)) ** 2 if isinstance(side, int) else None


def _defaults(pipeline: Any, model: str) -> tuple[int, float | None]:
    """Steps and guidance: few and none for models that are distilled for it, as published."""
    kind, name = type(pipeline).__name__, model.lower().rstrip("/")
    if pipeline.config.get("is_distilled"):  # FLUX.2-klein
        return 4, 1.0
    if kind.startswith("ZImage"):
        return (_STEPS, None) if name.endswith("z-image") else (9, 0.0)
    # How the schedulers of SD-Turbo, SDXL-Turbo and the like come.
    trailing = pipeline.scheduler.config.get("timestep_spacing") == "trailing"
    if trailing or any(word in name for word in ("turbo", "lightning", "schnell", "lcm")):
        return 4, 0.0
    return _STEPS, None
