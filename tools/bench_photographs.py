"""Photographs in few bytes, and the smallest JPEG, WebP and AVIF that are as near in SSIM.

python tools/bench_photographs.py photos/ --bytes 125 500 1000 4000 [--json]
"""

from __future__ import annotations

import argparse
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_media import files, show
from rich.table import Table

import mmcodec

PHOTOGRAPHS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
SIZES = (125, 500, 1000, 4000)


@dataclass(frozen=True)
class Row:
    """A photograph in at most so many bytes; of a peer None where none of its files is as near."""

    photograph: str
    most: int
    bytes: int
    ssim: float
    psnr: float
    jpeg: int | None
    webp: int | None
    avif: int | None


def bench(path: Path, most: int) -> Row:
    """A photograph beside the peers."""
    stream = io.BytesIO()
    mmcodec.encode(path, stream, mmcodec.EncodeSettings(most_bytes=most))
    stream.seek(0)
    ours, *peers = mmcodec.compare_photograph(path, stream)
    sizes = {peer.codec: peer.bytes for peer in peers}
    others = (sizes.get(codec) for codec in ("JPEG", "WebP", "AVIF"))
    return Row(path.name, most, ours.bytes, ours.ssim, ours.psnr, *others)


def table(rows: list[Row]) -> Table:
    """The means over the photographs: peers in bytes of ours, where they are as near."""
    made = Table("at most", "bytes", "SSIM", "PSNR", "JPEG", "WebP", "AVIF")
    for most in dict.fromkeys(row.most for row in rows):
        some = [row for row in rows if row.most == most]
        ours = np.mean([(row.bytes, row.ssim, row.psnr) for row in some], axis=0)
        cells = [f"{ours[0]:.0f}", f"{ours[1]:.3f}", f"{ours[2]:.1f} dB"]
        for peer in ("jpeg", "webp", "avif"):
            times = [size / row.bytes for row in some if (size := getattr(row, peer)) is not None]
            cells.append(f"{np.mean(times):.2f} x" if times else "-")
        made.add_row(str(most), *cells)
    return made


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="+", type=Path, metavar="PATH", help="files or folders")
    parser.add_argument("--bytes", nargs="+", type=int, default=SIZES, metavar="N")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    given = parser.parse_args()
    found = files(given.places, PHOTOGRAPHS)
    if not found:
        sys.exit("bench_photographs: no photographs there")
    show([bench(path, most) for most in given.bytes for path in found], given.json, table)


if __name__ == "__main__":
    main()
