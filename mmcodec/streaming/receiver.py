"""Fetch a stream over HTTP: ahead of what is shown, at the rate that the link carries."""

from __future__ import annotations

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from mmcodec.bitstream.packets import END_PACKET
from mmcodec.errors import MediaError, UsageError
from mmcodec.streaming.playlist import Entry, MediaPlaylist, Variant, parse_playlist

if TYPE_CHECKING:
    import httpx2

MAX_SEGMENT_BYTES = 1 << 24
_MAX_TEXT_BYTES = 1 << 21
_CHUNK_BYTES = 256
_TIMEOUT_S = 20.0
_PATIENCE_S, _FIRST_PATIENCE_S = 60.0, 5.0
"""How long an origin may be away before a receiver gives up, and one that never answered."""
_FIRST_WAIT_S, _LONGEST_WAIT_S, _LONGEST_POLL_S = 0.25, 4.0, 6.0
_CAREFUL, _AT_FIRST = 0.8, 0.2
"""Part of the measured throughput that a rate may take, and that of the first segment, so that
it is there soon.
"""
_NEWEST = 0.5
"""Weight of the newest measurement of throughput."""
_REMEMBERED, _LONG_QUIET = 100, 4
"""Names of segments; and target durations after which a playlist that is behind is a new one."""
_LIVE_EDGE = 2
"""Segments from the end at which a live stream is begun."""


class Pipe:
    """Bytes of a segment as they arrive; :meth:`read` waits for them, as a file's does not."""

    def __init__(self) -> None:
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._left, self._closed = b"", False

    def write(self, data: bytes) -> None:
        """Add bytes."""
        if data:
            self._chunks.put(data)

    def close(self) -> None:
        """Say that no more comes."""
        self._chunks.put(b"")

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        while not self._left and not self._closed:
            self._left = self._chunks.get()
            self._closed = not self._left
        data, self._left = self._left[:size], self._left[size:]
        return data


@dataclass(frozen=True, slots=True)
class Arrival:
    """A segment on its way: ``stream`` is the header, its packets, and an end packet."""

    number: int
    rate: str
    stream: Pipe


@dataclass(slots=True)
class Reception:
    """What has been received so far; ``rate`` can be set to the name of one, or to "auto"."""

    rate: str = "auto"
    bytes: int = 0
    """Of bodies and of the heads of answers."""
    media_s: float = 0.0
    played_s: Callable[[], float] = float
    """How much of it has been shown by now; whoever shows it can say."""
    throughput: float = 0.0
    """Bits a second, the mean of the last measurements; 0 is unknown."""
    variants: tuple[Variant, ...] = ()
    live: bool = False
    behind: bool = False
    """Whether the last shot was too late to be rendered: one of a lower rate takes less work."""
    current: str = ""
    """The name of the rate of the newest segment."""
    stopped: threading.Event = field(default_factory=threading.Event)
    notes: list[str] = field(default_factory=list)


