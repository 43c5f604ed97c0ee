"""Shapes of answers that several capabilities use."""

from __future__ import annotations

from app.http.schema import Answer


class ForetoldWait(Answer):
    """The wait in seconds that the caller was told, and what it then was; null while, or because, nobody answered."""

    low_s: int
    high_s: int
    came_s: int | None


class CallRow(Answer):
    """A call; number and name masked for those who may not see them."""

    call_id: str
    number: str
    name: str
    line: str
    language: str
    path: str
    queue: str
    direction: str
    outcome: str | None
    cause: str | None
    failsafe_cause: str | None
    rating: int | None
    started_at: str
    joined_at: str | None
    answered_at: str | None
    ended_at: str | None
    waited_s: int | None
    talk_s: int | None
    foretold: ForetoldWait | None = None
    agent_id: str | None
    agent_name: str | None
    case_id: int | None = None
    case_number: str | None = None
    recordings: int = 0


class CitizenOut(Answer):
    """A citizen; masked for those who may not see them."""

    id: int
    numbers: list[str]
    name: str
    area: str
    address: str
    language: str
    flags: list[str]
    note: str
    version: int


class RecordingOut(Answer):
    """A recording; `chain_ok` is null when it was not checked."""

    id: int
    call_id: str
    segment: int
    agent_id: str | None
    started_at: str
    duration_s: int
    bytes: int
    sha256: str
    partial: str | None
    hold: bool
    chain_ok: bool | None
    audio_url: str | None
