"""One short call for every way out of every node of the shipped flow: what the caller presses, question by question.

`tests/calls/test_self_service.py` makes these calls; `tests/unit/test_flow_ways.py` plays them without a telephone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from agi_scripts import voice_menu as voice_menu_script
from agi_scripts.guarded import Guarded
from agi_scripts.memory_services import MemoryServices
from agi_scripts.safe_agi import SafeAgi
from agi_scripts.services import Announcement, AnswerTitle, CaseProgress, CaseResult, SpokenAnswer, UnitLine
from ivr import audio
from ivr.edges import Edge, begun, edges, taken
from ivr.interpreter import Ask, Facts, Finish, Input, Say, State
from ivr.model import Flow, Menu, Number, exits
from ivr.walks import Place, Walks

WRONG = "#"
"""At a menu no key of it, at a number no number."""
MOBILE, LANDLINE, TROUBLE, ASKED, ELDERLY = "138", "0215", "199", "137", "136"
"""How the numbers of callers begin: LANDLINE gets no SMS, the domain fails for TROUBLE, ASKED has one to answer."""
DAY = "20261124"
(
    NEW,
    LOCKED,
    SETTLED,
    OTHERS,
    BROKEN,
    LONG,
    FRESH,
    RATED,
    REFUSED,
    REOPENED,
    NO_RESULT,
    SECRET,
    GONE,
    UNREAD,
    FAILS,
) = (f"{DAY}000{n}" for n in range(301, 316))
"""Cases: by what is told of them. FAILS: its progress is told, and then the domain answers no more."""
CODE = "04204204"
TOLD = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
SURGE = "城南停水，抢修人员已经到场。"
WATER, STORE = "停水怎么查询", "请您先储水。"
LONG_TEXT = "计划停水由供水公司提前二十四小时公布，请提前储水，关好水龙头。" * 8
NEVER = frozenset({("announcements", "otherwise")})
"""Who cannot be told of announcements is told that there are none (agi_scripts/guarded.py)."""
BEGINNING = int(2.2 * audio.RATE)


def written(digits: str) -> str:
    """A case number as it is written."""
    return f"{digits[:8]}-{digits[8:]}"


class WayServices(MemoryServices):
    """A domain in which every outcome of every lookup can be had."""

    def fill(self) -> None:
        """What all callers find."""
        self.announced = {"yue": [Announcement("7", text=SURGE)]}
        both = ("zh", "en")
        self.answers = {
            "101": [SpokenAnswer("101", WATER, STORE, "", code) for code in both],
            "102": [SpokenAnswer("102", WATER, STORE, LONG_TEXT, "zh")],
            "103": [SpokenAnswer("103", WATER, LONG_TEXT, "", code) for code in both],
            **{code: [SpokenAnswer(code, WATER, STORE, "", "zh")] for code in ("104", "105", "106", "108")},
        }
        self.topics = {"notice": ["101", "104"]}
        self.units = {
            "12": UnitLine("市水务局", "02155551234", True, ((540, 720),)),
            "14": UnitLine("市水务局", "", False, ((540, 720),)),
            "15": UnitLine("市水务局", "02155551234", False, ((540, 720),)),
        }
        self.codes = {written(OTHERS): CODE}
        self.cases = {(written(OTHERS), "13911112222"): CaseProgress(written(OTHERS), "closed", TOLD, settled=True)}
        self.results = {
            written(case): CaseResult("您反映的路灯问题已经修好，感谢您的来电。")
            for case in (SETTLED, OTHERS, GONE, UNREAD)
        } | {written(LONG): CaseResult(LONG_TEXT), written(SECRET): CaseResult(withheld=True)}
        self.ratings.append((written(RATED), 1))
        self.reopened.append(written(REOPENED))
        self.once: set[tuple[str, ...]] = set()

    def know(self, number: str) -> None:
        """What this caller finds."""
        settled = (SETTLED, LONG, FRESH, RATED, REFUSED, REOPENED, NO_RESULT, SECRET, GONE, UNREAD, FAILS)
        for case in settled:
            self.cases[written(case), number] = CaseProgress(written(case), "closed", TOLD, settled=True)
        self.cases[written(NEW), number] = CaseProgress(written(NEW), "handling", TOLD)
        self.cases[written(LOCKED), number] = CaseProgress("", "", locked=True)
        if number.startswith(ASKED):
            self.asked_by_sms.add(number)
        if number.startswith(ELDERLY):
            self.flags[number] = frozenset({"elderly"})

    def case_progress(self, case_number: str, caller_number: str, code: str = "") -> CaseProgress | None:
        if case_number == written(BROKEN):
            raise RuntimeError("database is locked")
        return super().case_progress(case_number, caller_number, code)

    def case_result(self, case_number: str, caller_number: str, code: str = "") -> CaseResult | None:
        if case_number == written(FAILS):
            raise RuntimeError("database is locked")
        if case_number in (written(GONE), written(UNREAD)) and not self._first(caller_number, case_number):
            if case_number == written(GONE):
                return None
            raise RuntimeError("database is locked")
        return super().case_result(case_number, caller_number, code)

    def rate_case(self, case_number: str, caller_number: str, code: str, level: int, call_id: str) -> str:
        if case_number == written(FAILS):
            raise RuntimeError("database is locked")
        if case_number == written(REFUSED):
            return "refused"
        return super().rate_case(case_number, caller_number, code, level, call_id)

    def reopen_case(self, case_number: str, caller_number: str, code: str, call_id: str) -> str:
        if case_number == written(FAILS):
            raise RuntimeError("database is locked")
        if case_number == written(REFUSED):
            return "refused"
        return super().reopen_case(case_number, caller_number, code, call_id)

    def rate_call(self, caller_number: str, level: int) -> bool:
        if caller_number.startswith(TROUBLE):
            raise RuntimeError("database is locked")
        return super().rate_call(caller_number, level)

    def answers_of_topic(self, topic: str, languages: Sequence[str]) -> Sequence[AnswerTitle]:
        if topic == "policy":
            raise RuntimeError("database is locked")
        if topic == "service":
            return [AnswerTitle(code, WATER, languages[0]) for code in ("107", "108")]
        return super().answers_of_topic(topic, languages)

    def answer(self, code: str, languages: Sequence[str]) -> SpokenAnswer | None:
        if code == "107":
            raise RuntimeError("database is locked")
        if code in ("105", "106") and not self._first(code):
            if code == "105":
                return None
            raise RuntimeError("database is locked")
        return super().answer(code, languages)

    def send_answer(self, code: str, language: str, call_id: str, number: str) -> str:
        if number.startswith(TROUBLE):
            raise RuntimeError("database is locked")
        return super().send_answer(code, language, call_id, number)

    def unit(self, code: str) -> UnitLine | None:
        if code == "16":
            raise RuntimeError("database is locked")
        return super().unit(code)

    def _first(self, *of: str) -> bool:
        new = of not in self.once
        self.once.add(of)
        return new


@dataclass(frozen=True)
class Way:
    """What a caller presses, one after each question ("" is silence), to take `edge` at last."""

    edge: Edge
    answers: tuple[str, ...] = ()
    open: bool = True
    caller: str = MOBILE


CASE, ANSWER, UNIT = ("1", "2"), ("1", "4", "2"), ("1", "5")
WAY_TO: dict[str, tuple[str, ...]] = {
    "welcome": (),
    "main": ("1",),
    "case_number": CASE,
    "case_told": (*CASE, f"{NEW}#"),
    "case_settled": (*CASE, f"{SETTLED}#"),
    "case_not_found": (*CASE, f"{OTHERS}#"),
    "case_code": (*CASE, f"{OTHERS}#", "3"),
    "case_locked": (*CASE, f"{LOCKED}#"),
    "case_unavailable": (*CASE, f"{BROKEN}#"),
    "result_foreign": ("3", "2", f"{SETTLED}#", "3"),
    "result_more": (*CASE, f"{LONG}#", "3"),
    "result_end": (*CASE, f"{SETTLED}#", "3"),
    "case_rate": (*CASE, f"{SETTLED}#", "4"),
    "case_reopen": (*CASE, f"{SETTLED}#", "5"),
    "case_after": (*CASE, f"{NO_RESULT}#", "3"),
    "answers": ("1", "4"),
    "topics": ("1", "4", "1"),
    "topic_choice": ("1", "4", "1", "4"),
    "topic_none": ("1", "4", "1", "2"),
    "answer_number": ANSWER,
    "answer_foreign": ("3", "4", "2", "104#"),
    "answer_gone": (*ANSWER, "999#"),
    "reading_more": (*ANSWER, "103#"),
    "reading_end": (*ANSWER, "101#"),
    "sms_consent": (*ANSWER, "101#", "5"),
    "after_sms": (*ANSWER, "101#", "5", "2"),
    "unit_code": UNIT,
    "unit_open": (*UNIT, "12#"),
    "unit_closed": (*UNIT, "14#"),
    "unit_unknown": (*UNIT, "99#"),
    "call_rate": ("1", "6"),
    "call_rate_after": ("1", "6", "1"),
    "emergency": ("1", "9"),
    **{f"confirm_{number}": ("1", "9", number) for number in ("110", "119", "120", "122")},
    "closed": ("1",),
}
"""How each question is come to."""
BEHIND = {
    "case_code": (f"{CODE}#",),
    "case_number": (f"{SETTLED}#",),
    "answer_number": ("101#",),
    "unit_code": ("12#",),
}
"""What is a number there."""
LOOKUPS: tuple[Way, ...] = (
    Way(("case_result", "withheld"), (*CASE, f"{SECRET}#", "3")),
    Way(("case_result", "otherwise"), (*CASE, f"{FAILS}#", "3")),
    Way(("read_result", "gone"), (*CASE, f"{GONE}#", "3")),
    Way(("read_result", "otherwise"), (*CASE, f"{UNREAD}#", "3")),
    Way(("case_rated", "kept"), (*CASE, f"{FRESH}#", "4", "1")),
    Way(("case_rated", "kept_before"), (*CASE, f"{RATED}#", "4", "1")),
    Way(("case_rated", "refused"), (*CASE, f"{REFUSED}#", "4", "1")),
    Way(("case_rated", "otherwise"), (*CASE, f"{FAILS}#", "4", "1")),
    Way(("case_reopened", "reopened"), (*CASE, f"{FRESH}#", "5", "1")),
    Way(("case_reopened", "too_late"), (*CASE, f"{REOPENED}#", "5", "1")),
    Way(("case_reopened", "refused"), (*CASE, f"{REFUSED}#", "5", "1")),
    Way(("case_reopened", "otherwise"), (*CASE, f"{FAILS}#", "5", "1")),
    Way(("topic_answers", "otherwise"), ("1", "4", "1", "1")),
    Way(("answer_chosen", "other_language"), ("3", "4", "1", "3", "2")),
    Way(("answer_chosen", "otherwise"), ("1", "4", "1", "3", "1")),
    Way(("answer_numbered", "otherwise"), (*ANSWER, "107#")),
    Way(("read", "gone"), (*ANSWER, "105#")),
    Way(("read", "otherwise"), (*ANSWER, "106#")),
    Way(("sms", "sent"), (*ANSWER, "101#", "5", "1")),
    Way(("sms", "sent_before"), (*ANSWER, "101#", "5", "1", "2", "5", "1")),
    Way(("sms", "impossible"), (*ANSWER, "101#", "5", "1"), caller=LANDLINE),
    Way(("sms", "otherwise"), (*ANSWER, "101#", "5", "1"), caller=TROUBLE),
    Way(("unit", "duty"), (*UNIT, "15#")),
    Way(("unit", "otherwise"), (*UNIT, "16#")),
    Way(("call_rated", "kept"), ("1", "6", "1"), caller=ASKED),
    Way(("call_rated", "otherwise"), ("1", "6", "1"), caller=TROUBLE),
    Way(("announcements", "some"), ("2",)),
    Way(("elderly_open", "open"), caller=ELDERLY),
    Way(("elderly_open", "not open"), caller=ELDERLY, open=False),
    Way(("person", "not open"), ("0",), open=False),
    Way(("unclear_open", "not open"), ("9", "0"), open=False),
)
"""What questions alone don't lead to: answers of lookups, facts about the call."""


