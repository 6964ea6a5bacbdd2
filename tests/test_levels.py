"""Families, returns, currencies and derived series of whole indices on the sample market."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from exchina import history, levels, workflow
from exchina.errors import DataError, RulebookError
from exchina.market.view import MarketView
from exchina.model import IndexSeries, Rulebook
from exchina.rulebook import in_english, parse_rulebook
from tests.test_desk import action, with_actions

CUT, EFFECTIVE, LAST = date(2026, 9, 3), date(2026, 9, 18), date(2026, 10, 1)


def changed(book: Rulebook, *pairs: tuple[str, str]) -> Rulebook:
    text = book.text
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return parse_rulebook(text)


def since(book: Rulebook, day: str, *pairs: tuple[str, str]) -> Rulebook:
    """The same index with a later base date, so that a test is quick."""
    return changed(book, ("base_date = 2014-12-19", f"base_date = {day}"), *pairs)


def of(series: IndexSeries, variant: str) -> np.ndarray:
    return series.levels.filter(pl.col("variant") == variant)["level"].to_numpy()


@pytest.fixture(scope="module")
def view(sample: MarketView) -> MarketView:
    return sample.as_of(LAST)


@pytest.fixture(scope="module")
def short(chain: Rulebook, view: MarketView) -> IndexSeries:
    return workflow.backtest(since(chain, "2026-03-20"), view)


FAMILY = 'family = "fixed_weight"'
CAP = (FAMILY, 'family = "market_cap"')


def test_a_market_value_index_holds_free_float_shares_times_capping_factors(chain, view) -> None:
    series = workflow.backtest(since(chain, "2026-03-20", CAP), view)
    basket = series.baskets[-1]
    held = series.shares.filter(pl.col("session") == date(2026, 9, 21))
    table = basket.members.join(held.select("symbol", "index_shares"), on="symbol")
    free = pl.col("free_float_market_cap_usd") / pl.col("close_usd")
    factors = table.select(pl.col("index_shares") / free).to_series()
    assert factors.max() == pytest.approx(1, abs=1e-12)
    assert factors.min() > 0
    worth = table.select(pl.col("index_shares") * pl.col("close_usd")).to_series()
    assert (worth / worth.sum()).to_list() == pytest.approx(table["weight"].to_list(), abs=1e-12)
    log = series.divisor
    moved = (log["value_after"] / log["divisor_after"]) / (log["value_before"] / log["divisor_before"]) - 1
    assert moved.abs().max() < 1e-12
    assert (log["divisor_after"] != log["divisor_before"]).sum() >= 2, "a review moves the divisor of such an index"


def test_an_event_between_cut_off_and_effective_day_reaches_the_new_composition(chain, view) -> None:
    """MP gives one share for four on 10 September: the review of the 18th, cut off on the 3rd, holds a quarter more."""
    book = since(chain, "2026-06-18", CAP)
    bonus = with_actions(view, action("BONUS", "stock_dividend", date(2026, 9, 10), CUT, new=1.0, old=4.0))
    held = [
        workflow.backtest(book, one).shares.filter(
            (pl.col("session") == date(2026, 9, 21)) & (pl.col("symbol") == "MP")
        )
        for one in (view, bonus)
    ]
    assert held[1]["index_shares"][0] == pytest.approx(held[0]["index_shares"][0] * 1.25, rel=1e-12)


def test_a_member_that_leaves_before_the_effective_day_leaves_its_weight_to_the_others(chain, view) -> None:
    gone = with_actions(view, action("BID", "takeover", date(2026, 9, 15), CUT, price=80.0))
    series = workflow.backtest(since(chain, "2026-06-18"), gone)
    held = series.shares.filter(pl.col("session") == date(2026, 9, 21))
    assert "MP" not in held["symbol"].to_list()
    assert held["weight"].sum() == pytest.approx(1, abs=1e-12)
    basket = series.baskets[-1]
    kept = basket.members.filter(pl.col("symbol") != "MP").select("symbol", "weight")
    both = kept.join(held.select("symbol", found="weight"), on="symbol")
    ratio = both["found"] / both["weight"]
    assert ratio.to_list() == pytest.approx([1 / kept["weight"].sum()] * both.height, rel=1e-9)


def test_a_price_weighted_index_holds_one_share_of_each(core, view) -> None:
    lines = core.text.splitlines()
    weight = next(at for at, line in enumerate(lines) if line == "[weight]")
    cap = next(at for at, line in enumerate(lines) if line == "[cap]")
    calculation = next(at for at, line in enumerate(lines) if line == "[calculation]")
    kept = [*lines[: weight + 1], 'price = { why = "One share of each." }', "", *lines[calculation:]]
    assert weight < cap < calculation
    book = parse_rulebook(
        "\n".join(kept).replace(FAMILY, 'family = "price_weighted"').replace("2014-12-19", "2026-03-20")
    )
    series = workflow.backtest(book, view)
    assert series.shares["index_shares"].unique().to_list() == [1.0]
    with pytest.raises(RulebookError, match=r"calculation.family: a price-weighted index holds one share of each line"):
        changed(core, (FAMILY, 'family = "price_weighted"'))


def test_dividends_into_the_payer_make_compositions_of_their_own(chain, view, short) -> None:
    book = since(chain, "2026-03-20", ('dividends = "close_points"', 'dividends = "into_payer"'))
    series = workflow.backtest(book, view)
    assert of(series, "PR").tobytes() == of(short, "PR").tobytes()
    for variant in ("NTR", "GTR"):
        ratio = of(series, variant) / of(short, variant)
        assert np.abs(ratio - 1).max() < 0.01
        assert np.abs(ratio[-1] - 1) > 1e-9
    assert (of(series, "PR") <= of(series, "NTR")).all()
    assert (of(series, "NTR") <= of(series, "GTR")).all()


def test_returns_are_ordered_and_points_explain_them(short) -> None:
    price, net, gross = (of(short, variant) for variant in ("PR", "NTR", "GTR"))
    assert (price <= net).all()
    assert (net <= gross).all()
    points = short.points["gross_points"].to_numpy()
    assert (points > 0).sum() >= 3
    expected = 1000 * np.multiply.accumulate((price[1:] + points) / price[:-1])
    assert gross[1:] == pytest.approx(expected, rel=1e-12)


def test_an_index_in_euros_is_the_index_converted(chain, view, short) -> None:
    """Cash is converted at the close's rates, so every variant is the dollar index times the exchange rate."""
    series = workflow.backtest(since(chain, "2026-03-20", ('currency = "USD"', 'currency = "EUR"')), view)
    fx = view.market.fx.filter(pl.col("currency") == "EUR").select("session", "usd_per_unit")
    rate = short.levels.filter(pl.col("variant") == "PR").join(fx, on="session")["usd_per_unit"].to_numpy()
    for variant in ("PR", "NTR", "GTR"):
        assert of(series, variant) == pytest.approx(of(short, variant) * rate[0] / rate, rel=1e-10)


