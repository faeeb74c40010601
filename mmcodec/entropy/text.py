"""Prompts to bytes: DEFLATE (RFC 1951) primed with the words that prompts are made of.

The dictionary is part of the format of text coder 0 and never changes; a better coder gets a
new id in the stream header.
"""

import zlib

from mmcodec.errors import BitstreamError

TEXT_CODER = 0
MAX_TEXT_BYTES = 1 << 14

_DICTIONARY = (
    b" in the background, in the foreground, standing next to a man and a woman looking at the "
    b"camera, close-up of a hand holding, people walking down the street, a car driving along a "
    b"road, waves on the beach at sunset, trees and mountains under a cloudy sky, "
    b"music plays while people are speaking, a dog barks, birds sing, water runs, wind blows. "
    b"A soft voice talks quietly. A deep voice speaks slowly. A high clear voice speaks quickly. "
    b"Loud bright sound. Short noisy sound. Low dark rumble. Quiet, soft hum. Silence. "
    b"Lively music at about 120 beats a minute in C major, loud and bright. Calm music at about "
    b"80 beats a minute in A minor, soft and dark. F# G# D# B E D G C# A# "
    b"black, dark grey, light grey, white, brown, dark brown, beige, sand, gold, yellow, orange, "
    b"pink, red, dark red, purple, teal, turquoise, sky blue, navy, olive, dark green, "
    b"The bright, dark, dim, soft, high-contrast, muted, colourful shot, green over blue; "
    b"the camera tilts up, the camera tilts down, the camera zooms in, the camera zooms out, "
    b"the camera pans left, the camera is still, the camera pans slowly right; nothing moves. "
    b"slight movement, fast movement at the top left, top right, bottom left, bottom right, "
    b"top, bottom, centre left, centre right, movement at the centre."
)


def encode_text(text: str) -> bytes:
    """Lossless code of ``text``; empty for an empty text.

    Raises:
        ValueError: the text is over :data:`MAX_TEXT_BYTES` in UTF-8.
    """
    data = text.encode()
    if len(data) > MAX_TEXT_BYTES:
        raise ValueError(f"a text of {len(data)} bytes is over {MAX_TEXT_BYTES}")
    if not data:
        return b""
    coder = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return coder.compress(data) + coder.flush()


def decode_text(data: bytes) -> str:
    """The text of a code made by :func:`encode_text`.

    Raises:
        BitstreamError: the code is damaged or longer than the format allows.
    """
    if not data:
        return ""
    decoder = zlib.decompressobj(-15, _DICTIONARY)
    try:
        text = decoder.decompress(data, MAX_TEXT_BYTES + 1)
        if not decoder.eof or decoder.unused_data or len(text) > MAX_TEXT_BYTES:
            raise BitstreamError("a prompt is cut short or too long")
        return text.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise BitstreamError(f"a prompt is damaged ({error})") from error
