"""Splits and share counts of simulated companies: reported counts where the reference has them, issues between."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from exchina.market.simulation.chance import Days, Floats, between, chance, reverting
from exchina.market.simulation.traits import Company
from exchina.model import Reference

RATIO = re.compile(r"(\d+)\s+(?:new )?for\s+(\d+)")
UNEXPLAINED_FALL = 0.5
DILUTION_HALF_LIFE_DAYS = 130.0


@dataclass(frozen=True, slots=True)
class Split:
    """New shares per old share from ``day`` on."""

    day: date
    ratio: float


@dataclass(frozen=True, slots=True)
class Count:
    """Shares outstanding from ``effective`` on, as counted then; ``known`` is when the market could read it."""

    effective: date
    known: date
    shares: float


def splits(reference: Reference, company_id: str) -> list[Split]:
    """Completed, dated splits and consolidations of a company whose terms read like "5 for 1" or "1 new for 10 old"."""
    rows = reference.corporate_actions.filter(
        (pl.col("company_id") == company_id)
        & pl.col("type").is_in(["split", "consolidation"])
        & (pl.col("status") == "completed")
        & pl.col("effective_date").is_not_null()
    ).sort("effective_date")
    found = ((day, RATIO.match(terms)) for day, terms in rows.select("effective_date", "ratio_or_terms").iter_rows())
    return [Split(day, int(terms[1]) / int(terms[2])) for day, terms in found if terms]


def split_factor(cuts: Sequence[Split], day: date) -> float:
    """Shares on ``day`` per share held before the first split."""
    return float(np.prod([split.ratio for split in cuts if split.day <= day]))


def share_counts(reference: Reference, company: Company, first: date, last: date, seed: int) -> list[Count]:
    """Share counts of a company, the first on its first session, by effective day.

    Reported counts hold where the reference has any; before the first and after the last of them the company places
    new shares now and then, known some days later. A reported fall that no dated split explains ends their use.

    Args:
        reference: has the splits and the reported counts.
        company: whose shares.
        first: its first session.
        last: last day of the simulation.
        seed: of the market.
    """
    cuts = splits(reference, company.id)
    reported = _reported(reference, company.id, cuts)
    until = max(last, reported[0].effective) if reported else last
    issues = [issue for issue in _issues(company, first, until, seed) if not _covered(issue[0], reported)]
    shares = company.value_usd(first, seed) / company.traits(first).price_usd
    if reported:
        before = [growth for day, _, growth in issues if day <= reported[0].effective]
        shares = reported[0].shares / float(np.prod(before))
    steps = [(day, known, None, growth) for day, known, growth in issues]
    steps += [(count.effective, count.known, count.shares, 1.0) for count in reported]
    steps += [(split.day, split.day, None, 1.0) for split in cuts]
    rows = {first: _raw(first, first, shares, cuts)}
    for day, known, absolute, growth in sorted(steps, key=lambda step: step[:2]):
        shares = (absolute or shares) * growth
        effective = max(day, first)
        rows[effective] = _raw(effective, known if day > first else first, shares, cuts)
    return [rows[day] for day in sorted(rows) if day <= last]


def shares_behind_a_price(counts: Sequence[Count], cuts: Sequence[Split], days: Days) -> Floats:
    """Value over price on each day: share issues weigh on the price slowly, splits at once; shape (days,)."""
    starts = np.searchsorted(days, np.array([count.effective for count in counts], dtype="datetime64[D]"))
    levels = np.log([count.shares / split_factor(cuts, count.effective) for count in counts])
    steps = np.zeros(len(days))
    np.add.at(steps, starts, np.diff(levels, prepend=levels[0]))
    smoothed = levels[0] + np.cumsum(steps) - reverting(steps, DILUTION_HALF_LIFE_DAYS)
    factor = np.ones(len(days))
    for split in cuts:
        factor[days >= np.datetime64(split.day)] *= split.ratio
    return np.exp(smoothed) * factor


def _reported(reference: Reference, company_id: str, cuts: Sequence[Split]) -> list[Count]:
    """Reported counts in shares of before the first split."""
    rows = reference.exposures.filter(
        (pl.col("company_id") == company_id) & (pl.col("metric") == "shares_outstanding") & (pl.col("value") > 0)
    ).sort("as_of")
    found: list[Count] = []
    for day, known, shares in rows.select("as_of", "known_date", "value").iter_rows():
        before_splits = shares / split_factor(cuts, day)
        if found and before_splits < UNEXPLAINED_FALL * found[-1].shares:
            return found
        found.append(Count(day, known, before_splits))
    return found


def _issues(company: Company, first: date, last: date, seed: int) -> list[tuple[date, date, float]]:
    """Effective day, day known and growth factor of each placement."""
    found: list[tuple[date, date, float]] = []
    for year in range(first.year, last.year + 1):
        day = date(year, 1, 1) + timedelta(days=int(between(20, 340, seed, company.id, "issue day", year)))
        if chance(seed, company.id, "issue", year) < company.traits(day).placements_per_year and first < day <= last:
            growth = 1 + between(0.06, 0.18, seed, company.id, "issue size", year)
            found.append((day, day + timedelta(days=4), growth))
    return found


def _covered(day: date, reported: Sequence[Count]) -> bool:
    return bool(reported) and reported[0].effective < day <= reported[-1].effective


def _raw(effective: date, known: date, before_splits: float, cuts: Sequence[Split]) -> Count:
    return Count(effective, known, float(round(before_splits * split_factor(cuts, effective))))
