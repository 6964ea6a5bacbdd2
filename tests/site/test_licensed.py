"""Licensed identifiers: checked when read, and only in files of their own."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from exchina.errors import DataError
from exchina.reference import check_reference, read_reference
from exchina.site.licensed import closing_licensed, licensed_name
from exchina.tables.reference import IDENTIFIERS

HEADER = "symbol,isin,sedol,cusip,figi,valid_from,source"
CODES = ("isin", "sedol", "cusip", "figi")


@pytest.fixture
def written(root: Path, tmp_path: Path) -> Callable[..., Path]:
    """The reference data with identifiers of these lines."""

    def write(*lines: str) -> Path:
        folder = tmp_path / "reference"
        if not folder.exists():
            shutil.copytree(root / "indices" / "reference", folder)
        (folder / "identifiers.csv").write_text("\n".join([HEADER, *lines]) + "\n")
        return folder

    return write


def test_without_the_file_there_are_no_codes(root: Path) -> None:
    reference = read_reference(root / "indices" / "reference")
    assert reference.identifiers.is_empty()
    assert reference.identifiers.columns == list(IDENTIFIERS.columns) == HEADER.split(",")


def test_codes_are_read_and_leave_everything_else_as_it_was(root: Path, written: Callable[..., Path]) -> None:
    """Codes of Apple, BAE Systems and Lynas as published, on whatever lines: only their check digits are asked."""
    plain = read_reference(root / "indices" / "reference")
    folder = written(
        "MP,US0378331005,,037833100,BBG000B9XRY4,2020-11-18,a vendor",
        "LYC.AX,AU000000LYC6,,,,2010-01-01,x",
        "LYC.AX,,0263494,,,2020-01-01,x",
    )
    reference = read_reference(folder)
    assert reference.identifiers.height == 3
    assert reference.identifiers["valid_from"].to_list()[1] == date(2010, 1, 1)
    assert reference.content_hash != plain.content_hash
    assert reference.weak_facts.equals(plain.weak_facts)


@pytest.mark.parametrize(
    ("line", "place", "says"),
    [
        ("MP,US0378331006,,,,2020-11-18,v", "isin", "an ISIN with its check digit"),
        ("MP,us0378331005,,,,2020-11-18,v", "isin", "an ISIN with its check digit"),
        ("MP,US 0378331005,,,,2020-11-18,v", "isin", "an ISIN with its check digit"),
        ("MP,,B15KXQ9,,,2020-11-18,v", "sedol", "a SEDOL with its check digit"),
        ("MP,,,037833101,,2020-11-18,v", "cusip", "a CUSIP with its check digit"),
        ("MP,,,,BBG000B9XRY5,2020-11-18,v", "figi", "a FIGI with its check digit"),
        ("MP,US0378331005,,594918104,,2020-11-18,v", "cusip", "594918104 is not the CUSIP within US0378331005"),
        ("MP,,,,,2020-11-18,v", "isin", "no code of MP is given"),
        ("MPP,US0378331005,,,,2020-11-18,v", "symbol", "'MPP' is not in listings.yahoo_symbol"),
        ("MP,US0378331005,,,,,v", "valid_from", "the cell is empty"),
        ("MP,US0378331005,,,,2020-11-18,", "source", "the cell is empty"),
    ],
)
def test_each_fault_is_told_with_its_row(written: Callable[..., Path], line: str, place: str, says: str) -> None:
    found = [str(problem) for problem in check_reference(written("LYC.AX,AU000000LYC6,,,,2010-01-01,x", line))]
    assert len(found) == 1
    assert found[0].startswith(f"identifiers.csv row 3, column {place}: ")
    assert says in found[0]


def test_faults_are_told_together(written: Callable[..., Path]) -> None:
    folder = written(
        "LYC.AX,AU000000LYC6,,,,2010-01-01,x",
        "MP,AU000000LYC6,,,,2020-11-18,v",
        "MP,US0378331005,,,,2020-11-18,v",
        "ILU.AX,,B15KXQ9,037833101,,2010-01-01,v",
    )
    with pytest.raises(DataError) as raised:
        read_reference(folder)
    said = [str(problem).split(" (")[0] for problem in raised.value.problems]
    assert said == [
        "identifiers.csv row 5, column sedol: found 'B15KXQ9'",
        "identifiers.csv row 5, column cusip: found '037833101'",
        "identifiers.csv row 4, column symbol+valid_from: repeats row 3: symbol 'MP', valid_from 2020-11-18",
        "identifiers.csv row 3, column isin: 'AU000000LYC6' is that of lynas-rare-earths in row 2",
    ]


def test_a_file_without_a_column(written: Callable[..., Path]) -> None:
    folder = written()
    (folder / "identifiers.csv").write_text(HEADER.replace(",figi", "") + "\n")
    assert "column 'figi' is missing" in str(check_reference(folder)[0])


def codes(*rows: tuple[str, str | None, str | None, date]) -> pl.DataFrame:
    schema = {name: spec.dtype.type for name, spec in IDENTIFIERS.columns.items()}
    named = [dict(zip(("symbol", "isin", "figi", "valid_from"), row, strict=True)) for row in rows]
    return pl.DataFrame([{**dict.fromkeys(schema), **row, "source": "v"} for row in named], schema=schema)


def test_the_twin_has_the_codes_of_its_day() -> None:
    closing = pl.DataFrame(
        {
            "session": [date(2026, 9, 18)] * 3,
            "symbol": ["C", "A", "B"],
            "weight": [0.5, 0.3, 0.2],
            "simulated": [True] * 3,
        }
    )
    known = codes(
        ("A", "third", None, date(2026, 9, 19)),
        ("A", "second", None, date(2026, 9, 18)),
        ("A", "first", "figi", date(2020, 1, 1)),
        ("B", "later", None, date(2026, 9, 19)),
        ("D", "other", None, date(2020, 1, 1)),
    )
    twin = closing_licensed(closing, known)
    assert twin.select(closing.columns).equals(closing)
    assert twin.columns == [*closing.columns, *CODES]
    assert twin["isin"].to_list() == [None, "second", None]
    assert twin["figi"].to_list() == [None, None, None]
    assert closing_licensed(closing, known.clear())["isin"].null_count() == 3
    assert closing_licensed(closing.clear(), known).columns == twin.columns


def test_the_twin_is_a_file_of_its_own() -> None:
    assert licensed_name("closing.csv") == "closing.licensed.csv"
