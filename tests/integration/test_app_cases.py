"""Cases: one per call, numbers never twice, nothing typed is lost, nothing done is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import select

from app.actor import SYSTEM, Actor
from app.auth.model import Role
from app.calls.model import CallFacts
from app.cases import service
from app.cases.history import events_of
from app.cases.tables import Case, CaseEvent
from app.citizens import service as citizens
from app.db import Database
from app.errors import BadInput, Forbidden, NotFound, Refused, VersionConflict

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
FULL = {"type": "complaint", "title": "路灯不亮", "content": "人民路路灯三天不亮"}
People = Callable[..., Actor]


def draft(db: Database, call_id: str = "h-1.1", number: str = "13800138000", agent_id: str | None = None) -> Case:
    with db.session() as session:
        return service.open_draft(session, CallFacts(call_id, number=number), agent_id=agent_id, now=NOW, zone=ZONE)


def save(db: Database, actor: Actor, case: Case, fields: dict[str, Any], version: int, how: Any = None) -> Case:
    with db.session() as session:
        return (how or service.amend_or_autosave)(session, actor, case.id or 0, fields, version, now=NOW)


def history(db: Database, case: Case) -> list[str]:
    with db.read() as session:
        return [event.event for event in events_of(session, case.id or 0)]


def test_a_call_opens_one_draft_however_often_it_is_offered(db: Database):
    first = draft(db, agent_id="1001")
    second = draft(db, agent_id="1002")
    third = draft(db, agent_id="1002")
    assert first.id == second.id == third.id
    assert third.agent_id == "1002"
    assert history(db, first) == ["opened", "taken"]


def test_offers_at_the_same_moment_open_one_draft(db: Database):
    made: list[int | None] = []
    failed: list[BaseException] = []
    gate = threading.Barrier(8)

    def offer(n: int) -> None:
        try:
            gate.wait()
            made.append(draft(db, agent_id=f"10{n:02d}").id)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=offer, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(set(made)) == 1
    with db.read() as session:
        assert len(session.exec(select(Case)).all()) == 1


def test_case_numbers_say_the_local_day_and_count_from_one(db: Database):
    late = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)  # 00:30 on the 25th in Shanghai
    with db.session() as session:
        a = service.open_draft(session, CallFacts("h-1"), now=NOW, zone=ZONE)
        b = service.open_draft(session, CallFacts("h-2"), now=NOW, zone=ZONE)
        c = service.open_draft(session, CallFacts("h-3"), now=late, zone=ZONE)
    assert [a.number, b.number, c.number] == ["20261124-000001", "20261124-000002", "20261125-000001"]


def test_a_case_number_is_never_given_twice_by_many_at_once(db: Database):
    numbers: list[str] = []
    failed: list[BaseException] = []

    def open_many(worker: int) -> None:
        try:
            for n in range(15):
                numbers.append(draft(db, call_id=f"h-{worker}.{n}").number)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=open_many, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(numbers) == [f"20261124-{n:06d}" for n in range(1, 121)]


def test_a_number_given_in_a_failed_transaction_is_given_again(db: Database):
    with pytest.raises(RuntimeError), db.session() as session:  # noqa: PT012
        service.open_draft(session, CallFacts("h-lost"), now=NOW, zone=ZONE)
        raise RuntimeError("killed")
    assert draft(db).number == "20261124-000001"


def test_the_draft_knows_the_citizen(db: Database):
    with db.session() as session:
        citizens.create(session, SYSTEM, numbers=["+86 138 0013 8000"], name="王芳", area="城南", address="人民路 1 号")
    case = draft(db)
    assert (case.caller_name, case.area, case.address, case.caller_number) == (
        "王芳",
        "城南",
        "人民路 1 号",
        "13800138000",
    )


def test_the_agents_own_data_never_become_the_citizens(db: Database, person: People):
    agent = person(agent_id="1001")
    case = save(db, agent, draft(db, agent_id="1001"), {"content": "x"}, 1)
    assert agent.display_name not in (case.caller_name, case.address, case.area)
    assert case.caller_name == ""


def test_typing_is_saved_and_every_save_has_the_next_version(db: Database, person: People):
    agent = person(agent_id="1001")
    case = draft(db, agent_id="1001")
    for version, text in enumerate(["人", "人民", "人民路"], start=1):
        assert save(db, agent, case, {"content": text}, version).version == version + 1
    with db.read() as session:
        assert session.get(Case, case.id).content == "人民路"  # type: ignore[union-attr]
    assert history(db, case) == ["opened", "edited"]


def test_saving_the_same_again_makes_no_new_version(db: Database, person: People):
    agent = person(agent_id="1001")
    case = save(db, agent, draft(db, agent_id="1001"), {"content": "a"}, 1)
    assert save(db, agent, case, {"content": "a"}, 2).version == 2


def test_an_edit_of_an_old_version_is_refused_with_what_is_stored(db: Database, person: People):
    agent, chief = person(agent_id="1001"), person(Role.supervisor)
    case = draft(db, agent_id="1001")
    save(db, chief, case, {"content": "from the chief"}, 1)
    with pytest.raises(VersionConflict) as caught:
        save(db, agent, case, {"content": "mine"}, 1)
    body = caught.value.to_json()
    assert body["current"]["version"] == 2
    assert body["current"]["fields"]["content"] == "from the chief"
    assert body["changed_by"] == chief.display_name


def test_of_two_edits_at_the_same_moment_one_wins_and_one_is_told(db: Database, person: People):
    agents = [person(Role.supervisor), person(Role.supervisor)]
    case = draft(db)
    results: list[str] = []
    gate = threading.Barrier(2)

    def edit(actor: Actor) -> None:
        gate.wait()
        try:
            save(db, actor, case, {"content": actor.name}, 1)
            results.append("saved")
        except VersionConflict:
            results.append("conflict")

    threads = [threading.Thread(target=edit, args=(actor,)) for actor in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["conflict", "saved"]


def test_registering_needs_type_and_content_and_says_what_is_missing(db: Database, person: People):
    agent = person(agent_id="1001")
    case = draft(db, agent_id="1001")
    with pytest.raises(BadInput) as caught:
        save(db, agent, case, {}, 1, service.register)
    assert set(caught.value.fields) == {"type", "title", "content"}
    done = save(db, agent, case, FULL, 1, service.register)
    assert (done.state, done.version, done.registered_by) == ("registered", 2, agent.user_id)
    assert history(db, case) == ["opened", "registered"]


def test_a_title_is_taken_from_the_content_when_left_out(db: Database, person: People):
    agent = person(agent_id="1001")
    fields = {"type": "consult", "content": "公积金怎么提取\n详细"}
    assert save(db, agent, draft(db, agent_id="1001"), fields, 1, service.register).title == "公积金怎么提取"


def test_a_double_click_registers_once(db: Database, person: People):
    agent = person(agent_id="1001")
    case = draft(db, agent_id="1001")
    first = save(db, agent, case, FULL, 1, service.register)
    again = save(db, agent, case, FULL, 1, service.register)
    assert (again.id, again.version) == (first.id, first.version)
    assert history(db, case).count("registered") == 1
    with pytest.raises(VersionConflict):
        save(db, person(Role.supervisor), case, FULL, 1, service.register)


def test_a_registered_case_keeps_every_change_in_its_history(db: Database, person: People):
    agent = person(agent_id="1001")
    case = save(db, agent, draft(db, agent_id="1001"), FULL, 1, service.register)
    save(db, agent, case, {"title": "路灯修好了吗"}, 2)
    with db.read() as session:
        last = events_of(session, case.id or 0)[-1]
    assert last.event == "amended"
    assert last.detail == {"fields": {"title": {"from": "路灯不亮", "to": "路灯修好了吗"}}}
    with pytest.raises(BadInput):
        save(db, agent, case, {"title": "", "content": ""}, 3)


def test_registering_teaches_the_citizen_and_never_overwrites_what_is_known(db: Database, person: People):
    agent = person(agent_id="1001")
    save(db, agent, draft(db, agent_id="1001"), {**FULL, "caller_name": "王芳", "area": "城南"}, 1, service.register)
    again = draft(db, "h-1.2", agent_id="1001")
    assert (again.caller_name, again.area) == ("王芳", "城南")
    save(db, agent, again, {**FULL, "caller_name": "李四"}, 1, service.register)
    with db.read() as session:
        citizen = citizens.match(session, "13800138000")
    assert citizen is not None
    assert citizen.name == "王芳"


def test_a_draft_put_aside_says_why_and_can_be_taken_up_again(db: Database, person: People):
    agent = person(agent_id="1001")
    case = draft(db, agent_id="1001")
    with db.session() as session, pytest.raises(BadInput):
        service.discard(session, agent, case.id or 0, 1, "  ")
    with db.session() as session:
        assert service.discard(session, agent, case.id or 0, 1, "打错了").state == "discarded"
    with pytest.raises(Refused):
        save(db, agent, case, FULL, 2, service.register)
    with db.session() as session:
        assert service.restore(session, agent, case.id or 0, 2).state == "draft"


def test_other_agents_drafts_are_not_there_for_an_agent(db: Database, person: People):
    mine, other, chief = person(agent_id="1001"), person(agent_id="1002"), person(Role.supervisor)
    case = draft(db, agent_id="1001")
    with pytest.raises(NotFound):
        save(db, other, case, {"content": "x"}, 1)
    with db.read() as session:
        assert service.list_cases(session, other, ZONE).total == 0
        assert service.list_cases(session, mine, ZONE).total == 1
        assert service.list_cases(session, chief, ZONE).total == 1


def test_after_a_transfer_both_agents_save_and_neither_overwrites_the_other(db: Database, person: People):
    first, second, stranger = (person(agent_id=number) for number in ("1001", "1002", "1003"))
    draft(db, agent_id="1001")
    case = draft(db, agent_id="1002")
    save(db, second, case, {"content": "second"}, 1)
    with pytest.raises(VersionConflict) as caught:
        save(db, first, case, {"content": "first"}, 1)
    assert caught.value.current["fields"]["content"] == "second"
    assert save(db, first, case, {"content": "second, first"}, 2).version == 3
    with pytest.raises(NotFound):
        save(db, stranger, case, {"content": "x"}, 3)


def test_those_without_the_right_change_nothing(db: Database, person: People):
    case = draft(db)
    for role in (Role.auditor, Role.quality, Role.city_leader, Role.unit_handler, Role.citizen):
        with pytest.raises((Forbidden, NotFound)):
            save(db, person(role), case, {"content": "x"}, 1)


def test_a_registered_case_of_another_agent_is_read_but_not_changed(db: Database, person: People):
    mine, other = person(agent_id="1001"), person(agent_id="1002")
    case = save(db, mine, draft(db, agent_id="1001"), FULL, 1, service.register)
    with db.read() as session:
        assert service.get_case(session, other, case.id or 0).id == case.id
    with pytest.raises(Forbidden):
        save(db, other, case, {"title": "x"}, 2)


@pytest.mark.parametrize("statement", ["UPDATE case_event SET event = 'x'", "DELETE FROM case_event"])
def test_the_history_cannot_be_rewritten_even_with_plain_sql(db: Database, statement: str):
    draft(db)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), db.session() as session:
        session.connection().exec_driver_sql(statement)
    with db.read() as session:
        assert [event.event for event in session.exec(select(CaseEvent)).all()] == ["opened"]


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "murder"},
        {"nothing": "x"},
        {"title": 5},
        {"confidential": "yes"},
        {"content": "x" * 30_000},
        {"type": 7},
    ],
)
def test_impossible_fields_are_named(db: Database, person: People, fields: dict[str, Any]):
    with pytest.raises(BadInput) as caught:
        save(db, person(agent_id="1001"), draft(db, agent_id="1001"), fields, 1)
    assert set(caught.value.fields) == set(fields)


def test_hostile_text_is_stored_as_text(db: Database, person: People):
    agent = person(agent_id="1001")
    nasty = "a\0b\r\nc'; DROP TABLE case_file;--<script>\ud800\u202e"
    case = save(db, agent, draft(db, agent_id="1001"), {"content": nasty, "caller_name": nasty}, 1)
    assert case.content == "ab\nc'; DROP TABLE case_file;--<script>"
    assert "\n" not in case.caller_name


def test_a_case_opened_by_hand_twice_with_one_key_is_one_case(db: Database, person: People):
    agent = person(agent_id="1001")
    made = []
    for _ in range(2):
        with db.session() as session:
            made.append(service.create_manual(session, agent, {"content": "第二件事"}, idempotency_key="k1"))
    assert made[0].id == made[1].id
    colleague = person(agent_id="1002")
    with db.session() as session:
        other = service.create_manual(session, colleague, {}, idempotency_key="k1")
    assert other.id != made[0].id


def test_a_caller_hears_only_of_cases_filed_from_their_own_telephone(db: Database):
    case = draft(db)
    with db.session() as session:
        citizens.create(session, SYSTEM, numbers=["02155551234", "13900000000"])
    spoken = case.number.replace("-", "")
    with db.read() as session:
        assert service.by_number_for_caller(session, spoken, "+8613800138000").id == case.id  # type: ignore[union-attr]
        assert service.by_number_for_caller(session, case.number, "13900000000") is None
        assert service.by_number_for_caller(session, case.number, "") is None
        assert service.by_number_for_caller(session, "99999999999999", "13800138000") is None


def test_a_case_may_be_asked_for_from_any_number_of_its_citizen(db: Database):
    with db.session() as session:
        citizens.create(session, SYSTEM, numbers=["13800138000", "02155551234"])
    case = draft(db)
    with db.read() as session:
        assert service.by_number_for_caller(session, case.number, "021-5555-1234").id == case.id  # type: ignore[union-attr]


def test_lists_are_filtered_paged_and_newest_first(db: Database, person: People):
    chief = person(Role.supervisor)
    for n in range(30):
        with db.session() as session:
            service.open_draft(session, CallFacts(f"h-{n}", number=f"139{n:08d}"), now=NOW + timedelta(minutes=n))
    with db.read() as session:
        page = service.list_cases(session, chief, ZONE)
        assert (page.total, len(page.items)) == (30, 25)
        assert page.items[0].caller_number == "13900000029"
        assert service.list_cases(session, chief, ZONE, state="registered").total == 0
        assert service.list_cases(session, chief, ZONE, number="13900000007").total == 1
        assert service.list_cases(session, chief, ZONE, q="20261124-000004").total == 1
        assert service.list_cases(session, chief, ZONE, q="2026112400000 4").total == 1
        assert service.list_cases(session, chief, ZONE, q="%").total == 0
        assert service.list_cases(session, chief, ZONE, from_=NOW.date(), to=NOW.date()).total == 30
        assert service.list_cases(session, chief, ZONE, to=(NOW - timedelta(days=1)).date()).total == 0
