"""The shock to sellers of NdPr and projects passed on to the other members, E[r | f], beside the worksheet."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from exchina.analytics.stress.firms import PROJECT, SELLER
from exchina.analytics.stress.floor import FloatArray
from exchina.analytics.stress.propagation import covariance_of, propagated
from exchina.analytics.stress.weekly import FEWEST_WEEKS

SIDES = ("with", "without", "with_floor")


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A worksheet's index figure firm by firm, and with the others as their past with the sellers says.

    Attributes:
        isolated_with: index shock, each firm by its own worksheet, with measures; isolated_without: without;
            isolated_with_floor: with measures and the scenario's own floor, None where it brings none.
        propagated_with: sellers and projects by their worksheet, the others E[r | these], with measures.
        propagated_without, propagated_with_floor: the same without, and with that floor.
        missing: weight without a propagated figure (fewer than 26 weeks in common).
        note: why there is no figure; None if there is one.
    """

    isolated_with: float | None = None
    isolated_without: float | None = None
    isolated_with_floor: float | None = None
    propagated_with: float | None = None
    propagated_without: float | None = None
    propagated_with_floor: float | None = None
    missing: float = 1.0
    note: str | None = None


def passed_on(companies: pl.DataFrame, weekly: FloatArray) -> PassedOn:
    """One factor, sellers and projects at their weights: f is their shock, E[r_i | f] = cov(r_i, f) / var(f) x f.

    Args:
        companies: `exchina.analytics.stress.worksheet.Worksheet.companies`.
        weekly: (T, n) weekly returns of the same firms in the same order.
    """
    own = {side: companies[f"cash_flow_{side}"].fill_null(float("nan")).to_numpy() for side in SIDES}
    weight = companies["weight"].to_numpy()
    upstream = companies["kind"].is_in([SELLER, PROJECT]).fill_null(value=False).to_numpy() & np.isfinite(own["with"])
    factor = _portfolio(weekly[:, upstream], weight[upstream])
    if np.isfinite(factor).sum() < FEWEST_WEEKS:
        return PassedOn(note=f"fewer than {FEWEST_WEEKS} weeks of returns of the members upstream")
    betas = np.array([_beta(weekly[:, place], factor) for place in range(len(weight))])
    known = upstream | np.isfinite(betas)
    found = dict[str, float]()
    for side in SIDES:
        if not np.isfinite(own[side]).any():
            continue
        shock = float(np.sum(weight[upstream] * own[side][upstream]) / np.sum(weight[upstream]))
        moved = np.where(upstream, own[side], np.maximum(-1.0, betas * shock))
        here = np.isfinite(own[side])
        found[f"isolated_{side}"] = float(np.sum(weight[here] * own[side][here]) / np.sum(weight[here]))
        found[f"propagated_{side}"] = float(np.sum(weight[known] * moved[known]) / np.sum(weight[known]))
    return replace(PassedOn(missing=float(np.sum(weight[~known]))), **found)


def _portfolio(returns: FloatArray, weight: FloatArray) -> FloatArray:
    """Weighted mean of the names that have a return that week; NaN where less than half of the weight has one."""
    has = np.isfinite(returns)
    there = (has * weight).sum(axis=1)
    enough = there >= 0.5 * weight.sum() if weight.size else np.zeros(len(returns), bool)
    total = np.where(has, returns * weight, 0.0).sum(axis=1)
    return np.where(enough & (there > 0), total / np.where(there > 0, there, 1.0), np.nan)


def _beta(returns: FloatArray, factor: FloatArray) -> float:
    both = np.column_stack([returns, factor])
    if np.isfinite(both).all(axis=1).sum() < FEWEST_WEEKS:
        return float("nan")
    s = covariance_of(both)
    return float(propagated(s[:1, 1:], s[1:, 1:], np.ones(1))[0])
