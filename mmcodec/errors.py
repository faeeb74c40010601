"""Every error that mmcodec raises on purpose has one root, :class:`MMCodecError`.

The message is one line for a person: what is wrong, where, and what to do about it.
"""

from typing import Self


class MMCodecError(Exception):
    """Root of all errors of this package."""


class UsageError(MMCodecError):
    """The request itself cannot be met: a file that is missing, an output that exists."""


class MediaError(MMCodecError):
    """A media file cannot be read or written."""


class BitstreamError(MMCodecError):
    """A ``.mmc`` stream breaks the syntax; ``offset`` is the byte where it does."""

    def __init__(self, reason: str, offset: int | None = None) -> None:
        super().__init__(reason if offset is None else f"{reason} at byte {offset}")
        self.reason = reason
        self.offset = offset

    def within(self, name: str) -> Self:
        """The same error, saying which stream it is of."""
        return type(self)(f"{name}: {self.reason}", self.offset)


class TruncatedStreamError(BitstreamError):
    """A ``.mmc`` stream ends before its end packet; what came before is good."""


class BackendError(MMCodecError):
    """A captioner, transcriber or synthesizer is unknown, not installed, or failed."""


class FailedWorkError(BackendError):
    """A backend that runs failed at one shot or segment; at others it may succeed."""


class OutOfMemoryError(FailedWorkError):
    """A model does not fit into memory with the work that it was given; less may."""
