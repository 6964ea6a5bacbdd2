"""The whole road on the sample market: every review sees only its own data cut-off, every verdict is kept."""

from dataclasses import asdict, replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from exchina import history, levels, reasons, workflow
from exchina.errors import DataError, InfeasibleError
from exchina.market.view import MarketView, whole_view
from exchina.model import MarketData, Review, Rulebook
from exchina.rulebook import parse_rulebook
from exchina.rules.explain import explain
from exchina.tables.market import CONTRACTS
from exchina.universe import universe_on

CUT = date(2023, 6, 1)


def perturbed(view: MarketView, after: date, seed: int) -> MarketView:
    """The same market with another future: every number known after a day is multiplied by noise."""
    rng = np.random.default_rng(seed)

    def noisy(name: str, table: pl.DataFrame) -> pl.DataFrame:
        if name == "sessions":
            return table
        later = pl.col("known_date") > after
        numbers = [c for c, kind in table.schema.items() if kind == pl.Float64 and c != "free_float_factor"]
        noise = pl.Series(np.exp(rng.normal(0, 0.5, table.height)))
        future = table.with_columns(pl.when(later).then(pl.col(c) * noise).otherwise(pl.col(c)) for c in numbers)
        revised = table.filter(~later).sample(fraction=0.05, seed=seed)
        again = revised.with_columns(
            *(pl.col(c) * 1.7 for c in numbers), known_date=pl.lit(after + timedelta(days=400))
        )
        return pl.concat([future, again])

    market = MarketData(**{name: noisy(name, getattr(view.market, name)) for name in CONTRACTS})
    measures = view.reference.policy_measures
    kept = measures.with_columns(
        status=pl.when(pl.col("known_date") > after).then(pl.lit("expired")).otherwise("status")
    )
    stages = view.reference.stages.filter(pl.col("valid_from") <= after)
    return whole_view(market, replace(view.reference, policy_measures=kept, stages=stages), view.provenance)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_future_changes_nothing_earlier(chain, sample, seed) -> None:
    """Weights, scores, verdicts and levels up to the cut are bit-identical whatever comes later."""
    future = perturbed(sample, CUT, seed)
    reviews = history.reviews_until(chain, sample, CUT)
    there, here = (history.composed(chain, view, reviews) for view in (sample, future))
    for one, other in zip(there, here, strict=True):
        assert_frame_equal(one.members, other.members, check_exact=True)
        assert_frame_equal(one.verdicts, other.verdicts, check_exact=True)
    found = [levels_of(chain, view.as_of(CUT), made) for view, made in ((sample, there), (future, here))]
    assert_frame_equal(*found, check_exact=True)


def levels_of(book, view, made) -> pl.DataFrame:
    return levels.series_of(book, view, made).levels.filter(pl.col("session") <= CUT)


def test_the_futures_do_differ_later(chain, sample, chain_series) -> None:
    other = workflow.backtest(chain, perturbed(sample, CUT, 1))
    assert not chain_series.levels.equals(other.levels)


def test_every_basket_meets_its_rulebook(chain_series) -> None:
    for basket in chain_series.baskets:
        assert basket.members["weight"].sum() == pytest.approx(1, abs=1e-12)
        assert (basket.members["weight"] > 0).all()
        assert basket.members["company_id"].is_unique().all()
        widened = any("issuer" in step for step in basket.steps)
        assert widened or basket.members["weight"].max() <= 0.15 + 1e-9
        assert set(basket.members["country"]).isdisjoint({"CN", "HK", "MO"})


def test_every_company_keeps_a_verdict_of_every_screen(chain_series) -> None:
    for basket in chain_series.baskets[::8]:
        judged = basket.verdicts.filter(pl.col("kind") == "screen").group_by("company_id").len()
        assert (judged["len"] == 1 + len(basket.book.screens)).all()


def test_levels_start_at_the_base_value_and_follow_the_shares(chain_series, sample) -> None:
    for variant in ("PR", "NTR", "GTR"):
        table = chain_series.levels.filter(pl.col("variant") == variant)
        assert table.row(0) == (date(2014, 12, 19), variant, 1000.0, "published")
        assert table["session"].is_sorted()
        assert table["level"].is_finite().all()
    assert chain_series.turnover["one_way"].is_between(0, 1).all()


