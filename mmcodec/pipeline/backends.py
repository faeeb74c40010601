"""Backends for a job: chosen, loaded, and what there is to say about the choice."""

from __future__ import annotations

from typing import cast

from mmcodec.captioning.contract import Captioner, SoundCaptioner, Transcriber
from mmcodec.models.choice import NONE, choose
from mmcodec.pipeline.kept import Kept, KeptAudio, KeptVideo
from mmcodec.pipeline.settings import EncodeSettings
from mmcodec.registry import Group, ModelSettings, load
from mmcodec.synthesis.contract import AudioSynthesizer, VideoSynthesizer
from mmcodec.synthesis.offline_audio import OfflineAudio
from mmcodec.synthesis.offline_video import OfflineVideo
from mmcodec.timeline import NO_SYNTHESIS, Synthesis

Remarks = list[str]


def captioner(settings: EncodeSettings, remarks: Remarks) -> Captioner:
    """What describes shots."""
    name = _choice(Group.CAPTIONER, settings.captioner, settings.models, remarks)
    return cast("Captioner", load(Group.CAPTIONER, name, settings.models))


def sound_captioner(settings: EncodeSettings, remarks: Remarks) -> SoundCaptioner:
    """What describes segments."""
    name = _choice(Group.SOUND_CAPTIONER, settings.sound_captioner, settings.models, remarks)
    return cast("SoundCaptioner", load(Group.SOUND_CAPTIONER, name, settings.models))


def transcriber(settings: EncodeSettings, remarks: Remarks) -> Transcriber | None:
    """What writes down speech, if anything does."""
    name = _choice(Group.TRANSCRIBER, settings.transcriber, settings.models, remarks)
    if name == NONE:
        return None
    return cast("Transcriber", load(Group.TRANSCRIBER, name, settings.models))


def video_synthesizer(
    wanted: str,
    settings: ModelSettings,
    remarks: Remarks,
    made_for: Synthesis,
    kept: Kept | None,
) -> VideoSynthesizer:
    """The synthesizer of pictures; a model's finished shots go to ``kept``."""
    name = _choice(Group.VIDEO_SYNTHESIZER, wanted, settings, remarks, made_for)
    video = cast("VideoSynthesizer", load(Group.VIDEO_SYNTHESIZER, name, settings))
    if kept is None or isinstance(video, OfflineVideo):
        return video
    return KeptVideo(video, f"{name} {settings}", kept)


def audio_synthesizer(
    group: Group,
    wanted: str,
    settings: ModelSettings,
    remarks: Remarks,
    made_for: Synthesis,
    kept: Kept | None,
) -> AudioSynthesizer:
    """The synthesizer of sound or speech; a model's finished segments go to ``kept``."""
    name = _choice(group, wanted, settings, remarks, made_for)
    audio = cast("AudioSynthesizer", load(group, name, settings))
    if kept is None or isinstance(audio, OfflineAudio):
        return audio
    return KeptAudio(audio, f"{name} {settings}", kept)


def _choice(
    group: Group,
    wanted: str,
    settings: ModelSettings,
    remarks: Remarks,
    made_for: Synthesis = NO_SYNTHESIS,
) -> str:
    """The name to load; what a user would want to know of the choice goes to ``remarks``."""
    choice = choose(group, wanted, settings, made_for)
    kind = group.replace("_", " ")
    if choice.why:
        remarks.append(f"{kind}: {choice.name}, as {choice.why}")
    if made_for.synthesizer and choice.name.partition(":")[0] != made_for.synthesizer:
        wished = f"{made_for.synthesizer} {made_for.model or ''}".rstrip()
        remarks.append(f"{kind}: {choice.name}; the stream is made for {wished}")
    return choice.name
