"""What is said, from a subtitle file: SubRip, WebVTT, ASS, or whatever else FFmpeg reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import av

from mmcodec.errors import MediaError

_MARKUP = re.compile(r"<[^>]*>|\{[^}]*\}|\\[Nnh]")
_MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Subtitle:
    """A line of subtitles, from ``start_s`` to ``end_s``."""

    start_s: float
    end_s: float
    text: str


def read_subtitles(path: str) -> tuple[Subtitle, ...]:
    """The lines of the first subtitle track of a file, without markup, in order.

    Raises:
        MediaError: it cannot be read, is larger than 16 MB, or has no subtitles.
    """
    try:
        if Path(path).stat().st_size > _MOST_BYTES:
            raise MediaError(f"{path}: is larger than any subtitle file ({_MOST_BYTES >> 20} MB)")
        with av.open(path, "r") as container:
            if not container.streams.subtitles:
                raise MediaError(f"{path}: has no subtitles")
            stream = container.streams.subtitles[0]
            base = float(stream.time_base or 0)
            lines = [
                Subtitle(
                    packet.pts * base,
                    (packet.pts + (packet.duration or 0)) * base,
                    _plain(bytes(packet), stream.codec_context.name),
                )
                for packet in container.demux(stream)
                if packet.pts is not None
            ]
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(
            f"{path}: cannot be read as subtitles: {error.strerror or error}"
        ) from error
    lines = sorted((line for line in lines if line.text), key=lambda line: line.start_s)
    if not lines:
        raise MediaError(f"{path}: has no subtitles")
    return tuple(lines)


def _plain(data: bytes, codec: str) -> str:
    text = data.decode("utf-8", errors="replace")
    if codec in ("ass", "ssa"):
        text = text.split(",", 8)[-1]
    return " ".join(_MARKUP.sub(" ", text).split())
