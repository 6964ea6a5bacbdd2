"""What the index tracks and how it is made, in the words of its rulebook."""

from exchina.reporting import section
from exchina.reporting.document import Block, Heading, Text
from exchina.reporting.parts import Parts
from exchina.reporting.wording import MONTHS, counted, listed, rule_words
from exchina.rules.review_presets import day_words
from exchina.rules.reviews import data_cutoff


@section("objective")
def objective(parts: Parts) -> list[Block]:
    """How companies enter, are chosen, weighted and reviewed.

    Args:
        parts: reads the rulebook.
    """
    book = parts.book
    screens = listed([rule_words(rule.name) for rule in book.screens])
    months = listed([MONTHS[month - 1] for month in book.review.months])
    text = (
        f"Companies must pass {counted(len(book.screens), 'screen')}: {screens}. {_reason(book.select.why)} "
        f"{_reason(book.weight.why)} The composition is reviewed in {months} on data frozen "
        f"{day_words(data_cutoff(book.review))}."
    )
    return [Heading("How the index is built"), Text(text)]


def _reason(why: str) -> str:
    return why.strip().rstrip(".") + "."
