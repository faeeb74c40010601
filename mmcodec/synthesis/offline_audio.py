"""Sound without a model: a vocoder, a voice without weights, or harmonics and noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.world import synthesize
from mmcodec.descriptors import opus, sound, vocoder, voice
from mmcodec.synthesis.fitting import word_times
from mmcodec.synthesis.limiter import limited
from mmcodec.synthesis.offline_sound import render_sound
from mmcodec.synthesis.spoken import speak
from mmcodec.synthesis.stereo import widened
from mmcodec.timeline import AudioTrack, Cue, Layer, Prompt


def without_bed(cue: Cue) -> tuple[Cue, Cue | None]:
    """A cue, and what sounds beneath its voice as a cue of its own: a sound beside a voice layer.

    Any synthesizer may read the words; the bed is added to what it makes.
    """
    if not {Layer.VOICE, Layer.SOUND} <= {*cue.descriptors}:
        return cue, None
    others: dict[Layer, bytes] = {
        layer: data for layer, data in cue.descriptors.items() if layer is not Layer.SOUND
    }
    bed = Cue(cue.span, Prompt(""), {Layer.SOUND: cue.descriptors[Layer.SOUND]})
    return replace(cue, descriptors=others), bed


class OfflineAudio:
    """Renders any cue on a CPU, without weights.

    What Opus or the vocoder describe is made as it sounded. Else words are read aloud by the voice
    of the cue, and by any where nothing else is known of the sound; a cue with neither words nor a
    descriptor is silent.
    """

    def render(self, cue: Cue, track: AudioTrack, samples: int) -> NDArray[np.float32]:
        """The sound of a cue; in two channels as far apart as the descriptor says.

        Raises:
            FailedWorkError: no voice here can say the text.
            BitstreamError: a descriptor is damaged.
        """
        seconds = float(cue.span.duration * track.time_base)
        mono, width = np.zeros(samples, np.float32), 0.0
        said = cue.spoken
        if Layer.VOCODER in cue.descriptors:
            world = vocoder.decode(cue.descriptors[Layer.VOCODER], seconds)
            mono = synthesize(world, track.sample_rate, samples)
        elif Layer.OPUS in cue.descriptors:
            coded = cue.descriptors[Layer.OPUS]
            mono = opus.decode(coded, seconds, track.sample_rate, samples)
        elif said and (Layer.VOICE in cue.descriptors or Layer.SOUND not in cue.descriptors):
            data = cue.descriptors.get(Layer.VOICE, b"")
            who = voice.decode(data, said, seconds)
            mono = speak(said, who, word_times(cue), seconds, track.sample_rate, samples)
        elif Layer.SOUND in cue.descriptors:
            described = sound.decode(cue.descriptors[Layer.SOUND], seconds)
            mono = render_sound(described, track.sample_rate, samples, seed=cue.span.start)
            width = described.width
        stereo = widened(mono, width, track.sample_rate, track.channels)
        return limited(stereo, track.sample_rate)
