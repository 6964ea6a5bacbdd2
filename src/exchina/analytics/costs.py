"""What trading an index costs a fund that follows it: spread, commission, tax and market impact.

Notation: w weights after a review, wd weights before it as prices had moved them, A the fund in US dollars, Q_i =
|w_i - wd_i| A the order in a line, sigma_i its volatility a session, ADV_i its average daily traded value. Costs are
fractions of the fund's net asset value (1 bp = 0.0001). Lines are in one order throughout, (n,); leavers have w = 0.

The square-root law of impact is an average over many orders: beyond 10-20 % of ADV it is extrapolation.
Source: the practitioners' square-root law; Almgren and others (2005) measured a power of 0.6. Y, too, is from memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from exchina.analytics.performance import trailing_returns
from exchina.errors import DataError, Problem

FloatArray: TypeAlias = npt.NDArray[np.float64]
BP = 1e-4
SAME_SUM = 1e-6
TOO_DEAR = "a review that costs all the fund leaves no level: impact grows with the fund, so ask for a smaller one"
RATES = ("half_spread_bp", "commission_bp", "buy_tax_bp", "sell_tax_bp")


@dataclass(frozen=True)
class CostModel:
    """What a trade is assumed to cost.

    Attributes:
        venues: the table ``trading_costs`` of the reference data: mic, half_spread_bp, commission_bp, buy_tax_bp,
            sell_tax_bp, taxed_domicile (the tax falls only on issuers from there; null: on all), source_url,
            confidence, note.
        impact: Y of Y sigma sqrt(Q / ADV). About 0.5 to 1.0; 0.7 is an assumption (confidence: memory).

    Raises:
        DataError: an impact that is not above 0 and finite.
    """

    venues: pl.DataFrame
    impact: float = 0.7

    def __post_init__(self) -> None:
        if not 0 < self.impact < np.inf:
            hint = "Y above 0, about 0.5 to 1.0: without impact any fund would find room"
            raise DataError(Problem("CostModel.impact", f"found {self.impact}", hint))


@dataclass(frozen=True)
class Rates:
    """Explicit cost of a line as a fraction of what is traded, one way, (n,): of a purchase and of a sale."""

    buy: FloatArray
    sell: FloatArray


def rates_of(model: CostModel, mics: Sequence[str], domiciles: Sequence[str | None]) -> Rates:
    """Half spread + commission + tax of each line.

    Args:
        model: the assumptions.
        mics: (n,) venue of each line.
        domiciles: (n,) country of incorporation of each issuer; None, not established, is taxed.

    Raises:
        DataError: a venue has no row; each is named.
    """
    known = {row["mic"]: row for row in model.venues.iter_rows(named=True)}
    lacking = sorted({mic for mic in mics if mic not in known})
    if lacking:
        raise DataError(
            *(
                Problem(f"trading_costs.csv {mic}", "no row for this venue", "add what a trade costs there")
                for mic in lacking
            )
        )
    rows = [known[mic] for mic in mics]
    table = np.array([[row[name] for name in RATES] for row in rows], float).reshape(-1, len(RATES)) * BP
    only = [row["taxed_domicile"] for row in rows]
    taxed = np.array(
        [None in {only_at, at} or only_at == at for only_at, at in zip(only, domiciles, strict=True)], bool
    )
    dealing = table[:, 0] + table[:, 1]
    return Rates(dealing + np.where(taxed, table[:, 2], 0.0), dealing + np.where(taxed, table[:, 3], 0.0))


def drifted_weights(weights: FloatArray, returns: FloatArray) -> FloatArray:
    """wd_i = w_i (1 + r_i) / sum_j w_j (1 + r_j): what prices made of the weights, (n,).

    Args:
        weights: (n,) w of the review before, summing to 1.
        returns: (n,) r, simple returns since.

    Raises:
        DataError: the weights do not sum to 1, a return is unknown or below -1, or nothing is left.
    """
    check_weights(weights, "weights")
    if not (np.isfinite(returns) & (returns >= -1)).all():
        raise DataError(Problem("returns", "one is unknown or below -1", "give simple returns: 5 % is 0.05"))
    grown = weights * (1 + returns)
    if not grown.sum() > 0:
        raise DataError(Problem("returns", "nothing is left of any line", "no weight can be told"))
    return grown / grown.sum()


def check_weights(weights: FloatArray, name: str) -> None:
    """`DataError` unless the weights are known, not negative and sum to 1 (to 1e-6)."""
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise DataError(Problem(name, "a weight is unknown or below zero", "give fractions of 1"))
    if abs(weights.sum() - 1) > SAME_SUM:
        raise DataError(Problem(name, f"sum to {weights.sum():.8g}, not to 1", "give fractions of 1, 25 % is 0.25"))


def check_lines(traded: FloatArray, adv_usd: FloatArray, sigma: FloatArray | None = None) -> None:
    """`DataError` with each line that trades without a known volume above 0, or without a known volatility."""
    sizes = {"traded": np.isfinite(traded) & (traded >= 0), "adv_usd": np.isfinite(adv_usd) & (adv_usd > 0)}
    if sigma is not None:
        sizes["sigma"] = np.isfinite(sigma) & (sigma >= 0)
    hints = {
        "traded": "the size of the change of weight, not below 0",
        "adv_usd": "US dollars above 0; leave out lines without volume, or measure them first",
        "sigma": "the standard deviation of the returns of a session",
    }
    moved = traded != 0  # unknown is not zero
    problems = [
        Problem(f"line {line}", f"{name} is unknown or makes no sense", hints[name])
        for name, sound in sizes.items()
        for line in np.flatnonzero(moved & ~sound)
    ]
    if problems:
        raise DataError(*problems)


def two_way_turnover(new: FloatArray, drifted: FloatArray) -> float:
    """sum_i |w_i - wd_i|: purchases and sales together; ``drifted`` of zeros is a fund built from cash."""
    return float(np.abs(new - drifted).sum())


def one_way_turnover(new: FloatArray, drifted: FloatArray) -> float:
    """sum_i |w_i - wd_i| / 2, against the weights that prices have moved, never against the old targets.

    Example:
        >>> one_way_turnover(np.array([0.5, 0.5, 0.0]), np.array([0.75, 0.0, 0.25]))
        0.5
    """
    return two_way_turnover(new, drifted) / 2


def dealing_cost(new: FloatArray, drifted: FloatArray, rates: Rates) -> float:
    """sum_i |w_i - wd_i| (half spread + commission + tax)_i, a fraction of the fund; the tax is that of the side."""
    bought, sold = np.maximum(new - drifted, 0.0), np.maximum(drifted - new, 0.0)
    return float((bought * rates.buy + sold * rates.sell).sum())


def impact_per_dollar(order_usd: FloatArray, adv_usd: FloatArray, sigma: FloatArray, y: float) -> FloatArray:
    """Y sigma_i sqrt(Q_i / ADV_i), a fraction of what is traded, (n,).

    Args:
        order_usd: (n,) Q, US dollars.
        adv_usd: (n,) average daily traded value, US dollars, > 0.
        sigma: (n,) standard deviation of the returns of a session.
        y: the coefficient Y.
    """
    return y * sigma * np.sqrt(order_usd / adv_usd)


def impact_cost(traded: FloatArray, fund_usd: float, adv_usd: FloatArray, sigma: FloatArray, y: float) -> float:
    """sum_i |dw_i| Y sigma_i sqrt(|dw_i| A / ADV_i), a fraction of the fund: twice the fund, sqrt 2 times the cost.

    Args:
        traded: (n,) |dw|.
        fund_usd: A.
        adv_usd: (n,) average daily traded value, US dollars, > 0.
        sigma: (n,) standard deviation of the returns of a session.
        y: the coefficient Y.

    Raises:
        DataError: a line that trades has no known volume above 0 or no known volatility; each is named.
    """
    check_lines(traded, adv_usd, sigma)
    return float((traded * impact_per_dollar(traded * fund_usd, adv_usd, sigma, y)).sum())


def annual_drag(costs: FloatArray, years: float) -> float:
    """sum of the costs of the rebalances of a period / its length in years: a fraction of the fund a year.

    Args:
        costs: cost of each rebalance, fractions of the fund.
        years: length of the period; one cost that repeats q times a year has a period of 1/q years.
    """
    return float(costs.sum()) / years


def after_costs(levels: pl.DataFrame, costs: pl.DataFrame) -> pl.DataFrame:
    """Levels with the cost of each rebalance taken off: L'_t = L_t prod_{s <= t} (1 - c_s).

    The cost of a rebalance at the close of session s is taken from the level of that close on; one before the first
    level counts as nothing (the first basket is bought before the series begins). The gross levels stay the index.

    Args:
        levels: ``session`` and ``level``, ascending.
        costs: ``session`` of each rebalance and its ``cost``, a fraction of the fund.

    Returns:
        ``levels`` with ``after_costs``.

    Raises:
        DataError: a cost is unknown, negative or 1 and more, or its session is none of the levels'; all at once.
    """
    given = costs.select("session", "cost").sort("session")
    sound = given["cost"].is_finite() & given["cost"].is_between(0, 1, closed="left")
    there = given["session"].is_in(levels["session"].implode()) | (given["session"] < levels["session"][0])
    problems = [
        Problem(f"cost of {row['session']}", f"{row['cost']}: not a fraction from 0 to below 1", TOO_DEAR)
        for row in given.filter(~sound.fill_null(value=False)).iter_rows(named=True)
    ] + [
        Problem(f"cost of {day}", "the levels have no such session", "date a cost by the close after which it was due")
        for day in given.filter(~there)["session"]
    ]
    if problems:
        raise DataError(*problems)
    kept = given.filter(pl.col("session") >= levels["session"][0]).group_by("session", maintain_order=True)
    left = kept.agg(_left=(1 - pl.col("cost")).product())
    joined = levels.join(left, on="session", how="left", maintain_order="left")
    share = pl.col("_left").fill_null(1.0).cum_prod()
    return joined.with_columns(after_costs=pl.col("level") * share).drop("_left")


def returns_after_costs(levels: pl.DataFrame) -> pl.DataFrame:
    """What costs left of the return since the base of each variant.

    Args:
        levels: session, variant, level, after_costs.

    Returns:
        variant, period (``Since base p.a.``, or ``Since base`` up to one year), gross, after_costs: fractions.
    """
    rows = [
        (variant, whole["period"][-1], whole["return"][-1], left["return"][-1])
        for (variant,), part in levels.partition_by("variant", as_dict=True, maintain_order=True).items()
        for whole in [trailing_returns(part.select("session", "level"))]
        for left in [trailing_returns(part.select("session", level="after_costs"))]
    ]
    numbers = dict.fromkeys(["gross", "after_costs"], pl.Float64)
    return pl.DataFrame(rows, {"variant": pl.String, "period": pl.String, **numbers}, orient="row")
