"""A seeded universe table with the columns of `exchina.universe.universe_on`, for quarterly reviews."""

from datetime import date, timedelta
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from exchina.model import NthWeekday, Review
from exchina.policy import COMMITMENT
from exchina.rules.reviews import nth_weekday
from exchina.universe.table import COLUMNS

Numbers: TypeAlias = NDArray[np.float64]
SEED = 20261123
SESSIONS = 252
NEVER = 10**6
STAGES = {
    "explorer": 0.06,
    "developer": 0.40,
    "producer": 0.22,
    "processor": 0.10,
    "metal_alloy": 0.06,
    "magnet_maker": 0.10,
    "recycler": 0.04,
    "holding/royalty": 0.02,
}
COUNTRIES = {"AU": 0.35, "US": 0.20, "CA": 0.20, "JP": 0.10, "GB": 0.05, "CN": 0.08, "HK": 0.02}
LOAN = {"instrument": "loan", "status": "signed", "bind": 0.8}
OFFTAKE = {"instrument": "offtake", "status": "conditional", "bind": 0.4}
GRANT = {"instrument": "grant", "status": "drawn", "bind": 1.0}
COMMITMENTS = [[LOAN], [OFFTAKE], [GRANT, LOAN]]


def quarterly(count: int) -> list[Review]:
    """So many quarterly reviews from December 2006 on: third Friday, announced a week and cut off two weeks before."""
    months = [divmod(2006 * 12 + 11 + 3 * number, 12) for number in range(count)]
    days = [nth_weekday(year, month + 1, NthWeekday(nth=3, weekday="friday")) for year, month in months]
    return [Review(day, day - timedelta(days=7), day - timedelta(days=14)) for day in days]


def universe(reviews: list[Review], companies: int, seed: int = SEED) -> pl.DataFrame:
    """One row a review and company: sizes walk, stages advance, and some facts are unknown.

    About 2 % of the rows have no recent price and 40 % of the companies publish no share of revenue from China; 5 % of
    the rows are lines listed within the last year, and one traded value in two hundred is unknown. A column that the
    universe has and no rule of the benchmark reads may be null throughout.
    """
    rng = np.random.default_rng(seed)
    shape = (len(reviews), companies)
    size = rng.normal(19.0, 1.9, companies) + np.cumsum(rng.normal(0, 0.15, shape), axis=0)
    priced = rng.random(shape) >= 0.02
    factor = rng.uniform(0.3, 1.0, companies)
    whole = np.where(priced, np.exp(size), np.nan)
    close = np.exp(rng.normal(1.0, 1.0, companies) + np.cumsum(rng.normal(0, 0.15, shape), axis=0))
    dated = {
        "review": [review.effective for review in reviews for _ in range(companies)],
        "price_date": _days(reviews, priced),
        "stage": _stages(rng, shape).ravel(),
        "close": np.where(priced, close, np.nan).ravel(),
        "market_cap_usd": whole.ravel(),
        "free_float_market_cap_usd": (whole * factor).ravel(),
    }
    fixed = {**_facts(rng, companies), "free_float_factor": factor}
    repeated = {name: np.tile(values, len(reviews)) for name, values in fixed.items()}
    table = pl.DataFrame({**dated, **repeated, **_sessions(rng, np.exp(size)), **_backing(rng, shape)})
    known = table.with_columns(pl.col(pl.Float64).fill_nan(None), close_usd=pl.col("close").fill_nan(None))
    known = known.with_columns(
        stages=pl.concat_list("stage"), china_domicile=pl.col("country").is_in(["CN", "HK", "MO"])
    )
    other = [pl.lit(None, pl.String).alias(name) for name in COLUMNS if name not in known.columns]
    return known.with_columns(other).select("review", *COLUMNS)


def _facts(rng: np.random.Generator, companies: int) -> dict[str, Any]:
    """What does not change from review to review."""
    numbers = [f"{number:04d}" for number in range(companies)]
    country = rng.choice(list(COUNTRIES), companies, p=list(COUNTRIES.values()))
    return {
        "company_id": [f"company-{number}" for number in numbers],
        "symbol": [f"C{number}.XX" for number in numbers],
        "name": [f"Company {number} Ltd" for number in numbers],
        "country": country,
        "mic": np.where(country == "US", "XNYS", "XASX"),
        "currency": np.full(companies, "USD"),
        "rare_earth_exposure": rng.choice(["pure", "quasi", "marginal"], companies, p=[0.55, 0.3, 0.15]),
        "float_basis": rng.choice(["reported", "assumed"], companies, p=[0.8, 0.2]),
        "china_revenue_share": np.where(rng.random(companies) < 0.6, rng.beta(1, 3, companies), np.nan),
    }


def _stages(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.str_]:
    """Most companies keep their stage; some developers become producers at some review."""
    start = rng.choice(list(STAGES), shape[1], p=list(STAGES.values()))
    turns = np.where(rng.random(shape[1]) < 0.5, rng.integers(0, 2 * shape[0], shape[1]), NEVER)
    built = np.arange(shape[0])[:, None] >= turns
    return np.where(built & (start == "developer"), "producer", start)


def _days(reviews: list[Review], priced: NDArray[np.bool_]) -> list[date | None]:
    return [review.cutoff if seen else None for review, row in zip(reviews, priced, strict=True) for seen in row]


def _sessions(rng: np.random.Generator, cap: Numbers) -> dict[str, pl.Series]:
    """Traded values (about 0.2 % of market value a day) and returns of the last sessions, oldest first."""
    mean = (cap * 0.002 * np.exp(rng.normal(0, 0.7, cap.shape[1]))).ravel()
    values = mean[:, None] * np.exp(rng.normal(0, 1, (mean.size, SESSIONS)))
    values[rng.random(values.shape) < 0.005] = np.nan
    known = pl.Series(np.where(rng.random(mean.size) < 0.05, rng.integers(5, SESSIONS, mean.size), SESSIONS))
    returns = rng.normal(0, 0.03, values.shape)
    lists = {"traded_values_usd": values, "daily_returns": returns}
    return {name: _last(one, known) for name, one in lists.items()} | {"price_sessions": known}


def _last(values: Numbers, known: pl.Series) -> pl.Series:
    lists = pl.Series(values.ravel()).fill_nan(None).reshape(values.shape).arr.to_list()
    return pl.DataFrame({"values": lists, "known": known}).select(pl.col("values").list.tail("known"))["values"]


def _backing(rng: np.random.Generator, shape: tuple[int, int]) -> dict[str, Any]:
    """A third of the companies win public support at some review and keep it."""
    since = np.where(rng.random(shape[1]) < 0.35, rng.integers(0, shape[0], shape[1]), NEVER)
    held = (np.arange(shape[0])[:, None] >= since).ravel()
    kind = np.tile(rng.integers(0, len(COMMITMENTS), shape[1]), shape[0])
    floor, offtake, capital = (np.where(held, np.tile(rng.random(shape[1]), shape[0]), 0.0) for _ in range(3))
    commitments = [COMMITMENTS[which] if one else None for one, which in zip(held, kind, strict=True)]
    return {
        "floor_part": floor,
        "offtake_part": offtake,
        "capital_part": capital,
        "policy_score": 0.5 * floor + 0.2 * offtake + 0.3 * capital,
        "lead_sponsor": pl.Series(["Japan" if one else None for one in held], dtype=pl.String),
        "commitments": pl.Series(commitments, dtype=pl.List(pl.Struct(COMMITMENT))),
    }
