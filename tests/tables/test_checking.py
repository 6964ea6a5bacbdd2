"""Faults of a table are found all at once, placed, and worded for a person with a spreadsheet."""

from datetime import date

import pandera.polars as pa
import polars as pl
import pytest

from exchina.tables.checking import MOST_OF_A_KIND, problems

DAY = date(2025, 1, 2)
CONTRACT = pa.DataFrameSchema(
    {
        "company": pa.Column(pl.String, pa.Check.str_matches("^[a-z]+$", description="small letters")),
        "stage": pa.Column(pl.String, pa.Check.isin(["producer", "magnet_maker"])),
        "share": pa.Column(pl.Float64, pa.Check.in_range(0, 1), nullable=True),
        "day": pa.Column(pl.Date),
    },
    strict=True,
    ordered=True,
    unique=["company", "day"],
)
SOUND = pl.DataFrame(
    {"company": ["lynas", "iluka"], "stage": ["producer", "producer"], "share": [0.5, None], "day": [DAY, DAY]}
)


def told(frame: pl.DataFrame, first_row: int = 2) -> list[str]:
    return [str(problem) for problem in problems(frame, CONTRACT, "table.csv", first_row)]


def test_a_sound_table_has_no_problem() -> None:
    assert told(SOUND) == []
    assert told(SOUND.clear()) == []


def test_a_wrong_word_shows_the_list_and_the_nearest_word() -> None:
    frame = SOUND.with_columns(stage=pl.Series(["producer", "magnet-maker"]))
    assert told(frame) == [
        "table.csv row 3, column stage: found 'magnet-maker' "
        "(allowed: producer, magnet_maker; did you mean 'magnet_maker'?)"
    ]


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("company", "Lynas", "table.csv row 2, column company: found 'Lynas' (small letters)"),
        ("company", None, "table.csv row 2, column company: the cell is empty (fill in text)"),
        ("share", 1.5, "table.csv row 2, column share: found 1.5 (must lie between 0 and 1)"),
        ("share", float("nan"), "table.csv row 2, column share: found nan (give a number, or leave it empty)"),
        ("share", float("inf"), "table.csv row 2, column share: found inf (give a number, or leave it empty)"),
        ("day", None, "table.csv row 2, column day: the cell is empty (fill in dates written YYYY-MM-DD)"),
    ],
)
def test_each_kind_of_broken_cell(column: str, value: object, expected: str) -> None:
    cells = pl.Series(column, [value, SOUND[column][1]], dtype=SOUND.schema[column])
    assert told(SOUND.with_columns(cells)) == [expected]


def test_every_fault_is_told_at_once() -> None:
    frame = SOUND.with_columns(company=pl.lit("X"), stage=pl.lit("mine"), share=pl.lit(-1.0))
    assert [text.split(":")[0] for text in told(frame)] == [
        "table.csv row 2, column company",
        "table.csv row 3, column company",
        "table.csv row 2, column stage",
        "table.csv row 3, column stage",
        "table.csv row 2, column share",
        "table.csv row 3, column share",
        "table.csv row 3, column company+day",
    ]


def test_columns_missing_unexpected_and_out_of_order() -> None:
    assert told(SOUND.rename({"stage": "stags"})) == [
        "table.csv: column 'stage' is missing (add a column 'stage' of text)",
        "table.csv, column stags: no column is called 'stags' (allowed: stage; did you mean 'stage'?)",
    ]
    assert told(SOUND.select("stage", "company", "share", "day")) == [
        "table.csv: columns stand in the order stage, company, share, day (order them company, stage, share, day)"
    ]


def test_a_wrong_type_is_one_problem_not_one_a_row() -> None:
    assert told(SOUND.with_columns(pl.col("share").cast(pl.String))) == [
        "table.csv, column share: holds text (String) (must hold numbers (Float64))"
    ]


def test_a_repeated_key_names_both_rows() -> None:
    frame = pl.concat([SOUND, SOUND[:1], SOUND[:1]])
    assert told(frame) == [
        "table.csv row 4, column company+day: repeats row 2 (3 rows in all): company 'lynas', day 2025-01-02 "
        "(keep one of these rows, or mend its key)"
    ]


def test_a_column_that_must_be_unique_names_both_rows() -> None:
    contract = pa.DataFrameSchema({"id": pa.Column(pl.String, unique=True)})
    found = problems(pl.DataFrame({"id": ["a", "b", "a"]}), contract, "ids")
    assert [(problem.where, problem.what) for problem in found] == [("ids row 4, column id", "repeats row 2: id 'a'")]


def test_many_of_a_kind_are_counted_not_listed() -> None:
    names = ["a" * (number + 1) for number in range(50)]
    frame = pl.DataFrame({"company": names, "stage": ["mine"] * 50, "share": [float("nan")] * 50, "day": [DAY] * 50})
    told_of = [text for text in told(frame) if "stage" in text]
    assert len(told_of) == MOST_OF_A_KIND + 1
    assert told_of[-1] == "table.csv, column stage: and 30 more like these"
    assert sum("column share" in text for text in told(frame)) == MOST_OF_A_KIND + 1


def test_rows_are_counted_from_the_first_row_given() -> None:
    frame = SOUND.with_columns(stage=pl.Series(["mine", "producer"]))
    assert told(frame, first_row=0)[0].startswith("table.csv row 0, column stage")
