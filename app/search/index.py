"""One way to keep and to ask an index, on SQLite by FTS5 and on PostgreSQL by tsvector and GIN.

    index = index_of(TABLE, session)        # TABLE = search_table("case_index"), made by a migration
    index.put(session, Entry(case.id, [number and title, matter, everything else]))
    hits = index.find(session, "停水 城南", Scope(now))

or, where things are listed with conditions of their own and the newest first (the greatest ids):

    query = index.all_of(sought("停水"), ANYWHERE, ["u12"])
    statement = index.among(select(Case), Case.id, query)

Writing belongs to the transaction in which the thing itself is written. The database's own tokenizers see ready-made
tokens only (`app.search.tokens`): FTS5's trigram finds nothing for words of two characters, PostgreSQL's parser knows
no Chinese.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlmodel import Session

from app.search.tables import BESIDE
from app.search.tokens import MARKS, Wanted, marked, sought

TELLING_TEXTS, ANYWHERE = MARKS[1], MARKS[2]
MOST_WEIGHED = 2_000
"""On SQLite so many of those that fit equally well are put in order, the newest: a word that stands in more of them
needs another word beside it anyway."""
MOST_TELLING = 6
"""So many of a query's rarest tokens decide what is found by parts of it."""
TELLING = math.log(5)
"""What is found by parts of a query alone must be rarer than one in five: 怎么办 stands in every second article."""
OPEN = {
    False: "audience IN :audiences AND (until IS NULL OR until > :now)",
    True: "audience IN :audiences AND until <= :now",
}
"""Who may find an entry, whose time is not over, or is."""
PLAIN = {"enable_seqscan": "off", "jit": "off", "max_parallel_workers_per_gather": "0"}
"""What PostgreSQL does without while it looks up words."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
TAG = "t"
"""The mark of a tag, beside those of texts (`app.search.tokens.MARKS`)."""


@dataclass(frozen=True)
class Entry:
    """A thing as it is kept in an index: its texts, the most telling first (at most three), and how it is ordered.

    `tags` are words of the owner (letters and digits) by which a search can be narrowed; no text is found by them.
    """

    subject_id: int
    texts: Sequence[str]
    audience: str = ""
    until: datetime | None = None
    weight: int = 0
    moment: datetime = NEVER
    tags: Sequence[str] = ()

    @property
    def words(self) -> list[str]:
        """Every token that it is kept under."""
        return [*marked(self.texts), *(TAG + tag for tag in self.tags)]


@dataclass(frozen=True)
class Scope:
    """Who asks, as the owner's audiences, and when."""

    now: datetime
    audiences: Sequence[str] = ("",)


@dataclass(frozen=True)
class Hit:
    """A thing that was found; `partly`: by some of the words only, because nothing has all of them."""

    subject_id: int
    partly: bool = False


