"""Show 1: self-service on real calls, in three languages through every path of the shipped flow.

What a caller hears is compared, as sound, with what should be said there. Each call walks many nodes, and they all call
at once; a caller who has heard the beginning of a sentence goes on, as people do who know the menu.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from agi_scripts.scripts import SCRIPTS
from agi_scripts.services import CaseProgress, CaseResult, SpokenAnswer, UnitLine
from ivr import flow as flow_module
from ivr.edges import Edge
from ivr.model import Menu, Number
from ivr.parts import parts
from ivr.prompts import speak_text
from tests.calls.flow_ways import SURGE, Trace, Way, WayServices, numbered, unwalked, ways
from tests.calls.voice_world import Voice, build_real_prompts, likeness, wait_heard
from tests.peers import audio
from tests.peers.fixtures import Exchange
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork
from tests.peers.waiting import wait_until

LANGUAGES = ("zh", "yue", "en")
LOCKED, NEW = "20261124000125", "20261124000126"
OWN = {"zh": "20261124000131", "yue": "20261124000132", "en": "20261124000133"}
OTHERS = {"zh": "20261124000141", "yue": "20261124000142", "en": "20261124000143"}
CODE = "04204204"
BEGINNING_S = 2.2
"""So much of a sentence is compared: the caller's next key cuts the rest."""
ALIKE = 0.6
"""Of a beginning, on a line that is one of thirty: what is not it has half of that at most."""
LOOK_S = 0.5
AT_ONCE, WAYS_AT_ONCE = 33, 30
LISTEN_S = 3.2
"""So long a caller stays when they have come where they wanted to, so that a beginning can be compared."""
WATER = {"zh": "停水怎么查询", "en": "Planned water cuts"}
STORE = {"zh": "请您先储水。", "en": "Please store some water first."}
LONG = {
    "zh": "计划停水由供水公司提前二十四小时公布，请提前储水，关好水龙头。" * 170,
    "en": "Planned water cuts are announced a day before by the water company. " * 75,
}
RESULT = "您反映的路灯问题已经修好，感谢您的来电。"
CITY = "市水务局"


NIGHT = tuple((f"1380013820{at}", code) for at, code in enumerate(LANGUAGES))
"""Who calls while nobody is at work."""


@dataclass(frozen=True)
class Text:
    """A text that is in no catalogue, in the voice of that language."""

    language: str
    text: str


@dataclass(frozen=True)
class Step:
    """Keys, and then what is heard, in this order: names of prompts, or texts."""

    keys: str
    hears: tuple[str | Text, ...]


Walk = tuple[Step, ...]


