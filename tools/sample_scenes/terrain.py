"""Perspective views of height fields: column tracing, surface normals and distance."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from .canvas import Img, sample


@dataclass
class View:
    """A level camera over a height field, with its columns of sample points.

    focal and horizon are in pixels (horizon is a row), near and far in metres. ``x`` and ``z``
    are metres right and ahead of the camera, each of shape (steps, width).
    """

    width: int
    height: int
    focal: float
    horizon: float
    near: float
    far: float
    steps: int = 420
    depth: Img = field(init=False)
    x: Img = field(init=False)
    z: Img = field(init=False)

    def __post_init__(self) -> None:
        self.depth = np.geomspace(self.near, self.far, self.steps).astype(np.float32)
        across = (np.arange(self.width) + 0.5 - self.width / 2) / self.focal
        self.x = np.asarray(self.depth[:, None] * across[None, :], np.float32)
        self.z = np.broadcast_to(self.depth[:, None], self.x.shape).astype(np.float32)

    def trace(self, heights: Img, eye: float, top: int = 0) -> Img:
        """Find where each pixel's ray first meets the surface, for the rows from top downwards.

        heights are metres at (x, z), eye is the camera's height; returns the fractional step
        index for each pixel, -1 where the ray meets the sky.
        """
        rise = (heights - eye) / self.depth[:, None]
        crest = np.maximum.accumulate(rise, axis=0)
        # One sorted list for all columns: each column is lifted by its own offset.
        lift = 64.0 * np.arange(self.width)
        keys = (np.clip(crest, -30, 30).astype(np.float64) + lift).T.ravel()
        slope = (self.horizon - np.arange(top, self.height) - 0.5) / self.focal
        wanted = np.clip(slope[None, :], -29, 29) + lift[:, None]
        found = np.searchsorted(keys, wanted.ravel()).reshape(wanted.shape)
        step = (found - np.arange(self.width)[:, None] * self.steps).T
        sky = step >= self.steps
        hit = np.clip(step, 1, self.steps - 1)
        column = np.arange(self.width)[None, :]
        before, after = rise[hit - 1, column], rise[hit, column]
        part = (slope[:, None] - before) / np.maximum(after - before, 1e-9)
        index = hit - 1 + np.clip(part, 0, 1)
        return np.where(sky, -1, index).astype(np.float32)

    def pick(self, values: Img, index: Img) -> Img:
        """Sample a (steps, width[, n]) array of surface values at the traced indices."""
        columns = np.broadcast_to(np.arange(self.width, dtype=np.float32), index.shape)
        return np.asarray(cv2.remap(values, np.ascontiguousarray(columns), index, cv2.INTER_LINEAR))

    def distance(self, index: Img) -> Img:
        """Return the depth in metres of the traced indices."""
        return np.asarray(self.near * (self.far / self.near) ** (index / (self.steps - 1)))


def normals(heights: Img, cell: float) -> Img:
    """Return unit normals (x, up, z) of a tileable height map with cells of `cell` metres."""
    dx = (np.roll(heights, -1, 1) - np.roll(heights, 1, 1)) / (2 * cell)
    dz = (np.roll(heights, -1, 0) - np.roll(heights, 1, 0)) / (2 * cell)
    n = np.dstack([-dx, np.ones_like(dx), -dz])
    return np.asarray(n / np.linalg.norm(n, axis=2, keepdims=True), np.float32)


def shadows(heights: Img, cell: float, sun: tuple[float, float, float], reach: int = 90) -> Img:
    """Return the soft light (0 shadow, 1 lit) on a tileable height map.

    sun points to the sun as (x, up, z); reach is how many cells a shadow may cross.
    """
    flat = float(np.hypot(sun[0], sun[2]))
    ux, uz, climb = sun[0] / flat, sun[2] / flat, sun[1] / flat
    h, w = heights.shape
    v, u = np.meshgrid(np.arange(h) / h, np.arange(w) / w, indexing="ij")
    light = np.ones_like(heights)
    for i in range(1, reach):
        ray = heights + i * cell * climb
        blocker = sample(heights, u + ux * i / w, v + uz * i / h)
        light = np.minimum(light, np.clip(0.5 + (ray - blocker) / (i * cell * 0.12), 0, 1))
    return np.asarray(light, np.float32)


def ridges(raw: Img, power: float = 1.0) -> Img:
    """Turn noise (standard deviation 1) into sharp ridges in 0..1."""
    return np.asarray(np.clip(1 - np.abs(raw) / 2.2, 0, 1) ** power, np.float32)
