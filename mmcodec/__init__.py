"""mmcodec: clips as timed prompts and tiny descriptors, re-synthesized by the receiver.

import mmcodec

report = mmcodec.encode("clip.mp4", "clip.mmc")
mmcodec.decode("clip.mmc", "clip.decoded.mp4")
for packet in mmcodec.probe("clip.mmc").packets:
    print(packet.cue.span, packet.cue.prompt.text)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmcodec.bitstream.packets import CuePacket
    from mmcodec.carriers.armor import Alphabet
    from mmcodec.errors import MMCodecError
    from mmcodec.evaluation.photographs import CodedPhotograph, compare_photograph
    from mmcodec.models.operations import (
        BackendState,
        convert_audiogen,
        list_backends,
        pull_model,
    )
    from mmcodec.pipeline.notes import (
        Note,
        make_note,
        play_note,
        play_note_aloud,
        read_note,
        record_note,
    )
    from mmcodec.pipeline.operations import decode, encode, probe
    from mmcodec.pipeline.reports import DecodeReport, EncodeReport, StreamInfo
    from mmcodec.pipeline.settings import DecodeSettings, Effort, EncodeSettings, Profile, Speech
    from mmcodec.registry import ModelSettings
    from mmcodec.streaming.link import Link
    from mmcodec.streaming.origin import OriginSettings
    from mmcodec.streaming.publishing import (
        LiveSettings,
        PublishReport,
        encode_live,
        segment,
    )
    from mmcodec.streaming.watching import PlayReport, demo, play, serve, watch
    from mmcodec.timeline import Cue, Synthesis, Timeline

__version__ = "0.1.0"
__all__ = [
    "Alphabet",
    "BackendState",
    "CodedPhotograph",
    "Cue",
    "CuePacket",
    "DecodeReport",
    "DecodeSettings",
    "Effort",
    "EncodeReport",
    "EncodeSettings",
    "Link",
    "LiveSettings",
    "MMCodecError",
    "ModelSettings",
    "Note",
    "OriginSettings",
    "PlayReport",
    "Profile",
    "PublishReport",
    "Speech",
    "StreamInfo",
    "Synthesis",
    "Timeline",
    "__version__",
    "compare_photograph",
    "convert_audiogen",
    "decode",
    "demo",
    "encode",
    "encode_live",
    "list_backends",
    "make_note",
    "play",
    "play_note",
    "play_note_aloud",
    "probe",
    "pull_model",
    "read_note",
    "record_note",
    "segment",
    "serve",
    "watch",
]

_HOMES = {
    "mmcodec.bitstream.packets": ("CuePacket",),
    "mmcodec.carriers.armor": ("Alphabet",),
    "mmcodec.errors": ("MMCodecError",),
    "mmcodec.evaluation.photographs": ("CodedPhotograph", "compare_photograph"),
    "mmcodec.models.operations": (
        "BackendState",
        "convert_audiogen",
        "list_backends",
        "pull_model",
    ),
    "mmcodec.pipeline.notes": (
        "Note",
        "make_note",
        "play_note",
        "play_note_aloud",
        "read_note",
        "record_note",
    ),
    "mmcodec.pipeline.operations": ("decode", "encode", "probe"),
    "mmcodec.pipeline.reports": ("DecodeReport", "EncodeReport", "StreamInfo"),
    "mmcodec.pipeline.settings": (
        "DecodeSettings",
        "Effort",
        "EncodeSettings",
        "Profile",
        "Speech",
    ),
    "mmcodec.registry": ("ModelSettings",),
    "mmcodec.streaming.link": ("Link",),
    "mmcodec.streaming.origin": ("OriginSettings",),
    "mmcodec.streaming.publishing": (
        "LiveSettings",
        "PublishReport",
        "encode_live",
        "segment",
    ),
    "mmcodec.streaming.watching": ("PlayReport", "demo", "play", "serve", "watch"),
    "mmcodec.timeline": ("Cue", "Synthesis", "Timeline"),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: ``import mmcodec`` alone costs nothing."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'mmcodec' has no attribute {name!r}")
