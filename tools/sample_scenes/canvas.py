"""Shared painting helpers: noise, gradients, sampling, sprites, glow and the final grade.

Pictures are float32 arrays in display-referred RGB, where 1.0 is white and larger values are
light that the final grade rolls off and lets bloom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Img = NDArray[Any]
Bytes = NDArray[np.uint8]

SUPERSAMPLE = 2


def rgb(code: str) -> Img:
    """Return the colour of a ``rrggbb`` hex code as three floats in 0..1."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)], np.float32)


def smooth(low: float, high: float, x: Img | float) -> Img:
    """Return the smoothstep of x: 0 at or before low, 1 at or after high (low may exceed high)."""
    u = np.clip((np.asarray(x, np.float32) - low) / (high - low), 0, 1)
    return np.asarray(u * u * (3 - 2 * u), np.float32)


def mix(a: Img, b: Img, amount: Img | float) -> Img:
    """Blend a towards b; a 2-D amount is spread over the colour channels."""
    w = np.asarray(amount, np.float32)
    if w.ndim == 2:
        w = w[..., None]
    return np.asarray(a + (b - a) * w, np.float32)


def noise(height: int, width: int, slope: float, seed: int, low: float = 1.0) -> Img:
    """Return tileable fractal noise of mean 0 and standard deviation 1.

    slope is the exponent by which the amplitude falls with frequency (2 is like terrain, 1.4
    like cloud); frequencies under low cycles per tile are left out.
    """
    spectrum = np.fft.rfft2(np.random.default_rng(seed).standard_normal((height, width)))
    fy = np.fft.fftfreq(height)[:, None] * height
    fx = np.fft.rfftfreq(width)[None, :] * width
    freq = np.hypot(fy, fx)
    gain = np.where(freq >= low, np.maximum(freq, 1e-6) ** -slope, 0.0)
    field = np.fft.irfft2(spectrum * gain, s=(height, width))
    return np.asarray(field / field.std(), np.float32)


def ramp(position: Img, stops: Sequence[tuple[float, str]]) -> Img:
    """Colour each position through (position, hex colour) stops; adds a channel axis."""
    places = [p for p, _ in stops]
    colours = np.stack([rgb(c) for _, c in stops])
    bands = [np.interp(position, places, colours[:, i]) for i in range(3)]
    return np.stack(bands, axis=-1).astype(np.float32)


def grid(width: int, height: int) -> tuple[Img, Img]:
    """Return pixel-centre coordinates (x, y), each (height, width), in pixels."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return x + 0.5, y + 0.5


def sample(texture: Img, u: Img, v: Img) -> Img:
    """Look the texture up bilinearly at u (across) and v (down), in tiles that repeat."""
    h, w = texture.shape[:2]
    # cv2.remap wraps only once, so the coordinates are brought into one tile first.
    mx = np.asarray((u - np.floor(u)) * w, np.float32)
    my = np.asarray((v - np.floor(v)) * h, np.float32)
    return np.asarray(cv2.remap(texture, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def blur(img: Img, sigma: float) -> Img:
    """Gaussian blur by sigma pixels, done on a reduced copy when sigma is large."""
    if sigma < 6:
        return np.asarray(cv2.GaussianBlur(img, (0, 0), sigma))
    h, w = img.shape[:2]
    k = 2 ** int(math.log2(sigma / 2))
    small = cv2.resize(img, (max(1, w // k), max(1, h // k)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / k), (w, h)))


def grade(img: Img, bloom: float = 0.25, vignette: float = 0.35, knee: float = 0.75) -> Bytes:
    """Finish a supersampled picture: bloom, vignette, highlight roll-off, reduction to 8 bit.

    knee is the level above which light is compressed towards white.
    """
    h, w = img.shape[:2]
    size = (w // SUPERSAMPLE, h // SUPERSAMPLE)
    small = cv2.resize(img, size, interpolation=cv2.INTER_AREA)
    light = np.maximum(small - knee, 0)
    spread = blur(light, size[1] / 90) + blur(light, size[1] / 24) + blur(light, size[1] / 8)
    small = small + bloom * spread
    x, y = grid(*size)
    r2 = ((x / size[0] - 0.5) ** 2 + (y / size[1] - 0.5) ** 2) * 2
    small = small * (1 - vignette * r2**1.2)[..., None]
    over = np.maximum(small - knee, 0)
    small = np.minimum(small, knee) + (1 - knee) * (1 - np.exp(-over / (1 - knee)))
    return np.asarray(np.clip(small, 0, 1) * 255 + 0.5, np.uint8)


def polygon(shape: tuple[int, int], points: Sequence[tuple[float, float]] | Img) -> Img:
    """Return an anti-aliased coverage mask (0..1) of a polygon given in pixels."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(np.asarray(points) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def stroke(
    mask: Bytes, a: tuple[float, float], b: tuple[float, float], width: float, level: int = 255
) -> None:
    """Draw an anti-aliased line from a to b (pixels) into an 8-bit mask, in place."""
    p, q = (tuple(round(float(c) * 16) for c in point) for point in (a, b))
    cv2.line(mask, p, q, level, max(1, round(width)), cv2.LINE_AA, 4)


