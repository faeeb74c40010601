"""PocketSphinx as a program: speech on standard input, its words on standard output.

It is its own process because it lets no other thread of Python work while it listens. It is run as
a file and imports nothing of this package.

The input is samples of 16 bits at 16 kHz, mono, in the machine's order. The answer is a line of
JSON: a list of [word, start in s, end in s, whether it is sure].
"""

import json
import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_RATE = 16_000
_FRAMES_PER_S = 100
_SPEEDS = (1.07, 0.93, 0.97, 1.03)
_USUAL_WEIGHT, _LOWER_WEIGHT = 6.5, 3.5
"""Of the language model; the usual one is PocketSphinx's."""
_NOISE = 0.05
_ECHO, _ECHO_SAMPLES = 0.3, 800
_PEAK = 0.7
_PAUSE_S, _PHRASE_S = 0.18, 1.5
"""Words are used by phrases, which lie between pauses, and not where they are shorter."""

_Samples = NDArray[np.float64]
_Words = list[tuple[str, float, float]]


def main() -> None:
    """Answer one request."""
    samples = np.frombuffer(sys.stdin.buffer.read(), np.int16).astype(np.float64)
    print(json.dumps(heard(samples * (_PEAK / max(np.abs(samples).max(initial=0.0), 1.0)))))


def heard(samples: _Samples) -> list[tuple[str, float, float, bool]]:
    """Words in ``samples`` (n,), and whether each is heard too where they are changed a little.

    Noise and an echo are added, they are sped up and slowed down, the language model weighs less.
    PocketSphinx's own posteriors tell right from wrong words much worse. No word is sure where no
    phrase is, as in another language, or where nobody speaks.
    """
    found = decoded(samples)
    sure = [True] * len(found)
    for other in _others(samples):
        sure = [before and _is_among(word, other) for before, word in zip(sure, found, strict=True)]
        if not _has_phrase(found, sure):
            sure = [False] * len(found)
            break
    return [(*word, is_sure) for word, is_sure in zip(found, sure, strict=True)]


def _has_phrase(words: _Words, sure: list[bool]) -> bool:
    """Whether there is a phrase all of whose words are sure."""
    start_s, end_s = 0.0, -_PAUSE_S
    whole = False
    for (_, first, last), is_sure in zip(words, sure, strict=True):
        if first - end_s >= _PAUSE_S:
            if whole and end_s - start_s >= _PHRASE_S:
                return True
            start_s, whole = first, True
        whole, end_s = whole and is_sure, last
    return whole and end_s - start_s >= _PHRASE_S


def _others(samples: _Samples) -> Iterator[_Words]:
    """What is heard when something is changed."""
    noise = np.random.default_rng(0).standard_normal(len(samples))
    yield decoded(samples + _NOISE * samples.std() * noise)
    late = np.concatenate([np.zeros(_ECHO_SAMPLES), samples])[: len(samples)]
    yield decoded(samples + _ECHO * late)
    for speed in _SPEEDS:
        places = np.arange(0, len(samples) - 1, speed)
        faster = np.interp(places, np.arange(len(samples)), samples)
        words = decoded(faster)
        yield [(text, start * speed, end * speed) for text, start, end in words]
    yield decoded(samples, _LOWER_WEIGHT)


def _is_among(word: tuple[str, float, float], words: _Words) -> bool:
    """Whether the same word is said at about the same time."""
    text, start, end = word
    return any(
        text == other and min(end, last) - max(start, first) > min(end - start, last - first) / 2
        for other, first, last in words
    )


def decoded(samples: _Samples, language_weight: float = _USUAL_WEIGHT) -> _Words:
    """Words with their start and end in s. What a decoder has heard before changes what it hears,
    so it is a new one each time.
    """
    from pocketsphinx import Decoder

    decoder = Decoder(loglevel="FATAL", lw=language_weight)
    decoder.start_utt()
    decoder.process_raw(np.asarray(samples * 32767, np.int16).tobytes(), full_utt=True)
    decoder.end_utt()
    return [
        # Alternatives of pronunciation are numbered: "the(2)".
        (
            part.word.split("(")[0],
            part.start_frame / _FRAMES_PER_S,
            (part.end_frame + 1) / _FRAMES_PER_S,
        )
        for part in decoder.seg() or ()
        if part.word[0] not in "<["
    ]


if __name__ == "__main__":
    main()
