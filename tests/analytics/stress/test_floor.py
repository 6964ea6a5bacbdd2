"""A floor against put-call parity, the figures published in the standard, and its own payoff."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.analytics.stress.floor import Cover, black_76, effective_price, floor_payment, floor_value
from exchina.errors import DataError

PRICE = st.floats(1, 300)
SHARE = st.floats(0, 1)
QUARTERS = (np.arange(40) + 1) / 4


def published(**changed: float):
    terms = {
        "floor": 110.0,
        "volatility": 0.3,
        "rate": 0.045,
        "upside_share": 0.3,
        "upside_from_years": 3.0,
        "yearly_repeal": 0.0,
    }
    return floor_value(np.full(40, 65.0), np.full(40, 1.5e6), QUARTERS, **{**terms, **changed})


def test_the_published_floor() -> None:
    """Forward 65, volatility 30 %, 1.5 kt a quarter, ten years: 2.46, 0.08 and 2.16 bn, as the standard prints them."""
    found = published()
    assert round(found.puts / 1e9, 2) == 2.46
    assert round(found.calls_given_up / 1e9, 2) == 0.08
    assert round(found.intrinsic / 1e9, 2) == 2.16
    assert found.value == pytest.approx(found.puts - found.calls_given_up)


def test_no_volatility_leaves_the_intrinsic_value() -> None:
    assert published(volatility=0.0).puts == pytest.approx(published().intrinsic)
    by_hand = sum(45.0 * 1.5e6 * math.exp(-0.045 * t) for t in QUARTERS)
    assert published().intrinsic == pytest.approx(by_hand)


def test_repeal_takes_later_payments_more() -> None:
    half = floor_value([65.0], [1.0], [2.0], floor=110, volatility=0.3, rate=0.0, yearly_repeal=0.5)
    assert half.after_repeal == pytest.approx(0.25 * half.value)
    with pytest.raises(DataError, match="a probability"):
        published(yearly_repeal=1.0)


@given(forward=PRICE, strike=PRICE, volatility=st.floats(0, 1), years=st.floats(0, 20), rate=st.floats(-0.05, 0.2))
def test_puts_and_calls_are_in_parity(
    forward: float, strike: float, volatility: float, years: float, rate: float
) -> None:
    put, call = black_76(forward, strike, volatility=volatility, years=years, rate=rate)
    assert call - put == pytest.approx(math.exp(-rate * years) * (forward - strike), abs=1e-9)
    assert put >= -1e-9
    assert call >= -1e-9


def test_black_76_against_scipy() -> None:
    """The expectation of the payoff under the lognormal law, by quadrature."""
    from scipy.integrate import quad
    from scipy.stats import norm

    def payoff(z: float) -> float:
        return max(110 - 65 * math.exp(0.3 * math.sqrt(4) * z - 0.3**2 * 4 / 2), 0.0) * norm.pdf(z)

    split = (math.log(110 / 65) + 0.18) / 0.6  # the payoff has its kink here
    expected = math.exp(-0.045 * 4) * (quad(payoff, -12, split)[0])
    put, _ = black_76(65, 110, volatility=0.3, years=4, rate=0.045)
    assert put == pytest.approx(expected, rel=1e-9)


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match="no value for"):
        black_76(-1, 110, volatility=0.3, years=1, rate=0)
    with pytest.raises(DataError, match="more than 1"):
        effective_price(65, Cover(fixed_share=0.6, floored_share=0.6, floor=110))


def test_the_effective_price_by_hand() -> None:
    cover = Cover(fixed_share=0.2, fixed_price=75, floored_share=0.5, floor=110, upside_share=0.3)
    assert effective_price(60, cover) == pytest.approx(0.2 * 75 + 0.5 * 110 + 0.3 * 60)
    assert effective_price(150, cover) == pytest.approx(0.2 * 75 + 0.5 * (150 - 0.3 * 40) + 0.3 * 150)


@given(price=PRICE, floor=PRICE, upside=SHARE)
def test_price_plus_payment_is_the_effective_price(price: float, floor: float, upside: float) -> None:
    cover = Cover(floored_share=1.0, floor=floor, upside_share=upside)
    assert effective_price(price, cover) == pytest.approx(price + floor_payment(price, floor, upside))
