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

    trials, data = [], b""
    for source in sound.excitations(mono, rate, bit_rate):
        data = sound.encode(mono, rate, bit_rate, source, like=data)
        made = _made(data, len(mono), rate)
        trials.append((distance(made), source, data, made))
    least, source, data, made = min(trials, key=lambda one: one[0])
    if bit_rate >= opus.LEAST_BIT_RATE:
        coded = opus.encode(mono, rate, bit_rate)
        if coded and distance(opus.decode(coded, len(mono) / rate, rate, len(mono))) < least:
            return {Layer.OPUS: coded}
    loudness, louder = _loudness(heard, mono), 0.0
    for last in (False, True):
        louder += loudness - loudness_lufs(made[:, None], rate)
        louder = min(max(louder, -_MOST_LOUDER_DB), _MOST_LOUDER_DB)
        data = sound.encode(mono, rate, bit_rate, source, louder_db=louder, width=width, like=data)
        if not last:  # made louder, it may have to be limited, which makes it less loud
            made = _made(data, len(mono), rate)
    return {Layer.SOUND: data}


def _loudness(heard: SoundSegment, mono: Samples) -> float:
    """In LUFS, of all that the source has: what is beyond the samples' frequencies counts."""
    audible = loudness_lufs(mono[:, None], heard.sample_rate)
    beyond_db = 10 * float(np.log10(heard.beyond + 1e-12)) + _SHELF_DB
    return 10 * float(np.log10(10 ** (audible / 10) + 10 ** (beyond_db / 10)))


def _made(data: bytes, samples: int, rate: int) -> Samples:
    made = render_sound(sound.decode(data, samples / rate), rate, samples, seed=0)
    return limited(made[:, None], rate)[:, 0]