def walks(code: str) -> dict[str, tuple[Walk, str]]:
    """By the end of its path, each way through the flow for callers of that language."""
    texts = "en" if code == "en" else "zh"
    result: str | Text = Text("zh" if code == "en" else code, RESULT)
    language = Step({"zh": "1", "yue": "2", "en": "3"}[code], ("main_menu",))
    case, answers, unit = Step("2", ("case_number_ask",)), Step("4", ("answers_menu",)), Step("5", ("unit_ask",))
    foreign = (Step("3", ("result_foreign",)), Step("1", (result, "result_end_menu")))
    told = foreign if code == "en" else (Step("3", (result, "result_end_menu")),)
    first, second = (Text(code, one) for one in parts(LONG[texts])[:2])
    return {
        "case_rate>case_rated>case_after>queue": (
            (language, case, Step(f"{OWN[code]}#", ("case_is", "state_closed", "settled_menu")),
             Step("4", ("rate_ask",)), Step("2", ("survey_thanks", "case_after_menu")),
             Step("0", ("to_a_person",))), ""),
        "case_result>" + "result_foreign>" * (code == "en") + "read_result>result_end>queue": (
            (language, case, Step(f"{OWN[code]}#", ("case_is", "state_closed")), *told,
             Step("0", ("to_a_person",))), ""),
        "case_not_found>case_code>case_progress>case_settled>case_reopen>case_reopened>case_after>queue": (
            (language, case, Step(f"{OTHERS[code]}#", ("case_not_found", "not_found_menu")),
             Step("3", ("case_code_ask",)), Step(f"{CODE}#", ("state_closed",)),
             Step("5", ("reopen_confirm",)),
             Step("1", ("reopen_done", "case_after_menu")), Step("0", ("to_a_person",))), ""),
        "case_progress>case_told>case_progress>case_told>queue": (
            (language, case, Step(f"{NEW}#", ("state_handling", "progress_menu")), Step("1", ("case_is",)),
             Step("0", ("to_a_person",))), ""),
        "case_progress>case_locked>queue": (
            (language, case, Step("123#", ("case_number_wrong",)),
             Step(f"{LOCKED}#", ("case_locked", "to_a_person"))), ""),
        "reading_end>sms_consent>sms>after_sms>queue": (
            (language, answers, Step("1", ("topics_menu",)), Step("3", ("topic_empty",)),
             Step("4", (Text(code, WATER[texts]), "press_1", "topic_choice_menu")),
             Step("1", (Text(code, STORE[texts]), "reading_end_menu")), Step("5", ("sms_consent",)),
             Step("1", ("sms_sent", "after_sms_menu")), Step("0", ("to_a_person",))), ""),
        "read>reading_more>read>reading_more>queue": (
            (language, answers, Step("2", ("answer_number_ask",)), Step("999#", ("answer_not_found",)),
             Step("2", ("answer_number_ask",)), Step("102#", (Text(code, WATER[texts]),)),
             Step("6", (first,)), Step("1", (second,)),
             Step("0", ("to_a_person",))), ""),
        "unit>unit_open>to_unit": (
            (language, unit, Step("12#", (Text(code if code != "en" else "zh", CITY), "unit_open_is", "unit_confirm")),
             Step("1", ("transferring",))), "02155551234"),
        "unit_closed>unit_code>unit>unit_unknown>queue": (
            (language, unit, Step("14#", ("unit_closed_is", "unit_hours")),
             Step("2", ("unit_ask",)), Step("99#", ("unit_unknown", "unit_again_menu")),
             Step("0", ("to_a_person",))), ""),
        "call_rate>call_rated>call_rate_after>queue": (
            (language, Step("6", ("survey_ask",)), Step("7", ("wrong_key",)),
             Step("1", ("survey_thanks", "call_rate_after")), Step("0", ("to_a_person",))), ""),
        "emergency>confirm_110>emergency>unclear_person": (
            (language, Step("9", ("emergency_menu",)), Step("110", ("emergency_confirm_110",)),
             Step("2", ("emergency_menu",)), Step("0", ("emergency_to_a_person",))), ""),
    }  # fmt: skip


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    pair = Exchange(tmp_path_factory.mktemp("x"))
    build_real_prompts(pair.hotline.settings.home)
    try:
        pair.start()
        yield pair
    finally:
        pair.stop()


@pytest.fixture(scope="module")
def walked() -> set[Edge]:
    """The edges of the flow that calls of this file have taken so far."""
    return set()


@pytest.fixture
def trace(
    asterisk_under_test: AsteriskUnderTest, monkeypatch: pytest.MonkeyPatch, walked: set[Edge]
) -> Iterator[Trace]:
    trace = Trace(flow_module.shipped(), asterisk_under_test.settings.paths.prompts).installed(monkeypatch)
    yield trace
    walked |= trace.edges()


@pytest.fixture
def voice(asterisk_under_test: AsteriskUnderTest, trace: Trace) -> Iterator[Voice]:
    scripts = {**SCRIPTS, "voice_menu": trace.script}
    with Voice(asterisk_under_test.settings, scripts=scripts).running() as voice:
        services = voice.services
        services.answers = {
            "101": [SpokenAnswer("101", WATER[code], STORE[code], "", code) for code in WATER],
            "102": [SpokenAnswer("102", WATER[code], STORE[code], LONG[code], code) for code in WATER],
        }
        services.topics = {"notice": ["101", "102"]}
        services.units = {
            "12": UnitLine(CITY, "02155551234", True, ((540, 720), (810, 1050))),
            "14": UnitLine(CITY, "", False, ((540, 720), (810, 1050))),
        }
        yield voice


