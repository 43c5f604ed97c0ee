"""Which step is allowed in which state, and where does it lead? The engine's two state machines as data.

A pair that is not in a table is refused and changes nothing. `tests/unit/test_acd_tables.py` walks every pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from acd.model import AgentState, CallState


class AgentStep(StrEnum):
    """What can happen to an agent."""

    SIGN_IN_READY = "sign_in_ready"
    SIGN_IN_NOT_READY = "sign_in_not_ready"
    RESTORE_WRAP_UP = "restore_wrap_up"
    SIGN_OUT = "sign_out"
    READY = "ready"
    NOT_READY = "not_ready"
    NEXT_READY = "next_ready"
    NEXT_NOT_READY = "next_not_ready"
    NEXT_SIGN_OUT = "next_sign_out"
    OFFER = "offer"
    RING = "ring"  # the telephone says that it rings
    ANSWER = "answer"
    MISS = "miss"  # the offer failed and the agent, their phone or their page is why
    RELEASE = "release"  # the offer ended through nobody's fault
    ADOPT = "adopt"
    HOLD = "hold"
    RESUME = "resume"
    TALK_END = "talk_end"
    WRAPUP_DONE = "wrapup_done"
    WRAPUP_EXTEND = "wrapup_extend"
    WRAPUP_OVER = "wrapup_over"
    STATE_OVER = "state_over"  # the longest time in this state has passed


class AgentEffect(StrEnum):
    """What goes with a step, beside entering the new state."""

    DROP_OFFER = "drop_offer"  # the offer in hand is cancelled; the caller keeps the place
    SET_NEXT = "set_next"  # the wish is kept for after the call
    CLEAR_NEXT = "clear_next"
    LEAVE_AFTER = "leave_after"  # the shift ends with the talk, without wrap-up
    STAY = "stay"  # a sign-out that was queued because the agent had gone is taken back
    TAKE_NEXT = "take_next"  # the queued wish, if there is one, decides the new state
    KEEP_REASON = "keep_reason"  # not ready before this talk means not ready after it
    EXTEND = "extend"


@dataclass(frozen=True, slots=True)
class AgentCell:
    to: AgentState
    effects: tuple[AgentEffect, ...] = ()


_OUT, _READY, _OFFERED, _RINGS, _TALKING, _HOLD, _WRAP_UP, _NOT_READY = (
    AgentState.SIGNED_OUT,
    AgentState.READY,
    AgentState.OFFERED,
    AgentState.RINGING,
    AgentState.TALKING,
    AgentState.HOLD,
    AgentState.WRAP_UP,
    AgentState.NOT_READY,
)
_A, _E = AgentStep, AgentEffect

AGENT_TABLE: Mapping[tuple[AgentState, AgentStep], AgentCell] = {
    # signed out
    (_OUT, _A.SIGN_IN_READY): AgentCell(_READY),
    (_OUT, _A.SIGN_IN_NOT_READY): AgentCell(_NOT_READY),
    (_OUT, _A.RESTORE_WRAP_UP): AgentCell(_WRAP_UP),
    (_OUT, _A.SIGN_OUT): AgentCell(_OUT),
    (_OUT, _A.ADOPT): AgentCell(_TALKING, (_E.LEAVE_AFTER,)),
    # ready
    (_READY, _A.SIGN_IN_READY): AgentCell(_READY),
    (_READY, _A.SIGN_IN_NOT_READY): AgentCell(_READY),
    (_READY, _A.RESTORE_WRAP_UP): AgentCell(_READY),
    (_READY, _A.SIGN_OUT): AgentCell(_OUT),
    (_READY, _A.READY): AgentCell(_READY),
    (_READY, _A.NOT_READY): AgentCell(_NOT_READY),
    (_READY, _A.NEXT_READY): AgentCell(_READY),
    (_READY, _A.NEXT_NOT_READY): AgentCell(_NOT_READY),
    (_READY, _A.NEXT_SIGN_OUT): AgentCell(_OUT),
    (_READY, _A.OFFER): AgentCell(_OFFERED),
    (_READY, _A.ADOPT): AgentCell(_TALKING),
    (_READY, _A.WRAPUP_DONE): AgentCell(_READY),  # pressed just as the timer ran out
    (_READY, _A.STATE_OVER): AgentCell(_NOT_READY),
    # offered
    (_OFFERED, _A.SIGN_IN_READY): AgentCell(_OFFERED, (_E.STAY,)),
    (_OFFERED, _A.SIGN_IN_NOT_READY): AgentCell(_OFFERED, (_E.STAY,)),
    (_OFFERED, _A.RESTORE_WRAP_UP): AgentCell(_OFFERED, (_E.STAY,)),
    (_OFFERED, _A.SIGN_OUT): AgentCell(_OUT, (_E.DROP_OFFER,)),
    (_OFFERED, _A.READY): AgentCell(_OFFERED, (_E.CLEAR_NEXT,)),
    (_OFFERED, _A.NOT_READY): AgentCell(_OFFERED, (_E.SET_NEXT,)),
    (_OFFERED, _A.NEXT_READY): AgentCell(_OFFERED, (_E.CLEAR_NEXT,)),
    (_OFFERED, _A.NEXT_NOT_READY): AgentCell(_OFFERED, (_E.SET_NEXT,)),
    (_OFFERED, _A.NEXT_SIGN_OUT): AgentCell(_OFFERED, (_E.SET_NEXT,)),
    (_OFFERED, _A.RING): AgentCell(_RINGS),
    (_OFFERED, _A.ANSWER): AgentCell(_TALKING),
    (_OFFERED, _A.MISS): AgentCell(_NOT_READY, (_E.TAKE_NEXT,)),
    (_OFFERED, _A.RELEASE): AgentCell(_READY, (_E.TAKE_NEXT,)),
    (_OFFERED, _A.ADOPT): AgentCell(_TALKING, (_E.DROP_OFFER,)),
    # ringing
    (_RINGS, _A.SIGN_IN_READY): AgentCell(_RINGS, (_E.STAY,)),
    (_RINGS, _A.SIGN_IN_NOT_READY): AgentCell(_RINGS, (_E.STAY,)),
    (_RINGS, _A.RESTORE_WRAP_UP): AgentCell(_RINGS, (_E.STAY,)),
    (_RINGS, _A.SIGN_OUT): AgentCell(_OUT, (_E.DROP_OFFER,)),
    (_RINGS, _A.READY): AgentCell(_RINGS, (_E.CLEAR_NEXT,)),
    (_RINGS, _A.NOT_READY): AgentCell(_RINGS, (_E.SET_NEXT,)),
    (_RINGS, _A.NEXT_READY): AgentCell(_RINGS, (_E.CLEAR_NEXT,)),
    (_RINGS, _A.NEXT_NOT_READY): AgentCell(_RINGS, (_E.SET_NEXT,)),
    (_RINGS, _A.NEXT_SIGN_OUT): AgentCell(_RINGS, (_E.SET_NEXT,)),
    (_RINGS, _A.RING): AgentCell(_RINGS),
    (_RINGS, _A.ANSWER): AgentCell(_TALKING),
    (_RINGS, _A.MISS): AgentCell(_NOT_READY, (_E.TAKE_NEXT,)),
    (_RINGS, _A.RELEASE): AgentCell(_READY, (_E.TAKE_NEXT,)),
    (_RINGS, _A.ADOPT): AgentCell(_TALKING, (_E.DROP_OFFER,)),
    # talking
    (_TALKING, _A.SIGN_IN_READY): AgentCell(_TALKING, (_E.STAY,)),
    (_TALKING, _A.SIGN_IN_NOT_READY): AgentCell(_TALKING, (_E.STAY,)),
    (_TALKING, _A.RESTORE_WRAP_UP): AgentCell(_TALKING, (_E.STAY,)),
    (_TALKING, _A.SIGN_OUT): AgentCell(_TALKING, (_E.LEAVE_AFTER,)),
    (_TALKING, _A.READY): AgentCell(_TALKING, (_E.CLEAR_NEXT,)),
    (_TALKING, _A.NOT_READY): AgentCell(_TALKING, (_E.SET_NEXT,)),
    (_TALKING, _A.NEXT_READY): AgentCell(_TALKING, (_E.CLEAR_NEXT,)),
    (_TALKING, _A.NEXT_NOT_READY): AgentCell(_TALKING, (_E.SET_NEXT,)),
    (_TALKING, _A.NEXT_SIGN_OUT): AgentCell(_TALKING, (_E.SET_NEXT,)),
    (_TALKING, _A.ADOPT): AgentCell(_TALKING),
    (_TALKING, _A.HOLD): AgentCell(_HOLD),
    (_TALKING, _A.RESUME): AgentCell(_TALKING),
    (_TALKING, _A.TALK_END): AgentCell(_WRAP_UP),
    (_TALKING, _A.STATE_OVER): AgentCell(_WRAP_UP),
    # hold
    (_HOLD, _A.SIGN_IN_READY): AgentCell(_HOLD, (_E.STAY,)),
    (_HOLD, _A.SIGN_IN_NOT_READY): AgentCell(_HOLD, (_E.STAY,)),
    (_HOLD, _A.RESTORE_WRAP_UP): AgentCell(_HOLD, (_E.STAY,)),
    (_HOLD, _A.SIGN_OUT): AgentCell(_HOLD, (_E.LEAVE_AFTER,)),
    (_HOLD, _A.READY): AgentCell(_HOLD, (_E.CLEAR_NEXT,)),
    (_HOLD, _A.NOT_READY): AgentCell(_HOLD, (_E.SET_NEXT,)),
    (_HOLD, _A.NEXT_READY): AgentCell(_HOLD, (_E.CLEAR_NEXT,)),
    (_HOLD, _A.NEXT_NOT_READY): AgentCell(_HOLD, (_E.SET_NEXT,)),
    (_HOLD, _A.NEXT_SIGN_OUT): AgentCell(_HOLD, (_E.SET_NEXT,)),
    (_HOLD, _A.ADOPT): AgentCell(_TALKING),
    (_HOLD, _A.HOLD): AgentCell(_HOLD),
    (_HOLD, _A.RESUME): AgentCell(_TALKING),
    (_HOLD, _A.TALK_END): AgentCell(_WRAP_UP),
    (_HOLD, _A.STATE_OVER): AgentCell(_TALKING),
    # wrap-up
    (_WRAP_UP, _A.SIGN_IN_READY): AgentCell(_WRAP_UP),
    (_WRAP_UP, _A.SIGN_IN_NOT_READY): AgentCell(_WRAP_UP),
    (_WRAP_UP, _A.RESTORE_WRAP_UP): AgentCell(_WRAP_UP),
    (_WRAP_UP, _A.SIGN_OUT): AgentCell(_OUT),
    (_WRAP_UP, _A.READY): AgentCell(_READY),
    (_WRAP_UP, _A.NOT_READY): AgentCell(_NOT_READY),
    (_WRAP_UP, _A.NEXT_READY): AgentCell(_WRAP_UP, (_E.CLEAR_NEXT,)),
    (_WRAP_UP, _A.NEXT_NOT_READY): AgentCell(_WRAP_UP, (_E.SET_NEXT,)),
    (_WRAP_UP, _A.NEXT_SIGN_OUT): AgentCell(_WRAP_UP, (_E.SET_NEXT,)),
    (_WRAP_UP, _A.ADOPT): AgentCell(_TALKING),
    (_WRAP_UP, _A.WRAPUP_DONE): AgentCell(_READY, (_E.TAKE_NEXT,)),
    (_WRAP_UP, _A.WRAPUP_EXTEND): AgentCell(_WRAP_UP, (_E.EXTEND,)),
    (_WRAP_UP, _A.WRAPUP_OVER): AgentCell(_READY, (_E.TAKE_NEXT,)),
    # not ready
    (_NOT_READY, _A.SIGN_IN_READY): AgentCell(_NOT_READY),
    (_NOT_READY, _A.SIGN_IN_NOT_READY): AgentCell(_NOT_READY),
    (_NOT_READY, _A.RESTORE_WRAP_UP): AgentCell(_NOT_READY),
    (_NOT_READY, _A.SIGN_OUT): AgentCell(_OUT),
    (_NOT_READY, _A.READY): AgentCell(_READY),
    (_NOT_READY, _A.NOT_READY): AgentCell(_NOT_READY),
    (_NOT_READY, _A.NEXT_READY): AgentCell(_READY),
    (_NOT_READY, _A.NEXT_NOT_READY): AgentCell(_NOT_READY),
    (_NOT_READY, _A.NEXT_SIGN_OUT): AgentCell(_OUT),
    (_NOT_READY, _A.ADOPT): AgentCell(_TALKING, (_E.KEEP_REASON,)),
    (_NOT_READY, _A.WRAPUP_DONE): AgentCell(_NOT_READY),  # pressed just as the timer ran out
    (_NOT_READY, _A.STATE_OVER): AgentCell(_OUT),
}


class CallStep(StrEnum):
    """What can happen to a call."""

    JOIN = "join"
    LEAVE = "leave"
    OFFER = "offer"
    ANSWER = "answer"
    FAIL = "fail"  # the telephone says that the offer ended
    CANCEL = "cancel"  # the engine ends the offer and has the caller brought back
    BACK = "back"  # no word from the hold loop in time: taken to be there
    ADOPT = "adopt"
    TALK_END = "talk_end"  # the last agent has left the talk
    OVERFLOW = "overflow"
    CHOOSE = "choose"  # the caller is saying whether and where to be called back
    AWAY = "away"  # out of reach
    HAND_OVER = "hand_over"  # the place goes over to a call-back
    CALLBACK = "callback"  # a call-back takes a place in line
    REST = "rest"
    WAKE = "wake"
    DIAL = "dial"  # the citizen first
    REACHED = "reached"  # the citizen is on the line, no agent is
    REACHED_AGENT = "reached_agent"
    NOT_REACHED = "not_reached"


class CallEffect(StrEnum):
    RELEASE_AGENT = "release_agent"  # whose phone rings for this call is free again
    END_TALKS = "end_talks"  # whoever talks with this caller goes into wrap-up
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class CallCell:
    to: CallState | None  # None: the call is gone
    effects: tuple[CallEffect, ...] = ()


_WAITING, _RETURNING, _RINGING, _AWAY, _TALK, _SENT, _DONE, _CB_WAITING, _CB_RESTING, _CB_OFFERED, _CB_DIALLING = (
    CallState.WAITING,
    CallState.RETURNING,
    CallState.OFFERED,
    CallState.OUT_OF_REACH,
    CallState.TALKING,
    CallState.OVERFLOWED,
    CallState.FINISHED,
    CallState.CALLBACK_WAITING,
    CallState.CALLBACK_RESTING,
    CallState.CALLBACK_OFFERED,
    CallState.CALLBACK_DIALLING,
)
_C, _F = CallStep, CallEffect

CALL_TABLE: Mapping[tuple[CallState | None, CallStep], CallCell] = {
    # not known
    (None, _C.JOIN): CallCell(_WAITING),
    (None, _C.ADOPT): CallCell(_TALK),
    (None, _C.CALLBACK): CallCell(_CB_WAITING),
    # waiting
    (_WAITING, _C.JOIN): CallCell(_WAITING),
    (_WAITING, _C.LEAVE): CallCell(None, (_F.FORGET,)),
    (_WAITING, _C.OFFER): CallCell(_RINGING),
    (_WAITING, _C.ANSWER): CallCell(_TALK),  # answered in the moment in which the offer was ended
    (_WAITING, _C.ADOPT): CallCell(_TALK),
    (_WAITING, _C.OVERFLOW): CallCell(_SENT),
    (_WAITING, _C.CHOOSE): CallCell(_SENT),
    (_WAITING, _C.HAND_OVER): CallCell(_SENT),
    (_WAITING, _C.AWAY): CallCell(_AWAY),
    # on the way back to the hold loop
    (_RETURNING, _C.JOIN): CallCell(_WAITING),
    (_RETURNING, _C.LEAVE): CallCell(None, (_F.FORGET,)),
    (_RETURNING, _C.ANSWER): CallCell(_TALK),
    (_RETURNING, _C.BACK): CallCell(_WAITING),
    (_RETURNING, _C.ADOPT): CallCell(_TALK),
    (_RETURNING, _C.CHOOSE): CallCell(_SENT),
    (_RETURNING, _C.HAND_OVER): CallCell(_SENT),
    (_RETURNING, _C.AWAY): CallCell(_AWAY),
    # out of reach; an offer whose telephone rings goes on there and is not ended from here
    (_AWAY, _C.JOIN): CallCell(_WAITING),
    (_AWAY, _C.LEAVE): CallCell(None, (_F.FORGET,)),
    (_AWAY, _C.ANSWER): CallCell(_TALK),
    (_AWAY, _C.ADOPT): CallCell(_TALK),
    (_AWAY, _C.HAND_OVER): CallCell(_SENT),
    (_AWAY, _C.AWAY): CallCell(_AWAY),
    # offered
    (_RINGING, _C.JOIN): CallCell(_WAITING, (_F.RELEASE_AGENT,)),
    (_RINGING, _C.LEAVE): CallCell(None, (_F.RELEASE_AGENT, _F.FORGET)),
    (_RINGING, _C.ANSWER): CallCell(_TALK),
    (_RINGING, _C.FAIL): CallCell(_RETURNING),
    (_RINGING, _C.CANCEL): CallCell(_RETURNING),
    (_RINGING, _C.ADOPT): CallCell(_TALK, (_F.RELEASE_AGENT,)),
    (_RINGING, _C.CHOOSE): CallCell(_SENT, (_F.RELEASE_AGENT,)),
    # talking
    (_TALK, _C.JOIN): CallCell(_WAITING, (_F.END_TALKS,)),
    (_TALK, _C.LEAVE): CallCell(None, (_F.END_TALKS, _F.FORGET)),
    (_TALK, _C.ADOPT): CallCell(_TALK),
    (_TALK, _C.TALK_END): CallCell(_DONE),
    # sent to voicemail or call-back
    (_SENT, _C.JOIN): CallCell(_WAITING),
    (_SENT, _C.LEAVE): CallCell(None, (_F.FORGET,)),
    (_SENT, _C.ADOPT): CallCell(_TALK),
    (_SENT, _C.CHOOSE): CallCell(_SENT),
    (_SENT, _C.HAND_OVER): CallCell(_SENT),
    # talk over, caller still connected
    (_DONE, _C.JOIN): CallCell(_WAITING),
    (_DONE, _C.LEAVE): CallCell(None, (_F.FORGET,)),
    (_DONE, _C.ADOPT): CallCell(_TALK),
    # a call-back in line
    (_CB_WAITING, _C.JOIN): CallCell(_WAITING),  # the citizen is in the hold loop: a call like others
    (_CB_WAITING, _C.LEAVE): CallCell(None, (_F.FORGET,)),
    (_CB_WAITING, _C.OFFER): CallCell(_CB_OFFERED),
    (_CB_WAITING, _C.ANSWER): CallCell(_CB_DIALLING),
    (_CB_WAITING, _C.ADOPT): CallCell(_TALK),
    (_CB_WAITING, _C.REST): CallCell(_CB_RESTING),
    (_CB_WAITING, _C.DIAL): CallCell(_CB_DIALLING),
    (_CB_WAITING, _C.REACHED): CallCell(_WAITING),  # reported later than the engine waited for
    # a call-back that rests
    (_CB_RESTING, _C.JOIN): CallCell(_WAITING),
    (_CB_RESTING, _C.LEAVE): CallCell(None, (_F.FORGET,)),
    (_CB_RESTING, _C.ANSWER): CallCell(_CB_DIALLING),
    (_CB_RESTING, _C.ADOPT): CallCell(_TALK),
    (_CB_RESTING, _C.WAKE): CallCell(_CB_WAITING),
    (_CB_RESTING, _C.REACHED): CallCell(_WAITING),
    # a call-back offered to an agent
    (_CB_OFFERED, _C.JOIN): CallCell(_WAITING, (_F.RELEASE_AGENT,)),
    (_CB_OFFERED, _C.LEAVE): CallCell(None, (_F.RELEASE_AGENT, _F.FORGET)),
    (_CB_OFFERED, _C.ANSWER): CallCell(_CB_DIALLING),
    (_CB_OFFERED, _C.FAIL): CallCell(_CB_WAITING),
    (_CB_OFFERED, _C.CANCEL): CallCell(_CB_WAITING),
    (_CB_OFFERED, _C.ADOPT): CallCell(_TALK, (_F.RELEASE_AGENT,)),
    (_CB_OFFERED, _C.REACHED): CallCell(_WAITING, (_F.RELEASE_AGENT,)),
    # the citizen is being dialled
    (_CB_DIALLING, _C.JOIN): CallCell(_WAITING, (_F.END_TALKS,)),
    (_CB_DIALLING, _C.LEAVE): CallCell(None, (_F.END_TALKS, _F.FORGET)),
    (_CB_DIALLING, _C.ADOPT): CallCell(_TALK),
    (_CB_DIALLING, _C.TALK_END): CallCell(_CB_DIALLING),  # the agent hung up first: the citizen will wait in line
    (_CB_DIALLING, _C.REACHED): CallCell(_WAITING),
    (_CB_DIALLING, _C.REACHED_AGENT): CallCell(_TALK),
    (_CB_DIALLING, _C.NOT_REACHED): CallCell(_CB_RESTING, (_F.END_TALKS,)),
}

# Callers who have no agent yet; they hold a place.
IN_LINE = frozenset({_WAITING, _RETURNING, _RINGING, _AWAY, _CB_WAITING, _CB_OFFERED})
# Those of them whom an agent may be offered now.
MATCHABLE = frozenset({_WAITING, _CB_WAITING})
# Those of them whose agent's telephone rings.
IN_OFFER = frozenset({_RINGING, _CB_OFFERED})
CALLBACKS = frozenset({_CB_WAITING, _CB_RESTING, _CB_OFFERED, _CB_DIALLING})
# Agents who will take a call sooner or later without pressing anything but "done".
WORKING = frozenset({_READY, _OFFERED, _RINGS, _TALKING, _HOLD, _WRAP_UP})
BEING_OFFERED = frozenset({_OFFERED, _RINGS})
IN_TALK = frozenset({_TALKING, _HOLD})
