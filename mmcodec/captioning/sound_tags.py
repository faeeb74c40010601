"""Captions segments of sound with the names that a classifier gives them.

The names come first, then what was measured: "Rain, thunder: a loud, dark, noisy sound."
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mmcodec.analysis.segments import SoundSegment
from mmcodec.analysis.sound import Floats, Samples, SoundAnalysis
from mmcodec.captioning.everyday_sounds import EVERYDAY_SOUNDS
from mmcodec.captioning.instructions import cleaned, fitted
from mmcodec.captioning.sound_rules import describe_sound
from mmcodec.captioning.waves import mono_at
from mmcodec.models.loading import at_work, load_part, load_weights
from mmcodec.models.placement import Placement, explained, place
from mmcodec.registry import Group, ModelSettings
from mmcodec.timeline import Prompt, SegmentKind

_MOST_TAGS = 3
_SURE = 0.3
"""Share of the best name's probability that another one needs."""


class _Classifier(Protocol):
    """A model that names sounds."""

    @property
    def placement(self) -> Placement: ...

    @property
    def sample_rate(self) -> int: ...

    @property
    def names(self) -> Sequence[str]: ...

    def judge(self, wave: Samples) -> Floats:
        """How likely each name is for samples (n,) at its rate; the sum is 1."""


class _Tagger(ABC):
    """What both captioners do with their classifiers."""

    name = ""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._classifier: _Classifier | None = None

    def caption(self, segment: SoundSegment, analysis: SoundAnalysis, budget: int) -> Prompt:
        """One to three names and what was measured, in one sentence.

        Raises:
            BackendError: the model cannot be loaded, or fails.
        """
        kind = segment.segment.kind
        measured = describe_sound(analysis, kind)
        if kind is SegmentKind.SILENCE:
            return Prompt(fitted(measured, budget))
        classifier = self._loaded()
        with explained(self.name, classifier.placement.model, "run"):
            wave = mono_at(segment.samples, segment.sample_rate, classifier.sample_rate)
            tags = best_tags(classifier.names, classifier.judge(wave))
        return Prompt(fitted(_sentence(tags, measured), budget))

    def _loaded(self) -> _Classifier:
        if self._classifier is None:
            placement = place(Group.SOUND_CAPTIONER, self.name, self._settings)
            with explained(self.name, placement.model, "load"):
                self._classifier = self._load(placement)
        return self._classifier

    @abstractmethod
    def _load(self, placement: Placement) -> _Classifier:
        """The classifier, with its weights."""


class SoundTags(_Tagger):
    """Names from a classifier with names of its own, such as AST on AudioSet's 527."""

    name = "tags"

    def _load(self, placement: Placement) -> _Classifier:
        from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

        weights = load_weights(AutoModelForAudioClassification, placement)
        return _Fixed(placement, weights, load_part(AutoFeatureExtractor, placement))


class ClapTags(_Tagger):
    """Names from a list of everyday sounds, compared with the sound by CLAP."""

    name = "clap"

    def _load(self, placement: Placement) -> _Classifier:
        from transformers import AutoModel, AutoProcessor

        weights, processor = load_weights(AutoModel, placement), load_part(AutoProcessor, placement)
        return _ZeroShot(placement, weights, processor, _embedded(weights, processor, placement))


@dataclass(frozen=True, slots=True)
class _Fixed:
    placement: Placement
    weights: Any
    extractor: Any

    @property
    def sample_rate(self) -> int:
        return int(self.extractor.sampling_rate)

    @property
    def names(self) -> Sequence[str]:
        known = self.weights.config.id2label
        return [known[at] for at in range(len(known))]

    def judge(self, wave: Samples) -> Floats:
        with at_work(self.weights, self.placement):
            heard = self.extractor(wave, sampling_rate=self.sample_rate, return_tensors="pt")
            logits = self.weights(**heard.to(self.placement.device, self.placement.dtype)).logits
            return _shares(logits[0])


@dataclass(frozen=True, slots=True)
class _ZeroShot:
    placement: Placement
    weights: Any
    processor: Any
    texts: Any
    """The names as unit vectors (names, features)."""
    names: Sequence[str] = EVERYDAY_SOUNDS

    @property
    def sample_rate(self) -> int:
        return int(self.processor.feature_extractor.sampling_rate)

    def judge(self, wave: Samples) -> Floats:
        wave = _middle(wave, int(self.processor.feature_extractor.nb_max_samples))
        with at_work(self.weights, self.placement):
            heard = self.processor(
                audio=wave, sampling_rate=self.sample_rate, return_tensors="pt"
            ).to(self.placement.device, self.placement.dtype)
            vector = _unit(self.weights.get_audio_features(**heard))
            scale = self.weights.logit_scale_a.exp()
            return _shares((scale * vector @ self.texts.to(vector.device).T)[0])


def _embedded(weights: Any, processor: Any, placement: Placement) -> Any:
    texts = [f"This is a sound of {name}." for name in EVERYDAY_SOUNDS]
    with at_work(weights, placement):
        asked = processor(text=texts, padding=True, return_tensors="pt").to(placement.device)
        return _unit(weights.get_text_features(**asked))


def _unit(output: Any) -> Any:
    """Vectors (n, features) of length one; older releases return them bare."""
    vectors = getattr(output, "pooler_output", output)
    return vectors / vectors.norm(dim=-1, keepdim=True)


def _middle(wave: Samples, most: int) -> Samples:
    """At most ``most`` samples: of what is longer, CLAP takes a part by chance."""
    start = max(len(wave) - most, 0) // 2
    return wave[start : start + most]


def _shares(logits: Any) -> Floats:
    return np.asarray(logits.float().softmax(dim=-1).cpu().numpy(), np.float64)


def best_tags(names: Sequence[str], shares: Floats) -> list[str]:
    """The one to three most likely names, each without what explains it after a comma."""
    order = np.argsort(-shares, kind="stable")[:_MOST_TAGS]
    sure = [names[at] for at in order if shares[at] >= _SURE * shares[order[0]]]
    return list(dict.fromkeys(name.partition(",")[0].strip().lower() for name in sure))


def _sentence(tags: Sequence[str], measured: str) -> str:
    named = cleaned(", ".join(tags))
    if not named:
        return measured
    return f"{named[0].upper()}{named[1:]}: {measured[0].lower()}{measured[1:]}"
