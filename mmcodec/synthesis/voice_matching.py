"""How a speaker says a text, measured against what the decoder's engine says: the voice layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.voice import (
    Floats,
    Spans,
    aligned,
    cepstra,
    contour,
    envelopes,
    inside,
    level_db,
    loud,
    mean_pitch,
    order_evidence,
)
from mmcodec.analysis.world import FRAME_RATE, World, analyse
from mmcodec.descriptors.voice import (
    LEVEL_RATES,
    MAX_SECONDS,
    PITCH_RATES,
    TIMBRE,
    TIME_UNITS_MS,
    Tier,
    Voice,
    encode,
    points,
)
from mmcodec.descriptors.voice_times import expected, has_middle
from mmcodec.synthesis.knot_search import RATE, Warp, improved
from mmcodec.synthesis.reading import Reading, read, speech_seconds
from mmcodec.synthesis.spoken import level_contour, retimbred
from mmcodec.synthesis.voices import EngineId, VoiceEngine, engine_for, plain_words

_HIGH_VOICE_HZ = 165.0
_SLACK_S, _WIDE_SLACK_S = 0.3, 0.15
_PAUSE_S, _GAP_S = 0.12, 0.08
_SAME_PACE, _SHORTEST_S = 0.1, 0.05
_BIT_WORTH = {Tier.C: 0.1, Tier.D: 0.1, Tier.E: 0.05}
"""What a bit of the words' times has to be worth in correlation of a window."""
_QUIET_PART = 0.3
"""Part of the way from the background's level to the voice's below which nobody speaks."""
_MOST_SEMITONES = 12.0
_FAINTEST_NOISE_DB = -55.0
_LEAST_WORDS, _LEAST_EVIDENCE = 5, 0.04
"""Of nine utterances the right texts have 0.055 and more, wrong ones 0.025 and less."""


@dataclass(frozen=True, slots=True)
class Described:
    """A voice layer, and whether its text seems to be what is said."""

    data: bytes
    seems_said: bool


def describe(
    samples: NDArray[np.float32],
    sample_rate: int,
    text: str,
    word_times: Sequence[tuple[float, float]] | None,
    language: str | None,
    tier: Tier,
    engine: VoiceEngine | None = None,
) -> Described:
    """The voice layer of ``text`` said in ``samples`` (n,), mono.

    ``word_times``, start and end of each word in s, are where the alignment is looked for; without
    them all of the text is taken to be said, in order.

    Raises:
        FailedWorkError: no engine here has the language, it fails, or cannot say the text.
        ValueError: there are no samples, or more than 60 s.
    """
    seconds = len(samples) / sample_rate
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"{seconds:.3f} s of speech cannot be described")
    engine = engine or engine_for(language, EngineId.ESPEAK_1_52)
    source = analyse(samples, sample_rate)
    pitch_hz, spread = mean_pitch(source.pitch_hz)
    number = int(pitch_hz > _HIGH_VOICE_HZ)
    frames = len(source.pitch_hz)
    timbre = tuple(cepstra(source.power)[loud(source.power)].mean(axis=0)[1 : TIMBRE + 1])
    words: Spans = ()
    middles: tuple[float | None, ...] = ()
    seems_said = True
    if TIME_UNITS_MS[tier]:
        words, reading = _times(source, engine, text, language, number, word_times, seconds)
        seems_said = _seems_said(reading, source)
        words, middles = _searched(source, reading, words, timbre, text, tier, seconds)
    else:
        plain_words(text)  # an error now is better than one at the decoder
    within = inside(words, frames)
    if not within.any():
        within = loud(source.power)
    counts = points(PITCH_RATES[tier], seconds), points(LEVEL_RATES[tier], seconds)
    voice = Voice(
        tier=tier,
        engine=engine.identity,
        number=number,
        language=(language or "en").lower().split("-")[0],
        pitch_hz=pitch_hz,
        spread=spread,
        level_db=_speech_db(samples, sample_rate, within),
        noise_db=_noise_db(source.power, within),
        timbre=timbre,
        words=words,
        middles=middles if tier == Tier.E else (),
        pitch=_pitch_contour(source.pitch_hz, pitch_hz, counts[0]),
        level=tuple(level_contour(source.power, within, counts[1])) if counts[1] else (),
    )
    return Described(encode(voice, text, seconds), seems_said)


