"""The valid conformance vectors: one stream for each feature, with what a reader finds in it.

Descriptors stand here as bytes, since encoders of pictures and sound may change and vectors not.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from fractions import Fraction

from mmcodec.bitstream.fields import varint
from mmcodec.bitstream.packets import (
    END_PACKET,
    CueType,
    checked,
    control_packet,
    cue_packet,
)
from mmcodec.bitstream.syntax import PICTURE_SPAN, StreamHeader, header_bytes
from mmcodec.bitstream.writer import StreamWriter
from mmcodec.timeline import (
    AudioTrack,
    Cue,
    Layer,
    Prompt,
    Segment,
    SegmentKind,
    Shot,
    Synthesis,
    VideoTrack,
)

Layers = dict[Layer, bytes]

VIDEO = StreamHeader(VideoTrack(640, 360, Fraction(24)), None)
AUDIO = StreamHeader(None, AudioTrack(24_000, 1))
BOTH = StreamHeader(VIDEO.video, AUDIO.audio)
DEFLATED = StreamHeader(VIDEO.video, None, text_coder=0)

LOOK = bytes.fromhex("048a51f7b2c64e8d8109")
ONE_FRAME = bytes.fromhex(
    "fffffe4421d04691e5918e62cc1dcbc0c37436d6e4a43f2236217184574ff67bc7f5d8a556e6e67b6ba3a0"
)
THREE_FRAMES = bytes.fromhex(
    "7deffe4421d0469e6f011a13fb1324fe44bba01d1488b4cdc921c6aa60b33d6a1fbf3d4bfb9521a1b0824a1211db"
    "fecb8fcc73a83a3534ac16b619fbd03561764793958dfc3b0ddefbe1a9c83750aa24f5a1de2afd42dce67eba0e20"
    "ecd4a955c5088484d9d890a943774593c3ac139e3092ac93ecbcad315960587088356c6798e17f80"
)
CAMERA_FRAMES = bytes.fromhex(
    "3de8000804aa5ebf3a009ab8c2c02b1c8ff33eafdd69be53085171a829f9f2a9640eac2739d356dd56f7571c6cdd"
    "a8627cddb4edacb4a89df3534a8ca574afc1c0a39616a3ae2c1df0fb66141f4d84d0ebd575dcdb3d86fed352c528"
    "ef2b44b477377feef8e4c0b32baeb520c5302cf3b0709837322801cb246a2704a43a1ee4f49b8666dba09b9725c0"
)
BENT_FRAMES = bytes.fromhex(
    "3de00004f62ff59a79d9862dd446727efcdd0baf928d27675d184d35cda566ecc407b522f64a1452b1e9fce7fc16"
    "e4bd6e4196f5c582e4145e78002e822bbfcec305669f3226c0d44aa152bf40dccaaf28f30a65fa8c41d47fc512d0"
    "6583719a601e0c16dcbbf61bd1cff187e6471106adf0ed8945abcd237c563209deb6a4a8c7f31ec9778209ae46e9"
    "139f6eb68eba116de53458"
)
PLACED_FRAMES = bytes.fromhex(
    "bd0a67842413e46f7365ddd0553f115dcada1223792e4c9b1457e331588cd1ed5c5fb061d26d80e8b61990458aa1"
    "e5571fc1e47b7d2d8d5e9c5afac4b57f9662c4eeae2e285c7a1849950aa39f423e75a8ab0557f294c5b09aedcf78"
    "fea0677e18c11b2ed97fd6e0e5d79c2d68e35a27857a8760a177d78b03f8d51b46ee38a08cbeff7a8bd0"
)
PLAIN_FRAME = bytes.fromhex(
    "fffbffee028280000000abffe757cc02028280000000abffe757cc020c8a44003f8080000c78002001ad659a2f25"
    "982577b3bbc1027c4e6b0f4558811572836c3f3c6df7049aa2"
)
NOISE = bytes.fromhex("550fc13b1248991aef96632f287dfffffe")
COARSE_PITCH = bytes.fromhex("666fc927d0da2b2a9aa03db6fdd03d7280")
FINE_PITCH = bytes.fromhex(
    "669742318598303509723212a9c31f5ae768730b0152d51353d6bd7e42212d7799a0de4c"
)
PARTIALS = bytes.fromhex(
    "672b3d8e8439c59a007b78bf536095aa291f37cbb829103c6356a44514d669b6abe8d0127cd0b84ed64acb164770"
    "700c0d14a9379ca9cb66d69880"
)

VOICE = bytes.fromhex("3dac104d4f199864035773106a2494a3bfaad8")
BED = bytes.fromhex("6a47c123391b2c7e4ed4faab759cc6")
OPUS = bytes.fromhex(
    "4b19e11597b8f0881b8475ba2158ddad3707883a2a464e26a38c38cc299e141d4b1815a4687b40ea82042fb2ef24"
    "f58fb762d513f46c1dbd2a2d7a1b314aad46427fac729e99eca784cf55be491a25e9f3d2bffb901abe4e7a3d9302"
    "024cc768a79e7ebe5bffef0984cd8fbddc6d1aefd9b44a72e9f3d2bffb901b8594c2d26157e12adb8f2f8392c703"
    "efc2c479dd9a093bad736862461a25eacd32bffb901b8598d50c3e2b0e49d87e13e410fd105470212ffdfd884030"
    "7b9951c0c9d0019b4ce40bd3a570fa9d05d6a0a1d1e3349f2f5e12d69f2049a6f2349cc6f4"
)
VOCODER = bytes.fromhex(
    "859a920ab17f2a06a75181d64fa10000008c805fdcaca499992ac2e39b1338dba08d133bde9ffdbfec0346356494"
    "ca92cfecde6ede5ee76662405a0300d724c65c68fd9e6bd0c1c3ed76"
)


@dataclass(frozen=True)
class Vector:
    """A stream and what it holds; ``reserialize``: our writer makes the same bytes of that."""

    feature: str
    header: StreamHeader
    cues: tuple[Cue, ...]
    data: bytes
    reserialize: bool = True


def written(feature: str, header: StreamHeader, *cues: Cue, single: bool = False) -> Vector:
    """What our writer makes of ``cues``; of a ``single`` one, told that it is."""
    sink = io.BytesIO()
    writer = StreamWriter(sink, header, single=single)
    for cue in cues:
        writer.write(cue)
    writer.close()
    return Vector(feature, header, cues, sink.getvalue())


def restarted(feature: str, header: StreamHeader, *cues: Cue) -> Vector:
    """What our writer makes of ``cues``, with a clock before each shot but the first."""
    sink = io.BytesIO()
    writer = StreamWriter(sink, header)
    for cue in cues:
        writer.write(cue, restart=isinstance(cue.span, Shot) and cue.span.start > 0)
    writer.close()
    return Vector(feature, header, cues, sink.getvalue(), reserialize=False)


def by_hand(feature: str, start: bytes, packets: bytes, header: StreamHeader, *cues: Cue) -> Vector:
    """A header without its checksum, and packets: things that our writer never writes."""
    return Vector(feature, header, cues, checked(start) + packets + END_PACKET, reserialize=False)


def shot(start: int, end: int, text: str = "", layers: Layers | None = None) -> Cue:
    """A cue with a picture."""
    return Cue(Shot(start, end), Prompt(text), layers or {})


def sound(start: int, end: int, kind: SegmentKind, text: str = "", data: bytes = b"") -> Cue:
    """A cue with sound."""
    return Cue(Segment(start, end, kind), Prompt(text), {Layer.SOUND: data} if data else {})


def digits(count: int) -> str:
    """Text that hardly compresses, always the same."""
    return hashlib.shake_256(b"mmcodec").hexdigest(count // 2)


def _with_fields() -> Vector:
    start = bytearray(header_bytes(BOTH))
    start[2] |= 16
    number, text = varint(62 << 2) + b"\x07", varint(63 << 2 | 1) + b"\x03new"
    fields = number + text
    return by_hand(
        "parameters of a later version in the header are skipped",
        bytes(start) + varint(len(fields)) + fields,
        PLAIN,
        BOTH,
        LOOK_CUE,
    )


PLAIN = cue_packet(CueType.SHOT, True, 48, b"\x40" + LOOK)
"""A shot of two seconds with a look."""
LOOK_CUE = shot(0, 48, layers={Layer.LOOK: LOOK})
_LISTED = b"\x3f" + varint(99) + b"\x02??" + varint(Layer.LOOK) + varint(len(LOOK)) + LOOK
_PADDED = b"\x00\x00\x00" + b"\xb0\x00" + b"\x8b\x80\x00" + b"\x40" + LOOK
_PADDED = bytes([CueType.SHOT << 6 | 1 << 5]) + _PADDED[1:]
_PADDING = b"\x7a" + varint(2100) + bytes(2099) + b"\x80"
"""A padding OBU, which AV1 decoders skip."""
_ENGLISH = "A man walks his dog on the beach."
_OTHER = "Спокойная музыка. 静かな海辺の夕暮れ。 🌊"

VECTORS = {
    "video-only": written("a stream with pictures alone", VIDEO, shot(0, 48, _ENGLISH)),
    "audio-only": written(
        "a stream with sound alone", AUDIO, sound(0, 50, SegmentKind.SPEECH, "A soft voice.")
    ),
    "both-tracks": written(
        "pictures and sound; cues in the order of their start",
        BOTH,
        shot(0, 48, "A red car.", {Layer.LOOK: LOOK}),
        sound(0, 50, SegmentKind.SOUND, "A car drives by.", NOISE),
        sound(50, 150, SegmentKind.SILENCE),
        shot(48, 72, "", {Layer.SKETCH: ONE_FRAME}),
    ),
    "still": written(
        "a still picture",
        StreamHeader(VideoTrack(512, 512, Fraction(25), still=True), None),
        shot(0, 25, "A boat on a lake."),
    ),
    "photograph": written(
        "a photograph at 1024x1024 as a caption of 11 bytes",
        StreamHeader(VideoTrack(1024, 1024, Fraction(25), still=True), None),
        Cue(PICTURE_SPAN, Prompt("A red car is parked on a wet street at night.")),
    ),
    "photograph-sketch": written(
        "a photograph of an odd raster, with a sketch",
        StreamHeader(VideoTrack(317, 211, Fraction(25), still=True), None),
        Cue(PICTURE_SPAN, Prompt("A red car."), {Layer.SKETCH: ONE_FRAME}),
    ),
    "stereo": written(
        "two channels at 48 kHz",
        StreamHeader(None, AudioTrack(48_000, 2)),
        sound(0, 50, SegmentKind.MUSIC, "", PARTIALS),
    ),
    "odd-raster-and-rates": written(
        "raster, frame rate and sample rate outside of the tables",
        StreamHeader(VideoTrack(317, 211, Fraction(25, 2)), AudioTrack(11_025, 1)),
        shot(0, 10, layers={Layer.LOOK: LOOK}),
    ),
    "gap": written(
        "time without a cue on either track",
        BOTH,
        shot(24, 48, layers={Layer.LOOK: LOOK}),
        sound(150, 200, SegmentKind.SOUND, "", NOISE),
        shot(348, 396, layers={Layer.LOOK: LOOK}),
    ),
    "long-duration-and-length": written(
        "a cue of 60 s with a payload of over 2047 bytes: both numbers follow the head",
        VIDEO,
        shot(0, 1440, layers={Layer.SKETCH: ONE_FRAME + _PADDING}),
    ),
    "long-prompt": written(
        "a prompt's code of over 61 bytes before a look",
        DEFLATED,
        shot(0, 48, digits(160), {Layer.LOOK: LOOK}),
    ),
    "empty-cue": written("a cue with neither prompt nor descriptor", VIDEO, shot(0, 48)),
    "look": written("a look", VIDEO, LOOK_CUE),
    "sketch": written("one frame", VIDEO, shot(0, 48, layers={Layer.SKETCH: ONE_FRAME})),
    "sketch-flow": written(
        "three frames, with movement between",
        VIDEO,
        shot(0, 48, layers={Layer.SKETCH: THREE_FRAMES}),
    ),
    "sketch-camera": written(
        "three frames along a path of the camera of three poses",
        VIDEO,
        shot(0, 48, layers={Layer.SKETCH: CAMERA_FRAMES}),
    ),
    "sketch-affine": written(
        "three frames along an affine path of the camera",
        VIDEO,
        shot(0, 48, layers={Layer.SKETCH: BENT_FRAMES}),
    ),
    "sketch-placed": written(
        "three frames that are not shown evenly",
        VIDEO,
        shot(0, 48, layers={Layer.SKETCH: PLACED_FRAMES}),
    ),
    "sketch-plain": written("AV1 as it is", VIDEO, shot(0, 48, layers={Layer.SKETCH: PLAIN_FRAME})),
    "sound-noise": written("mode 0", AUDIO, sound(0, 50, SegmentKind.SOUND, "", NOISE)),
    "sound-coarse-pitch": written(
        "mode 1", AUDIO, sound(0, 50, SegmentKind.SPEECH, "", COARSE_PITCH)
    ),
    "sound-fine-pitch": written("mode 2", AUDIO, sound(0, 50, SegmentKind.SPEECH, "", FINE_PITCH)),
    "sound-partials": written("mode 3", AUDIO, sound(0, 50, SegmentKind.MUSIC, "", PARTIALS)),
    "vocoder": written(
        "speech by the vocoder",
        AUDIO,
        Cue(Segment(0, 65, SegmentKind.SPEECH), Prompt("A low voice."), {Layer.VOCODER: VOCODER}),
    ),
    "opus": written(
        "sound as it is",
        AUDIO,
        Cue(Segment(0, 15, SegmentKind.SOUND), Prompt("A tone."), {Layer.OPUS: OPUS}),
    ),
    "voice": written(
        "speech with its words in the prompt, and a voice of tier E",
        AUDIO,
        Cue(
            Segment(0, 200, SegmentKind.SPEECH),
            Prompt("A low voice says: “Meet me at nine.”"),
            {Layer.VOICE: VOICE},
        ),
    ),
    "note": written(
        "words in one cue, as a note",
        AUDIO,
        Cue(Segment(0, 200, SegmentKind.SPEECH), Prompt("Meet me at nine."), {Layer.VOICE: VOICE}),
        single=True,
    ),
    "note-odd-rate": written(
        "music as a note, in two channels, at a sample rate outside of the table",
        StreamHeader(None, AudioTrack(11_025, 2)),
        sound(0, 50, SegmentKind.MUSIC, "", PARTIALS),
        single=True,
    ),
    "voice-bed": written(
        "a voice, and what sounds beneath it",
        AUDIO,
        Cue(
            Segment(0, 200, SegmentKind.SPEECH),
            Prompt("A low voice says: “Meet me at nine.”"),
            {Layer.VOICE: VOICE, Layer.SOUND: BED},
        ),
    ),
    "layer-list": written(
        "a payload as a list of layers",
        VIDEO,
        shot(0, 48, "A red car.", {Layer.LOOK: LOOK, Layer.SKETCH: ONE_FRAME}),
    ),
    "clock": restarted(
        "a clock packet tells the time at a random access point",
        BOTH,
        shot(0, 48, "A red car drives by."),
        sound(0, 50, SegmentKind.SOUND, data=NOISE),
        shot(60, 108, "A red car stands."),
    ),
    "unknown-control-packet": by_hand(
        "a control packet of a later version is skipped",
        header_bytes(BOTH),
        control_packet(42, b"later") + PLAIN,
        BOTH,
        LOOK_CUE,
    ),
    "unknown-cue-type": by_hand(
        "a cue packet of type 3 is skipped",
        header_bytes(BOTH),
        checked(b"\xc0\x38\x05later") + PLAIN,
        BOTH,
        LOOK_CUE,
    ),
    "unknown-layer": by_hand(
        "a layer of a later version is skipped",
        header_bytes(BOTH),
        cue_packet(CueType.SHOT, True, 48, _LISTED),
        BOTH,
        LOOK_CUE,
    ),
    "unknown-header-fields": _with_fields(),
    "synthesis": written(
        "parameters of synthesis in the header, for both tracks",
        StreamHeader(
            VIDEO.video,
            AUDIO.audio,
            video_synthesis=Synthesis(
                synthesizer="diffusers",
                model="Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
                revision="main",
                seed=7,
                steps=30,
                guidance_percent=500,
                strength_percent=60,
                style="film noir",
                negative="text",
            ),
            audio_synthesis=Synthesis(seed=0),
        ),
        LOOK_CUE,
    ),
    "synthesis-of-a-cue": written(
        "parameters of synthesis that a cue overrides",
        VIDEO,
        replace(LOOK_CUE, synthesis=Synthesis(seed=300, strength_percent=40)),
    ),
    "padded-numbers": by_hand(
        "varints with more groups than they need",
        header_bytes(BOTH),
        checked(_PADDED),
        BOTH,
        LOOK_CUE,
    ),
    "prompts-in-context": written(
        "prompts that are coded after those before, and a second random access point at 20 s",
        VIDEO,
        *(shot(240 * i, 240 * i + 240, _ENGLISH) for i in range(4)),
    ),
    "non-latin-prompt": written("other scripts", VIDEO, shot(0, 48, _OTHER)),
    "empty": written("a header and the end", BOTH),
    "text-coder-0": written(
        "DEFLATE with a dictionary", DEFLATED, shot(0, 48, _ENGLISH), shot(48, 96, _OTHER)
    ),
}
