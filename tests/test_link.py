"""The narrow link: what is sent through takes its time, and arrives as it was."""

import asyncio
import time

import httpx2
import pytest

from mmcodec.errors import UsageError
from mmcodec.streaming.link import Link, ShapedLink

BODY = bytes(range(256)) * 4


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": BODY[:600], "more_body": True})
    await send({"type": "http.response.body", "body": BODY[600:]})


def fetch(link, count=1):
    """Bodies through a link, fetched side by side, and the seconds they took."""

    async def all_of_them():
        transport = httpx2.ASGITransport(ShapedLink(app, link))
        async with httpx2.AsyncClient(transport=transport, base_url="http://origin") as client:
            return await asyncio.gather(*(client.get("/") for _ in range(count)))

    started = time.perf_counter()
    answers = asyncio.run(all_of_them())
    return [answer.content for answer in answers], time.perf_counter() - started


def test_an_open_link_changes_nothing():
    bodies, seconds = fetch(Link())
    assert bodies == [BODY]
    assert seconds < 0.2


def test_bytes_take_their_time():
    bodies, seconds = fetch(Link(40_000))
    assert bodies == [BODY]
    assert (len(BODY) + 24) * 8 / 40_000 <= seconds < 0.45


def test_all_connections_share_the_link():
    bodies, seconds = fetch(Link(80_000), 3)
    assert bodies == [BODY] * 3
    assert seconds >= 3 * len(BODY) * 8 / 80_000


def test_delay_is_there_and_back():
    assert 0.2 <= fetch(Link(delay_s=0.1))[1] < 2


def test_what_is_lost_passes_again():
    bodies, lossy = fetch(Link(80_000, loss=0.5))
    assert bodies == [BODY]
    assert lossy > 1.3 * len(BODY) * 8 / 80_000


@pytest.mark.parametrize("values", [(50,), (None, -1), (None, 0, 1.0)])
def test_impossible_links_are_refused(values):
    with pytest.raises(UsageError, match="link"):
        Link(*values)
