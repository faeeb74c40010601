"""Pipelines of diffusers: loaded once, placed, and called with what they take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmcodec.errors import FailedWorkError
from mmcodec.models.placement import Placement, explained

_NETS = ("transformer", "transformer_2", "unet")
"""Names of the networks that take the noise away."""
_EACH_ITS_OWN = frozenset({"prompt", "generator", "video", "image"})
"""Arguments that a call for several results takes a list of."""
_LONGEST_SHAPE = 4.0
"""Sides of the rasters that models are asked for, the longer one over the other one."""


def load_pipeline(name: str, kind: str, placement: Placement) -> Any:
    """The pipeline of a model, for the backend ``name``; ``kind`` is the class that loads it.

    Raises:
        BackendError: it is not here, or not a model of this kind.
    """
    with explained(name, placement.model, "load"), quiet():
        import diffusers

        pipeline = getattr(diffusers, kind).from_pretrained(
            placement.model,
            revision=placement.revision,
            dtype=placement.dtype,
            use_safetensors=True,
            local_files_only=not placement.is_local,
        )
        return placed(pipeline, placement)


def placed(pipeline: Any, placement: Placement) -> Any:
    """The pipeline, on its device and quiet; compiled once, though pipelines share networks."""
    pipeline.set_progress_bar_config(disable=True)
    if placement.compiled:
        for name in _NETS:
            _compile(getattr(pipeline, name, None))
    if placement.offload:
        pipeline.enable_model_cpu_offload(device=placement.device)
        return pipeline
    return pipeline.to(placement.device)


def _compile(net: Any) -> None:
    """Compile the blocks that a network repeats, which takes seconds, or else the whole of it."""
    if net is None or getattr(net, "mmcodec_compiled", False):
        return
    if getattr(net, "_repeated_blocks", None):
        net.compile_repeated_blocks()
    else:
        net.compile()
    net.mmcodec_compiled = True


def call(pipeline: Any, wanted: Mapping[str, object]) -> Any:
    """Run a pipeline with those of the ``wanted`` arguments that it takes and that are set."""
    known = parameters_of(pipeline)
    with quiet():
        return pipeline(**{n: v for n, v in wanted.items() if n in known and v is not None})


def together(asked: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """The arguments of one call for several results: lists of what differs between them."""
    if len(asked) == 1:
        return dict(asked[0])
    merged = dict(asked[0])
    for name in _EACH_ITS_OWN & merged.keys():
        merged[name] = [one[name] for one in asked]
    if any(one.get("negative_prompt") for one in asked):
        merged["negative_prompt"] = [one.get("negative_prompt") or "" for one in asked]
    return merged


@contextmanager
def quiet() -> Iterator[None]:
    """The libraries say nothing but errors: their advice is for who writes a program."""
    from diffusers.utils import logging as of_diffusers
    from transformers.utils import logging as of_transformers

    libraries = (of_diffusers, of_transformers)
    levels = [library.get_verbosity() for library in libraries]
    bars = [library.is_progress_bar_enabled() for library in libraries]
    for library in libraries:
        library.set_verbosity_error()
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library, level, bar in zip(libraries, levels, bars, strict=True):
            library.set_verbosity(level)
            if bar:
                library.enable_progress_bar()


def parameters_of(pipeline: Any) -> Mapping[str, Any]:
    """Arguments of a pipeline's call by name, with their defaults."""
    return {name: p.default for name, p in signature(type(pipeline).__call__).parameters.items()}


def pixels_of(values: object, name: str, model: str) -> NDArray[np.uint8]:
    """Pictures 0..1 (..., height, width, 3), as uint8.

    Raises:
        FailedWorkError: they are not numbers, as half precision sometimes gives.
    """
    pictures = np.asarray(values, np.float32)
    if not np.isfinite(pictures).all():
        raise FailedWorkError(f"{name}: {model} gave no numbers; --dtype float32 may help")
    return np.asarray(np.clip(pictures * 255 + 0.5, 0, 255), np.uint8)


def pictures_of(pixels: NDArray[np.uint8]) -> list[Any]:
    """Pixels (n, height, width, 3) as the pictures that pipelines take."""
    from PIL import Image

    return [Image.fromarray(picture) for picture in pixels]


def release_memory(device: str) -> None:
    """Give back what a run that did not fit has left on the device."""
    import gc

    import torch

    gc.collect()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()


def working_size(size: tuple[int, int], pixels: int, step: int) -> tuple[int, int]:
    """A raster (width, height) of about the shape of ``size`` and about ``pixels`` pixels.

    Its sides are multiples of ``step``; no model is asked for a strip.
    """
    shape = min(max(size[0] / size[1], 1 / _LONGEST_SHAPE), _LONGEST_SHAPE)
    sides = ((pixels * shape) ** 0.5, (pixels / shape) ** 0.5)
    width, height = (max(round(side / step), 1) * step for side in sides)
    return width, height
