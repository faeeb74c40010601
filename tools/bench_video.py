"""Rate and quality of the picture beside SVT-AV1 and x265, each at its best for clip and rate.

The peers are tried at every single raster and frame rate of a grid, and at each rate get the best
of all for each metric by itself; only their payload is counted. Of this codec everything is
counted: header, packets, prompts; it searches at its slow preset, as the peers have the whole grid.
Pictures are compared at 640x360 (or as many pixels of another shape), every eleventh frame. BD-rate
is the mean difference in bytes at equal quality (G. Bjontegaard, VCEG-M33, by piecewise cubic
interpolation); negative is better.

    python tools/bench_video.py clips/ --json
    python tools/bench_video.py clips/ --plot curves.png --frames frames/
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import av
import bjontegaard
import cv2
import numpy as np
from bench_media import VIDEOS, files
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from video_peers import SVT_AV1, X265, Peer, Pictures, native, trials

import mmcodec
from mmcodec.analysis.similarity import Original, luma, psnr
from mmcodec.bitstream.reader import StreamReader
from mmcodec.media.demux import DemuxSettings, open_media
from mmcodec.media.feeds import Picture
from mmcodec.synthesis.offline_video import OfflineVideo
from mmcodec.timeline import VideoTrack

VIEW = 640 * 360
EVERY, FIRST = 11, 5
"""Which frames are compared: a prime, so that no frame rate has its own frames compared."""
BIT_RATES = (300, 500, 800, 1200, 2000, 3200, 5000, 8000)
ABREAST = 5
"""Clips beside each other in a plot."""
METRICS = ("ssim", "psnr", "xpsnr")
SHOWN = (1000, 2000, 4000)
"""Bit rates at which frames are put side by side."""


@dataclass(frozen=True)
class Point:
    """An operating point of a codec on a clip: bit/s, and the means over the frames compared."""

    codec: str
    name: str
    bit_rate: float
    ssim: float
    psnr: float
    xpsnr: float


@dataclass(frozen=True)
class Clip:
    """The curves of a clip and BD-rates in percent of this codec against each peer's best."""

    clip: str
    seconds: float
    points: list[Point]
    bd_rate: dict[str, dict[str, float | None]]


