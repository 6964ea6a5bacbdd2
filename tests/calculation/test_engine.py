"""The calculator by hand: splits, carried prices and their statuses, reviews, events of one day, bad events."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from exchina.calculation.engine import advance, opened, started
from exchina.calculation.lines import Event, market_value
from exchina.calculation.state import Reset, State
from exchina.calculation.statuses import delayed_sessions, price_statuses
from exchina.calculation.terms import on_terms
from exchina.calculation.weights import one_way_turnover, weights_of
from exchina.errors import DataError
from exchina.model import CalculationRule
from tests.boards import FIXED_WEIGHT, MARKET_CAP, PRICE_WEIGHTED, board, days, market_board, walk
from tests.markets import market, sessions

MON, TUE, WED, THU, FRI = (date(2026, 3, day) for day in range(2, 7))
WEEK = [MON, TUE, WED, THU, FRI]
D = days(8)


def prices(**closes: dict[date, float]) -> pl.DataFrame:
    rows = [(symbol, day, close) for symbol, row in closes.items() for day, close in row.items()]
    return pl.DataFrame(rows, {"symbol": pl.String, "session": pl.Date, "close": pl.Float64}, orient="row")


def split(day: date, new: float) -> Event:
    return Event(f"split-{day}", "A", "split", day, new=new, old=1.0)


def levels(table: pl.DataFrame, cuts: list[Event], index_days: list[date]) -> list[float]:
    made = market_board(market(prices=table), {"A": "USD"}, index_days)
    run = walk(made, [(index_days[0], {"A": 1.0})], events=cuts)
    return [100.0, *run.levels["PR"].tolist()]


def test_a_split_leaves_the_value_of_a_holding() -> None:
    closes = {MON: 100.0, TUE: 102.0, WED: 25.75, THU: 26.0}
    assert levels(prices(A=closes), [split(WED, 4.0)], WEEK[:4]) == pytest.approx([100.0, 102.0, 103.0, 104.0])


def test_two_splits_multiply() -> None:
    closes = {MON: 100.0, TUE: 50.0, WED: 500.0}
    cuts = [split(TUE, 2.0), split(WED, 0.1)]
    assert levels(prices(A=closes), cuts, WEEK[:3]) == pytest.approx([100.0, 100.0, 100.0])


def test_an_ex_date_on_an_index_holiday_takes_effect_at_the_next_index_session() -> None:
    closes = {MON: 100.0, TUE: 101.0, WED: 25.25, THU: 25.5}
    assert levels(prices(A=closes), [split(WED, 4.0)], [MON, TUE, THU]) == pytest.approx([100.0, 101.0, 102.0])


def test_while_a_line_is_suspended_its_reference_price_stands_on_the_new_terms() -> None:
    closes = {MON: 100.0, FRI: 26.0}
    assert levels(prices(A=closes), [split(WED, 4.0)], WEEK) == pytest.approx([100.0, 100.0, 100.0, 100.0, 104.0])


def test_before_the_first_close_there_is_no_share() -> None:
    made = market_board(market(prices=prices(A={WED: 1.0}, B={MON: 1.0})), {"A": "USD", "B": "USD"}, WEEK)
    with pytest.raises(DataError, match="A on 2026-03-02: a member has no close"):
        walk(made, [(MON, {"A": 0.5, "B": 0.5})])


def test_a_line_without_a_rate_is_named() -> None:
    made = market_board(market(prices=prices(A={MON: 1.0})), {"A": "AUD"}, WEEK)
    with pytest.raises(DataError, match="A on 2026-03-02: no exchange rate for the line's currency"):
        walk(made, [(MON, {"A": 1.0})])


def test_each_carried_price_says_why() -> None:
    table = prices(
        A={MON: 1.0, TUE: 1.0, THU: 1.0, FRI: 1.0},
        B={MON: 1.0, TUE: 1.0},
        C={MON: 1.0, WED: 9.0, FRI: 1.0},
    )
    halt = pl.DataFrame(
        {"id": ["h"], "symbol": ["B"], "type": ["suspension"], "ex_date": [THU], "status": ["completed"]}
    )
    opened_on = pl.concat([sessions("HOL", [MON, TUE, THU, FRI]), sessions("ALL", WEEK)])
    data = market(prices=table, sessions=opened_on, actions=halt)
    refused = pl.DataFrame({"symbol": ["C"], "session": [WED]})
    fx = pl.DataFrame({"currency": ["AUD"], "session": [MON], "usd_per_unit": [1.0]})
    kept = data.prices.join(refused, on=["symbol", "session"], how="anti")
    made = market_board(replace(data, prices=kept, fx=fx), {"A": "AUD", "B": "USD", "C": "USD"}, WEEK)
    run = walk(made, [(MON, dict.fromkeys("ABC", 1 / 3))])
    lines = pl.DataFrame({"symbol": ["A", "B", "C"], "calendar": ["HOL", "ALL", "ALL"]})
    found = price_statuses(run, made, lines, data, refused)
    assert found.filter(pl.col("status") != "fx_stale").select("session", "symbol", "status").rows() == [
        (TUE, "C", "stale"),
        (WED, "A", "holiday_carry"),
        (WED, "B", "stale"),
        (WED, "C", "rejected"),
        (THU, "B", "suspended"),
        (THU, "C", "stale"),
        (FRI, "B", "suspended"),
    ]
    old = found.filter(pl.col("status") == "fx_stale")
    assert old.select("session", "symbol", "price_day").rows() == [(day, "A", MON) for day in WEEK[1:]]
    assert delayed_sessions(run, made, found, replace(FIXED_WEIGHT, delayed_if_stale_weight_over=0.5)) == [WED]


def test_levels_by_hand_through_a_review() -> None:
    """Equal weights, A doubles, then all goes to B: levels and turnover on paper."""
    table = prices(A={MON: 10.0, TUE: 20.0, WED: 20.0}, B={MON: 5.0, TUE: 5.0, WED: 6.0})
    made = market_board(market(prices=table), {"A": "USD", "B": "USD"}, WEEK[:3])
    run = walk(made, [(MON, {"A": 0.5, "B": 0.5}), (TUE, {"B": 1.0})])
    assert run.levels["PR"].tolist() == pytest.approx([150.0, 180.0])
    (change,) = run.changes
    assert one_way_turnover(weights_of(change.after), weights_of(change.before)) == pytest.approx(2 / 3)
    assert (change.session, change.causes, change.divisor_after) == (WED, ("review",), change.divisor_before)


def test_all_events_of_a_day_are_one_change_split_before_cash() -> None:
    """A splits 2:1 and pays 1 a new share on one day, B leaves on the same: one row of the log."""
    table = board({"A": [10.0, 4.0], "B": [5.0, 5.0], "C": [1.0, 1.0]})
    events = [
        Event("cash", "A", "special_dividend", D[1], amount=1.0),
        split(D[1], 2.0),
        Event("gone", "B", "takeover", D[1], price=5.0),
    ]
    state = State(D[0], {"A": 10.0, "B": 10.0, "C": 100.0}, 2.5, {"PR": 100.0})
    run = advance(state, table, events, {}, MARKET_CAP)
    (change,) = run.changes
    assert change.causes == (f"split-{D[1]}", "cash", "gone")
    assert change.after["A"].shares == 20.0
    assert change.after["A"].price == 4.0
    assert market_value(change.after) == 180.0
    assert change.divisor_after == pytest.approx(2.5 * 180 / 250)
    assert run.levels["PR"] == pytest.approx([100.0])


def test_a_line_without_a_close_for_too_long_leaves() -> None:
    table = board({"A": [10.0, None, None, None, None, 11.0], "B": [10.0, 10.0, 10.0, 10.0, 10.0, 10.0]})
    rule = replace(MARKET_CAP, suspension_clock_sessions=3, delisting="last_traded_then_zero")
    state = started(table.part(D[0], D[0]), Reset(shares={"A": 1.0, "B": 1.0}), {"PR": 100.0})
    run = advance(state, table, [], {}, rule)
    assert run.levels["PR"] == pytest.approx([100, 100, 50, 50, 50], abs=1e-5)
    assert [change.causes for change in run.changes] == [(f"suspension_clock:A:{D[4]}",)]
    kept = advance(state, table, [], {}, replace(rule, suspension_clock_sessions=4))
    assert kept.levels["PR"] == pytest.approx([100, 100, 100, 50, 50], abs=1e-5)
    never = advance(state, table, [], {}, MARKET_CAP)
    assert never.levels["PR"] == pytest.approx([100, 100, 100, 100, 105])


def test_a_loss_that_becomes_known_late_is_booked_the_next_day() -> None:
    """The failure of A was not known when the level of its last session was computed."""
    table = board({"A": [10.0, None, None], "B": [10.0, 10.0, 10.0]})
    state = started(table.part(D[0], D[0]), Reset(shares={"A": 1.0, "B": 1.0}), {"PR": 100.0})
    unaware = advance(state, table.part(D[0], D[1]), [], {}, MARKET_CAP)
    event = Event("late", "A", "bankruptcy", D[2])
    told = advance(unaware.state, table.part(D[1], D[2]), [event], {}, MARKET_CAP)
    assert unaware.levels["PR"] == pytest.approx([100.0])
    assert told.levels["PR"] == pytest.approx([50.0], abs=1e-5)


def test_a_review_that_holds_the_child_keeps_it() -> None:
    table = board({"P": [10.0, 8.0, 8.0, 8.0], "C": [None, 2.0, 2.0, 4.0]})
    event = Event("spin", "P", "spin_off", D[1], new=1, old=1, other="C")
    state = started(table.part(D[0], D[0]), Reset(weights={"P": 1.0}), {"PR": 100.0})
    alone = advance(state, table, [event], {}, FIXED_WEIGHT)
    assert alone.levels["PR"] == pytest.approx([100.0, 100.0, 100.0])
    assert list(alone.state.shares) == ["P"]
    reviewed = advance(state, table, [event], {D[1]: Reset(weights={"P": 0.5, "C": 0.5})}, FIXED_WEIGHT)
    assert reviewed.levels["PR"] == pytest.approx([100.0, 100.0, 150.0])


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        ("add_at_zero_then_remove", [100.0, 100.0, 100.0]),
        ("add_at_zero_then_keep", [100.0, 100.0, 120.0]),
        ("when_issued", [100.0, 101.0 / 1.01, 100.0]),
        ("adjust_price", [100.0, 100.0, 100.0]),
        ("market_price", [80.0, 80.0, 96.0]),
    ],
)
def test_each_spin_off_policy(convention: str, expected: list[float]) -> None:
    table = board({"P": [10.0, 8.0, 8.0, 8.0], "C": [None, 2.0, 2.0, 4.0]})
    event = Event("spin", "P", "spin_off", D[1], new=1, old=1, price=2.0, other="C")
    state = started(table.part(D[0], D[0]), Reset(shares={"P": 1.0}), {"PR": 100.0})
    run = advance(state, table, [event], {}, replace(MARKET_CAP, spin_off=convention))
    assert run.levels["PR"] == pytest.approx(expected)


def test_special_cash_is_not_reinvested_twice_and_tax_on_it_is_due() -> None:
    table = board({"A": [50.0, 47.0], "B": [25.0, 25.0]})
    event = Event("s", "A", "special_dividend", D[1], amount=3.0, tax=0.3)
    levels = dict.fromkeys(("PR", "GTR", "NTR"), 1500.0)
    state = State(D[0], {"A": 1000.0, "B": 400.0}, 40.0, levels)

    def after(convention: str) -> dict[str, float]:
        run = advance(state, table, [event], {}, replace(MARKET_CAP, special_dividend=convention))
        return {name: float(level[-1]) for name, level in run.levels.items()}

    gross = after("adjust_price_index")
    assert (gross["PR"], gross["GTR"]) == (pytest.approx(1500), pytest.approx(1500))
    assert gross["NTR"] == pytest.approx(1500 - 0.3 * 3 * 1000 / 38)
    net = after("adjust_price_index_net")
    assert net["NTR"] == pytest.approx(net["PR"])
    assert net["GTR"] == pytest.approx(1500 * (57000 / 38.6 + 0.9 * 1000 / 38.6) / 1500)
    only = after("total_return_only")
    assert only["PR"] == pytest.approx(57000 / 40)
    assert only["GTR"] == pytest.approx(1500)
    assert only["NTR"] == pytest.approx(1500 - 0.9 * 1000 / 40)


def test_a_dividend_is_converted_at_the_rate_the_rulebook_names() -> None:
    table = board({"A": [10.0, 10.0]}, rates={"A": [1.0, 2.0]}, gross={(1, "A"): 1.0})
    state = State(D[0], {"A": 1.0}, 1.0, {"PR": 10.0, "GTR": 10.0})
    for convention, points in (("ex_date", 2.0), ("prior_day", 1.0)):
        run = advance(state, table, [], {}, replace(MARKET_CAP, dividend_fx=convention))
        assert run.gross_points.tolist() == [points]


def test_the_local_version_sees_no_exchange_rate() -> None:
    table = board({"A": [10.0, 11.0, 11.0]}, rates={"A": [1.0, 2.0, 3.0]})
    state = State(D[0], {"A": 1.0}, 1.0, {"PR": 10.0, "LOCAL": 10.0})
    run = advance(state, table, [], {}, MARKET_CAP)
    assert run.levels["LOCAL"] == pytest.approx([11.0, 11.0])
    assert run.levels["PR"] == pytest.approx([22.0, 33.0])


def test_small_share_changes_wait_and_large_ones_do_not() -> None:
    table = board({"A": [10.0], "B": [10.0]})
    state = State(D[0], {"A": 100.0, "B": 100.0}, 20.0, {"PR": 100.0})

    def shares(fraction: float, rule: CalculationRule) -> float:
        event = Event("n", "A", "share_change", D[1], fraction=fraction)
        return opened(state, table, [event], {}, rule).after["A"].shares

    follows = replace(MARKET_CAP, share_changes="at_threshold")
    assert shares(1.04, follows) == 100.0
    assert shares(1.06, follows) == pytest.approx(106.0)
    assert shares(1.06, MARKET_CAP) == 100.0
    assert shares(1.06, replace(FIXED_WEIGHT, share_changes="at_threshold")) == 100.0


def test_a_highly_dilutive_issue_that_nobody_underwrites_may_be_sold() -> None:
    table = board({"A": [10.0]})
    state = State(D[0], {"A": 100.0}, 10.0, {"PR": 100.0})
    sells = replace(MARKET_CAP, dilutive_rights="sell_right")
    for underwritten, shares in ((False, 100.0), (True, 300.0)):
        event = Event("r", "A", "rights_issue", D[1], new=2, old=1, price=4.0, underwritten=underwritten)
        made = opened(state, table, [event], {}, sells)
        assert (made.after["A"].shares, made.after["A"].price) == (shares, 6.0)


def test_a_change_of_listing_keeps_the_weight_or_the_shares() -> None:
    table = board({"A": [10.0], "N": [4.0], "B": [10.0]}, rates={"A": [1.0], "N": [2.0], "B": [1.0]})
    event = Event("c", "A", "conversion", D[1], new=1, old=1, other="N")
    state = State(D[0], {"A": 100.0, "B": 100.0}, 20.0, {"PR": 100.0})
    fixed = opened(state, table, [event], {}, FIXED_WEIGHT)
    assert (fixed.after["N"].shares, fixed.divisor_after) == (125.0, 20.0)
    by_size = opened(state, table, [event], {}, MARKET_CAP)
    assert (by_size.after["N"].shares, by_size.divisor_after) == (100.0, pytest.approx(18.0))
    same = opened(state, table, [event], {}, PRICE_WEIGHTED)
    assert same.after["N"].shares == 100.0


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (Event("x1", "A", "special_dividend", D[1], amount=11.0, source="dividends"), "11 a share on a price of 10"),
        (Event("x2", "A", "spin_off", D[1], new=1, old=1, other="NOPE"), "there is no price of NOPE .*adjust_price"),
        (Event("x3", "A", "compulsory_tender", D[1], fraction=0.5, price=30.0), "50% bought at 30 on a price of 10"),
    ],
)
def test_an_impossible_event_is_refused_by_its_id(event: Event, message: str) -> None:
    state = State(D[0], {"A": 1.0, "B": 1.0}, 1.0, {"PR": 20.0})
    with pytest.raises(DataError, match=message) as refused:
        opened(state, board({"A": [10.0], "B": [10.0]}), [event], {}, MARKET_CAP)
    assert f"event {event.id} ({event.type} of A, ex {D[1]}" in str(refused.value)


def test_the_last_line_of_an_index_cannot_leave() -> None:
    state = State(D[0], {"A": 1.0}, 1.0, {"PR": 10.0})
    with pytest.raises(DataError, match="the last line of the index cannot leave"):
        opened(state, board({"A": [10.0]}), [Event("x", "A", "delisting", D[1])], {}, MARKET_CAP)


def test_the_opening_is_what_the_next_session_holds() -> None:
    table = board({"A": [10.0, 5.0], "B": [10.0, 10.0]})
    state = started(table.part(D[0], D[0]), Reset(weights={"A": 0.5, "B": 0.5}), {"PR": 100.0})
    shown = opened(state, table.part(D[0], D[0]), [split(D[1], 2.0)], {}, FIXED_WEIGHT)
    held = advance(state, table, [split(D[1], 2.0)], {}, FIXED_WEIGHT)
    assert {name: line.shares for name, line in shown.after.items()} == held.state.shares
    assert shown.divisor_after == held.state.divisor
    assert np.isfinite(held.levels["PR"]).all()


def test_a_child_that_waits_outlives_a_review() -> None:
    """P loses 20 to a child that first trades a day after the review: its value is not lost."""
    table = board({"P": [100.0, 80.0, 80.0, 80.0], "C": [None, None, 20.0, 20.0], "Q": [100.0, 100.0, 100.0, 100.0]})
    event = Event("spin", "P", "spin_off", D[1], new=1, old=1, other="C")
    half = {"P": 0.5, "Q": 0.5}
    run = walk(table, [(D[0], half), (D[1], half)], events=[event])
    assert run.levels["PR"] == pytest.approx([90.0, 100.0, 100.0])
    assert set(run.state.shares) == {"P", "Q"}
    state = started(table.part(D[0], D[0]), Reset(shares={"P": 1.0, "Q": 1.0}), {"PR": 100.0})
    again = {D[1]: Reset(shares={"P": 10.0, "Q": 10.0})}
    larger = advance(state, table, [event], again, MARKET_CAP)
    assert larger.levels["PR"] == pytest.approx([90.0, 100.0, 100.0])


def test_a_child_that_is_a_member_already_is_added_to() -> None:
    table = board({"P": [100.0, 50.0, 50.0], "Q": [50.0, 55.0, 55.0]})
    event = Event("spin", "P", "spin_off", D[1], new=1, old=1, other="Q")
    run = advance(State(D[0], {"P": 1.0, "Q": 2.0}, 2.0, {"PR": 100.0}), table, [event], {}, MARKET_CAP)
    assert run.levels["PR"] == pytest.approx([107.5, 107.5])
    assert run.state.shares == {"P": 1.0, "Q": 3.0}


def test_a_child_that_never_trades_is_an_error() -> None:
    table = board({"P": [100.0] + [80.0] * 29, "C": [None] * 30, "Q": [100.0] * 30})
    event = Event("spin", "P", "spin_off", days(2)[1], new=1, old=1, other="C")
    with pytest.raises(DataError, match="C has had no close in the 20 sessions since"):
        walk(table, [(D[0], {"P": 0.5, "Q": 0.5})], events=[event])


def test_a_line_that_a_review_adds_stands_on_the_terms_of_the_day() -> None:
    """A splits while its market is closed; the review of that day buys it at the adjusted price."""
    cut = [split(D[1], 2.0)]
    table = on_terms(board({"A": [100.0, None, 50.0, 50.0], "B": [10.0, 10.0, 10.0, 10.0]}), cut, FIXED_WEIGHT)
    run = walk(table, [(D[0], {"B": 1.0}), (D[1], {"A": 0.5, "B": 0.5})], events=cut)
    assert run.levels["PR"] == pytest.approx([100.0, 100.0, 100.0])
    base = walk(table, [(D[1], {"A": 0.5, "B": 0.5})], events=cut)
    assert base.levels["PR"] == pytest.approx([100.0, 100.0])


def test_a_split_under_the_new_name_of_the_same_day_is_applied() -> None:
    table = board({"A": [100.0, None, None], "N": [None, 50.0, 50.0], "B": [100.0, 100.0, 100.0]})
    for symbol in ("A", "N"):
        events = [Event("cut", symbol, "split", D[1], new=2, old=1), Event("name", "A", "rename", D[1], other="N")]
        run = walk(table, [(D[0], {"A": 0.5, "B": 0.5})], events=events)
        assert run.levels["PR"] == pytest.approx([100.0, 100.0])


def test_a_holiday_of_the_line_is_no_halt_before_it_leaves() -> None:
    """A leaves on D3 and its market was closed on D2: its last close stands."""
    table = board({"A": [10.0, 10.0, None, None], "B": [10.0, 10.0, 10.0, 10.0]})
    opened_on = table.price_days.copy()
    rule = replace(MARKET_CAP, delisting="last_traded_then_zero")
    event = Event("gone", "A", "delisting", D[3])
    state = State(D[0], {"A": 1.0, "B": 1.0}, 0.2, {"PR": 100.0})
    kept = advance(state, replace(table, open_days=opened_on), [event], {}, rule)
    assert kept.levels["PR"] == pytest.approx([100.0, 100.0, 100.0])
    assert advance(state, table, [event], {}, rule).levels["PR"] == pytest.approx([100.0, 50.0, 50.0], abs=1e-5)


def test_paper_is_priced_on_the_terms_of_its_day() -> None:
    """Two acquirer's shares after its 2:1 split of that day are worth one of today's."""
    table = board({"T": [20.0, None, None], "Q": [21.0, 21.0, 10.5], "B": [20.0, 20.0, 20.0]})
    events = [
        Event("cut", "Q", "split", D[2], new=2, old=1),
        Event("deal", "T", "takeover", D[2], new=2, old=1, other="Q"),
    ]
    state = State(D[0], {"T": 1.0, "Q": 1.0, "B": 1.0}, 0.61, {"PR": 100.0})
    run = advance(state, table, events, {}, replace(MARKET_CAP, takeover="deal_terms"))
    assert run.levels["PR"] == pytest.approx([62 / 0.61, 62 / 0.61])
    assert run.state.shares["Q"] == pytest.approx(4.0)


def test_more_dividends_than_value_are_refused_before_the_open() -> None:
    table = board({"A": [10.0, 10.0]}, gross={(1, "A"): 12.0})
    state = State(D[0], {"A": 1.0}, 1.0, {"PR": 10.0, "GTR": 10.0})
    with pytest.raises(DataError, match="12 dividend points are paid on a level of 10"):
        advance(state, table, [], {}, replace(MARKET_CAP, dividends="open_divisor"))


def test_paper_of_an_acquirer_without_a_price_is_refused() -> None:
    table = board({"T": [10.0, None, None], "B": [10.0, 10.0, 10.0], "N": [None, None, 8.0]})
    event = Event("deal", "T", "takeover", D[2], new=2, old=1, other="N")
    state = State(D[0], {"T": 1.0, "B": 1.0}, 0.2, {"PR": 100.0})
    with pytest.raises(DataError, match="event deal .*there is no price of the acquirer N"):
        advance(state, table, [event], {}, replace(MARKET_CAP, takeover="deal_terms"))


def test_paper_of_an_acquirer_that_is_renamed_that_day_counts() -> None:
    table = board({"T": [10.0, None, None], "B": [10.0, 10.0, 10.0], "Q": [8.0, 8.0, None], "R": [None, None, 8.0]})
    state = State(D[0], {"T": 1.0, "B": 1.0}, 0.2, {"PR": 100.0})
    rule = replace(MARKET_CAP, takeover="deal_terms")
    for acquirer in ("Q", "R"):
        events = [
            Event("deal", "T", "takeover", D[2], new=2, old=1, other=acquirer),
            Event("name", "Q", "rename", D[2], other="R"),
        ]
        assert advance(state, table, events, {}, rule).levels["PR"] == pytest.approx([130.0, 130.0])


def test_a_waiting_child_keeps_its_name_its_split_and_its_parents_name() -> None:
    closes = {"P": [100.0, 80.0, None, None, None], "P2": [None, None, 80.0, 80.0, 80.0], "Q": [100.0] * 5}
    spin = Event("spin", "P", "spin_off", D[1], new=1, old=1, other="C")
    child = board({**closes, "C": [None, None, None, 20.0, 20.0]})
    parent = Event("name", "P", "rename", D[2], other="P2")
    run = walk(child, [(D[0], {"P": 0.5, "Q": 0.5})], events=[spin, parent])
    assert run.levels["PR"] == pytest.approx([90.0, 90.0, 100.0, 100.0])
    assert run.state.shares["P2"] / run.state.shares["Q"] == pytest.approx(1.25)
    named = board({**closes, "C": [None] * 5, "C2": [None, None, None, 20.0, 20.0]})
    events = [spin, parent, Event("child", "C", "rename", D[2], other="C2")]
    run = walk(named, [(D[0], {"P": 0.5, "Q": 0.5})], events=events)
    assert run.levels["PR"] == pytest.approx([90.0, 90.0, 100.0, 100.0])
    assert set(run.state.shares) == {"P2", "Q"}
    cut = board({**closes, "C": [None, None, None, 10.0, 10.0]})
    events = [spin, parent, Event("cut", "C", "split", D[2], new=2, old=1)]
    for convention in ("add_at_zero_then_remove", "market_price"):
        rule = replace(MARKET_CAP, spin_off=convention)
        state = State(D[0], {"P": 1.0, "Q": 1.0}, 2.0, {"PR": 100.0})
        run = advance(state, cut, events, {}, rule)
        last = 100.0 if convention != "market_price" else 90.0
        assert run.levels["PR"] == pytest.approx([90.0, 90.0, last, last])
        if convention == "market_price":
            assert run.state.shares["C"] == pytest.approx(2.0)


def test_who_buys_the_parent_after_the_ex_date_has_no_claim_to_the_child() -> None:
    table = board({"P": [100.0, 80.0, 80.0, 80.0], "Q": [100.0] * 4, "C": [None, None, 20.0, 20.0]})
    event = Event("spin", "P", "spin_off", D[1], new=1, old=1, other="C")
    waiting = Reset(shares={"P": 1.0, "C": 1.0}, children={"C": event})
    state = State(D[0], {"Q": 1.0}, 1.0, {"PR": 100.0})
    run = advance(state, table, [event], {D[1]: waiting}, MARKET_CAP)
    assert run.levels["PR"] == pytest.approx([100.0, 100.0, 100.0])
    assert set(run.state.shares) == {"P"}
    begun = started(table.part(D[1], D[1]), waiting, {"PR": 100.0})
    assert set(begun.shares) == {"P"}


def test_a_takeover_on_the_day_of_a_split_pays_for_new_shares() -> None:
    table = board({"P": [100.0, None, None], "Q": [100.0] * 3})
    events = [
        Event("cut", "P", "split", D[2], new=2, old=1),
        Event("bid", "P", "takeover", D[2], price=60.0),
    ]
    state = State(D[0], {"P": 1.0, "Q": 1.0}, 2.0, {"PR": 100.0})
    run = advance(state, table, events, {}, replace(MARKET_CAP, takeover="deal_terms"))
    assert run.levels["PR"] == pytest.approx([110.0, 110.0])
