"""Dependence on China is four dated facts: what was known of real companies on real days, and what a screen says."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.market.view import whole_view
from exchina.model import Provenance, Reference
from exchina.reference import read_reference
from exchina.rules.screens.china_dependence import china_dependence
from exchina.rules.screens.listing_venue import listing_venue
from exchina.universe import universe_on
from exchina.universe.china import china_on, links_on
from tests.markets import market, sessions

SOURCE = Provenance("test", "file", "A test.", "2026-01-01T00:00:00+00:00", "0" * 64, date(2026, 1, 1))
STRICT = {"domicile": True, "ownership_at_most": 0.05, "operations_at_most": "minor", "revenue_at_most": 0.25}


@pytest.fixture(scope="module")
def reference(root: Path) -> Reference:
    return read_reference(root / "indices" / "reference")


def row(reference: Reference, company: str, day: date) -> pl.DataFrame:
    """The company's row of the universe, its line priced in the days before, from a view cut to the day."""
    lines = reference.listings.filter(pl.col("company_id") == company)
    days = [day - timedelta(days=back) for back in range(9, -1, -1)]
    prices = pl.concat(
        pl.DataFrame({"symbol": symbol, "session": days, "close": 1.0, "volume": 1.0})
        for symbol in lines["yahoo_symbol"]
    )
    rates = {"currency": ["AUD", "CAD", "JPY", "GBP", "EUR", "KRW"]}
    fx = pl.DataFrame(rates).join(pl.DataFrame({"session": days}), how="cross").with_columns(usd_per_unit=pl.lit(1.0))
    opened = pl.concat(sessions(name, days) for name in reference.venues["calendar"].unique(maintain_order=True))
    data = market(prices=prices, fx=fx, sessions=opened)
    view = whole_view(data, reference, SOURCE).as_of(day)
    return universe_on(view.market, view.reference, day).filter(pl.col("company_id") == company)


def judged(reference: Reference, company: str, day: date, **settings: Any) -> dict[str, Any]:
    table = row(reference, company, day).with_columns(is_member=pl.lit(False))
    return china_dependence(table, **(settings or STRICT)).row(0, named=True)


FAILS = [
    ("vital-metals", date(2023, 10, 31), "ownership", "ownership 9.99 % by Shenghe", "subscribed for 9.99%"),
    ("vital-metals", date(2026, 9, 1), "ownership", "ownership 9.99 % by Shenghe", "subscribed for 9.99%"),
    ("energy-transition-minerals", date(2026, 1, 29), "ownership", "6.5 % by Shenghe", "top-up right of 2016"),
    ("northern-minerals", date(2024, 6, 28), "ownership", "10.4 % by Chinese-linked holders", "ordered five"),
    ("northern-minerals", date(2026, 9, 1), "ownership", "10.4 %", "unresolved in 2026"),
    ("neo-performance-materials", date(2018, 3, 1), "operations", "operations material", "in China"),
    ("neo-performance-materials", date(2025, 6, 2), "operations", "operations material", "Keeps magnetic-powder"),
    ("mp-materials", date(2025, 5, 9), "revenue", "revenue 50.0 %", "Concentrate to Shenghe, about half of revenue"),
    ("mp-materials", date(2025, 5, 9), "ownership", "ownership 8.0 % by Shenghe", "about 8% at the listing"),
    ("peak-rare-earths", date(2022, 2, 28), "ownership", "19.9 % by Shenghe", "19.9% from Appian"),
    ("peak-rare-earths", date(2025, 9, 18), "ownership", "19.9 % by Shenghe", "19.9% from Appian"),
    ("molycorp", date(2012, 6, 11), "operations", "operations material", "most processing and powder plants"),
    ("tdk", date(2026, 11, 2), "revenue", "revenue 50.0 %", "About half of group revenue is Chinese"),
]


@pytest.mark.parametrize(("company", "day", "aspect", "found", "evidence"), FAILS)
def test_the_aspect_that_decides_is_named_with_its_evidence(
    reference: Reference, company: str, day: date, aspect: str, found: str, evidence: str
) -> None:
    verdict = judged(reference, company, day)
    assert not verdict["passed"]
    assert found in verdict["found"]
    reason = next(part for part in verdict["note"].split("fails on ") if part.startswith(aspect))
    assert evidence in reason


BEFORE = [
    ("vital-metals", date(2023, 10, 30), "ownership unknown"),
    ("energy-transition-minerals", date(2026, 1, 28), "ownership unknown"),
    ("northern-minerals", date(2024, 6, 27), "ownership unknown"),
    ("peak-rare-earths", date(2022, 2, 25), "ownership unknown"),
    ("molycorp", date(2012, 6, 8), "operations unknown"),
]


@pytest.mark.parametrize(("company", "day", "unknown"), BEFORE)
def test_the_day_before_it_is_unknown_and_flagged(reference: Reference, company: str, day: date, unknown: str) -> None:
    verdict = judged(reference, company, day)
    assert verdict["passed"]
    assert unknown in verdict["note"]
    assert not judged(reference, company, day, **STRICT, unknown="fail")["passed"]


def test_mp_before_and_after_july_2025(reference: Reference) -> None:
    """The share of the first quarter counts from its report to the report of the quarter without sales to China."""
    days = [date(2025, 5, 8), date(2025, 5, 9), date(2025, 7, 10), date(2025, 11, 6), date(2025, 11, 7)]
    found = [judged(reference, "mp-materials", day, revenue_at_most=0.25) for day in days]
    assert [one["passed"] for one in found] == [True, False, False, False, True]
    assert found[0]["note"] == "revenue unknown"
    assert found[4]["found"] == "revenue 0.0 %"
    assert found[4]["note"] is None


