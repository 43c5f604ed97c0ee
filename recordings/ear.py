"""What a line that was dialled sounds like: ring-back, busy, intercept tones, fax, silence, a voice. Pure; numpy alone.

Samples in, spans with a sign each out. Tones are those of China's network (450 Hz; GF002-9002: ring-back 1 s in 5, busy
0.35 s in 0.7, congestion 0.7 s in 1.4, vacant number three short and one long) and of others that answer here now and
then (ITU-T E.180: two frequencies from 350 to 620 Hz); special information tones (E.180: 950, 1400, 1800 Hz one after
the other), the tones of fax machines (T.30: CNG 1100 Hz, CED 2100 Hz). Whatever is loud and none of these is a voice:
words are for speech recognition, and for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 8000
FRAME, HOP = 256, 80  # 32 ms of sound every 10 ms
HOP_MS = 1000 * HOP // RATE
_SIZE = 512
_HZ = np.fft.rfftfreq(_SIZE, 1 / RATE)
_BAND = (_HZ >= 200) & (_HZ <= 3700)
_LOBE = 5  # bins on each side of a peak that a pure tone fills
QUIET_DB = -46.0
PURE = 0.88  # so much of a frame's energy lies in one or two peaks
SHORTEST_MS = 60  # of a tone
SHORTEST_VOICE_S = 0.4
GAP_MS = 250  # a breath does not end a voice
STEADY_HZ = 40.0


class Sign(StrEnum):
    """What a stretch of sound is."""

    ringback = "ringback"  # 回铃音
    busy = "busy"  # 忙音
    congestion = "congestion"  # 拥塞音
    vacant = "vacant"  # 空号音
    intercept = "intercept"  # SIT: an announcement of the network follows
    fax_answers = "fax_answers"  # CED
    fax_calls = "fax_calls"  # CNG
    tone = "tone"  # another steady tone
    voice = "voice"


@dataclass(frozen=True)
class Span:
    """A sign from a moment to another (milliseconds from the first sample)."""

    sign: Sign
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Heard:
    """What was heard, in order; what lies between is silence."""

    spans: tuple[Span, ...] = ()
    length_ms: int = 0

    def has(self, *signs: Sign) -> bool:
        """Whether one of these was heard."""
        return any(span.sign in signs for span in self.spans)

    @property
    def voice_s(self) -> float:
        """How many seconds somebody spoke, or something sounded that is no tone."""
        return sum(span.end_ms - span.start_ms for span in self.spans if span.sign is Sign.voice) / 1000

    @property
    def silent(self) -> bool:
        """Whether nothing was heard."""
        return not self.spans


@dataclass(frozen=True)
class _Burst:
    """A stretch of one kind: "progress", "sit950", …, "voice"."""

    kind: str
    start_ms: int
    end_ms: int

    @property
    def on(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(frozen=True)
class Cadence:
    """How long a progress tone sounds and rests (milliseconds), so often that it is sure."""

    sign: Sign
    on: tuple[int, int]
    off: tuple[int, int]
    times: int = 2


CADENCES: Sequence[Cadence] = (
    Cadence(Sign.busy, (290, 570), (290, 570)),
    Cadence(Sign.congestion, (600, 860), (600, 860)),
    Cadence(Sign.congestion, (170, 285), (170, 285), times=3),
    Cadence(Sign.ringback, (870, 2300), (2000, 5000)),
)
RINGS_ONCE = (870, 2300)  # a tone that was cut short by the answer
_KINDS = (("progress", 330, 645), ("sit950", 920, 990), ("cng", 1065, 1140), ("sit1400", 1355, 1450))
_MORE_KINDS = (("sit1800", 1745, 1860), ("ced", 2070, 2135))


def hear(samples: npt.NDArray[Any]) -> Heard:
    """What these samples (16-bit, or -1 to 1; 8 kHz mono) sound like. Sixty seconds take about 50 ms."""
    length_ms = len(samples) * 1000 // RATE
    if len(samples) < FRAME:
        return Heard((), length_ms)
    scale = 32768.0 if np.issubdtype(samples.dtype, np.integer) else 1.0
    bursts = _bursts(np.asarray(samples, np.float64) / scale)
    spans = [*_progress(bursts), *_intercepts(bursts), *_faxes(bursts)]
    taken = {(span.start_ms, span.end_ms) for span in spans}
    rest = [one for one in bursts if not any(a <= one.start_ms and one.end_ms <= b for a, b in taken)]
    spans += _voices(rest)
    spans += [Span(Sign.tone, one.start_ms, one.end_ms) for one in rest if one.kind != "voice" and one.on >= 400]
    return Heard(tuple(sorted(spans, key=lambda span: span.start_ms)), length_ms)


def _bursts(sound: npt.NDArray[np.float64]) -> list[_Burst]:
    """Stretches of one kind, without the silence; flickers shorter than a tone can be belong to no tone."""
    kinds = _frames(sound)
    found, at = [], 0
    for kind, group in groupby(kinds):
        count = len(list(group))
        # A frame looks 32 ms ahead: what begins and ends in it is told by its middle.
        start, end = at * HOP_MS + 16, (at + count) * HOP_MS + 16
        at += count
        if kind == "":
            continue
        pure = kind if kind == "voice" or end - start >= SHORTEST_MS else "voice"
        found.append(_Burst(pure, start, end))
    return _joined(found)


def _frames(sound: npt.NDArray[np.float64]) -> list[str]:
    """The kind of each frame: "" for silence, the name of a tone, else "voice"."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, FRAME)[::HOP]
    level = 20 * np.log10(np.maximum(np.sqrt((windows**2).mean(axis=1)), 1e-6))
    power = np.abs(np.fft.rfft(windows * np.hanning(FRAME), _SIZE)) ** 2
    power[:, ~_BAND] = 0.0
    total = np.maximum(power.sum(axis=1), 1e-12)
    first, rest = _peak(power)
    second, left = _peak(rest)
    pure = 1 - left.sum(axis=1) / total >= PURE
    share = 1 - rest.sum(axis=1) / total  # of the first peak alone
    return [
        "" if loudness < QUIET_DB else _kind(one, two, part) if is_pure else "voice"
        for loudness, is_pure, one, two, part in zip(
            level.tolist(), pure.tolist(), _HZ[first].tolist(), _HZ[second].tolist(), share.tolist(), strict=True
        )
    ]


