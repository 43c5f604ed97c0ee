"""Where templates lie: those that come with the hotline, and an office's own of the same name in its home folder."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
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
    "receipt.yaml": model.RECEIPT_FIELDS,
    WORDING: model.TEXT_FIELDS,
}

_KILOBYTES = LARGEST // 1024
UNREADABLE = Fault(1, f"读不出文字（UTF-8，最多 {_KILOBYTES} KB）", f"not readable: UTF-8, at most {_KILOBYTES} KB")


class BrokenTemplate(HotlineError):
    """An office's own template can't be used; `fields` names the file and its first fault."""

    default_code = "broken_template"
    default_zh = "文书模板有误，请管理员运行 hotline letters check 查看。"
    default_en = "A template is broken; an administrator sees what is wrong where by: hotline letters check"


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
    found = read_layout(_text(settings, name), FIELDS[name])
    _refuse(name, found.faults)
    return found


def wording(settings: Settings) -> Wording:
    """The wording that is proposed for a letter. Raises BrokenTemplate."""
    found = read_wording(_text(settings, WORDING), FIELDS[WORDING])
    _refuse(WORDING, found.faults)
    return found


def check(settings: Settings) -> Iterator[Checked]:
    """Every template in use with what is wrong with it, and files in the office's folder that nothing reads."""
    for name, known in FIELDS.items():
        path, text = _read(settings, name)
        if text is None:
            faults: tuple[Fault, ...] = (UNREADABLE,)
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


def _text(settings: Settings, name: str) -> str:
    _, text = _read(settings, name)
    if text is None:
        _refuse(name, [UNREADABLE])
    return text or ""


def _refuse(name: str, faults: Sequence[Fault]) -> None:
    if faults:
        raise BrokenTemplate(fields={name: f"{faults[0].line}: {faults[0].told}"})


def _read(settings: Settings, name: str) -> tuple[Path, str | None]:
    own = settings.paths.letters / name
    path = own if own.exists() else SHIPPED / name
    try:
        data = path.read_bytes()
        return path, data.decode("utf-8-sig") if len(data) <= LARGEST else None
    except (OSError, UnicodeDecodeError):
        return path, None
