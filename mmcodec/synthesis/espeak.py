"""The voice that every install has: eSpeak NG, of the package espeakng-loader."""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from mmcodec.errors import FailedWorkError
from mmcodec.models.process import ask
from mmcodec.synthesis import espeak_process
from mmcodec.synthesis.voices import (
    MAX_SECONDS,
    TIME_LIMIT_S,
    USUAL_RATE,
    EngineId,
    Spans,
    Spoken,
    plain_words,
    spans_of,
)

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}", re.ASCII)
_ENGLISH = "en-us"
_VARIANTS = ("", "+f2")
_VERSIONS = {"1.52.0": EngineId.ESPEAK_1_52}
_NO_LANGUAGE = "it has no voice"
_PAUSE = "_"
_MAX_SAMPLES = MAX_SECONDS * 22050


class Espeak:
    """eSpeak NG; about a hundred languages, voices of few formants that are easily understood."""

    keeps = (1.0, 1.0, 0.8, 0.55, 0.52, 0.41, 0.25)
    """After a regression on Flite's voices, which are of recorded people; level (the first) is kept
    and the third a little more than measured."""

    @property
    def identity(self) -> EngineId:
        """That of the version in the package."""
        return _VERSIONS.get(_version(), EngineId.UNKNOWN) if _is_here() else EngineId.UNKNOWN

    def speaks(self, language: str | None) -> bool:
        """See :class:`~mmcodec.synthesis.voices.VoiceEngine`."""
        return _is_here() and _known(language) is not None

    def say(self, text: str, language: str | None, voice: int, rate: int) -> Spoken:
        """See :class:`~mmcodec.synthesis.voices.VoiceEngine`."""
        words = plain_words(text)
        known = _known(language)
        if known is None:
            raise FailedWorkError(f"eSpeak NG has no voice for the language {language}")
        name = known + _VARIANTS[voice % len(_VARIANTS)]
        answer, waves = _ask(" ".join(words), name, rate, _MAX_SAMPLES)
        samples = np.frombuffer(waves, np.int16).astype(np.float32) / np.float32(32768)
        sample_rate = int(answer["sample_rate"])
        spans = _spans(words, answer["events"], len(samples), sample_rate)
        return Spoken(samples, sample_rate, spans)


def _is_here() -> bool:
    return find_spec("espeakng_loader") is not None


@cache
def _version() -> str:
    return str(_ask("a", _ENGLISH, USUAL_RATE, 1)[0]["version"])


@lru_cache(maxsize=64)
def _known(language: str | None) -> str | None:
    """The name that the engine has for a language (BCP 47), or for its first part."""
    if language is None or language.lower() in ("en", _ENGLISH):
        return _ENGLISH
    # A name is also that of a file of the engine, so it must be no path.
    names = [language.lower(), language.lower().split("-")[0]]
    for name in filter(_LANGUAGE.fullmatch, names):
        try:
            _ask("a", name, USUAL_RATE, 1)
        except FailedWorkError as error:
            if _NO_LANGUAGE not in str(error):
                raise
        else:
            return name
    return None


def _ask(text: str, voice: str, rate: int, limit: int) -> tuple[dict[str, Any], bytes]:
    """The answer of a fresh process: :mod:`mmcodec.synthesis.espeak_process`."""
    asked = json.dumps({"text": text, "voice": voice, "rate": rate, "limit": limit})
    return ask(espeak_process.__file__, "eSpeak NG cannot speak", asked.encode(), TIME_LIMIT_S)


def _spans(words: list[str], events: list[list[Any]], samples: int, sample_rate: int) -> Spans:
    """Where each word lies, from the events of words and of phonemes."""
    places = [at for at, word in enumerate(words) for _ in range(len(word) + 1)]
    sounds, word = [], 0
    ends = [*(event[2] for event in events[1:]), samples]
    for (kind, character, start, name), end in zip(events, ends, strict=True):
        if kind == espeak_process.WORD:
            word = max(word, places[min(max(character, 0), len(places) - 1)])
        elif not name.startswith(_PAUSE) and end > start:
            sounds.append((word, start / sample_rate, end / sample_rate))
    return spans_of(len(words), sounds)
