"""Dependence on China: domicile, ownership, operations and revenue, each tested apart."""

from typing import Annotated, NamedTuple

import polars as pl
from pydantic import Field

from exchina.rules.registers import screen
from exchina.rules.verdict import Share, Unknown, percent, verdict
from exchina.tables.reference_words import LEVELS, Aspect, Level

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class _Test(NamedTuple):
    """One aspect: whether it passes (null: unknown), what was found and needed, and the distance to a limit."""

    aspect: Aspect
    passed: pl.Expr
    found: pl.Expr
    needed: pl.Expr
    margin: pl.Expr | None = None


def _something_asked(**settings: object) -> str | None:
    """At least one aspect is tested, and none more strictly for members."""
    bars = [(name, bar, settings[f"members_{name}"]) for name, bar in settings.items() if f"members_{name}" in settings]
    if not settings["domicile"] and all(bar is None for _, bar, _ in bars):
        return "give at least one of domicile, ownership_at_most, operations_at_most, revenue_at_most"
    for name, bar, member in bars:
        if member is not None and bar is None:
            return f"members_{name} goes with {name}"
        if member is not None and _rank(member) < _rank(bar):
            return f"members may have {name} {member}, newcomers {bar}: members would be judged more strictly"
    return None


def _rank(bar: object) -> float:
    return float(LEVELS.index(bar)) if bar in LEVELS else float(str(bar))


@screen("china_dependence", check=_something_asked)
def china_dependence(
    universe: pl.DataFrame,
    *,
    domicile: bool | list[Country] = False,
    ownership_at_most: Share | None = None,
    members_ownership_at_most: Share | None = None,
    operations_at_most: Level | None = None,
    members_operations_at_most: Level | None = None,
    revenue_at_most: Share | None = None,
    members_revenue_at_most: Share | None = None,
    unknown: Unknown | dict[Aspect, Unknown] = "pass_and_flag",
) -> pl.DataFrame:
    """Keep companies that depend little on China; each aspect asked for must pass, and the verdict names what decides.

    Args:
        universe: reads china_domicile, country, china_ownership_share, china_ownership_holder, china_operations (none,
            minor, material), china_revenue_share, the evidence of each (china_ownership_evidence ...) and is_member.
            Null is unknown.
        domicile: true leaves out Chinese issuers, a list those incorporated in the named countries as well.
        ownership_at_most: largest share of the company in Chinese hands, as a fraction.
        members_ownership_at_most: the same to stay; the one to enter where not given.
        operations_at_most: the highest level of operations in China.
        members_operations_at_most: the same to stay.
        revenue_at_most: largest share of revenue earned in China, as a fraction.
        members_revenue_at_most: the same to stay.
        unknown: what an aspect that nobody published means, for all or for each (``{ ownership = "fail" }``; those not
            named pass); ``pass_and_flag`` writes a note that travels into print.

    Example:
        >>> table = pl.DataFrame({"china_revenue_share": [0.5, 0.1, None], "is_member": [False] * 3})
        >>> table = table.with_columns(china_revenue_evidence=pl.lit("annual report"))
        >>> china_dependence(table, revenue_at_most=0.25)["passed"].to_list()
        [False, True, True]
    """
    tests = [
        _domicile(domicile),
        _share("ownership", ownership_at_most, members_ownership_at_most, _holding()),
        _level(operations_at_most, members_operations_at_most),
        _share("revenue", revenue_at_most, members_revenue_at_most, percent(pl.col("china_revenue_share"))),
    ]
    return _judged(universe, [test for test in tests if test], unknown)


def _judged(universe: pl.DataFrame, tests: list[_Test], unknown: Unknown | dict[Aspect, Unknown]) -> pl.DataFrame:
    if not tests:
        return verdict(universe, pl.repeat(True, pl.len()), found=pl.lit("not asked"), needed="nothing")
    spared = {
        test.aspect: (unknown if isinstance(unknown, str) else unknown.get(test.aspect)) != "fail" for test in tests
    }
    passed = {test.aspect: test.passed.fill_null(spared[test.aspect]) for test in tests}
    notes = [_remark(test, passed[test.aspect]) for test in tests]
    note = pl.concat_str(notes, separator="; ", ignore_nulls=True)
    margins = [test.margin for test in tests if test.margin is not None]
    return verdict(
        universe,
        pl.all_horizontal(passed.values()),
        found=pl.concat_str([_said(test.aspect, test.found.fill_null("unknown")) for test in tests], separator="; "),
        needed=pl.concat_str([_said(test.aspect, test.needed) for test in tests], separator="; "),
        margin=pl.min_horizontal(margins) if margins else None,
        note=pl.when(note != "").then(note),
    )


def _said(aspect: Aspect, words: pl.Expr) -> pl.Expr:
    return pl.format("{} {}", pl.lit(aspect), words)


def _remark(test: _Test, passed: pl.Expr) -> pl.Expr:
    """Why the aspect decides: its evidence where it fails, that it is unknown where it is."""
    evidence = pl.col(f"china_{test.aspect}_evidence") if test.aspect != "domicile" else _domicile_evidence()
    why = pl.format("fails on {}: {}", pl.lit(test.aspect), evidence.fill_null("no evidence given"))
    fails = pl.format("fails on {}: unknown", pl.lit(test.aspect))
    open_ = pl.format("{} unknown", pl.lit(test.aspect))
    return pl.when(test.passed.is_null()).then(pl.when(passed).then(open_).otherwise(fails)).when(~passed).then(why)


def _domicile_evidence() -> pl.Expr:
    return pl.coalesce("china_domicile_evidence", pl.format("incorporated in {}", "country"))


def _holding() -> pl.Expr:
    share = percent(pl.col("china_ownership_share"))
    held = pl.format("{} by {}", share, "china_ownership_holder")
    return pl.when(pl.col("china_ownership_holder").is_null()).then(share).otherwise(held)


def _domicile(asked: bool | list[Country]) -> _Test | None:
    if not asked:
        return None
    named = [] if isinstance(asked, bool) else asked
    outside = ~(pl.col("china_domicile") | pl.col("country").is_in(named))
    needed = "not China" if not named else "not China, not " + ", ".join(named)
    return _Test("domicile", outside, pl.col("country"), pl.lit(needed))


def _share(aspect: Aspect, newcomer: float | None, member: float | None, found: pl.Expr) -> _Test | None:
    if newcomer is None:
        return None
    most = pl.when("is_member").then(newcomer if member is None else member).otherwise(newcomer)
    share = pl.col(f"china_{aspect}_share")
    margin = pl.when(most > 0).then(1 - share / most)
    return _Test(aspect, share <= most, found, pl.format("at most {}", percent(most)), margin)


def _level(newcomer: Level | None, member: Level | None) -> _Test | None:
    if newcomer is None:
        return None
    most = pl.when("is_member").then(pl.lit(member or newcomer)).otherwise(pl.lit(newcomer))
    level = pl.col("china_operations")
    return _Test("operations", _height(level) <= _height(most), level, pl.format("at most {}", most))


def _height(level: pl.Expr) -> pl.Expr:
    return level.replace_strict({name: at for at, name in enumerate(LEVELS)}, default=None, return_dtype=pl.Int8)
