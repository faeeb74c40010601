"""Speech by flite, synthesized music, and their mix; sound is float64 in -1..1."""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, resample_poly, sosfilt

Sound = NDArray[np.float64]

RATE = 48_000
BEAT = 60 / 84
LOUDNESS = -20.0
SPEECH_LEAD_DB = 12.0
# D major: D, B minor, G, A, G, A7sus, D; one bar of four beats each, as MIDI notes
CHORDS = [
    (38, (62, 66, 69, 73)),
    (35, (59, 62, 66, 69)),
    (43, (59, 62, 67, 69)),
    (45, (57, 61, 64, 69)),
    (43, (59, 62, 66, 67)),
    (45, (57, 62, 64, 69)),
    (38, (62, 66, 69, 74)),
]


class MissingToolError(RuntimeError):
    """A program that the samples need is not installed."""


def speak(text: str, voice: str, rate: int, stretch: float = 1.0) -> Sound:
    """Return text spoken by a flite voice at `rate` hertz, peak 1, silence at its ends cut.

    stretch lengthens the sounds (1.1 is ten per cent slower).
    """
    if shutil.which("flite") is None:
        raise MissingToolError("flite is missing; install it with: apt-get install -y flite")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        setting = f"duration_stretch={stretch}"
        command = ["flite", "-voice", voice, "--setf", setting, "-t", text, "-o", str(path)]
        subprocess.run(command, check=True, capture_output=True)
        with wave.open(str(path)) as file:
            source = file.getframerate()
            raw = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
    divisor = math.gcd(rate, source)
    sound = resample_poly(raw, rate // divisor, source // divisor)
    sound = sosfilt(butter(2, 70, "highpass", fs=rate, output="sos"), sound)
    return faded(trimmed(sound / np.abs(sound).max(), rate), 0.008, 0.03, rate)


def trimmed(sound: Sound, rate: int) -> Sound:
    """Cut the silence (under -42 dB) at both ends, leaving 30 ms."""
    loud = np.flatnonzero(np.abs(sound) > 10 ** (-42 / 20))
    pad = int(0.03 * rate)
    return sound[max(0, loud[0] - pad) : loud[-1] + pad]


def faded(sound: Sound, rise: float, fall: float, rate: int) -> Sound:
    """Return a copy with raised-cosine ends of rise and fall seconds."""
    out = sound.copy()
    for seconds, part in ((rise, slice(None, None)), (fall, slice(None, None, -1))):
        n = min(int(seconds * rate), len(out))
        shape = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, n))
        view = out[part]
        view[:n] *= shape if out.ndim == 1 else shape[:, None]
    return out


def note_hz(midi: float) -> float:
    """Return the frequency of a MIDI note number in hertz."""
    return 440.0 * 2 ** ((midi - 69) / 12)


def pad_voice(midi: int, seconds: float, pan: float) -> Sound:
    """Return a soft stereo pad note: detuned partials that fade in and out slowly."""
    t = np.arange(int(seconds * RATE)) / RATE
    out = np.zeros((len(t), 2))
    for side, detune in ((0, 0.9988), (1, 1.0012)):
        base = note_hz(midi) * detune
        for k, gain in ((1, 1.0), (2, 0.34), (3, 0.13), (4, 0.05)):
            wobble = 0.6 * np.sin(2 * np.pi * (0.21 + 0.05 * k) * t + side)
            out[:, side] += gain * np.sin(2 * np.pi * base * k * t + wobble + k)
    out *= np.array([math.sqrt(1 - pan), math.sqrt(pan)])
    return faded(out, 0.9, 1.1, RATE)


def pluck(midi: int, pan: float) -> Sound:
    """Return a plucked stereo note of 1.8 s whose higher partials die first."""
    t = np.arange(int(1.8 * RATE)) / RATE
    tone = np.zeros_like(t)
    for k in range(1, 8):
        gain = k**-1.5 * abs(math.sin(0.31 * math.pi * k))
        stiff = k * math.sqrt(1 + 2e-4 * k * k)
        tone += gain * np.exp(-t * (2.4 + 1.5 * k)) * np.sin(2 * np.pi * note_hz(midi) * stiff * t)
    tone = faded(tone, 0.004, 0.25, RATE)
    return np.asarray(tone[:, None] * np.array([math.sqrt(1 - pan), math.sqrt(pan)]))


def bass(midi: int, seconds: float) -> Sound:
    """Return a gentle round bass note in stereo."""
    t = np.arange(int(seconds * RATE)) / RATE
    hz = note_hz(midi)
    tone = np.sin(2 * np.pi * hz * t) + 0.30 * np.sin(4 * np.pi * hz * t) * np.exp(-2 * t)
    return np.repeat(faded(tone * np.exp(-0.7 * t), 0.03, 0.3, RATE)[:, None], 2, axis=1)


def reverb(sound: Sound, seconds: float = 1.6) -> Sound:
    """Return the wet part of a small hall: exponentially decaying filtered noise."""
    rng = np.random.default_rng(84)
    n = int(seconds * RATE)
    tail = rng.standard_normal((n, 2)) * np.exp(-np.arange(n) / RATE * 4.2)[:, None]
    tail = lfilter([0.25], [1, -0.75], tail, axis=0)
    tail[: int(0.012 * RATE)] = 0
    tail /= np.sqrt((tail**2).sum(0))
    return np.asarray(fftconvolve(sound, tail, axes=0)[: len(sound)])


