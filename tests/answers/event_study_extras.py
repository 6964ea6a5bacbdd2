"""Event-study cases beyond the statistics of a sample: each id is mapped to what asks the product for its answer."""

from collections.abc import Callable
from itertools import product
from math import inf
from typing import Any

import numpy as np

from exchina.analytics.asynchronous import asynchronous_betas
from exchina.analytics.calendar_time import calendar_time_alpha
from exchina.analytics.multiplicity import Method, adjust
from exchina.analytics.power import effective_names, minimum_detectable_effect
from exchina.analytics.trade_to_trade import trade_to_trade
from tests.answers.given import Given, derived, given, watched

EARLIER, LATER = {"minus", "lag", "lag1"}, {"plus", "lead", "lead1"}
METHODS: dict[str, Method] = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "fdr_bh": "benjamini_hochberg",
    "fdr_by": "benjamini_yekutieli",
}


def thin_trading(inputs: dict[str, Any]) -> dict[str, Any]:
    traded = np.array(inputs["traded"], bool)
    price = np.exp(np.cumsum(np.array(inputs["true_daily_log_return_if_traded_every_day"], float)))
    day0 = inputs["event_first_trade_on_or_after"]
    fit = trade_to_trade(
        np.where(traded, price, np.nan),
        np.exp(np.cumsum(np.array(inputs["benchmark_log_return"], float))),
        estimation=np.arange(inputs["estimation_last_day_exclusive"]),
        window=(day0, day0),
    )
    return {
        "n_intervals": fit.intervals,
        "alpha_per_day": fit.alpha,
        "beta": fit.beta,
        "s_per_sqrt_day": fit.s,
        "event_interval_days": fit.event_sessions,
        "AR": fit.ar,
        "se": fit.se_ar,
        "t": fit.t,
        "df": fit.df,
        "p": fit.p,
    }


def asynchronous(inputs: dict[str, Any]) -> dict[str, Any]:
    security = np.array(given(inputs, "security", "security_return", "returns", "stock", "r"), float)
    benchmark = np.array(given(inputs, "benchmark", "benchmark_return", "market", "market_return", "rm"), float)
    found = asynchronous_betas(security[:, None], benchmark)
    betas = {
        ("ols", "synchronous"): float(found.ols[0]),
        ("dimson", "dim"): float(found.dimson[0]),
        ("scholes_williams", "sw"): None if found.scholes_williams is None else float(found.scholes_williams[0]),
        ("fowler_rorke", "fr"): None if found.fowler_rorke is None else float(found.fowler_rorke[0]),
    }
    simple, joint = found.simple[:, 0].tolist(), found.joint[:, 0].tolist()
    named = {
        spelling: value
        for names, value in betas.items()
        for name in names
        for spelling in (name, f"beta_{name}", f"b_{name}", f"{name}_beta")
    }
    rho = ("rho_m", "rho", "rho1", "rho_1", "autocorrelation", "market_autocorrelation", "rho_market")
    parts = {
        f"{group}{part}": value
        for group, values in {
            "simple_": simple,
            "b_": simple,
            "beta_": simple,
            "dimson_": joint,
            "joint_": joint,
        }.items()
        for place in ("minus", "lag", "lag1", "0", "zero", "plus", "lead", "lead1")
        for part, value in [(place, values[0 if place in EARLIER else 2 if place in LATER else 1])]
    }
    parts |= dict(zip(("b0", "beta0"), (simple[1], simple[1]), strict=True))
    together = dict.fromkeys(("dimson_coefficients", "dimson_betas", "dimson_slopes"), joint)
    return (
        parts
        | named
        | dict.fromkeys(rho, found.autocorrelation)
        | together
        | {
            "n": int(found.sessions[0]),
            "n_interior": int(found.sessions[0]),
            "betas": named,
        }
    )


def multiple_testing(inputs: dict[str, Any]) -> dict[str, Any]:
    tests = {str(place): p for place, p in enumerate(inputs["p"])}
    families = {key: adjust(tests, method, level=inputs["alpha"]) for key, method in METHODS.items()}
    return {
        key: {"adjusted": [*family.adjusted.values()], "reject": [*family.rejected.values()]}
        for key, family in families.items()
    }


