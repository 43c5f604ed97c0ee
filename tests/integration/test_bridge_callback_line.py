"""The queue calls citizens back: a place that outlives the call, whose turn it is, who is dialled, what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from acd.config import CallbackFirst, CallbackRules, EngineConfig, QueueConfig, Window
from app.destinations import Destinations
from app.errors import Refused
from cti_bridge.ports import LineCallback
from tests.bridge_kit.rig import Rig, channel, ms

pytest_plugins = ["tests.bridge_kit.fixtures"]

NUMBER = "13800138000"
PROMISE = 7
ALL_DAY = (Window(0, 0),)


class Given:
    """Rules that a test sets."""

    def __init__(self, **rules: object) -> None:
        values = {"windows": ALL_DAY, "offer_after_s": None, "retry_s": 300, **rules}
        self.config = EngineConfig(
            queues=(QueueConfig("general", callback=CallbackRules(**values), wrapup_s=0),),  # type: ignore[arg-type]
            offer_timeout_s=20,
        )

    def first(self) -> tuple[EngineConfig, str]:
        return self.config, ""

    def read(self) -> EngineConfig:
        return self.config

    def stamp(self) -> object:
        return None


@pytest.fixture
async def started(tmp_path: Path) -> AsyncIterator[Callable[..., object]]:
    """`await started(first="citizen")` starts a bridge whose one queue calls back by these rules."""
    rigs: list[Rig] = []

    async def start(**rules: object) -> Rig:
        rig = Rig(tmp_path / "home", trunk_out="127.0.0.2:5060")
        rig.rules = Given(**rules)
        rigs.append(rig)
        return await rig.start()

    yield start
    for rig in rigs:
        await rig.stop()


def cb(rig: Rig, promise: int = PROMISE) -> str:
    return f"{rig.settings.node}-cb{promise}.0"


async def waiting(rig: Rig, number: str = NUMBER, ago_s: int = 60) -> str:
    """A caller in the hold loop who has joined so long ago."""
    call = rig.asterisk.citizen(number, ms() - ago_s * 1000)
    rig.asterisk.join(call, number, ms() - ago_s * 1000)
    await rig.until(lambda: call in order(rig), "the caller in line")
    return call


def order(rig: Rig) -> list[str]:
    return rig.bridge.engine.waiting_order("general")


def promised(rig: Rig, call: str, number: str = NUMBER, promise: int = PROMISE, **more: object) -> LineCallback:
    """The script has stored the promise of this call."""
    joined = ms() - 60_000
    values = {"language": "zh", "queue": "general", "placed_ms": joined, "requested_ms": ms(), **more}
    one = rig.domain.promises[promise] = LineCallback(promise, number, call, **values)  # type: ignore[arg-type]
    rig.bridge.line.soon()
    return one


async def chosen(rig: Rig) -> str:
    """A caller presses 2, confirms, and hangs up; somebody joins behind. The caller's call."""
    call = await waiting(rig)
    rig.asterisk.user_event("AcdKey", call, Key="2")
    await rig.until(lambda: order(rig) == [], "a caller who chooses")
    promised(rig, call)
    await rig.until(lambda: order(rig) == [cb(rig)], "the place gone over")
    rig.asterisk.hangs_up(call)
    await waiting(rig, "13900139000", 5)
    return call


async def told(rig: Rig, *what: str) -> None:
    await rig.until(lambda: [one[1] for one in rig.domain.noted] == list(what), f"{what}, not {rig.domain.noted}")


def variables(originate: dict[str, str]) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in originate["Variable"].split("\n"))


async def agents_phone(rig: Rig, count: int = 1) -> str:
    """The agent's telephone is rung for the call-back: the leg's id."""
    originate = (await rig.asterisk.arrival("Originate", count))[count - 1]
    assert originate["Context"] == "acd-callback-agent"
    return originate["ChannelId"]


def up(rig: Rig, leg: str, name: str) -> None:
    rig.asterisk.event("Newstate", Channel=name, Uniqueid=leg, ChannelStateDesc="Ringing")
    rig.asterisk.event("Newstate", Channel=name, Uniqueid=leg, ChannelStateDesc="Up")


