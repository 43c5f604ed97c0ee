"""The life of a surge announcement, which follows from its times alone, and what can be said in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.text import clean

LONGEST_TEXT = 300  # about a minute of speech: callers wait behind it
MOST_HEARD = 2  # more would keep callers from a person; the most urgent ones win


@dataclass(frozen=True)
class Voice:
    """A language that callers choose in the menu. `speaks`: an engine has a voice for it; `reads` are the languages
    whose written texts that voice reads aloud, as Cantonese reads Mandarin."""

    language: str
    speaks: bool = True
    reads: tuple[str, ...] = ()


SHIPPED_VOICES = (Voice("zh"), Voice("yue", reads=("zh",)), Voice("en"))
"""The languages of the menu that ships."""


class AnnouncementState(StrEnum):
    """Where an announcement stands."""

    active = "active"
    coming = "coming"
    past = "past"


def state_of(active_from: datetime, active_until: datetime, now: datetime) -> AnnouncementState:
    """The end itself is past; what was ended before it began has never been heard and is past, too."""
    if now >= active_until:
        return AnnouncementState.past
    return AnnouncementState.active if now >= active_from else AnnouncementState.coming


def cleaned(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts as they are kept, one character longer than allowed at most; languages without words are left out."""
    known = {language: clean(text, LONGEST_TEXT + 1) for language, text in texts.items()}
    return {language: text for language, text in known.items() if text}


def said_in(texts: Mapping[str, str], voice: Voice) -> str:
    """What callers of that language hear of these texts: their own, else one that their voice reads aloud; "" if there
    is none that they would understand, or no voice to say it."""
    if not voice.speaks:
        return ""
    return next((texts[one] for one in (voice.language, *voice.reads) if texts.get(one)), "")


def faults(
    texts: Mapping[str, str],
    active_from: datetime,
    active_until: datetime,
    now: datetime,
    voices: Sequence[Voice] = SHIPPED_VOICES,
) -> dict[str, str]:
    """What keeps these (cleaned) texts and times from being announced, by field; {} if nothing does."""
    wrong = {}
    spoken = [voice.language for voice in voices if voice.speaks]
    if texts.keys() - set(spoken):
        wrong["texts"] = f"语言只能是 {'、'.join(spoken)} (no such language)"
    elif "zh" not in texts:
        wrong["texts"] = "须有普通话内容 (Mandarin is required)"
    elif any(len(text) > LONGEST_TEXT for text in texts.values()):
        wrong["texts"] = f"每种语言不超过 {LONGEST_TEXT} 字 (at most {LONGEST_TEXT} characters each)"
    if active_until <= active_from or active_until <= now:
        wrong["active_until"] = "结束时间须晚于开始时间和现在 (must be later)"
    return wrong
