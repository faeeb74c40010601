"""Samples as models want them."""

from __future__ import annotations

import numpy as np

from mmcodec.analysis.resampling import resampled
from mmcodec.analysis.sound import Samples

_SHORTEST_S = 1.0
"""Less is padded with silence: filter banks need some frames."""


def mono_at(samples: Samples, sample_rate: int, wanted_rate: int) -> Samples:
    """``samples`` (n, channels) mixed down and resampled, float32 (m,), at least a second."""
    mono = resampled(samples.mean(axis=1, dtype=np.float32), sample_rate, wanted_rate)
    return np.pad(mono, (0, max(round(_SHORTEST_S * wanted_rate) - len(mono), 0)))
