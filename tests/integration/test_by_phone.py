"""What callers do by themselves, on both databases: answers, their own cases, ratings, messages (T3, T12)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from agi_scripts.services import CaseResult
from app.actor import SYSTEM
from app.assignments import judging
from app.assignments.model import Opinion
from app.auth.model import Role
from app.calls.service import record
from app.cases import loop
from app.cases.model import Ground
from app.cases.tables import Case
from app.citizens import service as citizens
from app.db import Database
from app.errors import BadInput, Refused
from app.followups.model import Heard, Reached
from app.followups.service import follow_ups_of
from app.followups.tables import FollowUpTask
from app.knowledge import by_phone, service
from app.knowledge.model import Content, KnowledgeType, Step
from app.measures.service import figures
from app.notices.channels import Letter
from app.notices.model import Channel
from app.outgoing import Away
from app.progress.model import code_of
from app.progress.service import KEY
from app.secrets import secret
from app.selfservice import cases, messages, surveys
from app.selfservice.cases import Claim, Own
from app.selfservice.model import MOST_WRONG, MOST_WRONG_CODES, Rated, Reopening, Sent
from app.selfservice.tables import CitizenMessage, Survey, WrongTry
from app.settings import Settings
from app.voice_services import VoiceServices
from tests.case_kit.world import World
from tests.integration.web_browser import Browser

PHONE, OTHER = "13800138000", "13911112222"
TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
WATER = Content(
    "停水怎么查", "", "请先储水。", "停水提前公布。", type=KnowledgeType.notice, review_on=TODAY + timedelta(90)
)


def article(db: Database, settings: Settings, content: Content = WATER, *, published: bool = True) -> int:
    with db.session() as session:
        made = service.create(session, SYSTEM, content, settings.zone, now=NOW)
        for step in (Step.submit, Step.approve) if published else ():
            service.take(session, SYSTEM, made.id or 0, step, 1, settings.zone, now=NOW)
        return made.id or 0


def heard(db: Database, code: str, *languages: str, today: date = TODAY) -> str | None:
    with db.read() as session:
        found = by_phone.answer(session, code, languages or ("zh",), today)
    return f"{found.language}:{found.title}" if found else None


def test_only_what_is_published_for_everybody_and_in_time_is_heard(db: Database, settings: Settings) -> None:
    day = timedelta(days=1)
    known = {
        "in force": article(db, settings, dataclasses.replace(WATER, expires_on=TODAY + day)),
        "draft": article(db, settings, dataclasses.replace(WATER, title="草稿"), published=False),
        "internal": article(db, settings, dataclasses.replace(WATER, title="内部", internal=True)),
        "withdrawn": article(db, settings, dataclasses.replace(WATER, title="撤下")),
    }
    with db.session() as session:
        service.take(session, SYSTEM, known["withdrawn"], Step.withdraw, 1, settings.zone, reason="旧", now=NOW)
    said = {name: heard(db, by_phone.code_of(ident)) for name, ident in known.items()}
    assert said == {"in force": "zh:停水怎么查", "draft": None, "internal": None, "withdrawn": None}
    assert heard(db, by_phone.code_of(known["in force"]), today=TODAY + day) is not None, "its last day"
    assert heard(db, by_phone.code_of(known["in force"]), today=TODAY + 2 * day) is None
    for nonsense in ("", "100", "99", "1", "99999999", "abc", "-101", "１０１", str(2**40)):
        assert heard(db, nonsense) is None
    with db.read() as session:
        assert [one.title for one in by_phone.titles(session, "notice", ("zh",), TODAY)] == ["停水怎么查"]
        assert by_phone.titles(session, "notice", ("en",), TODAY) == []


def test_a_translation_is_heard_under_the_number_of_its_original(db: Database, settings: Settings) -> None:
    original = article(db, settings)
    english = article(db, settings, dataclasses.replace(WATER, title="Water cuts"))
    code = by_phone.code_of(original)
    with db.session() as session:
        told = by_phone.set_by_phone(session, SYSTEM, english, language="en", translates=code)
        assert (told.code, told.original_id) == (code, original)
    assert [heard(db, code, *languages) for languages in (("en",), ("zh",), ("yue", "zh"), ("qaa",))] == [
        "en:Water cuts", "zh:停水怎么查", "zh:停水怎么查", "zh:停水怎么查",
    ]  # fmt: skip
    assert heard(db, by_phone.code_of(english)) is None, "one number for both"
    with db.read() as session:
        assert [one.title for one in by_phone.titles(session, "notice", ("en",), TODAY)] == ["Water cuts"]
    third = article(db, settings, dataclasses.replace(WATER, title="Again"))

    def refused(ident: int, **how: Any) -> set[str]:
        with pytest.raises(BadInput) as caught, db.session() as session:
            by_phone.set_by_phone(session, SYSTEM, ident, **how)
        return set(caught.value.fields or {})

    assert refused(third, language="en", translates=code) == {"translates"}, "it has English"
    assert refused(third, language="zh", translates=code) == {"translates"}, "it is in Mandarin itself"
    assert refused(third, language="yue", translates=by_phone.code_of(english)) == {"translates"}, "no original"
    assert refused(third, language="yue", translates="99999") == {"translates"}
    assert refused(third, language="Klingon") == {"language"}
    assert refused(original, language="yue", translates=by_phone.code_of(third)) == {"translates"}, "it has one"
    with db.session() as session:
        by_phone.set_by_phone(session, SYSTEM, english, language="en", translates=code, spoken=False)
    assert heard(db, code, "en") == "zh:停水怎么查"


def test_an_article_is_set_by_those_who_write(
    db: Database, settings: Settings, browser: Callable[..., Browser]
) -> None:
    ident = article(db, settings)
    chief = browser(Role.supervisor)
    path = f"/api/knowledge/articles/{ident}/phone"
    told = chief.send("PUT", path, json={"language": "yue"}).json()
    assert told["by_phone"] == {"code": str(100 + ident), "language": "yue", "original_id": ident, "spoken": True}
    assert chief.send("PUT", path, json={"language": "<b>"}).json()["error"]["fields"].keys() == {"language"}
    assert browser(Role.agent).send("PUT", path, json={"language": "en"}).status_code == 403


# -- one's own case ------------------------------------------------------------------------------------------------


def claim(world: World, case_id: int, caller: str = PHONE, code: str = "") -> Claim:
    with world.db.read() as session:
        return Claim(world.stored(session, case_id).number.replace("-", ""), caller, code)


def own(world: World, settings: Settings, asked: Claim) -> Own:
    return cases.own_case(world.db, settings, asked, now=world.now)


def the_code(world: World, settings: Settings, case_id: int) -> str:
    with world.db.read() as session:
        return code_of(secret(settings, KEY), world.stored(session, case_id).number)


def test_a_case_is_told_to_its_telephone_or_its_code_and_tries_are_limited_across_calls(
    world: World, settings: Settings
) -> None:
    case_id = world.case()
    code = the_code(world, settings, case_id)
    assert own(world, settings, claim(world, case_id)).case is not None
    assert own(world, settings, claim(world, case_id, "+86 138 0013 8000")).case is not None
    assert own(world, settings, claim(world, case_id, OTHER)) == Own()
    assert own(world, settings, claim(world, case_id, OTHER, code)).case is not None
    assert own(world, settings, claim(world, case_id, "", code)).case is not None
    for number in range(MOST_WRONG - 1):  # one was in vain already
        assert own(world, settings, Claim(f"20261124{number:06d}99", OTHER)) == Own()
    assert own(world, settings, claim(world, case_id, OTHER, code)).locked, "also with the right one now"
    assert own(world, settings, claim(world, case_id)).case is not None, "its owner is not kept out"
    world.later(hours=25)
    assert own(world, settings, claim(world, case_id, OTHER, code)).case is not None


def test_codes_are_not_tried_out_from_many_telephones(world: World, settings: Settings) -> None:
    case_id = world.case()
    code = the_code(world, settings, case_id)
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for number in range(MOST_WRONG_CODES):
        assert own(world, settings, claim(world, case_id, f"1391111222{number}", wrong)) == Own()
    assert own(world, settings, claim(world, case_id, "13700000000", code)).locked
    assert own(world, settings, claim(world, case_id)).case is not None
    other = world.case(number=OTHER)
    assert own(world, settings, claim(world, other, "13700000000", the_code(world, settings, other))).case is not None


def test_nothing_confidential_is_told_to_a_number_that_may_be_forged_and_no_result_is_spoken(
    world: World, settings: Settings
) -> None:
    case_id = world.case(confidential=True)
    assert own(world, settings, claim(world, case_id)) == Own()
    by_code = own(world, settings, claim(world, case_id, code=the_code(world, settings, case_id)))
    assert by_code.case is not None
    with world.db.session() as session:
        assert cases.result_of(session, by_code.case) is None
        citizens.create(session, SYSTEM, numbers=[OTHER], name="欧阳守秘", flags=["confidential"])
    secret = world.case(number=OTHER)
    assert own(world, settings, claim(world, secret, OTHER)) == Own()


def test_a_result_is_spoken_without_whom_it_is_about(world: World, settings: Settings) -> None:
    case_id, _ = world.dispatched("WATER")
    world.handed_in(case_id, "WATER", letter="王小明先生：幸福里5号的路灯已修好，有事请拨138-0013 8000或02155551234。")
    voice = VoiceServices(settings, world.db)
    asked = claim(world, case_id)
    before = voice.case_result(asked.case_number, PHONE)
    assert before == CaseResult(""), "not accepted yet"
    world.act("head", judging.accept_case, case_id, "同意")
    told = voice.case_result(asked.case_number, PHONE)
    assert told is not None
    assert "路灯已修好" in told.text
    for word in ("王小明", "幸福里", "138", "8000", "0215555"):
        assert word not in told.text
    progress = voice.case_progress(asked.case_number, PHONE)
    assert progress is not None
    assert (progress.state, progress.settled) == ("follow_up", True)
    assert voice.case_result(asked.case_number, OTHER) is None


def rate(world: World, settings: Settings, case_id: int, level: int, caller: str = PHONE) -> Rated:
    return cases.rate(world.db, settings, claim(world, case_id, caller), level, call_id="h-1.1", now=world.now)


def test_a_rating_by_keys_is_the_call_back_that_nobody_has_to_make(world: World, settings: Settings) -> None:
    case_id = world.to_follow_up()
    assert rate(world, settings, case_id, 2, OTHER) is Rated.refused
    assert rate(world, settings, case_id, 9) is Rated.refused
    assert rate(world, settings, case_id, 2) is Rated.kept
    assert world.state(case_id) == "closed"
    assert rate(world, settings, case_id, 5) is Rated.kept_before
    with world.db.read() as session:
        [told] = follow_ups_of(session, case_id)
        assert (told.reached, told.satisfaction, told.call_id) == ("keyed", "satisfied", "h-1.1")
        task = session.get(FollowUpTask, case_id)
        assert task is not None
        assert not task.open, "nobody asks again"


def test_a_dissatisfied_rating_proposes_a_redo_and_after_it_the_new_result_is_rated(
    world: World, settings: Settings
) -> None:
    case_id = world.to_follow_up()
    assert rate(world, settings, case_id, 4) is Rated.kept
    assert world.state(case_id) == "to_follow_up"
    assert rate(world, settings, case_id, 1) is Rated.kept_before
    with pytest.raises(Refused, match="redo"):
        world.asked(case_id, Heard(Reached.declined))
    world.act("head", judging.redo_case, case_id, "市民不满意")
    assert rate(world, settings, case_id, 1) is Rated.refused, "nothing to rate"
    world.handed_in(case_id, "WATER")
    world.act("head", judging.accept_case, case_id, "同意")
    assert rate(world, settings, case_id, 1) is Rated.kept


def test_a_case_that_was_asked_about_by_telephone_is_not_asked_about_again(world: World, settings: Settings) -> None:
    case_id = world.to_follow_up()
    world.asked(case_id, Heard(Reached.spoken, Opinion.fair, True, True, True))
    assert rate(world, settings, case_id, 1) is Rated.kept_before
    waiting = world.to_follow_up()
    with pytest.raises(BadInput):
        world.asked(waiting, Heard(Reached.keyed, Opinion.satisfied))


def reopen(world: World, settings: Settings, case_id: int) -> Reopening:
    return cases.reopen(world.db, settings, claim(world, case_id), call_id="h-2.1", now=world.now)


def test_what_units_did_goes_to_them_again_once_and_in_time(world: World, settings: Settings) -> None:
    case_id = world.to_follow_up()
    assert rate(world, settings, case_id, 3) is Rated.kept
    world.later(days=settings.reopen_days + 1)
    assert reopen(world, settings, case_id) is Reopening.too_late
    world.later(days=-2)
    assert reopen(world, settings, case_id) is Reopening.reopened
    assert (world.state(case_id), world.work_state(world.work_of(case_id, "WATER"))) == ("redo", "redo")
    assert "redo" in world.told("WATER.handler")
    world.handed_in(case_id, "WATER")
    assert reopen(world, settings, case_id) is Reopening.refused, "it is at work"
    world.act("head", judging.accept_case, case_id, "同意")
    assert reopen(world, settings, case_id) is Reopening.too_late, "once"


def test_what_was_answered_at_once_goes_to_the_dispatcher(world: World, settings: Settings) -> None:
    case_id = world.case()
    world.act("taker", loop.answer, case_id, "请拨打供水公司电话")
    assert rate(world, settings, case_id, 5) is Rated.kept
    assert world.history(case_id)[-1] == "rated"
    assert reopen(world, settings, case_id) is Reopening.reopened
    assert world.state(case_id) == "to_dispatch"
    assert world.history(case_id)[-2:] == ["reopened", "submitted"]
    declined = world.case()
    world.act("taker", loop.decline, declined, Ground.outside, "不属于受理范围")
    assert reopen(world, settings, declined) is Reopening.refused


# -- messages and surveys ------------------------------------------------------------------------------------------


class Gateway:
    """Takes letters, or is away."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.away = False

    def open(self) -> None: ...

    def send(self, letter: Letter) -> None:
        if self.away:
            raise Away("http_503")
        self.letters.append(letter)

    def close(self) -> None: ...


