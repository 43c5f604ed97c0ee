"""TIFF as fax machines send it: count its pages without trusting it, and make a PDF of what can be read."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageFile

LIMIT_S = 60
MOST_PAGES = 500
MOST_PIXELS = 60_000_000  # a fax page at 391 dpi has 14 million

ToolLookup = Callable[[str], list[str]]


@dataclass(frozen=True)
class Converted:
    """A PDF and how many pages it has; `cause` says what was wrong with the TIFF ("" if nothing)."""

    pdf: bytes | None
    pages: int
    cause: str = ""


def count_pages(data: bytes) -> int:
    """How many pages the file lists, 0 if it is no TIFF; a list that bites its tail or leaves the file ends there."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8 or struct.unpack_from(order + "H", data, 2)[0] != 42:
        return 0
    seen: set[int] = set()
    offset = struct.unpack_from(order + "I", data, 4)[0]
    while offset and offset not in seen and len(seen) < MOST_PAGES and offset + 2 <= len(data):
        entries = struct.unpack_from(order + "H", data, offset)[0]
        end = offset + 2 + entries * 12
        if entries == 0 or end + 4 > len(data):
            break
        seen.add(offset)
        offset = struct.unpack_from(order + "I", data, end)[0]
    return len(seen)


def to_pdf(tiff: Path, tool: ToolLookup) -> Converted:
    """The fax as a PDF: whole if the TIFF is sound, else page by page whatever can be decoded.

    Raises OSError (disk), ToolMissing.
    """
    pages = count_pages(tiff.read_bytes())
    if pages == 0:
        return Converted(None, 0, "no readable page")
    with tempfile.TemporaryDirectory(prefix="hotline-fax-") as folder:
        pdf = Path(folder, "fax.pdf")
        complaint = _tiff2pdf(tiff, pdf, tool)
        if not complaint:
            return Converted(pdf.read_bytes(), pages)
        saved = Path(folder, "saved.tif")
        readable = _save_readable(tiff, saved)
        if readable == 0:
            return Converted(None, 0, "no readable page")
        if _tiff2pdf(saved, pdf, tool):
            return Converted(None, 0, "conversion failed")
        return Converted(pdf.read_bytes(), readable, f"damaged: {readable} of {pages} pages readable")


def _tiff2pdf(tiff: Path, pdf: Path, tool: ToolLookup) -> str:
    """ "" when the PDF is there and sound, else what the tool complained of."""
    pdf.unlink(missing_ok=True)
    command = [*tool("tiff2pdf"), "-p", "A4", "-F", "-o", str(pdf), str(tiff)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return "took too long"
    words = done.stderr.decode("utf-8", "replace")
    sound = done.returncode == 0 and pdf.exists() and pdf.read_bytes()[:5] == b"%PDF-"
    # libtiff decodes what it can and only complains; such a PDF may show a page that was never received.
    return "" if sound and "error" not in words.lower() and "read at" not in words.lower() else words[:200] or "failed"


def _has_picture(image: Image.Image, size: int) -> bool:
    """Whether the page's picture lies within the file; a torn page would otherwise decode to white paper."""
    tags = getattr(image, "tag_v2", {})
    offsets, lengths = tags.get(273, ()), tags.get(279, ())
    pairs = list(zip(offsets, lengths, strict=False))
    return bool(pairs) and len(offsets) == len(lengths) and all(start + length <= size for start, length in pairs)


def _save_readable(tiff: Path, target: Path) -> int:
    """Write the pages that decode to `target`; how many there are."""
    pages: list[Image.Image] = []
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(tiff) as image:
            for number in range(MOST_PAGES):
                try:
                    image.seek(number)
                    if image.width * image.height > MOST_PIXELS or not _has_picture(image, tiff.stat().st_size):
                        continue
                    page = image.convert("1")
                    page.info["dpi"] = image.info.get("dpi", (204, 196))
                    pages.append(page)
                except EOFError:
                    break
                except (OSError, ValueError, SyntaxError, struct.error):
                    continue
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0
    if pages:
        dpi = pages[0].info["dpi"]
        pages[0].save(target, format="TIFF", save_all=True, append_images=pages[1:], compression="group4", dpi=dpi)
    return len(pages)
