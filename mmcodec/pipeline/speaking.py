"""What is said in a segment, put into its cue: words into the prompt, their times into a layer."""

from __future__ import annotations

from mmcodec.captioning.contract import Transcript
from mmcodec.descriptors import words
from mmcodec.timeline import AUDIO_TIME_BASE, Prompt


def with_speech(prompt: Prompt, said: Transcript) -> Prompt:
    """The prompt with the words between “ and ”: see :attr:`Prompt.spoken`."""
    text = said.text.replace("“", "'").replace("”", "'")
    return Prompt(f"{prompt.text.rstrip('. ')}: “{text}”")


def coded_times(said: Transcript, duration: int) -> bytes:
    """The layer of the words' times, in ticks within a cue of ``duration`` ticks."""
    ticks, at = [], 0
    for word in said.words:
        start = min(max(round(word.start_s / AUDIO_TIME_BASE), at), duration)
        at = min(max(round(word.end_s / AUDIO_TIME_BASE), start), duration)
        ticks.append((start, at))
    return words.encode(ticks, said.text, duration)
