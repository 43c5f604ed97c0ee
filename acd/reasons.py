"""Why the engine decided so, and why it refused: codes and the facts they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from acd.record import record


class ReasonCode(StrEnum):
    """Why the engine decided so; `acd.explain.words` says it in Chinese and English."""

    # a call joins
    NEW_CALL = "new_call"
    PLACE_KEPT = "place_kept"
    ADOPTED = "adopted"
    PLACE_RESUMED = "place_resumed"
    CALLBACK_PLACE = "callback_place"
    CITIZEN_REACHED = "citizen_reached"
    # an offer
    LONGEST_IDLE = "longest_idle"
    NEXT_IN_LINE = "next_in_line"
    BEST_FIT = "best_fit"
    LAST_AGENT = "last_agent"
    # more agents may serve a call
    RELAXED = "relaxed"
    GROUP_ADDED = "group_added"
    LAST_AGENT_BUSY = "last_agent_busy"
    NOBODY_FOR_IT = "nobody_for_it"
    # a nuisance rule
    RULE_SET = "rule_set"
    RULE_LIFTED = "rule_lifted"
    RULE_EXPIRED = "rule_expired"
    RULE_ANNOUNCEMENT = "rule_announcement"
    RULE_LIMIT = "rule_limit"
    # a call-back
    LONG_WAIT = "long_wait"
    LONG_WAIT_FORETOLD = "long_wait_foretold"
    TURN_HAS_COME = "turn_has_come"
    AGENT_ON_THE_LINE = "agent_on_the_line"
    OUTSIDE_WINDOW = "outside_window"
    NOT_REACHED = "not_reached"
    ATTEMPTS_USED = "attempts_used"
    CALLBACK_TOO_OLD = "callback_too_old"
    CALLBACK_CANCELLED = "callback_cancelled"
    # an offer ends
    CALLER_LEFT = "caller_left"
    BACK_IN_HOLD = "back_in_hold"
    OFFER_TIMEOUT = "offer_timeout"
    AGENT_SIGNED_OUT = "agent_signed_out"
    PHONE_LOST = "phone_lost"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    # an overflow
    WAITED_TOO_LONG = "waited_too_long"
    QUEUE_FULL = "queue_full"
    NOBODY_SIGNED_IN = "nobody_signed_in"
    OUT_OF_HOURS = "out_of_hours"
    # an agent's state
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    RESTORED = "restored"
    AGENT_CHOSE = "agent_chose"
    SET_BY_OTHER = "set_by_other"
    OFFERED = "offered"
    RINGING = "ringing"
    HELD = "held"
    RESUMED = "resumed"
    HOLD_TOO_LONG = "hold_too_long"
    TALK_TOO_LONG = "talk_too_long"
    READY_TOO_LONG = "ready_too_long"
    NOT_READY_TOO_LONG = "not_ready_too_long"
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    PHONE_BUSY = "phone_busy"
    REJECTED = "rejected"
    PHONE_UNREACHABLE = "phone_unreachable"
    PHONE_REACHABLE = "phone_reachable"
    PHONE_IN_USE = "phone_in_use"
    PHONE_FREE = "phone_free"
    BUSY_OUTSIDE = "busy_outside"
    FREE_AGAIN = "free_again"
    DESKTOP_SILENT = "desktop_silent"
    OFFER_CANCELLED = "offer_cancelled"
    TALK_ENDED = "talk_ended"
    WRAPUP_DONE = "wrapup_done"
    WRAPUP_EXTENDED = "wrapup_extended"
    WRAPUP_OVER = "wrapup_over"
    NEXT_STATE = "next_state"
    NEXT_STATE_CANCELLED = "next_state_cancelled"


@record(frozen=True, slots=True)
class Reason:
    """A code and the facts it rests on (numbers and ids, never a caller's number or name)."""

    code: ReasonCode
    facts: Mapping[str, int | str] = field(default_factory=dict)


class Why(StrEnum):
    """Why an event was refused."""

    UNKNOWN_EVENT = "unknown_event"
    BAD_VALUE = "bad_value"
    UNKNOWN_CALL = "unknown_call"
    UNKNOWN_AGENT = "unknown_agent"
    UNKNOWN_OFFER = "unknown_offer"
    STALE_OFFER = "stale_offer"
    NOT_NOW = "not_now"
    NOT_THEIR_CALL = "not_their_call"
    TOO_LONG = "too_long"
    UNKNOWN_RULE = "unknown_rule"
    CALLBACK_OPEN = "callback_open"  # this caller has one already
    NO_CALLBACKS = "no_callbacks"  # the queue does not offer them
    KNOWN_ALREADY = "known_already"
