"""A line of an index at a close, and an event that changes lines."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from exchina.errors import DataError, Problem


@dataclass(frozen=True, slots=True)
class Line:
    """Index shares q, price P in the currency of the line, rate X: index currency per unit of that currency.

    A line with no shares is not held; it stands among the lines of an event because the event names it.
    """

    shares: float
    price: float
    rate: float

    @property
    def value(self) -> float:
        """q P X, in index currency."""
        return self.shares * self.price * self.rate if self.shares else 0.0


CUTS = ("split", "stock_dividend")
Lines: TypeAlias = Mapping[str, Line]


@dataclass(frozen=True, slots=True)
class Event:
    """One corporate action, in force from the open of ``ex_date``. What a type needs stands in
    `exchina.tables.actions`; what is not given is zero or empty.

    Attributes:
        id: names the event in the log and in every message.
        symbol: the line it happens to.
        type: a name of `exchina.calculation.actions`.
        ex_date: first session on which the line trades on the new terms, or no longer trades.
        new: B, new shares (children, acquirer's shares) for every ``old`` held.
        old: A.
        amount: cash per share, currency of the line.
        price: subscription, offer, tender, when-issued or removal price, currency of the line.
        fraction: part of every holding, or of a target's shares, that is tendered; or new over old count of a share or
            float change.
        tax: tau, tax on ``amount`` that a net index bears.
        other: the other line (child, acquirer, new listing); or the new country of a redomiciled issuer.
        underwritten: whether the new shares of a rights issue are sure to be paid for.
        source: where the event came from, such as ``corporate_actions.csv row 7``.
        applied: the session before which it is applied, where it was learnt after its ex-date.
    """

    id: str
    symbol: str
    type: str
    ex_date: date
    new: float = 0.0
    old: float = 0.0
    amount: float = 0.0
    price: float = 0.0
    fraction: float = 0.0
    tax: float = 0.0
    other: str = ""
    underwritten: bool = True
    source: str = ""
    applied: date | None = None

    def problem(self, what: str, hint: str) -> Problem:
        """A problem that names the event and its source."""
        place = (
            f"event {self.id} ({self.type} of {self.symbol}, ex {self.ex_date}{f', {self.source}' * bool(self.source)})"
        )
        return Problem(place, what, hint)

    def refuse(self, what: str, hint: str) -> DataError:
        """The error that this event cannot be applied."""
        return DataError(self.problem(what, hint))

    def under(self, names: Mapping[str, str]) -> "Event":
        """The event under the names, new by old, that its lines have by then."""
        return replace(self, symbol=names.get(self.symbol, self.symbol), other=names.get(self.other, self.other))

    @property
    def ratio(self) -> float:
        """B / A."""
        return self.new / self.old

    @property
    def factor(self) -> float:
        """Shares that stand where one stood: B / A of a split, 1 + B / A of a stock dividend, 1 of any other event."""
        return self.ratio + (self.type == "stock_dividend") if self.type in CUTS else 1.0


def market_value(lines: Lines) -> float:
    """sum q P X, lines in alphabetical order, so that the sum never depends on how they were gathered."""
    return sum(lines[symbol].value for symbol in sorted(lines))


def put(lines: Lines, symbol: str, line: Line) -> Lines:
    """The lines with one of them replaced or added."""
    return {**lines, symbol: line}


def without(lines: Lines, symbol: str) -> Lines:
    """The lines without one of them."""
    return {name: line for name, line in lines.items() if name != symbol}


def scaled(lines: Lines, factor: float) -> Lines:
    """Every line with its index shares multiplied."""
    return {name: replace(line, shares=line.shares * factor) for name, line in lines.items()}