def music(seconds: float) -> Sound:
    """Return the calm accompaniment in stereo, RMS 1, fading out in its last 2 s."""
    total = np.zeros((int((seconds + 6) * RATE), 2))

    def put(sound: Sound, start: float, gain: float) -> None:
        at = int(start * RATE)
        end = min(len(total), at + len(sound))
        total[at:end] += gain * sound[: end - at]

    bar = 4 * BEAT
    pattern = (0, 2, 1, 3, 2, 1, 3, 2)
    for i, (root, notes) in enumerate(CHORDS):
        start = max(0.0, i * bar - 0.35)
        for k, midi in enumerate(notes):
            put(pad_voice(midi - 12 * (k == 3), bar + 1.2, 0.3 + 0.13 * k), start, 0.085)
        put(bass(root, bar * 0.98), i * bar, 0.20)
        for step, k in enumerate(pattern):
            accent = 0.22 if step == 0 else 0.15 + 0.03 * (step % 2 == 0)
            swing = 0.018 * (step % 2)
            put(
                pluck(notes[k] + 12, 0.3 + 0.4 * (step % 4) / 3),
                (i * 4 + step / 2) * BEAT + swing,
                accent,
            )
    total = total + 0.22 * reverb(total)
    total = faded(total[: int(seconds * RATE)], 0.4, 2.2, RATE)
    return np.asarray(total / np.sqrt((total**2).mean()))


def active_rms(sound: Sound) -> float:
    """Return the RMS of the parts within 25 dB of the loudest 20 ms block."""
    blocks = sound[: len(sound) // 960 * 960].reshape(-1, 960)
    power = (blocks**2).mean(1)
    return float(np.sqrt(power[power > power.max() * 10**-2.5].mean()))


def ducking(speech: Sound, depth_db: float) -> Sound:
    """Return a smooth gain curve that drops by depth_db while there is speech."""
    busy = (np.abs(speech) > 10 ** (-45 / 20)).astype(np.float64)
    hold = int(0.35 * RATE)
    total = np.concatenate([[0.0], np.cumsum(busy)])
    at = np.arange(len(speech))
    lead, late = np.minimum(at + hold, len(speech)), np.maximum(at - hold, 0)
    held = ((total[lead] - total[late]) > 0).astype(np.float64)
    window = np.hanning(int(0.30 * RATE))
    curve = fftconvolve(held, window / window.sum(), mode="same")
    return np.asarray(10 ** (-depth_db * np.clip(curve, 0, 1) / 20))


def loudness(sound: Sound) -> float:
    """Return the gated loudness of stereo sound at RATE in LUFS (ITU-R BS.1770)."""
    shelf = (
        [1.53512485958697, -2.69169618940638, 1.19839281085285],
        [1, -1.69065929318241, 0.73248077421585],
    )
    high = ([1.0, -2.0, 1.0], [1, -1.99004745483398, 0.99007225036621])
    weighted = lfilter(*high, lfilter(*shelf, sound, axis=0), axis=0)
    block, hop = int(0.4 * RATE), int(0.1 * RATE)
    starts = range(0, len(sound) - block + 1, hop)
    power = np.array([(weighted[s : s + block] ** 2).mean(0).sum() for s in starts])
    gate = power[power > 10 ** ((-70 + 0.691) / 10)]
    gate = gate[gate > gate.mean() * 0.1]
    return float(-0.691 + 10 * np.log10(gate.mean()))


def mixed(parts: Sequence[tuple[float, Sound]], seconds: float) -> Sound:
    """Mix spoken parts, as (start in s, mono sound at RATE), over music; stereo at -20 LUFS."""
    speech = np.zeros(int(seconds * RATE))
    for start, sound in parts:
        at = int(start * RATE)
        level = active_rms(sound)
        speech[at : at + len(sound)] += sound[: len(speech) - at] * 0.1 / level
    bed = music(seconds) * 0.1 * 10 ** (-(SPEECH_LEAD_DB - 5) / 20)
    bed = bed * ducking(speech, 5.0)[:, None]
    room = 0.05 * reverb(np.repeat(speech[:, None], 2, axis=1), 0.6)
    total = speech[:, None] + room + bed
    total *= 10 ** ((LOUDNESS - loudness(total)) / 20)
    # The gain is safe for AAC overshoot: peaks are rounded off softly above -3 dBFS.
    knee = 0.7
    over = np.maximum(np.abs(total) - knee, 0)
    soft = knee + (0.89 - knee) * np.tanh(over / (0.89 - knee))
    return np.asarray(np.where(np.abs(total) > knee, np.sign(total) * soft, total))


def voice_note(sentences: Sequence[str], pauses: Sequence[float], rate: int = 16_000) -> Sound:
    """Speak sentences with pauses (s) before, between and after them, over a faint room tone.

    The peak is -3 dBFS, the room tone about -60 dBFS RMS.
    """
    pieces = [np.zeros(int(pauses[0] * rate))]
    for text, pause in zip(sentences, pauses[1:], strict=True):
        spoken = speak(text, "slt", rate)
        pieces += [spoken / active_rms(spoken), np.zeros(int(pause * rate))]
    total = np.concatenate(pieces)
    total *= 10 ** (-3 / 20) / np.abs(total).max()
    hiss = np.random.default_rng(16).standard_normal(len(total))
    tone = sosfilt(butter(2, [90, 3000], "bandpass", fs=rate, output="sos"), hiss)
    total += tone / tone.std() * 10 ** (-60 / 20)
    return np.asarray(total * 10 ** (-3 / 20) / np.abs(total).max())
