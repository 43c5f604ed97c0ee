"""Versions of the voice menu on both databases: published, overtaken, taken back, laid down as a file, refused."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.actor import Actor
from app.alarms.service import open_alarms
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.db import Database
from app.errors import BadInput, Forbidden, NotFound, Refused, VersionConflict
from app.flows import file as file_module
from app.flows import service
from app.flows.editing import with_node
from app.flows.file import ALARM, lay_down
from app.settings import Settings
from app.voice_services import VoiceServices
from ivr import flow as flow_module
from ivr.flow import OWN, PUBLISHED, SHIPPED, path_in
from tests.integration.web_browser import Browser
from tests.unit.agi_world import speaking_home

TEXT = SHIPPED.read_text(encoding="utf-8")
FIRST = TEXT.replace("timeout_s: 3\n", "timeout_s: 4\n", 1)
SECOND = with_node(TEXT.replace("patience: 40", "patience: 30"), "after_sms", {
    "kind": "menu", "say": ["after_sms_menu"], "keys": {"0": "person", "8": "answers"}, "silence": "person",
})  # fmt: skip
BROKEN = TEXT.replace("silence: unclear", "silence: to_110", 1)
People = Callable[..., Actor]
Browsers = Callable[..., Browser]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speaking_home(tmp_path_factory.mktemp("speaking")) / "prompts"


@pytest.fixture
def home(settings: Settings, sounds: Path) -> Path:
    """The instance's home, in which every prompt has a sound."""
    settings.paths.prompts.rmdir()
    settings.paths.prompts.symlink_to(sounds)
    return settings.home


def held(db: Database, actor: Actor, home: Path) -> service.Held:
    with db.read() as session:
        return service.held(session, actor, home)


def walked(home: Path) -> str:
    """The text that callers walk."""
    return path_in(home).read_text(encoding="utf-8")


def test_versions_are_published_whole_noted_in_the_audit_and_taken_back_in_one_act(
    db: Database, settings: Settings, home: Path, person: People
):
    boss, head, agent = person(Role.supervisor, name="boss"), person(Role.section_head), person(agent_id="1001")
    auditor = person(Role.auditor)
    assert held(db, auditor, home) == service.Held(0, TEXT, own=False, overlooked=False)
    for who in (agent, auditor):
        with pytest.raises(Forbidden):
            service.publish(db, who, home, 0, FIRST, "试试")
        with pytest.raises(Forbidden):
            service.restore(db, who, home, 0, 0)
    with pytest.raises(Forbidden):
        held(db, agent, home)
    for note, text in ((" ", FIRST), ("x" * 301, FIRST), ("同样", TEXT)):
        with pytest.raises(BadInput) as caught:
            service.publish(db, boss, home, 0, text, note)
        assert set(caught.value.fields) == {"note"}
    with pytest.raises(Refused) as refused:
        service.publish(db, boss, home, 0, BROKEN, "静默转110")
    fault, _ = refused.value.current["faults"]  # one while open, one while closed
    assert (fault["node"], fault["code"], BROKEN.splitlines()[fault["line"] - 1].strip()) == (
        "emergency", "silence", "emergency:"
    )  # fmt: skip
    assert "不按键" in fault["zh"]
    assert "presses nothing" in fault["en"]

    made = service.publish(db, boss, home, 0, FIRST, "多等一秒 <b>")
    assert (made.number, made.restores, made.changes["changed"], made.made_by_name) == (1, None, ["main"], "boss")
    assert lay_down(db, settings) == 1
    assert lay_down(db, settings) == 0, "there is nothing to do"
    assert (walked(home), held(db, head, home).number) == (FIRST, 1)
    service.publish(db, head, home, 1, SECOND, "短信后不再重听")
    again = service.restore(db, boss, home, 2, 1)
    assert (again.number, again.restores, again.text, again.changes["frame"]) == (3, 1, FIRST, ["patience"])
    lay_down(db, settings)
    assert walked(home) == FIRST
    with pytest.raises(Refused, match="holds now"):
        service.restore(db, boss, home, 3, 3)
    with pytest.raises(NotFound):
        service.restore(db, boss, home, 3, 9)

    service.restore(db, boss, home, 3, 0)
    assert lay_down(db, settings) == 1
    assert (path_in(home), held(db, boss, home).number) == (SHIPPED, 4)
    (home / OWN).write_text(SECOND, encoding="utf-8")
    assert held(db, boss, home) == service.Held(4, SECOND, own=True, overlooked=False), "the file below holds again"
    service.publish(db, boss, home, 4, FIRST, "再来")
    lay_down(db, settings)
    os.utime(home / OWN, (4e9, 4e9))
    assert held(db, boss, home) == service.Held(5, FIRST, own=True, overlooked=True)
    with db.read() as session:
        rows = session.execute(sa.select(AuditEntry).where(AuditEntry.action == "flow.published")).scalars().all()
        assert [(row.object, row.detail["restores"]) for row in rows] == [
            ("flow:1", None), ("flow:2", None), ("flow:3", 1), ("flow:4", 0), ("flow:5", None)
        ]  # fmt: skip
        assert [one.number for one in service.versions(session, auditor)] == [5, 4, 3, 2, 1]
        assert service.text_of(session, auditor, home, 2) == SECOND
    for statement in ("UPDATE flow_version SET note = 'x'", "DELETE FROM flow_version"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), db.session() as session:
            session.connection().exec_driver_sql(statement)


