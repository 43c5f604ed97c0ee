"""A frozen dataclass that costs a third: every event makes some, and every field of a frozen one is a call to set.

`@record(frozen=True, slots=True)` is to a type checker what `dataclass` is, so writing to a field is an error there. At
run time nothing stands in the way of it. A state change with its eleven fields is made in 0.6 to 1.2 µs instead of 3.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import dataclass

    def record(*, frozen: bool, slots: bool) -> Any:
        """Hashed by its fields, as what is frozen is."""
        return dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["record"]
