"""A stream that is watched: what a page is told, and the media it gets."""

import json

import pytest
from starlette.testclient import TestClient
from streams import FolderOrigin
from test_receiver import publish

from mmcodec.pipeline.settings import DecodeSettings
from mmcodec.streaming import session as sessions
from mmcodec.streaming.player import player
from mmcodec.streaming.playlist import Variant, master_text
from mmcodec.streaming.receiver import Receiver, Reception
from mmcodec.streaming.session import Chunks, Original, Session


def boxes(data):
    found, at = [], 0
    while at < len(data):
        found.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4], "big")
    return found


@pytest.fixture
def session(tmp_path):
    for name in ("low", "high"):
        publish(tmp_path / name, shots=4)
    variants = (Variant("low/index.m3u8", 1000, "low"), Variant("high/index.m3u8", 2000, "high"))
    (tmp_path / "index.m3u8").write_text(master_text(variants))
    (tmp_path / "original.mp4").write_bytes(b"original" * 1000)
    reception = Reception()
    with FolderOrigin(tmp_path).client() as client:
        receiver = Receiver(client, "http://origin/index.m3u8", reception)
        original = Original(tmp_path / "original.mp4", 8000, 8.0)
        yield Session(receiver, reception, DecodeSettings(), original)


def finished(session):
    with session.running():
        assert session.ended.wait(30)


def test_the_media_is_whole_for_all_who_come(session):
    finished(session)
    client = TestClient(player(session, "clip"))
    first, second = (client.get("/media.mp4").content for _ in range(2))
    assert first == second
    assert boxes(first)[:3] == [b"ftyp", b"moov", b"moof"]
    assert boxes(first).count(b"moof") >= 4


def test_cues_are_told_in_order_with_their_bytes(session):
    finished(session)
    events, place = session.since(0)
    cues = [event for event in events if event["type"] == "cue"]
    assert [c["prompt"] for c in cues if c["track"] == "video"] == [f"Scene {n}." for n in range(4)]
    assert all(sum(cue["layers"].values()) == cue["bytes"] for cue in cues)
    assert session.since(place) == ([], place)


def test_the_state_has_what_a_page_needs(session):
    client = TestClient(player(session, "clip", 9600))
    finished(session)
    state = client.get("/state").json()
    assert state["codecs"].startswith('video/mp4; codecs="avc1.')
    assert (state["width"], state["height"], state["original"]) == (128, 72, True)
    assert [one["name"] for one in state["rates"]] == ["low", "high"]
    assert (state["title"], state["link_bps"]) == ("clip", 9600)


def test_figures_add_up(session):
    finished(session)
    figures = session.figures(1000, 2.0)
    assert figures["kbps_now"] == 4.0
    assert figures["media_s"] == pytest.approx(8, abs=0.1)
    assert figures["ratio"] == pytest.approx(8000 / session.reception.bytes, rel=0.02)


def test_events_end_when_all_is_played(session):
    client = TestClient(player(session, "clip"))
    with session.running(), client.stream("GET", "/events") as answer:
        lines = [line for line in answer.iter_lines() if line]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert events[-1] == {"type": "end"}
    assert sum(event["type"] == "stats" for event in events) > 5


def test_a_rate_is_set_by_the_page(session):
    finished(session)
    client = TestClient(player(session, "clip"))
    assert client.post("/rate", json={"rate": "low"}).status_code == 204
    assert session.reception.rate == "low"
    for body in (b'{"rate": "none"}', b"{}", b"[1]", b"x" * 5000):
        assert client.post("/rate", content=body).status_code == 400
    assert client.get("/rate").status_code == 405


def test_the_page_and_the_original(session):
    client = TestClient(player(session, "clip"))
    page = client.get("/")
    assert "text/html" in page.headers["content-type"]
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "javascript" in client.get("/player.js").headers["content-type"]
    assert "css" in client.get("/player.css").headers["content-type"]
    part = client.get("/original", headers={"range": "bytes=8-15"})
    assert (part.status_code, part.content) == (206, b"original")
    assert client.get("/../session.py").status_code == 404


def test_what_goes_wrong_is_a_note(tmp_path):
    reception = Reception()
    with FolderOrigin(tmp_path).client() as client:
        receiver = Receiver(client, "http://origin/index.m3u8", reception)
        session = Session(receiver, reception, DecodeSettings())
        finished(session)
        notes = [event["text"] for event in session.since(0)[0]]
        assert "no such playlist" in notes[-1]
        assert TestClient(player(session, "x")).get("/state").json()["codecs"] == ""
        assert TestClient(player(session, "x")).get("/original").status_code == 404


def test_old_fragments_are_dropped_whole(monkeypatch):
    monkeypatch.setattr(sessions, "_KEPT_BYTES", 50)
    chunks, fragment = Chunks(), b"\0\0\0\0moof" + bytes(8)
    chunks.write(b"\0\0\0\0ftyp")
    for _ in range(5):
        chunks.write(fragment)
        chunks.write(b"tail")
    data, place = chunks.since(0)
    assert data.startswith(b"\0\0\0\0ftyp\0\0\0\0moof")
    assert len(data) <= 8 + 50
    assert chunks.since(place) == (b"", place)
    chunks.write(fragment)
    assert chunks.since(place)[0] == fragment


def test_more_is_fetched_as_it_is_played(session):
    """All of a stream that is longer than what is fetched ahead comes, in its own time."""
    session._receiver._ahead_s = 1.0
    finished(session)
    assert session.reception.media_s == pytest.approx(8, abs=0.1)
