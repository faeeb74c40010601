"""Bits per character of our text coder and its peers: ``python tools/bench_text.py FILE...``.

A file holds one text a line. Texts are coded one at a time, and ten at a time: then a peer gets the
ten as one text, and ours gets each with those before it as its context. All bytes are counted,
headers and checksums of a format included; zstd's dictionary, learned from the lines of the same
files that are not measured, is not.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import json
import lzma
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from held_out import held_out, read_lines
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmcodec.entropy.text import decode_text, encode_text

Coder = Callable[[Sequence[str]], int]
"""Bytes of texts that are coded together."""
DICTIONARY_BYTES = 1 << 16
TOGETHER = 10
console = Console(stderr=True)


def ours(texts: Sequence[str]) -> int:
    """Our coder, each text with those before it; an error where one does not come back."""
    size = 0
    for at, text in enumerate(texts):
        code = encode_text(text, texts[:at])
        if decode_text(code, texts[:at]) != text:
            raise ValueError(f"not lossless: {text!r}")
        size += len(code)
    return size


def whole(compress: Callable[[bytes], bytes]) -> Coder:
    """A peer that codes all texts as one."""
    return lambda texts: len(compress("\n".join(texts).encode()))


def brotli_coder() -> Coder:
    """Brotli at its best, told that it gets text."""
    brotli = import_module("brotli")
    return whole(lambda data: brotli.compress(data, mode=brotli.MODE_TEXT, quality=11))


def ppmd_coder() -> Coder:
    """PPMd, variant H, without a container."""
    pyppmd = import_module("pyppmd")

    def compress(data: bytes) -> bytes:
        encoder = pyppmd.Ppmd7Encoder(6, 1 << 20)
        return bytes(encoder.encode(data) + encoder.flush())

    return whole(compress)


def zstd_coder(samples: Sequence[str]) -> Coder:
    """Zstandard with a dictionary trained on ``samples``."""
    zstandard = import_module("zstandard")
    data = [sample.encode() for sample in samples]
    dictionary = zstandard.train_dictionary(DICTIONARY_BYTES, data, level=19)
    compressor = zstandard.ZstdCompressor(
        level=19, dict_data=dictionary, write_checksum=False, write_dict_id=False
    )
    return whole(compressor.compress)


def coders(samples: Sequence[str]) -> dict[str, Callable[[], Coder]]:
    """How to get each coder; one that is not installed raises ImportError."""
    return {
        "gzip": lambda: whole(lambda data: gzip.compress(data, 9, mtime=0)),
        "bz2": lambda: whole(bz2.compress),
        "xz": lambda: whole(lambda data: lzma.compress(data, preset=6)),
        "brotli": brotli_coder,
        "zstd with dictionary": lambda: zstd_coder(samples),
        "PPMd": ppmd_coder,
        "mmcodec": lambda: ours,
    }


def bits_per_character(name: str, coder: Coder, texts: Sequence[str], together: int) -> float:
    """Mean cost of ``texts``, coded in groups of ``together``."""
    groups = [texts[at : at + together] for at in range(0, len(texts), together)]
    steps = track(groups, f"{name} x{together}", console=console, disable=not console.is_terminal)
    return 8 * sum(map(coder, steps)) / sum(map(len, texts))


def measure(
    texts: Sequence[str], samples: Sequence[str], sizes: Sequence[int]
) -> dict[str, list[float]]:
    """Figures of every coder that is installed, for each size of group."""
    figures = {}
    for name, get in coders(samples).items():
        try:
            coder = get()
        except ImportError as error:
            console.print(f"{name} is missing: {error}")
            continue
        except Exception as error:  # zstandard's own error where there are too few samples
            console.print(f"{name} cannot run: {error}")
            continue
        figures[name] = [bits_per_character(name, coder, texts, size) for size in sizes]
    return figures


def chosen(lines: Sequence[str], options: argparse.Namespace) -> list[str]:
    """The lines to measure."""
    lines = held_out(lines) if options.held_out else lines
    return list(lines[:: options.every][: options.max])


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--held-out", action="store_true", help="only lines kept from training")
    parser.add_argument("--every", type=int, default=1, help="only every n-th of them")
    parser.add_argument("--max", type=int, help="only the first n of these, of each file")
    parser.add_argument("--json", action="store_true", help="print an object of one at a time")
    parser.add_argument("--together", type=int, default=1, help="texts in a group, for --json")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options = parse()
    lines = [read_lines(file) for file in options.files]
    texts = [text for part in lines for text in chosen(part, options)]
    if not texts:
        sys.exit("there is no text to measure")
    measured = set(texts)
    samples = [line for part in lines for line in part if line not in measured]
    sizes = [options.together] if options.json else [1, TOGETHER]
    figures = measure(texts, samples, sizes)
    if options.json:
        print(json.dumps({name: round(values[0], 4) for name, values in figures.items()}))
        return
    table = Table("coder", "one at a time", f"{TOGETHER} at a time", title="bits per character")
    for name, values in figures.items():
        table.add_row(name, *(f"{value:.3f}" for value in values))
    Console().print(table)


if __name__ == "__main__":
    main()
