"""The command that reads the policy registry: what stands behind whom, and what the score makes of it."""

from datetime import date
from typing import TYPE_CHECKING

from exchina import terminal
from exchina.cli.common import COMMON, DATA, Common, Data, Kinds, app, view_of

if TYPE_CHECKING:
    import polars as pl

    from exchina.market.view import MarketView

FLOOR = ["id", "seller", "floor_payer", "sponsor", "bears", "price_floor_value", "price_floor_unit", "price_basis"]
SCORES = ["company_id", "floor_part", "offtake_part", "capital_part", "policy_score", "lead_sponsor"]


@app.command
def policy(
    company: str | None = None,
    *,
    pillar: Kinds = (),
    country: Kinds = (),
    recorded_by: date | None = None,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Show the commitments in force on a day: by pillar and country, one by one, who pays the floors, the scores.

    Parameters:
        company: a company id, such as mp-materials; all companies if not given.
        pillar: only these pillars, such as market_stability.
        country: only sponsors of these countries, such as US JP.
        recorded_by: use only rows that had been written down by this day; the scores need all and are left out.
    """
    from exchina.policy import by_pillar

    view = view_of(data, common)
    day = view.known_by or view.provenance.through
    standing, burden = _standing(view, day, recorded_by)
    kept = _asked(view, standing, company, pillar, country)
    tables = {
        "pillars": by_pillar(kept),
        "commitments": kept,
        "floors": burden.filter(burden["id"].is_in(kept["id"].implode())),
    }
    if recorded_by is None:
        tables["scores"] = _scores(view, day, kept)
    if common.json:
        shown = {"as_of": day, "recorded_by": recorded_by}
        terminal.as_json({**shown, **{name: table.to_dicts() for name, table in tables.items()}}, view.provenance)
        return 0
    _show(tables, day)
    terminal.say(terminal.label(view.provenance))
    return 0


def _standing(view: "MarketView", day: date, recorded_by: date | None) -> "tuple[pl.DataFrame, pl.DataFrame]":
    from exchina.policy import floor_burden, in_force
    from exchina.universe.backing import standing_on

    reference = view.reference
    held = in_force(reference.policy_measures, day, recorded_by=recorded_by)
    return (
        standing_on(view.market, reference, day, recorded_by=recorded_by),
        floor_burden(held, reference.sponsors),
    )


def _asked(
    view: "MarketView",
    standing: "pl.DataFrame",
    company: str | None,
    pillars: tuple[str, ...],
    countries: tuple[str, ...],
) -> "pl.DataFrame":
    """The commitments asked for; a word that the tables do not know is refused with the nearest one."""
    from exchina.errors import ExchinaError, Problem, did_you_mean
    from exchina.tables.reference_words import PILLARS

    reference = view.reference
    companies = [*reference.companies["id"], *reference.related_entities["id"]]
    asked = {
        "company_id": ((company,) if company else (), companies),
        "pillar": (pillars, PILLARS),
        "sponsor_country": (countries, sorted(set(reference.sponsors["country"]))),
    }
    problems = [
        Problem("policy", f"no {name} called {word!r}", did_you_mean(word, known))
        for name, (words, known) in asked.items()
        for word in words
        if word not in known
    ]
    if problems:
        raise ExchinaError(*problems)
    for name, (words, _) in asked.items():
        standing = standing.filter(standing[name].is_in(list(words))) if words else standing
    return standing


def _scores(view: "MarketView", day: date, kept: "pl.DataFrame") -> "pl.DataFrame":
    """Score and parts of the companies that hold what was asked for and have a live listing."""
    from exchina.universe import universe_on

    rows = universe_on(view.market, view.reference, day).select(SCORES)
    held = rows.filter(rows["company_id"].is_in(kept["company_id"].implode()))
    return held.sort("policy_score", "company_id", descending=[True, False])


def _show(tables: "dict[str, pl.DataFrame]", day: date) -> None:
    pillars = [{**row, "amount_usd": _millions(row["amount_usd"])} for row in tables["pillars"].to_dicts()]
    terminal.table(pillars, f"Commitments known and in force on {day}, by pillar and sponsor country")
    rows = [
        {
            "commitment": row["id"],
            "company": row["company_id"],
            "what": row["instrument"],
            "status": row["status"],
            "sponsor": row["sponsor"],
            "pillar": row["pillar"],
            "USD": _millions(row["amount_usd"]),
            "years left": None if row["years_left"] is None else round(row["years_left"], 1),
            "must buy": row["take_obligation"],
        }
        for row in tables["commitments"].to_dicts()
    ]
    same = [name for name in ("company", "pillar") if len({row[name] for row in rows}) == 1 < len(rows)]
    rows = [{name: value for name, value in row.items() if name not in same} for row in rows]
    terminal.table(rows, "one by one; USD of an offtake is the value of the contract")
    floors = [{name: row[name] for name in FLOOR} for row in tables["floors"].to_dicts()]
    terminal.table(floors, "who carries a floor or an assured minimum")
    scores = [
        {name: round(value, 2) if isinstance(value, float) else value for name, value in row.items()}
        for row in (tables["scores"].to_dicts() if "scores" in tables else ())
    ]
    terminal.table(scores, "scores of the companies with a live listing")


def _millions(amount: float | None) -> str | None:
    return None if amount is None else f"{amount / 1e6:,.1f}m"
