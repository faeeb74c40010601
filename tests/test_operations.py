"""Encode, decode and probe through the public API, on the samples and on clips of all kinds."""

import io
import json
from fractions import Fraction

import cv2
import numpy as np
import pytest
from conftest import SAMPLES, read_media
from threadpoolctl import threadpool_info, threadpool_limits

import mmcodec
from mmcodec import DecodeSettings, Effort, EncodeSettings, Profile
from mmcodec.errors import BitstreamError, MediaError, TruncatedStreamError, UsageError
from mmcodec.pipeline.sketching import STILL_WORTH_S
from mmcodec.synthesis.offline_video import OfflineVideo
from mmcodec.timeline import Layer, SegmentKind, TrackKind

CLIP = SAMPLES / "clip.mp4"
FACTS = json.loads((SAMPLES / "clip.json").read_text())


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    """The sample clip in each profile: profile to (report, path)."""
    folder = tmp_path_factory.mktemp("encoded")
    return {
        profile: (
            mmcodec.encode(CLIP, folder / f"{profile}.mmc", EncodeSettings(profile)),
            folder / f"{profile}.mmc",
        )
        for profile in Profile
    }


def envelope(samples, rate, step=0.02):
    """Root mean square in steps of ``step`` seconds."""
    count = round(step * rate)
    mono = samples.mean(axis=1)[: len(samples) // count * count].reshape(-1, count)
    return np.sqrt(np.square(mono).mean(axis=1))


@pytest.mark.parametrize(("profile", "limit"), [(Profile.SKETCH, 2300), (Profile.PROMPT, 400)])
def test_the_sample_clip_keeps_to_its_rate(encoded, profile, limit):
    report, path = encoded[profile]
    assert report.stream.bit_rate <= limit
    assert report.stream.bytes == path.stat().st_size
    assert report.ratio == CLIP.stat().st_size / path.stat().st_size
    assert report.stream.account == mmcodec.probe(path).account


@pytest.mark.parametrize("bit_rate", [700, 1500, 4000])
def test_a_file_lands_within_three_percent_under_its_rate(tmp_path, bit_rate):
    settings = EncodeSettings(bit_rate=bit_rate, transcriber="none", effort=mmcodec.Effort.FAST)
    report = mmcodec.encode(SAMPLES / "clip.mp4", tmp_path / "a.mmc", settings)
    assert 0.97 * bit_rate < report.stream.bit_rate <= bit_rate
    assert report.remarks == ()
    assert len(report.stream.packets) == 14


def test_too_low_a_rate_is_said(make_clip, tmp_path):
    settings = EncodeSettings(bit_rate=250)
    report = mmcodec.encode(make_clip(frames=50), tmp_path / "a.mmc", settings)
    assert "2 of 2 shots are sent without a sketch" in report.remarks
    video = report.stream.timeline.on(TrackKind.VIDEO)
    assert all(set(cue.descriptors) == {Layer.LOOK} for cue in video)


def test_sound_alone_is_held_to_a_rate_only_if_one_is_given(tmp_path):
    note = mmcodec.encode(SAMPLES / "note.wav", tmp_path / "a.mmc").stream
    dear = EncodeSettings(sound_bit_rate=3000, transcriber="none")
    more = mmcodec.encode(SAMPLES / "note.wav", tmp_path / "b.mmc", dear)
    assert more.stream.bytes > 2 * note.bytes
    assert more.remarks == ()


def test_the_sample_clip_has_six_shots_at_its_cuts(encoded):
    stream = encoded[Profile.SKETCH][0].stream
    starts = [cue.span.start for cue in stream.timeline.on(TrackKind.VIDEO)]
    first, last = FACTS["dissolves"][0]
    assert [s for s in starts if not first <= s <= last] == [0, *FACTS["cuts"]]
    assert len(starts) == 6
    assert all(cue.prompt.text for cue in stream.timeline.on(TrackKind.VIDEO))


@pytest.mark.parametrize("profile", Profile)
def test_the_decode_has_the_length_and_raster_of_the_source(encoded, profile, tmp_path):
    target = tmp_path / "out.mp4"
    mmcodec.decode(encoded[profile][1], target)
    source, decoded = read_media(CLIP), read_media(target)
    assert len(decoded[0]) == len(source[0]) == FACTS["frames"]
    assert decoded[0][0][1].shape == source[0][0][1].shape
    lengths = [len(samples) / rate for _, samples, rate in (source, decoded)]
    assert abs(lengths[0] - lengths[1]) < 0.1  # AAC works in frames of up to 43 ms
    assert abs(decoded[0][-1][0] - source[0][-1][0]) <= Fraction(1, 24)


def test_picture_and_sound_stay_in_step(encoded, tmp_path):
    target = tmp_path / "out.mkv"
    mmcodec.decode(encoded[Profile.SKETCH][1], target)
    source, decoded = read_media(CLIP), read_media(target)
    cut = FACTS["cuts"][1]
    for frames, _, _ in (source, decoded):
        change = [
            np.abs(frames[i][1].astype(int) - frames[i - 1][1]).mean()
            for i in range(cut - 5, cut + 6)
        ]
        assert int(np.argmax(change)) == 5
    a, b = (envelope(samples, rate) for _, samples, rate in (source, decoded))
    length = min(len(a), len(b))
    a, b = (np.log(e[:length] + 1e-3) - np.log(e[:length] + 1e-3).mean() for e in (a, b))
    lags = range(-10, 11)
    match = [float(np.dot(a[10:-10], np.roll(b, -lag)[10:-10])) for lag in lags]
    assert abs(lags[int(np.argmax(match))]) * 0.02 <= 0.04


def test_profiles_send_their_layers(encoded):
    sketch, prompt = (encoded[p][0].stream.account for p in (Profile.SKETCH, Profile.PROMPT))
    assert sketch["sketch"] > 0
    assert "look" not in sketch
    assert prompt["look"] == 60
    assert "sketch" not in prompt
    assert sketch["vocoder"] > 0
    assert "vocoder" not in prompt
    assert prompt["sound"] < 0.4 * (sketch["sound"] + sketch["vocoder"])


def test_tracks_can_be_left_out(make_clip, tmp_path):
    clip = make_clip()
    silent = mmcodec.encode(clip, tmp_path / "v.mmc", EncodeSettings(audio=False)).stream
    blind = mmcodec.encode(clip, tmp_path / "a.mmc", EncodeSettings(video=False)).stream
    assert (silent.header.audio, blind.header.video) == (None, None)
    assert blind.micro_bits_per_pixel is None
    with pytest.raises(UsageError, match="nothing to encode"):
        mmcodec.encode(clip, tmp_path / "n.mmc", EncodeSettings(video=False, audio=False))


def test_a_voice_note_decodes_to_a_wav_of_its_length(tmp_path):
    report = mmcodec.encode(SAMPLES / "note.wav", tmp_path / "note.mmc")
    mmcodec.decode(tmp_path / "note.mmc")
    _, source, rate = read_media(SAMPLES / "note.wav")
    _, decoded, decoded_rate = read_media(tmp_path / "note.decoded.wav")
    assert abs(len(source) / rate - len(decoded) / decoded_rate) <= 0.01
    kinds = [cue.span.kind for cue in report.stream.timeline.on(TrackKind.AUDIO)]
    assert SegmentKind.SPEECH in kinds
    assert report.stream.bytes < 1000


def test_a_photograph_decodes_to_a_png_of_its_size(tmp_path):
    report = mmcodec.encode(SAMPLES / "photo.png", tmp_path / "photo.mmc")
    mmcodec.decode(tmp_path / "photo.mmc")
    frames, _, _ = read_media(tmp_path / "photo.decoded.png")
    original, _, _ = read_media(SAMPLES / "photo.png")
    assert frames[0][1].shape == original[0][1].shape
    assert np.abs(frames[0][1].astype(int) - original[0][1]).mean() < 25
    assert 200 < report.stream.bytes <= 2000 * STILL_WORTH_S / 8


@pytest.mark.parametrize("most", [13, 27, 300])
def test_a_photograph_fits_into_the_bytes_there_are(tmp_path, most):
    report = mmcodec.encode(
        SAMPLES / "photo.png", tmp_path / "photo.mmc", EncodeSettings(most_bytes=most)
    )
    assert most / 2 < (tmp_path / "photo.mmc").stat().st_size == report.stream.bytes <= most
    cue = report.stream.packets[0].cue
    assert set(cue.descriptors) == {13: set(), 27: {Layer.LOOK}, 300: {Layer.SKETCH}}[most]
    assert cue.prompt.text.startswith("Dim photograph")
    mmcodec.decode(tmp_path / "photo.mmc")


def test_a_clip_fits_into_the_bytes_there_are(tmp_path, make_clip):
    clip = make_clip("clip.mkv", 12, 24, (96, 54))
    settings = EncodeSettings(most_bytes=1500, effort=Effort.FAST, transcriber="none")
    report = mmcodec.encode(clip, tmp_path / "clip.mmc", settings)
    assert 700 < report.stream.bytes <= 1500
    with pytest.raises(UsageError, match="one of them decides"):
        mmcodec.encode(clip, tmp_path / "b.mmc", EncodeSettings(most_bytes=9, bit_rate=9))


def test_bytes_need_a_source_that_says_how_long_it_is(tmp_path, make_clip):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        seek = None

    live = Pipe()
    mmcodec.encode(make_clip(shots=1, frames=6, sound=False), tmp_path / "a.mmc")
    mmcodec.decode(tmp_path / "a.mmc", live)
    source = io.BytesIO(live.getvalue())
    with pytest.raises(UsageError, match="how long it is"):
        mmcodec.encode(source, tmp_path / "b.mmc", EncodeSettings(most_bytes=900))
    assert not (tmp_path / "b.mmc").exists()


@pytest.mark.parametrize("size", [(63, 41), (2, 2), (720, 64)])
def test_odd_rasters_go_through(make_clip, tmp_path, size):
    clip = make_clip("odd.png" if size[0] == 63 else "odd.mkv", 1, 6, size, sound=False)
    mmcodec.encode(clip, tmp_path / "a.mmc")
    mmcodec.decode(tmp_path / "a.mmc", tmp_path / "a.png")
    assert read_media(tmp_path / "a.png")[0][0][1].shape == (size[1], size[0], 3)


def test_digital_silence_costs_almost_nothing(tmp_path, make_clip):
    from mmcodec.media.mux import MediaWriter
    from mmcodec.timeline import AudioTrack

    path = tmp_path / "silent.wav"
    with MediaWriter(path, ".wav", None, AudioTrack(24_000, 1)) as media:
        media.sound(np.zeros((24_000 * 9, 1), np.float32))
    report = mmcodec.encode(path)
    assert report.stream.bytes < 40
    mmcodec.decode(tmp_path / "silent.mmc")
    _, samples, _ = read_media(tmp_path / "silent.decoded.wav")
    assert samples.shape[0] == 24_000 * 9
    assert not samples.any()


def test_file_objects_work_on_both_sides(make_clip):
    stream, media = io.BytesIO(), io.BytesIO()
    with make_clip(shots=1).open("rb") as source:
        report = mmcodec.encode(source, stream)
    assert report.stream.bytes == len(stream.getvalue())
    stream.seek(0)
    mmcodec.decode(stream, media)
    assert media.getvalue()[:4] == b"\x1a\x45\xdf\xa3"  # Matroska
    stream.seek(0)
    assert mmcodec.probe(stream).account == report.stream.account


def test_six_shots_encode_the_same_each_time_and_sound_takes_half_a_kilobit(tmp_path):
    """Shots are encoded side by side; a quarter of 2 kbit/s is for sound, all counted."""
    settings = EncodeSettings(effort=Effort.FAST, transcriber="none")
    streams = [
        mmcodec.encode(CLIP, tmp_path / name, settings).stream for name in ("a.mmc", "b.mmc")
    ]
    assert (tmp_path / "a.mmc").read_bytes() == (tmp_path / "b.mmc").read_bytes()
    sound = [one for one in streams[0].packets if one.cue.track is TrackKind.AUDIO]
    assert 300 < 8 * sum(one.wire_bytes for one in sound) / streams[0].duration_s <= 500


def test_encoding_twice_gives_the_same_bytes(make_clip, tmp_path):
    clip = make_clip()
    for name in ("a.mmc", "b.mmc"):
        mmcodec.encode(clip, tmp_path / name)
    assert (tmp_path / "a.mmc").read_bytes() == (tmp_path / "b.mmc").read_bytes()


def test_libraries_keep_their_threads(make_clip, tmp_path):
    """They are taken only while shots are encoded, and given back."""

    def threads() -> set[int]:
        blas = [one for one in threadpool_info() if one["user_api"] == "blas"]
        return {cv2.getNumThreads(), *(one["num_threads"] for one in blas)}

    before, during = cv2.getNumThreads(), []
    cv2.setNumThreads(2)
    try:
        with threadpool_limits(2, user_api="blas"):
            mmcodec.encode(
                make_clip(),
                tmp_path / "a.mmc",
                progress=lambda done, whole: during.append(threads()),
            )
            assert during
            assert all(seen == {1} for seen in during)
            assert threads() == {2}
    finally:
        cv2.setNumThreads(before)


def test_progress_rises_to_the_end(make_clip, tmp_path):
    clip = make_clip(shots=2, frames=30)
    for work in (
        lambda p: mmcodec.encode(clip, tmp_path / "a.mmc", progress=p),
        lambda p: mmcodec.decode(tmp_path / "a.mmc", progress=p),
    ):
        seen = []
        work(lambda done, total: seen.append((done, total)))  # noqa: B023 - used at once
        done = [d for d, _ in seen]
        assert done == sorted(done)
        assert seen[-1] == pytest.approx((2.4, 2.4), abs=0.1)


def test_outputs_are_whole_or_absent_and_never_overwritten(make_clip, tmp_path):
    clip, target = make_clip(), tmp_path / "a.mmc"
    target.write_bytes(b"precious")
    with pytest.raises(UsageError, match="--force"):
        mmcodec.encode(clip, target)
    assert target.read_bytes() == b"precious"
    mmcodec.encode(clip, target, force=True)
    damaged = bytearray(target.read_bytes())
    damaged[2] ^= 64
    (tmp_path / "b.mmc").write_bytes(damaged)
    with pytest.raises(BitstreamError, match=r"b\.mmc"):
        mmcodec.decode(tmp_path / "b.mmc", tmp_path / "b.mp4")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mmc", "b.mmc"]
    with pytest.raises(UsageError, match="no such folder"):
        mmcodec.encode(clip, tmp_path / "no" / "a.mmc")


def test_a_stream_that_is_cut_decodes_up_to_the_cut(encoded, tmp_path):
    whole = encoded[Profile.PROMPT][1].read_bytes()
    path = tmp_path / "cut.mmc"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    report = mmcodec.decode(path, tmp_path / "cut.mp4")
    assert "cut short at byte" in report.stream.error
    assert 0 < len(read_media(tmp_path / "cut.mp4")[0]) < FACTS["frames"]
    path.write_bytes(whole[:9])
    with pytest.raises(TruncatedStreamError):
        mmcodec.decode(path, tmp_path / "none.mp4")
    assert not (tmp_path / "none.mp4").exists()


def test_a_source_that_is_cut_needs_partial(make_clip, tmp_path):
    whole = make_clip("a.mkv", shots=4, frames=30).read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError, match=r"cut short: it ends at .* --partial"):
        mmcodec.encode(path)
    assert not (tmp_path / "cut.mmc").exists()
    report = mmcodec.encode(path, settings=EncodeSettings(partial=True))
    assert 1 < report.stream.duration_s < 4


