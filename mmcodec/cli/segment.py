"""``mmcodec segment``."""

from __future__ import annotations

from typing import Annotated

import typer

from mmcodec.cli.options import Force, Json, print_json, say


def segment(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="A .mmc stream, or several: rates of one."),
    ],
    output: Annotated[str, typer.Option("--output", "-o", help="The folder to write.")],
    seconds: Annotated[
        float, typer.Option(min=1.0, max=60.0, help="How long a segment is, more or less.")
    ] = 6.0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Cut streams into segments with a playlist (HLS), for any web server.

    Examples:

      mmcodec segment clip.mmc -o site/clip/

      mmcodec segment 1k.mmc 4k.mmc -o site/clip/
    """
    import mmcodec

    report = mmcodec.segment(sources, output, segment_s=seconds, force=force)
    if as_json:
        print_json(
            {
                "playlist": report.playlist,
                "bytes": report.segments_bytes,
                "duration_s": round(report.duration_s, 3),
            }
        )
    else:
        say(f"{report.playlist}: {report.segments_bytes} bytes, {report.duration_s:.2f} s")
