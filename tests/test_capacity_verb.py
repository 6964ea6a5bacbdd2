"""`capacity` as a designer meets it, on the sample market and at the command line."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from exchina import workflow
from exchina.analytics.capacity_tables import Capacity
from exchina.analytics.costs import CostModel
from exchina.errors import DataError, ExchinaError
from exchina.market.view import MarketView
from exchina.model import Basket, IndexSeries, Rulebook
from exchina.universe import universe_on
from exchina.workspace import Workspace

Run = Callable[..., tuple[int, str, str]]
FUND = 50e6


@pytest.fixture(scope="module")
def room(chain_series: IndexSeries, sample: MarketView) -> Capacity:
    return workflow.capacity(chain_series, sample, fund_usd=FUND)


@pytest.fixture(scope="module")
def basket(chain: Rulebook, sample: MarketView) -> Basket:
    return workflow.propose(chain, sample)


def test_turnover_of_each_review_is_that_of_the_series(room: Capacity, chain_series: IndexSeries) -> None:
    both = room.reviews.join(chain_series.turnover, left_on="effective", right_on="session", suffix="_series")
    assert both.height == room.reviews.height > 40
    assert (both["one_way"] - both["one_way_series"]).abs().max() < 1e-14


def test_volumes_with_spikes_are_those_that_the_rules_read(room: Capacity, sample: MarketView) -> None:
    """The same US dollars as the liquidity rules, median of 60 sessions."""
    universe = universe_on(sample.market, sample.reference, room.day)
    median = pl.col("traded_values_usd").list.tail(60).list.median()
    both = room.names.join(universe.select("symbol", seen=median), on="symbol")
    assert both.height == room.names.height
    assert (both["adv_with_spikes_usd"] / both["seen"] - 1).abs().max() < 1e-12


def test_sessions_left_out_are_printed_and_count_from_the_day_named(room: Capacity, sample: MarketView) -> None:
    calendars = dict(sample.reference.venues.select("mic", "calendar").iter_rows())
    for row in room.names.iter_rows(named=True):
        own = sample.market.sessions.filter(pl.col("calendar") == calendars[row["mic"]])
        span = own.filter(pl.col("session").is_between(row["since"], room.day)).height
        assert row["sessions"] + row["by_news"] + row["by_size"] == span
    assert room.names["by_news"].min() > 0


def test_nothing_learnt_later_changes_a_review(room: Capacity, chain: Rulebook, sample: MarketView) -> None:
    """The capacity of a year ago, asked then, has the reviews of today's up to that day, to the last bit."""
    cut = sample.as_of(room.day - timedelta(days=400))
    then = workflow.capacity(workflow.backtest(chain, cut), cut, fund_usd=FUND)
    assert then.reviews.equals(room.reviews.filter(pl.col("effective") <= then.day))
    assert then.day < room.day - timedelta(days=399)


def test_the_smaller_capacity_is_told_and_the_fund_of_that_size_meets_it(
    room: Capacity, chain_series: IndexSeries, sample: MarketView
) -> None:
    for row in room.limits.iter_rows(named=True):
        assert row["usd"] == min(row["at_participation_usd"], row["at_cost_usd"])
        assert row["company"] == (row["slowest"] if row["by"] == "participation" else row["costliest"])
    assert room.limits.height == 6
    build = room.limits.row(
        by_predicate=(pl.col("trade") == "build or leave") & (pl.col("volume") == "median"), named=True
    )
    there = workflow.capacity(chain_series, sample, fund_usd=build["at_participation_usd"])
    assert there.names["days"][0] == pytest.approx(there.terms.sessions, rel=1e-12)
    assert there.names["company_id"][0] == build["slowest"]
    at_cost = workflow.capacity(chain_series, sample, fund_usd=build["at_cost_usd"]).names
    assert (at_cost["weight"] * at_cost["impact_bp"]).sum() == pytest.approx(25.0, rel=1e-10)


def test_costs_of_the_year_add_up_to_the_drag(room: Capacity) -> None:
    year = room.reviews.filter(pl.col("effective") > room.day - timedelta(days=365))
    assert year.height == 4
    assert room.dealing_drag_bp == pytest.approx(year["dealing_bp"].sum())
    assert room.impact_drag_bp == pytest.approx(year["impact_bp"].sum())
    (drag,) = room.curve.filter(pl.col("fund_usd") == FUND)["drag_bp"]
    assert drag == pytest.approx(year["cost_bp"].sum())


def test_levels_after_costs_leave_the_index_as_it_is(room: Capacity, chain_series: IndexSeries) -> None:
    assert room.levels is not None
    gross = chain_series.levels.filter(pl.col("variant").is_in(["PR", "NTR", "GTR"])).select(
        "session", "variant", "level"
    )
    assert room.levels.drop("after_costs").equals(gross)
    left = (1 - room.reviews["cost_bp"] / 1e4).product()
    last = room.levels.filter(pl.col("variant") == "PR").tail(1)
    assert last["after_costs"][0] / last["level"][0] == pytest.approx(left, rel=1e-12)


def test_a_basket_is_one_trade(basket: Basket, sample: MarketView) -> None:
    found = workflow.capacity(basket, sample, fund_usd=FUND)
    assert found.reviews["one_way"].to_list() == pytest.approx([basket.turnover])
    assert (
        found.names.select("symbol", "weight").sort("symbol").rows()
        == basket.members.select("symbol", "weight").sort("symbol").rows()
    )
    assert (found.levels, found.dealing_drag_bp, found.curve["drag_bp"].null_count()) == (
        None,
        None,
        found.curve.height,
    )
    assert "a basket is one trade" in found.notes[0]


