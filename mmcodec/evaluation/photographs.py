"""What a photograph takes beside JPEG, WebP and AVIF at equal nearness to its source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.similarity import Original, luma, psnr
from mmcodec.bitstream.reader import StreamReader
from mmcodec.errors import UsageError
from mmcodec.media.demux import DemuxSettings, open_media
from mmcodec.media.feeds import Picture
from mmcodec.synthesis.offline_video import OfflineVideo
from mmcodec.timeline import VideoTrack

_VIEW = 640 * 360
"""Pixels at which pictures are compared."""
_SHRUNK = (1, 2, 3, 4, 6, 8, 12, 16)
"""By what the peers may make the sides smaller."""
_PEERS = {
    "JPEG": (".jpg", (cv2.IMWRITE_JPEG_QUALITY,), (cv2.IMWRITE_JPEG_OPTIMIZE, 1)),
    "WebP": (".webp", (cv2.IMWRITE_WEBP_QUALITY,), ()),
    "AVIF": (".avif", (cv2.IMWRITE_AVIF_QUALITY,), (cv2.IMWRITE_AVIF_SPEED, 6)),
}
_QUALITIES = 1, 95

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CodedPhotograph:
    """A picture as a codec sends it, in bytes, and how near what is shown is to the source."""

    codec: str
    bytes: int
    ssim: float
    psnr: float


def compare_photograph(source: str | Path, stream: BinaryIO) -> tuple[CodedPhotograph, ...]:
    """A stream of ``source`` as it decodes offline, and the fewest bytes in which JPEG, WebP and
    AVIF are no further from it in SSIM, at any raster, enlarged by Lanczos.

    Raises:
        UsageError: the stream is no photograph.
        BitstreamError, MediaError: it, or the source, cannot be read.
    """
    reader = StreamReader(stream)
    packet = next(reader.cues(), None)
    if packet is None or reader.header.video is None or not reader.header.video.still:
        raise UsageError("only photographs are compared with JPEG, WebP and AVIF")
    original = _read(source)
    height, width = original.shape[:2]
    track = VideoTrack(width, height, reader.header.video.frame_rate, still=True)
    shown = next(iter(OfflineVideo().render(packet.cue, track)))
    compared = Original(original)
    size = sum(reader.account.values())
    ours = CodedPhotograph("mmcodec", size, compared.ssim(luma(shown)), psnr(original, shown))
    known = (name for name, (suffix, *_) in _PEERS.items() if cv2.haveImageWriter(f"x{suffix}"))
    peers = (_as_near(name, original, compared, ours.ssim) for name in known)
    return ours, *(peer for peer in peers if peer)


def _read(source: str | Path) -> Pixels:
    wanted = DemuxSettings(audio=False, still_pixels=_VIEW)
    with open_media(source, wanted) as media:
        return next(item.pixels for item in media.read() if isinstance(item, Picture))


def _as_near(
    codec: str, original: Pixels, compared: Original, ssim: float
) -> CodedPhotograph | None:
    """The smallest file of all rasters that is as near, if one is."""
    found = []
    for by in _SHRUNK:
        size = tuple(max(round(side / by), 1) for side in original.shape[1::-1])
        small = np.asarray(cv2.resize(original, size, interpolation=cv2.INTER_AREA), np.uint8)
        low, high = _QUALITIES
        best = None
        while low <= high:
            quality = (low + high) // 2
            tried = _coded(codec, small, quality, original, compared)
            if tried.ssim >= ssim:
                best, high = tried, quality - 1
            else:
                low = quality + 1
        if best is None:
            break
        found.append(best)
    return min(found, key=lambda one: one.bytes, default=None)


def _coded(
    codec: str, small: Pixels, quality: int, original: Pixels, compared: Original
) -> CodedPhotograph:
    suffix, knob, others = _PEERS[codec]
    options = [*knob, quality, *others]
    data = cv2.imencode(suffix, cv2.cvtColor(small, cv2.COLOR_RGB2BGR), options)[1]
    decoded = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    height, width = original.shape[:2]
    shown = np.asarray(cv2.resize(decoded, (width, height), interpolation=cv2.INTER_LANCZOS4))
    return CodedPhotograph(codec, len(data), compared.ssim(luma(shown)), psnr(original, shown))
