"""The text model's network in floating point, with its gradient: what the codec has in integers.

The recurrence runs in bfloat16 products, for which many processors have matrix units, and its
gradient is written out, which is several times faster than PyTorch's own on a processor.
"""

from __future__ import annotations

from typing import Any

import torch

Tensor = Any
Parameters = dict[str, Tensor]
HIDDEN, EMBEDDING, SYMBOLS = 768, 192, 1024
LEVELS, CLIP = 31, 4.0
"""Weights are integers up to LEVELS times a scale per row, which spans CLIP times the row's root
mean square. The integer network has them so: see quantise_text_model.py."""


def new_parameters(seed: int) -> Parameters:
    """Random weights of one GRU with its input and output tied to one embedding."""
    torch.manual_seed(seed)

    def matrix(rows: int, columns: int, scale: float) -> Tensor:
        return (torch.randn(rows, columns) * scale).requires_grad_()

    recurrent = torch.cat([torch.nn.init.orthogonal_(torch.empty(HIDDEN, HIDDEN)) for _ in "zrn"])
    return {
        "embedding": matrix(SYMBOLS, EMBEDDING, EMBEDDING**-0.5),
        "input": matrix(3 * HIDDEN, EMBEDDING, 1.0),
        "input_bias": torch.zeros(3 * HIDDEN).requires_grad_(),
        "recurrent": recurrent.requires_grad_(),
        "recurrent_bias": torch.zeros(HIDDEN).requires_grad_(),
        "output": matrix(EMBEDDING, HIDDEN, HIDDEN**-0.5),
        "output_bias": torch.zeros(SYMBOLS).requires_grad_(),
    }


def scan(x: Tensor, keep: Tensor, h: Tensor, p: Parameters) -> tuple[Tensor, list[Any]]:
    """States (steps, rows, H) after inputs ``x`` (steps, rows, 3 H), and what the gradient needs.

    ``keep`` (steps, rows, 1) is 0 where a stream starts. Products are in bfloat16, sums in float.
    """
    weights = p["recurrent"].detach().bfloat16().t().contiguous()
    bias, saved = p["recurrent_bias"].detach(), []
    states = torch.empty(len(x), *h.shape)
    for step in range(len(x)):
        h = h * keep[step]
        low = h.bfloat16()
        u = low @ weights
        zr = torch.add(x[step, :, : 2 * HIDDEN], u[:, : 2 * HIDDEN]).float().sigmoid_()
        z, r = zr[:, :HIDDEN], zr[:, HIDDEN:]
        un = u[:, 2 * HIDDEN :] + bias
        n = torch.addcmul(x[step, :, 2 * HIDDEN :], r, un).tanh_()
        saved.append((h, low, z, r, un, n))
        h = torch.lerp(n, h, z, out=states[step])
    return states, saved


def scan_gradient(gradient: Tensor, keep: Tensor, saved: list[Any], p: Parameters) -> Tensor:
    """Gradient of the inputs (steps, rows, 3 H); those of the recurrent weights are set."""
    weights = p["recurrent"].detach().bfloat16()
    steps, rows = len(saved), gradient.shape[1]
    dx = torch.empty(steps, rows, 3 * HIDDEN, dtype=torch.bfloat16)
    du = torch.empty_like(dx)
    dh = torch.zeros(rows, HIDDEN)
    sigmoid, tanh = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward
    for step in reversed(range(steps)):
        h, _, z, r, un, n = saved[step]
        dh += gradient[step]
        dhz = dh * z
        dn = tanh(dh - dhz, n)
        dx[step, :, :HIDDEN] = du[step, :, :HIDDEN] = sigmoid(dh * (h - n), z)
        dx[step, :, HIDDEN : 2 * HIDDEN] = du[step, :, HIDDEN : 2 * HIDDEN] = sigmoid(dn * un, r)
        dx[step, :, 2 * HIDDEN :] = dn
        du[step, :, 2 * HIDDEN :] = dn * r
        dh = dhz.add_(du[step] @ weights).mul_(keep[step])
    low = torch.stack([item[1] for item in saved]).view(-1, HIDDEN)
    flat = du.view(-1, 3 * HIDDEN)
    p["recurrent"].grad = (flat.t() @ low).float()
    p["recurrent_bias"].grad = flat[:, 2 * HIDDEN :].sum(0, dtype=torch.float32)
    return dx


def rounded(p: Parameters) -> Parameters:
    """The parameters as the integer network has them; gradients pass straight through."""
    return {
        name: value + (nearest(value.detach()) - value).detach() if value.dim() == 2 else value
        for name, value in p.items()
    }


def nearest(matrix: Tensor) -> Tensor:
    """``matrix`` on the grid of each row."""
    step = (
        torch.minimum(
            matrix.abs().amax(1, keepdim=True), CLIP * matrix.square().mean(1, keepdim=True).sqrt()
        ).clamp_(min=1e-8)
        / LEVELS
    )
    return (matrix / step).round_().clamp_(-LEVELS, LEVELS) * step


def dropped(values: Tensor, share: float) -> Tensor:
    """``values`` (steps, rows, n) with the same random share of n zeroed at every step."""
    if not share:
        return values
    return values * (torch.rand(values.shape[1:]) > share).to(values.dtype).div(1 - share)


def inputs(symbols: Tensor, p: Parameters, drop: float) -> Tensor:
    """Input side of the gates (steps, rows, 3 H)."""
    rows = torch.nn.functional.embedding(symbols, p["embedding"].bfloat16())
    flat = dropped(rows, drop).flatten(0, 1)
    x = torch.addmm(p["input_bias"].bfloat16(), flat, p["input"].bfloat16().t())
    return x.view(*symbols.shape, -1)


def logits(states: Tensor, p: Parameters, drop: float) -> Tensor:
    """Scores of the next symbol (steps * rows, symbols)."""
    flat = dropped(states.bfloat16(), drop).flatten(0, 1)
    projected = flat @ p["output"].bfloat16().t()
    return (projected @ p["embedding"].bfloat16().t()).float() + p["output_bias"]
