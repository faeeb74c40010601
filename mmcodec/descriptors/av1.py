"""Tiny pictures as AV1: SVT-AV1 to encode, dav1d to decode, no container.

The bytes are the open bitstream units (OBUs) of the AV1 specification without the temporal
delimiters, which carry nothing; the raster is in the sequence header.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.error
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from mmcodec.descriptors.av1_compact import split_units, unit
from mmcodec.errors import BitstreamError

MIN_SIDE = 64
"""The least width and height that SVT-AV1 takes."""
_TEMPORAL_DELIMITER = 2
"""Type of an open bitstream unit."""
THOROUGH, QUICK = 5, 6
"""SVT-AV1's presets: 6 takes 3 % more bytes than 5 in some three quarters of the time. Preset 4
takes up to half as long again for as many bytes, and orders frames in another way than
:mod:`~mmcodec.descriptors.av1_tables` knows.
"""
_PARAMETERS = "keyint=-1:lp=1:enable-tf=0:enable-dg=0"
"""One key frame; frames so far apart are not to be filtered over time (7 % of the
bytes on 12 real shots), and dynamic groups of pictures would change the headers."""
_NO_FILTERS = ":enable-restoration=0:enable-cdef=0"
"""What they do the bilateral filter of the decoder does as well: 1 % of the bytes of shots is won,
5 % of those of fine stills.
"""


@dataclass(frozen=True, slots=True)
class Style:
    """What an encoder may do in one way or another, unseen by a decoder."""

    tune: int = 1
    """SVT-AV1's: for the eye (0), for PSNR (1), for SSIM (2)."""
    kernel: Interpolation = Interpolation.LANCZOS
    softening: float = 0.0
    """Deviation of a Gaussian before scaling, in pixels of the target."""
    filters: bool = False
    """AV1's filters of directional edges and its Wiener filter."""


STYLES = (
    Style(),
    Style(kernel=Interpolation.BICUBIC),
    Style(kernel=Interpolation.AREA),
    Style(softening=0.35),
    Style(tune=2),
    Style(tune=0),
    Style(filters=True),
)
"""The usual one first: in the mean no other is better, but on single shots each is."""


def encode_av1(
    frames: Iterable[NDArray[np.uint8]],
    size: tuple[int, int],
    crf: float,
    style: Style = STYLES[0],
    preset: int = THOROUGH,
) -> bytes:
    """Code RGB frames (height, width, 3) as one group of pictures of ``size`` (width, height).

    ``crf`` is 1 (best) to 63 (smallest), in quarters.
    """
    os.environ.setdefault("SVT_LOG", "1")  # read at its first use: errors only, not a banner
    codec = av.CodecContext.create("libsvtav1", "w")
    codec.width, codec.height = size
    codec.pix_fmt = "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, 3), Fraction(3)
    codec.options = {
        "preset": str(preset),
        "crf": str(int(crf)),  # SVT-AV1 before 4.0 knows no quarters
        "svtav1-params": f"{_PARAMETERS}:crf={crf:g}:tune={style.tune}"
        + ("" if style.filters else _NO_FILTERS),
    }
    codec.open()
    calm_threads()
    packets, scaler = [], VideoReformatter()
    for number, pixels in enumerate(frames):
        if style.softening:
            deviation = style.softening * pixels.shape[1] / size[0]
            pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), deviation), np.uint8)
        frame = scaler.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24"),
            *size,
            "yuv420p",
            interpolation=style.kernel,
        )
        frame.pts = number
        packets += codec.encode(frame)
    packets += codec.encode(None)
    units = (one for packet in packets for one in split_units(bytes(packet)))
    return b"".join(unit(*one) for one in units if one[0] != _TEMPORAL_DELIMITER)


def calm_threads() -> None:
    """Take back the real-time priority that SVT-AV1, run by root, gives its threads and ours.

    Threads with it are never interrupted, so a few of them stop all other work of a machine.
    """
    if not hasattr(os, "sched_setscheduler") or os.geteuid():
        return
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread that has just ended
            if os.sched_getscheduler(int(task.name)) in (os.SCHED_FIFO, os.SCHED_RR):
                os.sched_setscheduler(int(task.name), os.SCHED_OTHER, os.sched_param(0))


def decode_av1(data: bytes, max_frames: int, max_pixels: int) -> NDArray[np.uint8]:
    """The frames of :func:`encode_av1`, RGB uint8 (n, height, width, 3), n >= 1.

    Raises:
        BitstreamError: the data is damaged, or over the limits, which are enforced before memory
            is taken.
    """
    codec = cast("av.VideoCodecContext", av.CodecContext.create("libdav1d", "r"))
    codec.options = {"max_pixels": str(max_pixels), "threads": "1"}
    frames: list[NDArray[np.uint8]] = []
    scaler = VideoReformatter()
    try:
        for packet in [*(av.Packet(unit(*one)) for one in split_units(data)), None]:
            for frame in codec.decode(packet):
                shown = scaler.reformat(frame, format="rgb24").to_ndarray()
                frames.append(np.asarray(shown, np.uint8))
                if len(frames) > max_frames or frames[0].shape != frames[-1].shape:
                    raise BitstreamError("a sketch has too many frames or rasters")
    except (av.error.FFmpegError, MemoryError) as error:
        raise BitstreamError("a sketch is damaged") from error
    if not frames:
        raise BitstreamError("a sketch has no frame")
    return np.stack(frames)
