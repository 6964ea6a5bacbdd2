"""The workflow of a tracked fund on the sample market: what it follows, holds, trades, costs and is measured by."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

import exchina
from exchina import workflow
from exchina.analytics.capacity import Terms
from exchina.calculation.weights import weights_of
from exchina.errors import DataError, RulebookError
from exchina.fund.accounts import accounts
from exchina.fund.attribution import PARTS
from exchina.fund.fair_value import FairValue
from exchina.fund.file import parse_fund
from exchina.fund.flow_plan import FlowPlan
from exchina.fund.flows.given import Order
from exchina.fund.path import FloatArray, Path
from exchina.fund.terms import Cash, Chosen, Costs, Creation, Execution, Fee, Fund, FundFacts, Hedge, Lots
from exchina.levels import PRICE
from exchina.market.view import MarketView
from exchina.model import IndexSeries, Rulebook
from exchina.workflow import premiums
from exchina.workflow.costing import desk_of
from exchina.workflow.fund_views import fund_limits, fund_room, tracking_error_ahead
from exchina.workflow.limiting import held_by_fund, held_by_index, named
from exchina.workflow.paths import path_of
from exchina.workflow.replicating import Replicated, replicated
from exchina.workflow.tracking import Track, Tracker, compared_variants, fund_variants
from exchina.workspace import Workspace

LAUNCH, CUTOFF, EARLY = date(2018, 1, 5), date(2016, 3, 4), date(2017, 3, 31)
STRATIFIED = Chosen("stratified", {"count": 6, "by": ("stage", "country")})
OPTIMISED = Chosen("optimised", {"count": 6, "fund_usd": 5e6, "participation": 0.2, "sessions": 20})


def fund(launch: date = LAUNCH, currency: str = "USD", **more: Any) -> Fund:
    seed, seeded = more.pop("seed", 10e6), more.pop("seeded", "in_kind")
    facts = FundFacts("tried", "Tried", currency, launch, "ucits", "NTR", seed=seed, seeded=seeded)
    return replace(Fund(facts, Fee(0.006)), **more)


def asked(orders: list[Order]) -> Chosen:
    return Chosen("given", {"orders": tuple(orders)})


@pytest.fixture(scope="module")
def tracker(chain_series: IndexSeries, sample: MarketView) -> Tracker:
    return Tracker(chain_series, sample)


@pytest.fixture(scope="module")
def early(chain: Rulebook, sample: MarketView) -> tuple[MarketView, IndexSeries]:
    """The market and the index as they were known on a day, so that there is less to compute."""
    view = sample.as_of(EARLY)
    return view, workflow.backtest(chain, view)


@pytest.fixture(scope="module")
def sampled(tracker: Tracker) -> Track:
    return tracker.track(fund(replication=STRATIFIED))


@pytest.fixture(scope="module")
def costly(tracker: Tracker) -> Track:
    return tracker.track(fund(costs=Costs()))


def test_the_public_names(chain_series: IndexSeries, sample: MarketView, desk: Workspace) -> None:
    read = exchina.read_fund(desk.fund("magnet-chain", "ucits-acc"))
    made = exchina.track(chain_series, replace(read, limits=()), sample)
    assert made.figures["fund"] < made.figures["benchmark"]
    assert made.provenance.simulated
    assert any(note.startswith("securities lending: 5%") for note in made.notes)


def test_a_sample_holds_its_choice_from_each_effective_close_on(sampled: Track) -> None:
    weights = sampled.replicated.weights
    assert weights is not None
    run, board = sampled.followed.model.runs[PRICE], sampled.followed.model.inputs.board
    seen = 0
    for change in run.changes:
        day = board.sessions[board.row(change.session) - 1]
        if "review" in change.causes and day >= LAUNCH:
            asked_for = {name: weight for name, weight in weights[day].items() if weight}
            found, seen = weights_of(change.after), seen + 1
            # by shares set from the closes of the cut-off; the next test compares weights
            assert set(found) == set(asked_for), day
            assert len(found) <= 6
    assert seen > 30


def test_a_sample_of_an_index_set_at_the_close_has_exactly_those_weights(chain: Rulebook, sample: MarketView) -> None:
    rule = replace(chain.calculation, family="fixed_weight", weights_set_at="effective_close")
    book, cut = replace(chain, calculation=rule), sample.as_of(date(2016, 12, 30))
    made = Tracker(workflow.backtest(book, cut), cut).track(fund(date(2015, 1, 5), replication=STRATIFIED))
    weights, board = made.replicated.weights, made.followed.model.inputs.board
    assert weights is not None
    reviews = [one for one in made.followed.model.runs[PRICE].changes if "review" in one.causes]
    assert len(reviews) > 5
    for change in reviews:
        day = board.sessions[board.row(change.session) - 1]
        found = weights_of(change.after)
        assert found == pytest.approx({name: part for name, part in weights[day].items() if part}, abs=1e-12)


@pytest.mark.parametrize("method", [STRATIFIED, OPTIMISED], ids=lambda one: one.name)
def test_nothing_that_happens_later_changes_a_choice(
    method: Chosen, early: tuple[MarketView, IndexSeries], shaken: tuple[MarketView, IndexSeries]
) -> None:
    """Prices and volumes after a cut-off are others: what was chosen up to it stays, to the last bit."""
    young = fund(date(2015, 1, 5), replication=method)
    was, now = (replicated(series, young, desk_of(view, Terms())) for view, series in (early, shaken))
    reviews = [one.review for one in early[1].baskets]
    assert was.weights is not None
    assert now.weights is not None
    known = [one.effective for one in reviews if one.cutoff <= CUTOFF]
    assert len(known) > 4
    assert [was.weights[day] for day in known] == [now.weights[day] for day in known]
    later = [one.effective for one in reviews if one.cutoff > CUTOFF]
    assert any(was.weights[day] != now.weights[day] for day in later), "the future did not differ"
    assert _until(was).equals(_until(now))


def _until(made: Replicated) -> pl.DataFrame:
    return made.table.filter(pl.col("cutoff") <= CUTOFF)


@pytest.fixture(scope="module")
def shaken(chain: Rulebook, early: tuple[MarketView, IndexSeries]) -> tuple[MarketView, IndexSeries]:
    """A market whose closes and volumes after a day are others, and the index on it."""
    rng, was = np.random.default_rng(5), early[0]
    prices = was.market.prices
    late = (prices["session"] > CUTOFF).to_numpy()
    moved = np.where(late, np.exp(rng.normal(0, 0.03, prices.height)), 1.0)
    other = prices.with_columns(
        close=pl.col("close") * moved, volume=(pl.col("volume") * moved).cast(prices.schema["volume"])
    )
    view = replace(was, market=replace(was.market, prices=other))
    return view, workflow.backtest(chain, view)


@pytest.mark.parametrize("window", [Execution(0, 2), Execution(-1, 1)])
def test_a_window_is_traded_in_equal_parts_and_in_full_at_its_last_close(tracker: Tracker, window: Execution) -> None:
    terms = fund(execution=window)
    made = tracker.track(terms).followed
    board, index, count = made.board, made.index.runs[PRICE], window.last - window.first + 1
    parts = {board.row(one.session): one for one in made.run.changes if "review" in one.causes}
    later = [one.review.effective for one in made.baskets if one.review.effective > terms.facts.launch]
    reviews, checked = [board.row(day) for day in later], 0
    for close in (row for row in reviews if row + window.last + 1 < len(board.sessions)):
        rows = [close + step + 1 for step in range(window.first, window.last + 1)]
        changes = [parts[row] for row in rows]
        if any(set(one.causes) != {"review"} for one in changes):
            continue
        left = []
        for row, change in zip(rows, changes, strict=True):
            shares = index.shares_on(max(row, close + 1))
            goal = _at(board, index.prices, shares, row - 1)
            was, now = weights_of(change.before), weights_of(change.after)
            names = sorted({*goal, *was, *now})
            gap = np.array([[goal.get(n, 0.0) - side.get(n, 0.0) for n in names] for side in (was, now)])
            left.append(np.linalg.norm(gap[1]) / np.linalg.norm(gap[0]) if row > close else np.nan)
        steps = [1 - 1 / (count - step) for step in range(count)]
        for found, expected in zip(left, steps, strict=True):
            assert np.isnan(found) or found == pytest.approx(expected, abs=1e-9)
        checked += 1
    assert checked > 30


def _at(board: Any, prices: FloatArray, shares: Any, row: int) -> dict[str, float]:
    """Weights of shares at the close of a row."""
    names = sorted(shares)
    columns = board.columns(names)
    values = np.array([shares[name] for name in names]) * prices[row, columns] * board.rates[row, columns]
    return dict(zip(names, (values / values.sum()).tolist(), strict=True))


def test_a_fund_launched_at_the_close_of_a_review_buys_the_new_portfolio_once(
    chain_series: IndexSeries, tracker: Tracker
) -> None:
    review = next(one.review for one in chain_series.baskets if one.review.effective > LAUNCH)
    kept = tracker.track(fund(review.effective, costs=Costs(), lots=Lots())).accounts
    followed = tracker.track(fund(review.effective)).followed
    run, board = followed.run, followed.board
    new = run.shares_on(board.row(review.effective) + 1)
    bought = {name for name, shares in zip(kept.path.symbols, kept.path.start, strict=True) if shares}
    assert bought == set(new)
    assert all(stop.row > 1 for stop in kept.path.stops)
    assert kept.columns["traded"][1] == kept.columns["cost"][1] == 0


@pytest.mark.parametrize(
    ("set_at", "window", "method"),
    [("cutoff_close", Execution(-3, 0), Chosen("full")), ("effective_close", Execution(-2, 1), STRATIFIED)],
)
def test_a_fund_that_trades_ahead_is_known_on_the_day(
    chain: Rulebook, sample: MarketView, set_at: Any, window: Execution, method: Chosen
) -> None:
    """A review in force on 2015-03-20 and announced a week before: no NAV of a day is another once more is known."""
    book = replace(chain, calculation=replace(chain.calculation, weights_set_at=set_at))
    early = fund(date(2015, 1, 5), costs=Costs(), lots=Lots(1), execution=window, replication=method)
    days = [date(2015, 3, day) for day in (13, 17, 18, 19, 20, 24)]
    runs, views = list[Track](), [sample.as_of(day) for day in days]
    for view in views:
        runs.append(Tracker(workflow.backtest(book, view), view).track(early))
    assert [run.accounts.path.sessions[-1] for run in runs] == days
    last = runs[-1].accounts
    assert last.columns["traded"][-5:].all(), "the review was not traded"
    for run in runs:
        count = len(run.accounts.path.sessions)
        np.testing.assert_allclose(run.accounts.nav_per_share, last.nav_per_share[:count], rtol=1e-13)
        np.testing.assert_allclose(run.accounts.columns["cost"], last.columns["cost"][:count], rtol=1e-10)
    at = days.index(date(2015, 3, 19))
    ahead, view = runs[at], views[at]
    assert [one.review.effective for one in ahead.followed.baskets[-1:]] == [date(2015, 3, 20)]
    assert tracking_error_ahead(ahead, view) is not None
    assert fund_limits(replace(ahead, fund=replace(early, limits=(Chosen("name_80"),))), view).today["found"][0] > 0.3
    basket, _ = workflow.creation_basket(ahead, view)
    assert basket.in_kind + basket.cash_component == pytest.approx(basket.nav, abs=0.01)


def test_what_a_trade_costs_does_not_wait_for_the_next_review(chain: Rulebook, sample: MarketView) -> None:
    """A fund launched between a data cut-off and its review deals by the volumes of the review in force."""
    young = fund(date(2015, 3, 10), costs=Costs(), seeded="cash")
    views = [sample.as_of(date(2015, 3, day)) for day in (16, 24)]
    first, later = (Tracker(workflow.backtest(chain, view), view).track(young).accounts for view in views)
    assert first.columns["cost"][1] > 0
    np.testing.assert_allclose(first.nav_per_share, later.nav_per_share[: len(first.path.sessions)], rtol=1e-13)


def test_dealing_costs_are_those_of_the_capacity_study(
    costly: Track, chain_series: IndexSeries, sample: MarketView
) -> None:
    """The reviews of a fund of one size, by `workflow.capacity`: the same bp from the path of the fund."""
    size, path = 25e6, costly.accounts.path
    study = workflow.capacity(chain_series, sample, fund_usd=size).reviews
    known = {row["effective"]: row["cost_bp"] for row in study.iter_rows(named=True)}
    rows = {one.row: one for one in path.dealing}
    compared = 0
    for stop in (stop for stop in path.stops if stop.traded):
        after, before = stop.after * stop.worth_after, stop.before * stop.worth_before
        traded = size * (after / after.sum() - before / before.sum())
        bp = rows[stop.row].cost(traded) / size * 1e4
        expected = known[path.sessions[stop.row - 1]]
        if expected is not None:
            assert bp == pytest.approx(expected, rel=1e-9)
            compared += 1
    assert compared > 30


def test_what_the_accounts_pay_is_what_such_a_trade_costs(costly: Track) -> None:
    """Of the size that the fund has on the day: within the cost of the cost."""
    kept, path = costly.accounts, costly.accounts.path
    rows = {one.row: one for one in path.dealing}
    for stop in (stop for stop in path.stops if stop.traded):
        after, before = stop.after * stop.worth_after, stop.before * stop.worth_before
        size = kept.columns["nav"][stop.row - 1]
        expected = rows[stop.row].cost(size * (after / after.sum() - before / before.sum()))
        assert kept.columns["cost"][stop.row] == pytest.approx(expected, rel=0.02)


def test_a_line_without_a_known_volume_is_told_and_dear(costly: Track) -> None:
    lines = [one for one in costly.accounts.path.dealing if np.isnan(np.asarray(one.adv)).any()]
    assert lines, "every line of every review was measured"
    assert all((np.asarray(one.adv)[~np.isnan(np.asarray(one.adv))] > 0).all() for one in lines)


def test_the_index_as_a_fund_weighs_what_the_series_says(
    costly: Track, chain_series: IndexSeries, sample: MarketView
) -> None:
    held, board = held_by_index(costly.followed, costly.fund, sample), costly.followed.board
    ids = dict(sample.reference.listings.select("yahoo_symbol", "company_id").iter_rows())
    compositions = [
        (board.sessions[board.row(session) - 1], part)
        for (session,), part in chain_series.shares.group_by("session", maintain_order=True)
        if isinstance(session, date) and session > LAUNCH
    ]
    reviews = {one.review.effective for one in chain_series.baskets}
    assert sum(close in reviews for close, _ in compositions) > 30
    for close, part in compositions:
        weights = dict.fromkeys(held.companies, 0.0)
        for symbol, weight in part.select("symbol", "weight").iter_rows():
            weights[ids[symbol]] += weight
        row = held.sessions.index(close)
        np.testing.assert_allclose(held.weights[row], list(weights.values()), atol=1e-12)
        assert held.bought[row].any() == (close in reviews)


def test_a_frictionless_fund_holds_what_the_index_holds_on_every_session(tracker: Tracker, sample: MarketView) -> None:
    """Also at the close before a split, when prices and shares are on other terms."""
    made = tracker.track(fund(date(2015, 1, 5)))
    mine, index = (
        held_by_fund(made.accounts, made.fund, made.followed, sample),
        held_by_index(made.followed, made.fund, sample),
    )
    splits = [stop for stop in made.accounts.path.stops if not stop.traded]
    assert len(splits) > 5
    assert mine.companies == index.companies
    invested = mine.weights / mine.weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(invested, index.weights, atol=1e-12)


def test_what_a_fund_holds_and_its_cash_are_all_of_it(sampled: Track, sample: MarketView) -> None:
    held = held_by_fund(sampled.accounts, sampled.fund, sampled.followed, sample)
    np.testing.assert_allclose(held.weights.sum(axis=1) + held.cash, 1.0, atol=1e-12)
    assert held.bought[0].sum() == (held.weights[0] > 0).sum() > 0
    names = dict(sample.reference.companies.select("id", "name").iter_rows())
    assert named(held, sample).companies == tuple(names[one] for one in held.companies)


def test_open_forwards_are_no_cash(tracker: Tracker, sample: MarketView) -> None:
    """Cash is what the accounts call so, with receivables and less what is owed, after the flows of the close."""
    made = tracker.track(fund(currency="EUR", hedge=Hedge(1.0), cash=Cash(0.01, 0.5)))
    held, found = held_by_fund(made.accounts, made.fund, made.followed, sample), made.accounts.columns
    assert held.forwards is not None
    rolls, still = made.accounts.path.hedge_rolls, (found["flow"] == 0) & (np.append(found["traded"][1:], 1) == 0)
    net = found["cash"] + found["receivable"] + found["claims"] - found["fee_owed"] - found["distribution_owed"]
    quiet = still & ~rolls
    assert quiet.sum() > 1000
    np.testing.assert_allclose(held.cash[quiet], (net / found["nav"])[quiet], atol=1e-12)
    np.testing.assert_allclose(held.forwards[quiet], (found["forwards"] / found["nav"])[quiet], atol=1e-15)
    assert np.abs(held.forwards).max() > 0.01
    assert not held.forwards[rolls].any()


def test_a_company_counts_for_the_name_as_the_review_of_the_day_saw_it(tracker: Tracker, sample: MarketView) -> None:
    """Its exposure changes at one review: before, the test counts it as it was."""
    made = tracker.track(fund())
    baskets, board = made.followed.baskets, made.followed.board
    heavy = held_by_index(made.followed, made.fund, sample)
    company = heavy.companies[int(heavy.in_theme.all(axis=0).argmax())]
    turned = next(at for at, one in enumerate(baskets) if one.review.effective > date(2021, 1, 1))
    other = pl.when(pl.col("company_id") == company).then(pl.lit("marginal")).otherwise(pl.col("rare_earth_exposure"))
    later = tuple(replace(one, seen=one.seen.with_columns(rare_earth_exposure=other)) for one in baskets[turned:])
    changed = replace(made.followed, baskets=(*baskets[:turned], *later))
    place, day = heavy.companies.index(company), baskets[turned].review.effective
    assert heavy.in_theme[:, place].all()
    for held in (held_by_index(changed, made.fund, sample), held_by_fund(made.accounts, made.fund, changed, sample)):
        themed = held.in_theme[:, held.companies.index(company)]
        assert held.sessions[int(np.argmin(themed))] == day
        assert themed.sum() == board.row(day) - board.row(LAUNCH)


def test_votes_are_shares_held_over_shares_there_are(sampled: Track, sample: MarketView) -> None:
    held = held_by_fund(sampled.accounts, sampled.fund, sampled.followed, sample)
    path, counts = sampled.accounts.path, sample.market.shares.sort("effective_date")
    line = int(np.argmax(sampled.accounts.holdings[-1][1] * path.worth[-1]))
    symbol = path.symbols[line]
    company = dict(sample.reference.listings.select("yahoo_symbol", "company_id").iter_rows())[symbol]
    known = counts.filter((pl.col("symbol") == symbol) & (pl.col("effective_date") <= path.sessions[-1]))["shares"][-1]
    own = sampled.accounts.holdings[-1][1][line] / known
    assert held.votes[-1][held.companies.index(company)] == pytest.approx(own, rel=1e-12)


def test_the_premium_is_asked_with_returns_of_sessions_that_were_held(
    costly: Track, sample: MarketView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line whose market was closed has no return; on other days it is that of its own closes, splits aside."""
    seen: dict[str, Any] = {}

    def spy(weights: FloatArray, returns: FloatArray, factor: FloatArray, *rest: Any, **more: Any) -> FairValue:
        seen.update(weights=weights, returns=returns, factor=factor)
        return original(weights, returns, factor, *rest, **more)

    original: Callable[..., FairValue] = premiums.fair_value
    monkeypatch.setattr(premiums, "fair_value", spy)
    found = premiums.stale_premium(costly, sample)
    path = costly.accounts.path
    calendars = sample.reference.listings.join(sample.reference.venues.select("mic", "calendar"), on="mic")
    own = dict(calendars.select("yahoo_symbol", "calendar").iter_rows())
    open_days = {str(name): set(part["session"]) for (name,), part in sample.market.sessions.group_by("calendar")}
    returns, days = seen["returns"], path.sessions
    closed = np.zeros(returns.shape, bool)
    for row in range(1, len(days)):
        between = [days[row - 1] + timedelta(days=one) for one in range(1, (days[row] - days[row - 1]).days + 1)]
        closed[row] = [not open_days[own[symbol]].intersection(between) for symbol in path.symbols]
    assert closed.sum() > 100
    assert np.isnan(returns[closed]).all()
    line = path.symbols.index("LYC.AX")
    closes = sample.market.prices.filter(pl.col("symbol") == "LYC.AX").sort("session").select("session", "close")
    asof = pl.DataFrame({"day": days}).join_asof(closes.with_columns(of="session"), left_on="day", right_on="session")
    expected = (asof["close"].pct_change()).set(asof["of"] == asof["of"].shift(1), None).cast(pl.Float64)
    splits = set(sample.market.splits.filter(pl.col("symbol") == "LYC.AX")["ex_date"])
    plain = [row for row in range(1, len(days)) if not splits.intersection(days[row - 1 : row + 1])]
    assert expected.null_count() > 10
    np.testing.assert_allclose(returns[plain, line], expected.fill_null(np.nan).to_numpy()[plain], atol=1e-12)
    assert seen["weights"].sum(axis=1).max() < 1.01
    assert found.figures["market"][0] == "fund"
    assert np.isfinite(seen["factor"]).all()


