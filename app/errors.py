"""Every error that the hotline tells a person or a program, in one tree.

    HotlineError                500 internal
    ├── BadInput                422 bad_input             fields name what is wrong
    ├── Unauthenticated         401 signed_out            nobody is signed in
    │   └── BadCredentials      401 bad_credentials       name or password wrong (never says which)
    ├── Forbidden               403 forbidden             signed in, but not allowed
    ├── NotFound                404 not_found             also for what the asker may not know of
    ├── Conflict                409 conflict              `current` is what is stored now
    │   └── VersionConflict     409 version_conflict
    ├── Refused                 409 refused               a rule or a state machine says no
    ├── TooMany                 429 too_many_attempts     with `retry_after` seconds
    ├── Busy                    503 busy                  the database is locked or away: nothing was stored, try again
    ├── BrokenTemplate          500 broken_template       an office's own template of a document (`app.letters.shelf`)
    └── StorageFull             507 storage_full          no room for files: they stay in the spool

A message says what happened and what to do, in Chinese and English, and never repeats what the caller sent: input
may be personal data and messages end in logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class HotlineError(Exception):
    """Base of the tree; `str(error)` is the English message."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal"
    default_zh: ClassVar[str] = "系统内部错误,请稍后重试。"
    default_en: ClassVar[str] = "Something went wrong inside the system. Try again in a moment."

    def __init__(
        self,
        message_zh: str | None = None,
        message_en: str | None = None,
        *,
        code: str | None = None,
        fields: Mapping[str, str] | None = None,
        current: Any = None,
        retry_after: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.message_zh = message_zh or self.default_zh
        self.message_en = message_en or (self.default_en if message_zh is None else message_zh)
        self.code = code or self.default_code
        self.fields = dict(fields or {})
        self.current = current
        self.retry_after = retry_after
        self.extra = dict(extra or {})
        super().__init__(self.message_en)

    def message(self, language: str) -> str:
        """The message for a reader of `language` ("zh…" or anything else, which reads English)."""
        return self.message_zh if language.startswith("zh") else self.message_en

    def to_json(self, language: str = "zh") -> dict[str, Any]:
        """The body of an error answer: {"error": {code, message, fields?}, "current"?, …}."""
        error: dict[str, Any] = {"code": self.code, "message": self.message(language)}
        if self.fields:
            error["fields"] = self.fields
        body: dict[str, Any] = {"error": error, **self.extra}
        if self.current is not None:
            body["current"] = self.current
        return body


class BadInput(HotlineError):
    """What was sent can't be used; `fields` maps each field to what is wrong with it."""

    status = 422
    default_code = "bad_input"
    default_zh = "提交的内容有误,请按提示修改。"
    default_en = "Some of what was sent can't be used. Change the marked fields."


class Unauthenticated(HotlineError):
    """Nobody is signed in."""

    status = 401
    default_code = "signed_out"
    default_zh = "尚未登录或登录已失效,请重新登录。"
    default_en = "You are not signed in, or your session has ended. Sign in again."


class BadCredentials(Unauthenticated):
    """The name or the password is wrong; which of them is not told."""

    default_code = "bad_credentials"
    default_zh = "用户名或密码错误。"
    default_en = "The name or the password is wrong."


class Forbidden(HotlineError):
    """The asker is known but not allowed."""

    status = 403
    default_code = "forbidden"
    default_zh = "您没有此项权限。如工作需要,请联系管理员。"
    default_en = "You may not do this. Ask an administrator if your work needs it."


class NotFound(HotlineError):
    """There is no such thing, or the asker may not know of it."""

    status = 404
    default_code = "not_found"
    default_zh = "未找到该内容,或您无权查看。"
    default_en = "There is no such thing, or you may not see it."


class Conflict(HotlineError):
    """What is stored is not what the asker thought; `current` holds it."""

    status = 409
    default_code = "conflict"
    default_zh = "内容已被更新,请核对后再提交。"
    default_en = "It has changed meanwhile. Check it and try again."


class VersionConflict(Conflict):
    """Someone else has saved since the asker read."""

    default_code = "version_conflict"
    default_zh = "该工单已被他人修改,请核对最新内容后再保存。"
    default_en = "Somebody else has changed this case. Compare with the current text and save again."


class Refused(HotlineError):
    """A rule or a state machine forbids it now."""

    status = 409
    default_code = "refused"
    default_zh = "当前状态下不能执行此操作。"
    default_en = "This can't be done in the present state."


class TooMany(HotlineError):
    """Too many tries; `retry_after` says in how many seconds the next one counts."""

    status = 429
    default_code = "too_many_attempts"
    default_zh = "尝试次数过多,请稍后再试。"
    default_en = "Too many tries. Wait a little."


class Busy(HotlineError):
    """The database is locked or away. Nothing was stored; the same request may be sent again."""

    status = 503
    default_code = "busy"
    default_zh = "系统繁忙,内容尚未保存,请稍后重试。"
    default_en = "The database is busy and nothing was stored. Try again in a moment."

    def __init__(self, *args: Any, **more: Any) -> None:
        more.setdefault("retry_after", 2)
        super().__init__(*args, **more)


class StorageFull(HotlineError):
    """No room for files or for the database. Whatever waits in a spool stays there."""

    status = 507
    default_code = "storage_full"
    default_zh = "存储空间不足,文件保留在暂存区,请管理员尽快清理磁盘。"
    default_en = "The disk is full. Files stay in the spool; an administrator must make room."
