"""The page on which a stream is watched, and what it asks for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mmcodec.streaming.link import App
from mmcodec.streaming.session import Session

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_PAGE = Path(__file__).parent / "page"
_POLL_S, _FIGURES_S, _LATELY_S = 0.05, 0.5, 3.0
_MAX_BODY_BYTES = 1000
_POLICY = "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; frame-ancestors 'none'"


def player(session: Session, title: str, link_bps: int | None = None) -> App:
    """An ASGI application: the page, its media, its events."""
    from starlette.applications import Starlette
    from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
    from starlette.routing import Route

    def file(name: str) -> FileResponse:
        headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
        return FileResponse(_PAGE / name, headers=headers)

    async def state(_: Request) -> Response:
        while session.header is None and not session.no_more_comes:
            await asyncio.sleep(_POLL_S)
        return JSONResponse(_state(session, title, link_bps))

    async def media(_: Request) -> Response:
        return StreamingResponse(_media(session), media_type="video/mp4")

    async def events(_: Request) -> Response:
        return StreamingResponse(_events(session), media_type="text/event-stream")

    async def rate(request: Request) -> Response:
        try:
            short = int(request.headers["content-length"]) <= _MAX_BODY_BYTES
            wanted = (await request.json())["rate"] if short else None
        except (ValueError, KeyError, TypeError):
            wanted = None
        known = ["auto", *(one.name for one in session.reception.variants)]
        if wanted not in known:
            return JSONResponse({"error": f"a rate is one of {', '.join(known)}"}, 400)
        session.reception.rate = str(wanted)
        return Response(status_code=204)

    async def original(_: Request) -> Response:
        if session.original is None:
            return Response(status_code=404)
        return FileResponse(session.original.path)

    def named(name: str) -> Any:
        async def answer(_: Request) -> Response:
            return file(name)

        return answer

    return cast(
        "App",
        Starlette(
            routes=[
                Route("/", named("index.html")),
                Route("/player.css", named("player.css")),
                Route("/player.js", named("player.js")),
                Route("/state", state),
                Route("/media.mp4", media),
                Route("/events", events),
                Route("/rate", rate, methods=["POST"]),
                Route("/original", original),
            ]
        ),
    )


def _state(session: Session, title: str, link_bps: int | None) -> dict[str, object]:
    header = session.header
    video = header.video if header else None
    variants = session.reception.variants
    return {
        "title": title,
        "codecs": f'video/mp4; codecs="{session.codecs}"' if header else "",
        "width": video.width if video else None,
        "height": video.height if video else None,
        "original": session.original is not None,
        "rates": [{"name": one.name, "bit_rate": one.bit_rate} for one in variants],
        "link_bps": link_bps,
        "live": session.reception.live,
    }


async def _media(session: Session) -> AsyncIterator[bytes]:
    place = 0
    while True:
        over = session.no_more_comes
        data, place = session.chunks.since(place)
        if data:
            yield data
        elif over:
            return
        await asyncio.sleep(_POLL_S)


async def _events(session: Session) -> AsyncIterator[bytes]:
    place, over = 0, False
    readings = [(session.began_at, 0)]
    due = 0.0
    while not over:
        now = time.monotonic()
        over = session.is_over
        happened, place = session.since(place)
        if now >= due:
            readings.append((now, session.reception.bytes))
            while len(readings) > 2 and now - readings[1][0] > _LATELY_S:
                readings.pop(0)
            then, before = readings[0]
            happened.append(session.figures(readings[-1][1] - before, now - then))
            due = now + _FIGURES_S
        if over:
            happened.append({"type": "end"})
        for event in happened:
            yield f"data: {json.dumps(event)}\n\n".encode()
        await asyncio.sleep(_POLL_S)
