"""Outputs that are whole or not there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from mmcodec.errors import UsageError

STANDARD_STREAM = "-"


@contextmanager
def whole_output(target: str | Path | BinaryIO, force: bool) -> Iterator[Path | BinaryIO]:
    """Where to write: a file beside ``target`` that takes its name when all went well.

    A binary file object, or ``-`` for standard output, is written as it is.

    Raises:
        UsageError: the target exists and ``force`` is not set, or its folder does not exist.
    """
    if not isinstance(target, str | Path):
        yield target
        return
    if target == STANDARD_STREAM:
        yield cast("BinaryIO", sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    if path.is_dir():
        raise UsageError(f"{path}: is a directory, not a file to write")
    if path.exists() and not force:
        raise UsageError(f"{path}: exists; --force overwrites it")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: there is no such folder to write to")
    with _beside(path) as place:
        yield place


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole, or as it was before."""
    with _beside(path) as place:
        place.write_bytes(data)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    place = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield place
        place.replace(path)
    finally:
        place.unlink(missing_ok=True)
