"""Which programs the project uses, which packages carry them, and what each needs to run from a private folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Tool:
    """A program by the name the project calls it, and how to come by it.

    `on_path` are the names (or glob patterns of absolute paths, newest last) under which a system may already have
    it; `in_prefix` is its place (glob) in an unpacked package; `env` maps variables to folders below the prefix,
    each a glob, with the first existing match taken.
    """

    name: str
    packages: tuple[str, ...]
    in_prefix: str
    on_path: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    library_dirs: tuple[str, ...] = ()
    remedy: str = ""

    def on_system(self) -> Path | None:
        """Where the machine itself has this tool; None if it hasn't."""
        for name in self.on_path or (self.name,):
            if name.startswith("/"):
                pattern = name.lstrip("/")
                matches = sorted((p for p in Path("/").glob(pattern) if p.is_file()), key=_version_in_path)
                if matches:
                    return matches[-1]
            elif found := shutil.which(name):
                return Path(found)
        return None


def _version_in_path(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.parts if part.isdigit())


def _postgres(program: str) -> Tool:
    return Tool(
        program,
        ("postgresql",),
        f"usr/lib/postgresql/*/bin/{program}",
        on_path=(f"/usr/lib/postgresql/*/bin/{program}", program),
    )


RUN_TOOLS = (
    Tool(
        "espeak-ng",
        ("espeak-ng", "espeak-ng-data"),
        "usr/bin/espeak-ng",
        env={"ESPEAK_DATA_PATH": "usr/lib/*/espeak-ng-data/.."},
    ),
    Tool("sox", ("sox", "libsox-fmt-base"), "usr/bin/sox", library_dirs=("usr/lib/*/sox",)),
    Tool("tiff2pdf", ("libtiff-tools",), "usr/bin/tiff2pdf"),
    Tool("tiffcp", ("libtiff-tools",), "usr/bin/tiffcp"),
)

# What documents are set in (ADR 0017). No program: it becomes `.telephony/fonts`, a folder.
FONTS = Tool(
    "fonts",
    ("fonts-noto-cjk",),
    "usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    on_path=("/usr/share/fonts/*/noto/NotoSerifCJK-Regular.ttc", "/usr/share/fonts/noto-cjk/NotoSerifCJK-Regular.ttc"),
    remedy="install the fonts Noto Serif CJK and Noto Sans CJK on the system",
)

TEST_TOOLS = (
    Tool("baresip", ("baresip-core",), "usr/bin/baresip"),
    Tool("sipp", ("sip-tester",), "usr/bin/sipp"),
    Tool(
        "chromium",
        ("chromium", "fonts-wqy-microhei", "fonts-dejavu-core", "fontconfig-config"),
        "usr/lib/chromium/chromium",
        on_path=("chromium", "google-chrome-stable", "google-chrome"),
        library_dirs=("usr/lib/*/nss", "usr/lib/chromium"),
        remedy="install Chromium or Chrome so that `chromium` or `google-chrome` is on PATH",
    ),
    Tool("curl", ("curl",), "usr/bin/curl"),  # for the examples in docs/cti.md
    *(_postgres(program) for program in ("postgres", "initdb", "pg_ctl", "psql")),
)

ASTERISK_PACKAGES = ("asterisk", "asterisk-config", "asterisk-modules", "asterisk-core-sounds-en-wav")
# Part of the main packages in some releases, packages of their own in others.
ASTERISK_EXTRAS = ("asterisk-opus",)
ASTERISK_OLDEST = 18
# Without these the dialplan can't be loaded, whatever the version says.
ASTERISK_MODULES = (
    "res_pjsip", "res_pjsip_outbound_registration", "app_confbridge", "app_mixmonitor", "app_queue", "app_voicemail",
    "res_agi", "res_fax", "res_fax_spandsp", "func_jitterbuffer", "res_srtp", "app_userevent", "app_record",
    "res_http_websocket", "res_musiconhold",
)  # fmt: skip


def packages_of(tools: Iterable[Tool]) -> list[str]:
    """The packages that carry `tools`, without repeats, in a stable order."""
    return sorted({package for tool in tools for package in tool.packages})
