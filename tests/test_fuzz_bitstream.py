"""The fuzzer of the stream: a short run of it, and that it notices what it is made to notice."""

import importlib
import io
import subprocess
import sys
from pathlib import Path

import pytest

from mmcodec.bitstream.reader import StreamReader
from mmcodec.errors import BitstreamError

TOOLS = Path(__file__).parents[1] / "tools"
COUNT = 300


@pytest.fixture(scope="module")
def tool():
    """``tools/fuzz_bitstream.py`` as a module."""
    sys.path.insert(0, str(TOOLS))
    try:
        yield importlib.import_module("fuzz_bitstream")
    finally:
        sys.path.remove(str(TOOLS))


@pytest.fixture(scope="module")
def mutations(tool):
    """``tools/stream_mutations.py`` as a module."""
    return importlib.import_module("stream_mutations")


@pytest.fixture(scope="module")
def seeds(tool):
    return tool.vector_seeds()


def test_nothing_but_our_error_escapes(tool, seeds):
    findings = tool.examine(tool.streams(seeds, COUNT, 7), seeds)
    crashes = [reason for reason, _ in findings.violations if not reason.startswith("took")]
    assert crashes == []  # times depend on the machine: the tool measures them, a test does not
    assert findings.count == COUNT == findings.outcomes.total()
    assert findings.outcomes["read"] > COUNT / 10
    assert len(findings.outcomes) > 15


def test_a_seed_gives_the_same_streams(tool, seeds):
    first, again, other = (list(tool.streams(seeds, 20, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_packets_are_cut_as_a_reader_cuts_them(tool, mutations, seeds):
    for data in seeds:
        assert b"".join(mutations.packets(data)) == data
    whole = (tool.VECTORS / "both-tracks.mmc").read_bytes()
    header, *cues, end = mutations.packets(whole)
    assert (len(header), len(cues), end) == (6, 4, whole[-1:])


def test_checksums_are_made_right(tool, mutations):
    damaged = (tool.VECTORS / "invalid-cue-checksum.mmc").read_bytes()
    with pytest.raises(BitstreamError, match="damaged"):
        list(StreamReader(io.BytesIO(damaged)).cues())
    assert tool.attempt(mutations.repaired(damaged)) == "read"


def test_what_escapes_is_found(tool, seeds, monkeypatch):
    def fail(data):
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(tool.look, "decode", fail)
    stream = (tool.VECTORS / "look.mmc").read_bytes()
    findings = tool.examine([stream], [])
    assert findings.violations == [("ZeroDivisionError: on purpose", stream)]


def test_what_is_slow_is_found(tool, monkeypatch):
    monkeypatch.setattr(tool, "MAX_SECONDS", 0.0)
    findings = tool.examine([b"mmc"], [])
    assert [reason[:4] for reason, _ in findings.violations] == ["took"]


def test_atheris_says_how_to_install_it():
    code = f"""
import runpy, sys
sys.modules["atheris"] = None
runpy.run_path({str(TOOLS / "fuzz_atheris.py")!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["atheris is missing: python -m pip install atheris"]