def test_a_review_is_continuous(chain_series) -> None:
    """Shares before and after a change are worth the same at its close, in index points; a review moves no divisor."""
    log = chain_series.divisor
    before = log["value_before"] / log["divisor_before"]
    after = log["value_after"] / log["divisor_after"]
    assert (after / before - 1).abs().max() < 1e-12
    reviews = log.filter(pl.col("cause") == "review")
    assert reviews.height > 40
    assert (reviews["divisor_before"] == reviews["divisor_after"]).all()


def test_a_line_that_ends_between_two_reviews_leaves(chain_series) -> None:
    """Great Western failed on 2015-04-30 while it was a member: it is gone the next session, and the log says so."""
    log = chain_series.divisor.filter(pl.col("cause").str.contains("GWG.V"))
    assert log["session"].to_list() == [date(2015, 5, 1)]
    held = chain_series.shares.filter(pl.col("symbol") == "GWG.V")["session"]
    assert held.max() < date(2015, 5, 1)


def test_the_floor_of_mp_is_seen_from_the_day_it_was_public(sample) -> None:
    def instruments(day: date) -> set[str]:
        cut = sample.as_of(day)
        row = universe_on(cut.market, cut.reference, day).filter(pl.col("company_id") == "mp-materials").to_dicts()[0]
        return {one["instrument"] for one in row["commitments"]}

    assert "price_floor" not in instruments(date(2025, 7, 9))
    assert "price_floor" in instruments(date(2025, 7, 10))


def test_explain_says_why_in_and_why_out(chain, sample, chain_series) -> None:
    basket = chain_series.baskets[-1]
    member = reasons.explained(basket, "mp-materials", sample)
    assert "IN: weight" in member
    assert "policy score" in member
    assert "MP-DOW-2025-FLOOR: price_floor of US-DoD, drawn" in member
    out = explain(basket, "arafura-rare-earths")
    assert "FAIL  screen supply_chain_stage: developer; needs any of producer" in out
    assert "OUT: fails supply_chain_stage" in out
    with pytest.raises(DataError, match="did you mean 'mp-materials'"):
        reasons.explained(basket, "mp-material", sample)
    with pytest.raises(DataError, match="'molycorp' had no live listing"):
        reasons.explained(basket, "molycorp", sample)


def test_a_preview_before_the_cut_off_uses_the_day_asked_for(chain, sample) -> None:
    basket = workflow.propose(chain, sample.as_of(date(2026, 6, 3)))
    assert basket.review.effective == date(2026, 6, 18)
    assert basket.review.cutoff == date(2026, 6, 3)
    assert basket.review.why.startswith("PREVIEW on data of 2026-06-03: the data cut-off is 2026-06-04")
    settled = workflow.propose(chain, sample.as_of(date(2026, 6, 8)))
    assert "PREVIEW" not in settled.review.why


def test_too_few_companies_stop_or_hold(chain, sample) -> None:
    strict = chain.text.replace("at_least = 5, why", "at_least = 19, why")
    with pytest.raises(InfeasibleError, match="magnet-chain review 2014-12-19: select: .* wants at least 19"):
        workflow.backtest(parse_rulebook(strict), sample)


def test_a_held_basket_goes_on_without_a_trade(chain, sample) -> None:
    """Too few names in a later review: the same lines at drifted weights, no turnover, and levels as if nothing was."""
    until = date(2016, 6, 30)
    free = history.composed(chain, sample, history.reviews_until(chain, sample, until))
    sizes = [basket.members.height for basket in free]
    assert min(sizes) < sizes[0], "the sample has no review with fewer names than the first"
    strict = parse_rulebook(chain.text.replace("at_least = 5, why", f"at_least = {sizes[0]}, why"))
    made = history.composed(strict, sample, history.reviews_until(strict, sample, until))
    at = next(number for number, basket in enumerate(made) if basket.held)
    before, held = made[at - 1], made[at]
    assert held.steps[0].startswith("hold_previous_basket: select:")
    assert held.turnover == 0
    gone = set(before.members["symbol"]) - set(held.members["symbol"])
    assert gone == {"GWG.V"}, "only what failed since is missing"
    assert held.members.height == before.members.height - 1
    assert held.members["weight"].to_list() == held.members["previous_weight"].to_list()
    assert held.members["weight"].to_list() != before.members["weight"].to_list()
    series = levels.series_of(strict, sample.as_of(until), made)
    assert held.review.effective not in series.shares["session"].to_list()


