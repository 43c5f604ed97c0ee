"""Walks of one flow, remembered: most callers take one of a few paths, and what followed once follows again.

The interpreter is pure, so a place in a walk (state and actions) is the same for everybody who came there in the same
way. A caller then costs a look-up per answer instead of a walk through the flow. Where a caller has typed something of
their own, a case number, nothing is kept: it would be kept for nobody else.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from .commands import Commands, commands_at
from .interpreter import Action, Facts, Fetched, Input, State, begin, step
from .model import Flow

MOST_PLACES = 5_000
"""Places that are kept; further ones are worked out each time."""


@dataclass(slots=True)
class Place:
    """Where a caller is in the menu, and what is to be done there."""

    state: State
    actions: tuple[Action, ...]
    kept: bool = False
    _onward: dict[Hashable, Place] = field(default_factory=dict, repr=False)


class Walks:
    """One flow for any number of callers and threads."""

    def __init__(self, flow: Flow, most: int = MOST_PLACES) -> None:
        self.flow = flow
        self._most = most
        self._begun: dict[Hashable, Place] = {}
        self.places = 0
        self._commands: dict[tuple[str, str], Commands] = {}

    def commands(self, node: str, language: str) -> Commands:
        """What may be said at this node instead of a key."""
        known = self._commands.get((node, language))
        if known is None:
            known = self._commands[node, language] = commands_at(self.flow, self.flow.nodes[node], language)
        return known

    def begin(self, facts: Facts) -> Place:
        """As `interpreter.begin`."""
        known = self._begun.get(facts)
        return known or self._keep(self._begun, facts, *begin(self.flow, facts))

    def step(self, place: Place, given: Input) -> Place:
        """As `interpreter.step`; raises the same."""
        known = place._onward.get(given)
        if known is not None:
            return known
        state, actions = step(self.flow, place.state, given)
        if not place.kept or state.collected or _is_of_one_caller(given):
            return Place(state, tuple(actions))
        return self._keep(place._onward, given, state, actions)

    def _keep(self, among: dict[Hashable, Place], key: Hashable, state: State, actions: list[Action]) -> Place:
        place = Place(state, tuple(actions), kept=self.places < self._most)
        if place.kept:
            # Two threads may bring the same place at once: one of them stays, and they are alike.
            among[key] = place
            self.places += 1
        return place


def _is_of_one_caller(given: Input) -> bool:
    """Whether hardly another caller will give the same: a number they typed, a sentence about their case."""
    return bool(given.say) if isinstance(given, Fetched) else len(given.digits) > 1
