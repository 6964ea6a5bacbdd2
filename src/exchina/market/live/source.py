"""What a live provider must answer, and the three ways in which it may fail to.

A live provider is one file: a function with the trait ``live`` in the register ``provider`` that returns a `Source`.

    @provider("mine", "live")
    def mine(*, pause_seconds: float = 1.0) -> Source: ...

It knows nothing of listings, windows, stores or tables; its settings are the keyword-only arguments.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

import polars as pl

BARS = pl.Schema({"session": pl.Date, "close": pl.Float64, "volume": pl.Float64})
DIVIDENDS = pl.Schema({"ex_date": pl.Date, "amount": pl.Float64, "currency": pl.String})
SPLITS = pl.Schema({"ex_date": pl.Date, "ratio": pl.Float64})
COUNTS = pl.Schema({"effective_date": pl.Date, "shares": pl.Float64, "known_date": pl.Date})


class Throttled(Exception):  # noqa: N818  it is an answer, not a fault
    """The vendor asks for patience; ``retry_after`` is in seconds, None where it did not say how long."""

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class Absent(Exception):  # noqa: N818
    """The vendor answered that it has no such thing; asking again will not help."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Broken(Exception):  # noqa: N818
    """No usable answer: no connection, a server error, a page instead of data, a file cut short."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Unreachable(Exception):  # noqa: N818
    """There is no connection to the vendor; asking again at once is of no use."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class History:
    """What a vendor says of one symbol, as the vendor says it.

    Attributes:
        bars: session (the exchange's own date), close, volume in shares; by `BARS`. Empty cells are null.
        dividends: ex_date, cash per share, its currency or null for that of the closes; by `DIVIDENDS`.
        splits: ex_date and new shares per old, up to the present even where the bars end earlier: closes that are
            adjusted carry them all; by `SPLITS`.
        currency: of the closes, with its unit, as the vendor names it: ``USD``, ``GBp``.
        zone: IANA name of the exchange's time zone; None where the vendor does not say.
        traded_to: the last day on which the vendor has a trade under this symbol; None where it does not say.
        adjusted_for: what closes, volumes and dividends are adjusted for. Closes adjusted for dividends are refused.
    """

    bars: pl.DataFrame
    dividends: pl.DataFrame
    splits: pl.DataFrame
    currency: str
    zone: str | None = None
    traded_to: date | None = None
    adjusted_for: Literal["nothing", "splits"] = "splits"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the vendor says today: shares outstanding, shares that the public can trade; None where it does not say."""

    shares: float | None = None
    float_shares: float | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """An exchange rate as the vendor quotes it: dollars per unit, or ``units_per_dollar``."""

    symbol: str
    units_per_dollar: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """How politely a vendor is asked.

    Attributes:
        pause_seconds: before each call.
        first_wait_seconds: after a failed call; doubled with each further one, at random between half and all of it.
        longest_wait_seconds: what that doubling ends at. A wait that the vendor itself asks for may be longer.
        patience_seconds: waited in all for one answer before the fetch stops; what was collected is kept.
    """

    pause_seconds: float = 1.5
    first_wait_seconds: float = 30.0
    longest_wait_seconds: float = 900.0
    patience_seconds: float = 3600.0


class Source(Protocol):
    """A live vendor. Every call gives its answer or raises `Throttled`, `Absent` or `Broken`, and nothing else."""

    @property
    def name(self) -> str:
        """Name of the provider."""
        ...

    @property
    def sentence(self) -> str:
        """What documents print as the source of the data."""
        ...

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What has to be assumed of every delivery of this vendor, one sentence each."""
        ...

    @property
    def pace(self) -> Pace:
        """How fast the vendor may be asked."""
        ...

    def history(self, symbol: str, since: date, until: date) -> History:
        """Daily bars from ``since`` to ``until``, both included, dividends from ``since`` on, splits up to now."""
        ...

    def counts(self, symbol: str, since: date) -> pl.DataFrame:
        """Shares outstanding since a day, each with the day on which it could first be known; by `COUNTS`."""
        ...

    def facts(self, symbol: str) -> Facts:
        """What the vendor says of the symbol today."""
        ...

    def pair(self, currency: str) -> Pair:
        """How the vendor quotes a currency against the US dollar."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor gave for one thing that was wanted.

    Attributes:
        history: None if there is none.
        counts: None if the vendor has none, or was not asked.
        facts: None if the vendor has none, or was not asked.
        failed: why there is no whole answer, in words; empty if there is.
        absent: whether it failed because the vendor has no such thing.
    """

    history: History | None = field(default=None, repr=False)
    counts: pl.DataFrame | None = field(default=None, repr=False)
    facts: Facts | None = None
    failed: str = ""
    absent: bool = False
