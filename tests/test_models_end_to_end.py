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
from mmcodec.timeline import Layer, SegmentKind, Synthesis

CPU = mmcodec.ModelSettings(device="cpu")
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


def test_the_sample_is_described_and_written_down_by_models_and_made_by_one(models, tmp_path):
    settings = mmcodec.EncodeSettings(
        captioner=f"vision-language:{models / 'captioner'}",
        transcriber=f"whisper:{models / 'whisper'}",
        models=CPU,
        prompt_bytes=BUDGET,
        video_synthesis=FEW_STEPS,
    )
    report = mmcodec.encode(SAMPLES / "clip.mp4", tmp_path / "clip.mmc", settings)
    assert not report.remarks
    by_rules = mmcodec.encode(SAMPLES / "clip.mp4", tmp_path / "rules.mmc").stream
    for described, ruled in zip(shots(report.stream), shots(by_rules), strict=True):
        assert described.cue.prompt.text != ruled.cue.prompt.text
        assert len(encode_text(described.cue.prompt.text)) <= BUDGET
    spoken = [
        packet.cue
        for packet in mmcodec.probe(tmp_path / "clip.mmc").packets
        if getattr(packet.cue.span, "kind", None) is SegmentKind.SPEECH
    ]
    assert spoken
    assert all(cue.prompt.spoken and Layer.WORDS in cue.descriptors for cue in spoken)

    wan, musicgen = f"diffusers:{models / 'wan'}", f"musicgen:{models / 'musicgen'}"
    decoding = mmcodec.DecodeSettings(wan, musicgen, models=CPU, end_s=1.0)
    decoded = mmcodec.decode(tmp_path / "clip.mmc", tmp_path / "clip.mp4", decoding)
    assert not decoded.remarks
    frames, samples, rate = read_media(tmp_path / "clip.mp4")
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


def test_another_seed_gives_another_picture(models, make_clip, tmp_path):
    hashes = set()
    for seed in (1, 2):
        made_for = Synthesis(seed=seed, steps=2)
        settings = mmcodec.EncodeSettings(audio=False, video_synthesis=made_for)
        clip = make_clip(shots=1, size=(96, 64), frames=12)
        mmcodec.encode(clip, tmp_path / "a.mmc", settings, force=True)
        decoding = mmcodec.DecodeSettings(f"keyframes:{models / 'sdxl'}", models=CPU, hashes=True)
        report = mmcodec.decode(tmp_path / "a.mmc", tmp_path / "a.mp4", decoding, force=True)
        hashes.add(report.hashes["video"])
    assert len(hashes) == 2


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
