"""A fund on the sample market beside its index: the same without friction, and each friction is its own part."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from exchina.errors import DataError
from exchina.fund.accounts import Accounts, accounts
from exchina.fund.attribution import PARTS, daily_parts, over
from exchina.fund.flow_plan import FlowPlan
from exchina.fund.path import FloatArray
from exchina.fund.terms import (
    Cash,
    Costs,
    Distribution,
    Execution,
    Fee,
    Fund,
    FundFacts,
    Hedge,
    Lots,
    Swing,
    Withholding,
)
from exchina.market.view import MarketView
from exchina.model import DerivedSeries, IndexSeries
from exchina.workflow.following import Followed, followed
from exchina.workflow.paths import path_of
from exchina.workflow.tracking import track

LAUNCH = date(2014, 12, 19)


def fund(currency: str = "USD", **more: Any) -> Fund:
    facts = FundFacts("plain", "Plain", currency, LAUNCH, "ucits", more.pop("benchmark", "GTR"))
    return replace(Fund(facts, Fee(0.0)), **more)


def run(terms: Fund, series: IndexSeries, view: MarketView) -> tuple[Followed, Accounts]:
    made = followed(series, view, terms, None)
    path, remarks = path_of(made, terms, view, None)
    assert remarks == ()
    return made, accounts(path, terms, FlowPlan(np.zeros(len(path.sessions)), np.zeros(len(path.sessions))))


def grown(kept: Accounts) -> FloatArray:
    """Growth of a share since launch, distributions reinvested at the NAV of their ex-date."""
    return np.cumprod(1 + daily_parts(kept)["fund"].to_numpy(), dtype=np.float64)


def since(levels: FloatArray) -> FloatArray:
    return levels[1:] / levels[0]


def test_without_friction_a_fund_is_the_gross_index(chain_series: IndexSeries, sample: MarketView) -> None:
    made, kept = run(fund(), chain_series, sample)
    np.testing.assert_allclose(grown(kept), since(made.index.levels["GTR"]), rtol=1e-12)
    assert daily_parts(kept).select(PARTS).to_numpy() == pytest.approx(0, abs=1e-12)


def test_with_the_tax_of_the_net_index_alone_a_fund_is_the_net_index(
    chain_series: IndexSeries, sample: MarketView
) -> None:
    made, kept = run(fund(benchmark="NTR", withholding=Withholding("maximum")), chain_series, sample)
    np.testing.assert_allclose(grown(kept), since(made.index.levels["NTR"]), rtol=1e-12)
    assert (made.index.levels["GTR"] / made.index.levels["NTR"])[-1] > 1.01, "no tax, no test"


def test_distributions_reinvested_are_the_same_growth(chain_series: IndexSeries, sample: MarketView) -> None:
    """Where they are paid on their ex-date and no cash is kept for them."""
    paying = Distribution("distributing", (3, 6, 9, 12), 0)
    made, kept = run(fund(distribution=paying), chain_series, sample)
    assert (kept.columns["distribution"] > 0).sum() > 20
    np.testing.assert_allclose(grown(kept), since(made.index.levels["GTR"]), rtol=1e-12)


def test_in_another_currency_a_fund_is_the_converted_index(chain_series: IndexSeries, sample: MarketView) -> None:
    made, kept = run(fund("EUR"), chain_series, sample)
    usd = sample.market.fx.filter(sample.market.fx["currency"] == "EUR").sort("session")
    at = np.searchsorted(usd["session"].to_numpy(), np.array(kept.path.sessions, "datetime64[D]"), side="right") - 1
    rate = 1 / usd["usd_per_unit"].to_numpy()[at]
    np.testing.assert_allclose(grown(kept), since(made.index.levels["GTR"] * rate), rtol=1e-12)


@pytest.mark.parametrize("window", [Execution(-1, 1), Execution(0, 2), Execution(-2, 0)])
def test_a_window_of_trading_is_timing_alone(chain_series: IndexSeries, sample: MarketView, window: Execution) -> None:
    _, kept = run(fund(execution=window), chain_series, sample)
    daily = daily_parts(kept)
    np.testing.assert_allclose(daily.select(PARTS).to_numpy().sum(axis=1), daily["difference"].to_numpy(), atol=1e-12)
    np.testing.assert_allclose(daily["timing"].to_numpy(), daily["difference"].to_numpy(), atol=1e-12)
    whole = over(daily)
    assert sum(whole["parts"].values()) == pytest.approx(whole["difference"], abs=1e-12)
    assert abs(whole["difference"]) > 1e-6, "a window that changes nothing"


def test_with_every_term_on_the_parts_sum_over_any_year(chain_series: IndexSeries, sample: MarketView) -> None:
    terms = fund(
        "EUR",
        benchmark="NTR",
        fee=Fee(0.0059),
        withholding=Withholding("treaty_ucits_ie", "reclaim", 400, 0.8),
        distribution=Distribution("distributing", (6, 12), 5),
        hedge=Hedge(1.0),
        cash=Cash(0.002, 0.002, "money_market"),
        lots=Lots(100),
        execution=Execution(-1, 1),
    )
    _, kept = run(terms, chain_series, sample)
    daily = daily_parts(kept)
    np.testing.assert_allclose(daily.select(PARTS).to_numpy().sum(axis=1), daily["difference"].to_numpy(), atol=1e-12)
    for _, year in daily.group_by(daily["session"].dt.year(), maintain_order=True):
        made = over(year)
        assert sum(made["parts"].values()) == pytest.approx(made["difference"], abs=1e-12)


def test_a_hedged_class_is_the_hedged_index(chain_series: IndexSeries, sample: MarketView) -> None:
    """Both sell what is held at the month end one month forward, keep the notional and settle at the next month end."""
    made, kept = run(fund("EUR", hedge=Hedge(1.0)), chain_series, sample)
    book = made.index.inputs.book
    wanted = DerivedSeries("EURH", "GTR", "hedged", {"into": "EUR"}, "what the class promises")
    inputs = replace(made.index.inputs, book=replace(book, series=(wanted,)))
    index = replace(made.index, inputs=inputs).derived["EURH"]
    np.testing.assert_allclose(grown(kept), since(index), rtol=1e-12)
    _, open_ = run(fund("EUR"), chain_series, sample)
    assert abs(grown(open_)[-1] / since(index)[-1] - 1) > 0.01, "no hedge, no test"


def test_a_hedged_class_is_measured_against_the_hedged_index(chain_series: IndexSeries, sample: MarketView) -> None:
    """Without friction nothing is left, from a launch inside a month on; the parts sum with every term on."""
    terms = fund("EUR", hedge=Hedge(1.0))
    launched = replace(terms, facts=replace(terms.facts, launch=date(2018, 1, 12)))
    _, kept = run(launched, chain_series, sample)
    daily = daily_parts(kept)
    assert daily["difference"].to_numpy() == pytest.approx(0, abs=1e-12)
    assert daily.select(PARTS).to_numpy().sum(axis=1) == pytest.approx(0, abs=1e-12)
    assert np.abs(kept.columns["hedge"]).max() > 0


def test_what_comes_in_kind_is_no_purchase(chain_series: IndexSeries, sample: MarketView) -> None:
    terms = fund()
    made = followed(chain_series, sample, terms, None)
    path, _ = path_of(made, terms, sample, None)
    nothing = np.zeros(len(path.sessions))
    growth = nothing.copy()
    growth[100] = 0.25
    still, grown_ = accounts(path, terms, FlowPlan(nothing, nothing)), accounts(path, terms, FlowPlan(nothing, growth))
    assert grown_.columns["flow"][100] > 0
    np.testing.assert_array_equal(still.bought(), grown_.bought())
    assert still.bought()[0].sum() == (path.start > 0).sum()
    assert still.bought()[[stop.row - 1 for stop in path.stops if stop.traded]].any(axis=1).all()


def test_a_fund_cannot_own_more_than_there_is(chain_series: IndexSeries, sample: MarketView) -> None:
    terms = fund()
    with pytest.raises(DataError, match=r"it would hold [0-9,]+% of"):
        track(chain_series, replace(terms, facts=replace(terms.facts, seed=5e11)), sample)


def test_a_fund_launched_at_a_review_buys_the_new_portfolio_whatever_its_window(
    chain_series: IndexSeries, sample: MarketView
) -> None:
    effective = [one.review.effective for one in chain_series.baskets if not one.held][20]
    held = list[FloatArray]()
    for window in (Execution(), Execution(0, 2)):
        terms = fund(execution=window)
        made = followed(chain_series, sample, replace(terms, facts=replace(terms.facts, launch=effective)), None)
        path, _ = path_of(made, replace(terms, facts=replace(terms.facts, launch=effective)), sample, None)
        held.append(path.start * path.worth[0] / float((path.start * path.worth[0]).sum()))
        assert path.stops[0].row > 2
    np.testing.assert_allclose(held[0][held[0] > 0], held[1][held[1] > 0], rtol=1e-12)


def test_a_young_fund_has_no_tracking_error(chain_series: IndexSeries, sample: MarketView) -> None:
    last = chain_series.levels["session"].unique().sort()
    young = fund(costs=Costs(dealing=True, impact=0.7))
    for back, known in ((20, False), (21, True)):
        facts = replace(young.facts, launch=last[-back])
        assert (track(chain_series, replace(young, facts=facts), sample).figures["tracking_error"] is not None) is known


def test_shares_issued_at_a_swung_price_are_those_that_there_are(chain_series: IndexSeries, sample: MarketView) -> None:
    terms = fund(swing=Swing(0.01, 0.01))
    made = followed(chain_series, sample, terms, None)
    path, _ = path_of(made, terms, sample, None)
    money = np.zeros(len(path.sessions))
    money[-1] = 2e6
    kept = accounts(path, terms, FlowPlan(money, np.zeros_like(money)))
    dealt = kept.nav_per_share[-1] * 1.01
    assert kept.issued == kept.columns["outstanding"][-1] + np.floor(2e6 / dealt)
    assert kept.columns["flow"][-1] == pytest.approx((kept.issued - kept.columns["outstanding"][-1]) * dealt, rel=1e-12)
