"""Speech on real calls, heard by the real recogniser with the tiny model: said instead of pressed, read along, written
down. The words are espeak-ng's; of people this says nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import col, select

from app.actor import SYSTEM
from app.alarms.service import open_alarms
from app.calls.tables import Call
from app.db import Database
from app.voicemails import texts
from app.voicemails.tables import VoicemailText
from asterisk_conf.instance import asterisk_rx
from ivr import audio as telephone_audio
from recordings.lines import Channel
from recordings.tables import Recording, TranscriptLine
from tests.calls.voice_world import wait_heard
from tests.harness.desktop import Desktop
from tests.harness.system import PASSWORD, HotlineSystem
from tests.peers import audio
from tests.peers.network import Line, PublicNetwork
from tests.peers.waiting import wait_until
from tests.speech_kit.speaking import Teller, bare, wrong

WORST_OVER_THE_LINE = 0.15
"""Of the characters that are said, at most so many may be heard wrong."""
MESSAGE = "一三八零，零二四六，五七九幺，人工，投诉，咨询，建议"
MATTER = "投诉，一三八零，零二四六，五七九幺"
ANOTHER = "f1"
"""The voice of citizens in the menu: not the one that the menu itself speaks with."""


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory, speech_model: Path) -> Iterator[HotlineSystem]:
    """A whole instance, open round the clock, in which everything hears that can."""
    settings = {
        "opens": "00:00", "closes": "00:00", "speech_models": {"zh": str(speech_model)},
        "speech_menu": 3, "speech_live": 2, "wrapup_s": 1,
    }  # fmt: skip
    with HotlineSystem(tmp_path_factory.mktemp("h") / "home", **settings) as system:
        system.add_agent("1001")
        yield system


@pytest.fixture(scope="module")
def city(hotline: HotlineSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicNetwork]:
    """The public telephone network."""
    network = PublicNetwork(tmp_path_factory.mktemp("city"), hotline.settings)
    network.start()
    yield network
    network.stop()


@pytest.fixture(scope="module")
def db(hotline: HotlineSystem) -> Iterator[Database]:
    """What the instance stores."""
    database = Database(hotline.settings.url)
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def teller(tmp_path_factory: pytest.TempPathFactory) -> Teller:
    """Whoever speaks."""
    return Teller(tmp_path_factory.mktemp("said"))


def in_thread(work: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """The peers block; the agent's page must go on reading meanwhile."""
    return asyncio.to_thread(work, *args, **options)


def ears(hotline: HotlineSystem) -> int:
    """How many channels listen to callers now."""
    return asterisk_rx(hotline.settings, "core show channels concise").count("Local/spy@hotline-ear") // 2


def menu(hotline: HotlineSystem, name: str) -> float:
    """How long a sentence of the menu is (seconds)."""
    return audio.duration(hotline.settings.paths.prompts / "zh" / f"{name}.wav")


def into_main_menu(hotline: HotlineSystem, citizen: Line, teller: Teller) -> float:
    """The citizen has said which language, and heard that they may speak; second of the call at which that began."""
    citizen.wait_answered()
    wait_until(lambda: ears(hotline), 5, "an ear")
    citizen.wait(0.5)
    citizen.play(teller.wav("普通话", ANOTHER))
    began = wait_heard(citizen.heard, hotline.settings.paths.prompts / "zh/say_it.wav")
    citizen.wait(1.5)  # "人工" follows at once, and would be taken for the echo of it
    return began


async def test_a_word_reaches_the_queue_and_the_talk_is_read_along_and_written_down(
    hotline: HotlineSystem, city: PublicNetwork, db: Database, teller: Teller, tmp_path: Path
) -> None:
    phone = hotline.phone(tmp_path / "phone", hotline.accounts()[0], answer="auto", tone_hz=880)
    await in_thread(phone.start)
    try:
        async with Desktop(hotline.http, "1001", PASSWORD, streams=("agent",)) as page:
            await page.ready(endpoint="1001")
            citizen = city.call("13800138000")
            began = await in_thread(into_main_menu, hotline, citizen, teller)
            await in_thread(citizen.play, teller.wav("人工", ANOTHER))
            answered = await page.expect("call.answered", timeout=menu(hotline, "main_menu"))
            call = answered.data["call_id"]
            ends = began + menu(hotline, "say_it") + menu(hotline, "main_menu")
            assert citizen.heard_s() < ends, "nobody had to wait for the menu's end"
            assert ears(hotline) == 0, "with the menu its ear is gone"

            await page.expect("call.room", call_id=call, talked=True)
            await in_thread(citizen.play, teller.wav(MATTER))
            citizen.do(lambda channel: channel.exec("Wait", "12"), timeout=None)  # a telephone sends its silence, too
            finals = lambda: "".join(  # noqa: E731
                one.data["text"]
                for one in page.events
                if one.event == "call.words" and one.data["side"] == "citizen" and one.data["final"]
            )
            await page.until(lambda: len(bare(finals())) >= len(bare(MATTER)) - 2, "the words, while they talk", 10)
            live = wrong(bare(MATTER), bare(finals())) / len(bare(MATTER))
            await in_thread(citizen.hang_up)
            await page.expect("call.ended", call_id=call)
            row = await page.json(f"/api/calls/{call}")
            assert row["path"].startswith("welcome>"), row["path"]
            assert row["path"].endswith("main>queue"), "neither silence nor a key led there"
    finally:
        phone.stop()

    said = await in_thread(wait_until, lambda: transcript(db, call), 40, "the transcript")
    written = wrong(bare(MATTER), bare(said)) / len(bare(MATTER))
    print(f"read along: {live:.0%} wrong; written down: {said!r}, {written:.0%} wrong")
    assert max(live, written) <= WORST_OVER_THE_LINE


