"""Surge announcements in the office: written, listened to, changed by two at once, ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.fake_backend import FakeBackend


@pytest.fixture
def office(sign_in: Callable[..., Page]) -> Page:
    return sign_in("/announcements", "boss")


def row_of(page: Page, text: str) -> Locator:
    return page.locator("tbody tr").filter(has_text=text)


def test_what_is_on_coming_and_past_is_told_and_what_has_to_wait(office: Page) -> None:
    for text, state in (("水管爆裂", "播放中"), ("台风", "未开始"), ("停电", "已结束")):
        expect(row_of(office, text)).to_contain_text(state)
    expect(row_of(office, "地铁")).to_contain_text("更紧急的两条占先")
    office.get_by_label("状态").select_option("coming")
    office.get_by_role("button", name="筛选").click()
    office.wait_for_url("**/announcements?state=coming")
    expect(office.locator("tbody tr")).to_have_count(1)


def test_a_new_announcement_is_written_listened_to_and_published(office: Page, fake: FakeBackend) -> None:
    office.get_by_test_id("new-announcement").click()
    office.get_by_role("button", name="发布").click()
    expect(office.get_by_test_id("error-summary")).to_contain_text("填写普通话内容")
    office.locator("#an-texts").fill("城北停水")
    office.locator("#an-en").fill("No water in the north")
    office.get_by_label("紧急程度").select_option("20")
    office.get_by_label("开始").fill("2026-11-24T09:00")
    office.get_by_label("结束").fill("2026-11-24T08:00")
    office.get_by_role("button", name="发布").click()
    expect(office.get_by_test_id("error-summary")).to_contain_text("结束时间要晚于开始时间")
    office.get_by_label("结束").fill("2026-11-24T18:00")
    for language in ("zh", "yue", "en"):
        office.get_by_test_id(f"listen-{language}").click()
        expect(office.locator("dialog audio")).to_have_count(("zh", "yue", "en").index(language) + 1)
    office.wait_for_function("[...document.querySelectorAll('dialog audio')].every((one) => one.duration > 1.9)")
    assert fake.office.spoken == [
        {"language": "zh", "text": "城北停水"},
        {"language": "yue", "text": "城北停水"},
        {"language": "en", "text": "No water in the north"},
    ]
    office.locator("#an-texts").fill("城北停水，已抢修")
    expect(office.locator("dialog audio")).to_have_count(1)  # what was heard is not what is written any more
    office.get_by_role("button", name="发布").click()
    expect(row_of(office, "城北停水，已抢修")).to_contain_text("紧急")
    made = fake.office.lists["announcements"][0]
    assert (made["active_from"], made["active_until"]) == ("2026-11-24T09:00:00+08:00", "2026-11-24T18:00:00+08:00")
    assert made["texts"] == {"zh": "城北停水，已抢修", "en": "No water in the north"}


def test_what_callers_of_each_language_will_hear_is_told_before_anything_is_published(
    office: Page, fake: FakeBackend
) -> None:
    fake.office.voices += [{"language": "za", "speaks": False, "reads": []}]
    office.reload()
    office.get_by_test_id("new-announcement").click()
    office.locator("#an-texts").fill("城北停水")
    hears = office.get_by_test_id("announcement-hears").get_by_role("listitem")
    for at, words in enumerate(("这种语言写的文字", "念普通话那段", "听不到这条播报", "听不到这条播报")):
        expect(hears.nth(at)).to_contain_text(words)
    expect(office.locator("#an-za")).to_be_disabled()
    expect(hears.nth(1)).to_contain_text("还没试听")
    office.get_by_test_id("listen-yue").click()
    expect(hears.nth(1)).to_contain_text("已试听")
    before = len(fake.office.lists["announcements"])
    office.get_by_role("button", name="发布").click()
    warning = office.get_by_test_id("announcement-silent")
    expect(warning).to_contain_text("选English、za的来电人听不到")
    expect(warning).to_be_focused()
    assert len(fake.office.lists["announcements"]) == before, "nothing is published by that"
    office.locator("#an-en").fill("No water")  # something else would be silent now: it is asked again
    expect(warning).to_have_count(0)
    office.get_by_role("button", name="发布").click()
    expect(warning).to_contain_text("选za的来电人听不到")
    office.get_by_role("button", name="照样发布").click()
    expect(row_of(office, "城北停水")).to_contain_text("还没有人听到")


def test_how_many_it_was_enough_for_stands_beside_those_who_went_on_by_hour_with_the_rule(
    office: Page, fake: FakeBackend
) -> None:
    row = row_of(office, "水管爆裂")
    expect(row).to_contain_text("听完自行挂断 45 人")
    expect(row).to_contain_text("听到 120，听完 98；转人工 40，继续自助 15，提前挂断 20")
    office.get_by_role("button", name="按小时 1").click()
    expect(office.get_by_test_id("announcement-hours").locator("tbody tr")).to_have_count(1)
    expect(office.get_by_test_id("announcement-hours").locator("tbody")).to_contain_text("45")
    expect(office.get_by_role("dialog")).to_contain_text("没听完就挂断的（包括一接通就挂断的）不算")
    office.goto(office.url.replace("/announcements", "/room/figures"))
    expect(office.get_by_test_id("announced")).to_contain_text("40 人听到，听完自行挂断 21")


def open_and_let_somebody_else_save(office: Page, fake: FakeBackend) -> None:
    office.get_by_role("button", name="编辑播报 1").click()
    stored = fake.office.row("announcements", 1)
    stored |= {"version": 2, "updated_by_name": "赵主任", "texts": {"zh": "赵主任写的"}, "priority": 20}
    office.locator("#an-texts").fill("我写的")
    office.get_by_role("button", name="保存").click()


def test_the_second_editor_sees_both_texts_and_may_keep_their_own(office: Page, fake: FakeBackend) -> None:
    open_and_let_somebody_else_save(office, fake)
    clash = office.get_by_test_id("announcement-clash")
    expect(clash).to_contain_text("赵主任 刚改过这条播报")
    expect(clash).to_be_focused()
    for line in ("赵主任写的", "我写的", "紧急", "重要"):
        expect(clash).to_contain_text(line)
    expect(office.locator("#an-texts")).to_have_value("我写的")
    office.get_by_role("button", name="用我的覆盖").click()
    expect(office.get_by_role("dialog")).to_have_count(0)
    assert (fake.office.row("announcements", 1)["texts"]["zh"], fake.office.row("announcements", 1)["version"]) == (
        "我写的",
        3,
    )


def test_the_second_editor_may_take_what_is_stored_and_go_on_from_there(office: Page, fake: FakeBackend) -> None:
    open_and_let_somebody_else_save(office, fake)
    office.get_by_role("button", name="用已保存的").click()
    expect(office.locator("#an-texts")).to_have_value("赵主任写的")
    expect(office.get_by_label("紧急程度")).to_have_value("20")
    office.get_by_role("button", name="保存").click()
    office.get_by_role("button", name="照样发布").click()  # what the other wrote is in Mandarin only
    expect(office.get_by_role("dialog")).to_have_count(0)
    assert fake.office.row("announcements", 1)["version"] == 3


def test_ending_asks_first_and_what_is_past_can_be_copied(office: Page, fake: FakeBackend) -> None:
    office.get_by_role("button", name="马上结束 1").click()
    office.get_by_role("dialog").get_by_role("button", name="取消").click()
    assert fake.office.row("announcements", 1)["state"] == "active"
    office.get_by_role("button", name="马上结束 1").click()
    office.get_by_role("dialog").get_by_role("button", name="马上结束").click()
    expect(row_of(office, "水管爆裂")).to_contain_text("已结束")
    office.get_by_role("button", name="复制为新播报 1").click()
    expect(office.locator("#an-texts")).to_have_value("城南水管爆裂，抢修人员已经到场。")
    office.get_by_role("button", name="发布").click()
    expect(row_of(office, "水管爆裂")).to_have_count(2)


def test_without_the_permission_there_is_no_such_page(
    sign_in: Callable[..., Page], fake: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.browser.samples.people.PERMISSIONS", ["cases.read", "wallboard.read"])
    page = sign_in("/announcements", "boss")
    expect(page.get_by_role("heading", level=1)).to_have_text("你的账户没有打开此页的权限")
    expect(page.get_by_role("link", name="播报")).to_have_count(0)