def test_shared_work_gives_the_same_bits(early: tuple[MarketView, IndexSeries]) -> None:
    view, series = early
    launch = date(2015, 1, 5)
    funds = [
        fund(launch, costs=Costs(), lots=Lots(1)),
        fund(launch, costs=Costs(), lots=Lots(100), cash=Cash(0.01), creation=Creation(cash_only=("XTKS",))),
        fund(launch, "GBP", execution=Execution(0, 2)),
        fund(launch, replication=STRATIFIED, hedge=Hedge(1.0), lots=Lots(1)),
        fund(launch, costs=Costs(impact=0.0), lots=Lots(1)),
    ]
    together = Tracker(series, view)
    first = [together.track(one) for one in funds]
    for one, before in zip(funds, first, strict=True):
        alone = Tracker(series, view).track(one)
        for shared in (before, together.track(one)):
            for name, column in shared.accounts.columns.items():
                assert column.tobytes() == alone.accounts.columns[name].tobytes(), name
            assert shared.daily.equals(alone.daily)
            assert shared.notes == alone.notes
    assert len({one.figures["fund"] for one in first}) == len(funds)


def test_variants_stand_in_the_order_of_the_grid(
    chain_series: IndexSeries, sample: MarketView, desk: Workspace
) -> None:
    read = workflow.read_fund(desk.fund("magnet-chain", "ucits-acc"))
    asked_for = ["vehicle.fee.per_year=0.006,0.004", "holdings.cash.target=0.01,0.0,1e-3", "fund.currency=USD,NOK"]
    variants = fund_variants(read, asked_for)
    told: list[tuple[int, int]] = []

    def progress(done: int, of: int, _: str) -> None:
        told.append((done, of))

    table = compared_variants(chain_series, variants, sample, progress)
    assert table["number"].to_list() == list(range(1, 13))
    assert table["vehicle.fee.per_year"].to_list() == ["0.006"] * 6 + ["0.004"] * 6
    assert table["fund.currency"].to_list() == ['"USD"', '"NOK"'] * 6
    assert table["holdings.cash.target"].to_list() == [one for one in ("0.01", "0.0", "0.001") for _ in "ab"] * 2
    refused = table.filter(pl.col("fund.currency") == '"NOK"')
    assert refused["reason"].str.contains("no rate of NOK is known on 2018-01-05").all()
    assert refused["tracking_difference"].null_count() == refused.height
    ran = table.filter(pl.col("reason").is_null())
    parts = ran.select(PARTS).to_numpy().sum(axis=1)
    np.testing.assert_allclose(parts, ran["tracking_difference"].to_numpy(), atol=1e-12)
    alone = workflow.track(chain_series, variants[6][1], sample)
    assert table["net_assets"][6] == alone.figures["net_assets"]
    assert told == [(number, 12) for number in range(12)]