def _peak(power: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Where each frame is strongest, and the frames without that peak."""
    at = power.argmax(axis=1)
    near = np.abs(np.arange(power.shape[1])[None, :] - at[:, None]) <= _LOBE
    return at, np.where(near, 0.0, power)


def _kind(first: float, second: float, share: float) -> str:
    """The tone of a pure frame: one peak, or two of which both are tones of progress."""
    if share < PURE:
        low, high = _KINDS[0][1:]
        return "progress" if low <= first <= high and low <= second <= high else "voice"
    return next((name for name, low, high in (*_KINDS, *_MORE_KINDS) if low <= first <= high), "other")


def _joined(bursts: Sequence[_Burst]) -> list[_Burst]:
    """Neighbours of one kind with hardly anything between are one: a phase reversal, a lost packet."""
    made: list[_Burst] = []
    for one in bursts:
        # The edge of a tone is no pure tone for a frame or two.
        if one.kind == "voice" and one.on < SHORTEST_MS and made and one.start_ms - made[-1].end_ms <= HOP_MS:
            continue
        if made and made[-1].kind == one.kind and one.start_ms - made[-1].end_ms <= 50:
            made[-1] = _Burst(one.kind, made[-1].start_ms, one.end_ms)
        else:
            made.append(one)
    return [one for one in made if one.kind != "voice" or one.on >= 30]


def _progress(bursts: Sequence[_Burst]) -> Iterator[Span]:
    """Tones of progress by their cadences."""
    tones = [one for one in bursts if one.kind == "progress"]
    at = 0
    while at < len(tones):
        sign, count = _cadence(tones[at:])
        if sign is not None:
            yield Span(sign, tones[at].start_ms, tones[at + count - 1].end_ms)
        at += count


def _cadence(tones: Sequence[_Burst]) -> tuple[Sign | None, int]:
    """Which cadence these begin with, and how many of them belong to it."""
    vacant = _vacant(tones)
    if vacant:
        return Sign.vacant, vacant
    for one in CADENCES:
        count = 0
        for here, following in zip(tones, (*tones[1:], None), strict=True):
            if not one.on[0] <= here.on <= one.on[1]:
                break
            count += 1
            if following is None or not one.off[0] <= following.start_ms - here.end_ms <= one.off[1]:
                break
        if count >= one.times:
            return one.sign, count
    return (Sign.ringback if RINGS_ONCE[0] <= tones[0].on <= RINGS_ONCE[1] else None), 1


def _vacant(tones: Sequence[_Burst]) -> int:
    """How many tones are the one of a vacant number: three of 0.1 s, one of 0.4 s."""
    if len(tones) < 4:
        return 0
    short = all(60 <= one.on <= 170 for one in tones[:3])
    close = all(40 <= b.start_ms - a.end_ms <= 200 for a, b in pairwise(tones[:4]))
    if not (short and close and 300 <= tones[3].on <= 520):
        return 0
    more = _vacant(tones[4:])
    return 4 + more


def _intercepts(bursts: Sequence[_Burst]) -> Iterator[Span]:
    """Three tones, each higher than the one before."""
    for one, two, three in zip(bursts, bursts[1:], bursts[2:], strict=False):
        kinds = (one.kind, two.kind, three.kind)
        if kinds == ("sit950", "sit1400", "sit1800") and min(one.on, two.on, three.on) >= 180:
            yield Span(Sign.intercept, one.start_ms, three.end_ms)


def _faxes(bursts: Sequence[_Burst]) -> Iterator[Span]:
    """CED is one long tone (2.6 to 4 s), CNG half a second every three and a half."""
    for one in bursts:
        if one.kind == "ced" and one.on >= 1000:
            yield Span(Sign.fax_answers, one.start_ms, one.end_ms)
        elif one.kind == "cng" and 350 <= one.on <= 700:
            yield Span(Sign.fax_calls, one.start_ms, one.end_ms)


def _voices(bursts: Sequence[_Burst]) -> list[Span]:
    """What sounds and is no tone, breaths joined, if together it is long enough to be meant."""
    made: list[Span] = []
    loud = [one for one in bursts if one.kind == "voice"]
    for one in loud:
        if made and one.start_ms - made[-1].end_ms <= GAP_MS:
            made[-1] = Span(Sign.voice, made[-1].start_ms, one.end_ms)
        else:
            made.append(Span(Sign.voice, one.start_ms, one.end_ms))
    whole = sum(span.end_ms - span.start_ms for span in made) / 1000
    return made if whole >= SHORTEST_VOICE_S else []
