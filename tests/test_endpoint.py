"""A server of OpenAI's protocol, over real HTTP: what is asked, and what is done when it fails."""

import json
import logging
import time
import traceback
from fractions import Fraction

import cv2
import numpy as np
import pytest
from chat_server import NEW_MODEL, ChatServer, Trouble

from mmcodec.analysis.picture import analyse_shot
from mmcodec.analysis.shots import ShotFrames
from mmcodec.errors import BackendError, FailedWorkError
from mmcodec.models.endpoint import Endpoint
from mmcodec.registry import Group, load
from mmcodec.timeline import Shot

KEY = "sk-very-secret-0123456789"
ASK = [{"role": "user", "content": "What is it?"}]
SOON = Trouble("status", 429, {"Retry-After": "0.05"}, "Rate limit reached")


@pytest.fixture
def server(monkeypatch):
    with ChatServer(KEY) as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield running


def ask(endpoint, model="gpt-4o-mini"):
    return endpoint.chat(model, ASK, 30, str.strip)


def test_a_chat_is_answered(server):
    assert ask(Endpoint()) == "The image shows nothing. It is quiet."
    assert server.requests[0]["temperature"] == 0


def test_newer_models_are_asked_in_their_words(server):
    assert ask(Endpoint(), NEW_MODEL)
    last = server.requests[-1]
    assert last["max_completion_tokens"] > 30
    assert not {"max_tokens", "temperature"} & set(last)


def test_a_parameter_that_is_refused_only_in_words_is_left_out(server):
    server.troubles.append(Trouble("status", 400, text="Unsupported parameter: 'seed'."))
    assert ask(Endpoint())
    assert ["seed" in request for request in server.requests] == [True, False]


def test_a_server_of_ones_own_needs_no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with ChatServer() as own:
        monkeypatch.setenv("OPENAI_BASE_URL", own.url)
        assert ask(Endpoint())


@pytest.mark.parametrize(
    "trouble",
    [
        SOON,
        Trouble("status", 500, {"Retry-After": "0.05"}, "The server had an error"),
        Trouble("drop"),
        Trouble("cut"),
        Trouble("raw", text="<html>Bad gateway</html>"),
        Trouble("raw", text="[" * 100_000),
        Trouble("raw", text="{}"),
        Trouble("raw", text='{"choices": [{"message": {"content": null}}]}'),
        Trouble("say", text="  "),
    ],
    ids=lambda trouble: f"{trouble.kind} {trouble.status} {trouble.text[:16]}",
)
def test_what_passes_is_tried_again(server, trouble):
    server.troubles.append(trouble)
    assert ask(Endpoint()).startswith("The image")
    assert len(server.times) == 2


def test_the_server_says_when_to_ask_again(server):
    server.troubles += [SOON, Trouble("status", 503, {"Retry-After": "0.4"}, "Overloaded")]
    assert ask(Endpoint())
    first, second, third = server.times
    assert second - first >= 0.05
    assert third - second >= 0.4


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Trouble("slow", seconds=60), "too slow"),
        (Trouble("drip"), "does not end in time"),
        (Trouble("status", 429, {"Retry-After": "60"}, "Rate limit reached"), "429: Rate limit"),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_nothing_takes_longer_than_the_deadline(server, trouble, words):
    server.troubles += [trouble] * 9
    start = time.monotonic()
    with pytest.raises(FailedWorkError, match=words) as caught:
        ask(Endpoint(deadline_s=0.7))
    assert time.monotonic() - start < 20
    assert f"gpt-4o-mini at 127.0.0.1:{server.server_port}" in str(caught.value)


def test_a_server_that_is_down_is_asked_once_until_it_answers(server):
    endpoint = Endpoint(deadline_s=1.2)
    server.troubles += [Trouble("drop")] * 9
    with pytest.raises(FailedWorkError, match="cannot be reached"):
        ask(endpoint)
    tried = len(server.times)
    with pytest.raises(FailedWorkError):
        ask(endpoint)
    assert len(server.times) == tried + 1
    server.troubles.clear()
    assert ask(endpoint)
    server.troubles.append(SOON)
    assert ask(endpoint)


def test_nothing_listens(monkeypatch):
    with ChatServer() as gone:
        monkeypatch.setenv("OPENAI_BASE_URL", gone.url)
    with pytest.raises(FailedWorkError, match="cannot be reached"):
        ask(Endpoint(deadline_s=0.4))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, None, BackendError),
        (403, None, BackendError),
        (404, "model_not_found", BackendError),
        (429, "insufficient_quota", BackendError),
        (400, "content_policy_violation", FailedWorkError),
        (413, None, FailedWorkError),
    ],
)
def test_what_does_not_pass_is_not_tried_again(server, status, code, kind):
    server.troubles.append(Trouble("status", status, text="No.\n\x1b[31mNever.", code=code))
    with pytest.raises(BackendError, match=rf"answers {status}: No\. ") as caught:
        ask(Endpoint())
    assert type(caught.value) is kind
    assert str(caught.value).isprintable()
    assert len(server.times) == 1


