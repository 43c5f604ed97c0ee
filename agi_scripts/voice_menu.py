"""The voice menu on a live channel: asks the interpreter what comes next, and does it."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.commands import NONE, Commands
from ivr.interpreter import Ask, Facts, Fetch, Finish, Keys, Say
from ivr.walks import Place, Walks

from .conversation import Conversation
from .ear import DEAF, Asked, Listens
from .ears import Ears
from .guarded import Guarded
from .lookups import look_up
from .safe_agi import SafeAgi
from .shared import sounds_of

ELDERLY = "elderly"
LANGUAGE_FLAG = "language:"


def voice_menu(agi: SafeAgi, services: Guarded, ears: Ears | None = None) -> None:
    """The voice menu; with `ears` its choices may be said as well as pressed (docs/adr/0032)."""
    ear = ears.take(agi) if ears else DEAF
    try:
        walk(agi, services, ear)
    finally:
        ear.close()


def walk(agi: SafeAgi, services: Guarded, ear: Listens) -> None:
    """Walks the flow. Its last command sets every variable of the outcome and HOTLINE_DONE, together.

    The sentence before the end ("you will be connected") is left to the dialplan in HOTLINE_THEN_SAY, if it is a sound
    that stays: nobody has to wait here for its end, and the caller hears it whatever becomes of this process.
    """
    walks = services.menu.walks()
    conversation = Conversation(agi, sounds_of(services.setup), walks.flow.languages[0], ear)
    place = walks.begin(_facts(agi, services))
    left_to_say: dict[str, str] = {}
    while True:
        conversation.language = place.state.language
        for action, following in zip(place.actions, (*place.actions[1:], None), strict=True):
            match action:
                case Say():
                    if isinstance(following, Finish) and (file := conversation.lasting_file(action.prompts)):
                        conversation.hearing.begins()
                        left_to_say = {"HOTLINE_THEN_SAY": file}
                    else:
                        conversation.say(*action.prompts)
                case Ask():
                    said = _may_be_said(walks, place)
                    prompts = action.prompts
                    if said and ear.hears(conversation.language):
                        prompts = (*_hint(walks, place), *prompts)
                    digits, ended = conversation.ask(prompts, action.most, action.timeout_ms, said)
                    place = walks.step(place, Keys(digits, ended))
                case Fetch():
                    place = walks.step(place, look_up(conversation, services, action))
                case Finish():
                    agi.set_variables(**action.variables, **left_to_say, HOTLINE_DONE=1)
                    return


def _may_be_said(walks: Walks, place: Place) -> Commands:
    """Nothing in the middle of a key that has several digits."""
    state = place.state
    return walks.commands(state.node, state.language) if state.node and not state.typed else NONE


def _hint(walks: Walks, place: Place) -> Sequence[str]:
    """That one may speak: said when a question is asked first, not when it is asked again."""
    state = place.state
    hint: Sequence[str] = getattr(walks.flow.nodes[state.node], "hint", ()) if state.node else ()
    return () if state.node in state.tries else hint


def _facts(agi: SafeAgi, services: Guarded) -> Facts:
    flags = services.flags_for(agi.number)
    known = [flag.removeprefix(LANGUAGE_FLAG) for flag in flags if flag.startswith(LANGUAGE_FLAG)]
    return Facts(open=services.is_open(), elderly=ELDERLY in flags, language=known[0] if len(known) == 1 else None)


def prepare(services: Guarded, ears: Ears | None = None) -> None:
    """What the first callers would otherwise wait for together: the flow is read, its questions are joined into files,
    and what `ears` would hear of them from a caller's loudspeaker is found out.

    A flow that can't be read has told so (`menu.Menu`).
    """
    walks = services.menu.settle()
    sounds = sounds_of(services.setup)
    services.is_open()
    for language in walks.flow.languages:
        for node in walks.flow.nodes.values():
            if not (said := getattr(node, "say", ())):
                continue
            file, _ = sounds.file(language, said)
            if ears and language in ears.languages and (words := walks.commands(node.id, language)):
                if hint := getattr(node, "hint", ()):
                    file, _ = sounds.file(language, (*hint, *said))
                ears.own_voice.learn(Asked(words, language, file or ""))
    services.flags_for("0")
