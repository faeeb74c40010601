"""Train the text model: ``python tools/train_text_model.py TEXTS --out FLOAT.npz``.

TEXTS is a folder of ``*.txt`` files, one text a line; those that ``held_out`` names are kept back.
Then ``python tools/quantise_text_model.py FLOAT.npz mmcodec/entropy/text_model.npz``.

PyTorch gets large blocks of memory back sooner where the C library keeps them
(``MALLOC_MMAP_THRESHOLD_`` and ``MALLOC_TRIM_THRESHOLD_`` at several GB): a third faster.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from held_out import held_out, read_lines
from text_corpus import Corpus, choose_pieces, rule_sentences
from text_network import (
    HIDDEN,
    SYMBOLS,
    Parameters,
    Tensor,
    dropped,
    inputs,
    logits,
    new_parameters,
    rounded,
    scan,
    scan_gradient,
)

from mmcodec.entropy.pieces import END, Pieces

ROWS, STEPS = 256, 40
"""Streams side by side in a batch, and pieces of each before the gradient is cut off."""
LEARNING_RATE, WEIGHT_DECAY, WARM_UP = 4e-3, 0.02, 150
DROP_INPUT, DROP_OUTPUT, DROP_WEIGHTS = 0.15, 0.3, 0.2
ROUND_FROM = 0.6
"""The part of the training after which the network sees its weights rounded."""
SAVE_EVERY = 120.0
"""Seconds."""
RULES_HELD_OUT = 200
OFTEN = {"dialogue": 2}
"""How often an epoch has the lines of a kind, if not once: a quarter of dialogue is copies."""


@dataclass(frozen=True)
class Data:
    """Texts to learn and texts to measure, by kind, and the pieces of the former."""

    learned: dict[str, list[str]]
    measured: dict[str, list[str]]
    pieces: list[str]


def read_data(folder: Path, rules: int, seed: int) -> Data:
    """All texts of a folder, and ``rules`` sentences of our own captioners."""
    lines = {file.stem: read_lines(file) for file in sorted(folder.glob("*.txt"))}
    measured = {name: held_out(texts) for name, texts in lines.items()}
    unseen = set().union(*map(set, measured.values()))
    learned = {name: [t for t in texts if t not in unseen] for name, texts in lines.items()}
    sentences = rule_sentences(rules + RULES_HELD_OUT, seed)
    measured["rules"], learned["rules"] = sentences[:RULES_HELD_OUT], sentences[RULES_HELD_OUT:]
    pieces = choose_pieces((text for texts in learned.values() for text in texts), SYMBOLS)
    return Data(learned, measured, pieces)


def batches(corpus: Corpus, pieces: Pieces) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Crops of one epoch: symbols before, symbols to predict (steps, rows), keep flags."""
    symbols, keep = [], []
    for text, starts in corpus.epoch(pieces):
        symbols += text
        keep += [0.0 if starts else 1.0] + [1.0] * (len(text) - 1)
    count = len(symbols) // ROWS // STEPS * STEPS
    target = torch.tensor(symbols[: ROWS * count]).view(ROWS, count).t()
    flags = torch.tensor(keep[: ROWS * count]).view(ROWS, count).t()
    before = torch.cat([torch.full((1, ROWS), END), target[:-1]])
    flags[0] = 0.0
    for at in range(0, count, STEPS):
        crop = slice(at, at + STEPS)
        yield before[crop], target[crop], flags[crop, :, None].contiguous()


def bits_per_character(texts: Sequence[str], pieces: Pieces, p: Parameters) -> float:
    """Cost of texts coded alone, before rounding up to bytes."""
    cuts = sorted(([*pieces.cut(text), END] for text in texts), key=len)
    bits = 0.0
    with torch.no_grad():
        for at in range(0, len(cuts), 64):
            part = cuts[at : at + 64]
            target = torch.full((len(part[-1]), len(part)), -100)
            for row, cut in enumerate(part):
                target[: len(cut), row] = torch.tensor(cut)
            before = torch.cat([torch.full((1, len(part)), END), target[:-1].clamp(min=0)])
            keep = torch.ones(*target.shape, 1)
            states, _ = scan(inputs(before, p, 0.0), keep, torch.zeros(len(part), HIDDEN), p)
            scores = logits(states, p, 0.0)
            bits += float(
                torch.nn.functional.cross_entropy(scores, target.flatten(), reduction="sum")
            )
    return bits / math.log(2) / sum(map(len, texts))


