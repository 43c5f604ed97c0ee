"""What a reply template is made of, what is wrong with one, what fits a case, and its life. Pure.

A template has parts, one for each field that it fills. Placeholders are a closed list, in the words of the office:
{工单编号}. None of them says who the citizen is, how they are reached or where they live.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.cases.model import CaseType
from app.errors import Forbidden
from app.knowledge.model import Party
from app.text import clean
from app.transitions import step_in


class Use(StrEnum):
    """Where the text goes."""

    reply = "reply"  # 办理结果 of a unit
    answer = "answer"  # 当即答复、引导
    follow_up = "follow_up"  # 回访记录


class Outcome(StrEnum):
    """What became of the matter."""

    solved = "solved"  # 已解决
    explained = "explained"  # 解释说明
    refused = "refused"  # 不予支持，附理由
    longer = "longer"  # 需要更长时间
    co_unit = "co_unit"  # 协办意见
    again = "again"  # 重办后答复
    guided = "guided"  # 引导到别处
    content = "content"  # 市民满意
    discontent = "discontent"  # 市民不满意
    not_reached = "not_reached"  # 未联系上


O = Outcome  # noqa: E741
OUTCOMES: Mapping[Use, tuple[Outcome, ...]] = {
    Use.reply: (O.solved, O.explained, O.refused, O.longer, O.co_unit, O.again),
    Use.answer: (O.explained, O.guided, O.refused),
    Use.follow_up: (O.content, O.discontent, O.not_reached),
}
del O
PARTS: Mapping[Use, Mapping[str, int]] = {
    Use.reply: {"result": 3_000, "measures": 3_000, "next_step": 1_000},
    Use.answer: {"answer": 3_000},
    Use.follow_up: {"note": 1_000},
}
"""The fields that a template fills, each with the longest text."""


@dataclass(frozen=True)
class Placeholder:
    """A word in braces, what it means in English, and what stands there for the sample case."""

    name: str
    en: str
    sample: str


PLACEHOLDERS: tuple[Placeholder, ...] = (
    Placeholder("工单编号", "case number", "20261124-000123"),
    Placeholder("事项标题", "title of the matter", "人民路路灯不亮"),
    Placeholder("诉求类型", "type of case", "投诉"),
    Placeholder("受理日期", "day on which it was taken in", "2026年11月24日"),
    Placeholder("承办单位", "unit that handles it", "市城市管理局"),
    Placeholder("单位电话", "telephone of the unit", "0000-8800120"),
    Placeholder("办理期限", "end of the time to handle it", "2026年12月3日 24:00 前"),
    Placeholder("热线号码", "number of the hotline", "12345"),
    Placeholder("今天", "today", "2026年11月26日"),
)
KNOWN = frozenset(one.name for one in PLACEHOLDERS)
SAMPLE: Mapping[str, str] = {one.name: one.sample for one in PLACEHOLDERS}
"""A case that nobody has brought, for the preview."""

LONGEST_TITLE, LONGEST_NOTE, LONGEST_WORD, MOST_WORDS = 60, 200, 20, 20
SOURCE = r"template:\d{1,9}@\d{1,6}"
SOURCES = rf"{SOURCE}( {SOURCE}){{0,3}}"
"""Where words of a reply came from: templates with their versions, "template:12@3"."""
LONGEST_SOURCES = 120

_FIELD = re.compile(r"\{([^{}\n]*)\}")
_BRACE = re.compile(r"[{}]")


@dataclass(frozen=True)
class Content:
    """What a version says. `types` and `keywords`: the cases that it is for, any if empty; `note`: what was changed."""

    title: str
    use: Use
    outcome: Outcome
    parts: Mapping[str, str]
    types: Sequence[str] = ()
    keywords: Sequence[str] = ()
    note: str = ""


@dataclass(frozen=True)
class Fault:
    """What is wrong in which line of a part (0: of no line)."""

    part: str
    line: int
    zh: str
    en: str

    @property
    def told(self) -> str:
        """Both languages, as errors say things."""
        return f"第 {self.line} 行：{self.zh} (line {self.line}: {self.en})" if self.line else f"{self.zh} ({self.en})"


def cleaned(content: Content) -> Content:
    """As it is kept; texts that are too long stay so by one character. Full-width braces become those that count."""
    parts = {
        name: clean(str(text).translate(_NARROW), PARTS[content.use].get(name, 0) + 1, lines=True)
        for name, text in content.parts.items()
    }
    return replace(
        content,
        title=clean(content.title, LONGEST_TITLE + 1),
        parts={name: text for name, text in parts.items() if text or name not in PARTS[content.use]},
        types=tuple(dict.fromkeys(content.types)),
        keywords=_words(content.keywords),
        note=clean(content.note, LONGEST_NOTE),
    )


_NARROW = str.maketrans({"｛": "{", "｝": "}"})


def faults(content: Content) -> list[Fault]:
    """What keeps this (cleaned) content from being stored."""
    found = []
    if not content.title:
        found.append(Fault("title", 0, "填写名称", "a name is needed"))
    elif len(content.title) > LONGEST_TITLE:
        found.append(_too_long("title", LONGEST_TITLE))
    if content.outcome not in OUTCOMES[content.use]:
        found.append(Fault("outcome", 0, "选择一种办理情形", "choose one of the outcomes"))
    if not set(content.types) <= set(CaseType):
        found.append(Fault("types", 0, "没有这种诉求类型", "there is no such type of case"))
    if not any(content.parts.values()):
        found.append(Fault(next(iter(PARTS[content.use])), 0, "至少填写一项内容", "at least one text is needed"))
    for name, text in content.parts.items():
        if name not in PARTS[content.use]:
            found.append(Fault(name, 0, "没有这一项", "there is no such field"))
        elif len(text) > PARTS[content.use][name]:
            found.append(_too_long(name, PARTS[content.use][name]))
        found += unknown(name, text)
    return found


def unknown(part: str, text: str) -> list[Fault]:
    """The placeholders in a text that there are not, and braces without their other half, by line."""
    found = []
    for at, line in enumerate(text.split("\n"), 1):
        for name in _FIELD.findall(line):
            if name.strip() not in KNOWN:
                found.append(
                    Fault(part, at, f"没有“{{{name[:20]}}}”这个占位符", f"there is no placeholder {{{name[:20]}}}")
                )
        if _BRACE.search(_FIELD.sub("", line)):
            found.append(Fault(part, at, "括号 { } 不成对", "a brace without its other half"))
    return found


TO_FILL = re.compile(r"【待填[：:]?([^】\n]*)")
"""What a template leaves to whoever writes, also where its end is missing or stands in another line."""


def to_fill(name: str) -> str:
    """What stands where something is still to be written; a reply with it can't be handed in."""
    return f"【待填：{name}】"


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with its placeholders replaced; what is not known of the case is to be filled in by whoever writes."""
    return _FIELD.sub(lambda found: values.get(found[1].strip(), "") or to_fill(found[1].strip()), text)


@dataclass(frozen=True)
class Matter:
    """What a template is chosen by: the kind of case, its words, and how the work on it stands.

    `co_unit`: the unit helps another that leads; `again`: the work is done once more.
    """

    type: str
    text: str
    co_unit: bool = False
    again: bool = False


@dataclass(frozen=True)
class Fit:
    """How well a template suits a matter: `words` of it stand in the case, `typed`: it is made for this type, `stage`:
    for how the work stands."""

    words: tuple[str, ...]
    typed: bool
    stage: bool

    def rank(self, *, own: bool) -> tuple[bool, bool, bool, int, bool]:
        """Smaller is better. Of those that the case speaks for, a unit's `own` come before the centre's."""
        return not self.stage, not self.words, not own, -len(self.words), not self.typed


def fit(content: Content, matter: Matter) -> Fit | None:
    """How this suits the matter; None where it does not."""
    if content.types and matter.type not in content.types:
        return None
    text = matter.text.casefold()
    words = tuple(word for word in content.keywords if word.casefold() in text)
    if content.keywords and not words:
        return None
    if content.outcome is Outcome.co_unit and not matter.co_unit:
        return None
    if content.outcome is Outcome.again and not matter.again:
        return None
    return Fit(words, bool(content.types), stage=content.outcome in (Outcome.co_unit, Outcome.again))


class TemplateState(StrEnum):
    """Where a template stands."""

    active = "active"
    retired = "retired"  # offered to nobody; what was written with it still names it


class TemplateAct(StrEnum):
    """What is done to a template."""

    edit = "edit"
    retire = "retire"
    restore = "restore"


S, A = TemplateState, TemplateAct
TRANSITIONS: Mapping[tuple[TemplateState, TemplateAct], TemplateState] = {
    (S.active, A.edit): S.active,
    (S.active, A.retire): S.retired,
    (S.retired, A.restore): S.active,
}
del S, A
MAY: Mapping[TemplateAct, frozenset[Party]] = {
    TemplateAct.edit: frozenset({Party.writer, Party.member}),
    TemplateAct.retire: frozenset({Party.writer, Party.editor, Party.member}),
    TemplateAct.restore: frozenset({Party.writer, Party.editor, Party.member}),
}
"""By the same rights as articles: the centre's writers all, a unit's people their own. Nobody has to pass a template:
what is written with one is passed by the unit's leader and judged by the centre."""
NEEDS_REASON = frozenset({TemplateAct.retire})


