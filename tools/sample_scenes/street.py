"""Shot 3: a rainy street at night with neon signs and a walker; the camera stands still."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .canvas import (
    SUPERSAMPLE,
    Bytes,
    Img,
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
from .walker import walker

HALF = 6.0
EYE = 1.7
# text, colour, side (-1 left), distance in metres, height above ground, letter height, upright
SIGNS = [
    ("HOTEL", "ff3d7f", -1, 15.0, 5.2, 0.72, True),
    ("CAFE", "ffb347", 1, 13.0, 3.7, 0.85, False),
    ("JAZZ", "3ee0ff", -1, 24.0, 5.4, 1.10, True),
    ("RAMEN", "ff5a3c", 1, 22.0, 7.9, 0.78, True),
    ("BAR", "7dff9a", -1, 36.0, 4.6, 1.3, False),
    ("CINEMA", "c77dff", 1, 36.0, 8.6, 1.3, True),
    ("OPEN", "ff86d0", 1, 30.0, 3.0, 0.8, False),
]


def neon(text: str, upright: bool, letter: int = 120) -> Img:
    """Return the tube mask (0..1) of a neon sign, letters stacked when upright."""
    font = ImageFont.load_default(letter)
    pitch = int(letter * 0.98)
    cells = (1, len(text)) if upright else (len(text), 1)
    size = (int(cells[0] * pitch * 0.8 + letter * 0.6), int(cells[1] * pitch + letter * 0.5))
    pic = Image.new("L", size)
    draw = ImageDraw.Draw(pic)
    frame = (10, 10, size[0] - 11, size[1] - 11)
    draw.rounded_rectangle(frame, radius=26, outline=150, width=6)
    for i, char in enumerate(text):
        cx = size[0] / 2 if upright else letter * 0.3 + (i + 0.5) * pitch * 0.8
        cy = letter * 0.25 + (i + 0.5) * pitch if upright else size[1] / 2
        draw.text((cx, cy), char, 255, font, anchor="mm", stroke_width=2)
    return np.asarray(pic, np.float32) / 255


class Street:
    """A street canyon in one-point perspective; metres, the camera at x = 0, z = 0."""

    def __init__(self, size: tuple[int, int], duration: float):
        """Paint the still street for frames of size (width, height) and a duration in seconds."""
        self.w, self.h = size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE
        self.duration = duration
        self.focal, self.horizon = self.w * 0.80, self.h * 0.56
        self.x, self.y = grid(self.w, self.h)
        self.across = (self.x - self.w / 2) / self.focal
        self.up = (self.horizon - self.y) / self.focal
        self.rough = noise(512, 512, 1.0, 31, low=4)
        self.slow = noise(512, 512, 1.7, 32, low=2)
        self.still = self.facades()
        self.tubes = self.signs()
        self.rain = [self.streaks(i) for i in range(3)]

    def facades(self) -> Img:
        """Paint sky glow, house walls and lit windows on both sides, without signs."""
        depth = HALF / np.maximum(np.abs(self.across), 1e-4)
        height = EYE + self.up * depth
        side = (self.across > 0).astype(np.float32)
        house = np.floor((depth + side * 3.7) / 8.5)
        rng = np.random.default_rng(33)
        tops = rng.uniform(10, 21, 400).astype(np.float32)
        index = np.clip(house + side * 199, 0, 399).astype(int)
        top = tops[index]
        wall = (height < top) & (height > 0) & (depth < 130)
        tint = np.stack([rng.uniform(0.6, 1.2, 400), rng.uniform(0.6, 1.0, 400)], -1)[index]
        stain = sample(self.rough, depth / 9, height / 9 + side * 0.5)
        stone = rgb("1b1f33") * (1 + 0.16 * stain[..., None])
        stone = stone * np.dstack([tint[..., 0], tint[..., 1], np.ones_like(top)])
        img = mix(stone, rgb("0c0f1c"), smooth(4, 16, height) * 0.6)
        img = self.windows(img, depth, height, side, rng)
        img = self.shops(img, depth, height, house, side)
        murk = mix(rgb("2a2f55"), rgb("71507a"), np.exp(-np.abs(self.up) / 0.10))
        cloud = sample(self.slow, self.x / self.w, self.y / self.h)
        sky = mix(rgb("0b1026"), murk, np.exp(-np.maximum(self.up, 0) / 0.34) * 0.9)
        sky = sky * (1 + 0.12 * cloud[..., None])
        img = mix(img, murk, 1 - np.exp(-np.maximum(depth - 8, 0) / 62))
        return mix(sky, img, blur(wall.astype(np.float32), 0.8))

    def windows(
        self, img: Img, depth: Img, height: Img, side: Img, rng: np.random.Generator
    ) -> Img:
        """Light some of the upper windows, warm or cool."""
        u, v = (depth + side * 0.9) / 1.9, (height - 4.4) / 3.0
        col, row = np.floor(u).astype(int), np.floor(v).astype(int)
        fu, fv = u - col, v - row
        pane = smooth(0.20, 0.23, fu) * smooth(0.80, 0.77, fu)
        pane = pane * smooth(0.22, 0.24, fv) * smooth(0.80, 0.78, fv) * (height > 4.4)
        bars = 1 - 0.6 * smooth(0.03, 0.02, np.abs(fu - 0.5)) * (fv > 0)
        table = rng.random((2, 97, 64)).astype(np.float32)
        pick = (col * 5 + row * 31 + (side * 50).astype(int)) % 97
        lit, hue = table[0][pick, row % 64], table[1][pick, row % 64]
        warm = mix(rgb("ffb765"), rgb("8fc3e8"), (hue > 0.78).astype(np.float32))
        curtain = 0.65 + 0.35 * smooth(0.25, 0.75, fv)
        power = np.where(lit > 0.66, 0.35 + 0.6 * hue, 0.06) * curtain * bars
        glass = warm * power[..., None]
        ledge = smooth(0.05, 0.0, np.abs(fv - 0.12)) * (height > 4.4) * 0.10
        return mix(img + ledge[..., None] * rgb("8a86b0"), glass, pane)

    def shops(self, img: Img, depth: Img, height: Img, house: Img, side: Img) -> Img:
        """Add glowing shop fronts with awnings at street level."""
        u = (depth + side * 3.7) / 8.5 - house
        front = smooth(0.10, 0.12, u) * smooth(0.90, 0.88, u)
        front = front * smooth(0.5, 0.55, height) * smooth(3.0, 2.92, height)
        mullion = 1 - 0.75 * smooth(0.035, 0.02, np.abs((u * 5) % 1 - 0.5))
        kind = (house * 3 + side) % 4
        colours = np.stack([rgb(c) for c in ("ffb35c", "63d0d8", "ff8a6a", "d9a0ff")])
        goods = 0.35 + 0.65 * smooth(0.3, 2.9, height)
        goods = goods * (0.85 + 0.16 * sample(self.slow, depth / 3, height / 5))
        shelf = 1 - 0.45 * smooth(0.05, 0.03, np.abs((height * 0.9) % 1 - 0.5)) * (height < 2.2)
        glow = colours[kind.astype(int)] * (goods * mullion * shelf)[..., None]
        img = mix(img, glow * 0.95, front)
        awning = smooth(2.9, 3.0, height) * smooth(3.7, 3.6, height) * (u > 0.06) * (u < 0.94)
        band = mix(rgb("3c1626"), rgb("7a2c38"), (np.sin(depth * 9) > 0).astype(np.float32))
        return mix(img, band, awning * 0.85)

    def signs(self) -> list[tuple[Img, Img]]:
        """Paint each sign alone; returns (colour picture, dark board cover) with its glow."""
        painted = []
        for text, colour, side, z, y, letter, upright in sorted(SIGNS, key=lambda s: -s[3]):
            tube = neon(text, upright)
            scale = letter / 120 * self.focal / z
            x = side * (HALF - tube.shape[1] / 120 * letter / 2 - 0.15)
            at = (self.w / 2 + x / z * self.focal, self.horizon - (y - EYE) / z * self.focal)
            canvas = np.zeros((self.h, self.w, 3), np.float32)
            Sprite(np.dstack([tube] * 4)).stamp(canvas, at, scale)
            board = np.zeros((self.h, self.w, 3), np.float32)
            Sprite(np.ones((*tube.shape, 4), np.float32)).stamp(board, at, scale)
            mask = canvas[..., 0]
            core = blur(mask, 1.0)
            hue = rgb(colour)
            halo = blur(mask, 7) * 1.0 + blur(mask, 26) * 0.9 + blur(mask, 80) * 1.5
            light = core[..., None] * mix(hue, rgb("ffffff"), 0.45) * 1.35
            painted.append((light + halo[..., None] * hue, board[..., 0] * 0.82))
        return painted

    def streaks(self, index: int) -> Img:
        """Return a tileable field of falling rain: near streaks are longer and fewer."""
        rng = np.random.default_rng(300 + index)
        size, length = 512, (26, 46, 80)[index]
        field = np.zeros((size, size), np.float32)
        count = (420, 170, 60)[index]
        x, y = rng.integers(0, size, count), rng.integers(0, size, count)
        for k in range(length):
            field[(y + k) % size, (x - (k * 10) // 100) % size] = np.sin(np.pi * k / length)
        width = (0.6, 0.9, 1.5)[index]
        wide = cv2.copyMakeBorder(field, 8, 8, 8, 8, cv2.BORDER_WRAP)
        return np.asarray(cv2.GaussianBlur(wide, (0, 0), width)[8:-8, 8:-8] * width * 1.6)

    def render(self, t: float) -> Bytes:
        """Return the frame at t seconds into the shot as RGB bytes."""
        img = self.still.copy()
        for i, (light, board) in enumerate(self.tubes):
            pulse = 1 + 0.10 * np.sin(2.2 * t + 1.7 * i)
            img = img * (1 - board[..., None]) + light * np.float32(pulse)
        x = -1.9 + 0.85 * t
        foot = self.horizon + EYE / 7.2 * self.focal
        person = walker(t, int(1.95 / 7.2 * self.focal))
        img = self.wet(img, person, (self.w / 2 + x / 7.2 * self.focal, foot), t)
        person.stamp(img, (self.w / 2 + x / 7.2 * self.focal, foot), 1.0)
        fall = np.zeros((self.h, self.w), np.float32)
        for i, field in enumerate(self.rain):
            speed = (2.1, 2.9, 4.2)[i]
            fall += sample(field, self.x / 512 + 0.1 * speed * t, self.y / 512 - speed * t)
        light = 0.05 + 0.30 * blur(img.mean(2), 30)
        img = img + (fall * light)[..., None] * rgb("c9d8ff")
        return grade(img, bloom=0.45, vignette=0.55, knee=0.72)

    def wet(self, img: Img, person: Sprite, foot: tuple[float, float], t: float) -> Img:
        """Lay the wet road: a rippled, smeared mirror of the walls, signs and the walker."""
        top = int(self.horizon)
        across, x, y = self.across[top:], self.x[top:], self.y[top:]
        depth = EYE / np.maximum(-self.up[top:], 1e-4)
        wx = across * depth
        # A wall mirrors about its own foot, which lies lower on the screen the nearer it is.
        contact = self.horizon + EYE * np.abs(x - self.w / 2) / HALF
        my = np.clip(2 * contact - y, 0, contact - 1).astype(np.float32)
        plain = cv2.remap(img, x - 0.5, my, cv2.INTER_LINEAR)
        person.stamp(plain, (foot[0], foot[1] - top), 1.0, angle=np.pi, stretch=-1, light=0.8)
        bump = sample(self.rough, wx / 7, depth / 9)
        ring = sample(self.rough, wx / 2.2 + 0.35 * t, depth / 2.8 - 0.5 * t)
        puddle = smooth(0.2, 0.9, sample(self.slow, wx / 14, depth / 18))
        shake = (1.2 - 0.7 * puddle) * (bump * 5 + ring * 3.0) / (1 + depth / 14)
        mx = np.clip(x - 0.5 + shake * 0.8, 0, self.w - 1).astype(np.float32)
        my = np.clip(y - top + shake * 4.2, 0, len(y) - 1).astype(np.float32)
        smear = cv2.blur(plain, (3, 75))
        sharp = cv2.remap(cv2.blur(plain, (3, 11)), mx, my, cv2.INTER_LINEAR)
        soft = cv2.remap(smear, mx, my, cv2.INTER_LINEAR)
        shine = mix(soft, sharp, puddle * 0.65)
        grazing = 0.38 + 0.48 * np.exp(-np.maximum(-self.up[top:], 0) / 0.16) + 0.22 * puddle
        road = rgb("0d1120") * (1 + 0.14 * bump[..., None])
        kerb = smooth(4.2, 4.35, np.abs(wx))
        road = mix(road, rgb("232840") * (1 + 0.2 * bump[..., None]), kerb)
        line = smooth(0.10, 0.05, np.abs(np.abs(wx) - 4.3)) * 0.5
        road = mix(road, rgb("3c4260"), line)
        wet = road + shine * (grazing * (1 - 0.25 * kerb))[..., None]
        out = img.copy()
        out[top:] = mix(out[top:], wet, smooth(-0.8, 0.8, y - contact))
        return out
