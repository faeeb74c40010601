"""Which backend does the work: the one that is named, or for ``auto`` the best that can run here.

``auto`` takes a model only if its packages are installed, its weights are here, its licence allows
any use, and the machine runs it in reasonable time. It never sends anything to another machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmcodec.models.cache import is_cached, is_hub_id, is_installed
from mmcodec.models.catalogue import DEFAULTS, Defaults, ModelCard
from mmcodec.registry import Backend, Group, ModelSettings, backends
from mmcodec.timeline import NO_SYNTHESIS, Synthesis

AUTO, NONE = "auto", "none"


@dataclass(frozen=True, slots=True)
class Choice:
    """What :func:`mmcodec.registry.load` gets, and why ``auto`` chose it; empty if it did not."""

    name: str
    why: str = ""


def choose(
    group: Group, wanted: str, settings: ModelSettings, made_for: Synthesis = NO_SYNTHESIS
) -> Choice:
    """The backend to load for ``wanted``; for ``auto``, first of all what a stream was made for.

    Of a stream's word only names in the hub's cache count: never a path, and no download.
    """
    if wanted != AUTO:
        return Choice(wanted)
    known = backends(group)
    named, model = made_for.synthesizer, made_for.model
    if named in known and model and is_hub_id(model) and _may_run(known[named], model):
        revision = f"@{made_for.revision}" if made_for.revision else ""
        if is_cached(model, made_for.revision):
            return Choice(f"{named}:{model}{revision}", "the stream was made for it")
    for name, backend in known.items():
        if backend.extra is None or (backend.complete and is_installed(backend.extra)):
            return Choice(name)
        defaults = DEFAULTS.get((group, name))
        card = defaults and is_installed(backend.extra) and _runnable(defaults, settings)
        if card:
            return Choice(f"{name}:{card.model}", "its weights are here and this machine runs it")
    return Choice(NONE)


def _runnable(defaults: Defaults, settings: ModelSettings) -> ModelCard | None:
    """The better of the two models that is free, here, and fast enough."""
    here = [
        card for card in (defaults.gpu, defaults.cpu) if card.commercial and is_cached(card.model)
    ]
    if not here:
        return None
    on_gpu = _on_gpu(settings)  # PyTorch takes seconds to import
    return next((card for card in here if on_gpu or card.on_cpu), None)


def _on_gpu(settings: ModelSettings) -> bool:
    if settings.device:
        return not settings.device.startswith("cpu")
    import torch

    return bool(torch.cuda.is_available())


def _may_run(backend: Backend, model: str) -> bool:
    cards = (card for defaults in DEFAULTS.values() for card in (defaults.cpu, defaults.gpu))
    free = all(card.commercial for card in cards if card.model == model)
    return free and is_installed(backend.extra)
