"""The controls of `assess` as lines for people and machines: a number, or the reason why there is none."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log

from exchina.analytics.honesty.bootstrap import LABELS, BootstrapIntervals
from exchina.analytics.honesty.data_snooping import DataSnooping
from exchina.analytics.honesty.deflation import (
    deflated_sharpe,
    effective_trials,
    haircut,
    mean_correlation,
    minimum_backtest_years,
)
from exchina.analytics.honesty.overfitting import Overfitting
from exchina.analytics.honesty.sharpe import (
    FloatArray,
    PerPeriod,
    Track,
    annual,
    lo_factor,
    minimum_track_record,
    probabilistic_sharpe,
    standard_error,
    varies,
)

NO_LEDGER = "not computable without a trial ledger"
NO_BENCHMARK = "not computable without a benchmark of the same market"
LAGS_PER_PERIOD = 10


@dataclass(frozen=True)
class Figure:
    """One control: a number, with its interval where it has one, or None and why in ``note``.

    Attributes:
        name: for machines, ``dsr``.
        label: for people, with the unit.
        value: the number; None where it is not computable or not defined.
        low, high: 95 % interval; None where the figure has none.
        note: why there is no number, or what to know about it.
    """

    name: str
    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Case:
    """A chosen variant and its trials, (n,) and (n, K') returns per period, in excess of cash where that was deducted.

    Attributes:
        returns: of the chosen variant.
        record: its track.
        trials: of all variants that cover the periods; None without a ledger.
        tried: K; None without a ledger.
        per_year: periods per year.
        excess_of_cash: whether cash was deducted.
    """

    returns: FloatArray
    record: Track
    trials: FloatArray | None
    tried: int | None
    per_year: float
    excess_of_cash: bool

    @property
    def years(self) -> float:
        """Years of data."""
        return self.returns.size / self.per_year

    def ratios(self) -> FloatArray | None:
        """Sharpe ratios per period of the trials that vary; None without a ledger."""
        if self.trials is None:
            return None
        moving = self.trials[:, varies(self.trials)]
        return moving.mean(axis=0) / moving.std(axis=0, ddof=1)


def of_the_record(case: Case, spread: BootstrapIntervals) -> Iterator[Figure]:
    """What one record says of itself, as if nothing else had been tried."""
    record, q, drawn = case.record, case.per_year, spread.figures["sharpe"]
    name = _ratio(case)
    yield Figure("sharpe", name, annual(record.sr, q), drawn.low, drawn.high, drawn.note or _how(spread))
    normal = annual(PerPeriod(standard_error(record, normal=True)), q)
    yield Figure(
        "sharpe_error",
        "Its standard error, independent returns",
        annual(PerPeriod(standard_error(record)), q),
        note=f"{normal:.4g} if they were normal; skew {record.skew:.2f}, kurtosis {record.kurtosis:.2f}",
    )
    yield _lo(case)
    psr = probabilistic_sharpe(record)
    yield Figure("psr", "Probabilistic Sharpe ratio, against 0", psr, note="of this variant as if the only one tried")
    needed = minimum_track_record(record)
    have = f"{case.years:.1f} years of data"
    yield Figure(
        "minimum_track_record",
        "Years of record needed for 95 % against 0",
        None if needed is None else needed / q,
        note=f"none is long enough: the ratio is not above 0; {have}" if needed is None else have,
    )


def after_trials(case: Case, target_annual: float) -> Iterator[Figure]:
    """What the number of trials takes away."""
    yield from _deflated(case)
    label = f"Years below which the best of K without skill shows {target_annual:g} per year"
    if case.tried is None:
        yield Figure("minimum_backtest_length", label, None, note=NO_LEDGER)
        return
    at_most = 2 * log(case.tried) / target_annual**2
    note = f"K = {case.tried}; at most {at_most:.1f}; {case.years:.1f} years of data"
    years = minimum_backtest_years(case.tried, target_annual=target_annual)
    yield Figure("minimum_backtest_length", label, years, note=note)


def of_the_test(case: Case, found: DataSnooping | None, why_not: str) -> Iterator[Figure]:
    """Reality check and SPA, over all variants."""
    labels = {
        "p_reality_check": "Reality check: p over all variants",
        "p_spa_lower": "SPA: lower p over all variants",
        "p_spa_consistent": "SPA: consistent p over all variants",
        "p_spa_upper": "SPA: upper p over all variants",
    }
    if found is None:
        note = why_not or (NO_LEDGER if case.trials is None else NO_BENCHMARK)
    else:
        note = f"{found.variants} variants against the benchmark, {found.periods} periods, {found.draws} draws, "
        note += f"mean block {found.mean_block:.1f}" + _missing(case, found.variants)
    for name, label in labels.items():
        p = None if found is None else getattr(found, name)
        resolution = "" if found is None or p else f"below {1 / found.draws:.2g}; "
        yield Figure(name, label, p, note=resolution + note)


def of_overfitting(case: Case, found: Overfitting | None, why_not: str) -> Iterator[Figure]:
    """Cross-validation of the choice."""
    if case.trials is not None and case.trials.shape[1] == 1:
        covers = "" if case.tried == 1 else f", of {case.tried}, covers the periods"
        note, values = f"one variant tried{covers}: nothing to choose among", (None, None, None)
    elif found is None:
        note, values = why_not or NO_LEDGER, (None, None, None)
    else:
        note = "; ".join((f"K = {found.variants}, S = {found.blocks}", *found.warnings))
        values = (found.pbo, found.loss, found.slope)
    yield Figure("pbo", "Probability of backtest overfitting (0.5 is pure noise)", values[0], note=note)
    yield Figure("oos_loss", "Share of losses of the best out of sample", values[1], note=note)
    still = "; none: the best in sample is as good in every split" if found is not None and found.slope is None else ""
    yield Figure("degradation_slope", "Slope of out-of-sample on in-sample ratio", values[2], note=note + still)


def after_haircut(case: Case) -> Iterator[Figure]:
    """The Sharpe ratio that is left after K trials."""
    methods = {"bonferroni": "Bonferroni", "sidak": "Sidak", "bhy": "Benjamini-Hochberg-Yekutieli"}
    cut, note = None, NO_LEDGER
    if case.tried is not None:
        cut = haircut(case.record.sr, periods=case.returns.size, trials=case.tried, others=case.ratios())
        note = "no haircut: the ratio is not above 0" if cut is None else f"K = {case.tried}"
    for method, label in methods.items():
        value = None if cut is None else annual(getattr(cut, f"sr_{method}"), case.per_year)
        yield Figure(f"haircut_{method}", f"Ratio per year after the haircut, {label}", value, note=note)


def with_intervals(case: Case, spread: BootstrapIntervals) -> Iterator[Figure]:
    """The other figures of the record, and less the benchmark's, with block-bootstrap intervals."""
    optimistic = {"max_drawdown": "; optimistic: blocks break long declines"}
    for name, label in {**LABELS, "sharpe": _ratio(case)}.items():
        one, lesser = spread.figures.get(name), spread.difference.get(name)
        if name != "sharpe":
            yield (
                Figure(name, label, None, note=NO_BENCHMARK)
                if one is None
                else Figure(
                    name, label, one.point, one.low, one.high, (one.note or _how(spread)) + optimistic.get(name, "")
                )
            )
        if name != "tracking_error":
            less = (f"{name}_difference", f"{label}, less the benchmark's")
            yield (
                Figure(*less, None, note=NO_BENCHMARK)
                if lesser is None
                else Figure(*less, lesser.point, lesser.low, lesser.high, lesser.note or _how(spread))
            )


def _how(spread: BootstrapIntervals) -> str:
    return f"95 % stationary bootstrap, mean block {spread.mean_block:.1f}, {spread.draws} draws, seed {spread.seed}"


def _missing(case: Case, compared: int) -> str:
    count = (case.tried or compared) - compared
    return f"; {count} more of the ledger do not cover the periods and are left out" if count else ""


def _ratio(case: Case) -> str:
    return "Sharpe ratio per year" if case.excess_of_cash else "Return over risk per year, cash not deducted"


def _lo(case: Case) -> Figure:
    """The yearly ratio with autocorrelation; hardly estimable where a year has many periods and the record is short."""
    q = round(case.per_year)
    label = f"{_ratio(case)}, Lo's factor for autocorrelation"
    if case.returns.size < LAGS_PER_PERIOD * q:
        years = f"{q - 1} autocorrelations need {LAGS_PER_PERIOD} years of data, not {case.years:.1f}"
        return Figure("sharpe_lo", label, None, note=f"not computable: {years}")
    factor = lo_factor(case.returns, q)
    return Figure("sharpe_lo", label, None if factor is None else case.record.sr * factor)


def _deflated(case: Case) -> Iterator[Figure]:
    """The deflated Sharpe ratio, with all trials and with the effective number of them."""
    names = (("dsr", "Deflated Sharpe ratio"), ("dsr_effective", "Deflated Sharpe ratio, effective trials (secondary)"))
    ratios, tried = case.ratios(), case.tried
    if ratios is None or tried is None or case.trials is None:
        reason = NO_LEDGER if tried is None else f"not computable: K = {tried}, but their returns are not in the ledger"
    elif ratios.size < 2 and tried > 1:
        reason = f"not computable: K = {tried}, but their spread needs two trials over the same periods"
    else:
        variance = float(ratios.var(ddof=1)) if tried > 1 else 0.0
        rho = mean_correlation(case.trials[:, varies(case.trials)]) or 0.0
        for (name, label), count in zip(names, (tried, effective_trials(tried, rho)), strict=True):
            found = deflated_sharpe(case.record, trials=count, variance=variance)
            beaten = annual(found.sr0, case.per_year)
            note = f"K = {count:.4g}, V = {variance:.3g} per period from {ratios.size}; to beat {beaten:.2f} per year"
            yield Figure(name, label, found.value, note=note)
        return
    for name, label in names:
        yield Figure(name, label, None, note=reason)