def test_a_stage_without_a_share_of_the_index_is_a_verdict(chain, sample) -> None:
    """Developers pass the screen but have no bucket: each is out by name, and not counted as a member."""
    wide = parse_rulebook(chain.text.replace('any_of = ["producer"', 'any_of = ["developer", "producer"'))
    basket = workflow.propose(wide, sample)
    said = basket.verdicts.filter((pl.col("rule") == "stage_buckets") & ~pl.col("passed"))
    assert said.height > 0
    assert set(basket.members["company_id"]).isdisjoint(said["company_id"])
    assert "OUT: fails stage_buckets" in explain(basket, said["company_id"][0])


@pytest.mark.parametrize("day", [date(2026, 7, 4), date(2026, 8, 1), date(2026, 5, 25)])
def test_weekends_and_holidays_are_days_to_propose_on(chain, sample, day) -> None:
    assert workflow.propose(chain, sample.as_of(day)).review.cutoff == day


def test_a_market_that_stopped_is_named(chain, sample) -> None:
    """Tokyo's prices end a month before the cut-off: an error, not a basket of old prices."""
    listings = sample.reference.listings
    tokyo = listings.filter(pl.col("mic") == "XTKS")["yahoo_symbol"].to_list()
    late = pl.col("symbol").is_in(tokyo) & (pl.col("session") > date(2026, 8, 7))
    lame = replace(sample, market=replace(sample.market, prices=sample.market.prices.filter(~late)))
    with pytest.raises(DataError, match="prices of XTKS end on 2026-08-07, the data cut-off is 2026-09-03"):
        workflow.propose(chain, lame.as_of(date(2026, 9, 10)))


def test_a_missing_rate_is_an_error_that_names_it(sample) -> None:
    day = date(2024, 3, 1)
    cut = sample.as_of(day)
    lame = replace(cut.market, fx=cut.market.fx.filter(pl.col("currency") != "AUD"))
    with pytest.raises(DataError, match="no rate for AUD on 2024-03-01"):
        universe_on(lame, cut.reference, day)


def test_prices_that_end_too_early_are_an_error(chain, sample) -> None:
    with pytest.raises(DataError, match="prices of XASX end on 2026-11-20, the data cut-off is"):
        history.composed(chain, sample, history.reviews_until(chain, sample, date(2027, 6, 30)))


def test_unknown_calendar_is_an_error(chain, sample) -> None:
    with pytest.raises(DataError, match="no calendar called 'XNYZ' .*did you mean 'XNYS'"):
        workflow.backtest(parse_rulebook(chain.text.replace('calendar = "XNYS"', 'calendar = "XNYZ"')), sample)


def with_review(book: Rulebook, *lines: str, select: str = "") -> Rulebook:
    """The rulebook with more lines in [review], and other settings of its selection."""
    text = book.text.replace('calendar = "XNYS"', "\n".join(['calendar = "XNYS"', *lines]))
    return parse_rulebook(text.replace("at_least = 5, why", f"at_least = 5{select}, why"))


def since_2021(book: Rulebook) -> Rulebook:
    return parse_rulebook(book.text.replace("base_date = 2014-12-19", "base_date = 2021-12-17"))


