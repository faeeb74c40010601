"""Shots from one still each: an image model draws it, the sketch or the camera moves it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain, islice

import av
import av.error
import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.errors import BitstreamError, FailedWorkError, OutOfMemoryError
from mmcodec.models.endpoint import Endpoint
from mmcodec.models.placement import place
from mmcodec.registry import Group, ModelSettings
from mmcodec.synthesis.contract import seed_of
from mmcodec.synthesis.diffusion_loading import release_memory
from mmcodec.synthesis.guide import Guide, guide_of
from mmcodec.synthesis.image_pipelines import ImageModel, ImageRequest
from mmcodec.synthesis.prompting import words_for
from mmcodec.synthesis.still_motion import moved_as_sketch, moved_by_camera, resized
from mmcodec.timeline import Cue, VideoTrack

_NAME = "keyframes"
_PIXELS = 1 << 20
_STRENGTH_PERCENT = 60
"""How far a model goes from a sketch if the stream does not say."""


class KeyframeAnimation:
    """Renders a shot from one picture of an image model that diffusers runs.

    ``pixels`` is the most that a picture has; a model made for less is asked for less.

    Raises:
        BackendError: the device is not there.
    """

    def __init__(self, settings: ModelSettings, pixels: int = _PIXELS) -> None:
        self._placement = place(Group.VIDEO_SYNTHESIZER, _NAME, settings)
        self._pixels = pixels
        self._loaded: ImageModel | None = None
        self._divisor = 1
        self._batch = settings.batch
        self._coming: dict[int, ImageRequest] = {}
        self._ready: dict[int, NDArray[np.uint8]] = {}

    def prepare(self, cues: Sequence[Cue], track: VideoTrack) -> None:
        """Say which cues come next: their pictures are made together where they are alike."""
        self._coming, self._ready = {}, {}
        for cue in cues:
            with suppress(BitstreamError):  # which its render raises
                request = _request(cue, guide_of(cue), track)
                if request.start is None or request.strength:
                    self._coming[cue.span.start] = request

    def render(self, cue: Cue, track: VideoTrack) -> Iterator[NDArray[np.uint8]]:
        """The frames of a cue at the track's raster; of a still photograph, the picture itself."""
        guide = guide_of(cue)
        yield from animated(self._still(cue, guide, track), guide, track)

    def _still(self, cue: Cue, guide: Guide, track: VideoTrack) -> NDArray[np.uint8]:
        at, request = cue.span.start, _request(cue, guide, track)
        if request.start is not None and request.strength == 0:
            return request.start
        self._coming.pop(at, None)
        if at not in self._ready and self._coming and self._model().batches(request):
            self._make_ready(at, request)
        return self._ready.pop(at) if at in self._ready else self._made(request)

    def _model(self) -> ImageModel:
        if self._loaded is None:
            self._loaded = ImageModel(_NAME, self._placement, self._pixels)
        return self._loaded

    def _make_ready(self, at: int, request: ImageRequest) -> None:
        """Make a picture and those of coming shots that fit into the same call.

        If that fails, each is made for itself, where a failure is dealt with.
        """
        alike = (
            (start, other)
            for start, other in self._coming.items()
            if start not in self._ready and other.fits(request)
        )
        batch = dict(islice(chain([(at, request)], alike), self._batch))
        try:
            made = self._model().make(list(batch.values()), self._divisor)
        except FailedWorkError:
            release_memory(self._placement.device)
            self._coming = {}
        else:
            self._ready |= zip(batch, made, strict=True)

    def _made(self, request: ImageRequest) -> NDArray[np.uint8]:
        """The picture, with half the pixels from then on if it does not fit."""
        try:
            return self._model().make([request], self._divisor)[0]
        except OutOfMemoryError:
            release_memory(self._placement.device)
            if self._divisor > 1:
                raise
        self._divisor = 2
        return self._made(request)


_OPENAI_MODEL = "gpt-image-1"
_DEADLINE_S = 180.0
"""A picture may take minutes."""
_SIZES = ((1024, 1024), (1536, 1024), (1024, 1536))
_DALL_E_SIZES = ((1024, 1024), (1792, 1024), (1024, 1792))
_SHARPEN = "Turn this blurred sketch into a sharp picture with the same composition and colours. "
_MOST_PIXELS = 1 << 24
_FORMATS = {b"\x89PNG": "png_pipe", b"\xff\xd8\xff": "jpeg_pipe", b"RIFF": "webp_pipe"}


