"""Serve, play and demonstrate: what a person starts and stops."""

from __future__ import annotations

import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mmcodec.errors import BitstreamError, UsageError
from mmcodec.media.demux import DemuxSettings, open_media
from mmcodec.media.mux import check_suffix
from mmcodec.pipeline.ahead import ahead
from mmcodec.pipeline.encoder import Progress
from mmcodec.pipeline.operations import PIPE_SUFFIX
from mmcodec.pipeline.output import STANDARD_STREAM, whole_output
from mmcodec.pipeline.settings import DecodeSettings, EncodeSettings
from mmcodec.streaming.link import Link
from mmcodec.streaming.origin import OriginSettings, origin, playlists, prepared
from mmcodec.streaming.player import player
from mmcodec.streaming.publishing import LiveSettings, encode_live
from mmcodec.streaming.receiver import Receiver, Reception
from mmcodec.streaming.rendering import Renderer
from mmcodec.streaming.serving import address, background, listening, need, run
from mmcodec.streaming.session import AHEAD_S, FETCHED_AHEAD, Original, Session

if TYPE_CHECKING:
    import httpx2

_DEMO_RATES: tuple[int | str, ...] = ("prompt", 1000, 2000, 4000)
_IDLE_S = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PlayReport:
    """What was played: bytes on the way, and seconds of media."""

    target: str
    received_bytes: int
    duration_s: float
    elapsed_s: float
    notes: tuple[str, ...] = ()


def serve(
    sources: Sequence[str | Path],
    host: str = "127.0.0.1",
    port: int = 8000,
    settings: OriginSettings | None = None,
    say: Say = print,
) -> None:
    """Serve folders of segments and ``.mmc`` files over HTTP until it is stopped.

    Raises:
        UsageError: there is no such file or folder, or the port is taken.
        BitstreamError: a stream is damaged.
        BackendError: what HTTP needs is not installed.
    """
    need()
    with tempfile.TemporaryDirectory(prefix="mmcodec-") as scratch:
        roots = prepared(sources, Path(scratch))
        with listening(host, port) as place:
            for name in playlists(roots):
                say(f"{address(place)}/{name}")
            run(origin(roots, settings or OriginSettings()), place, access_log=True)


def play(
    url: str,
    target: str | Path | BinaryIO,
    settings: DecodeSettings | None = None,
    *,
    rate: str = "auto",
    token: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> PlayReport:
    """Receive a stream and write it as a media file, or to a pipe (``-``), as it comes.

    Raises:
        UsageError: there is no such playlist or rate, or the target exists.
        MediaError: the origin gives no answer, or the target cannot be written.
        BackendError: what HTTP needs is not installed, or a synthesizer cannot run.
    """
    need()
    started = time.perf_counter()
    is_file = isinstance(target, str | Path) and target != STANDARD_STREAM
    suffix = Path(str(target)).suffix if is_file else PIPE_SUFFIX
    check_suffix(suffix)
    reception = Reception(rate)
    with whole_output(target, force) as place, _client() as client:
        receiver = Receiver(client, url, reception, token=token)
        renderer = Renderer(place, suffix, settings or DecodeSettings())
        for arrival in ahead(receiver.arrivals(), FETCHED_AHEAD, _IDLE_S):
            for _ in renderer.render(arrival) if arrival else ():
                if progress:
                    progress(renderer.seconds, None)
        seconds = renderer.close()
        if not seconds:
            raise BitstreamError(f"{url}: the stream has no cue")
    elapsed = time.perf_counter() - started
    notes = (*reception.notes, *renderer.remarks)
    return PlayReport(str(target), reception.bytes, seconds, elapsed, notes)


def watch(
    url: str,
    settings: DecodeSettings | None = None,
    *,
    rate: str = "auto",
    token: str | None = None,
    original: str | Path | None = None,
    port: int = 0,
    browser: bool = True,
    link_bps: int | None = None,
    title: str | None = None,
    say: Say = print,
) -> None:
    """Receive a stream and show it on a page in the browser, until it is stopped.

    Raises:
        UsageError: the port is taken, or there is no such original.
        BackendError: what HTTP needs is not installed.
    """
    need()
    reception = Reception(rate)
    clip = _original(Path(original)) if original else None
    with _client() as client, listening("127.0.0.1", port) as place:
        receiver = Receiver(client, url, reception, AHEAD_S, token)
        session = Session(receiver, reception, settings or DecodeSettings(), clip)
        with session.running():
            say(f"watch at {address(place)} (Ctrl-C stops)")
            if browser:
                threading.Timer(0.3, webbrowser.open, (address(place),)).start()
            run(player(session, title or url, link_bps), place, leave=reception.stopped.set)


def demo(
    clip: str | Path,
    link: Link,
    settings: EncodeSettings | None = None,
    *,
    port: int = 0,
    browser: bool = True,
    progress: Progress | None = None,
    say: Say = print,
) -> None:
    """Encode a clip at several rates, serve it over a narrow link, and show what arrives.

    Raises:
        UsageError: there is no such clip, or the port is taken.
        MediaError: the clip cannot be read.
        BackendError: what HTTP needs is not installed.
    """
    need()
    with tempfile.TemporaryDirectory(prefix="mmcodec-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        live = LiveSettings(_DEMO_RATES, window_s=0)
        encode_live(clip, folder, settings, live, progress=progress)
        place = stack.enter_context(listening("127.0.0.1", 0))
        stack.enter_context(background(origin([folder], OriginSettings(link=link)), place))
        url = f"{address(place)}/index.m3u8"
        say(f"the origin is at {url}, behind a link of {link.bit_rate or 'any number of'} bit/s")
        watch(
            url,
            original=clip,
            port=port,
            browser=browser,
            link_bps=link.bit_rate,
            title=Path(clip).name,
            say=say,
        )


def _client() -> httpx2.Client:
    import httpx2

    headers = {"accept-encoding": "gzip", "user-agent": "mmcodec"}
    return httpx2.Client(headers=headers, follow_redirects=True)


def _original(path: Path) -> Original:
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    with open_media(path, DemuxSettings()) as media:
        return Original(path, path.stat().st_size, media.info.duration_s or 1.0)
