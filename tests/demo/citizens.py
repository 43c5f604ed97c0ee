"""Citizens who call: each is a thread with a telephone line, a language, a reason and some patience."""

from __future__ import annotations

import json
import random
import threading
from pathlib import Path

from app.demo.files import wishes_folder
from ivr.prompts import PromptSettings, speak_text
from tests.demo.board import Board
from tests.demo.people import LANGUAGE_KEY, MATTERS, Matter, citizen_number, matter_for
from tests.peers.agi import HungUp
from tests.peers.network import Line, PublicNetwork

LANGUAGE_ZH = {"zh": "普通话", "yue": "粤语", "en": "英语"}
LANGUAGE_EN = {"zh": "Mandarin", "yue": "Cantonese", "en": "English"}


def speak_all(settings: PromptSettings) -> dict[str, Path]:
    """Sound files for every citizen's words, made once and cached with the prompts."""
    return {matter.spoken: speak_text(matter.spoken, matter.language, settings) for matter in MATTERS}


class Citizens:
    """Places calls at random moments, at most `at_once` in the air, plus those wished for on the page."""

    def __init__(
        self, network: PublicNetwork, board: Board, speech: dict[str, Path], run: Path, *, at_once: int, seed: int = 1
    ) -> None:
        self._network, self._board, self._speech = network, board, speech
        self._wishes = wishes_folder(run)
        self._at_once = at_once
        self._chance = random.Random(seed)
        self._calls: set[threading.Thread] = set()
        self._stop = threading.Event()

    def run(self, *, pause_s: tuple[float, float] = (2.0, 7.0)) -> None:
        """Until `stop()`: citizens call, one after a pause of so many seconds after the other."""
        rest = 0.5
        while not self._stop.wait(0.2):
            self._grant_wishes()
            rest -= 0.2
            if rest <= 0:
                rest = self._chance.uniform(*pause_s)
                self._calls = {call for call in self._calls if call.is_alive()}
                if len(self._calls) < self._at_once:
                    self._begin(citizen_number(self._chance), matter_for(self._chance))

    def stop(self) -> None:
        """No more calls."""
        self._stop.set()

    def _grant_wishes(self) -> None:
        for wish in sorted(self._wishes.glob("*.json")) if self._wishes.is_dir() else []:
            try:
                asked = json.loads(wish.read_text(encoding="utf-8"))
                wish.unlink()
            except (OSError, ValueError):
                continue
            self._begin(asked["number"], matter_for(self._chance, asked["language"]))

    def _begin(self, number: str, matter: Matter) -> None:
        call = threading.Thread(target=self._call, args=(number, matter), name=f"citizen-{number}", daemon=True)
        self._calls.add(call)
        call.start()

    def _call(self, number: str, matter: Matter) -> None:
        line = self._network.call(number)
        ident = line.ident
        tell = self._board.citizen
        tell(ident, number, matter.language, "calling")
        self._board.event(
            f"{number} 拨打 12345（{LANGUAGE_ZH[matter.language]}）：{matter.title}",
            f"{number} dials 12345 ({LANGUAGE_EN[matter.language]})",
        )
        try:
            line.wait_answered(15)
            tell(ident, number, matter.language, "menu")
            line.wait(self._chance.uniform(2, 4))
            line.press(LANGUAGE_KEY[matter.language])
            line.wait(self._chance.uniform(1.5, 3))
            line.press("0")
            tell(ident, number, matter.language, "waiting")
            self._talk(line, matter, number)
        except (HungUp, AssertionError, TimeoutError):
            pass
        finally:
            if not line.ended.is_set():
                line.hang_up()
            tell(ident, number, matter.language, None)

    def _talk(self, line: Line, matter: Matter, number: str) -> None:
        # A citizen does not know when an agent is there; speaking into the music, as people do, harms nobody.
        for _ in range(self._chance.randint(3, 6)):
            line.wait(self._chance.uniform(3, 6))
            line.play(self._speech[matter.spoken])
        self._board.citizen(line.ident, number, matter.language, "talking")
        line.wait(self._chance.uniform(2, 8))
