"""Loads models of transformers from a folder or the hub's cache, safetensors only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmcodec.models.placement import Placement


def load_part(kind: Any, placement: Placement) -> Any:
    """A processor, tokenizer or configuration; ``kind`` is a class of transformers."""
    return kind.from_pretrained(placement.model, revision=placement.revision, local_files_only=True)


def load_weights(kind: Any, placement: Placement) -> Any:
    """A model that is ready to run, on its device unless that is only lent to it."""
    from safetensors import SafetensorError

    try:
        model = kind.from_pretrained(
            placement.model,
            revision=placement.revision,
            local_files_only=True,
            use_safetensors=True,
            dtype=placement.dtype,
        ).eval()
    except SafetensorError as error:  # it is no kind of error of Python's own
        raise OSError(f"its weights are damaged ({error})") from error
    return model if placement.offload else model.to(placement.device)


@contextmanager
def at_work(model: Any, placement: Placement) -> Iterator[None]:
    """While a model computes: without gradients, and on its device if that is only lent to it."""
    import torch

    if placement.offload:
        model.to(placement.device)
    try:
        with torch.inference_mode():
            yield
    finally:
        if placement.offload:
            model.to("cpu")
