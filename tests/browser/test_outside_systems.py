"""An administrator lets an outside system in, says where it is told of calls, sends again what did not arrive, and sees
which certificate ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from app.auth.model import Role
from app.certificates.service import watch
from app.clock import utc_now
from app.db import Database
from app.outgoing import DeliveryState
from app.pushes.tables import PushAddress, PushJob
from app.settings import Settings
from asterisk_conf.certificates import certificate
from tests.browser.conftest import accessibility, shot
from tests.browser.house import NARROW, WIDE
from tests.case_kit.world import World


def test_a_system_is_let_in_told_and_shut_out_again(
    sits_down: Callable[[str, str], Page], world: World, db: Database, tmp_path: Path
) -> None:
    world.people["admin"] = world.somebody(Role.admin)
    page = sits_down("admin", "/admin/systems")
    page.get_by_role("button", name="接入系统").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="接入系统").click()
    expect(dialog.get_by_role("alert").first).to_contain_text("填写系统名称")
    expect(dialog).to_contain_text("填写工号，或选全部坐席")
    long = "市民服务与投诉联动处置平台" * 3
    dialog.get_by_label("系统名称").fill(long)  # cut to what fits
    dialog.get_by_label("接收来电推送").check()
    dialog.get_by_label("全部坐席").check()
    dialog.get_by_label("只许来自这些地址").fill("crm.example")
    dialog.get_by_role("button", name="接入系统").click()
    expect(dialog).to_contain_text("请填写 IP 地址或网段")
    dialog.get_by_label("只许来自这些地址").fill("10.1.2.0/24")
    shot(page, "system-dialog", tmp_path)
    assert accessibility(page) == []
    dialog.get_by_role("button", name="接入系统").click()
    token = page.get_by_test_id("told-once").inner_text()
    assert token.startswith("hl_")
    shot(page, "token", tmp_path)
    page.keyboard.press("Escape")
    row = page.get_by_role("row").filter(has_text="市民服务")
    expect(row).to_contain_text("10.1.2.0/24")
    expect(row).to_contain_text(f"末四位 {token[-4:]}")

    page.get_by_role("button", name="新增推送地址").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("地址", exact=False).first.fill("http://10.0.0.1/cti")
    dialog.get_by_role("button", name="新增推送地址").click()
    expect(dialog).to_contain_text("push_networks")
    dialog.get_by_role("textbox").fill("https://crm.example/api/v1/cti/s3cret")
    dialog.get_by_role("button", name="新增推送地址").click()
    expect(page.get_by_test_id("told-once")).to_have_text(dialog.get_by_test_id("told-once").inner_text())
    page.keyboard.press("Escape")
    expect(page.get_by_role("row").filter(has_text="https://crm.example/…")).to_contain_text("已签名")
    assert "s3cret" not in page.content()

    now = utc_now()
    with db.session() as session:
        address = session.get_one(PushAddress, 1)
        for event, state in (("newCall", DeliveryState.given_up), ("hangup", DeliveryState.refused)):
            job = PushJob(address_id=address.id or 0, call_id="h-1.1", event=event, at=now, since=now, next_at=now)
            job.state, job.fault, job.tries, job.done_at = state.value, "http_410", 9, now
            session.add(job)
    page.reload()
    shot(page, "systems", tmp_path)
    assert accessibility(page) == []
    page.get_by_role("link", name="2", exact=True).click()
    expect(page.get_by_role("row")).to_have_count(3)
    shot(page, "pushes", tmp_path)
    assert accessibility(page) == []
    page.get_by_role("button", name="重新推送 h-1.1 来电").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="全部重新推送").click()
    expect(page.get_by_text("没有符合条件的记录")).to_be_visible()

    page.get_by_role("navigation", name="管理").get_by_role("link", name="外部系统").click()
    page.get_by_role("button", name="撤销").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(page.get_by_role("row").filter(has_text="末四位")).to_contain_text("已撤销")


def test_a_certificate_that_ends_is_shown_with_what_to_do(
    sits_down: Callable[[str, str], Page], world: World, db: Database, tmp_path: Path
) -> None:
    world.people["admin"] = world.somebody(Role.admin)
    settings = Settings(home=tmp_path / "home", database_url=str(db.url))
    settings.ensure_dirs()
    certificate(settings)
    watch(db, settings, utc_now() + timedelta(days=3644))
    page = sits_down("admin", "/admin/state")
    alarm = page.get_by_role("row").filter(has_text="证书快到期")
    expect(alarm).to_contain_text("见下面的证书")
    expect(page.get_by_role("row").filter(has_text="hotline.crt").last).to_contain_text("有效")
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    shot(page, "state-narrow", tmp_path)
    page.set_viewport_size(WIDE)
    shot(page, "state", tmp_path)
    assert accessibility(page) == []
