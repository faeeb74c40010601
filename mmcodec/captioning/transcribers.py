"""Writes down speech with a recogniser of transformers: Whisper, or Moonshine."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmcodec.captioning.contract import Transcript, Word
from mmcodec.captioning.waves import mono_at
from mmcodec.models.loading import at_work, load_part, load_weights
from mmcodec.models.placement import Placement, explained, place
from mmcodec.registry import Group, ModelSettings

Samples = NDArray[np.float32]

_MOST_S = 28
"""Recognisers take up to half a minute; longer speech is cut where it is quiet."""
_QUIET_WITHIN_S = 8
_FRAME_S = 0.02
_VOICE_DB = -35.0
"""Level relative to the loudest frame, above which somebody may speak."""
_NO_SPEECH = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>|\*[^*]*\*|[♪♫♬♩�]")
_MOST_REPEATS = 3
_LONGEST_LOOP = 8


@dataclass(frozen=True, slots=True)
class _Recogniser:
    placement: Placement
    weights: Any
    pipeline: Any

    @property
    def sample_rate(self) -> int:
        return int(self.pipeline.feature_extractor.sampling_rate)

    def hear(self, wave: Samples, options: dict[str, object]) -> dict[str, Any]:
        """The pipeline's answer for up to half a minute."""
        with at_work(self.weights, self.placement):
            given = {"raw": wave, "sampling_rate": self.sample_rate}
            answer: dict[str, Any] = self.pipeline(given, **options)
        return answer


def _load(name: str, settings: ModelSettings) -> _Recogniser:
    placement = place(Group.TRANSCRIBER, name, settings)
    with explained(name, placement.model, "load"):
        from transformers import (
            AutoFeatureExtractor,
            AutoModelForSpeechSeq2Seq,
            AutoTokenizer,
            pipeline,
        )

        weights = load_weights(AutoModelForSpeechSeq2Seq, placement)
        recogniser = pipeline(
            "automatic-speech-recognition",
            model=weights,
            tokenizer=load_part(AutoTokenizer, placement),
            feature_extractor=load_part(AutoFeatureExtractor, placement),
            device=placement.device,
            dtype=placement.dtype,
        )
    return _Recogniser(placement, weights, recogniser)


class _Transcriber(ABC):
    """What both do with their recognisers: load one at the first segment, hear piece by piece."""

    name = ""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._recogniser: _Recogniser | None = None

    def transcribe(self, samples: Samples, sample_rate: int) -> Transcript:
        """The words in ``samples`` (n,).

        Raises:
            BackendError: the model cannot be loaded, or fails.
        """
        self._recogniser = self._recogniser or _load(self.name, self._settings)
        with explained(self.name, self._recogniser.placement.model, "run"):
            return _heard(self._recogniser, samples, sample_rate, self._read)

    @staticmethod
    @abstractmethod
    def _read(recogniser: _Recogniser, wave: Samples) -> Transcript:
        """What is said in up to half a minute."""


class Whisper(_Transcriber):
    """OpenAI's Whisper (Radford et al., 2022) in any size: words timed by its attention, and the
    language that it heard.
    """

    name = "whisper"

    @staticmethod
    def _read(recogniser: _Recogniser, wave: Samples) -> Transcript:
        return _timed_words(recogniser, wave)


class Moonshine(_Transcriber):
    """Moonshine (Jeffries et al., 2024), small and fast; it tells no times, so the words are spread
    over the voice by their letters.
    """

    name = "moonshine"

    @staticmethod
    def _read(recogniser: _Recogniser, wave: Samples) -> Transcript:
        return _spread_words(recogniser, wave)


def _heard(
    recogniser: _Recogniser,
    samples: Samples,
    sample_rate: int,
    read: Callable[[_Recogniser, Samples], Transcript],
) -> Transcript:
    """What ``read`` finds in each piece of the samples, in order and within them."""
    if not samples.any():
        return Transcript(())
    wave = mono_at(samples[:, None], sample_rate, recogniser.sample_rate)
    words: list[Word] = []
    language: str | None = None
    for start, end in pieces(wave, recogniser.sample_rate):
        start_s = start / recogniser.sample_rate
        found = read(recogniser, wave[start:end])
        language = language or found.language
        words += (
            replace(word, start_s=word.start_s + start_s, end_s=word.end_s + start_s)
            for word in found.words
        )
    return Transcript(in_order(sensible(words), len(samples) / sample_rate), language)


