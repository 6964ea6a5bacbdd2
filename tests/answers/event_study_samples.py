"""Event-study cases on several securities: one date, a date each, or several dates of them all."""

from typing import Any

import numpy as np

from exchina.analytics.significance import Sample, Statistic, battery, date_battery, dated, pooled, sample
from exchina.analytics.significance.correlation import mean_correlation
from exchina.analytics.significance.cross_section import skewness
from exchina.analytics.significance.flips import sign_flips
from exchina.analytics.significance.ranks import corrado_by_day
from exchina.analytics.significance.signs import share_positive, zivney_by_day
from exchina.errors import ExchinaError
from tests.answers.compare import Either
from tests.answers.event_study_windows import SECURITIES, markets, model, spans
from tests.answers.given import Given, given

Answer = dict[str, Any]
NAMES = {
    "cross_section": ("csect_t", "cross_section_t", "csect"),
    "skewness_johnson": ("skew_johnson",),
    "skewness_hall": ("skew_hall",),
    "patell": ("patell_z", "patell"),
    "patell_daily": ("patell_z_sumSAR",),
    "bmp": ("bmp_t", "bmp"),
    "kp_patell": ("kp_patell", "kp_patell_z"),
    "kp_bmp": ("kp_bmp", "kp_bmp_t"),
    "generalised_sign": ("cowan_gsign", "gsign"),
    "sign": ("sign_z",),
    "sign_exact": ("sign_binom_exact",),
    "wilcoxon": ("wilcoxon_Wplus", "wilcoxon"),
    "corrado_rank": ("corrado_rank", "corrado"),
    "corrado_zivney_rank": ("corrado_zivney_rank", "corrado_zivney"),
    "corrado_zivney_sign": ("corrado_zivney_sign",),
    "grank_t": ("grank_t",),
    "grank_z": ("grank_z",),
    "crude_dependence": ("bw_crude_dependence", "crude_dependence", "bw"),
    "portfolio_regression": ("portfolio_reg", "portfolio_regression"),
    "placebo": ("placebo_rolling", "placebo"),
    "sign_flip": ("signflip_firm", "sign_flip", "signflip"),
    "date_mean": ("date_mean_t", "date_mean", "mean_t", "t_mean"),
    "date_bmp": ("date_bmp_t", "date_bmp", "bmp_dates", "date_level_bmp"),
    "jaffe": ("jaffe", "jaffe_z"),
    "pooled_kp_bmp": ("pooled_kp_bmp", "pooled_kp_bmp_t", "kp_bmp_pooled", "pooled_kp"),
    "wild_cluster": ("wild_cluster", "wild_cluster_signflip", "wild_cluster_t", "signflip_dates", "date_signflip"),
}
EXACT = ("_p", "_exact", "_exact_p", "_p_exact", "_signflip_p", "_signflip_exact_p")


def statistics(found: tuple[Statistic, ...]) -> Answer:
    """Every statistic under the names of the cases; a figure that is not computable is None."""
    answer: Answer = {}
    for one in found:
        figures = {"stat": one.value, "p": one.p, "df": one.df, "reason": one.note, "t": one.value, "z": one.value}
        for theirs in NAMES.get(one.name, ()):
            answer |= {theirs: figures, f"{theirs}_p": one.p, f"p_{theirs}": one.p}
    return answer


def many_securities(inputs: Given) -> Answer:
    """All on one date, or each with windows of its own."""
    try:
        if len(spans(inputs)) > 1:
            return together(pooled(*(sample(one, model=model(inputs)) for one in markets(inputs, each=True))))
        return described(sample(*markets(inputs), model=model(inputs)))
    except ExchinaError as refusal:
        return refused(str(refusal))


def together(here: Sample) -> Answer:
    """Several dates as one sample; its correlation by calendar day, which is right, and by day before the event."""
    right, wrong = here.rbar, mean_correlation(here.rows)
    ends = ("calendar", "calendar_time", "calendar_day", "calendar_days", "calendar_date", "calendar_dates")
    mistaken = ("event_time", "event_day", "event_days", "relative_day", "relative_days", "position", "row")
    named = {f"rbar{by}{end}": right for end in ends for by in ("_", "_by_", "_on_", "_in_", "_common_")}
    named |= {f"rbar{by}{end}": wrong for end in mistaken for by in ("_", "_by_", "_on_", "_in_", "_if_", "_if_by_")}
    both = {
        "rbar": Either(right, {"calendar": right, "by_calendar": right, "event_time": wrong, "by_event_time": wrong})
    }
    return described(here) | named | both | {"rbar_pooled": right, "pooled_rbar": right}