FLOOR = """[review.on]
price_floor_signed = { instruments = ["price_floor", "loan", "offtake"], bound_at_least = "signed", scope = "whole", \
announced_sessions_after = 2, \
effective_sessions_after = 5, why = "A floor changes the ranking at once." }"""
CLOSES = """deletion = "from_reserve"
[review.on]
takeover_closes = { scope = "leave", announced_sessions_after = 1, \
effective_sessions_after = 3, why = "A seat is free." }"""
FAILS = """[review.on]
member_fails = { screens = ["free_float_market_cap", "daily_traded_value"], every_sessions = 21, scope = "leave", \
announced_sessions_after = 2, \
effective_sessions_after = 5, why = "Nobody can trade it." }
large_listing = { within_rank = 40, after_sessions = 10, scope = "enter", announced_sessions_after = 2, \
effective_sessions_after = 5, why = "Too large to wait." }"""


def of_events(reviews: list[Review]) -> list[Review]:
    return [review for review in reviews if review.kind == "event"]


def test_a_signed_price_floor_calls_a_review(chain, sample) -> None:
    """The floor of MP was public on 10 July 2025: the basket of 17 July already knows it."""
    book = with_review(chain, FLOOR)
    reviews = history.reviews_until(book, sample, date(2025, 8, 29))
    called = next(review for review in of_events(reviews) if review.cutoff == date(2025, 7, 10))
    assert (called.announced, called.effective) == (date(2025, 7, 14), date(2025, 7, 17))
    assert "price_floor of US-DoD for mp-materials" in called.why
    before, basket = history.composed(book, sample, reviews[: reviews.index(called) + 1])[-2:]
    scores = [dict(one.members.select("company_id", "policy_score").iter_rows()) for one in (before, basket)]
    assert scores[1]["mp-materials"] > scores[0]["mp-materials"]
    assert basket.steps[0] == called.why
    blind = history.reviews_until(book, sample.as_of(date(2025, 7, 9)), date(2025, 8, 29))
    assert [one for one in of_events(blind) if one.cutoff >= date(2025, 7, 9)] == []


def test_a_member_that_ends_is_replaced_from_the_reserve_list(chain, sample) -> None:
    """Great Western failed on 2015-04-30: the first of the reserve list that passes every screen takes its seat."""
    count = history.composed(chain, sample, history.reviews_until(chain, sample, date(2015, 4, 1)))[-1].members.height
    small = chain.text.replace(
        "count = 20, keep_until_rank = 24", f"count = {count - 1}, keep_until_rank = {count - 1}"
    )
    assert small != chain.text
    book = with_review(parse_rulebook(small), CLOSES, select=", reserve = 3")
    reviews = history.reviews_until(book, sample, date(2015, 6, 30))
    made = history.composed(book, sample, reviews)
    at = next((number for number, one in enumerate(reviews) if one.kind == "event"), None)
    if at is None:
        pytest.skip("the line that ended was no member of the smaller index")
    before, after = made[at - 1], made[at]
    assert before.reserve["company_id"].to_list()
    new = set(after.members["company_id"]) - set(before.members["company_id"])
    assert set(before.members["company_id"]) - set(after.members["company_id"]) == {"great-western-minerals-group"}
    assert new == set(before.reserve["company_id"].to_list()[:1])
    kept = after.members.filter(~pl.col("company_id").is_in(list(new)))
    ratio = kept["weight"] / kept["previous_weight"]
    assert ratio.max() == pytest.approx(ratio.min(), rel=1e-12), "the others keep their proportions"
    assert after.members["weight"].sum() == pytest.approx(1, abs=1e-12)
    series = levels.series_of(book, sample.as_of(date(2015, 6, 30)), made)
    assert series.levels["level"].is_finite().all()


@pytest.mark.parametrize("lines", [FLOOR, CLOSES, FAILS])
def test_events_of_another_future_change_no_earlier_review(chain, sample, lines) -> None:
    """Reviews announced by the cut, their baskets and their verdicts are bit-identical whatever comes later."""
    book = with_review(since_2021(chain), lines, select=", reserve = 3")
    views = (sample, perturbed(sample, CUT, 4), sample.as_of(CUT))
    found = [history.reviews_until(book, view, CUT + timedelta(days=200)) for view in views]
    known = [[asdict(one) for one in reviews if one.announced <= CUT] for reviews in found]
    assert known[0] == known[1] == known[2]
    last = [[one for one in reviews if one.announced <= CUT][-6:] for reviews in found]
    for one, other in zip(
        *(history.composed(book, sample, last[0]), history.composed(book, views[1], last[1])), strict=True
    ):
        assert_frame_equal(one.members, other.members, check_exact=True)
        assert_frame_equal(one.verdicts, other.verdicts, check_exact=True)
        assert_frame_equal(one.reserve, other.reserve, check_exact=True)


