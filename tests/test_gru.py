"""The integer network: exact, the same everywhere, close to what it stands for."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmcodec.entropy import gru
from mmcodec.entropy.gru import EXACT, STATE_BITS, Rows
from mmcodec.entropy.pieces import END, ESCAPE, Pieces
from mmcodec.entropy.recall import KEY_BITS
from mmcodec.entropy.text_model import BITS, text_model

SENTENCE = "A man rides a horse on the beach."

DIGEST = """
import hashlib
from mmcodec.entropy.text_model import text_model
network = text_model().network
state, digest = network.start(), hashlib.sha256()
for symbol in range(0, 900, 7):
    state = network.step(state, symbol)
    digest.update(state.tobytes() + network.odds(state).tobytes())
print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def states():
    model, state, states = text_model(), text_model().network.start(), []
    for symbol in [END, *model.pieces.cut(SENTENCE)]:
        state = model.network.step(state, symbol)
        states.append(state)
    return states


def test_every_product_stays_below_what_float32_holds():
    network = text_model().network
    for rows in (network.embedding, network.inputs, network.recurrent, network.output):
        assert np.abs(rows.weights).sum(axis=1).max() * rows.largest < EXACT
        assert np.array_equal(rows.weights, np.rint(rows.weights))
    # The recall multiplies two keys of one state's size.
    assert network.units << (2 * KEY_BITS) < EXACT


def test_weights_that_would_round_are_refused():
    with pytest.raises(ValueError, match="exact"):
        Rows(np.full((1, 1000), 127, np.float32), np.ones(1, np.int64), 0, 1024)


def test_products_are_those_of_integers():
    rows = text_model().network.recurrent
    dice = np.random.default_rng(5)
    for _ in range(20):
        vector = dice.integers(-rows.largest, rows.largest + 1, rows.weights.shape[1])
        exact = rows.weights.astype(np.int64) @ vector * rows.multipliers >> rows.shift
        assert np.array_equal(rows.times(vector.astype(np.float32)), exact)


def test_states_stay_within_one(states):
    for state in states:
        assert state.dtype == np.int64
        assert np.abs(state).max() <= 1 << STATE_BITS


def test_every_symbol_has_an_interval(states):
    model = text_model()
    for state in states:
        bounds = model.predict(state, None).bounds
        assert len(bounds) == len(model.pieces)
        assert bounds[0] == 0
        assert bounds[-1] == 1 << BITS
        assert np.diff(bounds).min() >= 1


@pytest.mark.parametrize("threads", ["1", "2"])
def test_threads_and_their_number_change_nothing(threads):
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, threads)
    command = [sys.executable, "-c", DIGEST]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    network = text_model().network
    state, digest = network.start(), hashlib.sha256()
    for symbol in range(0, 900, 7):
        state = network.step(state, symbol)
        digest.update(state.tobytes() + network.odds(state).tobytes())
    assert done.stdout.strip() == digest.hexdigest()


def test_the_network_expects_what_it_was_trained_on(states):
    model = text_model()
    last = model.predict(states[-1], None)
    assert last.end > 8 * last.rest


def test_pieces_cut_and_join():
    pieces = text_model().pieces
    symbols = pieces.cut(SENTENCE)
    assert "".join(map(pieces.text, symbols)) == SENTENCE
    assert len(symbols) < 0.5 * len(SENTENCE)
    assert pieces.cut("Ω\n") == [ESCAPE, ESCAPE]


def test_the_longest_piece_is_taken():
    pieces = Pieces(["a", "b", "ab", "abc", " "])
    assert [pieces.text(symbol) for symbol in pieces.cut("abab abb")] == [
        "ab",
        "ab",
        " ",
        "ab",
        "b",
    ]
    assert pieces.cut("c") == [ESCAPE]


def test_weights_are_small():
    file = Path(gru.__file__).with_name("text_model.npz")
    assert file.stat().st_size <= 2_000_000
