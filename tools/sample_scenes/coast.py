"""Shot 2: a red car on a coast road by day; the camera drives beside it."""

from __future__ import annotations

import cv2
import numpy as np

from .balloon import CELL, CELLS
from .canvas import (
    SUPERSAMPLE,
    Bytes,
    Img,
    Ramp,
    Sprite,
    blur,
    grade,
    grid,
    mix,
    noise,
    rgb,
    sample,
    smooth,
)
from .car import WHEELS, car_body, wheel
from .terrain import View, normals

SPEED = 15.0
EYE = 2.0
SEA = 14.0
SUN = (-0.55, 0.62, -0.35)
SKY = [(-0.1, "dcecf2"), (0.0, "d6ebf4"), (0.1, "a9d5ee"), (0.28, "5fa9de"), (0.6, "2f78c0")]


class Coast:
    """Sea, headlands and a road; metres, x along the road, z away from the camera."""

    def __init__(self, size: tuple[int, int], duration: float):
        """Prepare textures for frames of size (width, height) and a shot of duration seconds."""
        self.w, self.h = size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE
        self.duration = duration
        self.focal, self.horizon = self.w * 0.80, self.h * 0.40
        self.view = View(self.w, self.h, self.focal, self.horizon, 330, 9000, 260)
        self.gradient = Ramp(SKY)
        self.cloud = noise(512, 512, 1.55, 21, low=2)
        self.rough = noise(512, 512, 1.0, 22, low=4)
        self.wave = noise(512, 512, 1.4, 23, low=4)
        self.land = self.headlands()
        n = normals(self.land, CELL)
        light = np.clip(n @ (np.array(SUN, np.float32) / np.linalg.norm(SUN)), 0, 1)
        rough = noise(CELLS, CELLS, 1.0, 25, low=8)
        woods = mix(rgb("3d6b35"), rgb("87964a"), smooth(-1, 1.5, rough))
        woods = mix(woods, rgb("c2ab84"), smooth(0.16, 0.32, 1 - n[..., 1] + 0.02 * rough))
        woods = mix(woods, rgb("e6d7b4"), smooth(5, 1, self.land))
        self.woods = woods * (light[..., None] * rgb("fff0d0") * 1.15 + rgb("6f93c4") * 0.38)
        self.x, self.y = grid(self.w, self.h)
        self.car, self.wheel = Sprite(car_body(), (0.5, 1.0)), Sprite(wheel(), (0.5, 0.5))

    def headlands(self) -> Img:
        """Return a tileable map of capes and islands; heights in metres above the sea."""
        large = noise(CELLS, CELLS, 2.3, 26, low=3)
        small = noise(CELLS, CELLS, 1.7, 27, low=14)
        v = np.arange(CELLS, dtype=np.float32)[:, None] / CELLS
        shelf = 1.7 * smooth(0.12, 0.48, v) * smooth(1.0, 0.9, v)
        rise = 150 * (0.9 * large - 1.45 + shelf) + 16 * small
        return np.asarray(np.maximum(rise, -4), np.float32)

    def backdrop(self, t: float) -> Img:
        """Paint sky, clouds, sea and headlands as seen after t seconds of driving."""
        shift = SPEED * t
        across, up = (self.x - self.w / 2) / self.focal, (self.horizon - self.y) / self.focal
        img = self.gradient(up)
        height = np.maximum(up, 0)
        u, v = across / (height + 0.30) * 0.16 - 0.006 * t, 0.17 / (height + 0.16)
        puff = sample(self.cloud, u, v) + 0.35 * sample(self.cloud, u * 3, v * 3)
        above = sample(self.cloud, u - 0.012, v - 0.02)
        cover = smooth(0.35, 1.5, puff) * smooth(0.0, 0.08, up)
        tone = np.clip(0.62 + 0.5 * (puff - above), 0, 1)
        img = mix(img, mix(rgb("a9bfd8"), rgb("ffffff"), tone), cover * 0.92)
        img = self.sea(img, across, up, shift, t)
        wx, wz = (self.view.x + shift + 900) / (CELLS * CELL), self.view.z / (CELLS * CELL)
        index = self.view.trace(sample(self.land, wx, wz), SEA + EYE)
        hit = np.maximum(index, 0)
        z = self.view.distance(hit)
        u, v = (across * z + shift + 900) / (CELLS * CELL), z / (CELLS * CELL)
        colour = mix(sample(self.woods, u, v), rgb("b9d9ec"), 0.12 + 0.80 * (1 - np.exp(-z / 5200)))
        dry = (index >= 0) * smooth(0.0, 2.0, sample(self.land, u, v))
        return mix(img, colour, cv2.GaussianBlur(dry.astype(np.float32), (0, 0), 0.7))

    def sea(self, img: Img, across: Img, up: Img, shift: float, t: float) -> Img:
        """Paint the sea with swell, sun glints and cloud shadows under the horizon."""
        top = int(self.horizon)
        z = (SEA + EYE) / np.maximum(-up[top:], 2e-3)
        x = across[top:] * z + shift
        swell = sample(self.wave, x / 60 + 0.02 * t, z / 45 - 0.05 * t)
        broad = sample(self.wave, x / 700, z / 420)
        far = 1 - np.exp(-z / 900)
        water = mix(mix(rgb("1f8f9c"), rgb("1766a0"), far), rgb("a4d3ea"), far**3 * 0.75)
        water = water * (1 + 0.10 * broad + 0.07 * swell * (1 - 0.7 * far))[..., None]
        glint = smooth(1.9, 3.2, swell + 0.35 * broad) * (1 - 0.8 * far)
        out = img.copy()
        out[top:] = water + glint[..., None] * rgb("f4fbff") * 0.55
        return out

    def verge(self, img: Img, shift: float) -> None:
        """Paint the grassy edge behind the rail with its own parallax, in place."""
        depth = 16.0
        x = (self.x[0] - self.w / 2) / self.focal * depth + shift
        row = np.full_like(x, 0.37)[None, :]
        bush = sample(self.rough, x[None, :] / 30, row)[0] * 0.16
        bush += 0.28 * smooth(0.2, 1.4, sample(self.cloud, x[None, :] / 70, row)[0])
        line = self.horizon + self.focal * (EYE - 0.55 - np.maximum(bush, -0.3)) / depth
        top = int(line.min()) - 2
        y = self.y[top:]
        tuft = sample(self.rough, np.broadcast_to(x / 9, y.shape), y / 110)
        shade = smooth(-4, 46, y - line[None, :] + 8 * tuft)
        leaf = mix(rgb("b6bd62"), rgb("3f6a35"), shade) * (1 + 0.16 * tuft[..., None])
        leaf = cv2.blur(leaf, (19, 1))
        img[top:] = mix(img[top:], leaf, smooth(-0.8, 0.8, y - line[None, :]))

    def road(self, img: Img, shift: float) -> None:
        """Paint the asphalt, its lines and the kerb stones as a ground plane, in place."""
        far_row = self.horizon + self.focal * EYE / 12.4
        top = int(far_row) - 2
        z = EYE * self.focal / (self.y[top:] - self.horizon)
        x = (self.x[top:] - self.w / 2) / self.focal * z + shift
        grit = cv2.blur(sample(self.rough, x / 10, z / 5), (41, 1))
        asphalt = mix(rgb("6a6a72"), rgb("55555f"), smooth(6, 12, z)) * (1 + 0.09 * grit)[..., None]
        dust = smooth(0.9, 0.0, np.abs(z - 11.9)) * 0.8
        asphalt = mix(asphalt, rgb("b3a27e"), dust)
        edge = smooth(0.12, 0.06, np.abs(z - 10.7))
        dash = smooth(0.11, 0.07, np.abs(z - 6.6)) * smooth(1.55, 1.35, np.abs(x % 6 - 3))
        asphalt = mix(asphalt, rgb("f1ead8"), np.maximum(edge, cv2.blur(dash, (31, 1))) * 0.9)
        img[top:] = mix(img[top:], asphalt, smooth(-0.8, 0.8, self.y[top:] - far_row))

    def rail(self, img: Img, shift: float) -> None:
        """Paint the guard rail with its posts between road and verge, in place."""
        depth = 12.6
        scale = self.focal / depth
        x = (self.x[0] - self.w / 2) / scale + shift
        post = cv2.blur(smooth(0.10, 0.07, np.abs(x % 2.6 - 1.3))[None, :], (17, 1))[0]
        level = EYE - (self.y[:, 0] - self.horizon) / scale
        tall = smooth(0.0, 0.02, level) * smooth(0.80, 0.77, level)
        img[:] = mix(img, rgb("6d7076"), tall[:, None] * post[None, :])
        beam = smooth(0.40, 0.42, level) * smooth(0.76, 0.74, level)
        fold = 0.5 + 0.5 * np.cos((level - 0.58) * 2 * np.pi / 0.17)
        metal = mix(rgb("7c848e"), rgb("e6ecef"), fold[:, None])
        img[:] = mix(
            img, np.broadcast_to(metal[:, None, 0], img.shape), np.tile(beam[:, None], self.w)
        )

    def render(self, t: float) -> Bytes:
        """Return the frame at t seconds into the shot as RGB bytes."""
        shift = SPEED * t
        img = self.backdrop(t)
        self.verge(img, shift)
        self.rail(img, shift)
        self.road(img, shift)
        self.drive(img, t)
        self.grasses(img, shift)
        return grade(img, bloom=0.2, vignette=0.35, knee=0.82)

    def drive(self, img: Img, t: float) -> None:
        """Stamp the car with its shadow and turning wheels, in place."""
        depth = 8.6
        scale = self.focal / depth
        lead = -0.9 + 1.9 * float(smooth(0, 1, t / self.duration))
        x, ground = self.w / 2 + lead * scale, self.horizon + EYE * scale
        far2 = ((self.x - x) / (2.35 * scale)) ** 2 + ((self.y - ground) / (0.20 * scale)) ** 2
        img *= (1 - 0.72 * np.exp(-(far2**1.5)))[..., None]
        bounce = (0.012 * np.sin(9 * t) + 0.008 * np.sin(14.3 * t)) * scale
        unit = scale / 200
        self.car.stamp(img, (x, ground + bounce), unit, angle=0.003 * float(np.sin(7 * t)))
        for place in WHEELS:
            hub = (x + place * scale, ground - 0.335 * scale)
            self.wheel.stamp(img, hub, unit, angle=SPEED * t / 0.335)

    def grasses(self, img: Img, shift: float) -> None:
        """Sweep blurred roadside grass past the lens, in place."""
        depth = 3.4
        x = (self.x[0] - self.w / 2) / self.focal * depth + shift
        tall = sample(self.rough, x[None, :] / 6, np.full((1, self.w), 0.7, np.float32))[0]
        tall = cv2.blur(tall[None, :], (25, 1))[0]
        line = self.h * 0.955 - tall * self.h * 0.018
        cover = smooth(-26, 30, self.y - line[None, :])
        streak = cv2.blur(sample(self.rough, np.tile(x / 3, (self.h, 1)), self.y / 300), (61, 1))
        leaf = mix(rgb("8a9a48"), rgb("38562c"), cover) * (1 + 0.12 * streak)[..., None]
        img[:] = mix(img, blur(leaf, 2), cover)
