"""`hotline acd`: the queue engine: its rules, what it decided and why, what it would do with another roster."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import explain, replay, report
from app.cli.output import Failure, err, out, progress, settings

if TYPE_CHECKING:
    from acd.simulate.demand import Demand
    from acd.simulate.play import Outcome
    from acd.simulate.scenario import Scenario, Target
    from acd.simulate.search import Found

app = typer.Typer(help="The queue engine: its rules, and its days explained, counted, simulated.", no_args_is_help=True)
app.command("explain")(explain.command)
app.command("replay")(replay.command)
app.command("report")(report.command)


def share(text: str) -> float:
    """`95%` or `0.95` as 0.95. Raises Failure for what is no share between 0 and 1."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise Failure(f"{text} is no share", "write it as 95% or 0.95", 2)
    return value


@app.command("simulate")
def simulate(
    scenario: Annotated[str, typer.Argument(help="town38, centre200, storm, or a YAML file of your own.")],
    target: Annotated[str, typer.Option(help="Find the smallest roster with this connect rate, as 95%.")] = "",
    target_in_time: Annotated[
        str, typer.Option("--target-in-time", help="… with this share answered in time (15 s), as 80%.")
    ] = "",
    search: Annotated[
        bool, typer.Option(help="Look for a roster when a target is given or the scenario's own.")
    ] = True,
    days: Annotated[int, typer.Option(min=0, max=200, help="Days to simulate; 0: as many as it needs.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same days.")] = 0,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for the plots; simulations/ in the instance's home by default.")
    ] = None,
    lang: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
) -> int:
    """Simulate whole days and, with a target, find the smallest roster that reaches it.

    Exit status 0: done (target reached if there was one), 1: no roster reaches the target, 2: the scenario is wrong.
    """
    from acd.simulate.demand import Demand
    from acd.simulate.search import NotFound, days_for

    chosen = _load(scenario)
    aim = chosen.target
    if target:
        aim = replace(aim, connected=share(target))
    if target_in_time:
        aim = replace(aim, in_time=share(target_in_time))
    demands = [Demand(chosen, seed + number) for number in range(days or days_for(chosen))]
    today = _play(chosen, demands)
    found = None
    try:
        if search and (aim.connected is not None or aim.in_time is not None):
            found = _search(chosen, aim, demands)
    except NotFound as error:
        raise Failure(str(error), "lower the target, or look at patience and handling times in the scenario") from None
    files = _draw(chosen, today, found, aim, plots, lang)
    if as_json:
        print(json.dumps(_as_json(chosen, seed, aim, today, found, files), ensure_ascii=False, indent=1))
    else:
        _show(chosen, today, found, lang)
        for file in files:
            err().print(f"→ {file}")
    return 0


@app.command("check")
def check(
    file: Annotated[
        Path | None, typer.Argument(help="A file of rules; the one that holds now if none is given.")
    ] = None,
    words: Annotated[bool, typer.Option(help="Also say in sentences what they do, as the page 排队规则 does.")] = False,
    lang: Annotated[str, typer.Option(help="zh or en.")] = "zh",
) -> int:
    """Check the rules of the queues without touching the running ones.

    Exit status 0: they can be used, 1: they are wrong, 2: there is no such file.
    """
    from app.queues.rules import load
    from app.queues.source import RulesFile
    from app.queues.words import sections
    from ivr.marked_yaml import DataFileError

    chosen = settings()
    path = file or RulesFile(chosen).path
    remedy = "docs/queue-rules.md says what may stand there"
    try:
        config = load(path, chosen)
    except DataFileError as error:
        raise Failure(str(error), remedy) from None
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", remedy, 2) from None
    out().print(f"{path}: {', '.join(queue.queue for queue in config.queues)}")
    for section in sections(config, chosen.callback_allowed, lang) if words else ():
        out().print(f"\n{section.queue or ('所有队列' if lang.startswith('zh') else 'all queues')}")
        for line in (line for told in section.told for line in told.lines):
            out().print(f"  {line}", soft_wrap=True)
    return 0


def _load(name: str) -> Scenario:
    from app.simulation.scenario_file import load, shipped
    from ivr.marked_yaml import DataFileError

    try:
        return load(name)
    except DataFileError as error:
        raise Failure(str(error), "docs/simulation.md says how a scenario is written", 2) from None
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}", f"give a YAML file or one of {', '.join(shipped())}", 2) from None


