"""Render the committed samples: a narrated clip, a voice note, a photo and their facts.

Everything is drawn and synthesized from fixed seeds; only the voices come from outside (flite).
"""

from __future__ import annotations

import argparse
import json
import sys
import wave
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from rich.progress import Progress
from sample_scenes.aurora import Aurora
from sample_scenes.balloon import Balloon
from sample_scenes.beach import Beach
from sample_scenes.canvas import Bytes
from sample_scenes.coast import Coast
from sample_scenes.photo import Photo
from sample_scenes.reef import Reef
from sample_scenes.sound import RATE, MissingToolError, Sound, mixed, speak, voice_note
from sample_scenes.street import Street

FPS = 24
SIZE = (640, 360)
CRF = 25.5
LEAD = 0.40
# scene, first frame, frame after the last, narration
SHOTS: list[tuple[Any, int, int, str]] = [
    (Beach, 0, 72, "The sun sets over a quiet beach."),
    (Coast, 72, 144, "A red car follows the coast road."),
    (Street, 144, 218, "Rain falls on a neon street at night."),
    (Balloon, 218, 302, "A balloon rises over misty mountains."),
    (Aurora, 282, 368, "Northern lights glow over snowy pines."),
    (Reef, 368, 448, "Below the waves, fish circle a reef."),
]
NOTE = [
    "Hi, it's Anna.",
    "The train is twenty minutes late, so please start dinner without me.",
    "I will bring the bread and call you from the station.",
]
NOTE_PAUSES = [0.45, 0.60, 0.70, 0.75]


def boundaries() -> tuple[list[int], list[list[int]]]:
    """Return the first frames after hard cuts and the [first, last] frames of dissolves."""
    cuts, dissolves = [], []
    for before, after in pairwise(SHOTS):
        if after[1] < before[2]:
            dissolves.append([after[1], before[2] - 1])
        else:
            cuts.append(after[1])
    return cuts, dissolves


def frames() -> Iterator[Bytes]:
    """Yield all frames of the clip in order, overlapping shots blended."""
    scenes = [scene(SIZE, (end - start) / FPS) for scene, start, end, _ in SHOTS]
    for n in range(SHOTS[-1][2]):
        showing = [k for k, shot in enumerate(SHOTS) if shot[1] <= n < shot[2]]
        picture = scenes[showing[0]].render((n - SHOTS[showing[0]][1]) / FPS)
        if len(showing) == 2:
            start, end = SHOTS[showing[1]][1], SHOTS[showing[0]][2]
            weight = (n - start + 1) / (end - start + 1)
            second = scenes[showing[1]].render((n - start) / FPS)
            picture = cv2.addWeighted(picture, 1 - weight, second, weight, 0)
        yield picture


def narration() -> list[tuple[float, Sound, str]]:
    """Speak each shot's sentence; returns (start in s, sound at RATE, text)."""
    spoken = []
    for k, (_, start, _, text) in enumerate(SHOTS):
        overlap = max(0, SHOTS[k - 1][2] - start) / FPS if k else 0.0
        spoken.append((start / FPS + overlap * 0.3 + LEAD, speak(text, "rms", RATE), text))
    return spoken


def add_video(container: Any) -> Any:
    """Add the H.264 stream with its colour tags to an open container."""
    stream = container.add_stream("libx264", rate=FPS)
    stream.width, stream.height = SIZE
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, FPS)
    stream.options = {"crf": str(CRF), "preset": "veryslow", "aq-mode": "3", "threads": "1"}
    context = stream.codec_context
    context.color_range = 1
    context.colorspace = context.color_primaries = context.color_trc = 1
    return stream


