"""Notices leave the house: a mail server that is down, a gateway that stumbles, and what is never said."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from app.alarms.service import open_alarms
from app.assignments.tables import Recusal
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.auth.tables import User
from app.cases import loop
from app.chasing import sweep
from app.clocks.rules import Urgency
from app.db import Database
from app.errors import BadInput, Forbidden, NotFound
from app.notices import inbox, post
from app.notices.channels import Letter, ports
from app.notices.model import PATIENCE, Channel, NoticeKind
from app.notices.tables import Notice, NoticeDelivery
from app.notices.told import told_of
from app.notices.units import Word, tell_unit
from app.outgoing import LEASE, Away
from app.settings import Settings
from app.units import members
from tests.case_kit.outside import MailServer, SmsGateway, text_of
from tests.case_kit.world import World

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(city: World) -> World:
    """A small city on this database, whose people can be reached."""
    for number, who in enumerate(("WATER.handler", "WATER.leader", "leader", "head")):
        with city.db.session() as session:
            mail, mobile = f"{who.lower()}@city.test", f"1390013900{number}"
            inbox.set_contact(session, city.people[who], mail, mobile, now=city.now)
    return city


@pytest.fixture
def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server that serves."""
    with MailServer().up() as server:
        yield server


def by_mail(settings: Settings, port: int) -> Settings:
    more = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "12345@city.test"}
    return settings.model_copy(update=more)


def send(world: World, chosen: Settings) -> int:
    return post.send_waiting(world.db, chosen, ports(chosen), world.now)


def outcomes(world: World, channel: str = "email") -> list[tuple[str, int, str]]:
    with world.db.read() as session:
        mine = select(NoticeDelivery).where(NoticeDelivery.channel == channel).order_by(col(NoticeDelivery.id))
        return [(row.state, row.tries, row.fault) for row in session.exec(mine).all()]


def test_a_notice_waits_while_the_mail_server_is_down_and_arrives_when_it_is_up(
    world: World, settings: Settings, free_port: int
):
    chosen = by_mail(settings, free_port)
    world.dispatched("WATER")
    assert send(world, chosen) == 0
    assert outcomes(world) == [("waiting", 1, "ConnectionRefusedError")]
    with world.db.read() as session:
        assert [alarm.code for alarm in open_alarms(session)] == ["notices_not_sent"]
    assert send(world, chosen) == 0  # not before its pause is over
    assert outcomes(world)[0][1] == 1
    world.later(minutes=1)
    with MailServer(free_port).up() as server:
        assert send(world, chosen) == 1
        world.later(hours=2)
        assert send(world, chosen) == 0
    (arrived,) = server.mails
    assert arrived["To"] == "water.handler@city.test"
    assert "新交办工单" in arrived["Subject"]
    assert "水务局：工单 2026" in text_of(arrived)
    assert "请及时签收办理，时限 2026年11月25日24:00" in text_of(arrived)
    assert outcomes(world) == [("sent", 2, "")]
    with world.db.read() as session:
        assert open_alarms(session) == []


def test_an_act_is_done_and_told_in_the_inbox_whatever_becomes_of_the_mail(
    world: World, settings: Settings, free_port: int
):
    world.dispatched("WATER")
    send(world, by_mail(settings, free_port))
    with world.db.read() as session:
        assert inbox.unread(session, world.people["WATER.handler"]) == {"unread": 1, "urgent": 0}


def test_an_address_that_does_not_exist_keeps_nobody_else_waiting(world: World, settings: Settings, mail: MailServer):
    mail.strangers = {"water.leader"}
    world.dispatched("WATER")
    world.later(days=14)
    sweep.chase_missed(world.db, settings, world.now)
    send(world, by_mail(settings, mail.port))
    assert {state for state, _, _ in outcomes(world)} == {"sent", "refused"}
    assert ("refused", 1, "smtp_550") in outcomes(world)
    assert {one["To"] for one in mail.mails} == {"water.handler@city.test", "head@city.test"}


def test_a_sender_that_was_killed_before_writing_it_down_sends_the_same_letter_again(
    world: World, settings: Settings, mail: MailServer, monkeypatch: pytest.MonkeyPatch
):
    chosen = by_mail(settings, mail.port)
    world.dispatched("WATER")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(post, "_write_down", dies)
        with pytest.raises(KeyboardInterrupt):
            send(world, chosen)
    assert send(world, chosen) == 0  # somebody may still be at it
    world.now += LEASE
    assert send(world, chosen) == 1
    first, second = mail.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@city.test>")


def test_two_senders_at_once_send_every_letter_once(world: World, settings: Settings, mail: MailServer, db: Database):
    for _ in range(15):
        world.dispatched("WATER")
    chosen, begin = by_mail(settings, mail.port), threading.Barrier(2)

    def run() -> None:
        begin.wait()
        for _ in range(3):
            send(world, chosen)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    idents = [one["Message-ID"] for one in mail.mails]
    assert len(idents) == len(set(idents)) == 15
    assert {state for state, _, _ in outcomes(world)} == {"sent"}


