"""Text cut into pieces: the symbols that the text model predicts.

A piece is a run of letters with or without the space before it, or one other character. The
longest piece that fits is taken, from the left, within each word, so the cut needs nothing but
the list of pieces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

END = 0
"""Symbol that ends a text."""
ESCAPE = 1
"""Symbol in place of a run of characters that are coded outside the model."""
SPECIAL = 2
"""Symbols before the first piece."""

WORD = re.compile(r" ?[A-Za-z]+|'[a-z]+|.", re.DOTALL)
"""What a piece may not reach across."""


class Pieces:
    """The list of pieces, and the cut of text into it. Symbol ``SPECIAL + i`` is ``pieces[i]``."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._pieces = tuple(pieces)
        self._symbols = {piece: SPECIAL + at for at, piece in enumerate(self._pieces)}
        self._longest = max(map(len, self._pieces), default=1)
        self._cuts: dict[str, tuple[int, ...]] = {}

    def __len__(self) -> int:
        """Number of symbols, those that are no pieces included."""
        return SPECIAL + len(self._pieces)

    def __contains__(self, character: str) -> bool:
        return character in self._symbols

    def text(self, symbol: int) -> str:
        """The characters of one symbol that is a piece."""
        return self._pieces[symbol - SPECIAL]

    def cut(self, text: str) -> list[int]:
        """Symbols of ``text``; a character that is no piece becomes :data:`ESCAPE`."""
        symbols: list[int] = []
        for word in WORD.findall(text):
            symbols += self._cuts.get(word) or self._cut_word(word)
        return symbols

    def _cut_word(self, word: str) -> tuple[int, ...]:
        symbols, at = [], 0
        while at < len(word):
            for end in range(min(len(word), at + self._longest), at, -1):
                symbol = self._symbols.get(word[at:end])
                if symbol is not None:
                    break
            symbols.append(ESCAPE if symbol is None else symbol)
            at = end
        if len(self._cuts) < 100_000:
            self._cuts[word] = tuple(symbols)
        return tuple(symbols)
