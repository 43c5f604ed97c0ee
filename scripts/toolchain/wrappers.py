"""`.telephony/bin`: one executable per tool, be it the system's, in a private folder, or from a Python wheel."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from .catalogue import Tool
from .once import write_if_changed
from .progress import SetupError

CHINESE = ("Noto Sans CJK SC", "WenQuanYi Micro Hei")
FONTS = {
    "sans-serif": (*CHINESE, "DejaVu Sans"),
    "system-ui": (*CHINESE, "DejaVu Sans"),
    "serif": ("Noto Serif CJK SC", "DejaVu Serif", *CHINESE),
    "monospace": ("DejaVu Sans Mono", *CHINESE),
}


def link_system(bin_dir: Path, name: str, program: Path) -> None:
    """`bin_dir`/`name` becomes a link to the machine's own `program`."""
    bin_dir.mkdir(parents=True, exist_ok=True)
    link = bin_dir / name
    if link.is_symlink() and os.readlink(link) == str(program):
        return
    temporary = bin_dir / f".{name}.{os.getpid()}.new"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(program)
    temporary.replace(link)


def library_path(root: Path) -> Path:
    """The multiarch library folder of a prefix (usr/lib/x86_64-linux-gnu, usr/lib/aarch64-linux-gnu, …)."""
    found = sorted(root.glob("usr/lib/*-linux-gnu*"))
    if not found:
        raise SetupError(f"{root} holds no libraries", f"remove {root} and run the same command again")
    return found[0]


def loader(root: Path) -> Path:
    """The dynamic loader inside a prefix that holds its own C library."""
    found = sorted(library_path(root).glob("ld-linux*.so.*"))
    if not found:
        raise SetupError(f"{root} holds no loader", f"remove {root} and run the same command again")
    return found[0]


def wrap(bin_dir: Path, tool: Tool, root: Path) -> None:
    """`bin_dir`/`tool.name` starts the tool out of `root`, on the machine's own C library."""
    program = _first(root, tool.in_prefix)
    folders = [library_path(root), *(match for glob in tool.library_dirs for match in sorted(root.glob(glob)))]
    # PulseAudio's client library keeps a part of itself one folder further down.
    folders += sorted(root.glob("usr/lib/*/pulseaudio"))
    env = {}
    for variable, place in tool.env.items():
        parent = place.endswith("/..")
        found = _first(root, place.removesuffix("/.."))
        env[variable] = str(found.parent if parent else found)
    if tool.name == "chromium":
        env["FONTCONFIG_FILE"] = str(_fonts_conf(bin_dir.parent, root))
    lines = ["#!/bin/sh"]
    lines += [f"export {variable}={shlex.quote(value)}" for variable, value in sorted(env.items())]
    paths = ":".join(str(folder) for folder in folders)
    lines.append(f"export LD_LIBRARY_PATH={shlex.quote(paths)}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}")
    lines.append(f'exec {shlex.quote(str(program))} "$@"')
    _write(bin_dir / tool.name, lines)


def wrap_with_loader(bin_dir: Path, name: str, program: Path, root: Path) -> None:
    """`bin_dir`/`name` starts `program` on the C library inside `root`, whatever the machine's own is."""
    _write(bin_dir / name, ["#!/bin/sh", f'exec {shlex.join(start_with_loader(program, root))} "$@"'])


def start_with_loader(program: Path, root: Path) -> list[str]:
    """The argv that starts `program` on the C library inside `root`."""
    return [str(loader(root)), "--inhibit-cache", "--library-path", str(library_path(root)), str(program)]


def wrap_command(bin_dir: Path, name: str, argv: list[str], path_first: Path | None = None) -> None:
    """`bin_dir`/`name` runs `argv` plus its own arguments, with `path_first` in front of PATH."""
    lines = ["#!/bin/sh"]
    if path_first:
        lines.append(f"export PATH={shlex.quote(str(path_first))}:$PATH")
    _write(bin_dir / name, [*lines, f'exec {shlex.join(argv)} "$@"'])


def _fonts_conf(tools: Path, root: Path) -> Path:
    """A fontconfig file that knows the prefix's fonts and the machine's own, caching in a folder that is ours.

    The distribution's rule files are left out: unpacked without the links that choose among them, one of them forgets
    every font folder named before it.
    """
    families = ""
    for name, fonts in FONTS.items():
        preferred = "".join(f"<family>{font}</family>" for font in fonts)
        families += f"  <alias><family>{name}</family><prefer>{preferred}</prefer></alias>\n"
    conf = tools / "fonts.conf"
    write_if_changed(
        conf,
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">\n<fontconfig>\n'
        f"  <dir>{root}/usr/share/fonts</dir>\n  <dir>/usr/share/fonts</dir>\n"
        f"  <cachedir>{tools}/font-cache</cachedir>\n{families}</fontconfig>\n",
    )
    return conf


def _first(root: Path, pattern: str) -> Path:
    found = sorted(root.glob(pattern))
    if not found:
        raise SetupError(f"{root} lacks {pattern}", f"remove {root} and run the same command again")
    return found[-1]


def _write(path: Path, lines: list[str]) -> None:
    if path.is_symlink():
        path.unlink()
    write_if_changed(path, "\n".join(lines) + "\n", 0o755)
