"""Why a fund and its benchmark differ: the difference of each session, and of a period, in parts that sum to it.

With F the fund's return a session (distributions reinvested), R that of its benchmark, G of the gross index, M of the
replicating portfolio by the conventions of the index, X of the portfolio as it is traded, B the net assets it starts
from and E the value of the shares it holds then:

    sampling      E (M - G) / B               other weights than the index
    timing        E (X - M) / B               traded on other days, dividends reinvested on other days
    lots          (dE + dividends) / B - E X / B      whole shares
    cash          -(B - E - O) G / B + interest / B   what is neither invested nor in open forwards O
    withholding   -tax / B + (G - N)          tax on dividends beyond what the benchmark bears
    hedge         (gain - O G) / B - (R - N)  of forwards beyond those of the benchmark; N is R before its hedge
    fee, lending, costs, swing                as booked, / B

    F - R = sum of the parts, each session, to rounding

Over a period, with F_t and R_t the growth since its start, part k counts F_{t-1} (R_T / R_t) k_t: those sum to
F_T - R_T exactly, since F_t R_T / R_t telescopes. So nothing is left over and no order of the parts matters.
"""

from typing import TypedDict

import numpy as np
import polars as pl

from exchina.fund.accounts import Accounts
from exchina.fund.path import FloatArray, gross_growth

PARTS = ("fee", "withholding", "cash", "sampling", "lots", "timing", "costs", "lending", "hedge", "swing")


def growth(levels: FloatArray) -> FloatArray:
    """(n,) L_t / L_{t-1} - 1; the first is 0."""
    return np.concatenate([[0.0], levels[1:] / levels[:-1] - 1])


def returns(kept: Accounts) -> FloatArray:
    """(n,) F: what a share earned each session, distributions reinvested at the NAV of their ex-date."""
    found = kept.columns
    whole = found["nav"] + found["distribution"] * found["outstanding"]
    return np.concatenate([[0.0], whole[1:] / found["base"][1:] - 1])


def daily_parts(kept: Accounts) -> pl.DataFrame:
    """session, fund and benchmark return, difference, and one column a part of `PARTS`; the launch is left out."""
    path, found = kept.path, {name: column[1:] for name, column in kept.columns.items()}
    base, opened = found["base"], found["opened"]
    gross, model, index = gross_growth(path)[1:], growth(path.model)[1:], growth(path.index_gross)[1:]
    benchmark = growth(path.benchmark)[1:]
    plain = benchmark if path.unhedged is None else growth(path.unhedged)[1:]
    open_forwards = np.where(path.hedge_rolls[:-1], 0.0, kept.columns["forwards"][:-1])
    parts = {
        "fee": -found["fee"] / base,
        "withholding": -found["tax"] / base + index - plain,
        "cash": (found["interest"] - (base - opened - open_forwards) * index) / base,
        "sampling": opened * (model - index) / base,
        "lots": (found["equity"] - opened + found["dividends"] - opened * gross) / base,
        "timing": opened * (gross - model) / base,
        "costs": -found["cost"] / base,
        "lending": found["lending"] / base,
        "hedge": (found["hedge"] - open_forwards * index) / base - (benchmark - plain),
        "swing": found["swing"] / base,
    }
    fund = returns(kept)[1:]
    head = {"session": path.sessions[1:], "fund": fund, "benchmark": benchmark, "difference": fund - benchmark}
    return pl.DataFrame({**head, **{name: parts[name] for name in PARTS}})


class Period(TypedDict):
    """Growth of a fund and of its benchmark over a period, and what each part added to the difference."""

    fund: float
    benchmark: float
    difference: float
    parts: dict[str, float]


def over(daily: pl.DataFrame) -> Period:
    """The difference over a period: F_T - R_T and sum_t F_{t-1} (R_T / R_t) k_t of each part.

    Args:
        daily: rows of `daily_parts`, consecutive.

    Example:
        A fund that pays a fee of 0.01 % on each of two sessions, on an index that rises 10 % and falls 10 %:

        >>> rows = {"fund": [0.0999, -0.1001], "benchmark": [0.1, -0.1]} | dict.fromkeys(PARTS, [0.0, 0.0])
        >>> made = over(pl.DataFrame(rows | {"fee": [-0.0001, -0.0001]}))
        >>> round(made["difference"], 10) == round(made["parts"]["fee"], 10) == -0.00019999
        True
    """
    fund, benchmark = (np.cumprod(1 + daily[name].to_numpy()) for name in ("fund", "benchmark"))
    scale = np.concatenate([[1.0], fund[:-1]]) * benchmark[-1] / benchmark
    parts = {name: float((daily[name].to_numpy() * scale).sum()) for name in PARTS}
    return {
        "fund": float(fund[-1] - 1),
        "benchmark": float(benchmark[-1] - 1),
        "difference": float(fund[-1] - benchmark[-1]),
        "parts": parts,
    }
