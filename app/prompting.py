"""Builds the prompts of an instance with the instance's own tools."""

from __future__ import annotations

from collections.abc import Callable

from app.settings import Settings
from app.tools import tool
from ivr import prompts


def build_all(settings: Settings, progress: Callable[[int, int, str], None] | None = None) -> prompts.Report:
    """Brings prompts and music up to date; see `ivr.prompts.build_prompts`. Raises SpeechError, ToolMissing."""
    return prompts.build_prompts(settings, progress, tool=lambda name: tool(name, settings))