def test_whoever_speaks_leaves_a_message_and_whatever_else_happens_keys_do_the_same(
    hotline: HotlineSystem, city: PublicNetwork, db: Database, teller: Teller, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(3) as citizens:
        spoken = citizens.submit(leaves_a_message, hotline, city, teller)
        hostile = citizens.submit(shouts_and_hangs_up, city, tmp_path)
        spoken.result(60)
        hostile.result(60)
        kept = wait_until(lambda: words(db), 30, "the words of the message")
        pressed = citizens.submit(presses_where_nobody_hears, hotline, city, teller)
        pressed.result(60)
    faults = wrong(bare(MESSAGE), bare(kept.text))
    print(f"heard over the line: {kept.text!r}, {faults} of {len(bare(MESSAGE))} characters wrong")
    assert faults / len(bare(MESSAGE)) <= WORST_OVER_THE_LINE
    assert kept.source == "vosk"
    starts = [line[1] for line in kept.heard]
    assert starts == sorted(starts)
    assert kept.heard[-1][2] > 5_000
    with db.read() as session:
        assert [row.id for row in texts.search(session, SYSTEM, "人工").items] == [kept.voicemail_id]
        assert open_alarms(session) == []
    for number in ("13900139000", "13900139002"):
        wait_until(lambda number=number: path(db, number).endswith("main>voicemail"), 10, f"the way of {number}")
    assert path(db, "13900139001") in ("", "welcome"), "noise, shouting and keys without a meaning chose nothing"
    wait_until(lambda: ears(hotline) == 0, 5, "no ear is left")


def leaves_a_message(hotline: HotlineSystem, city: PublicNetwork, teller: Teller) -> None:
    """Says where to go, and then what the matter is."""
    citizen = city.call("13900139000")
    into_main_menu(hotline, citizen, teller)
    citizen.play(teller.wav("留言", ANOTHER))
    recording(hotline)
    citizen.wait(0.3)
    citizen.play(teller.wav(MESSAGE))
    citizen.wait(0.5)
    citizen.hang_up()


def shouts_and_hangs_up(city: PublicNetwork, tmp_path: Path) -> None:
    """Noise at full scale while keys are stormed that mean nothing here, and gone in the middle of it."""
    noise = tmp_path / "noise.wav"
    telephone_audio.write(noise, np.random.default_rng(7).integers(-32768, 32767, 12_000).astype(np.int16))
    citizen = city.call("13900139001").wait_answered()
    for key in "*#":
        citizen.play(noise)
        citizen.press(key)
    citizen.do(lambda channel: channel.exec("Playback", str(noise.with_suffix(""))), timeout=None)
    citizen.hang_up()


def presses_where_nobody_hears(hotline: HotlineSystem, city: PublicNetwork, teller: Teller) -> None:
    """The recogniser is killed and killed again: what is said is lost, what is pressed counts."""
    citizen = city.call("13900139002")
    into_main_menu(hotline, citizen, teller)
    for pid in recognisers(hotline.pids()["voice"]):
        os.kill(pid, signal.SIGKILL)
    citizen.play(teller.wav("留言", ANOTHER))
    citizen.press("3")
    recording(hotline)
    citizen.hang_up()


def recording(hotline: HotlineSystem) -> None:
    """Until a message is being recorded."""
    wait_until(lambda: list(hotline.settings.paths.voicemail_spool.glob("*.wav")), 20, "the recording to begin")


def recognisers(parent: int) -> list[int]:
    """The processes that hear for this one."""
    found = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"listener_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    assert found, "nobody listens"
    return found


def path(db: Database, number: str) -> str:
    """The way of that caller through the menu."""
    with db.read() as session:
        return session.exec(select(Call.path).where(col(Call.number) == number)).first() or ""


def words(db: Database) -> VoicemailText | None:
    with db.read() as session:
        return session.exec(select(VoicemailText).where(col(VoicemailText.text) != "")).first()


def transcript(db: Database, call: str) -> str:
    """What the citizen said, as it was written down; "" as long as it was not."""
    with db.read() as session:
        lines = session.exec(
            select(TranscriptLine)
            .join(Recording, col(Recording.seq) == col(TranscriptLine.recording))
            .where(col(Recording.call_id) == call, col(TranscriptLine.channel) == Channel.citizen.value)
            .order_by(col(TranscriptLine.start_ms))
        ).all()
        return "".join(line.text for line in lines)
