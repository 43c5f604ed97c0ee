"""A city in small for tests of the case loop: a centre, two bureaus, a unit below one of them, and who works there."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from app.actor import SYSTEM, Actor
from app.assignments import giving, judging, working
from app.assignments.acting import works_of
from app.assignments.giving import Gift
from app.assignments.tables import Assignment
from app.auth.model import Role
from app.auth.service import create_user
from app.auth.sessions import actor_of
from app.auth.tables import User
from app.cases import loop, service
from app.cases.history import events_of
from app.cases.loop import items_of
from app.cases.model import HandlingWay
from app.cases.tables import Case
from app.db import Database
from app.followups.model import Heard
from app.followups.service import follow_up
from app.notices.tables import Notice
from app.units import members
from app.units import service as units
from app.units.model import MemberRole
from tests.integration.web_browser import PASSWORD

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # a Tuesday, 09:00 in the city
MATTER = {"type": "complaint", "title": "路灯不亮", "content": "人民路路灯三天不亮，晚上老人不敢出门"}
_serial = itertools.count(1)
Done = TypeVar("Done")


class World:
    """People and units; every act happens at `now`, on the version that is stored."""

    def __init__(self, db: Database) -> None:
        self.db, self.now = db, START
        self.units: dict[str, int] = {}
        self.people: dict[str, Actor] = {}
        with db.session() as session:
            for code, kind, name, parent in (
                ("C", "centre", "热线中心", None),
                ("WATER", "bureau", "水务局", "C"),
                ("CITY", "bureau", "城管局", "C"),
                ("WATER-S", "subordinate", "城南水务所", "WATER"),
            ):
                values = {"code": code, "kind": kind, "name": name}
                above = self.units[parent] if parent else None
                unit = units.create(session, SYSTEM, values, parent_id=above, now=START)
                self.units[code] = unit.id or 0
        for name, role in (
            ("taker", Role.agent),
            ("dispatcher", Role.dispatcher),
            ("head", Role.section_head),
            ("leader", Role.duty_leader),
            ("mayor", Role.city_leader),
            ("auditor", Role.auditor),
        ):
            self.people[name] = self.somebody(role)
        for code in ("WATER", "CITY", "WATER-S"):
            self.people[f"{code}.handler"] = self.member(code, MemberRole.handler)
            self.people[f"{code}.leader"] = self.member(code, MemberRole.leader)

    def copied_to(self, db: Database) -> World:
        """The same city in a copy of its database."""
        other = copy.copy(self)
        other.db, other.units, other.people = db, dict(self.units), dict(self.people)
        return other

    def somebody(self, *roles: Role) -> Actor:
        """A new account with these roles."""
        return actor_of(self.account(*roles))

    def account(self, *roles: Role) -> User:
        """A new account."""
        name = f"p{next(_serial)}"
        user, _ = create_user(self.db, name, roles=roles, password=PASSWORD, display_name=f"人员{name}")
        return user

    def member(self, code: str, role: MemberRole) -> Actor:
        """A new member of a unit."""
        user = self.account(Role(role.value))
        with self.db.session() as session:
            members.add(session, SYSTEM, self.units[code], user.id or 0, role, now=START)
        return actor_of(user, unit_ids=frozenset({self.units[code]}))

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def case(self, matter: Mapping[str, Any] = MATTER, *, number: str = "13800138000", **more: Any) -> int:
        """A registered case of the taker's."""
        taker = self.people["taker"]
        fields = {**matter, "caller_number": number, "caller_name": "王小明", "address": "幸福里 5 号", **more}
        with self.db.session() as session:
            case = service.create_manual(session, taker, fields, now=self.now)
            service.register(session, taker, case.id or 0, {}, case.version, now=self.now)
            return case.id or 0

    def act(self, who: str, what: Callable[..., Done], case_id: int, *args: Any, **more: Any) -> Done:
        """Somebody does something to a case; what the act gives."""
        with self.db.session() as session:
            version = self.stored(session, case_id).version
            return what(session, self.people[who], case_id, version, *args, now=self.now, **more)

    def work(self, who: str, what: Callable[..., Assignment], work_id: int, *args: Any, **more: Any) -> Assignment:
        """Somebody does something to an assignment."""
        with self.db.session() as session:
            row = session.get(Assignment, work_id)
            assert row is not None
            return what(session, self.people[who], work_id, row.version, *args, now=self.now, **more)

    def dispatched(
        self, *codes: str, lead: str = "", way: HandlingWay = HandlingWay.written, case_id: int | None = None
    ) -> tuple[int, list[int]]:
        """A case that these units have; the first leads. Its id and theirs."""
        case_id = self.case() if case_id is None else case_id
        if self.state(case_id) == "registered":
            self.act("taker", loop.submit, case_id)
        way = HandlingWay.coordinated if len(codes) > 1 else way
        gifts = [Gift(self.units[code], lead=len(codes) > 1 and code == (lead or codes[0])) for code in codes]
        self.act("dispatcher", giving.dispatch, case_id, way, gifts)
        return case_id, [self.work_of(case_id, code) for code in codes]

    def signed(self) -> tuple[int, int]:
        """A case for which the water bureau has signed. Its id and the assignment's."""
        case_id, [work_id] = self.dispatched("WATER")
        self.work("WATER.handler", working.sign, work_id)
        return case_id, work_id

    def reply_fields(self, case_id: int, **more: Any) -> dict[str, Any]:
        """A complete reply."""
        with self.db.read() as session:
            answers = {str(item.id): "已更换灯泡，照明恢复正常。" for item in items_of(session, case_id)}
        return {
            "result": "已修复全部 6 盏路灯。",
            "measures": "更换灯泡并检修线路。",
            "answers": answers,
            "contact": "phone",
            "contacted_at": self.now,
            "opinion": "satisfied",
            "signed_name": "李工",
            **more,
        }

    def handed_in(self, case_id: int, code: str, **more: Any) -> int:
        """The unit signs if it has to, writes its reply and has it signed by its leader. The assignment."""
        work_id = self.work_of(case_id, code)
        if self.work_state(work_id) == "dispatched":
            self.work(f"{code}.handler", working.sign, work_id)
        fields = self.reply_fields(case_id, **more)
        with self.db.read() as session:
            row = session.get(Assignment, work_id)
            assert row is not None
            reply = working.reply_of(session, row)
        self.work(f"{code}.handler", working.submit, work_id, fields, reply.version if reply else 0)
        self.work(f"{code}.leader", working.approve, work_id, "同意", seal=True)
        return work_id

    def to_follow_up(self, *codes: str) -> int:
        """A case whose result the centre has accepted."""
        case_id, _ = self.dispatched(*(codes or ("WATER",)))
        for code in codes or ("WATER",):
            self.handed_in(case_id, code)
        self.act("head", judging.accept_case, case_id, "同意")
        return case_id

    def asked(self, case_id: int, heard: Heard) -> Case:
        """The citizen was called back."""
        return self.act("taker", follow_up, case_id, heard)

    def state(self, case_id: int) -> str:
        """Where the case stands."""
        with self.db.read() as session:
            return self.stored(session, case_id).state

    def work_state(self, work_id: int) -> str:
        """Where the assignment stands."""
        with self.db.read() as session:
            row = session.get(Assignment, work_id)
            assert row is not None
            return row.state

    def work_of(self, case_id: int, code: str) -> int:
        """The unit's newest assignment in that case."""
        with self.db.read() as session:
            mine = [work.id for work in works_of(session, case_id) if work.unit_id == self.units[code]]
        return mine[-1] or 0

    def stored(self, session: Session, case_id: int) -> Case:
        """The case's row."""
        case = session.get(Case, case_id)
        assert case is not None
        return case

    def told(self, who: str) -> list[str]:
        """The kinds of what somebody was told, oldest first."""
        mine = select(Notice).where(Notice.user_id == self.people[who].user_id).order_by(col(Notice.id))
        with self.db.read() as session:
            return [row.kind for row in session.exec(mine).all()]

    def history(self, case_id: int) -> list[str]:
        """What happened, oldest first."""
        with self.db.read() as session:
            return [event.event for event in events_of(session, case_id)]
