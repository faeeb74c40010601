"""Engines that are programs of their own: asked on standard input, answering on standard output."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from mmcodec.errors import FailedWorkError


def ask(program: str, cannot: str, request: bytes, limit_s: float) -> tuple[Any, bytes]:
    """What a new process of the Python file ``program`` answers: a line of JSON, and other bytes.

    Raises:
        FailedWorkError: it cannot be run, fails or takes too long; the line begins with
            ``cannot``, as in "eSpeak NG cannot speak".
    """
    # Without the current folder among the places where modules are looked for.
    command = [sys.executable, "-P", program]
    try:
        done = subprocess.run(  # noqa: S603 - our own file, no shell
            command, input=request, capture_output=True, timeout=limit_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FailedWorkError(f"{cannot}: {type(error).__name__}") from error
    line, _, rest = done.stdout.partition(b"\n")
    if done.returncode or not line:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"it ended with code {done.returncode}"
        raise FailedWorkError(f"{cannot}: {reason}")
    return json.loads(line), rest
