"""A shot out of clips of a model: which part each makes, joined, at another frame rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors.sketch import TemporalMode
from mmcodec.synthesis.interpolation import interpolate

OVERLAP = 5
"""Frames that a part begins before the one before it ends: 0.2 to 0.6 s, a short cross-fade."""
_TICK = 1 << 10
"""Parts of a frame in which moments between frames are counted."""


@dataclass(frozen=True, slots=True)
class ClipLimits:
    """What clips a model makes.

    ``longest`` and every other number of frames is one of :meth:`frames`: the VAE has a latent
    for the first frame and one for each ``time_step`` after it, and the model takes latents by
    ``latents`` at a time. Sides are multiples of ``side``.
    """

    frame_rate: Fraction
    longest: int
    time_step: int
    latents: int
    side: int

    def frames(self, count: int) -> int:
        """The least number of frames that the model makes and that is not under ``count``."""
        needed = -(-(count - 1) // self.time_step) + 1
        return (-(-needed // self.latents) * self.latents - 1) * self.time_step + 1

    def fewer(self, count: int) -> int:
        """The greatest number of frames that the model makes and that is not over ``count``.

        If even the least is over it, that is what it is.
        """
        latents = ((count - 1) // self.time_step + 1) // self.latents * self.latents
        return (max(latents, self.latents) - 1) * self.time_step + 1


@dataclass(frozen=True, slots=True)
class Part:
    """The frames ``start`` to ``start + count`` of a shot, counted at the model's frame rate."""

    start: int
    count: int


def parts_of(count: int, limits: ClipLimits, overlap: int) -> list[Part]:
    """Parts of ``count`` frames together, or a few more, each within the limits, of like length.

    Each begins ``overlap`` frames before the end of the one before it.
    """
    if count <= limits.longest:
        return [Part(0, limits.frames(count))]
    number = -(-(count - overlap) // (limits.longest - overlap))
    length = limits.frames(-(-(count + (number - 1) * overlap) // number))
    return [Part(at * (length - overlap), length) for at in range(number)]


def overlap_of(limits: ClipLimits) -> int:
    """How many frames two parts may share."""
    return min(OVERLAP, limits.longest // 3)


def joined(parts: Iterable[NDArray[np.uint8]], overlap: int) -> Iterator[NDArray[np.uint8]]:
    """The frames of ``parts`` (n, height, width, 3), each faded into the next over ``overlap``.

    Parts are of one shape but for their number.
    """
    tail: NDArray[np.uint8] | None = None
    for part in parts:
        frames = part
        if tail is not None and overlap:
            share = (np.arange(overlap, dtype=np.float32) + 1) / (overlap + 1)
            share = share[:, None, None, None]
            mixed = tail * (1 - share) + part[:overlap] * share
            frames = np.concatenate([np.asarray(mixed + 0.5, np.uint8), part[overlap:]])
        if len(frames) > overlap:
            yield frames[: len(frames) - overlap]
        tail = frames[len(frames) - overlap :]
    if tail is not None and len(tail):
        yield tail


def at_rate(
    chunks: Iterable[NDArray[np.uint8]], chunk_rate: Fraction, count: int, rate: Fraction
) -> Iterator[NDArray[np.uint8]]:
    """``count`` frames at ``rate`` from chunks (n, height, width, 3) at ``chunk_rate``.

    The nearest frames are picked; where there are fewer than asked for, those between them are
    moved along optical flow. The last one is held.
    """
    step = rate / chunk_rate  # frames wanted for each that is there
    mode = TemporalMode.FLOW if step > Fraction(21, 20) else TemporalMode.HOLD
    before: NDArray[np.uint8] | None = None
    done, seen = 0, 0
    for chunk in chunks:
        frames = chunk if before is None else np.concatenate([before, chunk])
        first = seen - (0 if before is None else 1)
        seen, before = first + len(frames), frames[-1:]
        times = np.array([round((first + at) * step * _TICK) for at in range(len(frames))])
        end = min(count, -(-int(times[-1]) // _TICK))  # the last one may yet be moved
        yield from interpolate(frames, times, (now * _TICK for now in range(done, end)), mode)
        done = max(done, end)
    if before is not None:
        yield from (before[0] for _ in range(done, count))
