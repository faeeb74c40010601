"""Time models of real size: shots one after another beside batched and compiled.

Weights are random (``real_size_models.py``): speed and memory do not depend on what they are. Each
way makes the same cues through the backends that a decode uses; the first call, which loads and
compiles, is not counted. Figures need a CUDA device; without one they are missing. The backends of
sound take one segment at a time.

    python tools/bench_models.py wan sdxl-turbo musicgen whisper --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from real_size_models import BUILDERS
from rich.console import Console
from rich.table import Table

from mmcodec.captioning.transcribers import Whisper
from mmcodec.registry import ModelSettings
from mmcodec.synthesis.diffusion_video import DiffusionVideo
from mmcodec.synthesis.keyframes import KeyframeAnimation
from mmcodec.synthesis.musicgen import MusicGen
from mmcodec.timeline import AudioTrack, Cue, Prompt, Segment, SegmentKind, Shot, VideoTrack

WAYS = {"one by one": (1, False), "batched": (4, False), "compiled": (1, True), "both": (4, True)}
PROMPT = Prompt("a dog runs along the beach at sunset, waves break behind it, film")


@dataclass(frozen=True)
class Row:
    """One way of making one model's cues; None where it could not be measured."""

    model: str
    way: str
    seconds_per_output_second: float | None = None
    peak_gib: float | None = None
    why_missing: str | None = None


def bench(model: str, device: str, small: bool, shots: int) -> Iterator[Row]:
    """The rows of a model."""
    ways = {"one by one": WAYS["one by one"]} if model in SOUND else WAYS
    if device.startswith("cuda") and not torch.cuda.is_available():
        yield from (Row(model, way, why_missing="there is no CUDA device") for way in ways)
        return
    with tempfile.TemporaryDirectory() as folder:
        BUILDERS[model](Path(folder), small)
        for way, (batch, compiled) in ways.items():
            settings = ModelSettings(folder, device=device, batch=batch, compiled=compiled)
            work = SOUND.get(model, picture)(model, settings, small, shots)
            yield measured(model, way, work)


def measured(model: str, way: str, work: Iterator[float]) -> Row:
    """Time each step of ``work``, which gives the seconds of output that it made."""
    next(work)
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    started, made = time.perf_counter(), sum(work)
    if on_gpu:
        torch.cuda.synchronize()
    taken = time.perf_counter() - started
    return Row(
        model, way, taken / made, torch.cuda.max_memory_allocated() / 2**30 if on_gpu else None
    )


def picture(model: str, settings: ModelSettings, small: bool, shots: int) -> Iterator[float]:
    """Shots of 81 frames at 832x480 by Wan, stills of 512x512 that move 81 frames by SDXL-Turbo."""
    size, frames = ((64, 64), 5) if small else ((832, 480) if model == "wan" else (512, 512), 81)
    track = VideoTrack(*size, Fraction(16))
    backend = DiffusionVideo(settings) if model == "wan" else KeyframeAnimation(settings)
    for first in (0, shots):  # the first time warms up
        cues = [
            Cue(Shot(at * frames, (at + 1) * frames), PROMPT) for at in range(first, first + shots)
        ]
        backend.prepare(cues if settings.batch > 1 else [], track)
        for cue in cues:
            for _ in backend.render(cue, track):
                pass
            if first:
                yield frames / 16
        if not first:
            yield 0.0


def music(model: str, settings: ModelSettings, small: bool, shots: int) -> Iterator[float]:
    """Segments of 10 s."""
    seconds = 1 if small else 10
    track, backend = AudioTrack(32_000, 1), MusicGen(settings)
    for at in range(shots + 1):
        cue = Cue(Segment(at * 500, (at + 1) * 500, SegmentKind.MUSIC), PROMPT)
        backend.render(cue, track, seconds * track.sample_rate)
        yield float(seconds)


def speech(model: str, settings: ModelSettings, small: bool, shots: int) -> Iterator[float]:
    """Segments of 30 s, of noise."""
    seconds, backend = 30, Whisper(settings)
    noise = np.random.default_rng(0).normal(0, 0.1, seconds * 16_000).astype(np.float32)
    for _ in range(shots + 1):
        backend.transcribe(noise, 16_000)
        yield float(seconds)


SOUND = {"musicgen": music, "whisper": speech}


def table(rows: list[Row]) -> Table:
    """The rows for people."""
    made = Table("model", "way", "s / output s", "peak GiB")
    for row in rows:
        missing = row.why_missing or "-"
        time_s, peak = row.seconds_per_output_second, row.peak_gib
        made.add_row(
            row.model,
            row.way,
            missing if time_s is None else f"{time_s:.2f}",
            "-" if peak is None else f"{peak:.1f}",
        )
    return made


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help=f"of {', '.join(BUILDERS)} (default: all)")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--shots", type=int, default=4)
    parser.add_argument("--small", action="store_true", help="tiny models, to try the tool")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    unknown = set(options.models) - set(BUILDERS)
    if unknown:
        sys.exit(f"there is no {', '.join(sorted(unknown))}; known: {', '.join(BUILDERS)}")
    models = options.models or list(BUILDERS)
    rows = [
        row
        for model in models
        for row in bench(model, options.device, options.small, options.shots)
    ]
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        Console().print(table(rows))


if __name__ == "__main__":
    main()
