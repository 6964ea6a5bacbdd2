"""The worksheet's formulas: the acceptance bars of the standard, and figures worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.analytics.stress import cash_flow
from exchina.analytics.stress.floor import NO_COVER, Cover
from exchina.errors import DataError

MOVE = st.floats(-0.95, 1.0)
PRICE = st.floats(1, 300)


@given(price=PRICE, move=MOVE, above=st.floats(0, 100), volume=st.floats(1, 1e8))
def test_a_full_floor_above_both_prices_leaves_exactly_nothing(
    price: float, move: float, above: float, volume: float
) -> None:
    after = price * (1 + move)
    cover = Cover(floored_share=1.0, floor=max(price, after) + above)
    change = cash_flow.seller_change(price, after, volume, cover, cover)
    assert change == 0.0
    assert cash_flow.equity_shock(change, 4.15, 1e9) == 0.0


@given(price=PRICE, move=MOVE, volume=st.floats(1, 1e6))
def test_without_cover_the_shock_is_volume_times_price(price: float, move: float, volume: float) -> None:
    change = cash_flow.seller_change(price, price * (1 + move), volume, NO_COVER, NO_COVER)
    shock = cash_flow.equity_shock(change, 1.33, 1e12)
    assert shock == pytest.approx(volume * price * move * 1.33 / 1e12, rel=1e-9, abs=1e-18)


def test_the_annuity_of_the_standard() -> None:
    """4.15 for a shock that stays, 1.33 for one that decays, over eight years."""
    terms = {"tax": 0.25, "discount": 0.09, "years": 8}
    stays, decays = (cash_flow.annuity_factor(decay=decay, **terms) for decay in (0.0, 0.35))
    assert round(stays, 2) == 4.15
    assert round(decays, 2) == 1.33
    assert round(stays / decays, 1) == 3.1
    half = cash_flow.annuity_factor(tax=0.0, discount=0.1, decay=0.0, years=1.5)
    assert half == pytest.approx(1 / 1.1 + 0.5 / 1.21)
    with pytest.raises(DataError, match="annuity"):
        cash_flow.annuity_factor(tax=1.5, discount=0.1, decay=0.0, years=8)


def test_owners_lose_no_more_than_all() -> None:
    assert cash_flow.equity_shock(-5e9, 1.0, 1e9) == -1.0
    assert cash_flow.developer_shock(2.5, -0.6) == -1.0
    assert cash_flow.developer_shock(1.5, -0.4, 0.5) == pytest.approx(-0.3)


@given(price=st.floats(50, 200), share=st.floats(0, 1), upside=st.floats(0, 1))
def test_leverage_is_the_slope_of_ebitda(price: float, share: float, upside: float) -> None:
    """Against a small step of the price, away from the floor."""
    cover = Cover(floored_share=share, floor=110, upside_share=upside)
    if abs(price - 110) < 1:
        return
    sells = 1000.0, 20.0, 5000.0
    step = 1e-5
    before, after = (float(cash_flow.ebitda(price * (1 + by), *sells, cover)) for by in (0, step))
    found = float(cash_flow.operating_leverage(price, *sells, cover))
    assert found == pytest.approx((after / before - 1) / step, rel=1e-4, abs=1e-6)


def test_no_leverage_of_a_loss() -> None:
    assert math.isnan(cash_flow.operating_leverage(40, 1000.0, 60.0, 0.0, NO_COVER))


def test_who_buys_at_a_floor_pays_more_than_his_rivals() -> None:
    """Policy model, section 7: feed at 110 against 60 costs 50 a kg; buyers follow the market."""
    market = cash_flow.consumer_change(100, 60, 0.36, 1.0, feed=NO_COVER, feed_after=NO_COVER)
    assert market == pytest.approx(0.0)
    floor = Cover(floored_share=1.0, floor=110)
    change = cash_flow.consumer_change(100, 60, 0.36, 1.0, feed=floor, feed_after=floor)
    assert change == pytest.approx(-0.36 * 40)
    from_market = cash_flow.consumer_change(100, 60, 0.36, 1.0, feed=NO_COVER, feed_after=floor)
    assert from_market == pytest.approx(-0.36 * 50)
    assert round(0.36 * 50) == 18  # USD per kg of magnet, as printed there


def test_stock_of_an_alloy_maker() -> None:
    """Policy model, section 7: 90 days at -40 % cost 10 % of yearly feed, once."""
    assert cash_flow.stock_change(1.0, -0.4, 90) == pytest.approx(-0.0986, abs=5e-5)


def test_growth_pays_only_above_its_capital() -> None:
    terms = {"tax": 0.25, "discount": 0.09, "years": 14, "life": 20}
    worked = 0.75 * sum(1.09**-y for y in range(1, 21))
    assert cash_flow.growth_value(1e6, 280 / worked, 280.0, **terms) == pytest.approx(0.0, abs=1e-3)
    one = cash_flow.growth_value(1e6, 46.0, 280.0, **terms)
    steps = sum(1.09**-y for y in range(1, 15)) / 14
    assert one == pytest.approx(1e6 * steps * (46 * worked - 280))


def test_many_firms_are_as_one_by_one() -> None:
    cover = Cover(floored_share=np.array([0, 0.5, 1]), floor=np.array([0, 110, 110]))
    together = cash_flow.seller_change(95, 57, np.array([1.0, 2.0, 3.0]), cover, cover)
    alone = [
        float(cash_flow.seller_change(95, 57, q, Cover(floored_share=h, floor=f), Cover(floored_share=h, floor=f)))
        for q, h, f in ((1.0, 0, 0), (2.0, 0.5, 110), (3.0, 1, 110))
    ]
    assert together.tolist() == alone
