"""Tests on signs: of the CAR, of days against the median, and all sign flips of the SCAR."""

import numpy as np
from scipy.special import bdtr

from exchina.analytics.significance.flips import sign_flips
from exchina.analytics.significance.outcome import FloatArray, NotComputableError, Outcome, normal
from exchina.analytics.significance.register import statistic
from exchina.analytics.significance.security_events import Sample

LARGEST_EXACT = 25


@statistic("generalised_sign", "diagnostic", "independent")
def generalised_sign(sample: Sample) -> Outcome:
    """Generalised sign z (Cowan): (w - N p) / sqrt(N p (1 - p)), N(0,1).

    w counts the CAR above 0; p is the mean over names of the share of positive estimation residuals.
    """
    n, p = sample.names, share_positive(sample)
    if not 0 < p < 1:
        raise NotComputableError("the estimation residuals have one sign")
    return normal((_positive(sample) - n * p) / np.sqrt(n * p * (1 - p)))


def share_positive(sample: Sample) -> float:
    """Mean over names of the share of their estimation residuals above 0."""
    return float(((sample.residuals > 0).sum(axis=0) / sample.sessions).mean())


@statistic("sign", "diagnostic", "independent")
def sign(sample: Sample) -> Outcome:
    """Sign z: (w - N/2) / sqrt(N/4) with w the number of CAR above 0, N(0,1)."""
    return normal((_positive(sample) - sample.names / 2) / np.sqrt(sample.names / 4))


@statistic("sign_exact", "diagnostic", "independent")
def sign_exact(sample: Sample) -> Outcome:
    """Exact sign test: w of N CAR above 0 against Binomial(N, 1/2), twice the smaller tail."""
    w, n = _positive(sample), sample.names
    return Outcome(float(w), min(1.0, 2 * float(bdtr(min(w, n - w), n, 0.5))))


@statistic("wilcoxon", "diagnostic", "independent")
def wilcoxon(sample: Sample) -> Outcome:
    """Wilcoxon signed rank W+: exact null for N <= 25, twice the smaller tail; CAR of zero are left out, ties averaged.

    Above 25 names the normal approximation, with the variance of the ranks as they are.
    """
    sample.require_complete()
    car = sample.car[sample.car != 0]
    if not car.size:
        raise NotComputableError("every CAR is zero")
    size = np.sort(np.abs(car))
    twice = np.searchsorted(size, np.abs(car), "left") + np.searchsorted(size, np.abs(car), "right") + 1
    total, above = int(twice.sum()), int(twice[car > 0].sum())
    if car.size <= LARGEST_EXACT:
        ways = _ways(twice)
        tail = ways[: min(above, total - above) + 1].sum() / 2.0**car.size
        return Outcome(above / 2, min(1.0, 2 * float(tail)))
    z = (above - total / 2) / np.sqrt((twice.astype(float) ** 2).sum() / 4)
    return Outcome(above / 2, normal(z).p, None, f"normal approximation, N > {LARGEST_EXACT}")


def zivney_by_day(sample: Sample) -> FloatArray:
    """(L,) Corrado and Zivney's sign z of each day of the window: g_t / S, N(0,1)."""
    sample.require_complete()
    rows = np.vstack([sample.rows, sample.ar])
    missing = np.isnan(rows).any()
    signs = np.sign(rows - (np.nanmedian(rows, axis=0) if missing else np.median(rows, axis=0)))
    counts = np.isfinite(signs).sum(axis=1)
    g = np.nansum(signs, axis=1) / np.sqrt(np.maximum(counts, 1))
    error = np.sqrt((g**2).mean())
    if not error > 0:
        raise NotComputableError("the signs cancel on every day")
    window = len(sample.ar)
    return np.where(counts[-window:] > 0, g[-window:] / error, np.nan)


@statistic("corrado_zivney_sign", "diagnostic", "calm")
def corrado_zivney_sign(sample: Sample) -> Outcome:
    """Corrado-Zivney sign z: sum_W g_t / (sqrt L S), N(0,1).

    G_it = sign(AR_it - median_i); g_t = sum_i G_it / sqrt(N_t); S^2 = mean of g_t^2 over estimation and event days.
    """
    daily = zivney_by_day(sample)
    return normal(np.nansum(daily) / np.sqrt(np.isfinite(daily).sum()))


@statistic("sign_flip", "secondary", "independent")
def sign_flip(sample: Sample) -> Outcome:
    """Sign flip by name: share of the 2^N sign vectors with |sum SCAR| as large; only for truly independent dates."""
    flips = sign_flips(sample.scar)
    return Outcome(float(sample.scar.sum()), flips.p, None, flips.note)


def _positive(sample: Sample) -> int:
    sample.require_complete()
    return int((sample.car > 0).sum())


def _ways(ranks: np.ndarray) -> FloatArray:
    """Number of subsets of whole-number ranks with each sum, from 0 to all of them."""
    ways = np.zeros(int(ranks.sum()) + 1)
    ways[0] = 1
    for rank in ranks.tolist():
        ways[rank:] = ways[rank:] + ways[: len(ways) - rank]
    return ways
