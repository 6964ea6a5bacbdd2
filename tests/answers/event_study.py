"""Event-study cases: each is mapped, by its id or by what its inputs hold, to what asks the product for its answer."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from exchina.analytics.event_days import clean_sessions, event_days, near_events
from exchina.analytics.market_model import AbnormalReturns, abnormal_returns
from exchina.analytics.significance import (
    Market,
    Sample,
    Statistic,
    battery,
    date_battery,
    dated,
    pooled,
    sample,
    single_tests,
    skewness_adjusted,
)
from exchina.analytics.significance.correlation import mean_correlation
from exchina.analytics.significance.cross_section import skewness
from exchina.analytics.significance.flips import sign_flips
from exchina.analytics.significance.ranks import corrado_by_day
from exchina.analytics.significance.signs import share_positive, zivney_by_day
from exchina.errors import ExchinaError
from tests.answers import event_study_extras

Answer = dict[str, Any]
MODELS = {"market": "market", "two_factor": "market", "two-factor": "market", "mean": "mean", "adjusted": "adjusted"}
NAMES = {
    "csect_t": "cross_section",
    "skew_johnson": "skewness_johnson",
    "skew_hall": "skewness_hall",
    "patell_z": "patell",
    "patell_z_sumSAR": "patell_daily",
    "bmp_t": "bmp",
    "kp_patell": "kp_patell",
    "kp_bmp": "kp_bmp",
    "cowan_gsign": "generalised_sign",
    "sign_z": "sign",
    "sign_binom_exact": "sign_exact",
    "wilcoxon_Wplus": "wilcoxon",
    "corrado_rank": "corrado_rank",
    "corrado_zivney_rank": "corrado_zivney_rank",
    "corrado_zivney_sign": "corrado_zivney_sign",
    "grank_t": "grank_t",
    "grank_z": "grank_z",
    "bw_crude_dependence": "crude_dependence",
    "portfolio_reg": "portfolio_regression",
    "placebo_rolling": "placebo",
    "date_mean_t": "date_mean",
    "date_bmp_t": "date_bmp",
    "jaffe": "jaffe",
    "jaffe_z": "jaffe",
    "pooled_kp_bmp": "pooled_kp_bmp",
    "wild_cluster": "wild_cluster",
}


def produced(case: Answer) -> Answer:
    """The product's answer to a case, by the keys of its expectation.

    Raises:
        AssertionError: neither the id nor the inputs are known.
    """
    inputs = case["inputs"]
    by_id = {"ES18": quantiles, "ES19": sessions, **event_study_extras.ANSWERED}
    if case["id"] in by_id:
        return by_id[case["id"]](inputs)
    answers: dict[str, Callable[[Answer], Answer]] = {
        "bhar": bhar,
        "event_dates": several_dates,
        "events": several_dates,
        "dates": several_dates,
        "securities": many_securities,
        "security": one_security,
        "near": clean_window,
        "other_events": clean_window,
    }
    for key, answer in answers.items():
        if key in inputs:
            return answer(inputs)
    raise AssertionError(f"no answer is mapped to {case['id']} with inputs {sorted(inputs)}")


def factors(inputs: Answer) -> np.ndarray:
    found = [np.array(inputs[name], float) for name in ("benchmark", "factor2", "second_factor") if name in inputs]
    return np.column_stack(found)


def model(inputs: Answer) -> Any:
    return MODELS[inputs.get("model", "market")]


def market(inputs: Answer, estimation: Any = None, event: Any = None) -> Market:
    returns = np.array(inputs["securities"] if "securities" in inputs else [inputs["security"]], float).T
    return Market(
        days=np.arange(len(returns)),
        returns=returns,
        factors=factors(inputs),
        estimation=np.arange(*(estimation or inputs["estimation"])),
        event=np.arange(*(event or inputs["event"])),
    )


def fitted(inputs: Answer) -> AbnormalReturns:
    here = market(inputs)
    return abnormal_returns(
        here.returns, here.factors, estimation=here.estimation, event=here.event, model=model(inputs)
    )


def one_security(inputs: Answer) -> Answer:
    fit = fitted(inputs)
    tests = single_tests(fit)
    named = dict(zip(("alpha", "beta", "beta2"), fit.coefficients[:, 0].tolist(), strict=False))
    aliases = {"beta1": "beta", "beta_2": "beta2", "beta_1": "beta", "gamma": "beta2", "beta_factor2": "beta2"}
    named |= {alias: named[name] for alias, name in aliases.items() if name in named}
    return named | {
        "M": int(fit.sessions[0]),
        "K": len(fit.coefficients),
        "df": int(fit.df[0]),
        "coefficients": fit.coefficients[:, 0].tolist(),
        "s": float(fit.s[0]),
        "AR": fit.ar[:, 0].tolist(),
        "se_AR": fit.se_ar[:, 0].tolist(),
        "t_AR": tests.t_ar[:, 0].tolist(),
        "p_AR": tests.p_ar[:, 0].tolist(),
        "CAR_path": np.cumsum(fit.ar[:, 0]).tolist(),
        "CAR": float(fit.car[0]),
        "se_CAR": float(fit.se_car[0]),
        "t_CAR": float(tests.t_car[0]),
        "p_CAR": float(tests.p_car[0]),
        "BHAR_vs_model": float(fit.bhar[0]),
        "BHAR_vs_benchmark": float(fit.bhar_benchmark[0]),
    }


def quantiles(inputs: Answer) -> Answer:
    fit = fitted(inputs)
    tests = single_tests(fit)
    return {
        "AR": float(fit.ar[0, 0]),
        "count_at_least_as_large": int(tests.sq_count[0, 0]),
        "p_two_sided": float(tests.p_sq[0, 0]),
        "t_p_for_comparison": float(tests.p_ar[0, 0]),
    }


def statistics(found: tuple[Statistic, ...]) -> Answer:
    """Every statistic under the names of the cases; a figure that is not computable is None."""
    by_name = {one.name: one for one in found}
    answer: Answer = {}
    for theirs, ours in NAMES.items():
        if ours in by_name:
            one = by_name[ours]
            answer[theirs] = {"stat": one.value, "p": one.p, "df": one.df, "reason": one.note}
    return answer


def many_securities(inputs: Answer) -> Answer:
    try:
        if isinstance(inputs["estimation"][0], list):
            return staggered(inputs)
        return described(sample(market(inputs), model=model(inputs)))
    except ExchinaError as refusal:
        return refused(str(refusal))


def staggered(inputs: Answer) -> Answer:
    """Each security has its own windows."""
    windows = zip(inputs["securities"], inputs["estimation"], inputs["event"], strict=True)
    samples = [sample(market(inputs | {"securities": [one]}, *rows), model=model(inputs)) for one, *rows in windows]
    return together(pooled(*samples))


def together(here: Sample) -> Answer:
    """Several dates as one sample; its correlation by calendar day, which is right, and by day before the event."""
    rbar = dict.fromkeys(("rbar", "rbar_calendar", "rbar_by_calendar"), here.rbar)
    wrong = dict.fromkeys(("rbar_event_time", "rbar_by_event_time"), mean_correlation(here.rows))
    return described(here) | rbar | wrong


def described(here: Sample) -> Answer:
    everything = statistics(battery(here))
    portfolio = here.portfolio.fit
    enough = here.names > 2 and np.isfinite(here.car).all()
    flips = next(one for one in battery(here) if one.name == "sign_flip")
    return {
        "M": here.sessions.tolist(),
        "n_event_days": np.isfinite(here.ar).sum(axis=0).tolist(),
        "CAR": here.car.tolist(),
        "SCAR": (here.car / here.se_car).tolist(),
        "AAR": np.nanmean(here.ar, axis=1).tolist(),
        "CAAR": float(np.mean(here.car)),
        "median_CAR": float(np.median(here.car)),
        "n_positive": int((here.car > 0).sum()),
        "rbar": here.rbar if here.names > 1 else None,
        "p_hat_positive": share_positive(here),
        "skew_CAR": skewness(here.car) if enough else None,
        "corrado_rank_by_day": corrado_by_day(here).tolist() if enough else None,
        "corrado_zivney_sign_by_day": zivney_by_day(here).tolist() if enough else None,
        "statistics": everything,
        "portfolio": everything,
        "portfolio_CAR": None if portfolio is None else float(portfolio.car[0]),
        "portfolio_se": None if portfolio is None else float(portfolio.se_car[0]),
        "signflip_exact_p_on_SCAR": flips.p,
    } | everything


def refused(reason: str) -> Answer:
    """What a refusal answers to any key: no number."""
    return {"refused": True, "error": reason, "statistics": dict.fromkeys(NAMES), "portfolio": dict.fromkeys(NAMES)}


def several_dates(inputs: Answer) -> Answer:
    """One sample a date, then the dates together; windows are half open, as [first, last) or as {estimation, event}."""
    samples = [sample(market(inputs, *windows), model=model(inputs)) for windows in date_windows(inputs)]
    everyone, dates = pooled(*samples), dated(samples)
    found = statistics(date_battery(dates, everyone))
    flips = sign_flips(dates.t)
    cluster = {"stat": float(dates.t.sum()), "p": flips.p, "smallest_p": flips.smallest_p, "df": None}
    everything = together(everyone)
    by_date = {
        "A": dates.car.tolist(),
        "A_j": dates.car.tolist(),
        "CAR_by_date": dates.car.tolist(),
        "t": dates.t.tolist(),
        "t_j": dates.t.tolist(),
        "t_by_date": dates.t.tolist(),
        "df": dates.df.tolist(),
        "df_j": dates.df.tolist(),
        "wild_cluster_p": flips.p,
        "smallest_p": flips.smallest_p,
        "min_p": flips.smallest_p,
    }
    merged = everything["statistics"] | found | {"wild_cluster": cluster}
    return everything | by_date | merged | {"statistics": merged, "portfolio": merged}


def date_windows(inputs: Answer) -> Iterator[tuple[list[int], list[int]]]:
    events = next(inputs[key] for key in ("event_dates", "events", "dates") if key in inputs)
    for place, event in enumerate(events):
        if isinstance(event, dict):
            yield event["estimation"], event["event"]
        elif isinstance(event, list):
            estimation = inputs["estimation"]
            yield (estimation[place] if isinstance(estimation[0], list) else estimation), event
        else:
            length, gap = inputs.get("estimation_days", 120), inputs.get("gap", 10)
            window = inputs.get("window_length", 1)
            yield [event - gap - length, event - gap], [event, event + window]


def bhar(inputs: Answer) -> Answer:
    found = skewness_adjusted(np.array(inputs["bhar"], float))
    return {
        "mean": found.mean,
        "sd": found.deviation,
        "skew": found.skewness,
        "t": found.plain.value,
        "p_t": found.plain.p,
        "johnson": found.johnson.value,
        "p_johnson": found.johnson.p,
        "hall": found.hall.value,
        "p_hall": found.hall.p,
    }


def clean_window(inputs: Answer) -> Answer:
    """The clean estimation window before a day 0, walking back past other events."""
    day0 = next(inputs[key] for key in ("day0", "day_0", "event_day", "event") if key in inputs)
    others = np.array(next(inputs[key] for key in ("other_events", "near", "other_event_days") if key in inputs))
    count, end = inputs.get("M", inputs.get("count", 120)), inputs.get("last_relative_day", inputs.get("end", -11))
    kept = clean_sessions(near_events(others, others, day0 + 1), day0, count=count, end=end)
    skipped = day0 + end + 1 - int(kept[0]) - kept.size
    span = {"first": int(kept[0]), "last": int(kept[-1]), "span": int(kept[-1] - kept[0] + 1)}
    return {"days": kept.tolist(), "indices": kept.tolist(), "M": kept.size, "skipped": skipped} | span


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
