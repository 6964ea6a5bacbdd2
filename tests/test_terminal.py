"""Tables for people: every value stands under its own heading, and no figure is broken."""

from typing import Any

import pytest

from exchina import terminal


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def at(width: int, rows: list[dict[str, Any]]) -> list[str]:
        monkeypatch.setattr(terminal.OUT, "width", width)
        terminal.table(rows)
        return [line for line in capsys.readouterr().out.splitlines() if line.strip() and "─" not in line]

    return at


def test_a_row_without_a_column_leaves_it_blank(printed: Any) -> None:
    heading, first, second = printed(100, [{"event": "a", "producer": "+1.00"}, {"event": "b", "magnet": "+2.00"}])
    assert heading.split() == ["event", "producer", "magnet"]
    assert first.index("+1.00") <= heading.index("producer") + len("producer") < second.index("+2.00")


@pytest.mark.parametrize("width", [40, 80])
def test_figures_and_days_are_never_broken(printed: Any, width: int) -> None:
    names = [f"figure {number}" for number in range(9)]
    row = {
        "day": "2026-02-04*",
        "what": "a long title that may well be folded twice",
        **dict.fromkeys(names, "-1,234.56"),
    }
    lines = printed(width, [row, {**row, "figure 3": 0.59, "figure 4": "12.3 / -4.5"}])
    text = "\n".join(lines)
    assert text.count("-1,234.56") == 16
    assert text.count("2026-02-04*") == 2
    assert "0.59" in text
    assert "12.3 / -4.5" in text
    assert "that may" in " ".join(text.split())