@pytest.fixture
def texting(settings: Settings) -> Settings:
    return settings.model_copy(update={"sms_url": "http://127.0.0.1:9/sms", "survey_sms": True})


def test_an_answer_is_sent_once_a_call_and_so_many_a_day(db: Database, texting: Settings) -> None:
    code = by_phone.code_of(article(db, texting))

    def send(call: str, number: str = PHONE, now: datetime = NOW, wanted: str = code) -> Sent:
        return messages.send_answer(db, texting, wanted, "zh", call, number, now=now)

    assert [send("h-1"), send("h-1")] == [Sent.sent, Sent.sent_before]
    assert [send("h-2"), send("h-3"), send("h-4")] == [Sent.sent, Sent.sent, Sent.impossible]
    assert send("h-5", now=NOW + timedelta(hours=25)) is Sent.sent
    for number in ("", "02155551234", "10086", "110"):
        assert send("h-6", number) is Sent.impossible
    assert send("h-7", OTHER, wanted="99999") is Sent.impossible
    assert messages.send_answer(db, texting.model_copy(update={"sms_url": ""}), code, "zh", "h-8", OTHER) is (
        Sent.impossible
    )
    gateway = Gateway()
    gateway.away = True
    assert messages.send_waiting(db, {Channel.sms: gateway}, NOW) == 0
    gateway.away = False
    assert messages.send_waiting(db, {Channel.sms: gateway}, NOW) == 1, "those that failed wait for their next try"
    assert messages.send_waiting(db, {Channel.sms: gateway}, NOW + timedelta(hours=26)) == 3
    assert messages.send_waiting(db, {Channel.sms: gateway}, NOW + timedelta(hours=27)) == 0
    assert {letter.text for letter in gateway.letters} == {f"【12345】停水怎么查：请先储水。（答复编号 {code}）"}
    assert len({letter.ident for letter in gateway.letters}) == 4


