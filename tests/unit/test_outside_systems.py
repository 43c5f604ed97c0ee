"""What outside systems may do and are told: scopes, limits, the words of a push, where a push may go, certificates."""

from __future__ import annotations

import asyncio
import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from app.alarms.model import WARNINGS
from app.auth.model import Permission, Role, permissions_of
from app.certificates.model import Kind, Seen, judge
from app.errors import BadInput, Forbidden, NotFound
from app.machines.door import bearer
from app.machines.model import Buckets, Machine, Scope, comes_from, networks
from app.outgoing import Away, Patience, Refused
from app.outgoing import judge as judge_answer
from app.pushes.model import (
    PushEvent,
    Told,
    body_of,
    cause_of,
    checked_url,
    form,
    happened,
    shown_url,
    signature,
)
from app.pushes.reach import allowed, place
from cti_bridge.commands import _OVERSIGHT, COMMANDS
from cti_bridge.machines import ACTS, STATES, _cut
from cti_bridge.machines import COMMANDS as OF_MACHINES

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CALL = Told("h-1.1", True, "13800138000", "12345", "general", "1001", "张三", "normalClearing")


# -- who may what ----------------------------------------------------------------------------------------------------


def test_an_account_may_what_its_scopes_say_for_its_agents_and_no_more() -> None:
    reader = Machine(1, "crm", frozenset({Scope.calls_read}), frozenset({"1001"}))
    assert reader.actor.permissions == {Permission.calls_read, Permission.personal_read}
    with pytest.raises(Forbidden):
        reader.acting_for("1001")
    driver = Machine(1, "crm", frozenset({Scope.calls_control}), frozenset({"1001"}))
    actor = driver.acting_for("1001")
    assert (actor.agent_id, actor.permissions, actor.user_id) == ("1001", {Permission.calls_handle}, None)
    with pytest.raises(NotFound):
        driver.acting_for("1002")
    everybodys = Machine(1, "crm", frozenset({Scope.calls_control}), frozenset({"*"}))
    assert everybodys.acting_for("1002").agent_id == "1002"
    for nobody in ("", "*", "1", "1001,1002", "1001\0", "\ud800", "9" * 60_000):  # none of it is to be written down
        with pytest.raises(NotFound):
            everybodys.acting_for(nobody)
    assert not Machine(1, "crm").actor.permissions


def test_a_persons_permissions_are_their_roles_as_before() -> None:
    from app.actor import Actor

    assert Actor(1, frozenset({Role.agent})).permissions == permissions_of({Role.agent})


def test_what_supervisors_do_is_not_for_outside_systems() -> None:
    assert not OF_MACHINES & set(_OVERSIGHT)
    later = {"call.mute", "call.swap"}  # commands that desks learn with the phone in the page
    assert OF_MACHINES - later <= set(COMMANDS)
    assert set(ACTS.values()) | set(STATES.values()) <= OF_MACHINES


@pytest.mark.parametrize(
    ("address", "sources", "comes"),
    [
        ("10.1.2.3", [], True),
        ("10.1.2.3", ["10.1.2.0/24"], True),
        ("10.1.3.3", ["10.1.2.0/24", "192.0.2.7/32"], False),
        ("::ffff:10.1.2.3", ["10.1.2.0/24"], True),
        ("2001:db8::1", ["2001:db8::/32"], True),
        ("testclient", ["10.0.0.0/8"], False),
    ],
)
def test_an_account_comes_from_where_it_was_said(address: str, sources: list[str], comes: bool) -> None:
    assert comes_from(address, sources) is comes


def test_sources_are_addresses_or_networks() -> None:
    assert networks(["10.1.2.3", " 10.1.2.3/32 ", "10.0.0.5/8"]) == ["10.1.2.3/32", "10.0.0.0/8"]
    for wrong in ("crm.example", "10.1.2.999", "", "10.0.0.0/8; drop"):
        with pytest.raises(BadInput):
            networks([wrong])


