"""What every rule must do, whichever file it stands in; a new rule is tested by standing in its folder."""

import doctest
import sys

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from exchina.rules.registers import REGISTERS
from exchina.rules.verdict import COLUMNS
from tests.every.universe import settings_for, universe

RULES = [(kind, name) for kind, register in REGISTERS.items() for name in register.all()]
KEY = ["review", "company_id"]


def applied(kind: str, name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The rule's answer beside the key of each row; settings that share out weight get equal shares."""
    plugin = REGISTERS[kind][name]
    settings = settings_for(plugin)
    if name == "stage_buckets":
        settings |= {"producer": 0.5, "magnet_maker": 0.5}
    answer = plugin(rows, **settings)
    table = answer.to_frame("answer") if isinstance(answer, pl.Series) else answer
    return pl.concat([rows.select(KEY), table], how="horizontal")


@pytest.mark.parametrize(("kind", "name"), RULES)
class TestEveryRule:
    def test_row_order_does_not_matter(self, kind: str, name: str) -> None:
        rows = universe(3, 20, seed=1)
        mixed = applied(kind, name, rows.sample(fraction=1, shuffle=True, seed=2)).sort(KEY)
        assert_frame_equal(mixed, applied(kind, name, rows).sort(KEY), abs_tol=1e-12)

    def test_one_review_at_a_time_is_all_at_once(self, kind: str, name: str) -> None:
        rows = universe(3, 20, seed=3)
        apart = pl.concat(applied(kind, name, part) for part in rows.partition_by("review"))
        assert_frame_equal(apart, applied(kind, name, rows), abs_tol=1e-12)

    def test_one_answer_a_row(self, kind: str, name: str) -> None:
        assert applied(kind, name, universe(2, 15, seed=4)).height == 30

    def test_has_an_example_that_runs(self, kind: str, name: str) -> None:
        plugin = REGISTERS[kind][name]
        examples = doctest.DocTestFinder().find(plugin, name, sys.modules[plugin.__module__])
        assert any(one.examples for one in examples)

    def test_documents_every_setting(self, kind: str, name: str) -> None:
        plugin = REGISTERS[kind][name]
        assert plugin.__doc__
        for setting in settings_for(plugin):
            assert f"{setting}:" in plugin.__doc__


@pytest.mark.parametrize("name", REGISTERS["weight"].all())
def test_weights_are_shares_of_each_review(name: str) -> None:
    weights = applied("weight", name, universe(4, 25, seed=5))
    assert (weights["answer"] >= 0).all()
    assert weights["answer"].is_finite().all()
    assert weights.group_by("review").agg(pl.col("answer").sum())["answer"].to_list() == pytest.approx(
        [1] * 4, abs=1e-12
    )


@pytest.mark.parametrize(("kind", "name"), [rule for rule in RULES if rule[0] in ("screen", "select")])
def test_verdicts_say_what_was_found_and_needed(kind: str, name: str) -> None:
    verdicts = applied(kind, name, universe(2, 15, seed=6))
    assert verdicts.columns == [*KEY, *COLUMNS]
    assert verdicts.select("passed", "found", "needed").null_count().row(0) == (0, 0, 0)


@pytest.mark.parametrize("name", REGISTERS["cap"].all())
def test_bounds_are_not_negative(name: str) -> None:
    bounds = applied("cap", name, universe(2, 15, seed=7))
    assert (bounds["at_most"] >= 0).all()
    assert bounds["group"].null_count() == 0


def test_a_member_within_the_buffer_stays_however_wide_it_is() -> None:
    rows = universe(1, 12, seed=8).with_columns(
        policy_score=-pl.int_range(12).cast(pl.Float64), is_member=pl.lit(False)
    )
    rows = rows.with_columns(is_member=pl.int_range(12).is_in([8, 11]))
    passed = REGISTERS["select"]["top"](rows, by="policy_score", count=2, keep_until_rank=10)["passed"]
    assert passed.arg_true().to_list() == [0, 8]
