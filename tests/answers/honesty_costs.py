"""Worked answers on costs and capacity: case id -> what answers it, inputs -> produced by the keys of ``expected``.

The inputs of H13 are not among the shared cases: its names follow those of the cases that are. A name that is not known
here fails by name.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from exchina.analytics import capacity, costs

Given = dict[str, Any]
NO_TAX = 0.0


def turnover(given: Given) -> Given:
    """H12: turnover against drifted weights, its cost and the annual drag."""
    drifted = costs.drifted_weights(np.array(given["old_target"], float), np.array(given["returns_since"], float))
    new = np.array(given["new_target"], float)
    dealing = (np.array(given["half_spread_bp"], float) + given["commission_bp"] + NO_TAX) * costs.BP
    cost = costs.dealing_cost(new, drifted, costs.Rates(dealing, dealing))
    yearly = costs.annual_drag(np.full(given["rebalances_per_year"], cost), 1.0)
    return {
        "drifted": drifted.tolist(),
        "one_way_turnover": costs.one_way_turnover(new, drifted),
        "two_way": costs.two_way_turnover(new, drifted),
        "cost_bp_of_nav": cost / costs.BP,
        "annual_drag_bp": yearly / costs.BP,
    }


def named(given: Given, *names: str) -> Any:
    """The value under the one of these names that the inputs hold."""
    found = [name for name in names if name in given]
    if not found:
        raise KeyError(f"H13 holds none of {', '.join(names)}: {', '.join(given)}")
    return given[found[0]]


def room(given: Given) -> Given:
    """H13: both capacities of one trade, the line that binds, its impact and the days to leave."""
    traded = np.abs(
        np.array(named(given, "dw", "abs_dw", "delta_w", "weight_change", "weight_changes", "traded"), float)
    )
    adv = np.array(named(given, "adv_usd", "adv", "ADV"), float)
    sigma = np.array(named(given, "sigma", "sigma_daily", "daily_volatility", "daily_vol"), float)
    y = float(named(given, "Y", "y", "impact_coefficient"))
    terms = capacity.Terms(
        participation=named(given, "participation", "p"),
        sessions=named(given, "days", "D", "sessions"),
        cost_limit=named(given, "cost_limit_bp", "limit_bp", "c_bp") * costs.BP,
    )
    found = capacity.limit(traded, adv, sigma, y, terms)
    assert found is not None
    answered: Given = {
        "capacity_cost_limit_usd": found.at_cost_usd,
        "capacity_participation_usd": found.at_participation_usd,
        "capacity_usd": found.usd,
        "binding": found.binding,
        "binding_index": found.binding,
    }
    if {"aum_usd", "aum", "A", "fund_usd"} & set(given):
        fund = float(named(given, "aum_usd", "aum", "A", "fund_usd"))
        weights = np.array(named(given, "weights", "w", "weight", "target"), float)
        answered["impact_bp_of_nav"] = costs.impact_cost(traded, fund, adv, sigma, y) / costs.BP
        answered["days_to_liquidate"] = capacity.days_to_trade(weights, fund, adv, terms.participation).tolist()
    return answered


ANSWERED: dict[str, Callable[[Given], Given]] = {"H12": turnover, "H13": room}
