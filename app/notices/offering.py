"""Offering letters to a way out, one after another, and what came of each: the same for colleagues and for citizens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from app.notices.channels import Letter, Port
from app.outgoing import Away, DeliveryState, Patience, Refused, as_away

log = structlog.get_logger(__name__)

MOST_IN_A_ROW = 2


@dataclass(frozen=True)
class Outcome:
    """What came of one letter; `tried` is false for one that was not even offered to the other side."""

    state: DeliveryState
    fault: str = ""
    tried: bool = True


class Delivery(Protocol):
    """A row of what is on its way."""

    state: str
    tries: int
    next_at: datetime
    fault: str
    done_at: datetime | None


def offer(port: Port, letters: Mapping[int, Letter]) -> dict[int, Outcome]:
    """Offer them one after another. Whatever may be wrong with one letter, the port is opened anew for the next."""
    outcomes: dict[int, Outcome] = {}
    fault, in_a_row = "", 0
    try:
        with as_away():
            port.open()
        for ident, letter in letters.items():
            try:
                with as_away():
                    port.send(letter)
                outcomes[ident], in_a_row = Outcome(DeliveryState.sent), 0
            except Refused as error:
                outcomes[ident], in_a_row = Outcome(DeliveryState.refused, str(error)), 0
            except Away as error:
                fault, in_a_row = str(error), in_a_row + 1
                outcomes[ident] = Outcome(DeliveryState.waiting, fault)
                if in_a_row == MOST_IN_A_ROW:  # it is not the letter
                    break
                port.close()
                with as_away():
                    port.open()
    except Away as error:
        fault = str(error)
    finally:
        port.close()
    if fault:
        log.warning("letters could not be sent; they are tried again", fault=fault)
    # Where the port is not there at all, that was a try for all of them.
    rest = Outcome(DeliveryState.waiting, fault, tried=not outcomes)
    return {ident: outcomes.get(ident, rest) for ident in letters}


def settle(row: Delivery, outcome: Outcome, since: datetime, patience: Patience, now: datetime) -> None:
    """Write down what came of it: settled, or when the next try comes; `since` is when it was first to be sent."""
    row.state, row.fault = outcome.state.value, outcome.fault[:40]
    if not outcome.tried:
        row.tries, row.next_at = row.tries - 1, now
    elif outcome.state is DeliveryState.waiting:
        row.next_at = now + patience.pause(row.tries)
        if now - since > patience.whole:
            row.state = DeliveryState.given_up.value
    if row.state != DeliveryState.waiting.value:
        row.done_at = now
