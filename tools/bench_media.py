"""Media files for the benchmarks: which there are, and their sound."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from mmcodec.media.demux import DemuxSettings, open_media
from mmcodec.media.feeds import Sound

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus", ".m4a")
VIDEOS = (".mp4", ".mkv", ".webm", ".mov", ".mpg", ".avi")


def files(places: Sequence[Path], suffixes: Collection[str]) -> list[Path]:
    """The files of these kinds among ``places`` and in the folders among them."""
    found = []
    for place in places:
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        found += [path for path in inside if path.suffix.lower() in suffixes]
    return found


def show(rows: Sequence[Any], as_json: bool, table: Callable[[Any], Table]) -> None:
    """Print rows (data classes): as JSON, or as a table."""
    if as_json:
        print(json.dumps([asdict(one) for one in rows], indent=2))
    else:
        Console().print(table(rows))


def sound_of(path: Path, sample_rate: int, read_rate: int = 24_000) -> NDArray[np.float32]:
    """A file's sound (channels, n), read as the codec does or at another rate."""
    with open_media(path, DemuxSettings(video=False, sample_rate=read_rate)) as media:
        track = media.info.audio
        blocks = [item.samples for item in media.read() if isinstance(item, Sound)]
    if track is None or not blocks:
        return np.zeros((1, 0), np.float32)
    samples = np.concatenate(blocks).T
    return np.asarray(
        librosa.resample(samples, orig_sr=track.sample_rate, target_sr=sample_rate), np.float32
    )
