"""Picture without a model that looks sharper than what was sent: grain in place of lost detail.

It is further from the source in SSIM and PSNR, and meant to look less like a painting. As in AV1's
film grain synthesis (AV1 specification, 7.18.3), noise from a template at a place that differs from
frame to frame, scaled by what the encoder measured; here also by how lively the sketch is there.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors import sketch
from mmcodec.descriptors.sketch import DETAIL_LEVELS
from mmcodec.synthesis.offline_video import OfflineVideo, shown_sketch
from mmcodec.timeline import Cue, Layer, VideoTrack

_STRENGTH = 0.4
"""Noise is seen more than detail of the same power."""
_FINEST, _COARSEST = 0.6, 2.0
"""Sigmas, in pixels at 640 columns, between which the noise lies."""
_SMALL = (160, 90)
"""The raster at which it is seen how lively a place is."""
_NEAR, _AROUND = 1.0, 9
"""Sigma and side, in its pixels, of the surroundings."""
_CALM, _LIVELY = 0.3, 1.5
_ROOM = 64
"""Pixels by which the place in the template differs."""

Floats = NDArray[np.float32]


class GrainyVideo:
    """Renders any cue on a CPU, without weights, with grain where there was fine detail."""

    def render(self, cue: Cue, track: VideoTrack) -> Iterator[NDArray[np.uint8]]:
        """Frames of the cue's sketch with grain, or what is made offline if it has none."""
        if Layer.SKETCH not in cue.descriptors:
            yield from OfflineVideo().render(cue, track)
            return
        decoded = sketch.decode(cue.descriptors[Layer.SKETCH], cue.span.duration)
        strength = _STRENGTH * DETAIL_LEVELS[decoded.detail]
        template = _template(track.width, track.height)
        places = np.random.default_rng(cue.span.start).integers(0, _ROOM, (cue.span.duration, 2))
        for place, picture in zip(
            places, shown_sketch(decoded, cue.span.duration, track), strict=True
        ):
            yield grained(picture, template, (int(place[0]), int(place[1])), strength)


def grained(
    picture: NDArray[np.uint8], template: Floats, place: tuple[int, int], strength: float
) -> NDArray[np.uint8]:
    """``picture`` (height, width, 3) with noise from a place in a template, with a standard
    deviation of ``strength`` levels in the mean.
    """
    height, width = picture.shape[:2]
    small = cv2.resize(picture, _SMALL, interpolation=cv2.INTER_AREA)
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    lively = cv2.blur(np.abs(luma - _soft(luma, _NEAR)), (_AROUND, _AROUND))
    share = np.clip(lively / max(float(lively.mean()), 1e-3), _CALM, _LIVELY) * strength
    down, right = place
    noise = template[down : down + height, right : right + width]
    noise = np.rint(noise * cv2.resize(share, (width, height))).astype(np.int16)
    grain = cv2.merge([noise, noise, noise])
    return np.asarray(cv2.add(picture, grain, dtype=cv2.CV_8U), np.uint8)


def _template(width: int, height: int) -> Floats:
    """Noise of a standard deviation of 1, larger than a picture by the room for its place."""
    scale = max(width, height) / 640
    shape = (height + _ROOM, width + _ROOM)
    white = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    band = _soft(white, _FINEST * scale) - _soft(white, _COARSEST * scale)
    return np.asarray(band / band.std(), np.float32)


def _soft(plane: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), max(sigma, 0.1)), np.float32)
