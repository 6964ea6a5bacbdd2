"""PURE. Twins of the desk's tables with licensed identifiers, for subscribers who have the licence."""

import polars as pl

from exchina.site.visible import LICENSED

CODES = ("isin", "sedol", "cusip", "figi")


def closing_licensed(closing: pl.DataFrame, identifiers: pl.DataFrame) -> pl.DataFrame:
    """A closing, opening or pro forma table with the codes of each line as of its session.

    Args:
        closing: reads session and symbol.
        identifiers: by the contract `exchina.tables.reference.IDENTIFIERS`.

    Returns:
        The table as it was, rows in the same order, and isin, sedol, cusip, figi at its end; null where none is known.
    """
    found = (
        closing.select("session", "symbol")
        .unique()
        .join(identifiers, on="symbol")
        .filter(pl.col("valid_from") <= pl.col("session"))
        .sort("valid_from")
        .unique(["session", "symbol"], keep="last", maintain_order=True)
    )
    return closing.join(
        found.select("session", "symbol", *CODES), on=["session", "symbol"], how="left", maintain_order="left"
    )


def licensed_name(name: str) -> str:
    """The file name of the twin of a CSV file: ``closing.licensed.csv`` of ``closing.csv``."""
    return name.removesuffix(".csv") + LICENSED
