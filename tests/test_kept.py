"""What models have made is kept until a decode is whole, and not made again after a stop."""

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from mmcodec.media.lossless import FrameWriter, read_frames
from mmcodec.pipeline.kept import Kept, KeptAudio, KeptVideo
from mmcodec.timeline import AudioTrack, Cue, Prompt, Segment, SegmentKind, Shot, VideoTrack

VIDEO, AUDIO = VideoTrack(50, 38, Fraction(25)), AudioTrack(24_000, 2)
SHOT = Cue(Shot(0, 6), Prompt("A car."))
SEGMENT = Cue(Segment(0, 50, SegmentKind.MUSIC), Prompt("Calm music."))


@dataclass
class Noise:
    """A synthesizer whose work cannot be guessed, so that what comes twice was kept."""

    dice: np.random.Generator = field(default_factory=np.random.default_rng)
    rendered: int = 0

    def render(self, cue, track, samples=None):
        self.rendered += 1
        if samples:
            return self.dice.uniform(-1, 1, (samples, track.channels)).astype(np.float32)
        shape = (cue.span.duration, track.height, track.width, 3)
        return iter(self.dice.integers(0, 256, shape, np.uint8))


def test_frames_come_back_bit_for_bit(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (5, 38, 50, 3), np.uint8)
    with FrameWriter(tmp_path / "a.mkv", (50, 38)) as keep:
        for frame in frames:
            keep.write(frame)
    assert np.array_equal(np.stack(list(read_frames(tmp_path / "a.mkv"))), frames)
    assert [file.name for file in tmp_path.iterdir()] == ["a.mkv"]


def test_a_finished_shot_is_not_made_again(tmp_path):
    noise = Noise()
    first = list(KeptVideo(noise, "a", Kept(tmp_path / "x.mp4", False)).render(SHOT, VIDEO))
    again = list(KeptVideo(noise, "a", Kept(tmp_path / "x.mp4", True)).render(SHOT, VIDEO))
    assert noise.rendered == 1
    assert np.array_equal(np.stack(first), np.stack(again))


def test_a_finished_segment_is_not_made_again(tmp_path):
    noise = Noise()
    first = KeptAudio(noise, "a", Kept(tmp_path / "x.mp4", False)).render(SEGMENT, AUDIO, 240)
    again = KeptAudio(noise, "a", Kept(tmp_path / "x.mp4", True)).render(SEGMENT, AUDIO, 240)
    assert noise.rendered == 1
    assert np.array_equal(first, again)


def test_another_model_cue_or_track_is_another_work(tmp_path):
    noise, kept = Noise(), Kept(tmp_path / "x.mp4", True)
    for name, cue, track in (
        ("a", SHOT, VIDEO),
        ("b", SHOT, VIDEO),
        ("a", Cue(Shot(0, 6), Prompt("A bus.")), VIDEO),
        ("a", SHOT, VideoTrack(64, 38, Fraction(25))),
    ):
        assert len(list(KeptVideo(noise, name, kept).render(cue, track))) == 6
    assert noise.rendered == 4


def test_without_resume_what_was_there_is_dropped(tmp_path):
    noise = Noise()
    for _ in range(2):
        list(KeptVideo(noise, "a", Kept(tmp_path / "x.mp4", False)).render(SHOT, VIDEO))
    assert noise.rendered == 2


def test_a_shot_that_was_stopped_is_not_kept(tmp_path):
    noise, kept = Noise(), Kept(tmp_path / "x.mp4", True)
    frames = KeptVideo(noise, "a", kept).render(SHOT, VIDEO)
    assert len(list(islice(frames, 3))) == 3
    frames.close()
    assert not list((tmp_path / ".x.mp4.kept").iterdir())


def test_what_is_kept_goes_when_all_is_done_and_stays_when_it_is_not(tmp_path):
    with pytest.raises(KeyboardInterrupt), Kept(tmp_path / "x.mp4", False) as kept:
        list(KeptVideo(Noise(), "a", kept).render(SHOT, VIDEO))
        raise KeyboardInterrupt
    assert len(list((tmp_path / ".x.mp4.kept").iterdir())) == 1
    with Kept(tmp_path / "x.mp4", True):
        pass
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="early"), Kept(tmp_path / "x.mp4", False) as kept:
        kept.file(".mkv", "nothing")
        raise ValueError("early")
    assert not list(tmp_path.iterdir())


def test_a_shot_that_failed_is_not_kept(tmp_path):
    class Failing(Noise):
        def render(self, cue, track):
            yield next(super().render(cue, track))
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(KeptVideo(Failing(), "a", Kept(tmp_path / "x.mp4", True)).render(SHOT, VIDEO))
    assert not list((tmp_path / ".x.mp4.kept").iterdir())