def test_the_holding_of_shenghe_in_mp_falls_below_a_limit(reference: Reference) -> None:
    def held(day: date) -> float:
        return float(row(reference, "mp-materials", day)["china_ownership_share"].item())

    assert [held(day) for day in (date(2020, 11, 18), date(2025, 12, 30), date(2025, 12, 31))] == [0.08, 0.08, 0.031]
    assert judged(reference, "mp-materials", date(2026, 2, 2))["passed"]


def test_neo_sold_two_plants_and_kept_others(reference: Reference) -> None:
    def level(day: date) -> dict[str, str]:
        rows = links_on(reference, day).filter(pl.col("company_id") == "neo-performance-materials")
        return dict(rows.select("counterpart", "value").iter_rows())

    sold, kept = "JAMR and ZAMR", "Magnequench and catalysts"
    assert level(date(2025, 3, 31)) == {sold: "material", kept: "material"}
    assert level(date(2025, 4, 1)) == {sold: "minor", kept: "material"}
    spared = judged(reference, "neo-performance-materials", date(2025, 6, 2), operations_at_most="material")
    assert spared["passed"]


def test_peak_was_bought_whole_after_its_last_trade(reference: Reference) -> None:
    """The link is 100 % from 2025-09-30; the line had left the universe eleven days before."""

    def share(day: date) -> float:
        return float(
            china_on(reference, day).filter(pl.col("company_id") == "peak-rare-earths")[0, "china_ownership_share"]
        )

    assert [share(day) for day in (date(2025, 9, 29), date(2025, 9, 30))] == [0.199, 1.0]
    assert row(reference, "peak-rare-earths", date(2025, 9, 22)).is_empty()


def test_an_australian_listing_is_no_australian_company(reference: Reference) -> None:
    """ViaGold passes a venue screen and fails on its domicile; it is a related entity, not in the universe."""
    related = reference.related_entities.row(by_predicate=pl.col("id") == "viagold", named=True)
    assert (related["kind"], related["yahoo_symbol"], related["country"]) == ("chinese_excluded", "VIA.AX", "CN")
    assert "viagold" not in reference.companies["id"]
    astron = {"id": "astron", "name": "Astron Ltd", "country_of_domicile": "AU"}
    renamed = dict(zip(astron.values(), ("viagold", "ViaGold", "CN"), strict=True))
    companies = reference.companies.filter(pl.col("id") == "astron")
    let_in = replace(
        reference,
        companies=companies.with_columns(pl.col(*astron).replace(renamed)),
        listings=reference.listings.filter(pl.col("company_id") == "astron").with_columns(company_id=pl.lit("viagold")),
        stages=reference.stages.filter(pl.col("company_id") == "astron").with_columns(company_id=pl.lit("viagold")),
    )
    day = date(2026, 11, 2)
    table = row(let_in, "viagold", day).with_columns(is_member=pl.lit(False))
    assert listing_venue(table, any_of=["XASX"])["passed"].to_list() == [True]
    verdict = china_dependence(table, domicile=True).row(0, named=True)
    assert not verdict["passed"]
    assert verdict["note"] == (
        "fails on domicile: A Chinese rare earth company with an ASX listing; "
        "undated, counts from the end of the research"
    )
    assert not china_dependence(row(let_in, "viagold", date(2020, 3, 2)), domicile=True)["passed"].item()


def test_a_named_country_counts_as_china(reference: Reference) -> None:
    assert not judged(reference, "lynas-rare-earths", date(2026, 3, 2), domicile=["AU"])["passed"]
    assert judged(reference, "lynas-rare-earths", date(2026, 3, 2), domicile=["JP"])["passed"]


def test_an_unknown_domicile_is_unknown(reference: Reference) -> None:
    day = date(2026, 9, 1)
    assert judged(reference, "imc-rare-earths", day, domicile=True)["note"] == "domicile unknown"
    assert not judged(reference, "imc-rare-earths", day, domicile=True, unknown={"domicile": "fail"})["passed"]


def test_nothing_found_counts_from_the_end_of_the_research(reference: Reference) -> None:
    last, before = (
        row(reference, "alkane-resources", date(2026, 10, 8)),
        row(reference, "alkane-resources", date(2026, 10, 7)),
    )
    names = ["china_ownership_share", "china_operations", "china_revenue_share"]
    assert last.select(names).row(0) == (0.0, "none", None)
    assert before.select(names).row(0) == (None, None, None)
    undated = reference.china_links.filter(pl.col("evidence").str.contains("end of the research"))
    assert set(undated["known_date"]) == {date(2026, 10, 8)}


def test_every_listed_company_with_a_note_has_links_or_a_reason(reference: Reference) -> None:
    silent = {"evolution-metals-technologies", "imc-rare-earths"}  # origin not disclosed; not established
    listed = reference.companies.filter(pl.col("listing_status").is_in(["listed", "merger_pending_unverified"]))["id"]
    assert set(listed) - set(reference.china_links["company_id"]) == silent


@given(seed=st.integers(0, 10**6), days=st.integers(1, 5000))
def test_later_rows_and_their_order_change_nothing(reference: Reference, seed: int, days: int) -> None:
    day = date(2013, 1, 1) + timedelta(days=days)
    future = reference.china_links.with_columns(
        pl.col("value").replace({"0": "0.7"}),
        known_date=pl.max_horizontal("known_date", pl.lit(day + timedelta(days=1))),
    )
    mixed = pl.concat([reference.china_links, future]).sample(fraction=1, shuffle=True, seed=seed)
    assert china_on(replace(reference, china_links=mixed), day).equals(china_on(reference, day))
