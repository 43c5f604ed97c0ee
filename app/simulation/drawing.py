"""A picture as a list of shapes, so that the same plot becomes SVG and PNG. Pixels from the top left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

Point = tuple[float, float]

INK, FAINT, GRID, PAPER = "#1f2937", "#6b7280", "#e5e7eb", "#ffffff"


@dataclass(frozen=True, slots=True)
class Stroke:
    """An open line through points."""

    points: tuple[Point, ...]
    colour: str
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon."""

    points: tuple[Point, ...]
    colour: str


@dataclass(frozen=True, slots=True)
class Dot:
    """`hint` is shown where the pointer rests on it, where there is a pointer."""

    at: Point
    radius: float
    colour: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text; `at` is its baseline, at its `anchor` (start, middle, end)."""

    at: Point
    text: str
    size: int = 14
    colour: str = INK
    anchor: str = "start"
    bold: bool = False


Shape = Stroke | Area | Dot | Words


@dataclass(slots=True)
class Picture:
    width: int
    height: int
    title: str
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        self.shapes.extend(shapes)


def _pairs(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def to_svg(picture: Picture) -> str:
    """The picture as an SVG element that scales with its surroundings."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {picture.width} {picture.height}" role="img" '
        f'aria-label="{escape(picture.title)}">',
        f'<rect width="{picture.width}" height="{picture.height}" fill="{PAPER}"/>',
    ]
    parts += [_element(shape) for shape in picture.shapes]
    return "\n".join([*parts, "</svg>"])


def _element(shape: Shape) -> str:
    match shape:
        case Stroke():
            dash = ' stroke-dasharray="6 5"' if shape.dashed else ""
            return (
                f'<polyline points="{_pairs(shape.points)}" fill="none" stroke="{shape.colour}" '
                f'stroke-width="{shape.width}" stroke-linejoin="round"{dash}/>'
            )
        case Area():
            return f'<polygon points="{_pairs(shape.points)}" fill="{shape.colour}"/>'
        case Dot():
            x, y = shape.at
            hint = f"<title>{escape(shape.hint)}</title>" if shape.hint else ""
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{shape.radius}" fill="{shape.colour}">{hint}</circle>'
        case Words():
            x, y = shape.at
            weight = ' font-weight="600"' if shape.bold else ""
            return (
                f'<text x="{x:.1f}" y="{y:.1f}" font-size="{shape.size}" fill="{shape.colour}" '
                f'text-anchor="{shape.anchor}"{weight}>{escape(shape.text)}</text>'
            )
