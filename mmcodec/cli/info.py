"""``mmcodec info``."""

from __future__ import annotations

from typing import Annotated

import typer

from mmcodec.cli.options import Json, print_json, report_damage, show


def info(
    source: Annotated[str, typer.Argument(help="A .mmc stream, or - for standard input.")],
    as_json: Json = False,
) -> None:
    """Show the tracks, cues, prompts and bytes by layer of a .mmc stream.

    Examples:

      mmcodec info clip.mmc

      mmcodec info clip.mmc --json | jq '.cues[].prompt'
    """
    import mmcodec
    from mmcodec.cli.tables import cue_table, cue_values, stream_table, stream_values

    stream = mmcodec.probe(source)
    if as_json:
        print_json({**stream_values(stream), "cues": cue_values(stream)})
    else:
        show(stream_table(stream, source), cue_table(stream))
    report_damage(source, stream)