class SearchIndex(ABC):
    """An index of one kind of thing. It never raises for what people type.

    `stops_early`: it finds the newest first and reads no further than it is asked for, however many there are; one that
    does not is asked for the newest with tags that leave little else.
    """

    stops_early = False

    def __init__(self, table: sa.Table) -> None:
        self.table = table

    def put(self, session: Session, entry: Entry) -> None:
        """Keep this entry instead of the one that is kept of that thing, if any."""
        self.remove(session, entry.subject_id)
        self.add(session, entry)

    @abstractmethod
    def add(self, session: Session, entry: Entry) -> None:
        """Keep an entry of a thing of which none is kept yet."""

    @abstractmethod
    def remove(self, session: Session, subject_id: int) -> None:
        """Find it no more; nothing happens if it was not kept."""

    def weigh(self, session: Session, subject_id: int, weight: int) -> None:
        """Another weight, without a look at the texts."""
        session.execute(_weighing(self.table), {"ident": subject_id, "uses": weight})

    def find(self, session: Session, text: str, scope: Scope, limit: int = 20) -> list[Hit]:
        """What has every token of `text`: in the first text before the first two before anywhere, then what is over.

        If nothing has: what has the rarest of them, marked as found partly.
        """
        wanted = sought(text)
        if not wanted:
            return []
        with self.asking(session):
            found: dict[int, None] = {}
            for over, mark in [*((False, mark) for mark in MARKS), (True, ANYWHERE)]:
                if len(found) < limit:
                    query = self.all_of(wanted, mark)
                    rows = session.execute(self.matching(over), self._asked(scope, query, limit)).scalars()
                    found |= dict.fromkeys(rows)
            if found or len(wanted) == 1:
                return [Hit(subject_id) for subject_id in list(found)[:limit]]
            return [Hit(subject_id, partly=True) for subject_id in self._partly(session, wanted, scope, limit)]

    def newest(self, session: Session, queries: Sequence[Sequence[str]], limit: int) -> list[int]:
        """The newest `limit` things (by id) for each of these queries; what fits several of them comes first.

        A query is an expression, or several of which each finds newer things than the next: of these no more is asked
        than is needed.
        """
        if not queries:
            return []
        numbers = itertools.count()
        lists = " UNION ALL ".join(f"SELECT id FROM ({self._in_turn(query, numbers)}) AS s{n}"
                                   for n, query in enumerate(queries))  # fmt: skip
        found = sa.text(f"SELECT id FROM ({lists}) AS u GROUP BY id ORDER BY count(*) DESC, id DESC")
        with self.asking(session):
            values = _numbered([expression for query in queries for expression in query])
            return list(session.execute(found, {**values, "limit": limit}).scalars())

    def _in_turn(self, query: Sequence[str], numbers: Iterator[int]) -> str:
        parts = [self._newest(next(numbers)) for _ in query]
        if len(parts) == 1:
            return parts[0]
        lists = " UNION ALL ".join(f"SELECT id FROM ({part}) AS t{n}" for n, part in enumerate(parts))
        return f"{lists} LIMIT :limit"

    def _partly(self, session: Session, wanted: Sequence[Wanted], scope: Scope, limit: int) -> list[int]:
        queries = [self.all_of([one], ANYWHERE) for one in wanted]
        counts = session.execute(self.count_of(len(queries)), _numbered(queries)).all()
        telling = sorted((count, n) for n, count in counts if count)[:MOST_TELLING]
        if not telling:
            return []
        rows = session.execute(self.each_of(len(telling)), _numbered([queries[n] for _, n in telling])).all()
        lists: dict[int, list[int]] = {}
        for n, subject_id in rows:
            lists.setdefault(n, []).append(subject_id)
        about = session.execute(sa.select(sa.func.max(self.table.c.subject_id))).scalar() or 0
        ranked = rarest(lists, about)[: limit * 10]
        columns = self.table.c
        shown = (
            sa.select(columns.subject_id, columns.until)
            .where(columns.subject_id.in_(ranked))
            .where(columns.audience.in_(scope.audiences))
        )
        until = {row.subject_id: row.until for row in session.execute(shown)}
        visible = [one for one in ranked if one in until]
        return sorted(visible, key=lambda one: bool(until[one] and until[one] <= scope.now))[:limit]

    def _asked(self, scope: Scope, query: str, limit: int) -> Mapping[str, Any]:
        return {"query": query, "audiences": list(scope.audiences), "now": scope.now, "limit": limit}

    def _statement(self, fitting: str) -> sa.TextClause:
        """The ids among what `fitting` selects (subject_id, weight, moment), in order."""
        statement = sa.text(
            f"SELECT subject_id FROM ({fitting}) AS fit ORDER BY weight DESC, moment DESC, subject_id DESC LIMIT :limit"
        )
        now = sa.bindparam("now", type_=self.table.c.until.type)
        return statement.bindparams(now, sa.bindparam("audiences", expanding=True))

    def asking(self, session: Session) -> AbstractContextManager[None]:
        """For the time of a search."""
        return nullcontext()

    @abstractmethod
    def all_of(self, wanted: Sequence[Wanted], mark: str, *tags: Sequence[str]) -> str:
        """The database's expression for all of these tokens at that place, and one of each list of tags with any."""

    @abstractmethod
    def among(self, statement: sa.Select[Any], subject: Any, query: str) -> sa.Select[Any]:
        """`statement` about those things only that fit an expression, the newest (by id) first.

        `subject` is the column that holds the thing's id. It costs what is read of it, however many there are.
        """

    @abstractmethod
    def fits(self, subject: Any, query: str) -> Any:
        """The condition for another expression, for what `among` gives."""

    @abstractmethod
    def matching(self, over: bool) -> sa.TextClause:
        """The ids for an expression (`query`, `audiences`, `now`, `limit`), those with the greatest weight first."""

    def each_of(self, count: int) -> sa.TextClause:
        """Numbers and ids for `count` expressions (q0, q1, …), at most MOST_WEIGHED + 1 ids for each."""
        return sa.text(" UNION ALL ".join(f"SELECT {n}, id FROM ({self._ids(n)}) AS s{n}" for n in range(count)))

    def count_of(self, count: int) -> sa.TextClause:
        """Numbers and how many there are for `count` expressions, counted up to MOST_WEIGHED + 1."""
        return sa.text(" UNION ALL ".join(f"SELECT {n}, count(*) FROM ({self._ids(n)}) AS s{n}" for n in range(count)))

    @abstractmethod
    def _newest(self, n: int) -> str:
        """SQL for the ids (`id`) for expression `:qn`, the newest `:limit` of them."""

    @abstractmethod
    def _ids(self, n: int) -> str:
        """SQL for the ids (`id`) for expression `:qn`, at most MOST_WEIGHED + 1, the newest where that is free."""


