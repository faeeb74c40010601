"""A source to cues, shot by shot and segment by segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from mmcodec.analysis.picture import analyse_shot
from mmcodec.analysis.segments import SegmentDetector, SoundSegment
from mmcodec.analysis.shots import ShotDetector, ShotFrames
from mmcodec.analysis.sound import analyse_sound
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.captioning.contract import Captioner, SoundCaptioner
from mmcodec.descriptors import look, sound
from mmcodec.errors import MediaError
from mmcodec.media.demux import MediaReader
from mmcodec.media.feeds import Picture
from mmcodec.pipeline.settings import EncodeSettings
from mmcodec.pipeline.sketching import STILL_WORTH_S, SketchBudget, choose_sketch
from mmcodec.registry import Group, load
from mmcodec.timeline import AudioTrack, Cue, Layer, Prompt, SegmentKind, VideoTrack

Progress = Callable[[float, float | None], None]
"""Called with the seconds done, and the seconds in all where they are known."""


class Encoder:
    """Encodes one open source; ``header`` at once, :meth:`cues` as they are complete.

    Memory is bounded by the longest shot and segment, not by the source.
    """

    def __init__(self, media: MediaReader, settings: EncodeSettings) -> None:
        self._media = media
        self._settings = settings
        video, audio = media.info.video, media.info.audio
        self._shots = _ShotEncoder(video, settings) if video else None
        self._segments = _SegmentEncoder(audio, settings) if audio else None
        self.header = StreamHeader(video, audio)

    def cues(self, progress: Progress | None = None) -> Iterator[Cue]:
        """The cues in the order in which they end.

        Raises:
            MediaError: the source is cut short and ``partial`` was not asked for.
        """
        for item in self._media.read():
            if progress:
                progress(self._media.seconds, self._media.info.duration_s)
            if isinstance(item, Picture):
                if self._shots:
                    yield from self._shots.push(item)
            elif self._segments:
                yield from map(self._segments.encode, self._segments.detector.process(item.samples))
        missing = self._media.missing_s
        if missing and not self._settings.partial:
            raise MediaError(
                f"{self._media.info.name}: is cut short: it ends at {self._media.seconds:.1f} s, "
                f"{missing:.1f} s early; --partial encodes what is there"
            )
        if self._shots:
            yield from self._shots.finish()
        if self._segments:
            yield from map(self._segments.encode, self._segments.detector.finish())


class _ShotEncoder:
    """Pictures to cues of the video track."""

    def __init__(self, track: VideoTrack, settings: EncodeSettings) -> None:
        self._track = track
        self._budget = SketchBudget(settings.sketch_bit_rate) if settings.sketch_bit_rate else None
        self._detector = ShotDetector(track.frame_rate)
        self._captioner = cast("Captioner", load(Group.CAPTIONER, settings.captioner))
        self._end = 0

    def push(self, picture: Picture) -> Iterator[Cue]:
        """Cues of the shots that are complete with this picture."""
        self._end = picture.pts + picture.duration
        return map(self._encode, self._detector.process(picture.pts, picture.pixels))

    def finish(self) -> Iterator[Cue]:
        """Cues of what is left."""
        return map(self._encode, self._detector.finish(self._end))

    def _encode(self, frames: ShotFrames) -> Cue:
        analysis = analyse_shot(frames, self._track.frame_rate)
        prompt = self._captioner.caption(frames, analysis)
        if self._budget:
            seconds = STILL_WORTH_S if self._track.still else analysis.duration_s
            budget = self._budget.for_shot(seconds)
            data = choose_sketch(frames, seconds, budget, self._track.still)
            self._budget.spend(seconds, len(data))
            return Cue(frames.shot, prompt, {Layer.SKETCH: data})
        middle = frames.pixels[len(frames.pixels) // 2]
        return Cue(frames.shot, prompt, {Layer.LOOK: look.encode(middle, analysis.camera)})


class _SegmentEncoder:
    """Sound to cues of the audio track."""

    def __init__(self, track: AudioTrack, settings: EncodeSettings) -> None:
        self._bit_rate = settings.sound_bit_rate
        self.detector = SegmentDetector(track.sample_rate)
        backend = load(Group.SOUND_CAPTIONER, settings.sound_captioner)
        self._captioner = cast("SoundCaptioner", backend)

    def encode(self, heard: SoundSegment) -> Cue:
        """The cue of a segment; silence needs neither words nor a descriptor."""
        kind = heard.segment.kind
        if kind is SegmentKind.SILENCE:
            return Cue(heard.segment, Prompt(""))
        analysis = analyse_sound(heard.samples, heard.sample_rate, kind)
        prompt = self._captioner.caption(heard, analysis)
        data = sound.encode(heard.samples.mean(axis=1), heard.sample_rate, self._bit_rate)
        return Cue(heard.segment, prompt, {Layer.SOUND: data})
