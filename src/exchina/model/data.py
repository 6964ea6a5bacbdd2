"""Facts and market data as tables, and where they came from."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

import polars as pl

Kind: TypeAlias = Literal["vendor", "file", "simulated"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where data came from; it travels into every document and ledger row.

    Attributes:
        market: name of the market in the store, such as ``sample``.
        kind: ``vendor``, ``file`` or ``simulated``.
        source: one sentence a reader understands.
        retrieved_at: when it was fetched, ISO 8601 UTC.
        content_hash: SHA-256 over the stored data, so that the same inputs can be recognised; the same deliveries in
            the same order give the same hash, the same rows delivered in other portions another one.
        through: last session with a price.
        assumptions: what was assumed because the data did not say, one sentence each.
    """

    market: str
    kind: Kind
    source: str
    retrieved_at: str
    content_hash: str
    through: date
    assumptions: tuple[str, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether every page and figure that rests on this must say SIMULATED PRICES."""
        return self.kind == "simulated"


@dataclass(frozen=True, slots=True)
class Reference:
    """The tables of ``indices/reference``, checked (`exchina.tables.reference` has the contract of each).

    ``identifiers`` is empty where there is no such file: they are licensed, and not shipped.
    ``weak_facts`` lists every row of confidence low, memory or assumption: file, row (its number in the file),
    company_id, known (the day from which it counts; null where the file has none), confidence, what (in words).
    """

    companies: pl.DataFrame
    listings: pl.DataFrame
    stages: pl.DataFrame
    policy_measures: pl.DataFrame
    sponsors: pl.DataFrame
    policy_shocks: pl.DataFrame
    corporate_actions: pl.DataFrame
    exposures: pl.DataFrame
    china_links: pl.DataFrame
    withholding: pl.DataFrame
    venues: pl.DataFrame
    trading_costs: pl.DataFrame
    related_entities: pl.DataFrame
    listed_funds: pl.DataFrame
    identifiers: pl.DataFrame
    weak_facts: pl.DataFrame
    content_hash: str


@dataclass(frozen=True, slots=True)
class MarketData:
    """The tables of a market, checked (`exchina.tables.market` has the contract of each)."""

    prices: pl.DataFrame
    dividends: pl.DataFrame
    splits: pl.DataFrame
    shares: pl.DataFrame
    floats: pl.DataFrame
    fx: pl.DataFrame
    benchmarks: pl.DataFrame
    actions: pl.DataFrame
    forwards: pl.DataFrame
    cash_rates: pl.DataFrame
    sessions: pl.DataFrame
    quarantine: pl.DataFrame
