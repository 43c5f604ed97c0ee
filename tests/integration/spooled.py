"""Voicemails and faxes as Asterisk leaves them in the spool, and looks at what became of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from sqlmodel import select

from app.audio import write_wav
from app.clock import to_ms
from app.db import Database
from app.settings import Settings

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
RATE = 8000


def speech(seconds: float = 3.0) -> np.ndarray:
    """Something with the rises and falls of a voice."""
    t = np.arange(int(seconds * RATE)) / RATE
    return (8000 * np.sin(2 * np.pi * 300 * t) * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * t))).astype(np.int16)


def spooled(settings: Settings, call_id: str, samples: np.ndarray | None, **facts: Any) -> Path:
    """A voicemail as Asterisk leaves it; the sidecar's path."""
    folder = settings.paths.voicemail_spool
    if samples is not None:
        write_wav(folder / f"{call_id}.wav", samples, RATE)
    sidecar = folder / f"{call_id}.json"
    base = {"kind": "voicemail", "call": call_id, "number": "13800138000", "line": "12345", "lang": "zh"}
    base |= {"started": to_ms(NOW), "status": "complete", "duration": 3}
    sidecar.write_text(json.dumps(base | facts))
    return sidecar


def only(db: Database, table: Any) -> Any:
    with db.read() as session:
        return session.exec(select(table)).one()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def page(words: str) -> Image.Image:
    image = Image.new("1", (1728, 2200), 1)
    ImageDraw.Draw(image).text((200, 200), words)
    return image


def faxed(settings: Settings, call_id: str, count: int, **facts: Any) -> Path:
    """A fax as Asterisk leaves it: Group 4, 204×196 dpi."""
    folder = settings.paths.fax_spool
    if count:
        images = [page(f"page {n}") for n in range(count)]
        images[0].save(
            folder / f"{call_id}.tif", save_all=True, append_images=images[1:], compression="group4", dpi=(204, 196)
        )
    sidecar = folder / f"{call_id}.json"
    base = {"kind": "fax", "call": call_id, "number": "02155551234", "line": "12340", "started": to_ms(NOW)}
    base |= {"status": "complete" if count else "failed", "pages": count, "mode": "T38", "error": "", "station": "SH"}
    sidecar.write_text(json.dumps(base | facts))
    return sidecar


def pdf_pages(path: Path) -> int:
    import re

    return len(re.findall(rb"/Type\s*/Page\b", path.read_bytes()))
