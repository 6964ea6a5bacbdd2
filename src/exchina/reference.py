"""The CSV files of ``indices/reference``, read and checked as a whole."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import polars as pl

from exchina.errors import DataError, Problem
from exchina.model import Reference
from exchina.tables.parsing import parse
from exchina.tables.reference import CONTRACTS, OPTIONAL
from exchina.tables.reference_links import link_problems
from exchina.tables.reference_rows import row_problems
from exchina.tables.reference_words import WEAK

SAID = {
    "companies": "company {name}",
    "listings": "listing {yahoo_symbol}",
    "stages": "{role} stage {stage} from {valid_from}",
    "policy_measures": "{id} {status}, known on {known_date}",
    "sponsors": "sponsor {sponsor} is {credit_class}",
    "policy_shocks": "{event_date} {title}",
    "corporate_actions": "{type} of {yahoo_symbol}",
    "exposures": "{metric} as of {as_of}",
    "china_links": "{aspect} link to China through {counterpart} from {valid_from}",
    "withholding": "withholding tax of {country}, {profile}, from {valid_from}",
    "venues": "venue {mic}",
    "trading_costs": "trading costs of {mic}",
    "related_entities": "{name} is {kind}",
    "listed_funds": "terms of {name}",
}
ALL = {**CONTRACTS, **OPTIONAL}
KNOWN_ON = ("known_date", "event_date", "effective_date", "valid_from", "first_trade_date")


def read_reference(folder: Path) -> Reference:
    """The reference tables, in file order.

    Args:
        folder: holds one CSV file per table, as its README describes; one that is licensed may be missing.

    Raises:
        DataError: with every problem of every file, if there is any.
    """
    contents, faults = _contents(folder)
    tables, more = _tables(contents)
    if faults or more:
        raise DataError(*faults, *more)
    digest = sha256(b"".join(sha256(content).digest() for content in contents.values())).hexdigest()
    absent = {name: _without_rows(name) for name in OPTIONAL if name not in tables}
    return Reference(**tables, **absent, weak_facts=_weak_facts(tables), content_hash=digest)


def check_reference(folder: Path) -> list[Problem]:
    """Every problem of every reference file; an empty list means that `read_reference` will succeed."""
    contents, faults = _contents(folder)
    return [*faults, *_tables(contents)[1]]


def _weak_facts(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Every row that rests on weak evidence, as `Reference.weak_facts` holds them; a sponsor counts for each company
    that it backs."""
    rows = pl.concat(_weak_rows(file, table) for file, table in tables.items() if file in CONTRACTS)
    backed = tables["policy_measures"].select("sponsor", backed="company_id").unique(maintain_order=True)
    said = backed.join(tables["sponsors"], on="sponsor", maintain_order="left").select(
        "backed", file=pl.lit("sponsors"), what=pl.format("sponsor {} is {}", "sponsor", "credit_class")
    )
    joined = rows.join(said, on=["file", "what"], how="left", maintain_order="left")
    return joined.with_columns(company_id=pl.coalesce("company_id", "backed")).drop("backed")


def _weak_rows(file: str, frame: pl.DataFrame) -> pl.DataFrame:
    company = {"companies": pl.col("id")}.get(file, pl.lit(None, pl.String))
    known = [pl.col(day) for day in KNOWN_ON if day in frame.columns]
    rows = frame.with_row_index("row", 2).filter(pl.col("confidence").is_in(WEAK))
    return rows.select(
        file=pl.lit(file),
        row=pl.col("row").cast(pl.Int64),
        company_id=pl.col("company_id") if "company_id" in frame.columns else company,
        known=pl.coalesce(*known, pl.lit(None, pl.Date)),
        confidence=pl.col("confidence"),
        what=pl.Series([SAID[file].format(**row) for row in rows.iter_rows(named=True)], dtype=pl.String),
    )


def _without_rows(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema={column: spec.dtype.type for column, spec in ALL[name].columns.items()})


def _contents(folder: Path) -> tuple[dict[str, bytes], list[Problem]]:
    contents: dict[str, bytes] = {}
    faults: list[Problem] = []
    for name in ALL:
        if name in OPTIONAL and not (folder / f"{name}.csv").exists():
            continue
        try:
            contents[name] = (folder / f"{name}.csv").read_bytes()
        except OSError as fault:
            reason = fault.strerror or str(fault)
            faults.append(
                Problem(
                    str(folder / f"{name}.csv"),
                    f"cannot be read: {reason}",
                    "every table needs its file; exchina init lays those that are missing",
                )
            )
    return contents, faults


def _tables(contents: Mapping[str, bytes]) -> tuple[dict[str, pl.DataFrame], list[Problem]]:
    tables: dict[str, pl.DataFrame] = {}
    faults: list[Problem] = []
    for name, content in contents.items():
        frame, problems = parse(content, ALL[name], f"{name}.csv")
        faults += problems
        if frame is not None:
            tables[name] = frame
            faults += row_problems(name, frame)
    return tables, [*faults, *link_problems(tables)]