def test_places_that_are_none_are_named_before_anything_runs(desk: Workspace) -> None:
    read = workflow.read_fund(desk.fund("magnet-chain", "ucits-acc"))
    with pytest.raises(RulebookError, match="did you mean 'per_year'") as fault:
        fund_variants(read, ["vehicle.fee.per_yer=0.004", "holdings.lots.shares=-1"])
    assert len(fault.value.problems) == 2


def test_a_flow_that_no_market_can_trade_is_named_with_its_day_and_figures(tracker: Tracker) -> None:
    big = fund(costs=Costs(), flows=asked([Order(date(2020, 3, 31), 5e9)]))
    with pytest.raises(DataError) as fault:
        tracker.track(big)
    (problem,) = fault.value.problems
    assert problem.where == "fund tried: dealing.flows on 2020-03-31"
    takes = float(problem.what.split(" takes ")[1].split()[0].replace(",", ""))
    free = tracker.track(replace(big, flows=Chosen("none"))).accounts
    row, path = free.path.sessions.index(date(2020, 3, 31)), free.path
    (dealing,) = [one for one in path.dealing if one.row <= row][-1:]
    values, adv = free.held()[row] * path.worth[row], np.asarray(dealing.adv)
    amount = float(problem.what.split()[0].replace(",", ""))
    slowest = np.nanmax(amount * values / values.sum() / (0.2 * adv))
    assert takes == pytest.approx(slowest, rel=1e-3)