class Source:
    """A clip at the viewing raster, and what its pictures are compared with."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_media(path, DemuxSettings(audio=False, frame_pixels=VIEW)) as media:
            if media.info.video is None:
                raise SystemExit(f"bench_video: {path} has no picture")
            self.frame_rate = float(media.info.video.frame_rate)
            pictures = [item for item in media.read() if isinstance(item, Picture)]
        self.frames = [picture.pixels for picture in pictures]
        self.pts = [picture.pts for picture in pictures]
        self.moments = range(min(FIRST, len(self.frames) - 1), len(self.frames), EVERY)
        self._originals = [Original(self.frames[moment]) for moment in self.moments]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.frames) / self.frame_rate

    def point(self, codec: str, name: str, sent: int, shown: Pictures) -> Point:
        """How near pictures at the moments are."""
        rows = [
            (original.ssim(luma(picture)), psnr(self.frames[moment], picture))
            for original, moment, picture in zip(self._originals, self.moments, shown, strict=True)
        ]
        mean = np.mean(rows, axis=0)
        filtered = Weighted(self.frames[0])
        pairs = zip(self.moments, shown, strict=True)
        weighted = float(np.mean([filtered.compare(self.frames[at], seen) for at, seen in pairs]))
        rate = sent * 8 / self.seconds
        return Point(codec, name, rate, float(mean[0]), float(mean[1]), weighted)


class Weighted:
    """Perceptually weighted PSNR of luma (C. Helmrich et al. 2020), by FFmpeg's filter."""

    TICK = Fraction(1, 25)

    def __init__(self, like: NDArray[np.uint8]) -> None:
        height, width = like.shape[:2]
        self._graph = av.filter.Graph()
        compare, self._out = self._graph.add("xpsnr"), self._graph.add("buffersink")
        self._ins = []
        for place in range(2):
            pixels = av.VideoFormat("yuv420p", width, height)
            source = self._graph.add_buffer(
                width=width, height=height, format=pixels, time_base=self.TICK
            )
            source.link_to(compare, 0, place)
            self._ins.append(source)
        compare.link_to(self._out)
        self._graph.configure()
        self._pts = 0

    def compare(self, one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
        """The next pair of pictures."""
        for pixels, source in zip((one, other), self._ins, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = self._pts, self.TICK
            source.push(frame)
        self._pts += 1
        return min(float(self._out.pull().metadata["lavfi.xpsnr.xpsnr.y"]), 100.0)


def bench(path: Path, effort: mmcodec.Effort) -> Clip:
    """The curves of a clip."""
    source = Source(path)
    ours = list(our_points(source, effort))
    points = [*ours]
    bd_rate = {}
    for peer in (SVT_AV1, X265):
        tried = list(peer_points(source, peer))
        points += tried
        bd_rate[peer.name] = {metric: compared(tried, ours, metric) for metric in METRICS}
    sent, shown = native(source.frames)
    at_moments = [shown[moment] for moment in source.moments]
    points.append(source.point("SVT-AV1 at the source's raster", "crf 63", sent, at_moments))
    return Clip(path.name, source.seconds, points, bd_rate)


def our_points(source: Source, effort: mmcodec.Effort) -> Iterator[Point]:
    """This codec, decoded without a model."""
    for bit_rate in BIT_RATES:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "clip.mmc")
            settings = mmcodec.EncodeSettings(bit_rate=bit_rate, effort=effort, audio=False)
            report = mmcodec.encode(source.path, target, settings)
            shown = decoded(source, target)
            yield source.point("mmcodec", f"{bit_rate}", report.stream.bytes, shown)


def decoded(source: Source, stream: Path) -> list[NDArray[np.uint8]]:
    """What a decoder shows at the moments that are compared."""
    height, width = source.frames[0].shape[:2]
    wanted = {source.pts[moment] for moment in source.moments}
    shown = {}
    with stream.open("rb") as file:
        reader = StreamReader(file)
        if reader.header.video is None:
            raise SystemExit(f"bench_video: {stream} has no picture")
        track = VideoTrack(width, height, reader.header.video.frame_rate)
        for packet in reader.cues():
            for number, picture in enumerate(OfflineVideo().render(packet.cue, track)):
                if packet.cue.span.start + number in wanted:
                    shown[packet.cue.span.start + number] = picture
    return [shown[source.pts[moment]] for moment in source.moments]


def peer_points(source: Source, peer: Peer) -> Iterator[Point]:
    """A peer at all operating points that are not far over the rates of interest."""
    most = 1.25 * BIT_RATES[-1] * source.seconds / 8
    for trial in trials(peer, source.frames, source.frame_rate, list(source.moments), most):
        for kind, shown in (("held", trial.held), ("blended", trial.blended)):
            yield source.point(peer.name, f"{trial.name}, {kind}", trial.bytes, shown)


def front(points: Iterable[Point], metric: str) -> list[Point]:
    """The points that none beats in fewer bits."""
    best: list[Point] = []
    for point in sorted(points, key=lambda one: one.bit_rate):
        if not best or getattr(point, metric) > getattr(best[-1], metric):
            best.append(point)
    return best


def compared(peer: Iterable[Point], ours: Iterable[Point], metric: str) -> float | None:
    """BD-rate in percent; None where the curves hardly overlap."""
    curves = []
    for points in (peer, ours):
        best = front(points, metric)
        rates = [point.bit_rate for point in best]
        curves += [rates, [getattr(point, metric) for point in best]]
    low, high = (f(q[at] for q in curves[1::2]) for f, at in ((max, 0), (min, -1)))
    if min(map(len, curves)) < 2 or low >= high:
        return None
    rate = bjontegaard.bd_rate(*curves, "pchip", require_matching_points=False, min_overlap=0)
    return float(rate) if np.isfinite(rate) else None


def means(clips: Sequence[Clip], peer: str) -> dict[str, float | None]:
    """BD-rates against a peer in the mean over the clips."""
    found = {}
    for metric in METRICS:
        rates = [r for clip in clips if (r := clip.bd_rate[peer][metric]) is not None]
        found[metric] = float(np.mean(rates)) if rates else None
    return found


def table(clips: Sequence[Clip]) -> Table:
    """BD-rates for people."""
    heads = [f"{peer.name} {metric.upper()}" for peer in (SVT_AV1, X265) for metric in METRICS]
    made = Table("BD-rate of mmcodec, % against", *heads)
    whole = {peer.name: means(clips, peer.name) for peer in (SVT_AV1, X265)}
    rows = [(clip.clip, clip.bd_rate) for clip in clips] + [("mean", whole)]
    for name, rates in rows:
        cells = [rates[peer.name][metric] for peer in (SVT_AV1, X265) for metric in METRICS]
        made.add_row(name, *("-" if cell is None else f"{cell:+.1f}" for cell in cells))
    return made


def plot(clips: Sequence[Clip], target: Path) -> None:
    """Draw the curves of all clips."""
    from matplotlib.figure import Figure

    columns = min(len(clips), ABREAST)
    lines = -(-len(clips) // columns)
    figure = Figure(figsize=(4 * columns, 5.5 * lines), layout="constrained")
    axes = figure.subplots(2 * lines, columns, squeeze=False)
    for number, clip in enumerate(clips):
        line, column = divmod(number, columns)
        for row, metric in enumerate(("ssim", "psnr")):
            axis = axes[2 * line + row][column]
            for codec in dict.fromkeys(point.codec for point in clip.points):
                best = front([p for p in clip.points if p.codec == codec], metric)
                rates = [point.bit_rate / 1000 for point in best]
                values = [getattr(point, metric) for point in best]
                axis.plot(rates, values, "o-" if codec == "mmcodec" else ".-", label=codec)
            axis.set(xscale="log", xlim=(0.25, 60), title=clip.clip if row == 0 else None)
            axis.set(xlabel="kbit/s", ylabel=metric.upper())
    axes[0][0].legend()
    figure.savefig(target, dpi=80)


def side_by_side(path: Path, folder: Path) -> None:
    """Write the middle frame of a clip: the source, and this codec at 1, 2 and 4 kbit/s."""
    source = Source(path)
    middle = len(source.moments) // 2
    frames = [source.frames[source.moments[middle]]]
    for bit_rate in SHOWN:
        with tempfile.TemporaryDirectory() as temporary:
            target = Path(temporary, "clip.mmc")
            mmcodec.encode(path, target, mmcodec.EncodeSettings(bit_rate=bit_rate, audio=False))
            frames.append(decoded(source, target)[middle])
    folder.mkdir(parents=True, exist_ok=True)
    picture = cv2.cvtColor(np.hstack(frames), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(folder / f"{path.stem}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="+", type=Path, metavar="PATH", help="clips or folders")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the curves")
    parser.add_argument("--frames", type=Path, metavar="DIR", help="write frames side by side")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="clips at a time")
    parser.add_argument(
        "--preset", type=mmcodec.Effort, default=mmcodec.Effort.SLOW, help="of ours"
    )
    given = parser.parse_args()
    found = files(given.places, VIDEOS)
    if not found:
        sys.exit("bench_video: no clips there")
    with (
        ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        clips = list(
            progress.track(
                pool.map(bench, found, [given.preset] * len(found)),
                len(found),
                description="measuring",
            )
        )
        if given.frames:
            list(pool.map(side_by_side, found, [given.frames] * len(found)))
    if given.plot:
        plot(clips, given.plot)
    if given.json:
        rates = {peer.name: means(clips, peer.name) for peer in (SVT_AV1, X265)}
        whole = {"bd_rate": rates[SVT_AV1.name], "bd_rate_x265": rates[X265.name]}
        print(json.dumps({**whole, "clips": [asdict(clip) for clip in clips]}, indent=2))
    else:
        Console().print(table(clips))


if __name__ == "__main__":
    main()
