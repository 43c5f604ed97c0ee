"""A number audit on real Asterisk: each number is called as a citizen would, and what became of it is known by cause
and ear."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from app.actor import SYSTEM, Actor
from app.audio import both_channels
from app.auth.model import Role
from app.db import Database
from app.migrations.run import upgrade
from app.number_audits import dialling, intake, register, rounds
from app.number_audits.model import Mode, RoundStep
from app.number_audits.rounds import Wanted
from app.number_audits.tables import NumberAuditAttempt, NumberAuditTarget
from app.sheets import write
from app.units import service as units
from app.units.queries import tree
from recordings.store import Store
from recordings.tables import Recording
from tests.audit_kit.placer import Placer
from tests.audit_kit.sounds import BEHAVIOURS, FOUND, write_all
from tests.peers import audio
from tests.peers.fixtures import Exchange, PhoneMaker
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork
from tests.peers.prompts import PROMPT_HZ
from tests.peers.waiting import wait_until

HEADS = ("单位编码", "公布电话", "地区", "公布位置", "公布的接听时间", "在用")
NOW = datetime.fromisoformat("2026-11-25T10:00:00+08:00")  # a Wednesday


class House:
    """A round of automatic or personal calls to numbers that behave in a certain way each."""

    def __init__(self, hotline: AsteriskUnderTest, db: Database) -> None:
        self.hotline, self.db, self.settings = hotline, db, hotline.settings
        self.placer = Placer(hotline.settings, db, hotline.manager)

    def round(self, mode: Mode, numbers: list[str], now: datetime) -> dict[str, int]:
        """A round that has begun over these numbers; the targets by number. All first calls are due at `now`."""
        with self.db.session() as session:
            if not tree(session, SYSTEM):
                centre = units.create(session, SYSTEM, {"code": "C", "kind": "centre", "name": "热线中心"})
                values = {"code": "WATER", "kind": "bureau", "name": "水务局"}
                units.create(session, SYSTEM, values, parent_id=centre.id)
            rows = [("WATER", number, "城南", "网站", "", "是") for number in numbers]
            table = write(HEADS, rows)
            made = register.bring_in(session, SYSTEM, table, self.settings, dry_run=False, now=now)
            assert not made.faults, made.faults
        with self.db.session() as session:
            day = now.date()
            wanted = Wanted("暗访", mode, day, day + timedelta(days=9), "00:00-24:00", at_once=8)
            row = rounds.create(session, SYSTEM, wanted, self.settings, now=now).round
            rounds.step(session, SYSTEM, row.id or 0, 1, RoundStep.start, now=now)
            targets = select(NumberAuditTarget).where(
                NumberAuditTarget.round_id == row.id, col(NumberAuditTarget.number).in_(numbers)
            )
            found = {one.number: one.id or 0 for one in session.exec(targets)}
            for attempt in session.exec(select(NumberAuditAttempt)).all():
                if attempt.state == "planned" and attempt.ordinal == 1:
                    attempt.planned_at = now
            return found

    def attempts(self, *targets: int) -> list[NumberAuditAttempt]:
        """The first calls of these numbers."""
        statement = select(NumberAuditAttempt).where(
            NumberAuditAttempt.ordinal == 1, col(NumberAuditAttempt.target_id).in_(targets)
        )
        with self.db.read() as session:
            return list(session.exec(statement))

    def settled(self, now: datetime, *targets: int) -> list[NumberAuditAttempt]:
        """Look and take in until these numbers' first calls are over."""

        def over() -> list[NumberAuditAttempt] | None:
            self.placer.look(now)
            intake.scan(self.db, self.settings, now)
            found = self.attempts(*targets)
            return found if all(one.state == "done" for one in found) else None

        return wait_until(over, 40, "the end of every call", every=0.25)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """The pair of Asterisks; short rings and short listening, for a test does not want to wait."""
    pair = Exchange(tmp_path_factory.mktemp("x"))
    quick = {"audit_ring_s": 5, "audit_listen_s": 4, "min_free_mb": 0}
    pair.hotline.settings = pair.hotline.settings.model_copy(update=quick)
    try:
        pair.start()
        yield pair
    finally:
        pair.stop()