def test_weights_that_do_not_sum_to_one_are_refused(basket: Basket, sample: MarketView) -> None:
    half = replace(basket, members=basket.members.with_columns(pl.col("weight") / 2))
    with pytest.raises(DataError, match="sum to 0.5, not to 1"):
        workflow.capacity(half, sample, fund_usd=FUND)


def test_members_without_volume_are_named_all_at_once(basket: Basket, sample: MarketView) -> None:
    silent = basket.members["symbol"][:2].to_list()
    gone = pl.when(~pl.col("symbol").is_in(silent)).then(pl.col("volume"))
    mute = replace(sample, market=replace(sample.market, prices=sample.market.prices.with_columns(volume=gone)))
    with pytest.raises(DataError) as fault:
        workflow.capacity(basket, mute, fund_usd=FUND)
    assert {problem.where.split()[1].rstrip(",") for problem in fault.value.problems} == set(silent)
    assert {problem.what for problem in fault.value.problems} == {"no session with a known volume and exchange rate"}


@pytest.mark.parametrize("fund", [0.0, -1.0, float("inf"), float("nan")])
def test_a_fund_without_a_size_is_refused(chain_series: IndexSeries, sample: MarketView, fund: float) -> None:
    with pytest.raises(ExchinaError, match="capacity, fund_usd"):
        workflow.capacity(chain_series, sample, fund_usd=fund)


def test_own_assumptions_take_the_place_of_the_table(basket: Basket, sample: MarketView) -> None:
    venues = sample.reference.trading_costs
    dear = CostModel(venues.with_columns(half_spread_bp=100.0, commission_bp=0.0, buy_tax_bp=0.0, sell_tax_bp=0.0), 1.4)
    usual, found = (workflow.capacity(basket, sample, fund_usd=FUND, model=one) for one in (None, dear))
    assert found.reviews["dealing_bp"].to_list() == pytest.approx([100 * found.reviews["two_way"][0]])
    assert found.reviews["impact_bp"][0] == pytest.approx(2 * usual.reviews["impact_bp"][0])
    assert set(found.model.venues["mic"]) == set(found.names["mic"])


def test_the_command_prints_both_capacities_for_people(run: Run, desk: Workspace) -> None:
    code, out, _ = run("capacity", "magnet-chain", "--fund", "50e6", "-w", desk.root)
    assert code == 0
    for said in (
        "capacity to build or leave, USD",
        "capacity to rebalance, USD",
        "after policy news",
        "with spikes",
        "Annual drag",
        "Costs took off the return, PR",
        "extrapolation",
        "assumption",
        "SIMULATED PRICES",
    ):
        assert said in out, said


def test_the_command_gives_everything_as_json(run: Run, desk: Workspace) -> None:
    tokens = ("--participation", "0.2", "--sessions", "5", "--cost-limit-bp", "50", "--proforma", "--json")
    code, out, _ = run("capacity", "magnet-chain", "--fund", "25e6", *tokens, "-w", desk.root)
    found = json.loads(out)
    assert code == 0
    assert found["provenance"]["simulated"] is True
    assert found["index"] == "magnet-chain"
    assert found["terms"] | {"participation": 0.2, "sessions": 5, "cost_limit": 0.005} == found["terms"]
    assert len(found["limits"]) == 6
    assert found["assumptions"]["impact_y"] == 0.7
    assert found["dealing_drag_bp"] is None
    assert found["costs_took_off"] == []


def test_the_command_shows_no_return(run: Run, desk: Workspace) -> None:
    """A return shown is a trial; what costs took off is none."""
    found = json.loads(run("capacity", "policy-floor", "--fund", "50e6", "--json", "-w", desk.root)[1])
    assert [set(row) for row in found["costs_took_off"]] == [{"variant", "period", "taken"}] * 3
    assert all(0 < row["taken"] < 0.2 for row in found["costs_took_off"])
    assert not {"gross", "after_costs", "level", "levels"} & set(found)


def test_wrong_settings_are_named_before_anything_is_computed(run: Run, desk: Workspace) -> None:
    code, out, err = run("capacity", "magnet-chain", "--fund", "0", "--participation", "1.5", "-w", desk.root)
    assert (code, out) == (1, "")
    assert "capacity, fund_usd: found 0" in err
    assert "capacity, participation: found 1.5 (above 0 and at most 1" in err
    assert run("capacity", "magnet-chain", "-w", desk.root)[0] == 2
    code, out, err = run(
        *("capacity", "magnet-chain", "--fund", "1e6", "--sessions", "2.5", "--cost-limit-bp", "1e9", "-w", desk.root)
    )
    assert (code, out) == (1, "")
    assert "capacity, sessions: found 2.5 (whole sessions" in err
    assert "above 0 and below 10,000" in err


def test_a_fund_beyond_all_trading_is_told_what_to_do(run: Run, desk: Workspace) -> None:
    code, _, err = run("capacity", "magnet-chain", "--fund", "1e30", "-w", desk.root)
    assert code == 1
    assert err.count("ask for a smaller one") == len(err.splitlines()) == 1


def test_companies_by_name_and_small_funds_in_full(run: Run, desk: Workspace) -> None:
    _, out, _ = run("capacity", "magnet-chain", "--fund", "1", "-w", desk.root)
    assert "a fund of USD 1, volumes" in out
    assert "A fund of USD 1 is within" in out
    assert "Iluka Resources Ltd" in out
    assert "iluka" not in out
    (row,) = [line.split() for line in out.splitlines() if "ILU.AX" in line]
    assert [len(cell.partition(".")[2]) for cell in row[row.index("ILU.AX") + 1 :][:4]] == [2, 2, 2, 2]
