"""Choose how a segment of music or sound is described: what is nearest to it when it is made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.segments import SoundSegment
from mmcodec.analysis.sound import loudness_lufs, stereo_width
from mmcodec.descriptors import opus, sound
from mmcodec.synthesis.likeness import difference, likeness
from mmcodec.synthesis.limiter import limited
from mmcodec.synthesis.offline_sound import render_sound
from mmcodec.timeline import Layer

Samples = NDArray[np.float32]

_MOST_LOUDER_DB = 6.0
_SHELF_DB = 4.0
"""What the weighting of BS.1770 adds to high frequencies."""


def choose_sound(heard: SoundSegment, bit_rate: int) -> dict[Layer, bytes]:
    """The layer in at most ``bit_rate`` bit/s of which a decoder makes the nearest sound, as loud
    as the source: a descriptor, or from some 5 kbit/s on Opus.
    """
    mono, rate = heard.mono(), heard.sample_rate
    width = stereo_width(heard.samples)
    wanted = likeness(mono, rate)

    def distance(made: Samples) -> float:
        return difference(wanted, likeness(made, rate))

    measured, trials = sound.measure(mono, rate), []
    for source in sound.excitations(mono, rate, bit_rate):
        data = sound.encode(measured, bit_rate, source)
        made = render_sound(sound.decode(data, measured.seconds), rate, len(mono), seed=0)
        trials.append((distance(_limited(made, rate)), source, data, made))
    least, source, data, made = min(trials, key=lambda one: one[0])
    if bit_rate >= opus.LEAST_BIT_RATE:
        coded = opus.encode(mono, rate, bit_rate)
        if coded and distance(opus.decode(coded, len(mono) / rate, rate, len(mono))) < least:
            return {Layer.OPUS: coded}
    if not data:
        return {Layer.SOUND: data}
    loudness, louder_db = _loudness(heard, mono), 0.0
    first_db, step = sound.level_and_step(data)
    for _ in range(2):  # made louder, it may have to be limited, which makes it less loud
        made_db = sound.level_and_step(data)[0] if data else first_db
        louder = _limited(made * np.float32(10 ** ((made_db - first_db) / 20)), rate)
        louder_db += loudness - loudness_lufs(louder[:, None], rate)
        louder_db = min(max(louder_db, -_MOST_LOUDER_DB), _MOST_LOUDER_DB)
        data = sound.encode(
            measured, bit_rate, source, louder_db=louder_db, width=width, least=step
        )
    return {Layer.SOUND: data}


def _loudness(heard: SoundSegment, mono: Samples) -> float:
    """In LUFS, of all that the source has: what is beyond the samples' frequencies counts."""
    audible = loudness_lufs(mono[:, None], heard.sample_rate)
    beyond_db = 10 * float(np.log10(heard.beyond + 1e-12)) + _SHELF_DB
    return 10 * float(np.log10(10 ** (audible / 10) + 10 ** (beyond_db / 10)))


def _limited(made: Samples, rate: int) -> Samples:
    return limited(made[:, None], rate)[:, 0]