async def citizens_phone(rig: Rig, count: int) -> dict[str, str]:
    originate = (await rig.asterisk.arrival("Originate", count))[count - 1]
    assert (originate["Context"], originate["ChannelId"]) == ("acd-callback", cb(rig))
    rig.asterisk.event("Newstate", Channel="PJSIP/trunk-99", Uniqueid=cb(rig), ChannelStateDesc="Ringing")
    return originate


def answers(rig: Rig, agent: str = "1001") -> None:
    """The citizen picks up."""
    rig.asterisk.event("Newstate", Channel="PJSIP/trunk-99", Uniqueid=cb(rig), ChannelStateDesc="Up")
    rig.asterisk.user_event("AcdCallback", cb(rig), "PJSIP/trunk-99", Number=NUMBER, Queue="general", Agent=agent)


async def dialled_for(rig: Rig, agent: str = "1001") -> str:
    """Agent first: the agent has picked up and the citizen's telephone rings. The agent's leg."""
    await rig.bridge.sign_in(agent)
    leg = await agents_phone(rig)
    up(rig, leg, f"PJSIP/{agent}-00000001")
    await citizens_phone(rig, 2)
    return leg


async def test_who_has_chosen_a_call_back_and_hung_up_keeps_the_place(started) -> None:
    rig = await started()
    await chosen(rig)
    assert order(rig)[0] == cb(rig)
    await told(rig, "entered")
    callback_id, _, place = rig.domain.noted[0]
    assert (callback_id, place["most_attempts"]) == (PROMISE, 3)
    assert ms() - 62_000 < place["placed_ms"] < ms() - 59_000


async def test_a_promise_that_is_seen_after_the_caller_has_hung_up_has_the_place_all_the_same(started) -> None:
    rig = await started()
    call = await waiting(rig)
    rig.asterisk.user_event("AcdKey", call, Key="2")
    await rig.redirects("hotline-after-menu")
    rig.asterisk.hangs_up(call)
    await rig.until(lambda: rig.bridge.core.call(call) is None, "gone")
    await waiting(rig, "13900139000", 5)
    promised(rig, call, skills={"zh": 1}, priority=3)
    await rig.until(lambda: order(rig)[:1] == [cb(rig)], "the place of the first join")
    await told(rig, "entered")
    assert (rig.domain.noted[0][2]["priority"], rig.domain.noted[0][2]["skills"]) == (3, {"zh": 1})


async def test_nobody_is_offered_a_caller_who_is_in_the_script(started) -> None:
    rig = await started()
    call = await waiting(rig)
    rig.asterisk.user_event("AcdKey", call, Key="2")
    await rig.redirects("hotline-after-menu")
    await rig.bridge.sign_in("1001")
    assert rig.state("1001") == "ready"
    assert not rig.bridge.offers.runs
    rig.asterisk.join(call, NUMBER, ms() - 60_000, attempt=2)  # the script has failed
    await rig.until(lambda: rig.bridge.offers.of_call(call), "an offer with the old place")


async def test_a_promise_of_a_caller_who_is_back_in_the_hold_loop_is_withdrawn(started) -> None:
    rig = await started()
    call = await waiting(rig)
    promised(rig, call)
    await told(rig, "withdrawn")
    assert order(rig) == [call]


async def test_a_caller_who_returns_after_the_promise_has_one_place_not_two(started) -> None:
    rig = await started()
    call = await waiting(rig)
    rig.asterisk.user_event("AcdKey", call, Key="2")
    await rig.redirects("hotline-after-menu")
    promised(rig, call)
    await rig.until(lambda: order(rig) == [cb(rig)], "the place gone over")
    rig.asterisk.join(call, NUMBER, ms() - 60_000, attempt=2)
    await told(rig, "entered", "withdrawn")
    assert order(rig) == [call]


