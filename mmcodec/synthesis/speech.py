"""Speech by models that read text aloud: VITS, of which MMS has one a language, and SpeechT5."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mmcodec.models.loading import at_work, load_part, load_weights
from mmcodec.models.placement import Placement, explained, place
from mmcodec.registry import Group, ModelSettings
from mmcodec.synthesis.contract import seed_of
from mmcodec.synthesis.fitting import Samples, at_rate, fitted, placed
from mmcodec.synthesis.offline_audio import OfflineAudio
from mmcodec.timeline import AudioTrack, Cue, Layer, SegmentKind

_VOCODER = "microsoft/speecht5_hifigan"
_SPEAKER_FILE, _VOCODER_FOLDER = "speaker.npy", "vocoder"


class Voice(Protocol):
    """A model that reads aloud."""

    @property
    def placement(self) -> Placement:
        """Where it runs."""

    @property
    def sample_rate(self) -> int:
        """In Hz."""

    def say(self, text: str) -> Any:
        """The speech as a tensor (n,)."""


class Speaker(ABC):
    """What both synthesizers do with their voices.

    Words are said at their times and as loud as the stream says. A cue in which nothing is known to
    be said, or that is sent as it sounds, is left to the offline synthesizer.
    """

    name = ""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._voice: Voice | None = None

    def render(self, cue: Cue, track: AudioTrack, samples: int) -> Samples:
        """The sound of a cue, the same in every channel.

        Raises:
            BackendError: the model cannot be loaded, or fails.
            BitstreamError: a descriptor of the cue is damaged.
        """
        speaks = getattr(cue.span, "kind", None) is SegmentKind.SPEECH
        if not (speaks and cue.spoken) or {Layer.VOCODER, Layer.OPUS} & {*cue.descriptors}:
            return OfflineAudio().render(cue, track, samples)
        voice = self._loaded()
        with explained(self.name, voice.placement.model, "run"):
            said = _said(voice, cue)
            mono = at_rate(said, voice.sample_rate, track.sample_rate)
            mono = placed(mono, cue, track, samples)
            return fitted(mono, track.sample_rate, cue, track, samples)

    def _loaded(self) -> Voice:
        if self._voice is None:
            placement = place(Group.SPEECH_SYNTHESIZER, self.name, self._settings)
            with explained(self.name, placement.model, "load"):
                self._voice = self._load(placement)
        return self._voice

    @abstractmethod
    def _load(self, placement: Placement) -> Voice:
        """The model with its weights."""


def _said(voice: Voice, cue: Cue) -> Samples:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(cue))
        return np.asarray(voice.say(cue.spoken).float().cpu().numpy(), np.float32)


class Vits(Speaker):
    """VITS (Kim et al., 2021), one voice a model."""

    name = "vits"

    def _load(self, placement: Placement) -> Voice:
        from transformers import AutoTokenizer, VitsModel

        return _Vits(
            placement, load_weights(VitsModel, placement), load_part(AutoTokenizer, placement)
        )


@dataclass(frozen=True, slots=True)
class _Vits:
    placement: Placement
    weights: Any
    tokenizer: Any

    @property
    def sample_rate(self) -> int:
        return int(self.weights.config.sampling_rate)

    def say(self, text: str) -> Any:
        asked = self.tokenizer(text, return_tensors="pt")
        if not asked["input_ids"].numel():
            raise ValueError("it has no letters for what is to be said")
        with at_work(self.weights, self.placement):
            return self.weights(**asked.to(self.placement.device)).waveform[0]


class SpeechT5(Speaker):
    """SpeechT5 (Ao et al., 2022).

    A model folder may hold its vocoder in ``vocoder`` and the speaker's x-vector in
    ``speaker.npy``; else the hub's vocoder and a voice that belongs to nobody are taken.
    """

    name = "speecht5"

    def _load(self, placement: Placement) -> Voice:
        from dataclasses import replace

        from transformers import AutoProcessor, SpeechT5ForTextToSpeech, SpeechT5HifiGan

        folder = Path(placement.model) / _VOCODER_FOLDER
        model = str(folder) if folder.is_dir() else _VOCODER
        vocoder = load_weights(SpeechT5HifiGan, replace(placement, model=model, revision=None))
        weights = load_weights(SpeechT5ForTextToSpeech, placement)
        speaker = _speaker(placement, int(weights.config.speaker_embedding_dim))
        return _SpeechT5(placement, weights, load_part(AutoProcessor, placement), vocoder, speaker)


@dataclass(frozen=True, slots=True)
class _SpeechT5:
    placement: Placement
    weights: Any
    processor: Any
    vocoder: Any
    speaker: Samples

    @property
    def sample_rate(self) -> int:
        return int(self.vocoder.config.sampling_rate)

    def say(self, text: str) -> Any:
        import torch

        asked = self.processor(text=text, return_tensors="pt")["input_ids"]
        device, dtype = self.placement.device, self.placement.dtype
        speaker = torch.from_numpy(self.speaker)[None].to(device, dtype)
        with at_work(self.weights, self.placement), at_work(self.vocoder, self.placement):
            return self.weights.generate_speech(asked.to(device), speaker, vocoder=self.vocoder)


def _speaker(placement: Placement, size: int) -> Samples:
    """The x-vector (size,) of the model's folder, or one that is nobody's, always the same."""
    file = Path(placement.model) / _SPEAKER_FILE
    if file.is_file():
        vector = np.load(file, allow_pickle=False).astype(np.float32).reshape(-1)
        if len(vector) != size:
            raise ValueError(f"{file} holds {len(vector)} numbers, not {size}")
        return np.asarray(vector)
    vector = np.random.default_rng(0).standard_normal(size)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
