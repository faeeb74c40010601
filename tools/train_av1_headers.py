"""Make ``av1_headers.npz``: how SVT-AV1 orders 1 to 64 frames, and what its headers usually say.

The structures are those of a grey picture; the probabilities are counted in sketches of the clips
that are given, at the rasters, frame rates and qualities that the encoder chooses from. A new file
makes old streams unreadable: it is part of the format.

    python tools/train_av1_headers.py clips/
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from bench_media import VIDEOS, files
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from mmcodec.analysis.shots import ShotDetector, ShotFrames
from mmcodec.descriptors import av1_compact, av1_tables
from mmcodec.descriptors.av1 import encode_av1
from mmcodec.descriptors.av1_compact import Headers, split_units
from mmcodec.descriptors.av1_syntax import Slots, UnusualHeaderError, walk_frame, walk_sequence
from mmcodec.descriptors.av1_tables import Step
from mmcodec.descriptors.sketch import sketch_size
from mmcodec.entropy.range_coder import BitPredictor, IntegerModel
from mmcodec.media.demux import DemuxSettings, open_media
from mmcodec.media.feeds import Picture

PIXELS = (96 * 54, 128 * 72, 208 * 117)
FRAMES = (1, 2, 4, 8, 15, 26)
QUALITIES = (63, 61, 57, 49)
SEEN = 0.4
"""Of a bit that was never seen, half of it as often 0 as 1."""


class Tally(Headers):
    """Counts the bits that are coded at each place."""

    def __init__(self, counts: Counter[tuple[int, int]]) -> None:
        super().__init__(self)
        self._counts = counts

    def model(self, place: int) -> BitPredictor:
        """A counter of the place."""
        return Counted(place, self._counts)

    def bit(self, model: BitPredictor, bit: int) -> int:
        """Count a bit."""
        model.update(bit)
        return bit

    def bits(self, value: int, count: int) -> int:
        """What needs no counting."""
        return value & ((1 << count) - 1)

    def byte(self, value: int) -> int:
        """What needs no counting."""
        return value

    def integer(self, model: IntegerModel, value: int) -> int:
        """What headers have none of."""
        raise NotImplementedError


class Counted:
    """A place of the file."""

    probability = 1 << 15

    def __init__(self, place: int, counts: Counter[tuple[int, int]]) -> None:
        self._place, self._counts = place, counts

    def update(self, bit: int) -> None:
        """Count a bit."""
        self._counts[self._place, bit] += 1


def structure(count: int) -> list[Step]:
    """The steps of ``count`` frames."""
    grey = np.full((count, 72, 128, 3), 90, np.uint8)
    units = split_units(encode_av1(grey, (128, 72), 63))
    sequence, slots = walk_sequence(Reader(next(units)[1]).field), Slots()
    steps = []
    for _, payload in units:
        reader = Reader(payload)
        if reader.field("again", 1):
            steps.append(Step(1, reader.field("slot", 3), 0, 0, 0, 0, 0, (0,) * 7))
            continue
        walk_frame(reader.field, sequence, slots)
        names = ("type", "show", "hint", "primary", "refresh")
        fields = [reader.seen.get(name, 0) for name in names]
        references = tuple(reader.seen.get(f"reference{n}", 0) for n in range(7))
        steps.append(Step._make((0, 0, *fields, references)))
    return steps


class Reader:
    """The fields of a payload, by name."""

    def __init__(self, payload: bytes) -> None:
        self._number, self._left = int.from_bytes(payload, "big"), 8 * len(payload)
        self.seen: dict[str, int] = {}

    def field(self, name: str, bits: int) -> int:
        """The next bits."""
        self._left -= bits
        self.seen[name] = self._number >> self._left & ((1 << bits) - 1)
        return self.seen[name]


def shots(clip: Path) -> Iterator[ShotFrames]:
    """The shots of a clip as the encoder has them."""
    with open_media(clip, DemuxSettings(audio=False)) as media:
        if media.info.video is None:
            return
        detector, end = ShotDetector(media.info.video.frame_rate), 0
        for picture in media.read():
            if isinstance(picture, Picture):
                end = picture.pts + picture.duration
                yield from detector.process(picture.pts, picture.pixels)
        yield from detector.finish(end)


def sketches(shot: ShotFrames) -> Iterator[bytes]:
    """OBUs of a shot at many operating points."""
    height, width = shot.pixels[0].shape[:2]
    for count in sorted({min(count, len(shot.pixels)) for count in FRAMES}):
        places = np.linspace(0, len(shot.pixels) - 1, count).astype(int)
        frames = np.stack([shot.pixels[place] for place in places])
        for pixels in PIXELS:
            for quality in QUALITIES:
                yield encode_av1(frames, sketch_size(width, height, pixels), quality)


def probabilities(counts: Counter[tuple[int, int]]) -> NDArray[np.uint16]:
    """What the counts say, in 1/65536."""
    seen = np.full((av1_tables.PRIORS, 2), SEEN)
    for (place, bit), number in counts.items():
        seen[place, bit] += number
    share = seen[:, 1] / seen.sum(axis=1)
    return np.asarray(np.clip(np.rint(65536 * share), 1, 65535), np.uint16)


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="+", type=Path, metavar="PATH", help="clips or folders")
    given = parser.parse_args()
    structures = [structure(count) for count in range(1, av1_compact.MAX_FRAMES + 1)]
    rows = [[*step[:7], *step.references] for steps in structures for step in steps]
    target = Path(av1_tables.__file__).with_name("av1_headers.npz")
    steps = np.array(rows, np.uint8)
    ends = np.cumsum([len(steps) for steps in structures]).astype(np.uint16)
    even = np.full(av1_tables.PRIORS, 1 << 15, np.uint16)
    np.savez_compressed(target, priors=even, steps=steps, ends=ends)  # counting goes by the steps
    counts: Counter[tuple[int, int]] = Counter()
    clips = files(given.places, VIDEOS)
    for clip in track(clips, "counting", console=Console(stderr=True), transient=True):
        for shot in shots(clip):
            for units in sketches(shot):
                try:
                    av1_compact.write(units, Tally(counts))
                except UnusualHeaderError:
                    print(f"{clip.name}: a sketch is not as usual")
    np.savez_compressed(target, priors=probabilities(counts), steps=steps, ends=ends)
    print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
