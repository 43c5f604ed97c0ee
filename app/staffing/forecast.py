"""How many calls are to be expected, and how many people they need (M5). Pure.

Calls are expected as the mean of the same weekday's last weeks; people are counted by Erlang C, for which nobody gives
up: what it asks for is what keeps the promise (95 % answered within 15 s, GB/T 33358-2016) even to the patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from acd.simulate.erlang import agents_needed, erlang_c
from app.calls.halfhours import SLOT

SLOT_S = SLOT.total_seconds()


@dataclass(frozen=True, slots=True)
class Target:
    """`share` of the calls is to be answered within `within_s` seconds."""

    share: float = 0.95
    within_s: int = 15


@dataclass(frozen=True, slots=True)
class Need:
    """Of one half-hour: calls to be expected, and people who must be able to take them; None: nothing is known."""

    calls: float | None
    seats: int | None


def expected(days: Sequence[Sequence[int]], slots: int) -> list[float | None]:
    """The mean by half-hour over earlier days. A day without any call tells nothing: the hotline was not there."""
    known = [day for day in days if sum(day)]
    if not known:
        return [None] * slots
    return [sum(day[number] for day in known) / len(known) for number in range(slots)]


def needs(calls: Sequence[float | None], handling_s: float | None, target: Target) -> list[Need]:
    """People needed; `handling_s` is the mean talk with what follows it."""
    return [Need(each, None if each is None or not handling_s else seats(each, handling_s, target)) for each in calls]


def seats(calls: float, handling_s: float, target: Target) -> int:
    """The fewest who keep the target when so many calls come in a half-hour. Raises ValueError for a share of 1."""
    return agents_needed(calls / SLOT_S, handling_s, target_s=target.within_s, service_level=target.share)


def kept(calls: float, handling_s: float, people: float, within_s: int) -> float | None:
    """The share that theory lets so many people answer in time; None where there is no load to speak of.

    Between whole numbers of people the shares are joined by a line: a mean over a half-hour is seldom whole.
    """
    if not calls or not handling_s:
        return None
    low = int(people)
    shares = [erlang_c(calls / SLOT_S, handling_s, number, within_s).service_level for number in (low, low + 1)]
    return shares[0] + (people - low) * (shares[1] - shares[0])


def handling(talked_s: float, talks: int, wrapped_s: float, wrapped: int, usual_wrap_s: float) -> float | None:
    """Mean seconds from an answer until the agent is free again; None without talks.

    `wrapped_s` is the wrap-up of all agents while `wrapped` calls were answered; `usual_wrap_s` stands in for it where
    nobody has watched.
    """
    if not talks:
        return None
    return talked_s / talks + (wrapped_s / wrapped if wrapped and wrapped_s else usual_wrap_s)
