"""``mmcodec note``."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mmcodec.cli.options import (
    Force,
    Json,
    Language,
    Text,
    print_json,
    progress_bar,
    report_damage,
    say,
)
from mmcodec.errors import UsageError

if TYPE_CHECKING:
    from mmcodec import Note


class Armor(StrEnum):
    """Alphabets of text armor, as in ``mmcodec.Alphabet``."""

    URL = "url"
    SMS = "sms"
    CHAT = "chat"
    DIGITS = "digits"


def note(
    source: Annotated[
        str,
        typer.Argument(
            help="A sound to encode, or - for standard input; with --play a note to decode: its "
            "text, or a file with it, with a stream, or with a picture of its QR code."
        ),
    ],
    text: Text = None,
    language: Language = None,
    output: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option(
            "--output", "-o", help="A .mmc file, or a .png for its QR code; with --play a .wav."
        ),
    ] = None,
    armor: Annotated[
        Optional[Armor],  # noqa: UP045
        typer.Option(
            help="Print it as text: for links (url), text messages (sms), chats (chat) or "
            "phone keys (digits)."
        ),
    ] = None,
    code: Annotated[bool, typer.Option("--qr", help="Print its QR code.")] = False,
    play: Annotated[bool, typer.Option("--play", help="Decode a note to a sound file.")] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Make a voice note so small that it fits into a text message, or decode one.

    Examples:

      mmcodec note note.wav --text "I am on the four o'clock train." --armor sms

      mmcodec note note.wav -o note.mmc

      mmcodec note note.wav --text "See you at nine." --qr

      mmcodec note --play 'mm1:...' -o note.wav

      mmcodec note --play photo-of-the-code.png
    """
    import mmcodec

    if play:
        if text or language or armor or code:
            raise UsageError("--play takes a note as it is: leave out what makes one")
        report = mmcodec.play_note(source, output or "note.wav", force=force)
        for remark in report.remarks:
            say(remark)
        if as_json:
            print_json({"output": report.target, "duration_s": report.duration_s})
        else:
            say(f"{report.target}: {report.duration_s:.1f} s")
        report_damage("the note", report.stream)
        return
    with progress_bar("encoding") as progress:
        made = mmcodec.make_note(source, text, language, progress=progress)
    for remark in made.report.remarks:
        say(remark)
    shown = made.armored(mmcodec.Alphabet(armor)) if armor else None
    if output is not None:
        made.save(output, force)
    if as_json:
        print_json({"bytes": len(made.data), "sms": made.messages, "text": shown})
        return
    if shown is None and output is None and not code:
        shown = made.armored(mmcodec.Alphabet.URL)
    if code:
        print(made.qr_terminal(colour="NO_COLOR" not in os.environ), end="")
    if shown is not None:
        print(shown)
    say(_size(made, shown, output))


def _size(made: Note, shown: str | None, output: str | None) -> str:
    """What a note takes, in words."""
    parts = [f"{len(made.data)} bytes, {_messages(made.messages)} of data"]
    if shown is not None:
        parts.append(f"{len(shown)} characters of text")
    if output is not None and output != "-":
        parts.append(f"written to {output}")
    return ", ".join(parts)


def _messages(count: int) -> str:
    return "1 SMS" if count == 1 else f"{count} SMS"
