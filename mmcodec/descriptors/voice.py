"""The voice descriptor: how somebody says a text, in 1 to 8 bytes a second.

A text alone can be read aloud by any voice. This layer moves that voice onto the speaker: mean
pitch and timbre (tier B), the times of the words (C), contours of pitch and level (D), and all of
these more finely (E); no layer at all is tier A. Everything is in absolute units and counted in
words, so any synthesizer can use it, also another one than the encoder's.

One range-coded run: tier; engine and its voice; language; pitch; level; noise; timbre; times;
contours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from mmcodec.descriptors import voice_times
from mmcodec.descriptors.voice_times import Spans
from mmcodec.entropy.range_coder import Decoder, Encoder, IntegerModel
from mmcodec.errors import BitstreamError

MAX_SECONDS = 60.0
MAX_BYTES = 4000
"""More is never written, and refused by the decoder before it works on it."""
TIMBRE = 16


class Tier(IntEnum):
    """How much is sent; the values are those on the wire. Tier A is no layer."""

    B = 0
    C = 1
    D = 2
    E = 3


PITCH_RATES = {Tier.B: 0, Tier.C: 0, Tier.D: 2, Tier.E: 3}
LEVEL_RATES = {Tier.B: 0, Tier.C: 0, Tier.D: 2, Tier.E: 4}
"""Points a second of the two contours."""
TIME_UNITS_MS = {Tier.B: 0, Tier.C: 80, Tier.D: 80, Tier.E: 30}
"""Resolution of the words' times."""

_TIER_BITS, _ENGINE_BITS, _VOICE_BITS, _PITCH_BITS = 2, 5, 2, 6
_LEVEL_BITS, _NOISE_BITS, _SPREAD_BITS = 6, 3, 3
_USUAL_ENGINE = 1
_LOWEST_HZ, _PITCH_STEPS = 55.0, 16
"""Mean pitch is sent in 1/16 octaves above 55 Hz; 0 is a voice without pitch."""
_LOWEST_DB, _NOISE_DB = -63, 7
_TIMBRE_STEP, _CONTOUR_SEMITONES, _CONTOUR_DB = 1.25, 2.0, 4.0
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_LETTER_BITS = 5
_LEAK = 11
"""A contour is expected to fall back to its mean: to 11/16 with each point."""
_MAX_STEP = 40