def ways(flow: Flow) -> list[Way]:
    """A call for each edge that begins at a question, and those of LOOKUPS; the others are passed on the way."""
    found = list(LOOKUPS)
    for node in flow.nodes.values():
        if isinstance(node, Menu | Number):
            before, opened = WAY_TO[node.id], node.id != "closed"
            for why, _ in exits(node):
                found.append(Way((node.id, why), (*before, *_last(flow, node, why)), opened))
    return found


def _last(flow: Flow, node: Menu | Number, why: str) -> tuple[str, ...]:
    if why == "silence":
        return ("",)
    if why == "tries exhausted":
        return (WRONG,) * flow.tries
    return BEHIND[node.id] if why == "number given" else (why.removeprefix("key "),)


def unwalked(flow: Flow, walked: set[Edge]) -> frozenset[Edge]:
    """The edges that nobody has taken and that somebody could."""
    return edges(flow) - walked - NEVER


@dataclass
class Walked:
    """One call's walk as the interpreter saw it. `asked` counts the questions, and the end as the last one."""

    edges: list[Edge] = field(default_factory=list)
    asked: int = 0
    noted: int = 0
    """As `asked`, before Asterisk has been told to ask: a key that is pressed then is lost."""
    place: Place | None = None
    beginning: npt.NDArray[np.int16] | None = None
    """The sound with which the latest question, or the last sentence, should begin."""
    _state: State | None = None

    @property
    def over(self) -> bool:
        """Whether the menu has ended."""
        return self.place is not None and isinstance(self.place.actions[-1], Finish)


