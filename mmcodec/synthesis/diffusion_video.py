"""Shots by a video diffusion model, led by their sketches where they have one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mmcodec.errors import BitstreamError, FailedWorkError, OutOfMemoryError
from mmcodec.models.placement import place
from mmcodec.registry import Group, ModelSettings
from mmcodec.synthesis.clips import Part, at_rate, joined, overlap_of, parts_of
from mmcodec.synthesis.contract import seed_of
from mmcodec.synthesis.diffusion_loading import release_memory, working_size
from mmcodec.synthesis.guide import Guide, guide_of
from mmcodec.synthesis.offline_video import enlarge
from mmcodec.synthesis.prompting import words_for
from mmcodec.synthesis.video_pipelines import Request, Role, VideoModel
from mmcodec.timeline import Cue, VideoTrack

_NAME = "diffusers"
_PIXELS = 832 * 480
"""Pixels of a frame that the models make at most: what most of them were trained at."""
_LONGEST = 81
"""Frames of a clip that the models make at most: what most of them were trained at."""
_STRENGTH_PERCENT = 60
"""How far a model goes from a sketch if the stream does not say."""
_CONTINUED_STRENGTH = 0.85
"""How far a part goes from the end of the part before, where neither a sketch leads nor the model
takes a first frame."""
_LED = (Role.RESTYLE, Role.ANIMATE, Role.TEXT)
_FREE = (Role.TEXT, Role.ANIMATE, Role.RESTYLE)
_CONTINUED = (Role.ANIMATE, Role.RESTYLE, Role.TEXT)
"""Roles, best first: with a sketch; without; and for its later parts."""


@dataclass(frozen=True, slots=True)
class _Shot:
    """A cue to be made; ``pace`` is the stream's frames for each of the model's."""

    cue: Cue
    guide: Guide
    size: tuple[int, int]
    strength: float
    pace: Fraction
    overlap: int
    parts: list[Part]

    @property
    def is_sketch(self) -> bool:
        """Whether it is to be shown as its sketch is."""
        return self.guide.frames is not None and self.strength == 0


class DiffusionVideo:
    """Renders shots with the video models that diffusers runs: Wan, LTX, CogVideoX and others.

    A sketch is the video that the model changes; a model that cannot do that is given its first
    frame to move; without a sketch, the model goes by the words, in which the look is named.
    ``pixels`` and ``longest`` are the most of a frame and of a clip that a model is asked for.

    Raises:
        BackendError: the device is not there.
    """

    def __init__(
        self, settings: ModelSettings, pixels: int = _PIXELS, longest: int = _LONGEST
    ) -> None:
        self._placement = place(Group.VIDEO_SYNTHESIZER, _NAME, settings)
        self._pixels, self._longest = pixels, longest
        self._loaded: VideoModel | None = None
        self._divisor = 1
        self._batch = settings.batch
        self._coming: dict[int, _Shot] = {}
        self._ready: dict[int, NDArray[np.uint8]] = {}

    def prepare(self, cues: Sequence[Cue], track: VideoTrack) -> None:
        """Say which cues come next: their first parts are made together where they are alike.

        Later parts of long shots go on from what was made, and are made one by one.
        """
        self._coming, self._ready = {}, {}
        for cue in cues:
            with suppress(BitstreamError):  # which its render raises
                self._coming[cue.span.start] = self._shot(cue, track)

    def render(self, cue: Cue, track: VideoTrack) -> Iterator[NDArray[np.uint8]]:
        """The frames of a cue at the track's raster, made part by part as they are taken."""
        shot = self._coming.pop(cue.span.start, None) or self._shot(cue, track)
        if shot.is_sketch:
            moments = (Fraction(now) for now in range(shot.guide.duration))
            yield from shot.guide.at(moments, shot.size)
            return
        chunks, rate = joined(self._clips(shot), shot.overlap), self._model().limits.frame_rate
        for frame in at_rate(chunks, rate, cue.span.duration, track.frame_rate):
            yield enlarge(frame, shot.size)

    def _shot(self, cue: Cue, track: VideoTrack) -> _Shot:
        guide, size = guide_of(cue), (track.width, track.height)
        percent = cue.synthesis.strength_percent
        strength = (_STRENGTH_PERCENT if percent is None else percent) / 100
        if guide.frames is not None and strength == 0:
            return _Shot(cue, guide, size, strength, Fraction(1), 1, [])
        limits = self._model().limits
        count = -(-cue.span.duration * limits.frame_rate // track.frame_rate)
        overlap = overlap_of(limits) if self._role(guide, later=True) is not Role.ANIMATE else 1
        parts = parts_of(int(count), limits, overlap)
        pace = track.frame_rate / limits.frame_rate
        return _Shot(cue, guide, size, strength, pace, overlap, parts)

    def _model(self) -> VideoModel:
        if self._loaded is None:
            self._loaded = VideoModel(_NAME, self._placement, self._longest)
        return self._loaded

    def _role(self, guide: Guide, later: bool) -> Role:
        order = _LED if guide.frames is not None else _CONTINUED if later else _FREE
        return next(role for role in order if role in self._model().roles)

    def _clips(self, shot: _Shot) -> Iterator[NDArray[np.uint8]]:
        """The parts of a shot (n, height, width, 3), all of one raster."""
        before: NDArray[np.uint8] | None = None
        for number, part in enumerate(shot.parts):
            made = self._clip(shot, part, number, before)[: part.count]
            if before is not None and before.shape[1:] != made.shape[1:]:  # memory had run out
                height, width = before.shape[1:3]
                made = _resized(made, (width, height))
            yield made
            before = made

    def _clip(
        self, shot: _Shot, part: Part, number: int, before: NDArray[np.uint8] | None
    ) -> NDArray[np.uint8]:
        """One part, with half the pixels from then on if it does not fit."""
        start = shot.cue.span.start
        if before is None and start in self._ready:
            return self._ready.pop(start)
        role, request = self._asked(shot, part, number, before)
        if before is None and self._coming and self._model().batches(role):
            self._make_ready(shot, role, request)
            if start in self._ready:
                return self._ready.pop(start)
        try:
            return self._model().make(role, [request])[0]
        except OutOfMemoryError:
            release_memory(self._placement.device)
            if self._divisor > 1:
                raise
        self._divisor = 2
        return self._clip(shot, part, number, before)

    def _asked(
        self, shot: _Shot, part: Part, number: int, before: NDArray[np.uint8] | None
    ) -> tuple[Role, Request]:
        pixels = min(shot.size[0] * shot.size[1], self._pixels) // self._divisor
        size = working_size(shot.size, pixels, self._model().limits.side)
        role = self._role(shot.guide, later=before is not None)
        return role, _request(shot, role, part, number, size, before)

    def _make_ready(self, shot: _Shot, role: Role, request: Request) -> None:
        """Make the first part of a shot and those of coming ones that fit into the same call.

        If that fails, each is made for itself, where a failure is dealt with.
        """
        batch = {shot.cue.span.start: request}
        for start, other in self._coming.items():
            if start in self._ready or other.is_sketch or len(batch) == self._batch:
                continue
            its_role, asked = self._asked(other, other.parts[0], 0, None)
            if its_role is role and asked.fits(request):
                batch[start] = asked
        if len(batch) == 1:
            return
        try:
            made = self._model().make(role, list(batch.values()))
        except FailedWorkError:
            release_memory(self._placement.device)
            self._coming = {}
        else:
            self._ready |= zip(batch, made, strict=True)


def _request(
    shot: _Shot,
    role: Role,
    part: Part,
    number: int,
    size: tuple[int, int],
    before: NDArray[np.uint8] | None,
) -> Request:
    cue, guide = shot.cue, shot.guide
    shown = guide.frames is not None and role is not Role.TEXT
    words = words_for(cue, None if shown else guide.colours, guide.camera)
    percent = cue.synthesis.guidance_percent
    strength = shot.strength if guide.frames is not None else _CONTINUED_STRENGTH
    if guide.frames is None and before is None:
        strength = 1.0  # a field of colours is little to go by
    return Request(
        words,
        size,
        part.count,
        (seed_of(cue) + (number if role is Role.TEXT else 0)) % (1 << 32),
        cue.synthesis.steps,
        None if percent is None else percent / 100,
        strength,
        None if role is Role.TEXT else _pictures(shot, role, part, size, before),
    )


def _pictures(
    shot: _Shot, role: Role, part: Part, size: tuple[int, int], before: NDArray[np.uint8] | None
) -> NDArray[np.uint8]:
    """What a part is made from (n, height, width, 3): the end of the part ``before``, if there is
    one, then the sketch, or else the last picture held.
    """
    count = 1 if role is Role.ANIMATE else part.count
    known = np.zeros((0, size[1], size[0], 3), np.uint8)
    if before is not None:
        known = _resized(before[len(before) - shot.overlap :], size)[:count]
    left = count - len(known)
    if shot.guide.frames is not None and left:
        first = part.start + len(known)
        moments = (at * shot.pace for at in range(first, first + left))
        held = np.stack(list(shot.guide.at(moments, size)))
    else:
        last = known[-1] if len(known) else shot.guide.field(size)
        held = np.repeat(last[None], left, axis=0)
    return np.concatenate([known, held])


def _resized(frames: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.stack([enlarge(frame, size) for frame in frames])
