"""Which alarms there are and how much they weigh. Pure."""

from __future__ import annotations

WARNINGS = frozenset({"certificate_ends", "pushes_not_sent"})
"""What somebody must see to, while the hotline itself is well: calls are taken as ever, so `/healthz` stays ok.

A certificate that ends in 30 days, or an outside system that is down, must not make a proxy turn pages away.
"""
