"""The frame of a figure that stands alone: its heading above, what a reader must know below, as SVG and as PNG."""

import re
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from exchina.reporting.palette import COLOUR, FACE

WIDTH = 527.0  # points: as wide as an A4 page of the house
MARGIN = 8.0
PIXELS_PER_POINT = 2.0
LETTER = 0.445  # mean width of a letter in the house face, of its size
LEADING = 1.32
COUNTED = re.compile(r"gradient_\d+")  # the engine counts on from figure to figure: bytes would not repeat
SIZE = re.compile(r'<svg [^>]*?width="([\d.]+)"[^>]*? height="([\d.]+)"')


def framed(picture: str, *, title: str, heading: str, key: Sequence[str], foot: Sequence[str], label: str = "") -> str:
    """A picture with its words around it, as SVG text.

    Args:
        picture: SVG text of the chart, at most `WIDTH` wide.
        title: the small line on top, such as the name of the index.
        heading: what is seen, in one sentence.
        key: how to read it, a paragraph each.
        foot: source and method, a paragraph each.
        label: text that must stand in the figure, such as SIMULATED PRICES; empty for none.
    """
    found = SIZE.match(picture)
    assert found is not None, "the chart engine says how large its picture is"
    width, height = max(float(found[1]), WIDTH), float(found[2])
    parts = [_label(label, MARGIN + width)]
    y = MARGIN
    above = [(title, 7.5, 600, "teal"), (heading, 11.0, 600, "navy"), *((line, 7.5, 400, "quiet") for line in key)]
    for words, size, weight, ink in above:
        y = _paragraph(parts, words, y, width, face=(size, weight, ink))
    parts.append(f'<g transform="translate({MARGIN:g},{y + 5:g})">{picture}</g>')
    y += height + 12
    for words in foot:
        y = _paragraph(parts, words, y, width, face=(6.5, 400, "quiet"))
    across, down = f"{width + 2 * MARGIN:g}", f"{y + MARGIN / 2:g}"
    ground = f'<rect width="{across}" height="{down}" fill="{COLOUR["paper"]}"/>'
    said = quoteattr(f"{title}: {heading}. {label}".removesuffix(" "))
    space = f'width="{across}" height="{down}" viewBox="0 0 {across} {down}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {space} role="img" aria-label={said}>'
    return "".join([head, ground, *parts, "</svg>"])


def drawn(picture: Any, fonts: Path) -> str:
    """An altair chart as SVG text in the house style.

    Args:
        picture: the chart.
        fonts: folder with the house fonts (TTF).
    """
    from exchina.reporting.figures import house_style, register_fonts, to_svg

    register_fonts(fonts)
    svg = to_svg(picture.configure(**house_style(), aria=False).to_dict())
    return COUNTED.sub("study_gradient", svg)


def _paragraph(parts: list[str], words: str, y: float, width: float, *, face: tuple[float, int, str]) -> float:
    """Add the lines of a paragraph to ``parts``; the height at which the next one begins."""
    size, weight, ink = face
    style = f'font-family="{FACE}" font-size="{size:g}px" font-weight="{weight}" fill="{COLOUR[ink]}"'
    for line in wrap(words, int(width / (LETTER * size))):
        y += size * LEADING
        parts.append(f'<text x="{MARGIN:g}" y="{y - 0.3 * size:.1f}" {style}>{escape(line)}</text>')
    return y + 1.5


def _label(label: str, right: float) -> str:
    face = f'font-family="{FACE}" font-size="7.5px" font-weight="600" fill="{COLOUR["warn"]}"'
    return f'<text x="{right:g}" y="{MARGIN + 7:g}" text-anchor="end" {face}>{escape(label)}</text>' if label else ""
