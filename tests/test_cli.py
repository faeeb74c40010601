"""The command as a user meets it: results, messages, exit codes."""

import json

import pytest
from conftest import SAMPLES

NOTE = SAMPLES / "note.wav"
PHOTO = SAMPLES / "photo.png"


@pytest.fixture(scope="module")
def stream(tmp_path_factory, make_clip):
    import mmcodec

    path = tmp_path_factory.mktemp("cli") / "clip.mmc"
    mmcodec.encode(make_clip(), path)
    return path


def test_help_shows_commands_and_examples(run):
    for arguments, words in (
        (["--help"], ("encode", "decode", "info")),
        (["encode", "--help"], ("mmcodec encode clip.mp4", "--profile")),
        (["decode", "--help"], ("mmcodec decode clip.mmc",)),
        (["info", "--help"], ("--json",)),
    ):
        done = run(*arguments)
        assert done.returncode == 0
        assert all(word in done.stdout for word in words)


def test_version(run):
    import mmcodec

    assert run("--version").stdout == f"mmcodec {mmcodec.__version__}\n"


def test_styles_are_sent(run, make_clip, tmp_path):
    import mmcodec

    stream = tmp_path / "a.mmc"
    picture = ("--style", "film noir", "--negative", "text", "--strength", "0.4")
    sound = ("--sound-style", "lo-fi", "--sound-negative", "drums")
    assert run("encode", make_clip(), "-o", stream, *picture, *sound).returncode == 0
    header = mmcodec.probe(stream).header
    assert header.video_synthesis == mmcodec.Synthesis(
        style="film noir", negative="text", strength_percent=40
    )
    assert header.audio_synthesis == mmcodec.Synthesis(style="lo-fi", negative="drums")


def test_encode_ends_with_a_table_and_writes_beside_the_input(run, make_clip, tmp_path):
    clip = tmp_path / "my clip.mp4"
    clip.write_bytes(make_clip().read_bytes())
    done = run("encode", clip)
    assert done.returncode == 0
    assert (tmp_path / "my clip.mmc").exists()
    for word in ("source", "stream", "header", "prompt", "sketch", "sound", "ratio",
                 "micro-bits per pixel", "shots", "segments", "x real time"):  # fmt: skip
        assert word in done.stdout


def test_encode_prints_json_for_machines(run, make_clip, tmp_path):
    done = run("encode", make_clip(), "-o", tmp_path / "a.mmc", "--profile", "prompt", "--json")
    values = json.loads(done.stdout)
    assert values["bytes"] == (tmp_path / "a.mmc").stat().st_size
    assert sum(values["bytes_by_layer"].values()) == values["bytes"]
    assert values["shots"] == 2


def test_the_knobs_of_the_rate(run, make_clip, tmp_path):
    clip, sizes = make_clip(frames=50), {}
    for name, knobs in {
        "800": ("--bitrate", "800"),
        "4k": ("-b", "4k", "--preset", "fast"),
        "quality 5": ("--quality", 5),
        "quality 90": ("--quality", 90),
        "buffer": ("-b", "1.6kbps", "--buffer", 2),
    }.items():
        done = run("encode", clip, "-o", tmp_path / "a.mmc", "--force", "--json", *knobs)
        assert done.returncode == 0, done.stderr
        sizes[name] = json.loads(done.stdout)["bytes"]
    assert sizes["800"] <= 800 * 4 / 8 < sizes["4k"] <= 4000 * 4 / 8
    assert sizes["quality 5"] < sizes["quality 90"]
    assert sizes["buffer"] <= 1600 * (4 + 2) / 8


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        (("--bitrate", "fast"), "fast is no bit rate"),
        (("--bitrate", "1"), "is not from 20"),
        (("--quality", "50", "--bitrate", "2k"), "one of them decides"),
    ],
)
def test_knobs_that_make_no_sense_are_usage_errors(run, make_clip, tmp_path, knobs, words):
    done = run("encode", make_clip(), "-o", tmp_path / "a.mmc", *knobs)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "a.mmc").exists()


def test_decode_writes_beside_the_stream(run, stream):
    done = run("decode", stream, "--force", "--json")
    assert done.returncode == 0
    values = json.loads(done.stdout)
    assert values["output"] == str(stream.with_name("clip.decoded.mp4"))
    assert stream.with_name("clip.decoded.mp4").stat().st_size > 1000


def test_info_shows_prompts_for_people_and_machines(run, stream):
    text = run("info", stream).stdout
    assert "128x72" in text
    values = json.loads(run("info", stream, "--json").stdout)
    assert [cue["kind"] for cue in values["cues"]].count("shot") == 2
    assert all(
        cue["prompt"] in text.replace("\n", " ") or len(cue["prompt"]) > 20
        for cue in values["cues"]
    )
    assert values["video"]["frame_rate"] == "25"


def test_info_says_how_speech_is_sent(run, tmp_path):
    for way, more, ways in (
        ("text", ("--text", "Hello there."), {"text"}),
        ("vocoder", ("--speech", "vocoder"), {"vocoder", None}),  # silence is not sent in any way
    ):
        stream = tmp_path / f"{way}.mmc"
        assert run("encode", NOTE, "-o", stream, *more).returncode == 0
        assert f"speech ({way})" in run("info", stream).stdout
        cues = json.loads(run("info", stream, "--json").stdout)["cues"]
        assert {cue["speech"] for cue in cues} == ways


