"""Recordings and voicemails written down by the worker, with a recogniser whose words a test chooses; and what people
then do with the words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from sqlmodel import select

from app.actor import SYSTEM, Actor
from app.alarms.service import open_alarms
from app.audio import write_wav
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.calls.service import record
from app.calls.tables import CallPause
from app.cases.tables import Case
from app.citizens.service import create
from app.cli import speech as command
from app.cli.output import Failure
from app.clock import utc_now
from app.db import Database
from app.settings import Settings
from app.speech import jobs
from app.speech.catching_up import catch_up
from app.speech.model import HeardWord, JobKind, Samples, Utterance
from app.speech.recognizer import Hearing, NotHeard, SoFar, Trouble
from app.speech.tables import SpeechJob
from app.speech.writing import Writer
from app.voicemails import service as voicemails
from app.voicemails import texts
from app.voicemails.tables import Voicemail, VoicemailText
from recordings import transcripts
from recordings.lines import Channel, Line
from recordings.retention import prune
from recordings.store import Store
from tests.integration.spooled import NOW, RATE, speech, spooled
from tests.integration.web_browser import Browser


@dataclass
class Ears:
    """A recogniser that hears `words`, one a second, wherever there is sound; `trouble` breaks it."""

    words: Sequence[str] = ("人工", "投诉")
    trouble: Trouble | None = None
    languages: Sequence[str] = ("zh",)
    heard: list[tuple[str, Samples]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def open(self, rate: int, language: str, grammar: Sequence[str] = ()) -> Hearing:
        if self.trouble and self.trouble not in (Trouble.died, Trouble.frozen):
            raise NotHeard(self.trouble, language)
        self.heard.append((language, np.zeros(0, np.int16)))
        return _Hearing(self)

    def close(self) -> None:
        pass


@dataclass
class _Hearing:
    ears: Ears

    def feed(self, samples: Samples) -> SoFar:
        if self.ears.trouble:
            raise NotHeard(self.ears.trouble)
        language, before = self.ears.heard[-1]
        self.ears.heard[-1] = (language, np.concatenate([before, samples]))
        return SoFar()

    def finish(self) -> SoFar:
        self.ears.meanwhile()
        words = [HeardWord(word, at * 1000, at * 1000 + 400, 0.9) for at, word in enumerate(self.ears.words)]
        return SoFar(tuple(Utterance((word,)) for word in words))

    def drop(self) -> None:
        pass


@pytest.fixture
def hotline(settings: Settings) -> Settings:
    """Settings with a model for Mandarin."""
    return settings.model_copy(update={"speech_models": {"zh": "models/zh"}, "wrapup_s": 30})


@dataclass
class Desk:
    """Stores sounds, and works on what is to be written down at a time that it chooses."""

    db: Database
    settings: Settings
    ears: Ears
    now: Any = field(default_factory=lambda: max(NOW, utc_now()) + timedelta(hours=1))

    def __post_init__(self) -> None:
        self.writer = Writer(self.db, self.settings, self.ears, lambda: self.now)

    def voicemail(self, call_id: str, number: str = "13800138000", **facts: Any) -> int:
        voicemails.take_in(
            self.db, self.settings, spooled(self.settings, call_id, speech(), number=number, **facts), now=NOW
        )
        with self.db.read() as session:
            return int(session.execute(select(Voicemail.id).where(Voicemail.call_id == call_id)).scalar_one())

    def talk(self, call_id: str, number: str = "13800138000", seconds: float = 8, **facts: Any) -> int:
        more = {"answered_at": NOW, "ended_at": NOW + timedelta(seconds=seconds), "outcome": "answered", **facts}
        record(self.db, call_id, number=number, agent_id="1001", started_at=NOW, **more)
        legs = [self.settings.paths.record_spool / f"{call_id}-1-{side}.wav" for side in "rt"]
        for leg in legs:
            write_wav(leg, speech(seconds), RATE)
        row = Store(self.settings, self.db).adopt(call_id, 1, *legs)
        assert row is not None
        return row.seq

    def jobs(self) -> list[tuple[str, str, int]]:
        with self.db.read() as session:
            rows = session.execute(select(SpeechJob).order_by(SpeechJob.id)).scalars()
            return [(row.kind, row.state, row.tries) for row in rows]

    def text(self, voicemail: int) -> VoicemailText | None:
        with self.db.read() as session:
            return session.get(VoicemailText, voicemail)

    def lines(self, recording: int) -> list[tuple[str, str, int]]:
        with self.db.read() as session:
            return [(one.channel, one.text, one.start_ms) for one in transcripts.lines_of(session, [recording])]


@pytest.fixture
def desk(db: Database, hotline: Settings) -> Desk:
    return Desk(db, hotline, Ears())


def test_a_voicemail_and_both_sides_of_a_talk_are_written_down_the_oldest_first(desk: Desk):
    mail = desk.voicemail("h-1")
    talk = desk.talk("h-2")
    assert desk.jobs() == [("voicemail", "waiting", 0), ("recording", "waiting", 0)]
    first = jobs.take(desk.db, desk.now)
    assert first is not None
    assert first.kind is JobKind.voicemail
    # Whoever took it was killed: it comes up again by itself.
    assert desk.writer.run() == 1
    desk.now += jobs.LEASE
    assert desk.writer.run() == 1
    assert {state for _, state, _ in desk.jobs()} == {"done"}
    kept = desk.text(mail)
    assert kept is not None
    assert (kept.text, kept.source, kept.version, kept.confidence) == ("人工，投诉", "vosk", 1, 0.9)
    assert kept.heard[1] == ["投诉", 1000, 1400, 0.9, [["投诉", 1000, 1400]]]
    both = [(side, word, at) for word, at in (("人工", 0), ("投诉", 1000)) for side in ("citizen", "agent")]
    assert desk.lines(talk) == both
    assert desk.writer.run() == 0
    desk.now += timedelta(days=40)
    assert desk.writer.settle() == 2
    assert desk.jobs() == []


def test_what_asked_for_secrecy_is_heard_by_no_machine(desk: Desk):
    with desk.db.session() as session:
        create(session, SYSTEM, numbers=["13912345678"], flags=["confidential"])
    mail, talk = desk.voicemail("h-1", number="13912345678"), desk.talk("h-2", number="13912345678")
    late = desk.voicemail("h-3")

    def asks_for_secrecy() -> None:
        with desk.db.session() as session:
            session.execute(sa.update(Case).where(Case.call_id == "h-3").values(confidential=True))

    desk.ears.meanwhile = asks_for_secrecy
    assert desk.writer.run() == 3
    assert [state for _, state, _ in desk.jobs()] == ["withheld"] * 3
    assert len(desk.ears.heard) == 1, "only the one that was no secret then"
    assert (desk.text(mail), desk.text(late), desk.lines(talk)) == (None, None, [])


def test_a_confidential_pause_is_not_listened_to(desk: Desk):
    talk = desk.talk("h-1", seconds=20)
    with desk.db.session() as session:
        started = session.execute(sa.select(transcripts.Recording.started_at)).scalar_one()
        span = {"since": started + timedelta(seconds=5), "due_at": started + timedelta(seconds=60)}
        session.add(CallPause(call_id="h-1", **span, until=started + timedelta(seconds=10)))
    desk.ears.words = [str(second) for second in range(20)]
    assert desk.writer.run() == 1
    for _, sound in desk.ears.heard:
        assert not sound[5 * RATE : 10 * RATE].any()
        assert sound[: 3 * RATE].any()
        assert sound[12 * RATE :].any()
    kept = {text for _, text, _ in desk.lines(talk)}
    assert kept == {"0", "1", "2", "3", "4", *map(str, range(10, 20))}


def test_a_talk_waits_until_the_agent_has_finished_the_case(desk: Desk):
    desk.talk("h-1", ended_at=None)
    over = desk.now + timedelta(minutes=2)
    assert desk.writer.run() == 0
    record(desk.db, "h-1", ended_at=over)
    desk.now = over + timedelta(seconds=1)
    assert desk.writer.run() == 0
    desk.now = over + timedelta(seconds=31)
    assert desk.writer.run() == 1
    assert [tries for _, _, tries in desk.jobs()] == [0]


def test_what_kills_the_recogniser_is_given_up_and_can_be_tried_again(desk: Desk):
    mail = desk.voicemail("h-1")
    desk.ears.trouble = Trouble.died
    for tries, state in ((1, "waiting"), (2, "waiting"), (3, "given_up")):
        desk.writer.run()
        assert desk.jobs() == [("voicemail", state, tries)]
        assert desk.writer.run() == 0, "it rests"
        desk.now += timedelta(minutes=11)
    desk.ears.trouble = None
    assert desk.writer.run() == 0
    assert jobs.again(desk.db, desk.now) == 1
    assert desk.writer.run() == 1
    assert desk.text(mail) is not None


def test_what_nobody_foresaw_is_that_jobs_trouble_alone(desk: Desk):
    desk.voicemail("h-1")
    fine = desk.voicemail("h-2")
    faults = iter([ZeroDivisionError("unforeseen")])

    def breaks_once() -> None:
        for fault in faults:
            raise fault

    desk.ears.meanwhile = breaks_once
    assert desk.writer.run() == 1
    assert [(state, tries) for _, state, tries in desk.jobs()] == [("waiting", 1), ("done", 0)]
    assert desk.text(fine) is not None


def test_a_model_that_cannot_be_read_is_an_alarm_and_costs_no_try(desk: Desk):
    desk.voicemail("h-1")
    desk.ears.trouble = Trouble.bad_model
    for _ in range(3):
        assert desk.writer.run() == 0
        desk.writer.settle()
        desk.now += timedelta(minutes=2)
    assert desk.jobs() == [("voicemail", "waiting", 0)]

    def alarms() -> list[tuple[str, Any]]:
        with desk.db.read() as session:
            return [(one.code, one.detail["language"]) for one in open_alarms(session)]

    assert alarms() == [("speech_model", "zh")]
    desk.ears.trouble = None
    desk.writer.settle()
    assert alarms() == [], "it is looked at again, also while nothing is to be heard"
    assert desk.writer.run() == 1
    desk.voicemail("h-2")
    desk.ears.trouble = Trouble.no_model
    assert desk.writer.run() == 1
    assert desk.jobs()[-1][1] == "off"


def test_only_what_the_settings_want_and_a_model_speaks_is_noted(desk: Desk, settings: Settings):
    desk.voicemail("h-1", lang="yue")
    for off in (
        settings,
        desk.settings.model_copy(update={"speech": False}),
        desk.settings.model_copy(update={"speech_writes": []}),
    ):
        Desk(desk.db, off, desk.ears).voicemail(f"h-{id(off)}")
        Desk(desk.db, off, desk.ears).talk(f"t-{id(off)}")
    assert desk.jobs() == []
    told = Desk(desk.db, settings, desk.ears).talk("h-told")
    with desk.db.session() as session:
        transcripts.put(session, SYSTEM, told, "hand", [Line(Channel.agent, 0, 400, "您好")])
    assert catch_up(desk.db, desk.settings, NOW - timedelta(days=1), desk.now - timedelta(minutes=1)) == 6
    assert catch_up(desk.db, desk.settings, NOW - timedelta(days=1), desk.now - timedelta(minutes=1)) == 0
    assert desk.writer.run() == 6


def test_earlier_messages_are_caught_up_with_and_tried_again_by_command(
    desk: Desk, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    mail = Desk(desk.db, settings, desk.ears).voicemail("h-1")
    monkeypatch.setattr(command, "settings", lambda: settings)
    with pytest.raises(Failure, match="no speech model"):
        command.catch_up(days=3000)
    monkeypatch.setattr(command, "settings", lambda: desk.settings)
    command.catch_up(days=3000)
    assert "1 recordings and voicemails" in capsys.readouterr().out
    desk.now, desk.ears.trouble = utc_now() + timedelta(hours=1), Trouble.no_model
    assert desk.writer.run() == 1
    desk.ears.trouble = None
    command.again()
    assert "1 are tried again" in capsys.readouterr().out
    assert desk.writer.run() == 1
    assert desk.text(mail) is not None


def test_what_a_person_wrote_is_not_overwritten_and_lost_sound_ends_the_job(desk: Desk, person: Callable[..., Actor]):
    mail, talk = desk.voicemail("h-1"), desk.talk("h-2")
    head = person(Role.section_head)
    gone, broken, empty = desk.voicemail("h-3"), desk.voicemail("h-4"), desk.voicemail("h-5")
    with desk.db.session() as session:
        texts.edit(session, head, mail, "我要人工", 0, now=NOW)
        transcripts.put(session, SYSTEM, talk, "hand", [Line(Channel.agent, 0, 400, "您好")])
        paths = {one: desk.settings.home / (session.get(Voicemail, one).path or "") for one in (gone, broken, empty)}  # type: ignore[union-attr]
    paths[gone].unlink()
    paths[broken].write_bytes(b"RIFF....no wav at all")
    paths[empty].write_bytes(b"")
    assert desk.writer.run() == 5
    assert [state for _, state, _ in desk.jobs()] == ["done", "done", "gone", "gone", "gone"]
    kept = desk.text(mail)
    assert kept is not None
    assert (kept.text, kept.source, len(kept.heard)) == ("我要人工", "hand", 2)
    assert desk.lines(talk) == [("agent", "您好", 0)]
    # A file that was cut off in the middle is heard as far as it goes.
    cut = desk.voicemail("h-6")
    with desk.db.read() as session:
        path = desk.settings.home / (session.get(Voicemail, cut).path or "")  # type: ignore[union-attr]
    path.write_bytes(path.read_bytes()[:16_001])
    assert desk.writer.run() == 1
    assert len(desk.ears.heard[-1][1]) == (16_001 - 44) // 2


def test_words_of_a_message_are_read_put_right_and_found_by_who_may_hear_it(
    desk: Desk, client: Any, browser: Callable[..., Browser]
):
    plain, secret = desk.voicemail("h-1"), desk.voicemail("h-2")
    desk.writer.run()
    with desk.db.session() as session:
        session.execute(sa.update(Case).where(Case.call_id == "h-2").values(confidential=True))
    head, agent, leader, auditor = (
        browser(Role.section_head), browser(agent_id="1001"), browser(Role.duty_leader), browser(Role.auditor)
    )  # fmt: skip

    def found(who: Browser, q: str) -> list[int]:
        told = who.send("POST", "/api/voicemails/search", json={"q": q}).json()
        return [row["id"] for row in told["items"]]

    assert (found(agent, "投诉"), found(head, "投诉")) == ([plain], [secret, plain])
    assert (found(agent, "没说过"), found(agent, '"人工*')) == ([], [plain])
    assert [row["text_source"] for row in agent.get("/api/voicemails").json()["items"]] == ["vosk", "vosk"]
    hit = agent.send("POST", "/api/voicemails/search", json={"q": "投诉"}).json()["items"][0]
    assert [one["text"] for one in hit["parts"] if one["found"]] == ["投诉"]
    assert auditor.send("POST", "/api/voicemails/search", json={"q": "投诉"}).status_code == 403

    path = f"/api/voicemails/{plain}/text"
    assert agent.get(f"/api/voicemails/{secret}/text").status_code == 403
    assert agent.send("PUT", f"/api/voicemails/{secret}/text", json={"text": "x", "version": 1}).status_code == 403
    told = agent.get(path).json()
    assert (told["text"], told["source"], told["version"]) == ("人工，投诉", "vosk", 1)
    assert [line["start_ms"] for line in told["lines"]] == [0, 1000]
    mended = agent.send("PUT", path, json={"text": "<b>我要停水</b>\n\u202e\x00", "version": 1}).json()
    assert (mended["text"], mended["source"], mended["version"]) == ("<b>我要停水</b>", "hand", 2)
    late = leader.send("PUT", path, json={"text": "别的", "version": 1})
    assert (late.status_code, late.json()["current"]["text"]) == (409, "<b>我要停水</b>")
    long = leader.send("PUT", path, json={"text": "长" * 20_001, "version": 2})
    assert (long.status_code, set(long.json()["error"]["fields"])) == (422, {"text"})
    assert (found(agent, "停水"), found(agent, "投诉")) == ([plain], [])
    with desk.db.read() as session:
        acts = [(row.action, row.object) for row in session.exec(select(AuditEntry)).all()]
        rows = session.exec(select(Voicemail)).all()
        for who in (SYSTEM,):
            assert {row.id for row in rows} == {row.id for row in rows if voicemails.may_hear(session, who, row)}
    assert ("voicemail.read", f"voicemail:{plain}") in acts
    assert ("voicemail.text_changed", f"voicemail:{plain}") in acts
    assert ("transcripts.searched", "voicemails") in acts

    prune(desk.db, desk.settings, now=NOW + timedelta(days=365 * 4))
    assert desk.text(plain) is None
    assert found(head, "停水") == []
    assert head.get(path).status_code == 404


def test_who_may_hear_a_message_is_one_rule_for_one_and_for_lists(desk: Desk, person: Callable[..., Actor]):
    for n in range(3):
        desk.voicemail(f"h-{n}")
    agent = person(agent_id="1001")
    with desk.db.session() as session:
        session.execute(sa.update(Case).where(Case.call_id == "h-1").values(confidential=True))
        session.execute(sa.update(Case).where(Case.call_id == "h-2").values(confidential=True, agent_id="1001"))
    who = [
        agent,
        *(person(role) for role in (Role.supervisor, Role.section_head, Role.dispatcher, Role.duty_leader)),
        SYSTEM,
    ]
    with desk.db.read() as session:
        rows = session.exec(select(Voicemail)).all()
        for actor in who:
            listed = {row.id for row in session.exec(select(Voicemail).where(texts.may_be_heard(actor))).all()}
            assert listed == {row.id for row in rows if voicemails.may_hear(session, actor, row)}, actor.name


def test_nothing_that_was_said_is_in_the_logs(desk: Desk, capfd: pytest.CaptureFixture[str], tmp_path: Path):
    desk.ears.words = ("保密巷七十七号",)
    desk.voicemail("h-1")
    desk.talk("h-2")
    assert desk.writer.run() == 2
    out, err = capfd.readouterr()
    assert "保密巷" not in out + err
    assert "words written down" in out + err
