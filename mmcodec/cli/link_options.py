"""Options of a narrow link, for the subcommands that simulate one."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from mmcodec.cli.options import bits_a_second

LinkRate = Annotated[
    Optional[int],  # noqa: UP045 - typer reads the annotation at run time
    typer.Option(
        "--link",
        parser=bits_a_second,
        metavar="BIT/S",
        help="Send through a link so narrow, such as 2400bps or 9.6k.",
    ),
]
Delay = Annotated[
    float, typer.Option("--delay", min=0.0, max=60.0, help="Seconds that the link takes one way.")
]
Loss = Annotated[
    float,
    typer.Option("--loss", min=0.0, max=0.9, help="Part of the bytes that have to pass twice."),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0 is a free one.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")]
