"""How Asterisk's events change the picture of calls and telephones: two tables from event name to rule, pure.

`reduce(telephony, event, now_ms)` brings the picture up to date and returns what has changed. Events may come twice or
after a resync has already told the same: then nothing changes. The dialplan's own events (UserEvent) say what a call
means; the channel events say which legs exist.
"""

from __future__ import annotations

from cti_bridge import channel_events, dialplan_events
from cti_bridge.changes import Change
from cti_bridge.event import Event, text
from cti_bridge.model import Telephony


def reduce(telephony: Telephony, event: Event, now_ms: int) -> list[Change]:
    """Apply one event; unknown events and events of channels that are no concern of ours change nothing."""
    name = text(event, "Event")
    rule = (
        dialplan_events.RULES.get(text(event, "UserEvent")) if name == "UserEvent" else channel_events.RULES.get(name)
    )
    return rule(telephony, event, now_ms) if rule else []


# What the link should deliver; everything else is dropped unread.
WANTED = frozenset(channel_events.RULES) | {"UserEvent"}
