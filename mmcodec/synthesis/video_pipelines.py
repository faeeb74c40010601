"""Video models of diffusers: which pipeline does what, and what it is called with.

A pipeline's arguments are read from its signature. What signatures do not say stands in the table
of families: frame rates, and which other pipelines run on the same weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from inspect import signature
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmcodec.errors import BackendError
from mmcodec.models.placement import Placement, explained
from mmcodec.synthesis.clips import ClipLimits
from mmcodec.synthesis.diffusion_loading import (
    call,
    load_pipeline,
    parameters_of,
    pictures_of,
    pixels_of,
    placed,
    quiet,
    together,
)
from mmcodec.synthesis.prompting import Words

_STEPS = 30
"""Denoising steps where the stream does not say: past them little changes that is seen, and the
pipelines' own 50 take 5/3 of the time."""
_SIDE = 32
"""All families take sides that are multiples of this."""
_DECODE_TIMESTEP, _DECODE_NOISE = 0.05, 0.025
"""For decoders that denoise (LTX 0.9.1 and later), as its authors advise."""


class Role(StrEnum):
    """What a clip is made from, beside words."""

    TEXT = "text"
    """Nothing."""
    RESTYLE = "restyle"
    """A video, that is changed."""
    ANIMATE = "animate"
    """Its first frame."""


@dataclass(frozen=True, slots=True)
class _Family:
    """Pipelines of one architecture by role, and its frames a second.

    ``animates``: weights for text make a first frame move too, not only weights made for it.
    """

    frame_rate: int
    text: str
    restyle: str | None = None
    animate: str | None = None
    animates: bool = False

    def name(self, role: Role) -> str | None:
        return {Role.TEXT: self.text, Role.RESTYLE: self.restyle, Role.ANIMATE: self.animate}[role]


_LTX = _Family(24, "LTXPipeline", "LTXConditionPipeline", "LTXConditionPipeline", animates=True)
_FAMILIES = (
    _LTX,
    _Family(16, "WanPipeline", "WanVideoToVideoPipeline", "WanImageToVideoPipeline"),
    _Family(
        8, "CogVideoXPipeline", "CogVideoXVideoToVideoPipeline", "CogVideoXImageToVideoPipeline"
    ),
    _Family(8, "AnimateDiffPipeline", "AnimateDiffVideoToVideoPipeline"),
    _Family(16, "SanaVideoPipeline", animate="SanaImageToVideoPipeline", animates=True),
    _Family(8, "TextToVideoSDPipeline", "VideoToVideoSDPipeline"),
    _Family(24, "HunyuanVideo15Pipeline", animate="HunyuanVideo15ImageToVideoPipeline"),
    _Family(24, "HunyuanVideoPipeline", animate="HunyuanVideoImageToVideoPipeline"),
    _Family(30, "MochiPipeline"),
    _Family(24, "SkyReelsV2Pipeline", animate="SkyReelsV2ImageToVideoPipeline"),
)
_OTHER_RATE = 16
_WAN_5B_RATE = 24


@dataclass(frozen=True, slots=True)
class Request:
    """A clip to be made: ``count`` frames of ``size`` (width, height).

    ``pictures``, RGB uint8 (n, height, width, 3), is the video to be changed or the first frame.
    ``strength`` is 0 (exclusive) to 1. What is None is the model's choice.
    """

    words: Words
    size: tuple[int, int]
    count: int
    seed: int
    steps: int | None
    guidance: float | None
    strength: float
    pictures: NDArray[np.uint8] | None = None

    def fits(self, other: Request) -> bool:
        """Whether one call can make both: all but words, seed and pictures is the same."""
        mine, its = (
            replace(request, words=Words(""), seed=0, pictures=None) for request in (self, other)
        )
        return mine == its and (self.pictures is None) == (other.pictures is None)


