"""The subcommands of streaming, as they are typed."""

import json
import re
import signal
import subprocess
import sys
import time

import httpx2
import pytest
from streams import stream
from test_watching import served

from mmcodec.streaming.link import Link


def mmcodec(*words, **options):
    command = [sys.executable, "-m", "mmcodec", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, **options)


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mmc"
    path.write_bytes(stream(3))
    return path


def test_segment_says_what_it_wrote(clip, tmp_path):
    done = mmcodec("segment", clip, "-o", tmp_path / "site", "--json")
    found = json.loads(done.stdout)
    assert found["playlist"] == str(tmp_path / "site/index.m3u8")
    assert found["duration_s"] == 6
    again = mmcodec("segment", clip, "-o", tmp_path / "site")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)


def test_play_writes_a_file_or_a_pipe(clip, tmp_path):
    with served([clip], tmp_path) as url:
        target = tmp_path / "played.mp4"
        done = mmcodec("play", f"{url}/clip.m3u8", "-o", target, "--json")
        found = json.loads(done.stdout)
        assert found["duration_s"] == pytest.approx(6, abs=0.1)
        assert found["received_bytes"] > clip.stat().st_size
        assert target.exists()
        command = [sys.executable, "-m", "mmcodec", "play", f"{url}/clip.m3u8", "-o", "-"]
        piped = subprocess.run(command, capture_output=True)
    assert piped.stdout.startswith(b"\x1aE\xdf\xa3")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("play", "http://127.0.0.1:9/x.m3u8", "-o", "x.txt"), "choose one of"),
        (("serve", "none.mmc"), "no such file"),
        (("serve", "x", "--link", "fast"), "no bit rate"),
        (("demo", "none.mp4", "--no-browser"), "no such file"),
        (("encode", "clip.mp4", "--live"), "folder"),
        (("encode", "clip.mp4", "--live", "-o", "x", "--rates", "fast"), "no bit rate"),
        (("encode", "clip.mp4", "--live", "-o", "x", "--bitrate", "2k"), "--rates"),
    ],
)
def test_what_cannot_be_is_said(words, says, tmp_path):
    done = mmcodec(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_token_has_to_be_set(clip):
    done = mmcodec("serve", clip, "--token")
    assert done.returncode == 2
    assert "MMCODEC_TOKEN" in done.stderr


def test_ctrl_c_stops_a_receiver_that_waits(clip, tmp_path):
    """The origin is gone for good, and the receiver would try for a minute."""
    target = tmp_path / "played.mp4"
    with served([clip], tmp_path, link=Link(1000)) as url:
        command = [sys.executable, "-m", "mmcodec", "play", f"{url}/clip.m3u8", "-o", str(target)]
        process = subprocess.Popen(command)
        time.sleep(3)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert not target.exists()


def test_ctrl_c_ends_the_page_at_once_though_it_is_watched(clip, tmp_path):
    with served([clip], tmp_path, link=Link(1000)) as url:
        command = [sys.executable, "-m", "mmcodec", "play", f"{url}/clip.m3u8", "--no-browser"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        page = re.search(r"http://[\d.:]+", process.stderr.readline())[0]
        with httpx2.stream("GET", f"{page}/events") as answer:
            assert next(answer.iter_lines()).startswith("data:")
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in said
