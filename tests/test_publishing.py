"""Publishing: streams cut into segments, and a source that goes on and on."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from fractions import Fraction
from pathlib import Path

import av
import pytest
from conftest import scene, tone
from streams import stream

import mmcodec
from mmcodec.errors import BitstreamError, MediaError, UsageError
from mmcodec.streaming.playlist import MediaPlaylist, parse_playlist

FAST = mmcodec.EncodeSettings(effort=mmcodec.Effort.FAST, transcriber="none")
RATE = 12


def media(sink, seconds, pace=None):
    """Write Matroska as it comes: scenes of 5 s and a tone; ``pace`` is called every second."""
    with av.open(sink, "w", format="matroska", options={"live": "1"}) as out:
        video = out.add_stream("mpeg4", rate=RATE)
        video.width, video.height, video.pix_fmt = 128, 72, "yuv420p"
        audio = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = tone(1, 8000)[:, 0]
        for second in range(seconds):
            if pace:
                pace(second)
            for n in range(RATE):
                at = second * RATE + n
                frame = av.VideoFrame.from_ndarray(scene(second // 5, at % 60), "rgb24")
                frame.pts, frame.time_base = at, Fraction(1, RATE)
                out.mux(video.encode(frame.reformat(format="yuv420p")))
            samples = (sound * 32767).astype("int16")[None]
            block = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            block.sample_rate, block.pts = 8000, second * 8000
            out.mux(audio.encode(block))
        out.mux(video.encode(None))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("publishing") / "clip.mkv"
    media(str(path), 12)
    return path


def published(place: Path) -> MediaPlaylist:
    playlist = parse_playlist(place.read_text())
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def whole(folder: Path) -> io.BytesIO:
    """The stream whose segments are in a folder."""
    playlist = published(folder / "index.m3u8")
    names = [playlist.map_uri, *(entry.uri for entry in playlist.entries)]
    return io.BytesIO(b"".join((folder / name).read_bytes() for name in names) + b"\x2e")


def test_a_stream_is_cut_into_segments(tmp_path):
    (tmp_path / "clip.mmc").write_bytes(stream(6))
    report = mmcodec.segment([tmp_path / "clip.mmc"], tmp_path / "site", segment_s=4)
    assert report.playlist == str(tmp_path / "site/index.m3u8")
    assert report.duration_s == 12
    cues = [packet.cue for packet in mmcodec.probe(whole(tmp_path / "site")).packets]
    assert cues == [packet.cue for packet in mmcodec.probe(tmp_path / "clip.mmc").packets]


def test_several_streams_are_rates_of_one(tmp_path):
    for name in ("1k", "2k"):
        (tmp_path / f"{name}.mmc").write_bytes(stream(6))
    mmcodec.segment([tmp_path / "1k.mmc", tmp_path / "2k.mmc"], tmp_path / "site")
    variants = parse_playlist((tmp_path / "site/index.m3u8").read_text())
    assert [(one.name, one.uri) for one in variants] == [
        ("1k", "1k/index.m3u8"),
        ("2k", "2k/index.m3u8"),
    ]
    assert published(tmp_path / "site/2k/index.m3u8").ended


def test_streams_that_are_cut_otherwise_are_no_rates_of_one(tmp_path):
    for name, shots in (("1k", 6), ("2k", 4)):
        (tmp_path / f"{name}.mmc").write_bytes(stream(shots))
    with pytest.raises(UsageError, match="no rates of one clip"):
        mmcodec.segment([tmp_path / "1k.mmc", tmp_path / "2k.mmc"], tmp_path / "site")
    assert not (tmp_path / "site/index.m3u8").exists()


def test_a_folder_is_overwritten_only_by_force(tmp_path):
    (tmp_path / "clip.mmc").write_bytes(stream(3))
    mmcodec.segment([tmp_path / "clip.mmc"], tmp_path / "site")
    with pytest.raises(UsageError, match="--force"):
        mmcodec.segment([tmp_path / "clip.mmc"], tmp_path / "site")
    mmcodec.segment([tmp_path / "clip.mmc"], tmp_path / "site", segment_s=60, force=True)
    assert len(list((tmp_path / "site").glob("*.mms"))) == 1


def test_bad_streams_are_refused(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        mmcodec.segment([tmp_path / "none.mmc"], tmp_path / "site")
    (tmp_path / "cut.mmc").write_bytes(stream(3)[:-40])
    with pytest.raises(BitstreamError, match=r"cut\.mmc"):
        mmcodec.segment([tmp_path / "cut.mmc"], tmp_path / "other")


def test_all_rates_of_a_source_have_its_shots(clip, tmp_path):
    live = mmcodec.LiveSettings((1000, 3000, "prompt"), window_s=0)
    report = mmcodec.encode_live(clip, tmp_path / "site", FAST, live)
    variants = parse_playlist((tmp_path / "site/index.m3u8").read_text())
    assert [one.name for one in variants] == ["prompt", "1k", "3k"]
    sizes, spans = [], set()
    for one in variants:
        found = mmcodec.probe(whole(tmp_path / "site" / one.name))
        sizes.append(found.bytes)
        spans.add(tuple(packet.cue.span for packet in found.packets))
        assert found.duration_s == pytest.approx(12, abs=0.1)
    assert len(spans) == 1
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[1] / 1.5 < sizes[2] / 1.5
    assert report.segments_bytes == pytest.approx(sum(sizes), abs=10)


def test_shots_are_as_short_as_the_latency(clip, tmp_path):
    mmcodec.encode_live(clip, tmp_path, FAST, mmcodec.LiveSettings((1000,), latency_s=2))
    playlist = published(tmp_path / "index.m3u8")
    assert playlist.target_s == 3
    assert max(entry.duration_s for entry in playlist.entries) <= 2.5


@pytest.mark.parametrize("rates", [(), (1000, 1000), (500, 4000), ("fast",)])
def test_impossible_rates_are_refused(clip, tmp_path, rates):
    with pytest.raises(UsageError, match="rate"):
        mmcodec.encode_live(clip, tmp_path / "site", FAST, mmcodec.LiveSettings(rates))
    assert not (tmp_path / "site").exists()


def test_a_source_that_breaks_off_ends_its_playlist(tmp_path):
    with pytest.raises(MediaError):
        mmcodec.encode_live(io.BytesIO(b"no media"), tmp_path / "site", FAST)
    assert not (tmp_path / "site").exists()


def test_segments_are_there_while_the_pipe_still_grows(tmp_path):
    """Of a source that comes in real time: what was said a few seconds ago is published."""
    reading, writing = os.pipe()
    site, seen = tmp_path / "site", []

    def pace(second):
        time.sleep(1)
        seen.append((second, len(list(site.glob("*.mms")))))

    def feed():
        with os.fdopen(writing, "wb") as sink:
            media(sink, 16, pace)

    feeding = threading.Thread(target=feed)
    feeding.start()
    live = mmcodec.LiveSettings((1000,), latency_s=2)
    with os.fdopen(reading, "rb") as source:
        mmcodec.encode_live(source, site, FAST, live)
    feeding.join()
    assert dict(seen)[14] >= 1
    assert published(site / "index.m3u8").ended


def test_three_minutes_in_bounded_space(tmp_path):
    """As fast as it can be encoded: the window slides, and neither files nor memory add up."""
    reading, writing = os.pipe()
    site, files, memory = tmp_path / "site", [], []

    def pace(second):
        files.append(len(list(site.glob("1k/*.mms"))))
        memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20)

    def feed():
        with os.fdopen(writing, "wb") as sink:
            media(sink, 180, pace)

    feeding = threading.Thread(target=feed)
    feeding.start()
    live = mmcodec.LiveSettings((1000, "prompt"), window_s=12)
    with os.fdopen(reading, "rb") as source:
        report = mmcodec.encode_live(source, site, FAST, live)
    feeding.join()
    assert report.duration_s == pytest.approx(180, abs=0.5)
    assert 8 < max(files) < 20
    for name in ("1k", "prompt"):
        playlist = published(site / name / "index.m3u8")
        assert playlist.entries[0].number > 30
        assert sum(entry.duration_s for entry in playlist.entries) < 20
        assert len(list((site / name).glob("*.mms"))) <= 2 * len(playlist.entries) + 2
    assert max(memory[120:]) - max(memory[40:80]) < 60


def test_a_killed_encoder_leaves_whole_files(clip, tmp_path):
    site = tmp_path / "site"
    command = [sys.executable, "-m", "mmcodec", "encode", str(clip), "--live", "-o", str(site)]
    options = ["--preset", "fast", "--transcriber", "none", "--rates", "1k", "--window", "0"]
    process = subprocess.Popen([*command, *options])
    for _ in range(600):
        if (site / "index.m3u8").exists():
            break
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    cues = mmcodec.probe(whole(site)).packets
    assert cues
    for path in site.glob("[!.]*.mms"):
        checksum = path.stem.rsplit("-", 1)[1]
        assert f"{zlib.crc32(path.read_bytes()):08x}" == checksum


def test_ctrl_c_ends_the_playlist_though_the_source_says_nothing(clip, tmp_path):
    site = tmp_path / "site"
    command = [sys.executable, "-m", "mmcodec", "encode", "-", "--live", "-o", str(site)]
    options = ["--preset", "fast", "--transcriber", "none", "--rates", "1k", "--latency", "2"]
    process = subprocess.Popen([*command, *options], stdin=subprocess.PIPE)
    process.stdin.write(clip.read_bytes()[:-2000])
    process.stdin.flush()
    for _ in range(1200):
        if len(list(site.glob("*.mms"))) >= 3:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert published(site / "index.m3u8").ended
    assert mmcodec.probe(whole(site)).packets
