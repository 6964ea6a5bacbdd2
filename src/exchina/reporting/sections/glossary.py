"""The words of the document explained, for readers who do not work with indices."""

from exchina.reporting import section
from exchina.reporting.document import Block, Fact, Facts, Heading
from exchina.reporting.parts import Parts

WORDS = {
    "Price floor": "A public or private party makes up the difference when the price falls under an agreed one.",
    "Offtake": "A buyer is bound to take an agreed quantity of the product.",
    "Public capital": "A government holds shares in the company or lends or grants it money.",
    "Policy score": "From 0 to 1: how much of the company's business such commitments protect.",
    "One-way turnover": "The part of the index that a review exchanges.",
}


@section("glossary")
def glossary(parts: Parts) -> list[Block]:
    """What the words mean; in a document for all readers only.

    Args:
        parts: reads the audience.
    """
    if parts.audience != "retail":
        return []
    return [Heading("Words in this document"), Facts(tuple(Fact(word, "", note) for word, note in WORDS.items()))]
