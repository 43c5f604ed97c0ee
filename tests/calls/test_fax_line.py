"""Faxes: on their own number and on the main number, as sound and by T.38, whole and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peers import fax
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork
from tests.peers.waiting import wait_until

SENDER = "02088886666"

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize(("via", "mode"), [("hotline", "G711"), ("hotline-t38", "T38")])
def test_a_fax_of_two_pages_lies_in_the_spool_with_its_sidecar(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, tmp_path: Path, via: str, mode: str
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    tiff = fax.write_fax(tmp_path / "two.tif", pages=2)
    line = public_network.call(SENDER, to="12340", via=via).wait_answered()
    call = hotline.wait_call(SENDER, mark)["Call"]
    sent = line.send_fax(tiff, t38=via == "hotline-t38")
    assert (sent["Status"], sent["Mode"]) == ("SUCCESS", "T38" if mode == "T38" else "audio"), sent
    spool = hotline.settings.paths.fax_spool
    note = hotline.sidecar(spool, call)
    assert (note["kind"], note["status"], note["pages"], note["mode"]) == ("fax", "complete", 2, mode)
    assert (note["number"], note["line"]) == (SENDER, "12340")
    received = spool / f"{call}.tif"
    assert fax.pages_of(received) == 2
    assert fax.black_of(received, 1) > fax.black_of(received, 0) > 0.01
    hotline.manager.wait_event("HotlineFax", after=mark, Call=call, Status="complete", Pages="2", Mode=mode)
    hotline.wait_no_channels()


def test_a_fax_machine_that_calls_the_main_number_is_recognised(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, tmp_path: Path
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    hotline.backend.scripts["voice_menu"] = hotline.backend.silent
    hotline.backend.start()
    tiff = fax.write_fax(tmp_path / "one.tif", pages=1)
    line = public_network.call(SENDER).wait_answered()
    call = hotline.wait_call(SENDER, mark)["Call"]
    sent = line.send_fax(tiff, t38=False)
    assert sent["Status"] == "SUCCESS", sent
    note = hotline.sidecar(hotline.settings.paths.fax_spool, call)
    assert (note["status"], note["pages"], note["line"]) == ("complete", 1, "12345")


def test_a_person_on_the_fax_number_leaves_a_failed_fax_with_its_cause(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    line = public_network.call(SENDER, to="12340").wait_answered()
    call = hotline.wait_call(SENDER, mark)["Call"]
    line.wait(2)
    line.hang_up()
    spool = hotline.settings.paths.fax_spool
    note = hotline.sidecar(spool, call)
    assert (note["status"], note["pages"]) == ("failed", 0)
    assert note["error"]
    hotline.manager.wait_event("HotlineFax", after=mark, Call=call, Status="failed")
    hotline.manager.wait_event("HotlineEnd", after=mark, Call=call, Phase="fax")


def test_a_fax_that_breaks_off_after_a_page_is_kept_as_partial(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, tmp_path: Path
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    tiff = fax.write_fax(tmp_path / "many.tif", pages=6)
    line = public_network.call(SENDER, to="12340").wait_answered()
    call = hotline.wait_call(SENDER, mark)["Call"]
    line.do(lambda channel: channel.exec("SendFAX", f"{tiff},F"), timeout=None)
    spool = hotline.settings.paths.fax_spool
    # Two pages and a bit: what a page needs at 14,400 bit/s is known from the whole faxes above.
    received = spool / f"{call}.tif"
    wait_until(lambda: received.exists() and received.stat().st_size > 600, 90, "the first page is on disk")
    line.hang_up()
    note = hotline.sidecar(spool, call)
    assert note["status"] == "partial"
    assert note["error"]
    hotline.manager.wait_event("HotlineFax", after=mark, Call=call, Status="partial")
