"""Fills a database with invented cases: as many as wanted over three years, the same every time for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from app.actor import SYSTEM
from app.assignments.tables import Assignment
from app.cases.finding import tags_of, unit_tag
from app.cases.model import format_number
from app.cases.tables import Case, CaseCounter, CaseItem
from app.citizens.tables import Citizen
from app.clock import local_day
from app.clocks.limits import Reckoning
from app.clocks.tables import CaseClock
from app.db import Database
from app.demo.cases.bulk import Bulk
from app.demo.cases.lives import DAY, Life, Lives, plausible_times
from app.demo.cases.matters import Teller, Told
from app.demo.cases.rows import Store, moment
from app.places import filling as places
from app.search.tokens import MARKS, tokens
from app.settings import Settings
from app.units.exchange import import_units
from app.units.suggestions import NETWORK
from app.units.tables import Unit
from app.workdays.model import parse_office_hours
from app.workdays.service import calendar

YEARS = 3
BATCH = 10_000
MARK = "demo:"
AGENTS = 60
AGAIN, TWICE = 0.05, 0.04  # come again after they were ended, are told by somebody else as well
Progress = Callable[[int, int], None]
SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗"
GIVEN = "伟芳娜敏静丽强磊洋艳勇军杰娟涛明超秀霞平"


def real_cases(session: Session) -> int:
    """How many cases are there that nobody invented (counted up to 1,000)."""
    told = col(Case.opened_for)
    real = select(col(Case.id)).where(told.is_(None) | told.not_like(f"{MARK}%")).limit(1000)
    return int(session.execute(select(func.count()).select_from(real.subquery())).scalar_one())


def fill(
    db: Database, settings: Settings, count: int, *, seed: int = 1, now: datetime, progress: Progress | None = None
) -> int:
    """Add `count` cases that end at `now`, with everything that belongs to them. The database must be migrated.

    Where it is interrupted, the cases of the batches so far stay, whole, and work in the database goes on.
    """
    with db.session() as session:
        if not session.execute(select(col(Unit.id)).limit(1)).first():
            import_units(session, SYSTEM, NETWORK.read_bytes(), dry_run=False, now=now)
    with db.read() as session:
        city = _City(session, settings, random.Random(seed), count, now)
    bulk = Bulk(db)
    times = plausible_times(city.dice, count, now.timestamp() - YEARS * 365 * DAY, now.timestamp())
    try:
        bulk.begin()
        for n, at in enumerate(times, 1):
            city.case(at)
            if n % BATCH == 0 or n == count:
                bulk.write(city.store.every, city.numbers)
                if progress:
                    progress(n, count)
    finally:
        bulk.finish([rows.table for rows in city.store.every])
    with db.session() as session:
        places.fill(session)
    return count


class _City:
    """Who calls, from where, and what comes of it."""

    def __init__(self, session: Session, settings: Settings, dice: random.Random, count: int, now: datetime) -> None:
        self.dice, self.store, self.zone = dice, Store(), settings.zone
        self.teller = Teller(dice)
        since = local_day(now - timedelta(days=365 * YEARS), settings.zone)
        by = Reckoning(calendar(session, since), settings.zone, parse_office_hours(settings.office_hours))
        self.lives = Lives(self.store, dice, by, now.timestamp(), _units(session))
        self.next_case, self.next_citizen = _free(session, Case), _free(session, Citizen)
        self.lives.next_work, self.lives.next_clock = _free(session, Assignment), _free(session, CaseClock)
        self.lives.next_item = _free(session, CaseItem)
        self.citizens = max(1, count // 3)
        self.known: dict[int, int] = {}
        rows = session.execute(select(col(CaseCounter.day), col(CaseCounter.last))).all()
        self.numbers: dict[str, int] = {str(row.day): int(row.last) for row in rows}
        self.ended: list[tuple[int, Told, tuple[int, str, str], int]] = []
        self.told: list[Told] = []

    def case(self, at: float) -> None:
        """One more case, opened at that moment."""
        dice, ident = self.dice, self.next_case
        self.next_case += 1
        earlier = dice.choice(self.ended) if self.ended and dice.random() < AGAIN else None
        person = earlier[2] if earlier else self.citizen(at)
        told = self.teller.again(earlier[1]) if earlier else self.matter()
        number, name = person[1], person[2]
        day = local_day(datetime.fromtimestamp(at, UTC), self.zone)
        key = f"{day:%Y%m%d}"
        self.numbers[key] = self.numbers.get(key, 0) + 1
        life = Life(ident, told, at)
        life.columns.update(
            id=ident, number=format_number(day, self.numbers[key]), opened_for=f"{MARK}{ident}", source="call",
            type=told.type, title=told.title, content=told.content, caller_name=name, caller_number=number,
            area=told.area, address=told.address, confidential=dice.random() < 0.02, urgency=told.urgency,
            citizen_id=person[0] or None, agent_id=str(1001 + dice.randrange(AGENTS)), created_at=life.when,
            repeat_of_id=earlier[0] if earlier else None, repeats=earlier[3] + 1 if earlier else 0,
        )  # fmt: skip
        before = len(self.store.works.waiting)
        self.lives.tell(life)
        self.store.cases.add(**{**life.columns, "state": life.state})
        if life.columns.get("registered_at"):
            self.keep(life, [int(row[2]) for row in self.store.works.waiting[before:]])
        if life.columns.get("ended_at") and number:
            self.remember(life, person, earlier[3] + 1 if earlier else 0)

    def matter(self) -> Told:
        """A matter that nobody has told before, or one that somebody has just told."""
        if self.told and self.dice.random() < TWICE:
            return self.teller.again(self.dice.choice(self.told))
        told = self.teller.tell()
        self.told.append(told)
        if len(self.told) > 400:
            del self.told[:200]
        return told

    def remember(self, life: Life, person: tuple[int, str, str], repeats: int) -> None:
        """It may come again."""
        self.ended.append((life.ident, life.told, person, repeats))
        if len(self.ended) > 4000:
            del self.ended[:2000]

    def citizen(self, at: float) -> tuple[int, str, str]:
        """Somebody who calls: some people often, most once; a few without a number."""
        dice = self.dice
        if dice.random() < 0.02:
            return 0, "", ""
        who = int(self.citizens * dice.random() ** 1.6)
        ident = self.known.get(who)
        name = SURNAMES[who % 20] + GIVEN[who // 20 % 20] + GIVEN[who // 400 % 20]
        if ident is None:
            ident = self.known[who] = self.next_citizen
            self.next_citizen += 1
            self.store.citizens.add(id=ident, name=name, confidential=dice.random() < 0.01, created_at=moment(at),
                                    updated_at=moment(at))  # fmt: skip
            self.store.numbers.add(number=f"170{ident:08d}", citizen_id=ident)
        return ident, f"170{ident:08d}", name

    def keep(self, life: Life, units: list[int]) -> None:
        """How it is found; cut line by line, because invented sentences come again."""
        told, person = life.told, str(life.columns["caller_name"])
        texts = ((told.title,), (*told.content.splitlines(), told.area), (told.address, person))
        made: dict[str, None] = {}
        for place, lines in enumerate(texts):
            for line in lines:
                made |= dict.fromkeys(_marked(line, place))
        created = datetime.fromisoformat(f"{life.columns['created_at']}+00:00")
        tags = [f"t{tag}" for tag in (*tags_of(created), *(unit_tag(unit) for unit in units))]
        self.store.index.add(subject_id=life.ident, moment=life.columns["created_at"], words=" ".join([*made, *tags]))


@lru_cache(maxsize=100_000)
def _marked(line: str, place: int) -> tuple[str, ...]:
    return tuple(mark + word for word in dict.fromkeys(token.text for token in tokens(line)) for mark in MARKS[place:])


def _free(session: Session, table: Any) -> int:
    return int(session.execute(select(func.max(table.id))).scalar() or 0) + 1


def _units(session: Session) -> Callable[[str, str], int]:
    """Which unit handles a topic of an area: the topic's own, or the area's."""
    of_topic: dict[str, int] = {}
    of_area: dict[str, int] = {}
    others: list[int] = []
    for unit in session.execute(select(Unit).where(col(Unit.level) == 1).order_by(col(Unit.id))).scalars():
        others.append(unit.id or 0)
        of_topic |= dict.fromkeys(unit.topics, unit.id or 0)
        of_area |= dict.fromkeys(unit.areas, unit.id or 0)

    def find(topic: str, area: str) -> int:
        ident = of_topic.get(topic) or of_area.get(area)
        return ident or others[len(topic) % len(others)]

    return find
