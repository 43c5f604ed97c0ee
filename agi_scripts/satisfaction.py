"""After the talk: five levels of satisfaction by one key (T12, 好差评). 1 is very satisfied, 5 very dissatisfied."""

from __future__ import annotations

from .conversation import Conversation
from .guarded import Guarded
from .safe_agi import SafeAgi
from .shared import call_variables, language_of, sounds_of

LEVELS = "12345"


def satisfaction(agi: SafeAgi, services: Guarded) -> None:
    """Sets HOTLINE_RATING if the caller rates, says goodbye, and sets HOTLINE_DONE; nobody is asked twice."""
    facts = call_variables(agi, "LANG", "AGENT")
    conversation = Conversation(agi, sounds_of(services.setup), language_of(services.setup, facts["LANG"]))
    if not services.may_ask_to_rate(agi.call):
        conversation.say("thanks_goodbye")
        agi.set_variables(HOTLINE_DONE=1)
        return
    rating = conversation.choose(("survey_ask",), LEVELS, "survey_wrong", timeout_ms=5000)
    if rating:
        # Set before anything more is said: a caller who rates and hangs up has rated.
        agi.set_variables(HOTLINE_RATING=rating)
        conversation.say("survey_thanks", "goodbye")
    else:
        conversation.say("thanks_goodbye")
    agi.set_variables(HOTLINE_DONE=1)
