"""Public and private support already known at the data cut-off."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

import polars as pl
from pydantic import Field

from exchina.policy import BIND, ScoreVersion, holdings, score_of
from exchina.rules.registers import screen
from exchina.rules.verdict import Amount, usd, verdict
from exchina.tables.reference_words import FloorPayer, Instrument, LiveStatus, Pillar, SponsorKind

Words: TypeAlias = Sequence[str] | None
Level: TypeAlias = tuple[pl.Expr, pl.Expr]
Share = Annotated[float, Field(ge=0, le=1)]
Unknown = Literal["fail", "pass_and_flag"]


def _levels(*, score_at_least: float | None, members_score_at_least: float | None, **_: object) -> str | None:
    if members_score_at_least is None:
        return None
    if score_at_least is None:
        return "members_score_at_least needs score_at_least, the level to enter"
    if members_score_at_least > score_at_least:
        return f"members would need a score of {members_score_at_least:g}, newcomers only {score_at_least:g}"
    return None


@screen("policy_backing", check=_levels)
def policy_backing(
    universe: pl.DataFrame,
    *,
    any_of: list[Instrument],
    bound_at_least: LiveStatus = "conditional",
    sponsors: list[str] | None = None,
    sponsor_countries: list[str] | None = None,
    sponsor_kinds: list[SponsorKind] | None = None,
    pillars: list[Pillar] | None = None,
    floor_payers: list[FloorPayer] | None = None,
    must_buy: bool = False,
    years_left_at_least: Annotated[float, Field(gt=0)] | None = None,
    count_at_least: Annotated[int, Field(ge=1)] = 1,
    amount_at_least_usd: Amount = 0.0,
    score_at_least: Share | None = None,
    members_score_at_least: Share | None = None,
    score_version: ScoreVersion = "1",
    unknown: Unknown = "fail",
) -> pl.DataFrame:
    """Keep companies that hold commitments of the named kinds, at least as firm as stated.

    A commitment counts if it meets every setting about commitments; then what counts is counted, in packages and in
    US dollars, and the score is asked.

    Args:
        universe: reads commitments (list of structs with the fields of `exchina.policy.COMMITMENT`), those in force at
            the data cut-off; for a score also floor_part, offtake_part, capital_part and is_member.
        any_of: the instruments that count.
        bound_at_least: the weakest status that counts; a letter of interest is weaker than a condition, a condition
            weaker than a signature.
        sponsors: only these sponsors, by their own name or that of their group, such as US-EXIM or Japan.
        sponsor_countries: only sponsors of these countries, two capital letters each; EU for the Union.
        sponsor_kinds: only these kinds of sponsor: ministries and agencies, state funds and lenders, mixed lender
            groups, private buyers, private lenders.
        pillars: only commitments under these pillars.
        floor_payers: only commitments with a floor or an assured minimum, paid by one of these; the one of a
            government costs the buyer nothing, the one of a buyer burdens the stage that buys.
        must_buy: count only commitments that oblige the buyer to take or to pay.
        years_left_at_least: fewest years until the protection ends.
        count_at_least: fewest packages; what was announced together is one package.
        amount_at_least_usd: least money in US dollars, that of each package added once; an amount that nobody
            disclosed adds nothing.
        score_at_least: least backing score to enter.
        members_score_at_least: least backing score to stay; the one to enter where not given.
        score_version: which weights of floor, offtake and capital make the score.
        unknown: what an unpublished end, duty to buy or amount means where a setting asks for it;
            ``pass_and_flag`` writes a note that travels into print.

    Example:
        >>> from exchina.policy import COMMITMENT
        >>> held = [[{"sponsor": "AU-EFA", "instrument": "loan", "status": "signed", "bind": 0.8}], []]
        >>> table = pl.DataFrame({"commitments": held}, schema={"commitments": pl.List(pl.Struct(COMMITMENT))})
        >>> policy_backing(table, any_of=["loan"])["found"].to_list()
        ['AU-EFA loan (signed)', 'no commitment']
    """
    only = {
        "sponsor_country": sponsor_countries,
        "sponsor_kind": sponsor_kinds,
        "pillar": pillars,
        "floor_payer": floor_payers,
    }
    must = [pl.col("instrument").is_in(any_of), pl.col("bind") >= BIND[bound_at_least], *_by_name(sponsors)]
    must += [pl.col(column).is_in(words) for column, words in only.items() if words is not None]
    lenient = unknown == "pass_and_flag"
    judged = holdings(universe, must, _asked(years_left_at_least, must_buy=must_buy), unknown_counts=lenient)
    rich = (pl.col("usd") >= amount_at_least_usd) | (pl.lit(lenient) & (pl.col("undisclosed") > 0))
    backed = (pl.col("packages") >= count_at_least) & rich
    score = _score(score_at_least, members_score_at_least, score_version)
    least = {
        "a duty to buy": must_buy,
        "{:g} years left": years_left_at_least,
        "{} packages": count_at_least if count_at_least > 1 else None,
        "USD {:,.0f}": amount_at_least_usd,
    }
    needed = pl.lit(_needed(f"{bound_at_least} or firmer: {', '.join(any_of)}", {"sponsor": sponsors, **only}, least))
    return verdict(
        judged,
        backed & (score[0] >= score[1]) if score else backed,
        found=_found(score, packages=count_at_least > 1, money=amount_at_least_usd > 0),
        needed=pl.format("{}; a score of {}", needed, score[1]) if score else needed,
        margin=pl.when(backed & (score[1] > 0)).then(score[0] / score[1] - 1) if score else None,
        note=_note(money=amount_at_least_usd > 0, lenient=lenient),
    )


def _by_name(sponsors: Sequence[str] | None) -> list[pl.Expr]:
    if sponsors is None:
        return []
    return [pl.col("sponsor").is_in(sponsors) | pl.col("sponsor_group").is_in(sponsors)]


def _asked(years: float | None, *, must_buy: bool) -> dict[str, pl.Expr]:
    """Conditions that the registry may not be able to answer, by what it would need to know."""
    asked: dict[str, pl.Expr] = {}
    if must_buy:
        asked["duty to buy"] = pl.when(pl.col("take_obligation") != "unknown").then(pl.col("take_obligation") == "true")
    if years is not None:
        asked["end"] = pl.col("years_left") >= years
    return asked


def _score(enter: float | None, stay: float | None, version: ScoreVersion) -> Level | None:
    """The score and the level it must reach, which is lower for present members."""
    if enter is None:
        return None
    level = pl.lit(enter) if stay is None else pl.when("is_member").then(stay).otherwise(enter)
    return score_of(version), level


def _needed(kinds: str, only: Mapping[str, Words], least: Mapping[str, float | None]) -> str:
    parts = [f"{name.replace('_', ' ')} {' or '.join(words)}" for name, words in only.items() if words is not None]
    return "; ".join([kinds, *parts, *(words.format(value) for words, value in least.items() if value)])


def _found(score: Level | None, *, packages: bool, money: bool) -> pl.Expr:
    parts = [pl.coalesce("counting", pl.format("none that counts of {}", "others"), pl.lit("no commitment"))]
    parts += [pl.format("; {} packages", "packages")] * packages
    parts += [pl.format("; {}", usd(pl.col("usd")))] * money
    return pl.concat_str([*parts, *([pl.format("; score {}", score[0].round(2))] if score else [])])


def _note(*, money: bool, lenient: bool) -> pl.Expr:
    """What the registry did not say, and how that was read."""
    read = "counted" if lenient else "not counted"
    notes = [pl.format("unknown and {}: {}", pl.lit(read), "doubts")]
    if money:
        silent = pl.when(pl.col("undisclosed") > 0).then("undisclosed")
        notes.append(pl.format("commitments without a published amount: {}", silent))
    said = pl.concat_str(notes, separator="; ", ignore_nulls=True)
    return pl.when(said != "").then(said)
