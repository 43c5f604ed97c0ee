"""Which languages this instance speaks: those that ship, and each folder of prompts that it has of its own.

A language of one's own is HOME/languages/<code>/ with a `language.yaml` (docs/languages.md). What it says there is the
voice menu's business (`ivr.catalogue`); here it only has a name.
"""

from __future__ import annotations

import re
from pathlib import Path

SHIPPED = ("zh", "yue", "en")
FOLDER, FILE = "languages", "language.yaml"
CODE = re.compile(r"[a-z]{2,3}")


def languages_of(home: Path) -> tuple[str, ...]:
    """The codes, the shipped ones first; a folder whose name is no code is left out."""
    own = sorted(found.parent.name for found in (home / FOLDER).glob(f"*/{FILE}"))
    return (*SHIPPED, *(code for code in own if CODE.fullmatch(code) and code not in SHIPPED))
