"""What stands on a day, commitment by commitment, and how to count it."""

from collections.abc import Collection
from datetime import date

import polars as pl

from exchina.errors import ExchinaError, Problem, did_you_mean
from exchina.policy.packages import once
from exchina.policy.registry import in_force
from exchina.policy.strength import bind, years_left

COMMITMENT: dict[str, type[pl.DataType]] = {
    "id": pl.String,
    "instrument": pl.String,
    "status": pl.String,
    "bind": pl.Float64,
    "sponsor": pl.String,
    "sponsor_group": pl.String,
    "sponsor_country": pl.String,
    "sponsor_kind": pl.String,
    "credit_class": pl.String,
    "pillar": pl.String,
    "package_id": pl.String,
    "amount_usd": pl.Float64,
    "years_left": pl.Float64,
    "scope_weight": pl.Float64,
    "take_obligation": pl.String,
    "floor_payer": pl.String,
    "price_basis": pl.String,
}


def commitments(
    measures: pl.DataFrame, sponsors: pl.DataFrame, day: date, *, recorded_by: date | None = None
) -> pl.DataFrame:
    """Every commitment in force on ``day``, with what is known of its sponsor.

    Args:
        measures: policy measures, as in `exchina.tables.reference`, with amount_usd (US dollars at that day's rate).
        sponsors: the sponsors that they name.
        day: the data cut-off; rows known later are not read.
        recorded_by: read only rows written down by then; None reads all.

    Returns:
        company_id and the columns of `COMMITMENT`, by company and id. bind is the binding strength of the status (0 to
        1); years_left runs to the end of protection (null: no end was published); amount_usd is null where undisclosed
        or told in another row; sponsor_kind is government, state_fund, mixed_lenders, private_buyer or private_lender.
    """
    who = sponsors.select("sponsor", "sponsor_group", "credit_class", sponsor_country="country", sponsor_kind="kind")
    return (
        in_force(measures, day, recorded_by=recorded_by)
        .drop("sponsor_kind")
        .join(who, on="sponsor", maintain_order="left")
        .with_columns(bind=bind(), years_left=years_left(day))
        .sort("company_id", "id")
        .select("company_id", *COMMITMENT)
    )


def counted(standing: pl.DataFrame, by: Collection[str]) -> pl.DataFrame:
    """Count commitments: how many, in how many packages, for how much money.

    Args:
        standing: rows as `commitments` gives them, filtered as wished.
        by: what to count by: company_id or any column of `COMMITMENT`, such as instrument, sponsor_group, status;
            years_left counts by whole years.

    Returns:
        The columns ``by``; commitments; packages (distinct); amount_usd (each package's money added once, see
        `exchina.policy.packages`, among the rows of the group; null where nothing is disclosed); undisclosed
        (commitments without an amount). Sorted by the columns ``by``. The amount of an offtake or a floor is the value
        of a contract, not money raised: filter by instrument where that matters. Where one package stands in several
        groups, the groups do not add up to the whole.

    Raises:
        ExchinaError: there is no such column to count by.
    """
    known = ["company_id", *COMMITMENT]
    unknown = [name for name in by if name not in known]
    if unknown:
        raise ExchinaError(
            *(Problem("counted.by", f"no column {name!r}", did_you_mean(name, known)) for name in unknown)
        )
    whole = standing.with_columns(pl.col("years_left").floor()) if "years_left" in by else standing
    return (
        whole.sort("company_id", "id")
        .with_columns(_once=once(pl.col("amount_usd"), *by))
        .group_by(by, maintain_order=True)
        .agg(
            commitments=pl.len(),
            packages=pl.col("package_id").n_unique(),
            amount_usd=pl.when(pl.col("_once").count() > 0).then(pl.col("_once").sum()),
            undisclosed=pl.col("_once").null_count(),
        )
        .sort(by, nulls_last=True)
    )
