"""What is pushed, in the form that Zammad documents for any telephone system ("generic CTI"). Pure.

Three events of a call: newCall, answer (once for each agent who takes it), hangup; each is a POST of a form.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode, urlsplit

from app.errors import BadInput
from app.outgoing import Patience

PATIENCE = Patience(first=timedelta(seconds=2), longest_pause=timedelta(minutes=10), whole=timedelta(hours=24))
KEPT = timedelta(days=14)  # what was settled is shown for so long
MOST_ADDRESSES = 20
LONGEST_URL = 500
ANONYMOUS = "anonymous"  # Zammad's word for a number that is not told


class PushEvent(StrEnum):
    """What happened to a call, in the order in which it can."""

    new_call = "newCall"
    answer = "answer"
    hangup = "hangup"


@dataclass(frozen=True)
class Told:
    """A call as it is told. `number` is "" when it must not be; `line` is the number that was called."""

    call_id: str
    inbound: bool
    number: str
    line: str
    queue: str = ""
    agent_id: str = ""
    agent_name: str = ""
    cause: str = ""


def form(event: PushEvent, told: Told) -> list[tuple[str, str]]:
    """The fields of an event."""
    citizen, line = told.number or ANONYMOUS, told.line
    fields = [
        ("event", event.value),
        ("from", citizen if told.inbound else line),
        ("to", line if told.inbound else citizen),
        ("direction", "in" if told.inbound else "out"),
        ("callId", told.call_id),
    ]
    if told.queue and event is not PushEvent.hangup:
        fields.append(("queue", told.queue))
    if event is PushEvent.hangup:
        fields.append(("cause", told.cause))
    elif told.agent_name:
        fields.append(("user[]" if event is PushEvent.new_call else "user", told.agent_name))
    if told.agent_id and event is not PushEvent.new_call:
        fields.append(("answeringNumber", told.agent_id))
    return fields


def body_of(fields: Iterable[tuple[str, str]]) -> bytes:
    """The form as it is sent."""
    return urlencode(list(fields)).encode()


def signature(secret: str, at_s: int, body: bytes) -> str:
    """What proves that a push came from here and when: HMAC-SHA-256 over "<epoch seconds>.<body>"."""
    return "sha256=" + hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()


_BY_OUTCOME: Mapping[str, str] = {"abandoned": "cancel", "transferred": "forwarded"}
_BY_CAUSE: Mapping[str, str] = {
    "1": "notFound", "3": "notFound", "28": "notFound",
    "17": "busy",
    "18": "noAnswer", "19": "noAnswer", "20": "noAnswer",
    "34": "congestion", "38": "congestion", "41": "congestion", "42": "congestion", "44": "congestion",
}  # fmt: skip


def cause_of(outcome: str | None, cause: str | None, *, answered: bool) -> str:
    """Zammad's word for how a call ended. `cause` is Q.850, `outcome` of `app.calls.model.CallOutcome`."""
    if (word := _BY_OUTCOME.get(outcome or "")) is not None:
        return word
    if answered:
        return "normalClearing"
    if outcome == "failed":
        return _BY_CAUSE.get(cause or "", "cancel")
    return "normalClearing"


def happened(facts: Mapping[str, Any]) -> list[tuple[PushEvent, str]]:
    """The events that these facts of a call tell of, each with the agent it is about ("" for none)."""
    agent_id = str(facts.get("agent_id") or "")[:16]
    found = []
    if facts.get("started_at"):
        found.append((PushEvent.new_call, ""))
    answered, offered = facts.get("answered_at"), facts.get("offered_at")
    # A later offer to somebody else names an agent who has not answered.
    if answered and agent_id and not (offered and offered > answered):
        found.append((PushEvent.answer, agent_id))
    if facts.get("ended_at"):
        found.append((PushEvent.hangup, ""))
    return found


def checked_url(url: str) -> str:
    """`url`, if pushes can go there. Raises BadInput (url)."""
    try:
        parts = urlsplit(url.strip())
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        fits = fits and not parts.username and not parts.password and not parts.fragment
    except ValueError:  # a port that is none
        fits = False
    if not fits or len(url) > LONGEST_URL or not url.isascii() or not url.strip().isprintable() or " " in url.strip():
        raise BadInput(fields={"url": "请填写 http(s)://主机[:端口]/路径 (an http or https address)"})
    return url.strip()


def shown_url(url: str) -> str:
    """An address as it is shown: its path may hold the other system's token."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…" if parts.path.strip("/") or parts.query else url


def too_old(since: datetime, now: datetime) -> bool:
    """Whether it has been tried for long enough."""
    return now - since > PATIENCE.whole