class VideoModel:
    """A model's pipelines, over one set of weights.

    Raises:
        BackendError: it is not here, or makes no video.
    """

    def __init__(self, name: str, placement: Placement, longest: int) -> None:
        self._name, self._placement = name, placement
        self._base = load_pipeline(name, "DiffusionPipeline", placement)
        self._family = _family_of(self._base)
        if not {"num_frames", "frames", "video"} & set(parameters_of(self._base)):
            kind = type(self._base).__name__
            raise BackendError(f"{name} needs a video model: {placement.model} is a {kind}")
        self.roles = _roles(self._base, self._family)
        self.limits = _limits(self._base, self._family, longest)
        self._made: dict[Role, Any] = {}

    def batches(self, role: Role) -> bool:
        """Whether one call can make several clips in this role."""
        return role is not Role.ANIMATE and "conditions" not in parameters_of(self._pipeline(role))

    def make(self, role: Role, requests: Sequence[Request]) -> list[NDArray[np.uint8]]:
        """A clip for each request, of at least its ``count`` frames, RGB uint8 (n, height, width,
        3); several only if the role ``batches`` and each :meth:`~Request.fits` the first.

        Raises:
            FailedWorkError: it could not be made; :class:`OutOfMemoryError` if it does not fit.
        """
        with explained(self._name, self._placement.model, "run"):
            pipeline = self._pipeline(role)
            wanted = together(
                [_arguments(pipeline, role, request, self.limits) for request in requests]
            )
            if "Wan" in type(pipeline).__name__ and role is not Role.TEXT:
                wanted |= self._wan_words(wanted, requests[0].guidance)
            made = call(pipeline, wanted)
            return list(pixels_of(made.frames, self._name, self._placement.model))

    def _pipeline(self, role: Role) -> Any:
        if role not in self._made:
            kind = self._family.name(role) if self._family else None
            if kind is None or kind == type(self._base).__name__:
                self._made[role] = self._base
            else:
                with quiet():
                    self._made[role] = placed(_sibling(self._base, kind, role), self._placement)
        return self._made[role]

    def _wan_words(self, wanted: Mapping[str, object], guidance: float | None) -> dict[str, object]:
        """The words as Wan's text pipeline encodes them: the others need a package to clean text
        that is clean.
        """
        import torch

        with torch.no_grad():
            said, unsaid = self._pipeline(Role.TEXT).encode_prompt(
                prompt=wanted["prompt"],
                negative_prompt=wanted["negative_prompt"],
                do_classifier_free_guidance=guidance is None or guidance > 1,
                device=self._placement.device,
            )
        embeddings = {"prompt_embeds": said, "negative_prompt_embeds": unsaid}
        return {"prompt": None, "negative_prompt": None, **embeddings}


def _family_of(pipeline: Any) -> _Family | None:
    kind = type(pipeline).__name__
    if kind == "LTXImageToVideoPipeline":
        return _LTX
    known = (f for f in _FAMILIES if kind in (f.text, f.restyle, f.animate))
    return next(known, None)


def _roles(pipeline: Any, family: _Family | None) -> frozenset[Role]:
    """What the weights can do. A model of no known family does what its signature says."""
    takes = parameters_of(pipeline)
    if family is None:
        if "video" in takes and "strength" in takes:
            return frozenset({Role.RESTYLE})
        return frozenset({Role.ANIMATE if "image" in takes else Role.TEXT})
    kind = type(pipeline).__name__
    net = _net_of(pipeline)
    roles = {role for role in Role if family.name(role) == kind}
    if net.get("in_channels") == net.get("out_channels"):  # no channels for a given frame
        roles |= {Role.TEXT} | ({Role.RESTYLE} if family.restyle else set())
        if family.animates or pipeline.config.get("expand_timesteps"):
            roles.add(Role.ANIMATE)
    return frozenset(roles)


def _net_of(pipeline: Any) -> Any:
    """The configuration of the network that takes the noise away."""
    nets = (getattr(pipeline, name, None) for name in ("transformer", "transformer_2", "unet"))
    return next((net.config for net in nets if net is not None), {})


def _limits(pipeline: Any, family: _Family | None, longest: int) -> ClipLimits:
    rate = family.frame_rate if family else _OTHER_RATE
    if pipeline.config.get("expand_timesteps"):  # Wan 2.2 5B
        rate = _WAN_5B_RATE
    config = _net_of(pipeline)
    space = _first(pipeline, "vae_scale_factor_spatial", "vae_spatial_compression_ratio", 8)
    patches = config.get("patch_size") or 1
    patch_t = config.get("patch_size_t") or 1
    if isinstance(patches, list | tuple):
        patch_t, patches = patches[0], patches[-1]
    time = _first(pipeline, "vae_scale_factor_temporal", "vae_temporal_compression_ratio", 1)
    taken = parameters_of(pipeline)
    own = taken.get("num_frames") or taken.get("frames") or config.get("sample_frames")
    most = min(longest, own) if isinstance(own, int) else longest
    if family and "AnimateDiff" in family.text:
        most = min(most, 16)  # what the motion modules learnt
    limits = ClipLimits(Fraction(rate), most, int(time), int(patch_t), lcm(_SIDE, space * patches))
    return ClipLimits(
        limits.frame_rate, limits.fewer(most), limits.time_step, limits.latents, limits.side
    )


