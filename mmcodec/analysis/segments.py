"""Cuts sound into segments of speech, music, other sound and silence, as it comes in.

Every tenth of a second (a block) is measured once and judged together with its neighbours, 0.5 s
on each side. What tells the kinds apart, and why:

* music holds its partials: the fine structure of its spectrum is the same 0.1 s later;
* speech is voiced in part, its pitch is a human one that glides and never rests, and its
  syllables make the level rise and fall; over music it is the glides that give it away;
* all else is sound; what is below -55 dBFS is silence.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mmcodec.analysis.sound import Floats, Samples, periodicity, thinned
from mmcodec.timeline import AUDIO_TIME_BASE, Segment, SegmentKind

_BLOCKS_PER_SECOND = 10
_FRAMES_PER_BLOCK = 5
_FRAME_SECONDS = 0.064
_REACH = 5
"""Blocks on each side that a block is judged with."""

LONGEST_S = 10.0
"""What goes on for longer is split."""
_MIN_BLOCKS = 8
_MIN_SILENCE_BLOCKS = 6
_QUIET_SEARCH_BLOCKS = 30
_QUIET_DB = 10.0
_MASKED_START, _MASKED_END = 3, 4
"""Blocks of speech that look like the music before and after it."""

_SILENCE_DB = -55.0
_PERIODIC = 0.6
_MOST_CANCELLED = 4.0
"""As a ratio of powers."""
_HIGHEST_VOICE_SEMITONES = 12.0 * float(np.log2(400.0))


@dataclass(frozen=True, slots=True)
class SoundSegment:
    """A segment and what is heard in it."""

    segment: Segment
    samples: Samples
    """(n, channels)"""
    sample_rate: int
    beyond: float = 0.0
    """Mean square of what the source has beyond the frequencies that the samples hold."""

    def mono(self) -> Samples:
        """The channels' mean, as loud as the channels are, (m,).

        The mean of wide stereo is up to 6 dB too quiet. m is exactly what the segment's ticks
        last, which a decoder goes by.
        """
        exact = np.zeros(
            round(self.segment.duration * AUDIO_TIME_BASE * self.sample_rate), np.float32
        )
        mono = mixed_down(self.samples[: len(exact)])
        power, left = np.square(self.samples).mean(), np.square(mono).mean()
        exact[: len(mono)] = mono * np.float32(np.sqrt(power / left) if left > 0 else 1.0)
        return exact


def mixed_down(samples: Samples) -> Samples:
    """The mean of channels (n, channels), or where they cancel out, the loudest of them (n,)."""
    mono = samples.mean(axis=1)
    powers = np.square(samples).mean(axis=0)
    if len(samples) and powers.mean() > _MOST_CANCELLED * np.square(mono).mean():
        mono = samples[:, powers.argmax()]
    return np.asarray(mono, np.float32)


class _Block(NamedTuple):
    """Measurements of a tenth of a second, each (_FRAMES_PER_BLOCK,)."""

    level_db: Floats
    periodicity: Floats
    semitones: Floats
    sustained: Floats
    flux: Floats


class SegmentDetector:
    """Is pushed samples and returns the segments that are complete.

    Segments tile the time from 0 without a gap. They last 0.8 s (silence: 0.6 s) to ``longest_s``
    and 1 s: what is shorter is joined to its neighbour, what goes on for longer is split, at a
    quiet point if there is one. The memory needed does not grow with the input, and how the input
    is cut into calls makes no difference.
    """

    def __init__(self, sample_rate: int, longest_s: float = LONGEST_S) -> None:
        self._sample_rate = sample_rate
        self._meter = _Meter(sample_rate)
        self._room: Samples = np.zeros((0, 1), dtype=np.float32)
        self._held = 0
        self._beyond: deque[tuple[int, float]] = deque([(0, 0.0)])
        self._first_sample = 0
        self._measured = 0
        self._recent: deque[_Block] = deque(maxlen=2 * _REACH + 1)
        self._cutter = _Cutter(max(round(longest_s * _BLOCKS_PER_SECOND), 2 * _MIN_BLOCKS))

    def process(self, samples: Samples, beyond: float = 0.0) -> list[SoundSegment]:
        """Take ``samples`` (n, channels), of any n, and what is beyond their frequencies; the
        segments that they complete.
        """
        self._append(samples)
        so_far = self._beyond[-1][1] + beyond * len(samples)
        self._beyond.append((self._end_sample, so_far))
        cuts = []
        while self._end_sample >= self._sample_of(self._measured + 1) + self._meter.margin:
            cuts += self._measure_block()
        return [self._segment(*cut) for cut in cuts]

    def finish(self) -> list[SoundSegment]:
        """The segments that were still open."""
        if not self._end_sample:
            return []
        cuts = []
        while self._sample_of(self._measured) < self._end_sample:
            cuts += self._measure_block()
        # The last blocks are judged with fewer after them.
        for left in range(min(_REACH, self._measured), 0, -1):
            cuts += self._judge(len(self._recent) - left)
        segments = [self._segment(*cut) for cut in cuts]
        start, kind = self._cutter.open_segment
        ticks = max(round(self._end_sample / self._sample_rate / AUDIO_TIME_BASE), 1)
        segment = Segment(_ticks(start), max(ticks, _ticks(start) + 1), kind)
        beyond = self._mean_beyond(self._first_sample, self._end_sample)
        return [*segments, SoundSegment(segment, self._samples, self._sample_rate, beyond)]

    @property
    def _samples(self) -> Samples:
        """Those that are held: of the segment that has no end yet."""
        return self._room[: self._held]

    @property
    def _end_sample(self) -> int:
        return self._first_sample + self._held

    def _sample_of(self, block: int) -> int:
        return round(block * self._sample_rate / _BLOCKS_PER_SECOND)

    def _append(self, samples: Samples) -> None:
        end = self._held + len(samples)
        if end > len(self._room):  # twice as much, so that each sample is moved once or so
            room = np.empty((2 * end, samples.shape[1]), np.float32)
            room[: self._held] = self._samples
            self._room = room
        self._room[self._held : end] = samples
        self._held = end

    def _measure_block(self) -> list[tuple[int, int, SegmentKind]]:
        start, end = (self._sample_of(self._measured + n) for n in (0, 1))
        around = self._mono(start - self._meter.margin, end + self._meter.margin)
        self._recent.append(self._meter.measure(around))
        self._measured += 1
        if self._measured <= _REACH:
            return []
        return self._judge(len(self._recent) - 1 - _REACH)

    def _mono(self, start: int, end: int) -> Samples:
        """Samples ``start`` to ``end``, mixed down; zeros where there are none."""
        have = self._samples[max(start - self._first_sample, 0) : max(end - self._first_sample, 0)]
        before = max(self._first_sample - start, 0)
        mono = np.zeros(end - start, dtype=np.float32)
        mono[before : before + len(have)] = mixed_down(have)
        return mono

    def _judge(self, index: int) -> list[tuple[int, int, SegmentKind]]:
        recent = list(self._recent)
        window = recent[max(index - _REACH, 0) : index + _REACH + 1]
        level = recent[index].level_db
        kind = SegmentKind.SILENCE if level.max() < _SILENCE_DB else _kind_of(window)
        return self._cutter.push(kind, float(level.mean()))

    def _mean_beyond(self, start: int, end: int) -> float:
        """Of the samples ``start`` to ``end``; what is before them is forgotten."""
        at, sums = zip(*self._beyond, strict=True)
        first, last = np.interp([start, end], at, sums)
        while len(self._beyond) > 1 and self._beyond[1][0] <= end:
            self._beyond.popleft()
        return float(last - first) / max(end - start, 1)

    def _segment(self, start: int, end: int, kind: SegmentKind) -> SoundSegment:
        cut = self._sample_of(end) - self._first_sample
        samples, rest = self._samples[:cut].copy(), self._samples[cut:].copy()
        self._room, self._held = rest, len(rest)
        beyond = self._mean_beyond(self._first_sample, self._first_sample + cut)
        self._first_sample += cut
        segment = Segment(_ticks(start), _ticks(end), kind)
        return SoundSegment(segment, samples, self._sample_rate, beyond)


def _ticks(block: int) -> int:
    return int(block / _BLOCKS_PER_SECOND / AUDIO_TIME_BASE)


class _Meter:
    """Measures blocks, each with ``margin`` samples more at both ends."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self.margin = round(0.05 * sample_rate)
        self._last: tuple[Floats, Floats] | None = None

    def measure(self, mono: Samples) -> _Block:
        """The measurements of one block; the blocks have to come in order."""
        thin, rate = thinned(mono, self._sample_rate)
        size = round(_FRAME_SECONDS * rate)
        centres = 0.05 + (np.arange(_FRAMES_PER_BLOCK) + 0.5) * 0.02
        starts = np.round(centres * rate - size / 2).astype(int)
        frames = thin[starts[:, None] + np.arange(size)].astype(np.float64)
        lags, gains = periodicity(frames, rate)
        shape, detail = _shape_and_detail(frames, rate)
        last_shape, last_detail = (shape, detail) if self._last is None else self._last
        self._last = shape, detail
        shapes = np.concatenate([last_shape[-2:], shape])
        return _Block(
            level_db=10.0 * np.log10(np.mean(frames**2, axis=1) + 1e-10),
            periodicity=gains[:, 0],
            semitones=12.0 * np.log2(rate / lags[:, 0]),
            sustained=np.sum(detail * last_detail, axis=1),
            flux=np.mean(np.abs(shapes[2:] - shapes[:-2]), axis=1),
        )