def test_a_flow_that_ruins_the_fund_by_its_costs_is_named_not_its_ruin(tracker: Tracker) -> None:
    ruin = fund(costs=Costs(), flows=Chosen("steady", {"per_year": 9.0}))
    with pytest.raises(DataError, match=r"^fund tried: dealing.flows on 20\d\d.*more such flows"):
        tracker.track(ruin)


def test_a_flow_just_within_the_market_is_dealt(tracker: Tracker) -> None:
    kept = tracker.track(fund(costs=Costs(), flows=asked([Order(date(2020, 3, 31), 1e6)]))).accounts
    assert kept.columns["flow"].sum() == pytest.approx(1e6, rel=1e-4)


def test_a_redemption_larger_than_the_fund_is_refused(tracker: Tracker) -> None:
    with pytest.raises(DataError, match=r"fund tried: dealing.flows on 2020-03-31: .* redeemed of 400,000"):
        tracker.track(fund(flows=asked([Order(date(2020, 3, 31), -5e9)])))


def test_lots_that_leave_nothing_to_hold_are_refused_with_the_figures(tracker: Tracker) -> None:
    with pytest.raises(DataError) as fault:
        tracker.track(fund(lots=Lots(1_000_000), seed=5e5))
    (problem,) = fault.value.problems
    assert problem.where == f"fund tried: holdings.lots on {LAUNCH}"
    assert "not one share can be held: 1,000,000 of" in problem.what


