"""Read a media file, a pipe or a URL in one pass, as pictures and samples."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

import av
import av.container
import av.error
from av.stream import Disposition

from mmcodec.errors import MediaError, UsageError
from mmcodec.media.feeds import Picture, PictureFeed, Sound, SoundFeed
from mmcodec.timeline import AudioTrack, VideoTrack

MAX_INPUT_PIXELS = 1 << 27
"""A larger frame (134 megapixels) is refused before it is decoded."""
MAX_NOMINAL_PIXELS = 1 << 24
"""A stream's nominal raster has at most 16.7 megapixels; larger sources are scaled to fit."""
MAX_FRAME_RATE = 60
OPEN_TIMEOUT_S = 20.0
READ_TIMEOUT_S = 60.0
_CLOSE_S = 1.0
DEVICES = ("v4l2", "x11grab", "alsa", "avfoundation", "dshow", "lavfi")
"""What can stand before a source: ``v4l2:/dev/video0``, as FFmpeg names its devices."""
_LOOK_AHEAD_FRAMES = 500
_LIVE_OPTIONS = {"analyzeduration": "1000000", "fflags": "nobuffer"}
_SQUARE = Fraction(1, 100)
"""Pixels this near to square are taken as square: the aspect is a rounding of the encoder's."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a source says of itself; ``duration_s`` and ``bytes`` are None when it cannot know."""

    name: str
    video: VideoTrack | None
    audio: AudioTrack | None
    duration_s: float | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class DemuxSettings:
    """What to take from a source: tracks, the most pixels of a frame or of a still, samples a
    second.
    """

    video: bool = True
    audio: bool = True
    frame_pixels: int = 320 * 180
    still_pixels: int = 1 << 20
    live: bool = False
    """Begin soon, with what a second tells of the tracks, not five."""
    sample_rate: int = 24_000


