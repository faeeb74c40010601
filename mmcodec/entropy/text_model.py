"""What comes next in a text, in integers: the network, and what earlier texts of the stream recall.

``text_model.md`` beside the weights tells how the network was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import accumulate
from pathlib import Path

import numpy as np

from mmcodec.entropy.code_points import CodePointCoder
from mmcodec.entropy.gru import Integers, Network, load_arrays
from mmcodec.entropy.pieces import END, ESCAPE, Pieces
from mmcodec.entropy.range_coder import Encoder
from mmcodec.entropy.recall import TRUST_BITS, Recall

BITS = 18
"""Probabilities of symbols are in 1 / 2**18."""
PAGE = 400
"""Characters; the texts of this page of the stream and of the one before it are the context."""
TEXT_COST = 8
"""Characters that a text of the context counts beside its own."""

_GAP = 6
"""Runs of unknown characters this near to each other are one."""
_FINE_BITS = 26
"""Fraction bits of a probability before it is rounded to :data:`BITS`."""


@dataclass(frozen=True)
class Prediction:
    """Odds that the text ends, ``end`` to ``rest``; and where the interval of each other symbol
    starts, of 2**BITS: symbol 1 + i owns ``bounds[i]`` to ``bounds[i + 1]``, which is not empty.
    """

    end: int
    rest: int
    bounds: Integers


@dataclass(frozen=True)
class Context:
    """What is known before a text: the network's state, earlier places, runs of characters."""

    state: Integers
    states: tuple[Integers, ...] = ()
    following: tuple[int, ...] = ()
    runs: tuple[str, ...] = ()

    @cached_property
    def recall(self) -> Recall | None:
        """The earlier places to compare with; None where there are none."""
        return Recall.of(self.states, self.following) if self.states else None

    def characters(self) -> CodePointCoder:
        """A coder of unknown characters that has seen the runs of the context."""
        coder, nowhere = CodePointCoder(), Encoder()
        for run in self.runs:
            coder.encode(nowhere, run)
        return coder


@dataclass(frozen=True)
class TextModel:
    """The network and the pieces that are its symbols."""

    network: Network
    pieces: Pieces

    def predict(self, state: Integers, recall: Recall | None) -> Prediction:
        """What follows when the network is in ``state``."""
        odds = self.network.odds(state)
        if recall is None:
            sums = _sums(odds)
        else:
            votes, trust = recall.votes(state, self.network.exponential)
            recalled = np.zeros_like(odds)
            np.add.at(recalled, recall.following, votes)
            sums = _sums(odds) * ((1 << TRUST_BITS) - trust) + _sums(recalled) * trust
        bounds = sums[1:] - sums[1]
        end, rest = int(sums[1]), int(bounds[-1])
        bounds *= (1 << BITS) - len(bounds) + 1
        bounds //= max(rest, 1)
        bounds += np.arange(len(bounds))
        bounds[-1] = 1 << BITS
        return Prediction(end, rest, bounds)

    def parts(self, text: str) -> list[tuple[int, str]]:
        """Symbols of a text; an escape comes with its run of characters."""
        parts: list[tuple[int, str]] = []
        at = 0
        for start, end in self._runs(text):
            parts += ((symbol, "") for symbol in self.pieces.cut(text[at:start]))
            parts.append((ESCAPE, text[start:end]))
            at = end
        return [*parts, *((symbol, "") for symbol in self.pieces.cut(text[at:]))]

    def _runs(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each stretch of unknown characters, near ones joined."""
        runs: list[tuple[int, int]] = []
        for at, character in enumerate(text):
            if character in self.pieces:
                continue
            if runs and at - runs[-1][1] <= _GAP:
                runs[-1] = (runs[-1][0], at + 1)
            else:
                runs.append((at, at + 1))
        return runs


@cache
def text_model() -> TextModel:
    """The model of the package, loaded at its first use."""
    arrays = load_arrays(Path(__file__).with_name("text_model.npz"))
    pieces = arrays["pieces"].tobytes().decode().split("\0")
    return TextModel(Network.load(arrays), Pieces(pieces))


def context_of(texts: Sequence[str]) -> Context:
    """What the texts of a stream so far, oldest first, tell about the next one.

    The last texts count: whole pages, so that what was read of them serves many texts.
    """
    ends = list(accumulate(len(text) + TEXT_COST for text in texts))
    first = ends[-1] // PAGE * PAGE - PAGE if ends else 0
    return _read(tuple(text for text, end in zip(texts, ends, strict=True) if end > first))


@lru_cache(maxsize=8)
def _read(texts: tuple[str, ...]) -> Context:
    """The state after the last of ``texts`` and before the symbol that ends it, and all places."""
    model = text_model()
    if not texts:
        return Context(model.network.start())
    before = _read(texts[:-1])
    parts = model.parts(texts[-1][-PAGE:])
    symbols = [symbol for symbol, _ in parts]
    state, states = before.state, list[Integers]()
    for symbol in [END, *symbols]:
        state = model.network.step(state, symbol)
        states.append(state)
    return Context(
        state,
        before.states + tuple(states),
        (*before.following, *symbols, END),
        before.runs + tuple(run for _, run in parts if run),
    )


def _sums(odds: Integers) -> Integers:
    """Running sums of ``odds``, from 0 to 2**26."""
    sums = np.zeros(len(odds) + 1, np.int64)
    np.cumsum(odds, out=sums[1:])
    total = int(sums[-1])
    sums <<= _FINE_BITS
    sums //= total
    return sums
