"""Worked answers on backtest honesty: case id -> what answers it, inputs -> produced by the keys of ``expected``."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl

from exchina.analytics.honesty.blocks import block_length
from exchina.analytics.honesty.bootstrap import bootstrap_intervals
from exchina.analytics.honesty.data_snooping import data_snooping
from exchina.analytics.honesty.deflation import (
    deflated_sharpe,
    effective_trials,
    expected_maximum,
    haircut,
    mean_correlation,
    minimum_backtest_years,
)
from exchina.analytics.honesty.overfitting import overfitting
from exchina.analytics.honesty.sharpe import (
    NO_SKILL,
    PerPeriod,
    Track,
    annual,
    interval,
    lo_factor,
    minimum_track_record,
    per_period,
    probabilistic_sharpe,
    standard_error,
    track,
)
from exchina.analytics.look_ahead import look_ahead
from tests.answers import honesty_simulations as simulations

Given = dict[str, Any]
TESTED, COVERED = 80, 60  # samples of the slow parts; python -m tests.answers.honesty_simulations runs all


def first_of(given: Given, *names: str, default: Any = None) -> Any:
    """The value under the first of these names that the inputs hold."""
    return next((given[name] for name in names if name in given), default)


def year(given: Given) -> float:
    return first_of(given, "periods_per_year", "ppy", default=252)


def stated(given: Given) -> Track:
    """A track record from returns, or from its stated figures."""
    if "returns" in given:
        return track(np.array(given["returns"], float))
    sr = first_of(given, "sr_per_period", "sr_period")
    sr = per_period(first_of(given, "sr_annual", "sr"), year(given)) if sr is None else PerPeriod(sr)
    periods = first_of(given, "n", "T", "periods", default=2)
    return Track(sr, given.get("skew", 0), first_of(given, "kurtosis", "kurt", default=3), periods)


def beside(given: Given) -> PerPeriod:
    """The ratio to beat, per period."""
    direct = first_of(given, "benchmark_sr_per_period", "bench_per_period", "sr_benchmark_per_period")
    if direct is not None:
        return PerPeriod(direct)
    yearly = first_of(given, "benchmark_sr_annual", "bench", "bench_annual", "benchmark_annual", "sr_star_annual")
    return NO_SKILL if yearly is None else per_period(yearly, year(given))


def sharpe(given: Given) -> Given:
    returns = np.array(given["returns"], float)
    record, q = track(returns), year(given)
    return {
        "sr_per_period": record.sr,
        "sr_annual_iid": annual(record.sr, q),
        "skew_population": record.skew,
        "kurtosis_population_raw": record.kurtosis,
        "se_sr_iid_normal": standard_error(record, normal=True),
        "se_sr_nonnormal": standard_error(record),
        "lo_factor_quarterly_q5": lo_factor(returns, 5),
        "ci95_annual": [annual(bound, q) for bound in interval(record)],
    }


def track_record(given: Given) -> Given:
    record, above, q = stated(given), beside(given), year(given)
    confidence = first_of(given, "confidence", "conf", "z_conf", default=0.95)
    needed = minimum_track_record(record, above=above, confidence=confidence)
    psr = probabilistic_sharpe(record, above=above)
    return {
        "sr_per_period": record.sr,
        "sr_annual": annual(record.sr, q),
        "skew": record.skew,
        "skew_population": record.skew,
        "kurtosis": record.kurtosis,
        "kurtosis_population_raw": record.kurtosis,
        "se_sr_nonnormal": standard_error(record),
        **dict.fromkeys(("psr", "psr_vs_benchmark", "psr_benchmark"), psr),
        **dict.fromkeys(("psr_zero", "psr_vs_0", "psr_vs_zero", "psr_0"), probabilistic_sharpe(record)),
        **dict.fromkeys(("mintrl", "mintrl_periods", "min_trl_periods", "mintrl_days", "mintrl_observations"), needed),
        "mintrl_years": None if needed is None else needed / q,
    }


def published_anchors(given: Given) -> Given:
    dsr = given["dsr"]
    record, variance = stated(dsr), dsr["variance_of_trial_sr_annual"] / year(dsr)
    found = [deflated_sharpe(record, trials=trials, variance=variance) for trials in dsr["trials"]]
    plain = Track(record.sr, 0, 3, record.periods)
    lengths = [minimum_track_record(stated(one), above=beside(one)) for one in given["mintrl"]]
    return {
        "sr0": [one.sr0 for one in found],
        "dsr": [one.value for one in found],
        "dsr_normal_88": deflated_sharpe(plain, trials=given["dsr_normal"]["trials"], variance=variance).value,
        "mintrl_years": [(one or np.nan) / year(case) for one, case in zip(lengths, given["mintrl"], strict=True)],
    }


def matrix(given: Given) -> np.ndarray:
    """Returns as periods x variants; the cases give a row a variant."""
    return np.array(first_of(given, "returns", "trials", "variants"), float).T


def deflation(given: Given) -> Given:
    trials = matrix(given)
    ratios = trials.mean(axis=0) / trials.std(axis=0, ddof=1)
    best, variance, count = int(ratios.argmax()), float(ratios.var(ddof=1)), trials.shape[1]
    record = track(trials[:, best])
    rho = mean_correlation(trials)
    assert rho is not None
    few = effective_trials(count, rho)
    whole, fewer = (deflated_sharpe(record, trials=number, variance=variance) for number in (count, few))
    return {
        **dict.fromkeys(("sr", "sr_per_period", "trial_sr", "trial_sr_per_period"), ratios.tolist()),
        **dict.fromkeys(("best", "selected", "best_trial", "best_variant"), best),
        **dict.fromkeys(("sr_best", "best_sr", "best_sr_per_period", "sr_best_per_period"), record.sr),
        **dict.fromkeys(("V", "variance", "variance_of_trial_sr", "variance_of_sr"), variance),
        **dict.fromkeys(("psr", "psr_zero", "psr_vs_0", "psr_of_best"), probabilistic_sharpe(record)),
        **dict.fromkeys(("skew", "skew_population"), record.skew),
        **dict.fromkeys(("kurtosis", "kurtosis_population_raw"), record.kurtosis),
        **dict.fromkeys(("rho", "mean_correlation", "mean_pairwise_correlation"), rho),
        **dict.fromkeys(("effective_trials", "K_effective"), few),
        **dict.fromkeys(("sr0", "sr0_per_period", "sr0_all_trials"), whole.sr0),
        **dict.fromkeys(("dsr", "dsr_all_trials"), whole.value),
        **dict.fromkeys(("sr0_effective", "sr0_effective_trials"), fewer.sr0),
        **dict.fromkeys(("dsr_effective", "dsr_effective_trials"), fewer.value),
        "K": count,
    }


def backtest_length(given: Given) -> Given:
    counts = first_of(given, "trials", "K", "N")
    target = first_of(given, "target_sr_annual", "target_annual_sr", "target_annual", "target", default=1.0)
    listed = counts if isinstance(counts, list) else [counts]
    years = [minimum_backtest_years(one, target_annual=target) for one in listed]
    bound = [2 * np.log(one) / target**2 for one in listed]
    largest = [expected_maximum(one) for one in listed]
    answer = {
        **dict.fromkeys(("expected_max", "expected_maximum", "expected_max_sr"), largest),
        **dict.fromkeys(("years", "minbtl_years", "min_backtest_years", "minimum_backtest_years"), years),
        **dict.fromkeys(("upper_bound", "upper_bound_years", "bound_years", "minbtl_upper_bound_years"), bound),
    }
    return answer if isinstance(counts, list) else {name: found[0] for name, found in answer.items()}


def cross_validation(given: Given) -> Given:
    found = overfitting(matrix(given), blocks=given["S"])
    return {
        "pbo": found.pbo,
        "combinations": len(found.logits),
        "prob_oos_loss": found.loss,
        "degradation_slope_oos_on_is": found.slope,
        "intercept": found.intercept,
        "logits": found.logits.tolist(),
        "selected": found.selected.tolist(),
        "mean_is": found.mean_in_sample,
        "mean_oos": found.mean_out_of_sample,
    }


def best_of_many(given: Given) -> Given:
    excess = np.array(given["excess_over_benchmark"], float).T
    found = data_snooping(excess, mean_block=given["mean_block"], indices=np.array(given["indices"]))
    return {
        "t_reality_check": found.t_reality_check,
        "t_spa": found.t_spa,
        "omega": found.omega.tolist(),
        "p_reality_check": found.p_reality_check,
        "p_spa_lower": found.p_spa_lower,
        "p_spa_consistent": found.p_spa_consistent,
        "p_spa_upper": found.p_spa_upper,
    }


def blocks(given: Given) -> Given:
    values = first_of(given, "series", "returns", "x", "data")
    if isinstance(values, dict):
        found = {name: blocks({"series": one}) for name, one in values.items()}
        return found | {key: {name: one[key] for name, one in found.items()} for key in ("stationary", "circular")}
    array = np.array(values, float)
    lengths = block_length(array.T if array.ndim == 2 else array)
    answer = {"stationary": lengths.stationary.tolist(), "circular": lengths.circular.tolist()}
    answer = answer if array.ndim == 2 else {name: one[0] for name, one in answer.items()}
    named = {f"{name}{end}": one for name, one in answer.items() for end in ("", "_block", "_length")}
    return named | {f"b_{name}": one for name, one in answer.items()} | {"b_sb": answer["stationary"]}


def intervals(given: Given) -> Given:
    found = bootstrap_intervals(
        np.array(given["returns"], float),
        periods_per_year=year(given),
        level=given["level"],
        indices=np.array(given["indices"]),
    )
    return {
        "point": {name: one.point for name, one in found.figures.items()},
        "interval": {name: [one.low, one.high] for name, one in found.figures.items()},
    }


def cut(given: Given) -> Given:
    q, count = year(given), first_of(given, "tests", "trials", "K", "N")
    periods = first_of(given, "n", "T", "periods")
    periods = round(q * given["years"]) if periods is None else periods
    sr = stated({**given, "n": periods}).sr
    others = first_of(given, "trial_sr_annual", "other_sr_annual")
    ratios = None if others is None else np.array([per_period(one, q) for one in others])
    found = haircut(sr, periods=periods, trials=count, others=ratios)
    assert found is not None
    answer: Given = {"p": found.p, "p_single": found.p, "t": sr * np.sqrt(periods), "t_stat": sr * np.sqrt(periods)}
    for name in ("bonferroni", "sidak", "bhy"):
        cut_annual = annual(getattr(found, f"sr_{name}"), q)
        answer |= {f"p_{name}": getattr(found, name), name: cut_annual}
        answer |= {f"sr_{name}": cut_annual, f"sr_annual_{name}": cut_annual, f"haircut_sr_{name}": cut_annual}
        answer[f"haircut_{name}"] = 1 - cut_annual / annual(sr, q)
    return answer


def top_two(scores: np.ndarray) -> np.ndarray:
    """Half each in the two best."""
    weights = np.zeros(scores.size)
    weights[np.argsort(-scores)[:2]] = 0.5
    return weights


def momentum(prices: np.ndarray, row: int, lag: int) -> np.ndarray:
    return prices[row - lag] / prices[row - lag - 5]


def volatility(prices: np.ndarray) -> np.ndarray:
    return np.diff(np.log(prices), axis=0).std(axis=0, ddof=1)


SCORES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "a_momentum_to_t_minus_1": lambda prices, row: momentum(prices, row, 1),
    "b_inverse_full_sample_volatility": lambda prices, row: 1 / volatility(prices),
    "c_momentum_over_full_sample_volatility": lambda prices, row: np.log(momentum(prices, row, 1)) / volatility(prices),
    "d_momentum_including_decision_day": lambda prices, row: momentum(prices, row, 0),
}


def decisions(name: str, prices: np.ndarray, rows: list[int]) -> dict[str, pl.DataFrame]:
    """Scores and weights of one of the four rules for each row of decision."""
    scores = np.array([SCORES[name](prices, row) for row in rows])
    weights = scores / scores.sum(axis=1, keepdims=True) if name[0] == "b" else np.array([*map(top_two, scores)])
    return {
        kind: pl.DataFrame(panel, orient="row").insert_column(0, pl.Series("row", rows))
        for kind, panel in (("scores", scores), ("weights", weights))
    }


def leaks(given: Given) -> Given:
    prices, cutoff, rows = np.array(given["prices"]).T, given["first_perturbed_row"], given["rebalance_rows"]
    futures = [np.vstack([prices[:cutoff], np.array(after).T]) for after in given["perturbed_future_prices"]]
    answer = {}
    for name in SCORES:
        found = look_ahead(lambda p, name=name: decisions(name, p, rows), prices, futures, decided="row", until=cutoff)
        answer[name] = {
            "weights_before": decisions(name, prices, rows)["weights"].drop("row").rows(),
            "weights_changed": found.changed["weights"],
            "scores_changed": found.changed["scores"],
            "verdict": found.verdict,
        }
    return answer


def date_selection(given: Given) -> Given:
    return simulations.date_selection(20_000)


def best_of_twenty(given: Given) -> Given:
    samples = {"samples": 1000, "tested": TESTED}
    found: Given = {name: simulations.selection(name, **samples, seed=20) for name in simulations.SETTINGS}
    rates = {"iid": 0.0, "ar1_0.2": 0.2}
    covered = {name: simulations.coverage(rho, samples=COVERED, seed=21) for name, rho in rates.items()}
    return found | {"coverage_of_95pct_interval_for_annual_sharpe_T504": covered}


ANSWERED: dict[str, Callable[[Given], Given]] = {
    "H01": sharpe,
    "H02": track_record,
    "H03": published_anchors,
    "H04": deflation,
    "H05": backtest_length,
    "H06": cross_validation,
    "H07": cross_validation,
    "H08": best_of_many,
    "H09": blocks,
    "H10": intervals,
    "H11": cut,
    "H14": leaks,
    "H19": date_selection,
    "H20": best_of_twenty,
}
for others in ("honesty_costs", "honesty_stress"):
    if find_spec(f"tests.answers.{others}") is not None:
        ANSWERED |= import_module(f"tests.answers.{others}").ANSWERED
