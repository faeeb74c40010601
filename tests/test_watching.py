"""Serve and play as a person does: over sockets, through a narrow link, past a dead origin."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import av
import httpx2
import pytest
from streams import stream

import mmcodec
from mmcodec.errors import BitstreamError, MediaError, UsageError
from mmcodec.streaming.link import Link
from mmcodec.streaming.origin import OriginSettings, origin, prepared
from mmcodec.streaming.serving import address, background, listening


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mmc"
    path.write_bytes(stream(6))
    return path


@contextmanager
def served(sources, tmp_path, **settings):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with listening("127.0.0.1", 0) as place:
        roots = prepared(sources, scratch)
        with background(origin(roots, OriginSettings(**settings)), place):
            yield address(place)


def test_what_is_played_is_what_was_served(clip, tmp_path):
    target = tmp_path / "played.mp4"
    with served([clip], tmp_path) as url:
        report = mmcodec.play(f"{url}/clip.m3u8", target)
    direct = mmcodec.decode(clip, tmp_path / "decoded.mp4")
    assert report.duration_s == pytest.approx(direct.duration_s, abs=0.1)
    frames = []
    for path in (target, tmp_path / "decoded.mp4"):
        with av.open(str(path)) as media:
            frames.append([frame.to_ndarray() for frame in media.decode(video=0)])
    assert len(frames[0]) == len(frames[1]) == 144
    assert all((a == b).all() for a, b in zip(*frames, strict=True))


def test_a_narrow_link_is_narrow(clip, tmp_path):
    started = time.perf_counter()
    with served([clip], tmp_path, link=Link(16_000, 0.01, 0.02)) as url:
        report = mmcodec.play(f"{url}/clip.m3u8", tmp_path / "played.mp4")
    assert time.perf_counter() - started > report.received_bytes * 8 / 16_000
    assert report.duration_s == pytest.approx(12, abs=0.1)


def test_a_token_opens(clip, tmp_path):
    with served([clip], tmp_path, token="secret") as url:
        with pytest.raises(MediaError, match="401"):
            mmcodec.play(f"{url}/clip.m3u8", tmp_path / "no.mp4")
        assert not (tmp_path / "no.mp4").exists()
        report = mmcodec.play(f"{url}/clip.m3u8", tmp_path / "yes.mp4", token="secret")
    assert report.duration_s > 11


def test_connections_are_limited(clip, tmp_path):
    with served([clip], tmp_path, connections=1, link=Link(4000)) as url:
        codes = []

        def ask():
            codes.append(httpx2.get(f"{url}/clip.m3u8").status_code)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(codes) in ([200, 503, 503], [200, 200, 503])


def test_heads_without_end_are_refused(clip, tmp_path):
    with served([clip], tmp_path) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as line:
            line.sendall(b"GET / HTTP/1.1\r\nx: " + b"a" * 20_000)
            assert line.recv(100).startswith(b"HTTP/1.1 4")


def test_the_port_is_taken():
    with listening("127.0.0.1", 0) as place, pytest.raises(UsageError, match="cannot listen"):
        listening("127.0.0.1", place.getsockname()[1])


def start_origin(clip, port):
    command = [sys.executable, "-m", "mmcodec", "serve", clip, "--port", str(port)]
    process = subprocess.Popen([*command, "--link", "12k"], stderr=subprocess.PIPE)
    assert b"clip.m3u8" in process.stderr.readline()
    return process


def test_an_origin_is_killed_and_started_again(clip, tmp_path):
    """The receiver waits, goes on at the byte where it was, and misses nothing."""
    with listening("127.0.0.1", 0) as place:
        port = place.getsockname()[1]
    first = start_origin(clip, port)
    target, reports = tmp_path / "played.mp4", []
    url = f"http://127.0.0.1:{port}/clip.m3u8"
    player = threading.Thread(target=lambda: reports.append(mmcodec.play(url, target)))
    player.start()
    time.sleep(1.2)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    time.sleep(1)
    second = start_origin(clip, port)
    player.join(60)
    second.send_signal(signal.SIGINT)
    assert second.wait(10) in (0, -2, 130)
    assert reports[0].duration_s == pytest.approx(12, abs=0.1)
    assert any("dropped" in note for note in reports[0].notes)
    assert not any("missing" in note for note in reports[0].notes)


def test_what_is_no_stream_leaves_nothing(tmp_path):
    empty = tmp_path / "site"
    empty.mkdir()
    with served([empty], tmp_path) as url:
        with pytest.raises(UsageError, match="no such playlist"):
            mmcodec.play(f"{url}/clip.m3u8", tmp_path / "played.mp4")
        (empty / "nothing.m3u8").write_text("#EXTM3U\n#EXT-X-ENDLIST\n")
        with pytest.raises(BitstreamError, match="no cue"):
            mmcodec.play(f"{url}/nothing.m3u8", tmp_path / "played.mp4")
    assert not (tmp_path / "played.mp4").exists()
    with pytest.raises(UsageError, match="no address"):
        mmcodec.play("clip.m3u8", tmp_path / "played.mp4")
