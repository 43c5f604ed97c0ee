"""Progress of one's own case as a script of its own, for a line that only tells progress (T3)."""

from __future__ import annotations

from ivr.interpreter import Fetched
from ivr.model import Subject

from .conversation import Conversation
from .guarded import Guarded, Unanswered
from .lookups import LOOKUPS, Asked
from .safe_agi import SafeAgi
from .shared import call_variables, language_of, sounds_of

DIGITS = 14
TRIES = 3
PERSON, AGAIN, OTHER = "0", "1", "2"


def case_status(agi: SafeAgi, services: Guarded) -> None:
    """Asks for numbers and tells progress until the caller wants a person or says nothing: HOTLINE_NEXT=queue."""
    facts = call_variables(agi, "LANG")
    conversation = Conversation(agi, sounds_of(services.setup), language_of(services.setup, facts["LANG"]))
    said: tuple[str, ...] = ("case_number_ask",)
    tries = 0
    while tries < TRIES:
        number, ended = conversation.ask(said, DIGITS + 1, 5000)
        if "*" in number or not (number or ended):
            break
        if len(number) != DIGITS:
            tries += 1
            said = ("case_number_wrong", "case_number_ask")
            continue
        key = _tell(conversation, services, number)
        if key != OTHER:
            break
        tries += 1
        said = ("case_number_ask",)
    agi.set_variables(HOTLINE_NEXT="queue", HOTLINE_DONE=1)


def _tell(conversation: Conversation, services: Guarded, number: str) -> str:
    key = AGAIN
    for _ in range(TRIES):
        if key != AGAIN:
            break
        found = _progress(conversation, services, number)
        about = {"not_found": ("case_not_found",), "locked": ("case_locked",)}.get(found.outcome, found.say)
        about = about or ("progress_unavailable",)
        if found.outcome == "":
            conversation.say(*about)
            return PERSON
        key = conversation.choose((*about, "progress_menu"), PERSON + AGAIN + OTHER, "wrong_key")
    return key


def _progress(conversation: Conversation, services: Guarded, number: str) -> Fetched:
    asked = Asked(conversation, services, {"case_number": number}, conversation.language)
    try:
        return LOOKUPS[Subject.CASE_PROGRESS](asked)
    except Unanswered:
        return Fetched("")