def _first(pipeline: Any, one: str, other: str, default: int) -> int:
    return int(getattr(pipeline, one, None) or getattr(pipeline, other, None) or default)


def _sibling(base: Any, kind: str, role: Role) -> Any:
    """Another pipeline over the components of ``base``."""
    import diffusers

    maker = getattr(diffusers, kind)
    taken = signature(maker.__init__).parameters
    components = {name: part for name, part in base.components.items() if name in taken}
    settings = {
        name: value
        for name, value in dict(base.config).items()
        if name in taken and name not in components
    }
    if kind == "WanVideoToVideoPipeline":
        # Of two denoisers, the second is for the little noise that a change begins with.
        components["transformer"] = base.components.get("transformer_2") or base.transformer
        components["scheduler"] = _flow_scheduler(base.scheduler)
    if kind == "LTXConditionPipeline" and base.scheduler.config.get("use_dynamic_shifting"):
        components["scheduler"] = type(base.scheduler).from_config(
            base.scheduler.config, use_dynamic_shifting=False, shift_terminal=None
        )
    for name in taken:  # image encoders and the like that weights without them do not need
        if name not in components and name not in settings and name.startswith("image_"):
            components[name] = None
    pipeline = maker(**components, **settings)
    if role is Role.RESTYLE and "Wan" in kind:
        # It counts the stages of the VAE, of which that of Wan 2.2 5B has patches beside.
        pipeline.vae_scale_factor_spatial = base.vae_scale_factor_spatial
    return pipeline


def _flow_scheduler(scheduler: Any) -> Any:
    from diffusers import UniPCMultistepScheduler

    config = scheduler.config
    shift = config.get("flow_shift") or config.get("shift") or 3.0
    return UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
    )


def _arguments(
    pipeline: Any, role: Role, request: Request, limits: ClipLimits
) -> dict[str, object]:
    import torch

    taken = parameters_of(pipeline)
    own = taken.get("num_inference_steps")
    steps = request.steps or min(own if isinstance(own, int) else _STEPS, _STEPS)
    wanted: dict[str, object] = {
        "prompt": request.words.prompt,
        "negative_prompt": request.words.negative,
        "width": request.size[0],
        "height": request.size[1],
        "num_frames": request.count,
        "frames": request.count,
        "frame_rate": float(limits.frame_rate),
        "guidance_scale": request.guidance,
        "generator": torch.Generator("cpu").manual_seed(request.seed),
        "output_type": "np",
        "use_resolution_binning": False,
    }
    if "decode_timestep" in taken and pipeline.vae.config.get("timestep_conditioning"):
        wanted |= {"decode_timestep": _DECODE_TIMESTEP, "decode_noise_scale": _DECODE_NOISE}
    if role is Role.RESTYLE:
        # With fewer, none would be left after those that a low strength leaves out.
        steps = max(steps, round(np.ceil(1 / request.strength)))
    wanted["num_inference_steps"] = steps
    if request.pictures is None or role is Role.TEXT:
        return wanted
    pictures = pictures_of(request.pictures)
    if "conditions" in taken:
        return wanted | _conditions(role, pictures, request.strength, steps)
    if role is Role.ANIMATE:
        return wanted | {"image": pictures[0]}
    return wanted | {"video": pictures, "strength": request.strength}


def _conditions(role: Role, pictures: list[Any], strength: float, steps: int) -> dict[str, object]:
    """What LTX is shown. Its strength is how much is kept.

    A video that is kept in part is one with that much noise; so the steps begin at that noise,
    where the pipeline's own would have gone by it or not yet come to it.
    """
    from diffusers.pipelines.ltx.pipeline_ltx_condition import (
        LTXVideoCondition,
        linear_quadratic_schedule,
    )

    if role is Role.ANIMATE:
        return {"conditions": [LTXVideoCondition(image=pictures[0], frame_index=0)]}
    noise = [float(level) for level in linear_quadratic_schedule(steps)]
    levels = [strength, *(level for level in noise if 0 < level < strength - 0.01)]
    condition = LTXVideoCondition(video=pictures, frame_index=0, strength=1 - strength)
    return {"conditions": [condition], "timesteps": [1000 * level for level in levels]}