async def test_a_queue_without_rules_leaves_promises_to_people(started, tmp_path: Path) -> None:
    rig = Rig(tmp_path / "plain")
    await rig.start()
    call = await waiting(rig)
    rig.asterisk.user_event("AcdKey", call, Key="2")
    await rig.until(lambda: order(rig) == [], "left")
    promised(rig, call)
    rig.asterisk.hangs_up(call)
    await rig.until(lambda: rig.domain.calls.get(call, {}).get("outcome") == "callback", "the record")
    assert rig.domain.noted == []
    assert rig.bridge.line.waiting() == 0
    await rig.stop()


async def test_agent_first_the_agent_is_rung_then_the_citizen_and_they_talk(started) -> None:
    rig = await started()
    await chosen(rig)
    leg = await dialled_for(rig)
    agents, citizens = rig.asterisk.got("Originate")
    assert agents["Channel"] == "PJSIP/1001"
    assert citizens["Channel"] == f"PJSIP/{NUMBER}@trunk"
    carried = variables(citizens)
    assert (carried["HOTLINE_CALLBACK_LEG"], carried["HOTLINE_CALLBACK_AGENT"]) == (leg, "1001")
    assert (carried["HOTLINE_CALL"], carried["HOTLINE_PHASE"]) == (cb(rig), "callback")
    assert rig.domain.dialled == [(PROMISE, "1001", 1)]
    await rig.until(lambda: rig.domain.opened == [(cb(rig), "1001")], "the draft, in its own time")
    answers(rig)
    await told(rig, "entered", "reached")
    assert rig.state("1001") == "talking"
    await rig.until(lambda: rig.domain.calls.get(cb(rig), {}).get("answered_at"), "the record")
    record = rig.domain.calls[cb(rig)]
    assert (record["direction"], record["agent_id"], record["outcome"]) == ("out", "1001", "answered")
    assert record["answered_at"] - record["joined_at"] > 59_000, "the wait from the first join on"
    rig.asterisk.hangs_up(cb(rig))
    rig.asterisk.hangs_up(leg)
    await rig.until(lambda: rig.domain.calls[cb(rig)].get("ended_at"), "the end")


@pytest.mark.parametrize(("cause", "why"), [(17, "busy"), (19, "noanswer"), (34, "chanunavail")])
async def test_a_citizen_who_is_not_reached_frees_the_agent_and_is_tried_later(started, cause: int, why: str) -> None:
    rig = await started()
    await chosen(rig)
    rig.asterisk.hangs_up(order(rig)[1])
    leg = await dialled_for(rig)
    rig.asterisk.hangs_up(cb(rig), cause)
    await told(rig, "entered", "rests")
    rests = rig.domain.noted[1][2]
    assert (rests["attempts"], rests["why"]) == (1, why)
    assert 299_000 <= rests["due_ms"] - ms() <= 301_000
    await rig.until(lambda: rig.state("1001") == "ready", "a free agent")
    assert [one["Channel"] for one in await rig.redirects("acd-callback-agent")] == ["PJSIP/1001-00000001"]
    rig.asterisk.hangs_up(leg)
    assert len(rig.asterisk.got("Originate")) == 2


async def test_after_the_last_attempt_it_is_given_up_with_its_reason(started) -> None:
    rig = await started(attempts=1)
    await chosen(rig)
    await dialled_for(rig)
    rig.asterisk.hangs_up(cb(rig), 17)
    await told(rig, "entered", "given_up")
    assert rig.domain.noted[1][2] == {"why": "busy", "attempts": 1}
    assert rig.bridge.line.waiting() == 0


async def test_an_agent_who_does_not_answer_leaves_the_call_back_to_the_next(started) -> None:
    rig = await started()
    await chosen(rig)
    await rig.bridge.sign_in("1001")
    leg = await agents_phone(rig)
    await rig.bridge.sign_in("1002")
    rig.asterisk.hangs_up(order(rig)[1])
    rig.asterisk.hangs_up(leg, 19)
    assert await agents_phone(rig, 2) != leg
    assert rig.asterisk.got("Originate")[1]["Channel"] == "PJSIP/1002"
    assert rig.state("1001") == "not_ready"
    assert rig.domain.dialled == []


