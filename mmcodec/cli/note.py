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
from mmcodec.errors import BackendError, UsageError

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
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Argument(
            help="A sound to encode, or - for standard input; with --play a note to decode: its "
            "text, or a file with it, with a stream, or with a picture of its QR code."
        ),
    ] = None,
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
    play: Annotated[
        bool, typer.Option("--play", help="Decode a note: aloud, or with -o to a sound file.")
    ] = False,
    record: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            min=0.5, max=60, metavar="SECONDS", help="Record it; Ctrl-C ends the recording early."
        ),
    ] = None,
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

      mmcodec note --record 10 --armor sms
    """
    import mmcodec

    if (source is None) == (record is None):
        raise UsageError("name a sound or a note, or --record one")

    if play:
        if source is None or text or language or armor or code:
            raise UsageError("--play takes a note as it is: leave out what makes one")
        _play(source, output, force, as_json)
        return
    if record:
        say(f"recording up to {record:.0f} s")
    given = mmcodec.record_note(record) if record else source or ""
    with progress_bar("encoding") as progress:
        made = mmcodec.make_note(given, text, language, progress=progress)
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


def _play(source: str, output: str | None, force: bool, as_json: bool) -> None:
    """Play a note, or write it to a file."""
    import mmcodec

    if output is None:
        try:
            report, target = mmcodec.play_note_aloud(source), None
        except BackendError as error:
            raise BackendError(f"{error}; -o note.wav writes a file instead") from error
    else:
        report = mmcodec.play_note(source, output, force=force)
        target = report.target
    for remark in report.remarks:
        say(remark)
    if as_json:
        print_json({"output": target, "duration_s": report.duration_s})
    else:
        say(f"{target or 'played'}: {report.duration_s:.1f} s")
    report_damage("the note", report.stream)


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
