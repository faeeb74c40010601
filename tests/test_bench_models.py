import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "bench_models.py"


def bench(*arguments):
    command = [sys.executable, str(TOOL), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_could_not_be_measured_is_missing():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    rows = bench("wan", "whisper")
    assert [row["model"] for row in rows] == ["wan"] * 4 + ["whisper"]
    assert all(row["seconds_per_output_second"] is None and row["why_missing"] for row in rows)


def test_small_models_are_timed_on_a_processor():
    rows = bench("musicgen", "whisper", "--device", "cpu", "--small", "--shots", "1")
    assert [row["way"] for row in rows] == ["one by one"] * 2
    assert all(row["seconds_per_output_second"] > 0 and not row["why_missing"] for row in rows)
