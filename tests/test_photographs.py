"""A photograph beside JPEG, WebP and AVIF."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import mmcodec
from mmcodec.errors import UsageError

SAMPLES = Path(__file__).parents[1] / "samples"


def test_other_codecs_take_more_bytes_to_be_as_near():
    stream = io.BytesIO()
    report = mmcodec.encode(SAMPLES / "photo.png", stream, mmcodec.EncodeSettings(most_bytes=600))
    stream.seek(0)
    ours, *peers = mmcodec.compare_photograph(SAMPLES / "photo.png", stream)
    assert (ours.codec, ours.bytes) == ("mmcodec", report.stream.bytes)
    assert {peer.codec for peer in peers} == {"JPEG", "WebP", "AVIF"}
    for peer in peers:
        assert peer.bytes > ours.bytes
        assert ours.ssim <= peer.ssim < ours.ssim + 0.02
        assert abs(peer.psnr - ours.psnr) < 3


def test_a_clip_is_no_photograph(tmp_path, make_clip):
    clip = make_clip("clip.mkv", 1, 6, (64, 64), sound=False)
    stream = io.BytesIO()
    mmcodec.encode(clip, stream)
    stream.seek(0)
    with pytest.raises(UsageError, match="only photographs"):
        mmcodec.compare_photograph(clip, stream)


def test_the_benchmark_prints_a_row_a_photograph_and_size():
    tool = Path(__file__).parents[1] / "tools" / "bench_photographs.py"
    command = [sys.executable, str(tool), str(SAMPLES / "photo.png"), "--bytes", "200", "700"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)
    assert [row["most"] for row in rows] == [200, 700]
    assert all(row["most"] / 2 < row["bytes"] <= row["most"] for row in rows)
    assert rows[0]["ssim"] < rows[1]["ssim"]
    assert all(row["bytes"] < row["webp"] < row["jpeg"] for row in rows)
