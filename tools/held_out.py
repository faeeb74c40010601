"""Which texts of a file are kept from training, so that they can measure it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

SHARE = 0.02
LEAST = 300


def read_lines(file: Path) -> list[str]:
    """Texts of a file that holds one a line; empty lines are none."""
    return [line for line in file.read_text(encoding="utf-8").split("\n") if line]


def held_out(lines: Sequence[str]) -> list[str]:
    """The distinct lines that training never sees: those of the least SHA-256, 2 % or 300."""
    ranked = sorted(dict.fromkeys(lines), key=lambda line: hashlib.sha256(line.encode()).digest())
    return ranked[: max(LEAST, int(SHARE * len(ranked)))]
