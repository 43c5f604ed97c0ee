"""What is being said in a talk, on the agent's page while it is said: the recording's growing files, listened to.

Kept nowhere: the page shows it as long as the call is on it, and the recording has a transcript of its own afterwards.
The same words are laid against the list of phrases (`app.phrases.live`): what comes of it is told to the agent's own
pages, to no other page and no system of others.
Nothing is listened to in a confidential pause, of a citizen who asked for secrecy, while no page is open, or beyond
`speech_live` calls at once. Whatever the recogniser does, the call knows nothing of it.

Asterisk buffers a file's sound (32 KiB, two seconds) before it writes it; so late the words may be.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from app.errors import HotlineError
from app.phrases.live import Hint, Watch, hint_json
from app.phrases.shipped import FAREWELLS
from app.speech.recognizer import Hearing, NotHeard, Recognizer, SoFar
from cti_bridge.core import Core
from cti_bridge.model import Call, Phase

log = structlog.get_logger(__name__)

LOOK_S = 0.3
REST_S = 10.0  # after a trouble, before this call is listened to again
ASK_AGAIN_S = 15.0  # whether the citizen has asked for secrecy meanwhile
HEADER, RATE = 44, 8000
MOST_BYTES = 2 * RATE * 10
SIDES = {"citizen": "-r.wav", "agent": "-t.wav"}
TALKING = frozenset({Phase.talk, Phase.room, Phase.held})


@dataclass(slots=True)
class _Side:
    """One leg of the segment that is being recorded; `at`: so far it is read, `begun`: since where it is heard."""

    path: Path
    at: int = HEADER
    begun: int = HEADER
    hearing: Hearing | None = None
    partial: str = ""


@dataclass(slots=True)
class _Follower:
    """A call that is listened to."""

    call_id: str
    language: str
    base: str = ""
    sides: dict[str, _Side] = field(default_factory=dict)
    not_before: float = 0.0
    asked_at: float = float("-inf")
    secret: bool = True
    busy: bool = False
    watch: Watch | None = None
    agent_id: str = ""  # whose phrases are watched, …
    since: int = 0  # … and since which segment

    @property
    def segment(self) -> int:
        """The number of the recording that is listened to."""
        number = self.base.rpartition("-")[2]
        return int(number) if number.isdigit() else 0


class Live:
    """See the module's text. `most` calls at once; 0: none at all."""

    def __init__(self, core: Core, spool: Path, recognizer: Recognizer, most: int) -> None:
        self._core, self._spool, self._recognizer, self._most = core, spool, recognizer, most
        self._followed: dict[str, _Follower] = {}

    async def run(self) -> None:
        """Until cancelled."""
        if self._most < 1:
            return
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Begin with what is talked now, go on with what is followed, and let go of what is over."""
        wanted = {call.call_id: call for call in self._core.telephony.calls.values() if self._wants(call)}
        for call_id in [one for one in self._followed if one not in wanted]:
            follower = self._followed.pop(call_id)
            if not follower.busy:
                self._core.spawn(asyncio.to_thread(_let_go, follower), f"live-end-{call_id}")
        for call_id, call in wanted.items():
            if call_id not in self._followed and len(self._followed) < self._most:
                self._followed[call_id] = _Follower(call_id, call.language)
        for call_id, follower in self._followed.items():
            if not follower.busy:
                follower.busy = True
                self._core.spawn(self._follow(wanted[call_id], follower), f"live-{call_id}")

    def _wants(self, call: Call) -> bool:
        return bool(
            call.ended_ms is None
            and call.talked
            and call.phase in TALKING
            and call.recording
            and call.agent_id
            and call.language in self._recognizer.languages
            and self._core.hub.pages(call.agent_id)
        )

    async def _follow(self, call: Call, follower: _Follower) -> None:
        now = asyncio.get_running_loop().time()
        try:
            if now < follower.not_before:
                return
            if now - follower.asked_at > ASK_AGAIN_S:
                told = await asyncio.to_thread(self._core.domain.call_for_machines, call.call_id, call.number)
                follower.secret, follower.asked_at = told.confidential, now
            await self._watch(call, follower)
            hush = follower.secret or call.pause is not None
            base = Path(call.recording).name
            told_words = await asyncio.to_thread(self._listen, follower, base, hush)
            # What was paused, or asked for secrecy, while it was being listened to is not told either.
            if call.pause is None and self._followed.get(call.call_id) is follower:
                agent_id = call.agent_id
                for words in told_words:
                    self._core.hub.to_agent(agent_id, "call.words", {"call_id": call.call_id, **words})
                for hint in _hints(follower, told_words, hush) if agent_id == follower.agent_id else ():
                    self._core.hub.to_pages(agent_id, "call.hint", {"call_id": call.call_id, **hint_json(hint)})
            elif follower.watch is not None:
                follower.watch.deaf(follower.segment, _ms(follower.sides.get("agent")))
        except NotHeard as why:
            follower.not_before = now + REST_S
            log.info("a talk is not listened to for a while", call=call.call_id, why=why.trouble.value)
        except HotlineError:
            follower.not_before = now + REST_S  # the database is busy: without an answer nothing is listened to
        finally:
            follower.busy = False
            if self._followed.get(call.call_id) is not follower:
                await asyncio.to_thread(_let_go, follower)

    async def _watch(self, call: Call, follower: _Follower) -> None:
        """Have the phrases of whoever has the call now watched; what another one said is nobody else's to know."""
        if follower.watch is None or follower.agent_id != call.agent_id:
            phrases = await asyncio.to_thread(self._core.domain.phrases, follower.language)
            greets = not (call.outbound or call.begun_by_us)
            follower.watch = Watch(phrases, FAREWELLS.get(follower.language, ()), greets=greets)
            follower.agent_id, follower.since = call.agent_id, call.segment

    def _listen(self, follower: _Follower, base: str, hush: bool) -> list[dict[str, Any]]:
        """Go on with what the files hold by now. On a thread; raises NotHeard."""
        told: list[dict[str, Any]] = []
        if follower.base != base:
            told += _finished(follower)
            follower.base = base
            follower.sides = {side: _Side(self._spool / f"{base}{end}") for side, end in SIDES.items()}
        try:
            for name, side in follower.sides.items():
                sound = _read(side)
                if hush:
                    _drop(side)
                elif len(sound):
                    if side.hearing is None:
                        side.begun = side.at - 2 * len(sound)
                        side.hearing = self._recognizer.open(RATE, follower.language)
                    told += _told(follower, name, side, side.hearing.feed(sound))
        except NotHeard:
            for side in follower.sides.values():
                side.hearing = None
            raise
        return told