def _timed_words(recogniser: _Recogniser, wave: Samples) -> Transcript:
    answer = recogniser.hear(wave, {"return_timestamps": "word", "return_language": True})
    seconds = len(wave) / recogniser.sample_rate
    words, languages = [], []
    for chunk in answer.get("chunks", ()):
        start, end = chunk["timestamp"]
        start = 0.0 if start is None else start
        words.append(Word(chunk["text"], start, seconds if end is None else end))
        languages.append(chunk.get("language"))
    return Transcript(tuple(words), _code(next(filter(None, languages), None)))


def _spread_words(recogniser: _Recogniser, wave: Samples) -> Transcript:
    text = recogniser.hear(wave, {})["text"]
    return Transcript(spread(text.split(), *voiced_span(wave, recogniser.sample_rate)))


def _code(language: str | None) -> str | None:
    """The code of a language that Whisper names in English."""
    if language is None:
        return None
    from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

    return str(TO_LANGUAGE_CODE.get(language.lower(), language))


def pieces(wave: Samples, sample_rate: int) -> Iterator[tuple[int, int]]:
    """Start and end of pieces of at most half a minute, cut where it is quietest."""
    start, most = 0, _MOST_S * sample_rate
    while len(wave) - start > most:
        levels = _levels_db(wave[start : start + most], sample_rate)
        late = len(levels) - int(_QUIET_WITHIN_S / _FRAME_S)
        end = start + int((late + int(levels[late:].argmin()) + 0.5) * _FRAME_S * sample_rate)
        yield start, end
        start = end
    yield start, len(wave)


def voiced_span(wave: Samples, sample_rate: int) -> tuple[float, float]:
    """Seconds between which somebody may speak."""
    levels = _levels_db(wave, sample_rate)
    loud = np.flatnonzero(levels > levels.max(initial=-200.0) + _VOICE_DB)
    if not len(loud):
        return 0.0, len(wave) / sample_rate
    return float(loud[0] * _FRAME_S), min(float((loud[-1] + 1) * _FRAME_S), len(wave) / sample_rate)


def _levels_db(wave: Samples, sample_rate: int) -> NDArray[np.float64]:
    """Level of each whole frame of 20 ms."""
    frame = int(_FRAME_S * sample_rate)
    frames = wave[: len(wave) // frame * frame].reshape(-1, frame).astype(np.float64)
    return np.asarray(10 * np.log10(np.square(frames).mean(axis=1) + 1e-20))


def spread(words: Sequence[str], start_s: float, end_s: float) -> tuple[Word, ...]:
    """Words one after the other between two times, each as long as it has letters."""
    lengths = np.array([max(1, len(word)) for word in words], np.float64)
    bounds = start_s + np.cumsum([0.0, *lengths]) / max(lengths.sum(), 1) * (end_s - start_s)
    times = bounds.tolist()
    return tuple(Word(*part) for part in zip(words, times[:-1], times[1:], strict=True))


def sensible(words: Sequence[Word]) -> list[Word]:
    """Without what is no speech ("[Music]", "♪"), and without the loops that recognisers fall into.

    Of words that come again and again, :data:`_MOST_REPEATS` times are kept.
    """
    # Brackets may reach over words.
    inside, spoken = 0, list[Word]()
    for word in words:
        opened = inside + len(re.findall(r"[\[(<]", word.text))
        inside = max(0, opened - len(re.findall(r"[\])>]", word.text)))
        text = _NO_SPEECH.sub("", word.text)
        text = "".join(text.split())
        if not opened and any(map(str.isalnum, text)):
            spoken.append(replace(word, text=text))
    kept: list[Word] = []
    for word in spoken:
        kept.append(word)
        said = [kept_word.text.strip(".,!?").casefold() for kept_word in kept]
        for length in range(1, _LONGEST_LOOP + 1):
            loop = said[-length:]
            times = _MOST_REPEATS + 1
            if said[-length * times :] == loop * times:
                del kept[-length:]
                break
    return kept


def in_order(words: Sequence[Word], seconds: float) -> tuple[Word, ...]:
    """Words whose times do not go back and lie within ``seconds``."""
    ordered, at = [], 0.0
    for word in words:
        start = min(max(word.start_s, at), seconds)
        at = min(max(word.end_s, start), seconds)
        ordered.append(replace(word, start_s=start, end_s=at))
    return tuple(ordered)
