"""Everything that can be read of the hotline is asked for by everybody, and nobody finds a citizen in secret.

The walk takes its routes from the application itself. Whoever adds one that is read (GET) has it walked, or is told
that its parameters are unknown here; whoever adds another one has to say whether it is walked too, because it answers
with the text of cases (`ASKED`), or is an act that is not (`ACTS`): what acts leave behind is read by the rest of the
walk. Two acts are walked with a version that is none, for what a conflict answers. And the walk is tried itself:
without the guard it must find the citizen (篇6 第十九条).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlmodel import select

from app.actor import SYSTEM
from app.agents.service import create_agent
from app.assignments import extensions, judging, working
from app.assignments.model import Opinion
from app.assignments.tables import Assignment
from app.auth.model import Role
from app.calls.service import record
from app.campaigns.tables import Campaign, CampaignTarget
from app.cases import access
from app.cases.tables import Case
from app.citizens import service as citizens
from app.consents import service as consents
from app.consents.model import About, How, Said
from app.db import Database
from app.followups.model import Heard, Reached
from app.followups.tables import FollowUpTask
from app.number_audits.tables import NumberAuditRound
from app.progress.model import code_of
from app.quality.tables import QualityReview
from app.reply_templates.starter import load as load_templates
from app.secrets import secret as secret_of
from app.settings import Settings
from app.speech.model import HeardWord, Utterance
from app.voicemails.tables import Voicemail
from app.voicemails.texts import keep_heard
from recordings import comments, transcripts
from recordings.lines import Channel, Line
from recordings.tables import Recording
from tests.case_kit.documents import read, squeezed
from tests.case_kit.world import World
from tests.integration.web_browser import PASSWORD, Browser

NUMBER, SPACED, NAME, ADDRESS = "13912345678", "139-1234 5678", "欧阳守秘", "保密巷七十七号"
SECRETS = (NUMBER, SPACED, NAME, ADDRESS)
TEXT = f"{NAME}（住{ADDRESS}，电话{SPACED}）举报停水"
CALL = "h-77.1"

# What else than the case's own people may see the citizen: those with the right to, and the agent whose call it was.
ENTITLED = {"head", "leader", "taker", "reviewer"}


@dataclass
class Walk:
    """What was asked, and where a trace was found."""

    asked: set[str] = field(default_factory=set)
    traces: list[str] = field(default_factory=list)
    answered: dict[str, set[int]] = field(default_factory=dict)

    def look(self, who: str, what: str, text: str) -> None:
        self.asked.add(what)
        whole = squeezed(text.replace("\\n", ""))  # as JSON writes the end of a line
        self.traces += [f"{who}: {what}: {secret}" for secret in SECRETS if squeezed(secret) in whole]


@pytest.fixture
def world(db: Database, city: World) -> World:
    """A city in which a confidential case has gone all the way, with a call, replies, a redo and call-backs."""
    world = city
    with db.session() as session:
        citizens.create(session, SYSTEM, numbers=[NUMBER], name=NAME, flags=["confidential"], address=ADDRESS)
        load_templates(session, now=city.now)
    world.people["supervisor"] = world.somebody(Role.supervisor)
    world.people["quality"] = world.somebody(Role.quality)
    world.people["admin"] = world.somebody(Role.admin)
    world.people["other agent"] = world.somebody(Role.agent)
    world.people["citizen"] = world.somebody(Role.citizen)
    matter = {"type": "report", "title": f"{NAME}举报停水", "content": TEXT}
    case_id = world.case(
        matter, number=NUMBER, caller_name=NAME, address=ADDRESS, area=f"城南区{NAME}", confidential=True
    )
    record(db, CALL, number=NUMBER, name=NAME, started_at=world.now)
    talked(world)
    audited(world)
    called(world, case_id)
    world.dispatched("WATER", "CITY", case_id=case_id)
    world.handed_in(case_id, "WATER", result=f"已上门回复{NAME}，{ADDRESS}恢复供水。", letter=f"{NAME}女士：{TEXT}")
    world.work("CITY.handler", working.sign, world.work_of(case_id, "CITY"))
    world.work("CITY.handler", working.give_it_back, world.work_of(case_id, "CITY"), f"{NAME}的事不归我们")
    world.work("dispatcher", judging_return, world.work_of(case_id, "CITY"), f"{SPACED}已核实")
    world.handed_in(case_id, "CITY")
    world.act("head", judging.accept_case, case_id, f"同意，已电话{SPACED}告知")
    angry = Heard(Reached.spoken, Opinion.dissatisfied, False, True, False, f"{NAME}说没修好", propose_redo=True)
    world.asked(case_id, angry)
    world.act("head", judging.redo_case, case_id, f"{NAME}不满意")
    with db.session() as session:
        extensions.ask(
            session, world.people["WATER.handler"], world.work_of(case_id, "WATER"), 1, f"{NAME}不在家", now=world.now
        )
    left_a_message(world, case_id)
    return world


def left_a_message(world: World, case_id: int) -> None:
    """A voicemail of the same matter, with its words."""
    with world.db.session() as session:
        mail = Voicemail(call_id=CALL, number=NUMBER, started_at=world.now, taken_at=world.now, status="new")
        mail.path, mail.case_id = "x.wav", case_id
        session.add(mail)
        session.flush()
        keep_heard(session, mail, [Utterance((HeardWord(TEXT, 0, 900, 1.0),))], world.now)


def talked(world: World) -> None:
    """The call was recorded; what was said is written down, commented on, and judged."""
    agent = create_agent(world.db, name="坐席", agent_id="1001", user_name="talker", password=PASSWORD).agent
    chief = world.people["reviewer"] = world.somebody(Role.quality, Role.duty_leader)
    facts = {"sha256": "0" * 64, "previous": "", "chain": "0" * 64, "path": "x.wav", "bytes": 1, "duration_ms": 9_000}
    moments = {"started_at": world.now, "adopted_at": world.now}
    with world.db.session() as session:
        session.add(Recording(seq=1, call_id=CALL, segment=1, agent_id=agent.agent_id, **facts, **moments))
        session.flush()
        said = [Line(Channel.citizen, 0, 900, TEXT), Line(Channel.agent, 1_000, 1_900, f"{NAME}，再说一遍")]
        transcripts.put(session, SYSTEM, 1, "asr", said)
        comments.add(session, chief, 1, 0, f"{NAME}说得很清楚", now=world.now)
        values = {"call_id": CALL, "agent_id": agent.agent_id, "reason": "random", "state": "published"}
        judged = {"reviewer_id": chief.user_id, "drawn_at": world.now, "note": TEXT, "total": 80, "passed": True}
        day = world.now.date()
        session.add(QualityReview(**values, **judged, day=day, week=day, marks=[[1, 0, NAME]]))


def called(world: World, case_id: int) -> None:
    """A campaign has their number on its list, and they have said that they do not want to be called."""
    texts = {"zh": {"purpose": "回访", "message": "", "question": ""}}
    campaign = {"name": "回访", "kind": "result", "state": "paused", "mode": "lines", "texts": texts, "windows": []}
    with world.db.session() as session:
        session.add(Campaign(**campaign, on_machine="message", channel="phone", at_night="wait", created_at=world.now))
        session.flush()
        moments = {"next_at": world.now, "added_at": world.now}
        session.add(CampaignTarget(campaign_id=1, number=NUMBER, case_id=case_id, state="refused", **moments))
        consents.note(session, SYSTEM, Said.do_not_call, About.campaigns, NUMBER, how=How.key, call_id=CALL)


def audited(world: World) -> None:
    """A round of audits of the city's own numbers is under way."""
    day = world.now.date()
    planned = {"first_day": day, "last_day": day, "hours": "9:00-17:00", "at_once": 2, "attempts": 2, "seed": "x"}
    with world.db.session() as session:
        session.add(NumberAuditRound(title="暗访", state="running", mode="automatic", **planned, created_at=world.now))


