"""What several tests need: small media made on the spot, the samples, and real clips if there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mmcodec.descriptors import sketch
from mmcodec.descriptors.av1 import encode_av1
from mmcodec.descriptors.camera_path import CameraPath
from mmcodec.media.mux import MediaWriter
from mmcodec.timeline import AudioTrack, VideoTrack

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"
REAL_MEDIA = ROOT.parent / "shared" / "media"


@pytest.fixture(scope="session")
def real_media() -> Path:
    """The folder of real clips, which a checkout may or may not have beside it."""
    if not REAL_MEDIA.is_dir():
        pytest.skip(f"real clips are not at {REAL_MEDIA}")
    return REAL_MEDIA


def scene(number: int, frame: int, size: tuple[int, int] = (128, 72)) -> np.ndarray:
    """A frame of synthetic scene ``number``: a textured ground and a disc that moves over it."""
    width, height = size
    rng = np.random.default_rng(number)
    coarse = rng.integers(30, 226, (5, 8, 3))
    ground = np.kron(coarse, np.ones((-(-height // 5), -(-width // 8), 1)))[:height, :width]
    rows, columns = np.mgrid[0:height, 0:width]
    centre = (width * (0.2 + 0.015 * frame)) % width
    disc = (columns - centre) ** 2 + (rows - height / 2) ** 2 < (height / 6) ** 2
    return np.where(disc[..., None], 255 - coarse[0, 0], ground).astype(np.uint8)


def evenly_sketched(frames, size, crf, mode, duration=48) -> bytes:
    """A sketch of RGB frames (n, height, width, 3) that are shown evenly in a shot."""
    times = sketch.even_times(len(frames), duration)
    pan = CameraPath(np.array([[0, 0, 0, 0], [30, 5, 4, 0]]), duration - 1)
    path = pan if mode is sketch.TemporalMode.CAMERA else None
    return sketch.encode(encode_av1(frames, size, crf), times, duration, mode, path=path)


def tone(seconds: float, sample_rate: int, hz: float = 220.0) -> np.ndarray:
    """A quiet tone with two overtones, float32 (n, 1)."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    waves = sum(np.sin(2 * np.pi * hz * k * time) / k for k in (1, 2, 3))
    return (0.15 * waves).astype(np.float32)[:, None]


def scenes(count: int, frames: int, size: tuple[int, int] = (128, 72)) -> Iterator[np.ndarray]:
    """``count`` scenes of ``frames`` frames each, joined by cuts."""
    return (scene(number, i, size) for number in range(count) for i in range(frames))


MakeClip = Callable[..., Path]


@pytest.fixture(scope="session")
def make_clip(tmp_path_factory: pytest.TempPathFactory) -> MakeClip:
    """Writes a clip of synthetic scenes with a tone, and returns its path."""

    def make(
        name: str = "clip.mp4",
        shots: int = 2,
        frames: int = 30,
        size: tuple[int, int] = (128, 72),
        rate: int = 25,
        sound: bool = True,
        picture: bool = True,
    ) -> Path:
        path = tmp_path_factory.mktemp("media") / name
        video = VideoTrack(*size, Fraction(rate)) if picture else None
        audio = AudioTrack(24_000, 1) if sound else None
        with MediaWriter(path, path.suffix, video, audio) as media:
            for pixels in scenes(shots, frames, size) if picture else ():
                media.picture(pixels)
            if sound:
                media.sound(tone(shots * frames / rate, 24_000))
        return path

    return make


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command as a user does, in a process of its own."""

    def run_command(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mmcodec", *map(str, arguments)]
        options.setdefault("text", True)
        return subprocess.run(command, capture_output=True, check=False, timeout=300, **options)

    return run_command


def read_media(path: Path) -> tuple[list[tuple[Fraction, np.ndarray]], np.ndarray, int]:
    """The frames of a file with their times, its samples (n, channels), and their rate."""
    frames, blocks, rate = [], [np.zeros((0, 1))], 0
    to_float = av.AudioResampler(format="fltp")
    with av.open(str(path)) as container:
        streams = [*container.streams.video, *container.streams.audio]
        for frame in container.decode(streams):
            if isinstance(frame, av.VideoFrame):
                time = frame.pts * frame.time_base
                frames.append((time, frame.to_ndarray(format="rgb24")))
            else:
                blocks += [converted.to_ndarray().T for converted in to_float.resample(frame)]
                rate = frame.sample_rate
    return frames, np.concatenate(blocks[1:] or blocks), rate