class Caller:
    """One citizen on the line, who compares what is heard with what should be said."""

    def __init__(
        self, hotline: AsteriskUnderTest, network: PublicNetwork, voice: Voice, number: str, code: str
    ) -> None:
        self.hotline, self.voice, self.code = hotline, voice, code
        since = hotline.manager.mark()
        self.line = network.call(number).wait_answered(30)
        self.call = hotline.wait_call(number, since)["Call"]
        self.at = wait_heard(self.line.heard, self.beginning("greeting", "zh"), timeout=30)

    def walks(self, walk: Walk) -> None:
        """Presses the keys and hears everything that belongs to them."""
        for step in walk:
            self.at = self.line.heard_s()
            self.line.press(step.keys)
            for sound in step.hears:
                since = max(0.0, self.at - 0.2)
                heard = self.line.heard
                self.at = wait_heard(heard, self.beginning(sound), since, timeout=45, alike=ALIKE, every=LOOK_S)

    def beginning(self, sound: str | Text, code: str = "") -> Path:
        """The file of the beginning of what should be said."""
        if isinstance(sound, Text):
            whole = speak_text(sound.text, sound.language, self.voice.services.setup.prompts)
        else:
            whole = self.voice.prompt(code or self.code, sound)
        cut = self.voice.settings.home / "beginnings" / f"{self.code}-{whole.parent.name}-{whole.stem}.wav"
        if not cut.exists():
            cut.parent.mkdir(exist_ok=True)
            half = cut.with_suffix(f".{self.call}.wav")
            audio.write_samples(half, audio.read(whole)[: int(BEGINNING_S * audio.RATE)])
            half.replace(cut)
        return cut