def put_on_the_desk_again(world: World) -> None:
    """As if the citizen were to be asked once more, by whoever asks for work first."""
    waits = {"open": True, "after": world.now - timedelta(days=400), "claimed_by": None, "claimed_at": None}
    with world.db.session() as session:
        session.execute(sa.update(FollowUpTask).values(**waits))


def judging_return(*args: Any, **more: Any) -> Any:
    from app.assignments.giving import refuse_return

    return refuse_return(*args, **more)


def values(world: World) -> dict[str, list[str]]:
    """What stands for each parameter in a path."""
    with world.db.read() as session:
        cases = [str(one) for one in session.exec(select(Case.id)).all()]
        works = [str(one) for one in session.exec(select(Assignment.id)).all()]
    some = ["1", "2"]
    return {
        "case_id": cases, "work_id": works, "call_id": [CALL], "citizen_id": some, "unit_id": some,
        "which": ["dispatch", "returns", "under_way", "review", "proposals", "follow_up", "deferred"],
        "post": ["leader"],
        "campaign_id": ["1"],
        "batch_id": some, "box": ["to_sign", "at_work", "to_approve", "from_below", "handed_in", "done"],
        "agent_id": ["1001"], "article_id": some, "callback_id": some, "fax_id": some, "voicemail_id": some,
        "recording_id": some, "announcement_id": some, "rule_id": some, "gap_id": some, "user_id": some,
        "member_id": some, "year": ["2026"], "language": ["zh"], "clock_id": some, "extension_id": some,
        "template_id": some, "use": ["answer", "follow_up"],
        "review_id": some, "version": ["1"], "day": ["2026-11-24"], "leg": ["both"], "kind": ["hotline"], "name": ["x"],
        "round_id": some, "target_id": some, "number": ["0"],
    }  # fmt: skip