def test_of_two_who_publish_at_once_the_second_reads_who_was_first_and_what_was_changed(
    db: Database, home: Path, person: People
):
    first, second = person(Role.supervisor, name="first"), person(Role.supervisor, name="second")
    outcomes: list[Any] = []
    together = threading.Barrier(2)

    def publish(who: Actor, text: str) -> None:
        together.wait(10)
        try:
            outcomes.append(service.publish(db, who, home, 0, text, f"{who.name} 改的").made_by_name)
        except VersionConflict as conflict:
            outcomes.append(conflict)

    threads = [threading.Thread(target=publish, args=one) for one in ((first, FIRST), (second, SECOND))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [winner] = [one for one in outcomes if isinstance(one, str)]
    [conflict] = [one for one in outcomes if isinstance(one, VersionConflict)]
    told = conflict.to_json()
    assert (told["changed_by"], told["current"]["number"], told["current"]["note"]) == (winner, 1, f"{winner} 改的")
    assert told["current"]["changes"]["changed"] == (["main"] if winner == "first" else ["after_sms"])
    for stale in (0, 5):
        with pytest.raises(VersionConflict):
            service.restore(db, first, home, stale, 0)
    assert service.publish(db, first, home, 1, TEXT, "还是原来的").number == 2


def test_the_file_follows_the_table_whatever_became_of_it(
    db: Database, settings: Settings, home: Path, person: People, monkeypatch: pytest.MonkeyPatch
):
    boss = person(Role.supervisor)
    target = home / PUBLISHED
    target.parent.mkdir()
    target.write_text("left behind by another database")
    assert lay_down(db, settings) == 1
    assert path_in(home) == SHIPPED
    assert target.with_suffix(".old").read_text() == "left behind by another database"
    service.publish(db, boss, home, 0, FIRST, "第一版")
    assert walked(home) == TEXT, "a process was killed before it could write"
    lay_down(db, settings)
    target.write_text("flow: [")
    assert lay_down(db, settings) == 1
    assert walked(home) == FIRST

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    service.publish(db, boss, home, 1, SECOND, "第二版")
    with monkeypatch.context() as away:
        away.setattr(file_module.os, "replace", full)
        with pytest.raises(OSError):
            lay_down(db, settings)
    assert walked(home) == FIRST
    with db.read() as session:
        [alarm] = open_alarms(session)
        assert (alarm.code, alarm.detail) == (ALARM, {"why": "No space left on device"})
    lay_down(db, settings)
    assert walked(home) == SECOND
    services = VoiceServices(settings, db)
    with db.read() as session:
        assert open_alarms(session) == []
    services.menu_trouble("published.yaml: DataFileError")
    services.menu_trouble("published.yaml: DataFileError")
    with db.read() as session:
        assert [(one.code, one.times) for one in open_alarms(session)] == [("menu_unusable", 2)]
    services.menu_trouble("")
    with db.read() as session:
        assert open_alarms(session) == []


def test_an_editor_asks_the_server_for_everything_and_publishes(home: Path, browser: Browsers):
    boss, reader, agent = browser(Role.supervisor), browser(Role.auditor), browser(agent_id="1001")
    menu = reader.get("/api/flows").json()
    assert (menu["number"], menu["text"], menu["versions"], menu["own"]) == (0, TEXT, [], False)
    words = reader.get("/api/flows/words").json()
    assert set(words["prompts"]["main_menu"]) == set(words["languages"]) == {"zh", "yue", "en"}
    assert {"of": "unit", "outcomes": ["open", "duty", "closed", "not_found"]} in words["subjects"]
    for path in ("/api/flows", "/api/flows/words", "/api/flows/versions/0"):
        assert agent.get(path).status_code == 403
    assert agent.send("POST", "/api/flows/check", json={"text": TEXT}).status_code == 403

    seen = reader.send("POST", "/api/flows/check", json={"text": BROKEN}).json()
    assert {(one["node"], one["code"]) for one in seen["faults"]} == {("emergency", "silence")}
    assert seen["changes"] == {"added": [], "removed": [], "changed": ["emergency"], "frame": []}
    [node] = [one for one in seen["outline"]["nodes"] if one["id"] == "main"]
    assert {"why": "key 9", "to": "emergency"} in node["exits"]
    no_yaml = reader.send("POST", "/api/flows/check", json={"text": "flow: ["}).json()
    assert (no_yaml["outline"], no_yaml["changes"], no_yaml["faults"][0]["line"]) == (None, None, 1)
    big = reader.send("POST", "/api/flows/check", json={"text": "#" * 60_001})
    assert big.status_code == 422

    changed = reader.send(
        "POST", "/api/flows/node", json={"text": TEXT, "id": "main", "body": {**node["body"], "timeout_s": 4}}
    )
    assert changed.json()["text"] != TEXT
    assert flow_module.read(changed.json()["text"]).nodes["main"].timeout_ms == 4000  # type: ignore[union-attr]
    wrong = reader.send("POST", "/api/flows/node", json={"text": "x: [", "id": "main", "body": {}})
    assert (wrong.status_code, set(wrong.json()["error"]["fields"])) == (422, {"text"})

    call = reader.send("POST", "/api/flows/try", json={"text": TEXT, "typed": ["3", "0"], "outcomes": {}}).json()
    assert call["over"]
    assert call["moments"][-1]["next"] == "queue"
    [asked] = [one for one in call["moments"] if one["node"] == "main"]
    assert (asked["language"], set(asked["said"]), asked["given"]) == ("en", {"zh", "yue", "en"}, "0")
    waiting = reader.send("POST", "/api/flows/try", json={"text": TEXT, "open": False}).json()
    assert (waiting["over"], waiting["moments"][-1]["asks"]) == (False, True)
    no_menu = reader.send("POST", "/api/flows/try", json={"text": "flow: x"})
    assert (no_menu.status_code, no_menu.json()["error"]["code"]) == (422, "bad_input")
    round_ = "flow: x\nlanguages: [zh]\nstart: a\nperson: a\nnodes: {a: {kind: branch, on: open, 'yes': a, 'no': a}}"
    assert reader.send("POST", "/api/flows/try", json={"text": round_}).json()["error"]["code"] == "menu_goes_round"

    sent = {"text": FIRST, "after": 0, "note": "多等一秒"}
    assert reader.send("POST", "/api/flows/publish", json=sent).status_code == 403
    refused = boss.send("POST", "/api/flows/publish", json={**sent, "text": BROKEN})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "menu_has_faults")
    made = boss.send("POST", "/api/flows/publish", json=sent)
    assert (made.status_code, made.json()["laid_down"], made.json()["version"]["number"]) == (201, True, 1)
    assert walked(home) == FIRST, "callers walk it at once"
    twice = boss.send("POST", "/api/flows/publish", json=sent)
    assert (twice.status_code, twice.json()["current"]["number"]) == (409, 1)
    back = boss.send("POST", "/api/flows/versions/0/restore", json={"after": 1})
    assert (back.status_code, back.json()["version"]["restores"]) == (201, 0)
    assert walked(home) == TEXT
    assert boss.send("POST", "/api/flows/versions/0/restore", json={"after": 1}).status_code == 409
    assert boss.get("/api/flows/versions/1").json() == {"text": FIRST}
    assert boss.get("/api/flows/versions/7").status_code == 404
    (home / PUBLISHED).parent.rename(home / "moved")
    (home / PUBLISHED).parent.write_text("a file where a folder should be")
    late = boss.send("POST", "/api/flows/publish", json={**sent, "after": 2})
    assert (late.status_code, late.json()["laid_down"]) == (201, False), "it is stored, and told"
