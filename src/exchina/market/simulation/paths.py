"""Paths of values, rates and benchmarks on all weekdays, as arrays of shape (days,)."""

from datetime import date

import numpy as np

from exchina.market.simulation.chance import Days, Floats, between, fat_tailed, reverting, stream
from exchina.market.simulation.traits import TRAITS, Company

DAYS_PER_YEAR = 261
GROWTH_PER_YEAR = 0.04
VALUE_HALF_LIFE_DAYS = 3.0 * DAYS_PER_YEAR
BENCHMARK_VOLATILITY, BENCHMARK_GROWTH = 0.17, 0.06
RATE_VOLATILITY, RATE_HALF_LIFE_DAYS = 0.09, 1.0 * DAYS_PER_YEAR
SECTOR_SHARE = {"pure": 0.45, "quasi": 0.35, "marginal": 0.15}
STAGE_SHARE = 0.2
RATES_USD = {
    "AUD": 0.70,
    "BRL": 0.19,
    "CAD": 0.76,
    "CHF": 1.12,
    "CNY": 0.14,
    "EUR": 1.12,
    "GBP": 1.30,
    "HKD": 0.128,
    "INR": 0.012,
    "JPY": 0.0085,
    "KRW": 0.00080,
    "NOK": 0.10,
    "SEK": 0.10,
    "ZAR": 0.060,
}


def weekdays(start: date, through: date) -> Days:
    """Monday to Friday from ``start`` to ``through``, both included."""
    days = np.arange(np.datetime64(start), np.datetime64(through) + 1)
    return days[np.is_busday(days)]


def local_market(symbol: str, days: int, seed: int) -> Floats:
    """Standardised daily returns of the market behind a benchmark: half its variance is the world's."""
    world = stream(seed, "world").standard_normal(days)
    return np.sqrt(0.5) * (world + stream(seed, "local market", symbol).standard_normal(days))


def benchmark_level(symbol: str, days: int, seed: int) -> Floats:
    """Level of a benchmark, 1000 before the first day."""
    steps = local_market(symbol, days, seed) * BENCHMARK_VOLATILITY / np.sqrt(DAYS_PER_YEAR)
    return 1000 * np.exp(np.cumsum(steps + BENCHMARK_GROWTH / DAYS_PER_YEAR))


def usd_rate(currency: str, days: int, seed: int) -> Floats:
    """US dollars per unit of a currency, around its anchor in `RATES_USD`; 1 for the dollar."""
    if currency == "USD":
        return np.ones(days)
    steps = stream(seed, "rate", currency).standard_normal(days) * RATE_VOLATILITY / np.sqrt(DAYS_PER_YEAR)
    return RATES_USD[currency] * np.exp(reverting(steps, RATE_HALF_LIFE_DAYS))


def sector_returns(days: int, seed: int) -> dict[str, Floats]:
    """Standardised daily returns of the whole sector (key ``all``) and what each stage adds."""
    return {name: stream(seed, "sector", name).standard_normal(days) for name in ("all", *TRAITS)}


def daily_volatility(company: Company, days: Days) -> Floats:
    """Standard deviation of the log returns of a company."""
    return company.by_day(days, "volatility") / np.sqrt(DAYS_PER_YEAR)


def value_steps(company: Company, days: Days, market: Floats, sector: dict[str, Floats], seed: int) -> Floats:
    """Log returns of a company's value without news: local market, sector, stage, and Student noise of its own.

    The shares of the variance are rho^2 each: local market 0.3 to 0.5, sector by exposure, stage 0.2, noise the rest.
    """
    local = between(0.3, 0.5, seed, company.id, "local share")
    common = SECTOR_SHARE[company.exposure]
    own = np.sqrt(1 - local**2 - common**2 - STAGE_SHARE**2)
    stage = np.empty(len(days))
    for span, start in company.spans(days):
        stage[span] = sector[company.stage(start)][span]
    noise = fat_tailed(len(days), seed, company.id, "noise")
    return daily_volatility(company, days) * (
        local * market + common * sector["all"] + STAGE_SHARE * stage + own * noise
    )


def relative_value(steps: Floats) -> Floats:
    """A value that starts at 1, moves by the log returns ``steps`` and leans back to a slowly growing trend."""
    trend = np.arange(len(steps)) * GROWTH_PER_YEAR / DAYS_PER_YEAR
    return np.exp(trend + reverting(steps, VALUE_HALF_LIFE_DAYS))
