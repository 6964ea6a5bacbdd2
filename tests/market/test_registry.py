from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from exchina.market.intake.registry import incomplete_actions, registered_actions
from exchina.market.terms import event_problems
from exchina.model import Reference
from exchina.tables.checking import problems
from exchina.tables.market import CONTRACTS


def test_what_is_registered_passes_the_door(reference: Reference) -> None:
    actions = registered_actions(reference)
    assert problems(actions, CONTRACTS["actions"], "actions") == []
    assert event_problems(actions, "actions", range(1, actions.height + 1)) == []
    assert {"PEK.AX-MERGER-CASH-2025", "5486.T-DELISTING-2022"} <= set(actions["id"])
    assert not {"PEK.AX-DELISTING-2025", "ALK.AX-SPINOFF-2020", "LYC.AX-RENAME-2020"} & set(actions["id"])


def test_the_source_is_the_row_of_the_file(reference: Reference) -> None:
    for name, source in registered_actions(reference).select("id", "source").iter_rows():
        number = int(source.removeprefix("corporate_actions.csv row "))
        assert reference.corporate_actions["id"][number - 2] == name


def test_what_was_announced_ahead_is_not_known_as_completed(reference: Reference) -> None:
    hitachi = registered_actions(reference).row(by_predicate=pl.col("symbol") == "5486.T", named=True)
    assert (hitachi["status"], hitachi["known_date"], hitachi["ex_date"]) == (
        "confirmed",
        date(2022, 11, 21),
        date(2022, 12, 29),
    )


def test_shares_that_go_on_under_another_symbol_are_renamed(reference: Reference) -> None:
    actions = registered_actions(reference)
    molycorp = actions.row(by_predicate=pl.col("symbol") == "MCP", named=True)
    assert (molycorp["type"], molycorp["other"], molycorp["ex_date"]) == ("rename", "MCPIQ", date(2015, 6, 26))
    dated = reference.corporate_actions.with_columns(
        ex_date=pl.when(pl.col("id") == "ETM.AX-RENAME-2022").then(pl.lit(date(2022, 11, 21))).otherwise("ex_date")
    )
    actions = registered_actions(replace(reference, corporate_actions=dated))
    greenland = actions.row(by_predicate=pl.col("id") == "ETM.AX-RENAME-2022", named=True)
    assert (greenland["symbol"], greenland["other"]) == ("GGG.AX", "ETM.AX")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("BSE.AX-MERGER-STOCK-2024", {"type": "takeover", "new": 0.026, "old": 1, "price": 0.065, "other": "UUUU"}),
        ("ALK.AX-SPINOFF-2020", {"type": "spin_off", "new": 1, "old": 5, "price": None, "other": "ASM.AX"}),
        ("REEMF-RIGHTS-ISSUE-2023", {"type": "rights_issue", "new": 1.4, "old": 1, "price": 0.12, "other": None}),
        ("QRM.TO-BANKRUPTCY-2017", {"type": "bankruptcy", "price": None}),
    ],
)
def test_terms_are_those_of_the_words(reference: Reference, name: str, values: dict[str, object]) -> None:
    day = date(2023, 12, 14)
    dated = reference.corporate_actions.with_columns(ex_date=pl.when(pl.col("id") == name).then(pl.lit(day)))
    (found,) = registered_actions(replace(reference, corporate_actions=dated)).to_dicts()
    assert {key: found[key] for key in values} == values
    assert (found["id"], found["ex_date"]) == (name, day)


def test_what_lacks_is_said_for_the_symbols_and_days_that_matter(reference: Reference) -> None:
    assert incomplete_actions(reference, {"ILU.AX": date(2020, 1, 2)}) == [
        "ILU.AX-SPINOFF-2020 (no other)",
        "ILU.AX-SPINOFF-2022 (no ex_date)",
    ]
    assert incomplete_actions(reference, {"ILU.AX": date(2021, 1, 4)}) == ["ILU.AX-SPINOFF-2022 (no ex_date)"]
    assert incomplete_actions(reference, {"ILU.AX": date(2022, 9, 1), "LYC.AX": date(2010, 1, 4)}) == []
    assert incomplete_actions(reference, {"USAR": date(2025, 3, 14)}) == []
