"""Prompts to bytes and back. The stream header names the coder; an id never changes its meaning.

Coder 0 is DEFLATE with a dictionary (:mod:`~mmcodec.entropy.text_deflate`), coder 1 a small
language model (:mod:`~mmcodec.entropy.text_neural`).
"""

from collections.abc import Sequence
from functools import lru_cache

from mmcodec.entropy import text_deflate, text_neural
from mmcodec.errors import BitstreamError

TEXT_CODER = 1
"""The coder of new streams, and the highest id that there is."""
MAX_TEXT_BYTES = 1 << 14


def encode_text(text: str, context: Sequence[str] = (), coder: int = TEXT_CODER) -> bytes:
    """Lossless code of ``text``; empty for an empty text.

    ``context`` are the texts of the stream before it, oldest first; the decoder needs the same.
    Coder 0 does not use them.

    Raises:
        ValueError: the text is over :data:`MAX_TEXT_BYTES` in UTF-8, or no coder has the id.
    """
    data = text.encode()
    if len(data) > MAX_TEXT_BYTES:
        raise ValueError(f"a text of {len(data)} bytes is over {MAX_TEXT_BYTES}")
    if coder not in range(TEXT_CODER + 1):
        raise ValueError(f"no text coder has the id {coder}")
    if not data:
        return b""
    return _neural(text, tuple(context)) if coder else text_deflate.encode(data)


@lru_cache(maxsize=512)
def _neural(text: str, context: tuple[str, ...]) -> bytes:
    """Rate control asks for the same codes again and again."""
    return text_neural.encode(text, context)


def decode_text(data: bytes, context: Sequence[str] = (), coder: int = TEXT_CODER) -> str:
    """The text of a code made by :func:`encode_text` with the same context and coder.

    Raises:
        BitstreamError: the code is damaged or longer than the format allows, or no coder has the
            id.
    """
    if coder not in range(TEXT_CODER + 1):
        raise BitstreamError(f"no text coder has the id {coder}")
    if not data:
        return ""
    if coder:
        return text_neural.decode(data, context, MAX_TEXT_BYTES)
    try:
        return text_deflate.decode(data, MAX_TEXT_BYTES).decode()
    except UnicodeDecodeError as error:
        raise BitstreamError(f"a prompt is damaged ({error})") from error
