from fractions import Fraction

import av
import numpy as np
import pytest
from conftest import read_media, scene, tone

from mmcodec.errors import MediaError, UsageError
from mmcodec.media.mux import MediaWriter, check_suffix, suffix_for
from mmcodec.timeline import AudioTrack, TrackKind, VideoTrack

VIDEO = VideoTrack(96, 64, Fraction(24))
AUDIO = AudioTrack(24_000, 2)
STEREO = np.repeat(tone(2.0, 24_000), 2, axis=1)


def write(path, video=VIDEO, audio=AUDIO, text="Grüße: a {red} car"):
    with MediaWriter(path, path.suffix, video, audio) as media:
        for track in TrackKind:
            media.prompt(track, Fraction(0), Fraction(2), text)
        for number in range(48):
            if video:
                media.picture(scene(1, number, (video.width, video.height)))
            if audio:
                media.sound(STEREO[number * 1000 : (number + 1) * 1000])
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_pictures_sound_and_prompts_come_back(tmp_path, suffix):
    path = write(tmp_path / f"out{suffix}")
    frames, samples, _ = read_media(path)
    assert len(frames) == 48
    assert abs(frames[-1][0] - Fraction(47, 24)) < Fraction(1, 500)
    assert np.abs(frames[20][1].astype(int) - scene(1, 20, (96, 64))).mean() < 14
    assert abs(np.abs(samples).max() - np.abs(STEREO).max()) < 0.1
    with av.open(str(path)) as container:
        texts = [bytes(p) for p in container.demux(container.streams.subtitles) if p.size]
        assert sum("Grüße: a {red} car".encode() in text for text in texts) == 2


def test_a_wav_takes_the_sound_alone(tmp_path):
    frames, samples, rate = read_media(write(tmp_path / "out.wav"))
    assert not frames
    assert rate == 24_000
    assert np.abs(samples - STEREO).max() < 1e-3


def test_a_png_takes_the_first_picture_exactly(tmp_path):
    odd = VideoTrack(95, 63, Fraction(24))
    frames, _, _ = read_media(write(tmp_path / "out.png", odd, None))
    assert len(frames) == 1
    assert np.array_equal(frames[0][1], scene(1, 0, (95, 63)))


@pytest.mark.parametrize("size", [(95, 63), (3, 2), (1, 1)])
def test_odd_rasters_lose_a_line_at_most(tmp_path, size):
    frames, _, _ = read_media(write(tmp_path / "out.mp4", VideoTrack(*size, Fraction(24))))
    height, width = frames[0][1].shape[:2]
    assert (width, height) == (max(2, size[0] & ~1), max(2, size[1] & ~1))


def test_the_suffix_follows_the_tracks():
    still = VideoTrack(8, 8, Fraction(1), still=True)
    assert suffix_for(VIDEO, AUDIO) == ".mp4"
    assert suffix_for(None, AUDIO) == ".wav"
    assert suffix_for(still, None) == ".png"


def test_impossible_outputs_are_refused(tmp_path):
    with pytest.raises(UsageError, match="choose one of"):
        check_suffix(".gif")
    with pytest.raises(UsageError, match="can hold nothing"):
        MediaWriter(tmp_path / "a.wav", ".wav", VIDEO, None)
    with pytest.raises(MediaError, match="cannot be written"):
        MediaWriter(tmp_path / "no" / "such" / "folder.mp4", ".mp4", VIDEO, None)
