"""The link to Asterisk's manager interface (AMI): the only place that knows panoramisk."""

from cti_bridge.ami.errors import ActionFailed, ActionTimeout, AmiError, LinkDown, UnsafeValue, WrongSecret
from cti_bridge.ami.link import AmiLink, LinkState, Listener

__all__ = [
    "ActionFailed",
    "ActionTimeout",
    "AmiError",
    "AmiLink",
    "LinkDown",
    "LinkState",
    "Listener",
    "UnsafeValue",
    "WrongSecret",
]