def _read(side: _Side) -> np.ndarray:
    """What has been added to the file, as much as is heard at once."""
    try:
        with side.path.open("rb") as file:
            file.seek(side.at)
            data = file.read(MOST_BYTES)
    except OSError:
        return np.zeros(0, np.int16)
    data = data[: len(data) // 2 * 2]
    side.at += len(data)
    return np.frombuffer(data, "<i2")


def _told(follower: _Follower, name: str, side: _Side, heard: SoFar) -> list[dict[str, Any]]:
    base_ms = (side.begun - HEADER) * 1000 // (2 * RATE)
    place = {"side": name, "segment": follower.segment}
    told = [{**place, "start_ms": base_ms + one.start_ms, "text": one.text, "final": True} for one in heard.said]
    if heard.partial != side.partial or (told and heard.partial):
        told.append({**place, "start_ms": _ms(side), "text": heard.partial, "final": False})
    side.partial = heard.partial
    return told


def _finished(follower: _Follower) -> list[dict[str, Any]]:
    """The last words of a segment that is over."""
    told: list[dict[str, Any]] = []
    for name, side in follower.sides.items():
        if side.hearing is not None:
            hearing, side.hearing = side.hearing, None
            told += _told(follower, name, side, hearing.finish())
    return told


def _hints(follower: _Follower, told_words: list[dict[str, Any]], hush: bool) -> list[Hint]:
    """What is to be told of these words, and of how far the agent's side has been listened to."""
    watch, at_ms = follower.watch, _ms(follower.sides.get("agent"))
    if watch is None:
        return []
    hints = [hint for words in told_words if words["segment"] >= follower.since for hint in watch.words(**words)]
    if hush:
        watch.deaf(follower.segment, at_ms)
        return hints
    return [*hints, *watch.reached(follower.segment, at_ms)]


def _ms(side: _Side | None) -> int:
    return 0 if side is None else (side.at - HEADER) * 1000 // (2 * RATE)


def _drop(side: _Side) -> None:
    if side.hearing is not None:
        hearing, side.hearing, side.partial = side.hearing, None, ""
        hearing.drop()


def _let_go(follower: _Follower) -> None:
    for side in follower.sides.values():
        _drop(side)
