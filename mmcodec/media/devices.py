"""The loudspeaker and the microphone, through PortAudio."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmcodec.errors import BackendError

RECORDED_HZ = 16_000
"""What speech is recorded at."""


def play(samples: NDArray[np.float32], sample_rate: int) -> None:
    """Play ``samples`` (n, channels) to their end.

    Raises:
        BackendError: there is no loudspeaker, or what plays is not installed.
    """
    device = _device()
    try:
        device.play(samples, sample_rate, blocking=True)
    except device.PortAudioError as error:
        raise BackendError(f"there is no loudspeaker: {_line(error)}") from error


def record(seconds: float) -> NDArray[np.float32]:
    """What the microphone hears, (n, 1), at :data:`RECORDED_HZ`; Ctrl-C ends it early.

    Raises:
        BackendError: there is no microphone, or what records is not installed.
    """
    device = _device()
    blocks: list[NDArray[np.float32]] = []
    left = round(seconds * RECORDED_HZ)
    try:
        with device.InputStream(samplerate=RECORDED_HZ, channels=1, dtype="float32") as stream:
            while left > 0:
                block, _ = stream.read(min(left, RECORDED_HZ // 10))
                blocks.append(block)
                left -= len(block)
    except KeyboardInterrupt:
        pass
    except device.PortAudioError as error:
        raise BackendError(f"there is no microphone: {_line(error)}") from error
    return np.concatenate([np.zeros((0, 1), np.float32), *blocks])


def _device() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        line = 'sound devices need pip install "mmcodec[speech]"'
        raise BackendError(line) from error
    except OSError as error:
        line = f"sound devices need the library PortAudio (on Debian: libportaudio2): {error}"
        raise BackendError(line) from error
    return sounddevice


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