class _Counted:
    """A byte source that cannot seek, with the number of bytes read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.bytes = 0

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.bytes += len(data)
        return data


class MediaReader:
    """An open source: ``info`` at once, :meth:`read` for its pictures and sound in file order."""

    def __init__(
        self,
        container: av.container.InputContainer,
        name: str,
        size: int | None,
        settings: DemuxSettings,
        counted: _Counted | None,
    ) -> None:
        self._container = container
        self._settings = settings
        self._counted = counted
        self._reading = threading.Lock()
        self._name = name
        self.damaged_packets = 0
        self.seconds = 0.0
        self._video = _pick_video(container, name) if settings.video else None
        self._audio = next(iter(container.streams.audio), None) if settings.audio else None
        self._frames = self._decode()
        self._held = self._look_ahead()
        self.info = self._describe(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reading.acquire(timeout=_CLOSE_S):
            self._container.close()  # not while another thread waits for a source that says nothing

    @property
    def bytes_read(self) -> int | None:
        """Bytes of the source: its size, or what has come through a pipe so far."""
        return self._counted.bytes if self._counted else self.info.bytes

    @property
    def missing_s(self) -> float:
        """After :meth:`read`: how many seconds the source declares but does not hold."""
        missing = (self.info.duration_s or 0.0) - self.seconds
        return missing if missing > max(0.5, 0.02 * self.seconds) else 0.0

    def read(self) -> Iterator[Picture | Sound]:
        """Decode everything once; broken packets are skipped and counted.

        Raises:
            MediaError: the source stops answering.
        """
        origin = self._origin()
        pictures, sounds = self._feeds(origin)
        for frame in chain(self._held, self._frames):
            if frame.pts is not None and frame.time_base:
                end = (frame.pts + (frame.duration or 0)) * frame.time_base - origin
                self.seconds = max(self.seconds, float(end))
            if isinstance(frame, av.AudioFrame):
                if sounds:
                    yield from sounds.push(frame)
            elif pictures and (picture := pictures.push(frame)):
                yield picture
                if self.info.video and self.info.video.still:
                    return
        if sounds:
            yield from sounds.flush()

    def _feeds(self, origin: Fraction) -> tuple[PictureFeed | None, SoundFeed | None]:
        video, audio = self.info.video, self.info.audio
        pictures = sounds = None
        if video:
            wanted = self._settings
            pixels = wanted.still_pixels if video.still else wanted.frame_pixels
            size = fit(video.width, video.height, pixels)
            pictures = PictureFeed(video.frame_rate, size, origin)
        if audio:
            sounds = SoundFeed(audio.sample_rate, audio.channels, origin)
        return pictures, sounds

    def _look_ahead(self) -> list[av.VideoFrame | av.AudioFrame]:
        """Frames up to the first picture: only it tells how the video is rotated."""
        held = []
        for frame in islice(self._frames, _LOOK_AHEAD_FRAMES):
            held.append(frame)
            if self._video is None or isinstance(frame, av.VideoFrame):
                break
        return held

    def _describe(self, size: int | None) -> MediaInfo:
        first = next((f for f in self._held if isinstance(f, av.VideoFrame)), None)
        video = None
        if self._video is not None and first is not None:
            video = _video_track(self._video, first, self._is_still())
        audio = None
        if self._audio is not None and self._held:
            audio = _audio_track(self._audio, self._settings.sample_rate)
        if video is None and audio is None:
            raise MediaError(f"{self._name}: has no {_wanted(self._settings)} that can be decoded")
        return MediaInfo(self._name, video, audio, self._declared_s(video), size)

    def _is_still(self) -> bool:
        name = self._container.format.name
        frames = self._video.frames if self._video is not None else 0
        return (name == "image2" or name.endswith("_pipe")) and frames <= 1

    def _declared_s(self, video: VideoTrack | None) -> float | None:
        if video and video.still:
            return None
        ends = [
            float(stream.duration * stream.time_base)
            for stream in (self._video, self._audio)
            if stream is not None and stream.duration and stream.time_base
        ]
        if ends:
            return max(ends)
        return self._container.duration / 1e6 if self._container.duration else None

    def _origin(self) -> Fraction:
        start = cast("int | None", self._container.start_time)
        if start is not None:
            return Fraction(start, 1_000_000)
        stamps = [f.pts * f.time_base for f in self._held if f.pts is not None and f.time_base]
        return min(stamps, default=Fraction(0))

    def _decode(self) -> Iterator[av.VideoFrame | av.AudioFrame]:
        streams = [stream for stream in (self._video, self._audio) if stream is not None]
        if not streams:
            return
        packets = self._container.demux(streams)
        while True:
            try:
                with self._reading:
                    packet = next(packets)
            except StopIteration:
                return
            except av.error.InvalidDataError:
                self.damaged_packets += 1
                return
            except (av.error.FFmpegError, OSError) as error:
                raise MediaError(f"{self._name}: cannot be read on ({_reason(error)})") from error
            try:
                yield from packet.decode()  # type: ignore[misc]
            except av.error.FFmpegError:
                self.damaged_packets += 1


def open_media(source: str | Path | BinaryIO, settings: DemuxSettings) -> MediaReader:
    """Open a path, a URL, a device, ``-`` (standard input) or a binary file object.

    Raises:
        UsageError: there is no such file, or it is a directory.
        MediaError: nothing in it can be decoded.
    """
    name, size, target, counted = _resolve(source)
    device, place = _device(source)
    try:
        container = av.open(
            place or target,
            format=device,
            container_options=_LIVE_OPTIONS if settings.live else {},
            metadata_errors="replace",
            timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{name}: not a media file that can be read ({_reason(error)})") from error
    try:
        if container.format.name == "tty":  # FFmpeg reads any text as an ANSI art film
            raise MediaError(f"{name}: is text, not a media file")
        return MediaReader(
            cast("av.container.InputContainer", container), name, size, settings, counted
        )
    except BaseException:
        container.close()
        raise


def fit(width: int, height: int, pixels: int) -> tuple[int, int]:
    """The largest raster of this shape with at most ``pixels`` pixels, never enlarged."""
    scale = min(1.0, (pixels / (width * height)) ** 0.5)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _resolve(
    source: str | Path | BinaryIO,
) -> tuple[str, int | None, str | BinaryIO | _Counted, _Counted | None]:
    if not isinstance(source, str | Path):
        return getattr(source, "name", "input"), None, source, None
    if source == "-":
        # Raw: a buffer that a thread waits for cannot be given up when Python ends.
        counted = _Counted(getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))
        return "standard input", None, counted, counted
    if isinstance(source, str) and ("://" in source or _device(source)[0]):
        return source, None, source, None
    path = Path(source)
    if path.is_dir():
        raise UsageError(f"{path}: is a directory, not a media file")
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    return str(path), path.stat().st_size, f"file:{path}", None


def _device(source: str | Path | BinaryIO) -> tuple[str | None, str | None]:
    """The kind of device that a source names, and which of them."""
    kind, colon, place = source.partition(":") if isinstance(source, str) else ("", "", "")
    return (
        (kind, place)
        if colon and kind in DEVICES and not Path(str(source)).exists()
        else (None, None)
    )


def _wanted(settings: DemuxSettings) -> str:
    names = [name for name, on in (("picture", settings.video), ("sound", settings.audio)) if on]
    return " or ".join(names) or "track"


def _pick_video(container: av.container.InputContainer, name: str) -> av.VideoStream | None:
    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic:  # a cover picture is no video
            continue
        pixels = stream.codec_context.width * stream.codec_context.height
        if pixels > MAX_INPUT_PIXELS:
            raise MediaError(f"{name}: a frame of {pixels} pixels is over {MAX_INPUT_PIXELS}")
        stream.thread_type = "AUTO"
        return stream
    return None


def _video_track(stream: av.VideoStream, first: av.VideoFrame, still: bool) -> VideoTrack:
    width, height = first.width, first.height
    aspect = stream.sample_aspect_ratio
    if aspect and Fraction(1, 8) < aspect < 8 and abs(aspect - 1) > _SQUARE:
        width = max(1, round(width * aspect))
    if round(first.rotation / 90) % 2:
        width, height = height, width
    return VideoTrack(*fit(width, height, MAX_NOMINAL_PIXELS), _frame_rate(stream), still)


def _frame_rate(stream: av.VideoStream) -> Fraction:
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and rate > 0:
            return min(
                max(Fraction(rate).limit_denominator(1001), Fraction(1)), Fraction(MAX_FRAME_RATE)
            )
    return Fraction(25)


def _audio_track(stream: av.AudioStream, sample_rate: int) -> AudioTrack:
    return AudioTrack(sample_rate, 1 if stream.codec_context.channels == 1 else 2)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).splitlines()[0]
