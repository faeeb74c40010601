"""The ``mmcodec`` command: one module a subcommand, on the public API only."""

from __future__ import annotations

import os
import sys

import typer

from mmcodec import __version__
from mmcodec.cli.decode import decode
from mmcodec.cli.demo import demo
from mmcodec.cli.encode import encode
from mmcodec.cli.info import info
from mmcodec.cli.models import models
from mmcodec.cli.note import note
from mmcodec.cli.play import play
from mmcodec.cli.segment import segment
from mmcodec.cli.serve import serve
from mmcodec.errors import MMCodecError, UsageError

_EXIT_FAILED, _EXIT_USAGE, _EXIT_INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="mmcodec",
    help="A generative multimedia codec: clips as timed prompts and tiny descriptors.",
    epilog="Example: mmcodec encode clip.mp4 && mmcodec decode clip.mmc",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(encode)
app.command()(decode)
app.command()(info)
app.command()(note)
app.command()(segment)
app.command()(serve)
app.command()(play)
app.command()(demo)
app.add_typer(models)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mmcodec {__version__}")
        raise typer.Exit


def _quieten() -> None:
    """Keep what libraries of models say beside their errors off the terminal.

    They read these once, when they are imported.
    """
    for name, value in (
        ("TRANSFORMERS_VERBOSITY", "error"),
        ("DIFFUSERS_VERBOSITY", "error"),
        ("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
    ):
        os.environ.setdefault(name, value)


@app.callback()
def _options(
    context: typer.Context,
    version: bool = typer.Option(
        False, "--version", help="Print the version.", callback=_print_version, is_eager=True
    ),
) -> None:
    """Options of the command itself."""
    if context.invoked_subcommand != "models":  # a download has a bar to show
        _quieten()


def main() -> None:
    """Run the command; every expected failure is one line on standard error.

    Exit codes: 0 all well, 1 a medium or a stream is at fault, 2 the request is, 3 a stream was
    damaged or cut short, and what could be decoded was.
    """
    try:
        app()
    except MMCodecError as error:
        print(f"mmcodec: {error}", file=sys.stderr)
        sys.exit(_EXIT_USAGE if isinstance(error, UsageError) else _EXIT_FAILED)
    except OSError as error:
        print(f"mmcodec: {error}", file=sys.stderr)
        sys.exit(_EXIT_FAILED)
    except KeyboardInterrupt:
        print("mmcodec: stopped", file=sys.stderr)
        sys.exit(_EXIT_INTERRUPTED)
