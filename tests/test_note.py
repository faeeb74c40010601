"""``mmcodec note``: a sound as a message, and back, through the real command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

SAMPLES = Path(__file__).parents[1] / "samples"
SOUND = str(SAMPLES / "note.wav")
TEXT = json.loads((SAMPLES / "clip.json").read_text())["note_text"]


def note(*arguments, typed=None):
    command = [sys.executable, "-m", "mmcodec", "note", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, input=typed, check=False)


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    """The sample as a note in a file."""
    file = tmp_path_factory.mktemp("note") / "note.mmc"
    done = note(SOUND, "--text", TEXT, "-o", file)
    assert done.returncode == 0, done.stderr
    assert "1 SMS" in done.stderr
    assert file.stat().st_size <= 140
    return file


def played(given, folder, **options):
    target = folder / "played.wav"
    done = note("--play", given, "-o", target, "-f", **options)
    assert done.returncode == 0, done.stderr
    return soundfile.read(target)[0]


def test_every_form_of_a_note_gives_the_same_sound(stream, tmp_path):
    wanted = played(stream, tmp_path)
    assert len(wanted) / 24_000 == pytest.approx(9.68, abs=0.05)
    picture = tmp_path / "code.png"
    made = note(SOUND, "--text", TEXT, "-o", picture, "--armor", "sms", "--qr")
    armor = made.stdout.splitlines()[-1]
    assert len(made.stdout.splitlines()) > 20
    message = tmp_path / "message.txt"
    message.write_text("> Anna wrote:\n> " + armor[:60] + "\n> " + armor[60:] + "\n")
    for given in (picture, armor, message):
        assert (played(given, tmp_path) == wanted).all()
    assert (played("-", tmp_path, typed=f"look: {armor} !") == wanted).all()


def test_without_a_text_it_has_at_most_a_hundred_bytes_a_second(tmp_path):
    done = note(SOUND, "--json")
    values = json.loads(done.stdout)
    assert values["bytes"] <= 1000
    assert values["sms"] == -(-values["bytes"] // 134)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("hello", "not an mmcodec note"),
        ("mm1:AAAA", "note"),
        (str(SAMPLES / "photo.png"), "no QR code"),
        (SOUND, "no note"),
    ],
)
def test_what_is_no_note_is_one_line(given, words, tmp_path):
    done = note("--play", given, "-o", tmp_path / "x.wav")
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_lost_character_is_found(stream, tmp_path):
    armor = note(SOUND, "--text", TEXT).stdout.strip()
    assert armor.startswith("mm1:")
    done = note("--play", armor[:40] + armor[41:], "-o", tmp_path / "x.wav")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_it_writes_over_nothing(stream):
    done = note(SOUND, "--text", TEXT, "-o", stream)
    assert done.returncode == 2
    assert "--force" in done.stderr


def test_play_takes_nothing_that_makes_a_note(stream):
    done = note("--play", stream, "--qr")
    assert done.returncode == 2
