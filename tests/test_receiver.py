"""The receiver, over links that fail in known ways: a network in memory, a clock that is turned."""

import math

import httpx2
import pytest
from streams import HEADER, FolderOrigin, cues

from mmcodec.bitstream.reader import StreamReader
from mmcodec.errors import MediaError, UsageError
from mmcodec.streaming.playlist import Kind, Variant, master_text, parse_playlist
from mmcodec.streaming.receiver import Pipe, Receiver, Reception
from mmcodec.streaming.segmenting import PLAYLIST, Segmenter

SHOTS = 8


class Clock:
    """Time that passes only by sleeping; ``then`` is done at every sleep."""

    def __init__(self, then=lambda: None):
        self.now, self._then = 0.0, then

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += max(seconds, 0.01)
        self._then()


def publish(folder, shots=SHOTS, kind=Kind.VOD, window_s=math.inf):
    folder.mkdir(exist_ok=True, parents=True)
    segments = Segmenter(folder, HEADER, 4.0, kind, window_s)
    for cue in cues(shots):
        segments.write(cue)
    segments.close()
    return parse_playlist((folder / PLAYLIST).read_text()).entries


@pytest.fixture
def origin(tmp_path):
    publish(tmp_path)
    return FolderOrigin(tmp_path)


def receive(origin, reception=None, url="http://origin/index.m3u8", clock=None, **options):
    """All cues received, and the reception."""
    reception, clock = reception or Reception(), clock or Clock()
    found = []
    with origin.client() as client:
        receiver = Receiver(client, url, reception, clock=clock, sleep=clock.sleep, **options)
        arrivals = receiver.arrivals()
        arrived = next(arrivals, None)
        while arrived:
            coming = next(arrivals, None)  # the body arrives when the next one is asked for
            found += cues_of(arrived)
            arrived = coming
    return found, reception


def cues_of(arrival):
    reader = StreamReader(arrival.stream, joining=True, conceal=True)
    return [packet.cue for packet in reader.cues()]


def test_all_of_a_stream_arrives(origin):
    found, reception = receive(origin)
    assert found == list(cues(SHOTS))
    assert reception.media_s == pytest.approx(16, abs=0.05)
    assert not reception.live
    assert reception.notes == []


def test_bytes_are_those_of_heads_and_bodies(origin):
    _, reception = receive(origin)
    bodies = sum((origin.folder / name).stat().st_size for name in origin.asked)
    assert bodies <= reception.bytes < bodies + 60 * len(origin.asked)


def test_the_header_is_asked_for_once(origin):
    receive(origin)
    assert len(origin.asked) == len(set(origin.asked))


@pytest.mark.parametrize("at", [1, 7, 100, 333])
def test_a_cut_in_the_middle_goes_on_at_the_byte(origin, at):
    name = parse_playlist((origin.folder / PLAYLIST).read_text()).entries[1].uri
    origin.faults[name] = [-at, -at]
    found, reception = receive(origin)
    assert found == list(cues(SHOTS))
    assert "dropped" in reception.notes[0]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 404])
def test_an_answer_that_fails_once_is_asked_for_again(origin, status):
    name = parse_playlist((origin.folder / PLAYLIST).read_text()).entries[1].uri
    origin.faults[name] = [status]
    assert receive(origin)[0] == list(cues(SHOTS))


def test_a_link_that_stalls_is_waited_for(origin):
    name = parse_playlist((origin.folder / PLAYLIST).read_text()).entries[2].uri
    origin.faults[name] = [httpx2.ReadTimeout("stalled"), -77, httpx2.ConnectTimeout("stalled")]
    clock = Clock()
    found, reception = receive(origin, clock=clock)
    assert found == list(cues(SHOTS))
    assert any("stalled" in note for note in reception.notes)
    assert clock.now < 5


def test_a_playlist_is_fetched_in_one_go(origin):
    """After a drop it may be another one: what came of the old one is of no use."""
    origin.faults[PLAYLIST] = [-40, -120]
    assert receive(origin)[0] == list(cues(SHOTS))


