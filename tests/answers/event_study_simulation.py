"""Size and power of every statistic by simulation, after the recipe of the cases (section 7 of the standard)."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import bdtr, ndtr, stdtr

from exchina.analytics.market_model import AbnormalReturns, abnormal_returns
from exchina.analytics.significance import Sample, battery, date_battery, dated, pooled
from exchina.analytics.significance.forming import from_fit
from exchina.analytics.significance.security_events import Portfolio

SIMULATED = {"ES23", "ES24"}
ESTIMATION, GAP = 120, 10
REPETITIONS = 40
UNLIKELY = 1e-5
NAMES = {
    "csect_t": "cross_section",
    "skew_johnson": "skewness_johnson",
    "patell_z": "patell",
    "bmp_t": "bmp",
    "kp_patell": "kp_patell",
    "kp_bmp": "kp_bmp",
    "cowan_gsign": "generalised_sign",
    "corrado_rank": "corrado_rank",
    "corrado_zivney": "corrado_zivney_rank",
    "grank_t": "grank_t",
    "grank_z": "grank_z",
    "wilcoxon": "wilcoxon",
    "signflip_firm": "sign_flip",
    "bw_crude_dependence": "crude_dependence",
    "portfolio_reg": "portfolio_regression",
    "placebo_rolling": "placebo",
}
BLOCK = 50
"""Samples that share one benchmark path: the tests hold given the path, so sizes do not change."""


def samples(
    count: int, names: int, *, seed: int, window: int = 1, rho: float = 0.0, variance: float = 1.0, fat: bool = False,
    effect: float = 0.0,
) -> Iterator[Sample]:  # fmt: skip
    """Samples of one date (rho above 0 clusters them), each with its portfolio."""
    random = np.random.default_rng(seed)
    days = ESTIMATION + GAP + window
    rows = {"estimation": np.arange(ESTIMATION), "event": np.arange(ESTIMATION + GAP, days)}
    for first in range(0, count, BLOCK):
        block = min(BLOCK, count - first)
        benchmark = random.normal(0.0004, 0.012, days)
        alpha, beta = random.normal(0, 0.0005, (block, names)), random.uniform(0.8, 1.8, (block, names))
        sigma = random.uniform(0.025, 0.055, (block, names))
        shape = [(days, block, 1), (days, block, names)]
        common, own = (random.standard_t(5, s) * np.sqrt(0.6) if fat else random.normal(size=s) for s in shape)
        noise = sigma * (np.sqrt(rho) * common + np.sqrt(1 - rho) * own)
        noise[rows["event"]] *= np.sqrt(variance)
        noise[ESTIMATION + GAP + window // 2] += effect
        returns = alpha + beta * benchmark[:, None, None] + noise
        fit = abnormal_returns(returns.reshape(days, -1), benchmark, **rows)
        portfolios = abnormal_returns(returns.mean(axis=2), benchmark, **rows)
        for place in range(block):
            one = part(fit, slice(place * names, (place + 1) * names))
            yield from_fit(one, part(portfolios, slice(place, place + 1)))


def part(fit: AbnormalReturns, names: slice) -> AbnormalReturns:
    return AbnormalReturns(**{name: value[..., names] for name, value in vars(fit).items()})


def rejections(drawn: Iterator[Sample]) -> dict[str, float]:
    """Share of samples, in per cent, in which each statistic is significant at 5 %."""
    counts: dict[str, list[bool]] = {}
    for one in drawn:
        found = {statistic.name: statistic.p for statistic in battery(one)}
        p = {theirs: found[ours] for theirs, ours in NAMES.items()}
        t = one.scar.mean() / (one.scar.std(ddof=1) / np.sqrt(one.names))
        floored = t * np.sqrt((1 - max(one.rbar, 0)) / (1 + (one.names - 1) * max(one.rbar, 0)))
        p |= {"bmp_normal": 2 * ndtr(-abs(t)), "kp_bmp_floor0": 2 * stdtr(one.names - 1, -abs(floored))}
        for name, value in p.items():
            counts.setdefault(name, []).append(value is not None and value <= 0.05)
    return {name: 100 * float(np.mean(rejected)) for name, rejected in counts.items()}


def date_rejections(
    count: int, dates: int, *, seed: int, names: int = 20, pool: bool = False, **how: Any
) -> dict[str, float]:
    """The same over several dates of the same names; securities keep their estimation days apart."""
    drawn = samples(count * dates, names, seed=seed, rho=0.3, **how)
    counts: dict[str, list[bool]] = {}
    for _ in range(count):
        here = [shifted(next(drawn), date * 1000) for date in range(dates)]
        together = pooled(*here) if pool else None
        for one in date_battery(dated(here), together):
            counts.setdefault(one.name, []).append(one.p is not None and one.p <= 0.05)
    return {name: 100 * float(np.mean(rejected)) for name, rejected in counts.items()}


def shifted(one: Sample, days: int) -> Sample:
    parts = {name: getattr(one, name) for name in one.__dataclass_fields__}
    return Sample(**parts | {"days": one.days + days, "portfolio": Portfolio(one.portfolio.fit)})


def assert_within_noise(case: dict[str, Any]) -> None:
    """No share so far from the published one that chance explains it in less than one of 100,000 figures."""
    missed: list[str] = []
    for path, targets in cells(case["expected"], ()):
        measured = {kind: measure(case["id"], path, effect) for kind, effect in {"size": 0.0, "power": 0.02}.items()}
        for name, target in targets.items():
            for kind, share in target.items():
                if name not in measured[kind]:
                    missed.append(f"{path} {name}: no answer")
                elif chance(measured[kind][name], share) < UNLIKELY:
                    missed.append(f"{path} {name} {kind}: {measured[kind][name]}, not {share}")
    assert missed == []


def chance(measured: float, share: float) -> float:
    """Of a share at least as far out in so few samples, where ``share`` is the true one; per cent."""
    count, true = round(measured * REPETITIONS / 100), min(max(share / 100, 0.003), 0.997)
    return float(min(bdtr(count, REPETITIONS, true), 1 - (bdtr(count - 1, REPETITIONS, true) if count else 0)))


def cells(tree: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """The settings of a grid: what lies above {statistic: {size, power}}."""
    if all(isinstance(part, dict) and part.keys() & {"size", "power"} for part in tree.values()):
        yield path, tree
    else:
        for name, part in tree.items():
            yield from cells(part, (*path, name))


def measure(case: str, path: tuple[str, ...], effect: float) -> dict[str, float]:
    words = " ".join(path)
    variance = 2.0 if "variance" in words and "x1" not in words else 1.0
    number = {letter: int(found[1]) for letter in "NLJ" if (found := re.search(rf"\b{letter}\D?(\d+)", words))}
    how: dict[str, Any] = {"variance": variance, "effect": effect, "window": number.get("L", 1)}
    how |= {"fat": "t5" in words, "seed": sum(words.encode()) + round(effect * 100)}
    if case == "ES24":
        found = date_rejections(REPETITIONS, number["J"], names=number.get("N", 20), pool=True, **how)
        aliases = {"date_bmp_t": "date_bmp", "date_mean_t": "date_mean", "jaffe_z": "jaffe"}
        return found | {alias: found[name] for alias, name in aliases.items()}
    rho = 0.3 if "rho 0.3" in words else 0.0
    return rejections(samples(REPETITIONS, number["N"], rho=rho, **how))