class _Fts5(SearchIndex):
    """An external-content table: FTS5 keeps the look-up alone, `words` are in the table itself."""

    stops_early = True

    def add(self, session: Session, entry: Entry) -> None:
        words = " ".join(entry.words)
        session.execute(self.table.insert(), {**_columns(entry), "words": words})
        self._tell(session, "(rowid, words) VALUES (:id, :words)", id=entry.subject_id, words=words)

    def remove(self, session: Session, subject_id: int) -> None:
        row = self.table.c.subject_id == subject_id
        words = session.execute(sa.select(self.table.c.words).where(row)).scalar()
        if words is not None:
            # FTS5 is told what it had been told; it cannot look that up by itself any more.
            what = f"({self._beside}, rowid, words) VALUES ('delete', :id, :words)"
            self._tell(session, what, id=subject_id, words=words)
            session.execute(self.table.delete().where(row))

    def all_of(self, wanted: Sequence[Wanted], mark: str, *tags: Sequence[str]) -> str:
        parts = [f'"{mark}{one.text}"{"*" if one.begins else ""}' for one in wanted]
        return " AND ".join([*parts, *_one_of([[f'"{TAG}{tag}"' for tag in group] for group in tags], " OR ")])

    def among(self, statement: sa.Select[Any], subject: Any, query: str) -> sa.Select[Any]:
        fts = self._table
        # The plus keeps FTS5 on the outside: with an id to look up, SQLite might ask it about every subject in turn.
        on = subject == sa.literal_column(f"+{fts.name}.rowid")
        found = statement.join(fts, on).where(fts.c[fts.name].op("MATCH")(query))
        return found.order_by(None).order_by(fts.c.rowid.desc())

    def fits(self, subject: Any, query: str) -> Any:
        fts = self._table.alias()
        return sa.exists().where(fts.c[self._beside].op("MATCH")(query), fts.c.rowid == subject)

    def matching(self, over: bool) -> sa.TextClause:
        # CROSS JOIN keeps FTS5 on the outside: by the other way round every entry would be looked at.
        name, fts = self.table.name, self._beside
        return self._statement(
            f"SELECT subject_id, weight, moment FROM {fts} CROSS JOIN {name} ON subject_id = {fts}.rowid "
            f"WHERE {fts} MATCH :query AND {OPEN[over]} ORDER BY {fts}.rowid DESC LIMIT {MOST_WEIGHED}"
        )

    def _ids(self, n: int) -> str:
        fts = self._beside
        return f"SELECT rowid AS id FROM {fts} WHERE {fts} MATCH :q{n} ORDER BY rowid DESC LIMIT {MOST_WEIGHED + 1}"

    def _newest(self, n: int) -> str:
        fts = self._beside
        return f"SELECT rowid AS id FROM {fts} WHERE {fts} MATCH :q{n} ORDER BY rowid DESC LIMIT :limit"

    @property
    def _table(self) -> sa.TableClause:
        return sa.table(self._beside, sa.column("rowid"), sa.column(self._beside))

    @property
    def _beside(self) -> str:
        return self.table.name + BESIDE

    def _tell(self, session: Session, what: str, **values: Any) -> None:
        session.execute(sa.text(f"INSERT INTO {self._beside}{what}"), values)


