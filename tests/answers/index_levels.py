"""Levels, divisors, returns and currencies: what each case asks of the calculator."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from exchina.calculation.chain_link import chain_linked
from exchina.calculation.derived_register import Parent, derived
from exchina.calculation.engine import advance, opened, started
from exchina.calculation.lines import Event, Line, market_value
from exchina.calculation.payments import bookings
from exchina.calculation.state import Reset, State
from exchina.calculation.weights import relative_capping_factors, weights_of
from exchina.reporting.wording import number
from tests.boards import FIXED_WEIGHT, MARKET_CAP, PRICE_WEIGHTED, START, board, days
from tests.markets import empty

Case = dict[str, Any]
ALL = {"PR": 1000.0, "GTR": 1000.0, "NTR": 1000.0}


def level_of(closes: dict[str, float], divisor: float, shares: dict[str, float] | None = None) -> float:
    """The level of one session after a first one at the same closes."""
    table = board({name: [close, close] for name, close in closes.items()})
    state = State(START, shares or dict.fromkeys(closes, 1.0), divisor, {"PR": 1.0})
    return float(advance(state, table, [], {}, PRICE_WEIGHTED).levels["PR"][-1])


def price_weighted_level(case: Case) -> None:
    given, expected, tolerance = case["inputs"], case["expected"], case["tolerance"]
    divisor = float(given["divisor"])
    if "prices" in given:
        assert sum(given["prices"].values()) == pytest.approx(expected["sum_of_prices"], abs=1e-6)
        assert level_of(given["prices"], divisor) == pytest.approx(expected["level"], abs=tolerance["abs"])
        return
    one, more = (level_of({"A": given["sum_of_prices"] + step}, divisor) for step in (0.0, given["price_move"]))
    assert one == pytest.approx(expected["level"], abs=tolerance["level_abs"])
    assert more - one == pytest.approx(expected["points_per_dollar"], rel=1e-9)


def divisor_change_split_and_replacement(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    split = next(change for change in given["changes"] if change["op"] == "split")
    added = {change["ticker"]: change["price"] for change in given["changes"] if change["op"] == "add"}
    gone = {change["ticker"] for change in given["changes"] if change["op"] == "delete"}
    table = board({name: [close] for name, close in (given["prices_before"] | added).items()})
    held = dict.fromkeys(given["prices_before"], 1.0)
    after = Reset(shares=dict.fromkeys(({*held} | {*added}) - gone, 1.0))
    event = Event("split", split["ticker"], "split", days(2)[1], new=split["ratio_new_per_old"], old=1)
    state = State(START, held, float(given["old_divisor"]), {"PR": 1.0})
    made = opened(state, table, [event], {START: after}, PRICE_WEIGHTED)
    assert market_value(made.before) == pytest.approx(expected["old_sum"], abs=1e-9)
    assert market_value(made.after) == pytest.approx(expected["new_sum"], abs=1e-9)
    assert made.divisor_after == pytest.approx(float(expected["new_divisor"]), abs=case["tolerance"]["new_divisor_abs"])
    level = market_value(made.after) / made.divisor_after
    assert level == pytest.approx(expected["level"], abs=case["tolerance"]["level_abs"])


def spin_off_price_weighted(case: Case) -> None:
    given = case["inputs"]
    children, held = (float(part) for part in given["children_per_parent_share"].split("/"))
    parent, rest = 75.0, given["sum_of_prices"] - 75.0
    table = board({"PARENT": [parent], "REST": [rest], "CHILD": [None]})
    price = given["child_when_issued_price"]
    event = Event("spin", "PARENT", "spin_off", days(2)[1], new=children, old=held, price=price, other="CHILD")
    state = State(START, {"PARENT": 1.0, "REST": 1.0}, float(given["old_divisor"]), {"PR": 1.0})
    made = opened(state, table, [event], {}, replace(PRICE_WEIGHTED, spin_off="adjust_price"))
    assert parent - made.after["PARENT"].price == pytest.approx(case["expected"]["value_per_parent_share"])
    assert made.divisor_after == pytest.approx(float(case["expected"]["new_divisor"]), abs=case["tolerance"]["abs"])


def market_cap_weights(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    names = [f"N{at}" for at in range(len(given["price"]))]
    lines = {n: Line(q, p, 1.0) for n, q, p in zip(names, given["shares"], given["price"], strict=True)}
    assert [lines[name].value for name in names] == pytest.approx(expected["market_value"])
    assert market_value(lines) == pytest.approx(expected["total"])
    found = [weights_of(lines)[name] * 100 for name in names]
    assert found == pytest.approx(expected["weights_pct"], abs=case["tolerance"]["abs"])


def equal_weight_return(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    begin = given.get("begin") or [100.0] * len(given["returns_pct"])
    end = given.get("end") or [100.0 + step for step in given["returns_pct"]]
    closes = {f"N{at}": list(pair) for at, pair in enumerate(zip(begin, end, strict=True))}
    table = board(closes)
    state = started(table.part(START, START), Reset(weights=dict.fromkeys(closes, 1 / len(closes))), {"PR": 100.0})
    run = advance(state, table, [], {}, FIXED_WEIGHT)
    assert run.levels["PR"][-1] - 100 == pytest.approx(expected["index_return_pct"], abs=case["tolerance"]["abs"])
    if "shares" in expected:
        scale = given["notional_per_name"] * len(closes) / market_value_of(state, closes)
        found = [state.shares[name] * scale for name in sorted(closes)]
        assert found == pytest.approx(expected["shares"], abs=case["tolerance"]["shares_abs"])


def market_value_of(state: State, closes: dict[str, list[float]]) -> float:
    return sum(held * closes[name][0] for name, held in state.shares.items())


def divisor_change(case: Case) -> None:
    """Capital comes in by a rights issue at the market's own scale: one line whose new shares are paid for."""
    given, expected = case["inputs"], case["expected"]
    new = given["added_capital"] / 100.0  # at a subscription price of 100 for shares that stand at 148
    held = given["market_value_t"] / 148.0
    after = (given["market_value_t"] + given["added_capital"]) / (held + new)
    table = board({"A": [148.0, after * given["market_value_t1"] / expected["adjusted_value"]]})
    event = Event("rights", "A", "rights_issue", days(2)[1], new=new, old=held, price=100.0)
    state = State(START, {"A": held}, given["market_value_t"] / given["index_t"], {"PR": float(given["index_t"])})
    run = advance(state, table, [event], {}, MARKET_CAP)
    assert market_value(run.changes[0].after) == pytest.approx(expected["adjusted_value"])
    assert run.changes[0].divisor_after == pytest.approx(expected["new_divisor"], rel=1e-12)
    assert run.levels["PR"][-1] == pytest.approx(expected["index_t1"], abs=case["tolerance"]["abs"])