def test_a_fund_that_outgrows_the_bounds_it_was_built_for_says_when(tracker: Tracker, sample: MarketView) -> None:
    """In US dollars, whatever the currency of the fund."""
    terms = fund(currency="EUR", seed=1e6, replication=OPTIMISED, flows=asked([Order(date(2020, 3, 31), 6e6)]))
    made = tracker.track(terms)
    (note,) = [one for one in made.notes if "fund_usd" in one]
    euro = sample.market.fx.filter(pl.col("currency") == "EUR").sort("session")
    days = pl.DataFrame({"session": made.accounts.path.sessions, "nav": made.accounts.columns["nav"]})
    usd = days.join_asof(euro, on="session").with_columns(size=pl.col("nav") * pl.col("usd_per_unit"))
    passed = usd.filter(pl.col("size") > 5e6)["session"][0]
    assert f"5,000,000 US dollars, as replication.optimised.fund_usd says; net assets passed them on {passed}" in note
    assert f"are {usd['size'][-1]:,.0f} at the end" in note
    assert not any("fund_usd" in one for one in tracker.track(replace(terms, flows=Chosen("none"))).notes)


def test_reviews_that_are_a_large_part_of_a_day_are_told(tracker: Tracker, costly: Track) -> None:
    """By line: what was bought or sold at the close over the volume that its dealing costs were reckoned with."""
    small = tracker.track(fund(costs=Costs(), seed=1e4))
    assert not any("could be traded" in one for one in small.notes)
    (note,) = [one for one in costly.notes if "could be traded" in one]
    path, kept = costly.accounts.path, costly.accounts
    volumes, shares, days = {one.row: np.asarray(one.adv) for one in path.dealing}, list[FloatArray](), list[date]()
    for stop in (one for one in path.stops if one.traded):
        before, after = kept.held()[stop.row - 1], kept.held()[stop.row]
        shares.append(np.abs(after * stop.worth_after - before * stop.worth_before) / volumes[stop.row])
        days.append(path.sessions[stop.row - 1])
    table = np.stack(shares)
    large = np.greater(table, 0.2)
    at, line = np.unravel_index(int(np.nanargmax(table)), table.shape)
    assert f"although {large.sum()} trades at {large.any(axis=1).sum()} closes are above 20%" in note
    assert f"the largest is {table[at, line]:.0%}, of " in note
    assert note.endswith(f" on {days[at]}")


