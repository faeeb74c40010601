"""A stream that is being watched: fetched and rendered in threads, for a page that asks for it."""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.errors import MMCodecError
from mmcodec.media.mux import FRAGMENTED
from mmcodec.pipeline.ahead import ahead
from mmcodec.pipeline.settings import DecodeSettings
from mmcodec.streaming.receiver import Receiver, Reception
from mmcodec.streaming.rendering import Rendered, Renderer
from mmcodec.timeline import Segment, TrackKind

_LEAVE_S = 5.0
AHEAD_S = 30.0
FETCHED_AHEAD = 2
"""Seconds, and segments, that are fetched before they are rendered."""
_KEPT_BYTES = 1 << 26
_KEPT_EVENTS = 2000
Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Original:
    """The clip that a stream was made of, where it is at hand."""

    path: Path
    bytes: int
    duration_s: float


class Chunks(io.RawIOBase):
    """Fragments of media as they are written, for readers that come and go.

    The first bytes, up to the first fragment, are kept for all; of the rest the newest.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start = b""
        self._kept: deque[bytes] = deque()
        self._first, self._bytes = 1, 0

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: object, /) -> int:
        """Keep one piece; FFmpeg flushes at fragments, so that each begins a piece."""
        piece = bytes(data)  # type: ignore[call-overload]
        with self._lock:
            if not self._kept and b"moof" not in piece[:8]:
                self._start += piece
                return len(piece)
            self._kept.append(piece)
            self._bytes += len(piece)
            while self._bytes > _KEPT_BYTES:
                self._drop()
        return len(piece)

    def since(self, place: int) -> tuple[bytes, int]:
        """What a reader at ``place`` (0: who is new) has not got, and its next place."""
        with self._lock:
            if not self._kept:
                return b"", place
            first = max(place, self._first)
            pieces = list(self._kept)[first - self._first :]
            start = self._start if place == 0 else b""
            return start + b"".join(pieces), self._first + len(self._kept)

    def _drop(self) -> None:
        """Drop the oldest fragment."""
        while self._kept:
            self._bytes -= len(self._kept.popleft())
            self._first += 1
            if self._kept and self._kept[0][4:8] == b"moof":
                return


class Session:
    """Fetches and renders; what happens is in ``events``, the media in ``chunks``."""

    def __init__(
        self,
        receiver: Receiver,
        reception: Reception,
        settings: DecodeSettings,
        original: Original | None = None,
    ) -> None:
        self._receiver, self.reception, self.original = receiver, reception, original
        self.chunks = Chunks()
        self._renderer = Renderer(cast("BinaryIO", self.chunks), FRAGMENTED, settings, in_time=True)
        self.reception.played_s = lambda: self._renderer.played_s
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=_KEPT_EVENTS)
        self._happened = 0
        self._noted = 0
        self.began_at = time.monotonic()
        self.ended = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Work in threads for as long as the context lasts."""
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.reception.stopped.set()
            thread.join(_LEAVE_S)

    @property
    def header(self) -> StreamHeader | None:
        """The header of the stream, when it is known and media can be had."""
        return self._renderer.header if self._renderer.media else None

    @property
    def no_more_comes(self) -> bool:
        """Whether all has been rendered, or it is no longer wanted."""
        return self.ended.is_set() or self.reception.stopped.is_set()

    @property
    def is_over(self) -> bool:
        """Whether all has been played, too, by who plays it as it comes."""
        played = self._renderer.played_s >= self._renderer.seconds
        return self.reception.stopped.is_set() or (self.ended.is_set() and played)

    @property
    def codecs(self) -> str:
        """What a page needs to play the media."""
        return self._renderer.media.codecs if self._renderer.media else ""

    def since(self, place: int) -> tuple[list[Event], int]:
        """The events from ``place`` on that are still kept, and the next place."""
        for text in self.reception.notes[self._noted :]:
            self._noted += 1
            self._add({"type": "note", "text": text})
        with self._lock:
            new = self._happened - place
            return list(self._events)[-new:] if new > 0 else [], self._happened

    def figures(self, recent_bytes: int, recent_s: float) -> Event:
        """The state of things, with what came lately."""
        known, made = self.reception, self._renderer
        elapsed = time.monotonic() - self.began_at
        return {
            "type": "stats",
            "received_bytes": known.bytes,
            "kbps_now": round(recent_bytes * 8e-3 / max(recent_s, 1e-3), 2),
            "kbps_mean": round(known.bytes * 8e-3 / max(elapsed, 1e-3), 2),
            "ratio": self._ratio(),
            "buffer_s": round(max(made.seconds - made.played_s, 0.0), 2),
            "render_speed": round(made.seconds / made.busy_s, 1) if made.busy_s else None,
            "rate": known.current or known.rate,
            "media_s": round(made.seconds, 2),
        }

    def _ratio(self) -> float | None:
        if self.original is None or not self.reception.bytes:
            return None
        part = min(self.reception.media_s / self.original.duration_s, 1.0)
        return round(self.original.bytes * part / self.reception.bytes, 1)

    def _work(self) -> None:
        try:
            for arrival in ahead(self._receiver.arrivals(), FETCHED_AHEAD):
                for rendered in self._renderer.render(arrival):
                    self._add(self._described(rendered))
                    if rendered.packet.cue.track is TrackKind.VIDEO:
                        self.reception.behind = rendered.held
            self._renderer.close()
        except MMCodecError as error:
            self._add({"type": "note", "text": str(error)})
        self.ended.set()

    def _described(self, rendered: Rendered) -> Event:
        cue, origin_s = rendered.packet.cue, self._renderer.origin_s
        kind = cue.span.kind.name.lower() if isinstance(cue.span, Segment) else "shot"
        return {
            "type": "cue",
            "track": cue.track.name.lower(),
            "start": round(max(rendered.start_s - origin_s, 0.0), 3),
            "end": round(rendered.end_s - origin_s, 3),
            "prompt": cue.prompt.text + (" (held: no time to render it)" if rendered.held else ""),
            "kind": kind,
            "bytes": rendered.packet.wire_bytes,
            "layers": dict(rendered.packet.account()),
            "rate": rendered.rate,
        }

    def _add(self, event: Event) -> None:
        with self._lock:
            self._events.append(event)
            self._happened += 1
