"""Puts a caller through to a unit's own number (T3), by the unit's code: the script's argument, or keyed in."""

from __future__ import annotations

import re

from ivr.interpreter import DIALLABLE

from .conversation import Conversation
from .guarded import Guarded
from .safe_agi import SafeAgi
from .shared import call_variables, language_of, sounds_of

CODE_DIGITS = 6
TRIES = 3


def unit_transfer(agi: SafeAgi, services: Guarded) -> None:
    """HOTLINE_NEXT=transfer with HOTLINE_TRANSFER_TO once the caller has confirmed, else HOTLINE_NEXT=queue.

    A number that the directory gives is only taken if it is one; the dialplan decides whether it may be dialled.
    """
    facts = call_variables(agi, "LANG")
    conversation = Conversation(agi, sounds_of(services.setup), language_of(services.setup, facts["LANG"]))
    number = _number(conversation, services, re.sub(r"[^0-9]", "", agi.argument(1)))
    if number and conversation.choose(("unit_confirm",), "10", "wrong_key") == "1":
        agi.set_variables(HOTLINE_NEXT="transfer", HOTLINE_TRANSFER_TO=number, HOTLINE_DIRECTORY=1, HOTLINE_DONE=1)
        return
    agi.set_variables(HOTLINE_NEXT="queue", HOTLINE_DONE=1)


def _number(conversation: Conversation, services: Guarded, code: str) -> str:
    said: tuple[str, ...] = ("unit_ask",)
    for _ in range(TRIES):
        if not code:
            code, ended = conversation.ask(said, CODE_DIGITS, 5000)
            if "*" in code or not (code or ended):
                return ""
        unit = services.unit(code) if code else None
        if unit is not None and DIALLABLE.fullmatch(unit.number):
            return unit.number
        code, said = "", ("unit_unknown", "unit_ask")
    return ""
