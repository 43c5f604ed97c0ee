"""What is being said reaches the agent's page while it is said, and nobody else; on a played Asterisk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.phrases.live import Watch
from app.phrases.model import spoken_in
from app.phrases.shipped import SHIPPED
from app.speech.model import HeardWord, Samples, Utterance
from app.speech.recognizer import Hearing, NotHeard, SoFar, Trouble
from cti_bridge import live
from tests.bridge_kit.rig import Rig
from tests.bridge_kit.talking import Talk, listens, talk, told

RATE = 8000


@dataclass
class Ears:
    """Hears a word for each second that is fed to it: the loudness of that second."""

    languages: Sequence[str] = ("zh",)
    trouble: Trouble | None = None
    open_now: int = 0
    heard: list[int] = field(default_factory=list)
    words: dict[int, str] = field(default_factory=dict)  # what a loudness says instead

    def open(self, rate: int, language: str, grammar: Sequence[str] = ()) -> Hearing:
        if self.trouble:
            raise NotHeard(self.trouble)
        self.open_now += 1
        return _Hearing(self)

    def close(self) -> None:
        pass


@dataclass
class _Hearing:
    ears: Ears
    fed: int = 0

    def feed(self, samples: Samples) -> SoFar:
        if self.ears.trouble:
            raise NotHeard(self.ears.trouble)
        said = []
        for second in np.split(samples, range(RATE, len(samples), RATE)):
            self.ears.heard.append(int(second[0]))
            start = self.fed * 1000 // RATE
            said.append(
                Utterance((HeardWord(self.ears.words.get(int(second[0]), str(second[0])), start, start + 900, 0.9),))
            )
            self.fed += len(second)
        return SoFar(tuple(said), "还在说")

    def finish(self) -> SoFar:
        self.ears.open_now -= 1
        return SoFar()

    def drop(self) -> None:
        self.ears.open_now -= 1


@dataclass
class Scene:
    """A talk that is recorded; `says` is what Asterisk writes next."""

    rig: Rig
    ears: Ears
    talk: Talk
    page: Any

    def leg(self, side: str) -> Path:
        base = Path(self.talk.call.recording).name
        return self.rig.settings.paths.record_spool / f"{base}{live.SIDES[side]}"

    def says(self, side: str, loudness: int) -> None:
        path = self.leg(side)
        with path.open("ab") as file:
            if not file.tell():
                file.write(b"\0" * live.HEADER)
            file.write(np.full(RATE, loudness, np.int16).tobytes())

    def words(self) -> list[tuple[str, str, int]]:
        return [(one["side"], one["text"], one["start_ms"]) for one in told(self.page, "call.words") if one["final"]]

    async def passed_over(self, side: str) -> None:
        """What is in the file has been read, by nobody's ears."""

        def read() -> bool:
            assert self.rig.bridge.live is not None
            follower = self.rig.bridge.live._followed.get(self.talk.call_id)
            known = follower.sides.get(side) if follower else None
            return known is not None and known.at == self.leg(side).stat().st_size and self.ears.open_now == 0

        await self.rig.until(read, "nobody listening")

    async def until(self, *wanted: tuple[str, str, int]) -> None:
        await self.rig.until(lambda: self.words() == list(wanted), f"{wanted} on the page")


async def scene(home: Path, most: int = 1, **settings: Any) -> Scene:
    rig, ears = Rig(home, speech_live=most, **settings), Ears()
    rig.ears = ears
    await rig.start()
    one = await talk(rig)
    return Scene(rig, ears, one, listens(rig))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_S", 0.02)
    monkeypatch.setattr(live, "ASK_AGAIN_S", 0.0)
    monkeypatch.setattr(live, "REST_S", 0.05)


