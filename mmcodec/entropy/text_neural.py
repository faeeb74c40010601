"""Text coder 1: a small language model predicts piece after piece, a range coder writes them.

Characters that the model does not know are written as runs behind an escape symbol. A text is
coded as one such run where that is shorter: in other scripts, noise, and texts too long for the
network. The decoder knows how many bytes there are, which tells a lot about where the text ends:
before each piece it reads whether it does, with odds that depend on the bits that are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from mmcodec.entropy.pieces import END, ESCAPE
from mmcodec.entropy.range_coder import Decoder, Encoder
from mmcodec.entropy.text_model import BITS, Context, Prediction, context_of, text_model
from mmcodec.errors import BitstreamError

MAX_SYMBOLS = 1200
"""Bound of the work that a text can ask of the network: some 4,000 characters of English."""
FREE_SYMBOLS, SYMBOLS_A_BYTE = 32, 4
"""A shorter code may ask for less, so that hostile bytes buy no work without end; captions have
some 1.5 symbols a byte, and one that has more is written in more bytes than it needs."""
OVERDRAWN = 8
"""Bits by which a code may end before the last symbol is told from all others."""
ENDING = (3500, 3500, 1800, 1400, 1150, 950, 760, 730, 720, 300, 60, 50, 12, 1)
"""Factor of the odds that a text ends, in 1/256, by the number of bits left; measured on captions,
requests and dialogue: one that has over a byte left would have been written in fewer."""

_GOOD = 0.5
"""Bytes a character, below which no other way to write a text is tried."""
_END_BITS = 16
_UNLIMITED = 1 << 20
"""Bytes, more than any text takes."""


@dataclass(frozen=True)
class _Step:
    symbol: int
    run: str
    prediction: Prediction


def encode(text: str, context: Sequence[str]) -> bytes:
    """Code of a text that is not empty."""
    before = context_of(context)
    parts = text_model().parts(text)
    codes = [_encode(parts, before)] if len(parts) < MAX_SYMBOLS else []
    if not codes or len(codes[0]) > _GOOD * len(text):
        codes.append(_encode([(ESCAPE, text)], before))
    return min(codes, key=len)


def decode(data: bytes, context: Sequence[str], limit: int) -> str:
    """The text of a code; BitstreamError where it is damaged or over ``limit`` bytes in UTF-8."""
    model, decoder, before = text_model(), Decoder(data), context_of(context)
    characters = before.characters()
    state, symbol, text = before.state, END, ""
    for _ in range(most_symbols(len(data))):
        state = model.network.step(state, symbol)
        prediction = model.predict(state, before.recall)
        left = 8 * len(data) - decoder.bits_used
        ending = np.array([0, _ending(prediction, left), 1 << _END_BITS])
        if decoder.decode_interval(ending, _END_BITS) == END:
            return text
        symbol = 1 + decoder.decode_interval(prediction.bounds, BITS)
        if symbol == ESCAPE:
            text += characters.decode(decoder, limit - len(text))
        else:
            text += model.pieces.text(symbol)
        if left < -OVERDRAWN or len(text.encode()) > limit:
            break
    raise BitstreamError("a prompt does not end where it should")


def most_symbols(size: int) -> int:
    """Symbols that a code of ``size`` bytes may have, the end included."""
    return min(MAX_SYMBOLS, FREE_SYMBOLS + SYMBOLS_A_BYTE * size)


def _encode(parts: Sequence[tuple[int, str]], before: Context) -> bytes:
    """The shortest code whose own length, known to the decoder, it was made for."""
    model, state, last = text_model(), before.state, END
    steps: list[_Step] = []
    for symbol, run in [*parts, (END, "")]:
        state = model.network.step(state, last)
        steps.append(_Step(symbol, run, model.predict(state, before.recall)))
        last = symbol
    plain = _write(steps, before, _UNLIMITED)
    # A text that is one run takes long to write and gains little: it is not tried in less.
    one_run = len(steps) == 2 and steps[0].symbol == ESCAPE
    least = max(1, len(plain) if one_run else len(plain) - 2)
    sizes = (size for size in count(least) if most_symbols(size) >= len(steps))
    codes = (_write(steps, before, size) for size in sizes)
    return next(code for code in codes if code)


def _write(steps: Sequence[_Step], before: Context, size: int) -> bytes:
    """The code in just ``size`` bytes, empty where that is too few; of any size if unlimited."""
    encoder, characters, left = Encoder(), before.characters(), 0
    for step in steps:
        left = 8 * size - encoder.bits_used
        ending = _ending(step.prediction, left)
        if step.symbol == END:
            encoder.encode_interval(0, ending, _END_BITS)
            break
        encoder.encode_interval(ending, (1 << _END_BITS) - ending, _END_BITS)
        start, end = step.prediction.bounds[step.symbol - 1 : step.symbol + 1].tolist()
        encoder.encode_interval(start, end - start, BITS)
        if step.symbol == ESCAPE:
            characters.encode(encoder, step.run)
    code = encoder.finish()
    if size == _UNLIMITED:
        return code
    return code.ljust(size, b"\0") if len(code) <= size and left >= -OVERDRAWN else b""


def _ending(prediction: Prediction, left: int) -> int:
    """Probability that the text ends, in 1/65536, where ``left`` bits are left."""
    end = prediction.end * ENDING[min(max(left, 0), len(ENDING) - 1)]
    share = (end << _END_BITS) // max(1, end + (prediction.rest << 8))
    return min(max(share, 1), (1 << _END_BITS) - 1)
