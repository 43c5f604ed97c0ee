"""What a voice menu looks up while a caller waits: one small function for each subject, and what is said about it.

Each gives an outcome of `ivr.model.OUTCOMES`, "" where the domain gave no answer in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ivr import catalogue, spoken
from ivr.interpreter import Fetch, Fetched
from ivr.model import TITLES_AT_ONCE, Subject
from ivr.parts import parts

from .conversation import Conversation
from .guarded import Guarded, Unanswered
from .services import SpokenAnswer
from .sounds import GAP_S

T = TypeVar("T")
GAP_MS = round(GAP_S * 1000)
READ_FROM_THE_BEGINNING = (("part", "1"), ("move", ""), ("pace", ""))
CASE = "case"
"""As `reading`: the result of the case whose number was given. Answers are `answer:<number>:<language>[:whole]`."""
WHOLE = "whole"


@dataclass(frozen=True)
class Asked:
    """One question on one call."""

    conversation: Conversation
    services: Guarded
    arguments: Mapping[str, str]
    language: str
    bridge: tuple[str, ...] = ("please_wait",)

    def get(self, name: str) -> str:
        """What is remembered under that name."""
        return self.arguments.get(name, "")

    def wait(self, what: str, question: Callable[[], T]) -> T:
        """The domain's answer; the caller hears the bridge meanwhile. Raises Unanswered, Hangup."""
        answer = self.services.start(what, question)
        return self.conversation.wait_for(what, answer, self.services.setup.deadline_s, self.bridge, self.services)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of texts that this caller understands when they are read, the best first."""
        speech = self._words.languages.get(self.language)
        return (self.language, *speech.reads) if speech and speech.voice else (self.language,)

    def voice(self, text_language: str) -> str:
        """The language whose voice reads a text: the caller's, if it can."""
        return self.language if self._words.reads(self.language, text_language) else text_language

    def name(self, text: str) -> str | None:
        """The sound of a name, which is Chinese whoever asks."""
        return self.conversation.sounds.spoken(text, self.voice(_language_of_name(text, self.language)))

    @property
    def _words(self) -> catalogue.Catalogue:
        return catalogue.of_home(self.services.setup.home)


def look_up(conversation: Conversation, services: Guarded, fetch: Fetch) -> Fetched:
    """The answer to what the menu wants to know. Raises Hangup."""
    asked = Asked(conversation, services, fetch.arguments, fetch.language, fetch.prompts)
    try:
        return LOOKUPS[fetch.of](asked)
    except Unanswered:
        return Fetched("")


# -- announcements --------------------------------------------------------------------------------------------------


def _announcements(asked: Asked) -> Fetched:
    sounds, files, ends = asked.conversation.sounds, list[str](), list[tuple[str, int]]()
    for announcement in asked.services.announcements(asked.language):
        if file := sounds.announcement(announcement, asked.language):
            began_ms = ends[-1][1] + GAP_MS if ends else 0
            files.append(file)
            ends.append((announcement.id, began_ms + sounds.length_ms(file)))
    asked.conversation.hearing.expects(ends)
    return Fetched("some" if files else "none", tuple(files))


# -- one's own case -------------------------------------------------------------------------------------------------


def written_case_number(digits: str) -> str:
    """A case number as it is written (C14): 20261124000123 → 20261124-000123."""
    return f"{digits[:8]}-{digits[8:]}" if len(digits) > 8 else digits


def _case(asked: Asked) -> tuple[str, str, str]:
    return written_case_number(asked.get("case_number")), asked.conversation.agi.number, asked.get("code")


def case_progress(asked: Asked) -> Fetched:
    """Where the caller's own case stands: outcome, and the sentence about it."""
    services, case = asked.services.services, _case(asked)
    found = asked.wait("case_progress", lambda: services.case_progress(*case))
    if found is None:
        return Fetched("not_found")
    if found.locked:
        return Fetched("locked")
    updated = found.updated_at.astimezone(asked.services.setup.zone) if found.updated_at else None
    sentence = spoken.progress(found.case_number, found.state, updated, asked.language)
    return Fetched("settled" if found.settled else "found", sentence)


