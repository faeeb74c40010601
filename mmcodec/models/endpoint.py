"""Servers that speak OpenAI's protocol: hosted models, or one's own (vLLM, Ollama, llama.cpp).

The address and the key come from the environment: ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY``; a
server of one's own needs no key. What the server says is not trusted: answers are limited in size
and time, and the key is taken out of all that is shown. Errors are raised where nothing of the
client's own errors hangs on to them: those may hold the key.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from mmcodec.errors import BackendError, FailedWorkError

_ATTEMPTS: Final = 6
_FIRST_WAIT_S: Final = 0.5
_MOST_ANSWER: Final = 64 << 20
"""Bytes of an answer: an image of 4096 pixels a side has some 30 MB in base64."""
_THOUGHTS: Final = 2000
"""Tokens that a model which thinks before it speaks gets on top."""
_SETTINGS: Final = (401, 403, 404)
"""What no other request will change: the key, the rights, the name of the model."""
_NO_KEY: Final = "none"
"""What a server that needs no key gets."""
_PASSING: Final = (408, 409, 425, 429)
_PICTURES: Final = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF")

_OPTIONAL: Final = ("max_tokens", "temperature", "seed", "response_format", "size", "n")
"""Parameters that a server may do without."""

Read = Callable[[str], str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why an attempt failed, in words; ``passing`` if another may succeed, after ``wait_s``."""

    words: str
    passing: bool = True
    wait_s: float | None = None
    settings: bool = False
    """Whether it is in how the server is asked, not in this request."""
    unknown: str = ""
    """The parameter of the request that the server does not know."""


class _NonsenseError(Exception):
    """The answer is not what the protocol says."""


@dataclass(slots=True)
class Endpoint:
    """A server, found in the environment.

    ``deadline_s`` bounds one request with all of its retries. A server that failed once is asked
    only once a request until it answers again, so that a long clip does not wait for it at each
    shot.
    """

    deadline_s: float = 60.0
    _client: Any = field(default=None, init=False, repr=False)
    _down: bool = field(default=False, init=False)

    def chat(
        self, model: str, messages: Sequence[Mapping[str, object]], max_tokens: int, read: Read
    ) -> str:
        """What the model says to ``messages``, as ``read`` gives it back; empty is nonsense.

        Raises:
            FailedWorkError: there is no answer to this request in time.
            BackendError: the package, the address, the key or the model is not there.
        """
        body = {
            "model": model,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": 0,
            "seed": 0,
        }
        return self._ask("chat", body, lambda data: _said(data, read))

    def image(
        self, model: str, prompt: str, size: str | None = None, start: bytes | None = None
    ) -> bytes:
        """A picture of ``prompt`` as a PNG, JPEG or WebP file, not yet decoded.

        ``size`` such as "1024x1024" is a wish: a server that does not know it chooses its own.
        ``start`` is a PNG file that the picture is made from.

        Raises:
            FailedWorkError: there is no picture in time.
            BackendError: the package, the address, the key or the model is not there.
        """
        body: dict[str, Any] = {"model": model, "prompt": prompt, "n": 1}
        body["response_format"] = "b64_json"
        if size:
            body["size"] = size
        if start:
            body["image"] = ("start.png", start, "image/png")
        return self._ask("edit" if start else "image", body, _pictured)

    def _ask(self, what: str, body: dict[str, Any], read: Callable[[Any], T]) -> T:
        client = self._connected()
        end = time.monotonic() + self.deadline_s
        left, wait = 1 if self._down else _ATTEMPTS, _FIRST_WAIT_S
        while True:
            outcome = _attempt(client, what, body, read, end)
            if not isinstance(outcome, _Problem):
                self._down = False
                return outcome
            if outcome.unknown in body and outcome.unknown in _OPTIONAL:
                body = _without(body, outcome.unknown)
                continue
            left -= 1
            pause = wait if outcome.wait_s is None else outcome.wait_s
            if not outcome.passing or left <= 0 or time.monotonic() + pause >= end:
                break
            time.sleep(pause)
            wait *= 2
        self._down = outcome.passing
        line = f"{body['model']} at {_host(str(client.base_url))}: {outcome.words}"
        raise (BackendError if outcome.settings else FailedWorkError)(line)

    def _connected(self) -> Any:
        """The client, made at first use."""
        if self._client is None:
            try:
                from openai import OpenAI
            except ImportError as error:
                raise BackendError('a server needs pip install "mmcodec[api]"') from error
            url, key = _address()
            self._client = OpenAI(base_url=url, api_key=key, max_retries=0)
        return self._client


