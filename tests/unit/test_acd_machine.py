"""A random telephone system, with faults, drives the engine for thousands of steps.

Callers come and go, are kept for an agent, called back, kept out by rules; phones answer, fail and say things twice,
late or about somebody else; both hang up in one moment; the link is silent; clocks jump; the process freezes. After
every step: nothing raised, no caller lost or doubled, no agent with two calls, order kept, every offer
that can be made is made. At the end the journal replays to the same bytes.

`HOTLINE_ACD_STEPS=200000 pytest tests/unit/test_acd_machine.py` is the long run.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from acd import journal
from acd.model import (
    AgentBusyOutside,
    AgentNotReady,
    AgentReady,
    AgentRestored,
    AgentRinging,
    AgentSignedIn,
    AgentSignedOut,
    AgentState,
    Announce,
    CallbackCancelled,
    CallbackChoosing,
    CallbackClosed,
    CallbackFirst,
    CallbackRequested,
    CallbackRestored,
    CallbackRules,
    CallHeld,
    CallJoined,
    CallLeft,
    CallOutOfReach,
    CallState,
    CitizenNotReached,
    CitizenReached,
    Decision,
    DialCitizen,
    EngineConfig,
    Event,
    FailCause,
    GroupStep,
    HourRule,
    NextState,
    NuisanceAction,
    NuisanceRule,
    NuisanceRuleLifted,
    NuisanceRuleSet,
    Offer,
    OfferAnswered,
    OfferFailed,
    Overflow,
    PhoneChanged,
    QueueConfig,
    QueueConfigured,
    RelaxRule,
    RelaxStep,
    TalkAdopted,
    TalkEnded,
    TelephoneLink,
    Tick,
    TurnedAway,
    Window,
    WrapUpDone,
    WrapUpExtended,
)
from acd.tables import CALLBACKS
from tests.acd_kit.invariants import assert_sound
from tests.acd_kit.lab import T0, Lab, of, patient

calls = st.integers(1, 14).map("c{}".format)
agents = st.integers(1, 4).map("10{:02d}".format)
queues = st.sampled_from(["general", "enterprise", "nowhere"])
needs = st.sampled_from([{}, {}, {"zh": 1}, {"yue": 3}, {"en": 2, "water": 4}, {"unheard_of": 1}])
abilities = st.sampled_from([{}, {"zh": 5}, {"zh": 3, "yue": 3}, {"en": 5, "water": 5, "yue": 1}])
serves = st.sampled_from([("general",), ("general", "enterprise"), ("enterprise",), ()])
causes = st.sampled_from(list(FailCause))

keys = st.sampled_from(["", "k1", "k2", "k3"])
groups = st.sampled_from(["", "city", "district"])

_RELAX = (RelaxRule("yue", (RelaxStep(10, {"yue": 1}), RelaxStep(30, {"en": 1}))),)
_CONFIG = EngineConfig(
    queues=(
        QueueConfig("general", overflow_wait_s=240, overflow_length=8, overflow_unstaffed_s=60, last_agent_s=10),
        patient("enterprise", wrapup_s=0, priority=1),
    ),
    relax=_RELAX,
    rare_skills=("en", "unheard_of"),
    flag_priority={"elderly": 5},
    ready_max_s=300,
    not_ready_max_s=400,
    talk_max_s=200,
    hold_max_s=20,
    forget_after_s=100,
)
_WITH_CALLBACKS = EngineConfig(
    queues=(
        QueueConfig(
            "general",
            hours=(HourRule(Window(8 * 60, 9 * 60), overflow_wait_s=50, overflow_length=2, closed=True),),
            groups=(GroupStep(""), GroupStep("city", 5), GroupStep("district", 15)),
            callback=CallbackRules(10, None, CallbackFirst.AGENT, retry_s=5, max_age_s=7_200, dial_timeout_s=20),
        ),
        patient(
            "enterprise",
            callback=CallbackRules(None, 30, CallbackFirst.CITIZEN, (Window(0, 0),), 2, 20, 400, 15),
            relax=(RelaxRule("en", (RelaxStep(0, {"zh": 1}),)),),
        ),
    ),
    ageing_per_minute=7,
)
_FIRST_RELEASE = EngineConfig(queues=_CONFIG.queues, behaviour=1)
STEPS = int(os.environ.get("HOTLINE_ACD_STEPS", "2400"))
STEPS_EACH = 70


class Telephone(RuleBasedStateMachine):
    """`alive` is what the model knows of callers: joined and not yet left, with their first place."""

    def __init__(self) -> None:
        super().__init__()
        self.lab = Lab(_CONFIG)
        self.alive: dict[str, int] = {}
        self.attempts: dict[str, int] = {}
        self.told: dict[str, tuple[int, int, int]] = {}
        self.coming: list[str] = []  # callers on the way back to the hold loop
        self.old_offers: list[Offer] = []

    # --------------------------------------------------------------------------------------------------- one step

    steps = 0  # over all runs

    def do(self, event: Event | object) -> None:
        Telephone.steps += 1
        before = {demand.key: list(demand.waiting) for demand in self.lab.engine._floor.demands.values()}
        decisions = self.lab.do(event)  # type: ignore[arg-type]
        self._watch(decisions, before)

    def pass_time(self, seconds: float) -> None:
        self._watch(self.lab.wait(seconds), {})

    def _watch(self, decisions: list[Decision], before: dict[object, list[object]]) -> None:
        floor = self.lab.engine._floor
        self.old_offers.extend(of(Offer, decisions))
        aloud = (Offer, Overflow, TurnedAway, DialCitizen)
        assert floor.link_up or not [decision for decision in decisions if isinstance(decision, aloud)]
        for offer in of(Offer, decisions):
            call = floor.calls[offer.call_id]
            if call.demand is not None and call.key is not None:
                behind = [
                    key for key in call.demand.waiting if key < call.key and key in before.get(call.demand.key, [])
                ]
                assert not behind, f"{offer.call_id} was offered before {behind}"
        for decision in decisions:
            recalled = getattr(decision, "recall", False)
            if recalled:
                self.coming.append(decision.call_id)  # type: ignore[union-attr]
        for said in of(Announce, decisions):
            low, high = said.wait_low_s, said.wait_high_s
            position, old_low, old_high = self.told.get(said.call_id, (10**9, 10**9, 10**9))
            assert said.position <= position
            assert low is None or low <= old_low
            assert high is None or high <= old_high
            assert low is None or high is None or low <= high
            self.told[said.call_id] = (
                said.position,
                old_low if low is None else low,
                old_high if high is None else high,
            )
        for gone in of(Overflow, decisions) + of(TurnedAway, decisions):
            assert gone.call_id in self.alive
        for closed in of(CallbackClosed, decisions):
            del self.alive[closed.callback_id]

    # ------------------------------------------------------------------------------------------------------- callers

    @initialize(config=st.sampled_from([_CONFIG, _WITH_CALLBACKS, _FIRST_RELEASE]))
    def some_agents_sign_in(self, config) -> None:
        self.lab = Lab(config)
        self.do(AgentSignedIn("1001", {"zh": 5, "yue": 3}, ("general",), True))
        self.do(AgentSignedIn("1002", {"zh": 5}, ("general", "enterprise"), True))
        self.do(AgentSignedIn("1003", {"en": 5, "water": 5, "yue": 1}, ("general",), True))

    @rule(count=st.integers(2, 6), skills=needs)
    def many_citizens_call_at_once(self, count, skills) -> None:
        for call_id in [f"c{n}" for n in range(1, 15) if f"c{n}" not in self.alive][:count]:
            self.a_citizen_calls(call_id, "general", skills, 0, 0)

    @rule(
        call_id=calls,
        queue=queues,
        skills=needs,
        priority=st.sampled_from([0, 0, 0, 10, 100]),
        ago=st.integers(0, 90),
        key=keys,
        last=st.sampled_from(["", "1001", "1002", "9999"]),
        flags=st.sampled_from([(), ("elderly",), ("odd", "elderly")]),
    )
    def a_citizen_calls(self, call_id, queue, skills, priority, ago, key="", last="", flags=()) -> None:
        if call_id in self.alive:
            return
        self.alive[call_id] = self.lab.now
        self.attempts[call_id] = 1
        self.told.pop(call_id, None)
        joined = self.lab.now - (ago * 1000 if ago > 60 else 0)
        self.do(CallJoined(call_id, queue, joined, priority, skills, "zh", "13800000000", 1, flags, last, key))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), numbered=st.booleans())
    def the_hold_loop_reports_a_caller_again(self, data, numbered) -> None:
        call_id = data.draw(st.sampled_from(sorted(self.alive)))
        self._return(call_id, numbered)

    @precondition(lambda self: self.coming)
    @rule()
    def a_recalled_caller_is_back_in_the_hold_loop(self) -> None:
        call_id = self.coming.pop(0)
        if call_id in self.alive:
            self._return(call_id, numbered=True)

    def _return(self, call_id: str, numbered: bool) -> None:
        call = self.lab.engine._floor.calls[call_id]
        self.attempts[call_id] = self.attempts.get(call_id, 0) + numbered
        attempt = self.attempts[call_id] if numbered else 0
        self.do(CallJoined(call_id, call.queue, T0, call.asked_priority, dict(call.skills), attempt=attempt))
        # Whoever rejoins keeps the place: join time only ever goes back.
        assert call.state in (CallState.WAITING, CallState.OFFERED, CallState.OVERFLOWED)

    @rule(call_id=calls)
    def a_duplicate_join_arrives(self, call_id) -> None:
        if self.attempts.get(call_id, 0) >= 1 and call_id in self.alive:
            state = self.lab.call_state(call_id)
            self.do(CallJoined(call_id, "general", self.lab.now, 0, {}, attempt=1))
            assert self.lab.call_state(call_id) == state

    @rule(call_id=calls)
    def a_caller_is_out_of_reach(self, call_id) -> None:
        before = self.lab.engine.place(call_id)
        self.do(CallOutOfReach(call_id))
        assert self.lab.engine.place(call_id) == before

    @rule(call_id=calls, why=st.sampled_from(["hangup", "voicemail", ""]))
    def a_citizen_hangs_up(self, call_id, why) -> None:
        self.do(CallLeft(call_id, why))
        self.alive.pop(call_id, None)
        self.attempts.pop(call_id, None)

    @precondition(lambda self: self.lab.engine.snapshot().talks)
    @rule(data=st.data(), agent_first=st.booleans())
    def agent_and_citizen_hang_up_in_one_moment(self, data, agent_first) -> None:
        talk = data.draw(st.sampled_from(list(self.lab.engine.snapshot().talks)))
        events = [TalkEnded(talk.call_id, talk.agent_id), CallLeft(talk.call_id, "hangup")]
        for event in events if agent_first else reversed(events):
            self.do(event)
        self.alive.pop(talk.call_id, None)

    @precondition(lambda self: self._open_offers())
    @rule(data=st.data(), ringing=st.booleans(), answered_too=st.booleans())
    def a_citizen_hangs_up_at_some_step_of_an_offer(self, data, ringing, answered_too) -> None:
        offer = data.draw(st.sampled_from(self._open_offers()))
        if ringing:
            self.do(AgentRinging(offer.call_id, offer.agent_id, offer.offer_id))
        self.do(CallLeft(offer.call_id, "hangup"))
        self.alive.pop(offer.call_id, None)
        if answered_too:
            self.do(OfferAnswered(offer.call_id, offer.agent_id, offer.offer_id))
        else:
            self.do(OfferFailed(offer.call_id, offer.agent_id, offer.offer_id, FailCause.CANCELLED))

    # ------------------------------------------------------------------------------------------ call-backs and rules

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), number=st.integers(1, 4), key=keys, gone=st.booleans(), choosing=st.booleans())
    def a_caller_asks_to_be_called_back(self, data, number, key, gone, choosing) -> None:
        call_id, callback_id = data.draw(st.sampled_from(sorted(self.alive))), f"b{number}"
        if choosing:
            self.do(CallbackChoosing(call_id))
        place = self.lab.engine._floor.calls[call_id].joined
        known = callback_id in self.lab.engine._floor.calls
        self.do(CallbackRequested(call_id, callback_id, key))
        callback = self.lab.engine._floor.calls.get(callback_id)
        if callback is not None and not known:
            assert callback.joined == place
            self.alive[callback_id] = place
            self.attempts[callback_id] = 0
            if gone:
                self.do(CallLeft(call_id, "callback"))
                self.alive.pop(call_id)

    @rule(
        number=st.integers(1, 4),
        queue=queues,
        key=keys,
        attempts=st.integers(0, 2),
        later=st.sampled_from([0, 40]),
        dialling=st.sampled_from([None, "", "1001", "1002"]),
    )
    def a_callback_is_restored(self, number, queue, key, attempts, later, dialling) -> None:
        callback_id, now = f"b{number}", self.lab.now
        known = callback_id in self.lab.engine._floor.calls
        rest = (attempts, now + later * 1000, now - 90_000, dialling is not None, dialling or "")
        self.do(CallbackRestored(callback_id, queue, now - 60_000, 0, {}, key, *rest))
        if not known and callback_id in self.lab.engine._floor.calls:
            self.alive[callback_id] = now
            self.attempts[callback_id] = 0

    def _callbacks(self) -> list[str]:
        return [call.call_id for call in self.lab.engine._floor.calls.values() if call.state in CALLBACKS]

    @precondition(lambda self: self._callbacks())
    @rule(data=st.data(), what=st.sampled_from(["reached", "reached", "not reached", "cancelled"]))
    def the_telephone_speaks_of_a_callback(self, data, what) -> None:
        callback_id = data.draw(st.sampled_from(self._callbacks()))
        if what == "reached":
            self.do(CitizenReached(callback_id))
            assert self.lab.call_state(callback_id) in ("talking", "waiting", "offered")
        else:
            self.do(CitizenNotReached(callback_id) if what == "not reached" else CallbackCancelled(callback_id, "2001"))

    @rule(call_id=st.sampled_from(["b1", "b2", "c1", "b9"]))
    def the_telephone_speaks_of_some_callback(self, call_id) -> None:
        self.do(CitizenReached(call_id))
        self.do(CitizenNotReached(call_id))

    @rule(
        number=st.integers(1, 3),
        key=keys,
        action=st.sampled_from(list(NuisanceAction)),
        value=st.integers(0, 20),
        last_s=st.sampled_from([-5, 10, 100]),
    )
    def a_rule_about_a_caller_begins(self, number, key, action, value, last_s) -> None:
        until = self.lab.now + last_s * 1000
        self.do(NuisanceRuleSet(NuisanceRule(f"r{number}", key, action, until, "2001", "shouts", value)))

    @rule(number=st.integers(1, 3))
    def a_rule_is_lifted(self, number) -> None:
        self.do(NuisanceRuleLifted(f"r{number}", "2001"))

    # -------------------------------------------------------------------------------------------------- the telephone

    def _open_offers(self) -> list[Offer]:
        current = {seen.offer_id for seen in self.lab.engine.snapshot().offers}
        return [offer for offer in self.old_offers if offer.offer_id in current]

    @precondition(lambda self: self._open_offers())
    @rule(data=st.data())
    def an_agent_answers(self, data) -> None:
        offer = data.draw(st.sampled_from(self._open_offers()))
        self.do(OfferAnswered(offer.call_id, offer.agent_id, offer.offer_id))
        assert self.lab.call_state(offer.call_id) == ("callback_dialling" if offer.callback else "talking")

    @precondition(lambda self: self.old_offers)
    @rule(data=st.data())
    def a_phone_is_said_to_ring(self, data) -> None:
        offer = data.draw(st.sampled_from(self.old_offers))
        self.do(AgentRinging(offer.call_id, offer.agent_id, offer.offer_id))

    @rule(agent_id=agents, held=st.booleans())
    def an_agent_holds_or_resumes(self, agent_id, held) -> None:
        self.do(CallHeld(agent_id, held))

    @precondition(lambda self: self._open_offers())
    @rule(data=st.data(), cause=causes, back=st.booleans())
    def an_offer_fails(self, data, cause, back) -> None:
        offer = data.draw(st.sampled_from(self._open_offers()))
        self.do(OfferFailed(offer.call_id, offer.agent_id, offer.offer_id, cause))
        if back and offer.call_id in self.alive and not offer.callback:
            self._return(offer.call_id, numbered=True)

    @precondition(lambda self: self.old_offers)
    @rule(data=st.data(), answered=st.booleans(), cause=causes)
    def the_telephone_speaks_of_an_old_offer(self, data, answered, cause) -> None:
        offer = data.draw(st.sampled_from(self.old_offers))
        if answered:
            self.do(OfferAnswered(offer.call_id, offer.agent_id, offer.offer_id))
        else:
            self.do(OfferFailed(offer.call_id, offer.agent_id, offer.offer_id, cause))

    @rule(call_id=calls, agent_id=agents, offer_id=st.sampled_from(["", "o1-0-1", "nonsense", "o\r\nx"]))
    def the_telephone_speaks_nonsense(self, call_id, agent_id, offer_id) -> None:
        self.do(OfferAnswered(call_id, agent_id, offer_id))
        self.do(OfferFailed(call_id, agent_id, offer_id, FailCause.NO_ANSWER))

    @rule(call_id=calls, agent_id=agents)
    def a_talk_ends(self, call_id, agent_id) -> None:
        self.do(TalkEnded(call_id, agent_id))

    @precondition(lambda self: self.lab.engine.snapshot().talks)
    @rule(data=st.data())
    def a_real_talk_ends(self, data) -> None:
        talk = data.draw(st.sampled_from(list(self.lab.engine.snapshot().talks)))
        self.do(TalkEnded(talk.call_id, talk.agent_id))

    @rule(call_id=calls, agent_id=agents)
    def a_talk_is_found(self, call_id, agent_id) -> None:
        self.do(TalkAdopted(call_id, agent_id, self.lab.now - 30_000))
        self.alive.setdefault(call_id, self.lab.now)
        self.attempts.setdefault(call_id, 0)

    @rule(agent_id=agents, reachable=st.booleans(), in_use=st.booleans())
    def a_phone_changes(self, agent_id, reachable, in_use) -> None:
        self.do(PhoneChanged(agent_id, reachable, in_use))

    # --------------------------------------------------------------------------------------------------------- agents

    @rule(agent_id=agents, skills=abilities, queues=serves, ready=st.booleans(), group=groups)
    def an_agent_signs_in(self, agent_id, skills, queues, ready, group) -> None:
        self.do(AgentSignedIn(agent_id, skills, queues, ready, group))

    @rule(agent_id=agents, state=st.sampled_from(list(AgentState)), skills=abilities, queues=serves)
    def an_agent_is_restored(self, agent_id, state, skills, queues) -> None:
        now = self.lab.now
        self.do(AgentRestored(agent_id, skills, queues, state, now - 5_000, now - 9_000, now + 9_000, "break"))

    @rule(agent_id=agents)
    def an_agent_signs_out(self, agent_id) -> None:
        self.do(AgentSignedOut(agent_id))

    @rule(
        agent_id=agents,
        state=st.sampled_from(list(AgentState)),
        direct=st.booleans(),
        by=st.sampled_from(["agent", "2001"]),
    )
    def an_agent_wishes(self, agent_id, state, direct, by) -> None:
        if direct and state in (AgentState.READY, AgentState.OFFERED):
            self.do(AgentReady(agent_id, by))
        elif direct:
            self.do(AgentNotReady(agent_id, "break", by))
        else:
            self.do(NextState(agent_id, state, "meal", by))

    @rule(agent_id=agents, seconds=st.integers(-5, 700), done=st.booleans())
    def an_agent_works_on_the_wrap_up(self, agent_id, seconds, done) -> None:
        self.do(WrapUpDone(agent_id) if done else WrapUpExtended(agent_id, seconds))

    @rule(agent_id=agents, busy=st.booleans())
    def an_agent_is_busy_outside(self, agent_id, busy) -> None:
        self.do(AgentBusyOutside(agent_id, busy))

    # ----------------------------------------------------------------------------------------------- time and settings

    @rule(seconds=st.sampled_from([0.01, 1, 3, 15, 25, 70]))
    def time_passes(self, seconds) -> None:
        self.pass_time(seconds)

    @rule(jump_s=st.sampled_from([-3600, -30, -0.5, 45, 3600]))
    def the_clock_jumps_or_the_process_freezes(self, jump_s) -> None:
        self.lab.now += round(jump_s * 1000)
        self.do(Tick())

    @rule(
        queue=st.sampled_from(["general", "enterprise"]),
        priority=st.integers(-1, 1),
        length=st.sampled_from([None, 3, 8]),
        wait_s=st.sampled_from([None, 30, 240]),
        unstaffed_s=st.sampled_from([None, 0, 60]),
    )
    def a_queue_gets_new_rules(self, queue, priority, length, wait_s, unstaffed_s) -> None:
        self.do(
            QueueConfigured(
                QueueConfig(
                    queue,
                    priority=priority,
                    overflow_length=length,
                    overflow_wait_s=wait_s,
                    overflow_unstaffed_s=unstaffed_s,
                    relax=_RELAX if length else (),
                    callback=CallbackRules(retry_s=10, dial_timeout_s=10) if wait_s else None,
                )
            )
        )

    @rule()
    def the_link_is_silent_for_a_minute(self) -> None:
        self.do(TelephoneLink(False))
        self.pass_time(60)
        self.do(TelephoneLink(True))

    @rule(up=st.booleans())
    def the_link_to_the_telephone_changes(self, up) -> None:
        offers = len(self.lab.engine.snapshot().offers)
        self.do(TelephoneLink(up))
        assert up or len(self.lab.engine.snapshot().offers) == offers

    @rule(thing=st.sampled_from([None, 7, object(), CallLeft(None), CallJoined(""), WrapUpExtended("1001", "x")]))  # type: ignore[arg-type]
    def something_that_is_no_event_arrives(self, thing) -> None:
        self.do(thing)

    # ------------------------------------------------------------------------------------------------------ what holds

    @invariant()
    def the_engine_is_sound(self) -> None:
        assert_sound(self.lab.engine)

    @invariant()
    def no_caller_is_lost_or_doubled(self) -> None:
        engine = self.lab.engine
        assert set(engine._floor.calls) == set(self.alive)
        view = engine.snapshot()
        places = [seen.call_id for seen in view.waiting] + sorted({talk.call_id for talk in view.talks})
        assert len(places) == len(set(places))
        holders = [offer.agent_id for offer in view.offers] + [talk.agent_id for talk in view.talks]
        assert len(holders) == len(set(holders))

    def teardown(self) -> None:
        assert journal.verify(self.lab.lines) is None


def test_nothing_that_happens_at_a_telephone_upsets_the_engine():
    Telephone.steps = 0
    while Telephone.steps < STEPS:
        run_state_machine_as_test(
            Telephone,
            settings=settings(
                max_examples=20,
                stateful_step_count=STEPS_EACH,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
