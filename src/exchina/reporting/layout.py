"""Layouts: which sections make a document, in which order. Text in; a document, or every fault of the text, out."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from exchina.errors import Problem, PublicationError, RulebookError, did_you_mean
from exchina.model import STRICT
from exchina.plugins import located
from exchina.reporting import section
from exchina.reporting.document import SIMULATED, Block, Document
from exchina.reporting.parts import Parts

TABLES = ("document", "section")


@checked(frozen=True, config=STRICT)
class LayoutFacts:
    """The ``[document]`` table of a layout.

    Attributes:
        title: what kind of document it is, such as ``Index factsheet``.
        template: the templates that print it: ``<template>.typ`` and ``<template>.html``.
        dated: ``last_level`` (the last session of the series; the data cut-off without one) or ``announced``.
    """

    title: str
    template: str
    dated: Literal["last_level", "announced"]


@dataclass(frozen=True, slots=True)
class Layout:
    """A checked layout: its facts, and name and settings of each section in order."""

    facts: LayoutFacts
    sections: tuple[tuple[str, Mapping[str, Any]], ...]


def read_layout(text: str, where: str) -> Layout:
    """Read a layout.

    Args:
        text: TOML with one ``[document]`` table and a ``[[section]]`` table for each section.
        where: name of the file; problems begin with it.

    Raises:
        RulebookError: the text is not a layout; it carries every fault found.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise RulebookError(Problem(where, f"not TOML: {fault}", "mend the line it names")) from None
    problems = [
        Problem(f"{where}: {key}", f"a layout has no table {key!r}", did_you_mean(key, TABLES))
        for key in raw
        if key not in TABLES
    ]
    facts, faults = _facts(raw.get("document", {}), where)
    sections, more = _sections(raw.get("section", []), where)
    problems += faults + more
    if facts is None or problems:
        raise RulebookError(*problems)
    return Layout(facts, sections)


def compose(layout_text: str, where: str, parts: Parts) -> Document:
    """Make a document of the parts, as the layout says and as the audience may see.

    Args:
        layout_text: the layout, TOML.
        where: name of the layout's file, for messages.
        parts: what the document shows.

    Raises:
        RulebookError: every fault of the layout.
        PublicationError: every section that lacks what it needs.
    """
    layout = read_layout(layout_text, where)
    as_of = _as_of(layout.facts, parts)
    provenance = parts.provenance
    return Document(
        title=f"{parts.book.index.name}: {layout.facts.title}",
        as_of=as_of,
        audience=parts.audience,
        provenance=provenance,
        template=layout.facts.template,
        label=SIMULATED if provenance.simulated else "",
        blocks=_blocks(layout, parts.shown(as_of)),
    )


def _facts(raw: object, where: str) -> tuple[LayoutFacts | None, list[Problem]]:
    try:
        return TypeAdapter(LayoutFacts).validate_python(raw), []
    except ValidationError as fault:
        return None, [located(f"{where}: document", error) for error in fault.errors()]


def _sections(raw: object, where: str) -> tuple[tuple[tuple[str, Mapping[str, Any]], ...], list[Problem]]:
    if not isinstance(raw, list) or not raw or not all(isinstance(entry, dict) for entry in raw):
        return (), [Problem(f"{where}: section", "the layout names no section", "add [[section]] tables")]
    found: list[tuple[str, Mapping[str, Any]]] = []
    problems: list[Problem] = []
    for position, entry in enumerate(raw, start=1):
        name = str(entry.get("name", ""))
        settings = {key: value for key, value in entry.items() if key != "name"}
        checked_settings, faults = section.checked_settings(f"{where}: section {position} {name}", name, settings)
        found.append((name, checked_settings))
        problems += faults
    return tuple(found), problems


def _blocks(layout: Layout, parts: Parts) -> tuple[Block, ...]:
    blocks: list[Block] = []
    problems: list[Problem] = []
    for name, settings in layout.sections:
        try:
            blocks += section[name](parts, **settings)
        except PublicationError as fault:
            problems += fault.problems
    if problems:
        raise PublicationError(*problems)
    return tuple(blocks)


def _as_of(facts: LayoutFacts, parts: Parts) -> date:
    review = parts.composition.review
    return review.announced if facts.dated == "announced" else parts.last_session or review.cutoff
