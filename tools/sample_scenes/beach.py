"""Shot 1: a beach at sunset, rolling waves and sun glitter; the camera glides to the right."""

from __future__ import annotations

import numpy as np

from .canvas import (
    SUPERSAMPLE,
    Bytes,
    Img,
    Ramp,
    blur,
    grade,
    grid,
    mix,
    noise,
    rgb,
    sample,
    smooth,
)
from .terrain import View

EYE = 2.1
SHORE = 10.5
SUN = (0.10, 0.040)
SKY = [
    (-0.02, "ff9a52"),
    (0.0, "ffb765"),
    (0.03, "ffa45f"),
    (0.08, "f4796a"),
    (0.15, "b9577f"),
    (0.24, "6d4784"),
    (0.36, "353667"),
    (0.6, "1b2148"),
]


class Beach:
    """The sunset beach; world metres with x to the right and z out to sea."""

    def __init__(self, size: tuple[int, int], duration: float):
        """Prepare textures for frames of size (width, height) and a shot of duration seconds."""
        self.w, self.h = size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE
        self.duration = duration
        self.focal, self.horizon = self.w * 0.88, self.h * 0.445
        self.view = View(self.w, self.h, self.focal, self.horizon, 4.0, 5000.0, 460)
        self.chop = noise(512, 512, 1.5, 11, low=3)
        gy, gx = np.gradient(self.chop)
        self.chop_slope = np.dstack([gx, gy]).astype(np.float32)
        self.chop_slope /= self.chop_slope.std()
        self.lace = noise(512, 512, 1.1, 12, low=5)
        self.slow = noise(256, 256, 1.8, 13)
        self.grain = noise(512, 512, 0.9, 14, low=4)
        self.gradient = Ramp(SKY)
        self.cloud = noise(512, 512, 1.5, 15, low=2)
        x, y = grid(self.w, self.h)
        self.across = (x - self.w / 2) / self.focal
        self.up = (self.horizon - y) / self.focal

    def sky(self, across: Img, up: Img) -> Img:
        """Return the clear sky's colour in the direction (across, up) per unit ahead."""
        base = self.gradient(up)
        far2 = (across - SUN[0]) ** 2 + 1.6 * (up - SUN[1]) ** 2
        glow = 0.55 * np.exp(-far2 / 0.020) + 0.22 * np.exp(-far2 / 0.16)
        return np.asarray(base + glow[..., None] * rgb("ff9a3c"), np.float32)

    def clouds(self, img: Img, across: Img, up: Img, t: float) -> Img:
        """Paint sun-lit cloud banks over the clear sky img."""
        # A flat cloud deck seen in perspective: rows crowd towards the horizon.
        v, u = 0.16 / (up + 0.055), across / (up + 0.14) * 0.24 + 0.004 * t
        body = sample(self.cloud, u, v * 0.5) + 0.35 * sample(self.cloud, u * 3, v * 1.7 + 0.3)
        lower = sample(self.cloud, u, v * 0.5 + 0.02)
        cover = smooth(0.25, 1.5, body) * smooth(0.008, 0.05, up)
        lit = np.clip(0.5 + 0.9 * (body - lower), 0, 1)
        near = np.exp(-((across - SUN[0]) ** 2 + 2.5 * (up - SUN[1]) ** 2) / 0.10)
        fire = mix(rgb("c8506a"), rgb("ffb25e"), np.clip(near * 1.3, 0, 1))
        colour = mix(mix(rgb("4a3a6c"), rgb("a0506f"), np.clip(1 - up * 3, 0, 1)), fire, lit)
        colour = colour + (near * lit * 0.35)[..., None] * rgb("ffd08a")
        return mix(img, colour, cover * 0.85)

    def heights(self, x: Img, z: Img, t: float) -> tuple[Img, Img]:
        """Return the surface height and the water's depth over the sand, in metres."""
        bend = 0.9 * sample(self.slow, x / 60, np.full_like(x, 0.3) + t * 0.01)
        sand = (SHORE - z + 0.5 * bend + 0.06 * x) * 0.055
        wash = 0.05 + 0.065 * np.sin(t * 1.5 + 0.5 * bend + x * 0.05)
        phase = (z + 2.2 * bend + 0.10 * x) / (6.5 + 0.06 * np.minimum(z, 200)) + t / 2.6
        crest = np.exp(2.6 * (np.cos(2 * np.pi * phase) - 1))
        size = 0.46 * smooth(SHORE - 0.5, SHORE + 6, z) * (1 - 0.75 * smooth(30, 160, z))
        size = size * (0.75 + 0.35 * sample(self.slow, x / 45 + 0.2, np.full_like(x, 0.6)))
        chop = 0.05 * sample(self.chop, x / 24 + 0.01 * t, z / 24 + 0.03 * t)
        sea = wash + size * crest + chop * smooth(SHORE, SHORE + 10, z)
        return np.maximum(sand, sea), sea - sand

    def render(self, t: float) -> Bytes:
        """Return the frame at t seconds into the shot as RGB bytes."""
        pan, shift = 0.016 * t, 0.55 * t
        top = int(self.horizon)
        across, up = self.across + pan, self.up
        sky = self.clouds(self.sky(across[:top], up[:top]), across[:top], up[:top], t)
        radius = np.hypot(across[:top] - SUN[0], up[:top] - SUN[1])
        sky = sky + smooth(0.033, 0.030, radius)[..., None] * rgb("fff0b0") * 1.3

        x = self.view.x + shift + pan * self.view.z
        height, depth = self.heights(x, self.view.z, t)
        index = np.maximum(self.view.trace(height, EYE, top), 0)
        tilt = np.gradient(height, axis=0) / np.gradient(self.view.depth)[:, None]
        swell = self.view.pick(np.dstack([tilt, depth, height]).astype(np.float32), index)
        z = self.view.distance(index)
        ground = self.ground((across[top:], up[top:]), z, shift, swell, t)
        img = np.concatenate([sky, ground])
        haze = np.exp(-((up[:, :1] / 0.014) ** 2)) * 0.5
        img = mix(img, np.broadcast_to(sky[-1:], img.shape), np.broadcast_to(haze, up.shape))
        return grade(img, bloom=0.30, vignette=0.5)

    def ground(self, ray: tuple[Img, Img], z: Img, shift: float, swell: Img, t: float) -> Img:
        """Shade sea and sand seen along ray (across, up) at z; swell is slope, depth, height."""
        across, up = ray
        x = z * across + shift
        fine = sample(self.chop_slope, x / 5.1 + 0.05 * t, z / 3.8 + 0.12 * t)
        wide = sample(self.chop_slope, x / 23 - 0.03 * t, z / 15 + 0.06 * t)
        calm = 1 / (1 + (z / 45) ** 1.3)
        nx = 0.07 * fine[..., 0] * calm + 0.07 * wide[..., 0] / (1 + z / 250)
        nz = 0.035 * fine[..., 1] * calm + 0.03 * wide[..., 1] / (1 + z / 250)
        nz = nz - 0.8 * swell[..., 0]
        wet = smooth(0.0, 0.10, swell[..., 1])
        nx, nz = nx * (0.1 + 0.9 * wet), nz * (0.1 + 0.9 * wet)
        # Mirror the view ray (across, up, 1) about the surface normal (nx, 1, nz).
        norm = nx * nx + 1 + nz * nz
        dot = 2 * (across * nx + up + nz) / norm
        rx, ry, rz = across - dot * nx, up - dot, np.maximum(1 - dot * nz, 0.2)
        rx, ry = rx / rz, np.abs(ry) / rz
        mirror = self.sky(rx, ry)
        spark = np.exp(-((rx - SUN[0]) ** 2 / 0.0035 + (ry - SUN[1]) ** 2 / 0.006))
        fresnel = 0.25 + 0.75 * (1 - np.clip(np.abs(dot) / 2, 0, 1)) ** 3
        through = np.clip(swell[..., 2] * 2.2, 0, 1) * np.clip(swell[..., 0] * 2.5, 0, 1)
        deep = mix(rgb("1c2f4c"), rgb("2b7a7c"), np.clip(through * 1.5, 0, 1))
        water = mix(deep, mirror, fresnel * 0.92) + (spark * 1.25)[..., None] * rgb("ffca7a")
        water = mix(water, rgb("ff9f66"), smooth(150, 2500, z) * 0.25)
        water = mix(
            water,
            mix(rgb("d98a86"), rgb("ffd9b8"), np.clip(wet * (0.4 + spark), 0, 1)),
            self.foam(x, z, swell, t),
        )
        sand = self.sand(x, z, mirror, swell)
        return mix(sand, water, smooth(0.0, 0.045, swell[..., 1]))

    def foam(self, x: Img, z: Img, swell: Img, t: float) -> Img:
        """Return the cover of foam (0..1): lace in the shallows, crests of breaking waves."""
        pattern = sample(self.lace, x / 5, z / 3.2 + 0.10 * t)
        pattern = pattern + 0.6 * sample(self.lace, x / 1.7 + 0.5, z / 1.2 + 0.16 * t)
        edge = np.exp(-(((swell[..., 1] - 0.035) / 0.028) ** 2))
        shallow = smooth(0.55, 0.06, swell[..., 1]) * smooth(0.02, 0.07, swell[..., 1])
        breaker = smooth(0.27, 0.5, swell[..., 2]) * smooth(45, 18, z)
        lace = smooth(0.3, 1.2, pattern + 1.1 * shallow - 0.35)
        cover = np.maximum(edge * smooth(-1.4, 0.4, pattern), shallow * lace * 0.8)
        return np.asarray(
            np.clip(np.maximum(cover, breaker * smooth(-1.0, 0.8, pattern)), 0, 1) * 0.95
        )

    def sand(self, x: Img, z: Img, mirror: Img, swell: Img) -> Img:
        """Shade the beach: dark mirror-wet sand by the water, dry rippled sand nearer."""
        dry = smooth(-0.10, -0.26, swell[..., 1] + 0.03 * sample(self.slow, x / 9, z / 9))
        tone = 1 + 0.06 * sample(self.grain, x / 3, z / 3) + 0.05 * sample(self.slow, x / 4, z / 2)
        base = mix(rgb("4a3038"), rgb("a8685a"), dry) * tone[..., None]
        return mix(base, blur(mirror, 4), 0.62 * (1 - dry) + 0.06)
