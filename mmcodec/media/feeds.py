"""Decoded frames to arrays on a regular time grid.

A feed takes the frames of one elementary stream in decoding order and returns arrays whose time
is counted from the start of the clip: pictures on a constant frame rate, samples without a gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

MAX_GAP_S = 10
"""A longer jump of the time stamps is a discontinuity: time goes on without it."""
_SOUND_JITTER_S = Fraction(30, 1000)
"""Sound stamps that are off by less than this are rounding, not a gap."""
_HD_LINES = 720


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame: ``pixels`` is RGB uint8 (height, width, 3), ``pts`` and ``duration`` in frames."""

    pts: int
    duration: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples that follow those before them: float32 (n, channels) in -1..1; and the mean square
    of what the source has beyond the frequencies that these hold.
    """

    samples: NDArray[np.float32]
    beyond: float = 0.0


class _Clock:
    """Stamps of a stream to seconds since the start of the clip, across discontinuities."""

    def __init__(self, origin: Fraction) -> None:
        self._origin = origin
        self._next = Fraction(0)

    def seconds(self, stamp: Fraction | None, length: Fraction) -> Fraction:
        """Time of a frame that lasts ``length`` seconds and is stamped ``stamp``."""
        time = self._next if stamp is None else stamp - self._origin
        if abs(time - self._next) > MAX_GAP_S:
            self._origin += time - self._next
            time = self._next
        self._next = time + length
        return time


class PictureFeed:
    """Frames of a video stream as small upright RGB pictures, strictly increasing in ``pts``."""

    def __init__(self, frame_rate: Fraction, size: tuple[int, int], origin: Fraction) -> None:
        self._rate = frame_rate
        self._width, self._height = size
        self._clock = _Clock(origin)
        self._scaler = VideoReformatter()  # one of its own for each frame takes half of the time
        self._last = -1

    def push(self, frame: av.VideoFrame) -> Picture | None:
        """The picture of ``frame``, or None when its place on the grid is taken."""
        length = Fraction(1) / self._rate
        if frame.duration and frame.time_base:
            length = min(frame.duration * frame.time_base, Fraction(MAX_GAP_S))
        seconds = self._clock.seconds(_stamp(frame), length)
        pts = max(0, round(seconds * self._rate))
        if pts <= self._last:
            return None
        self._last = pts
        return Picture(pts, max(1, round(length * self._rate)), self._pixels(frame))

    def _pixels(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        turns = (round(frame.rotation / 90)) % 4
        width, height = self._width, self._height
        if turns % 2:
            width, height = height, width
        small = self._scaler.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=_colorspace(frame),
            interpolation=Interpolation.AREA,
        )
        pixels = np.asarray(small.to_ndarray(), np.uint8)
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


class SoundFeed:
    """Frames of an audio stream as a gapless run of float samples at one rate."""

    def __init__(self, sample_rate: int, channels: int, origin: Fraction) -> None:
        self._rate = sample_rate
        self._channels = channels
        layout = "mono" if channels == 1 else "stereo"
        self._resampler = av.AudioResampler(format="fltp", layout=layout, rate=sample_rate)
        self._clock = _Clock(origin)
        self._heard = Fraction(0)

    def push(self, frame: av.AudioFrame) -> Iterator[Sound]:
        """The samples of ``frame``, after silence where its stamp leaves a gap."""
        length = Fraction(frame.samples, frame.sample_rate)
        gap = self._clock.seconds(_stamp(frame), length) - self._heard
        if gap > _SOUND_JITTER_S:
            yield self._silence(gap)
            self._heard += gap
        overlap = -gap if gap < -_SOUND_JITTER_S else Fraction(0)
        self._heard += max(length - overlap, Fraction(0))
        frame.pts = None
        skip = round(overlap * self._rate)
        beyond = _power_above(frame, self._rate / 2)
        for samples in self._samples(frame):
            if len(samples) > skip:
                yield Sound(samples[skip:], beyond)
            skip = max(0, skip - len(samples))

    def flush(self) -> Iterator[Sound]:
        """What the resampler still holds."""
        for samples in self._samples(None):
            yield Sound(samples)

    def _silence(self, seconds: Fraction) -> Sound:
        return Sound(np.zeros((round(seconds * self._rate), self._channels), np.float32))

    def _samples(self, frame: av.AudioFrame | None) -> Iterator[NDArray[np.float32]]:
        for resampled in self._resampler.resample(frame):
            samples = resampled.to_ndarray().T.astype(np.float32, copy=False)
            yield np.nan_to_num(np.clip(samples, -4.0, 4.0))


def _power_above(frame: av.AudioFrame, hz: float) -> float:
    """Mean square above a frequency, the mean of the channels."""
    if frame.sample_rate <= 2 * hz or not frame.samples:
        return 0.0
    raw = frame.to_ndarray()
    planes = raw if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels).T
    full = 1.0 if raw.dtype.kind == "f" else 2.0 ** (8 * raw.itemsize - 1)
    window = _window(planes.shape[1], full)
    spectra = np.fft.rfft(planes * window)
    above = spectra[:, int(hz * planes.shape[1] / frame.sample_rate) + 1 :]
    power = 2 * np.vdot(above, above).real / planes.size
    return float(np.nan_to_num(np.clip(power, 0.0, 1.0)))


@lru_cache(maxsize=8)
def _window(size: int, full: float) -> NDArray[np.float64]:
    """For samples that go up to ``full``, with a power of 1; not to be written to."""
    window = np.hanning(size + 2)[1:-1]
    return np.asarray(window / (full * np.sqrt(np.square(window).sum())))


def _stamp(frame: av.VideoFrame | av.AudioFrame) -> Fraction | None:
    if frame.pts is None or not frame.time_base:
        return None
    return frame.pts * frame.time_base


def _colorspace(frame: av.VideoFrame) -> Colorspace | None:
    """The matrix of an untagged frame is BT.709 from HD on, BT.601 below, by convention."""
    untagged = frame.colorspace not in {c.value for c in (Colorspace.ITU709, Colorspace.ITU601)}
    limited = frame.color_range != ColorRange.JPEG
    return Colorspace.ITU709 if untagged and limited and frame.height >= _HD_LINES else None
