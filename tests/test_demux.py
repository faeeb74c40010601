from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import av
import numpy as np
import pytest
import soundfile
from conftest import SAMPLES, scene, tone

from mmcodec.errors import MediaError, UsageError
from mmcodec.media.demux import DemuxSettings, fit, open_media
from mmcodec.media.feeds import Picture, Sound


def read(source, **settings):
    with open_media(source, DemuxSettings(**settings)) as media:
        items = list(media.read())
    pictures = [item for item in items if isinstance(item, Picture)]
    blocks = [item.samples for item in items if isinstance(item, Sound)]
    return media, pictures, np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32)


def write_video(path, stamps, size=(64, 48), rotation=0, rate=25, aspect=None):
    """A video whose frames have the given stamps, in frames of ``rate``."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height = size
        stream.codec_context.time_base = Fraction(1, rate)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        for stamp in stamps:
            frame = av.VideoFrame.from_ndarray(scene(0, stamp, size), "rgb24")
            frame.pts = stamp
            container.mux(stream.encode(frame))
        container.start_encoding()
        container.mux(stream.encode(None))
    return path


def test_one_pass_gives_frames_with_their_pts_and_all_samples(make_clip):
    media, pictures, samples = read(make_clip(shots=2, frames=30))
    assert [picture.pts for picture in pictures] == list(range(60))
    assert pictures[0].pixels.shape == (72, 128, 3)
    assert abs(len(samples) / 24_000 - 2.4) < 0.05
    assert media.info.video.frame_rate == 25
    assert media.missing_s == 0


def test_large_frames_come_small_and_keep_their_shape(make_clip):
    clip = make_clip(size=(640, 360), shots=1, frames=3)
    media, pictures, _ = read(clip, frame_pixels=160 * 90)
    assert pictures[0].pixels.shape == (90, 160, 3)
    assert (media.info.video.width, media.info.video.height) == (640, 360)
    assert fit(4, 1000, 100) == (1, 158)


def test_tracks_can_be_left_out(make_clip):
    clip = make_clip()
    assert read(clip, video=False)[0].info.video is None
    assert read(clip, audio=False)[0].info.audio is None


def test_a_phone_video_is_turned_upright(tmp_path):
    upright = read(write_video(tmp_path / "a.mp4", range(3)))[1][0].pixels
    media, pictures, _ = read(write_video(tmp_path / "b.mp4", range(3), rotation=90))
    assert (media.info.video.width, media.info.video.height) == (48, 64)
    turned = np.rot90(upright)
    assert np.abs(pictures[0].pixels.astype(int) - turned).mean() < 3


def test_pixels_that_are_not_square_widen_the_picture(tmp_path):
    media, _, _ = read(write_video(tmp_path / "a.mp4", range(2), aspect=Fraction(4, 3)))
    assert (media.info.video.width, media.info.video.height) == (85, 48)


def test_variable_frame_rate_keeps_its_times(tmp_path):
    stamps = [0, 1, 2, 10, 11, 30]
    media, pictures, _ = read(write_video(tmp_path / "vfr.mkv", stamps))
    seconds = [float(picture.pts / media.info.video.frame_rate) for picture in pictures]
    expected = [stamp / 25 for stamp in stamps]
    frame = float(1 / media.info.video.frame_rate)
    assert all(abs(a - b) <= frame for a, b in zip(seconds, expected, strict=True))


def test_odd_sizes_are_read(tmp_path):
    path = tmp_path / "odd.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 63, 41, "bgr0"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(1, 0, (63, 41)), "rgb24")))
        container.mux(stream.encode(None))
    assert read(path)[1][0].pixels.shape == (41, 63, 3)


def test_sound_alone_mono_or_stereo_at_any_rate(make_clip):
    media, pictures, samples = read(make_clip("a.wav", picture=False), sample_rate=16_000)
    assert media.info.video is None
    assert not pictures
    assert samples.shape == (round(2.4 * 16_000), 1)
    assert 0.1 < np.abs(samples).max() < 0.5


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize(("rate", "beyond"), [(48_000, 0.02), (16_000, 0.0)])
def test_what_is_too_high_for_the_sample_rate_is_measured(tmp_path, subtype, rate, beyond):
    times = np.arange(rate) / rate
    left = 0.3 * np.sin(2 * np.pi * 1000 * times) + 0.2 * np.sin(2 * np.pi * 16_000 * times)
    right = 0.2 * np.sin(2 * np.pi * 16_000 * times)
    soundfile.write(tmp_path / "high.wav", np.stack([left, right], axis=1), rate, subtype)
    with open_media(tmp_path / "high.wav", DemuxSettings(sample_rate=24_000)) as media:
        blocks = [item for item in media.read() if isinstance(item, Sound)]
    powers = [block.beyond for block in blocks for _ in block.samples]
    assert np.mean(powers) == pytest.approx(beyond, rel=0.05, abs=1e-6)


def test_a_gap_in_the_sound_is_silence(tmp_path):
    path = tmp_path / "gap.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for start in (0, 16_000):  # a second of tone at 0 s and another at 2 s
            pcm = (tone(1.0, 8000).T * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 8000, start, Fraction(1, 8000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    samples = read(path, sample_rate=8000)[2]
    assert abs(len(samples) - 24_000) < 100
    assert np.abs(samples[9000:15_000]).max() < 0.01
    assert np.abs(samples[17_000:23_000]).max() > 0.1


def test_a_jump_of_the_clock_does_not_stretch_the_clip(tmp_path):
    media, pictures, _ = read(write_video(tmp_path / "jump.mkv", [0, 1, 2, 100_000, 100_001]))
    assert len(pictures) == 5
    assert float(pictures[-1].pts / media.info.video.frame_rate) < 11


def test_a_still_is_one_frame_with_more_pixels():
    media, pictures, _ = read(SAMPLES / "photo.png", frame_pixels=1000)
    assert media.info.video.still
    assert len(pictures) == 1
    assert pictures[0].pixels.shape[:2] == (media.info.video.height, media.info.video.width)


def test_broken_packets_are_skipped_and_counted(make_clip, tmp_path):
    data = bytearray(make_clip("a.mkv", shots=4, frames=30).read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(len(data) // 4, 3 * len(data) // 4, 12):
        data[place] ^= 0xFF
    path = tmp_path / "broken.mkv"
    path.write_bytes(data)
    _, pictures, _ = read(path)
    assert 60 < len(pictures) <= 120
    stamps = [picture.pts for picture in pictures]
    assert stamps == sorted(set(stamps))


def test_a_file_cut_short_says_how_much_is_missing(make_clip, tmp_path):
    whole = make_clip("a.mkv", shots=4, frames=30).read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: len(whole) // 2])
    media, pictures, _ = read(path)
    assert pictures
    assert 1 < media.missing_s < 4


def test_what_is_no_medium_is_said_in_one_line(tmp_path, make_clip):
    text = tmp_path / "text.mp4"
    text.write_text("this is not a film\n" * 50)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    for path in (text, empty):
        with pytest.raises(MediaError, match=path.name):
            open_media(path, DemuxSettings())
    with pytest.raises(UsageError, match="no such file"):
        open_media(tmp_path / "nothing.mp4", DemuxSettings())
    with pytest.raises(UsageError, match="directory"):
        open_media(tmp_path, DemuxSettings())
    with pytest.raises(MediaError, match="no sound"):
        open_media(make_clip(sound=False), DemuxSettings(video=False))


def test_a_video_without_frames_is_an_error(tmp_path):
    path = write_video(tmp_path / "none.mkv", [])
    with pytest.raises(MediaError):
        open_media(path, DemuxSettings())


def test_a_url_is_read_over_http(make_clip):
    clip = make_clip()
    handler = partial(SimpleHTTPRequestHandler, directory=str(clip.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert len(read(f"{address}/{clip.name}")[1]) == 60
        with pytest.raises(MediaError, match=r"nothing\.mp4"):
            open_media(f"{address}/nothing.mp4", DemuxSettings())
        server.shutdown()


def test_a_device_is_named_before_its_place():
    source = "lavfi:testsrc=size=128x72:rate=12:duration=2"
    with open_media(source, DemuxSettings(audio=False)) as media:
        assert sum(1 for _ in media.read()) == 24
    with pytest.raises(MediaError, match="v4l2:/dev/none"):
        open_media("v4l2:/dev/none", DemuxSettings())
