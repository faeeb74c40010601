"""Rendering as it arrives: every tick has its picture and sound, whatever was lost or late."""

import io

import av
import pytest
from streams import HEADER, cues

from mmcodec.bitstream.packets import END_PACKET
from mmcodec.bitstream.writer import StreamWriter
from mmcodec.media.mux import FRAGMENTED
from mmcodec.pipeline.settings import DecodeSettings
from mmcodec.streaming.receiver import Arrival, Pipe
from mmcodec.streaming.rendering import Renderer

SHOTS = 6


def arrivals(left_out=(), shots=SHOTS):
    """A segment for every second cue, some of them lost on the way."""
    sink, whole = io.BytesIO(), []
    writer = StreamWriter(sink, HEADER)
    header = sink.getvalue()
    for number, cue in enumerate(cues(shots)):
        at = sink.tell()
        writer.write(cue, restart=number % 2 == 0)
        if number % 2 == 0:
            whole.append(b"")
        whole[-1] += sink.getvalue()[at:]
    for number, data in enumerate(whole):
        pipe = Pipe()
        pipe.write(header + (b"" if number in left_out else data) + END_PACKET)
        pipe.close()
        yield Arrival(number, "2k", pipe)


def rendered(left_out=(), target=None, suffix=".mkv", **options):
    target = target or io.BytesIO()
    renderer = Renderer(target, suffix, DecodeSettings(), **options)
    found = [one for arrival in arrivals(left_out) for one in renderer.render(arrival)]
    return found, renderer.close(), target


def tracks(data):
    data.seek(0)
    with av.open(data) as media:
        pictures = sum(1 for _ in media.decode(video=0))
        media.seek(0)
        samples = sum(frame.samples for frame in media.decode(audio=0))
    return pictures, samples


def test_all_that_arrives_is_in_the_output():
    found, seconds, target = rendered()
    assert seconds == pytest.approx(12)
    assert [one.packet.cue for one in found] == list(cues(SHOTS))
    assert not any(one.held for one in found)
    pictures, samples = tracks(target)
    assert pictures == 12 * 12
    assert samples == pytest.approx(12 * 8000, abs=2048)


def test_a_lost_segment_is_bridged():
    found, _, target = rendered(left_out=(1,))
    assert len(found) < len(list(cues(SHOTS)))
    pictures, samples = tracks(target)
    assert pictures == 12 * 12
    assert samples == pytest.approx(12 * 8000, abs=2048)


def test_fragments_can_be_played_from_a_pipe():
    class Pipe(io.RawIOBase):
        data = b""

        def writable(self):
            return True

        def write(self, piece):
            self.data += bytes(piece)
            return len(piece)

    _, _, target = rendered(target=Pipe(), suffix=FRAGMENTED)
    kinds = [target.data[at + 4 : at + 8] for at in boxes(target.data)]
    assert kinds[:2] == [b"ftyp", b"moov"]
    assert kinds.count(b"moof") >= 5
    assert tracks(io.BytesIO(target.data))[0] == 12 * 12


def boxes(data):
    at = 0
    while at < len(data):
        yield at
        at += int.from_bytes(data[at : at + 4], "big")


def test_a_page_is_told_the_encoders():
    renderer = Renderer(io.BytesIO(), ".mkv", DecodeSettings())
    next(renderer.render(next(arrivals())))
    assert renderer.media.codecs.startswith("avc1.")
    assert len(renderer.media.codecs) == len("avc1.64000a, mp4a.40.2")
    assert "000001" not in renderer.media.codecs
    renderer.close()


def test_who_is_late_holds_the_picture_and_keeps_the_sound():
    """Each look at the clock takes a second and a half: rendering is slower than playing."""
    times = iter(range(0, 10_000))
    found, _, target = rendered(in_time=True, clock=lambda: next(times) * 1.5)
    held = [one.packet.cue.track.name for one in found if one.held]
    assert held
    assert set(held) == {"VIDEO"}
    pictures, samples = tracks(target)
    assert pictures == 12 * 12
    assert samples == pytest.approx(12 * 8000, abs=2048)


def test_damage_is_remarked_and_passed():
    renderer = Renderer(io.BytesIO(), ".mkv", DecodeSettings())
    pipe = Pipe()
    pipe.write(b"no header")
    pipe.close()
    assert list(renderer.render(Arrival(3, "", pipe))) == []
    assert "segment 3" in renderer.remarks[0]
    assert renderer.close() == 0


@pytest.mark.parametrize("order", [(0, 1, 20, 21), (20, 21, 0, 1)])
def test_a_jump_of_the_time_is_none_of_the_output(order):
    """Who goes on at the live edge, or at a stream that has begun anew, does not wait for it."""
    renderer = Renderer(io.BytesIO(), ".mkv", DecodeSettings())
    coming = list(arrivals(shots=30))
    for number in order:
        for one in renderer.render(coming[number]):
            assert abs(one.end_s - renderer.origin_s - renderer.seconds) < 4
    assert 5 < renderer.seconds < 14
    media = renderer.media
    assert media.picture_seconds == pytest.approx(media.sound_seconds, abs=4)
    renderer.close()
