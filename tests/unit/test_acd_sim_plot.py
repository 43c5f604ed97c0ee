"""Plots of a simulated day: the same picture as SVG and PNG, readable with and without a Chinese font."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

from acd.report.tally import Tally
from acd.simulate.play import Outcome
from app.simulation.drawing import Stroke, Words, to_svg
from app.simulation.page import page
from app.simulation.plot import plot
from app.simulation.png import chinese_font, font_folders, save
from app.simulation.scenario_file import load

TOWN = load("town38")
SVG = "{http://www.w3.org/2000/svg}"


def outcome(answered: int, agents: int) -> Outcome:
    slot = Tally(offered=20, settled=20, judged=20, answered=answered, in_target=answered // 2, abandoned=20 - answered)
    slot.wait_answered_ms, slot.wait_abandoned_ms = answered * 9_000, (20 - answered) * 60_000
    quiet = Tally()
    return Outcome((agents,) * 28, 2, (quiet, *[slot] * 27), slot, 1_000)


def words(lang: str) -> list[str]:
    picture = plot(TOWN, outcome(8, 2), outcome(20, 7), TOWN.target, lang)
    return [shape.text for shape in picture.shapes if isinstance(shape, Words)]


def test_both_rosters_their_rates_and_the_promise_are_labelled():
    chinese = " ".join(words("zh"))
    for said in (
        "接通率",
        "15 秒应答率",
        "平均等待",
        "坐席人数与话务需求",
        "现行排班",
        "所求排班",
        "目标 95%",
        "40.0%",
    ):
        assert said in chinese
    english = words("en")
    assert all(text.isascii() for text in english), [text for text in english if not text.isascii()]


def test_the_svg_is_well_formed_and_its_points_tell_their_values():
    picture = plot(TOWN, outcome(8, 2), None, TOWN.target, "zh")
    root = ET.fromstring(to_svg(picture))
    hints = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert any("08:30" in hint and "40.0%" in hint for hint in hints)
    assert not any("08:00" in hint and "接通率" in hint for hint in hints)  # nobody called: no point


def test_nothing_is_drawn_outside_the_picture():
    picture = plot(TOWN, outcome(8, 2), outcome(20, 7), TOWN.target)
    for shape in picture.shapes:
        if isinstance(shape, Stroke):
            assert all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in shape.points)


def test_the_page_stands_alone_and_has_every_half_hour_in_a_table():
    today = outcome(8, 2)
    text = page(plot(TOWN, today, None, TOWN.target), TOWN, today, None)
    assert "<svg" in text
    assert "<td>21:30</td>" in text
    assert "接通量 ÷" in text
    for outside in ("<script", "src=", "href=", "url("):
        assert outside not in text


@pytest.mark.parametrize("with_font", [True, False])
def test_the_png_is_written_sharp_enough_for_paper(tmp_path: Path, with_font: bool):
    font = chinese_font(font_folders(Path(".telephony"))) if with_font else None
    lang = "zh" if font else "en"
    picture = plot(TOWN, outcome(8, 2), outcome(20, 7), TOWN.target, lang)
    save(picture, tmp_path / "day.png", font)
    with Image.open(tmp_path / "day.png") as image:
        assert image.size == (picture.width * 2, picture.height * 2)
        colours = {colour for _, colour in image.getcolors(1 << 20) or []}
    assert (29, 78, 216) in colours  # the roster found
    assert len(colours) > 20
