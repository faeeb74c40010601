"""Streams as tables for people and as plain values for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from mmcodec import CodedPhotograph, Cue, CuePacket, EncodeReport, StreamInfo, Synthesis

_SENT_AS = {"voice": "text", "vocoder": "vocoder", "opus": "opus"}


def stream_values(stream: StreamInfo) -> dict[str, object]:
    """What a stream is, in JSON types."""
    video, audio = stream.header.video, stream.header.audio
    return {
        "bytes": stream.bytes,
        "duration_s": round(stream.duration_s, 3),
        "bit_rate": _rounded(stream.bit_rate),
        "micro_bits_per_pixel": _rounded(stream.micro_bits_per_pixel),
        "bytes_by_layer": dict(stream.account),
        "video": video
        and {
            "width": video.width,
            "height": video.height,
            "frame_rate": str(video.frame_rate),
            "still": video.still,
        },
        "audio": audio and {"sample_rate": audio.sample_rate, "channels": audio.channels},
        "video_synthesis": _set(stream.header.video_synthesis),
        "audio_synthesis": _set(stream.header.audio_synthesis),
        "shots": _count(stream, "video"),
        "segments": _count(stream, "audio"),
        "truncated": stream.error is not None,
        "damage": list(stream.damage),
    }


def cue_values(stream: StreamInfo) -> list[dict[str, object]]:
    """The cues of a stream in JSON types."""
    values: list[dict[str, object]] = []
    for packet in stream.packets:
        start, end = stream.timeline.seconds(packet.cue.span)
        values.append(
            {
                "track": packet.cue.track.name.lower(),
                "kind": _kind(packet.cue),
                "speech": _sent_as(packet),
                "start_s": round(float(start), 3),
                "end_s": round(float(end), 3),
                "prompt": packet.cue.prompt.text,
                "synthesis": _set(packet.cue.synthesis),
                "lost": packet.lost,
                "bytes": packet.wire_bytes,
                "bytes_by_layer": dict(packet.account()),
            }
        )
    return values


def encode_values(
    report: EncodeReport, compared: Sequence[CodedPhotograph] = ()
) -> dict[str, object]:
    """An encode in JSON types; of a photograph, ``compared`` with other codecs."""
    beside = {"compared": [asdict(coded) for coded in compared]} if compared else {}
    return {
        "output": report.target,
        "source_bytes": report.source_bytes,
        "ratio": _rounded(report.ratio),
        "elapsed_s": round(report.elapsed_s, 3),
        "speed": round(report.speed, 2),
        "damaged_packets": report.damaged_packets,
        "remarks": list(report.remarks),
        **stream_values(report.stream),
        **beside,
    }


def photograph_table(report: EncodeReport, compared: Sequence[CodedPhotograph]) -> Table:
    """A photograph beside the smallest files of other codecs that are as near to its source."""
    table = _table("as near to the source (SSIM)", "", "bytes", "relative", "SSIM", "PSNR")
    if report.source_bytes:
        table.add_row("source", f"{report.source_bytes:,}")
    for coded in compared:
        relative = f"{100 * coded.bytes / compared[0].bytes:.0f} %"
        near = f"{coded.ssim:.3f}", f"{coded.psnr:.1f} dB"
        table.add_row(coded.codec, f"{coded.bytes:,}", relative, *near)
    return table


def encode_table(report: EncodeReport) -> Table:
    """The table at the end of an encode."""
    stream, seconds = report.stream, _seconds(report.stream)
    table = _table(report.target, "", "bytes", "kbit/s", "share")
    if report.source_bytes is not None:
        table.add_row("source", f"{report.source_bytes:,}", _kbit(report.source_bytes, seconds), "")
    table.add_row("stream", f"{stream.bytes:,}", _kbit(stream.bytes, seconds), "100 %")
    _add_layers(table, stream)
    table.add_section()
    if report.ratio:
        table.add_row("ratio", f"{report.ratio:,.0f} : 1")
    if stream.micro_bits_per_pixel:
        table.add_row("micro-bits per pixel", f"{stream.micro_bits_per_pixel:,.1f}")
    _add_counts(table, stream)
    if seconds:
        table.add_row("duration", f"{seconds:.2f} s")
        table.add_row("speed", f"{report.speed:.1f} x real time")
    return table


def stream_table(stream: StreamInfo, name: str) -> Table:
    """The bytes of a stream by layer."""
    table = _table(name, "", "bytes", "kbit/s", "share")
    table.add_row("stream", f"{stream.bytes:,}", _kbit(stream.bytes, _seconds(stream)), "100 %")
    _add_layers(table, stream)
    table.add_section()
    header = stream.header
    video, audio = header.video, header.audio
    if video:
        rate = "" if video.still else f", {float(video.frame_rate):.5g} frame/s"
        table.add_row("picture", f"{video.width}x{video.height}{rate}")
    if audio:
        layout = "mono" if audio.channels == 1 else "stereo"
        table.add_row("sound", f"{audio.sample_rate} Hz, {layout}")
    for name, synthesis in (("picture", header.video_synthesis), ("sound", header.audio_synthesis)):
        if values := _set(synthesis):
            table.add_row(f"{name} made for", _printable(_listed(values)))
    _add_counts(table, stream)
    if not stream.is_still:
        table.add_row("duration", f"{stream.duration_s:.2f} s")
    return table


def cue_table(stream: StreamInfo) -> Table:
    """The cues of a stream with their prompts."""
    table = _table(None, "time", "kind", "bytes", "prompt")
    for packet in stream.packets:
        start, end = stream.timeline.seconds(packet.cue.span)
        table.add_row(
            f"{float(start):.2f}-{float(end):.2f} s",
            _shown_kind(packet),
            str(packet.wire_bytes),
            _printable(packet.cue.prompt.text),
        )
    return table


def _table(title: str | None, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for column in columns:
        right = column in ("bytes", "kbit/s", "share", "relative")
        table.add_column(
            column,
            justify="right" if right else "left",
            no_wrap=column not in ("prompt", "bytes"),
            overflow="fold",
        )
    return table


def _add_layers(table: Table, stream: StreamInfo) -> None:
    for name, size in stream.account.items():
        share = f"{100 * size / stream.bytes:.0f} %"
        table.add_row(f"  {name}", f"{size:,}", _kbit(size, _seconds(stream)), share)


def _add_counts(table: Table, stream: StreamInfo) -> None:
    table.add_row("shots", str(_count(stream, "video")))
    table.add_row("segments", str(_count(stream, "audio")))


def _listed(values: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _printable(text: str) -> str:
    """``text`` on one line, without the codes by which it could steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _set(synthesis: Synthesis) -> dict[str, object]:
    return {name: value for name, value in asdict(synthesis).items() if value is not None}


def _count(stream: StreamInfo, track: str) -> int:
    return sum(packet.cue.track.name.lower() == track for packet in stream.packets)


def _kind(cue: Cue) -> str:
    kind = getattr(cue.span, "kind", None)
    return "shot" if kind is None else str(kind.name.lower())


def _sent_as(packet: CuePacket) -> str | None:
    """How the speech of a cue is sent, if it is: words that are sure, or what it sounds like."""
    layers = packet.account() if _kind(packet.cue) == "speech" else {}
    return next((as_ for layer, as_ in _SENT_AS.items() if layers.get(layer)), None)


def _shown_kind(packet: CuePacket) -> str:
    sent_as = _sent_as(packet)
    kind = "lost" if packet.lost else _kind(packet.cue)
    return f"{kind} ({sent_as})" if sent_as else kind


def _seconds(stream: StreamInfo) -> float:
    """The duration, or 0 for a still."""
    return 0.0 if stream.is_still else stream.duration_s


def _kbit(size: int, seconds: float) -> str:
    return f"{size * 8 / seconds / 1000:,.2f}" if seconds else ""


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
