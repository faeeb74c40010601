"""Sequence and frame headers of AV1 (specification, 5.5 and 5.9), one description for two ways.

A walk goes through the syntax in its order and asks ``field(name, bits)`` for each value, so the
same walk reads a header (values come from its bits) and writes one (they are given, and the bits
are written). Only the syntax that sketches use is described; all else is an
:class:`UnusualHeaderError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Field = Callable[[str, int], int]

KEY, INTER = 0, 1
REFERENCES = 7
SLOTS = 8
GLOBAL_MOTION_BITS = REFERENCES
"""A bit a reference: whether the picture moves as a whole; their parameters are not described."""
_HINT_BITS = 7
_SUPERBLOCK = 64
_SEQUENCE = (
    ("profile", 3), ("still_picture", 1), ("reduced_header", 1), ("timing", 1), ("delay", 1),
    ("points", 5), ("point", 12), ("level", 5),
)  # fmt: skip
_TOOLS = (
    ("frame_ids", 1), ("superblock_128", 1), ("filter_intra", 1), ("intra_edge", 1),
    ("interintra", 1), ("masked", 1), ("warped", 1), ("dual_filter", 1), ("order_hint", 1),
    ("jnt_comp", 1), ("ref_mvs", 1), ("choose_screen", 1), ("choose_integer", 1),
    ("hint_bits", 3), ("superres", 1), ("cdef", 1), ("restoration", 1), ("high_depth", 1),
    ("monochrome", 1), ("colour", 1), ("range", 1), ("chroma_place", 2), ("separate_uv", 1),
    ("grain", 1),
)  # fmt: skip
SEQUENCE_FIELDS = dict((*_SEQUENCE, ("width_bits", 4), ("height_bits", 4), *_TOOLS))
"""The fields of a sequence header but the sides, with their bits."""
_EXPECTED = {
    "order_hint": 1, "ref_mvs": 1, "choose_screen": 1, "choose_integer": 1, "warped": 1,
    "hint_bits": _HINT_BITS - 1,
}  # fmt: skip
"""What the frame headers below rely on; of the rest, what is not free has to be 0."""
_FREE = frozenset(
    ("filter_intra", "intra_edge", "interintra", "masked", "dual_filter", "jnt_comp", "cdef",
     "restoration", "range", "chroma_place")
)  # fmt: skip


class UnusualHeaderError(Exception):
    """A header uses syntax that is not described here."""


@dataclass(frozen=True, slots=True)
class SequenceHeader:
    """What frame headers depend on."""

    width: int
    height: int
    cdef: bool
    restoration: bool


@dataclass(slots=True)
class Slots:
    """Order hints of the frames that are kept for reference."""

    hints: list[int] = field(default_factory=lambda: [0] * SLOTS)


def walk_sequence(field: Field) -> SequenceHeader:
    """Walk a sequence header up to its trailing bits."""
    for name, bits in _SEQUENCE:
        _expect(name, field(name, bits))
    width_bits, height_bits = field("width_bits", 4) + 1, field("height_bits", 4) + 1
    width, height = field("width", width_bits) + 1, field("height", height_bits) + 1
    tools = {name: field(name, bits) for name, bits in _TOOLS}
    for name, value in tools.items():
        _expect(name, value)
    return SequenceHeader(width, height, bool(tools["cdef"]), bool(tools["restoration"]))


def walk_frame(field: Field, sequence: SequenceHeader, slots: Slots) -> int:
    """Walk a frame header up to the global motion of an inter frame, or the end of another; the
    frame's type. ``slots`` is updated.
    """
    kind, show = field("type", 2), field("show", 1)
    if kind not in (KEY, INTER) or (kind == KEY and not show):
        raise UnusualHeaderError
    if not show:
        field("showable", 1)
    if kind == INTER:
        _zero(field, "error_resilient")
    for name in ("no_cdf_update", "screen_content", "size_override"):
        _zero(field, name)
    hint, refresh, references = field("hint", _HINT_BITS), (1 << SLOTS) - 1, []
    if kind == INTER:
        field("primary", 3)
        refresh = field("refresh", SLOTS)
        _zero(field, "short_signaling")
        references = [field(f"reference{n}", 3) for n in range(REFERENCES)]
    _zero(field, "render_size")
    if kind == INTER:
        field("high_precision", 1)
        if not field("filter_switchable", 1):
            field("filter", 2)
        field("motion_switchable", 1)
        field("use_ref_mvs", 1)
    field("no_end_cdf_update", 1)
    _walk_tiles(field, sequence)
    _walk_quantiser(field)
    _walk_filters(field, sequence)
    field("tx_select", 1)
    if kind == INTER:
        compound = field("compound", 1)
        if compound and _skip_mode_allowed(slots, hint, references):
            field("skip_mode", 1)
        field("allow_warped", 1)
    field("reduced_tx", 1)
    slots.hints = [hint if refresh >> n & 1 else old for n, old in enumerate(slots.hints)]
    return kind


def _walk_tiles(field: Field, sequence: SequenceHeader) -> None:
    if not field("uniform_tiles", 1):
        raise UnusualHeaderError
    for side in (sequence.width, sequence.height):
        if side > _SUPERBLOCK:
            _zero(field, "more_tiles")


def _walk_quantiser(field: Field) -> None:
    quantiser = field("quantiser", 8)
    for name in ("delta_y", "delta_u", "delta_v"):
        if field(name, 1):
            field(f"{name}_value", 7)
    if field("matrices", 1):
        field("matrix_y", 4)
        field("matrix_uv", 4)
    _zero(field, "segmentation")
    if not quantiser:
        raise UnusualHeaderError
    if field("delta_q", 1):
        field("delta_q_step", 2)
        _zero(field, "delta_filter")


def _walk_filters(field: Field, sequence: SequenceHeader) -> None:
    levels = field("deblock0", 6), field("deblock1", 6)
    if any(levels):
        field("deblock2", 6)
        field("deblock3", 6)
    field("sharpness", 3)
    if field("mode_deltas", 1):
        _zero(field, "mode_deltas_update")
    if sequence.cdef:
        field("cdef_damping", 2)
        for _ in range(1 << field("cdef_bits", 2)):
            field("cdef_y", 6)
            field("cdef_uv", 6)
    if sequence.restoration:
        kinds = [field(f"restore{plane}", 2) for plane in range(3)]
        if any(kinds) and field("restore_shift", 1):
            field("restore_more", 1)
        if any(kinds[1:]):
            field("restore_uv_shift", 1)


def _skip_mode_allowed(slots: Slots, hint: int, references: Sequence[int]) -> bool:
    """Whether two references lie around the frame, or two before it (specification, 5.9.22)."""
    distances = [_distance(slots.hints[slot], hint) for slot in references]
    before = {distance for distance in distances if distance < 0}
    after = any(distance > 0 for distance in distances)
    return bool(before) and (after or len(before) > 1)


def _distance(a: int, b: int) -> int:
    """``get_relative_dist`` (specification, 5.9.3)."""
    half = 1 << (_HINT_BITS - 1)
    return ((a - b) & (half - 1)) - ((a - b) & half)


def _expect(name: str, value: int) -> None:
    if name not in _FREE and value != _EXPECTED.get(name, 0):
        raise UnusualHeaderError


def _zero(field: Field, name: str) -> None:
    if field(name, 1):
        raise UnusualHeaderError
