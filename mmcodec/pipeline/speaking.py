"""What is said in a segment, put into its cue: words into the prompt, their times into a layer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from mmcodec.analysis.segments import SoundSegment
from mmcodec.captioning.contract import Transcript
from mmcodec.descriptors import voice, words
from mmcodec.errors import MediaError
from mmcodec.timeline import AUDIO_TIME_BASE, Prompt, Segment, SegmentKind


def with_speech(prompt: Prompt, said: Transcript) -> Prompt:
    """The prompt with the words between “ and ”: see :attr:`Prompt.spoken`."""
    return Prompt(f"{prompt.text.rstrip('. ')}: {_quoted(said.text)}")


def speech_alone(text: str) -> Prompt:
    """A prompt of nothing but what is said."""
    return Prompt(_quoted(" ".join(text.split())))


def _quoted(text: str) -> str:
    return "“" + text.replace("“", "'").replace("”", "'") + "”"


def coded_times(said: Transcript, duration: int) -> bytes:
    """The layer of the words' times, in ticks within a cue of ``duration`` ticks."""
    ticks, at = [], 0
    for word in said.words:
        start = min(max(round(word.start_s / AUDIO_TIME_BASE), at), duration)
        at = min(max(round(word.end_s / AUDIO_TIME_BASE), start), duration)
        ticks.append((start, at))
    return words.encode(ticks, said.text, duration)


def spoken_part(heard: Sequence[SoundSegment], time_base: Fraction) -> range:
    """Which of a sound's segments a text is said in: from the first of speech to the last.

    A sound with no speech in it is taken to be speech where it is not silent: who gives a text
    knows better.

    Raises:
        MediaError: there is nothing to hear, or it lasts longer than one text may.
    """
    kinds = [part.segment.kind for part in heard]
    at = [n for n, kind in enumerate(kinds) if kind is SegmentKind.SPEECH]
    at = at or [n for n, kind in enumerate(kinds) if kind is not SegmentKind.SILENCE]
    if not at:
        raise MediaError("a text is given, and the sound is silent")
    seconds = float((heard[at[-1]].segment.end - heard[at[0]].segment.start) * time_base)
    if seconds > voice.MAX_SECONDS:
        line = f"a text is given, and the speech lasts {seconds:.0f} s"
        raise MediaError(f"{line}; at most {voice.MAX_SECONDS:.0f} s can be read aloud as one")
    return range(at[0], at[-1] + 1)


def joined(heard: Sequence[SoundSegment]) -> SoundSegment:
    """Segments that follow each other as one of speech."""
    first, last = heard[0].segment, heard[-1].segment
    return SoundSegment(
        Segment(first.start, last.end, SegmentKind.SPEECH),
        np.concatenate([part.samples for part in heard]),
        heard[0].sample_rate,
    )
