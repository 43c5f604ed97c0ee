"""Pages to send: TIFF files as fax machines have them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 1728, 1100


def write_fax(path: Path, pages: int = 2) -> Path:
    """Writes `pages` short pages, Group 4, 204x196 dpi, each with its number in blocks that survive any line."""
    images = []
    for number in range(1, pages + 1):
        image = Image.new("1", (WIDTH, HEIGHT), 1)
        draw = ImageDraw.Draw(image)
        draw.rectangle((40, 40, WIDTH - 40, HEIGHT - 40), outline=0, width=6)
        for block in range(number):
            draw.rectangle((100 + 250 * block, 200, 300 + 250 * block, 400), fill=0)
        images.append(image)
    path.parent.mkdir(parents=True, exist_ok=True)
    images[0].save(path, format="TIFF", compression="group4", dpi=(204, 196), save_all=True, append_images=images[1:])
    return path


def pages_of(path: Path) -> int:
    """How many pages the TIFF file holds."""
    with Image.open(path) as image:
        return int(getattr(image, "n_frames", 1))


def black_of(path: Path, page: int) -> float:
    """The share of black on a page (0..1), to see that it is the page that was sent."""
    with Image.open(path) as image:
        image.seek(page)
        return image.convert("L").histogram()[0] / (image.width * image.height)