_described: dict[str, Any] = {}


def described(app: FastAPI) -> dict[str, Any]:
    """Path → methods, as the application itself says; written once, for all applications have the same routes."""
    if not _described:
        _described.update(app.openapi()["paths"])
    return _described


def paths_of(app: FastAPI, world: World) -> Iterator[str]:
    """Every path that can be read, with every value of its parameters."""
    known = values(world)
    for path, methods in described(app).items():
        if "get" in methods:
            yield from filled_in(path, known)


def filled_in(path: str, known: dict[str, list[str]]) -> list[str]:
    """The path with every value of its parameters."""
    wanted = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    unknown = [name for name in wanted if name not in known]
    assert not unknown, f"{path}: say in `values` what stands for {unknown}"
    found = [path]
    for name in wanted:
        found = [one.replace(f"{{{name}}}", value) for one in found for value in known[name]]
    return found


def said(path: str, answer: Response) -> str:
    """What the answer says to whoever reads it; documents are opened."""
    form = path.rsplit(".", 1)[-1]
    return read(form, answer.content) if form in ("docx", "pdf") and answer.status_code == 200 else answer.text


STALE = {"version": 999, "opinion": "同意"}
ASKED: dict[str, list[dict[str, Any]]] = {
    "/api/cases/search": [{}, {"q": NAME}, {"q": NUMBER}, {"number": NUMBER}, {"q": ADDRESS}, {"q": "停水"}],
    "/api/case-tables/export": [{}],
    "/api/voicemails/search": [{}, {"q": NAME}, {"q": NUMBER}, {"q": ADDRESS}, {"q": "停水"}],
    "/api/recordings/transcripts/search": [{}, {"q": NAME}, {"q": NUMBER}, {"q": ADDRESS}, {"q": "停水"}],
    "/api/batches/try": [
        {"act": "dispatched", "cases": [{"id": 1, "version": 1}], "unit_id": 2, "way": "written"},
        {"act": "sent_back", "cases": [{"id": 1, "version": 1}], "reason": "?"},
    ],
    "/api/calls/search": [{}, {"q": NUMBER}, {"number": NUMBER}],
    "/api/audit/search": [{}],
    "/api/nuisance-rules/search": [{}, {"number": NUMBER}],
    "/api/campaigns/{campaign_id}/export": [{}],
    "/api/contact-wishes/search": [{}, {"number": NUMBER}],
    "/api/published-numbers/search": [{}, {"q": NUMBER}],
    "/api/number-audits/rounds/{round_id}/targets/search": [{}, {"q": NUMBER}],
    "/api/citizens/lookup": [{"number": NUMBER}],
    "/api/units/search": [{"q": "水务"}],
    "/api/units/suggest": [{"text": "停水"}],
    "/api/knowledge/search": [{"q": "停水"}],
    "/api/cases/duplicates": [
        {"number": NUMBER, "title": "举报停水", "content": "举报停水", "address": ADDRESS},
        {"title": "举报停水", "content": "举报停水，没有水"},
    ],
    "/api/places/suggest": [{"q": ADDRESS}, {"q": "保密巷", "area": "城南区"}, {"q": NAME}],
    "/api/suggestions": [{"said": [{"segment": 1, "start_ms": 0, "text": "我住保密巷，我要举报停水"}]}, {"said": []}],
    "/api/assignments/{work_id}/letter-draft": [{}],
    "/api/boards/follow_up/next": [{}],
    "/api/progress": [{"number": "20250101-000001", "code": "00000000"}],
    "/api/reply-templates/search": [{}, {"q": NAME}, {"q": "停水"}],
    "/api/reply-templates/check": [{"use": "reply", "parts": {"result": "“{事项标题}”（{工单编号}）已办结"}}],
    "/api/quality/editions/sampling/preview": [
        {
            "at_least": 2,
            "new_agents": 4,
            "new_days": 60,
            "pressing": 3,
            "shortest_s": 20,
            "low_rating": 2,
            "long_hold_s": 120,
            "long_talk_s": 900,
            "forbidden": 1,
        },
    ],
    "/api/phrases/try": [
        {
            "phrases": [{"kind": "forbidden", "language": "zh", "zh": "再说", "en": "again", "variants": ["再说一遍"]}],
            "language": "zh",
            "text": "再说一遍",
        }
    ],
    "/api/cases/{case_id}/accept": [STALE],
    "/api/assignments/{work_id}/sign": [{"version": 999}],
}
"""What is walked beside what is read, with bodies: the acts among it change nothing by these."""