def write_clip(path: Path, sound: Sound) -> None:
    """Render and encode the clip with stereo sound at RATE."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = add_video(container)
        audio = container.add_stream("aac", rate=RATE, layout="stereo")
        audio.bit_rate = 72_000
        with Progress() as progress:
            for n, picture in enumerate(progress.track(frames(), SHOTS[-1][2], description="clip")):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
                frame.pts, frame.time_base = n, Fraction(1, FPS)
                container.mux(video.encode(frame))
        container.mux(video.encode())
        for start in range(0, len(sound), 1024):
            block = np.ascontiguousarray(sound[start : start + 1024].T, np.float32)
            samples = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            samples.sample_rate, samples.pts = RATE, start
            samples.time_base = Fraction(1, RATE)
            container.mux(audio.encode(samples))
        container.mux(audio.encode())


def write_note(path: Path) -> None:
    """Write the voice note as 16 kHz mono 16-bit WAV."""
    sound = voice_note(NOTE, NOTE_PAUSES)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.round(sound * 32767).astype("<i2").tobytes())


def write_photo(path: Path) -> None:
    """Write the still as PNG."""
    picture = Photo((768, 512)).render()
    cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


def facts(spoken: list[tuple[float, Sound, str]]) -> dict[str, Any]:
    """Return the facts that tests check, as stored in clip.json."""
    cuts, dissolves = boundaries()
    lines = [[round(s, 3), round(s + len(w) / RATE, 3), text] for s, w, text in spoken]
    return {
        "fps": FPS,
        "frames": SHOTS[-1][2],
        "cuts": cuts,
        "dissolves": dissolves,
        "narration": lines,
        "note_text": " ".join(NOTE),
    }


def readme(info: dict[str, Any]) -> str:
    """Return the text of samples/README.md."""
    names = ["beach", "coast road", "neon street", "balloon", "northern lights", "reef"]
    rows = []
    for k, ((_, start, end, _), line) in enumerate(zip(SHOTS, info["narration"], strict=True)):
        span = f"{start / FPS:.3f}-{end / FPS:.3f}"
        rows.append(
            f"| {k + 1} | {names[k]} | {start}-{end - 1} | {span} | {line[0]:.2f} | {line[2]} |"
        )
    cuts = ", ".join(f"frame {c} ({c / FPS:.3f} s)" for c in info["cuts"])
    first, last = info["dissolves"][0]
    return f"""# Samples

All files here are made by `python tools/make_samples.py` from fixed seeds: nothing was filmed,
recorded or downloaded. They are under the Apache-2.0 licence like the rest of the project. The
voices are those of [flite](http://www.festvox.org/flite/) (`rms` in the clip, `slt` in the note);
the music is synthesized.

| File | What it is |
|---|---|
| `clip.mp4` | {info["frames"] / FPS:.2f} s of video, {SIZE[0]}x{SIZE[1]}, {FPS} fps, six narrated \
shots with soft music (H.264 + AAC) |
| `clip.json` | the clip's cuts, dissolve and narration times and the note's text, for tests |
| `note.wav` | a voice note of about 10 s, 16 kHz, mono, 16 bit |
| `photo.png` | a still of 768x512: a mountain lake at dusk |

## Shots of `clip.mp4`

| Shot | Scene | Frames | Seconds | Narration starts (s) | Narration |
|---|---|---|---|---|---|
{chr(10).join(rows)}

Hard cuts, at the first frame of the new shot: {cuts}.

Dissolve from shot 4 to shot 5: blended frames {first} to {last} ({first / FPS:.3f} s to \
{(last + 1) / FPS:.3f} s).

## Text of `note.wav`

> {info["note_text"]}
"""


def main() -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        description="Render the committed samples (clip, voice note, photo) procedurally.",
        epilog="example: python tools/make_samples.py -o samples",
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("samples"), help="folder to write (%(default)s)"
    )
    folder = parser.parse_args().output
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        spoken = narration()
        write_note(folder / "note.wav")
    except MissingToolError as error:
        print(f"make_samples: {error}", file=sys.stderr)
        return 1
    info = facts(spoken)
    text = json.dumps(info, indent=2, ensure_ascii=False) + "\n"
    (folder / "clip.json").write_text(text, encoding="utf-8")
    (folder / "README.md").write_text(readme(info), encoding="utf-8")
    write_photo(folder / "photo.png")
    sound = mixed([(start, voice) for start, voice, _ in spoken], SHOTS[-1][2] / FPS)
    write_clip(folder / "clip.mp4", sound)
    for path in sorted(folder.iterdir()):
        print(f"{path}  {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
