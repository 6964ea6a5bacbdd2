"""What the honesty statistics say of data whose truth is known; answered from the product's own functions.

`python -m tests.answers.honesty_simulations` prints every table with all samples, in about a minute.
"""

from pprint import pprint
from typing import Any

import numpy as np
from scipy.special import stdtrit

from exchina.analytics.honesty.blocks import block_length, counts_of, stationary_counts, stationary_indices
from exchina.analytics.honesty.data_snooping import data_snooping
from exchina.analytics.honesty.deflation import deflated_sharpe, effective_trials, mean_correlation
from exchina.analytics.honesty.overfitting import overfitting
from exchina.analytics.honesty.sharpe import annual, interval, probabilistic_sharpe, track

PERIODS, VARIANTS, DEVIATION, YEAR = 504, 20, 0.012, 252
SETTINGS = {"null_iid": (0.0, 0.0), "null_rho0.5": (0.5, 0.0), "one_trial_with_annual_SR_2": (0.0, 2.0)}


def date_selection(repetitions: int, seed: int = 77) -> dict[str, float]:
    """How often a t test of 8 dates out of 40 without any effect rejects: the first 8, and the 8 largest."""
    moves = np.random.default_rng(seed).standard_normal((repetitions, 40))
    critical = stdtrit(7, 0.975)

    def rejected(kept: np.ndarray) -> float:
        t = kept.mean(axis=1) / kept.std(axis=1, ddof=1) * np.sqrt(8)
        return float((np.abs(t) > critical).mean())

    return {
        "rejection_rate_preregistered_first_8": rejected(moves[:, :8]),
        "rejection_rate_top_8_of_40": rejected(np.sort(moves, axis=1)[:, -8:]),
    }


def variants(setting: str, rng: np.random.Generator) -> np.ndarray:
    """Daily returns of 20 variants, equally correlated; the first may have skill."""
    rho, skill = SETTINGS[setting]
    common, own = rng.standard_normal((PERIODS, 1)), rng.standard_normal((PERIODS, VARIANTS))
    returns = DEVIATION * (np.sqrt(rho) * common + np.sqrt(1 - rho) * own)
    returns[:, 0] += DEVIATION * skill / np.sqrt(YEAR)
    return returns


def selection(setting: str, *, samples: int, tested: int, seed: int) -> dict[str, Any]:
    """Share of samples (per cent) in which the best variant is declared skilful, by each statistic.

    Args:
        setting: a key of SETTINGS.
        samples: for the Sharpe ratios.
        tested: of them, for the reality check, SPA and PBO.
        seed: of the random numbers.
    """
    rng = np.random.default_rng(seed)
    skilful = {"PSR_of_best>0.95": 0, "DSR_all_trials>0.95": 0, "DSR_effective_trials>0.95": 0}
    skilful |= {"SPA_p<=0.05": 0, "RC_p<=0.05": 0}
    best, first, pbo = list[float](), 0, list[float]()
    for sample in range(samples):
        returns = variants(setting, rng)
        ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
        record, spread = track(returns[:, ratios.argmax()]), float(ratios.var(ddof=1))
        few = effective_trials(VARIANTS, mean_correlation(returns) or 0.0)
        skilful["PSR_of_best>0.95"] += probabilistic_sharpe(record) > 0.95
        skilful["DSR_all_trials>0.95"] += deflated_sharpe(record, trials=VARIANTS, variance=spread).value > 0.95
        skilful["DSR_effective_trials>0.95"] += deflated_sharpe(record, trials=few, variance=spread).value > 0.95
        best.append(annual(record.sr, YEAR))
        first += int(ratios.argmax() == 0)
        if sample < tested:
            found = data_snooping(returns, mean_block=2, draws=299, seed=sample)
            skilful["SPA_p<=0.05"] += found.p_spa_consistent <= 0.05
            skilful["RC_p<=0.05"] += found.p_reality_check <= 0.05
            pbo.append(overfitting(returns, blocks=8).pbo)
    counts = {name: tested if name[:2] in ("SP", "RC") else samples for name in skilful}
    return {
        "false_or_true_positive_pct": {name: 100 * int(hits) / counts[name] for name, hits in skilful.items()},
        "mean_PBO": float(np.mean(pbo)),
        "mean_best_annual_sr": float(np.mean(best)),
        "share_best_is_trial_0": first / samples,
        "T": PERIODS,
        "K": VARIANTS,
    }


def coverage(rho: float, *, samples: int, seed: int, draws: int = 399) -> dict[str, float]:
    """Share (per cent) of 95 % intervals that hold the true yearly Sharpe ratio of 1, returns being AR(1)."""
    rng = np.random.default_rng(seed)
    truth, held = 1 / np.sqrt(YEAR), {"stationary": 0, "iid_boot": 0, "lo_normal": 0}
    for sample in range(samples):
        shocks = rng.standard_normal(PERIODS)
        noise = np.empty(PERIODS)
        noise[0] = shocks[0]
        for t in range(1, PERIODS):
            noise[t] = rho * noise[t - 1] + np.sqrt(1 - rho**2) * shocks[t]
        returns = DEVIATION * (noise + truth)
        block = block_length(returns).mean_block()
        for name, counts in {
            "stationary": stationary_counts(PERIODS, mean_block=block, draws=draws, seed=sample),
            "iid_boot": counts_of(stationary_indices(PERIODS, mean_block=1, draws=draws, seed=sample), PERIODS),
        }.items():
            drawn = np.concatenate([ratios(returns, part) for part in counts])
            low, high = np.quantile(drawn, [0.025, 0.975])
            held[name] += bool(low <= truth <= high)
        low, high = interval(track(returns))
        held["lo_normal"] += bool(low <= truth <= high)
    return {name: 100 * hits / samples for name, hits in held.items()}


def ratios(returns: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Sharpe ratio per period of each draw, from how often it holds each session."""
    n = len(returns)
    means = counts @ returns / n
    return means / np.sqrt((counts @ returns**2 - n * means**2) / (n - 1))


if __name__ == "__main__":
    pprint(date_selection(20_000))
    for name in SETTINGS:
        pprint({name: selection(name, samples=1000, tested=300, seed=1)})
    for autocorrelation in (0.0, 0.2):
        pprint({f"coverage, AR(1) {autocorrelation}": coverage(autocorrelation, samples=600, seed=2)})