def test_a_segment_that_is_missing_is_left_out(origin):
    entry = parse_playlist((origin.folder / PLAYLIST).read_text()).entries[1]
    (origin.folder / entry.uri).unlink()
    found, reception = receive(origin)
    spans = [cue.span for cue in found]
    assert spans == [c.span for c in cues(SHOTS) if c.span in spans]
    assert 0 < len(spans) < len(list(cues(SHOTS)))
    assert "segment 1 is missing" in reception.notes[0]


def test_a_stalled_origin_is_waited_for(origin):
    origin.faults[PLAYLIST] = [503] * 4
    clock = Clock()
    assert receive(origin, clock=clock)[0] == list(cues(SHOTS))
    assert 3 < clock.now < 10


def test_an_origin_that_never_answered_is_given_up_soon(origin):
    origin.faults[PLAYLIST] = [503] * 1000
    clock = Clock()
    with pytest.raises(MediaError, match="no answer"):
        receive(origin, clock=clock)
    assert 5 < clock.now < 11


def test_an_origin_that_is_gone_for_good_is_given_up(origin):
    origin.faults[parse_playlist((origin.folder / PLAYLIST).read_text()).entries[1].uri] = [
        503
    ] * 1000
    clock = Clock()
    with pytest.raises(MediaError, match="no answer"):
        receive(origin, clock=clock)
    assert 60 < clock.now < 70


def test_a_token_is_told_to_no_other_host(origin):
    playlist = origin.folder / PLAYLIST
    playlist.write_text(playlist.read_text().replace("00000", "http://elsewhere/00000"))
    receive(origin, token="secret")
    assert origin.tokens == {"origin": "Bearer secret", "elsewhere": None}


def test_there_is_no_such_playlist(origin):
    with pytest.raises(UsageError, match="no such playlist"):
        receive(origin, url="http://origin/other.m3u8")
    (origin.folder / "page.m3u8").write_text("<html>")
    with pytest.raises(MediaError, match=r"page.m3u8: not a playlist"):
        receive(origin, url="http://origin/page.m3u8")


def test_what_is_too_long_is_refused(origin, monkeypatch):
    monkeypatch.setattr("mmcodec.streaming.receiver.MAX_SEGMENT_BYTES", 100)
    with pytest.raises(MediaError, match="over 100 bytes"):
        receive(origin)


def live(folder):
    """A live stream to which a shot is added at every second call."""
    folder.mkdir(exist_ok=True, parents=True)
    segments = Segmenter(folder, HEADER, 2.0, Kind.LIVE, 8.0)
    coming, calls = cues(30), [0]

    def more():
        calls[0] += 1
        if calls[0] % 2:
            cue = next(coming, None)
            segments.write(cue) if cue else segments.close()

    for _ in range(20):
        more()
    return more


def test_a_live_stream_is_followed_from_near_its_edge_to_its_end(tmp_path):
    more = live(tmp_path)
    found, reception = receive(FolderOrigin(tmp_path), clock=Clock(more))
    shots = [cue.span.start for cue in found if cue.span.duration == 24]
    assert shots[0] > 0
    assert shots == list(range(shots[0], 30 * 24, 24))
    assert reception.live is False


def test_who_falls_behind_goes_on_at_the_edge(tmp_path):
    more = live(tmp_path)
    clock = Clock(more)
    reception = Reception()
    with FolderOrigin(tmp_path).client() as client:
        url = "http://origin/index.m3u8"
        receiver = Receiver(client, url, reception, clock=clock, sleep=clock.sleep)
        arrivals = receiver.arrivals()
        first = next(arrivals).number
        for _ in range(60):
            more()
        numbers = [arrival.number for arrival in arrivals]
    assert numbers[1] > first + 4
    assert any("segments are gone" in note for note in reception.notes)


