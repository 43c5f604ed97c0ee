"""What a dialled line sounds like, and what became of a call: synthetic tones, noise on them, and the tables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from recordings.dialled import CAUSES, Ended, Outcome, outcome_of
from recordings.ear import RATE, Heard, Sign, Span, hear

Wave = npt.NDArray[np.float64]


def tone(ms: int, *hz: float, db: float = -15.0) -> Wave:
    t = np.arange(RATE * ms // 1000) / RATE
    return np.asarray(10 ** (db / 20) * sum(np.sin(2 * np.pi * one * t) for one in hz) / max(1, len(hz)))


def rest(ms: int) -> Wave:
    return np.zeros(RATE * ms // 1000)


def speech(ms: int, seed: int = 1) -> Wave:
    """Noise through moving formants over a gliding pitch, in syllables: what no tone detector may take for a tone."""
    draw = np.random.default_rng(seed)
    t = np.arange(RATE * ms // 1000) / RATE
    pitch = np.cumsum(120 + 40 * np.sin(2 * np.pi * 1.3 * t)) / RATE
    voice = sum(np.sin(2 * np.pi * n * pitch) / n for n in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 4 * t) + 0.5, 0, 1)
    return np.asarray(0.08 * syllables * (voice + 0.3 * draw.standard_normal(len(t))))


def line(*parts: Wave, noise_db: float = -60.0) -> npt.NDArray[np.int16]:
    """The parts one after another on a line that hisses, as a telephone network carries it: 16 bits after A-law's
    loss."""
    whole = np.concatenate(parts)
    hiss = np.random.default_rng(7).standard_normal(len(whole)) * 10 ** (noise_db / 20)
    return np.asarray(np.clip(whole + hiss, -1, 1) * 32767, np.int16)


def cadence(on: int, off: int, times: int, *hz: float) -> Wave:
    return np.concatenate([np.concatenate([tone(on, *hz), rest(off)]) for _ in range(times)])


VACANT = np.concatenate([tone(100, 450), rest(100)] * 3 + [tone(400, 450), rest(400)])
SIT = np.concatenate([tone(330, 950), tone(330, 1400), tone(330, 1800), rest(500)])
CASES = {
    "silence": ([rest(3000)], []),
    "a hissing line": ([rest(2000)], []),
    "China's busy tone": ([cadence(350, 350, 5, 450)], [Sign.busy]),
    "America's busy tone": ([cadence(500, 500, 3, 480, 620)], [Sign.busy]),
    "congestion": ([cadence(700, 700, 3, 450)], [Sign.congestion]),
    "America's reorder tone": ([cadence(250, 250, 5, 480, 620)], [Sign.congestion]),
    "ring-back": ([cadence(1000, 4000, 3, 450)], [Sign.ringback]),
    "ring-back cut short by the answer": ([tone(1000, 450), rest(1500), speech(1500)], [Sign.ringback, Sign.voice]),
    "America's ring-back": ([cadence(2000, 4000, 2, 440, 480)], [Sign.ringback]),
    "a vacant number": ([VACANT, VACANT], [Sign.vacant]),
    "an intercept and what it announces": ([SIT, speech(3000)], [Sign.intercept, Sign.voice]),
    "a fax machine answers": ([rest(1800), tone(2900, 2100), rest(300)], [Sign.fax_answers]),
    "a fax machine calls": ([cadence(500, 3000, 2, 1100)], [Sign.fax_calls, Sign.fax_calls]),
    "somebody speaks": ([rest(700), speech(2500), rest(500)], [Sign.voice]),
    "a click": ([rest(500), 0.5 * np.ones(40), rest(1500)], []),
    "a steady tone that is nobody's": ([tone(2000, 700)], [Sign.tone]),
    "dial tone": ([tone(3000, 450)], [Sign.tone]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("noise_db", [-80.0, -55.0])
def test_the_ear_knows(name: str, noise_db: float) -> None:
    parts, signs = CASES[name]
    found = hear(line(*parts, noise_db=noise_db))
    told = [span.sign for span in found.spans]
    if Sign.voice in signs:  # speech has pauses
        told = [sign for sign, before in zip(told, [None, *told], strict=False) if sign is not before]
    assert told == signs, found.spans


@pytest.mark.parametrize("db", [-32.0, -6.0])
@pytest.mark.parametrize("off_hz", [-12, 12])
def test_tones_that_are_faint_loud_or_a_little_off_are_still_known(db: float, off_hz: int) -> None:
    busy = np.concatenate([np.concatenate([tone(350, 450 + off_hz, db=db), rest(350)]) for _ in range(4)])
    fax = tone(2600, 2100 + off_hz, db=db)
    assert [span.sign for span in hear(line(busy, rest(500), fax)).spans] == [Sign.busy, Sign.fax_answers]


def test_spans_are_where_the_sound_is_and_floats_are_heard_alike() -> None:
    sound = np.concatenate([rest(1000), tone(2900, 2100), rest(400)])
    (span,) = hear(sound).spans
    assert abs(span.start_ms - 1000) <= 30
    assert abs(span.end_ms - 3900) <= 30
    assert hear(line(sound)).spans[0].sign is span.sign
    assert hear(np.zeros(0, np.int16)) == Heard((), 0)
    assert hear(np.zeros(100, np.int16)).silent


def heard(*signs: Sign) -> Heard:
    return Heard(tuple(Span(sign, n * 3000, n * 3000 + 2000) for n, sign in enumerate(signs)), 3000 * len(signs))


ENDINGS = {
    "an unallocated number": (Ended(1), Outcome.vacant),
    "a number that was changed": (Ended(22), Outcome.vacant),
    "busy by cause": (Ended(17, before=heard(Sign.ringback)), Outcome.busy),
    "busy by ear": (Ended(16, before=heard(Sign.busy)), Outcome.busy),
    "it rang until we gave up": (Ended(0, timed_out=True, before=heard(Sign.ringback)), Outcome.no_answer),
    "music instead of ringing, in vain": (Ended(0, timed_out=True, before=heard(Sign.voice)), Outcome.no_answer),
    "the network says nobody answers": (Ended(19, before=heard(Sign.ringback)), Outcome.no_answer),
    "the network announces that it is out of service": (Ended(19, before=heard(Sign.voice)), Outcome.intercepted),
    "intercept tones come first": (Ended(0, timed_out=True, before=heard(Sign.intercept)), Outcome.intercepted),
    "the tone of a vacant number, whatever the cause": (Ended(31, before=heard(Sign.vacant)), Outcome.vacant),
    "out of order": (Ended(27), Outcome.intercepted),
    "a fault of the line": (Ended(38), Outcome.network),
    "no circuit": (Ended(34), Outcome.network),
    "nothing was said": (Ended(0), Outcome.no_answer),
    "the auditor hung up while it rang": (Ended(0, gave_up=True, before=heard(Sign.ringback)), Outcome.abandoned),
    "somebody": (Ended(16, True, after=heard(Sign.voice)), Outcome.answered),
    "a fax machine": (Ended(16, True, after=heard(Sign.fax_answers)), Outcome.fax),
    "a fax machine behind a voice": (Ended(16, True, after=heard(Sign.voice, Sign.fax_calls)), Outcome.fax),
    "answered to announce": (Ended(16, True, after=heard(Sign.intercept, Sign.voice)), Outcome.intercepted),
    "answered to be busy": (Ended(16, True, after=heard(Sign.busy)), Outcome.busy),
    "answered and vacant": (Ended(16, True, after=heard(Sign.vacant)), Outcome.vacant),
    "nobody spoke": (Ended(16, True), Outcome.silent),
    "something answered": (Ended(16, True, after=heard(Sign.tone)), Outcome.answered),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDINGS)
def test_a_call_became(name: str) -> None:
    ended, outcome = ENDINGS[name]
    assert outcome_of(ended) is outcome


def test_no_cause_says_that_somebody_answered() -> None:
    assert {Outcome.answered, Outcome.silent, Outcome.fax} & set(CAUSES.values()) == set()
