"""The loudspeaker and the microphone; a machine without them says so."""

import subprocess
import sys
from pathlib import Path

import pytest

import mmcodec
from mmcodec.errors import BackendError
from mmcodec.media import devices

SAMPLES = Path(__file__).parents[1] / "samples"


def has_device(kind: str) -> bool:
    try:
        import sounddevice

        return bool(sounddevice.query_devices(kind=kind))
    except (ImportError, OSError, ValueError):
        return False


@pytest.mark.skipif(has_device("output"), reason="there is a loudspeaker")
def test_without_a_loudspeaker_a_note_is_not_lost(tmp_path):
    note = tmp_path / "note.mmc"
    mmcodec.make_note(SAMPLES / "note.wav").save(note)
    command = [sys.executable, "-m", "mmcodec", "note", "--play", str(note)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "-o" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.skipif(has_device("input"), reason="there is a microphone")
def test_without_a_microphone_it_is_one_line():
    command = [sys.executable, "-m", "mmcodec", "note", "--record", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["a.wav", "--record", "1"], ["--play", "--record", "1"]])
def test_a_note_has_one_source(arguments):
    command = [sys.executable, "-m", "mmcodec", "note", *arguments]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2


@pytest.fixture
def portaudio(tmp_path, monkeypatch):
    """In place of PortAudio: a microphone that hears a ramp, and a loudspeaker that takes notes."""
    (tmp_path / "sounddevice.py").write_text(
        "import numpy as np\n"
        "played = []\n"
        "class PortAudioError(Exception): pass\n"
        "def play(samples, rate, blocking): played.append((samples, rate, blocking))\n"
        "class InputStream:\n"
        "    def __init__(self, samplerate, channels, dtype): self.at = 0\n"
        "    def __enter__(self): return self\n"
        "    def __exit__(self, *_): pass\n"
        "    def read(self, count):\n"
        "        if self.at >= 24_000: raise KeyboardInterrupt\n"
        "        self.at += count\n"
        "        ramp = np.arange(self.at - count, self.at, dtype=np.float32) / 48_000\n"
        "        return ramp[:, None], False\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    import sounddevice

    yield sounddevice
    sys.modules.pop("sounddevice", None)


@pytest.mark.usefixtures("portaudio")
def test_a_recording_is_what_was_heard_until_it_was_stopped():
    assert len(devices.record(1.0)) == 16_000
    heard = devices.record(9.0)
    assert heard.shape == (24_000, 1)
    assert heard[12_000, 0] == pytest.approx(0.25)
    with mmcodec.record_note(1.0) as file:
        assert file.read(4) == b"RIFF"


def test_a_note_is_played_as_it_decodes(portaudio, tmp_path):
    note = tmp_path / "note.mmc"
    mmcodec.make_note(SAMPLES / "note.wav").save(note)
    report = mmcodec.play_note_aloud(str(note))
    (samples, rate, blocking) = portaudio.played[0]
    assert blocking
    assert len(samples) / rate == pytest.approx(report.duration_s, abs=0.01)
    assert samples.std() > 0.01


def test_a_device_that_fails_is_one_line(portaudio, monkeypatch):
    def fails(*_, **__):
        raise portaudio.PortAudioError("Error querying device -1\nmore")

    monkeypatch.setattr(portaudio, "play", fails)
    monkeypatch.setattr(portaudio, "InputStream", fails)
    with pytest.raises(BackendError, match=r"no loudspeaker: Error querying device -1$"):
        devices.play(devices.np.zeros((10, 1), "f4"), 8000)
    with pytest.raises(BackendError, match="no microphone"):
        devices.record(1.0)
