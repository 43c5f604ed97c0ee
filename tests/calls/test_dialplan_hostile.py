"""What a caller controls: names and numbers made to break the dialplan, the events, the sidecars or a screen."""

from __future__ import annotations

import re

import pytest

from cti_bridge import endings
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.raw_sip import RawCaller
from tests.peers.waiting import wait_until

HOSTILE: dict[str, bytes] = {
    "quotes": b'"a\\"b\'c`d" <sip:13811112222@evil.example>',
    "commas and semicolons": b'"a,b;c,Set(X=1)" <sip:13811112222@evil.example>',
    "expressions": b'"${SHELL(id)} $[1+1] ${HOTLINE_AGI}" <sip:13811112222@evil.example>',
    "expression in the number": b"<sip:${SHELL(id)}138@evil.example>",
    "commands": b'"x; rm -rf / & $(id) | tee" <sip:138%3Brm%20-rf%20%2F@evil.example>',
    "line breaks by escape": b'"x\\\r\n y" <sip:138%0D%0AAction%3A%20Originate@evil.example>',
    "three hundred characters": b'"' + b"N" * 300 + b'" <sip:' + b"9" * 300 + b"@evil.example>",
    "Chinese": '"张三丰" <sip:13811112222@evil.example>'.encode(),
    "long Chinese": ('"' + "张" * 60 + '" <sip:13811112222@evil.example>').encode(),
    "bytes that are no text": b'"\xff\xfe\x80abc" <sip:13811112222@evil.example>',
    "an agent's number": b'"Agent" <sip:1001@evil.example>',
    "the hotline's own number": b"<sip:12345@evil.example>",
    "anonymous": b'"Anonymous" <sip:anonymous@anonymous.invalid>',
    "nothing": b"<sip:evil.example>",
    "markup": b'"<script>alert(1)</script>" <sip:13811112222@evil.example>',
    "an event header": b'"x, Agent: 1001, Call: 9" <sip:13811112222@evil.example>',
}


# These break the grammar of SIP itself: no call comes about.
NOT_SIP = ("expression in the number", "line breaks by escape")


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_and_numbers_arrive_filtered_and_end_like_any_other_call(
    asterisk_under_test: AsteriskUnderTest, kind: str
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    caller = RawCaller(hotline.settings.sip_host, hotline.settings.sip_port, "12345", HOSTILE[kind])
    status = caller.call()
    if kind in NOT_SIP:
        assert status in (0, 400)
        assert not hotline.manager.channels()
        return
    assert status == 200, "a citizen is answered, whatever the name"
    start = hotline.manager.wait_event("HotlineStart", after=mark)
    failsafe = hotline.manager.wait_event("HotlineFailsafe", after=mark, Call=start["Call"])
    assert failsafe["Cause"] == "agi-failed"
    channel = start["Channel"]
    number, name = (hotline.manager.variable(channel, f"HOTLINE_{part}") for part in ("NUMBER", "NAME"))
    assert re.fullmatch(r"[0-9+*#]{0,32}", number)
    assert len(name.encode()) <= 64
    assert not re.search(r"[\"'`${}\[\]();,<>&|\\\x00-\x1f]", name)
    assert "�" not in name or kind == "bytes that are no text"
    assert hotline.manager.variable(channel, "HOTLINE_LINE") == "12345"
    assert start["Call"] == hotline.manager.variable(channel, "HOTLINE_CALL")
    caller.hang_up()
    end = hotline.manager.wait_event("HotlineEnd", after=mark, Call=start["Call"])
    assert end["Number"] == number
    hotline.wait_no_channels()
    note = endings.read(hotline.settings.paths.call_spool)[start["Call"]]
    assert (note.call.number, note.call.line, note.phase) == (number, "12345", "failsafe")
    assert note.failsafe_cause == "agi-failed"
    assert note.call.started_ms <= note.call.joined_ms <= (note.call.ended_ms or 0)
    if kind == "Chinese":
        assert name == "张三丰"
    if kind == "an agent's number":
        assert number == "1001", "a citizen by address, not an agent by name"


def test_hostile_numbers_end_up_in_a_sidecar_that_can_be_read(asterisk_under_test: AsteriskUnderTest) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    caller = RawCaller(
        hotline.settings.sip_host,
        hotline.settings.sip_port,
        "12345",
        b'"\\",\\"kind\\":\\"x" <sip:1%22%2C%22kind%22%3A%22x@evil.example>',
    )
    assert caller.call() == 200
    start = hotline.manager.wait_event("HotlineStart", after=mark)
    hotline.manager.wait_event("HotlineFailsafe", after=mark, Call=start["Call"])
    hotline.wait_phase(start["Channel"], "voicemail")
    spool = hotline.settings.paths.voicemail_spool
    wait_until(lambda: (spool / f"{start['Call']}.wav").exists(), 10, "recording begins")
    caller.hang_up()
    note = hotline.sidecar(spool, start["Call"])
    assert note["kind"] == "voicemail"
    assert note["number"] == "1"


@pytest.mark.parametrize("to", ["h", "s", "i", "t", "fax", "acd-hold", "12345x", "1", "hotline-main"])
def test_dialling_a_word_of_the_dialplan_leads_nowhere(asterisk_under_test: AsteriskUnderTest, to: str) -> None:
    hotline = asterisk_under_test
    caller = RawCaller(hotline.settings.sip_host, hotline.settings.sip_port, to, b"<sip:13811112222@evil.example>")
    assert caller.call() in (404, 484)
    hotline.wait_no_channels()


def test_a_citizen_cannot_move_a_call_by_refer(asterisk_under_test: AsteriskUnderTest) -> None:
    hotline = asterisk_under_test
    endpoint = hotline.manager.list_action("PJSIPShowEndpoint", "EndpointDetailComplete", Endpoint="trunk")
    detail = next(event for event in endpoint if event["Event"] == "EndpointDetail")
    assert detail["AllowTransfer"] == "false"
    assert detail["DirectMediaMethod"]
    assert detail["DirectMedia"] == "false"
