from fractions import Fraction

import pytest

from mmcodec.timeline import (
    AudioTrack,
    Cue,
    Prompt,
    Segment,
    SegmentKind,
    Shot,
    Timeline,
    TrackKind,
    VideoTrack,
)

VIDEO = VideoTrack(640, 360, Fraction(30000, 1001))
AUDIO = AudioTrack(24_000, 2)


def test_a_span_is_never_empty_or_negative():
    assert Shot(3, 10).duration == 7
    for start, end in ((5, 5), (6, 5), (-1, 4)):
        with pytest.raises(ValueError, match="span"):
            Shot(start, end)


def test_seconds_are_exact_at_ntsc_rates():
    timeline = Timeline(VIDEO, AUDIO)
    assert timeline.seconds(Shot(0, 30_000))[1] == 1001
    assert timeline.seconds(Segment(25, 126, SegmentKind.MUSIC)) == (
        Fraction(1, 2),
        Fraction(63, 25),
    )


def test_a_span_on_a_missing_track_is_an_error():
    with pytest.raises(ValueError, match="no such track"):
        Timeline(VIDEO, None).seconds(Segment(0, 1, SegmentKind.SOUND))


def test_cues_are_found_by_track_and_the_longer_track_gives_the_duration():
    shot = Cue(Shot(0, 30), Prompt("a shot"))
    segment = Cue(Segment(0, 250, SegmentKind.SPEECH), Prompt("a voice"))
    timeline = Timeline(VIDEO, AUDIO, (shot, segment))
    assert timeline.on(TrackKind.VIDEO) == (shot,)
    assert timeline.on(TrackKind.AUDIO) == (segment,)
    assert timeline.duration == 5
    assert Timeline(VIDEO, AUDIO).duration == 0
