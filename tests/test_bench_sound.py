"""The benchmarks of speech and of sound, run as a user would on something short."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import soundfile

ROOT = Path(__file__).parents[1]


def bench(tool, *arguments):
    command = [sys.executable, str(ROOT / "tools" / tool), *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def talk(tmp_path):
    """A sentence and its text."""
    samples, rate = soundfile.read(ROOT / "samples" / "note.wav")
    soundfile.write(tmp_path / "talk.wav", samples[: round(2.4 * rate)], rate)
    (tmp_path / "talk.txt").write_text("Hi, it's Anna. The train is")
    return tmp_path / "talk.wav"


def test_speech_is_measured_beside_other_codecs(talk):
    rows = {row["codec"]: row for row in bench("bench_speech.py", talk)}
    assert rows["original"]["stoi"] == pytest.approx(1)
    low, high = rows["mmcodec vocoder 350"], rows["mmcodec vocoder 3000"]
    assert low["bit_rate"] < high["bit_rate"] < 3400
    assert low["stoi"] < high["stoi"]
    assert rows["mmcodec text, tier E"]["bit_rate"] < low["bit_rate"]
    assert rows["Opus 6k"]["stoi"] > 0.7
    for name, package in (("codec2 1200", "pycodec2"), ("EnCodec", "transformers")):
        assert (rows[name]["stoi"] is None) == bool(rows[name]["why_missing"])
        assert rows[name]["why_missing"] or find_spec(package)
    assert (low["wer"] is None) == (find_spec("jiwer") is None)


def test_music_is_measured_beside_opus(tmp_path):
    samples, rate = soundfile.read(ROOT / "samples" / "note.wav")
    soundfile.write(tmp_path / "a.wav", samples[: 2 * rate], rate)
    rows = bench("bench_sound.py", tmp_path)
    assert {row["sound"] for row in rows} == {"a.wav", "mean"}
    codecs = [row["codec"] for row in rows if row["sound"] == "mean"]
    assert codecs == [*(f"mmcodec {n}" for n in (80, 200, 500, 1000, 2000)), "Opus 6k"]
    assert all(0 <= row["chroma"] <= 1 and abs(row["too_loud_lu"]) < 10 for row in rows)
