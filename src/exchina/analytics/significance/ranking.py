"""Ranks within a security: the estimation residuals once, then as many event values as a test puts among them."""

import numpy as np

from exchina.analytics.significance.outcome import FloatArray


def average_ranks(values: FloatArray) -> FloatArray:
    """Rank of each value within its column, from 1, ties averaged.

    Args:
        values: (T, N), NaN where missing.

    Returns:
        (T, N), NaN where missing.
    """
    rows = np.ascontiguousarray(values.T)
    order = rows.argsort(axis=1)
    ordered = np.take_along_axis(rows, order, axis=1)
    places = np.broadcast_to(np.arange(1.0, rows.shape[1] + 1), rows.shape).copy()
    fresh = np.ones(rows.shape, bool)
    fresh[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    tied = np.flatnonzero(~fresh.all(axis=1))
    places[tied] = _averaged(fresh[tied])
    places[np.isnan(ordered)] = np.nan
    ranks = np.empty_like(places)
    np.put_along_axis(ranks, order, places, axis=1)
    return np.ascontiguousarray(ranks.T)


def with_events(values: FloatArray, ranks: FloatArray, events: FloatArray) -> FloatArray:
    """Ranks among estimation and event values together, each divided by the number of them plus one.

    Args:
        values: (T, N) estimation values, NaN where missing.
        ranks: (T, N) their ranks among themselves.
        events: (L, N) event values, NaN where missing.

    Returns:
        (T + L, N) between 0 and 1, NaN where missing.
    """
    raised = ranks.copy()
    among = np.where(np.isfinite(events), 0.5, np.nan)
    for place, event in enumerate(events):
        raised += values > event
        among[place] += np.count_nonzero(values < event, axis=0)
        equal = values == event
        if equal.any():
            raised += 0.5 * equal
            among[place] += 0.5 * equal.sum(axis=0)
        among += (events > event) + 0.5 * (events == event)
    counts = np.isfinite(values).sum(axis=0) + np.isfinite(events).sum(axis=0)
    return np.vstack([raised, among]) / (counts + 1)


def _averaged(fresh: np.ndarray) -> FloatArray:
    """Averaged places where ``fresh`` marks the first of each group of equals, along each row."""
    width = fresh.shape[1]
    places = np.arange(width)
    first = np.maximum.accumulate(np.where(fresh, places, 0), axis=1)
    ends = np.ones(fresh.shape, bool)
    ends[:, :-1] = fresh[:, 1:]
    last = np.minimum.accumulate(np.where(ends, places, width)[:, ::-1], axis=1)[:, ::-1]
    return (first + last) / 2 + 1.0
