"""Rank tests of Corrado (1989), Corrado and Zivney (1992), and the generalised ranks of Kolari and Pynnonen (2011)."""

import numpy as np

from exchina.analytics.significance.outcome import FloatArray, NotComputableError, Outcome, normal, spread, student
from exchina.analytics.significance.ranking import with_events
from exchina.analytics.significance.register import statistic
from exchina.analytics.significance.security_events import Sample


def corrado_by_day(sample: Sample) -> FloatArray:
    """(L,) Corrado's z of each day of the window: (Kbar_t - 1/2) / S_K, N(0,1)."""
    return _by_day(_corrado(sample), len(sample.ar))


@statistic("corrado_rank", "secondary", "calm")
def corrado_rank(sample: Sample) -> Outcome:
    """Corrado rank z: sqrt L (mean_W Kbar - 1/2) / S_K, N(0,1).

    K_it = rank of AR_it among the M_i + L_i days of the security / (1 + their count); Kbar_t is its mean over the N_t
    names present; S_K^2 = (1/T) sum_t (N_t / N) (Kbar_t - 1/2)^2 over the T estimation and event days.
    """
    return normal(_window(corrado_by_day(sample)))


@statistic("corrado_zivney_rank", "diagnostic", "small")
def corrado_zivney_rank(sample: Sample) -> Outcome:
    """Corrado-Zivney rank z: as Corrado's, on SAR; those of an event day divided by their sd over the names."""
    scaled = np.full(sample.sar.shape, np.nan)
    for row, day in zip(scaled, sample.sar, strict=True):
        here = np.isfinite(day)
        row[here] = day[here] / spread(day[here], "SAR of a day of the window")
    ranks = with_events(sample.standardised, sample.ranks, scaled)
    return normal(_window(_by_day(ranks, len(scaled))))


@statistic("grank_t", "secondary", "small")
def grank_t(sample: Sample) -> Outcome:
    """GRANK-T: Z sqrt((T-2) / (T-1-Z^2)), t with T - 2, for N >= 20.

    SCAR*_i = SCAR_i / sd(SCAR); U_it = rank / (count + 1) - 1/2 among the M_i values e_it / s_i and SCAR*_i;
    S_U^2 = (1/T) sum_t (N_t / N) Ubar_t^2; T = M + 1; Z = Ubar_event / S_U. The window is one value, whatever L is.
    """
    mean, error = _moments(sample.generalised_ranks)
    days = len(sample.rows) + 1
    z = mean[-1] / error
    if days < 4 or not z**2 < days - 1:
        raise NotComputableError("too few estimation days")
    return student(z * np.sqrt((days - 2) / (days - 1 - z**2)), days - 2)


@statistic("grank_z", "diagnostic", "independent")
def grank_z(sample: Sample) -> Outcome:
    """GRANK-Z: Ubar_event / sqrt(sum_i (T_i - 1) / (12 (T_i + 1)) / N^2), T_i = M_i + 1, N(0,1)."""
    mean, _ = _moments(sample.generalised_ranks)
    days = sample.sessions + 1
    return normal(mean[-1] / np.sqrt(((days - 1) / (12 * (days + 1))).sum() / sample.names**2))


def _corrado(sample: Sample) -> FloatArray:
    sample.require_complete()
    return with_events(sample.rows, sample.ranks, sample.ar)


def _moments(ranks: FloatArray) -> tuple[FloatArray, float]:
    """Mean of rank - 1/2 over the names of each day, and its standard deviation over the days."""
    present = np.isfinite(ranks)
    counts = present.sum(axis=1)
    mean = np.where(present, ranks - 0.5, 0.0).sum(axis=1) / np.maximum(counts, 1)
    error = float(np.sqrt((counts / ranks.shape[1] * mean**2).mean()))
    if not error > 0:
        raise NotComputableError("the mean ranks do not vary")
    return np.where(counts > 0, mean, np.nan), error


def _by_day(ranks: FloatArray, window: int) -> FloatArray:
    mean, error = _moments(ranks)
    return mean[-window:] / error


def _window(daily: FloatArray) -> float:
    """Cowan's sum over the window: sqrt L times the mean over the L days on which a name is present."""
    return float(np.nansum(daily) / np.sqrt(np.isfinite(daily).sum()))
