"""The three days of a review and its turnover."""

from exchina.reporting import section
from exchina.reporting.document import Block, KeyFigure, KeyFigures, Text
from exchina.reporting.parts import Parts
from exchina.reporting.wording import day, percent, weekday


@section("review_dates")
def review_dates(parts: Parts) -> list[Block]:
    """When the composition takes effect, when it was announced, when its data was frozen, how much of it changes.

    Args:
        parts: reads the basket.
    """
    basket = parts.composition
    review, members = basket.review, basket.members
    came = members.filter(previous_weight=0).height
    first = basket.turnover is None
    items = (
        KeyFigure(
            "Effective after the close of",
            day(review.effective),
            f"{weekday(review.effective)}; sessions of {basket.book.review.calendar}",
        ),
        KeyFigure("Announced", day(review.announced), weekday(review.announced)),
        KeyFigure("Data cut-off", day(review.cutoff), "nothing learnt later counts"),
        KeyFigure(
            "Constituents",
            str(members.height),
            "first composition" if first else f"{came} in, {basket.leavers.height} out",
        ),
        KeyFigure("One-way turnover", percent(basket.turnover), "first composition" if first else "of the index"),
    )
    replaced = (
        "This is the first composition of the index."
        if first
        else "This composition replaces that of the previous review."
    )
    text = (
        f"{replaced} The weights hold at the effective close: index shares are set with the prices of that close, and "
        "from then on weights drift with prices. They follow from the data of the cut-off and do not change before. "
        "All constituents and weights in full precision are in the pro forma CSV file."
    )
    if basket.held:
        text = (
            "No new composition could be formed, so the present one goes on without a trade; the weights shown are "
            "those to which prices had moved it at the data cut-off. The reason stands under steps taken."
        )
    return [KeyFigures(items, place="full"), Text(text, place="full")]