class Receiver:
    """Fetches the segments of a playlist, or of the best of a master playlist's.

    ``client`` keeps connections alive. At most ``ahead_s`` seconds of media are fetched before
    they are played; None is no limit. A bearer ``token`` is told to the origin of ``url``, and to
    no other that a playlist may name. Clock and sleep can be others in tests.
    """

    def __init__(
        self,
        client: httpx2.Client,
        url: str,
        reception: Reception,
        ahead_s: float | None = None,
        token: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._url = client, url
        self._reception, self._ahead_s, self._token = reception, ahead_s, token
        self._clock, self._sleep = clock, sleep
        self._headers: dict[str, bytes] = {}
        self._seen: OrderedDict[int, str] = OrderedDict()

    def arrivals(self) -> Iterator[Arrival]:
        """The segments, each as soon as its first bytes are awaited; of a live stream from near
        its end on, and until it ends. Work goes on when the next one is asked for.

        Raises:
            UsageError: there is no such playlist.
            MediaError: the origin gave no answer for a minute, or what it serves is no playlist.
        """
        first = self._playlist(self._url)
        if isinstance(first, tuple):
            if not first:
                raise MediaError(f"{self._url}: names no stream")
            self._reception.variants = first
            self._variant_named(self._reception.rate)
            url, known = urljoin(self._url, self._chosen().uri), None
        else:
            url, known = self._url, first
        yield from self._segments(url, known)

    def _segments(self, url: str, known: MediaPlaylist | None) -> Iterator[Arrival]:
        number: int | None = None
        quiet_since = self._clock()
        while not self._reception.stopped.is_set():
            playlist = known or self._media(url)
            known = None
            self._reception.live = not playlist.ended
            quiet_s = self._clock() - quiet_since
            number = self._place(playlist, number, quiet_s)
            coming = [one for one in playlist.entries if one.number >= number]
            if not coming:
                if playlist.ended:
                    return
                if quiet_s > max(_PATIENCE_S, _LONG_QUIET * playlist.target_s):
                    raise MediaError(f"{url}: nothing new for {quiet_s:.0f} s")
                self._sleep(min(playlist.target_s / 2, _LONGEST_POLL_S))
                continue
            for entry in coming:
                self._wait_for_room()
                if self._reception.stopped.is_set():
                    return
                yield from self._segment(url, playlist, entry)
                number, quiet_since = entry.number + 1, self._clock()
                self._remember(entry)
                better = self._better(url)
                if better != url:
                    url = better
                    self._seen.clear()
                    break
            else:
                if playlist.ended:
                    return

    def _place(self, playlist: MediaPlaylist, number: int | None, quiet_s: float) -> int:
        """The number of the segment to go on with.

        A playlist from a cache may be older than one before it; one whose segments have other
        names, or that stays behind, is of a stream that has begun anew.
        """
        entries = playlist.entries
        if not entries:
            return number or 0
        edge = entries[max(len(entries) - _LIVE_EDGE, 0)].number
        if number is None:
            return entries[0].number if playlist.ended else edge
        if number < entries[0].number:
            self._note(f"{entries[0].number - number} segments are gone; going on at the live edge")
            return edge
        behind = number > entries[-1].number + 1 and quiet_s > _LONG_QUIET * playlist.target_s
        if behind or any(self._seen.get(one.number, one.uri) != one.uri for one in entries):
            self._seen.clear()
            self._note("the stream has begun anew")
            return edge
        return number

    def _segment(self, url: str, playlist: MediaPlaylist, entry: Entry) -> Iterator[Arrival]:
        header = self._header(urljoin(url, playlist.map_uri))
        stream = Pipe()
        stream.write(header)
        rate = next(
            (v.name for v in self._reception.variants if urljoin(self._url, v.uri) == url), ""
        )
        self._reception.current = rate
        yield Arrival(entry.number, rate, stream)
        try:
            if not self._into(stream, urljoin(url, entry.uri)):
                self._note(f"segment {entry.number} is missing; its time is bridged")
        finally:
            stream.write(END_PACKET)
            stream.close()
        self._reception.media_s += entry.duration_s

    def _remember(self, entry: Entry) -> None:
        self._seen[entry.number] = entry.uri
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def _header(self, url: str) -> bytes:
        if url not in self._headers:
            data = self._whole(url)
            if data is None:
                raise MediaError(f"{url}: the header of the stream is missing")
            self._headers = {url: data}
        return self._headers[url]

    def _playlist(self, url: str) -> MediaPlaylist | tuple[Variant, ...]:
        data = self._whole(url)
        if data is None:
            raise UsageError(f"{url}: there is no such playlist")
        try:
            return parse_playlist(data.decode("utf-8", errors="replace"))
        except MediaError as error:
            raise MediaError(f"{url}: {error}") from error

    def _media(self, url: str) -> MediaPlaylist:
        playlist = self._playlist(url)
        if isinstance(playlist, tuple):
            raise MediaError(f"{url}: a playlist of playlists within another")
        return playlist

    def _whole(self, url: str) -> bytes | None:
        """What is at ``url``, fetched in one go: a playlist may be another one after a drop."""
        parts: list[bytes] = []

        def attempt() -> None:
            parts.clear()
            for chunk in self._answer(url, 0):
                parts.append(chunk)
                if len(parts) * _CHUNK_BYTES > _MAX_TEXT_BYTES:
                    raise MediaError(f"{url}: is over {_MAX_TEXT_BYTES} bytes")

        return b"".join(parts) if self._patiently(url, attempt) else None

    def _into(self, stream: Pipe, url: str) -> bool:
        """Fetch a segment; after a drop, go on at the byte where it was."""
        got = 0

        def attempt() -> None:
            nonlocal got
            for chunk in self._answer(url, got):
                got += len(chunk)
                if got > MAX_SEGMENT_BYTES:
                    raise MediaError(f"{url}: is over {MAX_SEGMENT_BYTES} bytes")
                stream.write(chunk)

        return self._patiently(url, attempt)

    def _patiently(self, url: str, attempt: Callable[[], None]) -> bool:
        """Attempt it until it succeeds. Whether it was there; what is not is asked for twice."""
        import httpx2

        failed_since, wait_s, missing = self._clock(), _FIRST_WAIT_S, 0
        while True:
            before = self._reception.bytes
            try:
                attempt()
                return True
            except _MissingError:
                missing += 1
                if missing > 1:
                    return False
            except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
                raise UsageError(f"{url}: no address that can be asked ({error})") from error
            except (httpx2.TransportError, _BusyError) as error:
                if self._reception.bytes > before:
                    failed_since, wait_s = self._clock(), _FIRST_WAIT_S
                if wait_s == _FIRST_WAIT_S:
                    self._note(f"the link dropped ({_line(error)}); trying again")
                patience_s = _PATIENCE_S if self._reception.bytes else _FIRST_PATIENCE_S
                over = self._clock() - failed_since > patience_s
                if over or self._reception.stopped.is_set():
                    raise MediaError(f"{url}: no answer ({_line(error)})") from error
            self._sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _answer(self, url: str, start: int) -> Iterator[bytes]:
        """The bytes at ``url`` from ``start`` on."""
        began = self._clock()
        # Bytes are counted as they are in the file, so what goes on must not be compressed.
        headers = {"range": f"bytes={start}-", "accept-encoding": "identity"} if start else {}
        if self._token and urlsplit(url)[:2] == urlsplit(self._url)[:2]:
            headers["authorization"] = f"Bearer {self._token}"
        with self._client.stream("GET", url, headers=headers, timeout=_TIMEOUT_S) as answer:
            if answer.status_code == 416 and start:
                return  # the drop came after the last byte
            if answer.status_code == 404:
                raise _MissingError
            if answer.status_code in (429, 500, 502, 503, 504):
                raise _BusyError(f"status {answer.status_code}")
            if answer.status_code not in (200, 206):
                raise MediaError(f"{url}: is refused ({answer.status_code} {answer.reason_phrase})")
            head = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
            self._reception.bytes += head
            skip = start if answer.status_code == 200 else 0
            before = answer.num_bytes_downloaded
            for chunk in answer.iter_bytes(_CHUNK_BYTES):
                self._reception.bytes += answer.num_bytes_downloaded - before
                before = answer.num_bytes_downloaded
                if self._reception.stopped.is_set():
                    raise MediaError(f"{url}: is no longer wanted")
                if kept := chunk[skip:]:
                    yield kept
                skip = max(skip - len(chunk), 0)
        self._measured((before + head) * 8, self._clock() - began)

    def _measured(self, bits: int, seconds: float) -> None:
        found = bits / max(seconds, 1e-3)
        known = self._reception.throughput
        self._reception.throughput = known + _NEWEST * (found - known) if known else found

    def _chosen(self) -> Variant:
        """The rate that is wished, or else the best that the link carries, and while rendering is
        behind, a lower one than before.
        """
        wished = self._variant_named(self._reception.rate)
        if wished:
            return wished
        known = self._reception
        careful = _CAREFUL if known.media_s else _AT_FIRST
        most = careful * known.throughput
        if known.behind:
            most = min([most, *(v.bit_rate - 1 for v in known.variants if v.name == known.current)])
        fitting = [one for one in known.variants if one.bit_rate <= most]
        return fitting[-1] if fitting else known.variants[0]

    def _variant_named(self, name: str) -> Variant | None:
        if name == "auto":
            return None
        for one in self._reception.variants:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in self._reception.variants) or "none"
        raise UsageError(f"there is no rate {name}; there are: auto, {names}")

    def _better(self, url: str) -> str:
        """The playlist to go on with."""
        if not self._reception.variants:
            return url
        return urljoin(self._url, self._chosen().uri)

    def _wait_for_room(self) -> None:
        """Wait until less is fetched than should be ahead of what is shown."""
        known = self._reception
        while self._ahead_s is not None and known.media_s - known.played_s() > self._ahead_s:
            if known.stopped.is_set():
                return
            self._sleep(0.1)

    def _note(self, text: str) -> None:
        self._reception.notes.append(text)


class _MissingError(Exception):
    """The origin has no such file."""


class _BusyError(Exception):
    """The origin asks to come back."""


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
