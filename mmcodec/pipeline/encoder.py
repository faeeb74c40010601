"""A source to cues, shot by shot and segment by segment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from mmcodec.analysis.picture import ShotAnalysis, analyse_shot
from mmcodec.analysis.segments import SegmentDetector, SoundSegment
from mmcodec.analysis.shots import ShotDetector, ShotFrames
from mmcodec.analysis.sound import analyse_sound
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.captioning.rules import RulesCaptioner, RulesSoundCaptioner
from mmcodec.descriptors import look
from mmcodec.errors import FailedWorkError, MediaError, UsageError
from mmcodec.media.demux import MediaReader
from mmcodec.media.feeds import Picture, Sound
from mmcodec.pipeline.ahead import ahead
from mmcodec.pipeline.backends import Remarks, captioner, sound_captioner
from mmcodec.pipeline.settings import EncodeSettings, Speech
from mmcodec.pipeline.sketching import STILL_WORTH_S, SketchBudget, choose_sketch
from mmcodec.pipeline.sounding import choose_sound
from mmcodec.pipeline.speaking import SpeechEncoder, joined, spoken_part
from mmcodec.timeline import AudioTrack, Cue, Layer, Prompt, SegmentKind, VideoTrack

Progress = Callable[[float, float | None], None]
"""Called with the seconds done, and the seconds in all where they are known."""
Work = partial[tuple[Cue, ...]]
"""What encodes a shot or a segment."""

_WORK_AHEAD = 4
"""Shots and segments that may wait to be encoded."""
_READ_AHEAD = 16
"""Pictures and blocks of samples that may wait to be analysed."""
_LONGEST_WITH_TEXT_S = 120
"""Sound whose text is given is held until its end."""


class Encoder:
    """Encodes one open source; ``header`` at once, :meth:`cues` as they are complete.

    ``remarks`` grows while it works; see :class:`~mmcodec.pipeline.reports.EncodeReport`.
    Shots and segments are encoded in a thread each while the source is read on. Memory is bounded
    by the longest shot and segment, not by the source.
    """

    def __init__(self, media: MediaReader, settings: EncodeSettings) -> None:
        self._media = media
        self._settings = settings
        video, audio = media.info.video, media.info.audio
        self.remarks: Remarks = []
        self._shots = _ShotEncoder(video, settings, self.remarks) if video else None
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

    def cues(self, progress: Progress | None = None) -> Iterator[Cue]:
        """The cues in the order in which they end.

        Raises:
            MediaError: the source is cut short and ``partial`` was not asked for.
        """
        pending: deque[Future[tuple[Cue, ...]]] = deque()
        with ThreadPoolExecutor(1) as shots, ThreadPoolExecutor(1) as segments:
            for work in self._work(progress):
                worker = segments if isinstance(work.args[0], SoundSegment) else shots
                pending.append(worker.submit(work))
                while len(pending) > _WORK_AHEAD or (pending and pending[0].done()):
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        if self._segments:
            self._segments.remark()

    def _work(self, progress: Progress | None) -> Iterator[Work]:
        """What is to be encoded, as soon as it has been read."""
        for item in ahead(self._media.read(), _READ_AHEAD):
            if progress:
                progress(self._media.seconds, self._media.info.duration_s)
            if isinstance(item, Picture):
                if self._shots:
                    yield from self._shots.push(item)
            elif self._segments:
                yield from self._segments.push(item)
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

    def __init__(self, track: VideoTrack, settings: EncodeSettings, remarks: Remarks) -> None:
        self._track = track
        self._remarks = remarks
        self._budget = SketchBudget(settings.sketch_bit_rate) if settings.sketch_bit_rate else None
        self._detector = ShotDetector(track.frame_rate)
        self._captioner = captioner(settings, remarks)
        self._prompt_bytes = settings.prompt_bytes
        self._end = 0

    def push(self, picture: Picture) -> Iterator[Work]:
        """The encoding of the shots that are complete with this picture."""
        self._end = picture.pts + picture.duration
        for frames in self._detector.process(picture.pts, picture.pixels):
            yield partial(self._encode, frames)

    def finish(self) -> Iterator[Work]:
        """The encoding of what is left."""
        for frames in self._detector.finish(self._end):
            yield partial(self._encode, frames)

    def _encode(self, frames: ShotFrames) -> tuple[Cue, ...]:
        analysis = analyse_shot(frames, self._track.frame_rate)
        prompt = self._caption(frames, analysis)
        if self._budget:
            seconds = STILL_WORTH_S if self._track.still else analysis.duration_s
            budget = self._budget.for_shot(seconds)
            data = choose_sketch(frames, seconds, budget, self._track.still)
            self._budget.spend(seconds, len(data))
            return (Cue(frames.shot, prompt, {Layer.SKETCH: data}),)
        middle = frames.pixels[len(frames.pixels) // 2]
        return (Cue(frames.shot, prompt, {Layer.LOOK: look.encode(middle, analysis.camera)}),)

    def _caption(self, frames: ShotFrames, analysis: ShotAnalysis) -> Prompt:
        try:
            return self._captioner.caption(frames, analysis, self._prompt_bytes)
        except FailedWorkError as error:
            start_s = float(frames.shot.start * self._track.time_base)
            self._remarks.append(f"{error}; the rules describe the shot at {start_s:.1f} s")
            return RulesCaptioner().caption(frames, analysis, self._prompt_bytes)


class _SegmentEncoder:
    """Sound to cues of the audio track."""

    def __init__(self, track: AudioTrack, settings: EncodeSettings, remarks: Remarks) -> None:
        self._time_base = track.time_base
        self._remarks = remarks
        self._bit_rate = settings.descriptor_bit_rate
        self._detector = SegmentDetector(track.sample_rate)
        self._captioner = sound_captioner(settings, remarks)
        self._speech = SpeechEncoder(settings, remarks)
        self._prompt_bytes = settings.prompt_bytes
        self._text = settings.text
        self._waiting: list[SoundSegment] = []

    def push(self, sound: Sound) -> Iterator[Work]:
        """The encoding of the segments that are complete with these samples."""
        yield from self._complete(self._detector.process(sound.samples))

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

    def _told(self, heard: SoundSegment, text: str) -> tuple[Cue, ...]:
        return (self._speech.told(heard, text),)

    def _encode(self, heard: SoundSegment) -> tuple[Cue, ...]:
        """The cues of a segment; silence needs neither words nor a descriptor."""
        kind = heard.segment.kind
        if kind is SegmentKind.SILENCE:
            return (Cue(heard.segment, Prompt("")),)
        prompt = self._caption(heard)
        if kind is SegmentKind.SPEECH:
            return self._speech.encode(heard, prompt)
        return (Cue(heard.segment, prompt, choose_sound(heard, self._bit_rate)),)

    def _caption(self, heard: SoundSegment) -> Prompt:
        analysis = analyse_sound(heard.samples, heard.sample_rate, heard.segment.kind)
        try:
            return self._captioner.caption(heard, analysis, self._prompt_bytes)
        except FailedWorkError as error:
            start_s = float(heard.segment.start * self._time_base)
            self._remarks.append(f"{error}; the rules describe the segment at {start_s:.1f} s")
            return RulesSoundCaptioner().caption(heard, analysis, self._prompt_bytes)
