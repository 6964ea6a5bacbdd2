"""No rule and no rulebook sees past its data cut-off, and the order of rows and columns of no input file matters."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from exchina import history, levels, workflow
from exchina.analytics.look_ahead import LookAhead, look_ahead
from exchina.inputs import index_sessions
from exchina.market import Delivery
from exchina.market.store import load, save
from exchina.market.view import MarketView, whole_view
from exchina.model import Basket, MarketData, Reference, Rulebook
from exchina.reference import read_reference
from exchina.rules.registers import REGISTERS
from exchina.tables.market import CONTRACTS
from exchina.universe import universe_on
from tests.conftest import FETCHED
from tests.every.universe import settings_for

CUT = date(2026, 5, 4)
UNTIL = date(2026, 9, 30)
BASE = date(2025, 3, 21)
SEEDS = (1, 2, 3)
BOOKS = sorted(path.parent.name for path in (Path(__file__).parents[1] / "indices").glob("*/rulebook.toml"))


def another_future(view: MarketView, seed: int) -> MarketView:
    """The same past with another future: prices, volumes, shares, rates, membership, stages, facts and policy."""
    rng = np.random.default_rng(seed)
    market = MarketData(**{name: _noisy(name, getattr(view.market, name), rng) for name in CONTRACTS})
    return whole_view(market, _other_facts(view.reference, rng), view.provenance)


def _noisy(name: str, table: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Numbers known later are other numbers, some rows are gone, and some known ones are revised later."""
    if name == "sessions":
        return table
    later = pl.col("known_date") > CUT
    numbers = [
        c for c, kind in table.schema.items() if kind == pl.Float64 and c not in ("free_float_factor", "franked")
    ]
    noise, kept = pl.Series(np.exp(rng.normal(0, 0.5, table.height))), pl.Series(rng.random(table.height) < 0.98)
    future = table.with_columns(pl.when(later).then(pl.col(c) * noise).otherwise(pl.col(c)) for c in numbers)
    gone = (name in ("prices", "shares", "floats")) & later & ~kept
    revised = table.filter(~later).sample(fraction=0.02, seed=int(rng.integers(1000)))
    again = revised.with_columns(*(pl.col(c) * 1.7 for c in numbers), known_date=pl.lit(CUT + timedelta(days=90)))
    return pl.concat([future.filter(~gone), again])


def _other_facts(reference: Reference, rng: np.random.Generator) -> Reference:
    def some(table: pl.DataFrame, later: pl.Expr) -> pl.DataFrame:
        return table.filter(~later | pl.Series(rng.random(table.height) < 0.5))

    measures = reference.policy_measures
    after = pl.col("known_date") > CUT
    future = measures.with_columns(
        status=pl.when(after & pl.Series(rng.random(measures.height) < 0.5))
        .then(pl.lit("expired"))
        .otherwise("status"),
        amount_value=pl.when(after).then(pl.col("amount_value") * 3).otherwise("amount_value"),
    )
    gained = measures.filter(~after).sample(15, seed=int(rng.integers(1000)))
    gained = gained.with_columns(known_date=pl.lit(CUT + timedelta(days=1)), status=pl.lit("drawn"))
    listings = reference.listings.with_columns(
        last_trade_date=pl.when(pl.col("last_trade_date") > CUT).then(None).otherwise("last_trade_date")
    )
    return replace(
        reference,
        policy_measures=pl.concat([future, gained]),
        stages=some(reference.stages, pl.col("valid_from") > CUT),
        exposures=some(reference.exposures, after),
        listings=some(listings, pl.col("first_trade_date").fill_null(date.min) > CUT),
        corporate_actions=some(reference.corporate_actions, pl.col("effective_date").fill_null(date.min) > CUT),
        china_links=some(reference.china_links, after),
    )


