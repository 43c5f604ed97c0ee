"""Cases that may be the matter that is being typed (疑似重复), and the ended case that a new one repeats (重复诉求).

Candidates come from three look-ups that cost the same however many cases there are: the number, the words of the
address, and runs of three characters of the title, each in the latest months only. What they bring is then compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from sqlalchemy import bindparam, select, true
from sqlalchemy import case as when
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.cases import access
from app.cases.finding import may_be_sought, months, times_in_turn
from app.cases.likeness import LIKE, Matter, key_words, likeness, same_place
from app.cases.states import CaseState
from app.cases.tables import CASE_INDEX, Case
from app.search.index import ANYWHERE, TELLING_TEXTS, SearchIndex, index_of
from app.search.tokens import Wanted, sought
from app.text import normal_number

RECENT = timedelta(days=90)
AGAIN_WITHIN = timedelta(days=365)  # later it is a new matter
SHOWN = 5
OF_A_NUMBER, OF_A_QUERY, COMPARED, MOST_QUERIES = 20, 30, 60, 8
EVERYWHERE = frozenset({"号楼", "单元", "小区", "号院"})
"""Pairs that stand in every other address: an index reads long lists for them and finds the same place without."""


class Why(StrEnum):
    """What speaks for a duplicate."""

    number = "number"  # 同一号码
    place = "place"  # 同一地点
    words = "words"  # 内容相似


WEIGHTS: Mapping[Why, float] = {Why.number: 1.0, Why.place: 0.6}


@dataclass(frozen=True)
class Reason:
    """Why a case is shown; `likeness` (0…1) for similar words."""

    why: Why
    likeness: float = 0.0

    @property
    def zh(self) -> str:
        """For people."""
        return {Why.number: "同一号码", Why.place: "同一地点", Why.words: f"内容相似 {self.likeness:.2f}"}[self.why]

    @property
    def en(self) -> str:
        """In English."""
        return {Why.number: "same number", Why.place: "same place", Why.words: f"similar {self.likeness:.2f}"}[self.why]


@dataclass(frozen=True)
class Candidate:
    """A case that may be the same matter."""

    case: Case
    reasons: Sequence[Reason]

    @property
    def weight(self) -> float:
        """How much speaks for it."""
        return sum(WEIGHTS.get(one.why, 2 * one.likeness) for one in self.reasons)


def candidates(
    session: Session, actor: Actor, matter: Matter, number: str, now: datetime, *, but: int | None = None
) -> list[Candidate]:
    """At most SHOWN cases of the last 90 days, the likeliest first; without case `but`. Raises Forbidden.

    Number and place speak only for cases whose citizen the asker may look for.
    """
    actor.require(Permission.cases_read)
    index, since = index_of(CASE_INDEX, session), now - RECENT
    number = normal_number(number)
    ids = {*_of_number(session, number, since)} if number else set()
    ids.update(index.newest(session, _queries(index, matter, since, now), OF_A_QUERY)[:COMPARED])
    ids.discard(but or 0)
    sought_openly = may_be_sought(actor)
    known = when((true() if sought_openly is True else sought_openly, 1), else_=0)
    shown = col(Case.state).not_in([CaseState.draft.value, CaseState.discarded.value])
    rows = session.execute(
        select(Case, known).where(col(Case.id).in_(ids), shown, col(Case.created_at) >= since, access.visible(actor))
    )
    found = [Candidate(case, _reasons(case, matter, number, openly=bool(openly))) for case, openly in rows]
    ranked = sorted(found, key=lambda one: (-one.weight, -(one.case.id or 0)))
    return [one for one in ranked if one.reasons][:SHOWN]


def ended_before(session: Session, case: Case, now: datetime) -> Case | None:
    """The newest case of the same number and a similar matter that had been ended; None if there is none."""
    if not case.caller_number:
        return None
    asked = {"caller": case.caller_number, "since": now - AGAIN_WITHIN, "itself": case.id}
    mine = matter_of(case)
    earlier = session.execute(_ENDED, asked).scalars()
    return next((one for one in earlier if likeness(mine, matter_of(one)) >= LIKE), None)


_ENDED = (
    select(Case)
    .where(col(Case.caller_number) == bindparam("caller"), col(Case.created_at) >= bindparam("since"))
    .where(col(Case.ended_at).is_not(None), col(Case.id) != bindparam("itself"))
    .order_by(col(Case.created_at).desc())
    .limit(OF_A_NUMBER)
)


def matter_of(case: Case) -> Matter:
    """What is compared of a case."""
    return Matter(case.title, case.content, case.address)


def _of_number(session: Session, number: str, since: datetime) -> Sequence[int]:
    mine = select(col(Case.id)).where(col(Case.caller_number) == number, col(Case.created_at) >= since)
    return session.execute(mine.order_by(col(Case.created_at).desc()).limit(OF_A_NUMBER)).scalars().all()


def _queries(index: SearchIndex, matter: Matter, since: datetime, now: datetime) -> list[list[str]]:
    # What begins with 号 is everywhere. A place is so rare that to ask for the latest days first is to ask twice.
    place = [one for one in sought(matter.address) if not one.begins and one.text not in EVERYWHERE]
    whole, times = ([()], [()]) if index.stops_early else ([months(since, now)], times_in_turn(since, now))
    found = [[index.all_of(place, ANYWHERE, tags) for tags in whole]] if place else []
    words = _runs(key_words(matter))[:MOST_QUERIES]
    return found + [[index.all_of(one, TELLING_TEXTS, tags) for tags in times] for one in words]


def _runs(words: str) -> list[list[Wanted]]:
    """Tokens two by two where they are neighbours in a word (three characters), alone where a word has but two."""
    found = []
    for word in words.split():
        parts = [one for one in sought(word) if len(one.text) > 1]
        pairs = [list(pair) for pair in pairwise(parts)]
        found += pairs or [[one] for one in parts]
    return found


def _reasons(case: Case, matter: Matter, number: str, *, openly: bool) -> list[Reason]:
    theirs = matter_of(case)
    found = []
    if openly and number and case.caller_number == number:
        found.append(Reason(Why.number))
    if openly and same_place(matter, theirs):
        found.append(Reason(Why.place))
    if not openly:  # the likeness must not tell either that the place is another one
        theirs = Matter(case.title, case.content)
    if (alike := likeness(matter, theirs)) >= LIKE:
        found.append(Reason(Why.words, round(alike, 2)))
    return found