def detectable_effect(inputs: Given) -> dict[str, Any]:
    """One design or several: in a list, under names, as rows of N, rho and L, or as every choice of listed figures."""
    common = {key: value for key, value in inputs.items() if not isinstance(value, list | dict)}
    inputs.unread.clear()
    answer: dict[str, Any] = {}
    listed: dict[str, list[Any]] = {}
    for key, value in inputs.items():
        if isinstance(value, Given):
            answer[key] = one_design(derived(value, common | value, common=common))
        elif isinstance(value, list) and value and isinstance(value[0], dict | list):
            designs = [one if isinstance(one, Given) else row_design(one) for one in value]
            answer |= in_order(key, [one_design(derived(design, common | design, common=common)) for design in designs])
        elif isinstance(value, list) and value and not isinstance(value[0], str):
            listed[key] = value
    if listed:
        equal = len({len(values) for values in listed.values()}) == 1
        choices = zip(*listed.values(), strict=True) if equal else product(*listed.values())
        return answer | in_order(
            "grid",
            [
                one_design(derived(inputs, common | dict(zip(listed, one, strict=True)), common=common))
                for one in choices
            ],
        )
    return answer or one_design(derived(inputs, common))


def row_design(row: list[Any]) -> Given:
    return Given(dict(zip(("N", "rho", "L", "J"), row, strict=False)))


def in_order(key: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Designs as a list, figure by figure, and each under what it is called."""
    columns = {name: [one[name] for one in found] for name in found[0]}
    named = {name: one for one in found for name in one["names"]}
    return named | columns | dict.fromkeys((key, "results", "cases", "rows", "grid", "table"), found)


def one_design(design: Given) -> dict[str, Any]:
    """The answer with its question; N may be infinite."""
    size = given(design, "N", "n", "names", "n_securities", "securities", default=1)
    number = inf if size is None or str(size).lower().startswith("inf") else size
    rho = given(design, "rho", "correlation", "rbar", "mean_correlation", default=0.0)
    sessions = given(design, "L", "sessions", "window_length", "days", "window", "event_days", default=1)
    dates = given(design, "J", "dates", "n_dates", default=1)
    effect = minimum_detectable_effect(
        given(design, "sigma", "sigma_daily", "sd", "daily_sigma", "daily_volatility", "s"),
        number,
        rho=rho,
        sessions=sessions,
        dates=dates,
        level=given(design, "alpha", "level", "size", "significance", default=0.05),
        power=given(design, "power", "target_power", default=0.80),
    )
    worth = effective_names(number, rho)
    shown = ("MDE", "mde", "minimum_detectable_effect", "detectable", "effect", "min_effect", "detectable_effect")
    percent = None if effect is None else 100 * effect
    called = [
        f"N{size}_rho{rho}_L{sessions}",
        f"N{size}_rho{rho}",
        f"N{size}_L{sessions}_rho{rho}",
        f"N{size}",
        str(size),
    ]
    called += [f"N{size}_rho{rho}_L{sessions}_J{dates}", str((size, rho, sessions)), str([size, rho, sessions])]
    figures = {
        **{key: value for key, value in design.items() if not isinstance(value, list | dict)},
        **dict.fromkeys((*shown, "stat"), effect),
        **dict.fromkeys(("MDE_pct", "mde_percent", "mde_per_cent"), percent),
        **dict.fromkeys(("N_eff", "n_eff", "Neff", "effective_N", "effective_names"), worth),
    }
    return figures | {"names": [one for name in called for one in (name, f"mde_{name}", f"n_{name}")]}


def calendar_time(inputs: dict[str, Any]) -> dict[str, Any]:
    portfolio = np.array(inputs["portfolio_excess_return"], float)
    benchmark = np.array(inputs["benchmark_excess_return"], float)
    fits = {
        "ols": calendar_time_alpha(portfolio, benchmark),
        "wls": calendar_time_alpha(portfolio, benchmark, held=np.array(inputs["n_held"])),
    }
    return {key: {"alpha": fit.alpha, "beta": fit.beta, "t_alpha": fit.t, "p": fit.p} for key, fit in fits.items()}


ANSWERED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "ES13": watched(thin_trading),
    "ES14": watched(asynchronous),
    "ES16": watched(multiple_testing),
    "ES17": watched(detectable_effect),
    "ES22": watched(calendar_time),
}