SERIES = """
[series]
hedged_eur = { make = "hedged", of = "NTR", into = "EUR", ratio = 1.0, why = "For investors who count in euros." }
euro = { make = "converted", of = "NTR", into = "EUR", why = "The same without a hedge." }
unhedged = { make = "hedged", of = "NTR", into = "EUR", ratio = 0.0, why = "No hedge is the converted index." }
fifty = { make = "decrement", of = "GTR", points_per_year = 50.0, why = "For notes that pay fifty points." }
over_cash = { make = "excess_return", of = "GTR", why = "What the risk earned." }
points = { make = "dividend_points", of = "PR", reset = "yearly", why = "For dividend swaps." }
"""


def test_derived_series_stand_beside_the_returns(chain, view, short) -> None:
    book = parse_rulebook(since(chain, "2026-03-20").text + SERIES)
    series = workflow.backtest(book, view)
    assert of(series, "NTR").tobytes() == of(short, "NTR").tobytes()
    assert of(series, "unhedged") == pytest.approx(of(series, "euro"), rel=1e-12)
    assert np.abs(of(series, "hedged_eur") / of(series, "euro") - 1).max() > 1e-4
    assert of(series, "fifty")[-1] < of(series, "GTR")[-1] - 20
    assert of(series, "over_cash")[-1] < of(series, "GTR")[-1]
    assert of(series, "points")[-1] == pytest.approx(short.points["gross_points"].sum())
    assert "Series hedged_eur: hedged of NTR, into EUR, ratio 1" in in_english(book)


