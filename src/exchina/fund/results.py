"""What a tracked fund has been, as tables: by year, since launch, and its holdings."""

from typing import TypedDict

import numpy as np
import polars as pl

from exchina.analytics.performance import DAYS_PER_YEAR, SESSIONS_PER_YEAR
from exchina.fund.accounts import COLUMNS, Accounts
from exchina.fund.attribution import PARTS, over

FEWEST = 20
WHOLE = "since launch"
PER_YEAR = "since launch, a year"


class Figures(TypedDict):
    """A fund beside its benchmark since launch; None where it cannot be told.

    ``tracking_difference``: (F_T)^(1/y) - (R_T)^(1/y), growth since launch, y years of 365.25 days; None below one.
    ``tracking_error``: standard deviation (n - 1) of the daily differences x sqrt(252); None below 20 of them.
    """

    fund: float
    benchmark: float
    years: float
    tracking_difference: float | None
    tracking_error: float | None
    net_assets: float
    nav_per_share: float
    distributed: float
    costs_bp_a_year: float
    turnover_a_year: float


def figures(kept: Accounts, daily: pl.DataFrame) -> Figures:
    """What stands at the head of a fund's report.

    ``distributed`` is the sum of distributions a share; ``costs_bp_a_year`` are the costs of trades and
    ``turnover_a_year`` purchases and sales together, both over net assets, per year.
    """
    whole, years = over(daily), _years(kept)
    base = kept.columns["base"][1:]
    difference = daily["difference"].to_numpy()
    error = float(np.std(difference, ddof=1) * np.sqrt(SESSIONS_PER_YEAR)) if len(difference) > 1 else None
    annual = _annual(1 + whole["fund"], years) - _annual(1 + whole["benchmark"], years) if years >= 1 else None
    return {
        "fund": whole["fund"],
        "benchmark": whole["benchmark"],
        "years": years,
        "tracking_difference": annual,
        "tracking_error": error if len(difference) >= FEWEST else None,
        "net_assets": float(kept.columns["nav"][-1]),
        "nav_per_share": float(kept.nav_per_share[-1]),
        "distributed": float(kept.columns["distribution"].sum()),
        "costs_bp_a_year": float((kept.columns["cost"][1:] / base).sum()) / years * 1e4,
        "turnover_a_year": float((kept.columns["traded"][1:] / base).sum()) / years,
    }


def periods(kept: Accounts, daily: pl.DataFrame) -> pl.DataFrame:
    """The difference in parts, by calendar year and since launch.

    Returns:
        period, fund, benchmark, difference, then one column a part: each row sums to its difference. The row of the
        average year has the annualised returns; its parts are those since launch, scaled to its difference.
    """
    years = daily.with_columns(_year=pl.col("session").dt.year()).partition_by("_year", maintain_order=True)
    rows = [{"period": str(part["_year"][0]), **_row(part)} for part in years]
    whole = _row(daily)
    rows.append({"period": WHOLE, **whole})
    span = _years(kept)
    if span >= 1 and whole["difference"]:
        fund, benchmark = (_annual(1 + whole[name], span) - 1 for name in ("fund", "benchmark"))
        scale = (fund - benchmark) / whole["difference"]
        parts = {name: whole[name] * scale for name in PARTS}
        rows.append({"period": PER_YEAR, "fund": fund, "benchmark": benchmark, "difference": fund - benchmark, **parts})
    return pl.DataFrame(rows)


def _row(part: pl.DataFrame) -> dict[str, float]:
    made = over(part)
    return {name: made[name] for name in ("fund", "benchmark", "difference")} | made["parts"]


def _years(kept: Accounts) -> float:
    return (kept.path.sessions[-1] - kept.path.sessions[0]).days / DAYS_PER_YEAR


def _annual(growth: float, years: float) -> float:
    return growth ** (1 / years)


def days(kept: Accounts) -> pl.DataFrame:
    """session, nav_per_share and every column of `exchina.fund.accounts.COLUMNS`, one row a session."""
    table = {"session": kept.path.sessions, "nav_per_share": kept.nav_per_share}
    return pl.DataFrame({**table, **{name: kept.columns[name] for name in COLUMNS}})


def holdings(kept: Accounts) -> pl.DataFrame:
    """symbol, shares, value (fund currency) and weight of net assets of each line after the last close, by weight."""
    shares = kept.holdings[-1][1]
    value = shares * kept.path.worth[-1]
    assets = float(kept.columns["nav"][-1] + kept.columns["flow"][-1])
    table = pl.DataFrame({"symbol": kept.path.symbols, "shares": shares, "value": value, "weight": value / assets})
    return table.filter(pl.col("shares") > 0).sort("weight", "symbol", descending=[True, False])
