"""Corporate actions and tax: what each case asks of the calculator."""

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from exchina.calculation.action_register import action
from exchina.calculation.engine import advance, opened, started
from exchina.calculation.lines import Event, Line, market_value
from exchina.calculation.payments import TaxTable
from exchina.calculation.state import Change, Reset, State
from exchina.currency import with_rate
from exchina.model import CalculationRule
from tests.boards import FIXED_WEIGHT, MARKET_CAP, START, board, days
from tests.markets import market

Case = dict[str, Any]
NAMES = ("A", "B", "C")
EX = days(2)[1]


def change(shares: list[float], closes: list[float], level: float, event: Event, rule: CalculationRule) -> Change:
    """The change before the next session, of lines A, B, C at their last closes."""
    names = NAMES[: len(shares)]
    held = dict(zip(names, map(float, shares), strict=True))
    table = board({name: [float(close)] for name, close in zip(names, closes, strict=True)})
    worth = sum(q * p for q, p in zip(shares, closes, strict=True))
    return opened(State(START, held, worth / level, {"PR": level}), table, [event], {}, rule)


def withholding_tax(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    rates = pl.DataFrame(
        [(country, "maximum", rate, date(2010, 1, 1), None) for country, rate in given["rates"].items()],
        {"country": pl.String, "profile": pl.String, "rate": pl.Float64, "valid_from": pl.Date, "valid_to": pl.Date},
        orient="row",
    )
    taxes = TaxTable(rates, {country: country for country in given["rates"]})
    for country, gross in given["gross_dividend"].items():
        rate = taxes.rate(country, START, "maximum")
        assert isinstance(rate, float)
        assert gross * (1 - rate) == pytest.approx(expected["net_dividend"][country], abs=1e-9)


def currency_conversion(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    worth = 0.0
    fx = {"GBP": 1.27, "AUD": 0.65, "JPY": 1 / 150.0}
    table = pl.DataFrame({"currency": list(fx), "session": [START] * 3, "usd_per_unit": list(fx.values())})
    rates = market(fx=table).fx
    for position in given["positions"]:
        currency, unit = ("GBP", 0.01) if position["unit"] == "GBX" else (position["unit"], 1.0)
        row = pl.DataFrame({"day": [START], "currency": [currency]})
        rate = with_rate(row, rates, day="day", currency="currency")["rate"][0]
        worth += Line(position["q"], position["price"] * unit, rate).value
    assert worth == pytest.approx(expected["market_value_usd"], rel=1e-12)
    assert worth / given["divisor"] == pytest.approx(expected["level"], rel=1e-12)


def rights_issue(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    held, new = given.get("held", given.get("rights_needed_per_new_share")), given.get("new", 1)
    event = Event("r", "A", "rights_issue", EX, new=new, old=held, price=given["subscription"])
    before = {"A": Line(100.0, given["cum_price"], 1.0)}
    after = action["rights_issue"](before, event, MARKET_CAP)["A"]
    if "terp" in expected:
        assert after.price == pytest.approx(expected["terp"], abs=1e-12)
        assert after.price - given["subscription"] == pytest.approx(expected["right_per_new_share"], abs=1e-9)
        assert given["cum_price"] - after.price == pytest.approx(expected["right_per_existing_share"], abs=1e-9)
    elif "value_of_one_right" in expected:
        assert given["cum_price"] - after.price == pytest.approx(expected["value_of_one_right"], abs=1e-12)
    else:
        assert not expected["in_the_money"]
        assert after.price / given["cum_price"] == expected["price_adjustment_factor"]
        assert after.shares / 100 == expected["index_shares_factor"]


def rights_issue_index(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    terms = given["event"]
    event = Event("r", "A", "rights_issue", EX, new=terms["new"], old=terms["held"], price=terms["subscription"])
    made = change(given["index_shares"], given["cum_close"], given["level"], event, MARKET_CAP)
    assert made.after["A"].price == pytest.approx(expected["terp"])
    assert made.after["A"].price / made.before["A"].price == pytest.approx(expected["price_adjustment_factor"])
    assert made.after["A"].shares == pytest.approx(expected["mcap"]["index_shares"])
    assert market_value(made.after) == pytest.approx(expected["mcap"]["market_value"])
    assert made.divisor_before == pytest.approx(expected["mcap"]["divisor_before"])
    assert made.divisor_after == pytest.approx(expected["mcap"]["divisor_after"])
    fixed = change(given["index_shares"], given["cum_close"], given["level"], event, FIXED_WEIGHT)
    assert fixed.after["A"].shares == pytest.approx(expected["non_mcap"]["index_shares"])
    assert fixed.divisor_after == pytest.approx(expected["non_mcap"]["divisor_after"], rel=1e-15)


def special_dividend(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    event = Event("s", "A", "special_dividend", EX, amount=given["special_dividend"], tax=given["withholding"])

    def made(convention: str, family: CalculationRule = MARKET_CAP) -> Change:
        rule = replace(family, special_dividend=convention)
        return change(given["index_shares"], given["cum_close"], given["level"], event, rule)

    gross, net = made("adjust_price_index"), made("adjust_price_index_net")
    assert gross.after["A"].price == pytest.approx(expected["price_after"])
    assert gross.after["A"].price / gross.before["A"].price == pytest.approx(expected["paf"])
    assert gross.divisor_after == pytest.approx(expected["mcap_divisor_after"])
    assert net.after["A"].price == pytest.approx(expected["net_of_tax_variant"]["price_after"])
    assert net.divisor_after == pytest.approx(expected["net_of_tax_variant"]["divisor_after"])
    payer = made("reinvest_in_payer", FIXED_WEIGHT)
    assert payer.after["A"].shares == pytest.approx(expected["non_mcap_reinvest_in_payer"]["index_shares"])
    assert payer.divisor_after == pytest.approx(expected["non_mcap_reinvest_in_payer"]["divisor_after"])
    large = made("adjust_if_large")
    assert (large.after["A"].price == gross.after["A"].price) == expected["is_at_least_5pct_of_price"]


def split(case: Case) -> None:
    for family in (MARKET_CAP, FIXED_WEIGHT):
        for given, expected in zip(case["inputs"]["lines"], case["expected"]["lines"], strict=True):
            event = Event("s", "A", "split", EX, new=given["ratio_new_per_old"], old=1)
            before = {"A": Line(given["q"], given["p"], 1.0)}
            after = action["split"](before, event, family)
            assert after["A"].shares == pytest.approx(expected["q"], rel=1e-12)
            assert after["A"].price == pytest.approx(expected["p"], rel=1e-12)
            gained = market_value(after) / market_value(before) - 1
            assert gained == pytest.approx(case["expected"]["market_value_change"], abs=1e-15)


def spin_off(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    parent, other = given["parent"], given["other"]
    table = board(
        {
            "PARENT": [parent["close_cum"], parent["close_ex"]],
            "OTHER": [other["close_cum"], other["close_ex"]],
            "CHILD": [None, given["child_close_ex_date"]],
        }
    )
    terms = {"new": given["children_per_parent"], "old": 1.0, "price": given["when_issued_price"], "other": "CHILD"}
    event = Event("s", "PARENT", "spin_off", EX, **terms)
    first = Reset(shares={"PARENT": float(parent["q"]), "OTHER": float(other["q"])})
    state = started(table.part(START, START), first, {"PR": given["level_cum"]})
    run = advance(state, table, [event], {}, MARKET_CAP)
    zero = expected["zero_price_add"]
    assert run.levels["PR"] == pytest.approx([zero["level_ex_date_close"]])
    assert run.divisor == pytest.approx([zero["divisor_on_ex_date"]])
    assert run.state.shares["CHILD"] == pytest.approx(zero["child_shares"])
    later = opened(run.state, table.part(EX, EX), [event], {}, MARKET_CAP)
    assert later.divisor_after == pytest.approx(zero["divisor_after_removal"])
    fixed = advance(state, table, [event], {}, FIXED_WEIGHT)
    leaving = opened(fixed.state, table.part(EX, EX), [event], {}, FIXED_WEIGHT)
    assert leaving.after["PARENT"].shares == pytest.approx(zero["non_mcap_parent_shares_after_reinvest"])
    adjust = expected["price_adjust_mcap"]
    run = advance(state, table, [event], {}, replace(MARKET_CAP, spin_off="adjust_price"))
    assert run.changes[0].after["PARENT"].price == pytest.approx(adjust["parent_price_after"])
    assert run.divisor == pytest.approx([adjust["divisor"]])
    assert run.levels["PR"] == pytest.approx([adjust["level_ex_date_close"]])
    adjust = expected["price_adjust_non_mcap"]
    run = advance(state, table, [event], {}, replace(FIXED_WEIGHT, spin_off="adjust_price"))
    assert run.state.shares["PARENT"] == pytest.approx(adjust["parent_shares"])
    assert run.divisor == pytest.approx([adjust["divisor"]])
    assert run.levels["PR"] == pytest.approx([adjust["level_ex_date_close"]])


def merger_cash(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    closes = {name: [close, close] for name, close in zip(NAMES, given["last_close"], strict=True)}
    target = NAMES[given["target"]]
    if not given["target_traded_on_day"]:
        closes[target] = [closes[target][0], None]
    table = board(closes)
    first = Reset(shares=dict(zip(NAMES, map(float, given["index_shares"]), strict=True)))
    state = started(table.part(START, START), first, {"PR": given["level_at_last_close"]})
    event = Event("t", target, "takeover", days(3)[2], price=given["offer_price"])
    for convention, name in (("deal_terms", "deal_terms_policy"), ("last_traded", "last_price_policy")):
        rule = replace(MARKET_CAP, takeover=convention)
        run = advance(state, table, [event], {}, rule)
        assert run.levels["PR"] == pytest.approx([expected[name]["level"]])
        left = opened(run.state, table.part(EX, EX), [event], {}, rule)
        assert left.divisor_after == pytest.approx(expected[name]["divisor_after"])
    rule = replace(FIXED_WEIGHT, takeover="deal_terms", proceeds="pro_rata")
    left = opened(advance(state, table, [event], {}, rule).state, table.part(EX, EX), [event], {}, rule)
    factor = left.after["B"].shares / left.before["B"].shares
    assert factor == pytest.approx(expected["non_mcap_pro_rata_factor"], rel=1e-12)
    last = replace(rule, takeover="last_traded")
    left = opened(advance(state, table, [event], {}, last).state, table.part(EX, EX), [event], {}, last)
    scaled = {left.after[name].shares / left.before[name].shares for name in ("B", "C")}
    worth = market_value(left.before)
    assert max(scaled) == pytest.approx(worth / (worth - left.before[target].value))
    assert left.divisor_after == left.divisor_before


def merger_stock_mixed(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    lines = {"A": given["target"], "B": given["acquirer"], "C": given["other"]}
    first = Reset(shares={name: float(line["q"]) for name, line in lines.items()})
    terms = {"new": given["exchange_ratio"], "old": 1.0, "price": given["cash_per_share"], "other": "B"}
    event = Event("t", "A", "takeover", days(3)[2], **terms)
    for traded, rule in ((True, MARKET_CAP), (False, replace(MARKET_CAP, takeover="deal_terms"))):
        closes = {name: [line["p"], line["p"]] for name, line in lines.items()}
        if not traded:
            closes["A"] = [lines["A"]["p"], None]
        table = board(closes)
        state = started(table.part(START, START), first, {"PR": given["level"]})
        assert state.divisor == pytest.approx(expected["divisor_before"])
        run = advance(state, table, [event], {}, rule)
        left = opened(run.state, table.part(EX, EX), [event], {}, rule)
        assert left.after["B"].shares == pytest.approx(expected["acquirer_shares_after"])
        if traded:
            assert left.divisor_after == pytest.approx(expected["divisor_after_at_last_price"])
        else:
            assert left.before["A"].price == pytest.approx(expected["artificial_target_price"])
            assert run.levels["PR"] == pytest.approx([expected["level_if_marked_to_terms"]])
            assert left.divisor_after == pytest.approx(expected["divisor_after_marked"])


def delisting(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    table = board({n: [a, b] for n, a, b in zip(("A", "B"), given["day0"], given["day1"], strict=True)})
    first = Reset(shares=dict(zip(("A", "B"), map(float, given["index_shares"]), strict=True)))
    state = started(table.part(START, START), first, {"PR": given["level_day0"]})
    event = Event("b", "A", "bankruptcy", days(3)[2], price=given["removal_price"])
    run = advance(state, table, [event], {}, MARKET_CAP)
    assert run.levels["PR"] == pytest.approx([expected["level_day1_close"]], rel=1e-12)
    left = opened(run.state, table.part(EX, EX), [event], {}, MARKET_CAP)
    assert left.divisor_before == pytest.approx(expected["divisor_before"], rel=1e-12)
    assert left.divisor_after == pytest.approx(expected["divisor_after"], rel=1e-12)


def share_and_float_change(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    lines = given["lines"]
    held = [line["shares"] * line["iwf"] * line["awf"] for line in lines]
    closes = {name: [line["p"]] for name, line in zip(NAMES, lines, strict=False)}
    worth = sum(q * line["p"] for q, line in zip(held, lines, strict=True))
    state = State(START, dict(zip(NAMES, held, strict=False)), worth / given["level"], {"PR": given["level"]})
    events = [
        Event("n", "A", "share_change", EX, fraction=given["new_shares_line0"] / lines[0]["shares"]),
        Event("f", "A", "float_change", EX, fraction=given["new_iwf_line0"] / lines[0]["iwf"]),
    ]
    rule = replace(MARKET_CAP, share_changes="at_threshold")
    made = opened(state, board(closes), events, {}, rule)
    assert made.divisor_before == pytest.approx(expected["mcap"]["divisor_before"], rel=1e-12)
    assert made.divisor_after == pytest.approx(expected["mcap"]["divisor_after"], rel=1e-12)
    fixed = opened(state, board(closes), events, {}, replace(FIXED_WEIGHT, share_changes="at_threshold"))
    assert fixed.divisor_after - fixed.divisor_before == expected["non_mcap"]["divisor_change"]
    factor = fixed.after["A"].shares / (given["new_shares_line0"] * given["new_iwf_line0"])
    assert factor == pytest.approx(expected["non_mcap"]["awf_line0"], rel=1e-12)


def stock_dividend(case: Case) -> None:
    given, expected = case["inputs"], case["expected"]
    terms = {"new": given["B"], "old": given["A"], "price": given["other_company_price"], "tax": given["tau"]}
    event = Event("o", "A", "other_stock_dividend", EX, **terms)
    before = {"A": Line(100.0, given["p"], 1.0)}
    for convention, name in (("adjust_price_index", "gross"), ("adjust_price_index_net", "net")):
        after = action["other_stock_dividend"](before, event, replace(MARKET_CAP, special_dividend=convention))
        assert after["A"].price == pytest.approx(expected[f"price_after_{name}"], rel=1e-12)


ANSWERED = {
    "withholding_tax": withholding_tax,
    "currency_conversion": currency_conversion,
    "rights_issue": rights_issue,
    "rights_issue_index": rights_issue_index,
    "special_dividend": special_dividend,
    "split": split,
    "spin_off": spin_off,
    "merger_cash": merger_cash,
    "merger_stock_mixed": merger_stock_mixed,
    "delisting": delisting,
    "share_and_float_change": share_and_float_change,
    "stock_dividend": stock_dividend,
}
