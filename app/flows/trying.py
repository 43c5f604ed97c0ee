"""Trying a menu in text: a call by typed keys, with what would be said in each of its languages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.actor import Actor
from app.auth.model import Permission
from app.errors import BadInput, Refused
from app.flows.checking import PLACE
from app.flows.service import words_of
from app.flows.shapes import MomentOut
from ivr import flow as flow_module
from ivr.catalogue import Catalogue
from ivr.flow import FlowError
from ivr.interpreter import Facts
from ivr.model import Flow
from ivr.rehearsal import Moment, rehearse, spoken_text

STAND_INS = (
    (re.compile(r"\(the announcements of this moment\)"), "（此刻的突发播报）"),
    (re.compile(r"\(part (\d+)\)"), r"（第 \1 段）"),
    (re.compile(r"\(a title\)"), "（一个标题）"),
    (re.compile(r"\([a-z_]+\)"), "（查询的结果）"),
)
"""What stands for the words that services would give, as it reads in the languages that are written in Chinese."""


def tried(
    actor: Actor, home: Path, text: str, facts: Facts, typed: Sequence[str], outcomes: Mapping[str, str]
) -> list[MomentOut]:
    """The call so far: its last moment asks, or is its end.

    Raises Forbidden, BadInput for a menu that can't be walked, Refused for one that goes round without asking.
    """
    actor.require(Permission.flows_read)
    try:
        flow = flow_module.read(text, PLACE)
    except FlowError as error:
        first = error.problems[0]
        said = f"第 {first.line} 行：{first.zh or first.text} (line {first.line}: {first.text})"
        raise BadInput(fields={"text": said}) from error
    try:
        moments = rehearse(flow, facts, typed, outcomes)
    except ValueError as error:
        raise Refused(
            "菜单在不问来电人的情况下绕圈，走不下去。",
            "The menu goes round in a circle without asking anybody.",
            code="menu_goes_round",
        ) from error
    words = words_of(home)
    return [_out(flow, words, one) for one in moments]


def _out(flow: Flow, words: Catalogue, one: Moment) -> MomentOut:
    end = one.finish
    return MomentOut(
        node=one.node,
        way=list(one.way),
        language=one.language,
        said={code: _said(words, one.said, code) for code in flow.languages} if one.said else {},
        asks=one.asks,
        given=one.given,
        of=one.of,
        fetched=one.fetched,
        next=str(end.next) if end else "",
        transfer_to=end.variables.get("HOTLINE_TRANSFER_TO", "") if end else "",
    )


def _said(words: Catalogue, prompts: Sequence[str], code: str) -> str:
    if code != "en":
        for stands, reads in STAND_INS:
            prompts = [prompt if words.find(code, prompt) else stands.sub(reads, prompt) for prompt in prompts]
    return spoken_text(words, prompts, code)