def test_what_presses_goes_by_sms_too_and_a_gateway_that_stumbles_is_asked_again(
    world: World, settings: Settings, tmp_path: Path
):
    token = tmp_path / "token"
    token.write_text("s3cret")
    token.chmod(0o600)
    case_id = world.case()
    world.act("taker", loop.submit, case_id, urgency=Urgency.life)
    with SmsGateway(503, 429).up() as gateway:
        more = {"sms_url": gateway.url, "sms_token_file": str(token), "sms_body": '{"to": "{mobile}", "m": "{text}"}'}
        chosen = settings.model_copy(update=more)
        for _ in range(3):
            send(world, chosen)
            world.later(minutes=2)
    ((body, credentials),) = gateway.taken
    assert body["to"] == "13900139002"
    assert body["m"].startswith("工单 2026")
    assert "紧急工单" in body["m"]
    assert credentials == "Bearer s3cret"
    assert outcomes(world, "sms") == [("sent", 3, "")]
    assert outcomes(world, "email") == [("off", 0, "")]  # nothing is poured out on the day it is set up
    world.dispatched("WATER", case_id=case_id)
    assert len(outcomes(world, "sms")) == 1  # what is merely new does not buzz


def test_what_could_not_be_sent_for_a_week_is_given_up_and_says_so(world: World, settings: Settings, free_port: int):
    world.dispatched("WATER")
    world.now += PATIENCE.whole + MINUTE
    send(world, by_mail(settings, free_port))
    assert outcomes(world) == [("given_up", 1, "ConnectionRefusedError")]


def test_a_port_that_hangs_up_in_the_middle_leaves_the_rest_for_later(world: World, settings: Settings):
    for _ in range(4):
        world.dispatched("WATER")

    class Broken:
        sent = 0

        def open(self) -> None:
            """Is there."""

        def send(self, letter: Letter) -> None:
            """Takes one."""
            if self.sent:
                raise Away("gone")
            self.sent += 1

        def close(self) -> None:
            """Is gone."""

    assert post.send_waiting(world.db, settings, {Channel.email: Broken()}, world.now) == 1
    assert sorted(state for state, _, _ in outcomes(world)) == ["sent", "waiting", "waiting", "waiting"]


def test_a_letter_at_which_the_server_hangs_up_held_up_all_that_were_claimed_with_it(
    world: World, settings: Settings, mail: MailServer
):
    world.dispatched("WATER")
    assert send(world, by_mail(settings, mail.port)) == 1
    mail.feared = {"water.handler"}
    world.later(days=14)
    sweep.chase_missed(world.db, settings, world.now)
    for _ in outcomes(world):  # two of them in a row end a round, and the next takes what was not offered
        send(world, by_mail(settings, mail.port))
    assert {one["To"] for one in mail.mails[1:]} == {"water.leader@city.test", "head@city.test"}
    assert {(state, tries) for state, tries, _ in outcomes(world)} == {("sent", 1), ("waiting", 1)}
    assert {fault for state, _, fault in outcomes(world) if state == "waiting"} == {"SMTPServerDisconnected"}
    mail.feared = set()
    world.later(minutes=1)
    while send(world, by_mail(settings, mail.port)):
        pass
    assert {state for state, _, _ in outcomes(world)} == {"sent"}
    assert len(mail.mails) == len(outcomes(world))


def test_letters_that_were_never_offered_were_counted_as_tried(world: World, settings: Settings):
    for _ in range(4):
        world.dispatched("WATER")

    class Deaf:
        def open(self) -> None:
            """Is there."""

        def send(self, letter: Letter) -> None:
            """Takes nothing."""
            raise Away("gone")

        def close(self) -> None:
            """Is gone."""

    post.send_waiting(world.db, settings, {Channel.email: Deaf()}, world.now)
    assert sorted(tries for _, tries, _ in outcomes(world)) == [0, 0, 1, 1]
    assert {state for state, _, _ in outcomes(world)} == {"waiting"}


@pytest.mark.parametrize("where", ["open", "send"])
def test_a_port_that_breaks_in_an_unforeseen_way_stopped_all_channels_in_silence(
    world: World, settings: Settings, where: str
):
    class Broken:
        def open(self) -> None:
            """Perhaps."""
            self.do("open")

        def send(self, letter: Letter) -> None:
            """Perhaps."""
            self.do("send")

        def close(self) -> None:
            """Is gone."""

        def do(self, what: str) -> None:
            if what == where:
                raise UnicodeError("not for a log: water.handler@city.test")

    world.dispatched("WATER")
    assert post.send_waiting(world.db, settings, {Channel.email: Broken()}, world.now) == 0
    assert outcomes(world) == [("waiting", 1, "UnicodeError")]
    with world.db.read() as session:
        assert [alarm.detail for alarm in open_alarms(session)] == [{"fault": "UnicodeError"}]