ACTS = {
    "/api": "cases case-tables/import agents agents/{agent_id} login logout me/password users users/{user_id} "
    "users/{user_id}/reset-password recusals/{recusal_id}/lift extensions/{extension_id}/decide "
    "citizens/{citizen_id} urgent/{matter_id}/acknowledge recordings/{recording_id}/hold "
    "recordings/{recording_id}/transcript recordings/{recording_id}/comments "
    "recordings/{recording_id}/comments/{comment_id} "
    "voicemails/{voicemail_id}/done voicemails/{voicemail_id}/text "
    "hours/days/{day} workdays/days/{day} workdays/{year}/import "
    "clock-rules/{kind}/{case_type}/{urgency}/{way} alerts/rules/{alert}",
    "/api/cases/{case_id}": " register answer-at-once discard restore items answer guide refer transfer decline reopen "
    "submit send-back dispatch review redo defer resume merge unmerge follow-up close archive take-back orders "
    "recusals",
    "/api/assignments/{work_id}": "reply start hand-down submit rework approve accept redo return refuse-return "
    "uphold-return withdraw extension",
    "/api/chases/{chase_id}": "confirm drop",
    "/api/batches": " {batch_id}/undo",
    "/api/campaigns": " {campaign_id} {campaign_id}/start {campaign_id}/pause {campaign_id}/stop "
    "{campaign_id}/targets/table {campaign_id}/targets/cases {campaign_id}/recordings/{language} {campaign_id}/spoken",
    "/api/contact-wishes": " {wish_id}/end",
    "/api/callbacks/{callback_id}": "take release reached missed cancel reopen",
    "/api/announcements": " {announcement_id} {announcement_id}/end spoken",
    "/api/knowledge": "articles articles/{article_id} articles/{article_id}/steps articles/{article_id}/uses "
    "articles/{article_id}/owner articles/{article_id}/phone gaps gaps/{gap_id}/steps import",
    "/api/quality": "draws reviews/{review_id} reviews/{review_id}/publish reviews/{review_id}/steps quarters "
    "trainings/{agent_id} editions/criteria editions/sampling picks findings/again",
    "/api/phrases": "editions",
    "/api/notices": "read {notice_id}/read contact contacts/{user_id}",
    "/api/nuisance-rules": " {rule_id}/end",
    "/api/roster": "import plan days/{day}/{post} posts/{post} posts/{post}/hand-over",
    "/api/units": " import import-members {unit_id} {unit_id}/move {unit_id}/close {unit_id}/reopen {unit_id}/members "
    "{unit_id}/members/{member_id}/end",
    "/api/published-numbers": "import from-units {published_id}",
    "/api/number-audits": "rounds rounds/{round_id}/steps targets/{target_id} attempts/{attempt_id}/call",
    "/api/machines": " {machine_id} {machine_id}/token {machine_id}/revoke",
    "/api/reply-templates": " {template_id} {template_id}/steps",
    "/api/flows": "check node try publish versions/{number}/restore",
    "/api/pushes": "{push_id}/again addresses addresses/{address_id} addresses/{address_id}/key "
    "addresses/{address_id}/again",
}
"""What is not walked: each changes something, and answers with what the rest of the walk reads."""


def test_whatever_is_asked_by_a_body_is_walked_or_said_to_be_an_act(client: TestClient):
    app = client.app
    assert isinstance(app, FastAPI)
    acts = {f"{front}/{name}".rstrip("/") for front, names in ACTS.items() for name in names.split(" ")}
    unsafe = {path for path, methods in described(app).items() if {"post", "put", "patch"} & set(methods)}
    assert unsafe - acts - set(ASKED) == set(), "say whether this is walked"
    assert (acts | set(ASKED)) - unsafe == set(), "this is there no more"
    assert acts & set(ASKED) == set()