@pytest.mark.parametrize(
    ("header", "token"),
    [(None, None), ("", None), ("Basic abc", None), ("Bearer hl_x", "hl_x"), ("bearer  hl_x ", "hl_x"), ("Bearer", "")],
)
def test_only_a_bearer_header_brings_a_token(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


def test_a_bucket_gives_a_burst_and_then_a_rate_to_each_by_itself() -> None:
    buckets = Buckets(2, 3, most=2)
    assert [buckets.wait("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait("b", 0.0) == 0
    assert buckets.wait("a", 0.4) > 0
    assert buckets.wait("a", 0.6) == 0
    buckets.wait("c", 0.6)  # one too many to remember
    assert len(buckets._left) == 2
    assert buckets.wait("a", 60.0, take=False) == 0 == buckets.wait("a", 60.0)


def test_nothing_of_a_card_goes_out_and_secret_numbers_are_masked_everywhere() -> None:
    told = {
        "call_id": "h-1.1",
        "number": "13912345678",
        "card": {"number": "13912345678"},
        "draft": {"case_id": 1},
        "members": [{"role": "citizen", "number": "13912345678", "card": 1}],
        "later": {"field": "x", "number": ""},
    }
    assert "13912345678" not in str(_cut(told, hide=True))
    clear = _cut(told, hide=False)
    assert (clear["number"], clear["members"][0]["number"]) == ("13912345678", "13912345678")
    assert not {"card", "draft"} & clear.keys()
    assert "card" not in clear["members"][0]
    assert clear["later"] == {"field": "x", "number": ""}


# -- what a push says ------------------------------------------------------------------------------------------------


def said(event: PushEvent, told: Told) -> dict[str, list[str]]:
    return parse_qs(body_of(form(event, told)).decode())


def test_a_call_from_a_citizen_in_zammads_words() -> None:
    common = {"from": ["13800138000"], "to": ["12345"], "direction": ["in"], "callId": ["h-1.1"]}
    assert said(PushEvent.new_call, Told("h-1.1", True, "13800138000", "12345", "general")) == {
        "event": ["newCall"], **common, "queue": ["general"],
    }  # fmt: skip
    assert said(PushEvent.answer, CALL) == {
        "event": ["answer"], **common, "queue": ["general"], "user": ["张三"], "answeringNumber": ["1001"],
    }  # fmt: skip
    assert said(PushEvent.hangup, CALL) == {
        "event": ["hangup"], **common, "cause": ["normalClearing"], "answeringNumber": ["1001"],
    }  # fmt: skip


def test_a_call_of_ours_goes_the_other_way_and_names_who_calls() -> None:
    told = Told("h-2.1", False, "13800138000", "12345", agent_name="张三 & co=1")
    fields = said(PushEvent.new_call, told)
    assert (fields["from"], fields["to"], fields["direction"]) == (["12345"], ["13800138000"], ["out"])
    assert fields["user[]"] == ["张三 & co=1"]


def test_a_number_that_must_not_be_told_is_anonymous() -> None:
    assert said(PushEvent.new_call, Told("h-1.1", True, "", "12345"))["from"] == ["anonymous"]


@pytest.mark.parametrize(
    ("outcome", "cause", "answered", "word"),
    [
        ("answered", "16", True, "normalClearing"),
        ("abandoned", "16", False, "cancel"),
        ("transferred", "16", True, "forwarded"),
        ("voicemail", "16", False, "normalClearing"),
        ("failed", "17", False, "busy"),
        ("failed", "19", False, "noAnswer"),
        ("failed", "1", False, "notFound"),
        ("failed", "34", False, "congestion"),
        ("failed", "16", False, "cancel"),
        (None, None, False, "normalClearing"),
    ],
)
def test_how_a_call_ended_in_zammads_words(outcome: str | None, cause: str | None, answered: bool, word: str) -> None:
    assert cause_of(outcome, cause, answered=answered) == word


def test_what_facts_tell_of() -> None:
    one, two, three = NOW, NOW + timedelta(seconds=5), NOW + timedelta(seconds=9)
    assert happened({"offered_at": one, "agent_id": "1001"}) == []
    assert happened({"started_at": one}) == [(PushEvent.new_call, "")]
    assert happened({"answered_at": two, "agent_id": "1001", "offered_at": one}) == [(PushEvent.answer, "1001")]
    # The telephone of who had answered has died: it is offered to the next, who has not answered yet.
    assert happened({"answered_at": one, "offered_at": two, "agent_id": "1002"}) == []
    assert happened({"started_at": one, "answered_at": two, "agent_id": "1001", "ended_at": three}) == [
        (PushEvent.new_call, ""), (PushEvent.answer, "1001"), (PushEvent.hangup, ""),
    ]  # fmt: skip


def test_a_signature_is_of_the_moment_and_the_body() -> None:
    made = signature("key", 1795521600, b"event=newCall")
    assert made == "sha256=" + __import__("hmac").new(b"key", b"1795521600.event=newCall", "sha256").hexdigest()
    assert made != signature("key", 1795521601, b"event=newCall")


@pytest.mark.parametrize(
    "url",
    ["ftp://crm.example/x", "file:///etc/passwd", "http://", "//crm.example/x", "http://user:pw@crm.example/", "",
     "http://crm.example:99999/", "http://crm.example:0/", "http://crm.example/#x", "http://crm.example/a b",
     "http://crm.example/\nHost: x", "http://crm.example/" + "a" * 500],
)  # fmt: skip
def test_pushes_go_to_web_addresses_only(url: str) -> None:
    with pytest.raises(BadInput):
        checked_url(url)


def test_the_path_of_an_address_is_not_shown() -> None:
    assert shown_url("https://crm.example:8443/api/v1/cti/s3cret?x=y") == "https://crm.example:8443/…"


@pytest.mark.parametrize(
    ("address", "allows"),
    [("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.1.1", False),
     ("169.254.169.254", False), ("::1", False), ("fe80::1", False), ("fd00::1", False), ("0.0.0.0", False),
     ("224.0.0.1", False), ("::ffff:10.1.2.3", False), ("100.64.0.1", False), ("::ffff:8.8.8.8", True),
     ("64:ff9b::8.8.8.8", True), ("64:ff9b::10.1.2.3", False), ("64:ff9b::127.0.0.1", False), ("::10.1.2.3", False),
     ("::ffff:0:10.1.2.3", False), ("fec0::1", False), ("2002:a01:203::1", False), ("ff0e::1", False)],
)  # fmt: skip
def test_pushes_go_to_no_private_address_unless_the_settings_say_so(address: str, allows: bool) -> None:
    given = ipaddress.ip_address(address)
    assert allowed(given, []) is allows
    assert allowed(given, ["0.0.0.0/0", "::/0"])


def test_a_named_network_holds_behind_a_translator_too() -> None:
    assert allowed(ipaddress.ip_address("64:ff9b::10.1.2.3"), ["10.0.0.0/8"])
    assert not allowed(ipaddress.ip_address("64:ff9b::10.1.2.3"), ["192.168.0.0/16"])
    assert allowed(ipaddress.ip_address("::ffff:10.1.2.3"), ["10.0.0.0/8"])
    assert allowed(ipaddress.ip_address("::1"), ["::1/128"])


def test_a_name_is_judged_by_where_it_leads() -> None:
    with pytest.raises(Away, match="private_address"):
        asyncio.run(place("localhost", 80, []))
    assert str(asyncio.run(place("127.0.0.1", 80, ["127.0.0.0/8"]))) == "127.0.0.1"


@pytest.mark.parametrize(("status", "says"), [(200, None), (204, None), (302, Away), (404, Away), (429, Away),
                                              (500, Away), (400, Refused), (410, Refused), (422, Refused)])  # fmt: skip
def test_what_an_answer_says(status: int, says: type[Exception] | None) -> None:
    if says is None:
        judge_answer(status)
        return
    with pytest.raises(says, match=str(status)):
        judge_answer(status)


def test_pauses_grow_to_their_bound_and_are_spread() -> None:
    patience = Patience(timedelta(seconds=2), timedelta(minutes=10), timedelta(hours=24))
    assert [patience.pause(tries).total_seconds() for tries in (1, 2, 3, 9, 10, 99)] == [2, 4, 8, 512, 600, 600]
    assert patience.pause(99, 0.0) == timedelta(minutes=7.5)
    assert patience.pause(99, 1.0) == timedelta(minutes=12.5)


# -- certificates ----------------------------------------------------------------------------------------------------

FILE = Path("/home/hotline/tls/hotline.crt")
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("left", "stage", "code"),
    [(400 * DAY, None, "ok"), (31 * DAY, None, "ok"), (30 * DAY, 30, "ends"), (8 * DAY, 30, "ends"),
     (7 * DAY, 7, "ends"), (2 * DAY, 7, "ends"), (DAY, 1, "ends"), (DAY / 24, 1, "ends"), (0 * DAY, 0, "lapsed"),
     (-DAY, 0, "lapsed")],
)  # fmt: skip
def test_a_certificate_is_warned_of_30_7_and_1_days_before(left: timedelta, stage: int | None, code: str) -> None:
    judged = judge(Seen(FILE, Kind.own, NOW + left), NOW)
    assert (judged.stage, judged.code) == (stage, code)
    assert bool(judged.remedy) is (stage is not None)


def test_a_certificate_that_was_exchanged_and_is_not_shown_yet_is_warned_of_too() -> None:
    judged = judge(Seen(FILE, Kind.own, NOW + 365 * DAY, served_ends=NOW + 5 * DAY), NOW)
    assert (judged.stage, judged.code) == (7, "stale")
    assert "restart" in judged.remedy


def test_each_kind_of_certificate_has_its_own_remedy() -> None:
    said = {kind: judge(Seen(FILE, kind, NOW + DAY), NOW).remedy for kind in Kind}
    assert len(set(said.values())) == len(Kind)
    assert "reload" in said[Kind.other]


def test_what_the_hotline_itself_is_not_ill_of_takes_no_core_from_its_proxy() -> None:
    assert "certificate_ends" in WARNINGS
    assert "recordings_disk_full" not in WARNINGS
