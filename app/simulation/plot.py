"""A simulated day as four panels over one clock: connect rate, answered in time, waits, roster against demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, log10

from acd.report.formulas import BY_KEY
from acd.report.tally import Tally
from acd.simulate.play import Outcome
from acd.simulate.scenario import Scenario, Target
from app.simulation.drawing import FAINT, GRID, INK, Area, Dot, Picture, Stroke, Words

_WIDTH, _LEFT, _RIGHT = 1200, 84, 36
_TOP, _PANEL, _BETWEEN, _BOTTOM = 122, 180, 62, 52
_TODAY, _FOUND, _DEMAND, _PROMISE = "#9ca3af", "#1d4ed8", "#d97706", "#b91c1c"
_TODAY_FILL = "#eef0f3"

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    values: Values
    colour: str
    steps: bool = False
    filled: str = ""


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    series: tuple[_Series, ...]
    show: Callable[[float], str]
    top: float  # of the axis; 0 is its bottom
    promise: float | None = None


_WORDS = {
    "today": ("现行排班", "roster today"),
    "found": ("所求排班", "roster found"),
    "demand": ("话务需求（爱尔兰）", "demand (erlangs)"),
    "connect": ("接通率", "Connect rate"),
    "in_time": ("{s} 秒应答率", "Answered in {s} s"),
    "wait": ("平均等待（秒，含放弃者）", "Mean wait (s, those who gave up included)"),
    "roster": ("坐席人数与话务需求", "Agents rostered and demand"),
    "promise": ("目标 {p}", "target {p}"),
    "sum": (
        "{name}：呼入 {offered}/日，接通率 {connect}，{s} 秒应答率 {in_time}，坐席工时 {hours}/日",
        "{name}: {offered} calls a day, connect rate {connect}, in {s} s {in_time}, {hours} agent hours a day",
    ),
    "source": (
        "每半小时，{days} 个模拟日合计；排队引擎与生产系统相同",
        "by half-hour, {days} simulated days together; the queue engine is the one in production",
    ),
}


def _say(key: str, lang: str, **values: object) -> str:
    return _WORDS[key][lang.startswith("en")].format(**values)


def _rate(key: str) -> Callable[[Tally], float | None]:
    return lambda tally: BY_KEY[key].figure(tally).value


def mean_wait_s(tally: Tally) -> float | None:
    """Of everybody whose wait is over, answered or not; None when nobody's is."""
    waited_ms = tally.wait_answered_ms + tally.wait_abandoned_ms
    known = tally.answered + tally.abandoned
    return waited_ms / 1000 / known if known else None


def summary(outcome: Outcome, scenario: Scenario, name: str, lang: str = "zh") -> str:
    """One line about a roster: calls a day, rates, agent hours."""
    connect, in_time = (_rate(key)(outcome.whole) for key in ("connect_rate", "answered_in_target"))
    return _say(
        "sum", lang, name=_say(name, lang), offered=f"{outcome.whole.offered / outcome.days:,.0f}",
        connect=_percent(connect), in_time=_percent(in_time), s=scenario.target.within_s,
        hours=f"{sum(outcome.roster) / 2:,.1f}",
    )  # fmt: skip


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def plot(scenario: Scenario, today: Outcome, found: Outcome | None, target: Target, lang: str = "zh") -> Picture:
    """The day as it is, and with the roster that was found beside it."""
    panels = _panels(scenario, today, found, target, lang)
    height = _TOP + len(panels) * (_PANEL + _BETWEEN) - _BETWEEN + _BOTTOM + 26
    title = scenario.title["en" if lang.startswith("en") else "zh"]
    picture = Picture(_WIDTH, height, title)
    picture.add(Words((_LEFT, 36), title, 22, bold=True))
    picture.add(Dot((_LEFT + 5, 56), 5, _TODAY), Words((_LEFT + 18, 61), summary(today, scenario, "today", lang), 14))
    if found is not None:
        picture.add(Dot((_LEFT + 5, 78), 5, _FOUND))
        picture.add(Words((_LEFT + 18, 83), summary(found, scenario, "found", lang), 14))
    for number, panel in enumerate(panels):
        _draw(picture, scenario, panel, _TOP + 8 + number * (_PANEL + _BETWEEN))
    source = _say("source", lang, days=today.days)
    picture.add(Words((_LEFT, height - 14), source, 12, FAINT))
    return picture


