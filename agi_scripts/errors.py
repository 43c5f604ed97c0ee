"""What can go wrong between a script and Asterisk.

    AgiFailure
    ├── Hangup            the caller is gone, or the connection to Asterisk is; nothing more can be said
    ├── CommandTimeout    Asterisk owes an answer for longer than the command can take
    ├── ProtocolError     what came is not AGI (or not in time, or too much of it)
    ├── CommandRefused    Asterisk knows no such command, or not with these arguments
    └── SoundMissing      a file could not be played; the caller is still there

Each also is the exception of pyst2 that stands for the same thing, so code written for pyst2 goes on working.
"""

from __future__ import annotations

from asterisk.agi import AGIAppError, AGIError, AGIException, AGIHangup, AGIInvalidCommand, AGIUsageError


class AgiFailure(AGIException):  # type: ignore[misc]
    """Root of the tree."""


class Hangup(AgiFailure, AGIHangup):  # type: ignore[misc]
    """The caller has hung up or the connection has ended."""


class CommandTimeout(AgiFailure, AGIError):  # type: ignore[misc]
    """No answer to a command within its time; the connection can't be used any more."""


class ProtocolError(AgiFailure, AGIError):  # type: ignore[misc]
    """Bytes that are not AGI, a header that is too long or too slow, a command that does not fit a line."""


class CommandRefused(AgiFailure, AGIInvalidCommand, AGIUsageError):  # type: ignore[misc]
    """Reply 510 (unknown command) or 520 (wrong use), with Asterisk's words."""


class SoundMissing(AgiFailure, AGIAppError):  # type: ignore[misc]
    """Asterisk could not open or play a file although the caller is there; `key` is one that was pressed meanwhile."""

    def __init__(self, text: str, key: str = "") -> None:
        super().__init__(text)
        self.key = key