def test_a_line_of_which_no_lot_is_bought_is_told_by_name(tracker: Tracker) -> None:
    made = tracker.track(fund(lots=Lots(1, {"XTKS": 5000}), seed=1e6))
    told = [note for note in made.notes if note.startswith("no lot of ")]
    assert any("Shin-Etsu Chemical" in note and "its part of the fund was" in note for note in told)
    assert len(told) == len({note.split(" could ")[0] for note in told})
    assert not any(note.startswith("no lot of ") for note in tracker.track(fund(lots=Lots(1))).notes)


@pytest.mark.parametrize("day", [date(2014, 12, 18), date(2026, 11, 20), date(2026, 11, 21), date(2030, 1, 1)])
def test_a_launch_outside_the_index_is_refused_whatever_else_is_wrong(tracker: Tracker, day: date) -> None:
    wrong = fund(day, "NOK", replication=STRATIFIED, limits=(Chosen("ric"),))
    with pytest.raises(DataError) as fault:
        tracker.track(replace(wrong, facts=replace(wrong.facts, listed_on="XLOM")))
    said = [str(one) for one in fault.value.problems]
    assert len(said) == 3
    assert any("the index runs from 2014-12-19 to 2026-11-20" in one for one in said)
    assert any("no rate of NOK is known" in one for one in said)
    assert any("did you mean 'XLON'" in one for one in said)


