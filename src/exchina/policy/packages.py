"""Money announced together is added once.

One id is one facility: a new status or a new size of it takes the place of the old one (`exchina.policy.registry`).
Rows of one ``package_id`` are told together, and their debt can be told three times over: as a loan, as a guarantee of
that loan, as a letter of interest in giving it. Within a company's part of a package the three sums are compared and
the largest counts; the loans themselves add up, tranche by tranche, and so do grants, tax credits and equity. A row
whose amount stands in another row has an empty amount in the registry.
"""

import polars as pl

DEBT = ("loan", "loan_guarantee", "letter_of_interest")


def once(value: pl.Expr, *within: str) -> pl.Expr:
    """``value`` of each row, or zero where a larger sum of debt of another form stands in the same package.

    Ties go to the loan, then to the guarantee.

    Args:
        value: an amount, or anything that grows with it; null stays null and adds nothing.
        within: columns beside company_id and package_id; overlaps are looked for among rows that agree in all.

    Example:
        >>> table = pl.DataFrame({
        ...     "company_id": ["a"] * 4, "package_id": ["P"] * 4, "money": [300.0, 533.0, 115.0, 20.0],
        ...     "instrument": ["loan", "loan", "loan_guarantee", "grant"],
        ... })
        >>> table.select(once(pl.col("money")))["money"].to_list()
        [300.0, 533.0, 0.0, 20.0]
    """
    form = pl.col("instrument")
    loans, guarantees, letters = (
        pl.when(form == one).then(value).sum().over("company_id", "package_id", *within) for one in DEBT
    )
    smaller = (
        pl.when(form == "loan")
        .then(loans < pl.max_horizontal(guarantees, letters))
        .when(form == "loan_guarantee")
        .then((guarantees <= loans) | (guarantees < letters))
        .when(form == "letter_of_interest")
        .then(letters <= pl.max_horizontal(loans, guarantees))
        .otherwise(pl.lit(value=False))
    )
    return pl.when(~smaller | value.is_null()).then(value).otherwise(0.0)
