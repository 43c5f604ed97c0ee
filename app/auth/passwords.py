"""Passwords: argon2id, and what makes one too weak."""

from __future__ import annotations

import secrets

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.errors import BadInput

SHORTEST, LONGEST = 10, 128
# 19 MiB, 2 passes, 1 lane: OWASP's minimum, about 30 ms here. A shift of 200 agents signs in within minutes.
HASHER = Argon2Hasher(time_cost=2, memory_cost=19456, parallelism=1)
_hash = PasswordHash((HASHER,))
# Of words that nobody knows, made as above: what a password is compared with where there is no user.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$Tl1KNYxl61ljkZFWUjRvvg$R5oqpjJuCs9OM2A5vUl/W2rNM0De1krbrAMtuHJsBcM"

# No words: only what is tried first against every login page.
_COMMON = frozenset({"1234567890", "0123456789", "password12", "password123", "qwertyuiop", "1q2w3e4r5t", "abc1234567"})


def hashed(password: str) -> str:
    """The argon2id hash to store."""
    return _hash.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether `password` belongs to `stored`; takes the same time when there is no such user (None)."""
    if len(password) > LONGEST:
        return False
    try:
        return _hash.verify(password, stored or _NOBODY) and stored is not None
    except Exception:  # an unreadable hash opens nothing
        return False


def require_strong(password: str, name: str, field: str = "new") -> None:
    """Raises BadInput naming `field` for a password that is too short, too plain, or contains the name."""
    plain = password.casefold()
    if not SHORTEST <= len(password) <= LONGEST:
        reason = f"密码长度须为 {SHORTEST}–{LONGEST} 位 (between {SHORTEST} and {LONGEST} characters)"
    elif not password.isprintable():
        reason = "密码含有不可用的字符 (holds characters that can't be typed)"
    elif plain in _COMMON or len(set(plain)) < 5:
        reason = "密码过于简单 (too easy to guess)"
    elif len(name) >= 3 and name.casefold() in plain:
        reason = "密码不得包含用户名 (must not contain the name)"
    else:
        return
    raise BadInput("新密码不符合要求。", "The new password can't be accepted.", fields={field: reason})


def one_time_password() -> str:
    """16 characters that can be read aloud: no 0/O, 1/l/I."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))
