"""What a stretch of sound is like: loudness, pitch, tempo, key, colour, width.

Every function takes samples of any rate from 8 kHz and any length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.music import key_of, tempo_bpm
from mmcodec.timeline import SegmentKind

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]

SILENCE_LUFS = -70.0
LOWEST_PITCH_HZ = 60.0
HIGHEST_PITCH_HZ = 600.0


@dataclass(frozen=True, slots=True)
class SoundAnalysis:
    """Measured facts about a stretch of sound."""

    seconds: float
    loudness_lufs: float
    """Integrated loudness (ITU-R BS.1770-4), no less than -70."""
    peak: float
    """Largest magnitude of a sample."""
    pitch_hz: float | None
    """Median of the voiced parts; None where there are few."""
    tempo_bpm: float | None
    key: str | None
    """Such as "A minor"; None where the sound is not tonal."""
    brightness_hz: float
    """Spectral centroid."""
    noisiness: float
    """Spectral flatness, 0 for a tone to 1 for white noise."""
    stereo_width: float
    """Share of the power in the difference of the channels, 0 for mono."""


def analyse_sound(samples: Samples, sample_rate: int, kind: SegmentKind) -> SoundAnalysis:
    """Measure ``samples`` (n, channels); ``kind`` says what is worth looking for."""
    mono = samples.mean(axis=1)
    loudness = loudness_lufs(samples, sample_rate)
    audible = loudness > SILENCE_LUFS and kind is not SegmentKind.SILENCE
    centroid, flatness = _colour(mono, sample_rate)
    musical, thin = audible and kind is SegmentKind.MUSIC, thinned(mono, sample_rate)
    return SoundAnalysis(
        seconds=len(samples) / sample_rate,
        loudness_lufs=loudness,
        peak=float(np.abs(samples).max(initial=0.0)),
        pitch_hz=_median_pitch(mono, sample_rate) if audible else None,
        tempo_bpm=tempo_bpm(*thin) if musical else None,
        key=key_of(*thin) if musical else None,
        brightness_hz=centroid,
        noisiness=flatness,
        stereo_width=stereo_width(samples),
    )


def loudness_lufs(samples: Samples, sample_rate: int) -> float:
    """Integrated loudness of ``samples`` (n, channels) after ITU-R BS.1770-4, -70 at least.

    The filters are those of the standard moved to ``sample_rate`` (B. De Man, "Evaluation of
    implementations of the EBU R128 loudness measurement", 2018). What is shorter than one gating
    block (0.4 s) is measured as a whole.
    """
    if not len(samples):
        return SILENCE_LUFS
    # Filtered by FFT: the padding is longer than the filters ring, and SciPy's are slow to import.
    length = 1 << (len(samples) + sample_rate // 4).bit_length()  # others may be slow
    response = _k_weighting(np.fft.rfftfreq(length).astype(np.float64), sample_rate)
    spectrum = np.fft.rfft(samples, length, axis=0) * response[:, None]
    weighted = np.fft.irfft(spectrum, length, axis=0)[: len(samples)]
    # Sums of powers up to each sample, so that overlapping blocks cost nothing.
    sums = np.concatenate([[0.0], np.cumsum(np.sum(weighted**2, axis=1))])
    size = min(round(0.4 * sample_rate), len(samples))
    starts = np.arange(0, len(samples) - size + 1, max(round(0.1 * sample_rate), 1))
    powers = (sums[starts + size] - sums[starts]) / size
    loud = powers[powers > _power_of(SILENCE_LUFS)]
    if not len(loud):
        return SILENCE_LUFS
    gated = loud[loud > 0.1 * loud.mean()]
    return max(float(-0.691 + 10.0 * np.log10(gated.mean())), SILENCE_LUFS)


def _power_of(lufs: float) -> float:
    return float(10.0 ** ((lufs + 0.691) / 10.0))


def _k_weighting(cycles: Floats, sample_rate: int) -> NDArray[np.complex128]:
    """Response at ``cycles`` (n,) a sample of the head's shelf and the high-pass of BS.1770."""
    delay = np.exp(-2j * np.pi * cycles)
    response = np.ones(len(cycles), np.complex128)
    for hz, q, shelf in (
        (1681.974450955533, 0.7071752369554196, True),
        (38.13547087602444, 0.5003270373238773, False),
    ):
        k = np.tan(np.pi * hz / sample_rate)
        high = 10.0 ** (3.999843853973347 / 20.0)
        band = high**0.4996667741545416
        scale = 1.0 + k / q + k * k
        poles = [1.0, 2.0 * (k * k - 1.0) / scale, (1.0 - k / q + k * k) / scale]
        zeros = [high + band * k / q + k * k, 2.0 * (k * k - high), high - band * k / q + k * k]
        top = [zero / scale for zero in zeros] if shelf else [1.0, -2.0, 1.0]
        response *= np.polyval(top[::-1], delay) / np.polyval(poles[::-1], delay)
    return response


def _median_pitch(mono: Samples, sample_rate: int) -> float | None:
    hz = track_pitch(mono, sample_rate).hz
    voiced = hz[hz > 0]
    return float(np.median(voiced)) if len(voiced) > 0.1 * len(hz) else None


def _colour(mono: Samples, sample_rate: int) -> tuple[float, float]:
    """Spectral centroid in Hz and flatness of the mean power spectrum up to 11 kHz."""
    size = 1 << (round(0.04 * sample_rate) - 1).bit_length()
    padded = np.pad(mono, (0, max(size - len(mono), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: size // 2]
    hz = np.fft.rfftfreq(size, 1.0 / sample_rate)
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(size))) ** 2, axis=0)
    power = power[(hz > 40.0) & (hz < 11000.0)] + 1e-12
    hz = hz[(hz > 40.0) & (hz < 11000.0)]
    centroid = float(np.sum(hz * power) / np.sum(power))
    flatness = float(np.exp(np.mean(np.log(power))) / np.mean(power))
    return centroid, min(flatness, 1.0)


def stereo_width(samples: Samples) -> float:
    """Share of the power of ``samples`` (n, channels) in the difference of two channels."""
    if samples.shape[1] < 2:
        return 0.0
    left, right = samples[:, 0].astype(np.float64), samples[:, 1].astype(np.float64)
    middle, side = np.sum((left + right) ** 2), np.sum((left - right) ** 2)
    return float(side / (middle + side)) if middle + side > 0 else 0.0


@dataclass(frozen=True, slots=True)
class PitchTrack:
    """Pitch at a steady frame rate; frame i is centred on (i + 1/2) / frame_rate seconds."""

    frame_rate: float
    hz: Floats
    """(frames,) fundamental, 0 where unvoiced."""


def track_pitch(mono: Samples, sample_rate: int, frame_rate: float = 50.0) -> PitchTrack:
    """Pitch of ``mono`` (n,), from 60 to 600 Hz.

    Autocorrelation divided by the window's own, candidates from its peaks, and the cheapest path
    through them (P. Boersma, "Accurate short-term analysis of the fundamental frequency", 1993).
    """
    frames, rate = _framed(mono, sample_rate, frame_rate, seconds=0.05)
    lags, gains = periodicity(frames, rate)
    path = _cheapest_path(lags, gains)
    index = np.arange(len(path))
    hz = np.where(path >= 0, rate / lags[index, path], 0.0)
    return PitchTrack(frame_rate, hz)


def thinned(mono: Samples, sample_rate: int) -> tuple[Samples, float]:
    """``mono`` at its rate divided by a whole number, no less than 16 kHz, and that rate."""
    step = max(sample_rate // 16000, 1)
    whole = mono[: len(mono) // step * step].reshape(-1, step)
    return (whole.mean(axis=1) if step > 1 else mono), sample_rate / step


def _framed(
    mono: Samples, sample_rate: int, frame_rate: float, seconds: float
) -> tuple[Floats, float]:
    """Frames (count, size) around the frame centres, and the rate of the samples in them."""
    mono, rate = thinned(mono, sample_rate)
    count = max(round(len(mono) / rate * frame_rate), 1)
    size = round(rate * seconds)
    starts = np.round((np.arange(count) + 0.5) * rate / frame_rate).astype(int)
    padded = np.pad(mono.astype(np.float64), (size // 2, size))
    return padded[np.minimum(starts, len(mono))[:, None] + np.arange(size)], rate


def periodicity(frames: Floats, rate: float, count: int = 6) -> tuple[Floats, Floats]:
    """Lags in samples and periodicities (frames, count) of the strongest peaks of each frame."""
    size = frames.shape[1]
    window, own = _window(size)
    correlation = _correlated((frames - frames.mean(axis=1, keepdims=True)) * window)
    energy = correlation[:, :1]
    # A floor 60 dB below full scale keeps the noise of a silent frame from being periodic.
    correlation = correlation / (energy + 1e-6 * own[0]) / np.maximum(own / own[0], 1e-3)

    low, high = int(rate / HIGHEST_PITCH_HZ), int(rate / LOWEST_PITCH_HZ) + 1
    left, here, right = (correlation[:, low + d : high + d] for d in (-1, 0, 1))
    lags = np.arange(low, high)
    # The top of the parabola through three points: a peak is rarely on a whole sample.
    bend = left - 2.0 * here + right
    shift = np.clip(0.5 * (left - right) / np.where(bend < 0.0, bend, -1.0), -0.5, 0.5)
    height = here - 0.25 * (left - right) * shift
    # Short lags are favoured a little: a multiple of the period is as periodic as the period.
    is_peak = (here > left) & (here >= right)
    rank = np.where(is_peak, height - 0.03 * np.log2(lags / low), 0.0)
    best = np.argsort(rank, axis=1)[:, : -count - 1 : -1]
    pick = np.arange(len(frames))[:, None], best
    return lags[best] + shift[pick], np.clip(rank[pick], 0.0, 1.0)


@lru_cache(maxsize=8)
def _window(size: int) -> tuple[Floats, Floats]:
    """A window (size,) and its autocorrelation; not to be written to."""
    window = np.hanning(size)
    return window, _correlated(window)


def _correlated(frames: Floats) -> Floats:
    """The autocorrelation (..., size) of frames (..., size)."""
    size = frames.shape[-1]
    spectra = np.fft.rfft(frames, 1 << (2 * size - 1).bit_length())
    power = np.square(spectra.real) + np.square(spectra.imag)
    return np.asarray(np.fft.irfft(power)[..., :size])


def _cheapest_path(lags: Floats, gains: Floats) -> NDArray[np.intp]:
    """Index of the chosen candidate of each frame (frames,), -1 where unvoiced."""
    unvoiced, jump, switch = 0.5, 0.35, 0.14
    octaves = np.log2(lags)
    scores = np.column_stack([gains, np.full(len(gains), unvoiced)])
    total = scores[0]
    back = np.zeros(scores.shape, dtype=np.intp)
    cost = np.full((scores.shape[1],) * 2, switch)
    cost[-1, -1] = 0.0
    for frame in range(1, len(scores)):
        cost[:-1, :-1] = jump * np.abs(octaves[frame - 1][:, None] - octaves[frame][None, :])
        paths = total[:, None] - cost
        back[frame] = paths.argmax(axis=0)
        total = paths.max(axis=0) + scores[frame]
    path = np.empty(len(scores), dtype=np.intp)
    path[-1] = total.argmax()
    for frame in range(len(scores) - 1, 0, -1):
        path[frame - 1] = back[frame][path[frame]]
    return np.where(path == scores.shape[1] - 1, -1, path)