@pytest.mark.timeout(240)
def test_self_service_in_three_languages_through_every_path(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    public_network.answers("02155551234", then=lambda unit: unit.tone(880))
    services, told = voice.services, datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    todo: list[tuple[str, str, Walk, str, str]] = []
    for code in LANGUAGES:
        for end, (walk, dials) in walks(code).items():
            number = f"138001381{len(todo):02d}"
            todo.append((number, code, walk, end, dials))
            own = written(OWN[code])
            services.cases[own, number] = CaseProgress(own, "closed", told, settled=True)
            services.cases[written(NEW), number] = CaseProgress(written(NEW), "handling", told)
            services.cases[written(LOCKED), number] = CaseProgress("", "", locked=True)
            services.asked_by_sms.add(number)
        others = written(OTHERS[code])
        services.cases[others, "13911112222"] = CaseProgress(others, "closed", told, settled=True)
        services.codes[others] = CODE
        services.results[written(OWN[code])] = CaseResult(RESULT)

    def call(number: str, code: str, walk: Walk, end: str, dials: str) -> tuple[str, str]:
        caller = Caller(asterisk_under_test, public_network, voice, number, code)
        caller.walks(walk)
        ended = asterisk_under_test.manager.wait_event("HotlineMenuEnd", 30, Call=caller.call)
        if dials:
            caller.line.wait_hears(880)
        caller.line.hang_up()
        return ended["Language"], ended["Path"]

    longest_first = sorted(todo, key=lambda one: -sum(len(step.hears) + len(step.keys) / 4 for step in one[2]))
    with ThreadPoolExecutor(AT_ONCE) as citizens:
        seen = list(citizens.map(lambda one: call(*one), longest_first))
    assert [language for language, _ in seen] == [code for _, code, _, _, _ in longest_first]
    for (_, way), (_, _, _, end, _) in zip(seen, longest_first, strict=True):
        assert way.endswith(end)
    passed = {node for _, way in seen for node in way.split(">")}
    questions = {node.id for node in flow_module.shipped().nodes.values() if isinstance(node, Menu | Number)}
    elsewhere = {"closed", "case_unavailable", "answer_foreign", "confirm_119", "confirm_120", "confirm_122",
                 "result_more"}  # fmt: skip
    assert questions - elsewhere <= passed, questions - elsewhere - passed
    assert len(services.messages) == len(LANGUAGES)
    assert sorted(services.reopened) == sorted(map(written, OTHERS.values()))
    assert {number for number, _ in services.ratings} >= set(map(written, OWN.values()))


def outside_the_hours(hotline: AsteriskUnderTest, network: PublicNetwork, voice: Voice, number: str, code: str) -> str:
    """Somebody who calls while nobody is at work, and wants an answer that there is in Mandarin alone; "" if they
    hear what they should and can leave a message."""
    caller = Caller(hotline, network, voice, number, code)
    text: tuple[str | Text, ...] = (Text(code, WATER["zh"]), Text(code, STORE["zh"]))
    read: tuple[Step, ...] = (Step("104#", text),)
    if code == "en":
        read = (Step("104#", ("answer_foreign",)), Step("1", (Text("zh", WATER["zh"]),)))
    key = {"zh": "1", "yue": "2", "en": "3"}[code]
    heard: tuple[str | Text, ...] = ("closed_notice",)
    if code == "yue":
        heard = (Text("yue", SURGE), *heard)  # announcements are heard at night, too
    caller.walks((
        Step(key, heard), Step("4", ("answers_menu",)), Step("2", ("answer_number_ask",)),
        *read, Step("0", ("closed_notice",)), Step("1", ("record_after_tone",)),
    ))  # fmt: skip
    caller.line.hang_up()
    reached = hotline.manager.wait_event("HotlineMenuEnd", 10, Call=caller.call)["Next"]
    return "" if reached == "voicemail" else f"{code}, closed: reached {reached}"


class Walker:
    """Callers who take one way out of one question each, hang up there, and whose last sound is compared."""

    def __init__(self, hotline: AsteriskUnderTest, network: PublicNetwork, voice: Voice, trace: Trace) -> None:
        self.hotline, self.network, self.voice, self.trace = hotline, network, voice, trace

    def walk(self, way: Way, number: str) -> str:
        """What is wrong with that way; "" if nothing is."""
        line = self.network.call(number).wait_answered(45)
        at = 0.0
        for count, answer in enumerate(way.answers, 1):
            self.trace.wait_asked(number, count, 45)
            at = line.heard_s()
            if answer:
                line.do(lambda channel, keys=answer: channel.exec("SendDTMF", f"{keys},80,70"))  # type: ignore[misc]
        walked = self.trace.wait_asked(number, len(way.answers) + 1, 60)
        if not way.answers or not way.answers[-1]:
            at = max(0.0, line.heard_s() - 1.0)
        wanted, until = walked.beginning, line.heard_s() + LISTEN_S
        wait_until(lambda: line.heard_s() >= until or line.ended.is_set(), 15, f"{number} listens", every=0.2)
        line.hang_up()
        if way.edge not in walked.edges:
            return f"{way.edge} not taken, but {walked.edges[-3:]}"
        if wanted is None:
            return "" if walked.over else f"{way.edge}: a question without a sound"
        heard = audio.read(line.heard)[int(max(0.0, at - 0.2) * audio.RATE) :]
        score, _ = likeness(heard, wanted / 32768.0)
        return "" if score >= ALIKE else f"{way.edge}: heard something else ({score:.2f})"

    def together(self, todo: list[tuple[Way, str]], citizens: ThreadPoolExecutor) -> list[Way]:
        """The ways with which something was wrong, which is printed."""
        faults = list(citizens.map(lambda one: self.walk(*one), todo))
        print(*filter(None, faults), sep="\n")
        return [way for (way, _), fault in zip(todo, faults, strict=True) if fault]

    def rude(self, how: str, storm: str) -> str:
        """A caller who is loud, or presses everything at once: nothing of it is taken for a choice that was not made,
        and they reach what those reach who say nothing; "" if they do."""
        number = f"1350000{list(RUDE).index(how):04d}"
        since = self.hotline.manager.mark()
        line = self.network.call(number).wait_answered(45)
        call = self.hotline.wait_call(number, since)["Call"]
        if storm:
            line.do(lambda channel: channel.exec("SendDTMF", f"{storm},50,50"), timeout=None)
        else:
            file = self.voice.settings.home / f"{how}.wav"
            audio.write_samples(file, LOUD[how]())
            line.do(lambda channel: channel.exec("Playback", str(file.with_suffix(""))), timeout=None)
        ended = self.hotline.manager.wait_event("HotlineMenuEnd", 90, Call=call)
        line.hang_up()
        right = ended["Done"] == "1" and (storm or ended["Path"] == "welcome>queue")
        return "" if right else f"{how}: {ended['Path']} to {ended['Next']}"


def _noise() -> np.ndarray:
    return np.random.default_rng(5).uniform(-0.9, 0.9, 30 * audio.RATE)


def _shouting() -> np.ndarray:
    """A voice's rises and falls, driven until it clips."""
    t = np.arange(30 * audio.RATE) / audio.RATE
    voice = np.sin(2 * np.pi * 180 * t) + 0.6 * np.sin(2 * np.pi * 740 * t) + 0.5 * np.sin(2 * np.pi * 1300 * t)
    return np.clip(4 * voice * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t)), -0.95, 0.95)


