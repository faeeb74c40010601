"""The origin: playlists and segments over HTTP, for receivers and caches.

All that it serves are files, so any static server or CDN can take its place. This one shows what
it does (``/metrics``, an access log), asks for a token if one is set, and holds to limits.
"""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mmcodec.errors import UsageError
from mmcodec.streaming.link import OPEN_LINK, App, Link, Message, Receive, Send, ShapedLink
from mmcodec.streaming.playlist import MediaPlaylist, parse_playlist
from mmcodec.streaming.publishing import segment
from mmcodec.streaming.segmenting import PLAYLIST, SEGMENT_SUFFIX, is_named_by_content

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mmc": "application/x-mmcodec",
    SEGMENT_SUFFIX: "application/x-mmcodec",
}
"""The files that are served, and as what; no other is, whatever lies beside them."""
_MAX_URL_BYTES = 2048
_MAX_PLAYLIST_BYTES = 1 << 23
_KEPT_CLIENTS = 4096


@dataclass(frozen=True, slots=True)
class OriginSettings:
    """How an origin serves: to whom, how much, and over what link."""

    token: str | None = None
    """What a request must bring as ``Authorization: Bearer TOKEN``; None lets all in."""
    connections: int = 1000
    """Requests at one time; others are told to come back (503)."""
    requests_a_second: float = 100.0
    """Of one address in the mean, with bursts of as many again (429); 0 is no limit."""
    link: Link = OPEN_LINK


def origin(roots: Sequence[Path], settings: OriginSettings) -> App:
    """An ASGI application that serves the playlists and segments in folders."""
    from prometheus_client import CollectorRegistry
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.cors import CORSMiddleware
    from starlette.routing import Mount, Route

    meters = _Meters(CollectorRegistry())
    app: Starlette = Starlette(
        routes=[
            Route("/metrics", meters.answer),
            Route("/", _index(roots)),
            Mount("/", _files(roots)),
        ],
        middleware=[
            Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "HEAD"],
                       allow_headers=["authorization", "range"], expose_headers=["etag"]),
        ],
    )  # fmt: skip
    return ShapedLink(_Measured(_Guarded(app, settings), meters), settings.link)


def prepared(sources: Sequence[str | Path], scratch: Path) -> list[Path]:
    """The folders to serve: those given, and ``scratch``, where the ``.mmc`` files given (or in a
    folder given) are cut into segments: ``clip.mmc`` is served as ``/clip.m3u8``.

    Raises:
        UsageError: there is no such file or folder, or two streams of one name.
        BitstreamError: a stream is damaged.
    """
    folders = []
    for path in map(Path, sources):
        if path.is_dir():
            folders.append(path)
            for stream in sorted(path.glob("*.mmc")):
                if not (path / PLAYLIST).exists():  # else it is the header of segments
                    _segmented(stream, scratch)
        else:
            _segmented(path, scratch)
    return [scratch, *folders]


def _segmented(stream: Path, scratch: Path) -> None:
    folder = scratch / stream.stem
    if folder.exists():
        raise UsageError(f"{stream}: another stream has the name {stream.stem}; rename one")
    segment([stream], folder)
    playlist = parse_playlist((folder / PLAYLIST).read_text(encoding="utf-8"))
    if isinstance(playlist, MediaPlaylist):
        above = playlist.from_above(folder.name)
        (scratch / f"{folder.name}.m3u8").write_text(above.text(), encoding="utf-8")


def playlists(roots: Sequence[Path]) -> list[str]:
    """Those in folders and in the folders in them, by their path in a URL."""
    return sorted(
        quote(path.relative_to(root).as_posix())
        for root in roots
        for pattern in ("*.m3u8", f"*/{PLAYLIST}")
        for path in root.glob(pattern)
    )


def _index(roots: Sequence[Path]) -> Callable[[Request], Awaitable[Response]]:
    """A page that lists the playlists."""

    async def answer(_: Request) -> Response:
        from starlette.responses import PlainTextResponse

        return PlainTextResponse("".join(f"/{name}\n" for name in playlists(roots)))

    return answer


