"""The breaking sizes of a fund: at each, the measure equals its limit, worked out again with plain loops."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.analytics import capacity, costs
from exchina.analytics.capacity import Volumes
from exchina.analytics.capacity_tables import Trade
from exchina.analytics.costs import Rates
from exchina.errors import DataError
from exchina.fund.capacity import MEASURES, FundTerms, fund_capacity

DAYS = (date(2025, 3, 21), date(2025, 6, 20), date(2025, 9, 19))
TERMS = FundTerms(tracking_cost_at_most=60, impact_at_most=20, days_at_most=4)
POSITIVE = st.floats(0.01, 1.0)


def trade(day: date, new: list[float], drifted: list[float], adv: list[float], **other: Any) -> Trade:
    """Lines a, b, c ...; a known volume throughout."""
    count, median = len(new), np.array(adv)
    whole = np.full(count, 60)
    ids = [f"company-{chr(97 + line)}" for line in range(count)]
    lines = pl.DataFrame(
        {"company_id": ids, "name": [one.title() for one in ids], "symbol": [one[-1].upper() for one in ids]}
    ).with_columns(mic=pl.lit("XASX"), since=pl.lit(day))
    made = Trade(
        effective=day,
        known_by=day,
        lines=lines,
        new=np.array(new),
        drifted=np.array(drifted),
        rates=Rates(np.full(count, 0.0028), np.full(count, 0.0038)),
        volumes=Volumes(median, median, median, whole, whole * 0, whole * 0, whole * 0),
        sigma=np.linspace(0.02, 0.04, count),
    )
    return replace(made, **other)


def reviews() -> list[Trade]:
    return [
        trade(DAYS[0], [0.5, 0.3, 0.2], [0.45, 0.35, 0.2], [4e6, 1e6, 2e6]),
        trade(DAYS[1], [0.4, 0.4, 0.2], [0.5, 0.3, 0.2], [4e6, 3e6, 2e6]),
        trade(DAYS[2], [0.6, 0.4, 0.0], [0.4, 0.4, 0.2], [5e6, 1e6, 9e5]),
    ]


def values(trades: list[Trade]) -> dict[date, dict[str, float | None]]:
    return {one.effective: {"A": 9e8, "B": 1.5e8, "C": 2e8} for one in trades}


def measured(one: Trade, size: float, worth: dict[str, float | None], terms: FundTerms = TERMS) -> dict[str, float]:
    """The four measures of one review at a size, line by line."""
    dealing = impact = own = days = 0.0
    for line, symbol in enumerate(one.lines["symbol"]):
        move = float(one.new[line] - one.drifted[line])
        adv = float(one.volumes.median[line])
        order = abs(move) * size
        dealing += abs(move) * float(one.rates.buy[line] if move > 0 else one.rates.sell[line])
        impact += abs(move) * terms.impact * float(one.sigma[line]) * (order / adv) ** 0.5 if move else 0.0
        own = max(own, float(one.new[line]) * size / (worth[symbol] or np.nan))
        days = max(days, order / (terms.participation * adv))
    return {"tracking": (dealing + impact) * 1e4, "impact": impact * 1e4, "ownership": own, "days": days}


def test_at_its_breaking_size_each_measure_of_a_review_is_its_limit() -> None:
    trades = reviews()
    found = fund_capacity(trades, values(trades), 0.75, terms=TERMS)
    most = {"tracking": 60 * 0.75 / 3, "impact": 20.0, "ownership": 0.10, "days": 4.0}
    for one, row in zip(trades, found.by_review.iter_rows(named=True), strict=True):
        worth = values(trades)[one.effective]
        for measure in MEASURES:
            there = measured(one, row[f"{measure}_usd"], worth)[measure]
            assert there == pytest.approx(most[measure], rel=1e-9), (one.effective, measure)
        sizes = {measure: row[f"{measure}_usd"] for measure in MEASURES}
        assert row["first"] == min(sizes, key=lambda measure: sizes[measure])
        assert row["usd"] == min(sizes.values())
        assert row["note"] is None


def test_a_review_breaks_where_the_capacity_of_the_index_says() -> None:
    """Days and impact are the two capacities that exist already, by their own functions."""
    trades = reviews()
    table = fund_capacity(trades, values(trades), 0.75, terms=TERMS).by_review
    for row, one in enumerate(trades):
        moved, adv = one.traded, one.volumes.median
        by_days = capacity.capacity_at_participation(moved, adv, 0.10, 4)
        by_cost = capacity.capacity_at_cost(moved, adv, one.sigma, 0.7, 0.0020)
        assert table["days_usd"][row] == pytest.approx(by_days, rel=1e-12)
        assert table["impact_usd"][row] == pytest.approx(by_cost, rel=1e-12)


def test_the_limits_hold_over_all_reviews() -> None:
    trades = reviews()
    found = fund_capacity(trades, values(trades), 0.75, terms=TERMS)
    limits = {row["measure"]: row for row in found.limits.iter_rows(named=True)}
    size = limits["tracking"]["usd"]
    year = sum(measured(one, size, values(trades)[one.effective])["tracking"] for one in trades) / 0.75
    assert year == pytest.approx(60, rel=1e-9)
    for measure in MEASURES[1:]:
        column = found.by_review[f"{measure}_usd"]
        assert limits[measure]["usd"] == column.min()
        assert limits[measure]["effective"] == found.by_review["effective"][column.arg_min()]
    assert (limits["ownership"]["company"], limits["ownership"]["effective"]) == ("company-b", DAYS[1])
    assert limits["ownership"]["usd"] == pytest.approx(0.1 * 1.5e8 / 0.4, rel=1e-12)
    assert (limits["days"]["company"], limits["days"]["effective"]) == ("company-c", DAYS[2])
    assert limits["days"]["usd"] == pytest.approx(4 * 0.1 * 9e5 / 0.2, rel=1e-12)


def test_the_curve_by_hand_and_what_is_broken() -> None:
    trades = reviews()
    sizes = [1e5, 5e6, 50e6]
    found = fund_capacity(trades, values(trades), 0.75, terms=TERMS, sizes=sizes[::-1])
    assert found.curve["fund_usd"].to_list() == sizes
    for row in found.curve.iter_rows(named=True):
        by_hand = [measured(one, row["fund_usd"], values(trades)[one.effective]) for one in trades]
        assert row["annual_bp"] == pytest.approx(sum(one["tracking"] for one in by_hand) / 0.75, rel=1e-12)
        assert row["worst_impact_bp"] == pytest.approx(max(one["impact"] for one in by_hand), rel=1e-12)
        assert row["own"] == pytest.approx(max(one["ownership"] for one in by_hand), rel=1e-12)
        assert row["days"] == pytest.approx(max(one["days"] for one in by_hand), rel=1e-12)
        assert (row["own_company"], row["days_company"], row["note"]) == ("company-b", "company-c", None)
        limits = dict(found.limits.select("measure", "usd").iter_rows())
        expected = [measure for measure in MEASURES if row["fund_usd"] > limits[measure]]
        assert row["broken"] == ", ".join(expected)
    assert found.curve["broken"][-1] == "tracking, impact, ownership, days"
    assert found.curve["broken"][0] == ""


def test_the_curve_lies_around_the_sizes_that_break_it() -> None:
    found = fund_capacity(reviews(), values(reviews()), 0.75, terms=TERMS)
    sizes, breaks = found.curve["fund_usd"].to_list(), found.limits["usd"].drop_nulls().to_list()
    assert sizes[0] < min(breaks) <= sizes[1]
    assert sizes[-2] <= max(breaks) < sizes[-1]
    assert found.curve["broken"][0] == ""
    assert set(found.curve["broken"][-1].split(", ")) == set(found.limits.drop_nulls("usd")["measure"])
    assert {float(f"{size:.0e}".split("e")[0]) for size in sizes} <= {1.0, 2.0, 5.0}


def test_nothing_is_broken_at_a_limit_itself() -> None:
    trades = reviews()
    limits = fund_capacity(trades, values(trades), 0.75, terms=TERMS).limits
    for measure, size in limits.select("measure", "usd").iter_rows():
        curve = fund_capacity(trades, values(trades), 0.75, terms=TERMS, sizes=[size, size * 1.001]).curve
        assert [measure in broken.split(", ") for broken in curve["broken"]] == [False, True]


def test_by_name_names_the_worst_review_of_a_company() -> None:
    trades = reviews()
    found = fund_capacity(trades, values(trades), 0.75, terms=TERMS).by_name
    rows = {row["company_id"]: row for row in found.iter_rows(named=True)}
    assert found["usd"].is_sorted()
    assert rows["company-b"]["ownership_usd"] == pytest.approx(0.1 * 1.5e8 / 0.4, rel=1e-12)
    assert rows["company-c"]["days_usd"] == pytest.approx(4 * 0.1 * 9e5 / 0.2, rel=1e-12)
    assert (rows["company-c"]["first"], rows["company-c"]["worst"]) == ("impact", DAYS[2])
    alone = [costs.impact_cost(np.array([m]), 1.0, np.array([a]), np.array([0.02]), 0.7) for m, a in A_MOVES]
    assert rows["company-a"]["impact_usd"] == pytest.approx((0.0020 / max(alone)) ** 2, rel=1e-12)
    size = rows["company-a"]["tracking_usd"]
    dealing = 0.05 * 0.0028 + 0.10 * 0.0038 + 0.20 * 0.0028
    assert dealing + sum(alone) * size**0.5 == pytest.approx(60e-4 * 0.75, rel=1e-9)


A_MOVES = [(0.05, 4e6), (0.10, 4e6), (0.20, 5e6)]


def test_an_unknown_volume_is_said_and_no_number_stands_in_for_it() -> None:
    trades = reviews()
    median = np.array([4e6, np.nan, 2e6])
    none = np.array([60, 0, 60])
    trades[1] = replace(trades[1], volumes=Volumes(median, median, median, none, none * 0, none * 0, none * 0))
    found = fund_capacity(trades, values(trades), 0.75, terms=TERMS)
    row = found.by_review.row(1, named=True)
    assert (row["tracking_usd"], row["impact_usd"], row["days_usd"], row["usd"], row["first"]) == (None,) * 5
    assert row["ownership_usd"] == pytest.approx(0.1 * 1.5e8 / 0.4)
    assert row["note"].startswith("company-b B, 2025-06-20: no session with a known volume")
    assert found.notes == (f"2025-06-20: {row['note']}",)
    assert found.curve["annual_bp"].null_count() == found.curve.height
    assert found.curve["note"].unique().to_list() == ["unknown, left out: 2025-06-20"]
    assert found.curve["worst_impact_bp"].null_count() == 0
    assert found.limits.row(0, named=True)["usd"] is None
    assert found.limits["note"].to_list() == [
        "the cost of 1 of 3 reviews is unknown",
        "1 of 3 reviews left out",
        None,
        "1 of 3 reviews left out",
    ]
    without = fund_capacity([trades[0], trades[2]], values(trades), 0.5, terms=TERMS)
    for column in ("tracking_usd", "impact_usd", "days_usd"):
        assert found.by_name.sort("company_id")[column].to_list() == pytest.approx(
            without.by_name.sort("company_id")[column].to_list(), rel=1e-12
        )


def test_an_unknown_market_value_leaves_ownership_alone_unknown() -> None:
    trades = reviews()
    worth = values(trades)
    worth[DAYS[0]]["B"] = None
    del worth[DAYS[2]]["A"]
    found = fund_capacity(trades, worth, 0.75, terms=TERMS).by_review
    assert found["ownership_usd"].is_null().to_list() == [True, False, True]
    assert found["impact_usd"].null_count() == 0
    assert found["note"].to_list() == ["market value unknown: B", None, "market value unknown: A"]
    worth[DAYS[1]].pop("C")
    worth[DAYS[2]] = {"A": 9e8, "B": 1.5e8}  # C is left: nothing is owned of it
    found = fund_capacity(trades, worth, 0.75, terms=TERMS).by_review
    assert found["note"].to_list() == ["market value unknown: B", "market value unknown: C", None]


def test_dealing_that_costs_more_than_the_limit_leaves_no_size() -> None:
    trades = reviews()
    found = fund_capacity(trades, values(trades), 0.75, terms=replace(TERMS, tracking_cost_at_most=0.5))
    assert found.limits.row(0, named=True) | {"company": ""} == {
        "measure": "tracking",
        "usd": 0.0,
        "effective": None,
        "company": "",
        "note": "dealing alone costs more than the limit",
    }
    assert found.by_review["first"].to_list() == ["tracking"] * 3


def test_a_review_that_trades_nothing_breaks_by_ownership_alone() -> None:
    still = trade(DAYS[0], [0.5, 0.5], [0.5, 0.5], [1e6, 1e6])
    found = fund_capacity([still], {DAYS[0]: {"A": 1e8, "B": 2e8}}, 1.0, terms=TERMS)
    row = found.by_review.row(0, named=True)
    assert (row["tracking_usd"], row["impact_usd"], row["days_usd"]) == (None, None, None)
    assert (row["first"], row["company"], row["usd"]) == ("ownership", "company-a", pytest.approx(2e7))
    assert found.limits["note"].to_list() == ["no size breaks it", "no size breaks it", None, "no size breaks it"]


def test_two_lines_of_one_company_are_owned_together() -> None:
    one = trade(DAYS[0], [0.3, 0.3, 0.4], [0.0, 0.6, 0.4], [1e6, 2e6, 3e6])
    lines = one.lines.with_columns(company_id=pl.Series(["x", "x", "y"]))
    found = fund_capacity([replace(one, lines=lines)], {DAYS[0]: {"A": 3e8, "B": 3e8, "C": 9e9}}, 1.0, terms=TERMS)
    rows = {row["company_id"]: row for row in found.by_name.iter_rows(named=True)}
    assert rows["x"]["ownership_usd"] == pytest.approx(0.1 * 3e8 / 0.6, rel=1e-12)
    assert rows["x"]["days_usd"] == pytest.approx(4 * 0.1 * 1e6 / 0.3, rel=1e-12)


@given(st.lists(st.tuples(POSITIVE, POSITIVE, st.floats(1e4, 1e9)), min_size=2, max_size=6), st.floats(0.3, 1.5))
def test_every_size_is_exact_for_any_review(lines: list[tuple[float, float, float]], y: float) -> None:
    new, drifted, adv = np.array(lines).T
    one = trade(DAYS[0], list(new / new.sum()), list(drifted / drifted.sum()), list(adv))
    worth: dict[str, float | None] = {symbol: 1e9 * (2 + at) for at, symbol in enumerate(one.lines["symbol"])}
    terms = replace(TERMS, impact=y, tracking_cost_at_most=400.0)
    row = fund_capacity([one], {DAYS[0]: worth}, 1.0, terms=terms).by_review.row(0, named=True)
    for measure, most in {"tracking": 400.0, "impact": 20.0, "ownership": 0.1, "days": 4.0}.items():
        size = row[f"{measure}_usd"]
        if size is not None:
            assert measured(one, size, worth, terms)[measure] == pytest.approx(most, rel=1e-9)


def test_the_order_of_the_reviews_does_not_matter() -> None:
    trades = reviews()
    one, other = (fund_capacity(held, values(trades), 0.75, terms=TERMS) for held in (trades, trades[::-1]))
    for table in ("limits", "by_review", "by_name", "curve"):
        assert getattr(one, table).equals(getattr(other, table))


def test_every_fault_is_named_at_once() -> None:
    trades = [reviews()[0], reviews()[0]]
    bad = FundTerms(tracking_cost_at_most=-1, own_at_most=1.5, participation=2, days_at_most=float("nan"))
    with pytest.raises(DataError) as fault:
        fund_capacity(trades, {DAYS[0]: {"A": -4.0}}, 0.0, terms=bad, sizes=[])
    assert [problem.where.removeprefix("fund capacity, ") for problem in fault.value.problems] == [
        "trades",
        "years",
        "sizes",
        "tracking_cost_at_most",
        "days_at_most",
        "own_at_most",
        "participation",
        "market value of A on 2025-03-21",
    ]
