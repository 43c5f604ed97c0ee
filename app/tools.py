"""Where the native programs are: one place to ask, one way to fail."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings, get_settings

RUN_TOOLS = ("asterisk", "espeak-ng", "sox", "tiff2pdf", "tiffcp")
TEST_TOOLS = ("baresip", "sipp", "chromium", "curl", "postgres", "initdb", "pg_ctl", "psql")
BUILD_TOOLS = ("node", "npm")
CHINESE_FONT = "NotoSerifCJK-Regular.ttc"


class ToolMissing(RuntimeError):
    """A native program is not there; the text says what to run to get it."""


@dataclass(frozen=True)
class AsteriskParts:
    """Where the parts of the Asterisk in use are, for asterisk.conf; and what it is."""

    binary: Path
    modules: Path
    data: Path
    sounds: Path
    documentation: Path
    version: str
    source: str  # "system", or the release it was unpacked from
    loader: bool  # True: it runs on a C library of its own


def tool(name: str, settings: Settings | None = None) -> list[str]:
    """The argv prefix that starts `name`: one executable, absolute. Raises ToolMissing naming the remedy."""
    chosen = settings or get_settings()
    wrapper = chosen.tools / "bin" / name
    if wrapper.exists():
        return [str(wrapper)]
    if found := shutil.which(name):
        return [str(Path(found).absolute())]
    goal = "make setup-test" if name in TEST_TOOLS else "make setup"
    raise ToolMissing(f"{name} is not in {chosen.tools / 'bin'} and not on PATH. Remedy: {goal}")


def asterisk_dirs(settings: Settings | None = None) -> AsteriskParts:
    """The parts of the Asterisk that set-up chose. Raises ToolMissing naming the remedy."""
    chosen = settings or get_settings()
    file = chosen.tools / "asterisk.json"
    try:
        facts = json.loads(file.read_text())
        return AsteriskParts(
            binary=Path(facts["binary"]),
            modules=Path(facts["modules"]),
            data=Path(facts["data"]),
            sounds=Path(facts["sounds"]),
            documentation=Path(facts["documentation"]),
            version=str(facts["version"]),
            source=str(facts["source"]),
            loader=bool(facts["loader"]),
        )
    except (OSError, ValueError, KeyError) as error:
        raise ToolMissing(f"no Asterisk is set up ({file}: {error}). Remedy: make setup") from error


def fonts(settings: Settings | None = None) -> Path:
    """The folder of the fonts that documents are set in (ADR 0017). Raises ToolMissing naming the remedy."""
    chosen = settings or get_settings()
    folder = chosen.tools / "fonts"
    if not (folder / CHINESE_FONT).exists():
        raise ToolMissing(f"{CHINESE_FONT} is not in {folder}. Remedy: make setup")
    return folder


def baresip_modules(settings: Settings | None = None) -> Path:
    """The folder of baresip's modules, for `module_path` in its configuration. Raises ToolMissing."""
    chosen = settings or get_settings()
    for root in (chosen.tools / "test", Path("/")):
        for pattern in ("usr/lib/baresip/modules", "usr/lib/*/baresip/modules"):
            for folder in sorted(root.glob(pattern)):
                return folder
    raise ToolMissing("baresip's modules are not there. Remedy: make setup-test")