def _files(roots: Sequence[Path]) -> App:
    """The files of the known kinds in folders; names that start with a dot are not finished."""
    from starlette.exceptions import HTTPException
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.responses import FileResponse
    from starlette.staticfiles import StaticFiles

    class Files(StaticFiles):
        async def get_response(self, path: str, scope: Message) -> Response:
            name = Path(path)
            if name.suffix not in _TYPES or any(part.startswith(".") for part in name.parts):
                raise HTTPException(404)
            answer = await super().get_response(path, scope)
            if isinstance(answer, FileResponse):
                answer.headers["content-type"] = _TYPES[name.suffix]
                answer.headers["cache-control"] = _caching(Path(str(answer.path)))
                del answer.headers["last-modified"]  # the entity tag says it, and bytes are dear
            return answer

    files = Files(directory=roots[0])
    files.all_directories = [str(root) for root in roots]
    squeezed = GZipMiddleware(files, minimum_size=300)

    async def served(scope: Message, receive: Receive, send: Send) -> None:
        # Packets are entropy coded: to compress them again only adds bytes.
        app = squeezed if scope["path"].endswith(".m3u8") else files
        await app(scope, receive, send)

    return served


def _caching(path: Path) -> str:
    """How long a cache may keep a file: for ever if its name has a checksum of what is in it."""
    if is_named_by_content(path.name):
        return "max-age=31536000, immutable"
    if path.suffix != ".m3u8":
        return "max-age=60"
    if path.stat().st_size > _MAX_PLAYLIST_BYTES:
        return "no-cache"
    text = path.read_text(encoding="utf-8", errors="replace")
    whole = "#EXT-X-ENDLIST" in text or "#EXT-X-STREAM-INF" in text
    return "max-age=60" if whole else "max-age=1"


class _Guarded:
    """An application behind limits, and a token if there is one."""

    def __init__(self, app: App, settings: OriginSettings) -> None:
        self._app, self._settings = app, settings
        self._busy = 0
        self._allowances: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal:
            await _refuse(*refusal)(scope, receive, send)
            return
        self._busy += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._busy -= 1

    def _refusal(self, scope: Message) -> tuple[int, str, dict[str, str]] | None:
        headers = dict(scope["headers"])
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            return 405, "only GET and HEAD are served", {"allow": "GET, HEAD"}
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > _MAX_URL_BYTES:
            return 414, f"a URL has at most {_MAX_URL_BYTES} bytes", {}
        if self._busy >= self._settings.connections:
            return 503, "too many connections; come back in a second", {"retry-after": "1"}
        address = (scope.get("client") or ("",))[0]
        if not self._allowed(address):
            return 429, "too many requests; slow down", {"retry-after": "1"}
        token = self._settings.token
        given = headers.get(b"authorization", b"")
        if token and not hmac.compare_digest(given, f"Bearer {token}".encode()):
            return 401, "a bearer token is needed", {"www-authenticate": "Bearer"}
        return None

    def _allowed(self, address: str) -> bool:
        """Take one request from the bucket of an address."""
        rate = self._settings.requests_a_second
        if not rate:
            return True
        now = time.monotonic()
        left, then = self._allowances.pop(address, (rate, now))
        left = min(rate, left + (now - then) * rate)
        self._allowances[address] = (max(left - 1, 0.0), now)
        if len(self._allowances) > _KEPT_CLIENTS:
            self._allowances.popitem(last=False)
        return left >= 1


def _refuse(status: int, text: str, headers: dict[str, str]) -> Response:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(text + "\n", status, headers)


class _Meters:
    """What an origin has done, in the form of Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        from prometheus_client import Counter, Gauge, Histogram

        self._registry = registry
        self.requests = Counter(
            "mmcodec_requests", "Answers by status.", ["status"], registry=registry
        )
        self.sent = Counter("mmcodec_sent_bytes", "Bytes of bodies.", registry=registry)
        self.busy = Gauge("mmcodec_busy_requests", "Requests at this time.", registry=registry)
        self.seconds = Histogram("mmcodec_request_seconds", "How long one took.", registry=registry)

    async def answer(self, _: Request) -> Response:
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
        from starlette.responses import Response

        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class _Measured:
    """An application whose answers are counted."""

    def __init__(self, app: App, meters: _Meters) -> None:
        self._app, self._meters = app, meters

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._meters.requests.labels(str(message["status"])).inc()
            else:
                self._meters.sent.inc(len(message.get("body", b"")))
            await send(message)

        with self._meters.busy.track_inprogress(), self._meters.seconds.time():
            await self._app(scope, receive, counted)