def test_without_a_gateway_nothing_piles_up_and_what_is_old_is_forgotten(db: Database, texting: Settings) -> None:
    code = by_phone.code_of(article(db, texting))
    messages.send_answer(db, texting, code, "zh", "h-1", PHONE, now=NOW)
    assert messages.send_waiting(db, {}, NOW) == 0
    cases.own_case(db, texting, Claim("20261124000001", PHONE), now=NOW)
    assert messages.forget(db, NOW + timedelta(days=1)) == 0
    assert messages.forget(db, NOW + timedelta(days=31)) == 2
    with db.read() as session:
        [row] = session.exec(select(CitizenMessage)).all()
        assert (row.state, row.number, row.text) == ("off", "", "")
        assert session.exec(select(WrongTry)).all() == []


def talked(db: Database, call: str, number: str = PHONE, **more: Any) -> None:
    minute = timedelta(minutes=1)
    facts = {"started_at": NOW - 40 * minute, "joined_at": NOW - 39 * minute, "answered_at": NOW - 38 * minute}
    record(db, call, number=number, **{**facts, "ended_at": NOW - 20 * minute, **more})


def test_who_was_not_asked_at_the_end_of_a_call_is_asked_by_one_sms(db: Database, texting: Settings) -> None:
    with db.session() as session:
        citizens.create(session, SYSTEM, numbers=["13500000001"], flags=["confidential"])
    talked(db, "h-1")
    talked(db, "h-2", OTHER, rating=2)
    talked(db, "h-3", "02155551234")
    talked(db, "h-4", "13500000001")
    talked(db, "h-5", "13500000002", ended_at=NOW - timedelta(minutes=1))
    talked(db, "h-6", "13500000003", direction="out")
    talked(db, "h-7")  # the same telephone as the first
    assert surveys.asked_by_keys(db, "h-8", now=NOW)
    assert not surveys.asked_by_keys(db, "h-8", now=NOW), "nobody is asked twice"
    talked(db, "h-8", "13500000004")
    assert surveys.ask_by_sms(db, texting.model_copy(update={"survey_sms": False}), NOW) == 0
    assert surveys.ask_by_sms(db, texting, NOW) == 1
    assert surveys.ask_by_sms(db, texting, NOW) == 0
    with db.read() as session:
        rows = session.exec(select(Survey).order_by(col(Survey.id))).all()
    assert [(one.subject, one.channel, one.number) for one in rows] == [
        ("call:h-8", "keys", ""), ("call:h-1", "sms", PHONE),
    ]  # fmt: skip
    gateway = Gateway()
    assert messages.send_waiting(db, {Channel.sms: gateway}, NOW) == 1
    assert "依次按1、6" in gateway.letters[0].text

    def share() -> dict[str, Any]:
        with db.read() as session:
            told: dict[str, Any] = figures(session, NOW).to_json()["rated_24h"]
            return told

    assert share() == {"num": 0, "den": 2, "rate": 0.0}
    assert not surveys.rate_call(db, OTHER, 1, now=NOW)
    assert surveys.rate_call(db, PHONE, 2, now=NOW)
    assert not surveys.rate_call(db, PHONE, 5, now=NOW), "once"
    record(db, "h-8", rating=1)
    assert share() == {"num": 2, "den": 2, "rate": 1.0}


def test_a_case_of_somebody_else_is_not_found_by_its_number_alone(world: World, settings: Settings) -> None:
    """What the telephone is told of a case that there is not, and of one that is another's, is the same."""
    voice = VoiceServices(settings, world.db)
    case_id = world.case()
    asked = claim(world, case_id)
    assert voice.case_progress(asked.case_number, OTHER) is None
    assert voice.case_progress("20261124999999", OTHER) is None
    assert voice.rate_case(asked.case_number, OTHER, "", 1, "h-1") == "refused"
    assert voice.reopen_case(asked.case_number, OTHER, "", "h-1") == "refused"
    for _ in range(2):
        voice.case_progress("not a number", OTHER)
    locked = voice.case_progress(asked.case_number, OTHER)
    assert locked is not None
    assert locked.locked
    with world.db.read() as session:
        assert session.get(Case, case_id) is not None
