"""Measure speech: words and a voice, the vocoder, and other codecs, side by side.

Bytes are those of whole files, ours with header and prompts; of codec2 and the neural codecs, which
have no file, those of the frames alone. What is said is taken from a text file beside the sound
(talk.wav, talk.txt), or from a table (--transcripts, columns file and transcript; a remark in
parentheses is none); without it there are no word errors and no tiers of words. Word errors are
those of PocketSphinx, which makes many itself: compare with those that it makes of the original.

    python tools/bench_speech.py talks/ --transcripts talks/manifest.csv --json
"""

from __future__ import annotations

import argparse
import csv
import math
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from bench_media import SOUNDS, files, show, sound_of
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from speech_peers import RATE, peers

import mmcodec
from mmcodec.analysis.voice import along
from mmcodec.analysis.world import analyse, synthesize
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.bitstream.writer import StreamWriter
from mmcodec.captioning.sphinx_process import decoded
from mmcodec.descriptors import voice
from mmcodec.descriptors.voice import Tier
from mmcodec.evaluation.hearing import mel_cepstral_distance
from mmcodec.synthesis.offline_audio import OfflineAudio
from mmcodec.synthesis.spoken import speak
from mmcodec.synthesis.voice_matching import describe
from mmcodec.timeline import AudioTrack, Cue, Layer, Prompt, Segment, SegmentKind

VOCODER_RATES = (350, 500, 700, 1200, 2400, 3000)
_PEAK = 0.7
_STCTS = "STCTS's layers, our voice"
Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Score:
    """One sound through one codec; None where it could not be measured."""

    bytes: float
    stoi: float
    estoi: float
    pesq: float | None
    mcd: float
    errors: int | None
    """Words that are wrong, missing or too many, of :attr:`Speech.words`."""


@dataclass(frozen=True)
class Row:
    """A codec's means over all sounds; ``why_missing`` says why there are none.

    ``wer_added`` is how much more than of the originals PocketSphinx gets wrong.
    """

    codec: str
    bit_rate: float | None = None
    stoi: float | None = None
    estoi: float | None = None
    pesq: float | None = None
    mcd: float | None = None
    wer: float | None = None
    wer_added: float | None = None
    sounds: int = 0
    why_missing: str = ""


@dataclass(frozen=True)
class Speech:
    """A sound at 16 kHz and what is said in it, if that is known."""

    path: Path
    samples: Samples
    text: str | None

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / RATE

    @property
    def words(self) -> int:
        """Words in the text."""
        return len(plain(self.text or "").split())


def speech_of(path: Path, transcripts: dict[str, str]) -> Speech:
    """A file as speech, its loudest sample at 0.7."""
    samples = sound_of(path, RATE).mean(axis=0)
    samples = samples * np.float32(_PEAK / max(float(np.abs(samples).max(initial=0)), 1e-6))
    beside = path.with_suffix(".txt")
    text = beside.read_text(encoding="utf-8") if beside.is_file() else None
    text = text or transcripts.get(path.name, "")
    return Speech(path, samples, None if text.startswith("(") else text or None)


def score(speech: Speech, made: Samples, size: float) -> Score:
    """Compare ``made`` with what was said."""
    from pystoi import stoi

    heard = None
    if speech.text and find_spec("jiwer") and find_spec("pocketsphinx"):
        import jiwer

        found = " ".join(word for word, *_ in decoded(np.clip(made, -1, 1).astype(np.float64)))
        heard = round(jiwer.wer(plain(speech.text), plain(found) or " ") * speech.words)
    return Score(
        size,
        float(stoi(speech.samples, made, RATE)),
        float(stoi(speech.samples, made, RATE, extended=True)),
        pesq_of(speech.samples, made),
        mel_cepstral_distance(speech.samples, made, RATE),
        heard,
    )


def pesq_of(original: Samples, made: Samples) -> float | None:
    """Wideband PESQ (ITU-T P.862.2), where its package is installed and finds speech."""
    if find_spec("pesq") is None:
        return None
    from pesq import PesqError, pesq

    try:
        return float(pesq(RATE, original, made, "wb"))
    except PesqError:
        return None


def plain(text: str) -> str:
    """Words in small letters, as recognisers write them."""
    return " ".join(re.sub(r"[^a-z' ]", " ", text.lower().replace("’", "'")).split())


