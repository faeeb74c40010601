"""Shot 4: a hot-air balloon rising over mountains in morning haze; the camera flies and tilts."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import SUPERSAMPLE, Bytes, Img, Ramp, Sprite, grade, grid, mix, noise, rgb, sample
from .canvas import smooth as step
from .terrain import View, normals, ridges, shadows

CELLS, CELL = 1024, 9.0
SUN = (0.82, 0.45, 0.35)
EYE = 560.0
SKY = [
    (-0.2, "f3cfae"),
    (0.0, "f9d6ac"),
    (0.08, "f2c7b0"),
    (0.2, "bcc3d6"),
    (0.36, "86abd6"),
    (0.6, "5688c6"),
]


def mountain_map(seed: int) -> Img:
    """Return a tileable map of mountain heights in metres, shape (CELLS, CELLS)."""
    large = noise(CELLS, CELLS, 2.2, seed, low=2)
    crests = ridges(noise(CELLS, CELLS, 2.15, seed + 1, low=4), 2.2)
    small = ridges(noise(CELLS, CELLS, 1.95, seed + 2, low=16), 1.5)
    base = step(-1.2, 2.0, large)
    height = 760 * base * (0.25 + 0.75 * crests) + 42 * small * (0.15 + base)
    return np.asarray(height, np.float32)


def mountain_colour(height: Img, sun: tuple[float, float, float], seed: int) -> Img:
    """Return the sun-lit colours of a mountain map: woods, rock and snow."""
    n = normals(height, CELL)
    light = shadows(height, CELL, sun)
    rough = noise(CELLS, CELLS, 0.9, seed, low=8)
    steep = 1 - n[..., 1]
    soil = mix(rgb("3a6634"), rgb("7d8a48"), step(-1, 1.5, rough))
    rock = mix(rgb("6b5a52"), rgb("a58d78"), step(-1.5, 1.5, rough))
    colour = mix(soil, rock, step(0.26, 0.48, steep + height / 3600 + 0.03 * rough))
    snow = step(330, 470, height + 50 * rough) * step(0.5, 0.25, steep)
    colour = mix(colour, rgb("f4f3f6"), snow)
    toward = np.clip(n @ np.array(sun, np.float32), 0, 1) * light
    sunlit = toward[..., None] * rgb("ffcf94") * 1.55
    return np.asarray(colour * (sunlit + rgb("7f93bd") * 0.75), np.float32)


def envelope(size: int, spin: float, colours: tuple[str, str, str]) -> Img:
    """Paint a balloon with basket, size pixels wide and 1.5 size high, as premultiplied RGBA."""
    h = int(size * 1.5)
    x, y = grid(size, h)
    x, y = (x / size - 0.5) * 2.1, y / size * 2.1 - 1.06
    taper = np.where(y < 0.32, np.sqrt(np.clip(1 - y * y, 0, 1)), 0.9474 - (y - 0.32) * 0.78)
    radius = np.where(y > 1.22, 0.0, taper).astype(np.float32)
    u = np.clip(x / np.maximum(radius, 1e-3), -1, 1)
    edge = np.clip((radius - np.abs(x)) * size / 2.1 + 0.5, 0, 1) * np.clip((1.22 - y) * 90, 0, 1)
    gore = (np.arcsin(u) + spin) * 24 / (2 * np.pi)
    pale, strong, dark = (rgb(c) for c in colours)
    paint = mix(strong, pale, step(0.0, 0.12, np.abs((gore / 2) % 1 - 0.5) - 0.25))
    zig = 0.14 * np.abs((gore * 0.5) % 1 - 0.5)
    paint = mix(paint, dark, step(0.0, 0.02, 0.13 - np.abs(y - 0.30 + zig)))
    paint = mix(paint, rgb("ffe2a0"), step(0.0, 0.02, 0.035 - np.abs(y - 0.14 + zig)))
    paint = paint * (0.86 + 0.14 * step(0.0, 0.16, np.abs(gore % 1 - 0.5) * -1 + 0.5))[..., None]
    nz = np.sqrt(np.clip(1 - u * u, 0, 1))
    up = np.clip(-y, -0.6, 1)
    lit = np.clip(0.80 * u * (1 - 0.4 * np.abs(up)) + 0.28 * nz + 0.34 * up, 0, 1)
    fire = np.exp(-(((y - 1.15) / 0.5) ** 2) - (x / 0.5) ** 2)
    shade = lit[..., None] * rgb("ffd9a8") * 1.25 + rgb("7387b8") * 0.52
    body = paint * (shade + fire[..., None] * rgb("ffb050") * 0.9)
    picture = np.dstack([body * edge[..., None], edge]).astype(np.float32)
    return basket(picture, size)


def basket(picture: Img, size: int) -> Img:
    """Hang ropes, flame and wicker basket under a painted envelope."""

    def spot(px: float, py: float) -> tuple[int, int]:
        return int((px / 2.1 + 0.5) * size * 16), int((py + 1.06) / 2.1 * size * 16)

    mask = np.zeros(picture.shape[:2], np.uint8)
    for side in (-1, -0.4, 0.4, 1):
        cv2.line(mask, spot(0.21 * side, 1.2), spot(0.10 * side, 1.62), 190, 1, cv2.LINE_AA, 4)
    box = [spot(-0.125, 1.62), spot(0.125, 1.62), spot(0.105, 1.84), spot(-0.105, 1.84)]
    cv2.fillPoly(mask, [np.array(box, np.int32)], 255, cv2.LINE_AA, 4)
    cover = mask.astype(np.float32)[..., None] / 255
    x, y = grid(size, picture.shape[0])
    weave = 0.8 + 0.2 * np.sin(x / size * 420) * np.sin(y / size * 300)
    tone = mix(rgb("4a2d1c"), rgb("b9814c"), step(0.45, 0.56, x / size)) * weave[..., None]
    alpha = cover + picture[..., 3:] * (1 - cover)
    colour = tone * cover + picture[..., :3] * (1 - cover)
    return np.dstack([colour, alpha]).astype(np.float32)


class Balloon:
    """Mountains seen from the air, three balloons and valley mist."""

    def __init__(self, size: tuple[int, int], duration: float):
        """Prepare the land for frames of size (width, height) and a shot of duration seconds."""
        self.w, self.h = size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE
        self.duration = duration
        self.land = mountain_map(44)
        self.colour = mountain_colour(self.land, SUN, 49)
        self.soft = cv2.GaussianBlur(self.colour, (0, 0), 2.2)
        self.mist = noise(512, 512, 1.6, 46, low=2)
        self.cloud = noise(512, 512, 1.5, 47, low=2)
        self.gradient = Ramp(SKY)

    def sky(self, across: Img, up: Img, t: float) -> Img:
        """Return the morning sky with thin clouds in the direction (across, up)."""
        img = self.gradient(up)
        glow = np.exp(-((across - 0.75) ** 2 + (up - 0.12) ** 2) / 0.22)
        img = img + glow[..., None] * rgb("ffb46a") * 0.42
        v, u = 0.12 / (np.maximum(up, 0) + 0.12), across / (np.maximum(up, 0) + 0.2) * 0.16
        veil = sample(self.cloud, u + 0.003 * t, v * 0.9)
        cover = step(0.1, 2.2, veil) * step(0.02, 0.2, up) * 0.75
        return mix(img, mix(rgb("f3d8cf"), rgb("fff0da"), np.clip(glow * 2, 0, 1)), cover)

    def render(self, t: float) -> Bytes:
        """Return the frame at t seconds into the shot as RGB bytes."""
        part = t / self.duration
        horizon = self.h * (0.40 + 0.10 * part)
        view = View(self.w, self.h, self.w * 0.85, horizon, 220, 17000, 380)
        yaw = 0.10 * part
        x0, z0 = 2350 + 26 * t, 900 + 42 * t
        tile = CELLS * CELL
        wx = view.x + yaw * view.z + x0
        height = sample(self.land, wx / tile, (view.z + z0) / tile)
        drop = (view.z**2) / 5.2e5
        index = view.trace(height - drop, EYE)
        hit = np.maximum(index, 0)
        z = view.distance(hit)
        x, y = grid(self.w, self.h)
        across, up = (x - self.w / 2) / view.focal + yaw, (horizon - y) / view.focal
        sky = self.sky(across, up, t)
        ground = self.ground(across * z + x0, z + z0, z, across, t)
        mask = cv2.GaussianBlur((index >= 0).astype(np.float32), (0, 0), 0.6)
        img = mix(sky, ground, mask)
        self.balloons(img, part, t)
        return grade(img, bloom=0.25, vignette=0.4, knee=0.8)

    def ground(self, wx: Img, wz: Img, z: Img, across: Img, t: float) -> Img:
        """Shade the land at world points (metres) seen from z metres away, through the haze."""
        u, v = wx / (CELLS * CELL), wz / (CELLS * CELL)
        colour = mix(sample(self.colour, u, v), sample(self.soft, u, v), step(1500, 7000, z))
        height = sample(self.land, u, v)
        swirl = sample(self.mist, u * 3 + 0.004 * t, v * 3)
        bank = np.exp(-np.maximum(height - 135 - 45 * swirl, 0) / 60) * (1 - np.exp(-z / 1500))
        air = 1 - np.exp(-z / 4600)
        warm = np.clip(np.exp(-((across - 0.75) ** 2) / 0.35), 0, 1)
        far = mix(rgb("a9bcdb"), rgb("fbd2a4"), warm)
        near = mix(rgb("d9dbe6"), rgb("ffe6c4"), warm)
        return mix(mix(colour, near, bank * 0.95), far, air)

    def balloons(self, img: Img, part: float, t: float) -> None:
        """Stamp two far balloons and the rising near one onto img."""
        haze = rgb("f0d2bd")
        lift = self.h * (0.10 * part)
        small = Sprite(envelope(120, 0.3 + 0.1 * t, ("f2e6d0", "3f7fa8", "24476e")), (0.5, 0.5))
        place = (self.w * (0.795 - 0.10 * part), self.h * (0.30 - 0.03 * part) + lift)
        small.stamp(img, place, 0.40, haze=(haze, 0.30))
        small = Sprite(envelope(120, 0.9 + 0.1 * t, ("f7dc9a", "b2543f", "6e2f3b")), (0.5, 0.5))
        place = (self.w * (0.645 - 0.10 * part), self.h * (0.325 - 0.02 * part) + lift)
        small.stamp(img, place, 0.22, haze=(haze, 0.48))
        main = Sprite(envelope(440, 0.16 * t, ("ffd27a", "d8432f", "8c1f3a")), (0.5, 0.45))
        sway = 0.012 * np.sin(1.3 * t)
        place = (self.w * (0.34 - 0.05 * part), self.h * (0.66 - 0.28 * part))
        main.stamp(img, place, 0.70 + 0.05 * part, angle=float(sway))
