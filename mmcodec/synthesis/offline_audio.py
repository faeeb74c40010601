"""Sound without a model: the descriptor's harmonics and noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors import sound
from mmcodec.synthesis.offline_sound import render_sound
from mmcodec.timeline import AudioTrack, Cue, Layer


class OfflineAudio:
    """Renders any cue on a CPU, without weights; a cue without a descriptor is silent."""

    def render(self, cue: Cue, track: AudioTrack, samples: int) -> NDArray[np.float32]:
        """The sound of a cue, the same in every channel."""
        data = cue.descriptors.get(Layer.SOUND)
        if data is None:
            return np.zeros((samples, track.channels), np.float32)
        seconds = float(cue.span.duration * track.time_base)
        mono = render_sound(
            sound.decode(data, seconds), track.sample_rate, samples, seed=cue.span.start
        )
        return np.repeat(mono[:, None], track.channels, axis=1)
