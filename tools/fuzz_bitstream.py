"""Mutated streams, of which nothing but MMCodecError may come: ``python tools/fuzz_bitstream.py``.

Seeds are the conformance vectors, and two samples that are encoded on the spot. Each mutated stream
is read and its descriptors are decoded. One that raises anything else, takes over a second or lets
the process grow by over 256 MB is a violation: its bytes are written to a file, the exit code is 1.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import track as progress_bar
from rich.table import Table
from stream_mutations import streams

from mmcodec.bitstream.reader import StreamReader
from mmcodec.bitstream.syntax import time_base_of
from mmcodec.descriptors import look, opus, sketch, sound, vocoder, voice
from mmcodec.errors import BitstreamError, MMCodecError
from mmcodec.timeline import Cue, Layer

ROOT = Path(__file__).parents[1]
VECTORS = ROOT / "tests" / "vectors"
SAMPLES = ROOT / "samples"
MAX_SECONDS = 1.0
MAX_MEGABYTES = 256.0
_HANGS_AFTER_S = 20


class HangError(BaseException):
    """A stream took so long that it was given up."""


# --- what is done with a stream -------------------------------------------------------------------


def attempt(data: bytes) -> str:
    """Read a stream and decode its descriptors: "read", or the first error in a few words."""
    outcome = "read"
    try:
        reader = StreamReader(io.BytesIO(data), conceal=True)
        for packet in reader.cues():
            time_base = time_base_of(reader.header, packet.cue.track) or Fraction(1)
            seconds = float(packet.cue.span.duration * time_base)
            for layer, code in packet.cue.descriptors.items():
                outcome = _describe(layer, code, seconds, packet.cue) or outcome
    except MMCodecError as error:
        return kind_of(error)
    return outcome


def kind_of(error: MMCodecError) -> str:
    """The message without its numbers and details, so that errors can be counted."""
    reason = error.reason if isinstance(error, BitstreamError) else str(error)
    return re.sub(r"\d[\d.]*(e[+-]?\d+)?", "N", re.sub(r" \(.*\)", "", reason))


def _describe(layer: Layer, code: bytes, seconds: float, cue: Cue) -> str:
    """Decode one descriptor; its error, or nothing."""
    try:
        if layer is Layer.LOOK:
            look.decode(code)
        elif layer is Layer.SKETCH:
            sketch.decode(code, cue.span.duration)
        elif layer is Layer.SOUND:
            sound.decode(code, seconds)
        elif layer is Layer.VOICE:
            voice.decode(code, cue.spoken, seconds)
        elif layer is Layer.VOCODER:
            vocoder.decode(code, seconds)
        elif layer is Layer.OPUS:
            opus.decode(code, seconds, 24_000, round(seconds * 24_000))
    except MMCodecError as error:
        return kind_of(error)
    return ""


# --- where the streams come from ------------------------------------------------------------------


def vector_seeds() -> list[bytes]:
    """The conformance vectors; the valid ones three times, for there is more in them."""
    files = sorted(VECTORS.glob("*.mmc"))
    valid = [file.read_bytes() for file in files if not file.stem.startswith("invalid-")]
    invalid = [file.read_bytes() for file in files if file.stem.startswith("invalid-")]
    return 3 * valid + [data for data in invalid if data]


def encoded_seeds() -> list[bytes]:
    """A real voice and a real picture; coded by another process, for memory is measured here."""
    seeds = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("note.wav", "photo.png"):
            target = Path(folder) / f"{name}.mmc"
            files = [str(SAMPLES / name), "-o", str(target)]
            command = [sys.executable, "-m", "mmcodec", "encode", *files]
            subprocess.run(command, check=True, capture_output=True)
            seeds.append(target.read_bytes())
    return seeds


# --- the account ----------------------------------------------------------------------------------


@dataclass
class Findings:
    """What became of the streams."""

    count: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[str, bytes]] = field(default_factory=list)
    slowest_ms: float = 0.0
    slowest: bytes = b""
    peak_mb: float = 0.0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """The figures, without the bytes of violations."""
        return {
            "count": self.count,
            "violations": [f"{reason}: {data[:40].hex()}" for reason, data in self.violations],
            "streams_per_second": round(self.count / max(self.seconds, 1e-9)),
            "slowest_ms": round(self.slowest_ms, 1),
            "slowest_stream": self.slowest[:40].hex(),
            "peak_mb": round(self.peak_mb, 1),
            "outcomes": dict(self.outcomes.most_common()),
        }


def _megabytes() -> float:
    """The most memory that this process has ever had; macOS counts bytes, Linux kilobytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _give_up(_signal: int, _frame: FrameType | None) -> None:
    raise HangError


def timed(data: bytes) -> tuple[str, float, bool]:
    """The outcome of a stream, how many seconds it took, and whether anything escaped."""
    start, escaped = time.perf_counter(), False
    signal.alarm(_HANGS_AFTER_S)
    try:
        outcome = attempt(data)
    except (Exception, HangError) as error:
        outcome, escaped = f"{type(error).__name__}: {error}", True
    signal.alarm(0)
    return outcome, time.perf_counter() - start, escaped


def examine(inputs: Iterable[bytes], seeds: Sequence[bytes]) -> Findings:
    """Try all ``inputs``; the memory that ``seeds`` take is not counted as growth."""
    for seed in seeds:
        attempt(seed)
    findings, before = Findings(), _megabytes()
    signal.signal(signal.SIGALRM, _give_up)
    for data in inputs:
        grown = findings.peak_mb
        outcome, seconds, escaped = timed(data)
        if seconds > MAX_SECONDS and not escaped:
            # Something else may have had the core: only what is slow twice is slow.
            seconds = min(seconds, timed(data)[1])
        if escaped:
            findings.violations.append((outcome, data))
        findings.count += 1
        findings.outcomes[outcome] += 1
        findings.seconds += seconds
        if 1000 * seconds > findings.slowest_ms:
            findings.slowest_ms, findings.slowest = 1000 * seconds, data
        findings.peak_mb = max(grown, _megabytes() - before)
        if seconds > MAX_SECONDS:
            findings.violations.append((f"took {seconds:.1f} s", data))
        if findings.peak_mb > MAX_MEGABYTES >= grown:
            findings.violations.append((f"took {findings.peak_mb:.0f} MB", data))
    return findings


def show(findings: Findings) -> None:
    """Print the figures as tables."""
    figures = findings.as_dict()
    table = Table("streams", "violations", "streams/s", "slowest ms", "peak MB")
    table.add_row(
        *(str(figures["count"]), str(len(findings.violations))),
        *(str(figures[name]) for name in ("streams_per_second", "slowest_ms", "peak_mb")),
    )
    outcomes = Table("outcome", "streams")
    for name, times in findings.outcomes.most_common():
        outcomes.add_row(name, str(times))
    Console().print(outcomes, table)


def main() -> int:
    """Fuzz, print, and write the bytes of what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="how many streams")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    seeds = vector_seeds() + encoded_seeds()
    console = Console(stderr=True)
    inputs = progress_bar(
        streams(seeds, chosen.count, chosen.seed),
        "mutating",
        chosen.count,
        console=console,
        disable=not console.is_terminal,
    )
    findings = examine(inputs, seeds)
    if chosen.json:
        print(json.dumps(findings.as_dict(), indent=1))
    else:
        show(findings)
    for number, (reason, data) in enumerate(findings.violations):
        file = Path(f"violation-{chosen.seed}-{number}.mmc")
        file.write_bytes(data)
        print(f"{file}: {reason}", file=sys.stderr)
    return 1 if findings.violations else 0


if __name__ == "__main__":
    sys.exit(main())
