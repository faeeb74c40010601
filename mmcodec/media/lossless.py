"""Frames kept on disk bit for bit, as FFV1 in Matroska: a third of their raw size or less."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from numpy.typing import NDArray

_PIXEL_FORMAT = "bgr0"


class FrameWriter:
    """Writes RGB frames (height, width, 3) to a file that is there only when it is whole."""

    def __init__(self, file: Path, size: tuple[int, int]) -> None:
        self._file, self._beside = file, file.with_suffix(".part")
        self._container = av.open(str(self._beside), "w", format="matroska")
        self._stream = self._container.add_stream("ffv1", rate=Fraction(25))
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = _PIXEL_FORMAT

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        if kind is None:
            self._beside.replace(self._file)
        else:
            self._beside.unlink(missing_ok=True)

    def write(self, pixels: NDArray[np.uint8]) -> None:
        """Add a frame."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        self._container.mux(self._stream.encode(frame.reformat(format=_PIXEL_FORMAT)))


def read_frames(file: Path) -> Iterator[NDArray[np.uint8]]:
    """The frames of a file that :class:`FrameWriter` wrote."""
    with av.open(str(file)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