def curve(points: Sequence[tuple[float, float]], steps: int = 12) -> NDArray[np.float64]:
    """Return a closed Catmull-Rom curve through points as (n, 2) coordinates."""
    p = np.asarray(points, np.float64)
    u = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (np.roll(p, k, axis=0)[:, None] for k in (1, 0, -1, -2))
    path = 0.5 * (
        2 * p1
        + (p2 - p0) * u
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * u**2
        + (3 * p1 - p0 - 3 * p2 + p3) * u**3
    )
    return np.asarray(path.reshape(-1, 2))


def layer(colour: Img, mask: Img) -> Img:
    """Return a premultiplied RGBA picture of a colour (or picture) seen through a mask."""
    body = np.broadcast_to(colour, (*mask.shape, 3)) * mask[..., None]
    return np.dstack([body, mask]).astype(np.float32)


def over(base: Img, top: Img) -> Img:
    """Put a premultiplied RGBA picture over another picture (RGB or premultiplied RGBA)."""
    channels = base.shape[2]
    return np.asarray(base * (1 - top[..., 3:4]) + top[..., :channels], np.float32)


class Sprite:
    """A premultiplied RGBA picture that can be stamped at sub-pixel places and any scale."""

    def __init__(self, picture: Img, anchor: tuple[float, float] = (0.5, 0.5)):
        """Keep the picture and its half-size copies; anchor is a fraction of its width, height."""
        self.levels = [np.ascontiguousarray(picture, np.float32)]
        self.anchor = anchor
        while min(self.levels[-1].shape[:2]) > 8:
            h, w = self.levels[-1].shape[:2]
            half = (w // 2, h // 2)
            self.levels.append(cv2.resize(self.levels[-1], half, interpolation=cv2.INTER_AREA))

    def stamp(
        self,
        img: Img,
        at: tuple[float, float],
        scale: float,
        angle: float = 0.0,
        stretch: float = 1.0,
        light: Img | float = 1.0,
        haze: tuple[Img, float] | None = None,
    ) -> None:
        """Draw onto img in place with the anchor at a pixel.

        scale is image pixels per sprite pixel, angle is in radians, stretch multiplies the width
        (negative mirrors), light multiplies the colour, haze is (colour, amount 0..1).
        """
        index = int(np.clip(math.log2(max(1e-6, 1 / scale)), 0, len(self.levels) - 1))
        pic = self.levels[index]
        h, w = pic.shape[:2]
        sx = scale * stretch * self.levels[0].shape[1] / w
        sy = scale * self.levels[0].shape[0] / h
        c, s = math.cos(angle), math.sin(angle)
        m = np.array([[c * sx, -s * sy, 0], [s * sx, c * sy, 0]], np.float64)
        m[:, 2] = np.array(at) - m[:, :2] @ np.array([self.anchor[0] * w, self.anchor[1] * h])
        corners = np.array([[0, 0, 1], [w, 0, 1], [0, h, 1], [w, h, 1]]) @ m.T
        x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int) - 1, 0)
        x1, y1 = np.ceil(corners.max(0)).astype(int) + 2
        x1, y1 = min(x1, img.shape[1]), min(y1, img.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        m[:, 2] -= (x0, y0)
        patch = cv2.warpAffine(pic, m, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
        body = patch[..., :3] * light
        if haze is not None:
            body = body * (1 - haze[1]) + haze[0] * haze[1] * patch[..., 3:4]
        img[y0:y1, x0:x1] = img[y0:y1, x0:x1] * (1 - patch[..., 3:4]) + body


class Ramp:
    """A fast colour gradient over (position, hex colour) stops."""

    def __init__(self, stops: Sequence[tuple[float, str]], size: int = 1024):
        """Tabulate the gradient in size steps between the first and the last stop."""
        self.low, self.high = stops[0][0], stops[-1][0]
        self.table = ramp(np.linspace(self.low, self.high, size), stops)[:, None, :]

    def __call__(self, position: Img) -> Img:
        """Return the colours at a 2-D array of positions; beyond the ends the end colours."""
        last = len(self.table) - 1
        row = np.clip((position - self.low) / (self.high - self.low), 0, 1) * last
        row = np.asarray(row, np.float32)
        return np.asarray(cv2.remap(self.table, np.zeros_like(row), row, cv2.INTER_LINEAR))
