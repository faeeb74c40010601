"""A source to cues, shot by shot and segment by segment."""

from __future__ import annotations

import ctypes
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from threading import Lock

import cv2
from threadpoolctl import threadpool_limits

from mmcodec.analysis.picture import ShotAnalysis, analyse_shot
from mmcodec.analysis.segments import LONGEST_S, SegmentDetector, SoundSegment
from mmcodec.analysis.shots import MAX_SHOT_S, ShotDetector, ShotFrames
from mmcodec.analysis.sound import analyse_sound
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.captioning.rules import RulesCaptioner, RulesSoundCaptioner
from mmcodec.descriptors import look
from mmcodec.errors import FailedWorkError, MediaError, UsageError
from mmcodec.media.demux import MediaReader
from mmcodec.media.feeds import Picture, Sound
from mmcodec.pipeline.ahead import ahead
from mmcodec.pipeline.backends import Remarks, captioner, sound_captioner
from mmcodec.pipeline.rate import Draft
from mmcodec.pipeline.settings import Effort, EncodeSettings, Speech
from mmcodec.pipeline.sketching import STILL_WORTH_S, SketchSearch, best_of
from mmcodec.pipeline.sounding import choose_sound
from mmcodec.pipeline.speaking import SpeechEncoder, joined, spoken_part
from mmcodec.timeline import AudioTrack, Cue, Layer, Prompt, SegmentKind, Shot, VideoTrack

Progress = Callable[[float, float | None], None]
"""Called with the seconds done, and the seconds in all where they are known."""
Work = partial[tuple[Draft, ...]]
"""What encodes a shot or a segment."""

_WORK_AHEAD = 4
"""Shots and segments that may wait to be encoded."""
_SHOT_WORKERS, _TRIAL_WORKERS = 2, 2
_READ_AHEAD, _IDLE_S = 16, 0.2
"""Pictures and blocks of samples that may wait to be analysed; and seconds after which what is
ready is handed on, though the source says nothing.
"""
_LONGEST_WITH_TEXT_S = 120
"""Sound whose text is given is held until its end."""


class Encoder:
    """Encodes one open source; ``header`` at once, :meth:`drafts` as they are complete.

    ``whole`` says that all drafts will be known before one is written. ``remarks`` grows while it
    works; see :class:`~mmcodec.pipeline.reports.EncodeReport`. Two shots and a segment at a time
    are encoded while the source is read on. Memory is bounded by the longest shots and segment,
    not by the source.
    """

    def __init__(self, media: MediaReader, settings: EncodeSettings, whole: bool = False) -> None:
        self._media = media
        self._settings = settings
        video, audio = media.info.video, media.info.audio
        self.remarks: Remarks = []
        sketch_rate = settings.sketch_bit_rate(audio is not None)
        self._shots = (
            _ShotEncoder(video, settings, sketch_rate, self.remarks, whole) if video else None
        )
        if settings.text is not None and audio is None:
            raise MediaError(f"{media.info.name}: a text is given, and there is no sound to say it")
        if settings.text is not None and settings.subtitles:
            raise UsageError("a text and subtitles are given; one of them is what is said")
        if settings.speech is Speech.VOCODER and (settings.text is not None or settings.subtitles):
            raise UsageError("speech by the vocoder has no use for what is said")
        self._segments = _SegmentEncoder(audio, settings, self.remarks) if audio else None
        self.header = StreamHeader(
            video,
            audio,
            video_synthesis=settings.video_synthesis,
            audio_synthesis=settings.audio_synthesis,
        )

    def drafts(self, progress: Progress | None = None) -> Iterator[Draft]:
        """The cues in the order in which they end, with the sketches they may have.

        Raises:
            MediaError: the source is cut short and ``partial`` was not asked for.
        """
        pending: deque[Future[tuple[Draft, ...]]] = deque()
        with (
            _libraries_in_one_thread(),
            ThreadPoolExecutor(_SHOT_WORKERS) as shots,
            ThreadPoolExecutor(1) as segments,
        ):
            for work in self._work(progress):
                if work:
                    worker = segments if isinstance(work.args[0], SoundSegment) else shots
                    pending.append(worker.submit(work))
                while len(pending) > _WORK_AHEAD or (pending and pending[0].done()):
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        if self._segments:
            self._segments.remark()

    def filled(self, drafts: Sequence[Draft], cues: Sequence[Cue], spare: int) -> list[Draft]:
        """The drafts with options of the longest shot that take up to ``spare`` bytes more than
        its cue does.
        """
        shots = self._shots.longest if self._shots else None
        if shots is None:
            return list(drafts)
        shot, search = shots
        at = next(number for number, draft in enumerate(drafts) if draft.cue.span == shot)
        search.fill(len(cues[at].descriptors.get(Layer.SKETCH, b"")) + spare)
        finer = replace(drafts[at], options=search.options())
        return [*drafts[:at], finer, *drafts[at + 1 :]]

    def _work(self, progress: Progress | None) -> Iterator[Work | None]:
        """What is to be encoded, as soon as it has been read; None now and then."""
        for item in ahead(self._media.read(), _READ_AHEAD, _IDLE_S):
            if item is None:
                yield None
                continue
            if progress:
                progress(self._media.seconds, self._media.info.duration_s)
            if isinstance(item, Picture):
                if self._shots:
                    yield from self._shots.push(item)
            elif self._segments:
                yield from self._segments.push(item)
            yield None
        missing = self._media.missing_s
        if missing and not self._settings.partial:
            raise MediaError(
                f"{self._media.info.name}: is cut short: it ends at {self._media.seconds:.1f} s, "
                f"{missing:.1f} s early; --partial encodes what is there"
            )
        if self._shots:
            yield from self._shots.finish()
        if self._segments:
            yield from self._segments.finish()


