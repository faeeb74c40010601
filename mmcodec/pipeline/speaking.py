"""Speech to cues: as words and a voice where it is known what is said, else by the vocoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, pairwise

import numpy as np

from mmcodec.analysis.bed import parted
from mmcodec.analysis.segments import SoundSegment
from mmcodec.captioning.contract import Transcript, Word
from mmcodec.captioning.transcribers import spread
from mmcodec.descriptors import opus, vocoder, voice
from mmcodec.errors import FailedWorkError, MediaError
from mmcodec.media.subtitles import Subtitle, read_subtitles
from mmcodec.pipeline.backends import Remarks, transcriber
from mmcodec.pipeline.settings import EncodeSettings, Speech
from mmcodec.pipeline.sounding import choose_sound
from mmcodec.synthesis.voice_matching import describe
from mmcodec.timeline import AUDIO_TIME_BASE, Cue, Layer, Prompt, Segment, SegmentKind

_PAUSE_S = 0.18
"""Phrases are what lies between pauses of this length."""
_EARLY_S = 1.0
_SHORT_SILENCE_S = 1.0
_SHOWN = 12
"""Words that are listed in a remark."""
_SHORTEST_TEXT_S = 1.5
"""Less than this costs more as words and a voice than by the vocoder."""


class SpeechEncoder:
    """Segments of speech to cues; which words were sure is counted for :meth:`remark`."""

    def __init__(self, settings: EncodeSettings, remarks: Remarks) -> None:
        self._settings = settings
        self._remarks = remarks
        self._subtitles = read_subtitles(settings.subtitles) if settings.subtitles else ()
        given = settings.text is not None or self._subtitles
        wanted = not given and settings.speech is not Speech.VOCODER
        self._transcriber = transcriber(settings, remarks) if wanted else None
        if settings.speech is Speech.TEXT and not given and self._transcriber is None:
            line = 'no recogniser is here (pip install "mmcodec[speech]")'
            remarks.append(f"speech: {line}, so it is sent as it sounds")
        self._subtitled_s = 0.0
        self._words = self._sent = 0
        self._unsure: list[str] = []

    def told(self, heard: SoundSegment, text: str) -> Cue:
        """The cue of speech whose text is given: the text, and who says it how.

        Raises:
            FailedWorkError: no voice here can say it.
        """
        prompt = Prompt(_unquoted(" ".join(text.split())))
        layers, seems_said = self._voice(heard, prompt.text, None, self._settings.language)
        if not seems_said:
            self._remarks.append("speech: the text does not seem to be what is said; it is sent")
        return Cue(heard.segment, prompt, layers)

    def encode(self, heard: SoundSegment, prompt: Prompt) -> tuple[Cue, ...]:
        """The cues of speech that ``prompt`` describes: one, or one for each span of phrases whose
        words are sure and one for each that is not.
        """
        said = self._transcribed(heard)
        self._words += len(said.words)
        self._unsure += (word.text for word in said.words if not word.sure)
        duration = heard.segment.duration
        if self._settings.speech is Speech.TEXT and said.words:
            spans = [(0, duration, said.words)]
        else:
            spans = spans_of(said.words, duration)
        return tuple(
            self._span(_cut(heard, start, end), _moved(words, start), said.language, prompt)
            for start, end, words in spans
        )

    def remark(self) -> None:
        """Say how many of the words were sent, and which of those are not sure."""
        if self._words > self._sent:
            line = f"{self._sent} of {self._words} words are sure enough to be sent as text"
            self._remarks.append(f"speech: {line}; the rest is sent as it sounds")
        elif self._unsure:
            some = ", ".join(self._unsure[:_SHOWN])
            more = ", ..." if len(self._unsure) > _SHOWN else ""
            line = f"{len(self._unsure)} of {self._words} words are sent and not sure"
            self._remarks.append(f"speech: {line}: {some}{more}")

    def _span(
        self, heard: SoundSegment, words: Sequence[Word], language: str | None, prompt: Prompt
    ) -> Cue:
        if words:
            told = Prompt(f"{prompt.text.rstrip('. ')}: {_quoted(' '.join(w.text for w in words))}")
            # Subtitles are not timed by the word.
            times = None if self._subtitles else [(word.start_s, word.end_s) for word in words]
            try:
                layers, seems_said = self._voice(heard, told.spoken, times, language)
                if seems_said or self._settings.speech is Speech.TEXT:
                    self._sent += len(words)
                    return Cue(heard.segment, told, layers)
            except FailedWorkError as error:
                self._failed(error, heard, "sent as it sounds is")
                self._sent += len(words)
                prompt = told
        rate = self._settings.vocoder_bit_rate
        if 0 < rate < opus.LEAST_BIT_RATE:
            data = vocoder.encode(heard.mono(), heard.sample_rate, rate)
            return Cue(heard.segment, prompt, {Layer.VOCODER: data})
        return Cue(heard.segment, prompt, choose_sound(heard, self._settings.descriptor_bit_rate))

    def _voice(
        self,
        heard: SoundSegment,
        text: str,
        times: Sequence[tuple[float, float]] | None,
        language: str | None,
    ) -> tuple[dict[Layer, bytes], bool]:
        """Who says the text how, and what sounds beneath; and whether it seems to be said."""
        mono, rate = heard.mono(), heard.sample_rate
        parts = parted(mono, rate)
        voice, bed = parts or (mono, mono)
        described = describe(voice, rate, text, times, language, self._settings.voice_tier)
        layers = {Layer.VOICE: described.data}
        if parts:
            # Beside the vocoder it would cost more than it is worth: that sends the mix.
            below = replace(heard, samples=bed[:, None], beyond=0.0)
            layers |= choose_sound(below, self._settings.bed_bit_rate)
        return layers, described.seems_said

    def _transcribed(self, heard: SoundSegment) -> Transcript:
        if self._subtitles:
            words = subtitled(self._subtitles, heard.segment, self._subtitled_s)
            self._subtitled_s = float(heard.segment.end * AUDIO_TIME_BASE)
            return Transcript(words, self._settings.language)
        if self._transcriber is None:
            return Transcript(())
        try:
            return self._transcriber.transcribe(heard.mono(), heard.sample_rate)
        except FailedWorkError as error:
            self._failed(error, heard, "no words are sent of")
            return Transcript(())

    def _failed(self, error: FailedWorkError, heard: SoundSegment, instead: str) -> None:
        start_s = float(heard.segment.start * AUDIO_TIME_BASE)
        self._remarks.append(f"{error}; {instead} the segment at {start_s:.1f} s")


def subtitled(lines: Sequence[Subtitle], segment: Segment, after_s: float) -> tuple[Word, ...]:
    """The words of lines that are shown in a segment, spread over them by their letters.

    Those shown up to a second before it, but after ``after_s``, are its words too: subtitles are
    not exact.
    """
    start_s, end_s = (float(tick * AUDIO_TIME_BASE) for tick in (segment.start, segment.end))
    near = [one for one in lines if one.start_s < end_s and one.end_s > start_s - _EARLY_S]
    words = [word for one in near for word in spread(one.text.split(), one.start_s, one.end_s)]
    return tuple(
        replace(
            word,
            start_s=max(word.start_s - start_s, 0.0),
            end_s=max(min(word.end_s, end_s) - start_s, 0.0),
        )
        for word in words
        if max(start_s - _EARLY_S, after_s) <= (word.start_s + word.end_s) / 2 < end_s
    )


def spans_of(words: Sequence[Word], duration: int) -> list[tuple[int, int, tuple[Word, ...]]]:
    """Start and end in ticks of what is sent in one way, and the words that are sent, if any.

    Words that no pause parts stand or fall together; spans meet in the middle of a pause, and
    fill ``duration`` ticks.
    """
    phrases: list[list[Word]] = []
    for word in words:
        if not phrases or word.start_s - phrases[-1][-1].end_s >= _PAUSE_S:
            phrases.append([])
        phrases[-1].append(word)
    runs = [
        (sure, [word for phrase in run for word in phrase])
        for sure, run in groupby(phrases, lambda phrase: all(word.sure for word in phrase))
    ]
    merged: list[tuple[bool, list[Word]]] = []
    for sure, run in runs:
        sure = sure and run[-1].end_s - run[0].start_s >= _SHORTEST_TEXT_S
        if merged and not sure and not merged[-1][0]:
            merged[-1][1].extend(run)
        else:
            merged.append((sure, run))
    if not merged:
        return [(0, duration, ())]
    inner = [
        round((before[-1].end_s + after[0].start_s) / 2 / AUDIO_TIME_BASE)
        for (_, before), (_, after) in pairwise(merged)
    ]
    bounds = [0, *inner, duration]
    return [
        (start, end, tuple(run) if sure else ())
        for (start, end), (sure, run) in zip(pairwise(bounds), merged, strict=True)
    ]


def spoken_part(heard: Sequence[SoundSegment], time_base: Fraction) -> range:
    """Which of a sound's segments a text is said in: from the first of speech to the last, with
    short silence before and after.

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
    first, last = at[0], at[-1]
    for beside in (first - 1, last + 1):
        silence = heard[beside].segment if 0 <= beside < len(heard) else None
        lasts = float(silence.duration * time_base) if silence else 0.0
        if 0 < lasts <= _SHORT_SILENCE_S and seconds + lasts <= voice.MAX_SECONDS:
            # As a cue of its own it would cost more.
            first, last, seconds = min(first, beside), max(last, beside), seconds + lasts
    return range(first, last + 1)


