"""Other codecs of speech, for :mod:`bench_speech`: codec2, Opus, and neural ones that are here."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import av
import librosa
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Peer = Callable[[Samples], tuple[Samples, float]]
"""Speech at 16 kHz (n,) to what is decoded of it, aligned, and the bytes that were sent."""

RATE = 16_000
_CODEC2_RATE, _CODEC2_MODES = 8_000, (450, 700, 1200, 2400, 3200)
_OPUS_RATE, _OPUS_BIT_RATE = 48_000, 6_000
_NEURAL = {"EnCodec": "facebook/encodec_24khz", "Mimi": "kyutai/mimi"}
_LATEST_S = 0.12
"""A codec's delay is at most this long."""


def peers() -> Iterator[tuple[str, Peer | None, str]]:
    """Name, codec, and why there is none of it if that is None."""
    for mode in _CODEC2_MODES:
        yield f"codec2 {mode}", *_codec2(mode)
    yield "Opus 6k", _opus, ""
    for name, model in _NEURAL.items():
        yield name, *_neural(model)


def _codec2(mode: int) -> tuple[Peer | None, str]:
    if find_spec("pycodec2") is None:
        return None, "pycodec2 is not installed"
    import pycodec2

    try:
        pycodec2.Codec2(mode)
    except (KeyError, ValueError):
        return None, "pycodec2 does not have it"

    def run(samples: Samples) -> tuple[Samples, float]:
        codec = pycodec2.Codec2(mode)
        size = codec.samples_per_frame()
        narrow = librosa.resample(samples, orig_sr=RATE, target_sr=_CODEC2_RATE)
        pcm = (np.clip(narrow, -1, 1) * 32767).astype(np.int16)
        pcm = np.pad(pcm, (0, -len(pcm) % size))
        frames = [
            codec.decode(codec.encode(pcm[at : at + size])) for at in range(0, len(pcm), size)
        ]
        made = np.concatenate(frames).astype(np.float32) / 32768
        made = librosa.resample(made, orig_sr=_CODEC2_RATE, target_sr=RATE)
        return aligned(np.asarray(made, np.float32), samples), len(
            frames
        ) * codec.bits_per_frame() / 8

    return run, ""


def _opus(samples: Samples) -> tuple[Samples, float]:
    """A whole Ogg file."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as out:
        stream = out.add_stream("libopus", rate=_OPUS_RATE, layout="mono")
        stream.bit_rate = _OPUS_BIT_RATE
        wide = librosa.resample(samples, orig_sr=RATE, target_sr=_OPUS_RATE)
        frame = av.AudioFrame.from_ndarray(wide[None].astype(np.float32), "flt", "mono")
        frame.sample_rate = _OPUS_RATE
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    size = file.tell()
    file.seek(0)
    with av.open(file, "r") as back:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
        parts = [
            part.to_ndarray()[0]
            for frame in back.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    return aligned(np.concatenate(parts), samples), size


def _neural(model: str) -> tuple[Peer | None, str]:
    """EnCodec or Mimi at its lowest rate."""
    if find_spec("transformers") is None:
        return None, "transformers is not installed"
    from mmcodec.models.cache import is_cached

    if not is_cached(model):
        return None, f"the weights of {model} are not here"
    from transformers import AutoFeatureExtractor, AutoModel

    weights: Any = AutoModel.from_pretrained(model, local_files_only=True).eval()
    rate = int(AutoFeatureExtractor.from_pretrained(model, local_files_only=True).sampling_rate)

    def run(samples: Samples) -> tuple[Samples, float]:
        import torch

        wave = torch.from_numpy(librosa.resample(samples, orig_sr=RATE, target_sr=rate))
        with torch.inference_mode():
            sent = weights.encode(wave[None, None])
            made = weights.decode(sent.audio_codes, getattr(sent, "audio_scales", None))
        bits = sent.audio_codes.numel() * math.log2(weights.config.codebook_size)
        heard = made.audio_values.reshape(-1).numpy()
        heard = librosa.resample(heard, orig_sr=rate, target_sr=RATE)
        return aligned(heard, samples), bits / 8

    return run, ""


def aligned(made: Samples, original: Samples) -> Samples:
    """``made`` (m,) without the delay of its codec, as long as ``original`` (n,)."""
    smooth = np.hanning(161) / 80
    count = min(len(made), len(original))
    a, b = (np.convolve(np.abs(x[:count]), smooth, "same") for x in (original, made))
    size = 2 * count
    product = np.fft.rfft(b - b.mean(), size) * np.conj(np.fft.rfft(a - a.mean(), size))
    likeness = np.fft.irfft(product, size)
    late = int(likeness[: round(_LATEST_S * RATE)].argmax())
    made = made[late:]
    return np.pad(made[: len(original)], (0, max(len(original) - len(made), 0)))
