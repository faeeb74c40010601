"""Options about models, which ``encode`` and ``decode`` share."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import typer

_PANEL = "Models"
_NAMES = "NAME, NAME:MODEL or NAME:MODEL@REVISION; a MODEL is a hub id or a folder"


def backend_option(flag: str, what: str) -> Any:
    """An option that takes a backend; ``mmcodec models`` lists the names."""
    return typer.Option(flag, help=f"{what}: {_NAMES}.", rich_help_panel=_PANEL)


def sent_option(help_text: str, most: float | None = None, least: float | None = None) -> Any:
    """An option whose value goes into the stream, for decoders that run a model."""
    low = None if most is None else least or 0
    return typer.Option(help=help_text, min=low, max=most, rich_help_panel="Sent to decoders")


def named(choice: str | None) -> tuple[str | None, str | None, str | None]:
    """NAME:MODEL@REVISION in its parts."""
    name, _, model = (choice or "").partition(":")
    path, _, revision = model.partition("@")
    return name or None, path or None, revision or None


def hundredths(value: float | None) -> int | None:
    """A number as it stands in a stream."""
    return None if value is None else round(100 * value)


Device = Annotated[
    Optional[str],  # noqa: UP045 - typer reads the annotation at run time
    typer.Option(
        "--device", help="Where models run: cpu, cuda, mps (default: a GPU if there is one).",
        rich_help_panel=_PANEL,
    ),
]  # fmt: skip
Dtype = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--dtype", help="Their arithmetic: float32, bfloat16, float16.", rich_help_panel=_PANEL
    ),
]
Offload = Annotated[
    bool,
    typer.Option(
        "--offload",
        help="Keep in the GPU's memory only what is at work: slower, smaller.",
        rich_help_panel=_PANEL,
    ),
]
Batch = Annotated[
    int,
    typer.Option(
        "--batch",
        help="Shots that one call of a video or image model may make together.",
        min=1,
        max=64,
        rich_help_panel=_PANEL,
    ),
]
Compiled = Annotated[
    bool,
    typer.Option(
        "--compile", help="Compile diffusion models: a slow start, then faster.",
        rich_help_panel=_PANEL,
    ),
]  # fmt: skip