def _shape_and_detail(frames: Floats, rate: float) -> tuple[Floats, Floats]:
    """Coarse shape and fine structure of the log spectra from 100 to 5000 Hz, (frames, bins).

    The shape is in nepers; the detail has unit length, so that a product of two is a correlation.
    """
    size = frames.shape[1]
    first, end = np.searchsorted(np.fft.rfftfreq(size, 1.0 / rate), (100, 5000))
    spectra = np.abs(np.fft.rfft(frames * np.hanning(size))[:, first:end])
    log = np.log(spectra + 1e-5)
    # The mean over 15 bins (230 Hz) is the coarse shape, which speech and noise keep too.
    sums = np.cumsum(np.pad(log, ((0, 0), (8, 7)), mode="edge"), axis=1)
    shape = (sums[:, 15:] - sums[:, :-15]) / 15.0
    detail = log - shape
    return shape, detail / (np.linalg.norm(detail, axis=1, keepdims=True) + 1e-9)


def _kind_of(window: list[_Block]) -> SegmentKind:
    """What a window of blocks, not silent, sounds like."""
    level, periodic, semitones, sustained, flux = (
        np.concatenate(values) for values in zip(*window, strict=True)
    )
    loud = level > max(level.max() - 25.0, _SILENCE_DB)
    dynamics_db = np.std(np.maximum(level, max(level.max() - 40.0, -70.0)))
    voiced = loud & (periodic > _PERIODIC)
    glides = np.abs(np.diff(semitones))[voiced[1:] & voiced[:-1]]
    glides = glides[glides < 6.0]  # more is a wrong octave
    glide = float(np.median(glides)) if len(glides) > 3 else 0.0
    steady = float(np.mean(glides < 0.15)) if len(glides) > 3 else 0.0
    held = float(np.mean(sustained[loud]))
    pitch = float(np.median(semitones[voiced])) if voiced.any() else 0.0
    alone = dynamics_db > 4.5 and glide > 0.14 and held < 0.25
    over_music = dynamics_db > 2.5 and glide > 0.2 and steady < 0.45 and held < 0.33
    if (
        np.mean(voiced) > 0.2
        and np.mean(flux[loud]) > 0.5
        and glide < 1.3
        and (alone or over_music)
        and pitch < _HIGHEST_VOICE_SEMITONES
    ):
        return SegmentKind.SPEECH
    if held > 0.24 or (held > 0.17 and steady > 0.5):
        return SegmentKind.MUSIC
    return SegmentKind.SOUND


