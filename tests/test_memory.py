"""Memory does not grow with the length of the input: measured in processes of their own."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from conftest import scene, tone

from mmcodec.media.mux import MediaWriter
from mmcodec.timeline import AudioTrack, VideoTrack

RATE, SIZE = 12, (160, 96)
# Not getrusage: between fork and exec a child has its parent's memory, and that counts there.
MEASURE = """
import json, pathlib, re, sys, mmcodec
work, source, target = sys.argv[1:]
settings = mmcodec.EncodeSettings(effort=mmcodec.Effort.FAST) if work == "encode" else None
report = getattr(mmcodec, work)(source, target, settings)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]
print(json.dumps({"peak_mib": int(peak) / 1024, "seconds": report.stream.duration_s}))
"""


def synthetic(path: Path, minutes: float) -> Path:
    """A clip of scenes of 7 s with a tone that changes, written piece by piece."""
    with MediaWriter(
        path, path.suffix, VideoTrack(*SIZE, Fraction(RATE)), AudioTrack(24_000, 1)
    ) as media:
        for number in range(round(minutes * 60 / 7)):
            for frame in range(7 * RATE):
                media.picture(scene(number % 50, frame, SIZE))
            media.sound(tone(7, 24_000, 110 + 20 * (number % 10)))
    return path


pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc"
)


def measure(work: str, source: Path, target: Path) -> dict[str, float]:
    command = [sys.executable, "-c", MEASURE, work, str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def peaks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory")
    found = {}
    for minutes in (1, 3):
        clip = synthetic(folder / f"{minutes}.mkv", minutes)
        stream = folder / f"{minutes}.mmc"
        found["encode", minutes] = measure("encode", clip, stream)
        found["decode", minutes] = measure("decode", stream, folder / f"{minutes}.mp4")
    return found


@pytest.mark.parametrize("work", ["encode", "decode"])
def test_three_minutes_take_no_more_memory_than_one(peaks, work):
    short, long = peaks[work, 1], peaks[work, 3]
    assert np.isclose(long["seconds"], 180, atol=7)
    assert long["peak_mib"] < short["peak_mib"] + 60
    assert long["peak_mib"] < 700
