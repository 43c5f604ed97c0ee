"""Places that addresses of registered cases have named, and the index by which they are found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime
from app.places.model import LONGEST_AREA, LONGEST_PLACE
from app.search.tables import search_table

PLACE_INDEX = search_table("place_index")


class Place(SQLModel, table=True):
    """A road, an estate or a village of an area ("" where none was told); `uses`: how many cases name it.

    Which ones stands in `Case.place_id`. Whether it may be offered is asked of them each time: what is kept here says
    nothing about anybody.
    """

    __tablename__ = "place"
    __table_args__: Any = (UniqueConstraint("name", "area", name="uq_place_name_area"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=LONGEST_PLACE)
    area: str = Field(default="", max_length=LONGEST_AREA)
    uses: int = 0
    first_at: datetime = Field(sa_type=UTCDateTime)
