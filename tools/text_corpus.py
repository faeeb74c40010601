"""The texts that the text model learns from: pieces chosen, epochs shuffled."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from mmcodec.analysis.colour import Light, Palette
from mmcodec.analysis.motion import CameraMotion, SubjectMotion
from mmcodec.analysis.picture import ShotAnalysis
from mmcodec.analysis.sound import SoundAnalysis
from mmcodec.captioning.picture_rules import describe_shot
from mmcodec.captioning.sound_rules import describe_sound
from mmcodec.entropy.pieces import END, SPECIAL, WORD, Pieces
from mmcodec.timeline import SegmentKind

CHARACTERS = [chr(code) for code in range(32, 127)] + list("’‘“”–—…é")
"""Pieces that are always there."""
COLOUR_NAMES = (
    "black", "dark grey", "grey", "light grey", "white", "brown", "dark brown", "beige", "sand",
    "gold", "yellow", "orange", "pink", "red", "dark red", "purple", "lilac", "navy", "blue",
    "sky blue", "slate blue", "teal", "turquoise", "green", "dark green", "light green", "olive",
)  # fmt: skip
KEYS = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")


def choose_pieces(texts: Iterable[str], count: int) -> list[str]:
    """The characters, and the pieces that byte-pair encoding joins first (Sennrich et al., 2016).

    Twice as many are joined as are wanted, and those that a cut uses least are dropped.
    """
    words = Counter(word for text in texts for word in WORD.findall(text))
    pieces = CHARACTERS + _join_pairs(words, 2 * count)
    while len(pieces) + SPECIAL > count:
        cut, used = Pieces(pieces), Counter[int]()
        for word, times in words.items():
            for symbol in cut.cut(word):
                used[symbol] += times
        excess = len(pieces) + SPECIAL - count
        spare = sorted(range(len(CHARACTERS), len(pieces)), key=lambda at: used[SPECIAL + at])[
            : max(1, min(excess, excess // 3 + 8))
        ]
        pieces = [piece for at, piece in enumerate(pieces) if at not in set(spare)]
    return pieces


def _join_pairs(words: Counter[str], count: int) -> list[str]:
    """The ``count`` first joins of byte-pair encoding over ``words``."""
    cuts = {word: list(word) for word in words}
    pairs: Counter[tuple[str, str]] = Counter()
    places: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for word, times in words.items():
        for pair in pairwise(word):
            pairs[pair] += times
            places[pair].add(word)
    joined: list[str] = []
    for _ in range(count):
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        joined.append("".join(best))
        for word in places.pop(best):
            old = cuts[word]
            for pair in pairwise(old):
                pairs[pair] -= words[word]
            cuts[word] = new = _joined(old, best)
            for pair in pairwise(new):
                pairs[pair] += words[word]
                places[pair].add(word)
        del pairs[best]
    return joined


def _joined(parts: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for part in parts:
        if out and (out[-1], part) == pair:
            out[-1] += part
        else:
            out.append(part)
    return out


def rule_sentences(count: int, seed: int) -> list[str]:
    """Distinct sentences of our own captioners, from random analyses."""
    dice = random.Random(seed)
    found: dict[str, None] = {}
    for _ in range(20 * count):
        found[_random_shot(dice) if dice.random() < 0.7 else _random_sound(dice)] = None
        if len(found) == count:
            break
    return list(found)


def _random_shot(dice: random.Random) -> str:
    top, bottom, accent = (dice.choice(COLOUR_NAMES) for _ in range(3))
    moves = dice.random() < 0.6
    return describe_shot(
        ShotAnalysis(
            1.0,
            Light(dice.uniform(5, 85), dice.uniform(5, 40), dice.uniform(-25, 30)),
            Palette((), top, top if dice.random() < 0.2 else bottom, dice.choice((None, accent))),
            CameraMotion(
                moves * dice.gauss(0, 0.15), moves * dice.gauss(0, 0.1), dice.gauss(0, 0.03)
            ),
            SubjectMotion(dice.choice((0.0, dice.uniform(0, 0.4))), dice.random(), dice.random()),
        )
    )


def _random_sound(dice: random.Random) -> str:
    key = f"{dice.choice(KEYS)} {dice.choice(('major', 'minor'))}"
    analysis = SoundAnalysis(
        seconds=dice.uniform(0.3, 6),
        loudness_lufs=dice.uniform(-66, -5),
        peak=1.0,
        pitch_hz=dice.choice((None, dice.uniform(80, 300))),
        tempo_bpm=dice.choice((None, dice.uniform(50, 190), dice.gauss(115, 20))),
        key=dice.choice((None, key)),
        brightness_hz=dice.uniform(100, 4000),
        noisiness=dice.choice((0.001, 0.05, 0.5)),
        stereo_width=dice.uniform(0, 0.3),
    )
    return describe_sound(analysis, dice.choice(list(SegmentKind)))


class Corpus:
    """Lines to train on, a list for each kind of text."""

    def __init__(self, kinds: Sequence[Sequence[str]], seed: int) -> None:
        self._kinds = kinds
        self._dice = random.Random(seed)

    def epoch(self, pieces: Pieces) -> Iterator[tuple[list[int], bool]]:
        """Every line once, in a new order: symbols with :data:`END`, and whether a stream starts.

        Half of the texts start a stream; the others follow a text of their own kind.
        """
        streams = [stream for kind in self._kinds for stream in self._streams(kind)]
        self._dice.shuffle(streams)
        for stream in streams:
            for at, text in enumerate(stream):
                yield [*pieces.cut(text), END], at == 0

    def _streams(self, kind: Sequence[str]) -> Iterator[list[str]]:
        texts = self._texts(kind)
        self._dice.shuffle(texts)
        while texts:
            length = 1
            while self._dice.random() < 0.5:
                length += 1
            yield texts[:length]
            del texts[:length]

    def _texts(self, kind: Sequence[str]) -> list[str]:
        """The lines, a tenth of them joined to paragraphs with those after them in the file."""
        texts, at = [], 0
        while at < len(kind):
            count = self._dice.randint(2, 4) if self._dice.random() < 0.04 else 1
            texts.append(self._varied(_paragraph(kind[at : at + count])))
            at += count
        return texts

    def _varied(self, text: str) -> str:
        """Now and then another way to write the same, so that no way is a surprise."""
        chance = self._dice.random()
        if chance < 0.02:
            return text.lower()
        if chance < 0.04:
            return text[0].upper() + text[1:]
        if chance < 0.06:
            return text.replace("'", "’")
        if chance < 0.062:
            at = self._dice.randrange(len(text))
            return f"{text[:at]}\0{text[at + 1 :]}"
        return text


def _paragraph(lines: Sequence[str]) -> str:
    if len(lines) == 1:
        return lines[0]
    ended = (line if line[-1] in ".?!" else f"{line}." for line in lines)
    return " ".join(line[0].upper() + line[1:] for line in ended)
