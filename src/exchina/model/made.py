"""What the rules make: baskets, series of levels, publications."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from exchina.model.book import Rulebook
from exchina.model.data import Provenance
from exchina.model.reviews import Review


def _simulated(provenance: Provenance) -> str:
    return ", SIMULATED PRICES" if provenance.simulated else ""


def _nobody() -> pl.DataFrame:
    return pl.DataFrame(schema={**dict.fromkeys(["company_id", "symbol", "name"], pl.String), "rank": pl.Int64})


CHECK_COLUMNS = {
    "when": pl.String,
    "rule": pl.String,
    "test": pl.String,
    "found": pl.Float64,
    "limit": pl.Float64,
    "passed": pl.Boolean,
    "margin": pl.Float64,
    "note": pl.String,
}


def _unchecked() -> pl.DataFrame:
    return pl.DataFrame(schema=CHECK_COLUMNS)


@dataclass(frozen=True, slots=True)
class Capping:
    """How the caps of a basket were solved.

    Attributes:
        distance: KL(w | u) = sum w ln(w / u) of the capped weights to the uncapped ones.
        gap: how much smaller the KL of another basket could be at most.
        method: ``closed form``, ``cone solver``, ``enumeration`` or ``branch and bound (n nodes)``.
        binding: each cap that binds, and on what, in words.
        next_best: where a concentration rule binds, the next-best choice of large companies, in words; else empty.
        next_best_distance: its KL; near ``distance``, a small move of prices can move much weight.
    """

    distance: float
    gap: float
    method: str
    binding: tuple[str, ...]
    next_best: str = ""
    next_best_distance: float | None = None


@dataclass(frozen=True, repr=False)
class Basket:
    """The composition that one review decides; *pro forma* until its effective date.

    Attributes:
        members: one row per member by falling weight: company_id, symbol, name, country, mic, currency, stage, weight,
            uncapped_weight, policy_score (and its parts floor_part, offtake_part, capital_part), close, price_date,
            free_float_market_cap_usd, previous_weight (drifted to the cut-off; 0 for an addition), capping_factor
            ((w / u) / max (w / u), u uncapped; null for one that only turnover control keeps).
        leavers: company_id, symbol, name, previous_weight of each company that left.
        verdicts: each rule's verdict on each company of the universe, in rulebook order: company_id, kind, rule,
            passed, found, needed, margin, note.
        steps: every step taken down the infeasibility ladder, and other remarks, in words.
        held: whether the basket before simply goes on, without a trade, because no new one could be formed.
        turnover: one-way by line, 0.5 sum |w_new - w_drifted| at the cut-off; None for the first basket.
        weak_facts: the rows of `Reference.weak_facts` that the members rest on.
        reserve: company_id, symbol, name, rank of the next eligible companies in order (`[select]` ... reserve = n).
        checks: the diversification tests of fund law (`exchina.rules.regulation.checks`): when (``at_review``, the new
            weights; ``before_review``, what the basket before had drifted to at the cut-off), rule, test, found, limit,
            passed (null: could not be tested), margin, note.
        seen: the universe that the review read: `exchina.universe.universe_on` of its data cut-off, every company.
        capping: how the caps were solved; None where the weights did not come from them (a held basket, an event).
    """

    book: Rulebook
    review: Review
    members: pl.DataFrame
    leavers: pl.DataFrame
    verdicts: pl.DataFrame
    steps: tuple[str, ...]
    held: bool
    turnover: float | None
    weak_facts: pl.DataFrame
    provenance: Provenance
    reserve: pl.DataFrame = field(default_factory=_nobody)
    checks: pl.DataFrame = field(default_factory=_unchecked)
    capping: Capping | None = None
    seen: pl.DataFrame = field(default_factory=pl.DataFrame)

    def __repr__(self) -> str:
        size = f"{self.members.height} members, effective after the close of {self.review.effective}"
        return f"Basket of {self.book.index.id}: {size}{_simulated(self.provenance)}\n{self.members}"


@dataclass(frozen=True, repr=False)
class IndexSeries:
    """Levels of an index, the divisor log and the baskets behind them.

    Attributes:
        levels: session, variant, level (unrounded, index points), status (``published`` or ``delayed``), one row per
            session and variant.
        points: session, gross_points, net_points: dividend points of the price index.
        divisor: one row per change, the first at the base date (`exchina.calculation.logs.divisor_log`).
        shares: session (the first on the new terms), symbol, index_shares, weight, one composition per change.
        turnover: session, one_way: 0.5 sum |w_new - w_drifted|, both at the close after which a review takes effect.
        statuses: session, symbol, status, price_day of each price that was not that session's own official close.
        baskets: one per review, oldest first.
    """

    book: Rulebook
    levels: pl.DataFrame
    points: pl.DataFrame
    divisor: pl.DataFrame
    shares: pl.DataFrame
    turnover: pl.DataFrame
    statuses: pl.DataFrame
    baskets: tuple[Basket, ...]
    provenance: Provenance

    def __repr__(self) -> str:
        size = f"{self.levels.height} levels, {len(self.baskets)} reviews"
        return f"IndexSeries of {self.book.index.id}: {size}{_simulated(self.provenance)}\n{self.levels}"


@dataclass(frozen=True, slots=True)
class Publication:
    """One row of the ledger: what was published for which day, the hash of each file, and of the row before."""

    sequence: int
    index_id: str
    what: str
    for_day: date
    revision: int
    due_at: str
    published_at: str
    files: Mapping[str, str]
    inputs: Mapping[str, str]
    previous_hash: str
    hash: str
    signature: str
