"""The peers of the sketch: SVT-AV1 and x265 at any single raster and frame rate for a clip.

Their bytes are those of the payload alone: no container, no temporal delimiters.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import cast

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from mmcodec.descriptors.av1 import calm_threads
from mmcodec.descriptors.av1_compact import split_units

Pictures = Sequence[NDArray[np.uint8]]

RASTERS = (96 * 54, 128 * 72, 160 * 90, 192 * 108, 240 * 135, 320 * 180, 448 * 252)
FRAME_RATES = (0.5, 1, 2, 3, 5, 8)
TEMPORAL_DELIMITER = 2
os.environ.setdefault("SVT_LOG", "1")


@dataclass(frozen=True)
class Peer:
    """A codec, with what to try: pixels a frame, frames a second, qualities from the coarsest on;
    and the least side it takes.
    """

    name: str
    encoder: str
    options: dict[str, str]
    rasters: tuple[int, ...]
    frame_rates: tuple[float, ...]
    qualities: tuple[int, ...]
    least_side: int

    def encode(self, frames: Pictures, size: tuple[int, int], crf: int) -> list[bytes]:
        """Packets of frames (height, width, 3) at a raster."""
        codec = cast("av.VideoCodecContext", av.CodecContext.create(self.encoder, "w"))
        codec.width, codec.height = size
        codec.pix_fmt = "yuv420p"
        codec.time_base, codec.framerate = Fraction(1, 3), Fraction(3)
        codec.options = {**self.options, "crf": str(crf)}
        codec.open()
        calm_threads()
        packets: list[bytes] = []
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
            frame = frame.reformat(*size, "yuv420p", interpolation=Interpolation.LANCZOS)
            frame.pts = number
            packets += map(bytes, codec.encode(frame))
        return packets + list(map(bytes, codec.encode(None)))

    def decode(self, packets: Sequence[bytes]) -> list[NDArray[np.uint8]]:
        """The frames of packets."""
        name = "libdav1d" if self.encoder == "libsvtav1" else "hevc"
        codec = cast("av.VideoCodecContext", av.CodecContext.create(name, "r"))
        packed = [*map(av.Packet, packets), None]
        frames = [frame for packet in packed for frame in codec.decode(packet)]
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames]

    def payload(self, packets: Sequence[bytes]) -> int:
        """Bytes that have to be sent."""
        if self.encoder != "libsvtav1":
            return sum(map(len, packets))
        units = [kind for packet in packets for kind, _ in split_units(packet)]
        return sum(map(len, packets)) - 2 * units.count(TEMPORAL_DELIMITER)


SVT_AV1 = Peer(
    "SVT-AV1",
    "libsvtav1",
    {"preset": "4", "svtav1-params": "keyint=-1:lp=1:tune=2"},
    RASTERS,
    FRAME_RATES,
    (63, 55, 47),
    64,
)
X265 = Peer(
    "x265",
    "libx265",
    {"preset": "veryslow", "x265-params": "keyint=-1:pools=1:log-level=none:info=0"},
    RASTERS[:2] + RASTERS[3:6:2],
    FRAME_RATES[:5],
    (51, 45, 39),
    32,
)


@dataclass(frozen=True)
class Trial:
    """A peer at one operating point: bytes, and its pictures at the moments asked for."""

    name: str
    bytes: int
    held: list[NDArray[np.uint8]]
    blended: list[NDArray[np.uint8]]


def trials(
    peer: Peer, frames: Pictures, frame_rate: float, moments: Sequence[int], most: float
) -> Iterator[Trial]:
    """All rasters, frame rates and qualities of at most ``most`` bytes, at the clip's raster.

    Enlarged by Lanczos; between frames the one before is held, or both are blended.
    """
    height, width = frames[0].shape[:2]
    steps = sorted({max(1, round(frame_rate / rate)) for rate in peer.frame_rates}, reverse=True)
    for pixels, step in product(peer.rasters, steps):
        scale = min(1.0, (pixels / (width * height)) ** 0.5)
        sides = (max(peer.least_side, 2 * round(side * scale / 2)) for side in (width, height))
        size = next(sides), next(sides)
        for crf in peer.qualities:
            packets = peer.encode(frames[::step], size, crf)
            sent = peer.payload(packets)
            if sent > most:
                break
            name = f"{size[0]}x{size[1]}, {frame_rate / step:.2g} frame/s, crf {crf}"
            small = peer.decode(packets)
            yield Trial(name, sent, *_shown(small, step, moments, (width, height)))


def native(frames: Pictures) -> tuple[int, list[NDArray[np.uint8]]]:
    """SVT-AV1 at the clip's own raster and frame rate and its coarsest quality."""
    height, width = frames[0].shape[:2]
    packets = SVT_AV1.encode(frames, (width & ~1, height & ~1), 63)
    large = [cv2.resize(frame, (width, height)) for frame in SVT_AV1.decode(packets)]
    return SVT_AV1.payload(packets), large


def _shown(
    small: Pictures, step: int, moments: Sequence[int], size: tuple[int, int]
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    """What is on screen at moments, held and blended."""
    large: dict[int, NDArray[np.uint8]] = {}

    def enlarged(number: int) -> NDArray[np.uint8]:
        number = min(number, len(small) - 1)
        if number not in large:
            for old in [key for key in large if key < number - 1]:
                del large[old]
            picture = cv2.resize(small[number], size, interpolation=cv2.INTER_LANCZOS4)
            large[number] = np.asarray(picture, np.uint8)
        return large[number]

    held, blended = [], []
    for moment in moments:
        here, part = moment // step, (moment % step) / step
        before, after = enlarged(here), enlarged(here + 1)
        held.append(before)
        blended.append(np.asarray(cv2.addWeighted(before, 1 - part, after, part, 0), np.uint8))
    return held, blended
