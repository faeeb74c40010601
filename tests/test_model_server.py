"""A real model server on this machine captions shots: ``transformers serve`` with a tiny model."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from checkpoints.vision import idefics3

STARTUP_S = 120


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of the server, and the model that it runs."""
    folder = tmp_path_factory.mktemp("served")
    idefics3(folder / "model")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("transformers"), "serve", folder / "model"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log, env=environment())
        try:
            wait_for(f"http://127.0.0.1:{port}/health", running)
            yield f"http://127.0.0.1:{port}/v1", str(folder / "model")
        finally:
            running.terminate()
            running.wait(30)


def environment(**more):
    return {**os.environ, "HF_HUB_OFFLINE": "1", "NO_PROXY": "127.0.0.1", **more}


def wait_for(address, running):
    for _ in range(STARTUP_S * 10):
        assert running.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def captions(served, tmp_path, model):
    """The prompts of a clip that the served model captioned, and what was said meanwhile."""
    address, _ = served
    clip, stream = "samples/clip.mp4", tmp_path / "clip.mmc"
    mmcodec = [sys.executable, "-m", "mmcodec"]
    asked = [*mmcodec, "encode", clip, "-o", stream, "--no-audio", "--captioner", f"openai:{model}"]
    env = environment(OPENAI_BASE_URL=address, OPENAI_API_KEY="not-a-secret")
    done = subprocess.run(asked, capture_output=True, text=True, env=env, check=True)
    info = subprocess.run(
        [*mmcodec, "info", stream, "--json"], capture_output=True, text=True, env=env, check=True
    )
    return done.stderr, [cue["prompt"] for cue in json.loads(info.stdout)["cues"]]


def test_a_served_model_captions_a_clip(served, tmp_path):
    said, prompts = captions(served, tmp_path, served[1])
    assert "the rules describe" not in said
    assert len(prompts) == 6
    assert all(prompts)
    assert len(set(prompts)) > 1


def test_shots_of_a_model_that_it_does_not_have_are_described_by_the_rules(served, tmp_path):
    said, prompts = captions(served, tmp_path, "nobody/nothing")
    assert said.count("nobody/nothing") == said.count("the rules describe the shot") == 6
    assert all("shot" in prompt for prompt in prompts)