def test_info_prints_what_a_stream_says_as_text(run, tmp_path):
    from mmcodec import EncodeSettings, Synthesis, encode

    made_for = Synthesis(synthesizer="diffusers", seed=3, style="[bold]a[/b] \x1b[31mb :smile:")
    encode(PHOTO, tmp_path / "a.mmc", EncodeSettings(video_synthesis=made_for))
    shown = " ".join(run("info", tmp_path / "a.mmc").stdout.split())
    assert "picture made for synthesizer diffusers, seed 3, style [bold]a[/b] [31mb" in shown
    assert "\x1b" not in shown
    values = json.loads(run("info", tmp_path / "a.mmc", "--json").stdout)
    assert values["video_synthesis"] == {
        "synthesizer": "diffusers", "seed": 3, "style": made_for.style,
    }  # fmt: skip
    assert values["audio_synthesis"] == {}
    assert values["cues"][0]["synthesis"] == {}


def test_standard_streams_carry_streams(run, make_clip, stream):
    encoded = run("encode", "-", "-o", "-", input=make_clip("a.mkv").read_bytes(), text=False)
    assert encoded.stdout.startswith(b"\xb5a")
    assert b"ratio" in encoded.stderr
    decoded = run("decode", "-", "-o", "-", input=encoded.stdout, text=False)
    assert decoded.returncode == 0
    assert decoded.stdout.startswith(b"\x1a\x45\xdf\xa3")
    assert (
        json.loads(run("info", "-", "--json", input=encoded.stdout, text=False).stdout)["shots"]
        == 2
    )
    assert run("encode", "-").returncode == 2


def bad_inputs(folder, stream):
    """Name to (arguments, exit code, words of the one line)."""
    text = folder / "text.mp4"
    text.write_text("not a film\n" * 99)
    cut_media = folder / "cut.mp4"
    clip = (SAMPLES / "clip.mp4").read_bytes()
    cut_media.write_bytes(clip[: len(clip) // 2])
    head_only = folder / "head.mp4"
    head_only.write_bytes(clip[:3000])
    whole = stream.read_bytes()
    header_cut = folder / "header.mmc"
    header_cut.write_bytes(whole[:9])
    return {
        "missing": (["encode", folder / "nothing.mp4"], 2, "no such file"),
        "directory": (["encode", folder], 2, "directory"),
        "text": (["encode", text], 1, "text.mp4"),
        "cut medium": (["encode", cut_media], 1, "cut short"),
        "head of a medium": (["encode", head_only], 1, "head.mp4"),
        "missing stream": (["decode", folder / "nothing.mmc"], 2, "no such file"),
        "no stream": (["decode", text], 1, "not an mmcodec stream"),
        "cut header": (["decode", header_cut], 1, "cut short"),
        "unknown suffix": (["decode", stream, "-o", folder / "a.gif"], 2, ".mp4"),
        "no time": (["decode", stream, "--start", 2, "--end", 1], 2, "no time"),
        "late": (["decode", stream, "--start", 99, "-o", folder / "a.mp4"], 2, "nothing at 99"),
        "nothing left": (["encode", PHOTO, "--no-audio", "--no-video"], 2, "nothing"),
    }


CASES = ("missing", "directory", "text", "cut medium", "head of a medium", "missing stream",
         "no stream", "cut header", "unknown suffix", "nothing left", "no time",
         "late")  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_line_and_leaves_nothing(run, stream, tmp_path, case):
    arguments, code, words = bad_inputs(tmp_path, stream)[case]
    before = sorted(tmp_path.iterdir())
    done = run(*arguments)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("mmcodec: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_a_cut_stream_decodes_and_exits_with_three(run, stream, tmp_path):
    cut = tmp_path / "cut.mmc"
    cut.write_bytes(stream.read_bytes()[:-6])
    done = run("decode", cut)
    assert done.returncode == 3
    assert "cut short at byte" in done.stderr
    assert (tmp_path / "cut.decoded.mp4").exists()
    assert run("info", cut).returncode == 3


def test_a_flipped_bit_is_concealed_and_exits_with_three(run, stream, tmp_path):
    whole = stream.read_bytes()
    flipped = tmp_path / "flipped.mmc"
    flipped.write_bytes(whole[:60] + bytes([whole[60] ^ 4]) + whole[61:])
    done = run("decode", flipped, "--json")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "damaged (its checksum does not match) at byte" in done.stderr
    values, intact = json.loads(done.stdout), json.loads(run("info", stream, "--json").stdout)
    assert len(values["damage"]) == 1
    assert values["duration_s"] == intact["duration_s"]
    looked = run("info", flipped, "--json")
    assert looked.returncode == 3
    assert [cue["lost"] for cue in json.loads(looked.stdout)["cues"]].count(True) == 1


def test_a_part_is_decoded(run, stream, tmp_path):
    part = tmp_path / "part.mkv"
    done = run("decode", stream, "-o", part, "--start", 0.5, "--end", 1.25, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["decoded_s"] == pytest.approx(0.75, abs=0.06)


def test_an_existing_output_is_kept(run, stream, tmp_path):
    target = tmp_path / "a.mp4"
    target.write_bytes(b"precious")
    done = run("decode", stream, "-o", target)
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert target.read_bytes() == b"precious"


def test_unknown_options_and_profiles_are_usage_errors(run, stream):
    assert run("encode", PHOTO, "--profile", "magic").returncode == 2
    assert run("encode").returncode == 2
    assert run("fly").returncode == 2


def test_a_photograph_is_shown_beside_other_codecs(run, tmp_path):
    shown = run("encode", PHOTO, "-o", tmp_path / "a.mmc", "--bytes", "300").stdout
    assert "as near to the source" in shown
    assert all(codec in shown for codec in ("JPEG", "WebP", "AVIF"))
    told = json.loads(run("encode", PHOTO, "-o", tmp_path / "b.mmc", "--json").stdout)
    assert [coded["codec"] for coded in told["compared"]] == ["mmcodec", "JPEG", "WebP", "AVIF"]
    assert told["compared"][0]["bytes"] == told["bytes"] <= 1000
