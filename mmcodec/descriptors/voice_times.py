"""When the words of a voice are said: the part of its descriptor that moves it in time.

How long a word is follows from its letters, syllables and the pace; where a pause is, from
punctuation. Only what differs is sent. So times need no synthesizer to be understood.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mmcodec.entropy.range_coder import Decoder, Encoder, IntegerModel
from mmcodec.errors import BitstreamError

Spans = tuple[tuple[float, float], ...]

_PACE_BITS, _PACE_ONE = 6, 32
"""The pace is sent in 1/32 of the usual."""
_WORD_MS, _LETTER_MS, _SYLLABLE_MS, _LAST_MS = 50, 44, 48, 80
"""What a word, a letter, a syllable, and the end of a phrase last at the usual pace."""
_PAUSE_PRIORS = (6000, 34000, 34000, 40000, 44000), (44000, 56000, 50000, 44000, 44000)
"""Within a phrase, and after punctuation."""
_LENGTH_PRIORS = (42000, 24000, 26000, 28000, 28000)
_MIDDLE_PRIORS = (40000, 24000, 18000, 18000)
_MIDDLE_LETTERS = 4
"""Shorter words have no knot in the middle."""
_MARKS = '.,;:!?…–—-"”)'
_VOWELS = "aeiouyæøœαεηιουωаеёиоуыэюяіїє"
_MOST = 1 << 12
_PAUSE_BITS, _GONE_BITS = 3.0, 8.0


def encode(
    encoder: Encoder,
    words: Sequence[tuple[float, float]],
    middles: Sequence[float | None] | None,
    text: str,
    seconds: float,
    unit_ms: int,
) -> None:
    """Write start and end of each word of ``text``, and middles if there are any, in s.

    Raises:
        ValueError: there is not one for each word, or they go back or over the end.
    """
    said = text.split()
    flat = [0.0, *(moment for span in words for moment in span), seconds]
    if len(words) != len(said) or flat != sorted(flat):
        raise ValueError("the times are not those of the words, in order and within the sound")
    last = _units(seconds, unit_ms)
    spans = [tuple(min(_units(s, unit_ms), last) for s in span) for span in words]
    pace = _pace(words, said)
    encoder.encode_bits(pace, _PACE_BITS)
    pauses, lengths = _pause_models(), IntegerModel(_LENGTH_PRIORS)
    middle, at, marked = IntegerModel(_MIDDLE_PRIORS), 0, 0
    for place, (word, (start, end)) in enumerate(zip(said, spans, strict=True)):
        pauses[marked].encode(encoder, start - at)
        lengths.encode(encoder, end - start - _expected(word, pace, unit_ms))
        if middles is not None and has_middle(word):
            knot = middles[place]
            line = (start + end) // 2
            here = line if knot is None else _units(knot, unit_ms)
            middle.encode(encoder, min(max(here, start), end) - line)
        at, marked = end, _is_marked(word)


def decode(
    decoder: Decoder, with_middles: bool, text: str, seconds: float, unit_ms: int
) -> tuple[Spans, tuple[float | None, ...]]:
    """Start and end of each word, and middles (one a word, None where it has none).

    Raises:
        BitstreamError: the code is damaged.
    """
    pace = decoder.decode_bits(_PACE_BITS)
    pauses, lengths = _pause_models(), IntegerModel(_LENGTH_PRIORS)
    middle, at, marked = IntegerModel(_MIDDLE_PRIORS), 0, 0
    spans: list[tuple[float, float]] = []
    middles: list[float | None] = []
    last = _units(seconds, unit_ms)
    for word in text.split():
        start = at + pauses[marked].decode(decoder)
        end = start + _expected(word, pace, unit_ms) + lengths.decode(decoder)
        if not at <= start <= end <= last:
            raise BitstreamError("the times of the voice's words are damaged")
        knot = None
        if with_middles and has_middle(word):
            here = (start + end) // 2 + middle.decode(decoder)
            if not start <= here <= end:
                raise BitstreamError("the middle of a voice's word is damaged")
            knot = min(here * unit_ms / 1000, seconds)
        middles.append(knot)
        spans.append((min(start * unit_ms / 1000, seconds), min(end * unit_ms / 1000, seconds)))
        at, marked = end, _is_marked(word)
    return tuple(spans), tuple(middles) if with_middles else ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What a decoder expects of the words before it is told, in units, each (words,)."""

    lengths: NDArray[np.int64]
    marked: NDArray[np.bool_]

    def rough_bits(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> float:
        """About what times (words,) cost; more where a word would be gone."""
        pauses = starts - np.concatenate([[0], ends[:-1]])
        lengths = ends - starts
        wrong = np.abs(lengths - self.lengths)
        within = np.where(pauses > 0, _PAUSE_BITS + np.log2(pauses + 1.0), 0.0)
        after = 1.0 + np.log2(pauses + 1.0)
        costs = np.where(self.marked, after, within) + 2 * np.log2(wrong + 1.0)
        return float(costs.sum() + _GONE_BITS * np.count_nonzero(lengths <= 0))


def expected(words: Sequence[tuple[float, float]], text: str, unit_ms: int) -> Expected:
    """What is expected of words with the pace of ``words`` (start and end of each in s)."""
    said = text.split()
    pace = _pace(words, said)
    marked = [False, *(bool(_is_marked(word)) for word in said[:-1])]
    lengths = [_expected(word, pace, unit_ms) for word in said]
    return Expected(np.array(lengths, np.int64), np.array(marked[: len(said)], bool))


def _pace(words: Sequence[tuple[float, float]], said: Sequence[str]) -> int:
    total = 1000 * sum(end - start for start, end in words)
    pace = round(_PACE_ONE * total / max(1, sum(map(_usual_ms, said))))
    return min(max(pace, 1), (1 << _PACE_BITS) - 1)


def has_middle(word: str) -> bool:
    """Whether a word has a knot in its middle."""
    return sum(map(str.isalnum, word)) >= _MIDDLE_LETTERS


def _units(seconds: float, unit_ms: int) -> int:
    return round(1000 * seconds / unit_ms)


def _pause_models() -> tuple[IntegerModel, IntegerModel]:
    within, after = _PAUSE_PRIORS
    return IntegerModel(within), IntegerModel(after)


def _is_marked(word: str) -> int:
    return int(word[-1] in _MARKS)


def _expected(word: str, pace: int, unit_ms: int) -> int:
    unit = unit_ms * _PACE_ONE
    return min((_usual_ms(word) * pace + unit // 2) // unit, _MOST)


def _usual_ms(word: str) -> int:
    """How long a word is said at the usual pace."""
    letters = sum(map(str.isalnum, word))
    if not letters:
        return 0
    plain = unicodedata.normalize("NFD", word.lower())
    vowels = [letter in _VOWELS for letter in plain if not unicodedata.combining(letter)]
    syllables = sum(now and not before for before, now in pairwise([False, *vowels]))
    return _WORD_MS + _LETTER_MS * letters + _SYLLABLE_MS * syllables + _LAST_MS * _is_marked(word)
