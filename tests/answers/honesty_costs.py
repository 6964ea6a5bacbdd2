"""Worked answers on costs and capacity: case id -> what answers it, inputs -> produced by the keys of ``expected``.

The inputs of H13 are not among the shared cases: its names follow those of the cases that are. A name that is not known
here fails by name.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from exchina.analytics import capacity, costs
from tests.answers.compare import Either
from tests.answers.given import Given, columns, given, watched

Answer = dict[str, Any]
NO_TAX = 0.0


def turnover(inputs: Given) -> Answer:
    """H12: turnover against drifted weights, its cost and the annual drag."""
    drifted = costs.drifted_weights(np.array(inputs["old_target"], float), np.array(inputs["returns_since"], float))
    new = np.array(inputs["new_target"], float)
    dealing = (np.array(inputs["half_spread_bp"], float) + inputs["commission_bp"] + NO_TAX) * costs.BP
    cost = costs.dealing_cost(new, drifted, costs.Rates(dealing, dealing))
    yearly = costs.annual_drag(np.full(inputs["rebalances_per_year"], cost), 1.0)
    return {
        "drifted": drifted.tolist(),
        "one_way_turnover": costs.one_way_turnover(new, drifted),
        "two_way": costs.two_way_turnover(new, drifted),
        "cost_bp_of_nav": cost / costs.BP,
        "annual_drag_bp": yearly / costs.BP,
    }


WEIGHTS = ("weights", "w", "weight", "target", "target_weights", "new_target", "target_weight")
FUND = ("aum_usd", "aum", "A", "fund_usd", "fund", "fund_size", "fund_size_usd", "aum_musd", "assets_usd", "nav_usd")
TRADED = (
    *("dw", "abs_dw", "delta_w", "weight_change", "weight_changes", "traded", "trade", "trades", "delta_weights"),
    *("dweights", "traded_weight", "traded_weights", "weight_traded", "trade_weights", "change"),
)
OLD = ("old_target", "old_weights", "old", "old_weight", "weights_before", "current_weights", "drifted", "w_old")
NEW = (
    "new_target",
    "new_weights",
    "new",
    "new_weight",
    "weights_after",
    "target_weights",
    "target",
    "w_new",
    "weights",
)
ADV = ("adv_usd", "adv", "ADV", "adv_musd", "median_adv_usd", "median_adv", "average_daily_volume_usd", "adv_60d_usd")
SIGMA = ("sigma", "sigma_daily", "daily_volatility", "daily_vol", "volatility", "daily_sigma", "vol", "vol_daily", "sd")
COEFFICIENT = ("Y", "y", "impact_coefficient", "coefficient", "Y_impact", "impact_y", "impact")
SHARE = ("participation", "p", "participation_rate", "max_participation", "participation_limit", "participation_cap")
SESSIONS = ("days", "D", "sessions", "trading_days", "n_days", "max_days", "horizon_days", "days_to_trade")
LIMIT_BP = (
    "cost_limit_bp",
    "limit_bp",
    "c_bp",
    "max_cost_bp",
    "impact_limit_bp",
    "cost_bp",
    "max_impact_bp",
    "budget_bp",
)
LIMIT = ("cost_limit", "c", "impact_limit", "limit", "max_cost")


def room(inputs: Given) -> Answer:
    """H13: both capacities of one trade, the line that binds, its impact and the days to leave."""
    inputs = columns(inputs)
    traded = changes(inputs)
    adv, sigma = (np.array(given(inputs, *names), float) for names in (ADV, SIGMA))
    y = float(given(inputs, *COEFFICIENT))
    in_bp = given(inputs, *LIMIT_BP, default=None)
    cost_limit = in_bp * costs.BP if in_bp is not None else given(inputs, *LIMIT)
    cost_limit = cost_limit * costs.BP if cost_limit >= 1 else cost_limit
    terms = capacity.Terms(
        participation=given(inputs, *SHARE), sessions=given(inputs, *SESSIONS), cost_limit=cost_limit
    )
    found = capacity.limit(traded, adv, sigma, y, terms)
    assert found is not None
    ids = given(inputs, "ids", "id", "names", "symbols", "tickers", "symbol", "ticker", "name", default=None)
    binding = [found.binding, found.by, *([ids[found.binding]] if ids else [])]
    slowest = [found.slowest, *([ids[found.slowest]] if ids else [])]
    each = terms.participation * adv * terms.sessions / np.where(traded > 0, traded, np.nan)
    answer: Answer = {
        **spelled_out(("cost_limit", "impact", "cost", "at_cost_limit", "at_cost", "impact_limit"), found.at_cost_usd),
        **spelled_out(("participation", "at_participation", "participation_limit"), found.at_participation_usd),
        **spelled_out(("", "smaller", "smallest", "min", "binding"), found.usd),
        **dict.fromkeys(("binding", "binding_security", "binding_name", "binding_id"), Either(*reversed(binding))),
        **dict.fromkeys(("binding_index", "binding_security_index"), found.binding),
        **dict.fromkeys(("binding_constraint", "binding_limit", "binding_rule"), found.by),
        **dict.fromkeys(("binding_participation", "binding_name_participation", "slowest"), Either(*reversed(slowest))),
        **dict.fromkeys(
            ("capacity_by_name", "capacity_by_name_usd", "capacity_each_usd", "capacity_per_name_usd"), each.tolist()
        ),
        "turnover_one_way": float(traded.sum() / 2),
        "dw": traded.tolist(),
    }
    fund = given(inputs, *FUND, default=None)
    if fund is None:
        return answer
    sizes = [of_size(inputs, size, traded, terms) for size in (fund if isinstance(fund, list) else [fund])]
    whole = {name: [one[name] for one in sizes] for name in sizes[0]} if isinstance(fund, list) else sizes[0]
    return answer | whole


def spelled_out(ends: tuple[str, ...], value: float) -> Answer:
    """A capacity under every name that it may have; each also with the unit."""
    names = [f"capacity_{end}".strip("_") for end in ends] + [f"{end}_capacity".strip("_") for end in ends]
    names += [f"aum_{end}".strip("_") for end in ends if end] + [f"A_{end}" for end in ends if end]
    return {f"{name}{unit}": value for name in names for unit in ("", "_usd")}


def changes(inputs: Given) -> np.ndarray:
    """|dw|: as stated, or new target less old, drifted where there are returns since."""
    stated = given(inputs, *TRADED, default=None)
    if stated is not None:
        return np.abs(np.array(stated, float))
    if not any(name in inputs for name in OLD):
        raise KeyError(f"H13 holds none of {', '.join(TRADED)}, nor an old target: {', '.join(inputs)}")
    old, new = (np.array(given(inputs, *names), float) for names in (OLD, NEW))
    since = given(inputs, "returns_since", "returns", default=None)
    return np.abs(new - (old if since is None else costs.drifted_weights(old, np.array(since, float))))


def of_size(inputs: Given, fund: float, traded: np.ndarray, terms: capacity.Terms) -> Answer:
    """What a fund of this size pays and waits."""
    adv, sigma = (np.array(given(inputs, *names), float) for names in (ADV, SIGMA))
    impact = costs.impact_cost(traded, fund, adv, sigma, float(given(inputs, *COEFFICIENT)))
    weights = given(inputs, *WEIGHTS, default=None)
    held = traded if weights is None else np.array(weights, float)
    days = capacity.days_to_trade(held, fund, adv, terms.participation).tolist()
    trade = capacity.days_to_trade(traded, fund, adv, terms.participation).tolist()
    names = ("impact_bp", "impact_bp_of_nav", "impact_cost_bp", "impact_cost_bp_of_nav", "cost_bp", "cost_bp_of_nav")
    return {
        **dict.fromkeys((*names, "impact_bp_at_aum", "impact_cost_bp_at_aum", "impact_bp_nav"), impact / costs.BP),
        **dict.fromkeys(
            ("impact", "impact_cost", "impact_cost_share"), Either(impact, impact / costs.BP, impact * fund)
        ),
        **dict.fromkeys(("impact_usd", "impact_cost_usd", "cost_usd"), impact * fund),
        **dict.fromkeys(("days_to_liquidate", "liquidation_days", "days_to_liquidation"), Either(days, max(days))),
        **dict.fromkeys(("max_days_to_liquidate", "days_to_liquidate_max", "longest_days"), max(days)),
        **dict.fromkeys(("days_to_trade", "trading_days"), Either(trade, max(trade))),
        **dict.fromkeys(("share_of_adv", "participation_at_aum", "Q_over_ADV"), (traded * fund / adv).tolist()),
    }


ANSWERED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"H12": watched(turnover), "H13": watched(room)}
