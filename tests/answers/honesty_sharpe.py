"""Worked answers on Sharpe ratios and their deflation: inputs -> produced by the keys of ``expected``."""

from typing import Any

import numpy as np

from exchina.analytics.honesty.deflation import deflated_sharpe
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
from tests.answers.compare import Either
from tests.answers.given import Given, each, given

Answer = dict[str, Any]
YEAR = ("periods_per_year", "ppy", "q", "frequency", "annualisation", "trading_days")
PER_PERIOD = ("sr_per_period", "sr_period", "sharpe_per_period")
ANNUAL = (
    "sr_annual",
    "sharpe_annual",
    "annual_sr",
    "annual_sharpe",
    "sr",
    "sharpe",
    "observed_sr_annual",
    "sharpe_ratio",
)
LENGTH = ("n", "T", "n_obs", "n_periods", "n_returns", "observations", "periods", "n_observations", "length")
ABOVE_PER_PERIOD = (
    *("benchmark_sr_per_period", "bench_per_period", "sr_benchmark_per_period", "target_sr_per_period", "sr_star"),
    *("sr_star_per_period", "threshold_sr_per_period"),
)
ABOVE = (
    *("benchmark_sr_annual", "sr_benchmark_annual", "target_sr_annual", "bench", "bench_annual", "benchmark_annual"),
    *("sr_star_annual", "annual_benchmark_sr", "benchmark_sr", "sr_benchmark", "benchmark_sharpe_annual", "target_sr"),
    *("benchmark_sharpe", "annual_target_sr", "reference_sr_annual", "threshold_sr_annual", "target_annual", "target"),
    *("sr_target_annual", "sr0_annual", "benchmark", "sr_annual_benchmark", "sr_bench_annual", "target_annual_sr"),
)


def year(inputs: dict[str, Any], default: float = 252) -> float:
    return given(inputs, *YEAR, default=default)


def stated(inputs: Given) -> Track:
    """A track record from returns, or from its stated figures."""
    if "returns" in inputs:
        return track(np.array(inputs["returns"], float))
    sr = given(inputs, *PER_PERIOD, default=None)
    sr = per_period(given(inputs, *ANNUAL), year(inputs)) if sr is None else sr
    skew = given(inputs, "skew", "skew_population", "skewness", "g3", default=0)
    kurtosis = given(
        inputs, "kurtosis", "kurt", "kurtosis_population_raw", "kurtosis_raw", "raw_kurtosis", "g4", default=3
    )
    periods = given(inputs, *LENGTH, default=None)
    if periods is None:
        periods = round(given(inputs, "years", "n_years", default=2 / year(inputs)) * year(inputs))
    return Track(PerPeriod(sr), skew, kurtosis, periods)


def beside(inputs: Given) -> list[PerPeriod]:
    """The ratios to beat, per period."""
    direct, q = given(inputs, *ABOVE_PER_PERIOD, default=None), year(inputs)
    yearly = given(inputs, *ABOVE, default=None)
    if direct is not None:
        return [PerPeriod(one) for one in several(direct)]
    return [per_period(one, q) for one in several(yearly)] if yearly is not None else [NO_SKILL]


def several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def sharpe(inputs: Given) -> Answer:
    returns = np.array(inputs["returns"], float)
    record, q = track(returns), year(inputs)
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


def track_record(inputs: Given) -> Answer:
    return each(inputs, one_track_record)


