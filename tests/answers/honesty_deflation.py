"""Worked answers on the best of many variants: deflated Sharpe ratio, minimum length of a backtest, haircut."""

from typing import Any

import numpy as np

from exchina.analytics.honesty.deflation import (
    deflated_sharpe,
    effective_trials,
    expected_maximum,
    haircut,
    mean_correlation,
    minimum_backtest_years,
)
from exchina.analytics.honesty.sharpe import PerPeriod, annual, per_period, probabilistic_sharpe, track
from tests.answers.compare import Either
from tests.answers.given import Given, each, given
from tests.answers.honesty_sharpe import ANNUAL, LENGTH, PER_PERIOD, YEAR, several, year

Answer = dict[str, Any]
TRIALS = (
    "n_trials",
    "trials",
    "K",
    "N",
    "n_tests",
    "tests",
    "number_of_trials",
    "number_of_tests",
    "variants",
    "n_variants",
)
TARGET = (
    *("target_sr_annual", "target_annual_sr", "target_annual", "target_sr", "target", "sr_annual", "annual_sr"),
    *("target_sharpe", "target_sharpe_annual", "annual_target_sr", "sr_target_annual", "max_sr_annual"),
)
MATRIX = ("returns", "trials", "variants", "trial_returns", "variant_returns", "returns_of_trials", "trials_returns")


def matrix(inputs: Given) -> np.ndarray:
    """Returns as periods x variants; the cases give a row a variant, and there are more periods than variants."""
    values = given(inputs, *MATRIX)
    array = np.array(list(values.values()) if isinstance(values, dict) else values, float)
    if isinstance(values, Given):
        values.unread.clear()
    return array.T if array.shape[0] < array.shape[1] else array


def deflation(inputs: Given) -> Answer:
    trials, q = matrix(inputs), year(inputs)
    for name in ("n_trials", "K", "n_variants", "T", "n"):
        inputs.get(name)
    ratios = trials.mean(axis=0) / trials.std(axis=0, ddof=1)
    best, variance, count = int(ratios.argmax()), float(ratios.var(ddof=1)), trials.shape[1]
    record, rho = track(trials[:, best]), mean_correlation(trials)
    assert rho is not None
    few = effective_trials(count, rho)
    whole, fewer = (deflated_sharpe(record, trials=number, variance=variance) for number in (count, few))
    yearly = [annual(PerPeriod(one), q) for one in ratios.tolist()]
    answer: Answer = {
        **dict.fromkeys(
            ("sr", "sr_per_period", "trial_sr", "trial_sr_per_period", "sr_trials", "srs"),
            Either(ratios.tolist(), record.sr),
        ),
        **dict.fromkeys(("sr_by_trial", "sr_all", "sr_per_trial", "sharpe_ratios", "trial_srs"), ratios.tolist()),
        **dict.fromkeys(("sr_annual", "trial_sr_annual", "sr_annual_trials"), Either(yearly, yearly[best])),
        **dict.fromkeys(
            ("best", "selected", "best_trial", "best_variant", "best_index", "selected_trial", "argmax"), best
        ),
        **dict.fromkeys(
            ("sr_best", "best_sr", "best_sr_per_period", "sr_best_per_period", "sr_selected", "max_sr"), record.sr
        ),
        **dict.fromkeys(("sr_best_annual", "best_sr_annual", "best_annual_sr", "max_sr_annual"), yearly[best]),
        **dict.fromkeys(
            ("V", "variance", "variance_of_trial_sr", "variance_of_sr", "var_sr", "var_trial_sr"), variance
        ),
        **dict.fromkeys(
            ("variance_of_trial_sr_per_period", "variance_trials", "sr_variance", "trial_sr_variance"), variance
        ),
        **dict.fromkeys(("variance_of_trial_sr_annual", "V_annual"), variance * q),
        **dict.fromkeys(("sd_trial_sr", "sd_of_trial_sr", "std_trial_sr"), float(np.sqrt(variance))),
        **dict.fromkeys(("skew", "skew_population", "skew_best", "best_skew"), record.skew),
        **dict.fromkeys(
            ("kurtosis", "kurtosis_population_raw", "kurtosis_best", "best_kurtosis", "kurt_best"), record.kurtosis
        ),
        **dict.fromkeys(
            ("rho", "mean_correlation", "mean_pairwise_correlation", "rbar", "mean_rho", "average_correlation"), rho
        ),
        **dict.fromkeys(
            ("effective_trials", "K_effective", "K_eff", "n_effective", "effective_K", "trials_effective"), few
        ),
        **dict.fromkeys(("N_eff", "n_eff_trials", "effective_number_of_trials", "k_eff_trials"), few),
        **dict.fromkeys(("K", "n_trials", "trials"), count),
        **dict.fromkeys(("T", "n"), record.periods),
    }
    plain = probabilistic_sharpe(record)
    answer |= dict.fromkeys(
        ("psr", "psr_best", "psr_of_best", "psr_best_vs_0", "psr_best_vs_zero", "psr_undeflated"), plain
    )
    answer |= dict.fromkeys(
        ("psr_zero", "psr_vs_0", "psr_vs_zero", "psr_of_best_vs_0", "psr_0", "psr_of_best_vs_zero"), plain
    )
    for found, ends in ((whole, ("", "_all", "_all_trials", f"_{count}", f"_K{count}")), (fewer, FEWER)):
        for end in ends:
            answer |= {
                f"dsr{end}": found.value,
                f"deflated_sharpe{end}": found.value,
                f"deflated_sharpe_ratio{end}": found.value,
            }
            answer |= {
                f"{name}{end}{unit}": found.sr0 for name in ("sr0", "expected_max_sr") for unit in ("", "_per_period")
            }
            answer |= {f"{name}{end}_annual": annual(found.sr0, q) for name in ("sr0", "expected_max_sr")}
            answer |= {f"{name}_annual{end}": annual(found.sr0, q) for name in ("sr0", "expected_max_sr")}
    return answer


