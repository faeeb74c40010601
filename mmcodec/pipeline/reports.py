"""What an encode, a decode or a look into a stream found, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmcodec.bitstream.packets import CuePacket
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.timeline import Timeline, TrackKind


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream and what it costs.

    ``account`` is bytes by name (header, framing, and each layer) and adds up to ``bytes``;
    ``error`` says why a stream that is cut short ends early, and is None for a whole one;
    ``damage`` says what was wrong with each packet that is concealed.
    """

    header: StreamHeader
    packets: tuple[CuePacket, ...]
    account: Mapping[str, int]
    error: str | None = None
    damage: tuple[str, ...] = ()

    @property
    def timeline(self) -> Timeline:
        """The tracks and cues."""
        cues = tuple(packet.cue for packet in self.packets)
        return Timeline(self.header.video, self.header.audio, cues)

    @property
    def bytes(self) -> int:
        """Bytes of the whole stream."""
        return sum(self.account.values())

    @property
    def duration_s(self) -> float:
        """Seconds to the end of the last cue."""
        return float(self.timeline.duration)

    @property
    def is_still(self) -> bool:
        """Whether it is a photograph, to which seconds mean nothing."""
        return self.header.audio is None and bool(self.header.video and self.header.video.still)

    @property
    def bit_rate(self) -> float | None:
        """Bits a second of everything; None for a still."""
        return None if self.is_still else self.bytes * 8 / self.duration_s

    @property
    def micro_bits_per_pixel(self) -> float | None:
        """Bits of everything for each pixel of the nominal video, in millionths."""
        video = self.header.video
        if video is None:
            return None
        frames = sum(cue.span.duration for cue in self.timeline.on(TrackKind.VIDEO))
        return self.bytes * 8e6 / (video.width * video.height * frames) if frames else None


@dataclass(frozen=True, slots=True)
class EncodeReport:
    """An encode: the stream, the source's bytes (None when unknown), and seconds it took.

    ``remarks`` says which models were chosen, and where one failed and a simpler one stood in.
    """

    stream: StreamInfo
    target: str
    source_bytes: int | None
    elapsed_s: float
    damaged_packets: int
    remarks: tuple[str, ...] = ()

    @property
    def ratio(self) -> float | None:
        """How many times smaller than its source the stream is."""
        return self.source_bytes / self.stream.bytes if self.source_bytes else None

    @property
    def speed(self) -> float:
        """Seconds of media encoded a second."""
        return self.stream.duration_s / self.elapsed_s


@dataclass(frozen=True, slots=True)
class DecodeReport:
    """A decode: the stream that was read, seconds of media made, and seconds it took.

    ``remarks`` says which models were chosen, and where one failed and a simpler one stood in.
    ``hashes`` are SHA-256 of the decoded frames and samples by track, if they were asked for.
    """

    stream: StreamInfo
    target: str
    duration_s: float
    elapsed_s: float
    remarks: tuple[str, ...] = ()
    hashes: Mapping[str, str] | None = None

    @property
    def speed(self) -> float:
        """Seconds of media decoded a second."""
        return self.duration_s / self.elapsed_s
