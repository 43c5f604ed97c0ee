"""Shapes that every answer shares, and the building blocks of requests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from app.paging import Leaf, Page

T = TypeVar("T")
MOST = 2**31 - 1

Id = Annotated[int, Path(ge=1, le=MOST)]
CallId = Annotated[str, Path(pattern=r"^[A-Za-z0-9.-]{1,64}$")]
AgentId = Annotated[str, Path(pattern=r"^[0-9]{2,8}$")]
Version = Annotated[int, Field(ge=1, le=MOST)]
StaffNumber = Annotated[str, Field(pattern=r"^[0-9]{0,8}$")]
Word = Annotated[str, Field(max_length=100)]
Number = Annotated[str, Field(max_length=40)]


def countable(moment: datetime) -> datetime:
    """`moment`, for a field's validator. Raises ValueError outside of the years that databases can count."""
    if not 2000 <= moment.year <= 2200:
        raise ValueError("out of range")
    return moment


class Body(BaseModel):
    """A request body: unknown fields are refused, so that a typing error is not lost in silence."""

    model_config = ConfigDict(extra="forbid", str_max_length=25_000)


class Listing(Body):
    """What a list is asked for: in the query of a GET, or in the body of a POST to …/search.

    Whatever tells of a person (a number, a name, words that may be either) belongs in the body: addresses stay in
    browsers' histories and proxies' logs.
    """

    page: int = Field(default=1, ge=1, le=100_000)
    page_size: int = Field(default=25, ge=1, le=100)

    @property
    def leaf(self) -> Leaf:
        """Which page is wanted."""
        return Leaf(self.page, self.page_size)

    def wanted(self) -> dict[str, Any]:
        """The conditions that were set, by the names that the use cases give them."""
        return self.model_dump(exclude={"page", "page_size"}, exclude_none=True)


class Days(Body):
    """A span of days, both included."""

    from_: date | None = Field(default=None, alias="from")
    to: date | None = None


class DatedListing(Listing, Days):
    """A list that can be cut to some days, both included."""


class Answer(BaseModel):
    """An answer's shape."""


class PageOf(Answer, Generic[T]):
    """One page of a list, newest first; `total` counts up to 1,000 behind where the page begins."""

    items: list[T]
    total: int
    page: int
    page_size: int

    @classmethod
    def of(cls, page: Page[Any], items: Iterable[T]) -> PageOf[T]:
        """That page of a list, its rows as `items`."""
        return cls(items=list(items), total=page.total, page=page.page, page_size=page.page_size)


class PartOut(Answer):
    """A piece of a text; `found`: it is what was sought."""

    text: str
    found: bool


class ErrorDetail(Answer):
    """What went wrong, in the reader's language; `fields` name what to change."""

    code: str
    message: str
    fields: dict[str, str] | None = None


class ErrorBody(Answer):
    """Every error answer. `current` holds what is stored when versions differ."""

    error: ErrorDetail
    current: dict[str, Any] | None = None
    changed_by: str | None = None


def _answer(words: str) -> dict[str, Any]:
    return {"model": ErrorBody, "description": words}


# For every route under /api: what else than success can come back.
ERRORS: dict[int | str, dict[str, Any]] = {
    400: _answer("not understood"),
    401: _answer("nobody is signed in"),
    403: _answer("not allowed"),
    404: _answer("no such thing, or not for the asker to know"),
    409: _answer("changed meanwhile, or not in this state"),
    413: _answer("too large"),
    422: _answer("fields to change"),
    429: _answer("too many tries; Retry-After says when"),
    503: _answer("database busy, nothing stored; Retry-After says when"),
    507: _answer("disk full"),
}
