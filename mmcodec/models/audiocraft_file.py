"""A file of audiocraft's: weights, and the settings they were trained with, as YAML text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcodec.errors import BackendError

_WEIGHTS, _SETTINGS = "best_state", "xp.cfg"
_MOST = 1 << 16
"""No size in a checkpoint is larger; checked before anything is allocated."""
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
_MOST_REFERENCES = 8
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class AudiocraftFile:
    """Weights by name, and a tree of settings; a setting is named by its path, "seanet.ratios"."""

    path: Path
    weights: Mapping[str, Any]
    settings: Mapping[str, Any]

    def must(self, values: Mapping[str, object]) -> None:
        """Refuse a file whose settings are other than these; those it does not have are taken."""
        for path, value in values.items():
            found = self._found(path)
            if found is not _NOTHING and found != value:
                line = f"{path} is {found!r}, and only {value!r} can be converted"
                raise BackendError(f"{self.path}: {line}")

    def count(self, path: str) -> int:
        """A size."""
        return self._checked_count(path, self._found(path))

    def counts(self, path: str) -> list[int]:
        """Several sizes."""
        found = self._found(path)
        if not isinstance(found, list):
            raise self._wrong(path)
        return [self._checked_count(path, value) for value in found]

    def number(self, path: str) -> float:
        """Any number."""
        found = self._found(path)
        if not isinstance(found, int | float):
            raise self._wrong(path)
        return float(found)

    def flag(self, path: str) -> bool:
        """Yes or no."""
        found = self._found(path)
        if not isinstance(found, bool):
            raise self._wrong(path)
        return found

    def text(self, path: str) -> str:
        """A word."""
        found = self._found(path)
        if not isinstance(found, str):
            raise self._wrong(path)
        return found

    def _checked_count(self, path: str, found: object) -> int:
        if not isinstance(found, int) or isinstance(found, bool) or not 0 < found <= _MOST:
            raise self._wrong(path)
        return found

    def _wrong(self, path: str) -> BackendError:
        return BackendError(f"{self.path}: its setting {path} is missing or makes no sense")

    def _found(self, path: str) -> object:
        """The value at a path; one that only refers to another, "${sample_rate}", is that one."""
        for _ in range(_MOST_REFERENCES):
            found: object = self.settings
            for name in path.split("."):
                found = found.get(name, _NOTHING) if isinstance(found, dict) else _NOTHING
            reference = _REFERENCE.fullmatch(found) if isinstance(found, str) else None
            if reference is None:
                return found
            path = reference[1]
        return _NOTHING


def read(path: Path) -> AudiocraftFile:
    """Read a file; a pickle with anything in it but numbers and text is not executed but refused.

    Raises:
        BackendError: it is not there, or no such file.
    """
    import pickle

    import torch
    import yaml

    if not path.is_file():
        raise BackendError(f"there is no {path}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        raise BackendError(f"{path} is damaged, or holds more than weights: not loaded") from error
    if not isinstance(content, dict) or not isinstance(content.get(_WEIGHTS), dict):
        raise BackendError(f"{path} holds no weights of audiocraft ({_WEIGHTS!r})")
    weights = content[_WEIGHTS]
    if not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise BackendError(f"{path} holds something else than weights")
    try:
        settings = yaml.safe_load(str(content.get(_SETTINGS, "")))
    except yaml.YAMLError as error:
        raise BackendError(f"{path}: its settings ({_SETTINGS!r}) are no YAML") from error
    if not isinstance(settings, dict):
        raise BackendError(f"{path} has no settings ({_SETTINGS!r})")
    return AudiocraftFile(path, weights, settings)
