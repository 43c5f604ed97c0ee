"""The rules of the duty roster (K4, 篇6 内部制度). Pure: days, people and what they had are arguments.

On a working day every handling section staffs a seat; on all other days the general office (综合处) staffs one. A
leader stands behind each. Turns go to whoever has had the fewest, then to whoever had the last one longest ago, so that
the week-ends fall on everybody alike; nobody is on duty twice on one day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

OFFICE = "office"  # 综合处
LEADER = "leader"  # 带班领导
MOST_DAYS = 93  # planned at a time
EMPTY_AFTER = timedelta(minutes=3)  # a seat whose person has not been at the telephone for so long is empty (空机)


@dataclass(frozen=True)
class Turn:
    """One person's duty on one day."""

    day: date
    post: str
    user_id: int


@dataclass(frozen=True)
class Seat:
    """A post on duty at this moment, and its person's staff number (None: has no telephone)."""

    post: str
    user_id: int
    agent_id: str | None


@dataclass(frozen=True)
class Fault:
    """What is wrong with a day: which post, and why (empty, twice, not_theirs)."""

    day: date
    post: str
    why: str


def posts_of(working: bool, sections: Sequence[str]) -> list[str]:
    """The posts that a day needs, the leader last."""
    return [*(sections if working else (OFFICE,)), LEADER]


def filled(
    days: Iterable[tuple[date, bool]],
    sections: Sequence[str],
    people: Mapping[str, Sequence[int]],
    had: Iterable[Turn],
) -> list[Turn]:
    """Turns for all posts of these days (each with whether it is a working day) that nobody has yet.

    `people` are those who may stand at each post, in the office's order; `had` what is set already, and what lies
    before. A post that nobody may stand at stays empty.
    """
    taken: set[tuple[date, str]] = set()
    busy: dict[date, set[int]] = {}
    done: dict[tuple[str, int], tuple[int, date]] = {}  # by post and person: how many turns, and the last

    def stands(turn: Turn) -> None:
        taken.add((turn.day, turn.post))
        busy.setdefault(turn.day, set()).add(turn.user_id)
        count, last = done.get((turn.post, turn.user_id), (0, date.min))
        done[turn.post, turn.user_id] = count + 1, max(last, turn.day)

    for turn in had:
        stands(turn)
    new: list[Turn] = []
    for day, working in days:
        for post in posts_of(working, sections):
            free = [one for one in people.get(post, ()) if one not in busy.get(day, ())]
            if free and (day, post) not in taken:
                turns = [done.get((post, one), (0, date.min)) for one in free]  # who has as few and as old: by order
                new.append(Turn(day, post, free[turns.index(min(turns))]))
                stands(new[-1])
    return new


def faults(
    days: Iterable[tuple[date, bool]],
    sections: Sequence[str],
    people: Mapping[str, Sequence[int]],
    turns: Iterable[Turn],
) -> list[Fault]:
    """What is wrong: posts without anybody, people who stand twice on a day, people who may not stand there."""
    found = []
    by_day: dict[date, list[Turn]] = {}
    for turn in turns:
        by_day.setdefault(turn.day, []).append(turn)
    for day, working in days:
        here = by_day.get(day, [])
        held = {turn.post for turn in here}
        found += [Fault(day, post, "empty") for post in posts_of(working, sections) if post not in held]
        for turn in here:
            if sum(other.user_id == turn.user_id for other in here) > 1:
                found.append(Fault(day, turn.post, "twice"))
            if turn.user_id not in people.get(turn.post, ()):
                found.append(Fault(day, turn.post, "not_theirs"))
    return found


def empty_seats(
    seats: Sequence[Seat], at_work: Mapping[str, bool], since: dict[str, datetime], now: datetime
) -> list[Seat]:
    """The seats at which nobody has been for EMPTY_AFTER.

    `at_work` says by staff number who is at the telephone; `since` keeps, from look to look, when a seat was first seen
    without anybody.
    """
    found = []
    for seat in seats:
        if seat.agent_id is not None and at_work.get(seat.agent_id, False):
            since.pop(seat.post, None)
        elif now - since.setdefault(seat.post, now) >= EMPTY_AFTER:
            found.append(seat)
    for post in set(since) - {seat.post for seat in seats}:
        del since[post]
    return found
