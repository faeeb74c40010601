"""When each word is said: pauses and lengths, predicted from the letters and the voice's pace.

The words themselves stand in the prompt, so their number is not sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmcodec.entropy.range_coder import Decoder, Encoder, IntegerModel
from mmcodec.errors import BitstreamError

UNIT = 2
"""Times are sent in this many ticks of 1/50 s: 40 ms are not heard in speech that is made anew."""
_PACE_BITS, _PACE_SHIFT = 7, 4
"""Units a letter, in 1/16."""
_PAUSE_PRIORS = (9000, 42000, 42000, 40000, 38000, 36000)
_LENGTH_PRIORS = (48000, 38000, 30000, 26000, 24000, 24000)
"""Set by hand: most words follow without a pause, and lengths are a unit or two off."""

Times = tuple[tuple[int, int], ...]


def encode(times: Sequence[tuple[int, int]], text: str, duration: int) -> bytes:
    """Code of the start and end of each word of ``text``, in ticks within ``duration``.

    Times come back rounded to :data:`UNIT`. Words are what stands between spaces.

    Raises:
        ValueError: there is not one time for each word, or they go back or over the end.
    """
    words = text.split()
    flat = [0, *(tick for pair in times for tick in pair), duration]
    if len(words) != len(times) or flat != sorted(flat):
        raise ValueError("the times are not those of the words, in order and within the cue")
    units = [round(tick / UNIT) for tick in flat[1:-1]]
    spans = list(zip(units[::2], units[1::2], strict=True))
    said = sum(end - start for start, end in spans)
    pace = (said << _PACE_SHIFT) // max(1, sum(map(_letters, words)))
    pace = min(pace, (1 << _PACE_BITS) - 1)
    encoder = Encoder()
    pauses, lengths = IntegerModel(_PAUSE_PRIORS), IntegerModel(_LENGTH_PRIORS)
    encoder.encode_bits(pace, _PACE_BITS)
    at = 0
    for word, (start, end) in zip(words, spans, strict=True):
        pauses.encode(encoder, start - at)
        lengths.encode(encoder, end - start - _expected(word, pace))
        at = end
    return encoder.finish()


def decode(data: bytes, text: str, duration: int) -> Times:
    """Start and end of each word, in ticks; they do not go back and lie within ``duration``.

    Raises:
        BitstreamError: the code is damaged.
    """
    decoder = Decoder(data)
    pauses, lengths = IntegerModel(_PAUSE_PRIORS), IntegerModel(_LENGTH_PRIORS)
    pace = decoder.decode_bits(_PACE_BITS)
    times, at, last = [], 0, round(duration / UNIT)
    for word in text.split():
        start = at + pauses.decode(decoder)
        end = start + _expected(word, pace) + lengths.decode(decoder)
        if not at <= start <= end <= last:
            raise BitstreamError("the times of the words are damaged")
        times.append((min(start * UNIT, duration), min(end * UNIT, duration)))
        at = end
    return tuple(times)


def _letters(word: str) -> int:
    return max(1, sum(map(str.isalnum, word)))


def _expected(word: str, pace: int) -> int:
    return (_letters(word) * pace + (1 << _PACE_SHIFT - 1)) >> _PACE_SHIFT
