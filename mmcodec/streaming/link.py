"""A narrow link in front of an ASGI application, so that a demonstration is honest about it.

What is sent passes one after the other, at the link's bit rate: HTTP heads and bodies, of all
connections together. Loss is that of packets under TCP: nothing goes missing, but the bytes pass a
second time, a round trip later. What TCP and IP themselves add, and the way up, are not counted.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from mmcodec.errors import UsageError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_PIECE_BYTES = 128
"""What passes in one go: a tenth of a second at 9.6 kbit/s."""
_STATUS_LINE_BYTES = 19
_SEED = 1


@dataclass(frozen=True, slots=True)
class Link:
    """Bits a second (None: as many as there are), seconds one way, and part of what is lost."""

    bit_rate: int | None = None
    delay_s: float = 0.0
    loss: float = 0.0

    def __post_init__(self) -> None:
        if self.bit_rate is not None and self.bit_rate < 100:
            raise UsageError("a link has at least 100 bit/s")
        if not (0 <= self.delay_s <= 60 and 0 <= self.loss < 1):
            raise UsageError("a link has a delay of 0 to 60 s and a loss of 0 to under 1")

    @property
    def is_open(self) -> bool:
        """Whether it changes nothing."""
        return not (self.bit_rate or self.delay_s or self.loss)


OPEN_LINK = Link()
"""One that changes nothing."""


class ShapedLink:
    """An ASGI application behind a link."""

    def __init__(self, app: App, link: Link) -> None:
        self._app, self._link = app, link
        self._free_at = 0.0
        self._random = random.Random(_SEED)  # noqa: S311 - the same losses each time

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a request over the link."""
        if scope["type"] != "http" or self._link.is_open:
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.body":
                await self._body(message, send)
            else:
                head = sum(len(name) + len(value) + 4 for name, value in message["headers"])
                await self._pass(head + _STATUS_LINE_BYTES)
                await send(message)

        await asyncio.sleep(self._link.delay_s)
        await self._app(scope, receive, sent)

    async def _body(self, message: Message, send: Send) -> None:
        data, more = bytes(message.get("body", b"")), bool(message.get("more_body"))
        for start in range(0, max(len(data), 1), _PIECE_BYTES):
            piece = data[start : start + _PIECE_BYTES]
            await self._pass(len(piece))
            last = start + _PIECE_BYTES >= len(data)
            await send({**message, "body": piece, "more_body": more or not last})

    async def _pass(self, size: int) -> None:
        """Wait until so many bytes have passed after all those before them."""
        link, now = self._link, asyncio.get_running_loop().time()
        takes_s = size * 8 / link.bit_rate if link.bit_rate else 0.0
        self._free_at = max(self._free_at, now) + takes_s
        late_s = 0.0
        while self._random.random() < link.loss:
            self._free_at += takes_s
            late_s += 2 * link.delay_s
        await asyncio.sleep(self._free_at + late_s + link.delay_s - now)