async def test_each_side_is_followed_while_it_talks_and_a_pause_is_not_heard(tmp_path: Path) -> None:
    one = await scene(tmp_path / "home")
    one.says("citizen", 11)
    one.says("agent", 22)
    await one.until(("citizen", "11", 0), ("agent", "22", 0))
    unfinished = told(one.page, "call.words")[-1]
    assert (unfinished["text"], unfinished["final"], unfinished["call_id"]) == ("还在说", False, one.talk.call_id)
    await one.rig.bridge.control.pause("1001", None, 60)
    one.says("citizen", 99)
    await one.passed_over("citizen")
    await one.rig.bridge.control.pause_end("1001", None)
    one.says("citizen", 12)
    await one.until(("citizen", "11", 0), ("agent", "22", 0), ("citizen", "12", 2000))
    assert 99 not in one.ears.heard
    one.rig.asterisk.hangs_up(one.talk.call_id)
    await one.rig.until(lambda: one.ears.open_now == 0, "the end of listening")
    await one.rig.stop()


async def test_secrecy_trouble_and_too_many_cost_words_alone(tmp_path: Path) -> None:
    one = await scene(tmp_path / "home")
    one.rig.domain.secret_calls.add(one.talk.call_id)
    one.says("citizen", 99)
    await one.passed_over("citizen")
    one.rig.domain.secret_calls.clear()
    one.ears.trouble = Trouble.died
    one.says("citizen", 98)
    one.ears.trouble = None
    one.says("citizen", 13)
    await one.rig.until(lambda: ("citizen", "13", 2000) in one.words(), "words again")
    assert 99 not in one.ears.heard
    live_ = one.rig.bridge.live
    assert live_ is not None
    live_._most = 0
    live_._followed.clear()
    before = len(one.ears.heard)
    one.says("citizen", 14)
    live_.look()
    assert live_._followed == {}
    assert len(one.ears.heard) == before
    await one.rig.stop()


@dataclass
class Outside:
    """An outside system that follows agent 1001."""

    events: list[str] = field(default_factory=list)

    def reaches(self, agent_id: str) -> bool:
        return agent_id == "1001"

    def hear(self, agent_id: str, event: str, data: Any) -> None:
        self.events.append(event)


async def test_a_hint_about_the_own_words_reaches_their_agent_and_nobody_else(tmp_path: Path) -> None:
    one = await scene(tmp_path / "home")
    outside, others = Outside(), [listens(one.rig, "1002"), listens(one.rig, "1003", board=True)]
    one.rig.bridge.hub.tap(outside)
    one.ears.words = {31: "再说一遍", 32: "您好"}

    async def hinted(*wanted: tuple[str, str]) -> None:
        def hints() -> list[tuple[str, str]]:
            return [(hint["code"], hint["told"]) for hint in told(one.page, "call.hint")]

        await one.rig.until(lambda: hints() == list(wanted), f"{wanted}, not {hints()}")

    one.says("citizen", 31)
    one.says("agent", 31)
    await hinted(("say_again", "said"))
    for _ in range(12):
        one.says("agent", 40)
    await hinted(("say_again", "said"), ("greeting", "missing"))
    one.says("agent", 32)
    await hinted(("say_again", "said"), ("greeting", "missing"), ("greeting", "heard"))
    first = told(one.page, "call.hint")[0]
    assert (first["call_id"], first["at_ms"], first["name"][0]) == (one.talk.call_id, 0, "再说一遍")
    assert [told(page, "call.hint") for page in others] == [[], []]
    assert ("call.words" in outside.events, "call.hint" in outside.events) == (True, False)
    await one.rig.stop()


def test_what_an_agent_said_before_a_transfer_is_not_held_against_the_next_one() -> None:
    watch = Watch(spoken_in(SHIPPED, "zh"), (), greets=True)
    follower = live._Follower("c", "zh", base="c-2", watch=watch, agent_id="1002", since=2)
    words = {"side": "agent", "start_ms": 0, "text": "再说一遍", "final": True}
    assert live._hints(follower, [{**words, "segment": 1}], False) == []
    assert [hint.phrase.code for hint in live._hints(follower, [{**words, "segment": 2}], False)] == ["say_again"]
