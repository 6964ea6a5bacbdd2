"""Event-study numbers computed outside this project, by an independent script and by public R packages."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from exchina.analytics.event_days import event_days
from exchina.analytics.market_model import AbnormalReturns, abnormal_returns

ONE_SECURITY = {"ES01", "ES02", "ES03", "ES04", "ES05"}
MANY_SECURITIES = {"ES06", "ES07", "ES08", "ES09", "ES11"}
FILE = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "event_study_cases.json"
CASES: dict[str, Any] = {case["id"]: case for case in json.loads(FILE.read_text())["cases"]} if FILE.exists() else {}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return CASES[request.param]


def test_a_case_is_answered_to_its_tolerance(case: dict[str, Any], shared: Path) -> None:
    if case["id"] in ONE_SECURITY:
        produced = one_security(case["inputs"])
    elif case["id"] in MANY_SECURITIES:
        produced = many_securities(case["inputs"])
    elif case["id"] == "ES19":
        produced = sessions(case["inputs"])
    else:
        pytest.skip(f"later: {case['title']}")
    expected = case["expected"]
    answered = produced.keys() & expected.keys()
    assert answered
    for name in sorted(answered):
        assert close(produced[name], expected[name], case["tolerance_rel"]), name
    rights = list(numbers(expected))
    for name, wrong in case.get("wrong_values", {}).items():
        if not any(close(wrong, right, 1e-8) for right in rights):
            assert not any(close(number, wrong, 1e-8) for number in numbers(produced)), name


def numbers(answer: Any) -> Iterator[float]:
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, list):
        for part in answer:
            yield from numbers(part)
    elif isinstance(answer, int | float):
        yield answer


def close(produced: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, dict):
        return all(close(produced[key], value, tolerance) for key, value in expected.items() if key != "position")
    if isinstance(expected, str):
        return produced == expected
    return bool(np.allclose(np.array(produced), np.array(expected, float), rtol=tolerance, atol=1e-12))


def fitted(inputs: dict[str, Any], returns: list[list[float | None]]) -> AbnormalReturns:
    factors = [np.array(inputs[name], float) for name in ("benchmark", "factor2", "second_factor") if name in inputs]
    model = {"market": "market", "two_factor": "market", "mean": "mean", "adjusted": "adjusted"}[inputs["model"]]
    return abnormal_returns(
        np.array(returns, float).T,
        np.column_stack(factors),
        estimation=np.arange(*inputs["estimation"]),
        event=np.arange(*inputs["event"]),
        model=model,  # pyright: ignore[reportArgumentType]
    )


def one_security(inputs: dict[str, Any]) -> dict[str, Any]:
    fit = fitted(inputs, [inputs["security"]])
    market = {"alpha": fit.coefficients[0, 0], "beta": fit.coefficients[1, 0]} if len(fit.coefficients) == 2 else {}
    return market | {
        "M": int(fit.sessions[0]),
        "K": len(fit.coefficients),
        "df": int(fit.df[0]),
        "s": float(fit.s[0]),
        "AR": fit.ar[:, 0].tolist(),
        "se_AR": fit.se_ar[:, 0].tolist(),
        "t_AR": (fit.ar / fit.se_ar)[:, 0].tolist(),
        "CAR_path": np.cumsum(fit.ar[:, 0]).tolist(),
        "CAR": float(fit.car[0]),
        "se_CAR": float(fit.se_car[0]),
        "t_CAR": float(fit.car[0] / fit.se_car[0]),
        "BHAR_vs_model": float(fit.bhar[0]),
        "BHAR_vs_benchmark": float(fit.bhar_benchmark[0]),
    }


def many_securities(inputs: dict[str, Any]) -> dict[str, Any]:
    fit = fitted(inputs, inputs["securities"])
    portfolio = fitted(inputs, [np.array(inputs["securities"], float).mean(axis=0).tolist()])
    return {
        "M": fit.sessions.tolist(),
        "n_event_days": np.isfinite(fit.ar).sum(axis=0).tolist(),
        "CAR": fit.car.tolist(),
        "SCAR": (fit.car / fit.se_car).tolist(),
        "AAR": np.nanmean(fit.ar, axis=1).tolist(),
        "CAAR": float(np.mean(fit.car)),
        "median_CAR": float(np.median(fit.car)),
        "n_positive": int((fit.car > 0).sum()),
        "portfolio_CAR": float(portfolio.car[0]),
        "portfolio_se": float(portfolio.se_car[0]),
    }


def sessions(inputs: dict[str, Any]) -> dict[str, Any]:
    closes = pl.DataFrame(
        [row for name, venue in inputs["exchanges"].items() for row in venue_sessions(name, venue)],
        schema={"calendar": pl.String, "session": pl.Date, "close_at": pl.Datetime("us", "UTC")},
        orient="row",
    )
    instants = {event["id"]: datetime.fromisoformat(event["instant"]).astimezone(UTC) for event in inputs["events"]}
    events = pl.DataFrame(
        {
            "id": list(instants),
            "event_date": [instant.date() for instant in instants.values()],
            "announced_at": list(instants.values()),
            "announced_zone": "UTC",
        }
    )
    found = event_days(events, closes).join(
        closes, left_on=["calendar", "day0"], right_on=["calendar", "session"], how="left", maintain_order="left"
    )
    answer: dict[str, Any] = {event: {} for event in instants}
    for event, calendar, day, close_at in found.select("event_id", "calendar", "day0", "close_at").iter_rows():
        hours = (close_at - instants[event]) / timedelta(hours=1)
        answer[event][calendar] = {"session": str(day), "hours_to_close": hours}
    return answer


def venue_sessions(name: str, venue: dict[str, Any]) -> Iterator[tuple[str, date, datetime]]:
    """Weekdays of 2025 but the closed days, each closing at the venue's usual local time."""
    at = time.fromisoformat(venue["close"])
    for offset in range(365):
        day = date(2025, 1, 1) + timedelta(days=offset)
        if day.weekday() < 5 and str(day) not in venue["closed_days"]:
            yield name, day, datetime.combine(day, at, ZoneInfo(venue["tz"])).astimezone(UTC)


