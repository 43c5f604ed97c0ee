"""The use cases of signing in, in one place to import from."""

from __future__ import annotations

from app.auth.sessions import COOKIE, SignedIn, Visit, login, logout, session_user, visit_of
from app.auth.users import (
    change_password,
    change_user,
    create_user,
    display_names,
    ensure_first_admin,
    list_users,
    reset_password,
)

__all__ = [
    "COOKIE",
    "SignedIn",
    "Visit",
    "change_password",
    "change_user",
    "create_user",
    "display_names",
    "ensure_first_admin",
    "list_users",
    "login",
    "logout",
    "reset_password",
    "session_user",
    "visit_of",
]