def joined(heard: Sequence[SoundSegment]) -> SoundSegment:
    """Segments that follow each other as one of speech."""
    first, last = heard[0].segment, heard[-1].segment
    return SoundSegment(
        Segment(first.start, last.end, SegmentKind.SPEECH),
        np.concatenate([part.samples for part in heard]),
        heard[0].sample_rate,
    )


def _cut(heard: SoundSegment, start: int, end: int) -> SoundSegment:
    """The ticks ``start`` to ``end`` of a segment."""
    segment = heard.segment
    first, last = (round(tick * AUDIO_TIME_BASE * heard.sample_rate) for tick in (start, end))
    part = Segment(segment.start + start, segment.start + end, segment.kind)
    return SoundSegment(part, heard.samples[first:last], heard.sample_rate)


def _moved(words: Sequence[Word], start: int) -> tuple[Word, ...]:
    """Words with their times counted from tick ``start``."""
    start_s = float(start * AUDIO_TIME_BASE)
    return tuple(
        replace(word, start_s=max(word.start_s - start_s, 0.0), end_s=word.end_s - start_s)
        for word in words
    )


def _quoted(text: str) -> str:
    return f"“{_unquoted(text)}”"


def _unquoted(text: str) -> str:
    return text.replace("“", "'").replace("”", "'")
