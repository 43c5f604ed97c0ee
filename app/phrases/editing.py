"""What an office may make of the lists: checks, how they are kept, and how two differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from app.editions.model import Change, Form, faults_of_words, free_code, repeated, same
from app.phrases.matching import LONGEST, plain_units
from app.phrases.model import LANGUAGES, Kind, Phrase, Where
from app.phrases.shipped import SHIPPED, phrase_of

MOST_PHRASES, MOST_VARIANTS = 120, 40
LONGEST_NAME, LONGEST_VARIANT, LONGEST_SAY = 40, 60, 120
LONGEST_WINDOW_S = 300
_CODE = re.compile(r"[a-z][a-z0-9_]{0,23}")
_COMMON = 2  # a forbidden phrase has so many units at least: 好 stands in every talk


def with_codes(phrases: Sequence[Phrase]) -> list[Phrase]:
    """New phrases (code "") get codes that no other has; what says the same twice is said once."""
    taken = {one.code for one in phrases} | {one.code for one in SHIPPED}
    made = []
    for one in phrases:
        code = one.code or free_code("p", taken)
        taken.add(code)
        variants, unless = _each_once(one.variants), _each_once(one.unless)
        seconds = 0 if one.where is Where.anywhere else one.seconds
        made.append(replace(one, code=code, seconds=seconds, variants=variants, unless=unless))
    return made


def _each_once(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in words if one))


def faults_of(phrases: Sequence[Phrase]) -> dict[str, str]:
    """What keeps these from being listened for (fields phrases, phrases.0.zh, phrases.0.variants …)."""
    wrong: dict[str, str] = {}
    if not 1 <= len(phrases) <= MOST_PHRASES:
        wrong["phrases"] = f"须有 1 至 {MOST_PHRASES} 条 (from 1 to {MOST_PHRASES})"
    for at, one in enumerate(phrases):
        wrong |= {f"phrases.{at}.{name}": text for name, text in _faults_of_one(one).items()}
    for at in repeated([one.code for one in phrases]):
        wrong.setdefault(f"phrases.{at}.code", "与前面的重复 (there is one already)")
    for at in repeated([f"{one.language} {one.kind} {one.zh}" for one in phrases]):
        wrong.setdefault(f"phrases.{at}.zh", "与前面的重复 (there is one already)")
    return wrong


def _faults_of_one(one: Phrase) -> dict[str, str]:
    wrong = faults_of_words(one, zh=LONGEST_NAME, en=LONGEST_NAME)
    if not _CODE.fullmatch(one.code):
        wrong["code"] = "标识不正确 (no such code)"
    if one.language not in LANGUAGES:
        wrong["language"] = "没有这种语言 (no such language)"
    if len(one.say) > LONGEST_SAY:
        wrong["say"] = f"最长 {LONGEST_SAY} 字 (at most {LONGEST_SAY} characters)"
    if one.where is not Where.anywhere and not 1 <= one.seconds <= LONGEST_WINDOW_S:
        wrong["seconds"] = f"须为 1 至 {LONGEST_WINDOW_S} (from 1 to {LONGEST_WINDOW_S})"
    if one.kind is Kind.forbidden and one.where is not Where.anywhere:
        wrong["where"] = "忌语在哪里都不能说 (forbidden is forbidden anywhere)"
    if one.kind is not Kind.forbidden and one.unless:
        wrong["unless"] = "只有忌语可以有例外 (of forbidden phrases only)"
    if one.kind is Kind.advised:
        if not one.say:
            wrong["say"] = "须写明 (say it in words)"
        if one.variants or one.where is not Where.anywhere:
            wrong["variants"] = "建议只给坐席看，不会去找 (it is not looked for)"
        return wrong
    for name, least in (("variants", 1), ("unless", 0)):
        if fault := _fault_of_words(getattr(one, name), least, _COMMON if one.kind is Kind.forbidden else 1):
            wrong[name] = fault
    return wrong


def _fault_of_words(words: Sequence[str], least: int, shortest: int) -> str:
    if not least <= len(words) <= MOST_VARIANTS:
        return f"须有 {least} 至 {MOST_VARIANTS} 种说法 (from {least} to {MOST_VARIANTS})"
    for one in words:
        count = len(plain_units(one))
        if len(one) > LONGEST_VARIANT or count > LONGEST:
            return f"一种说法最长 {LONGEST} 字 (at most {LONGEST} characters)"
        if count < shortest:
            return f"“{one[:20]}”太短，会到处都是 (too short: it stands everywhere)"
    return ""


# -- keeping ----------------------------------------------------------------------------------------------------------


def kept(phrases: Sequence[Phrase]) -> dict[str, Any]:
    """As an edition is kept."""
    return {"phrases": [asdict(one) for one in phrases]}


def read(content: Mapping[str, Any]) -> list[Phrase]:
    """The phrases of an edition that was kept."""
    return [phrase_of(one) for one in content["phrases"]]


# -- differences ------------------------------------------------------------------------------------------------------

WHERE: Mapping[Where, tuple[str, str]] = {
    Where.begin: ("开头 {n} 秒", "the first {n} s"),
    Where.end: ("结尾 {n} 秒", "the last {n} s"),
    Where.anywhere: ("不限", "anywhere"),
}


def changes_of(before: Sequence[Phrase], after: Sequence[Phrase]) -> list[Change]:
    """How `after` differs, phrase by phrase in its order; what is gone comes last."""
    old, new = {one.code: one for one in before}, {one.code: one for one in after}
    found: list[Change] = []
    for one in after:
        was = old.get(one.code)
        if was is None:
            found.append(Change((one.zh, one.en), "added", after=_listed(one.variants)))
        elif was != one:
            found += _of_one(was, one)
    found += [Change((one.zh, one.en), "removed", _listed(one.variants)) for one in before if one.code not in new]
    if [one.code for one in before if one.code in new] != [one.code for one in after if one.code in old]:
        found.append(Change(("", ""), "order"))
    return found


def _of_one(was: Phrase, one: Phrase) -> list[Change]:
    pairs = (
        ("name", (was.zh, was.en), (one.zh, one.en)),
        ("kind", same(was.kind.value), same(one.kind.value)),
        ("language", same(was.language), same(one.language)),
        ("variants", _listed(was.variants), _listed(one.variants)),
        ("unless", _listed(was.unless), _listed(one.unless)),
        ("where", _place(was), _place(one)),
        ("say", same(was.say or "—"), same(one.say or "—")),
    )
    return [Change((one.zh, one.en), what, before, after) for what, before, after in pairs if before != after]


def _listed(words: Sequence[str]) -> tuple[str, str]:
    return ("、".join(words) or "—", ", ".join(words) or "—")


def _place(one: Phrase) -> tuple[str, str]:
    zh, en = WHERE[one.where]
    return zh.format(n=one.seconds), en.format(n=one.seconds)


PHRASES_FORM: Form[Sequence[Phrase]] = Form(
    "phrases", SHIPPED, kept=kept, read=read, faults=faults_of, changes=changes_of, clean=with_codes
)
