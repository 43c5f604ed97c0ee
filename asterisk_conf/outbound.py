"""Turns the destinations that everybody may dial into the one expression that the dialplan asks."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What POSIX extended expressions (the dialplan's) and Python's have in common, as far as numbers need it.
_COMMON = re.compile(r"[0-9+*#()|?{},\[\].-]*")


class BadPattern(ValueError):
    """A destination pattern that the dialplan could not read the way it was meant; the text says which."""


def dialplan_regex(patterns: Sequence[str]) -> str:
    """One anchored POSIX expression that matches what any of `patterns` matches whole.

    No pattern at all gives an expression that matches nothing. Raises BadPattern for what the two dialects read
    differently, so that a permission is never wider than written.
    """
    translated = []
    for pattern in patterns:
        posix = pattern.removeprefix("^").removesuffix("$").replace(r"\d", "[0-9]").replace("(?:", "(")
        posix = posix.replace(r"\+", "[+]").replace(r"\*", "[*]")
        if not _COMMON.fullmatch(posix) or "(?" in posix:
            raise BadPattern(f"outbound_allowed: {pattern!r} may hold digits, + * # . ( ) | ? {{ }} [ ] and \\d only")
        if posix:
            translated.append(f"({posix})")
    return f"^({'|'.join(translated)})$" if translated else "^$"