FEWER = (
    "_effective",
    "_effective_trials",
    "_eff",
    "_with_effective_trials",
    "_K_eff",
    "_effective_K",
    "_eff_trials",
    "_K_effective",
)


def backtest_length(inputs: Given) -> Answer:
    return each(inputs, one_backtest_length)


def one_backtest_length(inputs: Given) -> Answer:
    counts = given(inputs, *TRIALS)
    targets = given(inputs, *TARGET, default=1.0)
    listed = several(counts)
    if isinstance(targets, list):
        found = [one_backtest_length(Given({"K": counts, "target": one})) for one in targets]
        return {name: [one[name] for one in found] for name in found[0]}
    figures = {
        EXPECTED: [expected_maximum(one) for one in listed],
        DURATION: [minimum_backtest_years(one, target_annual=targets) for one in listed],
        BOUND: [2 * np.log(one) / targets**2 for one in listed],
    }
    answer: Answer = {}
    for names, values in figures.items():
        keyed = {f"{by}{count}": value for count, value in zip(listed, values, strict=True) for by in ("", "K")}
        answer |= dict.fromkeys(names, Either(values, keyed) if isinstance(counts, list) else values[0])
        for name in names:
            answer |= {f"{name}_{key}": value for key, value in keyed.items()}
    for place, count in enumerate(listed):
        one = {name: values[place] for names, values in figures.items() for name in names}
        answer |= dict.fromkeys((str(count), f"K{count}"), one | {"stat": figures[DURATION][place]})
    return answer


