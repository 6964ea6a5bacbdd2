"""What holds for an index whatever happens to it: properties on random histories with events of every kind."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from exchina.calculation.actions.leaving import FLOOR
from exchina.calculation.board import Board, day_number
from exchina.calculation.engine import advance, opened, started
from exchina.calculation.lines import Event, market_value
from exchina.calculation.logs import contributions, weights_on
from exchina.calculation.state import Change, Reset, Run
from exchina.calculation.terms import on_terms
from exchina.errors import DataError
from exchina.tables.actions import TERMS
from tests.boards import MARKET_CAP, board, days
from tests.calculation.histories import (
    BASE,
    NEUTRAL,
    History,
    begun,
    choices,
    computed,
    histories,
    on_new_terms,
    reinvested,
    rules,
    total_returns,
    under_new_name,
)

Found = TypeVar("Found")
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]
MANY = settings(max_examples=1000, suppress_health_check=SLOW)
SOME = settings(max_examples=150, suppress_health_check=SLOW)
TAKEN_NET = ("total_return_only", "adjust_price_index_net")


def accepted(history: History, of: Callable[[History], Found] = computed) -> Found:
    """What is computed of a history, unless the calculator refuses it."""
    try:
        return of(history)
    except DataError:
        assume(False)
        raise


def every_bit(run: Run) -> dict[str, bytes]:
    """All that a run publishes, to the last bit."""
    arrays = {**run.levels, "divisor": run.divisor, "gross": run.gross_points, "net": run.net_points}
    return {name: array.tobytes() for name, array in arrays.items()}


def close(found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-11) -> None:
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=0)


def last_change(history: History, run: Run) -> Change:
    board = history.board
    last = board.sessions[-1]
    return opened(run.state, board.part(last, last), history.events, history.resets, history.rule)


def test_no_change_moves_the_level_and_contributions_make_the_return() -> None:
    counted: Counter[str] = Counter()

    @MANY
    @given(histories())
    def holds(history: History) -> None:
        try:
            run = computed(history)
            changes = [*run.changes, last_change(history, run)]
        except DataError:
            counted["refused"] += 1
            return
        counted["made"] += 1
        kinds = {event.id: event.type for event in history.events}
        counted.update({kinds[cause] for change in changes for cause in change.causes if cause in kinds})
        counted.update({f"{name}={getattr(history.rule, name)}" for name in choices()})
        price, board = np.concatenate([[BASE["PR"]], run.levels["PR"]]), history.board
        for change in changes:
            level = price[history.row(change.session) - 1]
            assert market_value(change.before) / change.divisor_before == pytest.approx(level, rel=1e-12)
            assert market_value(change.after) / change.divisor_after == pytest.approx(level, rel=1e-12)
        for row in range(1, len(board.sessions)):
            whole = sum(contributions(run, board, row).values())
            assert whole == pytest.approx(price[row] / price[row - 1] - 1, rel=1e-12, abs=1e-12)

    holds()
    assert counted["refused"] < counted["made"] / 4, counted
    assert [kind for kind in TERMS if not counted[kind]] == []
    assert [
        f"{name}={value}" for name, values in choices().items() for value in values if not counted[f"{name}={value}"]
    ] == []


@SOME
@given(histories())
def test_total_return_is_at_least_net_and_net_at_least_price(history: History) -> None:
    """PR <= NTR wherever tax is due only on cash that NTR reinvests: not where the price index has made good a special
    dividend in full and NTR still bears its tax. GTR >= NTR and GTR >= PR always."""
    assume(history.rule.dividends != "into_payer")
    run = accepted(history)
    price, net, gross = (run.levels[name] for name in ("PR", "NTR", "GTR"))
    assert (price <= gross * (1 + 1e-12)).all()
    assert (net <= gross * (1 + 1e-12)).all()
    taxed = any(event.tax and event.type in ("special_dividend", "other_stock_dividend") for event in history.events)
    if not taxed or history.rule.special_dividend in TAKEN_NET:
        assert (price <= net * (1 + 1e-12)).all()


@SOME
@given(histories(rules(dividends="into_payer", suspension_clock_sessions=0), kinds=NEUTRAL))
def test_total_return_is_at_least_net_also_into_the_payer(history: History) -> None:
    """Only while no event takes value out: each return has its own weights, and what leaves is not spread alike.

    Nor while a line is not quoted: a total return values it ex cash before the price index does, also at a review.
    """
    quoted = ~np.isnan(history.closes)
    history = replace(history, gross=history.gross * quoted, net=history.net * quoted)
    levels = {"PR": accepted(history).levels["PR"], **accepted(history, total_returns)}
    assert (levels["PR"] <= levels["NTR"] * (1 + 1e-12)).all()
    assert (levels["NTR"] <= levels["GTR"] * (1 + 1e-12)).all()


@SOME
@given(histories())
def test_without_tax_net_is_gross_to_the_last_bit(history: History) -> None:
    free = replace(history, net=history.gross, events=tuple(replace(event, tax=0.0) for event in history.events))
    run = accepted(free)
    assert run.levels["NTR"].tobytes() == run.levels["GTR"].tobytes()
    assert run.net_points.tobytes() == run.gross_points.tobytes()
    if free.rule.dividends == "into_payer":
        levels = accepted(free, total_returns)
        assert levels["NTR"].tobytes() == levels["GTR"].tobytes()


@SOME
@given(histories(), st.data())
def test_an_index_in_another_currency_is_the_index_converted(history: History, data: st.DataObject) -> None:
    """PR and LOCAL always. Total return where cash is converted at the rates at which it is reinvested: those of the
    close (``close_points`` at the ex-date's rates) or of the open (``open_divisor`` at the rates of the day before)."""
    run = accepted(history)
    other = data.draw(st.integers(0, history.spot.shape[1] - 1))
    rate = history.spot[:, [other]]
    elsewhere = computed(replace(history, spot=history.spot / rate))
    in_other = (rate[0] / rate[1:])[:, 0]
    close(elsewhere.levels["PR"], run.levels["PR"] * in_other)
    close(elsewhere.levels["LOCAL"], run.levels["LOCAL"])
    rule = history.rule
    if (rule.dividends, rule.dividend_fx) in (("close_points", "ex_date"), ("open_divisor", "prior_day")):
        for name in ("GTR", "NTR"):
            close(elsewhere.levels[name], run.levels[name] * in_other)


@SOME
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_lines_and_events_changes_no_bit(history: History, random: object) -> None:
    run = accepted(history)
    order = np.random.default_rng(random.randrange(2**32)).permutation(len(history.symbols))  # type: ignore[attr-defined]
    events = list(history.events)
    random.shuffle(events)  # type: ignore[attr-defined]
    across = order.tolist()
    shuffled = replace(
        history,
        symbols=tuple(history.symbols[at] for at in across),
        currency_at=tuple(history.currency_at[at] for at in across),
        **{name: getattr(history, name)[:, across] for name in ("closes", "close_days", "gross", "net")},
        events=tuple(events),
        resets={day: turned(reset) for day, reset in reversed(history.resets.items())},
        first=turned(history.first),
    )
    again = computed(shuffled)
    assert every_bit(again) == every_bit(run)
    assert again.changes == run.changes


def turned(reset: Reset) -> Reset:
    return Reset(dict(reversed(reset.weights.items())), dict(reversed(reset.shares.items())))


@SOME
@given(histories(), st.sampled_from([0.25, 0.5, 2.0, 1024.0]))
def test_scaling_every_price_leaves_levels_and_weights(history: History, k: float) -> None:
    """A power of two keeps every bit. With shares and divisor kept instead, market value and levels grow by k."""
    floored = ("delisting", "bankruptcy")
    events = [replace(e, price=e.price or FLOOR) if e.type in floored else e for e in history.events]
    plain = replace(history, events=tuple(events), rule=replace(history.rule, suspension_clock_sessions=0))
    run = accepted(plain)
    scaled = replace(
        plain,
        **{name: getattr(plain, name) * k for name in ("closes", "gross", "net")},
        events=tuple(replace(event, price=event.price * k, amount=event.amount * k) for event in events),
    )
    again = computed(scaled)
    assert {name: array.tobytes() for name, array in again.levels.items()} == {
        name: array.tobytes() for name, array in run.levels.items()
    }
    last = history.sessions[-2]
    assert weights_on(again, scaled.board, last) == weights_on(run, plain.board, last)
    if not history.first.weights:
        assert (again.divisor == run.divisor * k).all()
    state = begun(plain)
    closes = {name: (price * k, day) for name, (price, day) in state.closes.items()}
    larger = replace(state, closes=closes, levels={name: level * k for name, level in state.levels.items()})
    if not any(reset.shares for reset in history.resets.values()):
        kept = advance(larger, scaled.board, scaled.events, scaled.resets, scaled.rule)
        assert kept.divisor.tobytes() == run.divisor.tobytes()
        for name in ("PR", "GTR", "NTR"):
            assert (kept.levels[name] == run.levels[name] * k).all()


@SOME
@given(histories(), st.sampled_from(["PR", "GTR", "NTR"]))
def test_session_by_session_gives_the_bits_of_all_at_once(history: History, name: str) -> None:
    if history.rule.dividends == "into_payer" and name != "PR":
        history = reinvested(history, name)
    run, parts, state = accepted(history), list[Run](), begun(history)
    for session, following in pairwise(history.board.sessions):
        part = history.board.part(session, following)
        parts.append(advance(state, part, history.events, history.resets, history.rule))
        state = parts[-1].state
    for variant, levels in run.levels.items():
        assert np.concatenate([part.levels[variant] for part in parts]).tobytes() == levels.tobytes(), variant
    for table in ("divisor", "gross_points", "net_points", "market_value"):
        joined = np.concatenate([getattr(part, table) for part in parts])
        assert joined.tobytes() == getattr(run, table).tobytes(), table
    assert tuple(change for part in parts for change in part.changes) == run.changes
    assert replace(state, closes={}) == replace(run.state, closes={})
    assert repr(state.closes) == repr(run.state.closes)


@SOME
@given(histories(), st.data())
def test_what_comes_later_changes_no_earlier_bit(history: History, data: st.DataObject) -> None:
    """Later is every price after a session and every event after the one that follows: that one is announced."""
    run = accepted(history)
    last = data.draw(st.integers(1, len(history.sessions) - 3))
    noise = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    later = {
        name: np.concatenate([table[: last + 1], table[last + 1 :] * noise.uniform(0.5, 2, table[last + 1 :].shape)])
        for name in ("closes", "spot", "gross", "net")
        for table in [getattr(history, name)]
    }
    events = tuple(event for event in history.events if history.row(event.ex_date) <= last + 1)
    resets = {day: reset for day, reset in history.resets.items() if day <= history.sessions[last]}
    again = accepted(replace(history, **later, events=events, resets=resets))
    for name in run.levels:
        assert again.levels[name][:last].tobytes() == run.levels[name][:last].tobytes(), name
    for name in ("divisor", "gross_points", "net_points"):
        assert getattr(again, name)[:last].tobytes() == getattr(run, name)[:last].tobytes(), name
    early = [change for change in run.changes if history.row(change.session) <= last]
    assert [change for change in again.changes if history.row(change.session) <= last] == early


@SOME
@given(histories(), st.data())
def test_value_neutral_events_leave_every_return(history: History, data: st.DataObject) -> None:
    """With closes and terms as they would be on the new terms, nothing differs but prices and index shares of the line.

    A price-weighted index has no value-neutral split: the weight follows the price.
    """
    cut = history.rule.family != "price_weighted"
    kind = data.draw(st.sampled_from(NEUTRAL if cut else ("rename", "redomicile", "suspension")))
    symbol = data.draw(st.sampled_from([name for name in history.symbols if name.startswith("L")]))
    row = data.draw(st.integers(1, len(history.sessions) - 2))
    twice = ("rename", "conversion")  # a line ends once: two such events of one line are refused
    assume(not any(other.symbol == symbol and other.type in twice for other in history.events))
    # a line that comes in on the very day of its rename must be named as it is called then
    assume(not any(other.other == symbol and other.ex_date == history.sessions[row] for other in history.events))
    waits = history.rule.spin_off == "market_price"  # the children of a parent that is cut meanwhile: see below
    assume(not (waits and any(other.symbol == symbol and other.type == "spin_off" for other in history.events)))
    if kind in ("split", "stock_dividend"):  # a line that fails leaves at 1e-7 a share, old or new
        history = replace(history, rule=replace(history.rule, suspension_clock_sessions=0))
    run = accepted(history)
    event = Event("neutral", symbol, kind, history.sessions[row], other="US" if kind == "redomicile" else "")
    if kind == "split":
        event = replace(
            event, new=data.draw(st.sampled_from([2.0, 3.0, 10.0, 1.0])), old=data.draw(st.sampled_from([1.0, 7.0]))
        )
    elif kind == "stock_dividend":
        event = replace(event, new=1.0, old=data.draw(st.sampled_from([1.0, 4.0, 20.0])))
    changed = replace(history, events=(*history.events, event))
    if kind in ("split", "stock_dividend"):
        changed = on_new_terms(changed, event)
    elif kind == "rename":
        changed = under_new_name(changed, event)
    again = computed(changed)
    for name, levels in run.levels.items():
        close(again.levels[name], levels)
    close(again.market_value, run.market_value)
    last = history.sessions[-2]
    here, there = weights_on(run, history.board, last), weights_on(again, changed.board, last)
    there = {symbol if name == f"{symbol}+" else name: weight for name, weight in there.items()}
    assert there == pytest.approx(here, rel=1e-10)


def gap_board(closes: Mapping[str, Sequence[float | None]], open_on: Sequence[int], early: int | None = None) -> Board:
    """A board on some days only; ``early``: the row whose close of A is of the day before."""
    table = board(closes)
    numbers = np.array([day_number(days(20)[at]) for at in open_on])
    moved = replace(table, sessions=tuple(days(20)[at] for at in open_on[:-1]), calendar=numbers)
    ages = np.repeat(numbers[:-1, None], len(table.symbols), axis=1)
    if early is not None:
        ages[early, 0] -= 1
    return replace(moved, price_days=ages, spot_days=ages)


def levels_of(table: Board, events: Sequence[Event]) -> list[float]:
    table = on_terms(table, events, MARKET_CAP)
    state = started(table.part(table.sessions[0], table.sessions[0]), Reset(shares={"A": 1.0, "B": 1.0}), {"PR": 100.0})
    return advance(state, table, events, {}, MARKET_CAP).levels["PR"].tolist()


def test_cash_before_a_split_in_one_gap_is_on_the_old_terms() -> None:
    table = gap_board({"A": [10.0, 4.5], "B": [10.0, 10.0]}, [0, 3, 4])
    cash = Event("c", "A", "special_dividend", days(20)[1], amount=1.0)
    cut = Event("s", "A", "split", days(20)[2], new=2.0, old=1.0)
    assert levels_of(table, [cash, cut]) == pytest.approx([100.0])


def test_a_split_keeps_a_close_between_two_index_sessions() -> None:
    table = gap_board({"A": [10.0, 12.0], "B": [10.0, 10.0]}, [0, 3, 4], early=1)
    cut = Event("s", "A", "split", days(20)[3], new=2.0, old=1.0)
    assert levels_of(table, [cut]) == pytest.approx(levels_of(table, []))


def test_an_event_of_another_line_changes_no_close() -> None:
    table = gap_board({"A": [10.0, 6.0], "B": [10.0, 10.0]}, [0, 3, 4], early=1)
    cut = Event("s", "A", "split", days(20)[2], new=2.0, old=1.0)
    other = Event("r", "B", "redomicile", days(20)[3], other="US")
    assert levels_of(table, [cut, other]) == pytest.approx(levels_of(table, [cut]))


def test_the_suspension_clock_goes_on_under_a_new_name() -> None:
    table = board({"A": [10.0, None, None, None, None], "B": [1.0] * 5, "C": [None] * 5})
    rule = replace(MARKET_CAP, suspension_clock_sessions=2)
    state = started(table.part(days(1)[0], days(1)[0]), Reset(shares={"A": 1.0, "B": 1.0}), {"PR": 100.0})
    run = advance(state, table, [Event("r", "A", "rename", days(2)[1], other="C")], {}, rule)
    assert set(run.state.shares) == {"B"}


def test_a_split_between_spin_off_and_first_close_leaves_the_children() -> None:
    closes = {"A": [10.0, 9.0, 4.5, 4.5, 4.5], "B": [10.0] * 5, "C": [None, None, None, 1.0, 1.0]}
    child = Event("o", "A", "spin_off", days(2)[1], new=1.0, old=1.0, other="C")
    cut = Event("s", "A", "split", days(3)[2], new=2.0, old=1.0)
    table, rule = board(closes), replace(MARKET_CAP, spin_off="market_price")
    state = started(table.part(days(1)[0], days(1)[0]), Reset(shares={"A": 1.0, "B": 1.0}), {"PR": 100.0})
    run = advance(state, table, [child, cut], {}, rule)
    assert run.state.shares["C"] == pytest.approx(1.0)
