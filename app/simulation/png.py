"""A picture as PNG. Chinese needs a font that has it; where there is none the labels had better be English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from app.simulation.drawing import PAPER, Area, Dot, Picture, Point, Stroke, Words

_SCALE = 2  # pixels of the file for one of the picture, so that it is sharp on paper and on fine screens
_SMOOTH = 2  # drawn larger by this and reduced: pillow draws lines without smoothing
_DASH, _GAP = 6.0, 5.0
_CHINESE = (
    "wqy-*",
    "NotoSansCJK*",
    "NotoSansSC*",
    "SourceHanSans*",
    "DroidSansFallback*",
    "simhei*",
    "msyh*",
    "PingFang*",
)
_LATIN = ("DejaVuSans.ttf", "LiberationSans-Regular*", "Arial.ttf", "Helvetica*")

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def font_folders(tools: Path) -> list[Path]:
    """Where fonts may be: the machine's folders, then those of the unpacked tools."""
    home = Path.home()
    machine = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".local/share/fonts", home / ".fonts"]
    return [*machine, Path("/System/Library/Fonts"), *sorted(tools.glob("*/usr/share/fonts"))]


def _first(folders: Iterable[Path], patterns: Iterable[str]) -> Path | None:
    here = [folder for folder in folders if folder.is_dir()]
    found = (file for pattern in patterns for folder in here for file in sorted(folder.rglob(pattern)))
    return next((file for file in found if file.suffix in (".ttf", ".ttc", ".otf")), None)


def chinese_font(folders: Iterable[Path]) -> Path | None:
    """A font that can write Chinese, if any of these folders has one."""
    return _first(list(folders), _CHINESE)


def latin_font(folders: Iterable[Path]) -> Path | None:
    """A font for English, if any of these folders has one; pillow brings one of its own."""
    return _first(list(folders), _LATIN)


def save(picture: Picture, path: Path, font: Path | None) -> None:
    """Write the picture, with this font or pillow's own. Raises OSError."""
    scale = _SCALE * _SMOOTH
    image = Image.new("RGB", (picture.width * scale, picture.height * scale), PAPER)
    draw = ImageDraw.Draw(image)
    for shape in picture.shapes:
        match shape:
            case Stroke():
                for points in _dashes(shape.points) if shape.dashed else [shape.points]:
                    draw.line(
                        _scaled(points, scale), fill=shape.colour, width=round(shape.width * scale), joint="curve"
                    )
            case Area():
                draw.polygon(_scaled(shape.points, scale), fill=shape.colour)
            case Dot():
                x, y = shape.at
                box = _scaled([(x - shape.radius, y - shape.radius), (x + shape.radius, y + shape.radius)], scale)
                draw.ellipse(box, fill=shape.colour)
            case Words():
                _write(draw, shape, font, scale)
    size = (picture.width * _SCALE, picture.height * _SCALE)
    image.resize(size, Image.Resampling.LANCZOS).save(path, format="PNG", optimize=True)


def _scaled(points: Iterable[Point], scale: int) -> list[tuple[float, float]]:
    return [(x * scale, y * scale) for x, y in points]


def _write(draw: ImageDraw.ImageDraw, words: Words, font: Path | None, scale: int) -> None:
    place = {"start": "ls", "middle": "ms", "end": "rs"}[words.anchor]
    (at,) = _scaled([words.at], scale)
    stroke = 0.02 * words.size * scale if words.bold else 0
    draw.text(
        at, words.text, fill=words.colour, font=_font(font, words.size * scale), anchor=place, stroke_width=stroke
    )


@cache
def _font(path: Path | None, size: int) -> Font:
    return ImageFont.load_default(size) if path is None else ImageFont.truetype(str(path), size)


def _dashes(points: tuple[Point, ...]) -> Iterator[tuple[Point, Point]]:
    for (x0, y0), (x1, y1) in pairwise(points):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        at = 0.0
        while at < length:
            until = min(length, at + _DASH)
            begin, end = ((x0 + (x1 - x0) * part / length, y0 + (y1 - y0) * part / length) for part in (at, until))
            yield begin, end
            at = until + _GAP