def next_state(state: TemplateState, act: TemplateAct, parties: Collection[Party]) -> TemplateState:
    """The state after `act` by somebody who is that to the template. Raises Forbidden, Refused (wrong_state)."""
    if not MAY[act] & set(parties):
        raise Forbidden()
    return step_in(
        TRANSITIONS,
        (state, act),
        "这个模板的状态不允许这样做，刷新后再看。",
        "This template is not in a state for that. Reload and look again.",
    )


def acts_for(state: TemplateState, parties: Collection[Party]) -> list[TemplateAct]:
    """What somebody may do with a template in this state."""
    return [act for (at, act) in TRANSITIONS if at is state and MAY[act] & set(parties)]


def source(template_id: int, version: int) -> str:
    """How a reply names where its words came from."""
    return f"template:{template_id}@{version}"


def sources_in(text: str) -> list[tuple[int, int]]:
    """Templates with their versions in such a line."""
    return [(int(one), int(number)) for one, number in re.findall(r"template:(\d{1,9})@(\d{1,6})", text)]


def _too_long(part: str, most: int) -> Fault:
    return Fault(part, 0, f"不超过 {most} 字", f"at most {most} characters")


def _words(words: Iterable[str]) -> tuple[str, ...]:
    known = dict.fromkeys(clean(word, LONGEST_WORD) for word in words)
    return tuple(word for word in known if word)[:MOST_WORDS]
