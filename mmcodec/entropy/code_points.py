"""Characters that the text model does not know: an adaptive code of Unicode code points.

A code point is a block of 128 and a place in it. Texts stay in few blocks, so a block is one of the
last three used or a new one; a place is predicted from the one, the two and none before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from functools import partial

from mmcodec.entropy.range_coder import BitModel, BitPredictor, Decoder, Encoder
from mmcodec.errors import BitstreamError

PLACE_BITS = 7
_RECENT = 3
_SURROGATES = range(0xD800, 0xE000)
_HIGHEST = 0x10FFFF
_MORE = 58_000
"""First probability (1/65536) that a run goes on."""


class _Blend:
    """A bit predicted by several models, from the widest context to the narrowest.

    Each is trusted as far as it has learned; all learn.
    """

    __slots__ = ("_models", "probability")

    def __init__(self, models: tuple[BitModel, ...]) -> None:
        self._models = models
        total, weights = models[0].probability, 1
        for order, model in enumerate(models[1:], 1):
            weight = model.experience * order * 2
            total += weight * model.probability
            weights += weight
        self.probability = total // weights

    def update(self, bit: int) -> None:
        for model in self._models:
            model.update(bit)


class CodePointCoder:
    """Codes runs of one character or more; what one run teaches serves the next."""

    def __init__(self) -> None:
        self._models: defaultdict[Hashable, BitModel] = defaultdict(lambda: BitModel(shift=1))
        self._more = BitModel(_MORE, shift=4)
        self._blocks = [0]
        self._places = (0, 0)

    def encode(self, encoder: Encoder, run: str) -> None:
        """Write the characters of ``run`` and that it ends."""
        for at, character in enumerate(run):
            if at:
                encoder.encode_bit(self._more, 1)
            block, place = divmod(ord(character), 1 << PLACE_BITS)
            self._encode_block(encoder, block)
            _write(encoder, place, partial(self._place_model, block))
            self._places = (self._places[1], place)
        encoder.encode_bit(self._more, 0)

    def decode(self, decoder: Decoder, limit: int) -> str:
        """The next run; BitstreamError where it is over ``limit`` characters or no text."""
        characters: list[str] = []
        while not characters or decoder.decode_bit(self._more):
            block = self._decode_block(decoder)
            place = _read(decoder, partial(self._place_model, block))
            self._places = (self._places[1], place)
            code = (block << PLACE_BITS) + place
            if code > _HIGHEST or code in _SURROGATES or len(characters) >= limit:
                raise BitstreamError("a run of characters in a prompt is damaged")
            characters.append(chr(code))
        return "".join(characters)

    def _encode_block(self, encoder: Encoder, block: int) -> None:
        for step, recent in enumerate(self._blocks):
            encoder.encode_bit(self._rank_model(step), int(block != recent))
            if block == recent:
                break
        else:
            high, low = divmod(block, 1 << PLACE_BITS)
            _write(encoder, high, partial(self._block_model, -1))
            _write(encoder, low, partial(self._block_model, high))
        self._use(block)

    def _decode_block(self, decoder: Decoder) -> int:
        for step, recent in enumerate(self._blocks):
            if not decoder.decode_bit(self._rank_model(step)):
                block = recent
                break
        else:
            high = _read(decoder, partial(self._block_model, -1))
            block = (high << PLACE_BITS) + _read(decoder, partial(self._block_model, high))
        self._use(block)
        return block

    def _use(self, block: int) -> None:
        self._blocks = [block, *(other for other in self._blocks if other != block)][:_RECENT]

    def _rank_model(self, step: int) -> BitModel:
        return self._models["rank", self._blocks[0], step]

    def _block_model(self, high: int, node: int) -> BitModel:
        return self._models["block", high, node]

    def _place_model(self, block: int, node: int) -> _Blend:
        models, (far, near) = self._models, self._places
        return _Blend(
            (models[block, node], models[block, node, near], models[block, node, near, far])
        )


def _write(encoder: Encoder, value: int, model: Callable[[int], BitPredictor]) -> None:
    """Write a number of PLACE_BITS, highest bit first; ``model`` is that of a node in the tree."""
    node = 1
    for shift in reversed(range(PLACE_BITS)):
        bit = (value >> shift) & 1
        encoder.encode_bit(model(node), bit)
        node = 2 * node + bit


def _read(decoder: Decoder, model: Callable[[int], BitPredictor]) -> int:
    node = 1
    for _ in range(PLACE_BITS):
        node = 2 * node + decoder.decode_bit(model(node))
    return node - (1 << PLACE_BITS)
