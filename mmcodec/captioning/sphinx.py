"""Writes down English without a model to download: PocketSphinx, which is sure of few words."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from mmcodec.captioning import sphinx_process
from mmcodec.captioning.contract import Transcript, Word
from mmcodec.captioning.waves import mono_at
from mmcodec.errors import BackendError
from mmcodec.models.process import ask

_RATE = 16_000
_MOST_TIMES_REAL = 30.0
_LEAST_LIMIT_S = 60.0


class PocketSphinx:
    """CMU PocketSphinx with the English model in its package (D. Huggins-Daines et al., 2006).

    A word is sure if it is heard again in each of seven changed versions of the sound.
    """

    def __init__(self) -> None:
        if find_spec("pocketsphinx") is None:
            raise BackendError('pocketsphinx is not installed; pip install "mmcodec[speech]"')

    def transcribe(self, samples: NDArray[np.float32], sample_rate: int) -> Transcript:
        """The words in ``samples`` (n,).

        Raises:
            FailedWorkError: the recogniser fails.
        """
        if not samples.any():
            return Transcript(())
        seconds = len(samples) / sample_rate
        wave = mono_at(samples[:, None], sample_rate, _RATE)
        pcm = np.asarray(np.clip(wave, -1, 1) * 32767, np.int16).tobytes()
        limit_s = _LEAST_LIMIT_S + _MOST_TIMES_REAL * seconds
        found, _ = ask(sphinx_process.__file__, "PocketSphinx cannot listen", pcm, limit_s)
        words = (
            Word(text, min(start, seconds), min(end, seconds), sure)
            for text, start, end, sure in found
        )
        return Transcript(tuple(words), "en")
