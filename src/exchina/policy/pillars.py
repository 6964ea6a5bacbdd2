"""Measures and shocks cut by pillar and by country."""

from collections.abc import Collection

import polars as pl

from exchina.errors import ExchinaError, Problem, did_you_mean
from exchina.policy.commitments import counted

CODE_OF_A_COUNTRY = r"^([A-Z]{2})(?:-|$)"


def by_pillar(standing: pl.DataFrame) -> pl.DataFrame:
    """How much each country has committed under each pillar: one row a pillar and sponsor country.

    Args:
        standing: rows as `exchina.policy.commitments` gives them for a day.

    Returns:
        pillar, sponsor_country, commitments, packages, amount_usd, undisclosed, as `exchina.policy.counted` counts.
    """
    return counted(standing, ["pillar", "sponsor_country"])


def shock_countries(sponsors: pl.DataFrame) -> pl.Expr:
    """The countries of a shock's actor: the codes it starts with (US/AU, JP-METI), or the country of a known sponsor.

    An act of a group of states alone (G7), of a court or of a company that sponsors nothing has none.

    Args:
        sponsors: sponsor and country.
    """
    known = sponsors.filter(pl.col("country") != "ZZ")
    each = pl.element()
    country = each.replace_strict(known["sponsor"], known["country"], default=None, return_dtype=pl.String)
    codes = pl.coalesce(each.str.extract(CODE_OF_A_COUNTRY), country)
    return pl.col("actor").str.split("/").list.eval(codes.drop_nulls()).list.unique().list.sort()


def shocks_of(
    shocks: pl.DataFrame,
    sponsors: pl.DataFrame,
    *,
    kinds: Collection[str] | None = None,
    pillars: Collection[str] | None = None,
    countries: Collection[str] | None = None,
    ids: Collection[str] | None = None,
) -> pl.DataFrame:
    """The shocks of some kinds, of some pillars, of some countries' actors, or some of them by their ids.

    Args:
        shocks: rows of ``policy_shocks``.
        sponsors: sponsor and country.
        kinds: keep these; None keeps all.
        pillars: keep these; None keeps all, with those of no pillar.
        ids: keep these; None keeps all.
        countries: keep shocks in which one of these countries acted; None keeps all.

    Raises:
        ExchinaError: a kind, pillar, country or id of which the ledger has no shock, all of them at once; or none that
            is everything asked for.
    """
    told = shocks.with_columns(_countries=shock_countries(sponsors))
    acted = told["_countries"].explode(empty_as_null=False).drop_nulls().unique().sort().to_list()
    problems = [
        Problem(f"study.{name}", f"no event{of} {word!r}", did_you_mean(word, known))
        for name, of, asked, known in (
            ("kind", " of kind", kinds, told["kind"].unique().sort().to_list()),
            ("event", "", ids, told["id"].sort().to_list()),
            ("pillar", " of pillar", pillars, told["pillar"].drop_nulls().unique().sort().to_list()),
            ("country", " of country", countries, acted),
        )
        for word in asked or ()
        if word not in known
    ]
    if problems:
        raise ExchinaError(*problems)
    for column, asked in (("kind", kinds), ("pillar", pillars), ("id", ids)):
        if asked is not None:
            told = told.filter(pl.col(column).is_in(list(asked)))
    if countries is not None:
        told = told.filter(pl.col("_countries").list.set_intersection(list(countries)).list.len() > 0)
    if told.is_empty():
        asked = {"kind": kinds, "event": ids, "pillar": pillars, "country": countries}
        what = "no event is all of " + ", ".join(f"{name} {'/'.join(words)}" for name, words in asked.items() if words)
        raise ExchinaError(Problem("study", what, "ask for less at once"))
    return told.drop("_countries")
