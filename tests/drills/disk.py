"""Drill: the disk for recordings (and messages) is full.

It costs no call and no case, it is said loudly, and what Asterisk recorded meanwhile waits in the spool until there is
room. As root the disks are real small ones, and the spool too is filled to the last byte; without root the instance is
made to refuse recordings by a demand for free space that cannot be met.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from app.instance.readiness import healthz
from tests.drills import _hold
from tests.drills._hearing import prompt_at
from tests.drills._report import Report, Scenario
from tests.drills._room import WANTED_FREE_MB, Disk, RealDisk, make_disk
from tests.drills._run import command_line
from tests.drills._scene import GREETED_S, Citizen, Scene, Talk, until
from tests.peers import audio

ADOPTED_WITHIN_S = 60.0
TALK_S = 5.0
REFUSING = ("voicemail_not_kept", "voicemail_failed", "apology")
PROMISING = ("voicemail_kept", "voicemail_will_handle", "thanks_goodbye")


class DiskScene(Scene):
    """A scene whose instance stores recordings on a disk that can be filled."""

    disk: Disk

    async def _start(self) -> None:
        self.system.home.mkdir(parents=True, exist_ok=True)
        self.disk = make_disk(self.system)
        # While it is full, the instance rightly calls these unwell.
        self.system.tolerated = frozenset({"disk", "alarms"})
        await super()._start()

    async def __aexit__(self, *_: object) -> None:
        if hasattr(self, "disk"):
            self.disk.make_room() if isinstance(self.disk, RealDisk) else None
        await super().__aexit__()
        if hasattr(self, "disk"):
            self.disk.close()


def make_scene(report: Report) -> Scene:
    """Three agents."""
    return DiskScene(report.progress, agents=3, min_free_mb=WANTED_FREE_MB)


async def steps(report: Report, scene: Scene, short: bool) -> None:
    """The store is full; then the spool too."""
    assert isinstance(scene, DiskScene)
    async with report.scenario("store full") as one:
        await store_full(report, scene, one, 2 if short else 3)
    if isinstance(scene.disk, RealDisk):
        await scene.clear()
        async with report.scenario("spool full") as one:
            await spool_full(report, scene, scene.disk, one, 2)
        if not short:
            await scene.clear()
            async with report.scenario("messages full") as one:
                await messages_full(report, scene, scene.disk, one)


async def _talk(scene: Scene, count: int) -> list[Talk]:
    mark = scene.manager.mark()
    await scene.pages.ready()
    citizens = await scene.call(count)
    await scene.to_queue(citizens)
    talks = await scene.talks(citizens, mark)
    await _hold.begin(talks)
    await asyncio.sleep(TALK_S)  # the talk: something to record
    return talks


async def store_full(report: Report, scene: DiskScene, one: Scenario, count: int) -> None:
    """Talks happen, their recordings wait in the spool, and are stored as soon as there is room."""
    if not scene.disk.full_at_start:
        scene.disk.fill()
    talks = await _talk(scene, count)
    citizens = [talk.citizen for talk in talks]
    one.before, one.after = count, sum(citizen.alive for citizen in citizens)
    report.figure("store_full.silence_longest_s", max(_hold.gaps(scene, talks)))
    report.goal("store_full.silence_longest_s", "<=", 1.0)
    await scene.hang_up(citizens)
    await until(lambda: _alarmed(scene), 30, "an alarm about the disk")
    report.figure("store_full.alarm", True)
    report.goal("store_full.alarm", "==", True)
    report.figure("store_full.kept_in_spool", sum(len(_legs(scene, citizen)) == 2 for citizen in citizens))
    report.goal("store_full.kept_in_spool", "==", count)
    one.cases_lost = await scene.pages.lost_cases(citizen.number for citizen in citizens)
    began = time.monotonic()
    await asyncio.to_thread(scene.disk.make_room)
    await scene.pages.connected()
    stored = 0
    while stored < count and time.monotonic() - began < ADOPTED_WITHIN_S:
        stored = sum([bool(await _recordings(scene, citizen)) for citizen in citizens])
        await asyncio.sleep(0.3)
    one.normal_s = time.monotonic() - began
    report.figure("store_full.recordings_stored", stored)
    report.goal("store_full.recordings_stored", "==", count)
    report.figure("store_full.adopted_after_s", one.normal_s)
    report.goal("store_full.adopted_after_s", "<=", ADOPTED_WITHIN_S)
    report.figure("store_full.recordings_whole", sum([await _whole(scene, talk) for talk in talks]))
    report.goal("store_full.recordings_whole", "==", count)
    await until(lambda: not any(_legs(scene, citizen) for citizen in citizens), 20, "the spool to be empty")


async def spool_full(report: Report, scene: DiskScene, disk: RealDisk, one: Scenario, count: int) -> None:
    """Asterisk cannot write a byte: nothing is recorded, and nobody on the telephone notices."""
    disk.fill_spool()
    talks = await _talk(scene, count)
    citizens = [talk.citizen for talk in talks]
    one.before, one.after = count, sum(citizen.alive for citizen in citizens)
    report.figure("spool_full.silence_longest_s", max(_hold.gaps(scene, talks)))
    report.goal("spool_full.silence_longest_s", "<=", 1.0)
    await scene.hang_up(citizens)
    one.cases_lost = await scene.pages.lost_cases(citizen.number for citizen in citizens)
    began = time.monotonic()
    disk.make_room()
    talks = await _talk(scene, 1)
    await scene.hang_up([talks[0].citizen])
    while not await _recordings(scene, talks[0].citizen) and time.monotonic() - began < ADOPTED_WITHIN_S:
        await asyncio.sleep(0.3)
    one.normal_s = time.monotonic() - began
    report.figure("spool_full.recorded_again", await _whole(scene, talks[0]))
    report.goal("spool_full.recorded_again", "==", True)


async def messages_full(report: Report, scene: DiskScene, disk: RealDisk, one: Scenario) -> None:
    """A caller leaves a message that cannot be written: nobody is told that it is kept. With room, one is."""
    disk.fill_messages()
    one.before = 1
    refused = await _leave_message(scene)
    one.after = int(_hears(scene, refused, REFUSING))
    report.figure("messages_full.refusal_told", _hears(scene, refused, REFUSING))
    report.goal("messages_full.refusal_told", "==", True)
    report.figure("messages_full.promised_in_vain", _hears(scene, refused, PROMISING))
    report.goal("messages_full.promised_in_vain", "==", False)
    began = time.monotonic()
    disk.make_room()
    kept = await _leave_message(scene)
    report.figure("messages_full.promise_told", _hears(scene, kept, PROMISING))
    report.goal("messages_full.promise_told", "==", True)
    one.cases_lost = await scene.pages.lost_cases([kept.number])
    one.normal_s = time.monotonic() - began


async def _leave_message(scene: Scene) -> Citizen:
    """Mandarin, voicemail; speaks and presses # as long as it takes, then 1 to keep it, until the call is over."""
    mark = scene.manager.mark()
    (citizen,) = await scene.call(1)
    await asyncio.sleep(GREETED_S)  # a key before the first sentence is heard by nobody
    for key in "13":
        await asyncio.to_thread(scene.press, citizen, key)
    await asyncio.to_thread(scene.manager.wait_event, "HotlineMenuEnd", 20, mark, Call=citizen.call_id)
    for key in "#1#1#1#1":
        try:
            await asyncio.to_thread(citizen.line.wait_ended, 10)
        except AssertionError:
            await asyncio.to_thread(scene.press, citizen, key)
        else:
            return citizen
    await asyncio.to_thread(citizen.line.wait_ended, 40)
    return citizen