def _case_result(asked: Asked) -> Fetched:
    services, case = asked.services.services, _case(asked)
    found = asked.wait("case_result", lambda: services.case_result(*case))
    if found is not None and found.withheld:
        return Fetched("withheld", ("result_withheld",))
    if found is None or not parts(found.text):
        return Fetched("none", ("result_none",))
    foreign = found.language not in asked.languages
    return Fetched("other_language" if foreign else "found", (), (("reading", CASE), *READ_FROM_THE_BEGINNING))


def _case_rating(asked: Asked) -> Fetched:
    services, case, call = asked.services.services, _case(asked), asked.conversation.agi.call
    outcome = asked.wait("rate_case", lambda: services.rate_case(*case, int(asked.get("level")), call))
    said = {"kept": "survey_thanks", "kept_before": "rating_kept_before"}.get(outcome, "rating_refused")
    return Fetched(outcome, (said,))


def _case_reopening(asked: Asked) -> Fetched:
    services, case, call = asked.services.services, _case(asked), asked.conversation.agi.call
    outcome = asked.wait("reopen_case", lambda: services.reopen_case(*case, call))
    said = {"reopened": "reopen_done", "too_late": "reopen_too_late"}.get(outcome, "reopen_refused")
    return Fetched(outcome, (said,))


def _call_rating(asked: Asked) -> Fetched:
    services, number = asked.services.services, asked.conversation.agi.number
    kept = asked.wait("rate_call", lambda: services.rate_call(number, int(asked.get("level"))))
    return Fetched("kept", ("survey_thanks",)) if kept else Fetched("none", ("call_rate_none",))


# -- answers from the knowledge base --------------------------------------------------------------------------------


def _topic_answers(asked: Asked) -> Fetched:
    """The next titles of the topic, each with its key; behind the last it begins anew."""
    services, languages = asked.services.services, asked.languages
    titles = asked.wait("answers_of_topic", lambda: services.answers_of_topic(asked.get("topic"), languages))
    start = int(asked.get("from") or 0)
    shown = titles[start : start + TITLES_AT_ONCE] or titles[:TITLES_AT_ONCE]
    said: list[str] = []
    for number, one in enumerate(shown, 1):
        if sound := asked.conversation.sounds.spoken(one.title, asked.voice(one.language)):
            said += [sound, f"press_{number}"]
    if not said:
        return Fetched("none")
    following = start + TITLES_AT_ONCE if start + TITLES_AT_ONCE < len(titles) else 0
    return Fetched("some", tuple(said), (("choices", ",".join(one.code for one in shown)), ("from", str(following))))


def _answer_chosen(asked: Asked) -> Fetched:
    choices, choice = asked.get("choices").split(","), asked.get("choice")
    at = int(choice) - 1 if choice.isdecimal() else -1
    return _answer(asked, choices[at]) if 0 <= at < len(choices) else Fetched("not_found")


def _answer_numbered(asked: Asked) -> Fetched:
    return _answer(asked, asked.get("answer_number"))


def _answer(asked: Asked, code: str) -> Fetched:
    services, languages = asked.services.services, asked.languages
    found = asked.wait("answer", lambda: services.answer(code, languages))
    if found is None:
        return Fetched("not_found")
    reading = f"answer:{found.code}:{found.language}"
    outcome = "found" if found.language in languages else "other_language"
    return Fetched(outcome, (), (("reading", reading), *READ_FROM_THE_BEGINNING))


def _answer_sms(asked: Asked) -> Fetched:
    _, _, rest = asked.get("reading").partition(":")
    code, _, language = rest.removesuffix(f":{WHOLE}").partition(":")
    services, agi = asked.services.services, asked.conversation.agi
    outcome = asked.wait("send_answer", lambda: services.send_answer(code, language, agi.call, agi.number))
    return Fetched(outcome, (f"sms_{outcome}",))


# -- reading aloud --------------------------------------------------------------------------------------------------


