"""The three things to do: encode a media file, decode a stream, look into a stream."""

from __future__ import annotations

import io
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from fractions import Fraction
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeGuard
from urllib.parse import urlsplit

from mmcodec.bitstream.packets import CuePacket
from mmcodec.bitstream.reader import StreamReader
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.bitstream.writer import ByteSink, StreamWriter
from mmcodec.errors import BitstreamError, MediaError, TruncatedStreamError, UsageError
from mmcodec.media.demux import DemuxSettings, MediaInfo, open_media
from mmcodec.media.feeds import Picture, Sound
from mmcodec.media.mux import MediaWriter, check_suffix, suffix_for
from mmcodec.pipeline.ahead import ahead
from mmcodec.pipeline.decoder import Decoder
from mmcodec.pipeline.encoder import Encoder, Progress
from mmcodec.pipeline.hashing import DecodedHashes
from mmcodec.pipeline.kept import Kept
from mmcodec.pipeline.output import STANDARD_STREAM, whole_output
from mmcodec.pipeline.rate import Buffer, Draft, allocate
from mmcodec.pipeline.reports import DecodeReport, EncodeReport, StreamInfo
from mmcodec.pipeline.settings import DecodeSettings, EncodeSettings
from mmcodec.pipeline.sketching import STILL_WORTH_S
from mmcodec.timeline import Cue, Timeline, TrackKind

_WASTE = 0.015
"""Part of the bytes below which it is not worth looking for sketches that fill them."""
_DECODE_AHEAD = 8
"""Pictures and blocks of samples that may wait to be written."""
PIPE_SUFFIX = ".mkv"
"""What a decode to a pipe is: a container that needs no seeking."""


