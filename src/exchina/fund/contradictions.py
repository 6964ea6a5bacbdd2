"""What no single line of a fund file can say: terms that contradict each other, or the law that the fund is under."""

from collections.abc import Collection

from exchina.errors import Problem, did_you_mean
from exchina.fund.terms import Fund

UCITS_PROFILES = ("treaty_ucits_ie", "treaty_ucits_lu")


def contradictions(fund: Fund) -> list[Problem]:
    """Every contradiction of a fund, each with its figures and a cure."""
    return [*_against_law(fund), *_against_facts(fund), *contradictions_of_lines(fund)]


def unknown_venues(fund: Fund, mics: Collection[str]) -> list[Problem]:
    """Markets that a fund names and nobody knows: a lot of such a market would bind nothing.

    Args:
        fund: as read.
        mics: the venues of the reference data.
    """
    named = {"fund.listed_on": [fund.facts.listed_on], "holdings.lots.venues": fund.lots.venues}
    named |= {"dealing.creation.cash_only": fund.creation.cash_only}
    return [
        Problem(place, f"no venue {mic!r} in venues.csv", did_you_mean(mic, mics))
        for place, asked in named.items()
        for mic in asked
        if mic not in mics
    ]


def _against_law(fund: Fund) -> list[Problem]:
    us, profile = fund.facts.law == "us_1940_act", fund.withholding.profile if fund.withholding else ""
    asked = [
        (
            us and fund.distribution.policy != "distributing",
            "vehicle.distribution.policy",
            "a US fund that keeps its income is no regulated investment company (90 % must be distributed)",
            'write policy = "distributing"',
        ),
        (
            us and profile in UCITS_PROFILES,
            "vehicle.withholding.profile",
            f"{profile} is a European fund's, this one is under the 1940 Act",
            'write profile = "treaty_us_ric"',
        ),
        (
            not us and profile == "treaty_us_ric",
            "vehicle.withholding.profile",
            "treaty_us_ric is a US fund's, this one is a UCITS",
            "one of " + ", ".join(UCITS_PROFILES),
        ),
        (
            us and fund.swing.factor > 0,
            "dealing.swing",
            "exchange-traded funds under the 1940 Act may not swing their price (rule 22c-1(a)(3))",
            "take the line out, or charge who orders: creation.fee",
        ),
    ]
    return [Problem(place, what, cure) for wrong, place, what, cure in asked if wrong]


def _against_facts(fund: Fund) -> list[Problem]:
    facts, creation, shares = fund.facts, fund.creation, fund.facts.seed / fund.facts.share_price
    votes = next((one.settings.get("law", facts.law) for one in fund.limits if one.name == "votes"), facts.law)
    asked = [
        (
            facts.currency in fund.hedge.currencies,
            "vehicle.hedge.currencies",
            f"{facts.currency} is the fund's own currency",
            "leave it out",
        ),
        (
            shares < creation.unit_shares,
            "dealing.creation.unit_shares",
            f"a unit of {creation.unit_shares:,} shares, and the seed makes {shares:,.0f} "
            f"({facts.seed:,.0f} at {facts.share_price:g})",
            "seed at least one unit",
        ),
        (
            votes != facts.law,
            "limits.votes.law",
            f"{votes}, and the fund is under {facts.law}",
            f'write law = "{facts.law}"',
        ),
    ]
    return [Problem(place, what, cure) for wrong, place, what, cure in asked if wrong]


def contradictions_of_lines(fund: Fund) -> list[Problem]:
    """Those that do not depend on the table ``[fund]``, which is not read."""
    spread, swing = fund.execution, fund.swing
    distributing = fund.distribution.policy == "distributing"
    asked = [
        (
            distributing != bool(fund.distribution.months),
            "vehicle.distribution.months",
            f"found {list(fund.distribution.months)} for a fund that is {fund.distribution.policy}",
            "name the months of a distributing fund, none of an accumulating one",
        ),
        (
            spread.last < spread.first,
            "replication.execution",
            f"ends {spread.last} sessions from the effective close, before it begins ({spread.first})",
            "last is first or later",
        ),
        (
            swing.factor > 0 and swing.over == 1,
            "dealing.swing.over",
            f"a price that swings by {swing.factor:.2%} only if more than the whole fund comes or goes never swings",
            "such as over = 0.01",
        ),
        (
            bool(fund.lots.venues) and fund.lots.shares == 0,
            "holdings.lots",
            f"lots of {', '.join(sorted(fund.lots.venues))} beside fractions of shares elsewhere",
            "write shares = 1",
        ),
    ]
    return [*_of_tax(fund), *(Problem(place, what, cure) for wrong, place, what, cure in asked if wrong)]


def _of_tax(fund: Fund) -> list[Problem]:
    tax = fund.withholding
    if tax is None:
        return []
    asked = [
        (
            tax.relief == "reclaim" and tax.reclaimed_after_days == 0,
            "vehicle.withholding.reclaimed_after_days",
            "a claim that is paid at once is relief at source",
            "say how many days, such as 540",
        ),
        (
            tax.relief == "reclaim" and tax.profile == "maximum",
            "vehicle.withholding.profile",
            "the maximum is withheld and the maximum is borne: nothing can be claimed back",
            "name a treaty profile, or take relief out",
        ),
        (
            tax.relief == "at_source" and tax.recovered < 1,
            "vehicle.withholding.recovered",
            "nothing is claimed back where relief is at source",
            'write relief = "reclaim", or take recovered out',
        ),
    ]
    return [Problem(place, what, cure) for wrong, place, what, cure in asked if wrong]
