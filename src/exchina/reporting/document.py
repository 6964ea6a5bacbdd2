"""What a document is: dated blocks of text, figures and tables, for one audience, with the provenance of their numbers.

A document says nothing of paper or screen; the renderer makes a one-page A4 sheet and a responsive HTML page of it.
Every number in it is already text, except what a chart draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal, TypeAlias

from exchina.model import Provenance

Audience: TypeAlias = Literal["retail", "institutional", "internal"]
Place: TypeAlias = Literal["main", "side", "full"]
Input: TypeAlias = Literal["series", "study"]

SIMULATED = "SIMULATED PRICES"
AUDIENCE_LABEL: Mapping[Audience, str] = MappingProxyType(
    {
        "retail": "For all readers",
        "institutional": "For institutional use only",
        "internal": "Internal, not for distribution",
    }
)
WITHHELD: Mapping[Audience, frozenset[Input]] = MappingProxyType(
    {  # a back-test, and what is computed from it, is not shown to the public (docs: SEC 206(4)-1, FINRA 2210)
        "retail": frozenset({"series", "study"}),
        "institutional": frozenset(),
        "internal": frozenset(),
    }
)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where a block stands on a page of two columns: main, side, or across both."""

    place: Place = "main"


@dataclass(frozen=True)
class Masthead(Placed):
    """The head of a document: ``eyebrow`` (what it is), ``title``, one sentence, and short ``label: value`` marks."""

    eyebrow: str
    title: str
    subtitle: str
    marks: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Heading(Placed):
    """A heading, with an optional remark in lighter type such as the unit or the date of what follows."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Text(Placed):
    """A paragraph; ``quiet`` sets it small and grey, as a note under a table."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class KeyFigure:
    """One number that a reader should take away, its name, and what it needs to be understood."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class KeyFigures(Placed):
    """A row of key figures."""

    items: tuple[KeyFigure, ...]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its heading.
        align: ``left`` for words, ``right`` for numbers.
        wide: whether it takes the space that the others leave.
        bars: per row a length from 0 to 1 drawn beside the text; empty for none.
        keys: per row the key of a colour (`exchina.reporting.palette`) of a dot before the text; empty for none.
    """

    name: str
    align: Literal["left", "right"] = "left"
    wide: bool = False
    bars: tuple[float, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table(Placed):
    """A table of text; ``caption`` says to a screen reader what it holds."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str


@dataclass(frozen=True)
class Fact:
    """A label, its value, and the reason for it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Facts(Placed):
    """Labels and values."""

    items: tuple[Fact, ...]


@dataclass(frozen=True)
class Disclosure(Placed):
    """What a reader must be told: ``topic`` and ``text`` of each paragraph."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LevelChart:
    """Index levels over time on a log scale (index points), with numbered events; hypothetical before ``live_date``."""

    sessions: tuple[date, ...]
    levels: tuple[float, ...]
    events: tuple[tuple[int, date], ...]
    live_date: date | None
    unit: str


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its value as a fraction of 1, and the key of its colour."""

    label: str
    value: float
    key: str


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars of fractions, drawn as per cent of ``unit``."""

    bars: tuple[Bar, ...]
    unit: str


@dataclass(frozen=True)
class Figure(Placed):
    """A chart, the words that stand for it where it cannot be seen, its source, and its height in points."""

    chart: LevelChart | BarChart
    alt: str
    source: str
    height: float


Block: TypeAlias = Masthead | Heading | Text | KeyFigures | Table | Facts | Disclosure | Figure


@dataclass(frozen=True)
class Document:
    """A composed document.

    Attributes:
        title: of the file, such as ``Magnet Chain Index: factsheet``.
        as_of: the day its numbers describe; also the creation date in the file, so that bytes repeat.
        audience: for whom; decides what it may show.
        provenance: of the prices behind its numbers.
        template: name of the templates that print it.
        label: ``SIMULATED PRICES`` whenever the provenance is simulated, else empty; every page and figure shows it,
            and no renderer prints a simulated document without it.
    """

    title: str
    as_of: date
    audience: Audience
    provenance: Provenance
    template: str
    label: str
    blocks: tuple[Block, ...]
