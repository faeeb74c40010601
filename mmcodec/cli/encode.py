"""``mmcodec encode``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from mmcodec import Profile
from mmcodec.cli.options import Force, Json, print_json, progress_bar, say, show


def encode(
    source: Annotated[str, typer.Argument(help="A media file, a URL, or - for standard input.")],
    output: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option("--output", "-o", help="The stream to write [default: SOURCE.mmc]; - pipes."),
    ] = None,
    profile: Annotated[
        Profile,
        typer.Option(
            help="What goes beside the prompts: a sketch (2 kbit/s in all) or less (0.3)."
        ),
    ] = Profile.SKETCH,
    no_audio: Annotated[bool, typer.Option("--no-audio", help="Leave the sound out.")] = False,
    no_video: Annotated[bool, typer.Option("--no-video", help="Leave the picture out.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Encode what is there of a file that is cut short.")
    ] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Encode a clip, a sound file or a photograph as a .mmc stream.

    Examples:

      mmcodec encode clip.mp4

      mmcodec encode talk.wav -o talk.mmc --profile prompt

      ffmpeg -i rtsp://camera -f matroska - | mmcodec encode - -o camera.mmc
    """
    import mmcodec
    from mmcodec.cli.tables import encode_table, encode_values

    settings = mmcodec.EncodeSettings(
        profile, video=not no_video, audio=not no_audio, partial=partial
    )
    with progress_bar("encoding") as progress:
        report = mmcodec.encode(source, output, settings, force=force, progress=progress)
    if report.damaged_packets:
        say(f"{source}: {report.damaged_packets} damaged packets were skipped")
    if as_json and output != "-":
        print_json(encode_values(report))
        return
    show(encode_table(report), stderr=output == "-")
