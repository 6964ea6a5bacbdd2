"""Made-up event-study cases of the ids that the shared file leaves out, by the standard, in several spellings."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from exchina.analytics.asynchronous import asynchronous_betas
from tests.answers.test_event_study import test_case as event_study_case

RANDOM = np.random.default_rng(5)
T, N = 900, 9
BENCHMARK, SECOND = RANDOM.normal(0, 0.012, T), RANDOM.normal(0, 0.02, T)
COMMON = RANDOM.normal(0, 0.02, T)
SECURITIES = 1.2 * BENCHMARK + 0.5 * COMMON + RANDOM.normal(0, 0.03, (N, T))
Case = tuple[str, dict[str, Any], dict[str, Any]]


def listed(values: Any) -> Any:
    return np.asarray(values).tolist()


def normal_returns(y: np.ndarray, x: np.ndarray, estimation: tuple[int, int], event: tuple[int, int]) -> dict[str, Any]:
    """AR, CAR and its forecast error by the matrices of the standard, section 1."""
    rows, after = slice(*estimation), slice(*event)
    b = np.linalg.lstsq(x[rows], y[rows], rcond=None)[0] if x.shape[1] else np.zeros(0)
    residuals, ar = y[rows] - x[rows] @ b, y[after] - x[after] @ b
    df = len(residuals) - x.shape[1]
    s2 = residuals @ residuals / df
    v = s2 * (np.eye(len(ar)) + x[after] @ np.linalg.pinv(x[rows].T @ x[rows]) @ x[after].T)
    car, se = ar.sum(), np.sqrt(v.sum())
    p = 2 * stats.t.sf(abs(car / se), df)
    return {
        "b": b,
        "df": df,
        "s": np.sqrt(s2),
        "AR": ar,
        "CAR": car,
        "se_CAR": se,
        "t_CAR": car / se,
        "p_CAR": p,
        "e": residuals,
    }


ONES = np.ones(T)
MARKET = np.column_stack([ONES, BENCHMARK])
TWO = np.column_stack([ONES, BENCHMARK, SECOND])
WINDOW = {"security": listed(SECURITIES[0]), "benchmark": listed(BENCHMARK), "estimation": [0, 60], "event": [65, 68]}
KEPT = ("df", "s", "CAR", "se_CAR", "t_CAR", "p_CAR")


def one_security() -> list[Case]:
    y = SECURITIES[0]
    fits = {
        "ES02": normal_returns(y, MARKET, (0, 60), (65, 68)),
        "ES04": normal_returns(y - BENCHMARK, np.zeros((T, 0)), (0, 60), (65, 68)),
        "ES05": normal_returns(y, TWO, (0, 60), (65, 68)),
    }
    figures = {name: {key: listed(fit[key]) for key in KEPT} | {"AR": listed(fit["AR"])} for name, fit in fits.items()}
    cases = [("ES02", WINDOW | {"model": name}, figures["ES02"]) for name in ("market", "market_model")]
    adjusted = ("market_adjusted", "market-adjusted", "Adjusted", "market adjusted")
    cases += [("ES04", WINDOW | {"model": name}, figures["ES04"]) for name in adjusted]
    names = (
        "factors",
        "benchmark2",
        "factor_2",
        "factor",
        "second_benchmark",
        "second_factor",
        "factor2",
        "metals_index",
    )
    two = ("two_factor", "2f", "twofactor", "market+factor")
    slopes = [
        {"beta": fits["ES05"]["b"][1], "beta2": fits["ES05"]["b"][2]},
        {"coefficients": listed(fits["ES05"]["b"])},
    ]
    for place, name in enumerate(names):
        inputs = WINDOW | {name: listed(SECOND), "model": two[place % 4]}
        cases.append(("ES05", inputs, figures["ES05"] | slopes[place % 2]))
    both = WINDOW | {"benchmark": [listed(BENCHMARK), listed(SECOND)], "model": "two-factor"}
    return [*cases, ("ES05", both, figures["ES05"] | {"K": 3, "betas": listed(fits["ES05"]["b"][1:])})]


SAMPLE = {"securities": listed(SECURITIES), "benchmark": listed(BENCHMARK)}


def kp_bmp(scar: np.ndarray, rbar: float) -> dict[str, float]:
    n = scar.size
    t = stats.ttest_1samp(scar, 0).statistic * np.sqrt((1 - rbar) / (1 + (n - 1) * rbar))
    return {"stat": t, "p": 2 * stats.t.sf(abs(t), n - 1), "df": n - 1}


def mean_correlation(residuals: np.ndarray) -> float:
    """By pandas' rule: the common days of each pair."""
    total = 0.0
    for i in range(len(residuals)):
        for j in range(i):
            both = np.isfinite(residuals[i]) & np.isfinite(residuals[j])
            total += np.corrcoef(residuals[i, both], residuals[j, both])[0, 1] if both.sum() >= 3 else 0
    return total / (len(residuals) * (len(residuals) - 1) / 2)