def _seems_said(reading: Reading, source: World) -> bool:
    """Whether the words seem to be what is said; a few words fit many a thing."""
    if len(reading.words) < _LEAST_WORDS:
        return True
    return order_evidence(reading.world, source, reading.words) > _LEAST_EVIDENCE


def _times(
    source: World,
    engine: VoiceEngine,
    text: str,
    language: str | None,
    number: int,
    given: Sequence[tuple[float, float]] | None,
    seconds: float,
) -> tuple[Spans, Reading]:
    """Start and end of each word in ``source``, and what the engine says at that pace."""
    rough = tuple(given) if given and len(given) == len(text.split()) else None
    speech_s = speech_seconds(rough) if rough else loud(source.power).sum() / FRAME_RATE
    speech_s = max(float(speech_s), _SHORTEST_S)
    reading = read(engine, text, language, number, speech_s)
    words = _aligned_words(source, reading, rough, _SLACK_S, seconds)
    if abs(speech_seconds(words) / speech_s - 1) > _SAME_PACE:
        reading = read(engine, text, language, number, speech_seconds(words))
    words = _aligned_words(source, reading, words, _WIDE_SLACK_S, seconds)
    return words, reading


def _aligned_words(
    source: World, reading: Reading, near: Spans | None, slack_s: float, seconds: float
) -> Spans:
    anchors = _anchors(reading.words, near, slack_s) if near else None
    path = aligned(reading.world, source, anchors) / FRAME_RATE
    last = len(path) - 1
    bounds = [0.0]
    for start, end in reading.words:
        first = path[min(round(start * FRAME_RATE), last), 1]
        final = path[min(round(end * FRAME_RATE), last), 0]
        for moment in (first, max(final, first)):
            bounds.append(min(max(moment, bounds[-1]), seconds))
    spans = list(zip(bounds[1::2], bounds[2::2], strict=True))
    return _without_pauses(spans, level_db(source.power), slack_s if near else np.inf)


def _anchors(made: Spans, near: Spans, slack_s: float) -> tuple[Floats, Floats, float]:
    here = np.array([moment for span in made for moment in span])
    there = np.array([moment for span in near for moment in span])
    return here + 1e-9 * np.arange(len(here)), there, slack_s


def _without_pauses(spans: list[tuple[float, float]], level: Floats, reach_s: float) -> Spans:
    """Words whose ends are at the pauses between them, where there are pauses.

    A path through silence is arbitrary, but silence is seen in the level. Before the first word and
    after the last one it is looked for up to ``reach_s`` away.
    """
    background, voice = np.percentile(level, 5), np.percentile(level, 95)
    quiet = level < background + _QUIET_PART * (voice - background)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int)))
    runs = edges.reshape(-1, 2) / FRAME_RATE
    runs = runs[runs[:, 1] - runs[:, 0] >= _PAUSE_S]
    middles = [(start + end) / 2 for start, end in spans]
    limits = [spans[0][0] - reach_s, *middles, spans[-1][1] + reach_s]
    starts, ends = [s for s, _ in spans], [e for _, e in spans]
    for place in range(len(spans) + 1):
        inner = np.clip(runs, limits[place], limits[place + 1])
        lengths = inner[:, 1] - inner[:, 0]
        if lengths.max(initial=0.0) >= _PAUSE_S:
            longest = inner[np.argmax(lengths)]
            if place:
                ends[place - 1] = max(float(longest[0]), starts[place - 1])
            if place < len(spans):
                starts[place] = min(float(longest[1]), ends[place])
    return tuple(zip(starts, ends, strict=True))