def _panels(scenario: Scenario, today: Outcome, found: Outcome | None, target: Target, lang: str) -> tuple[_Panel, ...]:
    def both(value: Callable[[Tally], float | None]) -> tuple[_Series, ...]:
        shown = [_Series(_say("today", lang), [value(slot) for slot in today.slots], _TODAY)]
        if found is not None:
            shown.append(_Series(_say("found", lang), [value(slot) for slot in found.slots], _FOUND))
        return tuple(shown)

    waits = both(mean_wait_s)
    roster = [_Series(_say("today", lang), today.roster, _TODAY, steps=True, filled=_TODAY_FILL)]
    if found is not None:
        roster.append(_Series(_say("found", lang), found.roster, _FOUND, steps=True))
    demand = [scenario.load(slot) for slot in range(scenario.slots)]
    roster.append(_Series(_say("demand", lang), demand, _DEMAND))
    return (
        _Panel(_say("connect", lang), both(_rate("connect_rate")), _percent_axis, 1.0, target.connected),
        _Panel(
            _say("in_time", lang, s=target.within_s), both(_rate("answered_in_target")), _percent_axis, 1.0,
            target.in_time,
        ),
        _Panel(_say("wait", lang), waits, _number, _axis_top(waits)),
        _Panel(_say("roster", lang), tuple(roster), _number, _axis_top(roster)),
    )  # fmt: skip


def _percent_axis(value: float) -> str:
    return f"{value:.0%}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _axis_top(series: Sequence[_Series]) -> float:
    """A round number at or above the highest value, divisible into four."""
    highest = max((value for one in series for value in one.values if value is not None), default=0.0)
    if highest <= 0:
        return 4.0
    unit = 10.0 ** floor(log10(highest / 4))
    return next(4 * step * unit for step in (1, 2, 2.5, 5, 10) if 4 * step * unit >= highest)


def _draw(picture: Picture, scenario: Scenario, panel: _Panel, top: float) -> None:
    bottom, right = top + _PANEL, _WIDTH - _RIGHT
    across = (right - _LEFT) / scenario.slots

    def y(value: float) -> float:
        return bottom - min(value, panel.top) / panel.top * _PANEL

    picture.add(Words((_LEFT, top - 12), panel.title, 15, bold=True))
    _legend(picture, panel, right, top - 12)
    for series in panel.series:
        if series.filled:
            outline = _steps(series.values, across, y)
            picture.add(Area(((_LEFT, bottom), *outline, (outline[-1][0], bottom)), series.filled))
    for quarter in range(5):
        value = panel.top * quarter / 4
        picture.add(Stroke(((_LEFT, y(value)), (right, y(value))), GRID if quarter else FAINT))
        picture.add(Words((_LEFT - 10, y(value) + 5), panel.show(value), 12, FAINT, "end"))
    every = 2 if scenario.slots <= 30 else 4
    for slot in range(0, scenario.slots + 1, every):
        x = _LEFT + slot * across
        picture.add(Stroke(((x, bottom), (x, bottom + 5)), FAINT))
        picture.add(Words((x, bottom + 20), scenario.slot_name(slot), 12, FAINT, "middle"))
    if panel.promise is not None:
        picture.add(Stroke(((_LEFT, y(panel.promise)), (right, y(panel.promise))), _PROMISE, 1.5, dashed=True))
    for series in panel.series:
        if series.steps:
            picture.add(Stroke(tuple(_steps(series.values, across, y)), series.colour, 2.0))
        else:
            _line(picture, scenario, panel, series, across, y)


def _legend(picture: Picture, panel: _Panel, right: float, at: float) -> None:
    entries = [(one.name, one.colour) for one in panel.series]
    if panel.promise is not None:
        lang = "en" if panel.title.isascii() else "zh"
        entries.append((_say("promise", lang, p=_percent_axis(panel.promise)), _PROMISE))
    x = right
    for text, colour in reversed(entries):
        picture.add(Words((x, at), text, 13, INK, "end"))
        x -= 13 * sum(1.0 if ord(letter) > 0x2000 else 0.56 for letter in text) + 26
        picture.add(Stroke(((x, at - 5), (x + 20, at - 5)), colour, 2.5, dashed=colour == _PROMISE))
        x -= 18


def _steps(values: Values, across: float, y: Callable[[float], float]) -> list[tuple[float, float]]:
    points = []
    for slot, value in enumerate(values):
        points += [(_LEFT + slot * across, y(value or 0)), (_LEFT + (slot + 1) * across, y(value or 0))]
    return points


def _line(
    picture: Picture, scenario: Scenario, panel: _Panel, series: _Series, across: float, y: Callable[[float], float]
) -> None:
    """Through the middles of half-hours; broken where nobody called."""
    run: list[tuple[float, float]] = []
    dots = []
    for slot, value in enumerate([*series.values, None]):
        if value is None:
            if len(run) > 1:
                picture.add(Stroke(tuple(run), series.colour, 2.2))
            run = []
            continue
        run.append((_LEFT + (slot + 0.5) * across, y(value)))
        shown = panel.show(value) if panel.top > 1 else _percent(value)
        dots.append(Dot(run[-1], 3.2, series.colour, f"{scenario.slot_name(slot)} {series.name} {shown}"))
    picture.add(*dots)
