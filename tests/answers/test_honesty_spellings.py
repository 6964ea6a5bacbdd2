"""Made-up honesty cases of the ids that the shared file leaves out, by the standard, in several spellings."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from exchina.analytics.honesty.blocks import block_length
from exchina.analytics.honesty.overfitting import overfitting
from tests.answers.test_honesty import test_case as honesty_case

RANDOM = np.random.default_rng(6)
BENCHMARK, SECOND = RANDOM.normal(0, 0.012, 900), RANDOM.normal(0, 0.02, 900)
Case = tuple[str, dict[str, Any], dict[str, Any]]


def listed(values: Any) -> Any:
    return np.asarray(values).tolist()


def ratios(returns: np.ndarray) -> tuple[float, float]:
    """Sharpe ratio per period and its variance by the formula of the standard, section 1."""
    sr = float(returns.mean() / returns.std(ddof=1))
    g3, g4 = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    return sr, float((1 - g3 * sr + (g4 - 1) / 4 * sr**2) / (len(returns) - 1))


def sharpe() -> list[Case]:
    returns = RANDOM.normal(0.002, 0.01, 250)
    sr, variance = ratios(returns)
    bar = 1 / np.sqrt(252)
    psr = [float(stats.norm.cdf((sr - one) / np.sqrt(variance))) for one in (0, bar)]
    needed = float(1 + variance * 249 * (stats.norm.ppf(0.95) / (sr - bar)) ** 2)
    inputs = {"returns": listed(returns), "periods_per_year": 252}
    first = {"psr_vs_0": psr[0], "psr_vs_1": psr[1], "min_trl": needed, "var_sr": variance}
    second = {"psr": psr[1], "psr_zero": psr[0], "mintrl_years": needed / 252, "min_track_record_length": needed}
    spelled = ("benchmark_sr_annual", "sr_benchmark_annual", "target_sr_annual", "bench_annual")
    cases = [
        ("H02", inputs | {name: 1, "confidence": 0.95}, (first, second)[place % 2])
        for place, name in enumerate(spelled)
    ]
    plain = {"skew": -0.7, "kurtosis": 5.8, "n": 750, "benchmark_sr_annual": 0, "ppy": 252}
    s = 1.2 / np.sqrt(252)
    stated = {"psr_vs_0": float(stats.norm.cdf(s / np.sqrt((1 + 0.7 * s + 1.2 * s**2) / 749)))}
    return cases + [
        ("H02", plain | {name: 1.2}, stated) for name in ("sharpe", "sharpe_annual", "annual_sr", "sr_annual")
    ]


def deflated() -> list[Case]:
    trials = RANDOM.normal(0, 0.01, (12, 300))
    srs = trials.mean(axis=1) / trials.std(axis=1, ddof=1)
    v, gamma = srs.var(ddof=1), 0.5772156649015329
    z = (1 - gamma) * stats.norm.ppf(1 - 1 / 12) + gamma * stats.norm.ppf(1 - 1 / (12 * np.e))
    sr, variance = ratios(trials[srs.argmax()])
    sr0 = float(np.sqrt(v) * z)
    dsr = float(stats.norm.cdf((sr - sr0) / np.sqrt(variance)))
    first = {"sr_per_period": listed(srs), "best": int(srs.argmax()), "sr0": sr0, "dsr": dsr, "variance_of_trial_sr": v}
    second = {
        "best_variant": int(srs.argmax()),
        "sr_best": sr,
        "V": v,
        "dsr_all_trials": dsr,
        "sr0_annual": sr0 * np.sqrt(252),
    }
    years = [float((stats_max(k) / 1) ** 2) for k in (7, 10)]
    bound = [float(2 * np.log(k)) for k in (7, 10)]
    three = {"min_years": {"7": years[0], "10": years[1]}, "bound": bound}
    return [
        ("H04", {"returns": listed(trials), "periods_per_year": 252}, first),
        ("H04", {"trials": listed(trials.T)}, second),
        ("H05", {"trials": [7, 10], "target_sr_annual": 1}, {"years": years, "upper_bound": bound}),
        ("H05", {"n_trials": [7, 10], "target_sr": 1.0}, three),
        ("H05", {"K": [7, 10], "target": 1}, {"7": {"years": years[0], "bound": bound[0]}, "10": years[1]}),
        *haircuts(),
    ]


def stats_max(k: int) -> float:
    gamma = 0.5772156649015329
    return float((1 - gamma) * stats.norm.ppf(1 - 1 / k) + gamma * stats.norm.ppf(1 - 1 / (k * np.e)))


def haircuts() -> list[Case]:
    p = 2 * stats.norm.sf(1.2 * np.sqrt(5))
    sr = stats.norm.isf(20 * p / 2) / np.sqrt(5)
    sidak = stats.norm.isf((1 - (1 - p) ** 20) / 2) / np.sqrt(5)
    return [
        ("H11", {"sr_annual": 1.2, "years": 5, "tests": 20}, {"p": p, "p_bonferroni": 20 * p, "sr_bonferroni": sr}),
        (
            "H11",
            {"sharpe_annual": 1.2, "years": 5, "n_tests": 20},
            {"bonferroni": sr, "sidak": sidak, "haircut_bonferroni": 1 - sr / 1.2},
        ),
        (
            "H11",
            {"sr": 1.2, "years": 5, "periods_per_year": 12, "n_trials": 20},
            {"sidak": {"p": 1 - (1 - p) ** 20, "sr": sidak}},
        ),
    ]


def blocks_and_overfitting() -> list[Case]:

    a, b = listed(BENCHMARK), listed(np.convolve(SECOND, [1, 0.6, 0.3], mode="valid"))
    (s1, c1), (s2, c2) = (
        [float(one[0]) for one in (f.stationary, f.circular)] for f in map(block_length, map(np.array, (a, b)))
    )
    returns = RANDOM.normal(0, 0.01, (8, 96))
    found = overfitting(returns.T, blocks=6)
    pbo = {"pbo": found.pbo, "logits": listed(found.logits), "selected": listed(found.selected)}
    return [
        ("H09", {"series": a}, {"stationary": s1, "circular": c1}),
        ("H09", {"returns": b}, {"b_sb": s2, "b_cb": c2}),
        ("H09", {"iid": a, "ar1": b}, {"iid": {"block_stationary": s1}, "ar1": {"circular_bootstrap": c2}}),
        ("H09", {"series": {"iid": a, "ar1": b}}, {"stationary": {"iid": s1, "ar1": s2}}),
        ("H07", {"returns": listed(returns), "S": 6, "metric": "mean/sd(ddof=1)"}, pbo),
        ("H07", {"variants": listed(returns.T), "n_blocks": 6}, pbo),
    ]


def room() -> list[Case]:
    old, new = np.array([0.3, 0.25, 0.2, 0.15, 0.1]), np.array([0.2, 0.25, 0.25, 0.1, 0.2])
    dw, adv, sigma = np.abs(new - old), np.array([4e7, 2e7, 8e6, 4e6, 1e6]), np.array([0.03, 0.035, 0.04, 0.05, 0.06])
    each = 0.1 * adv * 3 / np.where(dw > 0, dw, np.nan)
    by_cost = float((0.0025 / (0.8 * (dw**1.5 * sigma / np.sqrt(adv)).sum())) ** 2)
    by_share, fund = float(np.nanmin(each)), 2e7
    impact = float(1e4 * (dw * 0.8 * sigma * np.sqrt(dw * fund / adv)).sum())
    days = listed(new * fund / (0.1 * adv))
    terms = {"Y": 0.8, "participation": 0.1, "days": 3, "cost_limit_bp": 25}
    first = {"capacity_impact": by_cost, "capacity_participation": by_share, "capacity": min(by_cost, by_share)}
    first |= {"impact_bp": impact, "days_to_liquidate": days}
    second = {"capacity_cost_limit_usd": by_cost, "capacity_usd": min(by_cost, by_share), "binding_security": "e"}
    lists = {"adv_usd": listed(adv), "sigma_daily": listed(sigma)}
    rows = [
        dict(zip(("id", "old_target", "new_target", "adv_usd", "sigma"), row, strict=True))
        for row in zip("abcde", *map(listed, (old, new, adv, sigma)), strict=True)
    ]
    return [
        ("H13", terms | lists | {"old_target": listed(old), "new_target": listed(new), "aum_usd": fund}, first),
        (
            "H13",
            terms | lists | {"dw": listed(dw), "weights": listed(new), "aum": fund, "ids": list("abcde")},
            first | second,
        ),
        ("H13", terms | {"names": rows}, second),
    ]


def strip() -> list[Case]:
    t, f, k, v, r, q, u = (np.arange(40) + 1) / 4, 65.0, 110.0, 0.3, 0.045, 1.5e6, 0.3
    d1 = (np.log(f / k) + v * v * t / 2) / (v * np.sqrt(t))
    d2, n = d1 - v * np.sqrt(t), stats.norm.cdf
    puts = float((q * np.exp(-r * t) * (k * n(-d2) - f * n(-d1))).sum())
    calls = float((u * q * np.exp(-r * t) * (f * n(d1) - k * n(d2))).sum())
    inner = float((q * np.exp(-r * t) * (k - f)).sum())
    one = {"F": k, "forward": f, "volatility": v, "rate": r, "u": u, "Q": q, "years": 10}
    two = {
        "floor": k,
        "forward_curve": [f] * 40,
        "vol": v,
        "risk_free": r,
        "upside_share": u,
        "volume_t_per_quarter": 1500,
    }
    later = float((u * q * np.exp(-r * t) * (f * n(d1) - k * n(d2)))[t > 2].sum())
    return [
        ("H15", one, {"puts": puts, "calls": calls, "intrinsic": inner, "value": puts - calls}),
        ("H15", two, {"puts_usd": puts, "calls_usd": calls, "value_usd": puts - calls, "put_strip": puts}),
        ("H15", two | {"upside_start_years": 2}, {"calls_given_up": later, "intrinsic_value": inner}),
    ]


def replay() -> list[Case]:
    own, w, beta = [0.1, 0.3, None, -0.1, None], [0.2, 0.3, 0.1, 0.3, 0.1], [1.0, 1.1, 1.2, 0.9, 0.5]
    stage, ids = ["mine", "mine", "mine", "magnet", "magnet"], list("abcde")
    used = [0.1, 0.3, 0.24, -0.1, -0.05]
    index = float(np.dot(w, used))
    rows = [
        dict(zip(("id", "weight", "stage", "event_return", "beta_to_stage"), row, strict=True))
        for row in zip(ids, w, stage, own, beta, strict=True)
    ]
    columns = {"weights": w, "returns": own, "betas": beta, "stages": stage}
    refused = columns | {"weights": [0.1, 0.1, 0.6, 0.1, 0.1]}
    return [
        ("H17", columns, {"index_return": index, "proxied_weight": 0.2, "returns": used, "refused": False}),
        (
            "H17",
            {"names": rows},
            {"replay_return": index, "proxied": ["c", "e"], "stage_medians": {"mine": 0.2, "magnet": -0.1}},
        ),
        ("H17", refused, {"index_return": None, "refused": True, "proxied_weight": 0.7}),
    ]


def passed_on() -> list[Case]:
    a = RANDOM.normal(0, 0.1, (40, 5))
    s = np.cov(a.T)
    w, loss = np.array([0.5, 0.3, 0.2]), 0.1
    s_rr, s_rf, s_ff = s[:3, :3], s[:3, 3:], s[3:, 3:]
    shock = np.array([-0.4, 0.1])
    expected = s_rf @ np.linalg.solve(s_ff, shock)
    x, distance = -loss * s_rr @ w / (w @ s_rr @ w), loss / np.sqrt(w @ s_rr @ w)
    reverse = {"cov": listed(s_rr), "weights": listed(w), "loss": loss}
    parts = {"S_rf": listed(s_rf), "S_ff": listed(s_ff), "shock": listed(shock)}
    one = {"betas": listed(s_rf[:, 0] / s_ff[0, 0]), "factor_covariance": [[s_ff[0, 0]]], "shock": -0.4}
    whole = {
        "covariance": listed(s),
        "names": list("abcfg"),
        "shock": {"f": -0.4, "g": 0.1},
        "weights": listed(w),
        "loss": loss,
    }
    return [
        ("H18", reverse, {"reverse": listed(x), "mahalanobis": distance}),
        ("H18", parts, {"propagated": listed(expected), "isolated": listed(s_rf / np.diag(s_ff) @ shock)}),
        ("H18", one, {"isolated": listed(s_rf[:, 0] / s_ff[0, 0] * -0.4)}),
        ("H18", whole, {"propagated": listed(expected), "reverse_shock": listed(x), "distance": distance}),
    ]


HONESTY = [*sharpe(), *deflated(), *blocks_and_overfitting(), *room(), *strip(), *replay(), *passed_on()]


@pytest.mark.parametrize("case", HONESTY, ids=lambda case: f"{case[0]} {', '.join(case[1])}"[:70])
def test_honesty(case: Case) -> None:
    name, inputs, expected = case
    honesty_case({"id": name, "inputs": inputs, "expected": expected, "tolerance_rel": 1e-8})
