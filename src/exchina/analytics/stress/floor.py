"""A price floor: what it pays, the price its holder earns, and its value as a strip of puts less the upside shared."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from exchina.errors import DataError, Problem

FloatArray: TypeAlias = npt.NDArray[np.float64]
Numbers: TypeAlias = npt.ArrayLike


@dataclass(frozen=True)
class Cover:
    """The terms on which each of n sellers sells; arrays of length n, or single numbers.

    Attributes:
        fixed_share: k, share of volume sold at a fixed price.
        fixed_price: that price, USD per kg.
        floored_share: h, share of volume under a floor; k + h is at most 1.
        floor: F, USD per kg.
        upside_share: u, share of the price above the floor that is given back, from 0 to 1.
    """

    fixed_share: Numbers = 0.0
    fixed_price: Numbers = 0.0
    floored_share: Numbers = 0.0
    floor: Numbers = 0.0
    upside_share: Numbers = 0.0


SMALLEST_SPREAD = 1e-12  # below it only the payoff is left
NO_COVER = Cover()


def floor_payment(price: Numbers, floor: Numbers, upside_share: Numbers = 0.0) -> FloatArray:
    """What the payer of a floor pays per kg: max(F - P, 0) - u max(P - F, 0); negative where the upside is shared."""
    gap = np.asarray(floor, float) - np.asarray(price, float)
    return np.maximum(gap, 0.0) - np.asarray(upside_share, float) * np.maximum(-gap, 0.0)


def effective_price(price: Numbers, cover: Cover) -> FloatArray:
    """The price earned per kg, USD: k P_fix + h (max(P, F) - u max(P - F, 0)) + (1 - k - h) P.

    Args:
        price: market price P, USD per kg, on the basis (with or without tax) of the floor.
        cover: the terms.

    Raises:
        DataError: a share lies outside 0 to 1, or fixed and floored share are more than the whole.
    """
    p, k, h, u = (np.asarray(one, float) for one in (price, cover.fixed_share, cover.floored_share, cover.upside_share))
    floor = np.asarray(cover.floor, float)
    if any(((share < 0) | (share > 1)).any() for share in (k, h, u)) or (k + h > 1 + 1e-12).any():
        what = "a share outside 0 to 1, or fixed and floored shares that add to more than 1"
        raise DataError(Problem("cover", what, "one kilogram is sold on one term"))
    floored = np.maximum(p, floor) - u * np.maximum(p - floor, 0.0)
    return k * np.asarray(cover.fixed_price, float) + h * floored + (1 - k - h) * p


def black_76(
    forward: Numbers, strike: Numbers, *, volatility: Numbers, years: Numbers, rate: Numbers
) -> tuple[FloatArray, FloatArray]:
    """Put and call on a forward (Black 1976), per unit: e^-rT (K N(-d2) - F N(-d1)) and e^-rT (F N(d1) - K N(d2)).

    Args:
        forward: F, > 0.
        strike: K, > 0.
        volatility: of the forward, per square root of a year; at 0 the discounted payoff.
        years: T, time to payment, at least 0.
        rate: continuously compounded, per year.

    Raises:
        DataError: a forward or strike that is not positive, a negative volatility or time.
    """
    f, k, v, t, r = np.broadcast_arrays(*(np.asarray(one, float) for one in (forward, strike, volatility, years, rate)))
    if not (np.all(f > 0) and np.all(k > 0) and np.all(v >= 0) and np.all(t >= 0)):
        hint = "forward and strike above 0, volatility and years at least 0"
        raise DataError(Problem("black_76", "an input the formula has no value for", hint))
    spread = v * np.sqrt(t)
    flat = spread < SMALLEST_SPREAD
    d1 = np.log(f / k) / np.where(flat, 1.0, spread) + spread / 2
    d1 = np.where(flat, np.where(f > k, np.inf, np.where(f < k, -np.inf, 0.0)), d1)
    d2 = d1 - spread
    discount = np.exp(-r * t)
    return discount * (k * ndtr(-d2) - f * ndtr(-d1)), discount * (f * ndtr(d1) - k * ndtr(d2))


@dataclass(frozen=True, slots=True)
class FloorValue:
    """What a floor is worth to its holder, USD; an illustration, for NdPr has no liquid future.

    Attributes:
        puts: the strip of puts, if the payer pays in full for the whole term.
        calls_given_up: the part of the price above the floor that goes to the payer.
        intrinsic: the puts at volatility zero: what the floor pays if prices follow the forward curve.
        value: puts less calls given up.
        after_repeal: the same, each payment weighed with the chance that the contract still stands.
        yearly_repeal: the stated yearly probability of repeal or default behind it, an assumption of the caller.
    """

    puts: float
    calls_given_up: float
    intrinsic: float
    value: float
    after_repeal: float
    yearly_repeal: float


def floor_value(
    forwards: Numbers,
    volumes_kg: Numbers,
    years: Numbers,
    *,
    floor: float,
    volatility: float,
    rate: float,
    upside_share: float = 0.0,
    upside_from_years: float = 0.0,
    yearly_repeal: float,
) -> FloorValue:
    """Value of a floor: sum_t Q_t [put(P_t; F) - u call(P_t; F) 1{t > start}], by Black-76.

    Args:
        forwards: forward price of each payment date, USD per kg.
        volumes_kg: Q_t, kilograms settled at each date.
        years: time to each payment.
        floor: F, USD per kg.
        volatility: per square root of a year.
        rate: continuously compounded, per year.
        upside_share: u.
        upside_from_years: the upside is shared at dates strictly later than this.
        yearly_repeal: probability that the contract ends within a year while it stands, from 0 to 1 (exclusive); the
            chance that it stands after t years is (1 - p)^t, and nothing is paid afterwards. To be stated, no default.

    Raises:
        DataError: no input of `black_76`, or a probability outside 0 to 1.
    """
    if not 0 <= yearly_repeal < 1:
        raise DataError(Problem("yearly_repeal", f"found {yearly_repeal:g}", "a probability from 0 to below 1"))
    t, q = np.asarray(years, float), np.asarray(volumes_kg, float)
    put, call = black_76(forwards, floor, volatility=volatility, years=t, rate=rate)
    intrinsic, _ = black_76(forwards, floor, volatility=0.0, years=t, rate=rate)
    puts = put * q
    calls = upside_share * call * q * (t > upside_from_years)
    stands = (1 - yearly_repeal) ** t
    return FloorValue(
        puts=float(puts.sum()),
        calls_given_up=float(calls.sum()),
        intrinsic=float((intrinsic * q).sum()),
        value=float((puts - calls).sum()),
        after_repeal=float(((puts - calls) * stands).sum()),
        yearly_repeal=yearly_repeal,
    )
