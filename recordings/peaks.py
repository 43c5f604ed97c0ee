"""The wave form of a recording: how loud each side was, eight times a second, measured once and kept beside the file.

What is kept is `PEAKS`, the steps per second, the number of steps (both little-endian 32-bit), then one byte for each
step of the left side (the citizen), then of the right: 0 is silence, 255 the loudest that the format knows.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.audio import Samples, both_channels

PER_SECOND = 8
KEPT = ".peaks"
_MAGIC, _HEAD = b"PEAKS1", struct.Struct("<6sII")
_AT_ONCE = 60 * PER_SECOND  # steps; a minute of sound is in memory at a time


@dataclass(frozen=True)
class Peaks:
    """The loudest sample of each step, from 0 to 255, for both sides."""

    per_second: int
    left: bytes
    right: bytes


def measured(samples: Samples, rate: int, per_second: int = PER_SECOND) -> Peaks:
    """The wave form of stereo samples, shape (n, 2); the last step may be shorter than the others."""
    step = max(1, rate // per_second)
    sides: tuple[list[bytes], list[bytes]] = ([], [])
    for begin in range(0, len(samples), step * _AT_ONCE):
        part = samples[begin : begin + step * _AT_ONCE]
        for channel, side in enumerate(sides):
            side.append(_loudest(np.ascontiguousarray(part[:, channel]), step))
    return Peaks(per_second, b"".join(sides[0]), b"".join(sides[1]))


def _loudest(samples: Samples, step: int) -> bytes:
    whole = len(samples) // step * step
    steps = samples[:whole].reshape(-1, step)
    loud: npt.NDArray[np.int32] = np.maximum(steps.max(axis=1).astype(np.int32), -steps.min(axis=1).astype(np.int32))
    if whole < len(samples):
        rest = samples[whole:].astype(np.int32)
        loud = np.append(loud, np.abs(rest).max())
    # A step with any sound in it is not shown as silence.
    return (-(-np.clip(loud, 0, 32767) * 255 // 32767)).astype(np.uint8).tobytes()


def peaks_of(path: Path) -> Peaks:
    """The wave form of a stored recording, from beside it or measured now. Raises BadInput (no sound), OSError."""
    kept = path.with_suffix(KEPT)
    if (known := _kept(kept)) is not None:
        return known
    samples, rate = both_channels(path)
    found = measured(samples, rate)
    aside = kept.with_name(f".{kept.name}.{os.getpid()}.{os.urandom(3).hex()}")
    try:
        aside.write_bytes(_HEAD.pack(_MAGIC, found.per_second, len(found.left)) + found.left + found.right)
        os.replace(aside, kept)
    except OSError:  # no room: it is measured again next time
        aside.unlink(missing_ok=True)
    if not path.exists():  # its retention ended meanwhile
        kept.unlink(missing_ok=True)
    return found


def _kept(path: Path) -> Peaks | None:
    try:
        data = path.read_bytes()
        magic, per_second, steps = _HEAD.unpack_from(data)
    except (OSError, struct.error):
        return None
    if magic != _MAGIC or len(data) != _HEAD.size + 2 * steps or per_second < 1:
        return None
    body = data[_HEAD.size :]
    return Peaks(per_second, body[:steps], body[steps:])
