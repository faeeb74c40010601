"""Flite, where it is installed: English voices made of recorded people.

A. W. Black, K. A. Lenzo, "Flite: a small fast run-time synthesis engine", 2001.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from difflib import SequenceMatcher
from functools import cache
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mmcodec.errors import FailedWorkError
from mmcodec.synthesis.voices import (
    MAX_SECONDS,
    TIME_LIMIT_S,
    USUAL_RATE,
    EngineId,
    Spans,
    Spoken,
    plain_words,
    spans_of,
)

_VOICES = ("rms", "slt")
_VERSION = "flite-2.2"
_PAUSE = "pau"
_PHONE = re.compile(r"([a-z]+):([0-9.]+)", re.ASCII)
_SIGNS = str.maketrans("’‘“”–—…", "''\"\"--.")


class Flite:
    """The program ``flite``; it tells when each phone ends."""

    keeps = (1.0,)

    @property
    def identity(self) -> EngineId:
        """That of the installed version."""
        return EngineId.FLITE_2_2 if _VERSION in _version() else EngineId.UNKNOWN

    def speaks(self, language: str | None) -> bool:
        """See :class:`~mmcodec.synthesis.voices.VoiceEngine`."""
        english = language is None or language.lower().split("-")[0] == "en"
        return english and bool(_version())

    def say(self, text: str, language: str | None, voice: int, rate: int) -> Spoken:
        """See :class:`~mmcodec.synthesis.voices.VoiceEngine`."""
        words = [_ascii(word) for word in plain_words(text)]
        name = _VOICES[voice % len(_VOICES)]
        stretch = f"duration_stretch={USUAL_RATE / rate:.3f}"
        with TemporaryDirectory() as folder:
            file = Path(folder) / "speech.wav"
            options = ["-voice", name, "-psdur", "--setf", stretch]
            printed = _run([*options, "-t", " ".join(words), "-o", str(file)])
            samples, sample_rate = _read(file)
        return Spoken(samples, sample_rate, _spans(words, _PHONE.findall(printed)))


def _ascii(word: str) -> str:
    """The word in the letters that the program knows: accents go, other scripts are not read."""
    plain = unicodedata.normalize("NFKD", word.translate(_SIGNS))
    return plain.encode("ascii", "ignore").decode()


@cache
def _version() -> str:
    """What the program says of itself; empty where there is none."""
    try:
        return _run(["--version"])
    except FailedWorkError:
        return ""


def _run(options: list[str]) -> str:
    program = shutil.which("flite")
    if program is None:
        raise FailedWorkError("flite is not installed")
    try:
        done = subprocess.run(  # noqa: S603 - arguments in a list, no shell
            [program, *options], capture_output=True, timeout=TIME_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FailedWorkError(f"flite cannot speak: {type(error).__name__}") from error
    if done.returncode < 0:
        raise FailedWorkError(f"flite crashed with signal {-done.returncode}")
    return done.stdout.decode(errors="replace")


def _read(file: Path) -> tuple[np.ndarray, int]:
    import wave

    try:
        with wave.open(str(file)) as sound:
            rate = sound.getframerate()
            data = sound.readframes(min(sound.getnframes(), MAX_SECONDS * rate))
    except (OSError, EOFError, wave.Error) as error:
        raise FailedWorkError("flite made no sound of the text") from error
    return np.frombuffer(data, np.int16).astype(np.float32) / 32768, rate


def _spans(words: list[str], phones: list[tuple[str, str]]) -> Spans:
    """Where each word lies. The program tells phones and not words, so each word is asked alone."""
    ends = [float(end) for _, end in phones]
    starts = [0.0, *ends[:-1]]
    said = [
        (name, start, end)
        for (name, _), start, end in zip(phones, starts, ends, strict=True)
        if name != _PAUSE
    ]
    alone = [_phones_of(word) for word in words]
    bounds = _matched([name for name, _, _ in said], alone)
    owners = np.searchsorted(bounds[1:-1], np.arange(len(said)), side="right")
    return spans_of(
        len(words), [(int(w), start, end) for w, (_, start, end) in zip(owners, said, strict=True)]
    )


@cache
def _phones_of(word: str) -> tuple[str, ...]:
    letters = re.sub(r"[^A-Za-z0-9'.-]", "", word)
    if not letters:
        return ()
    printed = _run(["-voice", "kal16", "-ps", "-t", letters + " ", "-o", "none"])
    return tuple(name for name in printed.split() if name != _PAUSE)


def _matched(said: list[str], alone: list[tuple[str, ...]]) -> list[float]:
    """Where in ``said`` each word begins, and the end, by the longest runs of equal phones."""
    expected = [name for word in alone for name in word]
    blocks = SequenceMatcher(None, expected, said, autojunk=False).get_matching_blocks()
    here = [0.0, *(at + 0.5 for b in blocks for at in range(b.a, b.a + b.size)), len(expected)]
    there = [0.0, *(at + 0.5 for b in blocks for at in range(b.b, b.b + b.size)), len(said)]
    starts = list(accumulate((len(word) for word in alone), initial=0))
    return [float(place) for place in np.round(np.interp(starts, here, there))]
