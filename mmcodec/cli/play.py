"""``mmcodec play``."""

from __future__ import annotations

import os
from typing import Annotated, Optional

import typer

from mmcodec.cli.link_options import Browser, Port
from mmcodec.cli.model_options import Device, Dtype, Offload, backend_option
from mmcodec.cli.options import Force, Json, print_json, progress_bar, say
from mmcodec.cli.serve import TOKEN_VARIABLE


def play(
    url: Annotated[str, typer.Argument(metavar="URL", help="A playlist: http://.../clip.m3u8")],
    output: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option(
            "--output", "-o", help="Write a media file instead of showing a page; - pipes Matroska."
        ),
    ] = None,
    rate: Annotated[str, typer.Option(help="The name of a rate, or auto.")] = "auto",
    original: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FILE", help="The clip it was made of, to be shown beside."),
    ] = None,
    port: Port = 0,
    browser: Browser = True,
    video: Annotated[str, backend_option("--video", "Makes the picture")] = "offline",
    audio: Annotated[str, backend_option("--audio", "Makes music and sounds")] = "offline",
    speech: Annotated[str, backend_option("--speech", "Makes speech")] = "offline",
    device: Device = None,
    dtype: Dtype = None,
    offload: Offload = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Receive a stream over HTTP, and show it on a page in the browser or write it to a file.

    A bearer token is taken from the variable MMCODEC_TOKEN.

    Examples:

      mmcodec play http://localhost:8000/clip.m3u8

      mmcodec play http://localhost:8000/live/index.m3u8 --rate 1k -o live.mp4

      mmcodec play http://localhost:8000/clip.m3u8 -o - | mpv -
    """
    import mmcodec

    models = mmcodec.ModelSettings(device=device, dtype=dtype, offload=offload)
    settings = mmcodec.DecodeSettings(video, audio, speech, models)
    token = os.environ.get(TOKEN_VARIABLE)
    if output is None:
        mmcodec.watch(
            url,
            settings,
            rate=rate,
            token=token,
            original=original,
            port=port,
            browser=browser,
            say=say,
        )
        return
    with progress_bar("receiving") as progress:
        report = mmcodec.play(
            url, output, settings, rate=rate, token=token, force=force, progress=progress
        )
    for note in report.notes:
        say(note)
    if as_json and output != "-":
        print_json(
            {
                "output": report.target,
                "received_bytes": report.received_bytes,
                "duration_s": round(report.duration_s, 3),
                "elapsed_s": round(report.elapsed_s, 3),
                "notes": list(report.notes),
            }
        )
    else:
        rate_bps = report.received_bytes * 8 / report.duration_s
        say(f"{report.target}: {report.duration_s:.2f} s, {rate_bps / 1000:.2f} kbit/s with HTTP")
