"""Run an ASGI application: in the foreground until it is stopped, or in a thread."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from mmcodec.errors import BackendError, UsageError
from mmcodec.streaming.link import App, Message, Receive, Send

if TYPE_CHECKING:
    import uvicorn

_MAX_HEAD_BYTES = 16 << 10
_IDLE_S = 30
_GRACE_S = 5
_READY_S = 10.0


def _stay() -> None:
    """There is nothing to leave."""


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections; port 0 is a free one.

    Raises:
        UsageError: the port is taken, or the host is not this machine.
    """
    try:
        return socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise UsageError(f"cannot listen on {host} port {port} ({error.strerror})") from error


def address(place: socket.socket) -> str:
    """The URL of what listens there."""
    host, port = place.getsockname()[:2]
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 - a comparison


def run(
    app: App,
    place: socket.socket,
    access_log: bool = False,
    leave: Callable[[], None] = _stay,
) -> None:
    """Serve until SIGINT or SIGTERM. What is being sent then is sent to its end, for some seconds;
    ``leave`` is called so that answers without an end come to one.
    """
    _server(app, access_log, leave).run([place])


@contextmanager
def background(app: App, place: socket.socket) -> Iterator[None]:
    """Serve in a thread for as long as the context lasts."""
    server = _server(app, access_log=False, leave=_stay)
    thread = threading.Thread(target=server.run, args=([place],), daemon=True)
    thread.start()
    for _ in range(round(_READY_S / 0.01)):
        if server.started or not thread.is_alive():
            break
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_GRACE_S + 1)


def need() -> None:
    """Say what to install where HTTP is missing.

    Raises:
        BackendError: a library is not installed.
    """
    try:
        import httpx2  # noqa: F401
        import m3u8  # noqa: F401
        import prometheus_client  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        line = f'streaming needs pip install "mmcodec[stream]" ({error})'
        raise BackendError(line) from error


def _server(app: App, access_log: bool, leave: Callable[[], None]) -> uvicorn.Server:
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            leave()
            super().handle_exit(sig, frame)

    async def ending(scope: Message, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):  # cut short, and no fault of the application
            await app(scope, receive, send)

    config = uvicorn.Config(
        cast("Any", ending),
        access_log=access_log,
        log_level="info" if access_log else "critical",
        h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
        http="h11",  # it bounds heads
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_GRACE_S,
        server_header=False,
        date_header=False,
        lifespan="off",
        ws="none",
    )
    return Server(config)
