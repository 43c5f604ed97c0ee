"""Where templates lie: those that come with the hotline, and an office's own of the same name in its home folder."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import HotlineError
from app.letters import model
from app.letters.templates import LARGEST, Fault, Layout, Wording, read_layout, read_wording
from app.settings import Settings

SHIPPED = Path(__file__).with_name("templates")
WORDING = "letter.txt"
FIELDS: Mapping[str, Collection[str]] = {
    "order.yaml": model.ORDER_FIELDS,
    "letter.yaml": model.LETTER_FIELDS,
    WORDING: model.TEXT_FIELDS,
}


class BrokenTemplate(HotlineError):
    """An office's own template can't be used; `hotline letters check` says what is wrong where."""

    default_code = "broken_template"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"文书模板 {name} 有误，请管理员运行 hotline letters check 查看。",
            f"The template {name} is broken; an administrator sees what is wrong by: hotline letters check",
        )


@dataclass(frozen=True)
class Checked:
    """A template as it was found."""

    name: str
    path: Path
    own: bool
    faults: tuple[Fault, ...]


def layout(settings: Settings, kind: model.Kind) -> Layout:
    """The layout of that document. Raises BrokenTemplate."""
    name = f"{kind}.yaml"
    path, text = _read(settings, name)
    found = read_layout(text, FIELDS[name]) if text is not None else None
    if found is None or found.faults:
        raise BrokenTemplate(path.name)
    return found


def wording(settings: Settings) -> Wording:
    """The wording that is proposed for a letter. Raises BrokenTemplate."""
    path, text = _read(settings, WORDING)
    found = read_wording(text, FIELDS[WORDING]) if text is not None else None
    if found is None or found.faults:
        raise BrokenTemplate(path.name)
    return found


def check(settings: Settings) -> Iterator[Checked]:
    """Every template in use with what is wrong with it, and files in the office's folder that nothing reads."""
    for name, known in FIELDS.items():
        path, text = _read(settings, name)
        if text is None:
            kilobytes = LARGEST // 1024
            told = f"读不出文字（UTF-8，最多 {kilobytes} KB）", f"not readable: UTF-8, at most {kilobytes} KB"
            faults: tuple[Fault, ...] = (Fault(1, *told),)
        elif name == WORDING:
            faults = read_wording(text, known).faults
        else:
            faults = tuple(read_layout(text, known).faults)
        yield Checked(name, path, path.parent != SHIPPED, faults)
    own = settings.paths.letters
    for stray in sorted(own.iterdir()) if own.is_dir() else ():
        if stray.name not in FIELDS:
            unread = Fault(1, f"没有这个模板，可用的有 {'、'.join(FIELDS)}", "there is no template of this name")
            yield Checked(stray.name, stray, True, (unread,))


def _read(settings: Settings, name: str) -> tuple[Path, str | None]:
    own = settings.paths.letters / name
    path = own if own.exists() else SHIPPED / name
    try:
        data = path.read_bytes()
        return path, data.decode("utf-8-sig") if len(data) <= LARGEST else None
    except (OSError, UnicodeDecodeError):
        return path, None
