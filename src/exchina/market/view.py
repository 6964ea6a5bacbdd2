"""What was known on a day: the only way in which market and reference data reach the core."""

from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from exchina.model import MarketData, Provenance, Reference
from exchina.tables.market import CONTRACTS

KNOWN_ON = {
    "policy_measures": "known_date",
    "exposures": "known_date",
    "china_links": "known_date",
    "policy_shocks": "event_date",
    "corporate_actions": "effective_date",
}
INTERVALS = {
    "listings": ("first_trade_date", "last_trade_date"),
    "stages": ("valid_from", "valid_to"),
    "china_links": ("valid_from", "valid_to"),
}


@dataclass(frozen=True)
class MarketView:
    """Market and reference data with nothing in them that was learnt after ``known_by``.

    Attributes:
        market: one row per key, as last known by then; trading sessions are known ahead and never cut.
        reference: facts known by then; an end that still lay ahead (of a listing, of a stage) is empty.
        provenance: where the market data came from; ``through`` is the last session with a price in this view.
        known_by: the cut, or None for everything.
        history: every version of each market row known by then; None where no row has a second version.
    """

    market: MarketData
    reference: Reference
    provenance: Provenance
    known_by: date | None = None
    history: MarketData | None = field(default=None, repr=False)

    def as_of(self, day: date) -> "MarketView":
        """The same data as somebody had it at the end of ``day``.

        Appending rows that become known later, or changing them, leaves every row of this view as it was. A view
        cannot be widened: a day after its own cut gives the view itself.
        """
        if self.known_by is not None and day >= self.known_by:
            return self
        known = _known_by(self.history or self.market, day)
        last = known.prices["session"].max()
        provenance = replace(self.provenance, through=last or day)
        reference = _reference_as_of(self.reference, day)
        if self.history is None:
            return MarketView(known, reference, provenance, day)
        return _view(known, reference, provenance, day)


def whole_view(history: MarketData, reference: Reference, provenance: Provenance) -> MarketView:
    """The uncut view of a market.

    Args:
        history: as the store loads it; a row that was revised stands in it once per version.
        reference: the reference data.
        provenance: of the market.
    """
    return _view(history, reference, provenance, None)


def with_hindsight(view: MarketView) -> MarketView:
    """The view in which every revised row was known from the first with its last values: what a correction asks.

    What became known late, and was not another before, keeps its day.
    """
    if view.history is None:
        return view
    tables = {name: _as_revised(name, getattr(view.history, name)) for name in CONTRACTS if name != "sessions"}
    return replace(view, market=replace(view.market, **tables), history=None)


def _as_revised(name: str, versions: pl.DataFrame) -> pl.DataFrame:
    key = [column for column in CONTRACTS[name].unique or [] if column != "known_date"]
    ordered = versions.sort(*key, "known_date")
    first = ordered.unique(key, keep="first", maintain_order=True).select(*key, "known_date")
    last = ordered.unique(key, keep="last", maintain_order=True).drop("known_date")
    return last.join(first, on=key, maintain_order="left").select(versions.columns)


def _view(history: MarketData, reference: Reference, provenance: Provenance, known_by: date | None) -> MarketView:
    tables = {name: _last_known(name, getattr(history, name)) for name in CONTRACTS}
    revised = any(table.height < getattr(history, name).height for name, table in tables.items())
    return MarketView(MarketData(**tables), reference, provenance, known_by, history if revised else None)


def _known_by(market: MarketData, day: date) -> MarketData:
    names = [name for name in CONTRACTS if name != "sessions"]
    return replace(market, **{name: getattr(market, name).filter(pl.col("known_date") <= day) for name in names})


def _last_known(name: str, table: pl.DataFrame) -> pl.DataFrame:
    if name == "sessions":
        return table
    key = [column for column in CONTRACTS[name].unique or [] if column != "known_date"]
    if not table.select(key).is_duplicated().any():
        return table
    return table.sort(*key, "known_date").unique(key, keep="last", maintain_order=True)


def _reference_as_of(reference: Reference, day: date) -> Reference:
    tables = {name: getattr(reference, name).filter(pl.col(known) <= day) for name, known in KNOWN_ON.items()}
    tables |= {name: _begun(tables.get(name, getattr(reference, name)), *ends, day) for name, ends in INTERVALS.items()}
    return replace(reference, **tables)


def _begun(table: pl.DataFrame, start: str, end: str, day: date) -> pl.DataFrame:
    begun = table.filter(pl.col(start).is_null() | (pl.col(start) <= day))
    return begun.with_columns(pl.when(pl.col(end) <= day).then(pl.col(end)))
