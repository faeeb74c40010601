"""Voices that need no weights: eSpeak NG, which every install has, and Flite where it is.

Both say the same for the same text wherever they have the same version, so an encoder knows what a
decoder will hear. Text is text: no mark-up is interpreted, and no shell sees it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmcodec.errors import FailedWorkError

MAX_CHARACTERS = 2000
MAX_SECONDS = 300
"""An engine may speak no longer, so that no text fills the memory."""
TIME_LIMIT_S = 60
USUAL_RATE, SLOWEST_RATE, FASTEST_RATE = 175, 80, 400
"""Words a minute, about."""

Spans = tuple[tuple[float, float], ...]


class EngineId(IntEnum):
    """Engine and version; the values are those on the wire. Another version is another id."""

    UNKNOWN = 0
    ESPEAK_1_52 = 1
    FLITE_2_2 = 2


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an engine said: ``samples`` (n,), and start and end of each word of the text, in s.

    Words are what stands between spaces; one that is not said has no length.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    words: Spans


class VoiceEngine(Protocol):
    """A program that reads aloud. Voice 0 is low, a man's; voice 1 is high, a woman's."""

    @property
    def identity(self) -> EngineId:
        """Which engine and version it is; UNKNOWN for a version that has no id."""

    @property
    def keeps(self) -> tuple[float, ...]:
        """How far the movement of each mel cepstrum of its voice is like that of a person.

        1 = as far, 0 = not at all; the cepstra beyond count as the last.
        """

    def speaks(self, language: str | None) -> bool:
        """Whether it is here and has the language (BCP 47; None is English)."""

    def say(self, text: str, language: str | None, voice: int, rate: int) -> Spoken:
        """``text`` read aloud at a rate (words a minute).

        Raises:
            FailedWorkError: it cannot say that, or it failed.
        """


def engine_for(language: str | None, wanted: EngineId = EngineId.UNKNOWN) -> VoiceEngine:
    """The engine ``wanted`` if it is here, else the first that has the language.

    Raises:
        FailedWorkError: no engine has the language.
    """
    from mmcodec.synthesis.espeak import Espeak
    from mmcodec.synthesis.flite import Flite

    every: tuple[VoiceEngine, ...] = (Espeak(), Flite())
    engines = [engine for engine in every if engine.speaks(language)]
    if not engines:
        raise FailedWorkError(
            f"no voice here speaks the language {language or 'en'}; is espeakng-loader installed?"
        )
    return next((engine for engine in engines if engine.identity == wanted), engines[0])


def plain_words(text: str) -> list[str]:
    """The words of ``text`` without what is not to be read: control and format characters.

    There are as many as in ``text.split()``; one may be empty.

    Raises:
        FailedWorkError: the text is too long, or has no letter and no digit.
    """
    if len(text) > MAX_CHARACTERS:
        raise FailedWorkError(f"a text of {len(text)} characters is too long to be said at once")
    words = ["".join(filter(_is_plain, word)) for word in text.split()]
    if not any(character.isalnum() for word in words for character in word):
        raise FailedWorkError("there is nothing to be said in the text")
    return words


def _is_plain(character: str) -> bool:
    return not unicodedata.category(character).startswith("C")


def spans_of(count: int, sounds: Sequence[tuple[int, float, float]]) -> Spans:
    """Start and end of each of ``count`` words, from their sounds: (word, start, end) in order.

    A word without sounds has no length and stands where the one before it ends.
    """
    starts: list[float | None] = [None] * count
    ends = [0.0] * count
    for word, start, end in sounds:
        if starts[word] is None:
            starts[word] = start
        ends[word] = end
    spans, at = [], 0.0
    for begin, end in zip(starts, ends, strict=True):
        start = at if begin is None else max(begin, at)
        at = max(end, start)
        spans.append((start, at))
    return tuple(spans)
