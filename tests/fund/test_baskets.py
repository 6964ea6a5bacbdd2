"""Creation baskets: one worked by hand, the identity to the cent, and what is refused."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.analytics import costs
from exchina.analytics.costs import Rates
from exchina.errors import DataError
from exchina.fund.basket_cost import cost_to_build
from exchina.fund.baskets import CreationBasket, Position, basket, cash_due, table
from exchina.fund.terms import Creation, Fee, FundFacts

MONDAY, TUESDAY, FRIDAY = date(2026, 6, 8), date(2026, 6, 9), date(2026, 6, 5)
FACTS = FundFacts(
    id="us-etf", name="Magnet Chain ETF", currency="USD", launch=FRIDAY, law="us_1940_act", benchmark="NTR"
)
UNIT = Creation(unit_shares=50_000, fee=500.0, cash_only=("XKRX",))
FEE = Fee(0.0059)
ROWS = [  # symbol, company, mic, currency, shares, price, rate
    ("MP.N", "mp-materials", "XNYS", "USD", 40_001.0, 50.0, 1.0),
    ("LYC.AX", "lynas", "XASX", "AUD", 100_003.0, 10.0, 0.65),
    ("SGM.KS", "star-group", "XKRX", "KRW", 7_777.0, 90_000.0, 0.0007),
    ("ILU.AX", "iluka", "XASX", "AUD", 30_000.0, 6.0, 0.65),
]
NAMES = ("symbol", "company_id", "mic", "currency", "shares", "price", "rate")


def position(day: date = MONDAY, cash: float = 20_000.0, rows: Any = ROWS, outstanding: float = 200_000.0) -> Position:
    lines = pl.DataFrame(rows, NAMES, orient="row").with_columns(name=pl.col("company_id").str.to_titlecase())
    worth = float((lines["shares"] * lines["price"] * lines["rate"]).sum()) + cash
    return Position(day, lines, cash, outstanding, worth / outstanding)


def made(creation: Creation = UNIT, held: Position | None = None, **other: Any) -> CreationBasket:
    return basket(held or position(), creation, TUESDAY, fee=FEE, **other)


def test_a_basket_by_hand() -> None:
    """A quarter of each line: 10,000.25, 25,000.75, 1,944.25 (Korea, in cash) and 7,500 shares."""
    found = made()
    rows = {row["symbol"]: row for row in found.lines.iter_rows(named=True)}
    assert list(rows) == ["ILU.AX", "LYC.AX", "MP.N", "SGM.KS"]
    assert [row["shares"] for row in rows.values()] == [7_500, 25_000, 10_000, 0]
    assert [row["in_lieu_shares"] for row in rows.values()] == [0, 0, 0, 1_944]
    value = 7_500 * 3.9 + 25_000 * 6.5 + 10_000 * 50.0
    assert found.in_kind == pytest.approx(value, rel=1e-14)
    assert found.in_lieu == pytest.approx(1_944 * 63.0, rel=1e-14)
    nav = (40_001 * 50 + 100_003 * 6.5 + 7_777 * 63 + 30_000 * 3.9 + 20_000) / 4
    assert found.nav == pytest.approx(nav, rel=1e-14)
    assert found.cash_component == pytest.approx(nav - value, rel=1e-12)
    assert found.balancing_amount == pytest.approx(5_000 + 0.25 * 50 + 0.75 * 6.5 + 0.25 * 63, rel=1e-9)
    assert found.estimated_cash == pytest.approx(found.cash_component - nav * 0.0059 / 365, rel=1e-12)
    assert rows["MP.N"]["weight"] == pytest.approx(500_000 / nav, rel=1e-12)
    assert found.undelivered.rows() == [
        ("SGM.KS", "star-group", "Star-Group", 1_944 * 63.0, None, "cash only: shares of XKRX cannot be handed over")
    ]
    assert (found.kind, found.notes) == ("standard", ())


def test_the_file_adds_up_to_the_cent_as_printed() -> None:
    header, components = table(made(), FACTS)
    facts = dict(header.iter_rows())
    unit = round(float(facts["Net Asset Value Per Creation Unit"]) * 100)
    shares = sum(round(value * 100) for value in components["market_value"])
    assert shares + round(float(facts["Total Cash Amount Per Creation Unit"]) * 100) == unit
    assert facts["Basket Market Value"] == f"{shares / 100:.2f}" == "691750.00"
    assert facts["Cash In Lieu Per Creation Unit"] == "122472.00"
    assert (facts["Component Count"], facts["Creation Unit Size"], facts["Basket Type"]) == ("3", "50000", "standard")
    assert (facts["Portfolio Trade Date"], facts["NAV Date (T-1)"]) == ("2026-06-09", "2026-06-08")
    assert components["cash_in_lieu"].to_list() == ["N", "N", "N", "Y"]
    shuffled = position(rows=[ROWS[at] for at in (2, 0, 3, 1)])
    again = table(made(held=shuffled), FACTS)
    assert again[1].write_csv() == components.write_csv()
    assert again[0].write_csv() == header.write_csv()


def test_a_suspended_line_stands_in_cash_at_its_last_price_with_the_day() -> None:
    found = made(suspended={"LYC.AX": date(2026, 5, 29)})
    assert found.in_lieu == pytest.approx(1_944 * 63 + 25_000 * 6.5)
    row = found.undelivered.row(0, named=True)
    assert (row["symbol"], row["suspended"]) == ("LYC.AX", date(2026, 5, 29))
    assert row["why"] == "suspended since 2026-05-29: cash at the last price"


def test_a_fund_that_deals_in_cash_hands_over_nothing() -> None:
    found = made(Creation(unit_shares=50_000, settled="cash"))
    assert found.in_kind == 0
    assert found.cash_component == found.nav
    assert found.undelivered["why"].unique().to_list() == ["the fund deals in cash"]


def test_less_than_one_share_a_unit_is_said() -> None:
    found = made(
        replace(UNIT, unit_shares=5), position(rows=[*ROWS[:3], ("ILU.AX", "iluka", "XASX", "AUD", 30.0, 6.0, 0.65)])
    )
    row = found.lines.row(0, named=True)
    assert (row["shares"], row["in_lieu_shares"], row["why"]) == (0, 0, "0.00 shares a unit: less than one")
    assert found.cash_component == pytest.approx(found.nav - found.in_kind, rel=1e-14)


def test_a_custom_basket_settles_the_difference_in_cash_and_asks_for_a_policy() -> None:
    standard, custom = made(), made(custom={"ILU.AX": 0, "MP.N": 10_500})
    assert custom.kind == "custom"
    assert "6c-11(c)(3)" in custom.notes[0]
    assert "written policies" in custom.notes[0]
    assert custom.cash_component - standard.cash_component == pytest.approx(7_500 * 3.9 - 500 * 50.0, rel=1e-9)
    assert custom.balancing_amount == pytest.approx(standard.balancing_amount, rel=1e-9)
    why = dict(custom.undelivered.select("symbol", "why").iter_rows())
    assert why["ILU.AX"] == "custom: 0 shares, not 7,500"
    assert why["MP.N"] == "custom: 10,500 shares, not 10,000"
    assert dict(table(custom, FACTS)[0].iter_rows())["Basket Type"] == "custom"


def test_the_estimate_is_what_settles_if_prices_stand_still_but_for_a_dividend() -> None:
    """Two lines go ex (one handed over, one in cash); tax is 15 %; prices fall by the gross dividend."""
    held = position(FRIDAY)
    paid = {"MP.N": 1.0, "SGM.KS": 2.1}
    going_ex = pl.DataFrame(
        [(symbol, d, 0.85 * d) for symbol, d in paid.items()], ("symbol", "gross", "net"), orient="row"
    )
    published = basket(held, UNIT, MONDAY, fee=FEE, going_ex=going_ex)
    ex = [(*row[:5], row[5] - paid.get(row[0], 0.0) / row[6], row[6]) for row in ROWS]
    net = sum(0.85 * paid.get(row[0], 0.0) * row[4] for row in ROWS)
    fee = held.nav_per_share * 200_000 * 0.0059 * 3 / 365
    close = position(MONDAY, 20_000.0 + net - fee, ex)
    assert cash_due(published, close) == pytest.approx(published.estimated_cash, rel=1e-10)
    assert published.estimated_cash - published.cash_component == pytest.approx(
        10_000 - 0.15 * (10_000.25 + 2.1 * 1_944.25) - fee / 4, rel=1e-9
    )


def test_what_settles_is_worth_the_units_nav_whatever_prices_do() -> None:
    published = made()
    moved = [(*row[:5], row[5] * grown, row[6]) for row, grown in zip(ROWS, (1.1, 0.9, 1.3, 1.0), strict=True)]
    close = position(TUESDAY, 19_000.0, moved)
    handed = 10_000 * 55.0 + 25_000 * 9 * 0.65 + 7_500 * 3.9
    assert cash_due(published, close) + handed == pytest.approx(close.nav_per_share * 50_000, rel=1e-14)
    with pytest.raises(DataError) as fault:
        cash_due(published, position(MONDAY, rows=ROWS[1:]))
    assert [problem.what for problem in fault.value.problems] == [
        "MP.N has no price on 2026-06-08",
        "valued at the close of 2026-06-08",
    ]


@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.floats(0.001, 5e3), st.floats(1e-4, 2)), min_size=1, max_size=12),
    st.floats(-1e5, 1e7),
    st.integers(1, 100_000),
    st.integers(1, 50),
)
def test_shares_and_cash_are_the_nav_of_the_unit_to_the_cent(
    lines: list[tuple[int, float, float]], cash: float, unit: int, units: int
) -> None:
    rows = [(f"S{at:02}", f"c{at}", "XASX", "AUD", float(n), price, rate) for at, (n, price, rate) in enumerate(lines)]
    if sum(n * price * rate for n, price, rate in lines) + cash <= 1.0:
        return
    found = made(replace(UNIT, unit_shares=unit), position(rows=rows, cash=cash, outstanding=float(unit * units)))
    assert found.in_kind + found.cash_component == pytest.approx(found.nav, abs=0.004)
    assert found.in_kind + found.in_lieu + found.balancing_amount == pytest.approx(found.nav, abs=0.004)
    held = np.array([n for n, _, _ in lines])
    assert found.lines["shares"].to_list() == (held // units).tolist()
    facts = dict(table(found, FACTS)[0].iter_rows())
    value, paid, nav = (
        round(float(facts[name]) * 100)
        for name in ("Basket Market Value", "Total Cash Amount Per Creation Unit", "Net Asset Value Per Creation Unit")
    )
    assert value + paid == nav


def test_every_fault_of_a_basket_is_named_at_once() -> None:
    with pytest.raises(DataError) as fault:
        basket(
            position(),
            replace(UNIT, unit_shares=300_000),
            MONDAY,
            fee=FEE,
            suspended={"LYC": FRIDAY},
            custom={"SGM.KS": 5, "MP.N": -1},
            going_ex=pl.DataFrame({"symbol": ["MP.N"], "gross": [1.0], "net": [1.2]}),
        )
    said = [f"{problem.what} ({problem.hint})" for problem in fault.value.problems]
    assert said == [
        "no line 'LYC' is held (did you mean 'LYC.AX'?)",
        "MP.N: 1.0 gross, 1.2 net (net of tax is from 0 to gross)",
        "SGM.KS: cash only: shares of XKRX cannot be handed over (ask for none of its shares)",
        "-1 shares of MP.N (a whole number, 0 or more)",
        "the position is of 2026-06-08 (orders are dealt in a session after it)",
        "a unit of 300,000 shares of 200,000 outstanding (a fund begins with one unit or more)",
    ]


def test_a_position_that_does_not_add_up_is_refused() -> None:
    sound = position()
    replace(sound, nav_per_share=round(sound.nav_per_share, 2))  # a NAV to the cent is one
    with pytest.raises(DataError, match="lines and cash come to .* a share, NAV is"):
        replace(sound, nav_per_share=sound.nav_per_share + 0.02)
    bad = [(*ROWS[0][:4], -1.0, 50.0, 1.0), (*ROWS[1][:4], 1.0, float("nan"), 0.0), ROWS[0]]
    with pytest.raises(DataError) as fault:
        Position(MONDAY, pl.DataFrame(bad, NAMES, orient="row").with_columns(name=pl.lit("x")), 0.0, 0.0, 1.0)
    assert [problem.what for problem in fault.value.problems] == [
        "given twice",
        "shares -1.0",
        "price nan",
        "rate 0.0",
        "cash 0.0, 0.0 shares at 1.0",
    ]


RATES = Rates(np.array([0.0028, 0.0028, 0.0006, 0.0040]), np.full(4, 0.5))
ADV, SIGMA = np.array([4e5, 2e6, 9e7, 3e5]), np.array([0.025, 0.03, 0.05, 0.04])


def test_what_a_unit_costs_to_build_by_hand() -> None:
    found = cost_to_build(made(), RATES, ADV, SIGMA, usd_per_unit=1.0, participation=0.2)
    value = np.array([29_250.0, 162_500.0, 500_000.0, 122_472.0])
    assert found.lines["bought"].to_list() == pytest.approx(value.tolist())
    assert found.lines["bought_by"].to_list() == ["participant", "participant", "participant", "fund"]
    assert found.dealing == pytest.approx(float((value * RATES.buy).sum()), rel=1e-12)
    total = value.sum()
    by_cost_model = costs.impact_cost(value / total, total, ADV, SIGMA, 0.7) * total
    assert found.impact == pytest.approx(by_cost_model, rel=1e-12)
    assert found.cost == pytest.approx(found.dealing + by_cost_model, rel=1e-12)
    assert found.cost_bp == pytest.approx(found.cost / made().nav * 1e4, rel=1e-12)
    assert (found.slowest, found.days) == ("SGM.KS", pytest.approx(122_472 / (0.2 * 3e5)))
    assert found.lines["of_adv"].to_list() == pytest.approx((value / ADV).tolist())
    assert found.notes == ()


def test_the_currency_of_the_fund_does_not_change_what_is_traded() -> None:
    """A fund in pounds at 1.25: the same order in dollars, costs in pounds."""
    usd = cost_to_build(made(), RATES, ADV, SIGMA, usd_per_unit=1.0)
    rows = [(*row[:6], row[6] / 1.25) for row in ROWS]
    gbp = cost_to_build(made(held=position(rows=rows, cash=16_000.0)), RATES, ADV, SIGMA, usd_per_unit=1.25)
    assert gbp.cost == pytest.approx((usd.cost or 0) / 1.25, rel=1e-12)
    assert (gbp.cost_bp, gbp.days) == (pytest.approx(usd.cost_bp), pytest.approx(usd.days))


def test_an_unknown_volume_is_said_and_a_suspended_line_is_not_bought() -> None:
    adv, sigma = ADV.copy(), SIGMA.copy()
    adv[0], sigma[1] = np.nan, np.nan
    found = cost_to_build(made(suspended={"SGM.KS": FRIDAY}), RATES, adv, sigma, usd_per_unit=1.0)
    assert (found.impact, found.cost, found.cost_bp, found.days, found.slowest) == (None,) * 5
    assert found.dealing > 0
    assert found.notes == (
        "ILU.AX: no known volume above 0: impact and days unknown",
        "LYC.AX: no known volatility",
        "SGM.KS: suspended since 2026-06-05: nothing is bought",
    )
    assert found.lines["bought_by"].to_list() == ["participant", "participant", "participant", None]
    assert found.lines["impact"].is_null().to_list() == [True, True, False, False]
    assert found.lines["days"].is_null().to_list() == [True, False, False, False]


def test_settings_that_make_no_sense_are_named_at_once() -> None:
    with pytest.raises(DataError) as fault:
        cost_to_build(made(), RATES, ADV[:3], SIGMA, usd_per_unit=0.0, participation=2, impact=-1)
    assert [problem.where.removeprefix("cost of a basket, ") for problem in fault.value.problems] == [
        "adv_usd",
        "usd_per_unit",
        "participation",
        "impact",
    ]
