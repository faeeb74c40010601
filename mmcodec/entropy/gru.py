"""The text model's network, in integers: every machine computes the same distribution.

One gated recurrent unit (Cho et al., 2014; the reset gate after the product, as in cuDNN) between
an input and an output that share one embedding of the symbols:

    z, r = sigmoid(x + U h),  n = tanh(x + r (U h + b)),  h' = n + z (h - n)
    scores = embedding (output h) + bias

Weights are small integers times a scale per row; activations are fixed point; sigmoid and exp are
tables. The products of matrices run in float32 because NumPy has no fast product of integers, but
the arrays hold integers and no sum of magnitudes reaches 2**24, so that each partial sum is exact
in whatever order, and with whatever instructions, a library adds them. :class:`Rows` checks that
bound when the weights are loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

STATE_BITS = 16
"""Fraction bits of a state and of a gate, which lie in -1..1."""
INPUT_BITS = 10
"""Fraction bits of a state where it enters a product."""
GATE_BITS = 12
"""Fraction bits of what enters a sigmoid."""
SCORE_BITS = 8
"""Fraction bits of a score, in nats."""
SIGMOID_BITS = 8
"""Fraction bits of the sigmoid's argument in its table, which spans -8..8."""
PROJECTION_LIMIT = 2047
"""Largest magnitude of a projected state."""
EXACT = 1 << 24
"""Below this, float32 holds every integer."""

_HALF_TABLE = 8 << SIGMOID_BITS


@dataclass(frozen=True)
class Rows:
    """A matrix of integer ``weights`` (rows, columns); row i stands for
    ``weights[i] * multipliers[i] / 2**shift``.

    ``largest`` is the largest magnitude in the vectors that it is multiplied with.
    """

    weights: NDArray[np.float32]
    multipliers: Integers
    shift: int
    largest: int

    def __post_init__(self) -> None:
        if float(np.abs(self.weights).sum(axis=1).max()) * self.largest >= EXACT:
            raise ValueError("the products of this matrix would not be exact in float32")

    def times(self, vector: NDArray[np.float32]) -> Integers:
        """The product with a vector of integers (columns,), rounded down."""
        # A product of vectors for each row, not one of a matrix: that one BLAS does in threads,
        # which wait for each other, 20 times as long as this takes, on a machine that has other
        # work to do, as an encoder has.
        product: Integers = np.vecdot(self.weights, vector).astype(np.int64)
        product *= self.multipliers
        product >>= self.shift
        return product


@dataclass(frozen=True)
class Network:
    """Weights and tables; a state is an array (units,) of integers, see :data:`STATE_BITS`."""

    embedding: Rows
    inputs: Rows
    input_bias: Integers
    recurrent: Rows
    recurrent_bias: Integers
    output: Rows
    output_bias: Integers
    sigmoid: Integers
    exponential: Integers
    """exp(-i / 2**SCORE_BITS), up to a common factor, at most 2**24."""

    @classmethod
    def load(cls, arrays: dict[str, NDArray[np.generic]]) -> Network:
        """The network of the arrays that ``tools/quantise_text_model.py`` wrote."""

        def rows(name: str, largest: int) -> Rows:
            return Rows(
                arrays[name].astype(np.float32),
                arrays[f"{name}_multipliers"].astype(np.int64),
                int(arrays[f"{name}_shift"]),
                largest,
            )

        def integers(name: str) -> Integers:
            return arrays[name].astype(np.int64)

        return cls(
            embedding=rows("embedding", PROJECTION_LIMIT),
            inputs=rows("input", 127),
            input_bias=integers("input_bias"),
            recurrent=rows("recurrent", 1 << INPUT_BITS),
            recurrent_bias=integers("recurrent_bias"),
            output=rows("output", 1 << INPUT_BITS),
            output_bias=integers("output_bias"),
            sigmoid=integers("sigmoid"),
            exponential=integers("exponential"),
        )

    @property
    def units(self) -> int:
        """Size of a state."""
        return len(self.recurrent_bias)

    @cached_property
    def _input_rows(self) -> dict[int, Integers]:
        return {}

    def start(self) -> Integers:
        """The state before a stream."""
        return np.zeros(self.units, np.int64)

    def step(self, state: Integers, symbol: int) -> Integers:
        """The state after ``symbol``."""
        units = self.units
        x = self._input(symbol)
        u = self.recurrent.times(_as_input(state))
        gates = self._sigmoid(x[: 2 * units] + u[: 2 * units], GATE_BITS - SIGMOID_BITS)
        z, r = gates[:units], gates[units:]
        u = u[2 * units :] + self.recurrent_bias
        u *= r
        u >>= STATE_BITS
        u += x[2 * units :]
        # tanh(a) = 2 sigmoid(2 a) - 1, and one shift less doubles the argument.
        n = self._sigmoid(u, GATE_BITS - SIGMOID_BITS - 1)
        n *= 2
        n -= 1 << STATE_BITS
        blend = state - n
        blend *= z
        blend >>= STATE_BITS
        blend += n
        return blend

    def odds(self, state: Integers) -> Integers:
        """Odds of each symbol to come next (symbols,), up to a common factor."""
        projected = self.output.times(_as_input(state))
        np.minimum(projected, PROJECTION_LIMIT, out=projected)
        np.maximum(projected, -PROJECTION_LIMIT, out=projected)
        scores = self.embedding.times(projected.astype(np.float32))
        scores += self.output_bias
        depths: Integers = scores.max() - scores
        np.minimum(depths, len(self.exponential) - 1, out=depths)
        return self.exponential[depths]

    def _input(self, symbol: int) -> Integers:
        """The input side of the gates (3 units,), kept for the next time."""
        row = self._input_rows.get(symbol)
        if row is None:
            row = self.inputs.times(self.embedding.weights[symbol])
            row *= self.embedding.multipliers[symbol]
            row >>= self.embedding.shift
            row += self.input_bias
            self._input_rows[symbol] = row
        return row

    def _sigmoid(self, values: Integers, shift: int) -> Integers:
        values >>= shift
        values += _HALF_TABLE
        np.maximum(values, 0, out=values)
        np.minimum(values, 2 * _HALF_TABLE - 1, out=values)
        return self.sigmoid[values]


def _as_input(state: Integers) -> NDArray[np.float32]:
    """A state in :data:`INPUT_BITS`, rounded."""
    half = 1 << (STATE_BITS - INPUT_BITS - 1)
    rounded: Integers = (state + half) >> (STATE_BITS - INPUT_BITS)
    return rounded.astype(np.float32)


def load_arrays(file: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays of a weights file."""
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