def backtest_rebalance_engine(case: Case) -> None:
    """Three largest of the month before, 50/25/25, after the close of the first business day of each month."""
    given = case["inputs"]
    sessions = [date.fromisoformat(day) for day in given["dates"]]
    closes = np.array(given["closes"])
    stocks, base = given["stocks"], sessions.index(date(2020, 1, 1))
    firsts = [at for at in range(base, len(sessions)) if sessions[at].month != sessions[at - 1].month]
    resets = {}
    for at in firsts:
        largest = np.argsort(-closes[at - 1], kind="stable")[:3]
        resets[sessions[at]] = Reset(weights=dict(zip((stocks[s] for s in largest), (0.5, 0.25, 0.25), strict=True)))
    table = board({name: closes[:, at].tolist() for at, name in enumerate(stocks)})
    table = replace(table, sessions=tuple(sessions)).part(sessions[base], sessions[-1])
    state = started(table.part(sessions[base], sessions[base]), resets.pop(sessions[base]), {"PR": 100.0})
    run = advance(state, table, [], resets, FIXED_WEIGHT)
    found = np.concatenate([[100.0], run.levels["PR"]])
    expected = case["expected"]["levels"]
    published = expected if isinstance(expected, list) else [expected[str(day)] for day in sessions[base:]]
    assert len(published) == len(found) > 100
    assert found == pytest.approx(published, abs=case["tolerance"]["abs"])


