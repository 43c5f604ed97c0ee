"""What the fake backend makes of the commands that come from a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.clock import to_ms, utc_now
from tests.browser.samples import calls

if TYPE_CHECKING:
    from tests.browser.fake_backend import FakeBackend

Json = dict[str, Any]


def obey(fake: FakeBackend, name: str, args: Json) -> Json | None:
    """What the real server would do, roughly. The error when it refuses."""
    if name in fake.refusals:
        return fake.refusals[name]
    call_id = args.get("call_id") or fake.agent["call_id"] or "hotline1-1.1"
    members, now = calls.members(), to_ms(utc_now())
    if name == "agent.sign_in":
        endpoint = args.get("endpoint") or fake.agent["endpoint"]
        fake.set_agent(state="not_ready", not_ready_reason="busy", endpoint=endpoint)
    elif name == "agent.sign_out":
        fake.set_agent(state="signed_out")
    elif name in ("agent.ready", "wrapup.done"):
        fake.set_agent(state="ready", not_ready_reason="", until_ms=None, wrapup_until_ms=None)
    elif name == "agent.not_ready":
        fake.set_agent(state="not_ready", not_ready_reason=args["reason"])
    elif name == "agent.next_state":
        chosen = None if args["state"] == "ready" else args["state"]
        fake.agent = {**fake.agent, "next_state": chosen, "next_reason": args.get("reason", "")}
        fake.emit("agent.state", fake.agent)
    elif name == "wrapup.extend":
        until = (fake.agent["until_ms"] or now) + args["seconds"] * 1000
        fake.agent = {**fake.agent, "until_ms": until, "wrapup_until_ms": until}
        fake.emit("agent.state", fake.agent)
    elif name == "call.answer":
        if not fake.phone_can_answer:
            return {"code": "phone_cannot", "message": "话机不支持屏幕接听,请拿起话机。"}
        fake.answer(call_id)
    elif name == "call.hold":
        fake.parties("call.held", call_id, phase="held")
    elif name in ("call.resume", "call.cancel_consult"):
        fake.parties("call.resumed", call_id, phase="room", members=members)
        fake.mark(call_id, talks_with="citizen")
    elif name == "call.consult":
        fake.parties("call.held", call_id, phase="held")
        third = calls.member("third", number=args["to"], state="ringing", kind="consult")
        fake.parties("call.room", call_id, members=[*members, third])
        fake.mark(call_id, talks_with="third")
    elif name in ("call.conference", "call.emergency"):
        third = calls.member("third", number=args["to"], state="ringing", kind=name.partition(".")[2])
        fake.parties("call.room", call_id, phase="room", members=[*members, third])
    elif name == "call.hangup":
        fake.end_call(call_id)
    elif name == "call.oversee":
        fake.oversee(call_id, args["mode"])
    elif name == "call.oversee_end":
        fake.set_agent(overseeing=None)
    else:
        return _mark_by(fake, name, call_id, args, now)
    return None


def _mark_by(fake: FakeBackend, name: str, call_id: str, args: Json, now: int) -> Json | None:
    """A command that changes what holds in a talk and not who is in it."""
    if name == "call.mute":
        return fake.mark(call_id, muted_ms=now if args["on"] else None)
    if name in ("call.pause", "call.pause_end"):
        until = now + 1000 * args.get("seconds", 120)
        paused = {"since_ms": now, "until_ms": until} if name == "call.pause" else None
        return fake.mark(call_id, paused=paused)
    if name == "alert.acknowledge":
        known = {"acked_by": "李班长", "acked_ms": now}
        alerts = [one | known if one["alert_id"] == args["alert_id"] else one for one in fake.board["alerts"]]
        fake.show_board(alerts=alerts)
        return None
    if name in ("call.help", "call.help_end"):
        return fake.mark(call_id, help_ms=now if name == "call.help" else None)
    if name == "call.swap" and call_id in fake.calls:
        with_third = fake.calls[call_id]["talks_with"] == "third"
        fake.parties("call.room", call_id, phase="room" if with_third else "held")
        return fake.mark(call_id, talks_with="citizen" if with_third else "third")
    return None
