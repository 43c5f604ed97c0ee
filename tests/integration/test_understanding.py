"""What was said becomes suggestions for the card: for whoever may hear it, and nothing of it is kept anywhere."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel, select

from app.actor import SYSTEM
from app.agents.service import create_agent
from app.auth.model import Role
from app.cases.tables import Case
from app.citizens.service import create
from app.db import Database
from app.settings import Settings
from app.speech.model import HeardWord, Utterance
from app.voicemails import service as voicemails
from app.voicemails import texts
from app.voicemails.tables import Voicemail
from recordings.lines import Channel, Line
from tests.case_kit.world import World
from tests.integration.spooled import NOW, speech, spooled
from tests.integration.talks import SECRET, audited, maker
from tests.integration.web_browser import Browser, SeenBy, draft_for

Browsers = Callable[..., Browser]
SAID = ("我姓王", "人民路一百二十号", "昨天下午三点开始停水", "电话幺三九一二三四五六零零")


def message(db: Database, settings: Settings, *said: str, number: str = "13800138000") -> tuple[int, int]:
    """A message with these words, one a second, as a machine heard them. Its number, and its case's."""
    voicemails.take_in(db, settings, spooled(settings, "h-1.1", speech(), number=number), now=NOW)
    with db.session() as session:
        row = session.exec(select(Voicemail)).one()
        heard = [Utterance((HeardWord(one, n * 1000, n * 1000 + 900, 0.9),)) for n, one in enumerate(said)]
        texts.keep_heard(session, row, heard, NOW)
        assert row.case_id is not None
        return row.id or 0, row.case_id


def told(answer: Any) -> dict[str, Any]:
    """The suggestions of an answer by their kind."""
    assert answer.status_code == 200, answer.text
    return {one["kind"]: one for one in answer.json()}


def everything(db: Database) -> dict[str, int]:
    """How many rows every table has."""
    with db.read() as session:
        return {
            table.name: session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in SQLModel.metadata.sorted_tables
            if table.name not in ("audit_entry", "user_session")
        }


