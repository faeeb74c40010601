"""Clips through models, as a user runs them: tiny checkpoints, the command, several processes."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from checkpoints import image, sound, speech, video, vision
from conftest import SAMPLES, read_media

import mmcodec
from mmcodec.bitstream.packets import CuePacket
from mmcodec.entropy.text import encode_text
from mmcodec.media.lossless import FrameWriter, read_frames
from mmcodec.timeline import SegmentKind, Synthesis

FEW_STEPS = Synthesis(seed=7, steps=2, strength_percent=60)
BUDGET = 20


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders of tiny checkpoints by name."""
    folder = tmp_path_factory.mktemp("models")
    vision.qwen3_vl(folder / "captioner")
    speech.whisper(folder / "whisper")
    sound.musicgen(folder / "musicgen")
    video.wan().save_pretrained(folder / "wan")
    image.sdxl().save_pretrained(folder / "sdxl")
    return folder


@pytest.fixture(scope="module")
def small(make_clip, tmp_path_factory):
    """A stream of two shots of a second, made for two steps of a diffusion model."""
    target = tmp_path_factory.mktemp("small") / "clip.mmc"
    settings = mmcodec.EncodeSettings(audio=False, video_synthesis=FEW_STEPS)
    mmcodec.encode(make_clip(size=(96, 64), frames=25), target, settings)
    return target


def shots(stream: mmcodec.StreamInfo) -> list[CuePacket]:
    return [packet for packet in stream.packets if packet.cue.track.name == "VIDEO"]


def test_the_sample_is_described_and_written_down_by_models_and_made_by_one(run, models, tmp_path):
    stream, target = tmp_path / "clip.mmc", tmp_path / "clip.mp4"
    captioner = ("--captioner", f"vision-language:{models / 'captioner'}")
    transcriber = ("--transcriber", f"whisper:{models / 'whisper'}")
    done = run(
        "encode", SAMPLES / "clip.mp4", "-o", stream, *captioner, *transcriber, "--device", "cpu",
        "--prompt-bytes", BUDGET, "--steps", 2, "--seed", 7, "--speech", "text", "--preset", "fast",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "the rules describe" not in done.stderr
    quick = mmcodec.EncodeSettings(mmcodec.Profile.PROMPT, audio=False)
    by_rules = mmcodec.encode(SAMPLES / "clip.mp4", tmp_path / "rules.mmc", quick).stream
    read = mmcodec.probe(stream)
    for described, ruled in zip(shots(read), shots(by_rules), strict=True):
        assert described.cue.prompt.text != ruled.cue.prompt.text
        assert len(encode_text(described.cue.prompt.text)) <= BUDGET
    spoken = [
        packet.cue
        for packet in read.packets
        if getattr(packet.cue.span, "kind", None) is SegmentKind.SPEECH
    ]
    assert spoken
    assert all(cue.spoken for cue in spoken)

    synthesizers = ("--video", f"diffusers:{models / 'wan'}", "--audio",
                    f"musicgen:{models / 'musicgen'}")  # fmt: skip
    done = run(
        "decode", stream, "-o", target, *synthesizers, "--device", "cpu", "--end", 1, "--batch", 2
    )
    assert done.returncode == 0, done.stderr
    assert "made offline" not in done.stderr
    frames, samples, rate = read_media(target)
    assert (len(frames), frames[0][1].shape) == (24, (360, 640, 3))
    assert len(samples) / rate == pytest.approx(1.0, abs=0.05)


def test_another_process_with_the_same_model_gets_the_same_picture(run, models, small, tmp_path):
    def client(name, model, *more):
        arguments = ("--video", model, "--device", "cpu", "--hash", "--json", *more)
        done = run("decode", small, "-o", tmp_path / f"{name}.mp4", *arguments)
        assert done.returncode == 0, done.stderr
        assert "Loading" not in done.stderr
        return json.loads(done.stdout)["hashes"]["video"]

    mine = f"keyframes:{models / 'sdxl'}"
    assert client("a", mine) == client("b", mine)
    assert client("c", "offline") != client("d", mine)


def test_another_seed_gives_another_picture(run, models, make_clip, tmp_path):
    clip, stream, hashes = make_clip(shots=1, size=(96, 64), frames=12), tmp_path / "a.mmc", set()
    for seed in (1, 2):
        made_for = Synthesis(seed=seed, steps=2)
        settings = mmcodec.EncodeSettings(audio=False, video_synthesis=made_for)
        mmcodec.encode(clip, stream, settings, force=True)
        model = ("--video", f"keyframes:{models / 'sdxl'}", "--device", "cpu")
        done = run("decode", stream, "-o", tmp_path / "a.mp4", *model, "--hash", "--force")
        hashes.add(done.stdout)
    assert len(hashes) == 2
    assert all(digest.startswith("video sha256:") for digest in hashes)


def test_a_stopped_decode_goes_on_where_it_was(run, models, small, tmp_path):
    target, kept = tmp_path / "out.mkv", tmp_path / ".out.mkv.kept"
    command = ["decode", str(small), "-o", str(target), "--video", f"diffusers:{models / 'wan'}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mmcodec", *command], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(kept.glob("*.mkv")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "--resume goes on with it" in said
    assert not target.exists()
    (finished,) = kept.glob("*.mkv")
    # A shot that no model would make tells that it is not made again.
    first = next(read_frames(finished))
    with FrameWriter(finished, (first.shape[1], first.shape[0])) as keep:
        for _ in range(25):
            keep.write(np.full_like(first, (200, 30, 60)))
    done = run(*command, "--resume")
    assert done.returncode == 0, done.stderr
    frames, _, _ = read_media(target)
    assert np.abs(frames[12][1].mean(axis=(0, 1)) - (200, 30, 60)).max() < 4
    assert np.abs(frames[37][1].mean(axis=(0, 1)) - (200, 30, 60)).max() > 20
    assert not kept.exists()


def test_a_named_backend_that_cannot_run_is_one_line_and_leaves_nothing(run, small, tmp_path):
    target = tmp_path / "out.mp4"
    done = run("decode", small, "-o", target, "--video", "diffusers:nobody/nothing")
    assert done.returncode == 1
    assert done.stderr.startswith("mmcodec: diffusers cannot load nobody/nothing")
    assert "mmcodec models pull nobody/nothing" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
