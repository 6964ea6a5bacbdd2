"""Tests on abnormal returns divided by their own forecast error: Patell, BMP, and both adjusted for correlation."""

import numpy as np

from exchina.analytics.significance.outcome import NotComputableError, Outcome, mean_over_error, normal, student
from exchina.analytics.significance.register import statistic
from exchina.analytics.significance.security_events import Sample


@statistic("patell", "diagnostic", "independent", "calm")
def patell(sample: Sample) -> Outcome:
    """Patell z: sum SCAR_i / sqrt(sum df_i / (df_i - 2)), N(0,1); undefined for df <= 2."""
    return normal(_patell(sample))


@statistic("patell_daily", "diagnostic", "independent", "calm")
def patell_daily(sample: Sample) -> Outcome:
    """Patell z of daily SAR: mean over names of sum_t SAR_it / sqrt(L_i df_i / (df_i - 2)), times sqrt N, N(0,1)."""
    present = np.isfinite(sample.sar).sum(axis=0)
    each = np.nansum(sample.sar, axis=0) / np.sqrt(present * _tails(sample))
    return normal(np.sqrt(sample.names) * each.mean())


@statistic("bmp", "secondary", "independent")
def bmp(sample: Sample) -> Outcome:
    """BMP t: mean(SCAR) / (sd(SCAR) / sqrt N), t with N - 1 (Boehmer, Musumeci and Poulsen 1991)."""
    return student(_bmp(sample), sample.names - 1)


@statistic("kp_patell", "secondary", "calm")
def kp_patell(sample: Sample) -> Outcome:
    """Kolari-Pynnonen adjusted Patell z: z_Patell / sqrt(1 + (N-1) rbar), N(0,1)."""
    return normal(_patell(sample) / np.sqrt(sample.inflation), f"rbar {sample.rbar:.3f}")


@statistic("kp_bmp", "essential")
def kp_bmp(sample: Sample) -> Outcome:
    """Kolari-Pynnonen adjusted BMP t: t_BMP sqrt((1 - rbar) / (1 + (N-1) rbar)), t with N - 1 (2010); the headline."""
    inflation, rbar = sample.inflation, sample.rbar
    if not rbar < 1 - 1e-12:
        raise NotComputableError("the names move as one (rbar 1): they are one observation")
    return student(_bmp(sample) * np.sqrt((1 - rbar) / inflation), sample.names - 1, f"rbar {rbar:.3f}")


def _bmp(sample: Sample) -> float:
    return mean_over_error(sample.scar, "SCAR")


def _patell(sample: Sample) -> float:
    return float(sample.scar.sum() / np.sqrt(_tails(sample).sum()))


def _tails(sample: Sample) -> np.ndarray:
    """df_i / (df_i - 2), the variance of Student's t."""
    if (sample.df <= 2).any():
        raise NotComputableError("undefined: a name has M - K of 2 or less")
    return sample.df / (sample.df - 2)