def _reading(asked: Asked) -> Fetched:
    """The part that is to be heard next: the same again, the next, the one before, or the first of the whole text.

    The text is asked for anew for every part: what was withdrawn meanwhile is not read on.
    """
    reading, move = asked.get("reading"), asked.get("move")
    if move == WHOLE and not reading.endswith(f":{WHOLE}"):
        reading = f"{reading}:{WHOLE}"
    step = {"next": 1, "back": -1}.get(move, 0)
    at = 1 if move == WHOLE else int(asked.get("part") or 1) + step
    slowly = asked.get("pace") == "slow"
    sound, number, count = (_of_case if reading == CASE else _of_answer)(asked, reading, at, slowly)
    if not count:
        return Fetched("gone")
    if not sound:
        return Fetched("")
    remember = (("reading", reading), ("part", str(number)), ("move", ""))
    return Fetched("last" if number == count else "part", sound, remember)


Read = tuple[tuple[str, ...], int, int]
"""What is heard, which part it is, of how many; nothing of 0 where there is no such text (any more)."""


def _of_case(asked: Asked, reading: str, at: int, slowly: bool) -> Read:
    services, case = asked.services.services, _case(asked)
    found = asked.wait("case_result", lambda: services.case_result(*case))
    pieces = parts(found.text) if found is not None and not found.withheld else []
    if found is None or not pieces:
        return (), 0, 0
    number = min(max(at, 1), len(pieces))
    # It is this caller's matter, so nothing of it is kept.
    sounds, voice = asked.conversation.sounds, asked.voice(found.language)
    sound = sounds.spoken(pieces[number - 1], voice, slowly=slowly, passing=True)
    return ((sound,) if sound else ()), number, len(pieces)


def _of_answer(asked: Asked, reading: str, at: int, slowly: bool) -> Read:
    _, code, language, *rest = reading.split(":")
    services, sounds = asked.services.services, asked.conversation.sounds
    found = asked.wait("answer", lambda: services.answer(code, (language,)))
    if found is None or found.language != language:
        return (), 0, 0
    recorded = [] if rest else sounds.recordings(_recording(found), language)
    text = found.letter if rest and found.letter else found.phone
    voice, number, count = asked.voice(language), 0, 0
    ways: tuple[tuple[Sequence[Any], Callable[[Any], str | None]], ...] = (
        (recorded, lambda piece: sounds.recording(piece, slowly=slowly)),
        # Also for a recording that cannot be played: an empty file is no reason to say nothing.
        (parts(text), lambda piece: sounds.spoken(piece, voice, slowly=slowly)),
    )
    for pieces, played in ways:
        count = len(pieces) or count
        number = min(max(at, 1), count)
        if pieces and (sound := played(pieces[number - 1])):
            title = sounds.spoken(found.title, voice, slowly=slowly) if number == 1 and not rest else None
            return ((title, "pause", sound) if title else (sound,)), number, count
    return (), number, count


def _recording(answer: SpokenAnswer) -> str:
    """What recordings of an answer are called. They are of one version: other words want another recording."""
    return f"answer_{answer.code}_{answer.version}"


# -- units ----------------------------------------------------------------------------------------------------------


def _unit(asked: Asked) -> Fetched:
    """Whether a unit can be spoken with now, and its hours before anybody is put through."""
    services, code = asked.services.services, asked.get("unit_code")
    found = asked.wait("unit", lambda: services.unit(code))
    if found is None:
        return Fetched("not_found")
    name = asked.name(found.name)
    said = [name, "pause"] if name else []
    outcome = "closed" if not found.number else "open" if found.at_work else "duty"
    said.append(f"unit_{outcome}_is")
    if outcome != "open" and found.hours:
        said += ["pause", "unit_hours", *spoken.hours(found.hours, asked.language)]
    return Fetched(outcome, tuple(said), (("unit_number", found.number),))


def _language_of_name(text: str, language: str) -> str:
    return language if text.isascii() else "zh"


LOOKUPS: Mapping[Subject, Callable[[Asked], Fetched]] = {
    Subject.ANNOUNCEMENTS: _announcements,
    Subject.CASE_PROGRESS: case_progress,
    Subject.CASE_RESULT: _case_result,
    Subject.CASE_RATING: _case_rating,
    Subject.CASE_REOPENING: _case_reopening,
    Subject.CALL_RATING: _call_rating,
    Subject.TOPIC_ANSWERS: _topic_answers,
    Subject.ANSWER_CHOSEN: _answer_chosen,
    Subject.ANSWER_NUMBERED: _answer_numbered,
    Subject.ANSWER_SMS: _answer_sms,
    Subject.READING: _reading,
    Subject.UNIT: _unit,
}
