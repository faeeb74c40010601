"""Load an origin with many receivers at once: are all bytes right, and how long do answers take?

The origin is ``mmcodec serve`` in a process of its own; the receivers share another, so that on a
small machine their work counts in the times, too. Each receiver has a connection of its own, reads
the playlist and then a segment whenever one would be due, with all of them compared to the files.

    python tools/load_origin.py clip.mmc --receivers 500 --seconds 60
    python tools/load_origin.py clip.mmc --json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx2
import numpy as np
from rich.console import Console
from rich.table import Table

import mmcodec
from mmcodec.streaming.playlist import MediaPlaylist, parse_playlist

RAMP_S = 5.0
"""Receivers come one after the other for so long."""
TIMEOUT_S = 30.0


@dataclass
class Load:
    """What was seen: bytes, wrong or failed answers, latencies in milliseconds, memory in MiB."""

    receivers: int
    seconds: float = 0.0
    requests: int = 0
    bytes: int = 0
    wrong: int = 0
    failed: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    most_ms: float = 0.0
    memory_mib: list[float] = field(default_factory=list)
    """Of the origin: before, halfway, and at the end."""


async def receive(url: str, folder: Path, until: float, load: Load, times: list[float]) -> None:
    """One receiver, for as long as the test lasts: the stream again and again, in real time."""

    async def fetch(client: httpx2.AsyncClient, name: str) -> bytes:
        started = time.perf_counter()
        try:
            answer = await client.get(f"{url}/{name}")
            right = answer.status_code == 200 and answer.content == (folder / name).read_bytes()
            load.wrong += not right
            load.bytes += len(answer.content)
            data = answer.content
        except httpx2.HTTPError:
            load.failed += 1
            data = b""
        times.append(time.perf_counter() - started)
        load.requests += 1
        return data

    await asyncio.sleep(random.uniform(0, RAMP_S))
    # Without TLS, certificates need not be read: that takes longer than all the rest.
    async with httpx2.AsyncClient(timeout=TIMEOUT_S, verify=False) as client:
        while time.monotonic() < until:
            text = await fetch(client, "index.m3u8")
            playlist = parse_playlist(text.decode()) if text else None
            if not isinstance(playlist, MediaPlaylist):
                await asyncio.sleep(1)
                continue
            await fetch(client, playlist.map_uri)
            for entry in playlist.entries:
                await fetch(client, entry.uri)
                if time.monotonic() > until:
                    return
                await asyncio.sleep(entry.duration_s)


def memory_mib(process: int) -> float:
    """What a process has in memory now."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    return round(int(found[1]) / 1024, 1) if found else float("nan")


async def run(url: str, folder: Path, origin: int, load: Load, seconds: float) -> None:
    """All receivers at once."""
    times: list[float] = []
    started = time.monotonic()
    until = started + seconds
    load.memory_mib.append(memory_mib(origin))
    tasks = [
        asyncio.create_task(receive(url, folder, until, load, times)) for _ in range(load.receivers)
    ]
    await asyncio.sleep(seconds / 2)
    load.memory_mib.append(memory_mib(origin))
    await asyncio.gather(*tasks)
    load.memory_mib.append(memory_mib(origin))
    load.seconds = round(time.monotonic() - started, 1)
    milliseconds = 1000 * np.array(times)
    load.p50_ms, load.p99_ms = (round(float(np.percentile(milliseconds, q)), 1) for q in (50, 99))
    load.most_ms = round(float(milliseconds.max()), 1)


def table(load: Load) -> Table:
    """The result for a person."""
    result = Table(title=f"{load.receivers} receivers of an origin on this machine")
    result.add_column("what")
    result.add_column("", justify="right")
    answers = f"{load.requests} ({load.requests / load.seconds:.0f}/s), {load.bytes} bytes"
    result.add_row("answers", answers)
    result.add_row("wrong, failed", f"{load.wrong}, {load.failed}")
    result.add_row("latency p50, p99, most", f"{load.p50_ms}, {load.p99_ms}, {load.most_ms} ms")
    memory = ", ".join(f"{one:.0f}" for one in load.memory_mib)
    result.add_row("memory of the origin: before, halfway, at the end", f"{memory} MiB")
    return result


def main() -> int:
    """Run it; 1 if an answer was wrong or failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stream", type=Path, help="a .mmc stream")
    parser.add_argument("--receivers", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 8192), hard), hard))
    load = Load(options.receivers)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mmcodec.segment([options.stream], folder, segment_s=4)
        command = [sys.executable, "-m", "mmcodec", "serve", name, "--port", "0"]
        limits = ["--requests", "0", "--connections", str(2 * options.receivers)]
        with subprocess.Popen(
            [*command, *limits], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as origin:
            found = re.search(r"http://[\d.:]+", origin.stderr.readline() if origin.stderr else "")
            if found is None:
                raise SystemExit("the origin did not start")
            time.sleep(1)
            try:
                asyncio.run(run(found[0], folder, origin.pid, load, options.seconds))
            finally:
                origin.terminate()
    if options.json:
        print(json.dumps(asdict(load)))
    else:
        Console().print(table(load))
    return int(bool(load.wrong or load.failed))


if __name__ == "__main__":
    sys.exit(main())
