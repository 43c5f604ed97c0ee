"""The network in the database: who changes it, what is refused, what moves along, who works where, tables, REST."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from agi_scripts.services import UnitLine
from app.actor import SYSTEM, Actor
from app.audit.tables import AuditEntry
from app.auth.model import Permission, Role, permissions_of
from app.auth.service import login, session_user
from app.db import Database
from app.errors import BadInput, Conflict, Forbidden, HotlineError, NotFound, Refused, VersionConflict
from app.settings import Settings
from app.units import exchange, members, queries, service, suggestions
from app.units.answering import Line, line_at
from app.units.fields import Phone
from app.units.model import Hindrance, MemberRole, PhoneKind
from app.units.tables import Unit, UnitMember
from app.voice_services import VoiceServices
from tests.integration.web_browser import PASSWORD, Browser

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
People = Callable[..., Actor]
HEAD = "编码,名称,类别,上级编码,职责,电话"


def values(code: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "name": f"单位{code}", "kind": kind, **more}


def made(session: Session, code: str, kind: str, parent: Unit | None = None, **more: Any) -> Unit:
    return service.create(session, SYSTEM, values(code, kind, **more), parent_id=parent.id if parent else None, now=NOW)


@pytest.fixture
def net(db: Database) -> dict[str, Unit]:
    """A centre, two bureaus, units down to level 3 below one of them, and a neighbour."""
    with db.session() as session:
        centre = made(session, "C", "centre")
        a, b = made(session, "A", "bureau", centre), made(session, "B", "district", centre)
        a1 = made(session, "A-1", "subordinate", a)
        made(session, "A-1-1", "subordinate", a1)
        made(session, "N", "neighbour")
        return {unit.code: unit for unit in queries.tree(session, SYSTEM)} | {"B": b}


def id_of(net: dict[str, Unit], code: str) -> int:
    return net[code].id or 0


def audited(db: Database) -> list[tuple[str, str]]:
    with db.read() as session:
        rows = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
        return [(row.action, row.object) for row in rows if row.action.startswith("unit")]


def levels(db: Database) -> dict[str, int | None]:
    with db.read() as session:
        return {unit.code: unit.level for unit in queries.tree(session, SYSTEM, closed=True)}


def test_the_network_is_read_from_the_top_and_knows_what_is_above_and_below(db: Database, net: dict[str, Unit]):
    with db.read() as session:
        assert [unit.code for unit in queries.tree(session, SYSTEM)] == ["C", "A", "B", "A-1", "A-1-1", "N"]
        assert [unit.code for unit in queries.ancestors(session, id_of(net, "A-1-1"))] == ["C", "A", "A-1"]
        assert [unit.code for unit in queries.descendants(session, id_of(net, "A"))] == ["A-1", "A-1-1"]
        may = {(x, y) for x in net for y in net if queries.may_hand_down(session, id_of(net, x), id_of(net, y))}
    assert may == {("C", "A"), ("C", "B"), ("A", "A-1"), ("A-1", "A-1-1")}
    assert levels(db) == {"C": 0, "A": 1, "B": 1, "A-1": 2, "A-1-1": 3, "N": None}


def test_a_unit_moves_with_everything_below_it_but_never_below_itself(db: Database, net: dict[str, Unit]):
    one = id_of(net, "A-1")
    with db.session() as session:
        assert service.move(session, SYSTEM, one, 1, id_of(net, "B")).version == 2
    assert levels(db)["A-1-1"] == 3
    for target in ("A-1", "A-1-1", "N"):
        with pytest.raises(BadInput) as caught, db.session() as session:
            service.move(session, SYSTEM, one, 2, id_of(net, target))
        assert list(caught.value.fields) == ["parent"]
    with db.session() as session:
        leaf = made(session, "B-2", "subordinate", net["B"])
    with pytest.raises(BadInput), db.session() as session:  # it would take its own child to level 4
        service.move(session, SYSTEM, one, 2, leaf.id)
    with db.session() as session:
        service.move(session, SYSTEM, id_of(net, "A-1-1"), 1, id_of(net, "B"))
    assert levels(db)["A-1-1"] == 2
    assert audited(db)[-1] == ("unit.moved", f"unit:{id_of(net, 'A-1-1')}")


def test_two_moves_at_once_make_no_circle(db: Database, net: dict[str, Unit]):
    with db.session() as session:
        one, other = made(session, "X", "subordinate", net["A"]), made(session, "Y", "subordinate", net["B"])
    refused: list[HotlineError] = []

    def move(unit: Unit, below: Unit) -> None:
        try:
            with db.session() as session:
                service.move(session, SYSTEM, unit.id or 0, 1, below.id)
        except HotlineError as error:
            refused.append(error)

    threads = [threading.Thread(target=move, args=pair) for pair in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(error) for error in refused] == [BadInput]
    with db.read() as session:
        assert {len(queries.ancestors(session, unit.id or 0)) for unit in (one, other)} == {2, 3}


def test_a_unit_with_children_or_open_work_is_closed_only_after_they_were_moved(db: Database, net: dict[str, Unit]):
    one, work = id_of(net, "A-1"), [Hindrance("cases", 2, "还有 2 件工单未办结", "2 open cases")]
    with pytest.raises(Refused, match=r"1 units below.*2 open cases") as caught, db.session() as session:
        service.close(session, SYSTEM, one, 1, [lambda _session, _unit: work])
    assert caught.value.extra["hinders"] == [{"what": "children", "count": 1}, {"what": "cases", "count": 2}]
    with db.session() as session:
        service.close(session, SYSTEM, id_of(net, "A-1-1"), 1)
        assert not service.close(session, SYSTEM, one, 1).active
        assert not service.close(session, SYSTEM, one, 1).active, "again changes nothing"
    with pytest.raises(Refused, match="parent"), db.session() as session:
        service.reopen(session, SYSTEM, id_of(net, "A-1-1"), 2)
    with pytest.raises(Refused), db.session() as session:
        service.close(session, SYSTEM, id_of(net, "C"), 1)
    with db.session() as session:
        assert service.reopen(session, SYSTEM, one, 2).active
        assert not queries.may_hand_down(session, one, id_of(net, "A-1-1")), "the child is still closed"
    assert [action for action, _ in audited(db)][-3:] == ["unit.closed", "unit.closed", "unit.reopened"]


def test_codes_and_the_centre_are_there_once(db: Database, net: dict[str, Unit]):
    for code, kind, parent in (("A", "bureau", net["C"]), ("C2", "centre", None)):
        with pytest.raises(Conflict), db.session() as session:
            made(session, code, kind, parent)
    with pytest.raises(BadInput), db.session() as session:
        made(session, "X", "bureau", net["A"])
    with pytest.raises(BadInput), db.session() as session:
        service.create(session, SYSTEM, values("X", "bureau"), parent_id=4711)


def test_two_editors_do_not_overwrite_each_other_and_what_changed_is_audited(
    db: Database, net: dict[str, Unit], person: People
):
    first, second, one = person(Role.dispatcher), person(Role.admin), id_of(net, "A")
    phones = [Phone(PhoneKind.duty, "55501234", "夜间")]
    with db.session() as session:
        service.change(session, first, one, 1, values("A", "bureau", duties="修路"), phones)
    with pytest.raises(VersionConflict) as caught, db.session() as session:
        service.change(session, second, one, 1, values("A", "bureau", duties="修桥"))
    assert caught.value.current["duties"] == "修路"
    assert caught.value.current["phones"] == [{"kind": "duty", "number": "55501234", "note": "夜间"}]
    assert caught.value.extra["changed_by"] == first.display_name
    with db.session() as session:
        same = service.change(session, second, one, 2, values("A", "bureau", duties="修路"), phones)
        assert same.version == 2, "nothing was changed"
    with pytest.raises(BadInput), db.session() as session:
        service.change(session, second, one, 2, values("A", "subordinate"))
    assert audited(db)[-1] == ("unit.changed", f"unit:{one}")


def test_units_are_found_by_name_code_and_sounds_the_closest_first(db: Database, net: dict[str, Unit]):
    with db.session() as session:
        made(session, "SW", "bureau", net["C"], name="云川市水务局", short_name="水务局")
        made(session, "PS", "subordinate", net["A"], name="水务局排水处")
    with db.read() as session:
        for words in ("水务局", "swj", "SWJ"):
            assert [unit.code for unit in queries.search(session, SYSTEM, words)] == ["SW", "PS"], words
        assert next(iter(queries.search(session, SYSTEM, "sw"))).code == "SW"
        assert queries.search(session, SYSTEM, "%") == []
        assert queries.search(session, SYSTEM, " ") == []


def test_everybody_but_citizens_reads_the_directory_and_only_dispatchers_and_administrators_change_it(
    db: Database, net: dict[str, Unit]
):
    one = id_of(net, "A")
    steps: list[Callable[[Session, Actor], Any]] = [
        lambda session, asker: service.create(session, asker, values("X", "neighbour")),
        lambda session, asker: service.change(session, asker, one, 1, values("A", "bureau")),
        lambda session, asker: service.move(session, asker, one, 1, None),
        lambda session, asker: service.close(session, asker, one, 1),
        lambda session, asker: service.reopen(session, asker, one, 1),
        lambda session, asker: service.hindering(session, asker, one),
        lambda session, asker: members.add(session, asker, one, 1, MemberRole.handler),
        lambda session, asker: members.end(session, asker, one, 1),
        lambda session, asker: members.candidates(session, asker),
        lambda session, asker: exchange.import_units(session, asker, b"", dry_run=True),
        lambda session, asker: exchange.import_members(session, asker, b"", dry_run=True),
    ]
    assert {role for role in Role if Permission.units_write in permissions_of([role])} == {Role.dispatcher, Role.admin}
    assert {role for role in Role if Permission.units_read not in permissions_of([role])} == {Role.citizen}
    handler, citizen = (Actor(user_id=None, roles=frozenset({role})) for role in (Role.unit_handler, Role.citizen))
    with db.read() as session:
        assert len(queries.tree(session, handler)) == 6
    reads: list[Callable[[Session, Actor], Any]] = [
        queries.tree,
        lambda session, asker: queries.get(session, asker, one),
        lambda session, asker: queries.search(session, asker, "A"),
        lambda session, asker: members.listed(session, asker, one),
        lambda session, asker: suggestions.suggest(session, asker, "停水"),
        exchange.export_units,
        exchange.export_members,
    ]
    for asker, refused in ((handler, steps), (citizen, [*steps, *reads])):
        for step in refused:
            with pytest.raises(Forbidden), db.session() as session:
                step(session, asker)


def test_members_have_the_role_of_their_account_come_and_go_and_are_seen_by_colleagues_only(
    db: Database, net: dict[str, Unit], person: People
):
    chief, handler, leader = person(Role.dispatcher), person(Role.unit_handler), person(Role.unit_leader)
    one = id_of(net, "A")
    with db.session() as session:
        assert {c.user.id: c.units for c in members.candidates(session, chief)} == {
            handler.user_id: 0,
            leader.user_id: 0,
        }
        row = members.add(session, chief, one, handler.user_id or 0, MemberRole.handler, now=NOW)
        again = members.add(session, chief, one, handler.user_id or 0, MemberRole.handler)
        assert again.id == row.id
        members.add(session, chief, one, leader.user_id or 0, MemberRole.leader)
    for wrong in (chief.user_id, leader.user_id, 4711):
        with pytest.raises(BadInput), db.session() as session:
            members.add(session, chief, one, wrong or 0, MemberRole.handler)
    colleague = Actor(user_id=1, roles=frozenset({Role.unit_handler}), unit_ids=frozenset({one}))
    stranger = Actor(user_id=2, roles=frozenset({Role.unit_handler}), unit_ids=frozenset({id_of(net, "B")}))
    with db.session() as session:
        assert [m.row.role for m in members.listed(session, colleague, one)] == ["unit_leader", "unit_handler"]
        with pytest.raises(Forbidden):
            members.listed(session, stranger, one)
        assert exchange.export_members(session, colleague).decode().count("\r\n") == 3
        assert exchange.export_members(session, stranger).decode().count("\r\n") == 1
    with db.session() as session:
        ended = members.end(session, chief, one, row.id or 0, now=NOW)
        assert members.end(session, chief, one, row.id or 0).until == ended.until == NOW
        with pytest.raises(NotFound):
            members.end(session, chief, id_of(net, "B"), row.id or 0)
    with db.read() as session:
        assert len(members.listed(session, chief, one)) == 1
        assert len(members.listed(session, chief, one, past=True)) == 2
        assert len(session.exec(select(UnitMember)).all()) == 2
    kinds = [action for action, _ in audited(db)]
    assert kinds.count("unit.member_added") == 2
    assert kinds.count("unit.member_ended") == 1


def test_who_asks_knows_their_working_units_by_the_one_statement_that_knows_them(
    db: Database, net: dict[str, Unit], person: People
):
    handler = person(Role.unit_handler)
    token = login(db, handler.name, PASSWORD, "10.0.0.1").token
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            asked.append(statement)

    def units() -> frozenset[int]:
        who = session_user(db, token)
        assert who is not None
        return who.unit_ids

    assert units() == frozenset()
    ids = [id_of(net, "A-1-1"), id_of(net, "B")]
    with db.session() as session:
        for one in ids:
            members.add(session, SYSTEM, one, handler.user_id or 0, MemberRole.handler)
    for engine in db.engines:
        event.listen(engine, "before_cursor_execute", note)
    assert units() == frozenset(ids)
    assert len(asked) == 1, asked
    with db.session() as session:
        service.close(session, SYSTEM, ids[0], 1)
    assert units() == frozenset(ids[1:]), "a closed unit gives no rights"


def test_the_starting_network_is_imported_whole_and_again_changes_nothing(db: Database):
    data = suggestions.NETWORK.read_bytes()
    with db.session() as session:
        tried = exchange.import_units(session, SYSTEM, data, dry_run=True)
    assert (tried.faults, tried.written) == ([], False)
    assert len(tried.created) >= 36
    with db.read() as session:
        assert queries.tree(session, SYSTEM) == []
    with db.session() as session:
        assert exchange.import_units(session, SYSTEM, data, dry_run=False).written
    with db.session() as session:
        exported = exchange.export_units(session, SYSTEM)
        for table in (data, exported):
            again = exchange.import_units(session, SYSTEM, table, dry_run=True)
            assert (again.faults, again.created, again.changed) == ([], [], [])
            assert again.unchanged == len(tried.created)
        found = suggestions.suggest(session, SYSTEM, "我家暖气片冰凉，屋里才十四度")
        assert (found[0][0].short_name, "暖气片" in found[0][1][0]) == ("热力公司", True)
        water = next(unit for unit in queries.tree(session, SYSTEM) if unit.code == "GS")
        below = suggestions.suggest(session, SYSTEM, "路口爆管了，水喷得很高", below=water.id)
        assert below[0][0].short_name == "供水抢修"
    assert [action for action, _ in audited(db)][-2:] == ["units.imported", "units.exported"]


FAULTY = [
    (["X,甲,市直部门,C,,", "X,乙,市直部门,C,,"], [(3, "编码")]),
    (["X,甲,市直部门,NO,,"], [(2, "上级编码")]),
    (["X,甲,下属单位,C,,"], [(2, "上级编码")]),
    (["X,甲,部,C,,"], [(2, "类别")]),
    (["X,,市直部门,C,,1"], [(2, "名称"), (2, "电话")]),
    (["X,甲,下属单位,Y,,", "Y,乙,下属单位,X,,"], [(2, "上级编码"), (3, "上级编码")]),
    ([f"X{n},甲,下属单位,{f'X{n - 1}' if n else 'A'},," for n in range(3)], [(4, "上级编码")]),
    (["C2,甲,热线中心,,,"], [(2, "类别")]),
    (["A,甲,市直部门,B,,"], [(2, "上级编码")]),
    (["A,甲,开发区,C,,"], [(2, "类别")]),
    (["小,甲,市直部门,C,,"], [(2, "编码")]),
]


def test_a_table_with_a_fault_is_named_row_and_column_and_nothing_of_it_is_written(db: Database, net: dict[str, Unit]):
    for rows, faults in FAULTY:
        table = "\n".join([HEAD, *rows, "OK,好的单位,市直部门,C,,"]).encode()
        with db.session() as session:
            outcome = exchange.import_units(session, SYSTEM, table, dry_run=False)
        assert [(fault.row, fault.column) for fault in outcome.faults] == faults, rows
        assert not outcome.written
    assert len(levels(db)) == 6
    assert "units.imported" not in [action for action, _ in audited(db)]


def test_a_column_that_a_table_has_not_leaves_what_is_stored(db: Database, net: dict[str, Unit]):
    with db.session() as session:
        phones = [Phone(PhoneKind.fax, "55500001")]
        service.change(session, SYSTEM, id_of(net, "A"), 1, values("A", "bureau", duties="修路"), phones)
        table = "编码,名称,类别,上级编码\nA,新名,市直部门,C\nD,丁,下属单位,E\nE,戊,市直部门,C\n".encode("gb18030")
        outcome = exchange.import_units(session, SYSTEM, table, dry_run=False)
        assert (outcome.created, outcome.changed) == (["E", "D"], ["A"]), "a parent may stand below its child"
        unit = queries.get(session, SYSTEM, id_of(net, "A"))
        assert (unit.name, unit.duties) == ("新名", "修路")
        assert len(queries.phones_of(session, [unit.id or 0])[unit.id or 0]) == 1


def test_members_are_imported_whole_or_not_at_all(db: Database, net: dict[str, Unit], person: People):
    chief, handler = person(Role.dispatcher), person(Role.unit_handler)
    head = "单位编码,账户,角色\n"
    bad = f"{head}A,{handler.name},负责人\nZ,nobody,经办人\nA,{handler.name},经办人\n".encode()
    with db.session() as session:
        told = exchange.import_members(session, chief, bad, dry_run=False)
    assert [(fault.row, fault.column) for fault in told.faults] == [(2, "账户"), (3, "单位编码"), (3, "账户")]
    good = f"{head}a,{handler.name.upper()},经办人\nA,{handler.name},经办人\n".encode()
    with db.session() as session:
        told = exchange.import_members(session, chief, good, dry_run=False)
        assert (told.created, told.unchanged, told.written) == ([f"A {handler.name}"], 1, True)
        assert len(members.listed(session, chief, id_of(net, "A"))) == 1


def test_rest_walks_the_network(browser: Callable[..., Browser], net: dict[str, Unit]):
    chief, handler = browser(Role.dispatcher), browser(Role.unit_handler)
    new = {"code": "W", "name": "水务局", "kind": "bureau", "parent_id": id_of(net, "C"), "keywords": ["停水"]}
    assert handler.send("POST", "/api/units", json=new).status_code == 403
    answer = chief.send("POST", "/api/units", json=new)
    assert answer.status_code == 201, answer.text
    unit = answer.json()
    assert [one["code"] for one in unit["path"]] == ["C"]
    assert [one["code"] for one in handler.send("POST", "/api/units/search", json={"q": "swj"}).json()] == ["W"]
    assert handler.send("POST", "/api/units/search", json={"q": " "}).json() == []
    assert handler.get("/api/units?q=swj").status_code == 422, "words that are sought stand in no address"
    assert len(handler.get("/api/units").json()) == 7
    path = f"/api/units/{unit['id']}"
    assert handler.get(f"{path}/members").status_code == 403
    edit = {**{k: new[k] for k in ("code", "name", "kind")}, "phones": [{"kind": "voice", "number": "5550 1234"}]}
    assert chief.send("PATCH", path, json={**edit, "version": 1}).json()["phones"][0]["number"] == "55501234"
    clash = chief.send("PATCH", path, json={**edit, "version": 1})
    assert (clash.status_code, clash.json()["current"]["version"]) == (409, 2)
    assert chief.send("POST", f"{path}/close", json={"version": 2}).json()["active"] is False
    assert chief.send("POST", f"{path}/reopen", json={"version": 3}).json()["active"] is True
    hinders = chief.get(f"/api/units/{id_of(net, 'A')}/hindrances").json()
    assert [(one["what"], one["count"]) for one in hinders] == [("children", 1)]
    refused = chief.send("POST", f"/api/units/{id_of(net, 'A')}/close", json={"version": 1})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "hindered")
    assert chief.send("POST", f"{path}/move", json={"version": 4, "parent_id": unit["id"]}).status_code == 422
    person = chief.get("/api/units/candidates").json()[0]
    added = chief.send("POST", f"{path}/members", json={"user_id": person["user_id"], "role": "unit_handler"}).json()
    assert handler.get(f"{path}/members").json() == added, "a colleague now"
    assert chief.send("POST", f"{path}/members/{added[0]['id']}/end").json() == []
    told = handler.send("POST", "/api/units/suggest", json={"text": "单位W"}).json()
    assert isinstance(told, list)
    table = chief.get("/api/units/export")
    assert table.headers["content-type"].startswith("text/csv")
    sent = chief.send("POST", "/api/units/import", files={"file": ("units.csv", table.content, "text/csv")})
    assert (sent.status_code, sent.json()["written"], sent.json()["unchanged"]) == (200, False, 7)
    assert chief.get("/api/units/export-members").status_code == 200


def test_a_unit_is_called_on_its_duty_number_outside_of_its_hours(
    db: Database, net: dict[str, Unit], settings: Settings
):
    phones = [Phone(PhoneKind.fax, "55500000"), Phone(PhoneKind.duty, "55500002"), Phone(PhoneKind.voice, "55500001")]
    hours = {"office_hours": "09:00-12:00,13:30-17:30"}
    with db.session() as session:
        service.create(session, SYSTEM, values("301", "bureau", **hours), phones, parent_id=net["C"].id)
        service.create(session, SYSTEM, values("302", "bureau", **hours), phones[2:], parent_id=net["C"].id)
        service.create(session, SYSTEM, values("303", "bureau"), phones, parent_id=net["C"].id)
        service.create(session, SYSTEM, values("304", "bureau"), phones[:1], parent_id=net["C"].id)
        closed = service.create(session, SYSTEM, values("305", "bureau"), phones, parent_id=net["C"].id)
        service.close(session, SYSTEM, closed.id or 0, 1)

    def number(code: str, day: int, hour: int, minute: int = 0) -> str | None:
        at = datetime(2026, 11, day, hour, minute, tzinfo=settings.zone)
        with db.read() as session:
            line = line_at(session, code, at, settings.zone)
            return line.number if line else None

    office, duty = "55500001", "55500002"
    assert [number("301", 24, hour) for hour in (8, 9, 12, 14, 18)] == [duty, office, duty, office, duty]
    assert (number("301", 24, 11, 59), number("301", 24, 17, 30)) == (office, duty)
    assert number("301", 28, 10) == duty, "a Saturday"
    assert number("302", 28, 10) == "", "it has no other, and nobody is there"
    assert number("303", 28, 10) == office, "no hours are known"
    assert [number(code, 24, 10) for code in ("304", "305", "999", "")] == ["", None, None, None]
    assert VoiceServices(settings, db).unit("303") == UnitLine("单位303", office, True)
    with db.read() as session:
        at = datetime(2026, 11, 24, 8, tzinfo=settings.zone)
        assert line_at(session, "301", at, settings.zone, lambda one: one == office) == Line(
            "单位301", "", False, ((540, 720), (810, 1050))
        ), "the duty number may not be dialled"
