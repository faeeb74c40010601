"""``mmcodec serve``."""

from __future__ import annotations

import os
from typing import Annotated, Optional

import typer

from mmcodec.cli.link_options import Delay, LinkRate, Loss
from mmcodec.cli.options import say

TOKEN_VARIABLE = "MMCODEC_TOKEN"  # noqa: S105 - a name, not a secret


def serve(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Folders of segments, and .mmc streams."),
    ],
    host: Annotated[str, typer.Option(help="0.0.0.0 serves all networks.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 is a free one.")] = 8000,
    link: LinkRate = None,
    delay: Delay = 0.0,
    loss: Loss = 0.0,
    token: Annotated[
        bool,
        typer.Option("--token", help=f"Ask for the bearer token in the variable {TOKEN_VARIABLE}."),
    ] = False,
    connections: Annotated[
        int, typer.Option(min=1, help="Requests at one time; others get 503.")
    ] = 1000,
    requests: Annotated[
        float, typer.Option(min=0, help="Requests a second of one address; 0 is no limit.")
    ] = 100.0,
) -> None:
    """Serve playlists and segments over HTTP: clip.mmc is served as /clip.m3u8.

    /metrics is for Prometheus. Ctrl-C ends it when what is being sent has been sent.

    Examples:

      mmcodec serve clip.mmc

      mmcodec serve site/ --host 0.0.0.0 --port 8080

      mmcodec serve clip.mmc --link 2400bps --delay 0.3 --loss 0.05
    """
    import mmcodec

    secret: Optional[str] = os.environ.get(TOKEN_VARIABLE)  # noqa: UP045
    if token and not secret:
        raise typer.BadParameter(f"set {TOKEN_VARIABLE} to the token")
    settings = mmcodec.OriginSettings(
        token=secret if token else None,
        connections=connections,
        requests_a_second=requests,
        link=mmcodec.Link(link, delay, loss),
    )
    mmcodec.serve(sources, host, port, settings, say)