class _ShotEncoder:
    """Pictures to cues of the video track."""

    def __init__(
        self,
        track: VideoTrack,
        settings: EncodeSettings,
        sketch_rate: float,
        remarks: Remarks,
        whole: bool,
    ) -> None:
        self._track = track
        self._sketch_rate, self._effort = sketch_rate, settings.effort
        self._constant = settings.quality is not None
        self._whole = whole and settings.effort is not Effort.SLOW
        self._begun = False
        self._remarks = remarks
        self._detector = ShotDetector(track.frame_rate, settings.longest_s or MAX_SHOT_S)
        self._captioner, self._one_at_a_time = captioner(settings, remarks), Lock()
        self._trials = ThreadPoolExecutor(_TRIAL_WORKERS)
        self._prompt_bytes = settings.prompt_bytes
        self._end = 0
        self.longest: tuple[Shot, SketchSearch] | None = None
        """The longest shot so far, and its search: the only frames that are kept."""

    def push(self, picture: Picture) -> Iterator[Work]:
        """The encoding of the shots that are complete with this picture."""
        self._end = picture.pts + picture.duration
        for frames in self._detector.process(picture.pts, picture.pixels):
            self._begun = True
            yield partial(self._encode, frames)

    def finish(self) -> Iterator[Work]:
        """The encoding of what is left."""
        rest = self._detector.finish(self._end)
        for frames in rest:
            yield partial(self._encode, frames, alone=len(rest) == 1 and not self._begun)

    def _encode(self, frames: ShotFrames, alone: bool = False) -> tuple[Draft, ...]:
        analysis = analyse_shot(frames, self._track.frame_rate)
        prompt = self._caption(frames, analysis)
        middle = frames.pixels[len(frames.pixels) // 2]
        seen = look.encode(middle, analysis.camera)
        seconds = STILL_WORTH_S if self._track.still else analysis.duration_s
        end_s = float(frames.shot.end * self._track.time_base)
        if not self._sketch_rate:
            return (Draft(Cue(frames.shot, prompt, {Layer.LOOK: seen}), seconds, end_s),)
        search = SketchSearch(
            frames, seconds, self._sketch_rate, self._trials, self._effort, self._track.still
        )
        search.run(self._sizes(alone))
        options = search.options()
        with self._one_at_a_time:
            if self.longest is None or _rank(frames.shot) > _rank(self.longest[0]):
                self.longest = frames.shot, search
        _give_memory_back()
        if self._constant:
            options = (best_of(options, seconds, self._sketch_rate),)
        return (Draft(Cue(frames.shot, prompt), seconds, end_s, options, seen),)

    def _sizes(self, alone: bool) -> tuple[float, ...]:
        """What sketches are worth a trial beside those of the bit rate, as parts of their bytes."""
        if not self._whole:
            return (0.5, 2.0)
        # From a buffer those of half the bytes are taken, in a whole stream hardly ever, and those
        # of more only where other shots leave them.
        return () if alone and not self._constant else (1.6,)

    def _caption(self, frames: ShotFrames, analysis: ShotAnalysis) -> Prompt:
        try:
            with self._one_at_a_time:
                return self._captioner.caption(frames, analysis, self._prompt_bytes)
        except FailedWorkError as error:
            start_s = float(frames.shot.start * self._track.time_base)
            self._remarks.append(f"{error}; the rules describe the shot at {start_s:.1f} s")
            return RulesCaptioner().caption(frames, analysis, self._prompt_bytes)


def _rank(shot: Shot) -> tuple[int, int]:
    """Of two shots the longer one is greater, or else the earlier: in whatever order they come."""
    return shot.duration, -shot.start


@contextmanager
def _libraries_in_one_thread() -> Iterator[None]:
    """Ours keep the cores busy; those of OpenCV and of NumPy's BLAS would wait for their turn in
    loops, a tenth to a third of the time.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        cv2.setNumThreads(before)


def _give_memory_back() -> None:
    """Return what was freed to the system: glibc keeps it for each thread that SVT-AV1 starts, and
    there are many.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)


