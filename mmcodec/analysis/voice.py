"""What makes a voice: mel cepstra, level and pitch over time; and the same words in two voices.

Everything is counted in the frames of :mod:`mmcodec.analysis.world`.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.world import FRAME_RATE, SAMPLE_RATE, World

Floats = NDArray[np.float64]
Spans = tuple[tuple[float, float], ...]

CEPSTRA = 24
_BANDS = 40
BINS = 513
_RANGE = 7.0
"""Bands further below the loud frames (nepers of power) are noise: no part of a voice."""
_LOUD_DB = 30.0
_VOICED_HZ = 50.0
_FEATURES = 13
_ENVELOPE_BANDS = 28
_LITTLE = 0.1
"""Weight of what is usual beside what is measured, of the weight of a whole step."""
_STRIDE = 2
"""Voices are aligned in steps of 10 ms, or more where they are long."""
_LONGEST = 2000
_STEPS = ((1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (0, 1), (1, 0))
_STEP_COSTS = (1.0, 1.0, 1.0, 1.2, 1.2, 1.3, 1.3)
_STEP_FEES = (0.0, 0.0, 0.0, 0.0, 0.0, 0.6, 0.6)
"""A voice may be three times as fast as the other; standing still costs more."""
_FORBIDDEN = 1e3


def cepstra(power: Floats, depth: float = _RANGE) -> Floats:
    """Mel cepstra (frames, :data:`CEPSTRA`) of power spectra (frames, 513), in nepers of power.

    Bands that are more than ``depth`` nepers below the loud frames are taken to be there.
    """
    bands = np.log(np.maximum(power @ _filters().T, 1e-16))
    floor = np.percentile(bands.mean(axis=1), 95) - depth
    return np.asarray(np.maximum(bands, floor) @ _dct().T)


def gains(change: Floats) -> Floats:
    """Factors of power (frames, 513) that move mel cepstra by ``change`` (frames, n)."""
    bands = change @ _dct()[: change.shape[1]]
    return np.asarray(np.exp(bands @ _interpolation().T))


def level_db(power: Floats) -> Floats:
    """Level of each frame (frames,), in dB; what 0 dB is, only WORLD knows."""
    return np.asarray(10 * np.log10(power.mean(axis=1) + 1e-12))


def loud(power: Floats) -> NDArray[np.bool_]:
    """Frames (frames,) that are within 30 dB of the loudest: those where the voice is."""
    level = level_db(power)
    return np.asarray(level > level.max(initial=-120.0) - _LOUD_DB)


def mean_pitch(pitch_hz: Floats) -> tuple[float, float]:
    """Mean in Hz (of the logarithm) and spread in semitones; zeros where nothing is voiced."""
    voiced = np.log2(pitch_hz[pitch_hz > _VOICED_HZ])
    if not len(voiced):
        return 0.0, 0.0
    middle = np.median(voiced)
    spread = np.std(np.clip(voiced, middle - 0.75, middle + 0.75))
    return float(2**middle), float(12 * spread)


def inside(spans: Spans, frames: int) -> NDArray[np.bool_]:
    """Frames (frames,) that lie in a word."""
    mask = np.zeros(frames, bool)
    for start, end in spans:
        mask[round(start * FRAME_RATE) : round(end * FRAME_RATE)] = True
    return mask


def contour(values: Floats, weights: Floats, points: int, usual: float) -> Floats:
    """Means of ``values`` (frames,) around ``points`` places spread evenly over them, (points,).

    Each place weighs what is near it more (a triangle as wide as two steps), and ``usual`` a
    little, so that a place with next to nothing near it takes this.
    """
    places = (np.arange(len(values)) + 0.5) / len(values) * points - 0.5
    near = np.maximum(1 - np.abs(places - np.arange(points)[:, None]), 0) * weights
    little = _LITTLE * len(values) / points
    return np.asarray((near @ values + little * usual) / (near.sum(axis=1) + little))


def along(points: Floats, frames: int) -> Floats:
    """A contour (points,) at each of ``frames`` frames, in straight lines."""
    places = (np.arange(frames) + 0.5) / frames * len(points) - 0.5
    return np.asarray(np.interp(places, np.arange(len(points)), points))


def aligned(made: World, source: World, anchors: tuple[Floats, Floats, float] | None) -> Floats:
    """Where in ``source`` each frame of ``made`` is said: first and last frame, (frames, 2).

    Dynamic time warping over mel cepstra, each freed of its voice's mean and spread (H. Sakoe,
    S. Chiba, 1978). ``anchors`` are seconds of ``made`` (n,), the same moments in ``source`` (n,),
    and how far from the line through them the result may be.
    """
    costs, stride = _costs(made, source)
    if anchors is not None:
        rate = FRAME_RATE / stride
        moments = np.arange(len(costs)) / rate
        expected = np.interp(moments, anchors[0], anchors[1])
        away = np.abs(np.arange(costs.shape[1]) / rate - expected[:, None]) > anchors[2]
        # What is before and after all of them may be anywhere.
        away[(moments < anchors[0][0]) | (moments > anchors[0][-1])] = False
        away[0, 0] = away[-1, -1] = False
        costs += _FORBIDDEN * away
    path = _path(costs)
    first = np.full(len(costs), np.inf)
    last = np.full(len(costs), -np.inf)
    np.minimum.at(first, path[:, 0], path[:, 1])
    np.maximum.at(last, path[:, 0], path[:, 1])
    met = np.flatnonzero(np.isfinite(first))
    places = np.arange(len(made.pitch_hz)) / stride
    return stride * np.stack([np.interp(places, met, ends[met]) for ends in (first, last)], axis=1)


def order_evidence(made: World, source: World, words: Spans) -> float:
    """How much better ``words`` of ``made`` fit ``source`` in their order than in other orders.

    In parts of the distance of any two moments: some 0.05 to 0.1 if they are said in it, around 0
    if other words are.
    """
    costs, stride = _costs(made, source)
    starts = [0, *(round(start * FRAME_RATE / stride) for start, _ in words[1:]), len(costs)]
    rows = [np.arange(start, end) for start, end in pairwise(starts)]
    half = len(rows) // 2
    spoken = loud(made.power)[::stride]

    def distance(order: list[NDArray[np.int_]]) -> float:
        places = np.concatenate(order)
        path = _path(costs[places])
        made_at, source_at = places[path[:, 0]], path[:, 1]
        heard = spoken[made_at]
        return float(costs[made_at[heard], source_at[heard]].mean() / costs.mean())

    others = rows[::-1], rows[half:] + rows[:half]
    return sum(map(distance, others)) / len(others) - distance(rows)


def _costs(made: World, source: World) -> tuple[Floats, int]:
    """Distances of moments of one voice (n,) and another (m,), (n, m), and frames a moment."""
    frames = max(len(made.pitch_hz), len(source.pitch_hz))
    stride = max(_STRIDE, -(-frames // _LONGEST))
    squares = _squares(_features(made, stride), _features(source, stride))
    return np.sqrt(np.maximum(squares, 0)), stride


def _path(costs: Floats) -> NDArray[np.int_]:
    """The cheapest way through ``costs`` (n, m): places (k, 2), the last first."""
    from librosa.sequence import dtw

    _, path = dtw(
        C=costs,
        step_sizes_sigma=np.array(_STEPS),
        weights_mul=np.array(_STEP_COSTS),
        weights_add=np.array(_STEP_FEES),
    )
    return np.asarray(path)


def _squares(mine: Floats, other: Floats) -> Floats:
    """Squared distances (n, m) between rows (n, k) and (m, k)."""
    squares = (mine**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * mine @ other.T
    return np.asarray(squares)


def _features(world: World, stride: int) -> Floats:
    """Cepstra and their slopes every ``stride`` frames (n, 26), as spread as those of others."""
    static = cepstra(world.power)[:, :_FEATURES]
    smooth = np.apply_along_axis(np.convolve, 0, static, np.full(stride, 1 / stride), "same")
    static = smooth[::stride]
    slopes = np.gradient(static, axis=0) if len(static) > 1 else np.zeros_like(static)
    static = (static - static.mean(axis=0)) / (static.std(axis=0) + 1e-6)
    return np.hstack([static, 0.5 * slopes / (slopes.std(axis=0) + 1e-6)])


def _mel(hz: Floats) -> Floats:
    return np.asarray(2595 * np.log10(1 + hz / 700))


@lru_cache(maxsize=1)
def _centres() -> Floats:
    """Centres of the bands in mel, and the edges of the outermost, (bands + 2,)."""
    top = float(_mel(np.array([SAMPLE_RATE / 2]))[0])
    return np.linspace(0, top, _BANDS + 2)


@lru_cache(maxsize=1)
def _bin_mels() -> Floats:
    return _mel(np.linspace(0, SAMPLE_RATE / 2, BINS))


@lru_cache(maxsize=1)
def _filters() -> Floats:
    """Triangles over the bins, each of sum 1, (bands, bins)."""
    centres, bins = _centres(), np.linspace(0, SAMPLE_RATE / 2, BINS)
    hz = 700 * (10 ** (centres / 2595) - 1)
    rise = (bins - hz[:-2, None]) / (hz[1:-1] - hz[:-2])[:, None]
    fall = (hz[2:, None] - bins) / (hz[2:] - hz[1:-1])[:, None]
    triangles = np.maximum(np.minimum(rise, fall), 0)
    return np.asarray(triangles / triangles.sum(axis=1, keepdims=True))


@lru_cache(maxsize=1)
def _interpolation() -> Floats:
    """What each bin takes of each band, (bins, bands)."""
    places = np.interp(_bin_mels(), _centres()[1:-1], np.arange(_BANDS))
    return np.asarray(np.maximum(1 - np.abs(places[:, None] - np.arange(_BANDS)), 0))


@lru_cache(maxsize=1)
def _dct() -> Floats:
    """Orthonormal DCT-II over the bands, (CEPSTRA, bands)."""
    index = np.arange(_BANDS)
    rows = np.cos(np.pi / _BANDS * (index + 0.5) * np.arange(CEPSTRA)[:, None])
    rows *= np.sqrt(2 / _BANDS)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows)


def envelopes(power: Floats, stride: int) -> Floats:
    """Amplitude of the bands up to about 4 kHz, every ``stride`` frames, (frames, bands)."""
    bands = power @ _filters()[:_ENVELOPE_BANDS].T
    return np.asarray(np.sqrt(bands[::stride]))
