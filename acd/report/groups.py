"""The same figures by half-hour, queue, skill or agent.

Every call belongs to exactly one group, so that counts over groups add up to the whole: by the half-hour in which it
joined, the queue and skills that it needed at last, the agent who first answered it (nobody: an empty name). What an
agent spoke belongs to the call's group, except by agent, where each has their own. Agents' time belongs to half-hours
and agents; queues and skills share their agents, so occupancy is not known there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

from acd.report.facts import CallFact, Facts, Span
from acd.report.tally import Rules, Tally

HALF_HOUR_MS = 1_800_000
_CHINA = timezone(timedelta(hours=8))


class By(StrEnum):
    HALF_HOUR = "half-hour"
    QUEUE = "queue"
    SKILL = "skill"
    AGENT = "agent"


def half_hour(at_ms: int) -> str:
    """The half-hour's beginning in China, as `2026-11-25 08:30`."""
    at = datetime.fromtimestamp(at_ms // HALF_HOUR_MS * HALF_HOUR_MS / 1000, UTC)
    return f"{at.astimezone(_CHINA):%Y-%m-%d %H:%M}"


def grouped(
    facts: Facts, by: By, rules: Rules | None = None, callers: Mapping[str, str] | None = None
) -> dict[str, Tally]:
    """A tally for each group that has any call or any agent's time, in order of their names."""
    rules, callers = rules or Rules(), callers or {}
    groups: dict[str, Tally] = {}
    for call in facts.calls:
        own = groups.setdefault(_group(call, by), Tally())
        own.call(call, facts.until_ms, rules, callers.get(call.call_id))
        for talk in call.talks:
            spoken = groups.setdefault(talk.agent_id, Tally()) if by is By.AGENT else own
            spoken.talk(talk.began_ms, talk.ended_ms, talk.wrapped_ms)
    if by is By.AGENT:
        for span in facts.spans:
            groups.setdefault(span.agent_id, Tally()).time(span.state, span.ended_ms - span.began_ms)
    elif by is By.HALF_HOUR:
        for span in facts.spans:
            for began_ms, lasted_ms in pieces(span):
                groups.setdefault(half_hour(began_ms), Tally()).time(span.state, lasted_ms)
    return dict(sorted(groups.items()))


def _group(call: CallFact, by: By) -> str:
    match by:
        case By.HALF_HOUR:
            return half_hour(call.joined_ms)
        case By.QUEUE:
            return call.queue
        case By.SKILL:
            return call.skills
        case By.AGENT:
            return call.talks[0].agent_id if call.talks else ""


def pieces(span: Span) -> Iterator[tuple[int, int]]:
    """The span cut at half-hours: (when the piece begins, how long it lasts), in milliseconds."""
    at = span.began_ms
    while at < span.ended_ms:
        until = min(span.ended_ms, (at // HALF_HOUR_MS + 1) * HALF_HOUR_MS)
        yield at, until - at
        at = until
