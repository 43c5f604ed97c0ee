"""Which callers an announcement was enough for: counted by what the telephone saw, not by what anybody hopes. Pure.

A caller counts as **satisfied** by an announcement if they heard it to its end and then ended the call by themselves,
in the menu, without having pressed anything and before they waited for a person. Whoever hung up earlier, in the first
second above all, is *early*: nobody knows why. Whoever went on is counted by what they went on to. It is an upper
bound all the same: somebody may hang up there because they have no more time.

With two announcements the last one that was heard to its end counts as what they hung up upon; at the other they are
among those who went on alone. So nobody is counted as satisfied twice, and sums are true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

NEAR_MS = 500
"""So much of its end may be missing: an announcement ends in a pause, and clocks of two programs are compared."""
LEAST_MS = 2_000
"""Nobody has heard anything in less, however short it is."""
AHEAD_MS = 1_000
"""Whoever presses a key so soon had made up their mind before: they have heard nothing, and count nowhere."""
OWN_ENDS = frozenset({"0", "16", "31"})
"""Causes of Q.850 with which a caller ends a call: normal clearing, normal, and none, which is a BYE without a reason.
A line that broke has another (44 when no sound has come for long)."""
PERSONS = frozenset({"answered", "abandoned", "voicemail", "callback", "failsafe", "transferred"})
"""Outcomes of calls (app.calls.model) that a person was wanted for, or has to see to."""
_TOLD = re.compile(r"([0-9]{1,9}:[0-9]{1,7}(?:\.[0-9]{1,9}:[0-9]{1,7}){0,3})>([0-9]{13})(?:>([0-9]{13}))?")


class After(StrEnum):
    """What a caller did after an announcement, or instead of hearing it to its end."""

    satisfied = "satisfied"
    early = "early"  # hung up before its end, or the line broke
    person = "person"  # waited for a person, left a message for one, or was put through to one
    alone = "alone"  # went on in the menu, or to another announcement


@dataclass(frozen=True)
class Heard:
    """What was played to one caller: when it began, the end of each announcement from there (id → ms), and when they
    went on to something else (epoch ms; None: they did not)."""

    ends_ms: Mapping[int, int]
    began_ms: int
    left_ms: int | None = None


@dataclass(frozen=True)
class Hearing:
    """One announcement in one call. `whole`: it was heard to its end."""

    whole: bool
    after: After


def parse(told: str) -> Heard | None:
    """What the voice menu has noted of it (agi_scripts/hearing.py); None for anything else."""
    found = _TOLD.fullmatch(told)
    if found is None:
        return None
    pairs = (one.split(":") for one in found[1].split("."))
    return Heard({int(ident): int(end) for ident, end in pairs}, int(found[2]), int(found[3]) if found[3] else None)


def hearings(heard: Heard, ended_ms: int, outcome: str, cause: str) -> dict[int, Hearing]:
    """What became of each announcement in a call that ended so, by its id; under 0 what became of the caller. Nothing
    for a caller who typed ahead."""
    if heard.left_ms is not None and heard.left_ms - heard.began_ms < AHEAD_MS:
        return {}
    until = ended_ms if heard.left_ms is None else min(heard.left_ms, ended_ms)
    reached = until - heard.began_ms
    whole = [one for one, end in heard.ends_ms.items() if reached >= max(end - NEAR_MS, LEAST_MS)]
    if outcome in PERSONS:
        instead = After.person
    elif heard.left_ms is not None or outcome == "fax":
        instead = After.alone
    else:
        instead = After.early
    content = (
        whole[-1] if whole and instead is After.early and outcome == "self_service" and cause in OWN_ENDS else None
    )
    found = {
        one: Hearing(
            one in whole,
            After.satisfied if one == content else After.alone if content is not None and one in whole else instead,
        )
        for one in heard.ends_ms
    }
    return {0: Hearing(bool(whole), instead if content is None else After.satisfied), **found}