def one_track_record(inputs: Given) -> Answer:
    record, q = stated(inputs), year(inputs)
    above = beside(inputs)
    yearly = [annual(one, q) for one in above]
    confidence = given(
        inputs, "confidence", "conf", "confidence_level", "level", "prob", "z_conf", "alpha", default=0.95
    )
    confidence = 1 - confidence if confidence < 0.5 else confidence
    error = standard_error(record)
    figures = {
        ratio: (
            probabilistic_sharpe(record, above=PerPeriod(one)),
            minimum_track_record(record, above=PerPeriod(one), confidence=confidence),
        )
        for ratio, one in zip([0.0, *yearly], [NO_SKILL, *above], strict=True)
    }
    answer: Answer = {
        **dict.fromkeys(("sr", "sr_per_period"), record.sr),
        **dict.fromkeys(("sr_annual", "sr_annual_iid", "sharpe_annual", "annual_sr"), annual(record.sr, q)),
        **dict.fromkeys(("skew", "skew_population"), record.skew),
        **dict.fromkeys(("kurtosis", "kurtosis_population_raw", "kurtosis_raw"), record.kurtosis),
        **dict.fromkeys(("se", "se_sr", "se_sr_nonnormal"), error),
        **dict.fromkeys(
            ("var_sr", "variance_of_sr", "sr_variance", "variance_sr", "var_sr_per_period", "var"), error**2
        ),
        "n": record.periods,
        "years": record.periods / q,
        "benchmark_sr_per_period": Either(above[0], above),
    }
    for ratio, (psr, needed) in figures.items():
        answer |= compared(ratio, psr, needed, q)
    psrs, lengths = zip(*(figures[one] for one in yearly), strict=True)
    psrs, lengths = list(psrs), list(lengths)
    zero = figures[0.0]
    answer |= dict.fromkeys(("psr", "psr_vs_benchmark", "psr_benchmark", "psr_target"), either(psrs))
    length_years = [None if one is None else one / q for one in lengths]
    zero_years = None if zero[1] is None else zero[1] / q
    answer |= dict.fromkeys(PERIODS_NEEDED, Either(*either(lengths), zero[1]))
    answer |= dict.fromkeys((f"{name}_years" for name in LENGTHS), Either(*either(length_years), zero_years))
    answer |= {f"{name}_vs_benchmark": Either(*either(lengths)) for name in PERIODS_NEEDED}
    return answer | {
        f"{name}_{end}": Either(*either(length_years))
        for name in LENGTHS
        for end in ("years_vs_benchmark", "vs_benchmark_years")
    }


LENGTHS = (
    "mintrl",
    "min_trl",
    "min_track_record",
    "min_track_record_length",
    "minimum_track_record",
    "minimum_track_record_length",
)
PERIODS_NEEDED = tuple(
    f"{name}{end}"
    for name in LENGTHS
    for end in ("", "_periods", "_days", "_n", "_observations", "_obs", "_months", "_length")
)


def either(values: list[Any]) -> Either:
    """One figure or the list of all."""
    return Either(*values[:1], values)


def compared(ratio: float, psr: float, needed: float | None, q: float) -> Answer:
    """Figures against one yearly ratio, under the names that state it."""
    number = f"{ratio:g}"
    ends = [
        f"{by}{number}" for by in ("_vs_", "_vs_annual_", "_", "_against_", "_annual_", "_vs_sr_", "_vs_sr", "_above_")
    ]
    ends += [
        f"_vs_{number}_annual",
        f"_sr{number}",
        f"_vs_{number}.0",
        f"_vs_annual_sr_{number}",
        f"_vs_sr_annual_{number}",
    ]
    ends += ["_zero", "_vs_zero"] if ratio == 0 else []
    years = None if needed is None else needed / q
    answer: Answer = {f"psr{end}": psr for end in ends}
    for end in ends:
        answer |= {f"{name}{end}": Either(needed, years) for name in LENGTHS}
        answer |= {f"{name}{unit}{end}": needed for name in LENGTHS for unit in ("_periods", "_days", "_n")}
        answer |= {f"{name}{end}{unit}": needed for name in LENGTHS for unit in ("_periods", "_days")}
        answer |= {key: years for name in LENGTHS for key in (f"{name}_years{end}", f"{name}{end}_years")}
    return answer


def published_anchors(inputs: Given) -> Answer:
    dsr = inputs["dsr"]
    record, variance = stated(dsr), dsr["variance_of_trial_sr_annual"] / year(dsr)
    found = [deflated_sharpe(record, trials=trials, variance=variance) for trials in dsr["trials"]]
    plain = Track(record.sr, 0, 3, record.periods)
    lengths = [minimum_track_record(stated(one), above=beside(one)[0]) for one in inputs["mintrl"]]
    return {
        "sr0": [one.sr0 for one in found],
        "dsr": [one.value for one in found],
        "dsr_normal_88": deflated_sharpe(plain, trials=inputs["dsr_normal"]["trials"], variance=variance).value,
        "mintrl_years": [(one or np.nan) / year(case) for one, case in zip(lengths, inputs["mintrl"], strict=True)],
    }
