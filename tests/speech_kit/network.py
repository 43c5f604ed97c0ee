"""A network of two hidden layers, taught by Adam. Plain numpy, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
BATCH = 256
RATES = (2e-3, 2e-3, 1e-3, 1e-3, 5e-4, 2e-4)
"""The step of each round over everything that there is to learn from."""


@dataclass(frozen=True)
class Layer:
    """`weights` has a row for each output."""

    weights: Matrix
    bias: Matrix


def taught(inputs: Matrix, states: npt.NDArray[np.int16], count: int, hidden: int, seed: int = 1) -> list[Layer]:
    """Three layers that tell `count` states from `inputs` as they are: what evens the inputs out is in the first."""
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    even = (inputs - mean) / spread
    chance = np.random.default_rng(seed)
    sizes = (inputs.shape[1], hidden, hidden, count)
    values: list[Matrix] = []
    for fan_in, fan_out in pairwise(sizes):
        scale = np.sqrt(2.0 / fan_in)
        values += [chance.normal(0, scale, (fan_in, fan_out)).astype(np.float32), np.zeros(fan_out, np.float32)]
    first, second = [np.zeros_like(one) for one in values], [np.zeros_like(one) for one in values]
    step = 0
    for rate in RATES:
        for chosen in _batches(chance.permutation(len(even))):
            step += 1
            fix = np.float32(rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step))
            for at, slope in enumerate(_slopes(values, even[chosen], states[chosen])):
                first[at] += 0.1 * (slope - first[at])
                second[at] += 0.001 * (slope * slope - second[at])
                values[at] -= fix * first[at] / (np.sqrt(second[at]) + 1e-8)
    layers = [Layer(np.ascontiguousarray(values[at].T), values[at + 1]) for at in (0, 2, 4)]
    weights = layers[0].weights / spread[None, :]
    layers[0] = Layer(weights.astype(np.float32), (layers[0].bias - weights @ mean).astype(np.float32))
    return layers


def judged(layers: list[Layer], inputs: Matrix) -> Matrix:
    """What the network says of each row, before it is made a likelihood."""
    rows = inputs
    for layer in layers[:-1]:
        rows = np.maximum(rows @ layer.weights.T + layer.bias, 0)
    return rows @ layers[-1].weights.T + layers[-1].bias


def _batches(order: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    for at in range(0, len(order) - BATCH + 1, BATCH):
        yield order[at : at + BATCH]


def _slopes(values: list[Matrix], rows: Matrix, states: npt.NDArray[np.int16]) -> list[Matrix]:
    w1, b1, w2, b2, w3, b3 = values
    one = np.maximum(rows @ w1 + b1, 0)
    two = np.maximum(one @ w2 + b2, 0)
    out = two @ w3 + b3
    out -= out.max(axis=1, keepdims=True)
    np.exp(out, out=out)
    out /= out.sum(axis=1, keepdims=True)
    out[np.arange(len(rows)), states] -= 1
    out /= np.float32(len(rows))
    back_two = (out @ w3.T) * (two > 0)
    back_one = (back_two @ w2.T) * (one > 0)
    return [rows.T @ back_one, back_one.sum(0), one.T @ back_two, back_two.sum(0), two.T @ out, out.sum(0)]