class Trace:
    """What the interpreter did on each call of a voice process that lives in the test's own process."""

    def __init__(self, flow: Flow, folder: Any) -> None:
        self.flow, self.prompts = flow, folder
        self.by_number: dict[str, Walked] = {}
        self.news = threading.Condition()
        self._here = threading.local()

    def script(self, agi: SafeAgi, services: Guarded) -> None:
        """In the place of the script `voice_menu`."""
        self._here.number = agi.number
        voice_menu_script.voice_menu(agi, services)

    def installed(self, monkeypatch: Any) -> Trace:
        """Listens at every walk from now on."""
        begin, step, send = Walks.begin, Walks.step, SafeAgi._send

        def seen_begin(walks: Walks, facts: Facts) -> Place:
            place = begin(walks, facts)
            self._note(begun(self.flow, place.state), place)
            return place

        def seen_step(walks: Walks, place: Place, given: Input) -> Place:
            after = step(walks, place, given)
            self._note(taken(self.flow, place.state, given, after.state), after)
            return after

        def seen_send(agi: SafeAgi, line: bytes) -> None:
            send(agi, line)
            if line.startswith((b"GET DATA", b"WAIT FOR DIGIT")):
                walked = self.of(getattr(self._here, "number", ""))
                with self.news:
                    walked.asked = walked.noted
                    self.news.notify_all()

        monkeypatch.setattr(SafeAgi, "_send", seen_send)
        monkeypatch.setattr(Walks, "begin", seen_begin)
        monkeypatch.setattr(Walks, "step", seen_step)
        return self

    def of(self, number: str) -> Walked:
        """The walk of that caller."""
        with self.news:
            return self.by_number.setdefault(number, Walked())

    def wait_asked(self, number: str, count: int, timeout: float) -> Walked:
        """Until so many questions were put to them, or the menu is over."""
        walked = self.of(number)
        with self.news:
            if not self.news.wait_for(lambda: walked.asked >= count or walked.over, timeout):
                node = walked.place.state.node if walked.place else None
                raise AssertionError(f"{number}: not asked {count} times within {timeout:g} s, is at {node}")
        return walked

    def edges(self) -> set[Edge]:
        """Every edge that anybody has taken."""
        with self.news:
            return {edge for walked in self.by_number.values() for edge in walked.edges}

    def _note(self, taken: list[Edge], place: Place) -> None:
        walked = self.of(getattr(self._here, "number", ""))
        last = place.actions[-1]
        sounds = next((one for one in place.actions if isinstance(one, Ask | Say) and one.prompts), None)
        whole = isinstance(last, Finish) or (isinstance(last, Ask) and bool(last.prompts))
        beginning = self._beginning(sounds) if whole else None
        with self.news:
            walked.edges += taken
            walked.place = place
            if whole:
                walked.noted += 1
                walked.beginning = beginning
            if isinstance(last, Finish):
                walked.asked = walked.noted
                self.news.notify_all()

    def _beginning(self, said: Ask | Say | None) -> npt.NDArray[np.int16] | None:
        """Read now: what is made for one caller is gone when they have heard it."""
        for prompt in said.prompts if said else ():
            code, _, name = prompt.rpartition(":")
            file = f"{prompt}.wav" if prompt.startswith("/") else self.prompts / (code or said.language) / f"{name}.wav"  # type: ignore[union-attr]
            try:
                return audio.read(file)[:BEGINNING]
            except audio.AudioError:
                continue
        return None


def numbered(todo: Sequence[Way], begin: int = 0) -> Iterator[tuple[Way, str]]:
    """Each with a number of its own, which says what kind of caller it is."""
    for at, way in enumerate(todo, begin):
        yield way, f"{way.caller}{at:0{11 - len(way.caller)}d}"
