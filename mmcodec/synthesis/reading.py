"""A text read aloud by an engine at a pace, taken apart, and moved in time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.voice import Floats, Spans
from mmcodec.analysis.world import FRAME_RATE, World, analyse
from mmcodec.errors import FailedWorkError
from mmcodec.synthesis.voices import FASTEST_RATE, SLOWEST_RATE, USUAL_RATE, VoiceEngine

_BRIDGE_S = 0.06
"""A shorter gap between words is no pause."""
_MOST_OVER = 4
_SILENCE = 1e-7
_FADE = 5
"""Frames in which a voice falls silent."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine said, taken apart, with start and end of each word in s."""

    world: World
    words: Spans
    keeps: tuple[float, ...]


def read(
    engine: VoiceEngine, text: str, language: str | None, voice: int, speech_s: float
) -> Reading:
    """``text`` read so fast that its words, without pauses, take about ``speech_s`` seconds.

    Raises:
        FailedWorkError: the engine fails, or does not know how to say a single word.
    """
    said = engine.say(text, language, voice, USUAL_RATE)
    length = sum(end - start for start, end in said.words)
    if length <= 0:
        raise FailedWorkError("the voice has no sounds for the text")
    rate = round(min(max(USUAL_RATE * length / max(speech_s, 0.05), SLOWEST_RATE), FASTEST_RATE))
    said = engine.say(text, language, voice, rate)
    # A cue may hold more text than can be said in it: what is far over its end is not worth work.
    most = round((_MOST_OVER * speech_s + 2) * said.sample_rate)
    return Reading(analyse(said.samples[:most], said.sample_rate), said.words, engine.keeps)


def speech_seconds(words: Spans) -> float:
    """How long words take without the pauses between them."""
    return sum(end - start for start, end in words)


def spread_out(words: Spans, seconds: float) -> Spans:
    """The engine's own times, made to fill ``seconds``: for a text whose times nobody knows."""
    scale = seconds / max(words[-1][1] + words[0][0], 1e-3)
    return tuple((start * scale, end * scale) for start, end in words)


def retimed(
    reading: Reading, times: Spans, middles: tuple[float | None, ...], seconds: float
) -> tuple[World, NDArray[np.bool_]]:
    """The reading with its words at ``times``, and the frames (frames,) in which somebody speaks.

    Between the knots time runs evenly; what lies between two words is silence.
    """
    frames = max(_FADE, round(seconds * FRAME_RATE) + 1)
    here, there = _knots(reading.words, times, middles, seconds)
    places = FRAME_RATE * np.interp(np.arange(frames) / FRAME_RATE, here, there)
    last = len(reading.world.pitch_hz) - 1
    index = np.clip(np.round(places), 0, last).astype(int)
    moved = World(
        reading.world.pitch_hz[index],
        reading.world.power[index],
        reading.world.aperiodicity[index],
    )
    spoken = _spoken(times, frames)
    return _silenced(moved, spoken), spoken


def _knots(
    made: Spans, times: Spans, middles: tuple[float | None, ...], seconds: float
) -> tuple[Floats, Floats]:
    """Moments of the cue and of the reading that belong together; both only go forward."""
    here, there = [0.0], [0.0]
    knots = middles or (None,) * len(times)
    for (start, end), (first, last), middle in zip(times, made, knots, strict=True):
        inner = [] if middle is None else [(middle, (first + last) / 2)]
        for moment, place in ((start, first), *inner, (end, last)):
            here.append(max(moment, here[-1]))
            there.append(max(place, there[-1]))
    here.append(max(seconds, here[-1]))
    there.append(there[-1] + here[-1] - here[-2])
    there[0] = max(0.0, there[1] - here[1])
    return np.array(here) + 1e-9 * np.arange(len(here)), np.array(there)


def _spoken(times: Spans, frames: int) -> NDArray[np.bool_]:
    mask = np.zeros(frames, bool)
    at = -1.0
    for start, end in times:
        if end > start:
            begin = at if start - at < _BRIDGE_S else start
            mask[round(max(begin, 0) * FRAME_RATE) : round(end * FRAME_RATE)] = True
            at = end
    return mask


def _silenced(world: World, spoken: NDArray[np.bool_]) -> World:
    """Without sound where nobody speaks."""
    soft = np.convolve(spoken.astype(float), np.full(_FADE, 1 / _FADE), "same")
    return replace(
        world,
        pitch_hz=np.where(spoken, world.pitch_hz, 0.0),
        power=world.power * np.maximum(soft**2, _SILENCE)[:, None],
    )