def _hears(scene: Scene, citizen: Citizen, prompts: tuple[str, ...]) -> bool:
    return any(prompt_at(citizen.line.heard, scene.prompt(name)) is not None for name in prompts)


def _legs(scene: Scene, citizen: Citizen) -> list[Path]:
    return [
        file for file in scene.settings.paths.record_spool.glob(f"{citizen.call_id}-*.wav") if file.stat().st_size > 44
    ]


def _alarmed(scene: Scene) -> bool:
    """Whether the instance says, to whoever asks how it is, that recordings cannot be stored."""
    return "recordings_disk_full" in str(healthz(scene.settings).get("parts", {}).get("alarms"))


async def _recordings(scene: Scene, citizen: Citizen) -> list[dict[str, object]]:
    answer = await scene.pages.watcher.json(f"/api/recordings?call={citizen.call_id}")
    return list(answer["items"] if isinstance(answer, dict) else answer)


async def _whole(scene: Scene, talk: Talk) -> bool:
    """Whether the stored recording holds what both said, for as long as they talked."""
    rows = await _recordings(scene, talk.citizen)
    if not rows:
        return False
    answer = await scene.pages.watcher.request("GET", str(rows[0]["audio_url"]))
    file = scene.folder / f"{talk.citizen.call_id}.wav"
    file.write_bytes(answer.content)
    # Left is the citizen, right is what the citizen heard.
    tones = (talk.citizen.tone, scene.tones[talk.agent_id])
    spoken = [audio.tone_seconds(file, tone, channel=channel) for channel, tone in enumerate(tones)]
    return answer.status_code in (200, 206) and min(spoken) >= TALK_S * 0.8


if __name__ == "__main__":
    command_line("disk", make_scene, steps)
