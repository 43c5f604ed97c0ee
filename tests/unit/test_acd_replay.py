"""A day's journal fed to a fresh engine: the same decisions byte for byte, or the first that differs."""

from __future__ import annotations

from acd import journal
from acd.model import CallLeft, Tick
from acd.replay import Line, replay
from tests.acd_kit.lab import T0, Lab


def day(start_ms: int = T0) -> Lab:
    lab = Lab(start_ms=start_ms)
    lab.talk("c1", "1001")
    lab.wait(5)
    lab.join("c2")
    lab.join("c3")
    lab.wait(60)
    lab.do(CallLeft("c3", "abandoned"))
    lab.end_talk("c1")
    lab.wait(60)
    return lab


def placed(lines: list[str]) -> list[Line]:
    return [Line(f"acd.jsonl:{number}", text) for number, text in enumerate(lines, start=1)]


def test_an_untouched_day_is_decided_the_same():
    lab = day()
    found = replay(placed(lab.lines))
    assert found.same
    assert (found.lives, found.torn, found.unwritten) == (1, 0, 0)
    assert found.decisions == len(lab.seen)
    assert found.events == len(lab.lines) - len(lab.seen) - 1


def test_the_first_decision_that_differs_is_shown_with_its_place():
    lines = day().lines
    at = next(number for number, line in enumerate(lines) if '"d":"Offer"' in line)
    lines[at] = lines[at].replace('"agent_id":"1001"', '"agent_id":"1002"')
    found = replay(placed(lines))
    assert not found.same
    first = found.difference
    assert first is not None
    assert first.event == "CallJoined"
    assert first.place == f"acd.jsonl:{max(n for n in range(at) if chr(34) + 'e' + chr(34) in lines[n]) + 1}"
    assert first.written[first.at] == lines[at]
    assert '"1001"' in first.decided[first.at]


def test_other_bytes_are_a_difference_even_where_they_mean_the_same():
    lines = day().lines
    at = next(number for number, line in enumerate(lines) if '"d":"Queued"' in line)
    lines[at] = lines[at].replace(",", ", ", 1)
    assert journal.decode(lines[at])
    assert replay(placed(lines)).difference is not None


def test_a_decision_that_is_missing_in_the_middle_is_a_difference():
    lines = day().lines
    at = next(number for number, line in enumerate(lines) if '"d":"Queued"' in line)
    found = replay(placed(lines[:at] + lines[at + 1 :]))
    assert found.difference is not None
    assert lines[at] in found.difference.decided


def test_a_changed_event_is_found_by_what_follows_from_it():
    lines = day().lines
    at = next(number for number, line in enumerate(lines) if '"e":"CallLeft"' in line)
    lines[at] = journal.encode(Tick(), journal.decode(lines[at])[0])
    assert replay(placed(lines)).difference is not None


def test_what_a_crash_tore_is_forgiven_at_the_end_of_a_life_and_counted():
    first, second = day(), day(T0 + 3_600_000)
    cut = max(number for number, line in enumerate(first.lines) if '"d":' in line)
    found = replay(placed([*first.lines[:cut], first.lines[cut][:20], *second.lines]))
    assert found.same
    assert (found.lives, found.torn, found.unwritten) == (2, 1, 1)


def test_a_line_that_cannot_be_read_elsewhere_is_damage_with_its_place():
    lines = day().lines
    lines[7] = '{"t":1,"broken'
    found = replay(placed(lines))
    assert not found.same
    assert found.damage is not None
    assert found.damage.place == "acd.jsonl:8"


def test_a_journal_that_begins_in_the_middle_cannot_be_replayed_and_says_so():
    found = replay(placed(day().lines[1:]))
    assert found.damage is not None
    assert "header" in found.damage.why


def test_only_the_day_is_compared_but_the_whole_life_is_fed():
    lab = day()
    at = next(number for number, line in enumerate(lab.lines) if '"d":"Offer"' in line)
    lines = list(lab.lines)
    lines[at] = lines[at].replace('"agent_id":"1001"', '"agent_id":"1009"')  # before the day that is asked for
    later = replay(placed(lines), since_ms=T0 + 4_000)
    assert later.same
    assert 0 < later.decisions < len(lab.seen)
    assert replay(placed(lines), until_ms=T0 + 4_000).difference is not None