def test_the_parameters_that_a_request_needs_are_not_left_out(server):
    server.troubles += [Trouble("status", 400, text="too many images", param="messages")] * 9
    with pytest.raises(FailedWorkError, match="too many images"):
        ask(Endpoint())
    assert len(server.times) == 1


def test_the_key_is_in_no_error_log_or_repr(server, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    endpoint = Endpoint()
    ask(endpoint)
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}-and-more")
    wrong = Endpoint()
    server.troubles.append(Trouble("status", 500, text="x"))
    with pytest.raises(BackendError, match=r"Incorrect API key provided: [*]{3}") as caught:
        ask(wrong)
    shown = "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    for text in (shown, caplog.text, repr(endpoint), repr(wrong), repr(caught.value)):
        assert KEY not in text
    assert caplog.records


@pytest.mark.parametrize(
    ("key", "url", "words"),
    [
        ("", "", "set OPENAI_API_KEY, or OPENAI_BASE_URL"),
        (f"{KEY}\nX-Header: x", "http://127.0.0.1:1/v1", "holds characters that no key has"),
        (f"{KEY}ü", "", "holds characters that no key has"),
        (KEY, "localhost:8000", "OPENAI_BASE_URL is no address"),
        (KEY, "http://host:port/v1", "OPENAI_BASE_URL is no address"),
        (KEY, "file:///etc/passwd", "OPENAI_BASE_URL is no address"),
    ],
)
def test_an_environment_that_cannot_be_right_is_said_at_once(monkeypatch, key, url, words):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(BackendError, match=words) as caught:
        ask(Endpoint())
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_a_password_in_the_address_is_not_shown(server, monkeypatch):
    url = server.url.replace("//", "//someone:pass-word@")
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    server.troubles.append(Trouble("status", 404, text="No such model"))
    with pytest.raises(BackendError) as caught:
        ask(Endpoint())
    assert "pass-word" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("model", ["dall-e-3", "gpt-image-1"])
@pytest.mark.parametrize("size", [None, "1536x1024", "7x7"])
def test_a_picture_is_made(server, model, size):
    data = Endpoint().image(model, "A red car.", size)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == ((128, 192, 3) if size == "1536x1024" else (128, 128, 3))


def test_a_picture_is_made_from_another(server):
    _, png = cv2.imencode(".png", np.full((40, 60, 3), (0, 0, 200), np.uint8))
    data = Endpoint().image("gpt-image-1", "A red car.", "1024x1024", png.tobytes())
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture[64, 64].tolist() == [0, 0, 200]


@pytest.mark.parametrize(
    "data",
    [[], [{"url": "http://127.0.0.1:1/a.png"}], [{"b64_json": "%%"}], [{"b64_json": "aGVsbG8="}]],
)
def test_what_is_no_picture_is_nonsense(server, data):
    server.troubles.append(Trouble("raw", text=json.dumps({"data": data})))
    with pytest.raises(FailedWorkError, match="nonsense"):
        Endpoint(deadline_s=0.3).image("dall-e-3", "A red car.")


SHADES = [np.full((600, 900, 3), shade, np.uint8) for shade in (250, 250, 5, 5)]
SHOT = ShotFrames(Shot(0, 4), (0, 1, 2, 3), tuple(SHADES))


def test_a_shot_is_shown_to_the_server(server):
    analysis = analyse_shot(SHOT, Fraction(2))
    captioner = load(Group.CAPTIONER, "openai")
    first = captioner.caption(SHOT, analysis, 30).text
    assert first == "A bright view and a dark view and a dark view. It is quiet."
    assert {picture.shape for picture in server.pictures} == {(341, 512, 3)}
    captioner.caption(SHOT, analysis, 30)
    asked = [request["messages"][0]["content"][-1]["text"] for request in server.requests]
    assert first in asked[1]
    assert first not in asked[0]
    assert KEY not in repr(captioner) + str(vars(captioner))


def test_the_colours_that_the_server_sees_are_those_of_the_shot(server):
    red = ShotFrames(Shot(0, 1), (0,), (np.full((64, 64, 3), (250, 20, 10), np.uint8),))
    load(Group.CAPTIONER, "openai:gpt-4o-mini").caption(red, analyse_shot(red, Fraction(2)), 30)
    blue, green, red = server.pictures[0][32, 32].tolist()  # as OpenCV orders them
    assert red > 230
    assert max(blue, green) < 40


def test_a_model_that_the_server_does_not_have(server):
    captioner = load(Group.CAPTIONER, "openai:no-such-model")
    with pytest.raises(BackendError, match=r"no-such-model at 127\.0\.0\.1.*does not exist"):
        captioner.caption(SHOT, analyse_shot(SHOT, Fraction(2)), 30)
