"""How close decoded sound is."""

import numpy as np
import pytest
from test_sound_descriptor import babble, noise, tone

from mmcodec.evaluation.hearing import (
    chroma_similarity,
    log_mel_distance,
    mel_cepstral_distance,
    onset_f,
)

RATE = 24_000


def test_the_same_sound_is_perfect():
    sound = babble()
    assert mel_cepstral_distance(sound, sound, RATE) == 0
    assert log_mel_distance(sound, sound, RATE) == 0
    assert chroma_similarity(sound, sound, RATE) == pytest.approx(1)
    assert onset_f(sound, sound, RATE) == 1


def test_cepstra_ignore_level_and_see_timbre():
    sound = babble()
    assert mel_cepstral_distance(sound, sound / 4, RATE) < 0.1
    brighter = np.diff(sound, prepend=0).astype(np.float32)
    assert mel_cepstral_distance(sound, brighter, RATE) > 1


def test_bands_are_compared_in_decibels():
    sound = noise()
    assert log_mel_distance(sound, sound / 2, RATE) == pytest.approx(6.02, abs=0.01)


def test_chroma_knows_the_note_and_not_the_octave():
    note = tone(440.0)
    assert chroma_similarity(note, tone(880.0), RATE) > 0.9
    assert chroma_similarity(note, tone(622.3), RATE) < 0.5


def test_onsets_count_within_a_twentieth_of_a_second():
    clicks = 0.001 * noise()
    for at in (0.5, 1.0, 1.7, 2.4):
        clicks[round(at * RATE) : round(at * RATE) + 500] += 0.5
    assert onset_f(clicks, np.roll(clicks, RATE // 50), RATE) == 1
    assert onset_f(clicks, np.roll(clicks, RATE // 4), RATE) < 0.5
    assert onset_f(np.zeros(RATE, np.float32), clicks, RATE) is None
