"""Round the trained text model to integers: ``quantise_text_model.py FLOAT.npz OUT.npz``."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmcodec.entropy.gru import GATE_BITS, INPUT_BITS, SCORE_BITS, SIGMOID_BITS, STATE_BITS

Floats = NDArray[np.float64]
LEVELS, CLIP = 31, 4.0
"""As in the training, which saw the weights rounded in the same way."""
MULTIPLIER_BITS = 16
PROJECTION_BITS = 7
"""Fraction bits of a projected state."""
STEEPEST = 16
"""exp(-16) is the least odds that the table holds."""


def row_steps(matrix: Floats) -> Floats:
    """Grid of each row (rows, 1)."""
    span = np.minimum(
        np.abs(matrix).max(axis=1, keepdims=True),
        CLIP * np.sqrt((matrix**2).mean(axis=1, keepdims=True)),
    )
    steps: Floats = np.maximum(span, 1e-8) / LEVELS
    return steps


def quantised(name: str, matrix: Floats, unit: float) -> dict[str, NDArray[np.generic]]:
    """Arrays of a matrix whose products come out in integers of 1 / ``unit``."""
    steps = row_steps(matrix)
    scales = steps[:, 0] * unit
    shift = MULTIPLIER_BITS - 1 - math.frexp(scales.max())[1]
    return {
        name: np.clip(np.rint(matrix / steps), -LEVELS, LEVELS).astype(np.int8),
        f"{name}_multipliers": np.rint(scales * 2.0**shift).astype(np.uint16),
        f"{name}_shift": np.array(shift),
    }


def tables() -> dict[str, NDArray[np.generic]]:
    """Sigmoid over -8..8 and exponential from 0 down, as integers."""
    sigmoid_at = (np.arange(16 << SIGMOID_BITS) + 0.5) / (1 << SIGMOID_BITS) - 8
    exponential_at = np.arange(STEEPEST << SCORE_BITS) / (1 << SCORE_BITS)
    return {
        "sigmoid": np.rint((1 << STATE_BITS) / (1 + np.exp(-sigmoid_at))).astype(np.uint32),
        "exponential": np.rint((1 << 24) * np.exp(-exponential_at)).astype(np.uint32),
    }


def integer_arrays(floats: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """All that the codec loads."""

    def matrix(name: str) -> Floats:
        return floats[name].astype(np.float64)

    def integers(name: str, bits: int) -> NDArray[np.generic]:
        return np.rint(matrix(name) * (1 << bits)).astype(np.int32)

    # States enter a product with INPUT_BITS, and the embedding's scale is applied to an input
    # after the input's own: see Network._input.
    state = 2.0**-INPUT_BITS
    return {
        "pieces": np.frombuffer("\0".join(map(str, floats["pieces"])).encode(), np.uint8),
        **quantised("embedding", matrix("embedding"), 2.0 ** (SCORE_BITS - PROJECTION_BITS)),
        **quantised("input", matrix("input"), 2.0 ** (GATE_BITS - SCORE_BITS + PROJECTION_BITS)),
        **quantised("recurrent", matrix("recurrent"), state * 2.0**GATE_BITS),
        **quantised("output", matrix("output"), state * 2.0**PROJECTION_BITS),
        "input_bias": integers("input_bias", GATE_BITS),
        "recurrent_bias": integers("recurrent_bias", GATE_BITS),
        "output_bias": integers("output_bias", SCORE_BITS),
        **tables(),
    }


def main() -> None:
    """Read the command line, write the weights, say how large they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("floats", type=Path, help="weights of tools/train_text_model.py")
    parser.add_argument("out", type=Path, help="weights of the codec (.npz)")
    options = parser.parse_args()
    with np.load(options.floats, allow_pickle=False) as arrays:
        floats = {name: arrays[name] for name in arrays.files}
    np.savez_compressed(options.out, **integer_arrays(floats))  # type: ignore[arg-type]
    print(f"{options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
