"""A citizen asks without an account, on both databases: what is told, what never is, and how often one may guess."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from httpx import Response
from sqlmodel import select

from app.actor import SYSTEM
from app.assignments import judging
from app.assignments.model import Opinion
from app.audit.tables import AuditEntry
from app.auth import sessions
from app.auth.tables import LoginAttempt
from app.cases import loop
from app.cases.model import Ground
from app.citizens import service as citizens
from app.db import Database
from app.errors import BadCredentials, NotFound, TooMany
from app.followups.model import Heard, Reached
from app.progress import service
from app.progress.model import code_of
from app.secrets import secret
from app.settings import Settings
from tests.case_kit.documents import read, squeezed
from tests.case_kit.world import World
from tests.integration.web_browser import SeenBy

NAME, NUMBER, SECOND, ADDRESS = "欧阳守秘", "13912345678", "0551-66554433", "保密巷七十七号"
LETTER = f"尊敬的市民{NAME}：您好！您（住{ADDRESS}，电话 139-1234 5678、{SECOND}）反映的路灯已修复。"


@dataclass
class Citizen:
    """Somebody without an account, who asks about a case by its id or its number, with its code or another."""

    client: TestClient
    world: World
    settings: Settings

    def number(self, case_id: int) -> str:
        with self.world.db.read() as session:
            return self.world.stored(session, case_id).number

    def code(self, number: str) -> str:
        return code_of(secret(self.settings, "progress"), number)

    def asks(self, case_id: int | None = None, *, number: str = "", code: str = "") -> Response:
        number = self.number(case_id) if case_id is not None else number
        return self.client.post("/api/progress", json={"number": number, "code": code or self.code(number)})

    def told(self, case_id: int) -> dict[str, Any]:
        answer = self.asks(case_id)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
def citizen(client: TestClient, world: World, settings: Settings) -> Citizen:
    return Citizen(client, world, settings)


def closed(world: World, **more: Any) -> int:
    """A case that went all the way, with a letter that names its citizen."""
    with world.db.session() as session:
        citizens.create(session, SYSTEM, numbers=[NUMBER, SECOND.replace("-", "")], name=NAME, address=ADDRESS)
    case_id = world.case(number=NUMBER, caller_name=NAME, address=ADDRESS, **more)
    world.dispatched("CITY", "WATER", lead="CITY", case_id=case_id)
    world.later(hours=3)
    for code in ("CITY", "WATER"):
        world.handed_in(case_id, code, letter=LETTER if code == "CITY" else "协办单位的回复函不是给市民的。")
    world.act("head", judging.accept_case, case_id, "同意")
    world.asked(case_id, Heard(Reached.spoken, Opinion.satisfied, True, True, True, ""))
    return case_id


def test_whoever_knows_number_and_code_sees_state_steps_units_end_and_answer(world: World, citizen: Citizen):
    waits, _ = world.dispatched("WATER")
    told = citizen.told(waits)
    assert (told["state"], told["units"], told["answer"], told["withheld"]) == ("dispatched", ["水务局"], "", None)
    assert [one["step"] for one in told["steps"]] == ["registered", "dispatched"]
    assert told["due_at"] == "2026-12-03T16:00:00.000Z", "seven working days, as the unit has them"

    done = citizen.told(closed(world))
    assert (done["state"], done["units"], done["due_at"]) == ("closed", ["城管局", "水务局"], None)
    assert [one["step"] for one in done["steps"]] == [
        "registered", "dispatched", "accepted", "handling", "answered", "follow_up", "closed",
    ]  # fmt: skip
    assert "您反映的路灯已修复" not in done["answer"], "what stands between is covered, not cut out"
    assert done["answer"].endswith("反映的路灯已修复。")
    for word in (NAME, NUMBER, "139-1234 5678", SECOND, ADDRESS, "协办"):
        assert word not in str(done), word

    refused = world.case()
    world.act("taker", loop.decline, refused, Ground.litigation, "您已起诉，等法院判决。王小明")
    told = citizen.told(refused)
    assert (told["state"], told["ground"], told["answer"]) == ("refused", "litigation", "您已起诉，等法院判决。＊＊＊")

    at_once = world.case()
    world.act("taker", loop.answer, at_once, "拨打供电服务热线报修。")
    assert citizen.told(at_once)["answer"] == "拨打供电服务热线报修。"
    world.act("head", loop.reopen, at_once, "答复不准")
    assert citizen.told(at_once)["answer"] == "", "it counts no more"


def test_of_a_case_in_secret_and_of_somebody_elses_no_word_is_told(world: World, citizen: Citizen):
    case_id = closed(world, confidential=True)
    told = citizen.told(case_id)
    assert (told["state"], told["answer"], told["withheld"]) == ("closed", "", "confidential")
    assert "路灯" not in str(told)

    twin = world.case(number="13800138001")
    original = world.case(number="13800138002")
    world.act("head", judging.merge, twin, original)
    world.act("taker", loop.answer, original, "答复给另一位市民。")
    told = citizen.told(twin)
    assert (told["state"], told["merged"], told["answer"], told["withheld"]) == ("closed", True, "", "merged")
    assert [one["step"] for one in told["steps"]] == ["registered", "merged", "closed"]

    nobody, other = world.case(number=""), world.case(number="")
    world.act("head", judging.merge, nobody, other)
    world.act("taker", loop.answer, other, "答复给也没有留号码的人。")
    told = citizen.told(nobody)
    assert (told["answer"], told["withheld"]) == ("", "merged"), "two without a number are not one"


def grouped(code: str) -> str:
    return f"{code[:4]} {code[4:]}"


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    asked: list[str] = []

    def note(_1: Any, _2: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(db.engine, "before_cursor_execute", note)


def test_no_such_case_and_a_wrong_code_are_one_answer_by_one_way(
    world: World, citizen: Citizen, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    case_id = world.case()
    number = citizen.number(case_id)
    citizen.asks(number="20250101-000007", code="11111111")  # what is made once, is made
    with statements(world.db) as wrong:
        one = citizen.asks(number=number, code="12345678")
    with statements(world.db) as missing:
        other = citizen.asks(number="20250101-000001", code="12345678")
    assert (one.status_code, one.json()) == (404, other.json())
    assert one.json()["error"]["code"] == "no_such_progress"
    assert wrong == missing
    assert one.headers["cache-control"] == "no-store"
    assert citizen.told(case_id)["state"] == "registered"
    out, err = capfd.readouterr()
    code = citizen.code(number)
    with world.db.read() as session:
        rows = [*session.exec(select(LoginAttempt)).all(), *session.exec(select(AuditEntry)).all()]
        kept = " ".join(str(row) for row in rows)
    assert "progress.told" in kept
    for said in (caplog.text, out, err, kept):
        assert "12345678" not in said
        assert code not in said
    assert number not in caplog.text + out + err, "a log line names a case by its id"


def test_guesses_are_counted_for_the_case_and_the_address_and_keep_nobody_from_signing_in(
    world: World, citizen: Citizen, settings: Settings
):
    number = citizen.number(world.case())
    right = citizen.code(number)
    wrong = "00000000" if right != "00000000" else "00000001"

    def guess(code: str = wrong, address: str = "192.0.2.1", later: float = 0) -> None:
        service.look(world.db, settings, number, code, address, now=world.now + timedelta(minutes=later))

    for _ in range(5):
        with pytest.raises(NotFound):
            guess()
    with pytest.raises(TooMany) as stopped:
        guess(right)
    assert stopped.value.retry_after == 900
    guess(right, "192.0.2.2")
    guess(right, later=16)
    for at in range(25):
        with pytest.raises(NotFound):
            guess(address=f"192.0.2.{10 + at}")
    with pytest.raises(TooMany):
        guess(right, "192.0.2.99")
    for name in (number, f" progress:{number}"):  # another door, at which nothing was tried yet
        with pytest.raises(BadCredentials):
            sessions.login(world.db, name, "?", "192.0.2.1", now=world.now)
    with world.db.read() as session:
        actions = [row.action for row in session.exec(select(AuditEntry)).all()]
    assert actions.count("progress.refused") == 2
    assert actions.count("progress.told") == 2


def test_what_is_typed_is_forgiven_or_told_by_its_field(world: World, citizen: Citizen):
    number = citizen.number(world.case())
    code = citizen.code(number)
    wide = code.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert citizen.asks(number=f" {number.replace('-', ' ')} ", code=f"{wide[:4]}-{wide[4:]}").status_code == 200
    for body in ({"number": "12", "code": "1"}, {"number": "<script>" + "9" * 20, "code": "\u0000"}):
        answer = citizen.client.post("/api/progress", json=body)
        assert answer.status_code == 422
        assert set(answer.json()["error"]["fields"]) == {"number", "code"}
        assert "<script>" not in answer.text
    asked, elsewhere = {"number": number, "code": code}, {"Origin": "https://elsewhere.example"}
    assert citizen.client.post("/api/progress", json=asked, headers=elsewhere).status_code == 403
    assert citizen.client.get("/api/progress", params=asked).status_code in (404, 405), "no code in an address"


def test_the_code_is_read_out_by_whoever_may_know_the_citizen_and_that_is_audited(
    world: World, citizen: Citizen, seen_by: SeenBy
):
    case_id, _ = world.dispatched("WATER", case_id=world.case(confidential=True))
    path = f"/api/cases/{case_id}/progress-code"
    told = seen_by("head").get(path)
    assert told.json() == {"number": citizen.number(case_id), "code": grouped(citizen.code(citizen.number(case_id)))}
    answers = {who: seen_by(who).get(path).status_code for who in ("mayor", "auditor", "dispatcher", "WATER.handler")}
    assert set(answers.values()) == {403}
    assert seen_by("CITY.handler").get(path).status_code == 404
    assert citizen.client.get(path).status_code == 401
    with world.db.read() as session:
        rows = [row for row in session.exec(select(AuditEntry)).all() if row.action == "progress.code_read"]
    assert [(row.object, row.detail) for row in rows] == [(f"case:{case_id}", {})]


def test_a_receipt_carries_number_and_code_and_is_for_whoever_may_read_them_out(
    world: World, citizen: Citizen, seen_by: SeenBy
):
    case_id = world.case()
    number = citizen.number(case_id)
    answer = seen_by("taker").get(f"/api/cases/{case_id}/receipt.docx")
    said = squeezed(read("docx", answer.content))
    for word in ("受理回执", number, grouped(citizen.code(number)), "路灯不亮", "王小明"):
        assert squeezed(word) in said, word
    assert answer.headers["content-disposition"] == f'attachment; filename="receipt-{number}.docx"'
    for who in ("mayor", "auditor"):
        assert seen_by(who).get(f"/api/cases/{case_id}/receipt.docx").status_code == 403
    with world.db.read() as session:
        rows = [row for row in session.exec(select(AuditEntry)).all() if row.action == "case.exported"]
    assert [(row.object, row.detail["document"]) for row in rows] == [(f"case:{case_id}", "receipt")]
