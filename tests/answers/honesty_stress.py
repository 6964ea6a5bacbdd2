"""Worked answers on stress: case id -> what answers it, inputs -> produced by the keys of ``expected``.

The inputs of H15, H17 and H18 are not among the shared cases: their names follow those of H16 and of the formulas. A
name that is not known here fails by name.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from exchina.analytics.stress import cash_flow
from exchina.analytics.stress.floor import NO_COVER, Cover, floor_payment, floor_value
from exchina.analytics.stress.propagation import isolated, propagated, reverse_stress
from exchina.analytics.stress.replay import replayed, with_proxies

Given = dict[str, Any]
NOTHING = object()


def named(given: Given, *names: str, default: Any = NOTHING) -> Any:
    """The value under the one of these names that the inputs hold."""
    found = [name for name in names if name in given]
    if not found and default is NOTHING:
        raise KeyError(f"none of {', '.join(names)}: {', '.join(given)}")
    return given[found[0]] if found else default


def floor(given: Given) -> Given:
    """H15: the floor as a strip of puts less the upside given up; payments at the end of each quarter."""
    years = float(named(given, "years", "term_years", "horizon_years", "T", default=10))
    quarters = int(named(given, "quarters", "n_quarters", default=years * 4))
    dates = np.array(named(given, "times", "t", default=(np.arange(quarters) + 1) / 4), float)
    volume = named(given, "volume_kg_per_quarter", "quarterly_volume_kg", "Q", "volume", "volumes", "kg_per_quarter")
    level = float(named(given, "F", "floor", "strike"))
    forward = named(given, "forward", "forwards", "P", "P0", "forward_price")
    found = floor_value(
        np.broadcast_to(np.array(forward, float), dates.shape),
        np.broadcast_to(np.array(volume, float), dates.shape),
        dates,
        floor=level,
        volatility=float(named(given, "volatility", "vol", "sigma")),
        rate=float(named(given, "rate", "r", "discount")),
        upside_share=float(named(given, "u", "upside_share", "shared_upside")),
        upside_from_years=float(named(given, "upside_from_years", "upside_start", "u_start", "start", default=0)),
        yearly_repeal=float(named(given, "yearly_repeal", "repeal_probability", "default_probability", default=0)),
    )
    values = {
        **dict.fromkeys(("puts", "put_value", "puts_value", "value_puts"), found.puts),
        **dict.fromkeys(("calls", "call_value", "calls_given_up", "value_calls"), found.calls_given_up),
        **dict.fromkeys(("intrinsic", "intrinsic_value"), found.intrinsic),
        **dict.fromkeys(("value", "total", "net", "net_value", "floor_value"), found.value),
        **dict.fromkeys(("after_repeal", "expected_value"), found.after_repeal),
        "time_value": found.puts - found.intrinsic,
    }
    if "prices" in given:
        paid = floor_payment(given["prices"], level, named(given, "u", "upside_share", "shared_upside")).tolist()
        values |= {"payments": paid, "payoff": paid}
    return values


def stages(given: Given) -> Given:
    """H16: every firm's worksheet, and the index with the measures and without."""
    start, end = given["P0"], given["P0"] * (1 + given["shock"])
    factor = cash_flow.annuity_factor(
        tax=given["tax"], discount=given["discount"], decay=given["decay_per_year"], years=given["horizon_years"]
    )
    firms = [(consumer if one["kind"] == "consumer" else producer)(one, start, end, factor) for one in given["firms"]]
    both = [[firm[key] for firm in firms] for key in ("equity_shock", "equity_shock_without_floor_or_offtake")]
    index, without = (float(np.dot(given["weights"], shocks)) for shocks in both)
    return {
        "annuity_factor": factor,
        "firms": firms,
        "index_shock": index,
        "index_shock_without_policy": without,
        "dampener": index - without,
    }


