"""A stream as segments: plain files, each of which a receiver can begin with, and their playlist.

A segment is a run of packets from a clock packet on (docs/bitstream.md, 4.1); all of them after
the header, and an end packet, are a stream like any other.
"""

from __future__ import annotations

import io
import math
import re
import zlib
from collections import deque
from pathlib import Path

from mmcodec.bitstream.packets import CuePacket
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.bitstream.writer import StreamWriter
from mmcodec.errors import UsageError
from mmcodec.pipeline.output import write_whole
from mmcodec.streaming.playlist import Entry, Kind, MediaPlaylist
from mmcodec.timeline import Cue, Timeline, TrackKind

PLAYLIST = "index.m3u8"
HEADER_SUFFIX, SEGMENT_SUFFIX = ".mmc", ".mms"
_MARGIN = 1.25
"""How much longer a segment may be than is aimed at: what a playlist says of that is final."""
_ROUNDING_S, _LEAST_S = 1e-6, 0.02


def is_named_by_content(name: str) -> bool:
    """Whether a file of this name is a segment or a header, and so never changes."""
    return bool(re.fullmatch(r"(header|\d{6,})-[0-9a-f]{8}\.mm[cs]", name))


class Segmenter:
    """Writes cues as segments of about ``target_s`` seconds into an existing folder.

    Each file is there whole or not at all, and named in the playlist only when it is there. Its
    name has a checksum of what is in it, so that caches may keep it for ever. Of a
    LIVE stream only the segments of the last ``window_s`` seconds are named, and kept for as long
    again, for receivers that have an older playlist.
    """

    def __init__(
        self,
        folder: Path,
        header: StreamHeader,
        target_s: float,
        kind: Kind = Kind.VOD,
        window_s: float = math.inf,
    ) -> None:
        if header.video and header.video.still and not header.audio:
            raise UsageError("a photograph is no stream to be cut into segments")
        self._folder = folder
        self._timeline = Timeline(header.video, header.audio)
        self._target_s, self._kind, self._window_s = target_s, kind, window_s
        self._main = TrackKind.VIDEO if header.video else TrackKind.AUDIO
        self._longest_s = target_s * (1.0 if kind is Kind.VOD else _MARGIN)
        self._packets = io.BytesIO()
        self._writer = StreamWriter(self._packets, header)
        self._entries: deque[Entry] = deque()
        self._named = self._number = 0
        self._start_s = 0.0
        self.duration_s = 0.0
        """Seconds to the end of the last cue."""
        self.bytes = 0
        """Of the header and all segments that are complete."""
        self._header_name = self._stored("header", HEADER_SUFFIX)

    def write(self, cue: Cue) -> CuePacket:
        """Write one cue; see :class:`~mmcodec.bitstream.writer.StreamWriter`."""
        start_s, end_s = map(float, self._timeline.seconds(cue.span))
        leads = cue.track is self._main
        if leads and end_s - self._start_s > self._target_s + _ROUNDING_S:
            self._finish(start_s)
        packet = self._writer.write(cue, restart=not self._packets.tell())
        self.duration_s = max(self.duration_s, end_s)
        if leads and self._kind is not Kind.VOD and end_s - self._start_s >= self._target_s / 2:
            self._finish(end_s)  # who is waiting has no use for more in one piece
        return packet

    def close(self) -> None:
        """Write what is left, and say in the playlist that it is all."""
        self._finish(max(self.duration_s, self._start_s + _LEAST_S))
        self._publish(ended=True)

    def _finish(self, end_s: float) -> None:
        """The packets so far are a segment, which lasts up to ``end_s``."""
        if self._packets.tell() and end_s > self._start_s:
            name = self._stored(f"{self._number:06d}", SEGMENT_SUFFIX)
            duration_s = end_s - self._start_s
            self._longest_s = max(self._longest_s, duration_s)
            self._entries.append(Entry(self._number, name, duration_s))
            self._number += 1
            self._named += 1
            self._slide()
            if self._kind is not Kind.VOD:
                self._publish(ended=False)
        self._start_s = end_s

    def _slide(self) -> None:
        """Name no more segments than the window holds, and remove those that are long past it."""
        if math.isinf(self._window_s):
            return
        while self._named > 1 and self._seconds(self._named - 1) >= self._window_s:
            self._named -= 1
        while self._seconds(len(self._entries) - 1) >= 2 * self._window_s:
            (self._folder / self._entries.popleft().uri).unlink(missing_ok=True)

    def _seconds(self, count: int) -> float:
        """Of the last ``count`` segments."""
        return sum(self._entries[-place].duration_s for place in range(1, count + 1))

    def _publish(self, ended: bool) -> None:
        named = tuple(self._entries)[-self._named :] if self._named else ()
        playlist = MediaPlaylist(
            self._header_name, named, math.ceil(self._longest_s), self._kind, ended
        )
        write_whole(self._folder / PLAYLIST, playlist.text().encode())

    @property
    def durations_s(self) -> tuple[float, ...]:
        """Of the segments that are kept."""
        return tuple(entry.duration_s for entry in self._entries)

    def _stored(self, name: str, suffix: str) -> str:
        """Write what is new of the stream as a file; its name."""
        data = self._packets.getvalue()
        self._packets.seek(0)
        self._packets.truncate()
        self.bytes += len(data)
        whole = f"{name}-{zlib.crc32(data):08x}{suffix}"
        write_whole(self._folder / whole, data)
        return whole
