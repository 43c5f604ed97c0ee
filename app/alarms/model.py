"""Which alarms there are and how much they weigh. Pure."""

from __future__ import annotations

WARNINGS = frozenset({"certificate_ends", "pushes_not_sent", "speech_model", "menu_unusable", "menu_not_laid_down"})
"""What somebody must see to, while the hotline itself is well: calls are taken as ever, so `/healthz` stays ok.

A certificate that ends in 30 days, an outside system that is down, a speech model that cannot be read, or a menu for
which the last good one is walked must not make a proxy turn pages away.
"""
