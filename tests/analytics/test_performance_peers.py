"""Our figures beside quantstats on the same series; docs/guides/performance-figures.md says which are the same."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from exchina.analytics.downside import downside, drawdowns, rolling_volatility
from exchina.analytics.honesty.sharpe import Track, probabilistic_sharpe, track
from exchina.analytics.performance import risk
from exchina.analytics.relative import relative

pytestmark = pytest.mark.filterwarnings("ignore")  # those of quantstats and what it imports
CLOSE = 1e-10


@pytest.fixture(scope="module")
def said(root: Path) -> dict[tuple[str, str], bool]:
    """(figure, quantstats' name) -> whether the guide says that they are the same."""
    lines = (root / "docs" / "guides" / "performance-figures.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    assert {row[2] for row in cells} == {"same", "differs"}
    return {(row[0], row[1]): row[2] == "same" for row in cells}


@pytest.fixture(scope="module")
def levels() -> tuple[pl.DataFrame, pl.DataFrame]:
    """A series and its benchmark over 700 weekdays, cut short at both ends of a month."""
    rng = np.random.default_rng(86)
    days = [day for n in range(1100) if (day := date(2023, 3, 14) + timedelta(days=n)).weekday() < 5][:700]
    moves = 0.0005 + 0.011 * rng.standard_t(4, (699, 2)) @ np.array([[1, 0.3], [0, 0.8]])
    series = [np.append(1000, 1000 * np.cumprod(1 + column)) for column in moves.T]
    one, other = (pl.DataFrame({"session": days, "level": values}) for values in series)
    return one, other


def pairs(levels: pl.DataFrame, benchmark: pl.DataFrame) -> dict[tuple[str, str], tuple[Any, Any, Callable[..., Any]]]:
    """Figure -> ours, quantstats', and what turns ours into theirs where they differ."""
    quantstats = pytest.importorskip("quantstats", reason="compares with quantstats, which is not installed")
    pandas = pytest.importorskip("pandas")
    qs, days = quantstats.stats, pandas.DatetimeIndex(levels["session"][1:].to_list())
    r, b = (pandas.Series(one["level"].pct_change()[1:].to_numpy(), days) for one in (levels, benchmark))
    n, bad, beside = len(r), downside(levels), relative(levels, benchmark)
    record = track(r.to_numpy())
    whole = r["2023-04":"2025-10"]
    unbiased = Track(record.sr, stats.skew(r, bias=False), stats.kurtosis(r, bias=False) + 3, n)
    q = stats.norm.ppf(0.05)
    gaussian = (r.mean() + r.std() * q, r.mean() - r.std() * stats.norm.pdf(q) / 0.05)
    details = qs.drawdown_details(qs.to_drawdown_series(r))["max drawdown"].sort_values().to_numpy() / 100
    deepest = drawdowns(levels, deepest=1000)["depth"].to_numpy()
    rolling = rolling_volatility(levels, sessions=126)["volatility"].to_numpy()
    yearly = float((1 + r).prod() ** (252 / n) - 1)
    whole_months = qs.worst(whole, aggregate="ME")
    return {
        ("volatility_since_base", "volatility"): (risk(levels)["volatility_since_base"], qs.volatility(r), same),
        ("max_drawdown", "max_drawdown"): (risk(levels)["max_drawdown"], qs.max_drawdown(r), same),
        ("downside_deviation", "sortino"): (bad["downside_deviation"], r.mean() * 252 / qs.sortino(r), same),
        ("rolling_volatility", "rolling_volatility"): (rolling, qs.rolling_volatility(r).dropna().to_numpy(), same),
        ("beta", "greeks"): (beside["beta"], qs.greeks(r, b)["beta"], same),
        ("correlation", "r_squared"): ((beside["correlation"] or 0) ** 2, qs.r_squared(r, b), same),
        ("drawdowns.depth", "drawdown_details"): (deepest, details, same),
        ("return_per_year", "cagr"): (bad["return_per_year"], qs.cagr(r), lambda _: yearly),
        ("calmar", "calmar"): (bad["calmar"], qs.calmar(r), lambda x: x * yearly / bad["return_per_year"]),
        ("information_ratio", "information_ratio"): (
            beside["information_ratio"],
            qs.information_ratio(r, b),
            lambda x: x / np.sqrt(252),
        ),
        ("ulcer_index", "ulcer_index"): (
            bad["ulcer_index"],
            qs.ulcer_index(r),
            lambda x: x * np.sqrt((n + 1) / (n - 1)),
        ),
        ("value_at_risk", "value_at_risk"): (bad["value_at_risk"], qs.value_at_risk(r), lambda _: gaussian[0]),
        ("expected_shortfall", "conditional_value_at_risk"): (
            bad["expected_shortfall"],
            qs.conditional_value_at_risk(r),
            lambda _: gaussian[1],
        ),
        ("worst_month", "worst"): (
            bad["worst_month"],
            qs.worst(r, aggregate="ME"),
            lambda x: min(x, *(float((1 + r[month]).prod() - 1) for month in ("2023-03", "2025-11"))),
        ),
        ("psr", "probabilistic_sharpe_ratio"): (
            probabilistic_sharpe(record),
            qs.probabilistic_sharpe_ratio(r),
            lambda _: probabilistic_sharpe(unbiased),
        ),
        ("worst_month", "whole months"): (bad["worst_month"], whole_months, same),
        ("expected_shortfall", "historical"): (
            bad["expected_shortfall"],
            qs.conditional_value_at_risk(r, method="historical"),
            same,
        ),
    }


def same(figure: Any) -> Any:
    return figure


def test_every_figure_is_the_same_or_differs_as_the_guide_says(
    levels: tuple[pl.DataFrame, pl.DataFrame], said: dict[tuple[str, str], bool]
) -> None:
    compared = pairs(*levels)
    assert said.keys() <= compared.keys()
    assert len(compared.keys() - said.keys()) == 2
    for names, (ours, theirs, turned) in compared.items():
        np.testing.assert_allclose(turned(ours), theirs, rtol=CLOSE, err_msg=str(names))
        if said.get(names, True):
            assert turned is same, names
        else:
            assert turned is not same, names
            assert names == ("worst_month", "worst") or not np.allclose(ours, theirs, rtol=1e-8), names