def by_tier(speech: Speech, tier: Tier | None) -> tuple[Samples, float]:
    """Through a stream of one cue: words, and a voice of this tier or none."""
    ticks = -(-len(speech.samples) * 50 // RATE)
    said = Prompt(" ".join((speech.text or "").split()))
    layers = {}
    if tier is None:
        said = Prompt(f"“{said.text}”")
    else:
        described = describe(speech.samples, RATE, said.text, None, None, tier)
        layers[Layer.VOICE] = described.data
    cue = Cue(Segment(0, ticks, SegmentKind.SPEECH), said, layers)
    with tempfile.TemporaryFile() as file:
        writer = StreamWriter(file, StreamHeader(None, AudioTrack(RATE, 1)), single=True)
        writer.write(cue)
        writer.close()
        size = file.tell()
    made = OfflineAudio().render(cue, AudioTrack(RATE, 1), len(speech.samples))
    return made[:, 0], size


def by_stcts(speech: Speech) -> tuple[Samples, float]:
    """What STCTS (arXiv 2512.00451) sends, read by our engine: its own needs weights.

    Brotli's text, pitch (6 bits) and energy (5) once a second, and mean timbre; no times of words.
    Its 384 bytes of timbre, sent once a call, are not counted, nor any framing.
    """
    import brotli

    said = " ".join((speech.text or "").split())
    full = voice.decode(
        describe(speech.samples, RATE, said, None, None, Tier.E).data, said, speech.seconds
    )
    if full is None:
        raise ValueError("a voice was described, and there is none")
    count = max(round(speech.seconds), 1)
    pitch, level = (tuple(along(np.array(one), count)) for one in (full.pitch, full.level))
    sparse = replace(full, words=(), middles=(), pitch=pitch, level=level)
    made = speak(said, sparse, (), speech.seconds, RATE, len(speech.samples))
    prosody = sum(math.ceil(count * bits / 8) for bits in (6, 5))
    return made, len(brotli.compress(said.encode(), quality=5)) + prosody


def by_vocoder(speech: Speech, bit_rate: int) -> tuple[Samples, float]:
    """Through encode and decode."""
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        source, stream, target = (Path(folder, name) for name in ("a.wav", "a.mmc", "b.wav"))
        soundfile.write(source, speech.samples, RATE)
        settings = mmcodec.EncodeSettings(speech=mmcodec.Speech.VOCODER, sound_bit_rate=bit_rate)
        mmcodec.encode(source, stream, settings)
        mmcodec.decode(stream, target)
        made = sound_of(target, RATE)[0]
        size = stream.stat().st_size
    return np.pad(made, (0, max(len(speech.samples) - len(made), 0)))[: len(speech.samples)], size


def bench(speeches: list[Speech]) -> Iterator[Row]:
    """The rows, best known first: the original, what WORLD loses, ours, the others."""
    original = [score(one, one.samples, 0) for one in speeches]
    yield row("original", speeches, original, original)
    world = [
        score(one, synthesize(analyse(one.samples, RATE), RATE, len(one.samples)), 0)
        for one in speeches
    ]
    yield row("WORLD, nothing quantised", speeches, world, original)
    told = [one for one in speeches if one.text and one.seconds <= voice.MAX_SECONDS]
    firsts = [first for one, first in zip(speeches, original, strict=True) if one in told]
    for tier in (None, *Tier):
        name = f"mmcodec text, tier {tier.name if tier is not None else 'A'}"
        scores = [score(one, *by_tier(one, tier)) for one in told]
        yield row(name, told, scores, firsts)
    if find_spec("brotli") is None:
        yield Row(_STCTS, why_missing="brotli is not installed")
    else:
        yield row(_STCTS, told, [score(one, *by_stcts(one)) for one in told], firsts)
    for rate in VOCODER_RATES:
        scores = [score(one, *by_vocoder(one, rate)) for one in speeches]
        yield row(f"mmcodec vocoder {rate}", speeches, scores, original)
    for name, peer, why in peers():
        if peer is None:
            yield Row(name, why_missing=why)
        else:
            yield row(
                name, speeches, [score(one, *peer(one.samples)) for one in speeches], original
            )


def row(codec: str, speeches: list[Speech], scores: list[Score], originals: list[Score]) -> Row:
    """Means over sounds; bit rates and word errors over all of them as one."""
    if not scores:
        return Row(codec, why_missing="there is no transcript")
    seconds = sum(one.seconds for one in speeches)
    wer, wer_original = (word_errors(speeches, given) for given in (scores, originals))
    known = [one.pesq for one in scores if one.pesq is not None]
    return Row(
        codec,
        8 * sum(one.bytes for one in scores) / seconds if scores[0].bytes else None,
        float(np.mean([one.stoi for one in scores])),
        float(np.mean([one.estoi for one in scores])),
        float(np.mean(known)) if known else None,
        float(np.mean([one.mcd for one in scores])),
        wer,
        wer - wer_original if wer is not None and wer_original is not None else None,
        len(scores),
    )


def word_errors(speeches: list[Speech], scores: list[Score]) -> float | None:
    """Errors a word, over the sounds whose text is known."""
    pairs = [(s.words, one.errors) for s, one in zip(speeches, scores, strict=True)]
    known = [(words, errors) for words, errors in pairs if errors is not None]
    return sum(e for _, e in known) / sum(w for w, _ in known) if known else None


def table(rows: list[Row]) -> Table:
    """The rows for people."""
    made = Table("codec", "bit/s", "STOI", "ESTOI", "PESQ", "MCD", "WER", "added")
    for one in rows:
        numbers = (one.bit_rate, one.stoi, one.estoi, one.pesq, one.mcd, one.wer, one.wer_added)
        formats = ("{:.0f}", "{:.3f}", "{:.3f}", "{:.2f}", "{:.2f}", "{:.2f}", "{:+.2f}")
        shown = [
            f.format(n) if n is not None else "-" for f, n in zip(formats, numbers, strict=True)
        ]
        made.add_row(one.codec, *shown)
    missing = [f"{one.codec}: {one.why_missing}" for one in rows if one.why_missing]
    made.caption = "\n".join(missing)
    return made


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+", type=Path, metavar="PATH", help="sounds or folders")
    parser.add_argument("--transcripts", type=Path, metavar="CSV", help="columns file, transcript")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    given = parser.parse_args()
    transcripts = {}
    if given.transcripts:
        with given.transcripts.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        transcripts = {Path(line["file"]).name: line["transcript"] for line in lines}
    speeches = [speech_of(path, transcripts) for path in files(given.places, SOUNDS)]
    if not speeches:
        sys.exit("bench_speech: no sounds there")
    steps = track(bench(speeches), "measuring", console=Console(stderr=True), transient=True)
    rows = list(steps)
    show(rows, given.json, table)


if __name__ == "__main__":
    main()
