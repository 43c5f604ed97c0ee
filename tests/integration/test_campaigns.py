"""Campaigns in the database: lists, attempts, the register of wishes, messages, and who sees what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session, select

from app.actor import SYSTEM, Actor
from app.audio import read_wav, write_wav
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.campaigns import calling, messages, results, service, targets
from app.campaigns.model import AtNight, CampaignAct, CampaignState, Channel, Kind, Order, TargetState
from app.campaigns.service import Wanted
from app.campaigns.tables import Campaign, CampaignAttempt, CampaignTarget
from app.citizens import service as citizens
from app.clock import utc_now
from app.consents import service as consents
from app.consents.model import About, How, Said
from app.db import Database
from app.destinations import Destinations
from app.errors import BadInput, Forbidden, Refused, VersionConflict
from app.notices.channels import Letter
from app.notices.model import Channel as Way
from app.outgoing import Away
from app.settings import Settings
from tests.case_kit.world import World
from tests.integration.web_browser import Browser

ALLOWED = Destinations()
TEXTS = {"zh": {"purpose": "提醒您明天办证", "message": "请带身份证。", "question": "能来请按1，不能请按2。"}}
ALL_DAY = (("00:00", "24:00"),)
HEADS = "电话,语言,方式,邮箱\r\n"


@pytest.fixture
def open_settings(settings: Settings) -> Settings:
    """Calls may go out at any hour, over a trunk."""
    more = {"trunk_out": "127.0.0.2:5060", "calling_opens": "00:00", "calling_closes": "24:00"}
    return settings.model_copy(update=more)


@pytest.fixture
def head(person: Callable[..., Actor]) -> Actor:
    return person(Role.section_head)


def wanted(**more: Any) -> Wanted:
    values = {"name": "办证提醒", "kind": Kind.reminder, "texts": TEXTS, "windows": ALL_DAY, **more}
    return Wanted(**{"answers": {"1": "能来", "2": "不能来"}, **values})


def made(db: Database, head: Actor, **more: Any) -> int:
    with db.session() as session:
        return service.create(session, head, wanted(**more)).id or 0


def listed(db: Database, head: Actor, campaign: int, *lines: str, dry_run: bool = False) -> Any:
    data = (HEADS + "\r\n".join(lines)).encode()
    return targets.from_table(db, head, campaign, data, ALLOWED, dry_run=dry_run)


def started(db: Database, settings: Settings, head: Actor, campaign: int) -> None:
    sound = settings.home / "sound.wav"
    sound.parent.mkdir(parents=True, exist_ok=True)
    sound.write_bytes(b"RIFF")
    service.act(db, head, campaign, CampaignAct.start, settings=settings, speak=lambda *_: sound)


def begun(db: Database, settings: Settings, campaign: int, **later: float) -> Order | None:
    return calling.begin(db, settings, ALLOWED, campaign, "", utc_now() + timedelta(**later))


def target(db: Database, number: str) -> CampaignTarget:
    with db.read() as session:
        return session.execute(select(CampaignTarget).where(CampaignTarget.number == number)).scalar_one()


def attempts(session: Session) -> list[CampaignAttempt]:
    return list(session.execute(select(CampaignAttempt).order_by(CampaignAttempt.id)).scalars())  # type: ignore[arg-type]


def test_a_list_is_tried_first_and_a_number_that_may_not_be_called_is_a_fault(
    db: Database, open_settings: Settings, head: Actor
) -> None:
    campaign = made(db, head)
    with db.session() as session:
        consents.note(session, head, Said.do_not_call, About.campaigns, "+86 139 0000 0002", how=How.written)
    bad = ("13900000001", "139-0000-0001", "13900000002", "1688778", "=cmd,火星语")
    tried = listed(db, head, campaign, *bad, dry_run=True)
    assert [(fault.row, fault.column) for fault in tried.faults] == [
        (3, "电话"), (4, "电话"), (5, "电话"), (6, "电话"), (6, "语言"),
    ]  # fmt: skip
    assert not tried.written
    good = ("13900000001", "02055550001,粤语", "13900000003,,短信")
    assert listed(db, head, campaign, *good, dry_run=True).created == ["139****0001", "020****0001", "139****0003"]
    with db.read() as session:
        assert not session.execute(select(CampaignTarget)).first(), "tried only"
    assert listed(db, head, campaign, *good).written
    assert listed(db, head, campaign, *good).unchanged == 3, "the same table again adds nothing"
    assert target(db, "02055550001").language == "yue"


def test_an_attempt_is_written_before_the_call_and_settled_once_however_often_it_is_told(
    db: Database, open_settings: Settings, head: Actor
) -> None:
    campaign = made(db, head, most_attempts=2, spacing={"busy": 15, "unknown": 60})
    listed(db, head, campaign, "13900000001", "13900000002", "13900000003")
    assert begun(db, open_settings, campaign) is None, "a draft calls nobody"
    started(db, open_settings, head, campaign)
    started(db, open_settings, head, campaign)  # pressed twice
    with db.read() as session:
        steps = session.execute(select(AuditEntry).where(AuditEntry.action == "campaign.step")).scalars().all()
        assert [one.detail for one in steps] == [{"from": "draft", "to": "running"}]
    order = begun(db, open_settings, campaign)
    assert order is not None
    assert order.call_id == f"{open_settings.node}-cp{order.attempt_id}.0"
    assert (order.number, order.keys, order.agent_id) == ("13900000001", "12", "")
    assert set(order.sounds) == {"who", "keys", "message", "question", "refused", "thanks", "through"}
    with db.read() as session:
        (open_,) = calling.open_attempts(db)
        assert (open_.call_id, attempts(session)[0].settled_at) == (order.call_id, None)
    for told in ({"cause": "17"}, {"cause": "17"}, {"heard": "human", "answer": "1"}):
        calling.settle(db, order.call_id, told, utc_now())
    row = target(db, order.number)
    assert (row.state, row.outcome, row.attempts, row.answer) == ("waiting", "busy", 1, "")
    assert timedelta(minutes=14) < row.next_at - utc_now() < timedelta(minutes=16)

    unknown = begun(db, open_settings, campaign)
    assert unknown is not None
    assert unknown.number == "13900000002"
    calling.settle(db, unknown.call_id, {"outcome": "unknown"}, utc_now())
    assert target(db, unknown.number).state == "waiting", "nobody knows whether they were called"
    assert begun(db, open_settings, campaign).number == "13900000003"  # type: ignore[union-attr]
    assert begun(db, open_settings, campaign) is None, "nobody again at once"
    late = {"heard": "human", "said": "1", "answer": "2", "cause": "16"}
    calling.settle(db, unknown.call_id, late, utc_now())  # a note that was found later
    assert (target(db, unknown.number).state, target(db, unknown.number).answer) == ("reached", "2")

    again = begun(db, open_settings, campaign, minutes=20)
    assert again is not None
    assert (again.number, again.attempt_id != order.attempt_id) == ("13900000001", True)
    calling.settle(db, again.call_id, {"cause": "19"}, utc_now())
    assert target(db, again.number).state == "given_up", "two attempts were promised"
    calling.settle(db, "hotline1-cp999.0", {"cause": "17"}, utc_now())  # a note of another house
    with db.read() as session:
        shown = results.results(session, head, campaign)
    assert shown["outcomes"] == {"busy": 1, "human": 1, "no_answer": 1}
    assert (shown["on_their_way"], shown["answers"]) == (1, {"1": 0, "2": 1})


ENDS: tuple[tuple[dict[str, str], str], ...] = (
    ({"cause": "1"}, "given_up"),
    ({"heard": "fax", "cause": "16"}, "given_up"),
    ({"heard": "machine", "said": "1"}, "reached"),
    ({"heard": "human", "wish": "refuse"}, "refused"),
    ({"heard": "human", "wish": "person", "said": "1"}, "reached"),
    ({"heard": "machine", "said": "0"}, "waiting"),
    ({"heard": "<b>", "cause": "-5", "answer": "'; drop", "wish": "cake"}, "waiting"),
)


def test_what_an_end_does_to_the_number(db: Database, open_settings: Settings, head: Actor) -> None:
    campaign = made(db, head)
    listed(db, head, campaign, *(f"1390000000{n}" for n in range(len(ENDS))))
    started(db, open_settings, head, campaign)
    for told, state in ENDS:
        order = begun(db, open_settings, campaign)
        assert order is not None
        calling.settle(db, order.call_id, told, utc_now())
        row = target(db, order.number)
        assert (row.state, row.answer, row.person) == (state, "", told.get("wish") == "person")
        with db.read() as session:
            assert (consents.stopped(session, [order.number]) != set()) == (state == "refused")
        if state == "waiting":
            with db.session() as session:
                session.get_one(CampaignTarget, row.id).state = TargetState.given_up.value
    assert calling.work(db, open_settings, utc_now()) == []
    with db.read() as session:
        assert session.get_one(Campaign, campaign).state == CampaignState.done.value, "nobody is left"


def test_do_not_call_and_consent_are_asked_again_before_each_call(
    db: Database, open_settings: Settings, head: Actor
) -> None:
    campaign = made(db, head, kind=Kind.survey)
    with pytest.raises(Refused, match="nobody to call"):
        started(db, open_settings, head, campaign)
    assert [one.told for one in listed(db, head, campaign, "13900000001").faults] == [targets.FORBIDDEN["no_consent"]]
    with db.session() as session:
        for number in ("13900000001", "13900000002"):
            yes = consents.note(session, head, Said.consent, About.survey, number, how=How.told, why="电话中同意")
        assert consents.note(session, head, Said.consent, About.survey, number, how=How.told).id == yes.id
        with pytest.raises(BadInput):
            consents.note(session, head, Said.consent, About.campaigns, number, how=How.told)
    listed(db, head, campaign, "13900000001", "13900000002")
    table = "电话,同意\r\n13900000003,是\r\n13900000004,否".encode()
    tried = targets.from_table(db, head, campaign, table, ALLOWED, dry_run=True)
    assert [(fault.row, fault.told) for fault in tried.faults] == [(3, targets.FORBIDDEN["no_consent"])]
    assert targets.from_table(db, head, campaign, table.rsplit(b"\r", 1)[0], ALLOWED, dry_run=False).written
    with db.session() as session:
        assert consents.lacking_consent(session, ["13900000003"], About.survey) == set(), "the list said yes for them"
        session.delete(
            session.execute(select(CampaignTarget).where(CampaignTarget.number == "13900000003")).scalar_one()
        )
    started(db, open_settings, head, campaign)
    with db.session() as session:
        consents.end(session, head, yes.id or 0, "不愿再参加")
        no = consents.note(session, head, Said.do_not_call, About.all, "13900000001", how=How.told)
        assert consents.never_called(session, "+8613900000001")
    assert begun(db, open_settings, campaign) is None
    assert [target(db, one).why for one in ("13900000001", "13900000002")] == ["do_not_call", "no_consent"]
    with db.session() as session, pytest.raises(BadInput):
        consents.end(session, head, no.id or 0, " ")
    with db.read() as session:
        entries = session.execute(select(AuditEntry).where(AuditEntry.action.in_(["wish.noted", "wish.ended"])))  # type: ignore[attr-defined]
        assert len(entries.all()) == 5
        assert "1390000" not in str([one.detail for one in session.execute(select(AuditEntry)).scalars()])


def test_two_looks_at_once_write_two_attempts_for_two_numbers(
    db: Database, open_settings: Settings, head: Actor
) -> None:
    campaign, other = made(db, head), made(db, head, priority=5)
    listed(db, head, campaign, "13900000001", "13900000002")
    listed(db, head, other, "13900000001")
    for one in (campaign, other):
        started(db, open_settings, head, one)
    found: list[Order | None] = []
    looks = [threading.Thread(target=lambda: found.append(begun(db, open_settings, campaign))) for _ in range(4)]
    for look in looks:
        look.start()
    for look in looks:
        look.join()
    assert sorted(one.number for one in found if one is not None) == ["13900000001", "13900000002"]
    assert begun(db, open_settings, other) is None, "whoever is being called by one campaign is not called by another"
    assert [one.campaign_id for one in calling.work(db, open_settings, utc_now())] == []
    with db.read() as session:
        assert len({(one.target_id, one.no) for one in attempts(session)}) == 2


def test_hours_pause_and_stop_hold_for_the_next_call(db: Database, open_settings: Settings, head: Actor) -> None:
    campaign = made(db, head)
    listed(db, head, campaign, *(f"1390000000{n}" for n in range(1, 5)))
    started(db, open_settings, head, campaign)
    night = open_settings.model_copy(update={"calling_opens": "08:00", "calling_closes": "21:00"})
    midnight = utc_now().astimezone(night.zone).replace(hour=23, minute=30)
    assert calling.work(db, night, midnight) == []
    assert calling.begin(db, night, ALLOWED, campaign, "", midnight) is None
    assert len(calling.work(db, night, midnight + timedelta(hours=10))) == 1
    act = {"settings": open_settings, "speak": lambda *_: Path()}
    service.act(db, head, campaign, CampaignAct.pause, **act)
    assert begun(db, open_settings, campaign) is None
    with db.session() as session:
        row = service.change(session, head, campaign, 1, wanted(priority=9))
        assert (row.version, row.sounds) == (2, {})
        with pytest.raises(VersionConflict):
            service.change(session, head, campaign, 1, wanted(priority=1))
    started(db, open_settings, head, campaign)
    with db.session() as session, pytest.raises(Refused):
        service.change(session, head, campaign, 2, wanted(priority=1))
    assert begun(db, open_settings, campaign) is not None
    service.act(db, head, campaign, CampaignAct.stop, **act)
    assert begun(db, open_settings, campaign) is None
    with pytest.raises(Refused):
        listed(db, head, campaign, "13900000009")
    with pytest.raises(Refused):
        service.act(db, head, campaign, CampaignAct.start, **act)


class Port:
    """A gateway that takes letters, or is away."""

    def __init__(self) -> None:
        self.sent: list[Letter] = []
        self.away = False

    def open(self) -> None:
        if self.away:
            raise Away("closed")

    def send(self, letter: Letter) -> None:
        self.sent.append(letter)

    def close(self) -> None:
        pass


def test_messages_go_instead_of_calls_where_people_want_them_and_at_night(
    db: Database, open_settings: Settings, head: Actor
) -> None:
    house = open_settings.model_copy(update={"calling_opens": "08:00", "calling_closes": "21:00"})
    campaign = made(db, head, at_night=AtNight.sms)
    listed(db, head, campaign, "13900000001,,短信", "13900000002,,邮件,a@example.org", "13900000003", "02055550004")
    started(db, house, head, campaign)
    sms, mail = Port(), Port()
    ports = {Way.sms: sms, Way.email: mail}
    day = utc_now().astimezone(house.zone).replace(hour=10, minute=0) + timedelta(days=1)
    sms.away = True
    assert messages.send_due(db, house, ports, day) == 1
    assert [(one.to, one.text) for one in mail.sent] == [("a@example.org", "提醒您明天办证\n请带身份证。")]
    assert (target(db, "13900000001").state, target(db, "13900000001").outcome) == ("waiting", "not_sent")
    sms.away = False
    assert messages.send_due(db, house, ports, day) == 0, "not at once again"
    assert messages.send_due(db, house, ports, day + timedelta(minutes=11)) == 1
    assert target(db, "13900000001").state == "reached"
    night = day.replace(hour=22)
    assert messages.send_due(db, house, ports, night) == 1
    assert [one.to for one in sms.sent] == ["13900000001", "13900000003"]
    assert target(db, "02055550004").why == "not_allowed", "a fixed line takes no SMS"
    assert messages.send_due(db, house, ports, night) == 0


def test_a_message_that_a_killed_worker_had_in_hand_is_unknown_and_not_sent_again_at_once(
    db: Database, open_settings: Settings, head: Actor
) -> None:
    campaign = made(db, head, channel=Channel.sms)
    listed(db, head, campaign, "13900000001")
    open_settings = open_settings.model_copy(update={"sms_url": "http://127.0.0.1/sms"})
    started(db, open_settings, head, campaign)
    port, now = Port(), utc_now()

    def killed(letter: Letter) -> None:
        raise KeyboardInterrupt

    port.send = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        messages.send_due(db, open_settings, {Way.sms: port}, now)
    assert target(db, "13900000001").state == "calling"
    port = Port()
    assert messages.send_due(db, open_settings, {Way.sms: port}, now + timedelta(minutes=6)) == 0
    assert target(db, "13900000001").outcome == "unknown"
    assert messages.send_due(db, open_settings, {Way.sms: port}, now + timedelta(minutes=70)) == 1


def test_callers_of_cases_come_onto_the_list_and_secret_numbers_stay_masked(
    db: Database, world: World, open_settings: Settings, browser: Callable[..., Browser]
) -> None:
    secret = "13912345678"
    with db.session() as session:
        citizens.create(session, SYSTEM, numbers=[secret], name="欧阳守秘", flags=["confidential"])
    world.case(number="13800138001")
    world.case(number="13800138001")
    world.case(number=secret, confidential=True)
    supervisor = browser(Role.supervisor)
    body = {
        "name": "结果告知", "kind": "result", "texts": TEXTS, "windows": [["09:00", "12:00"]],
        "answers": {"1": "满意", "2": "不满意"},
    }  # fmt: skip
    wrong = {"name": " ", "texts": {"yue": {"purpose": "x"}}, "windows": [["09:00", "08:00"]], "answers": {"9": "x"}}
    bad = {**body, **wrong}
    faults = supervisor.send("POST", "/api/campaigns", json=bad)
    assert (faults.status_code, set(faults.json()["error"]["fields"])) == (422, {"name", "texts", "windows", "answers"})
    made_ = supervisor.send("POST", "/api/campaigns", json=body).json()
    path = f"/api/campaigns/{made_['id']}"
    tried = supervisor.send("POST", f"{path}/targets/cases", json={"dry_run": True}).json()
    assert (tried["found"], tried["added"], tried["known"], tried["without_number"]) == (3, 1, 1, 1)
    assert supervisor.get(f"{path}/targets").json()["total"] == 0
    leader = browser(Role.duty_leader)
    done = leader.send("POST", f"{path}/targets/cases", json={"dry_run": False}).json()
    assert (done["added"], done["written"]) == (2, True), "whoever may see them"
    shown = {one["number"] for one in supervisor.get(f"{path}/targets").json()["items"]}
    assert shown == {"13800138001", "139****5678"}
    auditor = browser(Role.auditor)
    assert {one["number"] for one in auditor.get(f"{path}/targets").json()["items"]} == {"138****8001", "139****5678"}
    table = auditor.send("POST", f"{path}/export")
    assert table.status_code == 200
    assert secret not in table.text
    assert "13800138001" not in table.text
    assert secret in leader.send("POST", f"{path}/export").text
    assert supervisor.send("POST", f"{path}/export").status_code == 403
    assert browser(Role.agent, agent_id="1001").get("/api/campaigns").status_code == 403
    with db.read() as session:
        exports = session.execute(select(AuditEntry).where(AuditEntry.action == "campaign.exported")).scalars().all()
    assert [one.detail for one in exports] == [{"rows": 2}, {"rows": 2}]


def test_the_register_over_rest_and_a_recording_in_place_of_the_message(
    db: Database, head: Actor, browser: Callable[..., Browser], tmp_path: Path
) -> None:
    agent, supervisor = browser(Role.agent, agent_id="1001"), browser(Role.supervisor)
    said = {"said": "do_not_call", "about": "campaigns", "number": "139 0000 0001", "why": "来电时说的"}
    noted = agent.send("POST", "/api/contact-wishes", json=said)
    assert (noted.status_code, noted.json()["number"], noted.json()["open"]) == (201, "13900000001", True)
    assert agent.send("POST", "/api/contact-wishes", json=said).json()["id"] == noted.json()["id"]
    found = agent.send("POST", "/api/contact-wishes/search", json={"number": "+86 13900000001", "open": True}).json()
    assert [one["why"] for one in found["items"]] == ["来电时说的"]
    ended = {"why": "本人来电撤回"}
    path = f"/api/contact-wishes/{noted.json()['id']}/end"
    assert agent.send("POST", path, json=ended).status_code == 403
    over = supervisor.send("POST", path, json=ended).json()
    assert (over["open"], over["end_why"]) == (False, "本人来电撤回")
    campaign = made(db, head)
    put = f"/api/campaigns/{campaign}/recordings/zh"
    refused = supervisor.send("PUT", put, files={"file": ("x.wav", b"no sound at all", "audio/wav")})
    assert refused.status_code == 422
    wave = (9000 * np.sin(np.arange(16_000) * 2 * np.pi * 440 / 16_000)).astype(np.int16)
    write_wav(tmp_path / "given.wav", wave, 16_000)
    taken = supervisor.send("PUT", put, files={"file": ("x.wav", (tmp_path / "given.wav").read_bytes(), "audio/wav")})
    assert (taken.status_code, taken.json()["recordings"], taken.json()["version"]) == (200, ["zh"], 2)
    heard = supervisor.send("POST", f"/api/campaigns/{campaign}/spoken", json={"language": "zh", "part": "message"})
    (tmp_path / "heard.wav").write_bytes(heard.content)
    sound = read_wav(tmp_path / "heard.wav")
    assert (sound.rate, round(sound.duration_s, 1)) == (8000, 1.0)


def test_who_may_not_is_refused(db: Database, person: Callable[..., Actor], head: Actor) -> None:
    campaign, agent, handler = made(db, head), person(Role.agent), person(Role.unit_handler)
    with db.session() as session:
        for forbidden in (
            lambda: service.create(session, agent, wanted()),
            lambda: service.list_campaigns(session, agent),
            lambda: results.results(session, agent, campaign),
            lambda: targets.list_targets(session, agent, campaign),
            lambda: consents.list_wishes(session, handler),
        ):
            with pytest.raises(Forbidden):
                forbidden()
