"""After a fax has been received (T11): makes sure that it is on the disk, then has it taken in as a case.

The dialplan has received the image and written its sidecar; both may still be only in memory. The caller is a
machine that has mostly hung up by now, so nothing is said.
"""

from __future__ import annotations

import structlog

from .errors import AgiFailure
from .guarded import Guarded
from .keeping import NotKept, force, spool_file
from .safe_agi import SafeAgi

log = structlog.get_logger(__name__)


def fax_intake(agi: SafeAgi, services: Guarded) -> None:
    """Forces image, sidecar and folder to the disk and offers the fax to the domain; HOTLINE_CASE is its number."""
    try:
        sidecar = spool_file(services.setup.fax_spool, agi.call, ".json")
        image = sidecar.with_suffix(".tif")
        if image.exists():
            force(image)
        force(sidecar)
        force(sidecar.parent)
    except NotKept as error:
        log.error("fax not kept", call=agi.call, error=str(error))
        return
    receipt = services.take_fax(sidecar)
    log.info("fax kept", call=agi.call, case=receipt.case_number if receipt else "")
    try:
        if receipt and receipt.case_number:
            agi.set_variables(HOTLINE_CASE=receipt.case_number, HOTLINE_DONE=1)
        else:
            agi.set_variables(HOTLINE_DONE=1)
    except AgiFailure:
        log.info("the sender was gone before the fax was taken in", call=agi.call)
