"""The voice menu on a live channel: asks the interpreter what comes next, and does it."""

from __future__ import annotations

from ivr.interpreter import Ask, Facts, Fetch, Finish, Keys, Say

from .conversation import Conversation
from .guarded import Guarded
from .lookups import look_up
from .safe_agi import SafeAgi
from .shared import sounds_of

ELDERLY = "elderly"
LANGUAGE_FLAG = "language:"


def voice_menu(agi: SafeAgi, services: Guarded) -> None:
    """Walks the flow. Its last command sets every variable of the outcome and HOTLINE_DONE, together.

    The sentence before the end ("you will be connected") is left to the dialplan in HOTLINE_THEN_SAY, if it is a sound
    that stays: nobody has to wait here for its end, and the caller hears it whatever becomes of this process.
    """
    walks = services.menu.walks()
    conversation = Conversation(agi, sounds_of(services.setup), walks.flow.languages[0])
    place = walks.begin(_facts(agi, services))
    left_to_say: dict[str, str] = {}
    while True:
        conversation.language = place.state.language
        for action, following in zip(place.actions, (*place.actions[1:], None), strict=True):
            match action:
                case Say():
                    if isinstance(following, Finish) and (file := conversation.lasting_file(action.prompts)):
                        left_to_say = {"HOTLINE_THEN_SAY": file}
                    else:
                        conversation.say(*action.prompts)
                case Ask():
                    digits, ended = conversation.ask(action.prompts, action.most, action.timeout_ms)
                    place = walks.step(place, Keys(digits, ended))
                case Fetch():
                    place = walks.step(place, look_up(conversation, services, action))
                case Finish():
                    agi.set_variables(**action.variables, **left_to_say, HOTLINE_DONE=1)
                    return


def _facts(agi: SafeAgi, services: Guarded) -> Facts:
    flags = services.flags_for(agi.number)
    known = [flag.removeprefix(LANGUAGE_FLAG) for flag in flags if flag.startswith(LANGUAGE_FLAG)]
    return Facts(open=services.is_open(), elderly=ELDERLY in flags, language=known[0] if len(known) == 1 else None)


def prepare(services: Guarded) -> None:
    """What the first callers would otherwise wait for together: the flow is read, its questions are joined into files.

    A flow that can't be read has told so (`menu.Menu`).
    """
    walks = services.menu.settle()
    sounds = sounds_of(services.setup)
    services.is_open()
    for language in walks.flow.languages:
        for node in walks.flow.nodes.values():
            if said := getattr(node, "say", ()):
                sounds.file(language, said)
    services.flags_for("0")