def total_return_convention(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    if "dividend_points" in given:
        closes = {"A": [given["price_index_prev"], given["price_index_now"]]}
        table = board(closes, gross={(1, "A"): given["dividend_points"]})
        state = State(START, {"A": 1.0}, 1.0, {"PR": given["price_index_prev"], "GTR": given["tr_prev"]})
        for convention, name in (("close_points", "close_points_method"), ("open_divisor", "open_divisor_method")):
            found = advance(state, table, [], {}, replace(MARKET_CAP, dividends=convention)).levels["GTR"]
            assert found == pytest.approx([expected[name]], rel=1e-12)
        return
    names = ("A", "B", "C")
    closes = {n: list(pair) for n, *pair in zip(names, given["close_prev"], given["close"], strict=True)}
    shares = dict(zip(names, map(float, given["index_shares"]), strict=True))
    payer, cash = names[given["payer"]], given["dividend_per_share"]
    worth = sum(shares[name] * closes[name][0] for name in names)
    levels = {"PR": given["tr_prev"], "GTR": given["tr_prev"]}
    state = State(START, shares, worth / given["tr_prev"], levels)
    table = board(closes, gross={(1, payer): cash})
    for convention, name in (("close_points", "points"), ("open_divisor", "divisor")):
        found = advance(state, table, [], {}, replace(MARKET_CAP, dividends=convention)).levels["GTR"]
        assert found == pytest.approx([expected[f"reinvest_across_basket_{name}"]], rel=1e-12)
    event = Event("d", payer, "dividend", days(2)[1], amount=cash)
    run = advance(state, board(closes), [event], {}, MARKET_CAP)
    assert run.levels["PR"] == pytest.approx([expected["reinvest_in_payer"]], rel=1e-12)
    assert run.state.shares[payer] == pytest.approx(expected["payer_shares_after"], rel=1e-12)


def net_total_return(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    lines = {line["id"]: line for line in given["constituents"]}
    net = {(1, n): line["div"] * (1 - given["withholding"][line["country"]]) for n, line in lines.items()}
    table = board(
        {name: [line["p0"], line["p1"]] for name, line in lines.items()},
        rates={name: [line["fx0"], line["fx1"]] for name, line in lines.items()},
        gross={(1, name): line["div"] for name, line in lines.items()},
        net=net,
    )
    levels = {"PR": expected["price_index_prev"], "GTR": given["gross_tr_prev"], "NTR": given["net_tr_prev"]}
    state = State(START, {name: line["q"] for name, line in lines.items()}, given["divisor"], levels)
    run = advance(state, table, [], {}, MARKET_CAP)
    assert run.levels["PR"] == pytest.approx([expected["price_index"]], rel=1e-12)
    assert run.gross_points == pytest.approx([expected["gross_dividend_points"]], rel=1e-12)
    assert run.net_points == pytest.approx([expected["net_dividend_points"]], rel=1e-12)
    assert run.levels["GTR"] == pytest.approx([expected["gross_tr"]], rel=1e-12)
    assert run.levels["NTR"] == pytest.approx([expected["net_tr"]], rel=1e-12)


def late_dividend(case: Case) -> None:
    """The estimate on the ex-date, the difference on the day of confirmation, as `bookings` times them."""
    given = case["inputs"]
    sessions = days(len(given["price_index"]))
    ex, told = sessions[given["ex_date_index"]], sessions[given["confirmation_day_index"]]
    versions = empty("dividends").clear()
    rows = [
        ("A", ex, given["estimated_dividend"], "USD", "ordinary", 0.0, "estimated", ex),
        ("A", ex, given["confirmed_dividend"], "USD", "ordinary", 0.0, "confirmed", told),
    ]
    versions = versions.vstack(type(versions)(rows, versions.schema, orient="row"))
    booked = bookings(versions, replace(MARKET_CAP, dividend_estimates="estimate_then_correct"))
    cash = {(sessions.index(row["booked"]), "A"): row["amount"] for row in booked.to_dicts()}
    assert list(cash.values()) == pytest.approx([0.5, 0.1])
    price = given["divisor"] / given["index_shares"]
    table = board({"A": [level * price for level in given["price_index"]]}, gross=cash)
    levels = {"PR": float(given["price_index"][0]), "GTR": given["tr_start"]}
    state = State(START, {"A": float(given["index_shares"])}, given["divisor"], levels)
    found = advance(state, table, [], {}, MARKET_CAP).levels["GTR"]
    assert [given["tr_start"], *found] == pytest.approx(case["expected"]["tr"], rel=case["tolerance"]["rel"])


def holiday_carry(case: Case) -> None:
    given = case["inputs"]
    first, second = given["day1"], given["day2"]
    table = board(
        {name: [first[name]["p"], second[name]["p"]] for name in first},
        rates={name: [first[name]["fx"], second[name]["fx"]] for name in first},
    )
    state = started(table.part(START, START), Reset(shares={n: first[n]["q"] for n in first}), {"PR": 100.0})
    assert state.divisor == pytest.approx(given["divisor"])
    run = advance(state, table, [], {}, MARKET_CAP)
    assert run.levels["PR"] == pytest.approx([case["expected"]["level_day2"]], rel=1e-12)


def hedged_index(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    month = (date(2024, 1, 31), date(2024, 2, 29))
    if "local_return" in given:
        spot, forward = (given["spot_begin"], given["spot_end"]), given["forward_1m_at_begin"]
        local, ratio, name = given["local_return"], given["hedge_ratio"], "hedged_return"
    else:
        spot = (1 / given["usdjpy_begin"], 1 / given["usdjpy_end"])
        forward, local, ratio, name = 1 / given["hedged_at"], given["asset_return_jpy"], 1.0, "hedged_usd"
    unhedged = (1 + local) * spot[1] / spot[0] - 1
    parent = Parent(
        sessions=month,
        levels=np.array([100.0, 100.0 * (1 + unhedged)]),
        price_levels=np.array([100.0, 100.0 * (1 + unhedged)]),
        points=np.zeros(2),
        currency="USD",
        currencies=("EUR", "USD"),
        weights=np.array([[1.0, 0.0], [1.0, 0.0]]),
        spot=np.array([[spot[0], 1.0], [spot[1], 1.0]]),
        forward=np.array([[forward, 1.0], [forward, 1.0]]),
        cash=np.full((2, 2), np.nan),
    )
    found = float(derived["hedged"](parent, ratio=ratio)[-1]) / 100
    if name == "hedged_return":
        assert unhedged == pytest.approx(expected["unhedged_return"], abs=1e-12)
        assert found - 1 == pytest.approx(expected["hedged_return"], abs=case["tolerance"]["abs"])
    else:
        assert given["usd_invested"] * (1 + unhedged) == pytest.approx(expected["unhedged_usd"], abs=0.005)
        assert given["usd_invested"] * found == pytest.approx(expected["hedged_usd"], abs=case["tolerance"]["abs"])


def rounding(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    closes = [float(value) for value in given["market_values"]]
    state = State(START, {"A": 1.0}, given["divisor"], {"PR": closes[0] / given["divisor"]})
    found = [state.levels["PR"], *advance(state, board({"A": closes}), [], {}, MARKET_CAP).levels["PR"].tolist()]
    assert [float(number(level, 2).replace(",", "")) for level in found] == expected["published"]
    assert found[2] / found[1] - 1 == pytest.approx(expected["unrounded_daily_return_2"], abs=1e-15)
    rounded = [round(level, 2) for level in found]
    assert rounded[2] / rounded[1] - 1 == pytest.approx(expected["return_from_published_levels_2"], abs=1e-9)


def chain_linking(case: Case) -> None:
    segments, number_of = [], {}
    for name in ("segment1", "segment2"):
        part = case["inputs"][name]
        for day in part["dates"]:
            number_of.setdefault(day, days(10)[len(number_of)])
        segments.append((tuple(number_of[day] for day in part["dates"]), np.array(part["levels"], float)))
    _, levels = chain_linked(segments)
    assert levels.tolist() == pytest.approx(case["expected"]["chained"], rel=case["tolerance"]["rel"])


def capping_factor(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    names = ("A", "B", "C")
    sizes = dict(zip(names, given["float_mcap"], strict=True))
    weights = dict(zip(names, expected["weights_at_review"], strict=True))
    factors = relative_capping_factors(weights, sizes)
    assert list(factors.values()) == pytest.approx(expected["capping_factors_relative"], abs=1e-12)
    closes = {n: [1.0, 1.0 + move] for n, move in zip(names, given["price_return_after"], strict=True)}
    state = State(START, {n: factors[n] * sizes[n] for n in names}, 1.0, {"PR": 1.0})
    run = advance(state, board(closes), [], {}, MARKET_CAP)
    lines = {n: Line(run.state.shares[n], closes[n][1], 1.0) for n in names}
    assert list(weights_of(lines).values()) == pytest.approx(expected["weights_after_move"], abs=1e-12)


ANSWERED = {
    "price_weighted_level": price_weighted_level,
    "divisor_change_split_and_replacement": divisor_change_split_and_replacement,
    "spin_off_price_weighted": spin_off_price_weighted,
    "market_cap_weights": market_cap_weights,
    "equal_weight_return": equal_weight_return,
    "divisor_change": divisor_change,
    "backtest_rebalance_engine": backtest_rebalance_engine,
    "total_return_convention": total_return_convention,
    "net_total_return": net_total_return,
    "late_dividend": late_dividend,
    "holiday_carry": holiday_carry,
    "hedged_index": hedged_index,
    "rounding": rounding,
    "chain_linking": chain_linking,
    "capping_factor": capping_factor,
}
