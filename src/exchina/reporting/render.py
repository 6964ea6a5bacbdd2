"""A document as one A4 page (PDF) and as one self-contained HTML page, from the same blocks.

The renderer is the last gate: a document on simulated prices leaves it only with SIMULATED PRICES on
every page and figure.
"""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from exchina.errors import Problem, PublicationError
from exchina.reporting.document import SIMULATED, Document, Figure
from exchina.reporting.palette import colour
from exchina.reporting.view import FONTS, page_view

TYPE_SIZES = (1.14, 1.12, 1.1, 1.08, 1.06, 1.04, 1.02, 1.0, 0.97, 0.94, 0.91, 0.88, 0.84, 0.8)
BANNER = '<div class="simulated" role="note">'
WEB_FONTS = {400: "SourceSans3-Regular.woff", 600: "SourceSans3-SemiBold.woff"}


def to_pdf(document: Document, templates: Path) -> bytes:
    """The document as one A4 page, tagged for screen readers (PDF/UA-1), the same bytes each time.

    The type is as large as lets one page hold everything, within bounds.

    Args:
        document: what to print.
        templates: folder with ``<template>.typ`` and ``fonts/``.

    Raises:
        PublicationError: the simulated label is missing, a template or font is wrong, or one page cannot hold it.
    """
    require_label(document)
    source = _existing(templates / f"{document.template}.typ")
    view = page_view(document, templates)
    for scale in TYPE_SIZES:
        compiler = _compiler(source, view | {"scale": scale})
        try:
            pages = len(json.loads(compiler.query("<page>")))
            if pages == 1:
                return _print(compiler, document)
        except typst.TypstError as fault:
            raise PublicationError(Problem(source.name, fault.message, "; ".join(fault.hints))) from fault
    found = f"it does not fit on one A4 page even in type of {TYPE_SIZES[-1]:.0%}"
    raise PublicationError(Problem(document.title, found, "fewer rows or sections in the layout"))


def to_html(document: Document, templates: Path) -> str:
    """The document as one HTML page that asks nothing of the network: style, fonts and figures are inside it.

    Args:
        document: what to print.
        templates: folder with ``<template>.html``, ``<template>.css`` and ``fonts/``.

    Raises:
        PublicationError: the simulated label is missing, or there is no such template.
    """
    require_label(document)
    source = _existing(templates / f"{document.template}.html")
    style = _existing(templates / f"{document.template}.css").read_text("utf-8")
    text = (
        _environment(templates)
        .get_template(source.name)
        .render(**page_view(document, templates), style=Markup(style), fonts=_web_fonts(templates))
    )
    if document.label and not _labelled(text, document):
        raise PublicationError(
            Problem(source.name, f"the template drops {document.label!r}", "it cannot be switched off")
        )
    return text


def require_label(document: Document) -> None:
    """Refuse a document on simulated prices that does not say so, and one that says so without being it."""
    expected = SIMULATED if document.provenance.simulated else ""
    if document.label != expected:
        found = f"its prices are of kind {document.provenance.kind!r}, but its label is {document.label!r}"
        raise PublicationError(Problem(document.title, found, f"it must be {expected!r}; it cannot be switched off"))


def inline_svg(svg: str) -> Markup:
    """An SVG for use inside HTML; its words are left to the caption beside it."""
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" ', 1))


def _labelled(html: str, document: Document) -> bool:
    figures = sum(isinstance(block, Figure) for block in document.blocks)
    return f"{BANNER}{document.label}<" in html and html.count(f">{document.label}</text></svg>") == figures


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise PublicationError(Problem(path.name, "there is no such template", f"add it to {path.parent.name}/"))
    return path


def _compiler(source: Path, view: dict[str, Any]) -> typst.Compiler:
    return typst.Compiler(
        str(source),
        root=str(source.parent),
        font_paths=[str(source.parent / FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(view)},
    )


def _print(compiler: typst.Compiler, document: Document) -> bytes:
    if document.label and document.label not in compiler.query("<simulated>"):
        found = f"the template drops {document.label!r}"
        raise PublicationError(Problem(f"{document.template}.typ", found, "it cannot be switched off"))
    pdf, warnings = compiler.compile_with_warnings(pdf_standards="ua-1")
    if warnings or not isinstance(pdf, bytes):
        name = f"{document.template}.typ"
        raise PublicationError(*(Problem(name, fault.message, "; ".join(fault.hints)) for fault in warnings))
    return pdf


def _environment(templates: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(colour=colour, inline_svg=inline_svg)
    return environment


def _web_fonts(templates: Path) -> dict[int, str]:
    return {
        weight: b64encode((templates / FONTS / name).read_bytes()).decode("ascii") for weight, name in WEB_FONTS.items()
    }
