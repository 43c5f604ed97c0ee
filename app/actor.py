"""Who asks. Every use case that reads or changes something on a person's behalf takes an `Actor`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from app.auth.model import Permission, Role, permissions_of
from app.errors import Forbidden


@dataclass(frozen=True)
class Actor:
    """A person (or the system itself) with their roles.

    `agent_id` is the staff number when the person takes calls; `address` is where the request came from, for the
    audit. `must_change_password` keeps everything but the password change closed. `unit_ids` are the working units
    that the person works in. An outside system has no roles: `granted` is what its account allows, `machine_id` which
    account that is (`app.machines`).
    """

    user_id: int | None
    roles: frozenset[Role] = field(default_factory=frozenset)
    agent_id: str | None = None
    name: str = ""
    display_name: str = ""
    address: str = ""
    must_change_password: bool = False
    is_system: bool = False
    unit_ids: frozenset[int] = frozenset()
    granted: frozenset[Permission] = frozenset()
    machine_id: int | None = None

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        """What the roles allow; the system may do everything."""
        return frozenset(Permission) if self.is_system else permissions_of(self.roles) | self.granted

    def may(self, permission: Permission) -> bool:
        """Whether this is allowed."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises Forbidden unless this is allowed."""
        if not self.may(permission):
            raise Forbidden()

    def sees_personal(self, *, confidential: bool, owner: str | None) -> bool:
        """Whether numbers and names are shown in clear.

        The agent who has (or had) the call must see whom they speak with; everyone else needs the permission, and a
        stronger one where the citizen asked for secrecy (篇6 第19条, PIPL least access).
        """
        if self.agent_id is not None and owner == self.agent_id:
            return True
        return self.may(Permission.confidential_read if confidential else Permission.personal_read)


SYSTEM = Actor(user_id=None, name="system", display_name="系统", is_system=True)
