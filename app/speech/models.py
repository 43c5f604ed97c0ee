"""The folders of models, in words: what is wrong with one before anybody tries to listen with it."""

from __future__ import annotations

from pathlib import Path

HEART = ("am/final.mdl", "final.mdl")  # newer models, older ones
GRAPHS = ("graph/HCLG.fst", "graph/HCLr.fst", "HCLG.fst", "HCLr.fst")


def fault_of(folder: Path) -> str:
    """What is wrong with a model's folder, "" if nothing can be seen."""
    if not folder.exists():
        return f"{folder} is not there"
    if not folder.is_dir():
        return f"{folder} is no folder"
    inside = [name for name in folder.iterdir() if name.is_dir()]
    if not _has(folder, HEART):
        if any(_has(one, HEART) for one in inside):
            return f"the model is one folder further down, in {next(one for one in inside if _has(one, HEART)).name}/"
        return f"{folder} holds no vosk model (there is no am/final.mdl)"
    if not _has(folder, GRAPHS):
        return f"{folder} is incomplete (there is no graph/HCLG.fst or graph/HCLr.fst)"
    return ""


def size_mb(folder: Path) -> int:
    """How large the model is on the disk."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) // 1_000_000


def _has(folder: Path, names: tuple[str, ...]) -> bool:
    return any((folder / name).is_file() for name in names)
