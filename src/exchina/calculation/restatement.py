"""PURE. What a correction of the past changes, and what the restatement policy of the rulebook makes of it."""

import polars as pl

from exchina.model import CalculationRule

NOISE_BP = 1e-9


def restatement(
    old: pl.DataFrame, new: pl.DataFrame, rule: CalculationRule, *, members_changed: bool = False
) -> pl.DataFrame:
    """Compare the levels as they were computed with what they would be today.

    difference_bp = (new / old - 1) x 10,000. Below ``correct_from_bp``: ``prospective``, nothing is published anew.
    Up to ``restate_from_bp``: ``corrected`` from the next session on, with notice. Above, and always where membership
    changes: ``restated``, the old value stays as superseded; but an error older than ``restate_within_sessions``
    sessions is ``corrected``.

    Args:
        old: session, variant, level as published.
        new: the same from today's data, up to today.
        rule: the thresholds.
        members_changed: whether a review would have chosen other members.

    Returns:
        session, variant, old_level, new_level, difference_bp, decision, old_status (``published`` or ``superseded``),
        new_status (``corrected`` where it takes the old one's place); only sessions that differ, in order.
    """
    both = old.select("session", "variant", old_level="level").join(
        new.select("session", "variant", new_level="level"), on=["session", "variant"], maintain_order="left"
    )
    sessions = new["session"].unique().sort()
    age = len(sessions) - 1 - sessions.search_sorted(both["session"]).cast(pl.Int64)
    size = pl.col("difference_bp").abs()
    restated = (size > rule.restate_from_bp) | members_changed
    if rule.restate_within_sessions is not None:
        restated &= pl.lit(age <= rule.restate_within_sessions)
    decision = (
        pl.when(restated)
        .then(pl.lit("restated"))
        .when((size >= rule.correct_from_bp) | members_changed)
        .then(pl.lit("corrected"))
        .otherwise(pl.lit("prospective"))
    )
    found = (
        both.with_columns(difference_bp=(pl.col("new_level") / pl.col("old_level") - 1) * 10_000)
        .with_columns(decision=decision)
        .filter(pl.col("difference_bp").abs() > NOISE_BP)
    )
    taken = pl.col("decision") == "restated"
    return found.with_columns(
        old_status=pl.when(taken).then(pl.lit("superseded")).otherwise(pl.lit("published")),
        new_status=pl.when(taken).then(pl.lit("corrected")),
    )