def walked(client: TestClient, world: World, everybody: bool = True) -> Walk:
    """Everybody but those who are entitled asks for everything."""
    walk = Walk()
    app = client.app
    assert isinstance(app, FastAPI)
    for who, actor in world.people.items():
        if who in ENTITLED:
            continue
        one = Browser(TestClient(app, base_url="http://hotline.test", raise_server_exceptions=False))
        assert one.sign_in(actor.name).status_code == 200
        for path in paths_of(app, world):
            answer = one.get(path)
            assert answer.status_code < 500, f"{who}: {path}: {answer.text}"
            walk.look(who, path, said(path, answer) + json.dumps(dict(answer.headers), ensure_ascii=False))
        put_on_the_desk_again(world)
        for path, body in ((path, body) for path, bodies in ASKED.items() for body in bodies):
            for asked in filled_in(path, values(world)):
                answer = one.send("POST", asked, json=body)
                assert answer.status_code < 500, f"{who}: {asked}: {answer.text}"
                walk.answered.setdefault(path, set()).add(answer.status_code if answer.text != "null" else 404)
                sought = set(map(str, body.values())) & set(SECRETS)
                if sought and answer.status_code == 200 and path.endswith("search"):
                    assert answer.json()["total"] == 0, f"{who} found somebody by {sought} at {path}"
                walk.look(who, asked, answer.text)
        if not everybody and walk.traces:
            break
    look_as_the_citizen(client, world, walk)
    return walk


def look_as_the_citizen(client: TestClient, world: World, walk: Walk) -> None:
    """Whoever knows number and code is perhaps not the citizen: somebody may have looked over a shoulder."""
    app = client.app
    assert isinstance(app, FastAPI)
    key = secret_of(app.state.web.settings, "progress")
    with world.db.read() as session:
        numbers = [case.number for case in session.exec(select(Case)).all()]
    for number in numbers:
        answer = client.post("/api/progress", json={"number": number, "code": code_of(key, number)})
        assert answer.status_code == 200, answer.text
        walk.look("whoever knows the code", "/api/progress", answer.text)


@pytest.mark.timeout(600)  # some thousands of requests, and the other tests have the processors first
def test_nobody_finds_a_trace_of_a_citizen_who_asked_for_secrecy(
    client: TestClient,
    world: World,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
):
    caplog.set_level(logging.DEBUG)
    asking = {role for who, actor in world.people.items() if who not in ENTITLED for role in actor.roles}
    assert asking == set(Role) - {Role.section_head, Role.duty_leader}, "every role but those with the right"
    walk = walked(client, world)
    assert walk.traces == []
    assert len(walk.asked) > 60
    for path, bodies in ASKED.items():
        # Neither is for those who may not know the citizen; the last is a code that is none.
        nothing = path.endswith(("lookup", "follow_up/next", "progress"))
        expected = 409 if any("version" in body for body in bodies) else 404 if nothing else 200
        assert expected in walk.answered[path], f"{path} was answered to nobody"
    out, err = capfd.readouterr()
    said = caplog.text + out + err
    names = "\n".join(str(path) for path in Path(settings.home).rglob("*"))
    for secret in SECRETS:
        assert secret not in said, "a log line"
        assert secret not in names, "a file's name"


REMOVED: dict[str, Callable[..., Any]] = {
    "is_confidential": lambda session, case: False,
    "sees_citizen": lambda session, actor, case: True,
    "hidden": lambda text, case: text,
}


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)  # what is removed is ours, whatever the database
@pytest.mark.parametrize("guard", REMOVED)
def test_without_the_guard_the_walk_finds_the_citizen(
    client: TestClient, world: World, guard: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(access, guard, REMOVED[guard])
    if guard == "is_confidential":
        monkeypatch.setattr("app.actor.Actor.sees_personal", lambda self, **_: True)
    import app.cases.routes as routes

    if hasattr(routes, guard):
        monkeypatch.setattr(routes, guard, REMOVED[guard])
    assert walked(client, world, everybody=False).traces


def test_those_who_may_see_the_citizen(client: TestClient, world: World):
    app = client.app
    with world.db.read() as session:
        case_id = session.exec(select(Case.id)).first()
    for who in ("head", "leader"):
        one = Browser(TestClient(app, base_url="http://hotline.test", raise_server_exceptions=False))
        one.sign_in(world.people[who].name)
        shown = one.get(f"/api/cases/{case_id}").text
        assert all(secret in shown for secret in (NUMBER, NAME, ADDRESS)), who
