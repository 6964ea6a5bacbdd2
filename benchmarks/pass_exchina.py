"""The pass in exchina: one call of the pipeline for every review."""

from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
from measure import Baskets, run
from sample import quarterly

from exchina.model import Basket, Provenance
from exchina.rulebook import parse_rulebook
from exchina.rules.pipeline import baskets

NOWHERE = Provenance("benchmark", "simulated", "A seeded table.", "2026-11-23T00:00:00Z", "0" * 64, date(2026, 11, 23))


def load(folder: Path) -> dict[str, Any]:
    """The arguments of the call."""
    table = pl.read_parquet(folder / "universe.parquet")
    lines = table.select("symbol", "company_id").unique(maintain_order=True)
    weak = {"file": "stages", "confidence": "low", "what": "stage"}
    named = lines.head(200).select("company_id", known=pl.lit(date(2010, 1, 1))).with_row_index("row")
    return {
        "book": parse_rulebook((folder / "rulebook.toml").read_text(encoding="utf-8")),
        "universe": table,
        "reviews": quarterly(table["review"].n_unique()),
        "drift": lambda basket, _: dict(basket.members.select("symbol", "weight").iter_rows()),
        "companies": dict(lines.iter_rows()),
        "weak": named.with_columns(**{name: pl.lit(word) for name, word in weak.items()}),
        "provenance": NOWHERE,
    }


def read(made: list[Basket]) -> Baskets:
    return {str(one.review.effective): dict(one.members.select("company_id", "weight").iter_rows()) for one in made}


if __name__ == "__main__":
    name = f"exchina {version('exchina')}, polars {version('polars')}"
    run("exchina", name, load, lambda inputs: baskets(**inputs), read)
