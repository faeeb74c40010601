"""Captions for sound, by rule from what was measured: one short sentence."""

from __future__ import annotations

from mmcodec.analysis.sound import SoundAnalysis
from mmcodec.timeline import SegmentKind

_QUIET_LUFS, _LOUD_LUFS = -34.0, -16.0
_DARK_HZ, _BRIGHT_HZ = 700.0, 2200.0
_NOISY, _PURE = 0.12, 0.01
_LOW_VOICE_HZ, _HIGH_VOICE_HZ = 145.0, 185.0
_SLOW_BPM, _FAST_BPM = 85.0, 130.0
_SHORT_SECONDS = 1.2
_WIDE = 0.15


def describe_sound(analysis: SoundAnalysis, kind: SegmentKind) -> str:
    """One English sentence of at most 80 characters about a segment of ``kind``."""
    describe = {
        SegmentKind.SILENCE: _silence,
        SegmentKind.SPEECH: _speech,
        SegmentKind.MUSIC: _music,
        SegmentKind.SOUND: _sound,
    }
    return describe[kind](analysis)


def _silence(analysis: SoundAnalysis) -> str:
    return "Silence." if analysis.loudness_lufs < -60.0 else "Near silence, a faint murmur."


def _speech(analysis: SoundAnalysis) -> str:
    voice = "voice"
    if analysis.pitch_hz is not None:
        voice = (
            _choose(analysis.pitch_hz, _LOW_VOICE_HZ, _HIGH_VOICE_HZ, "low ", "", "high ") + voice
        )
    manner = _choose(
        analysis.loudness_lufs, _QUIET_LUFS, _LOUD_LUFS, "quietly", "steadily", "loudly"
    )
    timbre = _choose(
        analysis.brightness_hz, 500.0, 1200.0, ", warm and soft", "", ", crisp and clear"
    )
    verb = "says a word or two" if analysis.seconds < _SHORT_SECONDS else "speaks"
    return f"A {voice} {verb} {manner}{timbre}."


def _music(analysis: SoundAnalysis) -> str:
    facts = "Music"
    if analysis.tempo_bpm is not None:
        pace = _choose(analysis.tempo_bpm, _SLOW_BPM, _FAST_BPM, "Calm", "Steady", "Fast")
        facts = f"{pace} music at about {5 * round(analysis.tempo_bpm / 5)} beats a minute"
    elif analysis.noisiness < _PURE:
        facts = "Flowing music"
    key = f" in {analysis.key}" if analysis.key else ""
    return f"{facts}{key}, {_loudness(analysis)} and {_colour(analysis)}."


def _sound(analysis: SoundAnalysis) -> str:
    qualities = [
        "short" if analysis.seconds < _SHORT_SECONDS else "",
        _choose(analysis.loudness_lufs, _QUIET_LUFS, _LOUD_LUFS, "soft", "", "loud"),
        _colour(analysis),
        _choose(analysis.noisiness, _PURE, _NOISY, "ringing", "", "noisy"),
    ]
    space = ", all around" if analysis.stereo_width > _WIDE else ""
    return f"A {', '.join(filter(None, qualities))} sound{space}."


def _loudness(analysis: SoundAnalysis) -> str:
    return _choose(analysis.loudness_lufs, _QUIET_LUFS, _LOUD_LUFS, "soft", "even", "loud")


def _colour(analysis: SoundAnalysis) -> str:
    return _choose(analysis.brightness_hz, _DARK_HZ, _BRIGHT_HZ, "dark", "warm", "bright")


def _choose(value: float, low: float, high: float, below: str, between: str, above: str) -> str:
    return below if value < low else above if value > high else between