def _address() -> tuple[str | None, str]:
    """The server's address, None for OpenAI's own, and the key."""
    url = os.environ.get("OPENAI_BASE_URL", "").strip() or None
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key and not url:
        raise BackendError(
            "there is no server to ask: set OPENAI_API_KEY, or OPENAI_BASE_URL to your own"
        )
    # The client's own words for these two would quote the key or come only after all retries.
    if not key.isascii() or any(letter.isspace() or not letter.isprintable() for letter in key):
        raise BackendError("OPENAI_API_KEY holds characters that no key has")
    if url and not _is_address(url):
        raise BackendError("OPENAI_BASE_URL is no address; it looks like http://localhost:8000/v1")
    return url, key or _NO_KEY


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _host(url: str) -> str:
    """The server's name and port, without a password that the address may hold."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _attempt(
    client: Any, what: str, body: Mapping[str, Any], read: Callable[[Any], T], end: float
) -> T | _Problem:
    """One request and its answer, or what was wrong with it."""
    import openai

    try:
        return read(_answer(client, what, body, end))
    except openai.APIStatusError as error:
        return _refusal(error, client.api_key)
    except openai.APITimeoutError:
        return _Problem("it is too slow")
    except openai.APIConnectionError:
        return _Problem("it cannot be reached")
    except _NonsenseError as error:
        return _Problem(f"its answer is nonsense: {error}")
    except openai.OpenAIError as error:
        return _Problem(_line(str(error), client.api_key), passing=False)


def _answer(client: Any, what: str, body: Mapping[str, Any], end: float) -> Any:
    """The JSON of an answer."""
    patient = client.with_options(timeout=max(end - time.monotonic(), 0.001))
    images = patient.images.with_streaming_response
    asks = {
        "chat": patient.chat.completions.with_streaming_response.create,
        "image": images.generate,
        "edit": images.edit,
    }
    with asks[what](**body) as response:
        data = _received(response, end)
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise _NonsenseError("it is not JSON") from None


def _received(response: Any, end: float) -> bytes:
    data = bytearray()
    try:
        for part in response.iter_bytes():
            data += part
            if len(data) > _MOST_ANSWER:
                raise _NonsenseError(f"it is over {_MOST_ANSWER >> 20} MiB")
            if time.monotonic() > end:
                raise _NonsenseError("it does not end in time")
    except _NonsenseError:
        raise
    except Exception:  # that of the HTTP library, which is another one in each version
        raise _NonsenseError("it breaks off") from None
    return bytes(data)


def _refusal(error: Any, key: str) -> _Problem:
    """A status that is not 200: what the server says, and whether it will say so again."""
    status = error.status_code
    said = error.body.get("message") if isinstance(error.body, dict) else None
    words = f"it answers {status}: {_line(str(said or error.message), key)}"
    if status == 400:
        return _Problem(words, passing=False, unknown=error.param or _quoted(str(said)))
    if status in _SETTINGS or error.code == "insufficient_quota":
        return _Problem(words, passing=False, settings=True)
    return _Problem(words, status in _PASSING or status >= 500, _retry_after(error))


def _quoted(words: str) -> str:
    """The parameter that a server names only in words."""
    return next((name for name in _OPTIONAL if f"'{name}'" in words), "")


def _retry_after(error: Any) -> float | None:
    """Seconds that the server asks to wait; a date, which few send, counts as none."""
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _without(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The request without a parameter; newer models call the limit of tokens another name."""
    rest = {key: value for key, value in body.items() if key != name}
    if name == "max_tokens":
        rest["max_completion_tokens"] = body[name] + _THOUGHTS
    return rest


def _said(data: Any, read: Read) -> str:
    """The text of a chat's answer; some servers send it in parts."""
    try:
        content = data["choices"][0]["message"]["content"]
        if isinstance(content, list):
            content = " ".join(part["text"] for part in content if part.get("type") == "text")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise _NonsenseError("it has no message") from None
    text = read(content) if isinstance(content, str) else ""
    if not text:
        raise _NonsenseError("its message is empty")
    return text


def _pictured(data: Any) -> bytes:
    """The file of an image's answer. A link is not followed: it may lead anywhere."""
    try:
        picture = base64.b64decode(data["data"][0]["b64_json"], validate=True)
    except (KeyError, IndexError, TypeError, binascii.Error, ValueError):
        raise _NonsenseError("it has no picture") from None
    if not picture.startswith(_PICTURES):
        raise _NonsenseError("it is neither PNG, JPEG nor WebP")
    return picture


def _line(words: str, key: str) -> str:
    """A server's words as one short line, without the key, which some repeat."""
    known = words.replace(key, "***") if key != _NO_KEY else words
    shown = "".join(letter if letter.isprintable() else " " for letter in known[:4000])
    return " ".join(shown.split())[:200].rstrip(". ")
