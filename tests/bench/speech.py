"""What it costs to write down what is said: hours of sound per hour of one processor, memory, and how late words come.

Sound is speech of espeak-ng with pauses between sentences. Without --model the tiny model of the tests is measured: it
says what the processes around a recogniser cost, and nothing of what a model for human speech does. How late: from the
end of a word in the sound to the moment at which it is known, when the sound comes in pieces of a quarter of a second.
A running call adds up to two seconds to it, which Asterisk may hold of what it writes.

Run: make bench-speech (python -m tests.bench.speech [--model FOLDER --language zh] [--minutes 30]).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from app.settings import REPO, Settings
from app.speech.listener import Listener
from app.speech.model import Samples
from scripts.toolchain import speech
from tests.bench._load import cpu_s, quantile, rss_mb
from tests.speech_kit.speaking import RATE, VARIANTS, Teller, digits
from tests.speech_kit.words import COMMANDS

PIECE, LIVE = 5 * RATE, RATE // 4
GOALS = {"hours_per_hour": 1.0, "live_p95_ms": 2_000.0}
GOALS_TINY = {"hours_per_hour": 40.0, "live_p95_ms": 1_500.0, "memory_mb": 150.0}


def talk(folder: Path, minutes: int) -> Samples:
    """Sentences with pauses, the same every time."""
    teller, chance = Teller(folder), random.Random(7)
    made: list[Samples] = []
    length = 0
    while length < minutes * 60 * RATE:
        words = [*chance.sample(list(COMMANDS), 2), digits(8, chance)]
        made.append(teller.sound("，".join(words), chance.choice(VARIANTS), chance.choice((130, 150, 170))))
        made.append(np.zeros(RATE * chance.choice((1, 1, 2, 5, 20)), np.int16))
        length = sum(map(len, made))
        if len(made) > 40:  # said once is enough: the rest is the same again
            made = [np.tile(np.concatenate(made), minutes * 60 * RATE // length + 1)]
            break
    return np.concatenate(made)[: minutes * 60 * RATE]


def throughput(listener: Listener, sound: Samples) -> dict[str, float]:
    """Hours of sound per hour of a processor, and what the process came to need."""
    hearing = listener.open(RATE)
    pid = listener.pid or 0
    empty, before, began = rss_mb([pid]), cpu_s([pid]), time.perf_counter()
    for at in range(0, len(sound), PIECE):
        hearing.feed(sound[at : at + PIECE])
    hearing.finish()
    wall, cpu = time.perf_counter() - began, max(0.01, cpu_s([pid]) - before)
    seconds = len(sound) / RATE
    return {
        "hours_per_hour": seconds / cpu,
        "hours_per_hour_wall": seconds / wall,
        "memory_mb": rss_mb([pid]),
        "memory_loaded_mb": empty,
        "load_s": listener.load_s,
    }


def lateness(listener: Listener, sound: Samples) -> list[float]:
    """Milliseconds from each character's end (its word's) to the moment at which so many characters are known."""
    hearing, known, late = listener.open(RATE), 0, list[tuple[int, float]]()
    ends: list[int] = []
    for at in range(0, len(sound), LIVE):
        began = time.perf_counter()
        told = hearing.feed(sound[at : at + LIVE])
        fed_ms = (at + LIVE) * 1000 / RATE + (time.perf_counter() - began) * 1000
        ends += [word.end_ms for one in told.said for word in one.words for _ in word.text]
        count = len(ends) + len(told.partial)
        if count > known:
            late += [(n, fed_ms) for n in range(known, count)]
            known = count
    hearing.finish()
    return [max(0.0, moment - ends[n]) for n, moment in late if n < len(ends)]


def main() -> int:
    """Run, print a table and one JSON line; 0 when the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--language", default="zh")
    parser.add_argument("--minutes", type=int, default=30)
    wanted = parser.parse_args()
    model = wanted.model or speech.bring_in(REPO, Settings().tools)
    listener = Listener(wanted.language, model, limit=60.0)
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        sound = talk(Path(folder), wanted.minutes)
    try:
        figures = throughput(listener, sound)
        late = lateness(listener, sound[: 120 * RATE])
    finally:
        listener.close()
    figures |= {"live_p50_ms": quantile(late, 0.5), "live_p95_ms": quantile(late, 0.95)}
    goals = GOALS if wanted.model else GOALS_TINY
    met = all(
        (figures[name] <= goal) if name != "hours_per_hour" else figures[name] >= goal for name, goal in goals.items()
    )
    table = Table(f"speech, {model.name}, {wanted.minutes} min", "", "goal")
    for name, value in figures.items():
        table.add_row(name, f"{value:.1f}", f"{goals[name]:g}" if name in goals else "")
    Console().print(table)
    told = {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps({"name": "speech", "figures": told, "goals": goals, "met": met}))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
