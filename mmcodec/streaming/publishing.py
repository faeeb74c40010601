"""Publish: streams that there are as segments, and a source as it comes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from mmcodec.bitstream.reader import StreamReader
from mmcodec.errors import BitstreamError, UsageError
from mmcodec.media.demux import DemuxSettings, open_media
from mmcodec.pipeline.encoder import Encoder, Progress
from mmcodec.pipeline.output import write_whole
from mmcodec.pipeline.rate import Buffer, Draft
from mmcodec.pipeline.settings import EncodeSettings, Profile
from mmcodec.streaming.playlist import Kind, Variant, master_text
from mmcodec.streaming.segmenting import PLAYLIST, Segmenter
from mmcodec.timeline import Cue

PROMPT_RATE = "prompt"
"""Looks in place of sketches."""
_PROMPT_PICTURE = 250
"""Bits a second that prompts and looks take of most clips."""
_LEAST_WINDOW = 3
"""Longest shots in what can be gone back: a receiver needs so many (RFC 8216, 6.2.2)."""
_FROM_RATE = 4.0
"""How far rates may be apart: the sketches of one search serve them all."""


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How a source is published as it comes."""

    rates: tuple[int | str, ...] = (2000,)
    """Bits a second of everything, and "prompt"."""
    latency_s: float = 4.0
    """The longest shot and segment, in seconds: a receiver is behind by that and the coding."""
    window_s: float = 60.0
    """What a receiver can go back; older segments are removed. 0 keeps all."""


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published: the playlist to open, bytes of all segments, and seconds of media."""

    playlist: str
    segments_bytes: int
    duration_s: float
    elapsed_s: float
    remarks: tuple[str, ...] = ()


def segment(
    sources: Sequence[str | Path],
    folder: str | Path,
    *,
    segment_s: float = 6.0,
    force: bool = False,
) -> PublishReport:
    """Cut ``.mmc`` streams into segments in ``folder``, with a playlist ``index.m3u8``.

    Several streams are the rates of one, for receivers to choose from; each goes into a folder
    with its name.

    Raises:
        UsageError: a source does not exist, or the folder has a playlist and ``force`` is not set;
            or the streams are not rates of one clip.
        BitstreamError: a stream is damaged or cut short.
    """
    started = time.perf_counter()
    paths = [Path(source) for source in sources]
    if len({path.stem for path in paths}) < len(paths):
        raise UsageError("streams of the same name cannot be rates of one; rename one of them")
    root = _fresh(Path(folder), force)
    done = [
        _segmented(path, root if len(paths) == 1 else _fresh(root / path.stem, force), segment_s)
        for path in paths
    ]
    if len({one.durations_s for one in done}) > 1:
        raise UsageError("the streams are cut at different times: they are no rates of one clip")
    if len(paths) > 1:
        rates = [max(round(one.bytes * 8 / one.duration_s), 1) for one in done]
        variants = [_variant(path.stem, rate) for path, rate in zip(paths, rates, strict=True)]
        write_whole(root / PLAYLIST, master_text(variants).encode())
    elapsed = time.perf_counter() - started
    total = sum(one.bytes for one in done)
    return PublishReport(str(root / PLAYLIST), total, done[0].duration_s, elapsed)


def encode_live(
    source: str | Path | BinaryIO,
    folder: str | Path,
    settings: EncodeSettings | None = None,
    live: LiveSettings | None = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> PublishReport:
    """Encode a source as it comes, for days if need be, into segments and playlists in ``folder``.

    The sketches of a shot are searched once, for the middle of the rates; each rate then takes
    those that its buffer has the bytes for.

    Raises:
        UsageError: the folder has a playlist and ``force`` is not set, or rates are too far apart.
        MediaError: the source cannot be read.
        BackendError: a captioner cannot run.
    """
    started = time.perf_counter()
    live = live or LiveSettings()
    settings = _live_settings(settings or EncodeSettings(), live)
    root = Path(folder)
    demux = DemuxSettings(
        settings.video, settings.audio, frame_pixels=settings.frame_pixels, live=True
    )
    with open_media(source, demux) as media, ExitStack() as stack:
        _fresh(root, force)
        encoder = Encoder(media, settings)
        renditions = [_Rendition(root, rate, encoder, settings, live, force) for rate in live.rates]
        for one in renditions:
            stack.callback(one.close)
        if len(renditions) > 1:
            master = master_text([one.variant for one in renditions])
            write_whole(root / PLAYLIST, master.encode())
        end_s = 0.0
        for draft in encoder.drafts(progress):
            end_s = max(end_s, draft.end_s)
            for one in renditions:
                one.write(draft)
    size = sum(one.bytes for one in renditions)
    elapsed = time.perf_counter() - started
    return PublishReport(str(root / PLAYLIST), size, end_s, elapsed, tuple(encoder.remarks))


class _Rendition:
    """One rate of a live stream."""

    def __init__(
        self,
        root: Path,
        rate: int | str,
        encoder: Encoder,
        settings: EncodeSettings,
        live: LiveSettings,
        force: bool,
    ) -> None:
        prompt = rate == PROMPT_RATE
        bits = _PROMPT_PICTURE + settings.descriptor_bit_rate if prompt else int(rate)
        name = _rate_name(rate)
        folder = root if len(live.rates) == 1 else _fresh(root / name, force)
        kind = Kind.LIVE if live.window_s else Kind.EVENT
        window_s = max(live.window_s, _LEAST_WINDOW * live.latency_s) if live.window_s else inf
        self._segments = Segmenter(folder, encoder.header, live.latency_s, kind, window_s)
        self._buffer = None if prompt else Buffer(bits, live.latency_s)
        self.variant = _variant(name, bits)
        self.close = self._segments.close

    @property
    def bytes(self) -> int:
        return self._segments.bytes

    def write(self, draft: Draft) -> None:
        cue: Cue = self._buffer.choose(draft) if self._buffer else draft.with_option(None)
        packet = self._segments.write(cue)
        if self._buffer:
            self._buffer.spend(packet.wire_bytes)


def _rate_name(rate: int | str) -> str:
    """The name of a rate, such as 2k or prompt."""
    return f"{rate / 1000:g}k" if isinstance(rate, int) else rate


def _live_settings(settings: EncodeSettings, live: LiveSettings) -> EncodeSettings:
    """What the search for sketches is to aim at."""
    rates = sorted(rate for rate in live.rates if isinstance(rate, int))
    if any(isinstance(rate, str) and rate != PROMPT_RATE for rate in live.rates):
        raise UsageError(f"a rate is a number of bits a second or {PROMPT_RATE}")
    if not live.rates or len(set(live.rates)) < len(live.rates):
        raise UsageError("give each rate once")
    if rates and rates[-1] > _FROM_RATE * rates[0]:
        raise UsageError(f"the highest rate can be {_FROM_RATE:g} times the lowest")
    middle = round((rates[0] * rates[-1]) ** 0.5) if rates else None
    profile = settings.profile if rates else Profile.PROMPT
    return replace(
        settings, profile=profile, bit_rate=middle, longest_s=live.latency_s, partial=True
    )


def _variant(name: str, bit_rate: int) -> Variant:
    """What a master playlist says of the rate in the folder ``name``."""
    return Variant(f"{quote(name)}/{PLAYLIST}", bit_rate, name)


def _segmented(source: Path, folder: Path, segment_s: float) -> Segmenter:
    """Cut a stream into segments."""
    if not source.is_file():
        raise UsageError(f"{source}: no such file")
    with source.open("rb") as file:
        try:
            reader = StreamReader(file)
            segments = Segmenter(folder, reader.header, segment_s)
            for packet in reader.cues():
                segments.write(packet.cue)
        except BitstreamError as error:
            raise error.within(str(source)) from error
    segments.close()
    if not segments.duration_s:
        raise UsageError(f"{source}: has nothing to cut into segments")
    return segments


def _fresh(folder: Path, force: bool) -> Path:
    """A folder without segments; those of an earlier run are removed if that is wished."""
    if (folder / PLAYLIST).exists() and not force:
        raise UsageError(f"{folder / PLAYLIST}: exists; --force overwrites it")
    folder.mkdir(parents=True, exist_ok=True)
    for old in (folder / PLAYLIST, *folder.glob("*.mms"), *folder.glob("header-*.mmc")):
        old.unlink(missing_ok=True)
    return folder