# day, ticker, alpha, beta, sigma, return, AR, t, CAR(-1,+1), t: adjusted closes against SPY, days -260..-11
POLICY_DAYS = [
    ("2025-07-10", "MP", 0.004220, 1.1344, 0.043911, 0.506160, 0.498741, 11.358, 0.447641, 5.886),
    ("2025-07-10", "UUUU", 0.000108, 1.1320, 0.038708, 0.164580, 0.161279, 4.167, 0.130914, 1.953),
    ("2025-07-10", "REMX", -0.000543, 0.9437, 0.019073, 0.086791, 0.084673, 4.439, 0.085293, 2.582),
    ("2025-07-10", "USAR", 0.003932, -0.1665, 0.083347, 0.123596, 0.120133, 1.441, 0.081238, 0.563),
    ("2025-04-04", "USAR", 0.001724, 0.6932, 0.059222, 0.161538, 0.200397, 3.384, 0.435554, 4.246),
    ("2025-04-04", "MP", 0.002592, 1.6804, 0.035284, -0.070911, 0.024872, 0.705, 0.132308, 2.165),
    ("2025-10-10", "MP", 0.007037, 0.9727, 0.055535, 0.083691, 0.102944, 1.854, 0.314275, 3.267),
    ("2025-10-10", "REMX", 0.001717, 0.8429, 0.021351, -0.071008, -0.049945, -2.339, 0.079564, 2.151),
    ("2025-10-13", "MP", 0.006420, 0.9532, 0.056032, 0.213429, 0.192382, 3.433, 0.327928, 3.379),
    ("2025-10-13", "REMX", 0.001338, 0.8334, 0.020887, 0.140348, 0.126223, 6.043, 0.082394, 2.278),
    ("2025-10-13", "UAMY", 0.010054, 1.5433, 0.073833, 0.368550, 0.334815, 4.535, 0.526029, 4.113),
    ("2025-10-20", "MP", 0.006479, 0.9581, 0.055728, 0.026117, 0.009674, 0.174, -0.151118, -1.566),
]


@pytest.fixture(scope="module")
def adjusted_closes(shared: Path) -> pl.DataFrame:
    real = shared / "market" / "real"
    files = [real / "prices" / "us_ree_adjclose.csv", real / "benchmarks" / "us_etf_adjclose.csv"]
    if not all(file.exists() for file in files):
        pytest.skip("needs the adjusted closes of the outside data")
    return pl.concat([pl.read_csv(file, try_parse_dates=True) for file in files])


@pytest.mark.parametrize("row", POLICY_DAYS, ids=lambda row: f"{row[1]} {row[0]}")
def test_policy_days_of_real_shares(row: tuple[Any, ...], adjusted_closes: pl.DataFrame) -> None:
    day, ticker, *expected = row
    pair = (
        adjusted_closes.filter(pl.col("ticker").is_in([ticker, "SPY"]))
        .pivot("ticker", index="date", values="adj_close")
        .drop_nulls()
        .sort("date")
    )
    returns = pair.select(pl.col(ticker, "SPY").pct_change()).to_numpy()
    day0 = pair["date"].index_of(date.fromisoformat(day))
    assert day0 is not None
    fit = abnormal_returns(
        returns[:, :1],
        returns[:, 1],
        estimation=np.arange(day0 - 260, day0 - 10),
        event=np.arange(day0 - 1, day0 + 2),
    )
    (alpha, beta), s, ar, car = fit.coefficients[:, 0], fit.s[0], fit.ar[1, 0], fit.car[0]
    produced = [alpha, beta, s, returns[day0, 0], ar, ar / s, car, car / (s * np.sqrt(3))]
    half_of_last_digit = [5e-7, 5e-5, 5e-7, 5e-7, 5e-7, 5e-4, 5e-7, 5e-4]
    assert (np.abs(np.subtract(produced, expected)) <= 1.0001 * np.array(half_of_last_digit)).all()


def test_published_market_models_with_late_listings(shared: Path) -> None:
    """Seven shares to 2020-03-13, two of them listed late, and the mean abnormal return of the week after."""
    folder = shared / "market" / "real" / "eventstudy"
    if not folder.is_dir():
        pytest.skip("needs the published event study of the outside data")
    returns = pl.read_csv(folder / "estudy2_log_returns.csv", try_parse_dates=True)
    published = pl.read_csv(folder / "estudy2_published_market_model.csv")
    statistics = pl.read_csv(folder / "estudy2_published_statistics.csv", try_parse_dates=True)
    estimation = (returns["date"] <= date(2020, 3, 13)).arg_true().to_numpy()
    event = returns["date"].is_in(statistics["date"].implode()).arg_true().to_numpy()
    matrix = returns.select(published["ticker"].to_list()).to_numpy()
    fit = abnormal_returns(matrix, returns["GSPC"].to_numpy(), estimation=estimation, event=event)
    assert fit.sessions.tolist() == published["estimation_length"].to_list()
    np.testing.assert_allclose(fit.coefficients, published.select("alpha", "beta").to_numpy().T, rtol=1e-9)
    np.testing.assert_allclose(fit.ar.mean(axis=1), statistics["mean_ar"].to_numpy(), atol=6e-9)
