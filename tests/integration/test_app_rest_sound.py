"""REST: sound in ranges, for those who may hear it, and every listening audited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlmodel import select

from app.actor import Actor
from app.audio import write_wav
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.db import Database
from app.http.files import Span, Unsatisfiable, parse_range
from app.settings import Settings
from app.voicemails import service as voicemails
from tests.integration.web_browser import Browser

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
People = Callable[..., Actor]


@pytest.fixture
def voicemail(db: Database, settings: Settings) -> int:
    """A stored voicemail's id."""
    wav = settings.paths.voicemail_spool / "h-2.2.wav"
    t = np.arange(16000) / 8000
    write_wav(wav, (9000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16), 8000)
    wav.with_suffix(".json").write_text('{"number": "13800138000", "status": "complete"}')
    voicemails.take_in(db, settings, wav.with_suffix(".json"))
    return 1


def listened(db: Database) -> int:
    with db.read() as session:
        return len(session.exec(select(AuditEntry).where(AuditEntry.action == "voicemail.listened")).all())


def test_sound_comes_in_ranges_and_every_listening_is_audited_once(
    browser: Callable[..., Browser], voicemail: int, db: Database
):
    agent = browser(agent_id="1001")
    path = f"/api/voicemails/{voicemail}/audio"
    whole = agent.get(path)
    assert (whole.status_code, whole.headers["accept-ranges"], whole.headers["content-type"]) == (
        200,
        "bytes",
        "audio/wav",
    )
    size = len(whole.content)
    part = agent.get(path, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.headers["content-range"]) == (206, f"bytes 100-199/{size}")
    assert part.content == whole.content[100:200]
    tail = agent.get(path, headers={"Range": "bytes=-50"})
    assert (tail.status_code, tail.content) == (206, whole.content[-50:])
    rest = agent.get(path, headers={"Range": f"bytes={size - 10}-"})
    assert (rest.status_code, rest.content) == (206, whole.content[-10:])
    beyond = agent.get(path, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert agent.get(path, headers={"Range": "bytes=5-1"}).status_code == 200
    assert agent.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'}).status_code == 200
    assert listened(db) == 1


def test_those_who_may_not_hear_neither_hear_nor_are_audited(
    browser: Callable[..., Browser], voicemail: int, db: Database
):
    for role in (Role.auditor, Role.admin, Role.city_leader):
        assert browser(role).get(f"/api/voicemails/{voicemail}/audio").status_code == 403
    assert listened(db) == 0


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=10-", Span(10, 100)),
        ("bytes=10-999", Span(10, 100)),
        ("bytes=-1", Span(99, 100)),
        ("bytes=-1000", Span(0, 100)),
        ("BYTES = 1 - 2", Span(1, 3)),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=9-3", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=" + "9" * 50 + "-", None),
    ],
)
def test_ranges_are_read_as_the_standard_says(header: str | None, span: Span | None):
    assert parse_range(header, 100) == span


@pytest.mark.parametrize(("header", "size"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=-5", 0), ("bytes=0-", 0)])
def test_ranges_behind_the_end_cannot_be_satisfied(header: str, size: int):
    with pytest.raises(Unsatisfiable):
        parse_range(header, size)
