"""How close decoded sound is to its original; samples are mono (n,), the times of both agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_USUAL_RMS = 0.05
_FLOOR = 1e-3
_CEPSTRA = 13
_LEAST_DB = -80.0
_ONSET_S = 0.05


def mel_cepstral_distance(original: Samples, decoded: Samples, sample_rate: int) -> float:
    """Mel-cepstral distance in dB (R. Kubichek, 1993) of speech, aligned by dynamic time warping.

    Of 13 cepstra of 40 bands every 10 ms, without that of the level. Published figures differ in
    such details: compare those of one tool only.
    """
    from librosa.sequence import dtw

    a, b = (_cepstra(samples, sample_rate) for samples in (original, decoded))
    _, path = dtw(a, b, metric="euclidean")
    distances = np.linalg.norm(a[:, path[:, 0]] - b[:, path[:, 1]], axis=0)
    return float(10 / np.log(10) * np.sqrt(2) * distances.mean())


def log_mel_distance(original: Samples, decoded: Samples, sample_rate: int) -> float:
    """Mean distance in dB of bands every 20 ms, above 80 dB below the original's loudest."""
    import librosa

    pictures = []
    for samples in (original, decoded):
        bands = librosa.feature.melspectrogram(
            y=samples, sr=sample_rate, hop_length=sample_rate // 50, n_mels=40, fmax=8000
        )
        pictures.append(librosa.power_to_db(bands, amin=1e-12, top_db=None))
    floor = pictures[0].max() + _LEAST_DB
    count = min(picture.shape[1] for picture in pictures)
    a, b = (np.maximum(picture[:, :count], floor) for picture in pictures)
    return float(np.abs(a - b).mean())


def chroma_similarity(original: Samples, decoded: Samples, sample_rate: int) -> float:
    """Cosine of the strengths of the twelve semitones, mean over time: 1 for the same harmony."""
    import librosa

    a, b = (librosa.feature.chroma_stft(y=s, sr=sample_rate) for s in (original, decoded))
    count = min(a.shape[1], b.shape[1])
    a, b = a[:, :count], b[:, :count]
    lengths = np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
    heard = lengths > 0
    return float(((a * b).sum(axis=0)[heard] / lengths[heard]).mean()) if heard.any() else 0.0


def onset_f(original: Samples, decoded: Samples, sample_rate: int) -> float | None:
    """F measure of the onsets of ``decoded``, right within 50 ms; None where there are none."""
    import librosa

    wanted, found = (
        librosa.onset.onset_detect(y=samples, sr=sample_rate, units="time")
        for samples in (original, decoded)
    )
    if not len(wanted):
        return None
    matched, free = 0, list(found)
    for moment in wanted:
        near = [other for other in free if abs(other - moment) <= _ONSET_S]
        if near:
            free.remove(near[0])
            matched += 1
    return 2 * matched / (len(wanted) + len(found))


def _cepstra(samples: Samples, sample_rate: int) -> NDArray[np.floating]:
    """Mel cepstra 1 to 13 (13, frames) in nepers of amplitude."""
    import librosa

    loud = samples * np.float32(_USUAL_RMS / (np.sqrt(np.mean(np.square(samples))) + 1e-9))
    bands = librosa.feature.melspectrogram(
        y=loud,
        sr=sample_rate,
        n_fft=sample_rate * 4 // 125,
        hop_length=sample_rate // 100,
        n_mels=40,
        power=1.0,
    )
    logs = np.log(np.maximum(bands, _FLOOR))
    rows = librosa.feature.mfcc(S=logs, n_mfcc=_CEPSTRA + 1, norm="ortho")
    return np.asarray(rows[1:] / np.sqrt(20))
