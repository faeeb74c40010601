"""Imports go downward only, and nothing heavy is imported before it is used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mmcodec"
LAYERS = (
    "cli",
    "streaming",
    "evaluation",
    "pipeline",
    "captioning",
    "synthesis",
    "models",
    "descriptors",
    "analysis",
    "media",
    "bitstream",
    "entropy",
    "carriers",
    "registry",
    "timeline",
    "errors",
)
HEAVY = (
    "torch",
    "diffusers",
    "transformers",
    "librosa",
    "numba",
    "scenedetect",
    "av",
    "cv2",
    "pyworld",
    "segno",
    "starlette",
    "uvicorn",
    "httpx2",
    "m3u8",
)


def imports_of(file: Path) -> set[str]:
    """Modules below ``mmcodec.`` that a file imports anywhere, even inside functions."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return {name.split(".")[1] for name in found if name.startswith("mmcodec.")}


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_downward(layer):
    files = list((PACKAGE / layer).glob("*.py")) or [PACKAGE / f"{layer}.py"]
    allowed = {layer, *LAYERS[LAYERS.index(layer) + 1 :]}
    for file in files:
        assert imports_of(file) <= allowed, file


def test_every_package_has_its_layer():
    packages = {p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    modules = {p.stem for p in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert packages | modules == set(LAYERS)


def test_the_command_uses_only_the_public_api():
    for file in (PACKAGE / "cli").glob("*.py"):
        assert imports_of(file) <= {"cli", "errors"}, file


def test_files_stay_small():
    for file in PACKAGE.rglob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 400, file


@pytest.mark.parametrize("code", ["import mmcodec", "import mmcodec.cli"])
def test_nothing_heavy_is_imported_early(code):
    check = f"import sys; {code}; print(*(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_public_names_are_all_there():
    import mmcodec

    assert all(getattr(mmcodec, name) is not None for name in mmcodec.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mmcodec.nothing  # noqa: B018 - the access is the test
