"""``mmcodec decode``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from mmcodec.cli.options import Force, Json, print_json, progress_bar, say

EXIT_TRUNCATED = 3


def decode(
    source: Annotated[str, typer.Argument(help="A .mmc stream, or - for standard input.")],
    output: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option(
            "--output",
            "-o",
            help="A .mp4, .mkv, .webm, .wav or .png to write [default: SOURCE.decoded.mp4]; "
            "- pipes Matroska.",
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Synthesize picture and sound from a .mmc stream.

    A stream that is cut short is decoded up to the cut; the exit code is then 3.

    Examples:

      mmcodec decode clip.mmc

      mmcodec decode note.mmc -o note.wav

      mmcodec decode clip.mmc -o - | mpv -
    """
    import mmcodec
    from mmcodec.cli.tables import stream_values

    with progress_bar("decoding") as progress:
        report = mmcodec.decode(source, output, force=force, progress=progress)
    stream = report.stream
    if as_json and output != "-":
        elapsed, speed = round(report.elapsed_s, 3), round(report.speed, 2)
        values = {"output": report.target, "elapsed_s": elapsed, "speed": speed}
        print_json({**values, **stream_values(stream)})
    else:
        timing = f": {stream.duration_s:.2f} s, {report.speed:.1f} x real time"
        say(f"{report.target}{'' if stream.is_still else timing}")
    if stream.error:
        say(f"{source}: {stream.error}; decoded up to the cut")
        raise typer.Exit(EXIT_TRUNCATED)
