"""The file of an instance's rules: the supervisors' own, else the shipped one; and the last one that could be used."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from acd.config import EngineConfig
from app.queues.rules import SHIPPED, load
from app.settings import Settings
from cti_bridge.ports import UnusableRules
from ivr.marked_yaml import DataFileError

log = structlog.get_logger(__name__)


class RulesFile:
    """`cti_bridge.ports.QueueRules` from `queues.yaml` in the home."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._own, self._good = settings.paths.queues, settings.paths.journal / "queues.good.yaml"

    @property
    def path(self) -> Path:
        """The file that holds now."""
        return self._own if self._own.exists() else SHIPPED

    @property
    def is_own(self) -> bool:
        """Whether the instance has rules of its own."""
        return self._own.exists()

    def first(self) -> tuple[EngineConfig, str]:
        config, trouble = self.held()
        if not trouble:
            self._keep(self.path)
        return config, trouble

    def held(self) -> tuple[EngineConfig, str]:
        """The rules as a core that starts now would take them, and what is wrong with those that should hold, or "".
        Nothing is written."""
        try:
            return self._load(), ""
        except UnusableRules as error:
            trouble = str(error)
        for path in (self._good, SHIPPED):
            try:
                return load(path, self._settings), trouble
            except (DataFileError, OSError) as error:
                log.warning("rules of the queue that held before cannot be used", file=path.name, problem=str(error))
        return EngineConfig(), trouble

    def read(self) -> EngineConfig:
        config = self._load()
        self._keep(self.path)
        return config

    def _load(self) -> EngineConfig:
        path = self.path
        try:
            return load(path, self._settings)
        except DataFileError as error:
            raise UnusableRules(str(error)) from error
        except OSError as error:
            raise UnusableRules(f"{path}: {error.strerror or error}") from error

    def stamp(self) -> object:
        path = self.path
        try:
            seen = path.stat()
        except OSError:
            return path
        return path, seen.st_mtime_ns, seen.st_size, seen.st_ino

    def _keep(self, path: Path) -> None:
        """Keep what could be used: a start with a broken file goes on with it."""
        aside = self._good.with_suffix(".new")
        try:
            self._good.parent.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(path.read_bytes())
            os.replace(aside, self._good)
        except OSError as error:
            log.warning("the rules of the queue cannot be kept for a later start", problem=str(error))
