"""What a waiting caller is told, as a list of sound files: "您现在排在第 三 位。预计等待 五 分钟。" Pure."""

from __future__ import annotations

from collections.abc import Callable

MOST = 99  # numbers have a recording of their own up to here


def announcement(
    position: int, wait_low_s: int | None, wait_high_s: int | None, *, with_menu: bool = False
) -> list[str]:
    """Prompt ids: the place, then the wait rounded up to minutes (its upper end: better early than late)."""
    out: list[str] = []
    if 1 <= position <= MOST:
        out += ["you_are_number", f"number_{position}", "position_suffix"]
    if wait_high_s is not None and wait_low_s is not None:
        minutes = -(-wait_high_s // 60)
        if wait_high_s < 60:
            out.append("less_than_a_minute")
        elif minutes <= MOST:
            out += ["wait_about", f"number_{minutes}", "minutes"]
    if with_menu:
        out.append("hold_menu")
    return out


def files(prompts: str, language: str, ids: list[str], exists: Callable[[str], bool]) -> str:
    """The ids as the dialplan plays them, joined by &; "" when a sound is missing: silence is better than half."""
    paths = [f"{prompts}/{language}/{one}" for one in ids]
    return "&".join(paths) if paths and all(exists(f"{path}.wav") for path in paths) else ""
