"""Hashes of what was decoded, by which two receivers find out whether they got the same."""

from __future__ import annotations

import hashlib

import numpy as np

from mmcodec.media.feeds import Picture, Sound

_PCM_SCALE = 32767


class DecodedHashes:
    """SHA-256 of the RGB frames, and of the samples in 16 bits, before they are encoded."""

    def __init__(self) -> None:
        self._hashes = {"video": hashlib.sha256(), "audio": hashlib.sha256()}
        self._heard: set[str] = set()

    def add(self, item: Picture | Sound) -> None:
        """Take what comes next of a track."""
        if isinstance(item, Picture):
            self._add("video", np.ascontiguousarray(item.pixels))
        else:
            self._add("audio", np.rint(item.samples * _PCM_SCALE).astype("<i2"))

    def digests(self) -> dict[str, str]:
        """In hexadecimal, by track; only of tracks that there are."""
        return {name: self._hashes[name].hexdigest() for name in sorted(self._heard)}

    def _add(self, name: str, data: np.ndarray) -> None:
        self._hashes[name].update(data.tobytes())
        self._heard.add(name)