def test_a_launch_on_a_holiday_is_the_session_after(tracker: Tracker) -> None:
    weekend, monday = (tracker.track(fund(day)) for day in (date(2018, 1, 6), date(2018, 1, 8)))
    assert weekend.accounts.path.sessions[0] == date(2018, 1, 8)
    assert weekend.figures == monday.figures


def test_a_late_window_at_the_end_of_the_data_waits(chain: Rulebook, sample: MarketView) -> None:
    """A review whose window has not begun, or has not ended, is traded as far as there are sessions."""
    review = date(2016, 12, 16)
    for days in (0, 3):
        cut = sample.as_of(review + timedelta(days=days))
        series = workflow.backtest(chain, cut)
        made = Tracker(series, cut).track(fund(date(2016, 1, 4), execution=Execution(1, 3)))
        assert made.accounts.path.sessions[-1] >= review


def test_limits_of_the_index_are_told_by_name_with_day_and_figures(tracker: Tracker) -> None:
    with pytest.raises(DataError) as fault:
        tracker.track(fund(limits=(Chosen("own_issuer", {"at_most": 0.10}),)))
    (problem,) = fault.value.problems
    assert problem.where == "fund tried: limits.own_issuer"
    assert f"on {LAUNCH}, at most 10.00% is allowed" in problem.what
    assert "Lynas Rare Earths Ltd" in problem.what
    assert "lynas-rare-earths" not in problem.what