def test_nothing_more_goes_to_somebody_who_has_left_or_is_kept_from_the_case_by_now(
    world: World, settings: Settings, mail: MailServer
):
    gone, kept = world.people["WATER.handler"], world.people["WATER.leader"]
    case_id, _ = world.dispatched("WATER")
    world.later(days=14)
    sweep.chase_missed(world.db, settings, world.now)
    with world.db.session() as session:
        session.get_one(User, gone.user_id).active = False
        session.add(Recusal(case_id=case_id, user_id=kept.user_id, why="亲属", at=world.now))
        assert inbox.unread(session, world.people["head"])["unread"] > 0
    send(world, by_mail(settings, mail.port))
    assert {one["To"] for one in mail.mails} == {"head@city.test"}
    assert "off" in {state for state, _, _ in outcomes(world)}
    with world.db.read() as session:
        assert inbox.notices(session, kept).items == []
        assert inbox.unread(session, kept) == {"unread": 0, "urgent": 0}


def test_nothing_more_goes_to_somebody_who_has_left_the_unit_that_was_asked(
    world: World, settings: Settings, mail: MailServer
):
    water, chief = world.units["WATER"], world.people["dispatcher"]
    with world.db.session() as session:
        tell_unit(session, Word(water, NoticeKind.gap_given, "gap:1"), world.now)
        gone = world.people["WATER.handler"].user_id
        (left,) = [one.row.id or 0 for one in members.listed(session, chief, water) if one.user.id == gone]
        members.end(session, chief, water, left, now=world.now)
    send(world, by_mail(settings, mail.port))
    assert [one["To"] for one in mail.mails] == ["water.leader@city.test"]
    assert sorted(state for state, _, _ in outcomes(world)) == ["off", "sent"]


def test_a_notice_of_a_case_that_was_made_confidential_since_went_out_with_its_title(
    world: World, settings: Settings, mail: MailServer
):
    case_id, _ = world.dispatched("WATER")
    with world.db.session() as session:
        world.stored(session, case_id).confidential = True
    send(world, by_mail(settings, mail.port))
    (arrived,) = mail.mails
    assert "路灯" not in text_of(arrived)
    with world.db.read() as session:
        (row,) = inbox.notices(session, world.people["WATER.handler"]).items
        assert told_of(session, row).title == "（保密工单）"


@pytest.mark.parametrize("confidential", [False, True])
def test_no_notice_says_who_called_or_from_where(
    world: World, settings: Settings, mail: MailServer, confidential: bool
):
    secrets = ("王小明", "13800138000", "幸福里 5 号")
    title = "王小明（13800138000）反映幸福里 5 号路灯不亮"
    case_id = world.case(title=title, confidential=confidential)
    world.dispatched("WATER", case_id=case_id)
    world.later(days=14)
    sweep.chase_missed(world.db, settings, world.now)
    with SmsGateway().up() as gateway:
        chosen = by_mail(settings, mail.port).model_copy(update={"sms_url": gateway.url})
        send(world, chosen)
    assert mail.mails
    assert gateway.taken
    said = [text_of(one) for one in mail.mails] + [str(body) for body, _ in gateway.taken]
    with world.db.read() as session:
        said += [str(row.model_dump()) for row in session.exec(select(Notice)).all()]
    for words in said:
        assert all(secret not in words for secret in secrets)
        assert "王" not in words
    assert any("路灯" in words for words in said) is not confidential


def test_a_person_says_where_they_are_told_and_the_audit_does_not_repeat_it(world: World):
    handler, admin = world.people["WATER.handler"], world.somebody(Role.admin)
    with world.db.session() as session:
        for email, mobile, field in (
            ("not an address", "", "email"),
            ("a@b.test\r\nBcc: x@y.test", "", "email"),
            ("", "02155551234", "mobile"),
        ):
            with pytest.raises(BadInput) as wrong:
                inbox.set_contact(session, handler, email, mobile)
            assert list(wrong.value.fields) == [field]
        with pytest.raises(Forbidden):
            inbox.set_contact(session, handler, "a@b.test", "", user_id=world.people["head"].user_id)
        with pytest.raises(NotFound):
            inbox.set_contact(session, admin, "a@b.test", "", user_id=99_999)
        inbox.set_contact(session, admin, "new@city.test", "+86 139 0013 9009", user_id=handler.user_id)
    with world.db.read() as session:
        row = inbox.contact_of(session, handler)
        assert (row.email, row.mobile) == ("new@city.test", "13900139009")
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "contact.changed")).all()
        assert entries[-1].object == f"user:{handler.user_id}"
        assert "city.test" not in str([entry.detail for entry in entries])


def test_a_notice_is_read_by_its_own_person_and_reading_all_leaves_what_came_meanwhile(world: World):
    first, second = world.people["WATER.handler"], world.people["head"]
    for _ in range(3):
        world.dispatched("WATER")
    with world.db.session() as session:
        newest, middle, _ = inbox.notices(session, first).items
        with pytest.raises(NotFound):
            inbox.read(session, second, middle.id or 0)
        assert inbox.read_all(session, first, middle.id or 0, now=world.now) == 2
        assert [one.id for one in inbox.notices(session, first, unread=True).items] == [newest.id]
        inbox.read(session, first, newest.id or 0, now=world.now)
        session.flush()
        assert inbox.unread(session, first) == {"unread": 0, "urgent": 0}
