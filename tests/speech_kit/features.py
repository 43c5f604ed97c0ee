"""Sound to features exactly as Kaldi makes them with `MFCC_CONF`, and changes of rate."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

RATE = 16000
STEP, WINDOW, FFT = 160, 400, 512
CEPS, BINS, LOW, HIGH = 20, 26, 60.0, 3700.0
LIFTER = 22.0
SPREAD = tuple(range(-12, 13, 2))
"""The frames, from the one that is judged, that the network sees at once."""
MFCC_CONF = f"""--sample-frequency={RATE}
--num-mel-bins={BINS}
--num-ceps={CEPS}
--low-freq={LOW:.0f}
--high-freq={HIGH:.0f}
--use-energy=false
--dither=0
--allow-upsample=true
"""
Sound = npt.NDArray[np.float32]


def resampled(sound: Sound, rate: int, wanted: int) -> Sound:
    """The sound at another rate; whatever the lower of the two cannot carry is gone."""
    count = round(len(sound) * wanted / rate)
    spectrum = np.fft.rfft(sound)
    kept = np.zeros(count // 2 + 1, complex)
    both = min(len(spectrum), len(kept))
    kept[:both] = spectrum[:both]
    return (np.fft.irfft(kept, count) * (count / max(1, len(sound)))).astype(np.float32)


@lru_cache(maxsize=1)
def _tables() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    turn = 2 * np.pi * np.arange(WINDOW) / (WINDOW - 1)
    window = (0.5 - 0.5 * np.cos(turn)) ** 0.85

    def mel(hertz: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
        return 1127.0 * np.log(1.0 + np.asarray(hertz) / 700.0)

    low, high = float(mel(LOW)), float(mel(HIGH))
    width = (high - low) / (BINS + 1)
    at = mel(np.arange(FFT // 2) * RATE / FFT)
    banks = np.zeros((BINS, FFT // 2 + 1))
    for one in range(BINS):
        left, middle, right = low + one * width, low + (one + 1) * width, low + (one + 2) * width
        slope = np.where(at <= middle, (at - left) / (middle - left), (right - at) / (right - middle))
        banks[one, : FFT // 2] = np.where((at > left) & (at < right), slope, 0.0)
    order = np.arange(CEPS)[:, None]
    cosines = np.sqrt(2.0 / BINS) * np.cos(np.pi / BINS * (np.arange(BINS) + 0.5)[None, :] * order)
    cosines[0] = np.sqrt(1.0 / BINS)
    cosines *= 1.0 + 0.5 * LIFTER * np.sin(np.pi * order / LIFTER)
    return window, banks, cosines


def mfcc(sound: Sound) -> npt.NDArray[np.float32]:
    """Features of a sound at `RATE` (-1..1), one row for each 10 ms."""
    window, banks, cosines = _tables()
    count = 1 + (len(sound) - WINDOW) // STEP
    if count <= 0:
        return np.zeros((0, CEPS), np.float32)
    places = np.arange(WINDOW)[None, :] + STEP * np.arange(count)[:, None]
    frames = np.round(np.clip(sound, -1, 1).astype(np.float64) * 32767)[places]
    frames -= frames.mean(axis=1, keepdims=True)
    frames -= 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft(frames * window, FFT)) ** 2
    logs = np.log(np.maximum(power @ banks.T, np.finfo(np.float32).eps))
    return (logs @ cosines.T).astype(np.float32)


def spliced(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each row with those around it, side by side; before the first and after the last they are repeated."""
    at = np.clip(np.arange(len(rows))[:, None] + np.array(SPREAD)[None, :], 0, max(0, len(rows) - 1))
    return rows[at].reshape(len(rows), -1)
