"""Write pictures, sound and prompts as a media file of the kind that its suffix names."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

import av
import av.error
import av.stream
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from mmcodec.errors import MediaError, UsageError
from mmcodec.timeline import AudioTrack, TrackKind, VideoTrack

_SUBTITLE_TIME_BASE = Fraction(1, 1000)
_BT709 = 1
"""BT.709 in the code points of ITU-T H.273, for primaries and transfer alike."""


@dataclass(frozen=True, slots=True)
class _Format:
    """A container and the encoders for what goes into it; None: it has no such track."""

    container: str
    video: str | None = None
    audio: str | None = None
    prompts: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    video_options: Mapping[str, str] = field(default_factory=dict)


FRAGMENTED = ".m4s"
"""MP4 in fragments, as Media Source Extensions take them; it needs no seeking."""

_FORMATS = {
    ".mp4": _Format("mp4", "libx264", "aac", "mov_text"),
    ".mkv": _Format("matroska", "libx264", "aac", "subrip"),
    ".webm": _Format("webm", "libvpx-vp9", "libopus", "webvtt"),
    ".wav": _Format("wav", audio="pcm_s16le"),
    ".png": _Format("image2", "png", options={"update": "1"}),
    FRAGMENTED: _Format(
        "mp4",
        "libx264",
        "aac",
        options={
            "movflags": "empty_moov+default_base_moof+frag_keyframe",
            "frag_duration": "500000",
        },
        video_options={"tune": "zerolatency", "g": "50"},
    ),
}
_VIDEO_OPTIONS: dict[str, dict[str, object]] = {
    "libx264": {"preset": "veryfast", "crf": "19"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "6", "crf": "28", "row-mt": "1"},
}
_AUDIO_BIT_RATE = 96_000
_SEQUENCE_PARAMETERS = b"\0\0\1\x67"
"""In H.264, before profile, constraints and level."""


def suffix_for(video: VideoTrack | None, audio: AudioTrack | None) -> str:
    """The suffix that suits these tracks: a PNG, a WAV or an MP4 file."""
    if video is None:
        return ".wav"
    return ".png" if video.still and audio is None else ".mp4"


def check_suffix(suffix: str) -> None:
    """Raise UsageError when no file of this suffix can be written."""
    if suffix.lower() not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise UsageError(f"cannot write a {suffix or 'file without suffix'}: choose one of {known}")


class MediaWriter:
    """An open media file; push pictures, samples and prompts in time order, then close.

    ``target`` is a path or, for what can be written in one go (mkv, wav), a binary file object.
    Tracks that the format cannot hold are left out: a WAV file gets the sound only, a PNG file
    the first picture. An odd raster loses its last row or column where the encoder needs even
    ones.

    Raises:
        UsageError: the suffix is of no known format.
        MediaError: the file cannot be written.
    """

    def __init__(
        self,
        target: Path | BinaryIO,
        suffix: str,
        video: VideoTrack | None,
        audio: AudioTrack | None,
    ) -> None:
        check_suffix(suffix)
        self._format = _FORMATS[suffix.lower()]
        self._name = str(target) if isinstance(target, Path) else "output"
        name = f"file:{target}" if isinstance(target, Path) else target
        options = dict(self._format.options)
        try:
            self._container = av.open(name, "w", format=self._format.container, options=options)
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f"{self._name}: cannot be written ({error.strerror})") from error
        self._video = self._add_video(video) if video and self._format.video else None
        self._audio = self._add_audio(audio) if audio and self._format.audio else None
        if self._video is None and self._audio is None:
            self._container.close()
            raise UsageError(f"a {suffix} file can hold nothing of this stream")
        self._prompts = self._add_prompts(video, audio) if self._format.prompts else {}
        try:
            self._container.start_encoding()
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f"{self._name}: cannot be written ({error.strerror})") from error
        self._pictures = self._samples = 0
        self._scaler = VideoReformatter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            with suppress(av.error.FFmpegError):
                self._container.close()

    def close(self) -> None:
        """Write what the encoders still have, and finish the file."""
        self._flush()
        self._container.close()

    @property
    def codecs(self) -> str:
        """The encoders of H.264 and AAC as RFC 6381 names them, for a page that plays them."""
        names = []
        if self._video is not None:
            parameters = bytes(self._video.codec_context.extradata or b"")
            start = parameters.find(_SEQUENCE_PARAMETERS) + len(_SEQUENCE_PARAMETERS)
            names.append(f"avc1.{parameters[start : start + 3].hex()}")
        if self._audio is not None:
            names.append("mp4a.40.2")
        return ", ".join(names)

    @property
    def seconds(self) -> float:
        """Seconds written so far, on the track that is ahead."""
        return max(self.picture_seconds, self.sound_seconds)

    @property
    def picture_seconds(self) -> float:
        """Seconds of pictures written so far."""
        return float(self._pictures * self._video.codec_context.time_base) if self._video else 0.0

    @property
    def sound_seconds(self) -> float:
        """Seconds of sound written so far."""
        return self._samples / self._audio.codec_context.sample_rate if self._audio else 0.0

    def picture(self, pixels: NDArray[np.uint8]) -> None:
        """Write the next picture: RGB uint8 (height, width, 3)."""
        stream = self._video
        if stream is None or (stream.codec_context.name == "png" and self._pictures):
            return
        frame = av.VideoFrame.from_ndarray(pixels[: stream.height, : stream.width], "rgb24")
        if stream.pix_fmt != "rgb24":
            frame = self._scaler.reformat(
                frame,
                width=stream.width,
                height=stream.height,
                format=stream.pix_fmt,
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
        frame.pts = self._pictures
        frame.time_base = stream.codec_context.time_base
        self._pictures += 1
        self._write(stream, frame)

    def sound(self, samples: NDArray[np.float32]) -> None:
        """Write the next samples: float32 (n, channels) in -1..1."""
        stream = self._audio
        if stream is None or not len(samples):
            return
        pcm = np.ascontiguousarray(np.clip(samples, -1.0, 1.0).T)
        layout = "mono" if len(pcm) == 1 else "stereo"
        frame = av.AudioFrame.from_ndarray(pcm, format="fltp", layout=layout)
        frame.sample_rate = stream.codec_context.sample_rate
        frame.pts = self._samples
        frame.time_base = Fraction(1, frame.sample_rate)
        self._samples += len(samples)
        self._write(stream, frame)

    def prompt(self, track: TrackKind, start_s: Fraction, end_s: Fraction, text: str) -> None:
        """Write ``text`` as the subtitle of ``track`` from ``start_s`` to ``end_s`` seconds."""
        stream = self._prompts.get(track)
        if stream is None or not text:
            return
        data = text.encode()
        if self._format.prompts == "mov_text":
            data = data[:65535]
            data = len(data).to_bytes(2, "big") + data
        packet = av.Packet(data)
        packet.stream = stream
        packet.time_base = _SUBTITLE_TIME_BASE
        packet.pts = packet.dts = round(start_s / _SUBTITLE_TIME_BASE)
        packet.duration = max(1, round(end_s / _SUBTITLE_TIME_BASE) - packet.pts)
        packet.is_keyframe = True
        self._container.mux(packet)

    def _add_video(self, track: VideoTrack) -> av.VideoStream:
        name = cast("str", self._format.video)
        stream = self._container.add_stream(name, rate=track.frame_rate)
        stream = cast("av.VideoStream", stream)
        if name == "png":
            stream.width, stream.height, stream.pix_fmt = track.width, track.height, "rgb24"
            return stream
        stream.width, stream.height = max(2, track.width & ~1), max(2, track.height & ~1)
        stream.pix_fmt = "yuv420p"
        stream.options = {**_VIDEO_OPTIONS[name], **self._format.video_options}
        context = stream.codec_context
        context.time_base = track.time_base
        context.color_primaries = context.color_trc = _BT709
        context.colorspace, context.color_range = _BT709, ColorRange.MPEG
        return stream

    def _add_audio(self, track: AudioTrack) -> av.AudioStream:
        name = cast("str", self._format.audio)
        layout = "mono" if track.channels == 1 else "stereo"
        stream = self._container.add_stream(name, rate=track.sample_rate, layout=layout)
        stream = cast("av.AudioStream", stream)
        if name != "pcm_s16le":
            stream.bit_rate = _AUDIO_BIT_RATE
        return stream

    def _add_prompts(
        self, video: VideoTrack | None, audio: AudioTrack | None
    ) -> dict[TrackKind, av.stream.Stream]:
        streams = {}
        for kind, track in ((TrackKind.VIDEO, video), (TrackKind.AUDIO, audio)):
            if track is not None:
                stream = self._container.add_mux_stream(cast("str", self._format.prompts))
                stream.time_base = _SUBTITLE_TIME_BASE
                stream.metadata["language"] = "eng"
                stream.metadata["title"] = f"{kind.name.lower()} prompts"
                streams[kind] = stream
        return streams

    def _write(
        self,
        stream: av.VideoStream | av.AudioStream,
        frame: av.VideoFrame | av.AudioFrame | None,
    ) -> None:
        try:
            for packet in stream.encode(frame):  # type: ignore[arg-type]
                self._container.mux(packet)
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f"{self._name}: cannot be written ({error.strerror})") from error

    def _flush(self) -> None:
        for stream in (self._video, self._audio):
            if stream is not None:
                self._write(stream, None)