LOUD = {"noise": _noise, "shouting": _shouting}
RUDE = {**dict.fromkeys(LOUD, ""), "storm": "1234567890*#" * 6, "storm of zeros": "0" * 40}

MOST_WAYS = 500
MOST_TORN = 16
"""Calls whose sound may be torn by how many there are at once; they are made again, few at a time."""


@pytest.mark.timeout(500)
def test_self_service_takes_every_way_out_of_every_question(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, trace: Trace, walked: set[Edge]
) -> None:
    """Each edge of the shipped flow that the tests above have not walked, by a real call of its own, within the hours
    and outside them: what is heard behind it, that the caller can leave there, and that nothing of them is left."""
    flow = flow_module.shipped()
    for opened in (True, False):
        left = [way for way in ways(flow) if way.open is opened and way.edge not in walked]
        assert not every_way(asterisk_under_test, public_network, trace, left, opened)
    assert unwalked(flow, walked | trace.edges()) == frozenset()


def every_way(
    hotline: AsteriskUnderTest, network: PublicNetwork, trace: Trace, left: list[Way], opened: bool
) -> list[str]:
    """What was wrong with the calls that walk these ways, many at once."""
    scripts = {**SCRIPTS, "voice_menu": trace.script}
    voice = Voice(hotline.settings, 2 * WAYS_AT_ONCE, WayServices, scripts)
    services = voice.services
    assert isinstance(services, WayServices)
    services.open = opened
    services.fill()
    patient = sorted(left, key=lambda way: way.answers[-1:] != ("",))  # silence takes the longest
    first = 0 if opened else MOST_WAYS
    todo = list(numbered(patient, first))
    for _, number in todo:
        services.know(number)
    with voice.running(), ThreadPoolExecutor(WAYS_AT_ONCE) as citizens:
        walker = Walker(hotline, network, voice, trace)
        # Who walks far, or is loud, has the lines to themselves: nobody calls a second time for them.
        if opened:
            wrong = list(filter(None, citizens.map(walker.rude, *zip(*RUDE.items(), strict=True))))
        else:
            at_night = partial(outside_the_hours, hotline, network, voice)
            wrong = list(filter(None, citizens.map(at_night, *zip(*NIGHT, strict=True))))
        torn = walker.together(todo, citizens)
        again = list(numbered(torn[:MOST_TORN], first + len(todo)))
        for _, number in again:
            services.know(number)
        with ThreadPoolExecutor(AT_ONCE) as few:
            wrong += [str(way.edge) for way in (*walker.together(again, few), *torn[MOST_TORN:])]
        wait_until(lambda: voice.server.running == 0, 15, "every script ended")
    return wrong


def written(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:]}"
