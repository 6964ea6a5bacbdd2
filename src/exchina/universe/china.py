"""How far a company depends on China: four dated facts, each apart, with its evidence."""

from datetime import date

import polars as pl

from exchina.model import Reference
from exchina.tables.reference_words import LEVELS, Aspect

CHINA = ("CN", "HK", "MO")
LINKS = pl.col("aspect")
SIZE = pl.coalesce(
    pl.col("value").cast(pl.Float64, strict=False),
    pl.col("value").replace_strict(dict(zip(LEVELS, (0.0, 1.0, 2.0), strict=True)), default=None),
)


def links_on(reference: Reference, day: date) -> pl.DataFrame:
    """The links to China known and in force on a day: of each company, aspect and counterpart the last one.

    Keep ``known_date`` <= day and ``valid_from`` <= day, take the last ``valid_from`` (then ``known_date``) of each
    company, aspect and counterpart, and drop it if it has ended. Order of the rows does not matter.

    Args:
        reference: the reference tables, cut or not.
        day: the data cut-off.
    """
    key = ["company_id", "aspect", "counterpart"]
    known = reference.china_links.filter((pl.col("known_date") <= day) & (pl.col("valid_from") <= day))
    last = known.sort(*key, "valid_from", "known_date").unique(key, keep="last", maintain_order=True)
    return last.filter(pl.col("valid_to").is_null() | (pl.col("valid_to") > day))


def china_on(reference: Reference, day: date) -> pl.DataFrame:
    """The four aspects of each company that has a link in force, one row a company.

    Returns:
        company_id, china_ownership_share (sum of the shares of all holders, at most 1), china_ownership_holder (who
        holds a share above zero), china_operations (the highest level), china_revenue_share (the largest share, since
        shares of several customers may overlap), linked_domicile (level), and the evidence of the largest link of each
        aspect (china_domicile_evidence and so on). An aspect without a link is null: unknown, not zero.
    """
    share = pl.col("value").cast(pl.Float64, strict=False).filter(LINKS == "ownership")
    holders = pl.col("counterpart").filter((LINKS == "ownership") & (SIZE > 0)).str.join(", ")
    return (
        links_on(reference, day)
        .group_by("company_id", maintain_order=True)
        .agg(
            pl.when(share.len() > 0).then(share.sum().clip(upper_bound=1.0)).alias("china_ownership_share"),
            pl.when(holders != "").then(holders).alias("china_ownership_holder"),
            _of_largest("operations", "value").alias("china_operations"),
            _of_largest("revenue", "value").cast(pl.Float64).alias("china_revenue_share"),
            _of_largest("domicile", "value").alias("linked_domicile"),
            _of_largest("domicile", "evidence").alias("china_domicile_evidence"),
            _of_largest("ownership", "evidence").alias("china_ownership_evidence"),
            _of_largest("operations", "evidence").alias("china_operations_evidence"),
            _of_largest("revenue", "evidence").alias("china_revenue_evidence"),
        )
    )


def china_domicile() -> pl.Expr:
    """Whether the issuer is Chinese, by a link or by its place of incorporation; null where that is not known."""
    incorporated = pl.col("country").is_in(CHINA)
    return pl.coalesce(pl.col("linked_domicile") == "material", incorporated).alias("china_domicile")


def _of_largest(aspect: Aspect, column: str) -> pl.Expr:
    mine = LINKS.eq(aspect)
    largest = SIZE.filter(mine).max()
    return pl.col(column).filter(mine, SIZE.eq(largest)).first()
