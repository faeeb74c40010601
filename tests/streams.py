"""Streams for tests of streaming: cues with given descriptors, served in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import httpx2
from conftest import evenly_sketched, scene

from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.bitstream.writer import StreamWriter
from mmcodec.descriptors.sketch import TemporalMode
from mmcodec.timeline import (
    AudioTrack,
    Cue,
    Layer,
    Prompt,
    Segment,
    SegmentKind,
    Shot,
    VideoTrack,
)

HEADER = StreamHeader(VideoTrack(128, 72, Fraction(12)), AudioTrack(8000, 1))
SHOT_S, SEGMENT_S = 2, 3
SKETCHES = [
    evenly_sketched([scene(n, 0), scene(n, 12)], (64, 64), 50, TemporalMode.BLEND, 24)
    for n in range(3)
]


def cues(shots: int) -> Iterator[Cue]:
    """Shots of 2 s and segments of 3 s of sound, in the order in which they end."""
    made: list[tuple[float, Cue]] = []
    for n in range(shots):
        layers = {Layer.SKETCH: SKETCHES[n % len(SKETCHES)]}
        made.append((2 * n + 2, Cue(Shot(24 * n, 24 * n + 24), Prompt(f"Scene {n}."), layers)))
    for n in range(2 * shots // 3):
        span = Segment(150 * n, 150 * n + 150, SegmentKind.SILENCE)
        made.append((3 * n + 3, Cue(span, Prompt(""))))
    yield from (cue for _, cue in sorted(made, key=lambda one: one[0]))


def stream(shots: int) -> bytes:
    """A whole stream."""
    sink = io.BytesIO()
    writer = StreamWriter(sink, HEADER)
    for cue in cues(shots):
        writer.write(cue)
    writer.close()
    return sink.getvalue()


class FolderOrigin:
    """Serves a folder without a socket; ``faults`` are answers given once, by name of file.

    A fault is a status, or a number of bytes (negative) after which the connection is cut, or an
    error of the connection.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: dict[str, list[int | Exception]] = {}
        self.asked: list[str] = []
        self.tokens: dict[str, str | None] = {}
        """By host: what it was told."""

    def client(self) -> httpx2.Client:
        """A client for which this is all of the network."""
        return httpx2.Client(transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        name = request.url.path.lstrip("/")
        self.asked.append(name)
        self.tokens[request.url.host] = request.headers.get("authorization")
        fault = (self.faults.get(name) or [0]).pop(0) if self.faults.get(name) else 0
        if isinstance(fault, Exception):
            raise fault
        if fault > 0:
            return httpx2.Response(fault)
        path = self.folder / name
        if not path.is_file():
            return httpx2.Response(404)
        data, status = path.read_bytes(), 200
        if "range" in request.headers:
            start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
            data, status = data[start:], 206
        return httpx2.Response(status, stream=_Cut(data, -fault) if fault else _Cut(data, None))


class _Cut(httpx2.SyncByteStream):
    """A body in small pieces that may break off."""

    def __init__(self, data: bytes, at: int | None) -> None:
        self._data, self._at = data, at

    def __iter__(self) -> Iterator[bytes]:
        end = len(self._data) if self._at is None else self._at
        for start in range(0, end, 50):
            yield self._data[start : min(start + 50, end)]
        if self._at is not None:
            raise httpx2.ReadError("cut")