@pytest.fixture
def house(asterisk_under_test: AsteriskUnderTest) -> Iterator[House]:
    upgrade(asterisk_under_test.settings.url)
    db = Database(asterisk_under_test.settings.url)
    yield House(asterisk_under_test, db)
    db.dispose()


def sides(house: House, attempt: NumberAuditAttempt) -> tuple[Any, Any]:
    """What we said and what was heard, -1 to 1."""
    store = Store(house.settings, house.db)
    with house.db.read() as session:
        row = session.get(Recording, attempt.recording)
        assert row is not None
    samples, rate = both_channels(store.file_of(row))
    assert rate == audio.RATE
    return samples[:, 0] / 32768, samples[:, 1] / 32768


def test_every_kind_of_number_is_found_by_cause_and_ear_and_an_auditor_calls_from_their_telephone(
    house: House, public_network: PublicNetwork, phone: PhoneMaker, tmp_path: Any
) -> None:
    write_all(tmp_path)
    numbers = {f"876543{n:02d}": name for n, name in enumerate(BEHAVIOURS)}
    for number, name in numbers.items():
        BEHAVIOURS[name](public_network, number, tmp_path)
    targets = house.round(Mode.automatic, list(numbers), NOW)
    began = time.monotonic()
    found = {one.target_id: one for one in house.settled(NOW, *targets.values())}
    assert time.monotonic() - began < 25, "all at once, not one after another"
    told = {numbers[number]: found[target].outcome for number, target in targets.items()}
    assert told == FOUND
    assert {one.tries for one in found.values()} == {1}
    assert not [*house.settings.paths.audit_spool.iterdir()], "nothing is left in the spool"
    answered = next(one for one in found.values() if one.outcome == "answered")
    assert answered.answered_at is not None
    assert answered.dialled_at is not None
    assert 0.2 < (answered.answered_at - answered.dialled_at).total_seconds() < 4
    said, heard = sides(house, answered)
    thanks = tmp_path / "said.wav"
    audio.write_samples(thanks, said)
    assert audio.has_tone(thanks, PROMPT_HZ["audit_thanks"], house.settings.audit_listen_s + 0.1), (
        "who it was and why is said before the line is let go"
    )
    assert abs(heard).max() > 0.05
    causes = {numbers[number]: found[target].cause for number, target in targets.items()}
    assert (causes["vacant"], causes["busy"]) == (1, 17)
    assert [one[0] for one in next(one for one in found.values() if one.outcome == "fax").signs] == ["fax_answers"]
    rung_out = next(found[targets[number]] for number, name in numbers.items() if name == "unanswered")
    assert rung_out.ended_at is not None
    assert rung_out.dialled_at is not None
    assert 4 < (rung_out.ended_at - rung_out.dialled_at).total_seconds() < 8, "we did not wait longer than we wanted"

    # A second look at a call that was placed already, as after a restart, dials nothing.
    before = public_network.incoming.qsize()
    Placer(house.settings, house.db, house.hotline.manager).look(NOW)
    assert public_network.incoming.qsize() == before
    public_network.forget()

    # An auditor calls as a citizen would.
    auditor = phone("1002", tone_hz=880)
    number = "87654399"
    public_network.answers(number, then=lambda line: line.tone(700))
    (target,) = house.round(Mode.person, [number], NOW).values()
    (attempt,) = house.attempts(target)
    person = Actor(None, frozenset({Role.quality}), "1002", "auditor")
    with house.db.session() as session:
        dialling.ask(session, person, attempt.id or 0, house.settings, now=NOW)
    house.placer.look(NOW)
    unit = public_network.wait_incoming()
    auditor.wait_hears(700)
    unit.wait_hears(880)
    assert len(house.placer.fed) == 1, "nobody else rings the auditor meanwhile"
    unit.hang_up()
    (spoken,) = house.settled(NOW, attempt.target_id)
    assert (spoken.outcome, spoken.agent_id) == ("answered", "1002")
    house.placer.look(NOW)
    assert len(house.placer.fed) == 2, "and then they are free again"
