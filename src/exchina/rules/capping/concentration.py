"""Rules of the type 5/10/40: no name above h, and those above t together at most Z."""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from exchina.rules.capping.issuer import by_issuer
from exchina.rules.registers import cap

Preset = Literal[
    "stated",
    "buffered_4.5_9_36",
    "buffered_4.5_20_48",
    "buffered_4.5_22.5_45",
    "buffered_4.5_8_45",
    "diversified_1940_act",
    "ric_25_50",
    "ucits_5_10_40",
]
NUMBERS: dict[str, tuple[float, float, float]] = {
    "buffered_4.5_9_36": (0.09, 0.045, 0.36),
    "buffered_4.5_20_48": (0.20, 0.045, 0.48),
    "buffered_4.5_22.5_45": (0.225, 0.045, 0.45),
    "buffered_4.5_8_45": (0.08, 0.045, 0.45),
    "diversified_1940_act": (0.25, 0.05, 0.25),
    "ric_25_50": (0.25, 0.05, 0.50),
    "ucits_5_10_40": (0.10, 0.05, 0.40),
}
Share = Annotated[float, Field(gt=0, le=1)]


def numbers(
    rule: str, at_most: float | None, threshold: float | None, above_at_most: float | None
) -> tuple[float, float, float] | None:
    """h, t and Z of a named rule, each replaced where it is stated; None where one is missing."""
    named = NUMBERS.get(rule, (None, None, None))
    stated = (at_most, threshold, above_at_most)
    h, t, z = (other if own is None else own for own, other in zip(stated, named, strict=True))
    return None if h is None or t is None or z is None else (h, t, z)


def _whole(*, rule: str, at_most: float | None, threshold: float | None, above_at_most: float | None) -> str | None:
    found = numbers(rule, at_most, threshold, above_at_most)
    if found is None:
        return 'rule "stated" needs at_most, threshold and above_at_most'
    h, t, z = found
    return None if t <= h <= 1 and t <= z else f"threshold {t:g} lies above at_most {h:g} or above_at_most {z:g}"


@cap("concentration", check=_whole)
def concentration(
    universe: pl.DataFrame,
    *,
    rule: Preset,
    at_most: Share | None = None,
    threshold: Share | None = None,
    above_at_most: Share | None = None,
) -> pl.DataFrame:
    """w_i <= h for every company, and the sum of the weights strictly above t <= Z.

    The rule is discontinuous: which names may be large is a choice, and a small move of prices can change it. So the
    basket says how near the next-best choice is. Presets (h, t, Z): ucits_5_10_40 10/5/40 %, ric_25_50 25/5/50 %,
    diversified_1940_act 25/5/25 %, and the buffers inside them whose names say t, h and Z in percent.

    Args:
        universe: selected companies; reads company_id, and issuer where the table has that column.
        rule: whose numbers; ``stated`` for one's own.
        at_most: h, largest weight of one company, in place of the preset's.
        threshold: t, above which (strictly) a company is large, in place of the preset's.
        above_at_most: Z, the most that the large companies may weigh together, in place of the preset's.

    Example:
        >>> table = pl.DataFrame({"company_id": ["a"]})
        >>> concentration(table, rule="ucits_5_10_40", at_most=0.09).row(0)
        ('a', 0.09, 0.05, 0.4)
    """
    found = numbers(rule, at_most, threshold, above_at_most)
    assert found is not None, "the register checks the settings"
    h, t, z = (pl.lit(number) for number in found)
    return universe.select(group=by_issuer(universe), at_most=h, threshold=t, above_at_most=z)
