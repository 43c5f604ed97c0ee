"""Which numbers the dialplan lets out: those that Python's rule names; a call-back only if the queue wants one."""

from __future__ import annotations

import pytest

from app.destinations import Destinations
from tests.peers.fixtures import PhoneMaker
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork

CITIZEN = "13911112222"
NUMBERS = (
    *(CITIZEN, "14712345678", "17712345678", "13491234567", "17400123456", "1391111222", "139111122223"),
    *("01088881234", "02155551234", "0571876543210", "057187654321", "08986531234", "87654321", "6531234", "16887788"),
    *("110", "119", "12345", "95588", "96156", "4008123123", "057196156", "00442071838750", "+442071838750"),
    *("+85291234567", "+85328123456", "+886912345678", "*2113911112222#", "1795113911112222"),
)  # fmt: skip


def dials(hotline: AsteriskUnderTest, number: str, *variables: str) -> None:
    """The queue has the telephone of 1002, who may not dial out, call this number."""
    hotline.manager.action(
        "Originate", Channel="PJSIP/1002", Context="acd-outbound", Exten=number, Priority="1", Async="true",
        Variable=["HOTLINE_AGENT=1002", *variables],
    )  # fmt: skip


@pytest.mark.parametrize("asked", ["HOTLINE_OUTBOUND", "HOTLINE_CALLBACKS"])
def test_asterisk_reads_the_lists_as_python_does(asterisk_under_test: AsteriskUnderTest, asked: str) -> None:
    hotline, rule = asterisk_under_test, Destinations.of(asterisk_under_test.settings)
    expression = hotline.manager.variable("", asked)
    say = rule.may_dial if asked == "HOTLINE_OUTBOUND" else rule.may_call_back
    theirs = {one: hotline.manager.variable("", f'REGEX("{expression}" {one})') == "1" for one in NUMBERS}
    assert theirs == {one: say(one) for one in NUMBERS}
    assert True in theirs.values()
    assert False in theirs.values()


def test_a_call_back_needs_no_permission_to_dial_out(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker
) -> None:
    agent = phone("1002")
    public_network.answers(CITIZEN, then=lambda line: line.tone(700))
    dials(asterisk_under_test, CITIZEN, "HOTLINE_CALLBACK=7:1795521600000")
    citizen = public_network.wait_incoming()
    agent.wait_hears(700)
    citizen.wait_hears(880)
    citizen.hang_up()


@pytest.mark.parametrize(("number", "callback"), [(CITIZEN, ""), ("16887788", "7:1"), ("00442071838750", "7:1")])
def test_without_a_promise_or_to_a_number_outside_the_list_the_dialplan_refuses(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, number: str, callback: str
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    phone("1002")
    public_network.answers(number)
    dials(hotline, number, f"HOTLINE_CALLBACK={callback}")
    ended = hotline.manager.wait_event("AcdOutboundEnd", after=mark, Number=number)
    assert ended["Status"] == "REFUSED"
    assert public_network.incoming.empty()
