"""Colours by name, brightness and contrast of pictures, in CIE L*a*b*."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_NAMED = {
    "black": (12, 12, 14),
    "dark grey": (64, 64, 66),
    "grey": (128, 128, 128),
    "light grey": (190, 190, 190),
    "white": (244, 244, 244),
    "brown": (104, 68, 40),
    "dark brown": (52, 34, 22),
    "beige": (216, 200, 168),
    "sand": (194, 162, 112),
    "gold": (206, 162, 40),
    "yellow": (240, 222, 60),
    "orange": (236, 130, 36),
    "pink": (236, 160, 178),
    "red": (204, 34, 38),
    "dark red": (104, 20, 24),
    "purple": (118, 52, 146),
    "lilac": (178, 156, 214),
    "navy": (20, 28, 66),
    "blue": (40, 84, 186),
    "sky blue": (126, 178, 230),
    "slate blue": (86, 102, 128),
    "teal": (22, 104, 112),
    "turquoise": (64, 196, 196),
    "green": (52, 134, 58),
    "dark green": (24, 54, 30),
    "light green": (146, 206, 120),
    "olive": (108, 106, 48),
}
_CLUSTERS = 5
_PALETTE_SIZE = (48, 27)


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour that fills ``share`` (0..1) of the picture; ``rgb`` in 0..255."""

    name: str
    rgb: tuple[int, int, int]
    share: float


@dataclass(frozen=True, slots=True)
class Light:
    """Mean and standard deviation of L* (0..100), and mean of b* (blue < 0 < yellow)."""

    brightness: float
    contrast: float
    warmth: float


@dataclass(frozen=True, slots=True)
class Palette:
    """Main colours, largest share first, and the name of what fills the top and the bottom."""

    colours: tuple[Colour, ...]
    top: str
    bottom: str
    accent: str | None
    """A vivid colour of a small part, or None."""


def light(pixels: NDArray[np.uint8]) -> Light:
    """Measure RGB uint8 pictures (..., height, width, 3) as one."""
    lab = _lab(pixels.reshape(-1, 1, 3))
    return Light(float(lab[..., 0].mean()), float(lab[..., 0].std()), float(lab[..., 2].mean()))


def palette(pixels: NDArray[np.uint8]) -> Palette:
    """Cluster the colours of RGB uint8 (height, width, 3) by k-means."""
    small = cv2.resize(pixels, _PALETTE_SIZE, interpolation=cv2.INTER_AREA)
    lab = _lab(small)
    points = np.ascontiguousarray(lab.reshape(-1, 3))
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    cv2.setRNGSeed(1)
    _, labels, centres = cv2.kmeans(points, _CLUSTERS, None, criteria, 1, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(labels.ravel(), minlength=_CLUSTERS) / len(points)
    order = np.argsort(-shares)
    colours = tuple(_colour(centres[i], float(shares[i])) for i in order if shares[i] > 0)
    third = _PALETTE_SIZE[1] // 3
    return Palette(
        colours,
        _main_name(lab[:third], centres),
        _main_name(lab[-third:], centres),
        _accent(centres, shares),
    )


def name_of(lab: NDArray[np.float32]) -> str:
    """The name nearest to a colour (L*, a*, b*)."""
    names = list(_NAMED)
    known = _lab(np.array([list(_NAMED.values())], np.uint8))[0]
    return names[int(np.linalg.norm(known - lab, axis=1).argmin())]


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    scaled = rgb.astype(np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), np.float32)


def _colour(lab: NDArray[np.float32], share: float) -> Colour:
    rgb = cv2.cvtColor(lab.reshape(1, 1, 3).astype(np.float32), cv2.COLOR_LAB2RGB).ravel()
    red, green, blue = (int(v) for v in np.clip(np.rint(rgb * 255), 0, 255))
    return Colour(name_of(lab), (red, green, blue), share)


def _main_name(lab: NDArray[np.float32], centres: NDArray[np.float32]) -> str:
    nearest = np.linalg.norm(lab[..., None, :] - centres, axis=-1).argmin(axis=-1)
    return name_of(centres[np.bincount(nearest.ravel()).argmax()])


def _accent(centres: NDArray[np.float32], shares: NDArray[np.float64]) -> str | None:
    chroma = np.hypot(centres[:, 1], centres[:, 2])
    vivid = (chroma > 35) & (shares < 0.25) & (chroma > 1.5 * np.average(chroma, weights=shares))
    return name_of(centres[int((chroma * vivid).argmax())]) if vivid.any() else None
