"""The decoder: which synthesizer gets what, and what happens where one fails."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mmcodec import registry
from mmcodec.bitstream.packets import CuePacket
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.descriptors.voice import TIMBRE, Tier, Voice, encode
from mmcodec.errors import BackendError, FailedWorkError
from mmcodec.pipeline.decoder import Decoder
from mmcodec.pipeline.settings import DecodeSettings
from mmcodec.registry import Backend
from mmcodec.synthesis.offline_video import OfflineVideo
from mmcodec.synthesis.voices import EngineId
from mmcodec.timeline import (
    AudioTrack,
    Cue,
    Layer,
    Prompt,
    Segment,
    SegmentKind,
    Shot,
    Synthesis,
    VideoTrack,
)

STREAM = Synthesis(synthesizer="given", seed=5, steps=4)
HEADER = StreamHeader(
    VideoTrack(64, 36, Fraction(25)),
    AudioTrack(24_000, 1),
    video_synthesis=STREAM,
    audio_synthesis=Synthesis(seed=9),
)
GIVEN = DecodeSettings("given", "given", "given")
seen: list[Cue] = []


class Given:
    """Grey pictures and quiet noise; fails at cues whose prompt says so, after three frames."""

    def render(self, cue, track, samples=None):
        seen.append(cue)
        if samples is None:
            return self._frames(cue, track)
        self._fail(cue)
        return np.full((samples, track.channels), 0.25, np.float32)

    def _frames(self, cue, track):
        for number in range(cue.span.duration):
            if number == 3:
                self._fail(cue)
            yield np.full((track.height, track.width, 3), 77, np.uint8)

    def _fail(self, cue):
        if "fail" in cue.prompt.text:
            raise FailedWorkError("given cannot run model: no memory")


@pytest.fixture(autouse=True)
def given(monkeypatch):
    """The backend ``given`` in every group of synthesizers."""
    added = {"given": Backend(f"{__name__}:Given")}
    table = {
        group: {**backends, **(added if "SYNTH" in group.name else {})}
        for group, backends in registry._BUILT_IN.items()
    }
    monkeypatch.setattr(registry, "_BUILT_IN", table)
    seen.clear()


def decoded(*cues: Cue, header: StreamHeader = HEADER, settings: DecodeSettings = GIVEN):
    decoder = Decoder(header, settings)
    items = [item for cue in cues for item in decoder.decode(CuePacket(cue, 0, {}))]
    return items, decoder


def test_a_synthesizer_is_told_what_holds_for_its_cue():
    decoded(
        Cue(Shot(0, 5), Prompt("A car."), synthesis=Synthesis(seed=6)),
        Cue(Segment(0, 50, SegmentKind.SOUND), Prompt("A bang.")),
    )
    assert [cue.synthesis for cue in seen] == [replace(STREAM, seed=6), Synthesis(seed=9)]


def test_speech_goes_to_the_synthesizer_of_speech():
    settings = replace(GIVEN, speech_synthesizer="offline")
    said = Cue(Segment(0, 50, SegmentKind.SPEECH), Prompt("A voice."))
    played = Cue(Segment(50, 100, SegmentKind.MUSIC), Prompt("Music."))
    (first, second), _ = decoded(said, played, settings=settings)
    assert [cue.span.kind for cue in seen] == [SegmentKind.MUSIC]
    assert not first.samples.any()
    assert np.allclose(second.samples[1000:], 0.25)


def test_a_shot_at_which_a_model_fails_goes_on_offline():
    cue = Cue(Shot(25, 35), Prompt("fail"))
    items, decoder = decoded(cue)
    # The first frame fills the second before the shot, for which there is no cue.
    assert len(items) == 35
    grey = [bool((item.pixels == 77).all()) for item in items]
    assert grey == [True] * 28 + [False] * 7
    rest = list(OfflineVideo().render(cue, HEADER.video))[3:]
    assert all(np.array_equal(a.pixels, b) for a, b in zip(items[28:], rest, strict=True))
    assert decoder.remarks == [
        "given cannot run model: no memory; what is at 1.0 s is made offline"
    ]


def test_a_segment_at_which_a_model_fails_is_made_offline():
    cue = Cue(Segment(0, 50, SegmentKind.MUSIC), Prompt("fail"))
    (heard,), decoder = decoded(cue)
    assert heard.samples.shape == (24_000, 1)
    assert not heard.samples.any()
    assert "made offline" in decoder.remarks[0]


def test_a_backend_that_cannot_be_had_is_an_error():
    with pytest.raises(BackendError, match="there is no 'magic'"):
        Decoder(HEADER, DecodeSettings(video_synthesizer="magic"))


def test_decoding_with_another_synthesizer_is_said_in_one_line():
    _, decoder = decoded(settings=DecodeSettings("offline"))
    assert decoder.remarks == ["video synthesizers: offline; the stream is made for given"]
    _, decoder = decoded()
    assert not decoder.remarks


def spoken(text, layers=None):
    cue = Cue(Segment(0, 100, SegmentKind.SPEECH), Prompt(f"“{text}”"), layers or {})
    header = StreamHeader(None, HEADER.audio)
    (sound,), decoder = decoded(cue, header=header, settings=DecodeSettings())
    return decoder.remarks, sound.samples


def test_words_without_a_voice_are_heard():
    remarks, samples = spoken("Meet me at nine.")
    assert remarks == []
    assert np.abs(samples).max() > 0.05


@pytest.mark.parametrize(
    ("engine", "said"),
    [(EngineId.UNKNOWN, []), (EngineId.ESPEAK_1_52, []),
     (29, ["voice: the stream is made for no. 29, which is not here; another one reads"])],
)  # fmt: skip
def test_another_voice_than_the_streams_is_said_once(engine, said):
    who = Voice(Tier.B, engine, 0, "en", 120.0, 2.0, -30.0, None, (0.0,) * TIMBRE)
    remarks, samples = spoken("Blip blop.", {Layer.VOICE: encode(who, "Blip blop.", 2.0)})
    assert remarks == said
    assert np.abs(samples).max() > 0.01


def test_words_that_no_voice_here_can_say_are_left_out():
    said = Voice(Tier.B, EngineId.ESPEAK_1_52, 0, "zz", 120.0, 2.0, -30.0, None, (0.0,) * TIMBRE)
    layer = encode(said, "Blip blop.", 2.0)
    remarks, samples = spoken("Blip blop.", {Layer.VOICE: layer})
    assert len(remarks) == 1
    assert remarks[0].endswith("; what is at 0.0 s is heard without its words")
    assert samples.shape == (2 * 24_000, 1)
