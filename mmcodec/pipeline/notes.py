"""Voice notes: speech as a stream so small that it is sent in a message, and back."""

from __future__ import annotations

import sys
import wave
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mmcodec.carriers import armor, qr
from mmcodec.carriers.armor import Alphabet
from mmcodec.errors import BitstreamError, MediaError, UsageError
from mmcodec.media.demux import DemuxSettings, open_media
from mmcodec.media.feeds import Picture, Sound
from mmcodec.pipeline.encoder import Progress
from mmcodec.pipeline.operations import decode, encode
from mmcodec.pipeline.output import STANDARD_STREAM, whole_output
from mmcodec.pipeline.reports import DecodeReport, EncodeReport
from mmcodec.pipeline.settings import EncodeSettings, Profile

_STREAM_STARTS = (b"\xb5a", b"\xb5c")
_PICTURES_START = (b"\x89PNG", b"\xff\xd8\xff")
_MOST_FILE_BYTES = 32 << 20
_MOST_PIXELS = 1 << 24


@dataclass(frozen=True, slots=True)
class Note:
    """A note: its stream, and how it was made."""

    data: bytes
    report: EncodeReport

    @property
    def messages(self) -> int:
        """SMS that it takes as bytes."""
        return armor.sms_count_of_bytes(len(self.data))

    def armored(self, alphabet: Alphabet) -> str:
        """As text: see :func:`mmcodec.carriers.armor.wrap`."""
        return armor.wrap(self.data, alphabet)

    def qr_terminal(self, colour: bool = True) -> str:
        """As a QR code to print: see :func:`mmcodec.carriers.qr.terminal`."""
        return qr.terminal(self.data, colour)

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the stream, or for a name that ends in .png its QR code, whole or not at all.

        Raises:
            UsageError: the file exists without ``force``, or the note is too long for a code.
            BackendError: what makes QR codes is not installed.
        """
        data = qr.png(self.data) if Path(path).suffix.lower() == ".png" else self.data
        with whole_output(path, force) as place:
            if isinstance(place, Path):
                place.write_bytes(data)
            else:
                place.write(data)


def make_note(
    source: str | Path | BinaryIO,
    text: str | None = None,
    language: str | None = None,
    *,
    progress: Progress | None = None,
) -> Note:
    """The smallest stream of a sound that keeps its words.

    With ``text``, what is said in it (up to a minute), that is the words and a voice; without, a
    description of the sound.

    Raises:
        as :func:`mmcodec.encode`.
    """
    profile = Profile.SKETCH if text is None else Profile.PROMPT
    settings = EncodeSettings(profile, video=False, text=text, language=language)
    sink = BytesIO()
    report = encode(source, sink, settings, progress=progress)
    return Note(sink.getvalue(), report)


def record_note(seconds: float) -> BytesIO:
    """What the microphone hears, as a WAV file to make a note of; Ctrl-C ends it early.

    Raises:
        BackendError: there is no microphone, or what records is not installed.
        MediaError: it heard nothing.
    """
    from mmcodec.media.devices import RECORDED_HZ, record

    samples = record(seconds)
    if not len(samples):
        raise MediaError("the microphone: nothing was recorded")
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RECORDED_HZ)
        out.writeframes(np.asarray(np.clip(samples, -1, 1) * 32767, "<i2").tobytes())
    file.seek(0)
    return file


def play_note_aloud(given: str) -> DecodeReport:
    """Decode a note (see :func:`read_note`) and play it.

    Raises:
        BackendError: there is no loudspeaker, or what plays is not installed.
        as :func:`play_note`.
    """
    from mmcodec.media.devices import play

    with TemporaryDirectory() as folder:
        file = Path(folder, "note.wav")
        report = play_note(given, file)
        samples, sample_rate = _sound(file)
        play(samples, sample_rate)
    return report


def read_note(given: str) -> bytes:
    """The stream of a note: armor, or the name of a file with it, with a stream or with a picture
    of a QR code; ``-`` is standard input.

    Raises:
        UsageError: the file or the picture is too large.
        MediaError: the picture cannot be read.
        BitstreamError: there is no whole note in it.
    """
    path = Path(given)
    if given == STANDARD_STREAM:
        data = sys.stdin.buffer.read(_MOST_FILE_BYTES + 1)
    elif _is_file(path):
        with path.open("rb") as file:
            data = file.read(_MOST_FILE_BYTES + 1)
    else:
        return armor.unwrap(given)
    if len(data) > _MOST_FILE_BYTES:
        raise UsageError(f"{given}: is larger than any note ({_MOST_FILE_BYTES >> 20} MB)")
    if data.startswith(_STREAM_STARTS):
        return data
    if data.startswith(_PICTURES_START):
        return qr.read(_picture(data))
    try:
        return armor.unwrap(data.decode())
    except UnicodeDecodeError as error:
        raise BitstreamError(f"{given}: is no note: neither text, stream nor picture") from error


def play_note(given: str, target: str | Path, *, force: bool = False) -> DecodeReport:
    """Decode a note (see :func:`read_note`) to a sound file.

    Raises:
        as :func:`read_note` and :func:`mmcodec.decode`.
    """
    return decode(BytesIO(read_note(given)), target, force=force)


def _sound(file: Path) -> tuple[NDArray[np.float32], int]:
    """Samples (n, channels) of a sound file, and their rate."""
    with open_media(file, DemuxSettings(video=False)) as media:
        track = media.info.audio
        blocks = [item.samples for item in media.read() if isinstance(item, Sound)]
    if track is None or not blocks:
        raise MediaError("the note has no sound")
    return np.concatenate(blocks), track.sample_rate


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # armor makes long names
        return False


def _picture(data: bytes) -> NDArray[np.uint8]:
    """The picture in a file's bytes, RGB (h, w, 3), reduced to what a code is looked for in."""
    wanted = DemuxSettings(audio=False, still_pixels=_MOST_PIXELS, frame_pixels=_MOST_PIXELS)
    with open_media(BytesIO(data), wanted) as media:
        for item in media.read():
            if isinstance(item, Picture):
                return item.pixels
    raise BitstreamError("there is no picture in the file")