def _play(scenario: Scenario, demands: list[Demand]) -> Outcome:
    from acd.simulate.play import play

    with progress(f"simulating {scenario.name}") as advance:
        return play(scenario, scenario.roster, demands, advance)


def _search(scenario: Scenario, target: Target, demands: list[Demand]) -> Found:
    from acd.simulate.search import smallest

    with progress("searching the roster, half-hours") as advance:
        return smallest(scenario, target, demands, advance)


def _draw(
    scenario: Scenario, today: Outcome, found: Found | None, target: Target, folder: Path | None, lang: str
) -> list[Path]:
    from app.simulation.page import page
    from app.simulation.plot import plot
    from app.simulation.png import chinese_font, font_folders, latin_font, save

    chosen = settings()
    folders = font_folders(chosen.tools)
    font = chinese_font(folders)
    where = folder or chosen.home / "simulations"
    outcome = None if found is None else found.outcome
    html, png = where / f"{scenario.name}.html", where / f"{scenario.name}.png"
    try:
        where.mkdir(parents=True, exist_ok=True)
        picture = plot(scenario, today, outcome, target, lang)
        html.write_text(page(picture, scenario, today, outcome, lang), encoding="utf-8")
        if font is None and not lang.startswith("en"):
            err().print("no font with Chinese letters on this machine: the PNG's labels are English")
            picture, font = plot(scenario, today, outcome, target, "en"), latin_font(folders)
        save(picture, png, font)
    except OSError as error:
        raise Failure(f"the plots cannot be written: {error}", "choose another folder with --plots") from None
    return [png, html]


def _show(scenario: Scenario, today: Outcome, found: Found | None, lang: str) -> None:
    from acd.report.formulas import BY_KEY, name
    from acd.report.table import shown
    from acd.report.tally import Rules
    from app.cli.tables import narrow
    from app.simulation.page import COLUMNS
    from app.simulation.plot import summary

    columns = [key for key in COLUMNS if key not in ("answered", "longest_wait")]  # the page has them

    rules, english = Rules(target_s=scenario.target.within_s), lang.startswith("en")
    outcomes = [("today", today)] if found is None else [("today", today), ("found", found.outcome)]
    for which, outcome in outcomes:
        heads = ("half-hour", "agents", "erlangs") if english else ("时段", "坐席", "爱尔兰")
        table = narrow(
            summary(outcome, scenario, which, lang), [*heads, *(name(BY_KEY[k], rules, lang) for k in columns)]
        )
        for slot, (agents, tally) in enumerate(zip(outcome.roster, outcome.slots, strict=True)):
            cells = (shown(BY_KEY[key], tally, outcome.days) for key in columns)
            table.add_row(scenario.slot_name(slot), str(agents), f"{scenario.load(slot):.1f}", *cells)
        table.add_section()
        whole = (shown(BY_KEY[key], outcome.whole, outcome.days) for key in columns)
        table.add_row("the day" if english else "全天", "", "", *whole)
        out().print(table)
    if found is not None and found.shifts:
        said = "{} for {:g} h: {} agents" if english else "{} 起 {:g} 小时：{} 人"
        for shift in found.shifts:
            out().print(said.format(scenario.slot_name(shift.begins), shift.slots / 2, shift.agents))


def _outcome_json(scenario: Scenario, outcome: Outcome) -> dict[str, Any]:
    from acd.report.table import figures_json

    return {
        "agent_hours": sum(outcome.roster) / 2,
        "roster": outcome.roster,
        "day": figures_json(outcome.whole),
        "half_hours": [
            {"from": scenario.slot_name(slot), "agents": agents, "erlangs": round(scenario.load(slot), 3)}
            | {"figures": figures_json(tally)}
            for slot, (agents, tally) in enumerate(zip(outcome.roster, outcome.slots, strict=True))
        ],
    }


def _as_json(
    scenario: Scenario, seed: int, target: Target, today: Outcome, found: Found | None, files: list[Path]
) -> dict[str, Any]:
    return {
        "scenario": scenario.name,
        "seed": seed,
        "days": today.days,
        "target": asdict(target),
        "today": _outcome_json(scenario, today),
        "found": None
        if found is None
        else {
            **_outcome_json(scenario, found.outcome),
            "need": found.need,
            "shifts": [
                {"from": scenario.slot_name(one.begins), "hours": one.slots / 2, "agents": one.agents}
                for one in found.shifts
            ],
        },
        "files": [str(file) for file in files],
    }
