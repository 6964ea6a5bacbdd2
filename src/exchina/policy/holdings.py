"""Which of a company's commitments count, and what they come to: the arithmetic behind rules on backing."""

from collections.abc import Mapping, Sequence

import polars as pl

from exchina.policy.packages import once

SHOWN = 3
FLOOR = pl.col("instrument") == "price_floor"


def holdings(
    universe: pl.DataFrame, must: Sequence[pl.Expr], asked: Mapping[str, pl.Expr], *, unknown_counts: bool
) -> pl.DataFrame:
    """The universe with what counts of each row's commitments.

    Args:
        universe: reads commitments, a list of structs with the fields of `exchina.policy.COMMITMENT`; null: none.
        must: conditions on the fields of a commitment that are always known, all of which must hold.
        asked: further conditions by name, such as ``end``; null where the registry does not know.
        unknown_counts: whether a commitment counts of which only such a condition is unknown.

    Returns:
        The rows of ``universe`` in order, with counting (the commitments that count, in words; null: none), others
        (those that do not, the first three in words; null: none), packages (distinct, of those that count), usd (their
        money, each package's added once; an undisclosed amount adds nothing), undisclosed (how many of them have no
        amount), doubts (id and what is unknown of it; null: none).
    """
    each = universe.select("commitments").with_row_index("company_id").explode("commitments")
    each = each.filter(pl.col("commitments").is_not_null()).unnest("commitments")
    firm = pl.all_horizontal(*must).fill_null(value=False)
    certain = pl.all_horizontal(*asked.values()) if asked else pl.lit(value=True)
    missing = [pl.when(condition.is_null()).then(pl.lit(name)) for name, condition in asked.items()]
    unknown = pl.concat_str(missing, separator=", ", ignore_nulls=True) if missing else pl.lit("")
    each = each.with_columns(
        _counts=firm & certain.fill_null(unknown_counts),
        _doubt=pl.when(firm & certain.is_null()).then(pl.format("{} ({})", "id", unknown)),
        _words=_words(),
    )
    told = each.group_by("company_id", maintain_order=True).agg(
        _told=pl.col("_words").filter(~pl.col("_counts")), doubts=pl.col("_doubt").drop_nulls()
    )
    counting = (
        each.filter("_counts")
        .with_columns(_usd=once(pl.col("amount_usd")))
        .group_by("company_id", maintain_order=True)
        .agg(
            counting=pl.col("_words"),
            packages=pl.col("package_id").n_unique(),
            usd=pl.col("_usd").sum(),
            undisclosed=pl.col("_usd").null_count(),
        )
    )
    added = ["company_id", "counting", "others", "packages", "usd", "undisclosed", "doubts"]
    summed = told.join(counting, on="company_id", how="left").with_columns(others=_first("_told")).select(added)
    whole = universe.select(row=pl.int_range(pl.len(), dtype=pl.UInt32)).join(
        summed, left_on="row", right_on="company_id", how="left", maintain_order="left"
    )
    words = [_joined(name) for name in ("counting", "doubts")]
    numbers = [pl.col(name).fill_null(0) for name in ("packages", "usd", "undisclosed")]
    return pl.concat([universe, whole.drop("row").with_columns(*words, *numbers)], how="horizontal")


def _words() -> pl.Expr:
    """A commitment in a few words; of a floor also whether its price is meant with tax, or that nobody knows."""
    basis = pl.when(FLOOR).then(pl.format(", price basis {}", "price_basis")).otherwise(pl.lit(""))
    return pl.format("{} {} ({}{})", "sponsor", "instrument", "status", basis.fill_null(""))


def _joined(name: str) -> pl.Expr:
    return pl.when(pl.col(name).list.len() > 0).then(pl.col(name).list.join(", "))


def _first(name: str) -> pl.Expr:
    more = pl.col(name).list.len().cast(pl.Int64) - SHOWN
    rest = pl.when(more > 0).then(pl.format(" and {} more", more)).otherwise(pl.lit(""))
    first = pl.col(name).list.head(SHOWN).list.join(", ")
    return pl.when(pl.col(name).list.len() > 0).then(pl.concat_str(first, rest))
