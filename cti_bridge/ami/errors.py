"""What can go wrong between us and Asterisk's manager interface, as a tree.

AmiError
├── UnsafeValue     a value that would inject a header or be cut off; nothing was sent
├── LinkDown        there is no session, or it ended before the answer; nothing is sent again
├── ActionTimeout   Asterisk did not answer in time; whether it acted is unknown
├── ActionFailed    Asterisk answered "Error"; `.message` is its reason
└── WrongSecret     Asterisk refuses our name or secret; an operator must act
"""

from __future__ import annotations


class AmiError(Exception):
    """Anything that keeps an action from being carried out as asked."""


class UnsafeValue(AmiError):
    """A key or value that cannot travel in one AMI header line."""


class LinkDown(AmiError):
    """No session with Asterisk, or it was lost before the answer came. The action is never repeated for the caller."""


class ActionTimeout(AmiError):
    """No answer within the deadline; a late answer is thrown away."""


class ActionFailed(AmiError):
    """Asterisk said no."""

    def __init__(self, action: str, message: str) -> None:
        super().__init__(f"{action}: {message}")
        self.action = action
        self.message = message


class WrongSecret(AmiError):
    """The login was refused. The remedy is in the text."""
