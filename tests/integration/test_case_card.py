"""What the case card asks the server: known places, an answer at once, earlier matters, accepted suggestions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.actor import SYSTEM
from app.agents.service import create_agent
from app.auth.model import Role
from app.calls.model import CallFacts
from app.calls.service import record
from app.cases import loop, service
from app.cases.earlier import earlier_json
from app.cases.history import events_of
from app.cases.model import Source
from app.cases.tables import Case
from app.citizens import service as citizens
from app.citizens.tables import Citizen, CitizenNumber
from app.errors import BadInput, Forbidden, VersionConflict
from app.places import filling
from app.places import service as places
from app.places.tables import PLACE_INDEX, Place
from app.search.index import index_of
from tests.case_kit.world import MATTER, World
from tests.integration.web_browser import PASSWORD, Browser, SeenBy

FIRST, SECOND, THIRD = "13800138000", "13900139000", "13700137000"
# Nothing here depends on the kind of database.
ONE_KIND = pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
READY = {"type": "consult", "title": "停水", "content": "停水三天"}


def offered(world: World, text: str, area: str = "") -> list[tuple[str, str]]:
    with world.db.read() as session:
        return [(one.address, one.area) for one in places.offers(session, world.people["taker"], text, area)]


def told_by_two(world: World, address: str, **more: Any) -> list[int]:
    return [world.case(number=number, address=address, **more) for number in (FIRST, SECOND)]


def test_a_road_is_offered_once_two_callers_have_named_it_and_never_with_a_house(world: World):
    world.case(number=FIRST, address="翠竹园 3 栋 501", area="城南区")
    world.case(number=FIRST, address="翠竹园3栋501", area="城南区")  # the same caller again is one
    assert offered(world, "翠竹") == []
    world.case(number=SECOND, address="翠竹园9栋", area="城南区")
    assert offered(world, "翠竹") == offered(world, "翠竹园12号") == [("翠竹园", "城南区")]
    with world.db.read() as session:
        assert places.areas(session, world.people["taker"]) == ["城南区"]
    assert offered(world, "") == offered(world, "没有的路") == offered(world, "501") == []


def test_what_is_in_the_area_comes_first_and_what_is_named_often_before_the_rest(world: World):
    for number in (FIRST, SECOND, THIRD):
        world.case(number=number, address="人民路1号", area="城北区")
    told_by_two(world, "人民路2号", area="城南区")
    assert offered(world, "人民") == [("人民路", "城北区"), ("人民路", "城南区")]
    assert offered(world, "人民", "城南区") == [("人民路", "城南区"), ("人民路", "城北区")]


@pytest.mark.parametrize("secret", ["the case from the beginning", "the case later", "the citizen later"])
def test_an_address_that_is_in_secret_becomes_no_suggestion(world: World, secret: str):
    early = secret == "the case from the beginning"
    first, _ = told_by_two(world, "保密巷77号", area="城南区", confidential=early)
    if secret == "the case later":
        assert offered(world, "保密") == [("保密巷", "城南区")]
        world.act("head", amended, first, {"confidential": True})
    elif secret == "the citizen later":
        with world.db.session() as session:
            of = session.get(CitizenNumber, FIRST)
            assert of is not None
            citizen = session.get(Citizen, of.citizen_id)
            assert citizen is not None
            citizen.confidential = True
    assert offered(world, "保密") == []
    with world.db.read() as session:
        assert places.areas(session, world.people["taker"]) == []


def amended(session: Session, actor: Any, case_id: int, version: int, fields: dict[str, Any], **more: Any) -> Case:
    return service.amend_or_autosave(session, actor, case_id, fields, version, **more)


@ONE_KIND
def test_a_corrected_address_names_another_place(world: World):
    first, _ = told_by_two(world, "人民路1号")
    world.act("taker", amended, first, {"address": "中山路1号"})
    assert offered(world, "人民") == offered(world, "中山") == []
    with world.db.read() as session:
        uses = {place.name: place.uses for place in session.exec(select(Place)).all()}
    assert uses == {"人民路": 1, "中山路": 1}


def test_cases_that_were_there_before_name_their_places_like_new_ones(world: World):
    told_by_two(world, "翠竹园 3 栋", area="城南区")
    world.case(number=THIRD, address="保密巷1号", confidential=True)
    before = offered(world, "翠竹")
    with world.db.session() as session:
        for case in session.exec(select(Case)).all():
            case.place_id = None
        for place in session.exec(select(Place)).all():
            index_of(PLACE_INDEX, session).remove(session, place.id or 0)
            session.delete(place)
        session.flush()
        assert filling.fill(session) == 2
        assert filling.fill(session) == 0
        assert sorted(place.uses for place in session.exec(select(Place)).all()) == [2]
    assert offered(world, "翠竹") == before != []


@ONE_KIND
def test_places_are_for_those_who_write_cases(world: World):
    for who in ("auditor", "WATER.handler", "mayor"):
        with world.db.read() as session, pytest.raises(Forbidden):
            places.offers(session, world.people[who], "人民路")
        with world.db.read() as session, pytest.raises(Forbidden):
            places.areas(session, world.people[who])


def draft(world: World, **fields: Any) -> Case:
    with world.db.session() as session:
        return service.create_manual(session, world.people["taker"], {"caller_number": FIRST, **fields}, now=world.now)


def test_a_draft_is_registered_and_answered_in_one_act_and_a_double_click_is_one(world: World):
    case = draft(world)
    words = {**READY, "answer": "明早恢复供水", "answer_source": "knowledge:12@3"}
    for _ in range(2):
        with world.db.session() as session:
            done = loop.answer_at_once(session, world.people["taker"], case.id or 0, words, 1, now=world.now)
            assert (done.state, done.answer, done.answer_source) == ("answered", "明早恢复供水", "knowledge:12@3")
    with world.db.read() as session:
        assert [line.event for line in events_of(session, case.id or 0)] == ["opened", "registered", "answered"]
    with world.db.session() as session, pytest.raises(VersionConflict):
        loop.answer_at_once(session, world.people["dispatcher"], case.id or 0, words, 1, now=world.now)


@ONE_KIND
def test_everything_that_is_missing_is_told_at_once_and_nothing_is_registered(world: World):
    case = draft(world)
    with world.db.session() as session, pytest.raises(BadInput) as told:
        loop.answer_at_once(session, world.people["taker"], case.id or 0, {"content": "x"}, 1, now=world.now)
    assert set(told.value.fields) == {"type", "answer"}
    assert world.state(case.id or 0) == "draft"


@ONE_KIND
def test_who_never_heard_that_it_was_registered_answers_it_with_the_last_words(world: World):
    case = draft(world)
    with world.db.session() as session:  # its answer was lost on the way
        service.register(session, world.people["taker"], case.id or 0, READY, 1, now=world.now)
    words = {**READY, "title": "停水三天", "answer": "明早恢复供水"}
    with world.db.session() as session:
        done = loop.answer_at_once(session, world.people["taker"], case.id or 0, words, 1, now=world.now)
        assert (done.state, done.title, done.answer) == ("answered", "停水三天", "明早恢复供水")


@ONE_KIND
def test_sources_and_units_are_names_and_nothing_else(seen_by: SeenBy, world: World):
    taker, path = seen_by("taker"), f"/api/cases/{draft(world).id}"
    for fields in (
        {"answer_source": "javascript:alert(1)"},
        {"answer_source": "knowledge:1"},
        {"proposed_unit": "<b>水务局</b>"},
    ):
        refused = taker.send("PATCH", path, json={"version": 1, "fields": fields})
        assert (refused.status_code, set(refused.json()["error"]["fields"])) == (422, set(fields))
    fine = {"answer_source": "knowledge:1@2 knowledge:3@1", "proposed_unit": "WATER"}
    assert taker.send("PATCH", path, json={"version": 1, "fields": fine}).status_code == 200
    shown = taker.get(path).json()["fields"]
    assert {name: shown[name] for name in fine} == fine


@ONE_KIND
def test_what_is_pasted_is_kept_as_plain_text(seen_by: SeenBy, world: World):
    taker, path = seen_by("taker"), f"/api/cases/{draft(world).id}"
    pasted = {
        "title": "<img src=x onerror=alert(1)>\u202e停水\x00\x07",
        "content": "第一行\r\n第二行\u2066😀\x1b[31m",
        "caller_name": "王" * 200,
    }
    assert taker.send("PATCH", path, json={"version": 1, "fields": pasted}).status_code == 200
    shown = taker.get(path).json()["fields"]
    assert shown["title"] == "<img src=x onerror=alert(1)>停水"
    assert shown["content"] == "第一行\n第二行😀[31m"
    assert shown["caller_name"] == "王" * 64
    too_long = taker.send("PATCH", path, json={"version": 2, "fields": {"caller_name": "王" * 2000}})
    assert (too_long.status_code, set(too_long.json()["error"]["fields"])) == (422, {"fields.caller_name"})


@ONE_KIND
def test_an_agents_own_name_and_number_are_never_learned_as_a_citizens(world: World):
    agent = create_agent(world.db, name="王小丽", agent_id="1001", user_name="own1001", password=PASSWORD)
    me = world.people["taker"]
    world.case(number=FIRST, caller_name=me.display_name, address="")
    world.case(number="1001", caller_name="李四", address="")
    with world.db.read() as session:
        assert citizens.match(session, "1001") is None
        known = citizens.match(session, FIRST)
        assert known is not None
        assert known.name == ""
    world.case(number=FIRST, caller_name="张建国", address="")
    with world.db.read() as session:
        known = citizens.match(session, FIRST)
        assert known is not None
        assert known.name == "张建国"
    assert agent


@ONE_KIND
@pytest.mark.parametrize("source", [Source.call, Source.callback])
def test_a_call_that_an_agent_makes_keeps_the_citizens_number(world: World, source: Source):
    create_agent(world.db, name="王小丽", agent_id="1001", user_name="own1001", password=PASSWORD)
    facts = CallFacts("h-8.1", number=FIRST, direction="out" if source is Source.callback else "in")
    with world.db.session() as session:
        case = service.open_draft(session, facts, source=source, agent_id="1001", now=world.now)
        assert (case.caller_number, case.agent_id) == (FIRST, "1001")


def earlier(world: World, who: str, case_id: int) -> dict[str, Any]:
    with world.db.read() as session:
        case = session.get(Case, case_id)
        assert case is not None
        return earlier_json(session, world.people[who], case)


def test_earlier_matters_are_shown_open_ones_apart_with_repeats(world: World):
    ended = world.case(READY)
    world.act("taker", loop.answer, ended, "已修好")
    again = world.case(READY)
    record(world.db, "h-9.1", number=FIRST, started_at=world.now, outcome="answered")
    new = draft(world).id or 0
    told = earlier(world, "taker", new)
    assert [(row["id"], row["repeats"]) for row in told["open_cases"]] == [(again, 1)]
    assert [row["id"] for row in told["last_cases"]] == [again, ended]
    assert [row["call_id"] for row in told["last_calls"]] == ["h-9.1"]


@ONE_KIND
def test_a_number_typed_into_a_draft_tells_nothing_that_is_in_secret(world: World):
    world.case(MATTER, number=SECOND, confidential=True)
    with world.db.session() as session:
        citizens.create(session, SYSTEM, numbers=[THIRD], name="守秘", flags=["confidential"])
    world.case(MATTER, number=THIRD)
    record(world.db, "h-9.2", number=THIRD, started_at=world.now)
    nothing = {"open_cases": [], "last_cases": [], "last_calls": []}
    other = world.somebody(Role.agent)
    world.people["other"] = other
    for number in (SECOND, THIRD):
        with world.db.session() as session:
            mine = service.create_manual(session, other, {"caller_number": number}, now=world.now).id or 0
        assert earlier(world, "other", mine) == nothing


@ONE_KIND
def test_a_unit_is_told_of_no_calls_and_of_no_cases_but_its_own(world: World):
    case_id, _ = world.dispatched("WATER")
    world.case(number=FIRST)
    record(world.db, "h-9.3", number=FIRST, started_at=world.now, outcome="answered", agent_id="1001")
    assert earlier(world, "taker", case_id)["last_calls"]
    assert earlier(world, "WATER.handler", case_id) == {"open_cases": [], "last_cases": [], "last_calls": []}


@ONE_KIND
def test_the_proposed_unit_travels_to_whoever_dispatches(seen_by: SeenBy, world: World):
    case_id = world.case(READY, proposed_unit="WATER")
    shown: Callable[[str], Browser] = seen_by
    assert shown("dispatcher").get(f"/api/cases/{case_id}").json()["fields"]["proposed_unit"] == "WATER"
    with world.db.read() as session:
        assert session.exec(select(Case).where(col(Case.to_unit_id).is_not(None))).all() == []
