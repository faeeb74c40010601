"""Put frames of a clip and of its decodes beside each other, as one picture.

    python tools/side_by_side.py clip.mp4 clip.decoded.mp4 -o beside.jpg --at 1.5 4 7

Each row is a moment, each column a file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray


def frames_at(path: Path, seconds: list[float], width: int) -> list[NDArray[np.uint8]]:
    """BGR frames of a file on screen at ``seconds``, ``width`` wide."""
    found: list[NDArray[np.uint8]] = []
    with av.open(path) as container:
        for frame in container.decode(video=0):
            if len(found) == len(seconds):
                break
            if frame.time is not None and frame.time >= seconds[len(found)]:
                height = round(width * frame.height / frame.width)
                pixels = frame.to_ndarray(format="bgr24")
                found.append(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
    return found


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="the clip, then its decodes")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a .jpg or .png")
    parser.add_argument("--at", nargs="+", type=float, default=[1.0], help="moments in seconds")
    parser.add_argument("--width", type=int, default=320, help="of a frame, in pixels")
    given = parser.parse_args()
    columns = [frames_at(path, sorted(given.at), given.width) for path in given.files]
    height = columns[0][0].shape[0]
    rows = [
        np.hstack([cv2.resize(frame, (given.width, height)) for frame in moment])
        for moment in zip(*columns, strict=True)
    ]
    cv2.imwrite(str(given.output), np.vstack(rows))


if __name__ == "__main__":
    main()
