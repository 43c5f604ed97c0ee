"""What waits for servers of others: how a try may fail, when the next one comes, and when it has been enough.

Notices (`app.notices.post`) and pushed calls (`app.pushes`) go by the same rules. Each lies in a table until it is
settled, so nothing is lost with a process; a killed one may have sent what it did not write down: rather twice than
never, and what is sent carries an ident by which a second copy can be known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

LEASE = timedelta(minutes=5)
"""Whoever sends has this long; then it is taken for lost and sent again."""


class DeliveryState(StrEnum):
    """What came of it."""

    waiting = "waiting"  # to be sent, or to be tried again
    sent = "sent"
    refused = "refused"  # the other side says that this can never be delivered
    given_up = "given_up"  # tried for as long as patience lasts
    off = "off"  # the way out is not set up, or was closed


class Away(Exception):
    """The other side does not take anything at the moment; the argument is a code, never a text or an address."""


class Refused(Exception):
    """This one will never be taken, says the other side; the argument is a code."""


@dataclass(frozen=True)
class Patience:
    """How long to wait after a try that failed: `first`, then twice as long each time, at most `longest_pause`.

    After `whole` it is given up.
    """

    first: timedelta
    longest_pause: timedelta
    whole: timedelta

    def pause(self, tries: int, spread: float = 0.5) -> timedelta:
        """The pause after that many failed tries.

        `spread` (0 to 1, drawn by chance) takes a quarter off or adds one: what failed together comes back apart.
        """
        doubled: int = 1 << min(max(tries - 1, 0), 20)
        return min(self.first * doubled, self.longest_pause) * (0.75 + spread / 2)


def code_of(error: Exception) -> str:
    """An error's kind: its text may hold an address, a number or a password."""
    return type(error).__name__[:40]


def judge(status: int) -> None:
    """What an HTTP answer says of a delivery. Raises Away where another try may help, Refused where none will."""
    if 200 <= status < 300:
        return
    later = status < 400 or status in (401, 403, 404, 408, 425, 429) or status >= 500
    raise (Away if later else Refused)(f"http_{status}")


@contextmanager
def as_away() -> Iterator[None]:
    """Whatever a way out comes to grief of, what is to be sent waits and an alarm names it; nothing else is held up."""
    try:
        yield
    except (Away, Refused):
        raise
    except Exception as error:
        raise Away(code_of(error)) from error