async def test_an_agent_who_hangs_up_while_the_citizen_is_rung_leaves_them_the_old_place(started) -> None:
    rig = await started()
    await chosen(rig)
    leg = await dialled_for(rig)
    rig.asterisk.hangs_up(leg)
    await rig.until(lambda: rig.state("1001") != "talking", "the agent out of it")
    answers(rig, agent="")
    rig.asterisk.join(cb(rig), NUMBER, ms() - 60_000)
    await told(rig, "entered", "reached")
    await rig.until(lambda: cb(rig) in order(rig), "in line again")
    assert order(rig)[0] == cb(rig)


async def test_citizen_first_they_wait_at_the_kept_place_and_are_offered_like_others(started) -> None:
    rig = await started(first=CallbackFirst.CITIZEN)
    await chosen(rig)
    await rig.bridge.sign_in("1001")
    await citizens_phone(rig, 1)
    assert variables(rig.asterisk.got("Originate")[0])["HOTLINE_CALLBACK_LEG"] == ""
    assert rig.domain.dialled == [(PROMISE, "", 1)]
    answers(rig, agent="")
    await told(rig, "entered", "reached")
    rig.asterisk.join(cb(rig), NUMBER, ms() - 60_000)
    await rig.until(lambda: order(rig)[:1] == [cb(rig)], "at the head of the line")
    await rig.bridge.sign_in("1002")
    await rig.until(lambda: rig.bridge.offers.of_call(cb(rig)), "an ordinary offer")
    assert not rig.bridge.offers.of_call(cb(rig)).offer.callback


