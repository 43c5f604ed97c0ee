"""How many calls of a campaign may begin now. Pure: what the house looks like goes in, a number comes out.

Citizens who call come first: a share of the lines and of the agents is kept for them, agents whom waiting callers are
about to get count as gone, and while somebody waits longer than the target nothing begins at all. A campaign whose
calls end with a person is bound by agents: each call on its way has one of its own who is kept for it, so whoever
answers never waits for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """What campaigns may take of the house.

    `lines`: calls at once that the carrier allows, in and out. `keep_lines`, `keep_agents`: percent that is kept for
    citizens who call. `wait_target_s`: who waits longer stops all campaigns. `at_once`: calls that begin in one look.
    """

    lines: int
    keep_lines: int
    keep_agents: int
    wait_target_s: float
    at_once: int


@dataclass(frozen=True, slots=True)
class House:
    """The house as it is.

    `lines_used` counts every call over the trunk, in and out, those of campaigns too. `agents_free` could be rung now
    and are kept for no call of a campaign; `agents_kept` are; `agents` are all at work, in whatever state.
    """

    lines_used: int = 0
    waiting: int = 0
    longest_wait_s: float = 0.0
    agents: int = 0
    agents_free: int = 0
    agents_kept: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """One campaign: whether agents bind it, how many calls at once it may have at most, and has on their way."""

    by_agents: bool
    most: int
    on_their_way: int


def kept(whole: int, percent: int) -> int:
    """The share of `whole` that is kept, rounded up: of one thing any share is all of it."""
    return -(-whole * percent // 100)


def pace(share: Share, house: House, running: Running) -> int:
    """How many more calls of this campaign may begin now."""
    if house.waiting and house.longest_wait_s > share.wait_target_s:
        return 0
    room = [
        share.at_once,
        running.most - running.on_their_way,
        share.lines - kept(share.lines, share.keep_lines) - house.lines_used,
    ]
    if running.by_agents:
        # Whoever waits gets the next who is free; what is kept for citizens is kept beside that.
        room.append(house.agents_free - house.waiting - kept(house.agents, share.keep_agents))
    return max(0, min(room))
