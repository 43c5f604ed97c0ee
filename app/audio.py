"""Telephone audio as it lies in a spool: read what can be read, hear whether anybody spoke.

Asterisk writes the length into a WAV header only when it closes the file. A file whose writer was killed says
"0 bytes" and holds minutes: such a file is read by its size, not by its word.
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from app.errors import BadInput

RATE = 8000
Samples = npt.NDArray[np.int16]

FRAME_S = 0.02
LOUD_DB = -45.0  # whatever is this loud was meant to be heard
QUIET_DB = -58.0  # below: line noise; between: a voice only if it stands out from the noise floor
OUTSTANDING_DB = 10.0
VOICE_S = 0.5  # less than half a second of sound is a click or a breath, not a message


@dataclass(frozen=True)
class Sound:
    """16-bit mono samples. `repaired` says that the header lied or the end was missing."""

    samples: Samples
    rate: int
    repaired: bool = False

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class Loudness:
    """What `listen` heard: seconds with sound, and the loudest frame in dBFS."""

    voiced_s: float
    peak_db: float

    @property
    def is_silent(self) -> bool:
        """Whether nobody left a message."""
        return self.voiced_s < VOICE_S


def read_wav(path: Path) -> Sound:
    """The sound of a telephone WAV (PCM 16, A-law, µ-law), also of a damaged one.

    Raises BadInput when it holds no audio that can be understood, OSError when it can't be read.
    """
    data = path.read_bytes()
    header = _header(data)
    if header is None:
        raise BadInput(code="not_a_wav", message_zh="录音文件格式无法识别。", message_en="This is no WAV file.")
    code, channels, rate, bits, start, said = header
    have = len(data) - start
    repaired = said != have and not (0 < said <= have)
    body = data[start:] if repaired else data[start : start + said]
    width = channels * bits // 8
    body = body[: len(body) // width * width]
    subtype = {(1, 16): "PCM_16", (6, 8): "ALAW", (7, 8): "ULAW"}[code, bits]
    if not body:
        return Sound(np.zeros(0, np.int16), rate, repaired)
    samples, _ = soundfile.read(
        io.BytesIO(body), dtype="int16", always_2d=True, samplerate=rate, channels=channels, format="RAW",
        subtype=subtype, endian="LITTLE" if bits > 8 else "FILE",
    )  # fmt: skip
    return Sound(np.ascontiguousarray(samples[:, 0]), rate, repaired)


def both_channels(path: Path) -> tuple[Samples, int]:
    """The samples of a stored stereo recording (16-bit PCM), shape (n, 2), read from the disk where they are looked at.

    Raises BadInput when it is no such file, OSError when it can't be read.
    """
    with path.open("rb") as file:
        header = _header(file.read(4096))
    if header is None or header[:2] != (1, 2) or header[3] != 16:
        raise BadInput(code="not_a_wav", message_zh="录音文件格式无法识别。", message_en="This is no stereo WAV file.")
    start, size = header[4], path.stat().st_size
    count = (size - start) // 4
    if count <= 0:
        return np.zeros((0, 2), np.int16), header[2]
    return np.memmap(path, dtype="<i2", mode="r", offset=start, shape=(count, 2)), header[2]


def listen(sound: Sound) -> Loudness:
    """How much of it is sound that somebody meant.

    Frames of 20 ms count when loud, or when they stand 10 dB above the quietest tenth: a far voice on a hissing line
    is a message, the hiss alone is not.
    """
    size = max(1, int(sound.rate * FRAME_S))
    count = len(sound.samples) // size
    if count == 0:
        return Loudness(0.0, -96.0)
    frames = sound.samples[: count * size].reshape(count, size).astype(np.float64)
    frames -= frames.mean(axis=1, keepdims=True)  # a direct-current offset is no sound
    level = 20 * np.log10(np.maximum(np.sqrt((frames**2).mean(axis=1)) / 32768, 10 ** (-96 / 20)))
    floor = float(np.percentile(level, 10))
    voiced = (level > LOUD_DB) | ((level > QUIET_DB) & (level > floor + OUTSTANDING_DB))
    return Loudness(float(voiced.sum() * FRAME_S), float(level.max()))


def stereo(left: Sound | None, right: Sound | None) -> tuple[npt.NDArray[np.int16], int]:
    """Both sides of a talk as one stereo signal (left: citizen), the shorter one filled with silence.

    Raises BadInput when the sides differ in rate or both are missing.
    """
    sides = [side for side in (left, right) if side is not None]
    if not sides or len({side.rate for side in sides}) != 1:
        raise BadInput(code="legs_differ", message_zh="录音两侧无法合并。", message_en="The two sides don't fit.")
    length = max(len(side.samples) for side in sides)
    mixed = np.zeros((length, 2), np.int16)
    for column, side in enumerate((left, right)):
        if side is not None:
            mixed[: len(side.samples), column] = side.samples
    return mixed, sides[0].rate


def write_wav(path: Path, samples: npt.NDArray[np.int16], rate: int) -> None:
    """Write 16-bit PCM and wait until it is on the disk. Raises OSError (disk full)."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    body = samples.astype("<i2", copy=False).tobytes()
    header = b"RIFF" + struct.pack("<I", 36 + len(body)) + b"WAVEfmt "
    header += struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16)
    header += b"data" + struct.pack("<I", len(body))
    with path.open("wb") as file:
        file.write(header)
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _header(data: bytes) -> tuple[int, int, int, int, int, int] | None:
    """(format, channels, rate, bits, where the samples begin, how many bytes the header claims), None if no WAV."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    position, shape = 12, None
    while position + 8 <= len(data):
        name, size = data[position : position + 4], struct.unpack_from("<I", data, position + 4)[0]
        if name == b"fmt " and position + 24 <= len(data):
            code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, position + 8)
            if (code, bits) not in ((1, 16), (6, 8), (7, 8)) or channels not in (1, 2) or not 4000 <= rate <= 96000:
                return None
            shape = (code, channels, rate, bits)
        elif name == b"data":
            return (*shape, position + 8, size) if shape else None
        position += 8 + size + size % 2
    return None
