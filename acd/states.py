"""What an agent, a call and an offer can be: the words of the two state machines in `acd.tables`."""

from __future__ import annotations

from enum import StrEnum


class AgentState(StrEnum):
    """What an agent is doing. Whether calls may be offered also depends on the phone; see `AgentStateChanged`."""

    SIGNED_OUT = "signed_out"
    READY = "ready"
    OFFERED = "offered"
    RINGING = "ringing"  # the telephone has said that it rings
    TALKING = "talking"
    HOLD = "hold"  # in a talk, the caller hears music
    WRAP_UP = "wrap_up"
    NOT_READY = "not_ready"


class CallState(StrEnum):
    """Where a call is, seen from the queue."""

    WAITING = "waiting"
    RETURNING = "returning"  # an offer ended; the caller is on the way back to the hold loop
    OFFERED = "offered"
    OUT_OF_REACH = "out_of_reach"  # waits where nothing can be told or seen at the moment; the place is kept
    TALKING = "talking"
    OVERFLOWED = "overflowed"  # sent to voicemail or call-back; its place is kept until it has left
    FINISHED = "finished"  # the talk is over, the caller still connected (rating, transfer)
    # A call-back: a place in line whose caller has hung up.
    CALLBACK_WAITING = "callback_waiting"
    CALLBACK_RESTING = "callback_resting"  # not now: outside the windows, or between two attempts
    CALLBACK_OFFERED = "callback_offered"
    CALLBACK_DIALLING = "callback_dialling"  # the citizen's telephone rings, with an agent on the line or without


class FailCause(StrEnum):
    """Why an offer ended without a talk."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"  # nobody's fault: the agent stays ready
    DESKTOP_SILENT = "desktop_silent"  # the agent's page never confirmed the pop


# Reasons for not ready that agents choose; others are accepted and shown as they are.
NOT_READY_REASONS = ("break", "meal", "busy", "training", "meeting", "follow_up", "other")
