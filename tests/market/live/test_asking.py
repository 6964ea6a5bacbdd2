"""A vendor of the tests: lists of answers, without a network."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from exchina.errors import ProviderError
from exchina.market.live.asking import Manners, answers
from exchina.market.live.inbox import keep, kept
from exchina.market.live.plan import Wanted
from exchina.market.live.source import BARS, COUNTS, DIVIDENDS, SPLITS, Absent, Broken, Facts, History, Pace, Throttled

TODAY = date(2025, 11, 24)
PACE = Pace(pause_seconds=1.0, first_wait_seconds=10.0, longest_wait_seconds=40.0, patience_seconds=1000.0)
HISTORY = History(
    pl.DataFrame({"session": [date(2025, 1, 2)], "close": [1 / 3], "volume": [None]}, schema=BARS),
    pl.DataFrame(schema=DIVIDENDS),
    pl.DataFrame({"ex_date": [date(2025, 3, 3)], "ratio": [0.1]}, schema=SPLITS),
    "GBp",
    "Europe/London",
    date(2025, 1, 2),
)
COUNT = pl.DataFrame([(date(2025, 1, 1), 5e6, date(2025, 2, 1))], schema=COUNTS, orient="row")


def said(answer: object) -> Callable[[], object]:
    def call() -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return call


def in_turn(*replies: object) -> Callable[[], object]:
    left = list(replies)

    def call() -> object:
        return said(left.pop(0))()

    return call


def manners() -> tuple[Manners, list[float]]:
    slept: list[float] = []
    return Manners(PACE, slept.append, lambda: 1.0), slept


def test_a_throttled_call_waits_as_long_as_it_was_asked_to_and_a_little_more() -> None:
    calm, slept = manners()
    assert calm.call(in_turn(Throttled(120.0), Throttled(), Throttled(), "here"), "MP") == "here"  # type: ignore[arg-type]
    assert slept == [1, 130, 1, 20, 1, 40, 1]


def test_a_fetch_stops_where_the_vendor_wants_more_patience_than_there_is() -> None:
    calm, slept = manners()
    with pytest.raises(ProviderError, match="goes on where it stopped"):
        calm.call(in_turn(Throttled(5000.0)), "MP")  # type: ignore[arg-type]
    assert slept == [1]


def test_a_broken_answer_is_asked_for_three_times() -> None:
    calm, slept = manners()
    with pytest.raises(Broken):
        calm.call(in_turn(Broken("a"), Broken("b"), Broken("c"), "never"), "MP")  # type: ignore[arg-type]
    assert slept == [1, 10, 1, 20, 1]


@pytest.mark.parametrize("piece", [HISTORY, COUNT, Facts(1e9, None), Absent("gone")])
def test_an_answer_is_kept_to_the_last_digit(tmp_path: Path, piece: object) -> None:
    keep(tmp_path / "x.json", piece)  # type: ignore[arg-type]
    found = kept(tmp_path / "x.json")
    if isinstance(piece, History):
        assert isinstance(found, History)
        assert found.bars.equals(piece.bars, null_equal=True)
        assert found.splits.equals(piece.splits)
        assert (found.currency, found.zone, found.traded_to) == (piece.currency, piece.zone, piece.traded_to)
    elif isinstance(piece, pl.DataFrame):
        assert isinstance(found, pl.DataFrame)
        assert found.equals(piece)
    else:
        assert str(found) == str(piece)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 0}', b'{"format": 1, "history": {}}'])
def test_a_damaged_piece_is_asked_for_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert kept(tmp_path / "x.json") is None


class Vendor:
    """Answers every call and remembers it; a symbol in ``bad`` fails as told."""

    name, sentence, assumptions, pace = "vendor", "A test.", (), PACE

    def __init__(self, **bad: Exception) -> None:
        self.bad, self.calls = bad, []

    def _call(self, call: str, symbol: str, answer: object) -> object:
        self.calls.append((call, symbol))
        if f"{call}_{symbol}" in self.bad:
            raise self.bad[f"{call}_{symbol}"]
        return answer

    def history(self, symbol: str, since: date, until: date) -> object:
        return self._call("history", symbol, HISTORY)

    def counts(self, symbol: str, since: date) -> object:
        return self._call("counts", symbol, COUNT)

    def facts(self, symbol: str) -> object:
        return self._call("facts", symbol, Facts(2.0, 1.0))


def wanted(*names: str) -> list[Wanted]:
    return [Wanted("line", name, name, date(2025, 1, 1), date(2025, 11, 21)) for name in names]


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    calm, _ = manners()
    stopped = Vendor(counts_B=Throttled(9999.0))
    with pytest.raises(ProviderError):
        answers(stopped, wanted("A", "B"), tmp_path, TODAY, calm)  # type: ignore[arg-type]
    assert stopped.calls == [("history", "A"), ("counts", "A"), ("facts", "A"), ("history", "B"), ("counts", "B")]
    again = Vendor()
    found = answers(again, wanted("A", "B"), tmp_path, TODAY, calm)  # type: ignore[arg-type]
    assert again.calls == [("counts", "B"), ("facts", "B")]
    assert all(not one.failed and one.counts is not None for one in found.values())


def test_half_a_line_is_no_line(tmp_path: Path) -> None:
    calm, _ = manners()
    vendor = Vendor(counts_A=Broken("error 500"), history_B=Absent("gone"), counts_C=Absent("none"))
    found = answers(vendor, wanted("A", "B", "C"), tmp_path, TODAY, calm)  # type: ignore[arg-type]
    assert [(one.failed, one.absent, one.counts is None) for one in found.values()] == [
        ("error 500", False, True),
        ("gone", True, True),
        ("", False, True),
    ]


def test_a_vendor_that_is_down_is_left_alone(tmp_path: Path) -> None:
    calm, _ = manners()
    names = [f"L{number}" for number in range(20)]
    vendor = Vendor(**{f"history_{name}": Broken("maintenance") for name in names})
    with pytest.raises(ProviderError, match="maintenance"):
        answers(vendor, wanted(*names), tmp_path, TODAY, calm)  # type: ignore[arg-type]
    assert len(vendor.calls) == 15