def test_a_playlist_that_lags_is_asked_again(tmp_path):
    more = live(tmp_path)
    lagging, calls = (tmp_path / PLAYLIST).read_text(), [0]

    class Lagging(FolderOrigin):
        def _answer(self, request):
            calls[0] += 1
            if request.url.path == "/index.m3u8" and calls[0] % 3:
                (self.folder / "old.m3u8").write_text(lagging)
                request.url = request.url.copy_with(path="/old.m3u8")
            return super()._answer(request)

    found, _ = receive(Lagging(tmp_path), clock=Clock(more))
    shots = [cue.span.start for cue in found if cue.span.duration == 24]
    assert shots == sorted(set(shots))
    assert shots[-1] == 29 * 24


@pytest.fixture
def rates(tmp_path):
    for name in ("low", "high"):
        publish(tmp_path / name, shots=20)
    variants = (Variant("low/index.m3u8", 1000, "low"), Variant("high/index.m3u8", 8000, "high"))
    (tmp_path / PLAYLIST).write_text(master_text(variants))
    return FolderOrigin(tmp_path)


class Slow(FolderOrigin):
    """An origin whose answers take their time."""

    clock, bit_rate = None, 8000.0

    def _answer(self, request):
        answer = super()._answer(request)
        self.clock.now += sum(map(len, answer.stream)) * 8 / self.bit_rate
        return answer


@pytest.mark.parametrize(("bit_rate", "name"), [(4000, "low"), (64_000, "high")])
def test_the_rate_is_what_the_link_carries(rates, bit_rate, name):
    slow = Slow(rates.folder)
    slow.clock, slow.bit_rate = Clock(), bit_rate
    found, reception = receive(slow, clock=slow.clock)
    assert found == list(cues(20))
    assert reception.current == name
    assert reception.throughput == pytest.approx(bit_rate, rel=0.5)


def rates_taken(origin, then, reception=None, clock=None):
    """The names of the rates of the segments; ``then`` is told the number of each that comes."""
    reception, clock, names = reception or Reception(), clock or Clock(), []
    with origin.client() as client:
        url = "http://origin/index.m3u8"
        receiver = Receiver(client, url, reception, clock=clock, sleep=clock.sleep)
        for number, arrival in enumerate(receiver.arrivals()):
            names.append(arrival.rate)
            then(number)
    assert len(names) == 10
    return names


@pytest.mark.parametrize(
    ("bit_rate", "change", "names"), [(64_000, 0.5, ("high", "low")), (2000, 2, ("low", "high"))]
)
def test_the_rate_follows_a_link_that_gets_narrow_or_starts_slowly(rates, bit_rate, change, names):
    slow = Slow(rates.folder)
    slow.clock, slow.bit_rate = Clock(), bit_rate

    def then(_):
        slow.bit_rate *= change

    taken = rates_taken(slow, then, clock=slow.clock)
    assert (taken[0], taken[-1]) == names


def test_who_renders_too_slowly_gets_a_lower_rate(rates):
    reception = Reception()

    def then(number):
        reception.behind = number in (3, 4)

    taken = rates_taken(rates, then, reception)
    assert taken[3:6] == ["high", "low", "low"]
    assert taken[-1] == "high"


def test_a_rate_that_is_wished_is_taken_from_the_next_segment_on(rates):
    reception = Reception("low")

    def then(number):
        reception.rate = "high" if number >= 3 else "low"

    assert rates_taken(rates, then, reception) == ["low"] * 4 + ["high"] * 6


def test_a_rate_that_there_is_not_is_refused(rates):
    with pytest.raises(UsageError, match="auto, low, high"):
        receive(rates, Reception("medium"))


def test_no_more_is_fetched_than_is_wished_ahead(origin):
    clock, asked = Clock(lambda: asked.append(reception.media_s - clock.now)), []
    reception = Reception(played_s=clock)
    found, _ = receive(origin, reception, clock=clock, ahead_s=6.0)
    assert found == list(cues(SHOTS))
    assert 6.0 < max(asked) <= 10.0


def test_a_pipe_gives_what_is_there_and_then_its_end():
    pipe = Pipe()
    pipe.write(b"abc")
    pipe.write(b"")
    pipe.write(b"d")
    pipe.close()
    assert [pipe.read(2), pipe.read(2), pipe.read(2), pipe.read(2)] == [b"ab", b"c", b"d", b""]
    assert pipe.read(1) == b""
