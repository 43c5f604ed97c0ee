"""Drill: the database is locked for twenty seconds while citizens call, talk, and leave a message.

Nobody who calls may notice; an agent who saves is told at once that it is not possible and loses nothing; once the
lock is gone every call, every draft and the voicemail are in the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from tests.drills import _hold
from tests.drills._report import Report, Scenario
from tests.drills._run import command_line
from tests.drills._scene import GREETED_S, Citizen, Scene

LOCKED_S = 20.0
SAVE_ANSWER_S = 8.0
WORDS = "锁住数据库时写下的内容"


def make_scene(report: Report) -> Scene:
    """Five agents on SQLite, which locks as a whole."""
    return Scene(report.progress, agents=5)


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Nobody else can write to the database."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


async def steps(report: Report, scene: Scene, short: bool) -> None:
    """One lock, with everything that can happen meanwhile."""
    async with report.scenario("database locked 20 s") as one:
        await locked_database(report, scene, one, 2 if short else 4)


async def locked_database(report: Report, scene: Scene, one: Scenario, arriving: int) -> None:
    """A talk from before; new calls, a save, an ended talk and a voicemail during the lock."""
    mark = scene.manager.mark()
    first_agent = scene.agent_ids[0]
    await scene.pages.ready(first_agent)
    old = await scene.call(1)
    await scene.to_queue(old)
    talks = await scene.talks(old, mark)
    page = scene.pages.desktops[first_agent]
    draft = (await page.expect("call.pop", call_id=old[0].call_id)).data["card"]["draft"]
    if draft is None:
        draft = (await page.expect("call.card", call_id=old[0].call_id)).data["card"]["draft"]
    await scene.pages.ready(*scene.agent_ids[1:])
    body = {"version": draft["version"], "fields": {"type": "consult", "title": WORDS, "content": WORDS}}
    save = f"/api/cases/{draft['case_id']}"
    await _hold.begin(talks)
    marks, began = scene.pages.marks(), time.monotonic()
    with locked(scene.settings.url.removeprefix("sqlite:///")):
        report.progress("the database is locked")
        saving = asyncio.create_task(_save(page, save, body))
        arrived = await scene.call(arriving)
        await scene.to_queue(arrived)
        during = await scene.talks(arrived, mark, timeout=60)
        pops = {data["call_id"]: at for at, _agent, data in reversed(scene.pages.pops(marks))}
        report.samples("locked.pop_after_join_s", _pop_waits(arrived, pops))
        report.figure("locked.pops", sum(citizen.call_id in pops for citizen in arrived))
        report.goal("locked.pops", "==", arriving)
        writer = await _leave_message(scene)
        leaving = arrived[:1]
        staying = [*old, *arrived[1:]]
        await scene.hang_up(leaving)
        one.before = len(staying)
        waited, status = await saving
        report.figure("locked.save_answer_s", waited)
        report.goal("locked.save_answer_s", "<=", SAVE_ANSWER_S)
        report.figure("locked.save_status", status)
        report.goal("locked.save_status", "==", 503)
        await asyncio.sleep(max(0.0, LOCKED_S - (time.monotonic() - began)))  # the fault itself
        report.figure("locked.held_s", time.monotonic() - began)
    unlocked = time.monotonic()
    report.progress("the database works again")
    _waited, status = await _save(page, save, body)
    report.figure("locked.save_again_status", status)
    report.goal("locked.save_again_status", "==", 200)
    one.after = sum(citizen.alive for citizen in staying)
    report.figure("locked.silence_longest_s", max(_hold.gaps(scene, talks)))
    report.goal("locked.silence_longest_s", "<=", 1.0)
    report.figure("locked.talks_begun_during_lock", len(during))
    everybody = [*old, *arrived]
    await scene.hang_up(citizen for citizen in everybody if citizen.alive)
    one.cases_lost = await scene.pages.lost_cases([citizen.number for citizen in [*everybody, writer]], 30)
    one.normal_s = time.monotonic() - unlocked
    await _stored(report, scene, everybody, writer)
    kept = (await page.json(save))["fields"]["title"]
    report.figure("locked.saved_words_kept", kept == WORDS)
    report.goal("locked.saved_words_kept", "==", True)


async def _save(page: Any, path: str, body: dict[str, Any]) -> tuple[float, int]:
    """(seconds, status) of what happens when the agent's page saves."""
    began = time.monotonic()
    answer = await page.request("PATCH", path, json=body)
    return time.monotonic() - began, answer.status_code


def _pop_waits(citizens: list[Citizen], pops: dict[str, float]) -> list[float]:
    """Seconds from joining the queue to the pop, by the wall clock of the join and the monotonic one of the pop."""
    shift = time.time() - time.monotonic()
    return [pops[one.call_id] + shift - one.joined_ms / 1000 for one in citizens if one.call_id in pops]


async def _leave_message(scene: Scene) -> Citizen:
    """A citizen chooses Mandarin, then voicemail, speaks for some seconds and hangs up."""
    mark = scene.manager.mark()
    (citizen,) = await scene.call(1)
    await asyncio.sleep(GREETED_S)  # a key before the first sentence is heard by nobody
    await asyncio.to_thread(scene.press, citizen, "1")
    await asyncio.to_thread(scene.press, citizen, "3")
    await asyncio.to_thread(scene.manager.wait_event, "HotlineMenuEnd", 20, mark, Call=citizen.call_id)
    await asyncio.to_thread(citizen.line.wait, 12)
    await asyncio.to_thread(citizen.line.hang_up)
    return citizen


async def _stored(report: Report, scene: Scene, citizens: list[Citizen], writer: Citizen) -> None:
    """Every call is there, ended, answered, by somebody; and the message is a case."""

    def whole(row: dict[str, Any]) -> bool:
        return bool(row["outcome"] == "answered" and row["agent_id"] and row["ended_at"])

    right = await scene.pages.calls_that(whole, [citizen.number for citizen in citizens])
    report.figure("locked.calls_stored", right)
    report.goal("locked.calls_stored", "==", len(citizens))
    messages = (await scene.pages.watcher.json("/api/voicemails"))["items"]
    kept = sum(row["number"] == writer.number and bool(row["case_number"]) for row in messages)
    report.figure("locked.voicemails_kept", kept)
    report.goal("locked.voicemails_kept", "==", 1)


if __name__ == "__main__":
    command_line("database", make_scene, steps)