# Set by the means of five people who speak.
_USUAL_TIMBRE = (14, 2, 2, 0, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
_TIMBRE_PRIORS = (
    (54000, 44000, 44000, 44000, 42000),
    (46000, 32000, 24000, 22000),
    (22000, 8000, 8000),
)
_TIMBRE_CLASSES = (0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2)
"""The first cepstra differ most from voice to voice."""
_PITCH_PRIORS = (34000, 20000, 18000, 18000, 18000)
_LEVEL_PRIORS = (28000, 10000, 24000, 30000, 30000)
_ROUNDING = 0.35
"""Less than a half, so that a contour rather stays where it is expected."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How a text is said. What a tier does not send is empty.

    ``pitch_hz`` is 0 for a whisper; ``spread`` of the pitch is in semitones; ``level_db`` that of
    the words relative to a mean square of 1, ``noise_db`` that of the background relative to it
    (None: there is none to be heard); ``timbre`` (16,) the mean mel cepstra 1 to 16 in nepers of
    power; ``words`` start and end of each word in s; ``middles`` when the middle of each word is
    said, or None for a word that has no such knot; ``pitch`` points of a contour in semitones
    relative to ``pitch_hz``, ``level`` in dB relative to ``level_db``, both spread evenly.
    """

    tier: Tier
    engine: int
    number: int
    language: str
    pitch_hz: float
    spread: float
    level_db: float
    noise_db: float | None
    timbre: tuple[float, ...]
    words: Spans = ()
    middles: tuple[float | None, ...] = ()
    pitch: tuple[float, ...] = ()
    level: tuple[float, ...] = ()


def points(rate: int, seconds: float) -> int:
    """How many points a contour has."""
    return max(1, round(rate * seconds)) if rate else 0


def encode(voice: Voice, text: str, seconds: float) -> bytes:
    """Code of how ``text`` is said in ``seconds``; it is rounded to what its tier sends.

    Raises:
        ValueError: times or contours are not those of the text, or it is too long.
    """
    if not 0 < seconds <= MAX_SECONDS or len(voice.timbre) != TIMBRE:
        raise ValueError(f"the voice of {seconds} s cannot be described")
    encoder = Encoder()
    encoder.encode_bits(voice.tier, _TIER_BITS)
    _encode_engine(encoder, voice.engine, voice.language)
    encoder.encode_bits(voice.number, _VOICE_BITS)
    encoder.encode_bits(_pitch_index(voice.pitch_hz), _PITCH_BITS)
    if not PITCH_RATES[voice.tier]:
        encoder.encode_bits(_bounded(voice.spread, _SPREAD_BITS), _SPREAD_BITS)
    encoder.encode_bits(_bounded(voice.level_db - _LOWEST_DB, _LEVEL_BITS), _LEVEL_BITS)
    noise = 0 if voice.noise_db is None else max(1, _bounded(-voice.noise_db / _NOISE_DB, 3))
    encoder.encode_bits(noise, _NOISE_BITS)
    for model, usual, value in zip(_timbre_models(), _USUAL_TIMBRE, voice.timbre, strict=True):
        model.encode(encoder, _limited(round(value / _TIMBRE_STEP) - usual))
    unit = TIME_UNITS_MS[voice.tier]
    if unit:
        inner = voice.middles if voice.tier == Tier.E else None
        voice_times.encode(encoder, voice.words, inner, text, seconds, unit)
    _encode_contour(encoder, voice.pitch, _CONTOUR_SEMITONES, _PITCH_PRIORS)
    _encode_contour(encoder, voice.level, _CONTOUR_DB, _LEVEL_PRIORS)
    return encoder.finish()


def decode(data: bytes, text: str, seconds: float) -> Voice | None:
    """How ``text`` is said in ``seconds``; None for an empty layer.

    Raises:
        BitstreamError: the code is damaged.
    """
    if not 0 < seconds <= MAX_SECONDS:
        raise BitstreamError(f"a voice of {seconds} s cannot be described")
    if len(data) > MAX_BYTES:
        raise BitstreamError(f"{len(data)} bytes are too many to describe a voice")
    if not data:
        return None
    decoder = Decoder(data)
    tier = Tier(decoder.decode_bits(_TIER_BITS))
    engine, language = _decode_engine(decoder)
    number = decoder.decode_bits(_VOICE_BITS)
    pitch_hz = _pitch_of(decoder.decode_bits(_PITCH_BITS))
    spread = 0.0 if PITCH_RATES[tier] else float(decoder.decode_bits(_SPREAD_BITS))
    level = float(decoder.decode_bits(_LEVEL_BITS) + _LOWEST_DB)
    noise = decoder.decode_bits(_NOISE_BITS)
    timbre = tuple(
        (usual + _limited(model.decode(decoder))) * _TIMBRE_STEP
        for model, usual in zip(_timbre_models(), _USUAL_TIMBRE, strict=True)
    )
    unit = TIME_UNITS_MS[tier]
    inner = tier == Tier.E
    words, middles = voice_times.decode(decoder, inner, text, seconds, unit) if unit else ((), ())
    counts = points(PITCH_RATES[tier], seconds), points(LEVEL_RATES[tier], seconds)
    return Voice(
        tier, engine, number, language, pitch_hz, spread, level,
        float(-noise * _NOISE_DB) if noise else None,
        timbre, words, middles,
        _decode_contour(decoder, counts[0], _CONTOUR_SEMITONES, _PITCH_PRIORS),
        _decode_contour(decoder, counts[1], _CONTOUR_DB, _LEVEL_PRIORS),
    )  # fmt: skip


def _bounded(value: float, bits: int) -> int:
    return min(max(round(value), 0), (1 << bits) - 1)


def _limited(value: int) -> int:
    return min(max(value, -_MAX_STEP), _MAX_STEP)


def _pitch_index(hz: float) -> int:
    from math import log2

    return max(1, _bounded(_PITCH_STEPS * log2(hz / _LOWEST_HZ), _PITCH_BITS)) if hz > 0 else 0


def _pitch_of(index: int) -> float:
    return _LOWEST_HZ * 2.0 ** (index / _PITCH_STEPS) if index else 0.0


def _timbre_models() -> list[IntegerModel]:
    models = [IntegerModel(priors) for priors in _TIMBRE_PRIORS]
    return [models[index] for index in _TIMBRE_CLASSES]


def _encode_engine(encoder: Encoder, engine: int, language: str | None) -> None:
    """The usual engine in English is one bit; any other a number and the letters of a code."""
    code = (language or "en").lower().split("-")[0]
    usual = engine == _USUAL_ENGINE and code == "en"
    encoder.encode_bits(int(not usual), 1)
    if usual:
        return
    if not (2 <= len(code) <= 3 and all(letter in _ALPHABET for letter in code)):
        raise ValueError(f"{language!r} is no code of a language")
    encoder.encode_bits(engine, _ENGINE_BITS)
    for letter in code.ljust(3):
        encoder.encode_bits(_ALPHABET.find(letter) + 1, _LETTER_BITS)


def _decode_engine(decoder: Decoder) -> tuple[int, str]:
    if not decoder.decode_bits(1):
        return _USUAL_ENGINE, "en"
    engine = decoder.decode_bits(_ENGINE_BITS)
    indices = [decoder.decode_bits(_LETTER_BITS) for _ in range(3)]
    if max(indices) > len(_ALPHABET) or 0 in indices[:2]:
        raise BitstreamError("the code of the voice's language is damaged")
    return engine, "".join(_ALPHABET[index - 1] for index in indices if index)


def _encode_contour(
    encoder: Encoder, values: tuple[float, ...], step: float, priors: tuple[int, ...]
) -> None:
    model, last = IntegerModel(priors), 0
    for value in values:
        expected = _fallen(last)
        away = value / step - expected
        change = int(abs(away) + _ROUNDING)
        last = _limited(expected + (change if away > 0 else -change))
        model.encode(encoder, last - expected)


def _decode_contour(
    decoder: Decoder, count: int, step: float, priors: tuple[int, ...]
) -> tuple[float, ...]:
    model, last, values = IntegerModel(priors), 0, []
    for _ in range(count):
        last = _limited(_fallen(last) + model.decode(decoder))
        values.append(last * step)
    return tuple(values)


def _fallen(last: int) -> int:
    size = _LEAK * abs(last) // 16
    return size if last > 0 else -size
