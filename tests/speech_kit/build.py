"""Makes the tiny model: `python -m tests.speech_kit.build FOLDER TOOLS`, in about half a minute on two cores.

`scripts/toolchain/speech.py` calls it once and keeps what it made.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: the processes share the cores themselves

import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.speech_kit import kaldi
from tests.speech_kit.corpus import Shown, Task, lexicon, sentences
from tests.speech_kit.espeak import environment
from tests.speech_kit.features import spliced
from tests.speech_kit.network import judged, taught

HIDDEN = 64
TASKS = 16
EVERY = 2  # of the frames, one in so many is learnt from: neighbours say the same


def build(folder: Path, tools: Path) -> float:
    """The model in an empty folder; the share of frames (of sentences not learnt from) that the network takes for
    another state than it is."""
    os.environ |= environment(tools)
    # Each share in a process of its own: what espeak-ng says depends on what it said before.
    with multiprocessing.get_context("spawn").Pool(2, maxtasksperchild=1) as pool:
        words = pool.apply(lexicon, (tools,))
        tasks = [Task(tools, words, seed) for seed in range(TASKS + 1)]
        aside, *shares = pool.map(sentences, tasks, chunksize=1)
    inputs, states = _rows([shown for share in shares for shown in share])
    count = len(words.states)
    layers = taught(inputs, states, count, HIDDEN)
    priors = np.maximum(np.bincount(states, minlength=count) / len(states), 1e-4)
    kaldi.write(folder, words, layers, (priors / priors.sum()).astype(np.float32))
    inputs, states = _rows(aside)
    return float(np.mean(judged(layers, inputs).argmax(axis=1) != states))


def _rows(shown: Sequence[Shown]) -> tuple[np.ndarray, np.ndarray]:
    inputs = np.concatenate([spliced(one.rows)[::EVERY] for one in shown])
    return inputs, np.concatenate([one.states[::EVERY] for one in shown])


if __name__ == "__main__":
    print(f"{build(Path(sys.argv[1]), Path(sys.argv[2])):.3f}")
