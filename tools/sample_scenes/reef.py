"""Shot 6: a coral reef with a school of fish under rays of sunlight; the camera drifts forward."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from .canvas import (
    SUPERSAMPLE,
    Bytes,
    Img,
    Ramp,
    Sprite,
    grade,
    grid,
    mix,
    noise,
    rgb,
    sample,
    smooth,
)
from .corals import brain_coral, branch_coral, fan_coral, fish
from .terrain import View

EYE = 1.5
WATER = [(-0.5, "0a4a72"), (-0.12, "0f6f9c"), (0.1, "1c93ba"), (0.3, "45bfd0"), (0.55, "b4f2e6")]
FAR = "1184ae"


class Reef:
    """Sand, coral heads and fish under water; metres, z ahead of the camera."""

    def __init__(self, size: tuple[int, int], duration: float):
        """Prepare the reef for frames of size (width, height) and a shot of duration seconds."""
        self.w, self.h = size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE
        self.duration = duration
        self.focal, self.horizon = self.w * 0.75, self.h * 0.55
        self.view = View(self.w, self.h, self.focal, self.horizon, 1.6, 60, 300)
        self.dunes = noise(256, 256, 2.1, 61, low=2)
        self.rough = noise(512, 512, 1.1, 62, low=4)
        self.cell = noise(256, 256, 1.7, 63, low=5)
        self.beam = noise(64, 512, 1.4, 64, low=6)
        self.gradient = Ramp(WATER)
        self.x, self.y = grid(self.w, self.h)
        self.across = (self.x - self.w / 2) / self.focal
        self.up = (self.horizon - self.y) / self.focal
        self.corals = self.grow()
        rng = np.random.default_rng(66)
        self.school = rng.normal(0, 1, (64, 4))
        self.motes = rng.uniform(0, 1, (90, 4))
        self.small = [Sprite(fish(150, k / 6, "silver")) for k in range(6)]
        self.bright = [Sprite(fish(260, k / 6, "orange")) for k in range(6)]

    def grow(self) -> list[Any]:
        """Scatter coral heads: (z, x, height in metres, sprite, mirrored), far ones first."""
        rng = np.random.default_rng(65)
        kinds = [
            branch_coral(360, 1, ("7a2350", "ff6f9c")),
            branch_coral(360, 2, ("8a4a1c", "ffb65c")),
            fan_coral(360, 3, ("4a1f6e", "c77df0")),
            brain_coral(300, 4, ("3d5a28", "b9cf6a")),
            brain_coral(300, 5, ("6e3b2c", "f0a070")),
            fan_coral(360, 6, ("7a1f28", "ff7a5c")),
        ]
        sprites = [Sprite(k, (0.5, 0.95)) for k in kinds]
        places = []
        for _ in range(120):
            z = rng.uniform(4.2, 24)
            x = rng.normal(0, 1) * z * 0.55 + np.sign(rng.normal()) * 1.0
            kind = int(rng.integers(len(kinds)))
            tall = rng.uniform(0.45, 1.15) * (0.7 if kind in (3, 4) else 1.0)
            places.append((z, x, tall, sprites[kind], float(rng.choice([-1, 1]))))
        frame = [
            (3.3, -1.95, 1.25, 2),
            (3.5, 2.15, 1.1, 0),
            (3.2, 1.55, 0.5, 4),
            (3.4, -1.2, 0.5, 3),
        ]
        places += [(z, x, tall, sprites[k], 1.0) for z, x, tall, k in frame]
        return sorted(places, key=lambda p: -p[0])

    def ground(self, x: Img, z: Img) -> Img:
        """Return the height of the sea floor in metres."""
        bank = 0.9 * smooth(5, 26, z) + 0.10 * np.maximum(np.abs(x) - 1.5, 0)
        return np.asarray(0.30 * sample(self.dunes, x / 22, z / 22) + bank, np.float32)

    def caustics(self, x: Img, z: Img, t: float) -> Img:
        """Return the dancing net of light on surfaces (0..1)."""
        a = sample(self.cell, x / 5 + 0.030 * t, z / 5 + 0.022 * t)
        b = sample(self.cell, x / 5 - 0.026 * t + 0.4, z / 5 - 0.020 * t + 0.2)
        return np.asarray(np.exp(-np.abs(a - b) * 3.4), np.float32)

    def water(self, t: float) -> Img:
        """Paint the open water with the bright surface above."""
        img = self.gradient(self.up)
        far2 = (self.across - 0.12) ** 2 * 1.2 + (self.up - 0.52) ** 2
        img = img + np.exp(-far2 / 0.06)[..., None] * rgb("d8fff0") * 0.55
        top = np.maximum(self.up, 0.05)
        shimmer = self.caustics(self.across / top * 2.4, 2.4 / top, 1.6 * t)
        return img + (shimmer * smooth(0.22, 0.5, self.up) * 0.35)[..., None] * rgb("e9fff4")

    def rays(self, t: float) -> Img:
        """Return the light of sunbeams fanning out from above the frame."""
        dx, dy = self.across - 0.12, 0.95 - self.up
        angle = np.arctan2(dx, dy)
        row = np.full_like(angle, 0.2) + 0.005 * t
        beam = sample(self.beam, angle * 0.42 + 0.004 * t, row)
        beam = beam + 0.6 * sample(self.beam, angle * 0.9 - 0.007 * t, row + 0.4)
        power = smooth(0.1, 2.2, beam) * smooth(-0.42, 0.42, self.up) * np.exp(-(dx**2) / 0.30)
        return np.asarray(power * 0.42, np.float32)

    def render(self, t: float) -> Bytes:
        """Return the frame at t seconds into the shot as RGB bytes."""
        ahead, side = 0.38 * t, 0.16 * t
        wx, wz = self.view.x + side, self.view.z + ahead
        index = self.view.trace(self.ground(wx, wz), EYE)
        hit = np.maximum(index, 0)
        z = self.view.distance(hit)
        x = self.across * z + side
        grain = sample(self.rough, x / 4, (z + ahead) / 4)
        bumps = sample(self.dunes, x / 7, (z + ahead) / 7)
        tone = mix(rgb("a5ad90"), rgb("f2e4b8"), smooth(-1.5, 1.5, bumps + 0.4 * grain))
        light = 0.52 + 0.75 * self.caustics(x, z + ahead, t) * np.exp(-z / 16)
        floor = tone * light[..., None]
        water = self.water(t)
        floor = mix(floor, rgb(FAR), 1 - np.exp(-z / 13))
        mask = cv2.GaussianBlur((index >= 0).astype(np.float32), (0, 0), 0.7)
        img = mix(water, floor, mask)
        self.life(img, ahead, side, t)
        beams = self.rays(t)
        img = img + beams[..., None] * rgb("a8f4ea")
        self.drift(img, t)
        return grade(img, bloom=0.3, vignette=0.45, knee=0.75)

    def life(self, img: Img, ahead: float, side: float, t: float) -> None:
        """Stamp corals and fish from far to near, in place."""
        things = [(z - ahead, 0, p) for p in self.corals for z in (p[0],) if z - ahead > 1.9]
        things += [(f[0], 1, f) for f in self.swarm(t)]
        for z, kind, item in sorted(things, key=lambda i: -i[0]):
            haze = (rgb(FAR), float(1 - np.exp(-z / 13)))
            scale = self.focal / z
            if kind:
                _, x, y, length, angle, sprites, beat = item
                at = (self.w / 2 + x * scale, self.horizon - y * scale)
                pick = sprites[int(beat * 6) % 6]
                unit = length * scale / pick.levels[0].shape[1]
                pick.stamp(img, at, unit, angle=angle, light=0.95, haze=haze)
                continue
            _, x, tall, sprite, flip = item
            base = self.ground(
                np.full((1, 1), x, np.float32), np.full((1, 1), z + ahead, np.float32)
            )
            foot = float(base[0, 0]) - EYE
            at = (self.w / 2 + (x - side) * scale, self.horizon - foot * scale)
            unit = tall * scale / sprite.levels[0].shape[0]
            glow = self.caustics(np.full((1, 1), x, np.float32), np.full((1, 1), z, np.float32), t)
            sway = 0.02 * float(np.sin(1.3 * t + 3 * x))
            sprite.stamp(
                img, at, unit, angle=sway, stretch=flip, light=1.0 + 0.3 * glow[0, 0], haze=haze
            )

    def swarm(self, t: float) -> list[Any]:
        """Return the fish: (z, x, y above the eye, length, angle, sprites, tail beat 0..1)."""
        found = []
        for i, (a, b, c, d) in enumerate(self.school):
            x = -2.6 + 0.95 * t + 1.35 * a + 0.10 * np.sin(0.9 * t + i)
            y = 0.85 + 0.42 * b + 0.22 * np.sin(0.55 * x + 0.8) + 0.03 * np.sin(2 * t + i)
            slope = -0.12 * np.cos(0.55 * x + 0.8)
            beat = (1.9 + 0.2 * d) * t + 0.37 * i
            found.append((7.0 + 0.9 * c, x, y, 0.46 + 0.04 * d, slope, self.small, beat % 1))
        for i, (x0, y, z) in enumerate([(2.5, -0.25, 4.3), (3.05, 0.02, 4.7), (2.2, 0.18, 5.2)]):
            x = x0 - 2.9 + 0.42 * t
            beat = (1.5 * t + 0.3 * i) % 1
            rise = y + 0.04 * np.sin(1.5 * t + i)
            found.append((z, x, rise, 0.62, -0.05, self.bright, beat))
        return found

    def drift(self, img: Img, t: float) -> None:
        """Add slow specks floating in the water, in place."""
        for a, b, c, d in self.motes:
            x = ((a + 0.010 * t * (0.5 + d)) % 1) * self.w
            y = ((b + 0.012 * np.sin(0.7 * t + 9 * d) - 0.006 * t) % 1) * self.h
            r = 1.2 + 2.2 * c**3
            if not (9 < x < self.w - 10 and 9 < y < self.h - 10):
                continue
            k = np.arange(-8, 9)
            dot = np.exp(-((k[None, :] - x % 1) ** 2 + (k[:, None] - y % 1) ** 2) / (2 * r * r))
            spot = (slice(int(y) - 8, int(y) + 9), slice(int(x) - 8, int(x) + 9))
            img[spot] += (dot * (0.10 + 0.12 * d))[..., None] * rgb("d6fff4")