def test_fast_exit_and_entry_are_found(chain, sample) -> None:
    book = with_review(since_2021(chain), FAILS)
    reviews = history.reviews_until(book, sample, sample.provenance.through)
    made = history.composed(book, sample, reviews)
    called = {event.trigger for review in of_events(reviews) for event in review.events}
    assert called
    for before, basket in pairwise(made):
        if basket.review.scope == "companies":
            events = basket.review.events
            gone = set(before.members["company_id"]) - set(basket.members["company_id"])
            new = set(basket.members["company_id"]) - set(before.members["company_id"])
            assert new <= {event.company_id for event in events if event.scope == "enter"}
            assert {event.company_id for event in events if event.scope == "leave"} <= gone
            assert basket.members["weight"].sum() == pytest.approx(1, abs=1e-12)


def test_members_chosen_once_a_year_are_weighted_every_quarter(chain, sample) -> None:
    book = with_review(chain, "select_months = [12]")
    reviews = history.reviews_until(book, sample, date(2017, 3, 31))
    made = history.composed(book, sample, reviews)
    for before, basket in pairwise(made):
        if basket.review.scope == "weights":
            assert set(basket.members["company_id"]) <= set(before.members["company_id"])
            assert basket.turnover is not None
    assert [one.scope for one in reviews] == ["whole", *["weights"] * 3, "whole", *["weights"] * 3, "whole", "weights"]


def test_selection_may_read_earlier_data_than_weights(chain, sample) -> None:
    """The members are those of the earlier day's data, at prices of the cut-off."""
    book = with_review(chain, "selection_cutoff_on = { weeks_before = 8 }")
    reviews = history.reviews_until(book, sample, date(2015, 3, 31))[:1]
    early, late = (
        [replace(reviews[0], cutoff=day, selection_cutoff=None)]
        for day in (reviews[0].selection_cutoff, reviews[0].cutoff)
    )
    both, first, second = (history.composed(book, sample, wanted)[0].members for wanted in (reviews, early, late))
    assert set(both["company_id"]) == set(first["company_id"])
    prices = both.join(second, on="company_id")
    assert prices.height > 0
    assert (prices["close"] == prices["close_right"]).all()


def test_persistence_reads_earlier_reviews_only(chain, sample) -> None:
    """Two passes in a row to enter: who first passes at a review is out, and in at the next if it passes again."""
    text = chain.text.replace("median_of_sessions = 63, why", "median_of_sessions = 63, passes_to_enter = 2, why")
    book = parse_rulebook(text)
    until = date(2017, 12, 31)
    plain = history.composed(chain, sample, history.reviews_until(chain, sample, until))
    slow = history.composed(book, sample, history.reviews_until(book, sample, until))
    assert plain[0].members.equals(slow[0].members), "the first review has no earlier look"
    notes = [basket.verdicts.filter(pl.col("note").str.contains("must pass 2 in a row")) for basket in slow]
    late = pl.concat(notes)
    assert late.height > 0
    assert not late["passed"].any()
    again = history.composed(book, perturbed(sample, until, 5), history.reviews_until(book, sample, until))
    for one, other in zip(slow, again, strict=True):
        assert_frame_equal(one.verdicts, other.verdicts, check_exact=True)


def test_a_misspelt_company_in_a_cap_is_refused(chain, sample) -> None:
    group = 'group = { groups = { pair = { of = ["lynas-rare-earth"], at_most = 0.01 } }, why = "A test." }'
    book = parse_rulebook(chain.text.replace("[cap]\n", f"[cap]\n{group}\n"))
    with pytest.raises(DataError, match="no company called 'lynas-rare-earth' .*did you mean 'lynas-rare-earths'"):
        workflow.propose(book, sample)
