"""Every script by the name that the dialplan calls it: AGI(agi://host/NAME)."""

from __future__ import annotations

from collections.abc import Mapping

from .callback import callback
from .case_status import case_status
from .fax_intake import fax_intake
from .satisfaction import satisfaction
from .server import Script
from .unit_transfer import unit_transfer
from .voice_menu import voice_menu
from .voicemail import voicemail

SCRIPTS: Mapping[str, Script] = {
    "voice_menu": voice_menu,
    "voicemail": voicemail,
    "fax_intake": fax_intake,
    "satisfaction": satisfaction,
    "case_status": case_status,
    "unit_transfer": unit_transfer,
    "callback": callback,
}
