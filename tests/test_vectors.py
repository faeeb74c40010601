"""The conformance vectors: parse, check the fields, serialize, equal bytes; and the invalid ones.

They are written by ``python tools/make_vectors.py --write`` and nothing else.
"""

import hashlib
import importlib.util
import io
import json
import re
import sys
from pathlib import Path

import pytest

from mmcodec import errors
from mmcodec.bitstream.reader import StreamReader
from mmcodec.bitstream.syntax import Form
from mmcodec.bitstream.writer import StreamWriter
from mmcodec.descriptors import look, opus, sketch, sound, vocoder, voice
from mmcodec.timeline import Layer

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "tests" / "vectors"
VALID = sorted(file.stem for file in FOLDER.glob("*.json") if file.stem != "invalid")
INVALID = json.loads((FOLDER / "invalid.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tool():
    """``tools/make_vectors.py`` as a module."""
    path = ROOT / "tools" / "make_vectors.py"
    sys.path.insert(0, str(path.parent))
    try:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def parsed(data: bytes):
    reader = StreamReader(io.BytesIO(data))
    return reader.header, tuple(packet.cue for packet in reader.cues())


@pytest.mark.parametrize("name", VALID)
def test_a_valid_stream_has_the_fields_beside_it(name, tool):
    expected = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    data = (FOLDER / f"{name}.mmc").read_bytes()
    header, cues = parsed(data)
    assert tool.header_fields(header) == expected["header"]
    assert [tool.cue_fields(cue) for cue in cues] == expected["cues"]
    if expected["reserialize"]:
        sink = io.BytesIO()
        writer = StreamWriter(sink, header, single=data[1] & 15 == Form.NOTE)
        for cue in cues:
            writer.write(cue)
        writer.close()
        assert sink.getvalue() == data


@pytest.mark.parametrize("name", VALID)
def test_the_descriptors_of_a_valid_stream_decode(name):
    _, cues = parsed((FOLDER / f"{name}.mmc").read_bytes())
    for cue in cues:
        for layer, data in cue.descriptors.items():
            seconds = cue.span.duration / 50
            if layer is Layer.LOOK:
                look.decode(data)
            elif layer is Layer.SKETCH:
                made = sketch.decode(data, cue.span.duration)
                assert len(made.frames) == len(made.times) in (1, 3)
            elif layer is Layer.SOUND:
                assert len(sound.decode(data, seconds).envelope_db) == cue.span.duration
            elif layer is Layer.VOICE:
                said = voice.decode(data, cue.spoken, seconds)
                assert len(said.words) == len(cue.spoken.split()) == 4
            elif layer is Layer.OPUS:
                assert opus.decode(data, seconds, 24_000, 7200).std() > 0.05
            else:
                assert len(vocoder.decode(data, seconds).pitch_hz) == 4 * cue.span.duration + 1


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_stream_is_refused_for_its_defect(name):
    expected, cues = INVALID[name], 0
    with pytest.raises(getattr(errors, expected["error"])) as caught:
        for _ in StreamReader(io.BytesIO((FOLDER / f"{name}.mmc").read_bytes())).cues():
            cues += 1
    assert type(caught.value).__name__ == expected["error"]
    assert expected["words"] in str(caught.value)
    assert cues == expected["cues_before"]


def test_every_vector_is_complete_and_small():
    streams = {file.stem for file in FOLDER.glob("*.mmc")}
    assert streams == {*VALID, *INVALID}
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 60_000


def test_the_tool_makes_these_vectors(tool):
    assert tool.changes(tool.all_files(), FOLDER) == {}


def test_the_tool_says_what_it_would_change(tool, tmp_path):
    (tmp_path / "old.mmc").write_bytes(b"")
    (tmp_path / "same.mmc").write_bytes(b"s")
    (tmp_path / "other.mmc").write_bytes(b"o")
    files = {"new.mmc": b"n", "same.mmc": b"s", "other.mmc": b"x"}
    expected = {"new.mmc": "add", "other.mmc": "change", "old.mmc": "remove"}
    assert tool.changes(files, tmp_path) == expected


def test_the_weights_are_those_of_the_document():
    text = (ROOT / "docs" / "bitstream.md").read_text(encoding="utf-8")
    weights = (ROOT / "mmcodec" / "entropy" / "text_model.npz").read_bytes()
    assert re.findall(r"^[0-9a-f]{64}$", text, re.MULTILINE) == [
        hashlib.sha256(weights).hexdigest()
    ]


def test_the_bytes_in_the_document_are_those_of_the_vectors():
    text = (ROOT / "docs" / "bitstream.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```text\n(\S+\.mmc):([0-9a-f\s]+)^```", text, re.MULTILINE)
    assert len(examples) >= 6
    for name, numbers in examples:
        assert bytes.fromhex(numbers) == (FOLDER / name).read_bytes(), name