@pytest.fixture(scope="module")
def futures(sample: MarketView) -> list[MarketView]:
    return [another_future(sample, seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def universes(sample: MarketView, futures: list[MarketView]) -> list[pl.DataFrame]:
    """The universe of days before and after the cut, in the market as it is and with each future."""
    wanted = [CUT - timedelta(days=200), CUT, CUT + timedelta(days=90)]
    tables: list[pl.DataFrame] = []
    for view in (sample, *futures):
        cuts = [(day, view.as_of(day)) for day in wanted]
        rows = [universe_on(cut.market, cut.reference, day).with_columns(review=pl.lit(day)) for day, cut in cuts]
        tables.append(pl.concat(rows).with_columns(is_member=pl.col("company_id").hash(7) % 2 == 0))
    return tables


def answers(kind: str, name: str, plugin: Callable[..., pl.DataFrame | pl.Series], table: pl.DataFrame) -> pl.DataFrame:
    """What a rule says of every review, before and after the cut."""
    priced = table.filter(pl.col("free_float_market_cap_usd") > 0, pl.col("stage").is_not_null())
    rows = table if kind == "screen" else priced
    answer = plugin(rows, **settings_for(REGISTERS[kind][name]))
    said = answer.to_frame("answer") if isinstance(answer, pl.Series) else answer
    return pl.concat([rows.select("review", "company_id"), said], how="horizontal")


def watched(universes: list[pl.DataFrame], *rule: Any) -> LookAhead:
    """Whether a rule (kind, name, function) says the same up to the cut whatever comes later."""
    known, *futures = universes
    return look_ahead(lambda table: {"said": answers(*rule, table)}, known, futures, decided="review", until=CUT)


RULES = [(kind, name) for kind, register in REGISTERS.items() if kind != "turnover" for name in register.all()]


@pytest.mark.parametrize(("kind", "name"), RULES)
def test_no_rule_sees_the_future(universes: list[pl.DataFrame], kind: str, name: str) -> None:
    found = watched(universes, kind, name, REGISTERS[kind][name])
    assert found.verdict == "no leak found", found.changed


def leaky(universe: pl.DataFrame, **_: object) -> pl.DataFrame:
    """A screen that knows what a company will be worth: its value against the mean of all reviews, later ones too."""
    value = pl.col("free_float_market_cap_usd")
    return universe.select(passed=value > value.mean().over("company_id"), found=pl.lit(""), needed=pl.lit(""))


def test_a_leaky_rule_is_caught(universes: list[pl.DataFrame]) -> None:
    assert watched(universes, "screen", "free_float_market_cap", leaky).verdict == "leak"


def recent(book: Rulebook, view: MarketView) -> Rulebook:
    """The rulebook from a late base date on, so that a test need not compose twelve years."""
    base = max(day for day in index_sessions(book, view) if day <= max(BASE, book.index.base_date))
    return replace(book, index=replace(book.index, base_date=base))


def made_of(book: Rulebook, view: MarketView) -> list[Basket]:
    return history.composed(book, view, history.reviews_until(book, view, UNTIL))


@pytest.mark.parametrize("name", BOOKS)
def test_no_rulebook_sees_the_future(desk, sample, futures, name: str) -> None:
    """Weights, scores, verdicts and levels up to the cut are bit-identical whatever comes later."""
    book = recent(workflow.read_rulebook(desk.rulebook(name)), sample)
    there = made_of(book, sample)
    before = [basket for basket in there if basket.review.cutoff <= CUT]
    assert 2 < len(before) < len(there)
    expected = level_table(book, sample, before)
    for view in futures:
        here = made_of(book, view)[: len(before)]
        for one, other in zip(before, here, strict=True):
            assert one.review == other.review
            for table in ("members", "verdicts", "leavers", "reserve", "checks"):
                assert_frame_equal(getattr(one, table), getattr(other, table), check_exact=True)
            assert one.steps == other.steps
        assert_frame_equal(expected, level_table(book, view, here), check_exact=True)


def level_table(book: Rulebook, view: MarketView, made: list[Basket]) -> pl.DataFrame:
    known = [basket for basket in made if basket.review.effective <= CUT]
    return levels.series_of(book, view.as_of(CUT), known).levels


def test_the_futures_do_differ_later(universes: list[pl.DataFrame]) -> None:
    now, *others = [table.filter(pl.col("review") > CUT) for table in universes]
    for other in others:
        assert not now.equals(other)


@pytest.fixture(scope="module")
def shuffled(desk, sample: MarketView, tmp_path_factory: pytest.TempPathFactory) -> MarketView:
    """The same facts and prices, from files whose rows and columns stand in another order."""
    rng, folder = np.random.default_rng(5), tmp_path_factory.mktemp("shuffled")
    for path in desk.reference.glob("*.csv"):
        table = pl.read_csv(path, infer_schema=False)
        columns = [table.columns[at] for at in rng.permutation(table.width)]
        table.select(columns).sample(fraction=1, shuffle=True, seed=3).write_csv(folder / path.name)
    market, source = sample.market, sample.provenance
    tables = {one.name: getattr(market, one.name).sample(fraction=1, shuffle=True, seed=4) for one in fields(market)}
    delivery = Delivery(source.kind, source.source, tables, source.assumptions)
    save(folder / "store", "sample", delivery, recorded_at=FETCHED)
    return whole_view(load(folder / "store", "sample")[0], read_reference(folder), source)


@pytest.mark.parametrize("name", BOOKS)
def test_order_of_rows_and_columns_does_not_matter(desk, sample, shuffled, name: str) -> None:
    book = recent(workflow.read_rulebook(desk.rulebook(name)), sample)
    one, again = (workflow.propose(book, view.as_of(date(2026, 9, 10))) for view in (sample, shuffled))
    for table in ("members", "verdicts", "leavers", "checks"):
        assert_frame_equal(getattr(one, table), getattr(again, table), check_exact=True)