def encode(
    source: str | Path | BinaryIO,
    target: str | Path | BinaryIO | None = None,
    settings: EncodeSettings | None = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> EncodeReport:
    """Encode anything that FFmpeg reads into a ``.mmc`` stream.

    ``source`` is a path, a URL, ``-`` (standard input) or a binary file; ``target`` is a path,
    ``-`` or a binary file, and by default the source's name with the suffix ``.mmc``. A file is
    written whole or not at all, and over an existing one only with ``force``.

    Raises:
        UsageError: the source does not exist, or the target does.
        MediaError: the source cannot be read.
        BackendError: a captioner cannot run.
    """
    settings = settings or EncodeSettings()
    if not (settings.video or settings.audio):
        raise UsageError("without picture and sound there is nothing to encode")
    knobs = (settings.quality, settings.bit_rate or settings.buffer_s, settings.most_bytes)
    if sum(knob is not None for knob in knobs) > 1:
        raise UsageError("quality, bit rate (or buffer) and bytes: only one of them decides")
    started = time.perf_counter()
    target = _beside(source, ".mmc") if target is None else target
    demux = DemuxSettings(settings.video, settings.audio, frame_pixels=settings.frame_pixels)
    with (
        whole_output(target, force) as place,
        open_media(source, demux) as media,
        _opened(place) as sink,
    ):
        if settings.most_bytes is not None:
            settings = settings.lasting(_known_seconds(media.info), _is_photograph(media.info))
        encoder = Encoder(media, settings, whole=settings.buffer_s is None)
        packets, account = _written(encoder, sink, settings, progress)
        if not packets:
            raise MediaError(f"{media.info.name}: is too short: there is nothing to send")
    stream = StreamInfo(encoder.header, packets, account)
    elapsed = time.perf_counter() - started
    return EncodeReport(
        stream,
        str(target),
        media.bytes_read,
        elapsed,
        media.damaged_packets,
        tuple(encoder.remarks),
    )


def _written(
    encoder: Encoder, sink: ByteSink, settings: EncodeSettings, progress: Progress | None
) -> tuple[tuple[CuePacket, ...], dict[str, int]]:
    """Write the cues, as they come from a buffer, or else the best of the whole; and what is
    written, with its bytes by name.
    """
    drafts = encoder.drafts(progress)
    if settings.buffer_s:
        writer = StreamWriter(sink, encoder.header)
        packets = tuple(_buffered(drafts, writer, settings.total_bit_rate, settings.buffer_s))
    else:
        cues = _best(encoder, list(drafts), settings)
        writer = StreamWriter(sink, encoder.header, single=len(cues) == 1)
        packets = tuple(map(writer.write, cues))
    if packets:
        writer.close()
    return packets, dict(writer.account)


def _buffered(
    drafts: Iterable[Draft], writer: StreamWriter, bit_rate: int, buffer_s: float
) -> Iterator[CuePacket]:
    buffer = Buffer(bit_rate, buffer_s)
    for draft in drafts:
        packet = writer.write(buffer.choose(draft))
        buffer.spend(packet.wire_bytes)
        yield packet


def _best(encoder: Encoder, drafts: list[Draft], settings: EncodeSettings) -> Sequence[Cue]:
    """The best cues that keep to the bit rate, if there is one to keep to."""
    rate = settings.total_bit_rate
    if not rate or not (settings.bit_rate or any(draft.options for draft in drafts)):
        return [draft.with_option(0) for draft in drafts]
    seconds = _seconds(encoder.header, [draft.cue for draft in drafts])
    most = settings.most_bytes or int(rate * seconds / 8)
    measure = partial(_size, encoder.header)
    chosen = allocate(drafts, most, measure)
    spare = most - measure(chosen.cues)
    if spare > _WASTE * most:
        chosen = allocate(encoder.filled(drafts, chosen.cues, spare), most, measure)
    encoder.remarks.extend(chosen.fallbacks)
    return chosen.cues


def _is_photograph(tracks: MediaInfo | StreamHeader) -> bool:
    return bool(tracks.video and tracks.video.still and not tracks.audio)


def _known_seconds(media: MediaInfo) -> float:
    """How long a source says that it is."""
    seconds = STILL_WORTH_S if _is_photograph(media) else media.duration_s
    if not seconds:
        raise UsageError(f"{media.name}: does not say how long it is; give a bit rate, not bytes")
    return seconds


def _seconds(header: StreamHeader, cues: Sequence[Cue]) -> float:
    """How long a stream is, for its bit rate; a still is worth some seconds."""
    if _is_photograph(header):
        return STILL_WORTH_S
    return float(Timeline(header.video, header.audio, tuple(cues)).duration)


def _size(header: StreamHeader, cues: Sequence[Cue]) -> int:
    """Bytes of a stream."""
    writer = StreamWriter(io.BytesIO(), header, single=len(cues) == 1)
    for cue in cues:
        writer.write(cue)
    writer.close()
    return writer.account.total()


def decode(
    source: str | Path | BinaryIO,
    target: str | Path | BinaryIO | None = None,
    settings: DecodeSettings | None = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> DecodeReport:
    """Synthesize a ``.mmc`` stream as a media file of the kind that the target's suffix names.

    ``target`` is by default the source's name with ``.decoded.mp4`` (``.wav`` for sound alone,
    ``.png`` for a still); ``-`` and binary files get Matroska. Of a stream that is cut short all
    up to the cut is decoded, and the report's ``stream.error`` says so; packets that are damaged
    are concealed, and its ``stream.damage`` names them.

    Raises:
        UsageError: the source does not exist, or the target does, or its suffix is unknown; or
            the stream has nothing in the part that is asked for.
        BitstreamError: the stream is damaged beyond repair, or cut before its first cue.
        MediaError: the target cannot be written.
    """
    started = time.perf_counter()
    settings = settings or DecodeSettings()
    if settings.end_s is not None and not 0 <= settings.start_s < settings.end_s:
        raise UsageError(f"no time lies from {settings.start_s:g} to {settings.end_s:g} s")
    whole_s = probe(source).duration_s if progress and _is_file(source) else None
    total = whole_s and min(whole_s, settings.end_s or whole_s) - settings.start_s
    with _opened_stream(source) as stream:
        incoming = _Incoming(StreamReader(stream, conceal=True), settings)
        header = incoming.header
        if target is None:
            target = _beside(source, f".decoded{suffix_for(header.video, header.audio)}")
        suffix = Path(target).suffix if _is_file(target) else PIPE_SUFFIX
        check_suffix(suffix)
        with (
            whole_output(target, force) as place,
            Kept(Path(target), settings.resume) if _is_file(target) else nullcontext() as kept,
            MediaWriter(place, suffix, header.video, header.audio) as media,
        ):
            decoder = Decoder(header, settings, kept)
            hashes = DecodedHashes() if settings.hashes else None
            for item in ahead(_decoded(incoming, decoder, settings.models.batch), _DECODE_AHEAD):
                if hashes and not isinstance(item, Cue):
                    hashes.add(item)
                if isinstance(item, Picture):
                    media.picture(item.pixels)
                elif isinstance(item, Sound):
                    media.sound(item.samples)
                else:
                    _write_prompt(item, media, header, settings.start_s)
                if progress:
                    progress(media.seconds, total)
            if not media.seconds:
                raise UsageError(f"the stream has nothing at {settings.start_s:g} s")
            seconds = media.seconds
    elapsed = time.perf_counter() - started
    return DecodeReport(
        incoming.info(decoder.damage),
        str(target),
        seconds,
        elapsed,
        tuple(decoder.remarks),
        hashes.digests() if hashes else None,
    )


def probe(source: str | Path | BinaryIO) -> StreamInfo:
    """Read a ``.mmc`` stream without synthesizing anything.

    Raises:
        UsageError: the source does not exist.
        BitstreamError: the stream is damaged beyond repair, or cut before its first cue.
    """
    with _opened_stream(source) as stream:
        incoming = _Incoming(StreamReader(stream, conceal=True), DecodeSettings())
        for _ in incoming.packets():
            pass
    return incoming.info()


class _Incoming:
    """The packets of a stream as they come, remembered; a cut ends them and is noted.

    Only those are given that lie in the part that is asked for.
    """

    def __init__(self, reader: StreamReader, part: DecodeSettings) -> None:
        self._reader = reader
        self._part = part
        self._packets: list[CuePacket] = []
        self._error: str | None = None
        self.header = reader.header

    def packets(self) -> Iterator[CuePacket]:
        """The cues with their costs."""
        try:
            for packet in self._reader.cues(self._part.start_s):
                self._packets.append(packet)
                if self._wanted(packet.cue):
                    yield packet
        except TruncatedStreamError as error:
            if not self._packets:
                raise
            self._error = str(error)
        if not self._packets:
            raise BitstreamError("the stream has no cue")

    def info(self, more_damage: Sequence[str] = ()) -> StreamInfo:
        """What has been read so far."""
        account = dict(self._reader.account)
        damage = (*self._reader.damage, *more_damage)
        return StreamInfo(self.header, tuple(self._packets), account, self._error, damage)

    def _wanted(self, cue: Cue) -> bool:
        start, end = Timeline(self.header.video, self.header.audio).seconds(cue.span)
        before_end = self._part.end_s is None or start < self._part.end_s
        return before_end and end > self._part.start_s


def _decoded(incoming: _Incoming, decoder: Decoder, batch: int) -> Iterator[Cue | Picture | Sound]:
    """Each cue, and then what it decodes to."""
    for packets in _batches(incoming.packets(), batch):
        if batch > 1:
            decoder.prepare(packets)
        for packet in packets:
            yield packet.cue
            yield from decoder.decode(packet)


def _batches(packets: Iterator[CuePacket], batch: int) -> Iterator[list[CuePacket]]:
    """Runs of packets, each up to the one at which a track has ``batch`` of them."""
    waiting: list[CuePacket] = []
    counts: Counter[TrackKind] = Counter()
    for packet in packets:
        waiting.append(packet)
        counts[packet.cue.track] += 1
        if max(counts.values()) >= batch:
            yield waiting
            waiting, counts = [], Counter()
    if waiting:
        yield waiting


def _write_prompt(cue: Cue, media: MediaWriter, header: StreamHeader, origin_s: float) -> None:
    start, end = Timeline(header.video, header.audio).seconds(cue.span)
    origin = Fraction(origin_s)
    media.prompt(cue.track, max(start - origin, Fraction(0)), end - origin, cue.prompt.text)


def _is_file(place: str | Path | BinaryIO) -> TypeGuard[str | Path]:
    return isinstance(place, str | Path) and place != STANDARD_STREAM


def _beside(source: str | Path | BinaryIO, suffix: str) -> Path:
    """The default output: the source's name with another suffix, in its folder."""
    if not _is_file(source):
        raise UsageError("say where to write (-o) when the input is a pipe")
    if "://" in str(source):
        return Path(PurePosixPath(urlsplit(str(source)).path).name or "stream").with_suffix(suffix)
    return Path(source).with_suffix(suffix)


@contextmanager
def _opened(place: Path | BinaryIO) -> Iterator[ByteSink]:
    if isinstance(place, Path):
        with place.open("wb") as file:
            yield file
    else:
        yield place


@contextmanager
def _opened_stream(source: str | Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(source, str | Path):
        yield source
    elif source == STANDARD_STREAM:
        yield sys.stdin.buffer
    else:
        path = Path(source)
        if path.is_dir():
            raise UsageError(f"{path}: is a directory, not a stream")
        if not path.exists():
            raise UsageError(f"{path}: no such file")
        try:
            with path.open("rb") as file:
                yield file
        except BitstreamError as error:
            raise error.within(str(path)) from error
