"""``mmcodec models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mmcodec.cli.options import Json, print_json, say, show

if TYPE_CHECKING:
    from rich.table import Table

    from mmcodec import BackendState

models = typer.Typer(
    name="models",
    help="Show the backends and their models, and get models.",
    epilog="Example: mmcodec models && mmcodec models pull openai/whisper-base",
    invoke_without_command=True,
)


@models.callback()
def list_models(context: typer.Context, as_json: Json = False) -> None:
    """Show the backends, the model of each for a laptop and for a GPU of 24 GB, and what is here.

    Examples:

      mmcodec models

      mmcodec models --json | jq '.[] | select(.group == "captioners")'
    """
    if context.invoked_subcommand:
        return
    from dataclasses import asdict

    import mmcodec

    states = mmcodec.list_backends()
    if as_json:
        print_json([asdict(state) for state in states])
    else:
        show(_table(states))


@models.command()
def pull(
    model: Annotated[str, typer.Argument(help="ID or ID@REVISION on the model hub.")],
    pickles: Annotated[
        bool, typer.Option("--pickles", help="With its pickles, which have to be converted.")
    ] = False,
) -> None:
    """Download a model into the hub's cache, where all backends find it.

    HF_HOME moves the cache; HF_HUB_OFFLINE=1 forbids every download.

    Examples:

      mmcodec models pull openai/whisper-base

      mmcodec models pull Wan-AI/Wan2.1-T2V-1.3B-Diffusers
    """
    import mmcodec

    say(f"{model} is in {mmcodec.pull_model(model, pickles=pickles)}")


@models.command("convert-audiogen")
def convert_audiogen(
    source: Annotated[str, typer.Argument(help="A folder with state_dict.bin.")],
    target: Annotated[str, typer.Argument(help="The folder to write.")],
    text_encoder: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option(
            help="Its T5, a folder or a hub id that is here (default: the one that it names)."
        ),
    ] = None,
) -> None:
    """Convert AudioGen from audiocraft's own layout to one that backends load.

    The weights are CC-BY-NC-4.0. Only numbers are read from the pickles, no code.

    Examples:

      mmcodec models pull facebook/audiogen-medium --pickles

      mmcodec models convert-audiogen FOLDER audiogen

      mmcodec decode clip.mmc --audio audiogen:./audiogen
    """
    import mmcodec

    mmcodec.convert_audiogen(source, target, text_encoder)
    say(f"{target}: converted; --audio audiogen:{target} uses it")


def _table(states: tuple[BackendState, ...]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for column in ("backend", "for", "model", "licence", "weights"):
        short = column in ("backend", "for")
        table.add_column(
            column, no_wrap=short, overflow="fold", max_width=13 if column == "licence" else None
        )
    group = ""
    for state in states:
        if state.group != group:
            table.add_section()
            table.add_row(state.group.replace("_", " "), style="bold")
            group = state.group
        _add_models(table, state)
    return table


def _add_models(table: Table, state: BackendState) -> None:
    name, needs = f"  {state.name}", f"needs mmcodec[{state.extra}]"
    cpu, gpu = state.cpu, state.gpu
    if cpu is None or gpu is None:
        table.add_row(name, "any", "", "", "" if state.installed else needs)
        return
    places = [(cpu, "any")] if cpu == gpu else [(cpu, "laptop"), (gpu, "GPU")]
    for place, machine in places:
        card = place.card
        here = ("here" if place.cached else "not here") if state.installed else needs
        licence = card.licence if card.commercial else f"{card.licence}, never auto"
        table.add_row(name, machine, f"{card.model} ({card.parameters:g} B)", licence, here)
        name = ""
