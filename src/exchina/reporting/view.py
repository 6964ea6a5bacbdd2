"""What a template reads: a document as plain data, its blocks in bands, its figures drawn."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from exchina.errors import Problem, PublicationError
from exchina.reporting.document import Block, Document, Figure
from exchina.reporting.figures import draw
from exchina.reporting.palette import COLOUR, FONT
from exchina.reporting.wording import day

FIGURE_WIDTH = {"main": 344.0, "side": 160.0, "full": 527.0}
FONTS = "fonts"


def page_view(document: Document, templates: Path) -> dict[str, Any]:
    """The document as plain data for the templates.

    Args:
        document: what to print.
        templates: folder with ``fonts/``.

    Returns:
        title, as_of, date (year, month, day), label, source, font, colour (name to hex) and ``bands``: runs of blocks
        across the page (``full``) or in two columns (``main`` and ``side``). A figure has its ``svg`` and ``width``.

    Raises:
        PublicationError: a figure was drawn without the label of the document.
    """
    return {
        "title": document.title,
        "as_of": day(document.as_of),
        "date": [document.as_of.year, document.as_of.month, document.as_of.day],
        "label": document.label,
        "source": f"Source: exchina. {document.provenance.source}",
        "font": FONT,
        "colour": dict(COLOUR),
        "bands": list(_bands(document, templates)),
    }


def _bands(document: Document, templates: Path) -> Iterator[dict[str, list[dict[str, Any]]]]:
    for across, blocks in groupby(document.blocks, key=lambda block: block.place == "full"):
        views = [_block_view(block, document, templates) for block in blocks]
        places = ("full",) if across else ("main", "side")
        yield {place: [view for view in views if view["place"] == place] for place in places}


def _block_view(block: Block, document: Document, templates: Path) -> dict[str, Any]:
    if isinstance(block, Figure):
        return _figure_view(block, document, templates)
    return {"kind": type(block).__name__.lower()} | asdict(block)


def _figure_view(figure: Figure, document: Document, templates: Path) -> dict[str, Any]:
    width = FIGURE_WIDTH[figure.place]
    svg = draw(figure.chart, width=width, height=figure.height, label=document.label, fonts=templates / FONTS)
    if document.label not in svg:
        raise PublicationError(Problem(document.title, f"a figure was drawn without {document.label!r}"))
    words = {"place": figure.place, "alt": figure.alt, "source": figure.source}
    return {"kind": "figure", "svg": svg, "width": width} | words
