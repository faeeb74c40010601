"""Playlists: written as RFC 8216 has them, and read with doubt."""

import contextlib

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcodec.errors import MediaError
from mmcodec.streaming.playlist import (
    Entry,
    Kind,
    MediaPlaylist,
    Variant,
    master_text,
    parse_playlist,
)

MEDIA = MediaPlaylist(
    "header.mmc", (Entry(7, "7.mms", 3.96), Entry(8, "8.mms", 4.0)), 4, Kind.LIVE, ended=False
)
RATES = (Variant("1k/index.m3u8", 1000, "1k"), Variant("2k/index.m3u8", 2000, "2k"))


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("ended", [True, False])
def test_a_playlist_is_read_as_it_was_written(kind, ended):
    playlist = MediaPlaylist("header.mmc", MEDIA.entries, 4, kind, ended)
    assert parse_playlist(playlist.text()) == playlist


def test_rates_are_read_as_they_were_written_the_lowest_first():
    assert parse_playlist(master_text(RATES[::-1])) == RATES


def test_a_playlist_of_nothing_yet():
    playlist = MediaPlaylist("header.mmc", (), 5, Kind.LIVE, ended=False)
    assert parse_playlist(playlist.text()).entries == ()


def test_others_read_it():
    found = m3u8.loads(MEDIA.text())
    assert found.version == 6
    assert found.target_duration == 4
    assert [(one.uri, one.duration) for one in found.segments] == [("7.mms", 3.96), ("8.mms", 4.0)]
    assert found.segments[0].init_section.uri == "header.mmc"


def test_seen_from_the_folder_above():
    above = MEDIA.from_above("clip")
    assert above.map_uri == "clip/header.mmc"
    assert [one.uri for one in above.entries] == ["clip/7.mms", "clip/8.mms"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a playlist"),
        ("<html>", "not a playlist"),
        ("#EXTM3U\n#EXTINF:4,\n1.mms\n", "EXT-X-MAP"),
        (MEDIA.text().replace("3.960", "nan"), "duration"),
        (MEDIA.text().replace("3.960", "-1"), "duration"),
        (MEDIA.text().replace("3.960", "inf"), "duration"),
        (MEDIA.text().replace("3.960", "four"), "cannot be read"),
        (MEDIA.text().replace("SEQUENCE:7", "SEQUENCE:x"), "cannot be read"),
        (master_text(RATES).replace("1000", "many"), "cannot be read"),
    ],
)
def test_what_is_none_is_refused_in_one_line(text, words):
    with pytest.raises(MediaError, match=words) as caught:
        parse_playlist(text)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=300))
def test_any_text_is_a_playlist_or_refused(text):
    with contextlib.suppress(MediaError):
        parse_playlist("#EXTM3U\n" + text)
