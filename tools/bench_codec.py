"""Measure whole clips: bytes, likeness and speed of each profile beside AV1 + Opus at their least.

The peer is what a user gets from a conventional codec at its smallest: SVT-AV1 at the source's
raster and crf 63, Opus at 6 kbit/s, in a WebM file. Picture is compared at the source's raster,
sound by its log-mel distance. Decoded bytes and times are measured, nothing is estimated.

    python tools/bench_codec.py samples/clip.mp4 more_clips/ --json
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import av
import numpy as np
from bench_media import VIDEOS, files, show
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

import mmcodec
from mmcodec.analysis.similarity import psnr, ssim
from mmcodec.descriptors.mel import log_mel

EVERY = 6
"""One frame in so many is compared."""
RATE = 24_000


@dataclass(frozen=True)
class Row:
    """One clip through one codec; None where there is nothing to measure."""

    clip: str
    codec: str
    bytes: int
    bit_rate: float
    ssim: float | None
    psnr: float | None
    log_mel_db: float | None
    encode_speed: float
    decode_speed: float | None


def bench(clip: Path) -> Iterator[Row]:
    """The rows of a clip: each profile, then the peer."""
    with tempfile.TemporaryDirectory() as folder:
        for profile in mmcodec.Profile:
            stream, decoded = Path(folder, f"{profile}.mmc"), Path(folder, f"{profile}.mkv")
            encoded = mmcodec.encode(clip, stream, mmcodec.EncodeSettings(profile))
            played = mmcodec.decode(stream, decoded)
            yield row(clip, decoded, f"mmcodec {profile}", stream, encoded.speed, played.speed)
        peer = Path(folder, "peer.webm")
        speed = encode_peer(clip, peer)
        yield row(clip, peer, "AV1 crf 63 + Opus 6k", peer, speed, None)


def row(
    clip: Path, decoded: Path, codec: str, stream: Path, encode: float, decode: float | None
) -> Row:
    """Compare ``decoded`` with ``clip``; ``stream`` is what was sent."""
    pairs = list(zip(pictures(clip), pictures(decoded), strict=False))
    a, b = spectrogram(clip), spectrogram(decoded)
    size, seconds = stream.stat().st_size, duration(clip)
    length = min(len(a), len(b))
    return Row(
        clip.name,
        codec,
        size,
        size * 8 / seconds,
        mean([ssim(x, fitted(y, x)) for x, y in pairs]),
        mean([psnr(x, fitted(y, x)) for x, y in pairs]),
        float(np.abs(a[:length] - b[:length]).mean()) if length else None,
        encode,
        decode,
    )


def mean(values: list[float]) -> float | None:
    """The mean, or None of nothing."""
    return float(np.mean(values)) if values else None


def fitted(picture: NDArray[np.uint8], like: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``picture`` at the raster of ``like``: a square-pixel decode of a wide-pixel source."""
    if picture.shape == like.shape:
        return picture
    frame = av.VideoFrame.from_ndarray(picture, "rgb24")
    return cast(
        "NDArray[np.uint8]", frame.reformat(like.shape[1], like.shape[0]).to_ndarray(format="rgb24")
    )


def pictures(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Every sixth frame, RGB."""
    with av.open(path) as container:
        frames = container.decode(video=0) if container.streams.video else iter(())
        for frame in islice(frames, 0, None, EVERY):
            yield cast("NDArray[np.uint8]", frame.to_ndarray(format="rgb24"))


def spectrogram(path: Path) -> NDArray[np.floating]:
    """Log-mel picture of the sound, 10 frames a second, (frames, bands) in dB above -80."""
    blocks = [np.zeros(0, np.float32)]
    with av.open(path) as container:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
        for frame in container.decode(audio=0) if container.streams.audio else ():
            blocks += [out.to_ndarray()[0] for out in resampler.resample(frame)]
    samples = np.concatenate(blocks)
    seconds = len(samples) / RATE
    if seconds < 1:
        return np.zeros((0, 0))
    return np.maximum(log_mel(samples, RATE, round(10 * seconds), seconds), -80.0)


def duration(path: Path) -> float:
    """Seconds, by the container."""
    with av.open(path) as container:
        return (container.duration or 0) / 1e6


def encode_peer(clip: Path, target: Path) -> float:
    """Transcode to AV1 + Opus in WebM; seconds of media a second."""
    os.environ.setdefault("SVT_LOG", "1")
    started = time.perf_counter()
    with av.open(clip) as source, av.open(target, "w") as out:
        streams: dict[int, av.VideoStream | av.AudioStream] = {}
        for stream in (*source.streams.video[:1], *source.streams.audio[:1]):
            if isinstance(stream, av.VideoStream):
                video = out.add_stream("libsvtav1", rate=stream.average_rate)
                video.width, video.height = stream.width & ~1, stream.height & ~1
                video.pix_fmt = "yuv420p"
                video.codec_context.time_base = 1 / video.codec_context.framerate
                video.options = {"crf": "63", "preset": "6"}
                streams[stream.index] = video
            else:
                audio = out.add_stream("libopus", rate=48_000, layout="mono")
                audio.bit_rate = 6_000
                streams[stream.index] = audio
        pictures_in = 0
        wanted = [source.streams[index] for index in streams]
        for packet in source.demux(wanted):
            encoder = streams[packet.stream_index]
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame) and isinstance(encoder, av.VideoStream):
                    frame.pts = pictures_in  # the peer gets a steady clock, too
                    frame.time_base = encoder.codec_context.time_base
                    pictures_in += 1
                    out.mux(encoder.encode(frame))
                elif isinstance(frame, av.AudioFrame) and isinstance(encoder, av.AudioStream):
                    frame.pts = None
                    out.mux(encoder.encode(frame))
        for encoder in streams.values():
            out.mux(encoder.encode(None))
    return duration(clip) / (time.perf_counter() - started)


def table(rows: list[Row]) -> Table:
    """The rows for people."""
    made = Table(
        "clip", "codec", "bytes", "kbit/s", "SSIM", "PSNR", "log-mel dB", "encode", "decode"
    )
    for one in rows:
        numbers = (one.ssim, one.psnr, one.log_mel_db, one.encode_speed, one.decode_speed)
        formats = ("{:.3f}", "{:.2f}", "{:.1f}", "{:.1f}x", "{:.1f}x")
        made.add_row(
            one.clip,
            one.codec,
            f"{one.bytes:,}",
            f"{one.bit_rate / 1000:.2f}",
            *(f.format(n) if n is not None else "-" for f, n in zip(formats, numbers, strict=True)),
        )
    return made


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="+", type=Path, metavar="PATH", help="clips or folders")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    given = parser.parse_args()
    found = files(given.places, VIDEOS)
    if not found:
        sys.exit("bench_codec: no clips there")
    steps = track(found, "measuring", console=Console(stderr=True), transient=True)
    rows = [one for clip in steps for one in bench(clip)]
    show(rows, given.json, table)


if __name__ == "__main__":
    main()
