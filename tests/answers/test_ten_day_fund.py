"""Two small funds by hand for ten sessions: `ten-day-fund.csv` is the sheet, `ten-day-fund.md` its arithmetic."""

import ast
import csv
import operator
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path as File

import numpy as np
import pytest

from exchina.fund.accounts import COLUMNS, Accounts, accounts
from exchina.fund.attribution import daily_parts
from exchina.fund.flow_plan import FlowPlan
from exchina.fund.path import Dealing, FloatArray, Path, Stop
from exchina.fund.terms import (
    Cash,
    Costs,
    Creation,
    Distribution,
    Dividends,
    Fee,
    Fund,
    FundFacts,
    Lots,
    Swing,
    Withholding,
)

HERE = File(__file__).parent
CENT = 0.005 + 1e-9
SESSIONS = tuple(date(2025, 2, day) for day in (19, 20, 21, 24, 25, 26, 27, 28)) + tuple(
    date(2025, 3, day) for day in (3, 4, 5)
)
AUD = [0.6400, 0.6350, 0.6380, 0.6400, 0.6450, 0.6500, 0.6460, 0.6420, 0.6480, 0.6500, 0.6440]
CLOSES = {
    "LYC": [8.00, 8.20, 8.10, 8.30, 8.15, 8.00, 7.90, 8.05, 8.25, 8.10, 8.30],
    "ILU": [4.05, 4.10, 3.95, 4.00, 3.90, 4.00, 4.10, 4.05, 4.15, 4.20, 4.10],
    "MP": [20.10, 20.40, 20.30, 20.80, 10.30, 10.40, 10.55, 10.25, 10.60, 10.45, 10.70],
}
MONEY_MARKET = [0.0430] * 4 + [0.0420] * 7
MONEY = {"creation": {3: 13_000, 8: 2_600}, "redemption": {3: -18_040}}
ILU_DIVIDEND = 0.20 * AUD[1]
FIRST, SPLIT, REVIEWED = (np.array(shares, float) for shares in ([3, 2, 1], [3, 2, 2], [2, 4, 2]))


def market(withheld: float) -> Path:
    count = len(SESSIONS)
    worth = np.array(list(CLOSES.values())).T * np.stack([AUD, AUD, np.ones(count)], axis=1)
    gross = np.zeros((count, 3))
    gross[1, 1] = ILU_DIVIDEND
    halved = worth[3] * [1, 1, 0.5]
    stops = (Stop(4, FIRST, SPLIT, worth[3], halved, traded=False), Stop(6, SPLIT, REVIEWED, worth[5], worth[5], True))
    held = [FIRST] * 4 + [SPLIT] * 2 + [REVIEWED] * 5
    closed = np.array([worth[at] @ held[at] for at in range(count)])
    opened = closed[:-1].copy()
    opened[3] = halved @ SPLIT
    paid = np.array([gross[at] @ held[at] for at in range(count)])[1:]
    index, net = (np.cumprod([1.0, *((closed[1:] + paid * kept) / opened)], dtype=np.float64) for kept in (1.0, 0.85))
    cost = np.full(3, 0.0025)
    return Path(
        sessions=SESSIONS,
        month_ends=np.array([day == date(2025, 2, 28) for day in SESSIONS]),
        symbols=tuple(CLOSES),
        currencies=("AUD", "USD"),
        currency_at=np.array([0, 0, 1]),
        lots=np.ones(3, np.int64),
        kind=np.ones(3, bool),
        start=FIRST,
        worth=worth,
        gross=gross,
        withheld=gross * withheld,
        borne=gross * 0.15,
        stops=stops,
        dealing=(Dealing(0, cost, cost, np.zeros(3)),),
        index_gross=index,
        benchmark=net,
        model=index,
        money_market=np.array(MONEY_MARKET),
        hedge_gain=np.zeros((count, 2)),
        hedge_rolls=np.zeros(count, bool),
    )


