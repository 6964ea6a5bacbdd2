"""Size and power of every statistic by simulation, after the recipe of the cases (section 7 of the standard)."""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from scipy.special import bdtr, ndtr, stdtr

from exchina.analytics.market_model import AbnormalReturns, abnormal_returns
from exchina.analytics.significance import Sample, battery, date_battery, dated, pooled
from exchina.analytics.significance.forming import from_fit
from exchina.analytics.significance.register import statistic as registered
from exchina.analytics.significance.security_events import Portfolio
from tests.answers.given import spelled

tests = registered.all()
SIMULATED = {"ES23", "ES24"}
ESTIMATION, GAP = 120, 10
REPETITIONS, HEADLINE_REPETITIONS, POOLED_REPETITIONS = 80, 400, 30
PUBLISHED = 10_000
UNLIKELY = 1e-4
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
HEADLINE = ("kp_bmp", "bmp_t", "csect_t", "patell_z", "kp_patell", "portfolio_reg")
DATE_NAMES = {
    "date_bmp": ("date_bmp_t", "date_level_bmp", "date_bmp_t_J_minus_1"),
    "wild_cluster": ("wild_cluster_signflip", "wild_cluster_p", "signflip_dates", "date_signflip", "wild_cluster_t"),
    "date_mean": ("date_mean_t", "mean_t"),
    "pooled_kp_bmp": ("pooled_kp_bmp_t", "kp_bmp_pooled", "pooled_kp"),
    "jaffe": ("jaffe_z",),
    "cross_section": ("pooled_csect_t", "crude_pooled_t", "pooled_cross_section_t", "pooled_t", "naive_pooled_t"),
}
Shares: TypeAlias = dict[str, tuple[float, int]]
"""Share of rejections in per cent, and of how many samples."""
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


def rejections(drawn: Iterator[Sample]) -> Shares:
    """Share of samples in which each statistic is significant at 5 %; the slow ones are asked of the first samples."""
    counts: dict[str, list[bool]] = {}
    for place, one in enumerate(drawn):
        if place < REPETITIONS:
            found = {statistic.name: statistic.p for statistic in battery(one)}
            p = {theirs: found[ours] for theirs, ours in NAMES.items()}
        else:
            p = {theirs: tests[NAMES[theirs]](one).p for theirs in HEADLINE}
        t = one.scar.mean() / (one.scar.std(ddof=1) / np.sqrt(one.names))
        floored = t * np.sqrt((1 - max(one.rbar, 0)) / (1 + (one.names - 1) * max(one.rbar, 0)))
        p |= {"bmp_normal": 2 * ndtr(-abs(t)), "kp_bmp_floor0": 2 * stdtr(one.names - 1, -abs(floored))}
        for name, value in p.items():
            counts.setdefault(name, []).append(value is not None and value <= 0.05)
    return {name: (100 * float(np.mean(rejected)), len(rejected)) for name, rejected in counts.items()}


def date_rejections(count: int, dates: int, **how: Any) -> dict[str, float]:
    """The same over several dates, shares in per cent alone."""
    return {name: share for name, (share, _) in date_shares(count, dates, **how).items()}


def date_shares(count: int, dates: int, *, seed: int, names: int = 20, pool: int = 0, **how: Any) -> Shares:
    """The same over several dates of the same names; ``pool``: of how many samples the dates are pooled as well."""
    drawn = samples(count * dates, names, seed=seed, rho=0.3, **how)
    counts: dict[str, list[bool]] = {}
    for place in range(count):
        here = [shifted(next(drawn), date * 1000) for date in range(dates)]
        together = pooled(*here) if place < pool else None
        p = {one.name: one.p for one in date_battery(dated(here), together)}
        if together is None:
            del p["pooled_kp_bmp"]
        else:
            p["cross_section"] = tests["cross_section"](together).p
        for name, value in p.items():
            counts.setdefault(name, []).append(value is not None and value <= 0.05)
    return {name: (100 * float(np.mean(rejected)), len(rejected)) for name, rejected in counts.items()}


