"""Real clips, sounds and photographs, encoded and decoded as a user would."""

import csv
from fractions import Fraction

import numpy as np
import pytest
from conftest import REAL_MEDIA, read_media

import mmcodec
from mmcodec.analysis.similarity import ssim
from mmcodec.analysis.sound import loudness_lufs
from mmcodec.timeline import SegmentKind, TrackKind


def listed(kind):
    """Files of a kind in the manifest, if there is one."""
    manifest = REAL_MEDIA / "manifest.csv"
    if not manifest.exists():
        return [pytest.param(None, marks=pytest.mark.skip(f"real clips are not at {REAL_MEDIA}"))]
    with manifest.open() as file:
        return [
            pytest.param(row, id=row["file"]) for row in csv.DictReader(file) if row["kind"] == kind
        ]


@pytest.mark.parametrize("row", listed("video"))
def test_videos(row, tmp_path):
    source = REAL_MEDIA / row["file"]
    fast = mmcodec.EncodeSettings(effort=mmcodec.Effort.FAST)
    stream = mmcodec.encode(source, tmp_path / "a.mmc", fast).stream
    assert stream.bit_rate <= 3000
    shots = len(stream.timeline.on(TrackKind.VIDEO))
    cuts = int(row["shots"].split()[0])
    assert abs(shots - 1 - cuts) <= 2 + float(row["duration_s"]) // 10  # long takes are split
    target = tmp_path / "a.mp4"
    mmcodec.decode(tmp_path / "a.mmc", target)
    originals, decoded = read_media(source), read_media(target)
    assert abs(len(originals[0]) - len(decoded[0])) <= 1
    frame = 1 / stream.header.video.frame_rate
    start = originals[0][0][0]
    assert abs((originals[0][-1][0] - start) - decoded[0][-1][0]) <= frame + Fraction(1, 1000)
    if len(originals[1]):
        lengths = [len(samples) / rate for _, samples, rate in (originals, decoded)]
        assert abs(lengths[0] - lengths[1]) < 0.15  # frames of the audio codecs on both sides
    pairs = list(zip(originals[0], decoded[0], strict=False))[:: len(decoded[0]) // 9]
    assert np.mean([ssim(shrink(a[1]), shrink(b[1])) for a, b in pairs]) > 0.35


def shrink(pixels):
    import cv2

    return cv2.resize(pixels, (160, 90), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("row", listed("speech") + listed("music") + listed("sound"))
def test_sounds(row, tmp_path):
    source = REAL_MEDIA / row["file"]
    stream = mmcodec.encode(source, tmp_path / "a.mmc").stream
    assert stream.bit_rate <= 1000
    kinds = dict.fromkeys(SegmentKind, 0)
    for cue in stream.timeline.on(TrackKind.AUDIO):
        kinds[cue.span.kind] += cue.span.duration
    heard = {kind: ticks for kind, ticks in kinds.items() if kind is not SegmentKind.SILENCE}
    assert max(heard, key=heard.get).name.lower() == row["kind"]
    mmcodec.decode(tmp_path / "a.mmc")
    (_, original, rate), (_, decoded, decoded_rate) = (
        read_media(path) for path in (source, tmp_path / "a.decoded.wav")
    )
    assert abs(len(original) / rate - len(decoded) / decoded_rate) <= 0.011
    level = loudness_lufs(original.astype(np.float32), rate)
    assert abs(level - loudness_lufs(decoded.astype(np.float32), decoded_rate)) < 1


@pytest.mark.parametrize("row", listed("image"))
def test_photographs(row, tmp_path):
    source = REAL_MEDIA / row["file"]
    stream = mmcodec.encode(source, tmp_path / "a.mmc").stream
    assert stream.header.video.still
    assert stream.bytes < 1000
    mmcodec.decode(tmp_path / "a.mmc")
    (original, *_), (decoded, *_) = (read_media(p)[0] for p in (source, tmp_path / "a.decoded.png"))
    assert original[1].shape == decoded[1].shape
    assert ssim(shrink(original[1]), shrink(decoded[1])) > 0.3
