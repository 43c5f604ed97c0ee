"""Asking by call-back how satisfied citizens were (T12): who comes onto the list, and what becomes of the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.actor import SYSTEM, Actor
from app.auth.model import Role
from app.calls.service import record
from app.calls.tables import Call
from app.campaigns import calling, gathering, service
from app.campaigns.model import CampaignAct, Channel, Kind
from app.campaigns.service import Wanted
from app.campaigns.tables import Campaign, CampaignTarget
from app.cases.tables import Case
from app.citizens import service as citizens
from app.clock import utc_now
from app.consents import service as consents
from app.consents.model import About, How, Said
from app.db import Database
from app.destinations import Destinations
from app.errors import BadInput
from app.selfservice import surveys
from app.selfservice.tables import Survey
from app.settings import Settings

ALLOWED = Destinations()
LEVELS = {"1": "非常满意", "2": "满意", "3": "一般", "4": "不满意", "5": "非常不满意"}
TEXTS = {"zh": {"purpose": "回访您的来电", "message": "", "question": "满意请按1，不满意请按5。"}}
NOW = utc_now()
HOUR = timedelta(hours=1)


@pytest.fixture
def head(person: Callable[..., Actor]) -> Actor:
    return person(Role.section_head)


@pytest.fixture
def open_settings(settings: Settings) -> Settings:
    """Calls may go out at any hour, over a trunk."""
    more = {"trunk_out": "127.0.0.2:5060", "calling_opens": "00:00", "calling_closes": "24:00"}
    return settings.model_copy(update=more)


def wanted(**more: Any) -> Wanted:
    values = {"kind": Kind.survey, "texts": TEXTS, "answers": LEVELS, "windows": (("00:00", "24:00"),), "gathers": True}
    return Wanted("来电回访", **{**values, **more})


@pytest.fixture
def campaign(db: Database, open_settings: Settings, head: Actor) -> int:
    """The campaign that gathers, at work with nobody on its list."""
    with db.session() as session:
        ident = service.create(session, head, wanted()).id or 0
    sound = open_settings.home / "sound.wav"
    sound.write_bytes(b"RIFF")
    service.act(db, head, ident, CampaignAct.start, settings=open_settings, speak=lambda *_: sound)
    return ident


def talked(db: Database, call: str, number: str, *, ago: timedelta = 3 * HOUR, agreed: bool = True, **more: Any) -> str:
    """A call in which somebody spoke with an agent, so long ago, and has agreed to surveys."""
    at = NOW - ago
    record(db, call, number=number, started_at=at - HOUR / 12, answered_at=at - HOUR / 15, ended_at=at, **more)
    if agreed and number:
        with db.session() as session:
            consents.note(session, SYSTEM, Said.consent, About.survey, number, how=How.told)
    return number


def listed(db: Database) -> list[str]:
    with db.read() as session:
        return [row.number for row in session.exec(select(CampaignTarget).order_by(CampaignTarget.id))]  # type: ignore[arg-type]


def asked(db: Database) -> dict[str, tuple[str, int | None]]:
    with db.read() as session:
        return {row.subject: (row.channel, row.level) for row in session.exec(select(Survey))}


def test_who_was_not_asked_or_left_the_sms_unanswered_is_put_on_the_list_once(db: Database, campaign: int) -> None:
    talked(db, "h-1", "13800000001")
    talked(db, "h-2", "02055550001", language="yue")
    talked(db, "h-3", "13800000003", ago=26 * HOUR)
    with db.session() as session:
        sms = {"channel": "sms", "asked_at": NOW - 25 * HOUR}
        session.add(Survey(subject="call:h-3", call_id="h-3", number="13800000003", **sms))
    for _ in range(2):
        gathering.gather(db, ALLOWED, NOW)
    assert listed(db) == ["13800000003", "13800000001", "02055550001"]
    assert asked(db) == {f"call:h-{n}": ("callback", None) for n in (1, 2, 3)}
    with db.read() as session:
        assert session.get(Campaign, campaign).state == "running"  # type: ignore[union-attr]


def test_nobody_is_called_who_did_not_agree_was_asked_or_is_somebody_elses_to_ask(db: Database, campaign: int) -> None:
    for call, number, more in (
        ("h-1", "13800000001", {"agreed": False}),
        ("h-2", "13800000002", {"ago": HOUR}),  # may still be asked otherwise
        ("h-3", "13800000003", {"ago": 50 * HOUR}),
        ("h-4", "13800000004", {"rating": 2}),
        ("h-5", "13800000005", {"direction": "out"}),
        ("h-6", "1688778", {}),  # no number that may be called
        ("h-7", "13800000007", {}),  # heard the question and pressed nothing
        ("h-8", "13800000008", {}),  # an SMS of this morning may still be answered
        ("h-9", "13800000009", {}),  # asked about another call three days ago
        ("h-10", "13800000010", {}),  # said: do not call me
        ("h-11", "13800000011", {}),  # asked for secrecy
        ("h-12", "13800000012", {}),  # the follow-up desk asks about the case
        ("h-13", "", {}),
    ):
        talked(db, call, number, **more)
    assert surveys.asked_by_keys(db, "h-7", now=NOW)
    with db.session() as session:
        for call, number, at in (("h-8", "13800000008", 2 * HOUR), ("h-old", "13800000009", 72 * HOUR)):
            session.add(Survey(subject=f"call:{call}", call_id=call, channel="sms", number=number, asked_at=NOW - at))
        consents.note(session, SYSTEM, Said.do_not_call, About.campaigns, "13800000010", how=How.key)
        citizens.create(session, SYSTEM, numbers=["13800000011"], flags=["confidential"])
        case = {"number": "20261124-000001", "source": "call", "created_at": NOW, "updated_at": NOW}
        session.add(Case(call_id="h-12", state="in_progress", **case))
    assert gathering.gather(db, ALLOWED, NOW) == 0
    assert listed(db) == []


def test_a_key_in_the_call_back_is_the_rating_and_who_answers_the_sms_after_all_is_not_called(
    db: Database, open_settings: Settings, campaign: int
) -> None:
    talked(db, "h-1", "13800000001")
    talked(db, "h-2", "13800000002")
    assert gathering.gather(db, ALLOWED, NOW) == 2
    assert surveys.rate_call(db, "13800000002", 4, now=NOW), "by calling 12345, as the SMS said"
    later = NOW + HOUR
    order = calling.begin(db, open_settings, ALLOWED, campaign, "", later)
    assert order is not None
    assert order.number == "13800000001"
    assert order.keys == "12345"
    calling.settle(db, order.call_id, {"heard": "human", "cause": "16", "said": "1", "answer": "2"}, later)
    calling.settle(db, order.call_id, {"heard": "human", "cause": "16", "said": "1", "answer": "5"}, later)
    assert calling.begin(db, open_settings, ALLOWED, campaign, "", later) is None
    assert asked(db) == {"call:h-1": ("callback", 2), "call:h-2": ("callback", 4)}
    with db.read() as session:
        assert [session.get(Call, call).rating for call in ("h-1", "h-2")] == [2, 4]  # type: ignore[union-attr]
        left = session.exec(select(CampaignTarget).where(CampaignTarget.number == "13800000002")).one()
        assert (left.state, left.why) == ("left_out", "answered")


def test_many_who_cannot_be_asked_do_not_stand_in_the_way(
    db: Database, settings: Settings, campaign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "PAGE", 3)
    monkeypatch.setattr(surveys, "AT_ONCE", 2)
    monkeypatch.setattr(gathering, "MOST_AT_ONCE", 2)
    for n in range(8):
        talked(db, f"h-{n}", f"0205555000{n}", ago=5 * HOUR, agreed=False)  # nobody sends a message there
    talked(db, "h-8", "13800000008")
    assert gathering.gather(db, ALLOWED, NOW) == 1
    talked(db, "h-9", "13800000009", agreed=False)
    texting = settings.model_copy(update={"sms_url": "http://127.0.0.1:9/sms", "survey_sms": True})
    assert surveys.ask_by_sms(db, texting, NOW) == 1
    assert asked(db) == {"call:h-8": ("callback", None), "call:h-9": ("sms", None)}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"kind": Kind.reminder}, "gathers"),
        ({"channel": Channel.sms}, "gathers"),
        ({"answers": {"1": "满意", "2": "不满意"}}, "answers"),
    ],
)
def test_only_a_spoken_survey_with_the_five_levels_can_gather(
    db: Database, head: Actor, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as told, db.session() as session:
        service.create(session, head, wanted(**more))
    assert set(told.value.fields) == {field}


def test_two_workers_at_once_put_a_citizen_on_the_list_once(db: Database, campaign: int) -> None:
    talked(db, "h-1", "13800000001")
    with db.read() as session:
        (call,) = gathering._due(session, campaign, NOW)
    assert [gathering._put(db, campaign, call, NOW) for _ in range(2)] == [1, 0]
    other: datetime = NOW + HOUR
    talked(db, "h-2", "13800000001")
    assert gathering.gather(db, ALLOWED, other) == 0, "once on a list, whatever calls come after"
