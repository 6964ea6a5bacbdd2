"""Who pays a price floor: it protects the seller, and somebody carries the gap to the market price."""

import polars as pl


def floor_burden(measures: pl.DataFrame, sponsors: pl.DataFrame) -> pl.DataFrame:
    """Each commitment with a price floor, or an assured minimum, and who carries it.

    A floor paid by a government costs its treasury and leaves buyers downstream at the market price. A floor paid by
    the buyer protects the seller all the same, but puts what lies between floor and market on the buyer, and through
    a trading house on the magnet makers that it supplies.

    Args:
        measures: one row a commitment, as `exchina.policy.in_force` gives them.
        sponsors: the sponsors that they name.

    Returns:
        id, seller (the company protected), floor_payer (government or buyer), sponsor, bears (``treasury``, the
        company_id of the buyer where these tables have it, else ``magnet_maker``: the stage that is supplied),
        price_floor_value, price_floor_unit, price_basis (incl_vat, excl_vat, or unknown: shown, never assumed),
        volume_t_per_year, status; by id.
    """
    payers = sponsors.select("sponsor", _buyer="sponsor_company")
    bears = (
        pl.when(pl.col("floor_payer") == "government")
        .then(pl.lit("treasury"))
        .otherwise(pl.coalesce("_buyer", pl.lit("magnet_maker")))
    )
    return (
        measures.filter(pl.col("floor_payer") != "none")
        .join(payers, on="sponsor", maintain_order="left")
        .sort("id")
        .select(
            "id",
            "floor_payer",
            "sponsor",
            "price_floor_value",
            "price_floor_unit",
            "price_basis",
            "volume_t_per_year",
            "status",
            seller="company_id",
            bears=bears,
        )
    )