def shifted(one: Sample, days: int) -> Sample:
    parts = {name: getattr(one, name) for name in one.__dataclass_fields__}
    return Sample(**parts | {"days": one.days + days, "portfolio": Portfolio(one.portfolio.fit)})


def assert_within_noise(case: dict[str, Any]) -> None:
    """Every share within the noise that the cases allow, four standard errors of both simulations."""
    missed: list[str] = []
    measured: dict[tuple[str, str], Shares] = {}
    for path, share in leaves(case["expected"], ()):
        name, kind, setting = told_apart(path)
        if (setting, kind) not in measured:
            measured[setting, kind] = measure(case["id"], setting, 0.02 if kind == "power" else 0.0)
        found = measured[setting, kind].get(name)
        if found is None:
            missed.append(f"{' '.join(path)}: no answer")
        elif not within_noise(*found, share):
            missed.append(f"{' '.join(path)}: {found[0]} of {found[1]} samples, not {share}")
    assert missed == []


def within_noise(measured: float, count: int, share: float) -> bool:
    """|measured - t| <= 4 sqrt(t (100 - t) (1/10000 + 1/reps)); a tail where that is not normal."""
    allowed = 4 * np.sqrt(share * (100 - share) * (1 / PUBLISHED + 1 / count))
    hits, true = round(measured * count / 100), min(max(share / 100, 0.003), 0.997)
    tail = min(bdtr(hits, count, true), 1 - (bdtr(hits - 1, count, true) if hits else 0))
    return bool(abs(measured - share) <= allowed or tail > UNLIKELY)


def leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every published share with what stands above it; null is none."""
    if isinstance(tree, dict):
        for name, part in tree.items():
            yield from leaves(part, (*path, name))
    elif tree is not None:
        yield path, tree


def told_apart(path: tuple[str, ...]) -> tuple[str, str, str]:
    """Statistic, size or power, and setting: the parts of a path in any order."""
    kind = "power" if any("power" in part.lower() for part in path) else "size"
    known = {spelled(alias): name for name, aliases in DATE_NAMES.items() for alias in (name, *aliases)}
    known |= {spelled(name): name for name in (*NAMES, "bmp_normal", "kp_bmp_floor0")}
    rest = [part for part in path if part.lower() not in {"size", "power"}]
    place = next((place for place, part in enumerate(rest) if stem(part) in known), len(rest) - 1)
    return known.get(stem(rest[place]), rest[place]), kind, " ".join(rest[:place] + rest[place + 1 :])


def stem(part: str) -> str:
    return re.sub("(size|power)$", "", spelled(part))


def measure(case: str, setting: str, effect: float) -> Shares:
    doubled = re.search(r"variance|doubled", setting) and not re.search(r"x ?1\b", setting)
    number = {letter: one for letter in "NLJ" if (one := counted(letter, setting))}
    how: dict[str, Any] = {"variance": 2.0 if doubled else 1.0, "effect": effect, "window": number.get("L", 1)}
    how |= {"fat": "t5" in setting, "seed": sum(setting.encode()) + round(effect * 100)}
    if case == "ES24":
        names, dates = number.get("N", 20), number.get("J", 6)
        return date_shares(HEADLINE_REPETITIONS, dates, names=names, pool=POOLED_REPETITIONS, **how)
    rho = 0.3 if "rho 0.3" in setting else 0.0
    return rejections(samples(HEADLINE_REPETITIONS, number["N"], rho=rho, **how))


def counted(letter: str, setting: str) -> int | None:
    """N, L or J as a setting states it: N8, J=6, J 6, or 6 dates."""
    words = {"J": r"(\d+)[ _]?dates|dates?\D{0,3}(\d+)", "N": r"(\d+)[ _]?(?:names|securities)", "L": r"(\d+)[ _]?days"}
    found = re.search(rf"(?<![A-Za-z]){letter}[ _=:]{{0,3}}(\d+)|{words[letter]}", setting)
    return next((int(one) for one in found.groups() if one), None) if found else None