@dataclass(slots=True)
class OpenAIKeyframes:
    """Renders a shot from one picture of a server that speaks OpenAI's protocol.

    A sketch is sent along to be redrawn; DALL-E cannot do that, so its pictures are only panned.
    """

    settings: ModelSettings
    _endpoint: Endpoint = field(
        default_factory=lambda: Endpoint(deadline_s=_DEADLINE_S), init=False, repr=False
    )

    def render(self, cue: Cue, track: VideoTrack) -> Iterator[NDArray[np.uint8]]:
        """The frames of a cue at the track's raster; of a still photograph, the picture itself."""
        guide = guide_of(cue)
        model = self.settings.model or _OPENAI_MODEL
        dall_e = model.startswith("dall-e")
        size = _nearest(track, _DALL_E_SIZES if dall_e else _SIZES)
        start = (
            None
            if dall_e or guide.frames is None
            else _png(guide.frames[len(guide.frames) // 2], size)
        )
        words = words_for(cue, guide.colours if start is None else None)
        prompt = (_SHARPEN if start else "") + (words.prompt or "A picture.")
        if words.negative:
            prompt += f" Nothing of this: {words.negative}."
        data = self._endpoint.image(model, prompt, f"{size[0]}x{size[1]}", start)
        still = _cropped(_decoded(data, model), track.width / track.height)
        yield from animated(still, guide, track, as_sketch=start is not None)


def _request(cue: Cue, guide: Guide, track: VideoTrack) -> ImageRequest:
    made_for = cue.synthesis
    percent, guidance = made_for.strength_percent, made_for.guidance_percent
    start = None
    if guide.frames is not None:
        start = np.asarray(guide.frames[len(guide.frames) // 2])
    return ImageRequest(
        words_for(cue, None if start is not None else guide.colours),
        (track.width, track.height),
        seed_of(cue),
        made_for.steps,
        None if guidance is None else guidance / 100,
        (_STRENGTH_PERCENT if percent is None else percent) / 100,
        start,
    )


def animated(
    still: NDArray[np.uint8], guide: Guide, track: VideoTrack, as_sketch: bool = True
) -> Iterator[NDArray[np.uint8]]:
    """The frames of a shot from its still, RGB uint8 (height, width, 3).

    It moves as its sketch does, if there is one and it was drawn from it.
    """
    size = (track.width, track.height)
    if track.still or guide.duration == 1:
        picture = resized(still, size)
        yield from (picture for _ in range(guide.duration))
    elif guide.frames is not None and as_sketch:
        yield from moved_as_sketch(still, guide, size)
    else:
        rate = float(track.frame_rate)
        yield from moved_by_camera(still, guide.camera, size, guide.duration, rate)


def _nearest(track: VideoTrack, sizes: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """The size whose shape is nearest to the track's."""
    wanted = np.log(track.width / track.height)
    return min(sizes, key=lambda size: abs(float(np.log(size[0] / size[1]) - wanted)))


def _png(picture: NDArray[np.uint8], size: tuple[int, int]) -> bytes:
    """A picture as a file of ``size`` (width, height), with its edges drawn out to that shape."""
    height, width = picture.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inner = (min(size[0], round(width * scale)), min(size[1], round(height * scale)))
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    right, bottom = size[0] - inner[0] - left, size[1] - inner[1] - top
    large = cv2.resize(picture, inner, interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return bytes(cv2.imencode(".png", cv2.cvtColor(framed, cv2.COLOR_RGB2BGR))[1])


def _cropped(picture: NDArray[np.uint8], shape: float) -> NDArray[np.uint8]:
    """The middle of a picture (height, width, 3) that is ``shape`` times as wide as high."""
    height, width = picture.shape[:2]
    across = min(width, max(1, round(height * shape)))
    down = min(height, max(1, round(width / shape)))
    left, top = (width - across) // 2, (height - down) // 2
    return picture[top : top + down, left : left + across]


def _decoded(data: bytes, model: str) -> NDArray[np.uint8]:
    """A picture from a server, which is not trusted: its size is looked at first."""
    kind = next((form for mark, form in _FORMATS.items() if data.startswith(mark)), None)
    try:
        with av.open(BytesIO(data), "r", format=kind) as container:
            stream = container.streams.video[0]
            if kind and stream.width * stream.height <= _MOST_PIXELS:
                frame = next(container.decode(stream))
                return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except (av.error.FFmpegError, IndexError, StopIteration, ValueError):
        pass
    raise FailedWorkError(f"{model} did not answer with a picture that can be read")
