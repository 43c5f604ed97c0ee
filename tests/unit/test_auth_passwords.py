"""Passwords: what a look at the clock could tell."""

from __future__ import annotations

from app.auth import passwords


def test_a_name_that_nobody_has_costs_the_same_work_as_one_that_somebody_has():
    assert not passwords.HASHER.check_needs_rehash(passwords._NOBODY)
    assert not passwords.matches("", None)
