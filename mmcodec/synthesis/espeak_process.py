"""eSpeak NG as a program: a request on standard input, speech on standard output.

It is its own process for two reasons. eSpeak NG (https://github.com/espeak-ng/espeak-ng) is under
the GPL 3, and it keeps state from one utterance to the next: only a fresh one with a fixed seed
always says the same. It is run as a file and imports nothing of this package.

The request is a JSON object: ``text``, ``voice`` ("en-us+f2"), ``rate`` (words a minute) and
``limit`` (samples). The answer is a line of JSON (``sample_rate``, ``version``, and ``events``,
each [type, character, sample, phoneme]), and the samples, 16 bits each, in the machine's order.
"""

import ctypes
import json
import sys
from importlib import import_module
from typing import Any

WORD, PHONEME = 1, 7
"""Types of event (speak_lib.h): where a word begins, and where a phoneme does."""
_SYNCHRONOUS, _PHONEME_EVENTS, _DO_NOT_EXIT = 2, 1, 0x8000
_UTF8 = 1
"""The only flag of a text: neither SSML nor phonemes in brackets are interpreted."""
_RATE, _CHARACTERS = 1, 1
_SEED = 1


class _Value(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("value", _Value),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def main() -> None:
    """Answer one request; exits with a line on standard error where that cannot be done."""
    asked = json.loads(sys.stdin.buffer.read())
    loader = import_module("espeakng_loader")
    library = ctypes.CDLL(loader.get_library_path())
    folder = loader.get_data_path().encode()
    options = _PHONEME_EVENTS | _DO_NOT_EXIT
    sample_rate = library.espeak_Initialize(_SYNCHRONOUS, 0, folder, options)
    if sample_rate <= 0:
        sys.exit("it has no data")
    # Else the seed is the time of day, and a voice says another thing every second.
    library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
    if library.espeak_SetVoiceByName(asked["voice"].encode()):
        sys.exit(f"it has no voice {asked['voice']}")
    library.espeak_SetParameter(_RATE, asked["rate"], 0)
    library.espeak_Info.restype = ctypes.c_char_p
    version = library.espeak_Info(None).decode().split()[0]
    waves, events = _spoken(library, asked["text"].encode(), asked["limit"])
    answer = {"sample_rate": sample_rate, "version": version, "events": events}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + waves)


def _spoken(library: Any, text: bytes, limit: int) -> tuple[bytes, list[list[Any]]]:
    waves, events = bytearray(), []

    def take(samples: Any, count: int, given: Any) -> int:
        if samples and count > 0:
            waves.extend(ctypes.string_at(samples, 2 * count))
        at = 0
        while given[at].type:
            event = given[at]
            if event.type in (WORD, PHONEME):
                name = event.value.string.decode(errors="replace") if event.type == PHONEME else ""
                events.append([event.type, event.text_position - 1, event.sample, name])
            at += 1
        return int(len(waves) > 2 * limit)

    callback = _CALLBACK(take)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_Synth(text, len(text) + 1, 0, _CHARACTERS, 0, _UTF8, None, None):
        sys.exit("it cannot say that")
    return bytes(waves[: 2 * limit]), events


if __name__ == "__main__":
    main()
