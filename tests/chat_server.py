"""A local server that follows OpenAI's published schema for chat and images, over real HTTP.

It checks what it is sent as the hosted one does, answers from what it sees, and fails as it is
told to: ``server.troubles`` are what is wrong with the next requests, first in, first out.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

NEW_MODEL = "thinker"
"""A model that knows neither ``max_tokens`` nor a temperature, as newer hosted ones."""
MODELS = ("gpt-4o-mini", "dall-e-3", "gpt-image-1", NEW_MODEL)
SIZES = ("auto", "256x256", "512x512", "1024x1024", "1536x1024", "1024x1536")


@dataclass(frozen=True)
class Trouble:
    """What is wrong with an answer.

    ``kind``: "status", "raw" (``text`` is the body), "say" (``text`` is the message), "slow"
    (``seconds`` before it), "drip" (a byte at a time), "drop" (no answer), "cut" (half of one).
    """

    kind: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    seconds: float = 0.0
    code: str | None = None
    param: str | None = None


class RefusedError(Exception):
    """A request that breaks the schema."""

    def __init__(self, status: int, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.param = status, param


class ChatServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, key: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.key = key
        self.troubles: deque[Trouble] = deque()
        self.requests: list[dict] = []
        self.times: list[float] = []
        self.pictures: list[np.ndarray] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address) -> None:
        """A client that goes away is part of the tests."""


def message(content: object, finish: str = "stop") -> dict:
    """A chat completion object."""
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
        "choices": [{
            "index": 0, "finish_reason": finish, "logprobs": None,
            "message": {"role": "assistant", "content": content, "refusal": None},
        }],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def log_message(self, *_) -> None:
        """Silent."""

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["content-length"]))
        self.server.times.append(time.monotonic())
        trouble = self.server.troubles.popleft() if self.server.troubles else None
        try:
            answer = self._answer(data)
        except RefusedError as error:
            self._refuse(error.status, str(error), error.param)
            return
        if trouble:
            self._trouble(trouble, answer)
        else:
            self._send(200, json.dumps(answer).encode())

    def _answer(self, data: bytes) -> dict:
        self._check_key()
        body = self._form(data) if self.path == "/v1/images/edits" else json.loads(data)
        self.server.requests.append(body)
        if body.get("model") not in MODELS:
            raise RefusedError(404, f"The model `{body.get('model')}` does not exist")
        if self.path == "/v1/chat/completions":
            return self._chat(body)
        if self.path in ("/v1/images/generations", "/v1/images/edits"):
            return self._image(body)
        raise RefusedError(404, f"Unknown path {self.path}")

    def _check_key(self) -> None:
        given = self.headers.get("authorization", "")
        if self.server.key and given != f"Bearer {self.server.key}":
            raise RefusedError(401, f"Incorrect API key provided: {given.removeprefix('Bearer ')}.")

    def _chat(self, body: dict) -> dict:
        if body["model"] == NEW_MODEL:
            if "max_tokens" in body:
                raise RefusedError(400, "Use 'max_completion_tokens' instead.", "max_tokens")
            if body.get("temperature", 1) != 1:
                raise RefusedError(400, "Only the default (1) is supported.", "temperature")
        known = {"model", "messages", "max_tokens", "max_completion_tokens", "temperature", "seed"}
        if strange := set(body) - known:
            raise RefusedError(400, "Unknown parameter.", sorted(strange)[0])
        if not isinstance(body.get("messages"), list) or not body["messages"]:
            raise RefusedError(400, "[] is too short", "messages")
        shades = [self._part(part) for part in self._parts(body["messages"])]
        means = [shade for shade in shades if shade is not None]
        seen = " and ".join("a bright view" if mean > 127 else "a dark view" for mean in means)
        return message(f"The image shows {seen or 'nothing'}. It is quiet.")

    def _parts(self, messages: list) -> list[dict]:
        parts = []
        for said in messages:
            if said.get("role") not in ("system", "user", "assistant"):
                raise RefusedError(400, "Invalid value for role.", "messages[0].role")
            content = said["content"]
            text = [{"type": "text", "text": content}]
            parts += content if isinstance(content, list) else text
        return parts

    def _part(self, part: dict) -> float | None:
        """The mean of a picture; None of a text."""
        if part["type"] == "text":
            if not isinstance(part["text"], str):
                raise RefusedError(400, "Invalid type.", "messages[0].content")
            return None
        if part["type"] != "image_url":
            raise RefusedError(400, "Invalid value for type.", "messages[0].content")
        head, _, data = part["image_url"]["url"].partition(",")
        if head != "data:image/jpeg;base64":
            raise RefusedError(400, "Invalid image URL.", "messages[0].content")
        data = np.frombuffer(base64.b64decode(data, validate=True), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if picture is None:
            raise RefusedError(400, "You uploaded an unsupported image.", "messages[0].content")
        self.server.pictures.append(picture)
        return float(picture.mean())

    def _image(self, body: dict) -> dict:
        if body["model"] == "gpt-image-1" and "response_format" in body:
            raise RefusedError(400, "Unknown parameter: 'response_format'.", "response_format")
        if body.get("size", "auto") not in SIZES:
            raise RefusedError(400, f"Invalid size: {body['size']}", "size")
        if not body.get("prompt"):
            raise RefusedError(400, "A prompt is required.", "prompt")
        size = body.get("size", "auto").replace("auto", "1024x1024")
        width, height = (int(side) // 8 for side in size.split("x"))
        shade = sum(body["prompt"].encode()) % 256
        picture = np.full((height, width, 3), shade, np.uint8)
        if "image" in body:
            start = np.frombuffer(body["image"], np.uint8)
            picture = cv2.resize(cv2.imdecode(start, cv2.IMREAD_COLOR), (width, height))
        _, png = cv2.imencode(".png", picture)
        return {"created": 1, "data": [{"b64_json": base64.b64encode(png).decode()}]}

    def _form(self, data: bytes) -> dict:
        """The fields of multipart/form-data."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        fields = {}
        for part in message_from_bytes(head + data).get_payload():
            name = part.get_param("name", header="content-disposition")
            value = part.get_payload(decode=True)
            fields[name] = value if part.get_filename() else value.decode()
        return fields

    def _trouble(self, trouble: Trouble, answer: dict) -> None:
        body = json.dumps(answer).encode()
        if trouble.kind == "status":
            self._refuse(trouble.status, trouble.text, trouble.param, trouble)
        elif trouble.kind == "raw":
            self._send(200, trouble.text.encode())
        elif trouble.kind == "say":
            self._send(200, json.dumps(message(trouble.text)).encode())
        elif trouble.kind == "slow":
            self.server.closing.wait(trouble.seconds)
            self._send(200, body)
        elif trouble.kind == "drip":
            self._drip(body)
        elif trouble.kind == "cut":
            self._send(200, body, len(body) // 2)
        self.close_connection = True

    def _drip(self, body: bytes) -> None:
        self._head(200, len(body), {})
        for at in range(len(body)):
            if self.server.closing.wait(0.05):
                return
            self.wfile.write(body[at : at + 1])

    def _refuse(
        self, status: int, text: str, param: str | None = None, trouble: Trouble | None = None
    ) -> None:
        code = trouble.code if trouble else None
        error = {"message": text, "type": "invalid_request_error", "param": param, "code": code}
        headers = trouble.headers if trouble else {}
        self._send(status, json.dumps({"error": error}).encode(), None, headers)

    def _send(
        self, status: int, body: bytes, cut: int | None = None, headers: dict | None = None
    ) -> None:
        self._head(status, len(body), headers or {})
        self.wfile.write(body[:cut])

    def _head(self, status: int, size: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(size))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
