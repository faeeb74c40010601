"""Text coder 0: DEFLATE (RFC 1951) primed with the words that prompts are made of.

The dictionary is part of the format and never changes.
"""

import zlib

from mmcodec.errors import BitstreamError

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


def encode(data: bytes) -> bytes:
    """Code of a text in UTF-8 that is not empty."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return coder.compress(data) + coder.flush()


def decode(code: bytes, limit: int) -> bytes:
    """The text of a code, in UTF-8; BitstreamError where it is damaged or over ``limit`` bytes."""
    decoder = zlib.decompressobj(-15, _DICTIONARY)
    try:
        data = decoder.decompress(code, limit + 1)
    except zlib.error as error:
        raise BitstreamError(f"a prompt is damaged ({error})") from error
    if not decoder.eof or decoder.unused_data or len(data) > limit:
        raise BitstreamError("a prompt is cut short or too long")
    return data
