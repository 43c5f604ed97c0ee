"""A campaign on real Asterisk: who answers, what they hear, which keys they press, and a core that is killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import select

from app.actor import SYSTEM
from app.campaigns import service, sounds, targets
from app.campaigns.model import CampaignAct, Kind
from app.campaigns.service import Wanted
from app.campaigns.tables import CampaignAttempt, CampaignTarget
from app.consents import service as consents
from app.db import Database
from app.destinations import Destinations
from app.settings import Settings
from tests.bridge_kit.core import CoreProcess
from tests.peers import audio
from tests.peers.fixtures import Exchange
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import BUSY, NO_ANSWER, UNALLOCATED, Line, PublicNetwork
from tests.peers.waiting import wait_until

pytest_plugins = ["tests.bridge_kit.fixtures"]

HZ = {"who": 600, "keys": 750, "message": 1050, "question": 1200, "refused": 1350, "thanks": 1500, "through": 1650}
ANSWERS_1, REFUSES, MACHINE, FAX, BUSY_LINE, NOBODY, NO_SUCH, SILENT, KILLED = (f"1381111000{n}" for n in range(9))
STOPPED = "13811110009"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A hotline that may call out at any hour, and waits two seconds for an answer."""
    pair = Exchange(tmp_path_factory.mktemp("x"))
    hours = {"calling_opens": "00:00", "calling_closes": "24:00", "campaign_answer_s": 2}
    more = {**hours, "campaign_lines_kept": 0, "campaign_at_once": 10}
    pair.hotline.settings = pair.hotline.settings.model_copy(update=more)
    try:
        pair.start()
        yield pair
    finally:
        pair.stop()


@pytest.fixture
def database(asterisk_under_test: AsteriskUnderTest, core_process: CoreProcess) -> Iterator[Database]:
    opened = Database(asterisk_under_test.settings.url)
    yield opened
    opened.dispose()


def tones(settings: Settings) -> dict[str, Path]:
    """What would be said → a tone of its own for each part."""
    folder = settings.home / "tones"
    return {part: audio.write_tone(folder / f"{part}.wav", hz, 0.8) for part, hz in HZ.items()}


def begin(hotline: AsteriskUnderTest, database: Database, *numbers: str) -> int:
    """A running campaign with a question for these numbers."""
    settings = hotline.settings

    def reachable() -> bool:
        if hotline.manager.variable("", "DEVICE_STATE(PJSIP/trunk)") == "NOT_INUSE":
            return True
        hotline.manager.action("PJSIPQualify", Endpoint="trunk")
        return False

    wait_until(reachable, 20, "a way out", every=1.0)
    texts = {"zh": {"purpose": "为您办的事做个回访", "message": "内容", "question": "满意请按1"}}
    wanted = Wanted(
        "回访", Kind.result, texts=texts, answers={"1": "满意", "2": "不满意"}, windows=(("00:00", "24:00"),),
        most_lines=20, ring_s=20,
    )  # fmt: skip
    files = tones(settings)
    with database.session() as session:
        row = service.create(session, SYSTEM, wanted)
        said = {words: part for part, words in sounds.words_of(row, "zh").items()}
    campaign = row.id or 0
    table = "\r\n".join(["电话", *numbers]).encode()
    outcome = targets.from_table(database, SYSTEM, campaign, table, Destinations.of(settings), dry_run=False)
    assert outcome.written, outcome.faults
    service.act(
        database, SYSTEM, campaign, CampaignAct.start, settings=settings, speak=lambda words, _: files[said[words]]
    )
    return campaign


def outcome(database: Database, number: str) -> tuple[str, str, str]:
    with database.read() as session:
        row = session.execute(select(CampaignTarget).where(CampaignTarget.number == number)).scalar_one()
        return row.outcome, row.state, row.answer


