"""What the texts before this one teach about it: a continuous cache, in integers.

Where the network is in a state that it was in before, what followed then is likely to follow now
(E. Grave, A. Joulin, N. Usunier, "Improving neural language models with a continuous cache", 2017).
Names and turns of phrase that a stream repeats cost little from the second time on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmcodec.entropy.gru import SCORE_BITS, STATE_BITS, Integers

KEY_BITS = 7
"""A key is a state in this many bits and a sign; the product of two is exact in float32."""
LIKENESS_BITS = 10
"""Fraction bits of the cosine between two keys."""
SHARPNESS = 14
"""A place that is this much nearer in cosine counts e times less: 1 / SHARPNESS."""
TRUST_BITS = 8
TRUST = (2, 2, 2, 3, 6, 17, 34, 68, 108, 125)
"""Share of the probability, in 1/256, by the tenth in which the likeness of the nearest place lies;
fitted on streams of captions and dialogue."""


@dataclass(frozen=True)
class Recall:
    """Places in earlier texts: ``keys`` (places, units), their lengths, and what came next."""

    keys: NDArray[np.float32]
    lengths: Integers
    following: Integers

    @classmethod
    def of(cls, states: Sequence[Integers], following: Sequence[int]) -> Recall:
        """The places of ``states``, each followed by a symbol."""
        keys = np.array([_key(state) for state in states])
        lengths = np.array([_length(key) for key in keys], np.int64)
        return cls(keys, lengths, np.array(following, np.int64))

    def votes(self, state: Integers, exponential: Integers) -> tuple[Integers, int]:
        """For each place, the odds that its symbol follows ``state``; and the trust in that."""
        key = _key(state)
        likeness = (self.keys @ key).astype(np.int64) << LIKENESS_BITS
        likeness //= self.lengths * _length(key)
        nearest = int(likeness.max())
        depths: Integers = ((nearest - likeness) * SHARPNESS) >> (LIKENESS_BITS - SCORE_BITS)
        tenth = min(max(nearest * 10 >> LIKENESS_BITS, 0), 9)
        return exponential[np.minimum(depths, len(exponential) - 1)], TRUST[tenth]


def _key(state: Integers) -> NDArray[np.float32]:
    largest = (1 << KEY_BITS) - 1
    key: Integers = np.minimum(state >> (STATE_BITS - KEY_BITS), largest)
    np.maximum(key, -largest, out=key)
    return key.astype(np.float32)


def _length(key: NDArray[np.float32]) -> int:
    """Length of a vector of integers, rounded up, at least 1."""
    return max(1, math.isqrt(int(key @ key)) + 1)
