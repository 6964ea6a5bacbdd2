"""What never leaves the house."""

from dataclasses import replace
from datetime import date

import pytest

from exchina.model import Publication
from exchina.site.visible import public_files

FILES = {
    "x/close/2026-09-18/levels.csv": "1",
    "x/close/2026-09-18/closing.licensed.csv": "2",
    "x/close/2026-09-18/state.json": "3",
    "frozen/ab.csv": "4",
    "frozen/ab.licensed.csv": "5",
    "x/close/2026-09-18/restate.json": "6",
}
ROW = Publication(1, "x", "close", date(2026, 9, 18), 0, "", "2026-09-18T22:00:00+00:00", FILES, {}, "", "", "")


def test_states_frozen_inputs_and_licensed_files_stay() -> None:
    assert sorted(public_files(ROW).values()) == ["1", "6"]
    assert sorted(public_files(ROW, licensed=True).values()) == ["1", "2", "6"]


@pytest.mark.parametrize("what", ["snapshot", "draft", "fetch", "snapshot_delayed", "draft_delayed"])
def test_internal_rows_have_no_public_file(what: str) -> None:
    assert public_files(replace(ROW, what=what), licensed=True) == {}