def speech(path: Path, *words_s: float) -> Path:
    """Something like speech: bursts of noise of these lengths, with short pauses."""
    noise = np.random.default_rng(1)
    parts = [
        np.concatenate([noise.normal(0, 0.15, round(audio.RATE * s)), np.zeros(audio.RATE // 33)]) for s in words_s
    ]
    return audio.write_samples(path, np.clip(np.concatenate(parts), -0.9, 0.9))


def test_each_call_is_told_for_what_it_was_keys_are_heeded_and_a_killed_core_calls_nobody_twice(
    asterisk_under_test: AsteriskUnderTest,
    public_network: PublicNetwork,
    database: Database,
    core_process: CoreProcess,
    tmp_path: Path,
) -> None:
    settings = asterisk_under_test.settings
    hello, long_words = speech(tmp_path / "hello.wav", 0.4), speech(tmp_path / "machine.wav", *[0.5] * 8)
    lines: dict[str, Line] = {}
    answered: list[str] = []

    def person(*steps: object):
        def talks(line: Line) -> None:
            lines[line.number] = line
            answered.append(line.number)
            for step in steps:
                step(line)  # type: ignore[operator]

        return talks

    say_hello = lambda line: line.play(hello)  # noqa: E731
    # Whoever stays on the line sends sound, as telephones do: what they hear is recorded in its time then.
    stays = lambda seconds: lambda line: line.wait(seconds)  # noqa: E731
    public_network.answers(ANSWERS_1, then=person(say_hello, stays(4), lambda line: line.press("41"), stays(20)))
    public_network.answers(REFUSES, then=person(say_hello, stays(3), lambda line: line.press("8"), stays(20)))
    public_network.answers(MACHINE, then=person(lambda line: line.play(long_words), stays(30)))
    fax = lambda line: line.do(lambda channel: channel.exec("ReceiveFAX", str(tmp_path / "fax.tif")))  # noqa: E731
    public_network.answers(FAX, then=person(fax))
    public_network.refuses(BUSY_LINE, BUSY)
    public_network.refuses(NOBODY, NO_ANSWER, ring_s=1)
    public_network.refuses(NO_SUCH, UNALLOCATED)
    public_network.answers(SILENT, then=person(stays(40)))
    public_network.answers(KILLED, ring_s=5, then=person(say_hello, stays(40)))
    dialled = public_network.manager.mark()
    begin(asterisk_under_test, database, ANSWERS_1, REFUSES, MACHINE, FAX, BUSY_LINE, NOBODY, NO_SUCH, SILENT, KILLED)

    wait_until(lambda: outcome(database, BUSY_LINE)[0] == "busy", 10, "the busy line")
    wait_until(lambda: outcome(database, NO_SUCH)[:2] == ("unallocated", "given_up"), 10, "no such number")
    public_network.manager.wait_event("Newchannel", 15, dialled, Exten=KILLED)
    core_process.kill()  # people listen, one telephone rings, one call ends while nobody looks
    wait_until(lambda: SILENT in lines and lines[SILENT].heard_s() > 2.5, 10, "somebody to listen")
    core_process.start()
    expected = {
        ANSWERS_1: ("human", "reached", "1"),
        REFUSES: ("human", "refused", ""),
        MACHINE: ("machine", "reached", ""),
        FAX: ("fax", "given_up", ""),
        BUSY_LINE: ("busy", "waiting", ""),
        NOBODY: ("no_answer", "waiting", ""),
        NO_SUCH: ("unallocated", "given_up", ""),
        SILENT: ("human", "reached", ""),
        KILLED: ("human", "reached", ""),
    }

    def settled() -> bool:
        return all(outcome(database, number)[0] for number in expected)

    wait_until(settled, 40, lambda: str({number: outcome(database, number) for number in expected}))
    assert {number: outcome(database, number) for number in expected} == expected
    for number in (ANSWERS_1, REFUSES, SILENT, KILLED):
        who = audio.tone_times(lines[number].heard, HZ["who"])
        assert who, number
        assert who[0] <= 2.0, "who calls is heard within two seconds"
    said = lines[MACHINE].heard
    assert audio.tone_times(said, HZ["message"])[0] > 4.5, "after its greeting"
    assert 0.5 < audio.tone_seconds(said, HZ["message"]) < 1.2, "once"
    assert not audio.tone_seconds(said, HZ["question"])
    assert audio.tone_seconds(lines[REFUSES].heard, HZ["refused"]) > 0.5
    assert audio.tone_seconds(lines[SILENT].heard, HZ["question"]) > 1.4, "asked twice, and let go"
    assert audio.tone_seconds(lines[ANSWERS_1].heard, HZ["thanks"]) > 0.5
    rung = [
        event.get("Exten")
        for event in public_network.manager.events[dialled:]
        if event.get("Event") == "Newchannel" and event.get("Context") == "from-hotline"
    ]
    assert sorted(rung) == sorted(expected), "each once"  # type: ignore[type-var]
    with database.read() as session:
        assert consents.stopped(session, [REFUSES]) == {REFUSES}
        attempts = session.execute(select(CampaignAttempt)).scalars().all()
    assert sorted(one.no for one in attempts) == [1] * len(expected)
    assert not list(settings.paths.campaign_spool.iterdir())


def test_a_person_please_goes_into_the_queue_though_nobody_looks_after_the_call(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, database: Database, core_process: CoreProcess
) -> None:
    asked: list[Line] = []

    def wants_a_person(line: Line) -> None:
        asked.append(line)
        line.wait(4.5)
        line.press("0")
        line.wait(30)

    public_network.answers(STOPPED, then=wants_a_person)
    mark = asterisk_under_test.manager.mark()
    begin(asterisk_under_test, database, STOPPED)
    joined = asterisk_under_test.manager.wait_event("AcdJoin", 20, mark, Number=STOPPED)
    assert joined["Queue"] == "general"
    assert audio.tone_times(asked[0].heard, HZ["who"])[0] <= 2.0
    since = time.monotonic()
    asked[0].hang_up()
    wait_until(lambda: outcome(database, STOPPED)[:2] == ("human", "reached"), 10, "the call settled")
    assert time.monotonic() - since < 10
    with database.read() as session:
        row = session.execute(select(CampaignTarget).where(CampaignTarget.number == STOPPED)).scalar_one()
    assert row.person
