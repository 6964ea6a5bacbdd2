from dataclasses import fields, replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchina.market import Delivery
from exchina.market.view import MarketView, whole_view
from exchina.model import Provenance, Reference
from exchina.tables.market import CONTRACTS
from tests import markets

KNOWN_ON = {
    "policy_measures": "known_date",
    "exposures": "known_date",
    "policy_shocks": "event_date",
    "corporate_actions": "effective_date",
}
SOURCE = Provenance("test", "file", "A test.", "2026-01-01T00:00:00+00:00", "0" * 64, date(2024, 6, 28))


@pytest.fixture(scope="module")
def view(simulated: Delivery, reference: Reference) -> MarketView:
    return whole_view(markets.market(**simulated.tables), reference, SOURCE)


def tables(view: MarketView) -> dict[str, pl.DataFrame]:
    names = [field.name for field in fields(Reference) if field.name != "content_hash"]
    return {name: getattr(view.reference, name) for name in names} | {n: getattr(view.market, n) for n in CONTRACTS}


def test_nothing_known_later_is_visible(view: MarketView) -> None:
    day = date(2020, 3, 2)
    cut = view.as_of(day)
    for name in CONTRACTS:
        table = getattr(cut.market, name)
        assert name == "sessions" or table.filter(pl.col("known_date") > day).is_empty()
    assert cut.market.sessions.equals(view.market.sessions)
    assert all(getattr(cut.reference, name)[column].max() <= day for name, column in KNOWN_ON.items())
    assert cut.provenance.through == day
    assert cut.known_by == day


def test_an_end_that_lies_ahead_is_not_known(view: MarketView) -> None:
    ends = dict(view.as_of(date(2015, 4, 29)).reference.listings.select("yahoo_symbol", "last_trade_date").iter_rows())
    assert ends["GWG.V"] is None
    assert ends["NEM.TO"] == date(2012, 6, 11)
    assert "MP" not in ends
    stages = view.as_of(date(2025, 7, 9)).reference.stages.filter(pl.col("company_id") == "mp-materials")
    assert stages.filter(pl.col("role") == "primary").select("stage", "valid_to").rows() == [("producer", None)]


def test_a_view_cannot_be_widened(view: MarketView) -> None:
    cut = view.as_of(date(2015, 1, 2))
    assert cut.as_of(date(2020, 1, 2)) is cut
    again = tables(cut.as_of(date(2012, 1, 3)))
    assert all(table.equals(again[name]) for name, table in tables(view.as_of(date(2012, 1, 3))).items())


def changed(table: pl.DataFrame, known: str, day: date, seed: int) -> pl.DataFrame:
    """The table with its later rows partly dropped, partly doubled at a later day, with other numbers."""
    generator = np.random.default_rng(seed)
    later = table.filter(pl.col(known) > day)
    kept = later.filter(pl.Series(generator.random(later.height) < 0.5))
    doubled = kept.with_columns(
        pl.col(known).dt.offset_by("1d"),
        *(pl.col(name) * 1.5 for name, kind in table.schema.items() if kind == pl.Float64),
    )
    return pl.concat([table.filter(~(pl.col(known) > day).fill_null(value=False)), kept, doubled])


@settings(max_examples=10, deadline=None)
@given(day=st.dates(date(2010, 2, 1), date(2024, 6, 1)), seed=st.integers(0, 2**32 - 1))
def test_the_future_cannot_be_seen(view: MarketView, day: date, seed: int) -> None:
    market = {
        name: changed(getattr(view.market, name), "known_date", day, seed) for name in CONTRACTS if name != "sessions"
    }
    facts = {name: changed(getattr(view.reference, name), known, day, seed) for name, known in KNOWN_ON.items()}
    for name, (start, end) in {
        "listings": ("first_trade_date", "last_trade_date"),
        "stages": ("valid_from", "valid_to"),
    }.items():
        table = changed(getattr(view.reference, name), start, day, seed)
        ahead = (pl.col(end) > day).fill_null(value=False)
        facts[name] = table.with_columns(pl.when(ahead).then(pl.col(end) + timedelta(days=9)).otherwise(pl.col(end)))
    other = whole_view(replace(view.market, **market), replace(view.reference, **facts), SOURCE)
    before, after = tables(view.as_of(day)), tables(other.as_of(day))
    assert [name for name, table in before.items() if not table.equals(after[name])] == []
    assert view.as_of(day).provenance == other.as_of(day).provenance
