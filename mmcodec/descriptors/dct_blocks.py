"""Pictures of sound (time by band) in blocks: a 2-D DCT of each, quantised, and range coded.

What size of coefficient to expect follows from its place, and that, in units of the quantiser's
step, chooses the probabilities: one small table serves all bit rates and all kinds of picture.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mmcodec.entropy.range_coder import Decoder, Encoder, IntegerModel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STEP_BITS = 6
COARSEST = (1 << STEP_BITS) - 1

_DEAD_ZONE = 0.4
_CLASSES, _CLASS_OFFSET = 12, 5
_BITS = 3.0
"""That a coefficient takes for each neper of its power, and 1, over that of the step."""
# Measured on the sound descriptor of speech, music and effects.
_PRIORS = (
    (570, 100, 8738), (5866, 407, 5243), (32382, 2913, 26214),
    (2139, 329, 749), (10414, 1699, 1573), (32603, 5728, 12099),
    (5017, 1259, 3869), (15704, 2833, 5097), (33237, 12907, 10337),
    (8990, 3051, 8545), (22533, 6219, 9010), (39351, 18802, 15311),
    (13364, 6158, 12615), (27993, 11043, 13064), (43750, 25769, 21352),
    (19240, 11518, 22083), (33272, 16519, 20289), (47237, 32764, 29475),
    (25260, 18200, 31117), (38080, 21771, 28186), (50825, 39606, 37812),
    (32451, 24776, 34193), (43215, 29011, 34290), (54036, 44355, 43920),
    (40612, 36678, 46659), (47887, 37017, 42134), (57008, 48852, 50405),
    (46088, 46466, 53616), (52439, 43866, 45504), (58405, 53055, 53659),
    (55131, 53521, 56620), (54503, 49140, 51751), (60407, 54877, 56000),
    (63406, 62344, 62093), (59850, 55903, 56570), (62393, 59489, 59466),
)  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """How large coefficients usually are, in eighths of an octave above 1.

    ``mean`` (bands,) is that of the means over time; that of others is the sum of what their row
    (``time``, spread over the block's rows) and their band (``band``) have.
    """

    mean: tuple[int, ...]
    time: tuple[int, ...]
    band: tuple[int, ...]


def step_size(step: int) -> float:
    """The quantiser's step of a number from 0, the finest, to :data:`COARSEST`."""
    return float(2.0 ** (step / 8.0))


def blocks_of(frames: int, size: int) -> list[slice]:
    """Where the blocks of a picture lie: of nearly the same length, near ``size``."""
    count = max(round(frames / size), 1)
    # The first ones are longer by one, as numpy.array_split makes them.
    length, longer = divmod(frames, count)
    starts = [length * at + min(at, longer) for at in range(count + 1)]
    return [slice(start, end) for start, end in pairwise(starts)]


@lru_cache(maxsize=512)
def dct(size: int) -> Floats:
    """Orthonormal DCT-II matrix (size, size): rows are the basis."""
    index = np.arange(size)
    matrix = np.cos(np.pi / size * (index + 0.5) * index[:, None]) * np.sqrt(2.0 / size)
    matrix[0] /= np.sqrt(2.0)
    return np.asarray(matrix)


def likely_step(blocks: Sequence[NDArray[np.floating]], bits: float) -> int:
    """The finest step with which ``blocks`` of coefficients take ``bits``: for sounds within one or
    two, nine times of ten (72 sounds at four bit rates), for others a place to look from.
    """
    powers = np.square(np.concatenate([block.ravel() for block in blocks]))

    def fits(step: int) -> bool:
        return float(np.log1p(powers / step_size(step) ** 2).sum()) * _BITS <= bits

    return bisect_left(range(COARSEST), True, key=fits)


def finest(
    attempt: Callable[[int], bytes], limit: int, coarsest: int, likely: int, least: int = 0
) -> bytes:
    """What ``attempt`` makes with the finest step from ``least`` on whose bytes are at most
    ``limit``, looked for around the ``likely`` one.

    With ``coarsest`` if none is: whoever calls has to make that small enough.
    """
    low, high, best, at, reach = least, coarsest, b"", likely, 1
    while low < high:
        step = min(max(at, low), high - 1)
        data = attempt(step)
        if len(data) <= limit:
            best, high, at = data, step, step - reach
        else:
            low, at = step + 1, step + reach
        if least < low and high < coarsest:
            at = (low + high) // 2
        reach *= 2
    return best if high < coarsest else attempt(coarsest)


class BlockCoder:
    """Codes quantised blocks one after another; what one teaches serves the next."""

    def __init__(self, spread: Spread, step: int) -> None:
        self._spread = spread
        self._step = step
        self._bands = len(spread.band)
        self._models = [IntegerModel(priors[:2] + priors[2:] * 12) for priors in _PRIORS]
        self._sum = [0] * self._bands
        self._count = 1

    def encode(self, encoder: Encoder, block: NDArray[np.floating]) -> None:
        """Quantise and write the coefficients ``block`` (rows, bands)."""
        sizes = np.floor(np.abs(block) / step_size(self._step) + _DEAD_ZONE)
        expected = _expected_sizes(self._spread, len(block), self._step)
        quantised = np.where(expected >= 0, sizes * np.sign(block), 0.0)
        values = quantised.astype(np.int64).tolist()
        for time, band, model, predicted in self._places(values):
            model.encode(encoder, values[time][band] - predicted)

    def decode(self, decoder: Decoder, rows: int) -> Floats:
        """Read the coefficients (rows, bands) of the next block."""
        values = [[0] * self._bands for _ in range(rows)]
        for time, band, model, predicted in self._places(values):
            values[time][band] = predicted + model.decode(decoder)
        return np.array(values) * step_size(self._step)

    def _places(self, values: list[list[int]]) -> Iterator[tuple[int, int, IntegerModel, int]]:
        """(time, band, model, prediction) of each coefficient that is sent, in order.

        Only values of places already passed are looked at, so that both sides agree.
        """
        nothing = [0] * self._bands
        expected = _expected_sizes(self._spread, len(values), self._step).tolist()
        for time, row in enumerate(values):
            above = values[time - 1] if time > 1 else nothing
            for band in range(self._bands):
                size = expected[time][band]
                if size < 0:
                    continue
                left = abs(row[band - 1]) if band else 0
                near = left + abs(above[band])
                model = self._models[3 * size + (near > 0) + (near > 2)]
                predicted = 0 if time else _rounded(self._sum[band], self._count)
                yield time, band, model, predicted
        self._sum = [total + value for total, value in zip(self._sum, values[0], strict=True)]
        self._count += 1


def _rounded(total: int, count: int) -> int:
    return (2 * total + count) // (2 * count)


@lru_cache(maxsize=256)
def _expected_sizes(spread: Spread, rows: int, step: int) -> Integers:
    """Class of size (rows, bands), 0 small to 11 large, -1 for places that are never sent."""
    times = np.array(spread.time)[np.arange(rows) * len(spread.time) // rows]
    usual = times[:, None] + np.array(spread.band)
    usual[0] = spread.mean
    return np.asarray(np.clip((usual - step) // 4 + _CLASS_OFFSET, -1, _CLASSES - 1))