def test_a_message_is_read_for_its_case_with_the_second_of_every_value(
    db: Database, settings: Settings, browser: Browsers
):
    mail, case = message(db, settings, *SAID)
    agent = browser(agent_id="1001")
    before = everything(db)
    found = told(agent.get(f"/api/cases/{case}/suggestions"))
    assert {kind: one["value"] for kind, one in found.items()} == {
        "matter": "人民路一百二十号，昨天下午三点开始停水",
        "type": "help",
        "name": "王",
        "telephone": "13912345600",
        "address": "人民路120号",
        "moment": "2026-11-23T15:00",
    }
    assert {kind: one["start_ms"] // 1000 for kind, one in found.items()} == {
        "matter": 1, "type": 2, "name": 0, "telephone": 3, "address": 1, "moment": 2,
    }  # fmt: skip
    assert {one["audio_url"] for one in found.values()} == {f"/api/voicemails/{mail}/audio"}
    assert agent.get(found["name"]["audio_url"]).status_code == 200
    assert audited(db, "voicemail.read") == [f"voicemail:{mail}"]
    assert everything(db) == before, "nothing but the audit knows of it"
    with db.read() as session:
        stored = session.get(Case, case)
        assert stored is not None
        assert (stored.version, stored.address, stored.caller_name) == (2, "", ""), "nobody has taken anything"

    # What a person has put right counts, at the second at which the machine heard something like it.
    right = agent.send("PUT", f"/api/voicemails/{mail}/text", json={"text": "我姓汪，人民路121号停水", "version": 1})
    assert right.status_code == 200
    found = told(agent.get(f"/api/cases/{case}/suggestions"))
    assert (found["name"]["value"], found["name"]["start_ms"] // 1000) == ("汪", 0)
    assert (found["address"]["value"], found["address"]["start_ms"] // 1000) == ("人民路121号", 1)
    assert "telephone" not in found

    # A unit's people, the auditor and whoever may not edit it are told nothing.
    assert browser(Role.auditor).get(f"/api/cases/{case}/suggestions").status_code == 403
    assert browser(Role.quality).get(f"/api/cases/{case}/suggestions").status_code == 403
    assert agent.get("/api/cases/99/suggestions").status_code == 404


def test_of_who_asked_for_secrecy_later_only_those_are_told_who_may_hear_it(
    db: Database, settings: Settings, browser: Browsers
):
    mail, case = message(db, settings, *SAID, number=SECRET)
    agent, chief = browser(agent_id="1001"), browser(Role.duty_leader)
    assert told(agent.get(f"/api/cases/{case}/suggestions"))
    with db.session() as session:
        citizen = create(session, SYSTEM, numbers=[SECRET], flags=["confidential"])
        session.execute(sa.update(Case).values(citizen_id=citizen.id))
    assert agent.get(f"/api/voicemails/{mail}/text").status_code == 403
    assert told(agent.get(f"/api/cases/{case}/suggestions")) == {}
    assert told(chief.get(f"/api/cases/{case}/suggestions"))["name"]["value"] == "王"


def test_a_talk_is_read_for_its_agent_from_the_citizens_side_alone(db: Database, settings: Settings, browser: Browsers):
    mine, other = browser(agent_id="1001"), browser(agent_id="1002")
    case = draft_for(db, "1001")["case_id"]
    path = f"/api/cases/{case}/suggestions"
    assert told(mine.get(path)) == {}, "nothing has been written down"
    words = (("住", 7_000, 7_200), ("幸福街", 7_200, 7_900), ("八号", 7_900, 8_300))
    recording = maker(db, settings)(
        "h-1.1",
        "1001",
        Line(Channel.agent, 0, 900, "我姓赵，工号一零零一"),
        Line(Channel.citizen, 7_000, 8_300, "住幸福街八号", words=words, confidence=0.8),
        started_at=NOW,
    )
    found = told(mine.get(path))
    assert set(found) == {"matter", "address"}
    assert (found["address"]["value"], found["address"]["start_ms"], found["address"]["end_ms"]) == (
        "幸福街8号",
        7_200,
        8_300,
    )
    assert found["address"]["source"] == f"recording:{recording}"
    assert mine.get(found["address"]["audio_url"]).status_code == 200
    assert audited(db, "recording.read") == [f"recording:{recording}"]
    assert other.get(path).status_code == 404, "another agent's draft"


def test_the_words_of_a_talk_that_goes_on_are_read_and_kept_nowhere(
    world: World, seen_by: SeenBy, settings: Settings, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    create_agent(world.db, name="坐席", agent_id="1001", user_name="talker", password="Stiller-Ozean-42")
    with world.db.session() as session:
        from app.units import service as units

        water = units.create(
            session, SYSTEM, {"code": "HEAT", "kind": "utility", "name": "热力公司", "keywords": ["暖气", "不热"]},
            parent_id=world.units["C"], now=world.now,
        )  # fmt: skip
        assert water.id
    # Two callers have named the one place, the other one only in secret.
    for number in ("13800138001", "13800138002"):
        world.case(number=number, address="祥和里 5 号", area="城北区")
        world.case(number=number, address="守秘里 7 号", area="城南区", confidential=True)
    taker = seen_by("taker")
    said = [(1, 900, "我家祥和里那个暖气不热"), (1, 2_500, "守秘里也不热"), (2, 700, "电话幺三九一二三四五六七八")]
    body = {"said": [{"segment": segment, "start_ms": at, "text": text} for segment, at, text in said]}
    before = everything(world.db)
    found = told(taker.send("POST", "/api/suggestions", json=body))
    assert (found["address"]["value"], found["area"]["value"]) == ("祥和里", "城北区")
    assert "守秘里" not in str([found["address"], found["area"]])
    assert (found["unit"]["value"], found["unit"]["label"]) == ("HEAT", "热力公司")
    assert (found["telephone"]["source"], found["telephone"]["audio_url"]) == ("live:2", None)
    assert everything(world.db) == before
    kept = caplog.text + "".join(path.read_text("utf-8", "replace") for path in Path(settings.home).rglob("*.log"))
    assert "13912345678" not in kept
    assert "祥和里" not in kept

    assert told(taker.send("POST", "/api/suggestions", json={"said": []})) == {}
    one = {"segment": 1, "start_ms": 0, "text": "停水"}
    for bad in (
        {"said": [one] * 201},
        {"said": [{**one, "text": "水" * 501}]},
        {"said": [{**one, "start_ms": -1}]},
        {},
    ):
        assert taker.send("POST", "/api/suggestions", json=bad).status_code == 422
    assert seen_by("WATER.handler").send("POST", "/api/suggestions", json=body).status_code == 403