def producer(firm: Given, start: float, end: float, factor: float) -> Given:
    cover = Cover(firm["k"], firm["Pfix"], firm["h"], firm["F"], firm["u"])
    sells = firm["Q"], firm["cost"], firm["fixed"]
    change = cash_flow.seller_change(start, end, firm["Q"], cover, cover)
    bare = cash_flow.seller_change(start, end, firm["Q"], NO_COVER, NO_COVER)
    return {
        "id": firm["id"],
        "ebitda_before": float(cash_flow.ebitda(start, *sells, cover)),
        "ebitda_after": float(cash_flow.ebitda(end, *sells, cover)),
        "delta_ebitda": float(change),
        "degree_of_operating_leverage": float(cash_flow.operating_leverage(start, *sells, cover)),
        "equity_shock": float(cash_flow.equity_shock(change, factor, firm["mcap"])),
        "equity_shock_without_floor_or_offtake": float(cash_flow.equity_shock(bare, factor, firm["mcap"])),
    }


def consumer(firm: Given, start: float, end: float, factor: float) -> Given:
    oxide = firm["V"] * firm["q"]
    change = cash_flow.consumer_change(start, end, oxide, firm["lam"], feed=NO_COVER, feed_after=NO_COVER)
    shock = float(cash_flow.equity_shock(change, factor, firm["mcap"]))
    return {
        "id": firm["id"],
        "ebitda_before": None,
        "ebitda_after": None,
        "delta_ebitda": float(change),
        "degree_of_operating_leverage": None,
        "equity_shock": shock,
        "equity_shock_without_floor_or_offtake": shock,
    }


def past(given: Given) -> Given:
    """H17: an event on today's weights; a name not listed then takes beta x the median of its stage."""
    own = np.array(named(given, "returns", "own_returns", "event_returns", "raw"), float)
    weights, betas = (np.array(named(given, *names), float) for names in (("weights", "w"), ("betas", "beta")))
    stage = np.array(named(given, "stages", "stage"))
    medians = np.array([np.nanmedian(own[stage == one]) if np.isfinite(own[stage == one]).any() else np.nan
                        for one in stage])  # fmt: skip
    found, proxied = with_proxies(own, betas, medians)
    index, by_proxy, missing = replayed(found, proxied, weights)
    return {
        **dict.fromkeys(("index_return", "replay_return", "portfolio_return", "index_shock", "replay"), index),
        **dict.fromkeys(("proxied_weight", "proxy_weight"), by_proxy),
        **dict.fromkeys(("returns", "name_returns", "used_returns"), found.tolist()),
        **dict.fromkeys(("proxied", "proxies", "is_proxy"), proxied.tolist()),
        **dict.fromkeys(("refused", "refuse"), index is None),
        "missing_weight": missing,
    }


def passing(given: Given) -> Given:
    """H18: each factor by itself, propagated through covariances, and the least implausible loss."""
    answered: Given = {}
    if any(name in given for name in ("S_ff", "factor_covariance", "cov_ff")):
        s_rf, s_ff = (
            np.array(named(given, *names), float)
            for names in (("S_rf", "covariance", "cov_rf"), ("S_ff", "factor_covariance", "cov_ff"))
        )
        shock = np.atleast_1d(np.array(named(given, "shock", "factor_shock", "f"), float))
        default = np.atleast_2d(s_rf) / np.diag(np.atleast_2d(s_ff))
        betas = np.array(named(given, "betas", "beta", "beta_f", default=default), float)
        answered |= dict.fromkeys(("propagated", "expected_returns", "conditional"), propagated(s_rf, s_ff, shock))
        answered |= {"isolated": isolated(np.atleast_2d(betas), shock)}
    if any(name in given for name in ("weights", "w")) and any(name in given for name in ("loss", "L")):
        s = np.array(named(given, "S", "S_rr", "cov", "covariance_returns", "covariance"), float)
        found = reverse_stress(s, np.array(named(given, "weights", "w"), float), named(given, "loss", "L"))
        answered |= dict.fromkeys(("reverse", "reverse_shock", "shock", "x", "moves"), found.moves)
        answered |= dict.fromkeys(("mahalanobis", "distance", "mahalanobis_distance"), found.distance)
        answered |= {"volatility": found.volatility, "portfolio_volatility": found.volatility}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in answered.items()}


ANSWERED: dict[str, Callable[[Given], Given]] = {"H15": floor, "H16": stages, "H17": past, "H18": passing}
