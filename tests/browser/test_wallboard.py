"""The wall: few numbers beside their targets, readable across a room, never old without saying so."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.fake_backend import FakeBackend, now_ms
from tests.browser.samples import board


def test_six_numbers_beside_their_targets_in_colour_and_word(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/wallboard", "boss")
    expect(page.locator(".big")).to_have_count(6)
    for name, level, texts in (
        ("depth", "bad", ["3", "未达标", "目标 0"]),
        ("longest", "bad", ["1:0", "未达标", "≤ 15 s"]),
        ("answered15", "good", ["90.7%", "达标", "≥ 90%", "1180 / 1300"]),
        ("connect24", "near", ["91.8%", "接近", "≥ 95%", "1288 / 1402"]),
        ("ready", "good", ["达标"]),
    ):
        number = page.get_by_test_id(f"big-{name}")
        expect(number).to_have_attribute("data-level", level)
        for text in texts:
            expect(number).to_contain_text(text)


def test_it_tells_how_well_waits_are_foretold_once_there_is_something_to_tell(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    page = sign_in("/wallboard", "boss")
    expect(page.get_by_test_id("foretold")).to_have_text("预计等待命中 84%（371 通，平均偏差 24 秒）")
    none = {"num": 0, "den": 0, "rate": None, "error_s": 0}
    fake.emit("wallboard.figures", {**board.board(now_ms()), "foretold_24h": none})
    expect(page.get_by_test_id("foretold")).to_have_count(0)


def test_it_fits_a_wall_of_1920_by_1080_without_scrolling_and_reads_from_afar(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    fake.board = board.board(now_ms(), waiting=40, agents=120)
    page = sign_in("/wallboard", "boss")
    page.set_viewport_size({"width": 1920, "height": 1080})
    expect(page.get_by_test_id("big-depth")).to_contain_text("40")
    assert page.evaluate(
        "document.documentElement.scrollHeight <= 1080 && document.documentElement.scrollWidth <= 1920"
    )
    sizes = page.eval_on_selector_all(
        ".big .value", "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(sizes) >= 80
    # Rows are whole: what does not fit is counted, not cut.
    cut = """all => {
      const bottom = (one) => one.getBoundingClientRect().bottom
      return all.filter((one) => bottom(one) > bottom(one.closest('.list')) + 1).length
    }"""
    assert page.eval_on_selector_all(".agents li", cut) == 0
    assert page.eval_on_selector_all("tbody tr", cut) == 0
    shown = page.locator(".agents li").count()
    signed_in = sum(one["state"] != "signed_out" for one in fake.board["agents"])
    expect(page.get_by_text(f"还有 {signed_in - shown} 位")).to_be_visible()


def test_it_moves_when_the_queue_moves(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/wallboard", "boss")
    expect(page.get_by_test_id("big-depth")).to_contain_text("3")
    fake.emit("wallboard.figures", board.board(now_ms(), waiting=0))
    expect(page.get_by_test_id("big-depth")).to_have_attribute("data-level", "good")
    expect(page.get_by_text("没有人在等待")).to_be_visible()


def test_a_frozen_server_is_seen_within_a_dozen_seconds(
    page: Page, sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    page.clock.install()
    sign_in("/wallboard", "boss")
    expect(page.get_by_test_id("wall")).to_have_attribute("data-stale", "false")
    fake.quiet = True
    page.clock.fast_forward(11_000)
    expect(page.get_by_test_id("wall")).to_have_attribute("data-stale", "true")
    expect(page.get_by_role("alert")).to_contain_text("没有更新")


def test_figures_that_stop_while_the_line_lives_are_told_too(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/wallboard", "boss")
    expect(page.get_by_test_id("wall")).to_have_attribute("data-stale", "false")
    old = board.board(now_ms() - 11_000)
    fake.emit("wallboard.figures", old)
    expect(page.get_by_test_id("wall")).to_have_attribute("data-stale", "true")
    expect(page.get_by_test_id("data-age")).to_have_attribute("data-stale", "false")


def test_without_calls_it_says_so_instead_of_a_rate(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    none = {"num": 0, "den": 0, "rate": None}
    fake.board = {**board.board(now_ms(), waiting=0), "answered_in_15s": none, "connect_24h": none}
    page = sign_in("/wallboard", "boss")
    expect(page.get_by_test_id("big-connect24")).to_contain_text("暂无数据")
    expect(page.get_by_test_id("big-connect24")).to_contain_text("—")


def test_those_who_wait_to_be_called_back_are_told_beside_those_who_wait(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    fake.board = board.board(now_ms(), callbacks=2)
    page = sign_in("/wallboard", "boss")
    expect(page.get_by_test_id("big-depth")).to_contain_text("另有 2 人等候回拨")
