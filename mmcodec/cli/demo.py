"""``mmcodec demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from mmcodec.cli.link_options import Browser, Delay, LinkRate, Loss, Port
from mmcodec.cli.options import progress_bar, say

_USUAL_LINK = 9600


def demo(
    clip: Annotated[str, typer.Argument(help="A clip.")] = "samples/clip.mp4",
    link: LinkRate = None,
    delay: Delay = 0.0,
    loss: Loss = 0.0,
    port: Port = 0,
    browser: Browser = True,
) -> None:
    """Send a clip over a narrow link on this machine, and watch what arrives beside the original.

    The link has 9.6 kbit/s if nothing else is said.

    Examples:

      mmcodec demo

      mmcodec demo clip.mp4 --link 2400bps
    """
    import mmcodec

    shaped = mmcodec.Link(link or _USUAL_LINK, delay, loss)
    say(f"encoding {clip} at several rates")
    with progress_bar("encoding") as progress:
        mmcodec.demo(clip, shaped, port=port, browser=browser, progress=progress, say=say)
