"""PURE. From a vendor's adjusted bars to closes as they were traded, in the units of our tables."""

from dataclasses import replace

import numpy as np
import polars as pl

from exchina.market.live.source import History

MINOR = {"GBp": ("GBP", 0.01), "GBX": ("GBP", 0.01), "ZAc": ("ZAR", 0.01), "ZAC": ("ZAR", 0.01), "ILA": ("ILS", 0.01)}
NOISE = 1.2e-7  # of a number kept in single precision: two units in its last place
VENDOR_DECIMALS = 6  # to which vendors round adjusted prices
MOST_DECIMALS = 8


def money_unit(code: str) -> tuple[str, float]:
    """Currency and unit behind a vendor's currency code.

    Example:
        >>> money_unit("GBp"), money_unit("AUD")
        (('GBP', 0.01), ('AUD', 1.0))
    """
    return MINOR.get(code, (code, 1.0))


def as_traded(history: History) -> History:
    """The history with adjustments for splits undone: closes, volumes and dividends in the shares of their own day.

    R(t) = product of the ratios of all splits with an ex-date after t; close and dividend are times R(t), the volume is
    divided by it. What single precision added is rounded off (`off_noise`). Rows without a positive close are left out.
    """
    bars = history.bars.filter(pl.col("close").is_finite() & (pl.col("close") > 0)).sort("session")
    bars = bars.unique("session", keep="last", maintain_order=True)
    dividends = history.dividends.filter(pl.col("amount").is_finite() & (pl.col("amount") > 0)).sort("ex_date")
    later = [later_splits(history, days) for days in (bars["session"], dividends["ex_date"])]
    closes, amounts = bars["close"] * later[0], dividends["amount"] * later[1]
    return replace(
        history,
        bars=bars.with_columns(close=off_noise(closes, later[0]), volume=(bars["volume"] / later[0]).round()),
        dividends=dividends.with_columns(amount=off_noise(amounts, later[1])),
        adjusted_for="nothing",
    )


def later_splits(history: History, days: pl.Series) -> pl.Series:
    """For each day the product of the ratios of the splits after it; 1 where nothing is adjusted."""
    splits = history.splits.sort("ex_date")
    if history.adjusted_for == "nothing" or splits.is_empty():
        return pl.Series(np.ones(len(days)))
    products = np.append(np.cumprod(splits["ratio"].to_numpy()[::-1])[::-1], 1.0)
    after = np.searchsorted(splits["ex_date"].to_numpy(), days.to_numpy(), side="right")
    return pl.Series(products[after])


def off_noise(values: pl.Series, scale: pl.Series | None = None) -> pl.Series:
    """Each value as the shortest decimal within the noise of single precision, or of the vendor's own rounding.

    Args:
        values: noisy positive numbers.
        scale: what the vendor's numbers were multiplied by; 1 if not given.

    Example:
        >>> off_noise(pl.Series([43.47999954223633, 0.003500000108033419, 9.1])).to_list()
        [43.48, 0.0035, 9.1]
    """
    rounding = 0.51 * 10.0**-VENDOR_DECIMALS
    kept_by = pl.Series(np.ones(len(values))) if scale is None else scale
    frame = pl.DataFrame({"x": values.cast(pl.Float64), "k": kept_by.cast(pl.Float64)})
    x = pl.col("x")
    # a vendor's decimals only excuse what they can: never more than a thousandth of a price step of a penny share
    noise = pl.max_horizontal(x.abs() * NOISE, pl.min_horizontal(pl.col("k") * rounding, x.abs() * 1e-5))
    short = [pl.when((x.round(n) - x).abs() <= noise).then(x.round(n)) for n in range(MOST_DECIMALS + 1)]
    return frame.select(x=pl.coalesce(*short, x))["x"]


def in_major(values: pl.Series, unit: float) -> pl.Series:
    """Values in the currency itself: pence divided by 100, so that 123.45 pence are exactly the float 1.2345."""
    return values if unit == 1 else pl.Series(values.to_numpy() / round(1 / unit))  # polars would multiply by 0.01