EXPECTED = (
    *("expected_max", "expected_maximum", "expected_max_sr", "E_max", "emax", "expected_max_sharpe", "expected_max_z"),
    *("expected_max_of_K", "expected_max_normal", "expected_maximum_sr"),
)
DURATION = (
    *("years", "min_years", "minbtl_years", "min_backtest_years", "minimum_backtest_years", "minbtl", "min_btl"),
    *("min_btl_years", "minimum_backtest_length_years", "min_backtest_length_years", "minimum_years", "length_years"),
    *("min_backtest_length", "minimum_backtest_length", "exact_years", "minbtl_exact_years"),
)
BOUND = (
    *("bound", "upper_bound", "upper_bound_years", "bound_years", "minbtl_upper_bound_years", "bound_2lnK"),
    *(
        "minbtl_bound_years",
        "minbtl_bound",
        "minbtl_upper_bound",
        "upper",
        "years_upper_bound",
        "years_bound",
        "min_btl_bound",
    ),
)


def cut(inputs: Given) -> Answer:
    return each(inputs, one_cut)


def one_cut(inputs: Given) -> Answer:
    count, years = given(inputs, *TRIALS), given(inputs, "years", "n_years", default=None)
    periods = given(inputs, *LENGTH, default=None)
    q = given(inputs, *YEAR, default=periods / years if periods and years else 252)
    periods = round(q * years) if periods is None else periods
    sr = given(inputs, *PER_PERIOD, default=None)
    sr = per_period(given(inputs, *ANNUAL), q) if sr is None else PerPeriod(sr)
    others = given(inputs, "trial_sr_annual", "other_sr_annual", "all_sr_annual", "sr_annual_all", default=None)
    ratios = None if others is None else np.array([per_period(one, q) for one in others])
    found = haircut(sr, periods=periods, trials=count, others=ratios)
    assert found is not None
    answer: Answer = dict.fromkeys(
        ("p", "p_single", "p_value", "p_unadjusted", "p_raw", "p_one_test", "p_two_sided"), found.p
    )
    answer |= dict.fromkeys(("t", "t_stat", "t_ratio", "z"), sr * np.sqrt(periods))
    answer |= {"sr_annual": annual(sr, q), "sr_per_period": sr, "n": periods, "K": count}
    for name, also in {"bonferroni": "", "sidak": "sidak", "bhy": "by"}.items():
        p, left = getattr(found, name), annual(getattr(found, f"sr_{name}"), q)
        share = 1 - left / annual(sr, q)
        adjusted = {"p": p, "sr": left, "sr_annual": left, "haircut": share, "haircut_sr": left, "adjusted_p": p}
        for called in filter(None, (name, also)):
            answer |= dict.fromkeys((f"p_{called}", f"{called}_p", f"p_adjusted_{called}", f"adjusted_p_{called}"), p)
            answer |= dict.fromkeys((f"{lead}_{called}" for lead in LEFT), left)
            answer |= dict.fromkeys((f"{called}_{lead}" for lead in LEFT), left)
            answer |= {f"haircut_{called}": Either(share, left, 100 * share), called: Either(left, p, adjusted)}
            answer |= {f"haircut_pct_{called}": 100 * share, f"haircut_share_{called}": share}
            answer |= {f"{called}_haircut": Either(share, left, 100 * share)}
    bonferroni = answer["sr_bonferroni"]
    answer |= dict.fromkeys(("p_adjusted", "adjusted_p"), found.bonferroni)
    answer |= dict.fromkeys(
        ("haircut_sr", "sr_haircut", "sr_adjusted", "haircut_sr_annual", "sr_annual_haircut", "adjusted_sr"), bonferroni
    )
    return (
        answer
        | dict.fromkeys(("sr_annual_adjusted", "adjusted_sr_annual", "sr_after"), bonferroni)
        | {"haircut": answer["haircut_bonferroni"]}
    )


LEFT = (
    "sr",
    "sr_annual",
    "haircut_sr",
    "haircut_sr_annual",
    "sharpe",
    "sharpe_annual",
    "adjusted_sr",
    "sr_haircut",
    "annual_sr",
)
