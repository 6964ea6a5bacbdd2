"""A hand-made basket, series and event study, for the tests of documents. Names are invented."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from exchina.analytics.event_study import EventStudy, StudySettings
from exchina.model import (
    Basket,
    CalculationRule,
    IndexFacts,
    IndexSeries,
    Kind,
    NthWeekday,
    Provenance,
    Review,
    ReviewRule,
    Rule,
    Rulebook,
)

LONG_NAME = "Consolidated Northern Heavy Rare Earth Separation Holdings Ltd"
STAGES = ("producer", "processor", "magnet_maker", "metal_alloy")
COUNTRIES = ("AU", "US", "CA", "JP", "GB", "KR", "BE", "NO")
NAMES = ("Lodestar Minerals", "Granite Pass Materials", "Ilmen Sands", "Aurora Rare Earths", "Kintyre Magnet Works")
NAMES += ("Beacon Separation", "Quartz Hill Resources", "Shiro Magnetics", "Neodyme Alloys", "Tall Pine Metals")
CUTOFF, ANNOUNCED, EFFECTIVE = date(2026, 9, 3), date(2026, 9, 11), date(2026, 9, 18)
EVENTS = (
    (
        "S1",
        date(2023, 12, 21),
        "China bans the export of rare earth extraction and separation technology",
        "china_export_control",
    ),
    (
        "S2",
        date(2025, 4, 4),
        "China puts seven medium and heavy rare earths under export licence",
        "china_export_control",
    ),
    (
        "S3",
        date(2025, 7, 10),
        "US Department of Defense guarantees MP Materials a price floor of USD 110 a kg",
        "western_price_floor",
    ),
    (
        "S4",
        date(2025, 10, 9),
        "China widens controls to foreign goods that hold 0.1% of Chinese rare earths",
        "china_export_control",
    ),
    ("S5", date(2025, 10, 20), "US and Australia sign a critical minerals framework", "alliance"),
    ("S6", date(2026, 1, 14), "US chooses talks over tariffs on processed critical minerals", "us_tariff"),
    ("S7", date(2026, 5, 15), "Truce extended after the Beijing summit", "trade_truce"),
)


def rulebook() -> Rulebook:
    """A rulebook with two screens and two caps."""
    return Rulebook(
        index=IndexFacts(
            id="magnet-chain",
            name="ExChina Policy-Backed Magnet Chain Index",
            version="1.0.0",
            objective="Ex-China mine-to-magnet companies that hold a price floor, an offtake or public capital.",
            currency="USD",
            base_date=date(2022, 12, 16),
            base_value=1000.0,
        ),
        review=ReviewRule(
            months=(3, 6, 9, 12),
            effective_after_close_of=NthWeekday(nth=3, weekday="friday"),
            announced_sessions_before=5,
            data_cutoff_sessions_before=10,
            calendar="XNYS",
        ),
        screens=(
            Rule("screen", "not_domiciled_in", {"countries": ["CN"]}, "Ex-China means the issuer and its control."),
            Rule(
                "screen", "policy_backing", {"any_of": ["loan"]}, "Only support already public at the cut-off counts."
            ),
            Rule("screen", "free_float_market_cap", {"at_least_usd": 50e6}, "Large enough to hold."),
            Rule("screen", "daily_traded_value", {"at_least_usd": 250e3}, "Large enough to trade."),
        ),
        select=Rule("select", "top", {"count": 20}, "The best-backed companies are chosen, not the largest."),
        weight=Rule(
            "weight", "stage_buckets", {"within": "cap"}, "Fixed stage shares keep miners from crowding out magnets."
        ),
        caps=(
            Rule("cap", "issuer", {"at_most": 0.12}, "No single company decides the outcome."),
            Rule("cap", "policy_sponsor", {"at_most": 0.45}, "One cancelled programme must not halve the index."),
        ),
        if_infeasible=(),
        calculation=CalculationRule(family="fixed_weight"),
        text="",
        content_hash="b" * 64,
    )


def provenance(kind: Kind = "simulated") -> Provenance:
    """Of simulated or of vendor prices."""
    source = "Prices simulated from a fixed seed" if kind == "simulated" else "End-of-day closes from a vendor"
    return Provenance(
        market="sample",
        kind=kind,
        source=source,
        retrieved_at="2026-09-15T22:00:00Z",
        content_hash="c0ffee" * 10 + "c0ff",
        through=date(2026, 9, 15),
        assumptions=("Shares between two reports stay as last reported", "Float of unreported lines is 0.6"),
    )


def members(count: int = 20) -> pl.DataFrame:
    """Members of falling weight; the last one is new, and the fourth has a name of 62 characters."""
    weights = np.linspace(1.9, 0.25, count)
    weights = weights / weights.sum()
    previous = weights[::-1] * 0.3 + weights * 0.7
    previous[-1] = 0.0
    score = np.linspace(0.95, 0.0, count).round(4)
    return pl.DataFrame(
        {
            "company_id": [f"company-{n:02}" for n in range(count)],
            "symbol": [f"{NAMES[n % 10][:3].upper()}{n}.AX" for n in range(count)],
            "name": [LONG_NAME if n == 3 else f"{NAMES[n % 10]}{' II' if n >= 10 else ''}" for n in range(count)],
            "country": [COUNTRIES[n * n % 7 + n % 2] for n in range(count)],
            "mic": ["XASX"] * count,
            "currency": ["AUD"] * count,
            "stage": [STAGES[n % 4] for n in range(count)],
            "weight": weights,
            "uncapped_weight": weights * 1.01,
            "policy_score": score,
            "floor_part": [0.5 if n < 3 else 0.0 for n in range(count)],
            "offtake_part": [0.2 if n % 3 == 0 else 0.0 for n in range(count)],
            "capital_part": [0.3 if n % 2 == 0 else 0.0 for n in range(count)],
            "close": [1.0 / (n + 3) for n in range(count)],
            "price_date": [CUTOFF] * count,
            "free_float_market_cap_usd": [1e9 / (n + 1) for n in range(count)],
            "previous_weight": previous / previous.sum() * 0.93,
        }
    )


def basket(count: int = 20, kind: Kind = "simulated") -> Basket:
    """A composition with one addition and two deletions, one of them without a verdict."""
    leavers = pl.DataFrame(
        {
            "company_id": ["gone-metals", "lost-magnets"],
            "symbol": ["GON.AX", "LOS.TO"],
            "name": ["Gone Metals", "Lost Magnets & Sons <Pty>"],
            "previous_weight": [0.05, 0.02],
        }
    )
    verdicts = pl.DataFrame(
        {
            "company_id": ["gone-metals"] * 3,
            "kind": ["screen"] * 3,
            "rule": ["not_domiciled_in", "free_float_market_cap", "daily_traded_value"],
            "passed": [True, False, False],
            "found": ["AU", "USD 31.2m", "USD 0.1m"],
            "needed": ["not CN", "at least USD 35.0m", "at least USD 0.25m"],
            "margin": [None, -0.1, -0.6],
            "note": [None, None, None],
        },
        schema_overrides={"note": pl.String},
    )
    weak = pl.DataFrame(
        {
            "file": ["stages.csv"] * 3,
            "row": [4, 9, 17],
            "company_id": ["company-01", "company-01", "company-02"],
            "confidence": ["low", "memory", "memory"],
            "what": ["stage", "stage", "stage"],
        }
    )
    return Basket(
        book=rulebook(),
        review=Review(effective=EFFECTIVE, announced=ANNOUNCED, cutoff=CUTOFF),
        members=members(count),
        leavers=leavers,
        verdicts=verdicts,
        steps=("Stage buckets were widened by 2 points, because 30% of magnet makers cannot be held under 12% each",),
        held=False,
        turnover=0.1234,
        weak_facts=weak,
        provenance=provenance(kind),
    )


def levels(sessions: int = 968, drift: float = 0.0006) -> pl.DataFrame:
    """Levels of weekdays up to 15 September 2026, from a fixed seed."""
    end = date(2026, 9, 15)
    days = [end - timedelta(days=n) for n in range(sessions * 2)]
    weekdays = sorted([day for day in days if day.weekday() < 5][:sessions])
    steps = np.random.default_rng(7).normal(drift, 0.014, sessions)
    steps[0] = 0.0
    return pl.DataFrame({"session": weekdays, "variant": "PR", "level": 1000.0 * np.exp(np.cumsum(steps))})


def falling() -> pl.DataFrame:
    """Levels that fall in every session."""
    table = levels(600)
    return table.with_columns(level=pl.Series(1000.0 * 0.9995 ** np.arange(table.height)))


def series(table: pl.DataFrame | None = None, kind: Kind = "simulated") -> IndexSeries:
    """A series with one basket."""
    return IndexSeries(
        book=rulebook(),
        levels=levels() if table is None else table,
        points=pl.DataFrame(),
        divisor=pl.DataFrame(),
        statuses=pl.DataFrame(),
        shares=pl.DataFrame(),
        turnover=pl.DataFrame(),
        baskets=(basket(kind=kind),),
        provenance=provenance(kind),
    )


def study(kind: Kind = "simulated") -> EventStudy:
    """Seven events of which one could not be measured."""
    moves = [0.021, 0.064, 0.118, None, 0.082, -0.037, -0.0004]
    names = [9, 14, 15, 0, 18, 19, 20]
    events = pl.DataFrame(
        [(*event, "studied", None, event[0]) for event in EVENTS]
        + [("S8", date(2026, 8, 1), "Left out", "alliance", "left_out", "", None)],
        schema=["event_id", "event_date", "title", "kind", "status", "note", "compound_id"],
        orient="row",
    )
    table = (
        events.filter(status="studied")
        .select("event_id", "event_date", "title", "kind")
        .with_columns(
            group=pl.lit("index"),
            names=pl.Series(names),
            window=pl.lit("[0,+1]"),
            measure=pl.lit("[0,+1]"),
            car=pl.Series(moves),
            note=pl.lit(""),
        )
    )
    none = pl.DataFrame()
    return EventStudy(
        events=events,
        table=table,
        **dict.fromkeys(
            ("classes", "contrasts", "statistics", "class_statistics", "betas", "paths", "securities"), none
        ),
        family_size=0,
        ledger_hash="0" * 64,
        settings=StudySettings(),
        provenance=provenance(kind),
    )