class _SegmentEncoder:
    """Sound to cues of the audio track."""

    def __init__(self, track: AudioTrack, settings: EncodeSettings, remarks: Remarks) -> None:
        self._time_base = track.time_base
        self._remarks = remarks
        self._bit_rate = settings.descriptor_bit_rate
        self._detector = SegmentDetector(track.sample_rate, settings.longest_s or LONGEST_S)
        self._captioner = sound_captioner(settings, remarks)
        self._speech = SpeechEncoder(settings, remarks)
        self._prompt_bytes = settings.prompt_bytes
        self._text = settings.text
        self._waiting: list[SoundSegment] = []

    def push(self, sound: Sound) -> Iterator[Work]:
        """The encoding of the segments that are complete with these samples."""
        yield from self._complete(self._detector.process(sound.samples, sound.beyond))

    def finish(self) -> Iterator[Work]:
        """The encoding of what is left."""
        yield from self._complete(self._detector.finish())
        heard = self._waiting
        if self._text is None or not heard:
            return
        part = spoken_part(heard, self._time_base)
        said = joined(heard[part.start : part.stop])
        yield from (partial(self._encode, one) for one in heard[: part.start])
        yield partial(self._told, said, self._text)
        yield from (partial(self._encode, one) for one in heard[part.stop :])

    def _complete(self, segments: Iterable[SoundSegment]) -> Iterator[Work]:
        """The encoding of segments; a text is said in all of them, so they wait for the last."""
        for heard in segments:
            if self._text is None:
                yield partial(self._encode, heard)
            else:
                self._waiting.append(heard)
                if heard.segment.end * self._time_base > _LONGEST_WITH_TEXT_S:
                    raise MediaError(
                        f"a text is given, and the sound is longer than {_LONGEST_WITH_TEXT_S} s"
                    )

    def remark(self) -> None:
        """Say what a user would want to know of the whole."""
        self._speech.remark()

    def _told(self, heard: SoundSegment, text: str) -> tuple[Draft, ...]:
        return self._drafts(self._speech.told(heard, text))

    def _encode(self, heard: SoundSegment) -> tuple[Draft, ...]:
        """The cues of a segment; silence needs neither words nor a descriptor."""
        kind = heard.segment.kind
        if kind is SegmentKind.SILENCE:
            return self._drafts(Cue(heard.segment, Prompt("")))
        prompt = self._caption(heard)
        if kind is SegmentKind.SPEECH:
            return self._drafts(*self._speech.encode(heard, prompt))
        return self._drafts(Cue(heard.segment, prompt, choose_sound(heard, self._bit_rate)))

    def _drafts(self, *cues: Cue) -> tuple[Draft, ...]:
        base = self._time_base
        return tuple(
            Draft(cue, float(cue.span.duration * base), float(cue.span.end * base)) for cue in cues
        )

    def _caption(self, heard: SoundSegment) -> Prompt:
        analysis = analyse_sound(heard.samples, heard.sample_rate, heard.segment.kind)
        try:
            return self._captioner.caption(heard, analysis, self._prompt_bytes)
        except FailedWorkError as error:
            start_s = float(heard.segment.start * self._time_base)
            self._remarks.append(f"{error}; the rules describe the segment at {start_s:.1f} s")
            return RulesSoundCaptioner().caption(heard, analysis, self._prompt_bytes)
