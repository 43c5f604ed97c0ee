"""Cases in the search index: what is kept of them, and how a list is narrowed to those that have some words.

Title, content and area are found by whoever may know of the case, without the citizen's number, name and address, which
somebody may have written into them. Name and address stand in the last text alone, so that an asker who may not seek
the citizen is asked for with the telling texts only: they match nothing there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, false, not_, or_, select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.tables import Assignment
from app.auth.model import Permission
from app.cases import access
from app.cases.model import parse_number
from app.cases.tables import CASE_INDEX, Case
from app.paging import Leaf, Page, page_of
from app.search.index import ANYWHERE, TELLING_TEXTS, Entry, SearchIndex, index_of
from app.search.tokens import sought

FIRST_READ, READ_BY_TIME = 24, 240
"""Days: how far back a common word is looked for at first, and from where on everything is read: to name more
months takes PostgreSQL longer than to put in order whatever so rare a word has (a million cases of five years)."""
SPAN, MOST_SPANS, LATEST = 8, 13, 3
"""Days that share a tag; how many such tags a search names (a longer time is named by its months); how many are read
before the others where a few things are enough."""
_NUMBER_BEGUN = re.compile(r"(20\d{2})(\d{2})(\d{0,2})(?:[-\s]*(\d{0,6}))?")


def keep(session: Session, case: Case) -> None:
    """Bring the index in step with the case, in the transaction that changed it; a draft is not found."""
    if case.registered_at is None:
        return
    units = select(col(Assignment.unit_id)).where(col(Assignment.case_id) == case.id).distinct()
    index_of(CASE_INDEX, session).put(session, entry_of(case, session.execute(units).scalars().all()))


def keep_new(session: Session, case: Case) -> None:
    """The same for a case that was a draft until now: it is not in the index, and no unit has been given it."""
    index_of(CASE_INDEX, session).add(session, entry_of(case))


def entry_of(case: Case, units: Collection[int] = ()) -> Entry:
    """How a case is found; `units` are those that were ever given it."""
    return Entry(
        subject_id=case.id or 0,
        texts=(
            access.hidden(case.title, case),
            f"{access.hidden(case.content, case)}\n{access.hidden(case.area, case)}",
            f"{case.address}\n{case.caller_name}",
        ),
        moment=case.created_at,
        tags=[*tags_of(case.created_at), *(unit_tag(unit) for unit in units)],
    )


def tags_of(moment: datetime) -> tuple[str, str]:
    """The tags that a case which was opened then shares with others of its time: of its month, and of its days."""
    return _month(moment), _span(moment)


def time_tags(since: datetime, until: datetime) -> list[str]:
    """The tags of the cases of this time, the last day among them: as few as leave little else."""
    days = max(0, (until - since).days) + 1
    spans = {_span(since + timedelta(days=n)) for n in range(0, days, SPAN)} | {_span(until)}
    if len(spans) <= MOST_SPANS:
        return sorted(spans)
    return months(since, until)


def months(since: datetime, until: datetime) -> list[str]:
    """The tags of the months of this time: where hardly anything fits, few tags are read sooner than exact ones."""
    days = max(0, (until - since).days) + 1
    return sorted({_month(since + timedelta(days=n)) for n in range(0, days, 10)} | {_month(until)})


def times_in_turn(since: datetime, until: datetime) -> list[list[str]]:
    """The tags of the cases of this time, the latest days before the others."""
    tags = time_tags(since, until)
    return [tags[-LATEST:], tags[:-LATEST]] if len(tags) > LATEST else [tags]


def _month(moment: datetime) -> str:
    return f"m{moment.astimezone(UTC):%Y%m}"


def _span(moment: datetime) -> str:
    return f"d{moment.astimezone(UTC).toordinal() // SPAN}"


def unit_tag(unit_id: int) -> str:
    """The tag of the cases that a unit was given."""
    return f"u{unit_id}"


def read_by_time(session: Session, words: str) -> bool:
    """Whether these words are looked for in the latest days first (`Newest`): the database stops no earlier."""
    return bool(words) and number_begun(words) is None and not index_of(CASE_INDEX, session).stops_early


class Newest:
    """The time that is read for a word: as many of the latest days as hold enough of it, and all if these do not.

    A database that puts everything that fits in order before it shows the newest would read every case that ever had a
    common word. The word is taken to be as common earlier as it is now; where that is wrong everything is read.
    """

    def __init__(self, statement: Callable[[Sequence[str]], Select[Any]], now: datetime) -> None:
        self._statement, self._now, self._days = statement, now, FIRST_READ

    def first(self) -> Select[Any]:
        """What the latest days hold."""
        return self._statement(time_tags(self._now - timedelta(days=self._days), self._now))

    def wider(self, found: int, wanted: int) -> Select[Any] | None:
        """More of it, where `found` of the `wanted` were there (`app.paging.Wider`)."""
        if not self._days:
            return None
        days = self._days * wanted * 3 // (2 * found) if found else READ_BY_TIME + 1
        self._days = days if days <= READ_BY_TIME else 0
        return self.first() if self._days else self._statement(())


def newest_page(
    session: Session, index: SearchIndex, newest: Callable[[Sequence[str]], Select[Any]], leaf: Leaf, now: datetime
) -> Page[Any]:
    """A page of what an index gives, the newest first; `newest` makes the statement for what has any of these tags of
    time, or of whatever time for ()."""
    with index.asking(session):
        if index.stops_early:
            return page_of(session, newest(()), leaf)
        latest = Newest(newest, now)
        return page_of(session, latest.first(), leaf, latest.wider)


def narrowed(
    session: Session, actor: Actor, statement: Select[Any], words: str, times: Sequence[str] = ()
) -> Select[Any]:
    """`statement` about cases that have all of these words, or whose number begins so; the newest first.

    `statement` must be limited to what the asker may know of; `times`: of the time of these tags only.
    """
    if number := number_begun(words):
        first, behind = number
        return statement.where(col(Case.number) >= first, col(Case.number) < behind)
    wanted = sought(words)
    if not wanted:
        return statement.where(false())
    index = index_of(CASE_INDEX, session)
    # What only narrows may be kept wider than the truth: who has the case no more is kept out by `statement`.
    tags = () if actor.may(Permission.cases_read) else [unit_tag(unit) for unit in sorted(actor.unit_ids)]
    if not actor.may(Permission.personal_read):
        return index.among(statement, col(Case.id), index.all_of(wanted, TELLING_TEXTS, tags, times))
    found = index.among(statement, col(Case.id), index.all_of(wanted, ANYWHERE, tags, times))
    if actor.may(Permission.confidential_read):
        return found
    plain = index.fits(col(Case.id), index.all_of(wanted, TELLING_TEXTS))
    return found.where(or_(may_be_sought(actor), plain))


def may_be_sought(actor: Actor) -> Any:
    """The condition for cases that the asker may find by who it is that called."""
    mine = col(Case.agent_id) == (actor.agent_id or "-")
    if not actor.may(Permission.personal_read):
        return mine
    if actor.may(Permission.confidential_read):
        return True
    return or_(mine, not_(access.confidential()))


def number_begun(text: str) -> tuple[str, str] | None:
    """The case numbers that begin as this does, from the first up to one that is behind them; None for other words.

    A year with a month is the least that is taken as a number.
    """
    if whole := parse_number(text):
        return whole, whole + "0"
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _NUMBER_BEGUN.fullmatch(plain)
    if found is None or not _is_begun(found[1], found[2], found[3], bool(found[4])):
        return None
    digits = f"{found[1]}{found[2]}{found[3]}{found[4] or ''}"
    return _dashed(digits), _dashed(str(int(digits) + 1))


def _is_begun(year: str, month: str, day: str, more: bool) -> bool:
    if more and len(day) < 2:
        return False
    try:
        date(int(year), int(month), int(day) if len(day) == 2 else 1)
    except ValueError:
        return False
    return True


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:]}" if len(digits) > 8 else digits
