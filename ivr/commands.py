"""What may be said at a question instead of a key, and which keys something that was heard amounts to. Pure.

Words are data of the flow, and every one of them stands for keys that the question has: whoever can't speak, or isn't
understood, loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .model import Flow, Menu, Node, Number

STAR = "*#"
"""How a number is answered with "take me away from here": its prompts say the same."""


@dataclass(frozen=True)
class Commands:
    """What is listened for at one question, in one language.

    `keys`: what is said, without blanks → keys; `digits`: word → digit; `numbers`: the digits that are a choice
    here, None if any are taken, as a part of a number of up to `most`; `phrases`: all of it, for a recogniser.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    digits: Mapping[str, str] = field(default_factory=dict)
    numbers: frozenset[str] | None = frozenset()
    most: int = 0
    phrases: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.phrases)

    def meant(self, words: Sequence[str], *, more: bool = False) -> str:
        """The keys that `words` stand for; "" if they are none, several, or not to be told apart.

        `more`: besides, something was said that is none of the words. A command is understood all the same ("please,
        an operator"); a digit is not, for it is as short as many a sound.
        """
        said = self._parts("".join(words))
        if not said:
            return ""
        if all(part in self.keys for part in said):
            chosen = {self.keys[part] for part in said}
            return chosen.pop() if len(chosen) == 1 else ""
        if more or not all(part in self.digits for part in said):
            return ""
        number = "".join(self.digits[part] for part in said)
        return number if self.numbers is None or number in self.numbers else ""

    def _parts(self, text: str) -> list[str]:
        """The commands and digits that `text` consists of, the longest first; [] if something else is in it."""
        known = sorted({*self.keys, *self.digits}, key=len, reverse=True)
        parts: list[str] = []
        while text:
            found = next((one for one in known if text.startswith(one)), "")
            if not found:
                return []
            parts.append(found)
            text = text.removeprefix(found)
        return parts


NONE = Commands()


def commands_at(flow: Flow, node: Node, language: str) -> Commands:
    """What may be said at `node` by who speaks `language`; nothing at nodes that ask nothing."""
    digits = flow.digits.get(language, {})
    match node:
        case Menu() if node.spoken:
            numbers = frozenset(key for key in node.keys if key.isdecimal())
            return _commands(list(_said_in(flow, node, language)), digits if numbers else {}, numbers, 0)
        case Number():
            star = [(phrase, STAR) for phrase in flow.words.get(node.star, {}).get(language, ())]
            return _commands(star, digits if node.spoken else {}, None, node.longest)
    return NONE


def _commands(
    said: Sequence[tuple[str, str]], digits: Mapping[str, str], numbers: frozenset[str] | None, most: int
) -> Commands:
    keys: dict[str, str] = {}
    for phrase, key in said:
        keys.setdefault(bare(phrase), key)
    phrases = dict.fromkeys([*(phrase for phrase, _ in said), *digits])
    return Commands(keys, {bare(word): digit for word, digit in digits.items()}, numbers, most, tuple(phrases))


def _said_in(flow: Flow, menu: Menu, language: str) -> Iterator[tuple[str, str]]:
    """(phrase, key) of a menu: first its own words, then those of the nodes to which its keys lead."""
    for key, codes in menu.words.items():
        if key in menu.keys:  # a file with words for another one is not read
            for phrase in codes.get(language, ()):
                yield phrase, key
    for key, target in menu.keys.items():
        for phrase in flow.words.get(target, {}).get(language, ()):
            yield phrase, key


def bare(phrase: str) -> str:
    """As it is compared: without blanks."""
    return "".join(phrase.split())


def twice(flow: Flow, node: Node, language: str) -> Iterator[tuple[str, str, str]]:
    """(phrase, node, another node) for what would lead from `node` to two places; a digit's word leads to its key."""
    if not isinstance(node, Menu) or not node.spoken:
        return
    leads: dict[str, str] = {
        bare(word): node.keys[digit] for word, digit in flow.digits.get(language, {}).items() if digit in node.keys
    }
    for phrase, key in _said_in(flow, node, language):
        target = leads.setdefault(bare(phrase), node.keys[key])
        if target != node.keys[key]:
            yield phrase, target, node.keys[key]
