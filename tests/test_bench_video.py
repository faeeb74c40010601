"""The benchmark of the picture: its curves, and the peers it tries."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT, scene

sys.path.insert(0, str(ROOT / "tools"))
bench_video = pytest.importorskip("bench_video", reason="the extra bench is not installed")
video_peers = pytest.importorskip("video_peers")


def points(rates, best=0.6):
    return [
        bench_video.Point("a codec", "", rate, best + 0.05 * np.log2(rate), 20.0, 20.0)
        for rate in rates
    ]


def test_half_the_bytes_at_equal_quality_is_minus_fifty_percent():
    peer = points([300, 700, 2000, 6000])
    ours = [replace(p, bit_rate=p.bit_rate / 2) for p in peer]
    assert bench_video.compared(peer, ours, "ssim") == pytest.approx(-50, abs=0.5)
    assert bench_video.compared(peer, peer, "ssim") == pytest.approx(0, abs=1e-6)
    assert bench_video.compared(peer, ours, "psnr") is None


def test_only_points_that_none_beats_count():
    worse = [replace(p, ssim=p.ssim - 0.2) for p in points([500, 1500])]
    whole = points([300, 1000, 3000])
    assert bench_video.front([*worse, *whole], "ssim") == whole


def test_weighted_psnr_falls_with_the_error():
    frame = scene(1, 0)
    compare = bench_video.Weighted(frame).compare
    values = [compare(frame, np.clip(frame + np.uint8(off), 0, 255)) for off in (0, 2, 9)]
    assert values[0] == 100 > values[1] > values[2]


@pytest.mark.parametrize("peer", [video_peers.SVT_AV1, video_peers.X265], ids=lambda p: p.name)
def test_a_peer_shows_the_clip_at_its_raster_in_at_most_the_bytes(peer):
    frames = [scene(1, i, (320, 180)) for i in range(24)]
    moments = [3, 14]
    tried = list(video_peers.trials(peer, frames, 24.0, moments, 900))
    assert len(tried) > 3
    for trial in tried:
        assert trial.bytes <= 900
        assert [picture.shape for picture in trial.held + trial.blended] == 4 * [(180, 320, 3)]
    finest = min(tried, key=lambda one: np.abs(frames[3] - one.blended[0].astype(float)).mean())
    assert np.abs(frames[3] - finest.blended[0].astype(float)).mean() < 20
