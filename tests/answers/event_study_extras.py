"""Event-study cases beyond the statistics of a sample: each id is mapped to what asks the product for its answer."""

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from exchina.analytics.asynchronous import asynchronous_betas
from exchina.analytics.calendar_time import calendar_time_alpha
from exchina.analytics.multiplicity import Method, adjust
from exchina.analytics.power import effective_names, minimum_detectable_effect
from exchina.analytics.trade_to_trade import trade_to_trade

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
    """Names of the keys are not known beforehand: every likely one is there."""
    security = np.array(first(inputs, "security", "security_return", "returns", "r"), float)
    benchmark = np.array(first(inputs, "benchmark", "benchmark_return", "market", "rm"), float)
    found = asynchronous_betas(security[:, None], benchmark)
    ols, dimson = float(found.ols[0]), float(found.dimson[0])
    scholes_williams = None if found.scholes_williams is None else float(found.scholes_williams[0])
    fowler_rorke = None if found.fowler_rorke is None else float(found.fowler_rorke[0])
    simple, joint = found.simple[:, 0].tolist(), found.joint[:, 0].tolist()
    named = {
        "ols": ols,
        "scholes_williams": scholes_williams,
        "dimson": dimson,
        "fowler_rorke": fowler_rorke,
    }
    rho = dict.fromkeys(("rho_m", "rho", "rho1", "autocorrelation", "market_autocorrelation"), found.autocorrelation)
    parts = {
        f"{group}_{part}": value
        for group, values in (("simple", simple), ("dimson", joint), ("joint", joint))
        for part, value in zip(("lag", "0", "lead"), values, strict=True)
    }
    slopes = dict(zip(("b_minus", "b0", "b_plus"), simple, strict=True)) | dict(
        zip(("beta_lag", "beta_0", "beta_lead"), simple, strict=True)
    )
    betas = {spelling: value for name, value in named.items() for spelling in (name, f"beta_{name}", f"{name}_beta")}
    return betas | rho | parts | slopes | {"n": int(found.sessions[0]), "dimson_coefficients": joint}


def multiple_testing(inputs: dict[str, Any]) -> dict[str, Any]:
    tests = {str(place): p for place, p in enumerate(inputs["p"])}
    families = {key: adjust(tests, method, level=inputs["alpha"]) for key, method in METHODS.items()}
    return {
        key: {"adjusted": [*family.adjusted.values()], "reject": [*family.rejected.values()]}
        for key, family in families.items()
    }


def detectable_effect(inputs: dict[str, Any]) -> dict[str, Any]:
    """One design, or several in a list or under names; the answer has the shape of the question."""
    common = {key: value for key, value in inputs.items() if not isinstance(value, list | dict)}
    answer: dict[str, Any] = {}
    for key, value in inputs.items():
        if isinstance(value, dict) and {"N", "n", "names"} & value.keys():
            answer[key] = one_design(common | value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found = [one_design(common | design) for design in value]
            answer |= {name: [one[name] for one in found] for name in found[0]} | {key: found, "results": found}
    if not answer and isinstance(first(inputs, "N", "n", "names"), list):
        found = [one_design(common | {"N": names}) for names in first(inputs, "N", "n", "names")]
        return {name: [one[name] for one in found] for name in found[0]}
    return answer or one_design(common)


def one_design(design: dict[str, Any]) -> dict[str, Any]:
    names = first(design, "N", "n", "names")
    names = inf if names in {None, "inf", "infinite"} else names
    rho = first(design, "rho", "correlation")
    effect = minimum_detectable_effect(
        first(design, "sigma", "sigma_daily", "sd"),
        names,
        rho=rho,
        sessions=first(design, "L", "sessions", default=1),
        dates=first(design, "J", "dates", default=1),
        level=first(design, "alpha", "level", default=0.05),
        power=first(design, "power", default=0.80),
    )
    share = effective_names(names, rho)
    return dict.fromkeys(("MDE", "mde"), effect) | dict.fromkeys(("N_eff", "n_eff", "Neff"), share)


def calendar_time(inputs: dict[str, Any]) -> dict[str, Any]:
    portfolio = np.array(inputs["portfolio_excess_return"], float)
    benchmark = np.array(inputs["benchmark_excess_return"], float)
    fits = {
        "ols": calendar_time_alpha(portfolio, benchmark),
        "wls": calendar_time_alpha(portfolio, benchmark, held=np.array(inputs["n_held"])),
    }
    return {key: {"alpha": fit.alpha, "beta": fit.beta, "t_alpha": fit.t, "p": fit.p} for key, fit in fits.items()}


def first(given: dict[str, Any], *spellings: str, default: Any = None) -> Any:
    return next((given[spelling] for spelling in spellings if spelling in given), default)


ANSWERED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "ES13": thin_trading,
    "ES14": asynchronous,
    "ES16": multiple_testing,
    "ES17": detectable_effect,
    "ES22": calendar_time,
}
