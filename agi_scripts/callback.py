"""A call-back instead of a wait (T5): by the number that calls, or another that the caller keys in."""

from __future__ import annotations

import re

from app.destinations import Destinations
from ivr import spoken

from .conversation import Conversation
from .guarded import Guarded
from .safe_agi import SafeAgi
from .services import Standing
from .shared import call_variables, language_of, sounds_of

TRIES = 3
DIALABLE = re.compile(r"[0-9]{3,16}")
CONFIRM, OTHER = "1", "2"


def callback(agi: SafeAgi, services: Guarded) -> None:
    """Registers the wish and says so only once it is registered; then HOTLINE_DONE.

    When it could not be registered the caller goes on to a person (HOTLINE_DONE unset), or to voicemail while nobody
    is at work.
    """
    facts = call_variables(agi, "LANG", "NUMBER", "QUEUE", "JOINED", "PLACE_MS", "SKILLS", "PRIORITY")
    conversation = Conversation(agi, sounds_of(services.setup), language_of(services.setup, facts["LANG"]))
    number = _number(conversation, facts["NUMBER"] or agi.number, services.setup.destinations)
    if number and services.register_callback(agi.call, number, conversation.language, _standing(facts)):
        conversation.say("callback_registered", "goodbye")
        agi.set_variables(HOTLINE_DONE=1)
        return
    conversation.say("callback_failed")
    if not services.is_open():
        agi.goto_on_exit("hotline-voicemail", "s", "1")


def _standing(facts: dict[str, str]) -> Standing:
    """The caller's place; who rang again and got an earlier one has that."""
    times = [int(facts[name]) for name in ("JOINED", "PLACE_MS") if facts[name].isascii() and facts[name].isdigit()]
    pairs = (one.partition(":") for one in facts["SKILLS"].split(","))
    skills = {skill: int(level) for skill, _, level in pairs if skill and level in tuple("12345")}
    points = facts["PRIORITY"]
    priority = int(points) if re.fullmatch(r"-?[0-9]{1,4}", points) else 0
    return Standing(facts["QUEUE"], min((at for at in times if at > 0), default=0), skills, priority)


def _number(conversation: Conversation, known: str, destinations: Destinations) -> str:
    """The number to call, confirmed by a key, or "". Silence confirms nothing: it is asked again, and then let be."""
    number = known
    if _is_number(number) and not destinations.may_call_back(number):
        conversation.say("callback_number_refused")
        number = ""
    for _ in range(TRIES):
        if _is_number(number):
            digits = spoken.phone_number(number.lstrip("+"))
            sentence = ("callback_number_is", *digits, "pause", "callback_confirm")
            key = conversation.choose(sentence, CONFIRM + OTHER, "wrong_key")
            if key == CONFIRM:
                return number
            if not key:
                continue
        number = _ask_number(conversation, destinations)
        if not number:
            return ""
    return ""


def _is_number(text: str) -> bool:
    return DIALABLE.fullmatch(text.lstrip("+")) is not None


def _ask_number(conversation: Conversation, destinations: Destinations) -> str:
    said: tuple[str, ...] = ("callback_number_ask",)
    for _ in range(TRIES):
        number, ended = conversation.ask(said, 16, 5000)
        if _is_number(number) and destinations.may_call_back(number):
            return number
        if not number and not ended:
            return ""
        fault = "callback_number_refused" if _is_number(number) else "callback_number_wrong"
        said = (fault, "callback_number_ask")
    return ""