def test_the_local_version_differs_from_the_dollar_index(chain, view) -> None:
    book = since(chain, "2026-03-20", ('["PR", "NTR", "GTR"]', '["PR", "LOCAL"]'))
    series = workflow.backtest(book, view)
    assert np.abs(of(series, "LOCAL") / of(series, "PR") - 1).max() > 1e-4


def test_an_issuer_of_unknown_country_has_no_net_return(chain, view) -> None:
    nowhere = pl.when(pl.col("id") == "iluka-resources").then(None).otherwise("country_of_domicile")
    companies = view.reference.companies.with_columns(country_of_domicile=nowhere)
    lame = replace(view, reference=replace(view.reference, companies=companies))
    book = since(chain, "2025-12-19")
    made = history.composed(book, view, history.reviews_until(book, view, LAST))
    with pytest.raises(DataError, match="ILU.AX, dividend of .*: the issuer's country is not known"):
        levels.series_of(book, lame, made)
    price_only = changed(book, ('["PR", "NTR", "GTR"]', '["PR", "GTR"]'))
    assert levels.series_of(price_only, lame, made).levels.height > 0


def test_events_that_contradict_themselves_are_all_refused_by_id(chain, view) -> None:
    day = date(2026, 7, 1)
    bad = with_actions(
        view,
        action("ONE", "takeover", day, day, price=60.0, source="mine.csv row 2"),
        action("TWO", "takeover", date(2026, 8, 1), day, price=70.0, source="mine.csv row 3"),
        action("SPIN", "spin_off", day, day, new=1.0, old=1.0, source="mine.csv row 4"),
        action(
            "EARLY", "stock_dividend", date(2011, 1, 3), date(2011, 1, 3), new=1.0, old=1.0, source="mine.csv row 5"
        ),
    )
    with pytest.raises(DataError) as refused:
        workflow.backtest(since(chain, "2026-06-18"), bad)
    said = str(refused.value)
    assert "event TWO ends MP, which ONE" in said
    assert "event SPIN, spin_off of MP, has no other" in said
    assert "event EARLY (stock_dividend of MP, ex 2011-01-03, mine.csv row 5): the line has no session before" in said


def test_a_takeover_waits_for_enough_acceptances(chain, view) -> None:
    day = date(2026, 7, 1)
    asks = ('takeover = "deal_terms"', 'takeover = "deal_terms"\ntakeover_accepted_at_least = 0.9')
    book = since(chain, "2026-06-18", asks)
    for tendered, leaves in ((0.6, False), (0.9, True), (None, True)):
        bid = with_actions(view, action("BID", "takeover", day, day, price=60.0, fraction=tendered))
        assert ("BID" in workflow.backtest(book, bid).divisor["cause"].to_list()) == leaves


def test_only_confirmed_events_are_applied(chain, view, short) -> None:
    terms = {"new": 1.0, "old": 1.0}
    book, day = since(chain, "2026-03-20"), date(2026, 7, 1)
    for status in ("announced", "date_unverified", "withdrawn"):
        one = with_actions(view, action("X", "stock_dividend", day, day, status=status, **terms))
        assert of(workflow.backtest(book, one), "PR").tobytes() == of(short, "PR").tobytes()
    done = with_actions(view, action("X", "stock_dividend", day, day, status="completed", **terms))
    assert of(workflow.backtest(book, done), "PR").tobytes() != of(short, "PR").tobytes()


def test_a_preset_is_a_start_and_the_rulebook_wins(chain) -> None:
    book = changed(chain, (FAMILY, 'preset = "stoxx"\n' + FAMILY), ('dividends = "close_points"', ""))
    assert book.calculation.dividends == "open_divisor"
    assert book.calculation.suspension_clock_sessions == 10
    assert book.calculation.special_dividend == "adjust_price_index"
    with pytest.raises(RulebookError, match="calculation.preset: no preset called 'stox' .*did you mean 'stoxx'"):
        changed(chain, (FAMILY, 'preset = "stox"\n' + FAMILY))