def test_a_sample_may_carry_a_limit_that_its_index_breaks(tracker: Tracker, sample: MarketView) -> None:
    made = tracker.track(fund(replication=STRATIFIED, limits=(Chosen("own_issuer", {"at_most": 0.15}),)))
    found = fund_limits(made, sample)
    assert found.spells.height > 0
    names = set(sample.reference.companies["name"])
    assert {name for row in found.spells["issuers"].to_list() for name in row} <= names
    for cure in found.cures.values():
        assert not isinstance(cure, str) or "cure on" in cure
        assert isinstance(cure, str) or set(cure.trades["company"]) <= names


def test_the_room_of_a_fund_is_that_of_the_index_it_follows(
    costly: Track, chain_series: IndexSeries, sample: MarketView
) -> None:
    """Of full replication; `workflow.capacity` at the size at which impact breaks has just that impact."""
    room = fund_room(costly, sample)
    row = room.limits.row(by_predicate=pl.col("measure") == "impact", named=True)
    study = workflow.capacity(chain_series, sample, fund_usd=row["usd"]).reviews
    (impact,) = study.filter(pl.col("effective") == row["effective"])["impact_bp"]
    assert impact == pytest.approx(room.terms.impact_at_most, rel=1e-9)


def test_the_room_of_a_sample_is_that_of_the_sample(sampled: Track, costly: Track, sample: MarketView) -> None:
    theirs, all_of_it = fund_room(sampled, sample), fund_room(costly, sample)
    assert set(theirs.by_name["company_id"]) < set(all_of_it.by_name["company_id"])
    assert theirs.by_review["effective"].to_list() == all_of_it.by_review["effective"].to_list()


def test_a_fund_of_a_few_sessions_says_what_it_cannot_tell(tracker: Tracker, sample: MarketView) -> None:
    young = tracker.track(fund(date(2026, 11, 16), costs=Costs()))
    assert young.figures["tracking_difference"] is None
    basket, cost = workflow.creation_basket(young, sample)
    assert basket.in_kind + basket.cash_component == pytest.approx(basket.nav, abs=0.01)
    assert cost.cost_bp is not None
    with pytest.raises(DataError, match="no review since the launch on 2026-11-16"):
        fund_room(young, sample)
    with pytest.raises(DataError, match="found 5"):
        premiums.stale_premium(young, sample)


def test_the_forecast_of_what_is_held_counts_lines_and_cash(
    tracker: Tracker, sampled: Track, sample: MarketView
) -> None:
    full, cash = (tracker.track(fund(cash=Cash(target))) for target in (0.0, 0.05))
    exact, held, part = (tracking_error_ahead(one, sample) for one in (full, cash, sampled))
    assert None not in (exact, held, part)
    assert exact < 1e-4 < held < part  # type: ignore[operator]
    seen = full.replicated.table["ex_ante_tracking_error"][-1]
    assert seen == 0
    assert held == pytest.approx(0.05 * 0.22, rel=0.5), "5 % of the volatility of the index"


def test_costs_are_in_the_path_only_where_they_are_asked(tracker: Tracker, sample: MarketView) -> None:
    made = tracker.track(fund(costs=Costs(dealing=False, impact=0.0)))
    path, remarks = path_of(made.followed, made.fund, sample, tracker.desk)
    nothing = FlowPlan(np.zeros(len(path.sessions)), np.zeros(len(path.sessions)))
    assert accounts(path, made.fund, nothing).columns["cost"].sum() == 0
    assert remarks == ()
    assert isinstance(path, Path)


def test_a_fund_parsed_again_is_the_same(desk: Workspace, tracker: Tracker) -> None:
    read = replace(workflow.read_fund(desk.fund("magnet-chain", "ucits-acc")), limits=())
    again = replace(parse_fund(read.text), limits=())
    assert tracker.track(read).figures == tracker.track(again).figures
