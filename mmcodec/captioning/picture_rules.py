"""A shot's analysis as one English sentence."""

from __future__ import annotations

from mmcodec.analysis.colour import Light, Palette
from mmcodec.analysis.motion import CameraMotion, SubjectMotion, is_still
from mmcodec.analysis.picture import ShotAnalysis

_ROWS = ("top", "", "bottom")
_COLUMNS = ("left", "", "right")
_FAST = 0.25
"""Frame widths a second."""
_ZOOM = 0.03


def describe_shot(shot: ShotAnalysis) -> str:
    """One readable sentence of 60 to 120 characters, of a still of 30 to 60.

    For example: "Bright shot, sky blue over sand; the camera pans slowly right; fast movement at
    the left."
    """
    looks = (
        f"{_light(shot.light, 'photograph' if shot.still else 'shot')}, {_colours(shot.palette)}"
    )
    if shot.still:
        return f"{looks}."
    return f"{looks}; {_camera(shot.camera)}; {_movement(shot.subject)}."


def _light(light: Light, noun: str) -> str:
    if light.brightness < 18:
        words = f"Dark {noun}"
    elif light.brightness < 38:
        words = f"Dim {noun}"
    elif light.brightness < 62:
        words = f"Evenly lit {noun}"
    else:
        words = f"Bright {noun}"
    if light.contrast < 10:
        return f"{words} of low contrast"
    if light.warmth > 18:
        return f"{words} in warm light"
    return f"{words} in cool light" if light.warmth < -12 else words


def _colours(palette: Palette) -> str:
    if palette.top == palette.bottom:
        words = f"mostly {palette.top}"
    else:
        words = f"{palette.top} over {palette.bottom}"
    accent = palette.accent
    return f"{words} with {accent}" if accent and accent not in words else words


def _camera(camera: CameraMotion) -> str:
    moves = [
        (abs(camera.pan), "pans", "right" if camera.pan > 0 else "left"),
        (abs(camera.tilt), "tilts", "down" if camera.tilt > 0 else "up"),
    ]
    speed, verb, direction = max(moves)
    if abs(camera.zoom) > _ZOOM and abs(camera.zoom) > speed:
        return f"the camera zooms {'in' if camera.zoom > 0 else 'out'}"
    if is_still(speed):
        return "the camera is still"
    pace = " fast" if speed > _FAST else "" if speed > 0.4 * _FAST else " slowly"
    return f"the camera {verb}{pace} {direction}"


def _movement(subject: SubjectMotion) -> str:
    if is_still(subject.speed):
        return "nothing moves"
    pace = "fast" if subject.speed > _FAST else "slight" if subject.speed < 0.06 else "some"
    row, column = _ROWS[min(2, int(subject.y * 3))], _COLUMNS[min(2, int(subject.x * 3))]
    return f"{pace} movement at the {' '.join(filter(None, (row, column))) or 'centre'}"