def _shortest(kind: SegmentKind) -> int:
    return _MIN_SILENCE_BLOCKS if kind is SegmentKind.SILENCE else _MIN_BLOCKS


def _patience(old: SegmentKind, new: SegmentKind) -> int:
    """Blocks that a new kind has to last before it is believed."""
    if old is SegmentKind.SILENCE:
        return 2  # a single bark must not be lost
    if old is SegmentKind.MUSIC and new is SegmentKind.SPEECH:
        return 11  # a melody may glide for a moment
    if new is SegmentKind.SOUND:
        return 15  # what is left when nothing is sure, as in a pause between sentences
    return _shortest(new)


class _Cutter:
    """Turns the kinds of blocks into segments, given back as (first block, end block, kind), of
    ``most`` blocks and a few.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._start = 0
        self._kind = SegmentKind.SILENCE
        self._next = 0
        self._change: tuple[int, SegmentKind] | None = None
        self._levels: deque[float] = deque(maxlen=most + _MIN_BLOCKS)

    @property
    def open_segment(self) -> tuple[int, SegmentKind]:
        """First block and kind of the segment that has no end yet."""
        return self._start, self._kind

    def push(self, kind: SegmentKind, level_db: float) -> list[tuple[int, int, SegmentKind]]:
        """Take the next block; the segments that it completes."""
        block, self._next = self._next, self._next + 1
        self._levels.append(level_db)
        if block == 0 or kind is self._kind:
            self._kind, self._change = kind, None
        elif self._change is None or self._change[1] is not kind:
            self._change = block, kind
        if self._change and self._next - self._change[0] >= _patience(self._kind, kind):
            return self._begin(*self._change)
        if self._next - self._start >= self._most + _MIN_BLOCKS:
            return self._cut(self._quiet_block(), self._kind)
        return []

    def _begin(self, block: int, kind: SegmentKind) -> list[tuple[int, int, SegmentKind]]:
        """A new kind has lasted: what came before is a segment, or too short to be one."""
        masked = {self._kind, kind} & {SegmentKind.MUSIC, SegmentKind.SOUND}
        if masked and kind is SegmentKind.SPEECH:
            block = max(block - _MASKED_START, self._start)
        elif masked and self._kind is SegmentKind.SPEECH:
            block += _MASKED_END
        earliest = self._start + _shortest(self._kind)
        if kind is SegmentKind.SILENCE and block < earliest:
            # A short sound is worth more than the silence after it: it is made long enough.
            late = self._next - earliest >= _MIN_SILENCE_BLOCKS
            return self._cut(earliest, kind) if late else []
        if block < earliest:
            self._kind, self._change = kind, None
            return []
        return self._cut(block, kind)

    def _cut(self, block: int, kind: SegmentKind) -> list[tuple[int, int, SegmentKind]]:
        done = self._start, block, self._kind
        self._start, self._kind = block, kind
        if self._change and self._change[1] is kind:
            self._change = None
        return [done]

    def _quiet_block(self) -> int:
        """The quietest of the last 3 s before the limit, the limit itself if none is quiet."""
        levels = np.array(self._levels)[: self._most]
        search = min(_QUIET_SEARCH_BLOCKS, self._most // 2)
        quietest = int(np.argmin(levels[-search:])) + self._most - search
        if levels[quietest] > np.median(levels) - _QUIET_DB:
            return self._start + self._most
        return self._start + quietest
