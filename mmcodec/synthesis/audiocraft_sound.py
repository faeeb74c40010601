"""Music and sounds by audiocraft itself (Copet et al., 2023), where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from mmcodec.errors import BackendError
from mmcodec.models.audiocraft_file import read
from mmcodec.models.audiogen_checkpoint import (
    CODEC_FILE,
    LANGUAGE_FILE,
    TEXT_ENCODER_FOLDER,
    is_audiocraft,
)
from mmcodec.models.placement import Placement, explained, place
from mmcodec.registry import Group, ModelSettings
from mmcodec.synthesis.contract import seed_of
from mmcodec.synthesis.fitting import Samples, fitted
from mmcodec.synthesis.offline_audio import OfflineAudio
from mmcodec.timeline import AudioTrack, Cue, SegmentKind

_GUIDANCE = 3.0
_TOP_K = 250
_OVERLAP_S = 5.0
_MADE = (SegmentKind.MUSIC, SegmentKind.SOUND)


class AudioCraft:
    """MusicGen or AudioGen in audiocraft's own classes, from a folder in its own layout.

    Its files are pickles: only numbers and text are read of them, by PyTorch's weights-only loader.
    Speech is left to the offline synthesizer.
    """

    name = "audiocraft"

    def __init__(self, settings: ModelSettings) -> None:
        if find_spec("audiocraft") is None:
            line = "is not installed; it wants an older PyTorch than this package: either"
            hint = (
                "pip install --no-deps audiocraft, or --audio audiogen, which runs the same weights"
            )
            raise BackendError(f"{self.name} {line} {hint}")
        if settings.model is None:
            raise BackendError(
                f"{self.name} has no model of its own; name a folder: {self.name}:FOLDER"
            )
        self._settings = settings
        self._placement: Placement | None = None
        self._model: Any = None

    def render(self, cue: Cue, track: AudioTrack, samples: int) -> Samples:
        """The sound of a cue, the same in every channel.

        Raises:
            BackendError: the model cannot be loaded, or fails.
            BitstreamError: the sound descriptor is damaged.
        """
        if getattr(cue.span, "kind", None) not in _MADE:
            return OfflineAudio().render(cue, track, samples)
        placement = self._ready()
        text = f"{cue.prompt.text} {cue.synthesis.style or ''}".strip()
        percent = cue.synthesis.guidance_percent
        guidance = _GUIDANCE if percent is None else percent / 100
        with explained(self.name, placement.model, "run"):
            made = self._made(text, samples / track.sample_rate, guidance, seed_of(cue))
            return fitted(made, int(self._model.sample_rate), cue, track, samples)

    def _made(self, text: str, seconds: float, guidance: float, seed: int) -> Samples:
        """``seconds`` of sound (n,); longer than it was trained on, it goes on from its own end."""
        import torch

        stride = max(self._model.max_duration - _OVERLAP_S, self._model.max_duration / 2)
        self._model.set_generation_params(
            duration=seconds,
            cfg_coef=guidance,
            extend_stride=stride,
            top_k=min(_TOP_K, self._model.lm.card),
        )
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            torch.manual_seed(seed)
            output = self._model.generate([text], progress=False)
        return np.asarray(output[0].float().mean(dim=0).cpu().numpy(), np.float32)

    def _ready(self) -> Placement:
        if self._placement is None:
            placement = place(Group.AUDIO_SYNTHESIZER, self.name, self._settings)
            with explained(self.name, placement.model, "load"):
                self._model = _load(_folder(placement), placement.device)
            self._placement = placement
        return self._placement


def _folder(placement: Placement) -> Path:
    """The model's folder: the one that is named, or that of the hub's cache."""
    if placement.is_local:
        return Path(placement.model)
    from huggingface_hub import snapshot_download

    found = snapshot_download(placement.model, revision=placement.revision, local_files_only=True)
    return Path(found)


def _load(folder: Path, device: str) -> Any:
    """As ``get_pretrained`` of audiocraft loads, but what is in a pickle is never run."""
    if not is_audiocraft(folder):
        raise OSError("it is not in audiocraft's layout")
    language, codec = read(folder / LANGUAGE_FILE), read(folder / CODEC_FILE)

    from audiocraft.models import AudioGen, builders
    from omegaconf import OmegaConf

    parts = []
    for file, build in (
        (codec, builders.get_compression_model),
        (language, builders.get_lm_model),
    ):
        settings = OmegaConf.create(dict(file.settings))
        settings.device = device
        settings.dtype = "float32" if device == "cpu" else "float16"
        if file is language:
            _name_text_encoder(settings, folder / TEXT_ENCODER_FOLDER)
        model = build(settings)
        model.load_state_dict(file.weights)
        model.cfg = settings
        parts.append(model.eval())
    # Its class for MusicGen differs only in what is done with a melody.
    return AudioGen(str(folder), *parts, max_duration=_longest(language.settings))


def _name_text_encoder(settings: Any, folder: Path) -> None:
    """Have it read prompts by the T5 of the folder, if there is one; by itself it knows names."""
    if not folder.is_dir():
        return
    from audiocraft.modules.conditioners import T5Conditioner
    from transformers import AutoConfig

    width = AutoConfig.from_pretrained(folder, local_files_only=True).d_model
    T5Conditioner.MODELS = [*T5Conditioner.MODELS, str(folder)]
    T5Conditioner.MODELS_DIMS = {**T5Conditioner.MODELS_DIMS, str(folder): width}
    settings.conditioners.description.t5.name = str(folder)


def _longest(settings: Any) -> float:
    """Seconds that it was trained on; AudioGen's 10 where the file does not say."""
    return float(settings.get("dataset", {}).get("segment_duration", 10.0))
