"""Moments that many tests begin with."""

from __future__ import annotations

from tests.bridge_kit.rig import Rig, ms, offer_of


async def offered(rig: Rig, number: str = "13800000001") -> tuple[str, str]:
    """A caller who is being rung at somebody's telephone: (call, offer id)."""
    before = len(rig.asterisk.got("Redirect"))
    call = rig.asterisk.citizen(number, ms())
    rig.asterisk.join(call, number, ms())
    sent = await rig.redirects("acd-connect", before + 1)
    return call, next(offer_of(one).offer_id for one in sent if one["Channel"] == rig.asterisk.name_of(call))