def described(here: Sample) -> Answer:
    everything = statistics(battery(here))
    portfolio = here.portfolio.fit
    enough = here.names > 2 and np.isfinite(here.car).all()
    flips = everything["signflip_firm"]["p"]
    return everything | {
        "N": here.names,
        "M": same(here.sessions.tolist()),
        "df": same(here.df.tolist()),
        "n_event_days": same(np.isfinite(here.ar).sum(axis=0).tolist()),
        "CAR": here.car.tolist(),
        "se_CAR": here.se_car.tolist(),
        "s": here.s.tolist(),
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
        **dict.fromkeys(("signflip_exact_p_on_SCAR", "signflip_exact_p", "signflip_p"), flips),
        "refused": everything["kp_bmp"]["stat"] is None,
    }


def same(values: list[Any]) -> Any:
    """Figures that may be asked for one by one or, where they are all the same, as one."""
    return Either(values, values[0]) if values and values.count(values[0]) == len(values) else values


def refused(reason: str) -> Answer:
    """What a refusal answers to any key: no number."""
    nothing = {theirs: None for spellings in NAMES.values() for theirs in spellings}
    nothing |= dict.fromkeys(("CAR", "SCAR", "AAR", "s", "se_CAR", "t_CAR", "p_CAR", "AR", "alpha", "beta"))
    words = dict.fromkeys(("error", "reason", "message"), reason)
    return nothing | {"refused": True, **words, "statistics": nothing, "portfolio": nothing, "rbar": None, "CAAR": None}


def several_dates(inputs: Given) -> Answer:
    """One sample a date, then the dates together."""
    given(inputs, *SECURITIES)
    try:
        samples = [sample(one, model=model(inputs)) for one in markets(inputs)]
    except ExchinaError as refusal:
        return refused(str(refusal))
    everyone, dates = pooled(*samples), dated(samples)
    found, flips = statistics(date_battery(dates, everyone)), sign_flips(dates.t, seed=0)
    total = float(dates.t.sum())
    cluster = {"stat": Either(total, total / max(dates.t.size, 1), abs(total)), "smallest_p": flips.smallest_p}
    cluster |= {"min_p": flips.smallest_p, "flat": Either(flips.p, total)}
    everything = together(everyone)
    for name in NAMES["wild_cluster"]:
        found[name] |= cluster
        found |= {f"{name}{end}": flips.p for end in EXACT}
    found |= {"pooled_csect_t": everything["csect_t"], "pooled_bmp_t": everything["bmp_t"]}
    date_names = ("", "_j", "_by_date", "_date", "_dates", "_per_date")
    by_date = {f"{name}{end}": dates.car.tolist() for name in ("A", "CAR", "AAR", "CAAR") for end in date_names}
    by_date |= {f"{name}{end}": dates.t.tolist() for name in ("t", "portfolio_t", "t_CAR") for end in date_names}
    by_date |= {f"df{end}": same(dates.df.tolist()) for end in date_names}
    by_date["CAAR"] = Either(everything["CAAR"], dates.car.tolist())
    by_date["CAR"] = Either(everything["CAR"], dates.car.tolist())
    smallest = ("smallest_p", "min_p", "smallest_possible_p", "smallest_two_sided_p", "min_possible_p", "p_min")
    by_date |= dict.fromkeys(smallest, flips.smallest_p)
    by_date |= {"J": dates.t.size, "n_dates": dates.t.size, "N": Either(everyone.names, samples[0].names)}
    by_date |= {"refused": found["date_bmp_t"]["stat"] is None}
    merged = everything["statistics"] | found
    groups = dict.fromkeys(("statistics", "portfolio", "dates", "date_level", "tests", "pooled"), merged)
    return everything | by_date | merged | groups