async def test_nobody_is_dialled_outside_the_windows(started) -> None:
    minute = (ms() // 60_000 + 480) % 1440
    rig = await started(windows=(Window((minute + 60) % 1440, (minute + 120) % 1440),))
    call = await waiting(rig)
    rig.asterisk.user_event("AcdKey", call, Key="2")
    promised(rig, call)
    rig.asterisk.hangs_up(call)
    await rig.until(lambda: {what for _, what, _ in rig.domain.noted} == {"entered", "rests"}, "in line, and resting")
    await rig.bridge.sign_in("1001")
    assert rig.asterisk.got("Originate") == []


async def test_a_promise_that_an_agent_takes_by_hand_leaves_the_line(started) -> None:
    rig = await started()
    await chosen(rig)
    await told(rig, "entered")
    del rig.domain.promises[PROMISE]  # taken in the office, by another process
    rig.bridge.line.soon()
    await told(rig, "entered", "left")
    assert cb(rig) not in order(rig)


async def test_a_promise_called_from_the_list_leaves_the_line_at_once_and_stops_the_other_telephone(started) -> None:
    rig = await started()
    await chosen(rig)
    await rig.bridge.sign_in("1001")
    leg = await agents_phone(rig)
    await rig.bridge.sign_in("1002", ready=False)
    await rig.bridge.commands._callback("1002", {"callback_id": PROMISE})
    await told(rig, "entered", "left")
    await rig.until(lambda: any(one["Channel"] == leg for one in rig.asterisk.got("Hangup")), "1001's telephone let go")


async def test_a_promise_that_somebody_was_quicker_to_take_is_not_dialled(started) -> None:
    rig = await started()
    await chosen(rig)
    await rig.bridge.sign_in("1001")
    leg = await agents_phone(rig)
    rig.domain.promises[PROMISE] = replace(rig.domain.promises[PROMISE], in_line=False)
    up(rig, leg, "PJSIP/1001-00000001")
    await told(rig, "entered", "left")
    assert len(rig.asterisk.got("Originate")) == 1
    await rig.redirects("acd-callback-agent")


async def test_a_citizen_who_calls_again_and_is_served_is_not_called_back(started) -> None:
    rig = await started()
    await chosen(rig)
    again = await waiting(rig, ago_s=1)
    leg = rig.asterisk.rings(again, "1003")
    rig.asterisk.picks_up(again, "1003", leg, "failsafe")
    await rig.until(lambda: cb(rig) not in order(rig), "out of the line")
    await rig.until(lambda: ("reached", "called_again") in [(w, d.get("why")) for _, w, d in rig.domain.noted], "kept")


async def test_a_locked_database_delays_dialling_and_does_not_dial_without_it(started) -> None:
    rig = await started()
    await chosen(rig)
    await told(rig, "entered")
    await rig.bridge.sign_in("1001")
    leg = await agents_phone(rig)
    rig.domain.locked = True
    up(rig, leg, "PJSIP/1001-00000001")
    await rig.until(lambda: rig.state("1001") == "talking", "the agent waits")
    assert len(rig.asterisk.got("Originate")) == 1
    rig.domain.locked = False
    await citizens_phone(rig, 2)


async def test_the_board_counts_those_who_wait_to_be_called_and_not_as_callers(started) -> None:
    rig = await started()
    await chosen(rig)
    figures = rig.bridge.board.figures()
    assert (figures["callbacks"], figures["depth"]) == (1, 1)
    assert [call["number_masked"] for call in figures["waiting"]] == ["139****9000"]


# ------------------------------------------------------------------------------------------------------- restarts


async def restarted(rig: Rig, *channels: list[tuple[str, str]]) -> None:
    await rig.until(lambda: rig.bridge.core.facts.settle(0), "what is known is stored")
    await rig.bridge.stop()
    rig.asterisk.channels = {str(n): one for n, one in enumerate(channels)}
    rig.asterisk.actions.clear()
    await rig.start_bridge()


def ringing_citizen(rig: Rig, leg: str, agent: str = "1001") -> list[tuple[str, str]]:
    row = channel(
        cb(rig), name="PJSIP/trunk-99", application="AppDial2", CALL=cb(rig), PHASE="callback", NUMBER=NUMBER,
        CALLBACK_LEG=leg, CALLBACK_AGENT=agent,
    )  # fmt: skip
    return [(key, "Ringing" if key == "ChannelStateDesc" else value) for key, value in row]


def waiting_agent(rig: Rig, leg: str, state: str = "Up") -> list[tuple[str, str]]:
    row = channel(leg, name="PJSIP/1001-00000001", LEG="agent", PEER_CALL=cb(rig), AGENT="1001", TO=NUMBER)
    return [(key, state if key == "ChannelStateDesc" else value) for key, value in row]


async def test_a_restart_while_it_waits_keeps_the_place(started) -> None:
    rig = await started()
    await chosen(rig)
    behind = order(rig)[1]
    there = channel(behind, CALL=behind, PHASE="hold", NUMBER="13900139000", JOINED=str(ms() - 5_000))
    await restarted(rig, there)
    await rig.until(lambda: order(rig) == [cb(rig), behind], f"the old order, not {order(rig)}")
    await rig.bridge.sign_in("1001")
    await agents_phone(rig)


async def test_a_restart_while_the_agents_telephone_rings_lets_go_and_offers_again(started) -> None:
    rig = await started()
    await chosen(rig)
    await rig.bridge.sign_in("1001")
    leg = await agents_phone(rig)
    await restarted(rig, waiting_agent(rig, leg, "Ringing"))
    await rig.until(lambda: [one["Channel"] for one in rig.asterisk.got("Hangup")] == ["PJSIP/1001-00000001"], "let go")
    assert await agents_phone(rig) != leg
    assert rig.domain.dialled == []


async def test_a_restart_while_the_agent_waits_and_nobody_was_dialled_leaves_no_agent_reserved(started) -> None:
    rig = await started()
    await chosen(rig)
    await rig.bridge.sign_in("1001")
    leg = await agents_phone(rig)
    await restarted(rig, waiting_agent(rig, leg))
    await rig.redirects("acd-callback-agent")
    await rig.until(lambda: rig.state("1001") in ("ready", "offered", "wrap_up"), "not reserved")
    assert rig.domain.dialled == []
    assert rig.bridge.line.waiting() == 1


async def test_a_restart_while_the_citizen_is_rung_dials_nobody_twice_and_joins_them(started) -> None:
    rig = await started()
    await chosen(rig)
    leg = await dialled_for(rig)
    await restarted(rig, ringing_citizen(rig, leg), waiting_agent(rig, leg))
    await rig.until(lambda: rig.state("1001") == "talking", "the agent still waits")
    assert rig.asterisk.got("Originate") == []
    answers(rig)
    await rig.until(lambda: rig.domain.noted[-1][1] == "reached", "reached")
    assert rig.state("1001") == "talking"
    assert rig.domain.dialled == [(PROMISE, "1001", 1)]


async def test_a_restart_while_the_citizen_is_rung_in_vain_counts_that_attempt_once(started) -> None:
    rig = await started()
    await chosen(rig)
    leg = await dialled_for(rig)
    await restarted(rig, ringing_citizen(rig, leg), waiting_agent(rig, leg))
    await rig.until(lambda: rig.state("1001") == "talking", "the agent still waits")
    rig.asterisk.hangs_up(cb(rig), 17)
    await rig.until(lambda: rig.domain.noted[-1][1] == "rests", "to be tried later")
    assert (rig.domain.noted[-1][2]["attempts"], rig.domain.noted[-1][2]["why"]) == (1, "busy")
    await rig.until(lambda: rig.state("1001") == "ready", "a free agent")


async def test_an_attempt_that_ended_while_the_core_was_away_counts_and_is_tried_later(started) -> None:
    rig = await started()
    await chosen(rig)
    await dialled_for(rig)
    await restarted(rig)
    await rig.until(lambda: rig.domain.noted[-1][1] == "rests", "to be tried later")
    assert (rig.domain.noted[-1][2]["attempts"], rig.domain.noted[-1][2]["why"]) == (1, "unseen")
    await rig.until(lambda: rig.state("1001") in ("ready", "wrap_up"), "not reserved")
    assert rig.asterisk.got("Originate") == []


async def test_a_citizen_who_answered_while_the_core_was_away_was_reached(started) -> None:
    rig = await started()
    await chosen(rig)
    leg = await dialled_for(rig)
    talks = channel(
        cb(rig), name="PJSIP/trunk-99", application="ConfBridge(room", CALL=cb(rig), PHASE="room", NUMBER=NUMBER,
        AGENT="1001", ANSWERED=str(ms()), TALKED="1", JOINED=str(ms() - 60_000),
    )  # fmt: skip
    agent = channel(leg, name="PJSIP/1001-00000001", application="ConfBridge(room", LEG="agent", PEER_CALL=cb(rig),
                    AGENT="1001")  # fmt: skip
    await restarted(rig, talks, agent)
    await rig.until(lambda: rig.domain.noted[-1][1] == "reached", "reached")
    await rig.until(lambda: rig.state("1001") == "talking", "in talk")
    assert rig.domain.calls[cb(rig)]["direction"] == "out"


async def test_what_a_killed_core_had_decided_is_stored_before_the_line_is_read_again(started) -> None:
    rig = await started(attempts=1)
    await chosen(rig)
    await told(rig, "entered")
    await dialled_for(rig)
    rig.domain.locked = True
    rig.asterisk.hangs_up(cb(rig), 17)
    await rig.until(lambda: rig.bridge.line.waiting() == 0, "given up")
    assert rig.bridge.core.facts._journal.flush()
    await rig.bridge.stop()
    rig.asterisk.actions.clear()
    await rig.start_bridge()
    rig.domain.locked = False
    await rig.until(lambda: rig.domain.noted[-1][1] == "given_up", "given up in the database")
    await rig.until(lambda: rig.bridge.line._settled.is_set(), "the line is read")
    assert (rig.bridge.line.waiting(), rig.asterisk.got("Originate")) == (0, [])


# ------------------------------------------------------------------------------------- numbers that may not be called


@pytest.mark.parametrize("number", ["16887788", "110", "+85291234567"])
async def test_a_promise_whose_number_may_not_be_called_is_given_up_and_no_telephone_rings(started, number) -> None:
    rig = await started()
    call = await waiting(rig)
    rig.asterisk.hangs_up(call)
    await rig.bridge.sign_in("1001")
    promised(rig, call, number)
    await told(rig, "given_up")
    assert rig.domain.noted[0][2] == {"why": "not_allowed"}
    assert (rig.bridge.line.waiting(), order(rig), rig.asterisk.got("Originate")) == (0, [], [])


async def test_a_promise_that_the_settings_refuse_since_a_restart_is_given_up_and_phones_are_let_go(
    started,
) -> None:
    rig = await started()
    await chosen(rig)
    leg = await dialled_for(rig)
    rig.settings = rig.settings.model_copy(update={"callback_allowed": ["fixed"]})
    await restarted(rig, ringing_citizen(rig, leg), waiting_agent(rig, leg))
    await rig.until(lambda: rig.domain.noted[-1][1] == "given_up", "given up")
    assert rig.domain.noted[-1][2] == {"why": "not_allowed"}
    let_go = await rig.asterisk.arrival("Hangup")
    assert let_go[0]["Channel"] in (cb(rig), "PJSIP/trunk-99")
    (agent,) = await rig.redirects("acd-callback-agent")
    assert agent["Exten"] == "missed"
    assert rig.asterisk.got("Originate") == []
    await rig.until(lambda: rig.state("1001") in ("ready", "wrap_up", "offered"), "not reserved")


async def test_a_number_is_looked_at_once_more_before_it_is_dialled(started) -> None:
    rig = await started()
    await chosen(rig)
    await rig.bridge.sign_in("1001")
    leg = await agents_phone(rig)
    rig.bridge.line._calls._dialling.destinations = Destinations(call_back=())
    up(rig, leg, "PJSIP/1001-00000001")
    await told(rig, "entered", "given_up")
    (agent,) = await rig.redirects("acd-callback-agent")
    assert agent["Exten"] == "missed"
    assert len(rig.asterisk.got("Originate")) == 1, "the agent's telephone alone"
    await rig.until(lambda: rig.state("1001") in ("ready", "wrap_up", "offered"), "a free agent")


# ---------------------------------------------------------------------------------------------- a lost manager line


async def cut_and_back(rig: Rig, *channels: list[tuple[str, str]]) -> None:
    rig.asterisk.channels = {str(n): one for n, one in enumerate(channels)}
    sessions = rig.asterisk.sessions
    rig.asterisk.cut()
    await rig.until(lambda: rig.asterisk.sessions > sessions and rig.bridge.core.connected, "the line back", 15)


async def test_a_citizen_who_answered_while_the_line_was_lost_talks_with_the_agent(started) -> None:
    rig = await started()
    await chosen(rig)
    leg = await dialled_for(rig)
    await rig.until(lambda: rig.bridge.core.telephony.calls[cb(rig)].legs.get(cb(rig)), "dialled")
    talks = channel(
        cb(rig), name="PJSIP/trunk-99", application="ConfBridge(room", CALL=cb(rig), PHASE="room", NUMBER=NUMBER,
        AGENT="1001", ANSWERED=str(ms()), TALKED="1", JOINED=str(ms() - 60_000),
    )  # fmt: skip
    await cut_and_back(rig, talks, waiting_agent(rig, leg))
    await told(rig, "entered", "reached")
    view = rig.bridge.engine.snapshot()
    assert [(talk.call_id, talk.agent_id) for talk in view.talks] == [(cb(rig), "1001")]


async def test_an_attempt_that_ended_while_the_line_was_lost_is_tried_later(started) -> None:
    rig = await started()
    await chosen(rig)
    await dialled_for(rig)
    await cut_and_back(rig)
    await told(rig, "entered", "rests")
    await rig.until(lambda: rig.state("1001") in ("ready", "offered"), "a free agent")


async def test_a_promise_that_the_queue_dials_is_refused_to_agents_with_words(started) -> None:
    rig = await started()
    await chosen(rig)
    await dialled_for(rig)

    def refuse(callback_id: int, agent_id: str) -> None:
        raise Refused("系统正在拨打该号码，请稍候。", "The queue is calling this number just now.", code="dialling")

    rig.domain.take_callback = refuse  # type: ignore[method-assign, assignment]
    await rig.bridge.sign_in("1002", ready=False)
    with pytest.raises(Refused, match="calling this number just now"):
        await rig.bridge.commands._callback("1002", {"callback_id": PROMISE})
    assert cb(rig) in rig.bridge.core.telephony.calls
