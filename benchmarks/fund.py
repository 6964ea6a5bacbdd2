"""Time the accounts of a fund with every term on: ten years of sixty names, and a thousand variants of its terms.

    python benchmarks/fund.py [--names 60] [--sessions 2520] [--runs 15] [--variants 1000] [--json]

The path comes from a seed: three currencies, quarterly reviews, splits, quarterly dividends with tax and claims,
monthly flows, whole shares, costs and impact, lending, a distribution each quarter, forwards on two currencies. Exit 0:
the parts sum to the difference to 1e-12 in every session of every variant; 1: they do not.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from statistics import median
from typing import Any

import numpy as np

from exchina.fund import terms
from exchina.fund.accounts import Accounts, accounts
from exchina.fund.attribution import PARTS, daily_parts
from exchina.fund.flows.steady import steady
from exchina.fund.path import Dealing, Path, Stop
from exchina.fund.results import figures, periods

SEED, CURRENCIES, QUARTER, SPLITS = 20261123, ("USD", "AUD", "JPY"), 63, 12
ROUNDING = 1e-12


def history(names: int, sessions: int) -> Path:
    """A path from the seed."""
    rng = np.random.default_rng(SEED)
    days, day = list[date](), date(2016, 1, 4)
    while len(days) < sessions:
        days += [day] if day.weekday() < 5 else []
        day += timedelta(days=1)
    worth = rng.uniform(5, 80, names) * np.exp(np.cumsum(rng.normal(0.0002, 0.02, (sessions, names)), axis=0))
    gross = np.zeros((sessions, names))
    for name in range(names):
        rows = np.arange(10 + int(rng.integers(50)), sessions, QUARTER)
        gross[rows, name] = 0.005 * worth[rows, name]
    start = rng.dirichlet(np.full(names, 8.0)) / worth[0]
    stops = _stops(rng, worth, gross, start)
    month = np.array([one.month for one in days])
    ends = np.append(month[1:] != month[:-1], False)
    level = 100 * np.exp(np.cumsum(rng.normal(0.0003, 0.01, sessions)))
    gain = np.where(np.arange(len(CURRENCIES)) > 0, rng.normal(0, 0.005, (sessions, len(CURRENCIES))), 0.0)
    reviews = [0, *(stop.row for stop in stops if stop.traded)]
    rate, impact = np.full(names, 0.0015), rng.uniform(1e-7, 4e-6, names)
    return Path(
        sessions=tuple(days),
        month_ends=ends,
        symbols=tuple(f"N{number:02d}" for number in range(names)),
        currencies=CURRENCIES,
        currency_at=np.arange(names) % len(CURRENCIES),
        lots=np.ones(names, np.int64),
        kind=np.ones(names, bool),
        start=start,
        worth=worth,
        gross=gross,
        withheld=0.25 * gross,
        borne=0.15 * gross,
        stops=stops,
        dealing=tuple(Dealing(row, rate, rate, impact) for row in reviews),
        index_gross=level,
        benchmark=level,
        model=level,
        money_market=np.full(sessions, 0.03),
        hedge_gain=gain,
        hedge_rolls=ends,
    )


def _stops(rng: np.random.Generator, worth: np.ndarray, gross: np.ndarray, start: np.ndarray) -> tuple[Stop, ...]:
    """A review each quarter and splits 2:1 between them, which halve the closes from then on."""
    sessions, names = worth.shape
    reviews = set(range(QUARTER, sessions - 1, QUARTER))
    others = [row for row in range(2, sessions - 1) if row not in reviews]
    splits = {int(row): int(rng.integers(names)) for row in rng.choice(others, min(SPLITS, len(others)), replace=False)}
    held, made = start, list[Stop]()
    for row in sorted({*reviews, *splits}):
        before, after = worth[row - 1].copy(), worth[row - 1].copy()
        if row in reviews:
            goal = rng.dirichlet(np.full(names, 8.0))
            new = goal * float((held * before).sum()) / after
        else:
            line, new = splits[row], held.copy()
            worth[row:, line] /= 2
            gross[row:, line] /= 2
            after[line] /= 2
            new[line] *= 2
        made.append(Stop(row, held, new, before, after, traded=row in reviews))
        held = new
    return tuple(made)


def fund(fee: float = 0.0059, cash: float = 0.002, impact: float = 0.7) -> terms.Fund:
    """A fund with every term on."""
    facts = terms.FundFacts("bench", "Bench", "USD", date(2016, 1, 4), "ucits", "NTR", 25.0, 50e6)
    return terms.Fund(
        facts,
        terms.Fee(fee),
        terms.Distribution("distributing", (3, 6, 9, 12), 5, equalisation=True),
        terms.Withholding("treaty_ucits_ie", "reclaim", 540, 0.8),
        terms.Lending(0.05, 0.02, 0.9),
        terms.Hedge(1.0),
        terms.Cash(cash, 0.003, "money_market"),
        terms.Dividends(20),
        terms.Lots(1),
        terms.Creation(25_000, "in_kind", 500.0),
        terms.Swing(0.01, 0.003),
        terms.Costs(impact=impact),
    )


def timed(call: Callable[[], Any], runs: int) -> list[float]:
    """Milliseconds of each run, after one to warm up."""
    call()
    took = list[float]()
    for _ in range(runs):
        begun = time.perf_counter()
        call()
        took.append(1e3 * (time.perf_counter() - begun))
    return took


def apart(kept: Accounts) -> float:
    """The largest distance between the difference of a session and the sum of its parts."""
    daily = daily_parts(kept)
    return float(np.abs(daily["difference"].to_numpy() - daily.select(PARTS).to_numpy().sum(axis=1)).max())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    for name, value in (("names", 60), ("sessions", 2520), ("runs", 15), ("variants", 1000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    path, one = history(asked.names, asked.sessions), fund()
    plan = steady(path.sessions, np.zeros(asked.sessions), per_year=0.2)
    kept = accounts(path, one, plan)
    daily = daily_parts(kept)
    steps: dict[str, Callable[[], Any]] = {
        "accounts": lambda: accounts(path, one, plan),
        "parts": lambda: daily_parts(kept),
        "figures": lambda: (figures(kept, daily), periods(kept, daily)),
    }
    took = {name: median(timed(step, asked.runs)) for name, step in steps.items()}
    grid = product(np.linspace(0, 0.01, 10), np.linspace(0, 0.02, 10), np.linspace(0, 2, 10))
    worst, count, begun = apart(kept), 0, time.perf_counter()
    for settings, _ in zip(grid, range(asked.variants), strict=False):
        made = accounts(path, fund(*(float(value) for value in settings)), plan)
        worst, count = max(worst, apart(made)), count + 1
    told: dict[str, Any] = {
        "names": asked.names,
        "sessions": asked.sessions,
        "stops": len(path.stops),
        "milliseconds": took | {"all": sum(took.values())},
        "variants": count,
        "variants_seconds": time.perf_counter() - begun,
        "parts_apart": worst,
    }
    if asked.json:
        print(json.dumps(told, indent=2))
    else:
        print(f"{asked.names} names, {asked.sessions:,} sessions, {len(path.stops)} reviews and splits")
        print(", ".join(f"{name} {value:.1f} ms" for name, value in told["milliseconds"].items()), "(median)")
        print(f"{count:,} variants, accounts and parts: {told['variants_seconds']:.1f} s; parts are {worst:.0e} apart")
    return int(worst > ROUNDING)


if __name__ == "__main__":
    sys.exit(main())
