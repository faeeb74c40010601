"""``mmcodec decode``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from mmcodec.cli.options import Force, Json, print_json, progress_bar, report_damage, say


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
    start: Annotated[
        float, typer.Option("--start", min=0.0, help="Begin at this second of the stream.")
    ] = 0.0,
    end: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--end", min=0.0, help="Stop at this second [default: the end]."),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Synthesize picture and sound from a .mmc stream.

    Damaged packets are concealed, and a stream that is cut short is decoded up to the cut; the
    exit code is then 3.

    Examples:

      mmcodec decode clip.mmc

      mmcodec decode note.mmc -o note.wav

      mmcodec decode clip.mmc --start 12 --end 20

      mmcodec decode clip.mmc -o - | mpv -
    """
    import mmcodec
    from mmcodec.cli.tables import stream_values

    with progress_bar("decoding") as progress:
        settings = mmcodec.DecodeSettings(start_s=start, end_s=end)
        report = mmcodec.decode(source, output, settings, force=force, progress=progress)
    stream = report.stream
    if as_json and output != "-":
        values = {
            "output": report.target,
            "decoded_s": round(report.duration_s, 3),
            "elapsed_s": round(report.elapsed_s, 3),
            "speed": round(report.speed, 2),
        }
        print_json({**values, **stream_values(stream)})
    else:
        timing = f": {report.duration_s:.2f} s, {report.speed:.1f} x real time"
        say(f"{report.target}{'' if stream.is_still else timing}")
    report_damage(source, stream)
