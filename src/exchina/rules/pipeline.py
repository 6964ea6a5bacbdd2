"""screen -> select -> weight -> cap, review by review; every rule's verdict on every company is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from exchina.errors import InfeasibleError, Problem
from exchina.model import Basket, Provenance, Review, Rule, Rulebook
from exchina.policy import SCORE_WEIGHTS
from exchina.rules.capped import HOLD, bounds_of, capped
from exchina.rules.registers import REGISTERS
from exchina.rules.verdict import verdict

Drift = Callable[[Basket, date], Mapping[str, float]]
PRICED = Rule("screen", "priced", {}, "A company without a recent price cannot be held.")
MEMBER_COLUMNS = [
    "company_id",
    "symbol",
    "name",
    "country",
    "mic",
    "currency",
    "stage",
    "weight",
    "uncapped_weight",
    "previous_weight",
    "policy_score",
    *SCORE_WEIGHTS,
    "lead_sponsor",
    "close",
    "close_usd",
    "price_date",
    "free_float_market_cap_usd",
    "float_basis",
]


@dataclass(frozen=True)
class _Composition:
    """Members with uncapped_weight and weight, the verdicts of all rules, the remarks, whether nothing changes."""

    members: pl.DataFrame
    verdicts: pl.DataFrame
    steps: tuple[str, ...]
    held: bool = False


@dataclass(frozen=True)
class _Before:
    """What is held at a cut-off: the basket before (None: nothing yet), weights by line, weights by company."""

    basket: Basket | None
    lines: Mapping[str, float]
    companies: Mapping[str, float]


def baskets(
    book: Rulebook,
    universe: pl.DataFrame,
    reviews: list[Review],
    *,
    drift: Drift,
    companies: Mapping[str, str],
    weak: pl.DataFrame,
    provenance: Provenance,
) -> list[Basket]:
    """Form the basket of each review in order; buffers read the basket before.

    Args:
        book: the rules.
        universe: `exchina.universe.universe_on` of every review, with a column ``review`` (its effective date).
        reviews: oldest first.
        drift: a basket -> weights of its lines at the close of a later day, moved by prices and corporate actions.
        companies: company of each line.
        weak: `Reference.weak_facts`.
        provenance: of the market that the universe was read from.

    Raises:
        InfeasibleError: a review has no basket that meets the rules and the declared ladder offers no way out.
    """
    screened = {member: _screened(book, universe.with_columns(is_member=pl.lit(member))) for member in (False, True)}
    rows = {key: part for (key,), part in universe.partition_by("review", as_dict=True).items()}
    made: list[Basket] = []
    for review in reviews:
        traded = [basket for basket in made if not basket.held]
        lines = drift(traded[-1], review.cutoff) if traded else {}
        held = _by_company(lines, companies)
        before = _Before(made[-1] if made else None, lines, held)
        here = rows[review.effective].with_columns(is_member=pl.col("company_id").is_in(list(held)))
        verdicts = pl.concat(
            part[review.effective].filter(pl.col("company_id").is_in(list(held)) == member)
            for member, part in screened.items()
        )
        composition = _composed(book, here, verdicts, review, before)
        made.append(_basket(book, review, composition, before, weak=weak, provenance=provenance))
    return made


def _screened(book: Rulebook, universe: pl.DataFrame) -> dict[date, pl.DataFrame]:
    priced = verdict(
        universe, pl.col("close").is_not_null(), found=pl.format("close of {}", "price_date"), needed="a recent close"
    )
    judged = [_labelled(universe, priced, PRICED)]
    judged += [
        _labelled(universe, REGISTERS["screen"][rule.name](universe, **rule.settings), rule) for rule in book.screens
    ]
    return {key: part for (key,), part in pl.concat(judged).partition_by("review", as_dict=True).items()}


def _labelled(rows: pl.DataFrame, verdicts: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    named = rows.select("review", "company_id", kind=pl.lit(rule.kind), rule=pl.lit(rule.name), why=pl.lit(rule.why))
    return pl.concat([named, verdicts], how="horizontal")


def _by_company(lines: Mapping[str, float], companies: Mapping[str, str]) -> dict[str, float]:
    """Weights by company: a line that an event brought in counts for its own company."""
    held: dict[str, float] = {}
    for symbol, weight in lines.items():
        held[companies[symbol]] = held.get(companies[symbol], 0.0) + weight
    return held


def _composed(
    book: Rulebook,
    here: pl.DataFrame,
    verdicts: pl.DataFrame,
    review: Review,
    before: _Before,
) -> _Composition:
    try:
        return _formed(book, here, verdicts)
    except InfeasibleError as fault:
        if HOLD in book.if_infeasible and before.basket is not None:
            return _held(before.basket, verdicts, before.companies, fault)
        place = f"{book.index.id} review {review.effective}"
        raise InfeasibleError(*(Problem(f"{place}: {p.where}", p.what, p.hint) for p in fault.problems)) from fault


def _formed(book: Rulebook, here: pl.DataFrame, verdicts: pl.DataFrame) -> _Composition:
    failed = verdicts.filter(~pl.col("passed"))["company_id"].unique()
    eligible = here.filter(~pl.col("company_id").is_in(failed.to_list())).sort("company_id")
    choice = _labelled(eligible, REGISTERS["select"][book.select.name](eligible, **book.select.settings), book.select)
    chosen = eligible.filter(choice["passed"])
    share = REGISTERS["weight"][book.weight.name](chosen, **book.weight.settings)
    members = chosen.with_columns(uncapped_weight=share)
    said = [verdicts, choice]
    for rule, bound in [(book.weight, share), *((cap, bounds_of(cap, chosen)["at_most"]) for cap in book.caps)]:
        judged = _with_room(chosen, bound, rule)
        members = members.join(judged.filter("passed").select("company_id"), on="company_id", how="semi")
        said.append(judged.filter(~pl.col("passed")))
    _enough(book, members)
    whole = members.with_columns(pl.col("uncapped_weight") / pl.col("uncapped_weight").sum())
    weights, steps = capped(book, whole)
    return _Composition(whole.with_columns(weight=pl.Series(weights)), pl.concat(said), steps)


def _with_room(chosen: pl.DataFrame, most: pl.Series, rule: Rule) -> pl.DataFrame:
    """The verdict of a weighting or a cap on each selected company: one that it leaves no weight cannot be a member."""
    room = chosen.with_columns(_most=most)
    judged = verdict(
        room,
        pl.col("_most") > 0,
        found=pl.format("room for {} %", (pl.col("_most") * 100).round(4)),
        needed="some weight",
    )
    return _labelled(chosen, judged, rule)


def _enough(book: Rulebook, members: pl.DataFrame) -> None:
    fewest = book.select.settings.get("at_least", 1)
    if members.height < fewest:
        what = f"{members.height} companies passed every rule, the rulebook wants at least {fewest}"
        raise InfeasibleError(Problem("select", what, "loosen a screen or lower at_least"))


def _held(previous: Basket, verdicts: pl.DataFrame, held: Mapping[str, float], fault: InfeasibleError) -> _Composition:
    """The basket before, untouched: its companies at the weights to which prices and events have moved them."""
    weight = pl.col("company_id").replace_strict(held, return_dtype=pl.Float64)
    there = previous.members.filter(pl.col("company_id").is_in(list(held)))
    kept = there.with_columns(weight=weight, uncapped_weight=weight)
    return _Composition(kept.drop("previous_weight"), verdicts, (f"{HOLD}: {fault}",), held=True)


def _basket(
    book: Rulebook,
    review: Review,
    composition: _Composition,
    before: _Before,
    *,
    weak: pl.DataFrame,
    provenance: Provenance,
) -> Basket:
    schema = {"company_id": pl.String, "previous_weight": pl.Float64}
    held = pl.DataFrame(list(before.companies.items()), schema, orient="row")
    members = composition.members.join(held, on="company_id", how="left", maintain_order="left")
    members = members.with_columns(pl.col("previous_weight").fill_null(0.0)).select(MEMBER_COLUMNS)
    members = members.sort(["weight", "company_id"], descending=[True, False])
    gone = held.filter(~pl.col("company_id").is_in(members["company_id"].to_list()))
    leavers = _leavers(gone, before.basket)
    return Basket(
        book=book,
        review=review,
        members=members,
        leavers=leavers,
        verdicts=composition.verdicts.drop("review"),
        steps=composition.steps,
        held=composition.held,
        turnover=None if before.basket is None else _turnover(members, before.lines),
        weak_facts=weak.filter(
            pl.col("company_id").is_in(members["company_id"].to_list())
            & (pl.col("known").is_null() | (pl.col("known") <= review.cutoff))
        ),
        provenance=provenance,
    )


def _turnover(members: pl.DataFrame, lines: Mapping[str, float]) -> float:
    """0.5 sum |w_new - w_drifted| by line, so that a company that moved to another listing counts as traded."""
    new = dict(members.select("symbol", "weight").iter_rows())
    return 0.5 * sum(abs(new.get(line, 0.0) - lines.get(line, 0.0)) for line in sorted({*new, *lines}))


def _leavers(gone: pl.DataFrame, previous: Basket | None) -> pl.DataFrame:
    names = ["company_id", "symbol", "name"]
    if previous is None:
        return pl.DataFrame(schema={**dict.fromkeys(names, pl.String), "previous_weight": pl.Float64})
    return gone.join(previous.members.select(names), on="company_id", maintain_order="left").select(
        *names, "previous_weight"
    )
