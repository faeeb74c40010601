"""Playlists of HTTP Live Streaming (RFC 8216): what segments there are, and at what rates."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from urllib.parse import quote

from mmcodec.errors import MediaError

_VERSION = 6
"""From this version on a playlist of whole segments may have a map."""
MAX_ENTRIES = 20_000
"""Segments of a playlist: those of 33 hours."""
_LONGEST_S = 3600
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9+/=._-]")


class Kind(Enum):
    """Whether segments are still added, and removed; the values are those of the playlist."""

    VOD = "VOD"
    EVENT = "EVENT"
    LIVE = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A segment: its number counts from the start of the stream."""

    number: int
    uri: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """Segments in order; ``map_uri`` is where the header of the stream is."""

    map_uri: str
    entries: tuple[Entry, ...]
    target_s: int
    """No segment is longer, rounded to whole seconds."""
    kind: Kind
    ended: bool

    def from_above(self, folder: str) -> MediaPlaylist:
        """The playlist as it is beside the ``folder`` of its segments."""
        place = quote(folder)
        entries = tuple(replace(one, uri=f"{place}/{one.uri}") for one in self.entries)
        return replace(self, map_uri=f"{place}/{self.map_uri}", entries=entries)

    def text(self) -> str:
        """The playlist as it is served."""
        first = self.entries[0].number if self.entries else 0
        lines = [
            f"#EXTM3U\n#EXT-X-VERSION:{_VERSION}",
            f"#EXT-X-TARGETDURATION:{self.target_s}",
            f"#EXT-X-MEDIA-SEQUENCE:{first}",
            *([f"#EXT-X-PLAYLIST-TYPE:{self.kind.value}"] if self.kind.value else []),
            f'#EXT-X-MAP:URI="{self.map_uri}"',
            *(f"#EXTINF:{entry.duration_s:.3f},\n{entry.uri}" for entry in self.entries),
            *(["#EXT-X-ENDLIST"] if self.ended else []),
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the rates at which a stream can be had."""

    uri: str
    bit_rate: int
    name: str


def master_text(variants: Sequence[Variant]) -> str:
    """A playlist of the playlists of all rates."""
    lines = [f"#EXTM3U\n#EXT-X-VERSION:{_VERSION}"]
    for one in variants:
        name = f'STABLE-VARIANT-ID="{_NOT_IN_ID.sub("_", one.name)}"'
        lines.append(f"#EXT-X-STREAM-INF:BANDWIDTH={one.bit_rate},{name}\n{one.uri}")
    return "\n".join(lines) + "\n"


def parse_playlist(text: str) -> MediaPlaylist | tuple[Variant, ...]:
    """A playlist of segments, or of rates, the lowest first.

    Raises:
        MediaError: it is neither, or breaks the limits.
    """
    import m3u8

    if text.count("#EXTINF") > MAX_ENTRIES:
        raise MediaError(f"a playlist of more than {MAX_ENTRIES} segments")
    if not text.startswith("#EXTM3U"):
        raise MediaError("not a playlist (it does not start with #EXTM3U)")
    try:
        parsed = m3u8.loads(text)
        return _variants(parsed) if parsed.is_variant else _media(parsed)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise MediaError(f"a playlist that cannot be read ({error})") from error


def _variants(parsed: object) -> tuple[Variant, ...]:
    found = [
        Variant(
            one.uri,
            int(one.stream_info.bandwidth),
            str(one.stream_info.stable_variant_id or one.stream_info.bandwidth),
        )
        for one in parsed.playlists  # type: ignore[attr-defined]
    ]
    return tuple(sorted(found, key=lambda one: one.bit_rate))


def _media(parsed: object) -> MediaPlaylist:
    segments = list(parsed.segments)  # type: ignore[attr-defined]
    maps = list(parsed.segment_map)  # type: ignore[attr-defined]
    if segments and len(maps) != 1:
        raise MediaError("a playlist without the header of its stream (EXT-X-MAP)")
    first = int(parsed.media_sequence or 0)  # type: ignore[attr-defined]
    entries = tuple(
        Entry(number, one.uri, float(one.duration)) for number, one in enumerate(segments, first)
    )
    if not all(math.isfinite(e.duration_s) and 0 < e.duration_s <= _LONGEST_S for e in entries):
        raise MediaError("a playlist with a segment of no or endless duration")
    kind = Kind(getattr(parsed, "playlist_type", None) and str(parsed.playlist_type).upper())  # type: ignore[attr-defined]
    target = min(max(int(parsed.target_duration or 1), 1), _LONGEST_S)  # type: ignore[attr-defined]
    uri = maps[0].uri if maps else ""
    return MediaPlaylist(uri, entries, target, kind, bool(parsed.is_endlist))  # type: ignore[attr-defined]
