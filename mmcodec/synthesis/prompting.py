"""Words for a model that makes pictures: the prompt, the colours that it is to have, the style."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.colour import palette
from mmcodec.analysis.motion import CameraMotion, is_still
from mmcodec.timeline import Cue

_LEAST_SHARE = 0.08
"""Part of the picture that a colour fills, to be named."""
_MOST_COLOURS = 4
_ZOOM = 0.03


@dataclass(frozen=True, slots=True)
class Words:
    """What is to be seen, and what is not; ``negative`` is None if nothing is said about that."""

    prompt: str
    negative: str | None = None


def words_for(
    cue: Cue, colours: NDArray[np.uint8] | None = None, camera: CameraMotion | None = None
) -> Words:
    """The words of a cue with its style.

    ``colours``, a picture (height, width, 3), is named in them: for a model that is not shown it.
    So is what the ``camera`` does, unless the prompt says it already.
    """
    said = cue.prompt.text.strip()
    parts = [said, _colours(colours, said) if colours is not None else ""]
    if camera is not None and "camera" not in said.lower():
        parts.append(_camera(camera))
    parts.append((cue.synthesis.style or "").strip())
    sentences = (
        part if part.endswith((".", "!", "?", "”")) else f"{part}." for part in parts if part
    )
    return Words(" ".join(sentences), cue.synthesis.negative)


def _colours(picture: NDArray[np.uint8], said: str) -> str:
    """The main colours of a picture by name, those left out that the prompt names."""
    main = palette(picture)
    names = [colour.name for colour in main.colours if colour.share >= _LEAST_SHARE]
    names += [main.accent] if main.accent else []
    spoken = said.lower()
    fresh = [name for name in dict.fromkeys(names) if name not in spoken][:_MOST_COLOURS]
    if not fresh:
        return ""
    return (
        f"Colours: {', '.join(fresh[:-1])} and {fresh[-1]}" if fresh[1:] else f"Colour: {fresh[0]}"
    )


def _camera(camera: CameraMotion) -> str:
    moves = (
        (abs(camera.pan), f"pans {'right' if camera.pan > 0 else 'left'}"),
        (abs(camera.tilt), f"tilts {'down' if camera.tilt > 0 else 'up'}"),
    )
    speed, what = max(moves)
    if abs(camera.zoom) > max(_ZOOM, speed):
        return f"The camera zooms {'in' if camera.zoom > 0 else 'out'}"
    return "" if is_still(speed) else f"The camera {what}"
