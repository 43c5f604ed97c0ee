"""What Asterisk leaves of a number audit's call, without Asterisk: the mark, the sound and how it ended."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from app.audio import RATE, write_wav
from app.clock import to_ms
from app.settings import Settings

LONG_AGO_S = 5


def began(settings: Settings, call_id: str, now: datetime) -> None:
    """Asterisk has begun to dial."""
    (settings.paths.audit_spool / f"{call_id}.began").write_text(str(to_ms(now)))


def ended(
    settings: Settings,
    call_id: str,
    now: datetime,
    *,
    cause: int = 0,
    status: str = "NOANSWER",
    rang_s: float = 5.0,
    heard: npt.NDArray[np.float64] | None = None,
    answered: bool = False,
) -> None:
    """It has ended: with `heard` (-1 to 1) as its sound from the answer on, or before it."""
    began(settings, call_id, now)
    folder, talked_s = settings.paths.audit_spool, 0.0
    if heard is not None:
        write_wav(folder / f"{call_id}-r.wav", (heard * 32767).astype(np.int16), RATE)
        talked_s = len(heard) / RATE if answered else 0.0
    answer = now + timedelta(seconds=rang_s)
    note = {
        "call": call_id,
        "cause": str(cause or ""),
        "status": "ANSWER" if answered else status,
        "dialled": str(to_ms(now)),
        "answered": str(to_ms(answer)) if answered else "",
        "ended": str(to_ms(answer + timedelta(seconds=talked_s))),
    }
    path = folder / f"{call_id}.json"
    path.write_text(json.dumps(note))
    os.utime(path, (time.time() - LONG_AGO_S, time.time() - LONG_AGO_S))
