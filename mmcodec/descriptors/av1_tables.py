"""What the headers of a sketch usually are: the tables of :mod:`~mmcodec.descriptors.av1_compact`.

``av1_headers.npz`` is part of the format; ``tools/train_av1_headers.py`` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmcodec.descriptors.av1_syntax import SEQUENCE_FIELDS

FRAME_HEADER, FRAME = 3, 6
"""Types of open bitstream units."""
GLOBAL = "global_motion"

KEY_LEVEL, LEVELS = 4, 5
HEAD_BITS = 2
"""How many bits of a length, below its highest, are coded with models."""
FIELDS: Mapping[str, int] = {
    **SEQUENCE_FIELDS, "no_end_cdf_update": 1, "error_resilient": 1, "no_cdf_update": 1,
    "screen_content": 1, "size_override": 1, "short_signaling": 1, "render_size": 1,
    "high_precision": 1, "filter_switchable": 1, "filter": 2, "motion_switchable": 1,
    "use_ref_mvs": 1, "uniform_tiles": 1, "more_tiles": 1, "quantiser": 8, "delta_y": 1,
    "delta_y_value": 7, "delta_u": 1, "delta_u_value": 7, "delta_v": 1, "delta_v_value": 7,
    "matrices": 1, "matrix_y": 4, "matrix_uv": 4, "segmentation": 1, "delta_q": 1,
    "delta_q_step": 2, "delta_filter": 1, "deblock0": 6, "deblock1": 6, "deblock2": 6,
    "deblock3": 6, "sharpness": 3, "mode_deltas": 1, "mode_deltas_update": 1, "cdef_damping": 2,
    "cdef_bits": 2, "cdef_y": 6, "cdef_uv": 6, "restore0": 2, "restore1": 2, "restore2": 2,
    "restore_shift": 1, "restore_more": 1, "restore_uv_shift": 1, "tx_select": 1, "compound": 1,
    "skip_mode": 1, "allow_warped": 1, "reduced_tx": 1, GLOBAL: 1,
}  # fmt: skip
"""The coded fields with their bits, in the order of their probabilities in the file."""
DIFFERENCES = {
    "quantiser": "quantiser", "deblock0": "deblock0", "deblock1": "deblock0",
    "deblock2": "deblock2", "deblock3": "deblock2",
}  # fmt: skip
"""Fields that are coded as the difference to one, of this frame or the last of its level."""
PLACES: dict[str, int] = {}
LENGTHS = 0
for _name, _bits in FIELDS.items():
    PLACES[_name], LENGTHS = LENGTHS, LENGTHS + (2 * LEVELS << _bits)
HEADS = LENGTHS + (LEVELS * 16 << 4)
PRIORS = HEADS + (16 << HEAD_BITS)
"""How many probabilities the file has."""


class Step(NamedTuple):
    """A frame of a structure: one that is coded, or one that is shown ``again`` from its slot."""

    again: int
    slot: int
    type: int
    show: int
    hint: int
    primary: int
    refresh: int
    references: tuple[int, ...]

    def known(self) -> dict[str, int]:
        """The header fields that the structure gives."""
        fields = {"type": self.type, "show": self.show, "showable": 1, "hint": self.hint}
        fields |= {"primary": self.primary, "refresh": self.refresh}
        return fields | {f"reference{n}": slot for n, slot in enumerate(self.references)}

    @property
    def unit(self) -> int:
        """The type of its OBU."""
        return FRAME_HEADER if self.again else FRAME

    @property
    def level(self) -> int:
        """Depth in the hierarchy of frames: 0 for those between all others."""
        return min((self.hint & -self.hint).bit_length() - 1, 3) if self.hint else KEY_LEVEL


class Tables(NamedTuple):
    """``priors`` (PRIORS,) in 1/65536; ``structures`` of 1, 2, ... frames."""

    priors: NDArray[np.uint16]
    structures: tuple[tuple[Step, ...], ...]


@lru_cache(maxsize=1)
def tables() -> Tables:
    """Those of the package."""
    with np.load(Path(__file__).with_name("av1_headers.npz"), allow_pickle=False) as file:
        rows = [Step._make((*row[:7], tuple(row[7:]))) for row in file["steps"].tolist()]
        ends = [0, *map(int, file["ends"])]
        return Tables(file["priors"], tuple(tuple(rows[a:b]) for a, b in pairwise(ends)))
