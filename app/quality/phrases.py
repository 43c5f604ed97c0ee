"""Forbidden phrases (忌语) of 篇6 and 篇4, and where an agent said one. Hints for a reviewer, never a verdict. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.search.tokens import folded

FORBIDDEN: Sequence[str] = (
    "快点说", "再说一遍", "你说的事我们解决不了", "这种事我们管不了", "随便你找哪里投诉都可以", "不解决再来电话",
    "你提的建议太肤浅", "我们会处理", "好了好了就这样了", "讲短点", "你不要骂人", "什么态度",
    "大概其", "应该是吧", "问我姓氏没有用",
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """A forbidden phrase, the line it stands in and when that line began."""

    phrase: str
    line: str
    start_ms: int


def found_in(lines: Iterable[tuple[str, int]], phrases: Sequence[str] = FORBIDDEN) -> list[Said]:
    """The phrases in lines (text, start_ms) of what an agent said, in their order.

    However it is punctuated, spaced or written (width, case, traditional characters): 好了，好了，就这样了 is one.
    """
    sought = [(phrase, folded(phrase)) for phrase in phrases]
    return [
        Said(phrase, text, start_ms)
        for text, start_ms in lines
        for phrase, plain in sought
        if plain and plain in folded(text)
    ]
