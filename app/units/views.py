"""Units as pages and programs read them."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from app.auth.service import display_names
from app.clock import iso
from app.units.queries import ancestors, phones_of
from app.units.tables import Unit


def row_json(unit: Unit) -> dict[str, Any]:
    """A unit as the tree and lists show it."""
    return {
        "id": unit.id,
        "code": unit.code,
        "name": unit.name,
        "short_name": unit.short_name,
        "kind": unit.kind,
        "level": unit.level,
        "parent_id": unit.parent_id,
        "active": unit.active,
    }


def unit_json(session: Session, unit: Unit) -> dict[str, Any]:
    """A unit in full."""
    return {
        **row_json(unit),
        "path": [row_json(one) for one in ancestors(session, unit.id or 0)],
        "duties": unit.duties,
        "topics": list(unit.topics),
        "keywords": list(unit.keywords),
        "areas": list(unit.areas),
        "address": unit.address,
        "office_hours": unit.office_hours,
        "hours_note": unit.hours_note,
        "phones": [
            {"kind": phone.kind.value, "number": phone.number, "note": phone.note}
            for phone in phones_of(session, [unit.id or 0]).get(unit.id or 0, [])
        ],
        "version": unit.version,
        "updated_at": iso(unit.updated_at),
        "updated_by_name": display_names(session, {unit.updated_by}).get(unit.updated_by or 0),
    }
