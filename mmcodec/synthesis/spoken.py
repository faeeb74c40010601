"""Speech from a text and a few bytes about who says it: a voice without weights, moved.

An engine reads the text; WORLD takes what it says apart; words go to their times; pitch, level and
timbre become those of the speaker; WORLD makes sound of it again.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.voice import (
    CEPSTRA,
    Floats,
    Spans,
    along,
    cepstra,
    contour,
    gains,
    inside,
    loud,
    mean_pitch,
)
from mmcodec.analysis.world import FRAME_RATE, World, synthesize
from mmcodec.descriptors.voice import TIMBRE, Voice
from mmcodec.synthesis.reading import Reading, read, retimed, speech_seconds, spread_out
from mmcodec.synthesis.voices import EngineId, engine_for

_USUAL_DB = -23.0
_MOST_DB = 30.0
"""How far a contour may raise or lower a moment."""
_SPREAD_LIMITS = 0.5, 2.0
_FULL = 0.9
"""Part of a cue that is spoken where the times of its words are unknown."""


def speak(
    text: str,
    voice: Voice | None,
    word_times: Spans,
    seconds: float,
    sample_rate: int,
    samples: int,
) -> NDArray[np.float32]:
    """``text`` as ``voice`` says it within ``seconds``, as exactly ``samples`` samples (samples,).

    The times of the words are those of the voice, else ``word_times`` (start and end of each word
    in s; may be empty), else those of the engine, stretched over the whole. Without a voice the
    engine's own is heard. An engine that is not the encoder's gets the words to their times too.

    Raises:
        FailedWorkError: no engine here has the language, it fails, or cannot say the text.
    """
    times = (voice.words if voice else ()) or word_times
    middles = voice.middles if voice else ()
    if len(times) != len(text.split()):
        times, middles = (), ()
    speech_s = speech_seconds(times) if times else _FULL * seconds
    reading = _reading(text, voice, speech_s)
    if not times:
        times = spread_out(reading.words, seconds)
    world, spoken = retimed(reading, times, middles, seconds)
    if voice is not None:
        world = moved(world, spoken, voice, reading.keeps, inside(times, len(spoken)))
    made = synthesize(world, sample_rate, samples)
    return _levelled(made, spoken, sample_rate, voice.level_db if voice else _USUAL_DB)


def other_voice(voice: Voice) -> str:
    """What to say where the engine that the encoder heard is not here; else nothing.

    Raises:
        FailedWorkError: no engine has the language.
    """
    wanted = voice.engine
    if wanted == EngineId.UNKNOWN or engine_for(voice.language, _known(wanted)).identity == wanted:
        return ""
    name = _known(wanted).name.lower().replace("_", " ") if _known(wanted) else f"no. {wanted}"
    return f"voice: the stream is made for {name}, which is not here; another one reads"


def _known(engine: int) -> EngineId:
    return EngineId(engine) if engine in set(EngineId) else EngineId.UNKNOWN


def moved(
    world: World,
    spoken: NDArray[np.bool_],
    voice: Voice,
    keeps: tuple[float, ...],
    words: NDArray[np.bool_],
) -> World:
    """``world`` with timbre, pitch, level over time and background of ``voice``.

    ``spoken`` and ``words`` (frames,) are where somebody speaks, and where the words are.
    """
    pitch = repitched(world.pitch_hz, voice)
    power = retimbred(world.power, voice.timbre, keeps)
    power = relevelled(power, words, voice.level)
    if voice.noise_db is not None and spoken.any():
        power = power + _background(power[spoken].mean(), voice)
    return replace(world, pitch_hz=pitch, power=power)


def retimbred(power: Floats, timbre: tuple[float, ...], keeps: tuple[float, ...]) -> Floats:
    """``power`` (frames, 513) with the mean cepstra of ``timbre``.

    What an engine's cepstra do beside their mean is kept only as far as it is what a person's do.
    """
    static = cepstra(power)
    voiced = loud(power)
    mean = static[voiced].mean(axis=0)
    target = mean.copy()
    target[1 : TIMBRE + 1] = timbre
    kept = np.array((*keeps, *[keeps[-1]] * CEPSTRA)[:CEPSTRA])
    return np.asarray(power * gains((kept - 1) * (static - mean) + target - mean))


def repitched(pitch_hz: Floats, voice: Voice) -> Floats:
    """Pitch (frames,) along the voice's contour, or with its mean and spread."""
    voiced = pitch_hz > 0
    if not voiced.any() or not voice.pitch_hz:
        return pitch_hz
    mean, spread = mean_pitch(pitch_hz)
    if voice.pitch:
        semitones = along(np.array(voice.pitch), len(pitch_hz))
    else:
        low, high = _SPREAD_LIMITS
        wider = min(max(voice.spread / max(spread, 0.1), low), high)
        semitones = wider * 12 * np.log2(np.where(voiced, pitch_hz, mean) / mean)
    return np.asarray(np.where(voiced, voice.pitch_hz * 2 ** (np.clip(semitones, -24, 24) / 12), 0))


def relevelled(power: Floats, words: NDArray[np.bool_], level: tuple[float, ...]) -> Floats:
    """``power`` (frames, 513) as loud over time as a contour says, in dB beside the mean."""
    if not level or not words.any():
        return power
    change = np.clip(np.array(level) - level_contour(power, words, len(level)), -_MOST_DB, _MOST_DB)
    return np.asarray(power * 10 ** (along(change, len(power)) / 10)[:, None])


def level_contour(power: Floats, words: NDArray[np.bool_], points: int) -> Floats:
    """Level (points,) of what is said around places spread evenly, in dB beside their mean."""
    energy = power.mean(axis=1)
    usual = float(energy[words].mean()) + 1e-12
    means = contour(energy / usual, words.astype(float), points, 1.0)
    level = 10 * np.log10(np.maximum(means, 1e-6))
    return np.asarray(level - level.mean())


def _reading(text: str, voice: Voice | None, speech_s: float) -> Reading:
    language = voice.language if voice else None
    wanted = voice.engine if voice else EngineId.UNKNOWN
    engine = engine_for(language, _known(wanted))
    return read(engine, text, language, voice.number if voice else 0, speech_s)


def _background(level: float, voice: Voice) -> Floats:
    """Power (513,) of a steady noise, half as coloured as the voice."""
    colour = np.array([[0.0, *voice.timbre]]) / 2
    shape = gains(colour)[0]
    return np.asarray(shape * level / shape.mean() * 10 ** ((voice.noise_db or 0.0) / 10))


def _levelled(
    made: NDArray[np.float32], spoken: NDArray[np.bool_], sample_rate: int, level_db: float
) -> NDArray[np.float32]:
    """``made`` (n,) with the mean square ``level_db`` where somebody speaks."""
    index = np.minimum(np.arange(len(made)) * FRAME_RATE // sample_rate, len(spoken) - 1)
    voice = made[spoken[index]].astype(np.float64)
    now = float(np.mean(voice**2)) if len(voice) else 0.0
    if now <= 0:
        return made
    gain = np.sqrt(10 ** (level_db / 10) / now)
    return np.asarray(made * gain, np.float32)
