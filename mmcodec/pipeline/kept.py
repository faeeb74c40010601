"""What models have made, kept until the whole decode is done, so that a stopped one can go on."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mmcodec.media.lossless import FrameWriter, read_frames
from mmcodec.synthesis.contract import (
    AudioSynthesizer,
    BatchingVideoSynthesizer,
    VideoSynthesizer,
)
from mmcodec.timeline import AudioTrack, Cue, VideoTrack


class Kept:
    """A folder beside the target for finished shots and segments; made at its first use.

    Without ``resume`` what an earlier decode left there is dropped. As a context, it drops
    everything when all went well, and else leaves what there is to go on with.
    """

    def __init__(self, target: Path, resume: bool) -> None:
        self._folder = target.with_name(f".{target.name}.kept")
        if not resume:
            self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._drop()
        else:
            with suppress(OSError):  # it is not there, or not empty
                self._folder.rmdir()

    def _drop(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def file(self, suffix: str, *what: object) -> Path:
        """Where the result for ``what`` belongs; told apart by their representation."""
        self._folder.mkdir(exist_ok=True)
        digest = hashlib.sha256("\0".join(map(repr, what)).encode()).hexdigest()
        return self._folder / f"{digest[:32]}{suffix}"


@dataclass(frozen=True, slots=True)
class KeptVideo:
    """A video synthesizer whose finished shots are kept; ``name`` tells it from others."""

    made_by: VideoSynthesizer
    name: str
    kept: Kept

    def prepare(self, cues: Sequence[Cue], track: VideoTrack) -> None:
        """As :class:`BatchingVideoSynthesizer`, for what is still to be made."""
        if isinstance(self.made_by, BatchingVideoSynthesizer):
            missing = [cue for cue in cues if not self._file(cue, track).exists()]
            self.made_by.prepare(missing, track)

    def _file(self, cue: Cue, track: VideoTrack) -> Path:
        return self.kept.file(".mkv", self.name, cue, track)

    def render(self, cue: Cue, track: VideoTrack) -> Iterator[NDArray[np.uint8]]:
        """As :class:`VideoSynthesizer`."""
        file = self._file(cue, track)
        if file.exists():
            yield from read_frames(file)
            return
        with FrameWriter(file, (track.width, track.height)) as keep:
            for pixels in self.made_by.render(cue, track):
                keep.write(pixels)
                yield pixels


@dataclass(frozen=True, slots=True)
class KeptAudio:
    """An audio synthesizer whose finished segments are kept."""

    made_by: AudioSynthesizer
    name: str
    kept: Kept

    def render(self, cue: Cue, track: AudioTrack, samples: int) -> NDArray[np.float32]:
        """As :class:`AudioSynthesizer`."""
        file = self.kept.file(".npy", self.name, cue, track, samples)
        if file.exists():
            loaded: NDArray[np.float32] = np.load(file, allow_pickle=False)
            return loaded
        made = self.made_by.render(cue, track, samples)
        beside = file.with_suffix(".part")
        with beside.open("wb") as out:
            np.save(out, made)
        beside.replace(file)
        return made
