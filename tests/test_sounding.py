"""How a segment is described is chosen by what a decoder makes of it."""

from dataclasses import replace

import numpy as np
import pytest
from test_sound_descriptor import RATE, babble, noise, tone

from mmcodec.analysis.segments import SoundSegment
from mmcodec.analysis.sound import loudness_lufs, stereo_width
from mmcodec.descriptors import excitation, sound
from mmcodec.entropy.range_coder import Decoder
from mmcodec.pipeline import sounding
from mmcodec.synthesis.offline_audio import OfflineAudio
from mmcodec.timeline import AudioTrack, Cue, Layer, Prompt, Segment, SegmentKind


def segment(samples: np.ndarray) -> SoundSegment:
    stereo = samples[:, None] if samples.ndim == 1 else samples
    ticks = len(samples) * 50 // RATE
    return SoundSegment(Segment(0, ticks, SegmentKind.SOUND), stereo.astype(np.float32), RATE)


def choose_sound(heard: SoundSegment, bit_rate: int) -> bytes:
    """The descriptor that is chosen."""
    (layer,) = sounding.choose_sound(heard, bit_rate).items()
    assert layer[0] is Layer.SOUND
    return layer[1]


def made(data: bytes, heard: SoundSegment) -> np.ndarray:
    cue = Cue(heard.segment, Prompt(""), {Layer.SOUND: data})
    return OfflineAudio().render(cue, AudioTrack(RATE, 2), len(heard.samples))


def mode_of(data: bytes) -> int:
    decoder = Decoder(data)
    decoder.decode_bits(7 + 6 + 3)
    return decoder.decode_bits(excitation.MODE_BITS)


CHORD = sum(tone(hz, 4.0) for hz in (220.0, 277.2, 329.6, 554.4)) / 4


@pytest.mark.parametrize(
    ("samples", "mode"),
    [
        (noise(), excitation.NOISE),
        (babble(), excitation.FINE_PITCH),
        (CHORD, excitation.PARTIALS),
    ],
    ids=["noise", "voice", "chord"],
)
def test_noise_voices_and_chords_are_told_apart(samples, mode):
    assert mode_of(choose_sound(segment(samples), 600)) == mode


@pytest.mark.parametrize("bit_rate", [80, 500])
@pytest.mark.parametrize("gain", [0.01, 0.3, 1.5])
@pytest.mark.parametrize("samples", [noise(), babble(), CHORD], ids=["noise", "voice", "chord"])
def test_it_is_as_loud_as_the_source_and_does_not_clip(samples, gain, bit_rate):
    heard = segment(np.clip(gain * samples, -1, 1))
    data = choose_sound(heard, bit_rate)
    assert len(data) <= bit_rate * len(samples) / RATE / 8
    decoded = made(data, heard)
    both = np.repeat(heard.samples, 2, axis=1)
    assert loudness_lufs(decoded, RATE) == pytest.approx(loudness_lufs(both, RATE), abs=1)
    assert np.abs(decoded).max() < 10 ** (-1 / 20)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_stereo_stays_as_wide(share):
    rng = np.random.default_rng(0)
    middle, side = 0.05 * rng.standard_normal((2, 3 * RATE))
    left, right = middle + share * side, middle - share * side
    heard = segment(np.stack([left, right], axis=1))
    decoded = made(choose_sound(heard, 500), heard)
    wanted = stereo_width(heard.samples)
    assert stereo_width(decoded) == pytest.approx(wanted, abs=0.06)
    assert loudness_lufs(decoded, RATE) == pytest.approx(loudness_lufs(heard.samples, RATE), abs=1)


def test_channels_that_cancel_out_are_heard():
    one = babble()
    heard = segment(np.stack([one, -one], axis=1))
    decoded = made(choose_sound(heard, 500), heard)
    assert loudness_lufs(decoded, RATE) == pytest.approx(loudness_lufs(heard.samples, RATE), abs=1)


def test_silence_is_no_bytes():
    assert choose_sound(segment(np.zeros(RATE)), 500) == b""
    assert sound.decode(b"", 1.0).width == 0


def test_opus_is_taken_where_there_are_bits_for_it():
    heard = segment(np.concatenate([babble(), noise(), CHORD]))
    assert set(sounding.choose_sound(heard, 16_000)) == {Layer.OPUS}
    assert set(sounding.choose_sound(heard, 2000)) == {Layer.SOUND}


def test_what_no_decoder_makes_is_made_up_for_by_the_rest():
    """A third of it makes the rest louder by some 2 dB; nothing by more than 6 dB."""
    heard = segment(noise(4.0))
    usual = loudness_lufs(made(choose_sound(heard, 500), heard), RATE)
    power = float(np.mean(np.square(heard.samples)))
    for times, least, most in ((0.4, 1.0, 3.0), (100.0, 4.0, 6.1)):
        more = replace(heard, beyond=times * power)
        louder = loudness_lufs(made(choose_sound(more, 500), heard), RATE) - usual
        assert least < louder < most
