"""Worked answers on review days and selection: what each topic asks the rules for."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from exchina.model import NthWeekday, ReviewRule
from exchina.rules.order import ranked
from exchina.rules.registers import REGISTERS
from exchina.rules.reviews import nth_weekday, reviews


def calendar(case: dict[str, Any]) -> None:
    third_friday = NthWeekday(nth=3, weekday="friday")
    months, expected = case["inputs"]["months"], case["expected"]
    assert [nth_weekday(*month, third_friday) for month in months] == _days(expected["third_friday"])
    sessions = [date(2026, 1, 1) + timedelta(days=number) for number in range(800)]
    sessions = [day for day in sessions if day.weekday() < 5]
    rule = ReviewRule(
        months=tuple(sorted({month for _, month in months})),
        effective_after_close_of=third_friday,
        announced_sessions_before=5,
        data_cutoff_sessions_before=10,
        calendar="24/5",
    )
    last = max(_days(expected["third_friday"]))
    made = {review.effective for review in reviews(rule, sessions, date(2026, 2, 2), last)}
    assert set(_days(expected["third_friday"])) <= made
    opens = [sessions[sessions.index(day) + 1] for day in _days(expected["third_friday"])]
    assert opens == _days(expected["effective_monday"])


def _days(texts: list[str]) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


def selection_buffer(case: dict[str, Any]) -> None:
    given, expected = case["inputs"], case["expected"]
    rows = pl.DataFrame(given["ranked"]).select(
        review=pl.lit(1),
        company_id="id",
        free_float_market_cap_usd=pl.col("ffmcap").cast(pl.Float64),
        traded_values_usd=pl.concat_list(pl.lit(1.0)),
        is_member="incumbent",
    )
    settings = {"enter_up_to": given["enter_up_to"], "stay_up_to": given["stay_up_to"]}
    verdicts = REGISTERS["select"]["coverage"](rows, **settings)
    assert rows.filter(verdicts["passed"])["company_id"].to_list() == expected["selected"]
    order = ranked(rows, "free_float_market_cap_usd").sort("_rank")["company_id"].to_list()
    assert order == [name for name, _ in expected["cumulative"]]
    shares = [float(found.rsplit(" ", 1)[1]) for found in verdicts["found"]]
    assert shares == pytest.approx([share for _, share in expected["cumulative"]], abs=1e-6)


ANSWERED: dict[str, Callable[[dict[str, Any]], None]] = {"calendar": calendar, "selection_buffer": selection_buffer}
