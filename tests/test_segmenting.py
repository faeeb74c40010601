"""Segments: each can be begun with, all of them are the stream, and no file is ever half there."""

import io
import math
import threading
import time

import pytest
from streams import HEADER, cues, stream

from mmcodec.bitstream.packets import END_PACKET
from mmcodec.bitstream.reader import StreamReader
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.errors import UsageError
from mmcodec.streaming.playlist import Kind, MediaPlaylist, parse_playlist
from mmcodec.streaming.segmenting import PLAYLIST, Segmenter
from mmcodec.timeline import TrackKind, VideoTrack


def published(folder) -> MediaPlaylist:
    playlist = parse_playlist((folder / PLAYLIST).read_text(encoding="utf-8"))
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def segmented(folder, shots=12, target_s=4.0, kind=Kind.VOD, window_s=math.inf):
    segments = Segmenter(folder, HEADER, target_s, kind, window_s)
    for cue in cues(shots):
        segments.write(cue)
    segments.close()
    return segments


def read(*parts: bytes, joining=False):
    reader = StreamReader(io.BytesIO(b"".join(parts) + END_PACKET), joining=joining)
    return [packet.cue for packet in reader.cues()]


@pytest.mark.parametrize("kind", Kind)
def test_all_segments_are_the_stream(tmp_path, kind):
    segmented(tmp_path, kind=kind)
    playlist = published(tmp_path)
    files = [playlist.map_uri, *(entry.uri for entry in playlist.entries)]
    assert read(*((tmp_path / name).read_bytes() for name in files)) == list(cues(12))
    assert playlist.ended
    assert sum(entry.duration_s for entry in playlist.entries) == pytest.approx(24, abs=0.05)


@pytest.mark.parametrize("kind", Kind)
def test_each_segment_is_decoded_by_itself_in_its_place(tmp_path, kind):
    segmented(tmp_path, kind=kind)
    playlist, found = published(tmp_path), []
    header = (tmp_path / playlist.map_uri).read_bytes()
    for entry in playlist.entries:
        found += read(header, (tmp_path / entry.uri).read_bytes(), joining=True)
    assert found == list(cues(12))


def test_segments_are_as_long_as_wished(tmp_path):
    segmented(tmp_path, target_s=6)
    playlist = published(tmp_path)
    assert [entry.duration_s for entry in playlist.entries] == [6, 6, 6, 6]
    assert playlist.target_s == 6
    assert [entry.number for entry in playlist.entries] == [0, 1, 2, 3]


def test_a_live_window_slides_and_old_files_go(tmp_path):
    segments = Segmenter(tmp_path, HEADER, 2, Kind.LIVE, 6)
    most = 0
    for cue in cues(60):
        segments.write(cue)
        most = max(most, len(list(tmp_path.iterdir())))
    playlist = published(tmp_path)
    assert not playlist.ended
    assert [entry.duration_s for entry in playlist.entries] == [2, 2, 2]
    assert playlist.entries[-1].number == 59
    assert most <= 10
    assert all((tmp_path / entry.uri).exists() for entry in playlist.entries)


def test_the_target_duration_of_a_live_playlist_never_changes(tmp_path):
    segments = Segmenter(tmp_path, HEADER, 4, Kind.LIVE, 60)
    targets = set()
    for cue in cues(9):
        segments.write(cue)
        if (tmp_path / PLAYLIST).exists():
            targets.add(published(tmp_path).target_s)
    assert targets == {5}


def test_sound_after_the_last_shot_is_there(tmp_path):
    segments = Segmenter(tmp_path, HEADER, 2, Kind.LIVE)
    wanted = list(cues(2))
    *rest, last = sorted(wanted, key=lambda cue: cue.track is TrackKind.AUDIO)
    for cue in [*rest, last]:
        segments.write(cue)
    segments.close()
    playlist = published(tmp_path)
    names = [playlist.map_uri, *(entry.uri for entry in playlist.entries)]
    assert read(*((tmp_path / name).read_bytes() for name in names))[-1] == last


def test_what_is_named_is_whole_at_any_time(tmp_path):
    """A reader beside the writer never sees a file that is not in its final state."""
    over, seen = threading.Event(), {}

    def look():
        while not over.is_set():
            for path in tmp_path.glob("*.mm?"):
                if not path.name.startswith("."):
                    data = path.read_bytes()
                    assert seen.setdefault(path.name, data) == data
            if (tmp_path / PLAYLIST).exists():
                published(tmp_path)

    failures = []
    watcher = threading.Thread(target=lambda: failures.append(_error(look)))
    watcher.start()
    segments = Segmenter(tmp_path, HEADER, 2, Kind.EVENT)
    for cue in cues(40):
        segments.write(cue)
        time.sleep(0.001)
    segments.close()
    over.set()
    watcher.join()
    assert failures == [None]
    assert len(seen) > 20


def _error(work):
    try:
        work()
    except Exception as error:
        return error


def test_a_photograph_is_refused(tmp_path):
    header = StreamHeader(VideoTrack(64, 64, HEADER.video.frame_rate, still=True), None)
    with pytest.raises(UsageError, match="photograph"):
        Segmenter(tmp_path, header, 4)


def test_clocks_cost_few_bytes(tmp_path):
    size = segmented(tmp_path, shots=30, target_s=4).bytes
    assert size < 1.03 * len(stream(30))


def test_a_reader_that_joins_has_the_time(tmp_path):
    segmented(tmp_path)
    playlist = published(tmp_path)
    header, last = playlist.map_uri, playlist.entries[-1].uri
    found = read((tmp_path / header).read_bytes(), (tmp_path / last).read_bytes(), joining=True)
    assert [(cue.span.start, cue.prompt.text) for cue in found if cue.track is TrackKind.VIDEO] == [
        (240, "Scene 10."),
        (264, "Scene 11."),
    ]