def terms(name: str) -> Fund:
    shared = Fund(
        FundFacts("first", "First", "USD", SESSIONS[0], "us_1940_act", "NTR", 25.0, 1e5),
        Fee(0.0059),
        withholding=Withholding("treaty_us_ric"),
        cash=Cash(0.01, 0.005, "money_market"),
        dividends=Dividends(3),
        lots=Lots(1),
        creation=Creation(100, "in_kind"),
        costs=Costs(dealing=True, impact=0.0),
    )
    if name == "creation":
        return shared
    return replace(
        shared,
        facts=replace(shared.facts, id="second", name="Second", law="ucits", seeded="cash"),
        distribution=Distribution("distributing", (2,), 2, equalisation=True),
        withholding=Withholding("treaty_ucits_ie", "reclaim", 9, 0.8),
        creation=Creation(100, "cash"),
        swing=Swing(0.01, 0.002),
    )


def run(name: str) -> Accounts:
    money = np.zeros(len(SESSIONS))
    for session, amount in MONEY[name].items():
        money[session] = amount
    return accounts(market(0.15 if name == "creation" else 0.30), terms(name), FlowPlan(money, np.zeros(len(money))))


def sheet(name: str) -> list[dict[str, str]]:
    with (HERE / "ten-day-fund.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["fund"] == name]


def cells(name: str, column: str) -> FloatArray:
    return np.array([float(row[column] or 0) for row in sheet(name)])


@pytest.mark.parametrize("name", MONEY)
@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_is_that_of_the_sheet_to_the_cent(name: str, column: str) -> None:
    tolerance = 1e-8 if column == "distribution" else CENT
    np.testing.assert_allclose(run(name).columns[column], cells(name, column), rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", MONEY)
def test_shares_are_those_of_the_sheet(name: str) -> None:
    expected = np.stack([cells(name, f"shares_{symbol}") for symbol in CLOSES], axis=1)
    np.testing.assert_array_equal(run(name).held(), expected)


@pytest.mark.parametrize("name", MONEY)
def test_parts_of_the_difference_are_those_of_the_sheet(name: str) -> None:
    found = daily_parts(run(name))
    for column, cell in (("fund", "fund_return"), ("benchmark", "benchmark"), ("difference", "difference")):
        np.testing.assert_allclose(found[column].to_numpy() * 1e4, cells(name, cell)[1:], atol=5.1e-5)
    for part in ("fee", "withholding", "cash", "lots", "costs", "swing"):
        np.testing.assert_allclose(found[part].to_numpy() * 1e4, cells(name, f"part_{part}")[1:], atol=5.1e-5)
    for part in ("sampling", "timing", "lending", "hedge"):
        np.testing.assert_allclose(found[part].to_numpy(), 0, atol=1e-12)


OPERATIONS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
LINE = re.compile(r"^- (?P<what>.+): (?P<sum>[-(\d][^=]*) = (?P<result>-?[\d.]+)(?:, so (?P<whole>\d+) whole.*)?$")


def worked(sum_: ast.expr) -> float:
    """The four operations, as on a pocket calculator."""
    match sum_:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -worked(operand)
        case ast.BinOp(left=left, op=sign, right=right):
            return OPERATIONS[type(sign)](worked(left), worked(right))
        case _:
            raise AssertionError(ast.unparse(sum_))


def arithmetic() -> list[re.Match[str]]:
    text = (HERE / "ten-day-fund.md").read_text(encoding="utf-8")
    lines = text[text.index("## First fund") :].splitlines()
    found = [LINE.match(line) for line in lines if " = " in line and "of net assets" not in line]
    assert all(found)
    return [one for one in found if one]


def test_every_line_of_the_arithmetic_is_right() -> None:
    """Operands are printed rounded, so the last digits of a result can be off."""
    lines = arithmetic()
    assert len(lines) > 500
    for line in lines:
        result = float(line["result"])
        exact = worked(ast.parse(line["sum"], mode="eval").body)
        digits = len(line["result"].partition(".")[2])
        slack = 60 if digits == 6 else 10
        assert abs(exact - result) <= slack * 10.0**-digits, line.group()
        if line["whole"]:
            assert int(line["whole"]) == int(result), line.group()


def test_the_page_and_the_sheet_say_the_same() -> None:
    """NAV, cash, income and the parts of each session, in the order they are worked out."""
    lines = arithmetic()
    for what, column, each in (("NAV", "nav", CENT), ("difference, bp", "difference", 5.1e-5)):
        page = np.array([float(line["result"]) for line in lines if line["what"] == what])
        expected = np.concatenate([cells(name, column)[1:] for name in MONEY])
        np.testing.assert_allclose(page, expected, rtol=0, atol=each)
