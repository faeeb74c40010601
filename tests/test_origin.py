"""The origin: what it serves, to whom, and what it refuses."""

import gzip
import time
from urllib.parse import urljoin

import pytest
from starlette.testclient import TestClient
from streams import stream

from mmcodec.errors import UsageError
from mmcodec.streaming.origin import OriginSettings, origin, prepared
from mmcodec.streaming.playlist import parse_playlist


@pytest.fixture
def folder(tmp_path):
    """A folder with a stream, and with what must not be served."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "clip.mmc").write_bytes(stream(6))
    (folder / "secret.txt").write_text("secret")
    (folder / ".000001.mms").write_bytes(b"half")
    (tmp_path / "outside.mmc").write_bytes(b"outside")
    return folder


@pytest.fixture
def serve(folder, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    roots = prepared([folder], scratch)

    def client(**settings):
        return TestClient(origin(roots, OriginSettings(**settings)))

    return client


def test_a_stream_is_served_as_a_playlist(serve, folder):
    client = serve()
    answer = client.get("/clip.m3u8")
    assert answer.headers["content-type"].startswith("application/vnd.apple.mpegurl")
    playlist = parse_playlist(answer.text)
    names = [playlist.map_uri, *(entry.uri for entry in playlist.entries)]
    sizes = [len(client.get(f"/{name}").content) for name in names]
    assert sum(sizes) > 1000
    assert client.get("/").text == "/clip.m3u8\n/clip/index.m3u8\n"
    assert client.get("/clip.mmc").content == (folder / "clip.mmc").read_bytes()


def test_ranges_tags_and_caching(serve):
    client = serve()
    name = "/" + parse_playlist(client.get("/clip.m3u8").text).entries[0].uri
    whole = client.get(name)
    assert whole.headers["cache-control"] == "max-age=31536000, immutable"
    part = client.get(name, headers={"range": "bytes=10-"})
    assert (part.status_code, part.content) == (206, whole.content[10:])
    again = client.get(name, headers={"if-none-match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(name, headers={"range": "bytes=99999-"}).status_code == 416
    assert client.head(name).headers["content-length"] == str(len(whole.content))


def test_what_may_change_is_not_kept_for_ever(serve):
    client = serve()
    for name in ("/clip.m3u8", "/clip.mmc"):
        assert client.get(name).headers["cache-control"] == "max-age=60"
    header = parse_playlist(client.get("/clip.m3u8").text).map_uri
    assert "immutable" in client.get(f"/{header}").headers["cache-control"]


@pytest.mark.parametrize("name", ["my clip", 'a#b?c"d', "50%", "größe"])
def test_any_name_of_a_stream_can_be_asked_for(tmp_path, name):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / f"{name}.mmc").write_bytes(stream(3))
    client = TestClient(origin(prepared([tmp_path / f"{name}.mmc"], scratch), OriginSettings()))
    url = client.get("/").text.splitlines()[0]
    playlist = parse_playlist(client.get(url).text)
    for uri in (playlist.map_uri, playlist.entries[0].uri):
        assert client.get(urljoin(f"http://testserver{url}", uri)).status_code == 200


def test_playlists_are_compressed_and_packets_are_not(serve):
    client = serve()
    with client.stream("GET", "/clip/index.m3u8") as answer:
        raw = b"".join(answer.iter_raw())
    assert gzip.decompress(raw).startswith(b"#EXTM3U") if raw[:1] == b"\x1f" else len(raw) < 300
    name = "/" + parse_playlist(client.get("/clip.m3u8").text).entries[0].uri
    assert "content-encoding" not in client.get(name).headers


def test_any_page_may_ask(serve):
    answer = serve().get("/clip.m3u8", headers={"origin": "https://example.org"})
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_live_playlist_is_cached_for_a_second(serve, folder):
    (folder / "live.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:4\n")
    assert serve().get("/live.m3u8").headers["cache-control"] == "max-age=1"


@pytest.mark.parametrize(
    "path",
    [
        "/../outside.mmc",
        "/%2e%2e/outside.mmc",
        "/..%2foutside.mmc",
        "/clip/..%2f..%2f..%2foutside.mmc",
        "/secret.txt",
        "/.000001.mms",
        "/nothing.m3u8",
        "//etc/passwd",
        "/clip%00.mmc",
        "/clip",
    ],
)
def test_nothing_else_is_served(serve, path):
    assert serve().get(path).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_is_taken(serve, method):
    assert serve().request(method, "/clip.m3u8", content=b"x").status_code == 405


def test_a_long_address_is_refused(serve):
    assert serve().get("/" + "a" * 3000).status_code == 414


def test_a_token_is_asked_for(serve):
    client = serve(token="open sesame")
    assert client.get("/clip.m3u8").status_code == 401
    assert client.get("/metrics").status_code == 401
    wrong = client.get("/clip.m3u8", headers={"authorization": "Bearer close"})
    assert wrong.status_code == 401
    right = client.get("/clip.m3u8", headers={"authorization": "Bearer open sesame"})
    assert right.status_code == 200


def test_who_asks_too_often_has_to_wait(serve):
    client = serve(requests_a_second=20)
    found = [client.get("/clip.m3u8").status_code for _ in range(60)]
    assert found[0] == 200
    assert 429 in found
    time.sleep(0.2)
    assert client.get("/clip.m3u8").status_code == 200


def test_metrics_count(serve):
    client = serve()
    size = len(client.get("/clip.mmc").content)
    client.get("/nothing.mmc")
    text = client.get("/metrics").text
    assert 'mmcodec_requests_total{status="200"} 1.0' in text
    assert 'mmcodec_requests_total{status="404"} 1.0' in text
    sent = next(line for line in text.splitlines() if line.startswith("mmcodec_sent_bytes_total"))
    assert float(sent.split()[1]) >= size


def test_two_streams_of_one_name_are_refused(folder, tmp_path):
    scratch = tmp_path / "other"
    scratch.mkdir()
    twin = tmp_path / "clip.mmc"
    twin.write_bytes(stream(1))
    with pytest.raises(UsageError, match="another stream"):
        prepared([folder, twin], scratch)