def together() -> list[Case]:
    """ES07 and ES08: one date. ES10: a date each."""
    fits = [normal_returns(y, MARKET, (0, 120), (130, 131)) for y in SECURITIES]
    scar, residuals = np.array([fit["t_CAR"] for fit in fits]), np.array([fit["e"] for fit in fits])
    rbar = mean_correlation(residuals)
    expected = {
        "CAAR": np.mean([fit["CAR"] for fit in fits]),
        "rbar": rbar,
        "statistics": {"kp_bmp": kp_bmp(scar, rbar)},
    }
    one = SAMPLE | {"estimation": [0, 120], "event": [130, 131], "model": "market"}
    turned = SAMPLE | {"securities": listed(SECURITIES.T), "estimation_window": [0, 120], "event_window": [130, 131]}
    days = [140 + 7 * place for place in range(N)]
    fits = [normal_returns(y, MARKET, (d - 130, d - 10), (d, d + 1)) for y, d in zip(SECURITIES, days, strict=True)]
    calendar = np.full((N, T), np.nan)
    for place, (fit, day) in enumerate(zip(fits, days, strict=True)):
        calendar[place, day - 130 : day - 10] = fit["e"]
    scar, right = np.array([fit["t_CAR"] for fit in fits]), mean_correlation(calendar)
    wrong = mean_correlation(np.array([fit["e"] for fit in fits]))
    staggered = {"rbar_by_calendar": right, "rbar_by_event_time": wrong, "kp_bmp": kp_bmp(scar, right)}
    nested = {"rbar": {"calendar": right, "event_time": wrong}, "kp_bmp": kp_bmp(scar, right)["stat"]}
    windows = [{"estimation": [day - 130, day - 10], "event": [day, day + 1]} for day in days]
    ranges = {"estimation": [one["estimation"] for one in windows], "event": [one["event"] for one in windows]}
    lengths = {"M": 120, "gap": 10, "L": 1, "model": "market"}
    spelled = [{name: days} | lengths for name in ("event_days", "event_rows", "event_index", "day0", "event_day")]
    spelled += [{"events": days, "estimation": [-130, -10], "window": [0, 1]}, ranges, {"windows": windows}]
    cases = [("ES07", one, expected), ("ES08", turned, expected)]
    return cases + [("ES10", SAMPLE | how, (staggered, nested)[place % 2]) for place, how in enumerate(spelled)]


def several_dates() -> list[Case]:
    days = list(range(140, 841, 100))[:7]
    y = SECURITIES.mean(axis=0)
    fits = [normal_returns(y, MARKET, (day - 70, day - 10), (day, day + 1)) for day in days]
    t = np.array([fit["t_CAR"] for fit in fits])
    signs = 1 - 2 * (np.arange(2**7)[:, None] >> np.arange(7) & 1)
    flips = float((np.abs(signs @ t) >= abs(t.sum()) - 1e-12).mean())
    bmp = stats.ttest_1samp(t, 0)
    jaffe = float(t.sum() / np.sqrt(7 * 58 / 56))
    car = [float(fit["CAR"]) for fit in fits]
    first = {"A": car, "t": listed(t), "df": 58, "date_bmp_t": {"stat": bmp.statistic, "p": bmp.pvalue, "df": 6}}
    first |= {"wild_cluster": {"p": flips}, "jaffe": {"stat": jaffe}, "smallest_p": 2 / 128}
    second = {"CAR_by_date": car, "t_j": listed(t), "df_j": [58] * 7, "statistics": {"date_bmp": float(bmp.statistic)}}
    second |= {"wild_cluster_p": flips, "jaffe_z": jaffe, "min_p": 2 / 128}
    ranges = {"estimation": [[day - 70, day - 10] for day in days], "event": [[day, day + 1] for day in days]}
    windows = [{"estimation": a, "event": b} for a, b in zip(ranges["estimation"], ranges["event"], strict=True)]
    spelled = [
        {"dates": windows},
        ranges,
        {"windows": windows},
        {"event_dates": days, "estimation_length": 60, "gap": 10},
    ]
    spelled += [{name: days, "estimation_days": 60, "L": 1} for name in ("events", "event_index", "event_days")]
    return [("ES12", SAMPLE | how, (first, second)[place % 2]) for place, how in enumerate(spelled)]


def asynchronous() -> list[Case]:
    y, m = SECURITIES[0], BENCHMARK
    slopes = [stats.linregress(x, y[1:-1]).slope for x in (m[:-2], m[1:-1], m[2:])]
    joint = np.linalg.lstsq(np.column_stack([ONES[2:], m[:-2], m[1:-1], m[2:]]), y[1:-1], rcond=None)[0][1:]
    names = [{"ols": slopes[1], "dimson": joint.sum()}, {"beta_ols": slopes[1], "beta_dimson": joint.sum()}]
    inputs = {"security": listed(y), "benchmark": listed(m)}, {"security_return": listed(y), "market_return": listed(m)}
    cases = [("ES14", one, two) for one, two in zip(inputs, names, strict=True)]
    rho = asynchronous_betas(y[:, None], m).autocorrelation  # of which days is the product's choice
    sw = sum(slopes) / (1 + 2 * rho)
    weight = (1 + rho) / (1 + 2 * rho)
    fr = weight * joint[0] + joint[1] + weight * joint[2]
    cases += [
        ("ES14", inputs[0], {"sw": sw, "fr": fr, "rho_m": rho}),
        ("ES14", inputs[1], {"beta_sw": sw, "beta_fr": fr}),
    ]
    return [*cases, ("ES14", inputs[0], {"betas": {"scholes_williams": sw, "fowler_rorke": fr}})]


