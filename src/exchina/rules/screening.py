"""The verdicts of the screens, and the persistence that a rulebook may ask of them."""

import polars as pl

from exchina.model import Rule
from exchina.rules.registers import REGISTERS
from exchina.rules.verdict import verdict

PRICED = Rule("screen", "priced", {}, "A company without a recent price cannot be held.")


def labelled(rows: pl.DataFrame, verdicts: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """Verdicts with the review, the company and the rule in front."""
    named = rows.select("review", "company_id", kind=pl.lit(rule.kind), rule=pl.lit(rule.name), why=pl.lit(rule.why))
    return pl.concat([named, verdicts], how="horizontal")


def screened(screens: tuple[Rule, ...], universe: pl.DataFrame) -> pl.DataFrame:
    """The verdict of every screen on every company of every review, after that on its price.

    Args:
        screens: of the rulebook.
        universe: `exchina.universe.universe_on` with columns review and is_member.
    """
    judged = [labelled(universe, priced(universe), PRICED)]
    judged += [labelled(universe, REGISTERS["screen"][rule.name](universe, **rule.settings), rule) for rule in screens]
    return pl.concat(judged)


def priced(universe: pl.DataFrame) -> pl.DataFrame:
    """The verdict on whether a company has a recent price."""
    there = pl.col("close").is_not_null()
    return verdict(universe, there, found=pl.format("close of {}", "price_date"), needed="a recent close")


def persistent(
    screens: tuple[Rule, ...], verdicts: pl.DataFrame, looks: tuple[pl.DataFrame, ...], members: set[str]
) -> pl.DataFrame:
    """The verdicts of one review after ``passes_to_enter`` and ``fails_to_leave`` of each screen.

    A newcomer passes a screen only if it passed it at this and the n - 1 looks before; a look at which it was not in
    the universe is none passed. A member fails it only if it failed it at this and the m - 1 looks before. Where the
    index has fewer looks behind it, those there are count. A verdict so changed says it in its note.

    Args:
        screens: of the rulebook.
        verdicts: of one review, as the screens gave them.
        looks: verdicts of the earlier reviews of the calendar that chose members, oldest first, as the screens gave
            them, with is_member; what an event called is no look. Fails count from a company's time as a member.
        members: companies held.
    """
    for rule in screens:
        if rule.passes_to_enter > 1 or rule.fails_to_leave > 1:
            verdicts = _persistent(rule, verdicts, looks, members)
    return verdicts


def _persistent(rule: Rule, verdicts: pl.DataFrame, looks: tuple[pl.DataFrame, ...], members: set[str]) -> pl.DataFrame:
    enter, leave = rule.passes_to_enter - 1, rule.fails_to_leave - 1
    needed_passes, needed_fails = min(enter, len(looks)), min(leave, len(looks))
    passes, fails = _count(rule, looks, enter, passed=True), _count(rule, looks, leave, passed=False)
    both = verdicts.join(passes, on="company_id", how="left", maintain_order="left")
    both = both.join(fails, on="company_id", how="left", maintain_order="left")
    here, member = pl.col("rule") == rule.name, pl.col("company_id").is_in(list(members))
    too_soon = here & ~member & pl.col("passed") & (pl.col("passes").fill_null(0) < needed_passes)
    spared = here & member & ~pl.col("passed") & (pl.col("fails").fill_null(0) < needed_fails)
    waits = pl.format(
        "passes now and at {} of the {} reviews before; a newcomer must pass {} in a row",
        pl.col("passes").fill_null(0),
        pl.lit(needed_passes),
        pl.lit(rule.passes_to_enter),
    )
    stays = pl.format(
        "fails now and at {} of the {} reviews before; a member leaves after {} in a row",
        pl.col("fails").fill_null(0),
        pl.lit(needed_fails),
        pl.lit(rule.fails_to_leave),
    )
    said = pl.when(too_soon).then(waits).when(spared).then(stays)
    note = pl.concat_str("note", said, separator="; ", ignore_nulls=True)
    return both.with_columns(
        passed=(pl.col("passed") & ~too_soon) | spared, note=pl.when(said.is_not_null()).then(note).otherwise("note")
    ).select(verdicts.columns)


def _count(rule: Rule, looks: tuple[pl.DataFrame, ...], back: int, *, passed: bool) -> pl.DataFrame:
    """How often each company passed (failed) a screen at the last looks."""
    name = "passes" if passed else "fails"
    if not looks or not back:
        return pl.DataFrame(schema={"company_id": pl.String, name: pl.UInt32})
    rows = pl.concat(looks[-back:]).filter((pl.col("rule") == rule.name) & (pl.col("passed") == passed))
    there = rows if passed else rows.filter("is_member")
    return there.group_by("company_id", maintain_order=True).agg(pl.len().cast(pl.UInt32).alias(name))