class _Gin(SearchIndex):
    """A column of ready-made lexemes with a GIN index. The text parser of PostgreSQL has no part in it."""

    @contextmanager
    def asking(self, session: Session) -> Iterator[None]:
        """PostgreSQL reckons reading a tsvector as free, and would rather read all of them than the index for a
        common word: here it may not, nor compile a plan, or start workers, for longer than it runs. Afterwards it does
        again what its administrator wants. A transaction that fails meanwhile forgets the settings with itself."""
        before = session.execute(sa.select(*(sa.func.current_setting(name) for name in PLAIN))).one()
        self._set(session, PLAIN)
        yield
        self._set(session, dict(zip(PLAIN, before, strict=True)))

    def _set(self, session: Session, values: Mapping[str, str]) -> None:
        session.execute(sa.select(*(sa.func.set_config(name, value, True) for name, value in values.items())))

    def add(self, session: Session, entry: Entry) -> None:
        session.execute(_adding_lexemes(self.table), {**_columns(entry), "lexemes": entry.words})

    def remove(self, session: Session, subject_id: int) -> None:
        session.execute(self.table.delete().where(self.table.c.subject_id == subject_id))

    def all_of(self, wanted: Sequence[Wanted], mark: str, *tags: Sequence[str]) -> str:
        parts = [f"'{mark}{one.text}'{':*' if one.begins else ''}" for one in wanted]
        return " & ".join([*parts, *_one_of([[f"'{TAG}{tag}'" for tag in group] for group in tags], " | ")])

    def among(self, statement: sa.Select[Any], subject: Any, query: str) -> sa.Select[Any]:
        # OFFSET 0 keeps PostgreSQL from taking the two apart: it would carry the words of every entry that fits. In
        # order, so that it need not read more of the subjects than are shown; in an order that only sorting brings
        # (+ 0), or it would walk through all entries from the newest on and compare the words of each.
        own = self.table.c.subject_id
        fitting = sa.select(own, (own + 0).label("place")).where(_holds(self.table, query))
        newest = fitting.order_by((own + 0).desc()).offset(0).subquery()
        found = statement.join(newest, newest.c.subject_id == subject)
        return found.order_by(None).order_by(newest.c.place.desc())

    def fits(self, subject: Any, query: str) -> Any:
        other = self.table.alias()
        return sa.exists().where(other.c.subject_id == subject, _holds(other, query))

    def matching(self, over: bool) -> sa.TextClause:
        return self._statement(
            f"SELECT subject_id, weight, moment FROM {self.table.name} "
            f"WHERE words @@ CAST(:query AS tsquery) AND {OPEN[over]}"
        )

    def _ids(self, n: int) -> str:
        fit = f"words @@ CAST(:q{n} AS tsquery)"
        return f"SELECT subject_id AS id FROM {self.table.name} WHERE {fit} LIMIT {MOST_WEIGHED + 1}"

    def _newest(self, n: int) -> str:
        fit = f"words @@ CAST(:q{n} AS tsquery)"
        return f"SELECT subject_id AS id FROM {self.table.name} WHERE {fit} ORDER BY subject_id + 0 DESC LIMIT :limit"


def index_of(table: sa.Table, session: Session) -> SearchIndex:
    """The index behind this table in the session's database."""
    return (_Gin if session.get_bind().dialect.name == "postgresql" else _Fts5)(table)


def rarest(lists: Mapping[int, Sequence[int]], about: int) -> list[int]:
    """Things by the rarity of the tokens that they have (number of the token → things), the best first.

    Of about `about` things. A token in more than MOST_WEIGHED of them says nothing as long as another says something;
    things with less than half of the best one's rarity, or with common tokens only, are left out.
    """
    about = max(about, 20)  # among a handful everything is rare
    short = {n: ids for n, ids in lists.items() if len(ids) <= MOST_WEIGHED} or lists
    score: dict[int, float] = {}
    for ids in short.values():
        rarity = math.log((about + 1) / len(ids)) if len(ids) <= about else 0.0
        for subject_id in ids:
            score[subject_id] = score.get(subject_id, 0.0) + rarity
    least = max(TELLING, max(score.values(), default=0.0) / 2)
    return [one for one, value in sorted(score.items(), key=lambda it: (-it[1], -it[0])) if value >= least]


def _columns(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in ("subject_id", "audience", "until", "weight", "moment")}


# Statements that every registration runs: to build one takes as long as to run it.


@cache
def _adding_lexemes(table: sa.Table) -> sa.Insert:
    return table.insert().values(words=sa.func.array_to_tsvector(sa.bindparam("lexemes", type_=ARRAY(sa.Text))))


@cache
def _weighing(table: sa.Table) -> sa.Update:
    return table.update().where(table.c.subject_id == sa.bindparam("ident")).values(weight=sa.bindparam("uses"))


def _holds(table: Any, query: str) -> Any:
    return table.c.words.op("@@")(sa.cast(sa.literal(query), TSQUERY))


def _one_of(groups: Sequence[Sequence[str]], between: str) -> list[str]:
    return [f"({between.join(group)})" for group in groups if group]


def _numbered(queries: Sequence[str]) -> dict[str, str]:
    return {f"q{n}": query for n, query in enumerate(queries)}
