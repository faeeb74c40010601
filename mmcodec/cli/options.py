"""Options and messages that the subcommands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from mmcodec import StreamInfo

EXIT_INCOMPLETE = 3
_LEAST_BIT_RATE, _MOST_BIT_RATE = 20, 100_000

Force = Annotated[bool, typer.Option("--force", "-f", help="Overwrite an existing output.")]
Text = Annotated[
    Optional[str],  # noqa: UP045 - typer reads the annotation at run time
    typer.Option(
        metavar="TEXT", help="What is said, up to a minute: it is sent instead of its sound."
    ),
]
Language = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        metavar="CODE", help="The language of the text or subtitles, such as de (default: English)."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]


def bits_a_second(text: str) -> int:
    """The bit rate that ``text`` says: 800, 2k, 2.4k or 9600bps."""
    number = text.strip().lower().removesuffix("bps").removesuffix("bit/s")
    scale = 1000 if number.endswith("k") else 1
    try:
        rate = round(float(number.removesuffix("k")) * scale)
    except ValueError:
        raise typer.BadParameter(f"{text} is no bit rate; 800, 2k and 2.4k are") from None
    if not _LEAST_BIT_RATE <= rate <= _MOST_BIT_RATE:
        raise typer.BadParameter(f"{text} is not from {_LEAST_BIT_RATE} to {_MOST_BIT_RATE} bit/s")
    return rate


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float, float | None], None] | None]:
    """A progress callback that draws a bar on standard error; None when that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.1f} s of media"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def say(text: str) -> None:
    """Print a remark on standard error, where it cannot end up in a piped stream."""
    print(f"mmcodec: {text}", file=sys.stderr)


def report_damage(source: str, stream: StreamInfo) -> None:
    """Say what of a stream was concealed or is missing, and exit with 3 if anything was."""
    for reason in stream.damage:
        say(f"{source}: {reason}; concealed")
    if stream.error:
        say(f"{source}: {stream.error}; all up to the cut is there")
    if stream.damage or stream.error:
        raise typer.Exit(EXIT_INCOMPLETE)


def show(*tables: Table, stderr: bool = False) -> None:
    """Print tables; what they quote from a stream is text, and no markup or control code."""
    from rich.console import Console

    console = Console(stderr=stderr, markup=False, emoji=False)
    for table in tables:
        console.print(table)


def print_json(value: object) -> None:
    """Print ``value`` as JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))
