"""Levels of a fixed-weight index: index shares are set at each review's close and held until the next.

    MV_t = sum_i q_i V_it,   I_t = MV_t / D,   q_i = w_i MV_t / V_it at a review

A review changes shares, not value: MV before equals MV after, so the divisor D stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from exchina.calculation.values import Values
from exchina.errors import DataError, Problem

NOTIONAL = 1e9


@dataclass(frozen=True)
class Chain:
    """The result of chaining baskets.

    Attributes:
        levels: session, level (index points, unrounded).
        divisor: session, divisor, market_value, cause.
        shares: session (of the reset), symbol, index_shares, weight.
        turnover: session, one_way: 0.5 sum |w_new - w_drifted|, both at that close.
    """

    levels: pl.DataFrame
    divisor: pl.DataFrame
    shares: pl.DataFrame
    turnover: pl.DataFrame


def chain(values: Values, resets: Sequence[tuple[date, Mapping[str, float]]], base_value: float) -> Chain:
    """Chain baskets into levels.

    Args:
        values: unit values on every index session from the first reset on.
        resets: effective day and target weights by symbol (sum 1) of each review, oldest first; the first is the base.
        base_value: level at the close of the first reset, index points.

    Raises:
        DataError: a member has no price at the close at which its shares are set.
    """
    rows = [values.row(day) for day, _ in resets]
    market_value = np.full(len(values.sessions), np.nan)
    market_value[rows[0]] = NOTIONAL
    shares: list[pl.DataFrame] = []
    turnover: list[tuple[date, float]] = []
    held: dict[str, float] = {}
    for (day, weights), start, end in zip(resets, rows, [*rows[1:], len(values.sessions) - 1], strict=True):
        if held:
            turnover.append((day, one_way_turnover(weights, _weights_at(values, held, start))))
        held = _shares(values, weights, start, float(market_value[start]))
        market_value[start + 1 : end + 1] = _worth(values, held)[start + 1 : end + 1]
        shares.append(_share_rows(day, held, weights))
    divisor = NOTIONAL / base_value
    first = rows[0]
    return Chain(
        pl.DataFrame({"session": values.sessions[first:], "level": market_value[first:] / divisor}),
        pl.DataFrame({"session": [resets[0][0]], "divisor": [divisor], "market_value": [NOTIONAL], "cause": ["base"]}),
        pl.concat(shares),
        pl.DataFrame(turnover, {"session": pl.Date, "one_way": pl.Float64}, orient="row"),
    )


def drifted_weights(values: Values, weights: Mapping[str, float], since: date, day: date) -> dict[str, float]:
    """Weights set at the close of one day, as prices have moved them by the close of another."""
    held = _shares(values, weights, values.row(since), 1.0)
    return _weights_at(values, held, values.row(day))


def one_way_turnover(new: Mapping[str, float], drifted: Mapping[str, float]) -> float:
    """0.5 sum |w_new - w_drifted| over all lines.

    Example:
        >>> one_way_turnover({"a": 0.5, "b": 0.5}, {"a": 0.7, "c": 0.3})
        0.5
    """
    names = sorted({*new, *drifted})
    return 0.5 * sum(abs(new.get(name, 0.0) - drifted.get(name, 0.0)) for name in names)


def _shares(values: Values, weights: Mapping[str, float], row: int, worth: float) -> dict[str, float]:
    names = sorted(weights)
    unit = values.of(names)[row]
    missing = [name for name, value in zip(names, unit, strict=True) if not np.isfinite(value)]
    if missing:
        day = values.sessions[row]
        hint = "bring prices of that line into the market, or screen the company out"
        raise DataError(
            *(Problem(f"{name} on {day}", "a member has no close by its effective day", hint) for name in missing)
        )
    return {name: weights[name] * worth / value for name, value in zip(names, unit.tolist(), strict=True)}


def _worth(values: Values, held: Mapping[str, float]) -> NDArray[np.float64]:
    """sum_i q_i V_it for every session, lines in alphabetical order, so that the sum never depends on threads."""
    names = list(held)
    return np.ascontiguousarray(values.of(names) * np.array([held[name] for name in names])).sum(axis=1)


def _weights_at(values: Values, held: Mapping[str, float], row: int) -> dict[str, float]:
    names = list(held)
    worth = values.of(names)[row] * np.array([held[name] for name in names])
    return dict(zip(names, (worth / worth.sum()).tolist(), strict=True))


def _share_rows(day: date, held: Mapping[str, float], weights: Mapping[str, float]) -> pl.DataFrame:
    names = list(held)
    return pl.DataFrame(
        {"session": day, "symbol": names, "index_shares": list(held.values()), "weight": [weights[n] for n in names]}
    )