def _searched(
    source: World,
    reading: Reading,
    words: Spans,
    timbre: tuple[float, ...],
    text: str,
    tier: Tier,
    seconds: float,
) -> tuple[Spans, tuple[float | None, ...]]:
    """Words, and middles of the longer ones, where they serve best for what they cost."""
    unit_ms = TIME_UNITS_MS[tier]
    unit = unit_ms / 1000
    with_middle = [tier == Tier.E and has_middle(word) for word in text.split()]
    warp = _warp(_rounded(_joined(words), unit, seconds), reading.words, with_middle, unit)
    expectation = expected(words, text, unit_ms)
    inner = _inner(with_middle)

    def price(here: NDArray[np.int64]) -> float:
        outer = here[~inner]
        return _BIT_WORTH[tier] * expectation.rough_bits(outer[::2], outer[1::2])

    heard = replace(reading.world, power=retimbred(reading.world.power, timbre, reading.keeps))
    stride = FRAME_RATE // RATE
    warp = improved(
        warp, unit, envelopes(heard.power, stride), envelopes(source.power, stride), price
    )
    moments = np.minimum(warp.here * unit, seconds).tolist()
    outer = [moment for moment, is_inner in zip(moments, inner, strict=True) if not is_inner]
    knots = iter([moment for moment, is_inner in zip(moments, inner, strict=True) if is_inner])
    return (
        tuple(zip(outer[::2], outer[1::2], strict=True)),
        tuple(next(knots) if has else None for has in with_middle),
    )


def _rounded(words: Spans, unit: float, seconds: float) -> Spans:
    last = int(seconds / unit + 1e-9)
    return tuple(
        (min(round(start / unit), last) * unit, min(round(end / unit), last) * unit)
        for start, end in words
    )


def _joined(words: Spans) -> Spans:
    """Words without the short gaps between them, which are no pauses."""
    ends = [
        after[0] if after[0] - word[1] < _GAP_S else word[1]
        for word, after in pairwise([*words, (np.inf, np.inf)])
    ]
    return tuple((start, float(end)) for (start, _), end in zip(words, ends, strict=True))


def _inner(with_middle: list[bool]) -> NDArray[np.bool_]:
    """Which of the knots of words with and without middles are middles."""
    each = ([False, True, False] if has else [False, False] for has in with_middle)
    return np.array([knot for word in each for knot in word], bool)


def _warp(words: Spans, made: Spans, with_middle: list[bool], unit: float) -> Warp:
    here: list[int] = []
    there: list[float] = []
    silent: list[bool] = []
    tied: list[bool] = []
    for (start, end), (first, last), has in zip(words, made, with_middle, strict=True):
        begin, finish = round(start / unit), round(end / unit)
        joined = bool(here) and here[-1] == begin
        silent += [not joined] if here else []
        tied.append(joined)
        if has:
            silent.append(False)
            tied.append(False)
        silent.append(False)
        tied.append(False)
        middle = [(begin + finish) // 2] if has else []
        here += [begin, *middle, finish]
        there += [first, *([(first + last) / 2] if has else []), last]
    return Warp(np.array(here), np.array(there), np.array(silent), np.array(tied))


def _pitch_contour(pitch_hz: Floats, mean_hz: float, count: int) -> tuple[float, ...]:
    if not count or not mean_hz:
        return (0.0,) * count
    voiced = pitch_hz > 0
    semitones = 12 * np.log2(np.where(voiced, pitch_hz, mean_hz) / mean_hz)
    semitones = np.clip(semitones, -_MOST_SEMITONES, _MOST_SEMITONES)
    return tuple(contour(semitones, voiced.astype(float), count, 0.0))


def _speech_db(samples: NDArray[np.float32], sample_rate: int, within: NDArray[np.bool_]) -> float:
    """Mean square of what is said, in dB."""
    index = np.minimum(np.arange(len(samples)) * FRAME_RATE // sample_rate, len(within) - 1)
    voice = samples[within[index]].astype(np.float64)
    return float(10 * np.log10(np.mean(voice**2) + 1e-12)) if len(voice) else -100.0


def _noise_db(power: Floats, within: NDArray[np.bool_]) -> float | None:
    """Level of the background beside that of the words; None where it is not to be heard."""
    energy = power.mean(axis=1)
    quiet = np.percentile(energy, 5) + 1e-12
    noise = 10 * np.log10(quiet / (energy[within].mean() + 1e-12))
    return float(noise) if noise > _FAINTEST_NOISE_DB else None
