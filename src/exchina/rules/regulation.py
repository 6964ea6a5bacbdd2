"""PURE. The diversification tests of fund law, asked of the weights of an index, new and as they had drifted.

=========  ==========================================================================================================
UCITS 52   an issuer at most 10 %; issuers above 5 % together at most 40 % (directive 2009/65/EC, article 52)
UCITS 53   an issuer at most 20 %, and one of them up to 35 % (article 53, funds that replicate an index)
US RIC     an issuer at most 25 %; issuers above 5 %, or of whose votes the fund holds above 10 %, together at most
           50 % (Internal Revenue Code, section 851(b)(3))
1940 Act   issuers above 5 %, or of whose votes the fund holds above 10 %, together at most 25 % (section 5(b)(1))
SEBI       at least 14 companies, the largest at most 20 %, the largest three together at most 45 %
=========  ==========================================================================================================

Weights are those of issuers (companies), all lines together, unrounded; "above" is strict, after rounding at 1e-12 so
that two machines agree. The votes that a fund holds need its size; one share counts as one vote. A failure is a fact
to know, not a breach: the law binds the fund, mostly when it buys, and an index may keep a buffer inside it as a cap.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import polars as pl

from exchina.model import CHECK_COLUMNS, Rulebook

When: TypeAlias = Literal["at_review", "before_review"]
DECIMALS = 12
LARGE = 0.05
MOST_VOTES = 0.10
NO_SIZE = "not tested: no fund size"
Row: TypeAlias = tuple[str, str, float | None, float, bool | None, float | None, str | None]


def no_checks() -> pl.DataFrame:
    """The table of checks without a row."""
    return pl.DataFrame(schema=CHECK_COLUMNS)


def checks(
    weights: Mapping[str, float],
    *,
    when: When,
    fund_usd: float | None = None,
    values_usd: Mapping[str, float | None] | None = None,
) -> pl.DataFrame:
    """Every test of the table above on one set of weights.

    Args:
        weights: weight of each issuer, fractions of 1.
        when: ``at_review``, the new weights, or ``before_review``, what the basket before had drifted to.
        fund_usd: size of the fund, US dollars; the tests on votes need it.
        values_usd: market value of all shares of each issuer, US dollars; those on votes need it too.

    Returns:
        when, rule, test, found and limit (fractions of the index; a count for ``companies``), passed (null: could not
        be tested), margin (distance to the limit as a fraction of it, positive on the passing side), note.

    Example:
        >>> held = {"a": 0.24, "b": 0.20} | {f"c{number}": 0.04 for number in range(14)}
        >>> checks(held, when="at_review").filter(pl.col("passed") == False)["rule"].to_list()
        ['UCITS 52', 'UCITS 52', '1940 Act', 'SEBI', 'SEBI']
    """
    if not weights:
        return no_checks()
    heavy = sorted((round(weight, DECIMALS) for weight in weights.values()), reverse=True)
    above = together_above(weights, LARGE)
    second = heavy[1] if len(heavy) > 1 else 0.0
    rows = [
        _at_most("UCITS 52", "largest issuer", heavy[0], 0.10),
        _at_most("UCITS 52", "issuers above 5 % together", above, 0.40),
        _at_most("UCITS 53", "largest issuer", heavy[0], 0.35),
        _at_most("UCITS 53", "second largest issuer", second, 0.20),
        _at_most("US RIC", "largest issuer", heavy[0], 0.25),
        _at_most("US RIC", "issuers above 5 % together", above, 0.50),
        _with_votes("US RIC", weights, 0.50, fund_usd, values_usd or {}),
        _at_most("1940 Act", "issuers above 5 % together", above, 0.25),
        _with_votes("1940 Act", weights, 0.25, fund_usd, values_usd or {}),
        _companies("SEBI", sum(weight > 0 for weight in heavy), 14),
        _at_most("SEBI", "largest issuer", heavy[0], 0.20),
        _at_most("SEBI", "three largest issuers together", sum(heavy[:3]), 0.45),
    ]
    return pl.DataFrame([(when, *row) for row in rows], CHECK_COLUMNS, orient="row")


def checked(book: Rulebook, members: pl.DataFrame, held: Mapping[str, float], here: pl.DataFrame) -> pl.DataFrame:
    """Every test on the new weights of a review, and on those to which the basket before had drifted at the cut-off.

    Args:
        book: its caps may state the size of a fund.
        members: company_id, weight.
        held: drifted weight of each company; empty at the first review.
        here: the universe of the review: company_id, market_cap_usd.
    """
    values = dict(here.select("company_id", "market_cap_usd").iter_rows())
    new = dict(members.select("company_id", "weight").iter_rows())
    asked: list[tuple[When, Mapping[str, float]]] = [("at_review", new), ("before_review", held)]
    size = fund_size(book)
    return pl.concat(checks(weights, when=when, fund_usd=size, values_usd=values) for when, weights in asked)


def together_above(weights: Mapping[str, float], threshold: float) -> float:
    """The sum of the weights strictly above a threshold.

    Example:
        >>> together_above({"a": 0.05, "b": 0.06, "c": 0.09}, 0.05)
        0.15
    """
    held = (round(weight, DECIMALS) for _, weight in sorted(weights.items()))
    return round(sum(weight for weight in held if weight > threshold), DECIMALS)


def crosses(weights: Mapping[str, float], *, single: float, threshold: float, aggregate: float) -> bool:
    """Whether weights break a rule such as 10/5/40: one issuer above ``single``, or those above ``threshold`` together
    above ``aggregate``. An index with a buffer resets inside the rule only when this is so.

    Example:
        >>> crosses({"a": 0.101, "b": 0.899}, single=0.10, threshold=0.05, aggregate=0.40)
        True
    """
    return exceeds(max(weights.values()), together_above(weights, threshold), single=single, aggregate=aggregate)


def exceeds(largest: float, together: float, *, single: float, aggregate: float) -> bool:
    """`crosses` where the largest weight and the sum of the large ones are already known."""
    return round(largest, DECIMALS) > single or round(together, DECIMALS) > aggregate


def fund_size(book: Rulebook) -> float | None:
    """The size of the fund that the caps of a rulebook are written for, US dollars: the largest ``fund_usd``."""
    sizes = [cap.settings["fund_usd"] for cap in book.caps if cap.settings.get("fund_usd")]
    return max(sizes, default=None)


def _at_most(rule: str, test: str, found: float, limit: float) -> Row:
    found = round(found, DECIMALS)
    return rule, test, found, limit, found <= limit, 1 - found / limit, None


def _companies(rule: str, count: int, fewest: int) -> Row:
    return rule, "companies", float(count), float(fewest), count >= fewest, count / fewest - 1, None


def _with_votes(
    rule: str,
    weights: Mapping[str, float],
    limit: float,
    fund_usd: float | None,
    values_usd: Mapping[str, float | None],
) -> Row:
    """Issuers that are large by weight or by votes; without a market value it is not known by how many votes."""
    test = "issuers above 5 % or 10 % of votes together"
    if fund_usd is None:
        return rule, test, None, limit, None, None, NO_SIZE
    large, unknown = set[str](), set[str]()
    for name, weight in weights.items():
        value = values_usd.get(name)
        if round(weight, DECIMALS) > LARGE or (value and round(weight * fund_usd / value, DECIMALS) > MOST_VOTES):
            large.add(name)
        elif not value:
            unknown.add(name)
    row = _at_most(rule, test, sum(weights[name] for name in sorted(large)), limit)
    size = f"fund of USD {fund_usd / 1e6:,.12g}m"
    if not unknown:
        return (*row[:6], size)
    surely = round(sum(weights[name] for name in sorted(large | unknown)), DECIMALS) <= limit
    passed = True if surely else None if row[4] else False
    return (*row[:4], passed, row[5], f"{size}; votes not known of {', '.join(sorted(unknown))}")
