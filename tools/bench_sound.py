"""Measure music and effects at several bit rates beside Opus at 6 kbit/s.

Bytes are those of whole files. Decoded sound is compared with the source, mixed down: the harmony
by the strengths of the twelve semitones (1 is the same), the rhythm by onsets (F measure, 50 ms),
the colour by bands (mean distance in dB), the level by EBU R128 (LU too loud).

    python tools/bench_sound.py music/ --json
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from bench_media import SOUNDS, VIDEOS, files, show, sound_of
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

import mmcodec
from mmcodec.analysis.sound import loudness_lufs
from mmcodec.evaluation.hearing import chroma_similarity, log_mel_distance, onset_f

RATE, FULL_RATE = 24_000, 48_000
BIT_RATES = (80, 200, 500, 1000, 2000)
Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """One sound through one codec; None where there is nothing to measure."""

    sound: str
    codec: str
    bit_rate: float
    chroma: float
    onset_f: float | None
    log_mel_db: float
    too_loud_lu: float


def bench(path: Path) -> Iterator[Row]:
    """The rows of a sound: ours at each rate, then Opus."""
    original = sound_of(path, RATE)
    loudness = loudness_lufs(sound_of(path, FULL_RATE, FULL_RATE).T, FULL_RATE)
    seconds = original.shape[1] / RATE
    with tempfile.TemporaryDirectory() as folder:
        stream, decoded = Path(folder, "a.mmc"), Path(folder, "a.wav")
        for bit_rate in BIT_RATES:
            settings = mmcodec.EncodeSettings(video=False, sound_bit_rate=bit_rate)
            mmcodec.encode(path, stream, settings, force=True)
            mmcodec.decode(stream, decoded, force=True)
            size = stream.stat().st_size
            made = sound_of(decoded, RATE)
            yield row(path, f"mmcodec {bit_rate}", size * 8 / seconds, original, made, loudness)
        opus = Path(folder, "a.opus")
        encode_opus(path, opus)
        size = opus.stat().st_size
        yield row(path, "Opus 6k", size * 8 / seconds, original, sound_of(opus, RATE), loudness)


def row(
    path: Path, codec: str, bit_rate: float, original: Samples, decoded: Samples, loudness: float
) -> Row:
    """Compare ``decoded`` (channels, m) with ``original`` (channels, n), whose ``loudness`` is that
    of all it has.
    """
    decoded = np.repeat(decoded, len(original) // len(decoded), axis=0)
    a, b = original.mean(axis=0), decoded.mean(axis=0)
    return Row(
        path.name,
        codec,
        bit_rate,
        chroma_similarity(a, b, RATE),
        onset_f(a, b, RATE),
        log_mel_distance(a, b, RATE),
        loudness_lufs(decoded.T, RATE) - loudness,
    )


def encode_opus(source: Path, target: Path) -> None:
    """Mono, at Opus' lowest rate."""
    with av.open(source, "r") as given, av.open(target, "w", format="ogg") as out:
        stream = out.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = 6_000
        for frame in given.decode(audio=0):
            frame.pts = None
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def mean(codec: str, rows: list[Row]) -> Row:
    """A codec's means over all sounds."""
    mine = [one for one in rows if one.codec == codec]
    onsets = [one.onset_f for one in mine if one.onset_f is not None]
    return Row(
        "mean",
        codec,
        float(np.mean([one.bit_rate for one in mine])),
        float(np.mean([one.chroma for one in mine])),
        float(np.mean(onsets)) if onsets else None,
        float(np.mean([one.log_mel_db for one in mine])),
        float(np.mean([abs(one.too_loud_lu) for one in mine])),
    )


def table(rows: list[Row]) -> Table:
    """The rows for people."""
    made = Table("sound", "codec", "bit/s", "chroma", "onsets", "bands dB", "LU")
    for one in rows:
        made.add_row(
            one.sound,
            one.codec,
            f"{one.bit_rate:.0f}",
            f"{one.chroma:.3f}",
            "-" if one.onset_f is None else f"{one.onset_f:.2f}",
            f"{one.log_mel_db:.1f}",
            f"{one.too_loud_lu:+.1f}",
        )
    return made


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+", type=Path, metavar="PATH", help="sounds or folders")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    given = parser.parse_args()
    found = files(given.places, SOUNDS + VIDEOS)
    if not found:
        sys.exit("bench_sound: no sounds there")
    steps = track(found, "measuring", console=Console(stderr=True), transient=True)
    rows = [one for path in steps for one in bench(path)]
    rows += [mean(codec, rows) for codec in dict.fromkeys(one.codec for one in rows)]
    show(rows, given.json, table)


if __name__ == "__main__":
    main()
