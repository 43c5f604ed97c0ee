"""One act on several cases: tried first, done case by case, taken back while nobody has gone on from it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.assignments import giving, judging, working
from app.assignments.recusing import recuse
from app.audit.service import entries
from app.batches import acts, service
from app.batches.model import BatchAct, Told
from app.batches.service import Found, Pick
from app.cases import loop
from app.cases.history import events_of
from app.cases.model import HandlingWay
from app.cases.tables import Case
from app.db import Database
from app.errors import BadInput, Busy, Forbidden, NotFound, Refused
from app.followups import desk
from tests.case_kit.soundness import Stored, assert_grown, assert_sound, stored
from tests.case_kit.world import World
from tests.integration.web_browser import SeenBy

KEY = "11111111-2222"


def waiting(world: World, n: int) -> list[int]:
    """Cases that wait for a dispatcher."""
    made = [world.case() for _ in range(n)]
    for case_id in made:
        world.act("taker", loop.submit, case_id)
    return made


def picks(world: World, ids: Sequence[int]) -> list[Pick]:
    with world.db.read() as session:
        return [Pick(one, world.stored(session, one).version) for one in ids]


def water(world: World) -> Told:
    return Told(unit_id=world.units["WATER"], way=HandlingWay.written, instructions="三日内办结")


def run(world: World, who: str, act: BatchAct, told: Told, chosen: list[Pick], key: str = KEY) -> Found:
    batch = service.run(world.db, world.people[who], key, act, told, chosen, now=world.now)
    return read(world, who, batch)


def read(world: World, who: str, batch: int) -> Found:
    with world.db.read() as session:
        return service.found(session, world.people[who], batch, world.now)


def undo(world: World, who: str, batch: Found) -> Found:
    service.take_back(world.db, world.people[who], batch.batch.id or 0, now=world.now)
    return read(world, who, batch.batch.id or 0)


def reasons(world: World, case_id: int) -> list[tuple[str, str]]:
    with world.db.read() as session:
        return [(one.event, one.reason) for one in events_of(session, case_id)]


def check(world: World, ids: Sequence[int], before: Sequence[Stored]) -> None:
    with world.db.read() as session:
        for ident, then in zip(ids, before, strict=True):
            now = stored(session, ident)
            assert_sound(now)
            assert_grown(then, now)


def test_a_trial_tells_what_would_happen_and_stores_nothing(world: World):
    one, taken, hidden = waiting(world, 3)
    world.dispatched("CITY", case_id=taken)
    chosen = picks(world, [one, taken, hidden])
    with world.db.session() as session:
        world.stored(session, hidden).about_unit_id = world.units["WATER"]
    before = [world.history(case_id) for case_id in (one, taken, hidden)]
    tried = service.attempt(
        world.db, world.people["dispatcher"], BatchAct.dispatched, water(world), chosen, now=world.now
    )
    assert [(row.state, row.why and row.why["code"]) for row in tried] == [
        ("dispatched", None),
        (None, "wrong_state"),
        (None, "recused"),
    ]
    assert tried[0].due_at is not None
    assert [world.history(case_id) for case_id in (one, taken, hidden)] == before


def test_each_case_is_done_by_itself_and_once_however_often_it_is_sent(world: World):
    ids = waiting(world, 3)
    chosen = picks(world, ids)
    world.act("dispatcher", loop.send_back, ids[1], "补充地址")
    batch = run(world, "dispatcher", BatchAct.dispatched, water(world), chosen)
    assert [row.outcome for row in batch.rows] == ["done", "refused", "done"]
    assert "刚处理过" in batch.rows[1].why["zh"]
    again = run(world, "dispatcher", BatchAct.dispatched, water(world), chosen)
    assert again.batch.id == batch.batch.id
    assert world.history(ids[0]).count("dispatched") == 1
    with pytest.raises(Refused) as refused:
        run(world, "dispatcher", BatchAct.dispatched, water(world), chosen[:1])
    assert refused.value.code == "key_used"
    with world.db.read() as session:
        made = entries(session, world.people["auditor"], ZoneInfo("Asia/Shanghai")).items
    assert [one.detail for one in made if one.action == "cases.batch"] == [{"act": "dispatched", "cases": 3}]


def test_two_clicks_at_the_same_moment_are_one_batch(world: World, monkeypatch: pytest.MonkeyPatch):
    ids, inside, known = waiting(world, 3), Event(), service.numbers
    chosen = picks(world, ids)

    def slowly(*asked: Any) -> dict[int, str]:
        inside.set()
        sleep(0.3)  # meanwhile the second click has looked for the batch, and found none
        return known(*asked)

    monkeypatch.setattr(service, "numbers", slowly)
    monkeypatch.setattr(world.db, "_wait_s", 30)  # whoever waits too long is told so; here nobody is to be
    with ThreadPoolExecutor(2) as hands:
        first = hands.submit(run, world, "dispatcher", BatchAct.dispatched, water(world), chosen)
        assert inside.wait(10)
        second = hands.submit(run, world, "dispatcher", BatchAct.dispatched, water(world), chosen)
        both = [first.result(30), second.result(30)]
    assert both[0].batch.id == both[1].batch.id
    assert [row.outcome for row in read(world, "dispatcher", both[0].batch.id or 0).rows] == ["done"] * 3
    assert [world.history(case_id).count("dispatched") for case_id in ids] == [1, 1, 1]


def busy() -> Case:
    raise Busy()


def test_what_was_broken_off_goes_on_when_it_is_sent_again(world: World, monkeypatch: pytest.MonkeyPatch):
    ids = waiting(world, 2)
    chosen, real, calls = picks(world, ids), acts.do, []

    def breaks(*args: Any) -> Case:
        calls.append(args)
        if len(calls) == 2:
            raise Busy()
        return real(*args)

    monkeypatch.setattr(acts, "do", breaks)
    batch = run(world, "dispatcher", BatchAct.dispatched, water(world), chosen)
    assert [row.outcome for row in batch.rows] == ["done", "waiting"]
    batch = run(world, "dispatcher", BatchAct.dispatched, water(world), chosen)
    assert [row.outcome for row in batch.rows] == ["done", "done"]
    assert [world.history(one).count("dispatched") for one in ids] == [1, 1]


def test_what_was_broken_off_and_taken_back_does_not_go_on(world: World, monkeypatch: pytest.MonkeyPatch):
    ids = waiting(world, 2)
    chosen = picks(world, ids)
    with monkeypatch.context() as patched:
        real, calls = acts.do, iter((True, False))
        patched.setattr(acts, "do", lambda *args: real(*args) if next(calls) else busy())
        undo(world, "dispatcher", run(world, "dispatcher", BatchAct.dispatched, water(world), chosen))
    again = run(world, "dispatcher", BatchAct.dispatched, water(world), chosen)
    assert [(row.outcome, row.undone) for row in again.rows] == [("done", "done"), ("waiting", "")]
    assert [world.state(one) for one in ids] == ["to_dispatch"] * 2


def test_a_batch_that_is_taken_back_while_it_is_under_way_goes_no_further(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    ids, real, calls = waiting(world, 3), service._one, []

    def then_the_page_is_loaded_again(db: Database, row_id: int, what: Any) -> None:
        real(db, row_id, what)
        calls.append(row_id)
        if len(calls) == 1:
            with world.db.read() as session:
                [seen] = service.recent(session, world.people["dispatcher"], world.now)
            undo(world, "dispatcher", seen)

    monkeypatch.setattr(service, "_one", then_the_page_is_loaded_again)
    batch = run(world, "dispatcher", BatchAct.dispatched, water(world), picks(world, ids))
    assert [(row.outcome, row.undone) for row in batch.rows] == [("done", "done"), ("waiting", ""), ("waiting", "")]
    assert [world.state(one) for one in ids] == ["to_dispatch"] * 3


def test_a_dispatch_is_taken_back_but_for_what_a_unit_has_signed(world: World):
    ids = waiting(world, 3)
    with world.db.read() as session:
        before = [stored(session, one) for one in ids]
    batch = run(world, "dispatcher", BatchAct.dispatched, water(world), picks(world, ids))
    assert batch.undo_until is not None
    world.later(minutes=5)
    world.work("WATER.handler", working.sign, world.work_of(ids[1], "WATER"))
    batch = undo(world, "dispatcher", batch)
    assert [row.undone for row in batch.rows] == ["done", "refused", "done"]
    assert "签收" in batch.rows[1].undone_why["zh"]
    assert [world.state(one) for one in ids] == ["to_dispatch", "signed", "to_dispatch"]
    assert world.work_state(world.work_of(ids[0], "WATER")) == "withdrawn"
    assert ("taken_back", "撤销批量操作") in reasons(world, ids[0])
    with world.db.read() as session:
        now = world.stored(session, ids[0]).due_at
    assert now == before[0].case["due_at"], "nobody gains time"
    check(world, ids, before)
    count = len(world.history(ids[0]))
    undo(world, "dispatcher", batch)
    assert len(world.history(ids[0])) == count
    world.dispatched("WATER", case_id=ids[0])
    assert world.state(ids[0]) == "dispatched"


def test_accepted_results_are_reviewed_again_unless_somebody_calls_the_citizen(world: World):
    ids = [world.dispatched("WATER", "CITY")[0], *(world.dispatched("WATER")[0] for _ in range(2))]
    for ident, codes in zip(ids, (("WATER", "CITY"), ("WATER",), ("WATER",)), strict=True):
        for code in codes:
            world.handed_in(ident, code)
    with world.db.read() as session:
        before = [stored(session, one) for one in ids]
    batch = run(world, "head", BatchAct.accepted, Told(opinion="办理到位"), picks(world, ids))
    assert [world.state(one) for one in ids] == ["to_follow_up"] * 3
    with world.db.session() as session:
        taken = desk.next_task(session, world.people["taker"], world.now)
    assert taken is not None
    batch = undo(world, "head", batch)
    with world.db.session() as session:
        assert desk.next_task(session, world.people["dispatcher"], world.now) is None, "nobody calls for what went back"
    called = ids.index(taken.case_id)
    assert [row.undone for row in batch.rows] == ["refused" if at == called else "done" for at in range(3)]
    assert batch.rows[called].undone_why["code"] == "citizen_is_asked"
    check(world, ids, before)
    back = next(one for one in ids if one != taken.case_id)
    assert world.work_state(world.work_of(back, "WATER")) == "replied"
    world.act("head", judging.accept_case, back, "同意")
    assert world.state(back) == "to_follow_up"


def test_what_had_been_accepted_by_itself_before_stays_accepted(world: World):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.handed_in(case_id, "CITY")
    world.work("head", judging.accept_work, city, "单独采纳")
    world.handed_in(case_id, "WATER")
    batch = run(world, "head", BatchAct.accepted, Told(opinion="办理到位"), picks(world, [case_id]))
    assert [row.undone for row in undo(world, "head", batch).rows] == ["done"]
    assert (world.work_state(water), world.work_state(city)) == ("replied", "accepted")


def test_merged_sent_back_and_resumed_cases_go_back_too(world: World):
    original, *twins = waiting(world, 3)
    back = waiting(world, 1)
    held = [world.dispatched("WATER")[0]]
    world.work("WATER.handler", working.sign, world.work_of(held[0], "WATER"))
    with world.db.read() as session:
        before = [stored(session, one) for one in (*twins, *back, *held)]
    until = world.now.replace(month=12)
    world.act("leader", judging.defer, held[0], "停工", until)
    made = [
        run(world, "dispatcher", BatchAct.merged, Told(original=original), picks(world, twins), "merge-0001"),
        run(world, "dispatcher", BatchAct.sent_back, Told(reason="补充地址"), picks(world, back), "back-00001"),
        run(world, "leader", BatchAct.resumed, Told(), picks(world, held), "resume-001"),
    ]
    assert [world.state(one) for one in (*twins, *back, *held)] == ["merged", "merged", "registered", "in_progress"]
    for who, one in zip(("dispatcher", "dispatcher", "leader"), made, strict=True):
        assert {row.undone for row in undo(world, who, one).rows} == {"done"}
    assert [world.state(one) for one in (*twins, *back, *held)] == ["to_dispatch"] * 3 + ["deferred"]
    with world.db.read() as session:
        assert world.stored(session, held[0]).deferred_until == until
    for ident in (*twins, *back, *held):
        assert reasons(world, ident)[-1][1] == "撤销批量操作"
    check(world, [*twins, *back, *held], before)


def test_who_may_not_and_what_is_too_late_is_refused(world: World):
    ids = waiting(world, 1)
    batch = run(world, "dispatcher", BatchAct.dispatched, water(world), picks(world, ids))
    with pytest.raises(NotFound):
        undo(world, "head", batch)
    with pytest.raises(Forbidden):
        run(world, "taker", BatchAct.dispatched, water(world), picks(world, ids))
    for chosen in (picks(world, [*ids, *ids]), []):
        with pytest.raises(BadInput):
            run(world, "dispatcher", BatchAct.dispatched, water(world), chosen, "other-0003")
    with pytest.raises(BadInput):
        run(world, "dispatcher", BatchAct.sent_back, Told(), picks(world, ids), "other-0001")
    with pytest.raises(BadInput):
        run(world, "dispatcher", BatchAct.dispatched, water(world), [Pick(n, 1) for n in range(1, 102)], "other-0002")
    world.later(minutes=10)
    with pytest.raises(Refused) as refused:
        undo(world, "dispatcher", batch)
    assert refused.value.code == "too_late"
    assert world.state(ids[0]) == "dispatched"


def test_a_batch_with_a_case_of_which_the_asker_may_not_know_is_none(world: World):
    known, secret = waiting(world, 2)
    chosen = picks(world, [known, secret])
    with world.db.session() as session:
        recuse(session, world.people["head"], secret, "亲属", user_id=world.people["dispatcher"].user_id, now=world.now)
    for guessed in (chosen, [chosen[0], Pick(4711, 1)]):
        with pytest.raises(NotFound):
            run(world, "dispatcher", BatchAct.dispatched, water(world), guessed)
    assert world.state(known) == "to_dispatch"
    assert run(world, "dispatcher", BatchAct.dispatched, water(world), chosen[:1]).rows[0].outcome == "done"


def test_a_single_step_is_taken_back_while_nobody_has_gone_on(world: World, seen_by: SeenBy):
    case_id, [work] = world.dispatched("WATER")
    desk_ = seen_by("dispatcher")
    path = f"/api/cases/{case_id}"
    assert "taken_back" in desk_.get(f"{path}/loop").json()["acts"]
    world.work("WATER.handler", working.give_it_back, work, "不归我们")
    world.work("dispatcher", giving.refuse_return, work, "归你们")
    [chosen] = picks(world, [case_id])
    body = {"version": chosen.version, "reason": "派错单位"}
    assert desk_.send("POST", f"{path}/take-back", json=body).json()["state"] == "to_dispatch"
    world.dispatched("WATER", case_id=case_id)
    world.work("WATER.handler", working.sign, world.work_of(case_id, "WATER"))
    assert "taken_back" not in desk_.get(f"{path}/loop").json()["acts"]


def test_a_person_is_told_which_acts_are_theirs_on_which_board(world: World, seen_by: SeenBy):
    def offered(who: str) -> dict[str, str]:
        told: dict[str, str] = seen_by(who).get("/api/batches/offered").json()
        return told

    on_boards = {"dispatched": "dispatch", "merged": "dispatch", "sent_back": "dispatch"}
    judged = {"accepted": "review", "resumed": "deferred"}
    assert list(offered("dispatcher").items()) == [*on_boards.items(), *judged.items()]  # the likeliest first
    assert offered("leader") == {**on_boards, **judged}
    assert offered("taker") == offered("mayor") == offered("auditor") == offered("WATER.handler") == {}


def test_batches_over_http(world: World, seen_by: SeenBy):
    ids = waiting(world, 2)
    desk_ = seen_by("dispatcher")
    rows = [{"id": one.case_id, "version": one.version} for one in picks(world, ids)]
    body = {"act": "dispatched", "cases": rows, "unit_id": world.units["WATER"], "way": "written"}
    tried = desk_.send("POST", "/api/batches/try", json=body).json()
    assert [(one["state"], one["why"]) for one in tried] == [("dispatched", None)] * 2
    assert all(one["number"] and one["due_at"] for one in tried)
    done = desk_.send("POST", "/api/batches", json={**body, "key": KEY}).json()
    assert [one["outcome"] for one in done["rows"]] == ["done"] * 2
    assert [one["id"] for one in desk_.get("/api/batches").json()] == [done["id"]]
    back = desk_.send("POST", f"/api/batches/{done['id']}/undo").json()
    assert ([one["undone"] for one in back["rows"]], back["undo_until"]) == (["done"] * 2, None)
    assert desk_.get("/api/batches").json() == []
    assert seen_by("head").get(f"/api/batches/{done['id']}").status_code == 404
    assert seen_by("taker").send("POST", "/api/batches/try", json=body).status_code == 403


def test_the_same_case_is_not_in_two_hands_at_once(world: World):
    """Two dispatchers choose the same cases: the second is told of each."""
    ids = waiting(world, 2)
    chosen = picks(world, ids)
    run(world, "dispatcher", BatchAct.dispatched, water(world), chosen)
    late = run(world, "head", BatchAct.dispatched, Told(unit_id=world.units["CITY"], way=HandlingWay.written), chosen)
    assert [row.outcome for row in late.rows] == ["refused"] * 2
    assert late.undo_until is None


def test_what_the_same_person_did_before_is_not_called_done_by_another_batch(world: World):
    ids = waiting(world, 1)
    chosen = picks(world, ids)
    first = run(world, "dispatcher", BatchAct.dispatched, water(world), chosen)
    elsewhere = Told(unit_id=world.units["CITY"], way=HandlingWay.written)
    [tried] = service.attempt(world.db, world.people["dispatcher"], BatchAct.dispatched, elsewhere, chosen)
    assert (tried.why or {})["code"] == "version_conflict"
    second = run(world, "dispatcher", BatchAct.dispatched, elsewhere, chosen, "other-0001")
    assert ([row.outcome for row in second.rows], second.undo_until) == (["refused"], None)
    assert read(world, "dispatcher", first.batch.id or 0).undo_until is not None
