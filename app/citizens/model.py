"""What staff must know about a citizen before they speak."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Flag(StrEnum):
    """Marks on a citizen's card. `repeat` is derived from open cases, never stored."""

    elderly = "elderly"  # 老年人:直接转人工
    harassment = "harassment"  # 骚扰来电
    confidential = "confidential"  # 要求保密
    repeat = "repeat"  # 重复来电


STORED = (Flag.elderly, Flag.harassment, Flag.confidential)

# Editable fields and their longest text.
TEXTS: Mapping[str, int] = {"name": 64, "area": 64, "address": 200, "note": 2000}
