"""Money-market rates and one-month forwards: constant rates with two changes, and covered parity."""

from datetime import date

import numpy as np

from exchina.market.simulation.chance import Days, Floats, between
from exchina.market.simulation.paths import usd_rate

BASE_RATES = {
    "USD": 0.020,
    "AUD": 0.025,
    "BRL": 0.100,
    "CAD": 0.020,
    "CHF": 0.002,
    "CNY": 0.030,
    "EUR": 0.010,
    "GBP": 0.018,
    "HKD": 0.020,
    "INR": 0.065,
    "JPY": 0.002,
    "KRW": 0.022,
    "NOK": 0.020,
    "SEK": 0.012,
    "ZAR": 0.070,
}
CHANGES = ((date(2020, 3, 16), -0.01), (date(2022, 9, 22), 0.02))
MONTH_YEARS = 1 / 12


def cash_rates(currency: str, first: date, seed: int) -> list[tuple[date, float]]:
    """Days on which a currency's yearly money-market rate starts to hold, the first day among them, and the rates."""
    base = BASE_RATES[currency] + between(-0.002, 0.002, seed, currency, "cash rate")
    days = [first, *(day for day, _ in CHANGES if day > first)]
    return [(day, round(base + sum(step for start, step in CHANGES if start <= day), 4)) for day in days]


def rate_by_day(currency: str, days: Days, seed: int) -> Floats:
    """The money-market rate of a currency on each day; shape (days,)."""
    steps = cash_rates(currency, days[0].item(), seed)
    starts = np.array([day for day, _ in steps], dtype="datetime64[D]")
    return np.array([rate for _, rate in steps])[np.searchsorted(starts, days, side="right") - 1]


def forward(currency: str, days: Days, seed: int) -> Floats:
    """One-month outright F = S (1 + r_USD / 12) / (1 + r / 12), US dollars per unit; shape (days,)."""
    dollar, own = (1 + rate_by_day(name, days, seed) * MONTH_YEARS for name in ("USD", currency))
    return usd_rate(currency, len(days), seed) * dollar / own
