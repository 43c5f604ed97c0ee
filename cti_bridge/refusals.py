"""Why something cannot be done on the telephone now, in words for the page."""

from __future__ import annotations

import structlog

from app.errors import Refused
from cti_bridge.ami import AmiError

log = structlog.get_logger(__name__)


def refused(code: str, zh: str, en: str) -> Refused:
    """Why a step cannot be taken now."""
    return Refused(zh, en, code=code)


def no_talk() -> Refused:
    """There is no talk to act upon."""
    return refused("no_talk", "当前没有可操作的通话。", "There is no talk to act upon.")


def not_now(code: str = "not_now") -> Refused:
    """The queue does not take it in the present state."""
    return refused(code, "当前状态下不能执行此操作。", "This cannot be done in the present state.")


def telephone_away(error: AmiError) -> Refused:
    """Asterisk did not answer."""
    log.warning("a step could not be taken on the telephone", problem=str(error))
    return refused(
        "telephone_away", "电话系统暂时没有响应,请稍后重试。", "The telephone system does not answer. Try again."
    )