def test_damage_inside_a_descriptor_shows_the_prompt(encoded, tmp_path):
    from mmcodec.bitstream.writer import StreamWriter
    from mmcodec.timeline import Cue

    stream = mmcodec.probe(encoded[Profile.SKETCH][1])
    cue = stream.timeline.on(TrackKind.VIDEO)[0]
    sink = io.BytesIO()
    writer = StreamWriter(sink, stream.header)
    writer.write(Cue(cue.span, cue.prompt, {Layer.SKETCH: b"\x02" + b"\xff" * 30}))
    writer.close()
    sink.seek(0)
    report = mmcodec.decode(sink, tmp_path / "a.mp4")
    assert len(report.stream.damage) == 1
    assert "sketch" in report.stream.damage[0]
    card = Cue(cue.span, cue.prompt)
    expected = list(OfflineVideo().render(card, stream.header.video))
    shown = read_media(tmp_path / "a.mp4")[0]
    assert len(shown) == len(expected) == cue.span.duration
    assert np.abs(shown[5][1].astype(int) - expected[5]).mean() < 4


def test_a_part_is_what_the_whole_has_there(encoded, tmp_path):
    stream = encoded[Profile.SKETCH][1]
    mmcodec.decode(stream, tmp_path / "whole.mkv")
    whole, sound, rate = read_media(tmp_path / "whole.mkv")
    seconds = len(sound) / rate
    start, end = 0.24 * seconds, 0.8 * seconds
    settings = DecodeSettings(start_s=start, end_s=end)
    report = mmcodec.decode(stream, tmp_path / "part.mkv", settings)
    part, heard, _ = read_media(tmp_path / "part.mkv")
    frame_rate = float(report.stream.header.video.frame_rate)
    first = round(start * frame_rate)
    assert len(part) == round(end * frame_rate) - first
    for at in (0, len(part) // 2, len(part) - 1):
        assert np.abs(part[at][1].astype(int) - whole[first + at][1]).mean() < 4
    assert abs(len(heard) / rate - (end - start)) < 0.05
    prompts = {packet.cue.span.start: packet.cue.prompt.text for packet in report.stream.packets}
    for cue in mmcodec.probe(stream).timeline.on(TrackKind.VIDEO):
        if cue.span.start >= first and cue.span.end < round(end * frame_rate):
            assert prompts[cue.span.start] == cue.prompt.text


@pytest.mark.parametrize("samples", [1200, 24_000, 100_001, 232_007])
def test_sounds_of_any_length_decode_to_the_level_of_the_source(tmp_path, samples):
    from mmcodec.analysis.sound import loudness_lufs
    from mmcodec.media.mux import MediaWriter
    from mmcodec.timeline import AudioTrack

    rng = np.random.default_rng(samples)
    stereo = rng.normal(0, 0.1, (samples, 2)).astype(np.float32)  # as wide as can be
    stereo *= 0.6 + 0.4 * np.sin(np.arange(samples) / 3000)[:, None].astype(np.float32)
    with MediaWriter(tmp_path / "a.wav", ".wav", None, AudioTrack(24_000, 2)) as media:
        media.sound(stereo)
    mmcodec.encode(tmp_path / "a.wav")
    mmcodec.decode(tmp_path / "a.mmc")
    _, decoded, rate = read_media(tmp_path / "a.decoded.wav")
    assert abs(len(decoded) - samples) <= rate / 100
    if samples > 20_000:  # shorter ones have no loudness by BS.1770
        level = loudness_lufs(stereo, 24_000)
        assert abs(loudness_lufs(decoded.astype(np.float32), rate) - level) < 1.5