def detectable() -> list[Case]:
    rows = [[1, 0, 1], [8, 0.3, 1], [50, 0.3, 3]]
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    mde = [z * 0.04 * np.sqrt(days * (1 + (n - 1) * rho) / n) for n, rho, days in rows]
    worth = [n / (1 + (n - 1) * rho) for n, rho, _ in rows]
    cases = [dict(zip(("N", "rho", "L"), row, strict=True)) for row in rows]
    common = {"sigma": 0.04, "alpha": 0.05, "power": 0.8}
    results = [case | {"mde": a, "n_eff": b} for case, a, b in zip(cases, mde, worth, strict=True)]
    floor = z * 0.04 * np.sqrt(0.3)
    return [
        ("ES17", common | {"cases": cases}, {"results": results}),
        ("ES17", {"sigma_daily": 0.04, "grid": rows}, {"MDE": mde, "N_eff": worth}),
        ("ES17", common | {"N": [1, 8, 50], "rho": [0, 0.3, 0.3], "L": [1, 1, 3]}, {"mde": mde}),
        ("ES17", common | {"a": cases[1], "b": {"N": "inf", "rho": 0.3}}, {"a": {"mde": mde[1]}, "b": {"mde": floor}}),
        ("ES17", common | {"grid": rows}, {"N8_rho0.3_L1": mde[1], "N50_rho0.3_L3": {"MDE": mde[2]}}),
    ]


def clean() -> list[Case]:
    disturbed = {day for event in (300, 350) for day in range(event - 1, event + 4)}
    kept = [day for day in range(389, 0, -1) if day not in disturbed][:120][::-1]
    passed = kept[-1] + 1 - kept[0] - 120
    expected = {"days": kept, "M": 120, "skipped": passed, "span": kept[-1] + 1 - kept[0]}
    other = {"first_day": kept[0], "last_day": kept[-1], "n_skipped": passed, "clean_days": kept}
    spelled: list[dict[str, Any]] = [{name: 400} for name in ("day0", "event_index", "event_position", "day0_index")]
    names = ("other_events", "other_event_days", "events", "shocks", "ledger", "near")
    cases: list[Case] = []
    for place, name in enumerate(names):
        how = {("M", "M_needed")[place % 2]: 120, ("skip", "buffer")[place % 2]: [-1, 3]}
        cases.append(("ES20", spelled[place % 4] | {name: [300, 350]} | how, (expected, other)[place % 2]))
    return [
        *cases,
        ("ES20", {"day0": 400, "ledger": [{"day0": 300}, {"day0": 350}], "last_relative_day": -11}, expected),
    ]


def refusals() -> list[Case]:
    one = {
        "securities": listed(SECURITIES[:1]),
        "estimation": [0, 60],
        "event": [65, 66],
        "benchmark": listed(BENCHMARK),
    }
    short = one | {"securities": listed(SECURITIES), "estimation": [0, 4]}
    alone = {"statistics": {"kp_bmp": None, "bmp_t": "not computable"}}
    patell = {"statistics": {"patell_z": {"stat": None, "p": None}}}
    return [
        ("ES21", {"cases": [one | {"name": "one security"}, short | {"name": "df 2"}]}, {"cases": [alone, patell]}),
        ("ES21", {"one_security": one, "df_2": short}, {"one_security": alone, "df_2": patell}),
        ("ES21", {"cases": [{"id": "a"} | one]}, {"a": {"refused": True}}),
    ]


def monte_carlo() -> list[Case]:
    date = {
        "date_bmp_t": {"size": 4.8, "power": 40.0},
        "wild_cluster": {"size": 3.2},
        "pooled_csect_t": {"size": 44.0, "power": None},
    }
    return [
        ("ES24", {"recipe": "as ES23"}, {"J6": date}),
        ("ES24", {"recipe": ""}, {"6 dates": {"jaffe_z": {"size": 5.5}}}),
    ]


EVENT_STUDY = [
    *one_security(), *together(), *several_dates(), *asynchronous(),
    *detectable(), *clean(), *refusals(), *monte_carlo(),
]  # fmt: skip


@pytest.mark.parametrize("case", EVENT_STUDY, ids=lambda case: f"{case[0]} {', '.join(case[1])}"[:70])
def test_event_study(case: Case) -> None:
    name, inputs, expected = case
    event_study_case({"id": name, "inputs": inputs, "expected": expected, "tolerance_rel": 1e-8})
