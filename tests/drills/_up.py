"""`hotline up` with one difference: the core reaches Asterisk's manager port through a relay that a drill can cut.

The supervisor, the voice process and Asterisk itself keep the real port. DRILL_AMI_PORT names the relay's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from app.cli.main import main
from app.settings import Settings
from app.supervisor import plan

_plain = plan._serve


def _through_relay(settings: Settings, roles: str) -> tuple[list[str], Mapping[str, str], Path]:
    argv, env, cwd = _plain(settings, roles)
    if "realtime" in roles:
        env = {**env, "HOTLINE_AMI_PORT": os.environ["DRILL_AMI_PORT"]}
    return argv, env, cwd


if __name__ == "__main__":
    plan._serve = _through_relay
    sys.argv = ["hotline", "up"]
    main()