def save(file: Path, pieces: Sequence[str], p: Parameters) -> None:
    """Write the weights in floating point."""
    arrays = {name: value.detach().numpy() for name, value in p.items()}
    np.savez(file, pieces=np.array(pieces), **arrays)


def update(
    batch: tuple[Tensor, Tensor, Tensor], state: Tensor, p: Parameters, round_weights: bool
) -> tuple[Tensor, float]:
    """Set the gradients for a batch; the state after it and the loss in nats a piece."""
    before, target, keep = batch
    seen = rounded(p) if round_weights else p
    mask = dropped(torch.ones(1, 3 * HIDDEN, HIDDEN), DROP_WEIGHTS)[0]
    masked = {**p, "recurrent": seen["recurrent"].detach() * mask}
    x = inputs(before, seen, DROP_INPUT)
    with torch.no_grad():
        states, kept = scan(x.detach(), keep, state, masked)
    leaf = states.requires_grad_()
    loss = torch.nn.functional.cross_entropy(logits(leaf, seen, DROP_OUTPUT), target.flatten())
    loss.backward()
    with torch.no_grad():
        dx = scan_gradient(leaf.grad, keep, kept, masked)
        p["recurrent"].grad = masked["recurrent"].grad * mask
    x.backward(dx)
    return states[-1].detach(), float(loss.detach())


def report(data: Data, pieces: Pieces, p: Parameters) -> str:
    """Bits per character of some held-out texts of each kind."""
    return ", ".join(
        f"{name} {bits_per_character(texts[:150], pieces, p):.3f}"
        for name, texts in data.measured.items()
    )


def train(data: Data, out: Path, total: int, seed: int) -> None:
    """Train for ``total`` updates, over which the learning rate falls to zero."""
    pieces, p = Pieces(data.pieces), new_parameters(seed)
    corpus = Corpus([lines * OFTEN.get(kind, 1) for kind, lines in data.learned.items()], seed)
    optimiser = torch.optim.AdamW(
        p.values(), lr=LEARNING_RATE, betas=(0.9, 0.99), weight_decay=WEIGHT_DECAY
    )
    saved_at, updates = time.time(), 0
    while updates < total:
        state = torch.zeros(ROWS, HIDDEN)
        for batch in batches(corpus, pieces):
            done = updates / total
            rate = LEARNING_RATE * min(1.0, (updates + 1) / WARM_UP)
            for group in optimiser.param_groups:
                group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * done))
            optimiser.zero_grad()
            state, loss = update(batch, state, p, done > ROUND_FROM)
            torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
            optimiser.step()
            updates += 1
            if updates == total:
                break
            if time.time() - saved_at > SAVE_EVERY:
                save(out, data.pieces, p)
                saved_at = time.time()
                print(f"  {updates} updates, {loss / math.log(2):.3f} bit/piece", flush=True)
        seen = rounded(p) if done > ROUND_FROM else p
        print(f"{updates} updates: {report(data, pieces, seen)}", flush=True)
    save(out, data.pieces, p)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path, help="folder of *.txt files, one text a line")
    parser.add_argument("--out", type=Path, required=True, help="weights in float (.npz)")
    parser.add_argument("--updates", type=int, default=5000, help="steps of the training")
    parser.add_argument("--rules", type=int, default=4000, help="sentences of our captioners")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = read_data(options.texts, options.rules, options.seed)
    train(data, options.out, options.updates, options.seed)


if __name__ == "__main__":
    main()
