"""Layouts are read whole: every fault in one message."""

from pathlib import Path

import pytest

from exchina.errors import RulebookError
from exchina.reporting.layout import read_layout

FAULTY = """
[document]
title = "Factsheet"
template = "sheet"
dated = "yesterday"
paper = "A3"

[style]
colour = "pink"

[[section]]
name = "level_chrat"

[[section]]
name = "level_chart"
heigth = 100
events = "many"

[[section]]
name = "weights_by"
"""


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(RulebookError) as caught:
        read_layout(FAULTY, "factsheet.toml")
    found = "\n".join(str(problem) for problem in caught.value.problems)
    for words in [
        "factsheet.toml: style",
        "document.dated",
        "document.paper",
        "section 1 level_chrat: no report section called 'level_chrat' (did you mean 'level_chart'?)",
        "'heigth' (did you mean 'height'?)",
        "section 2 level_chart.events",
        "section 3 weights_by.group: this setting is required",
    ]:
        assert words in found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[document", "not TOML"),
        ('[document]\ntitle = "a"\ntemplate = "b"\ndated = "announced"', "names no section"),
        ('section = [1]\n[document]\ntitle = "a"\ntemplate = "b"\ndated = "announced"', "names no section"),
        ('[[section]]\nname = "rules"', "document.title: this setting is required"),
    ],
)
def test_what_is_not_a_layout(text: str, fault: str) -> None:
    with pytest.raises(RulebookError, match=fault):
        read_layout(text, "x.toml")


def test_shipped_layouts_are_right(root: Path) -> None:
    paths = sorted((root / "reports" / "layouts").glob("*.toml"))
    assert {path.stem for path in paths} >= {"factsheet", "announcement"}
    for path in paths:
        assert read_layout(path.read_text("utf-8"), path.name).sections
