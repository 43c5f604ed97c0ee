"""Tables of figures that fit a terminal of eighty columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def narrow(title: str, heads: Sequence[str]) -> Table:
    """The first column names things, the others hold figures, which are never cut."""
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column(heads[0], no_wrap=True)
    for head in heads[1:]:
        longest = max(len(word) for word in head.split())
        table.add_column(head, justify="right", min_width=max(6, longest))
    return table
