"""Where the numbers came from, and which of the facts behind them are weak."""

from exchina.model import Basket
from exchina.reporting import section
from exchina.reporting.document import Block, Disclosure
from exchina.reporting.parts import Parts
from exchina.reporting.wording import counted, day, listed


@section("sources")
def sources(parts: Parts, *, listed_in: str = "weak_facts.csv", assumptions: int = 3) -> list[Block]:
    """Source of the prices, assumptions, and the count of facts of low confidence.

    Args:
        parts: reads the provenance and the basket.
        listed_in: the file that lists each weak fact.
        assumptions: how many assumptions to print; the number of the others is stated.
    """
    made_of = parts.provenance
    retrieved = "" if made_of.simulated else f"retrieved {made_of.retrieved_at}, "  # made here, not fetched
    text = (
        f"{made_of.source.rstrip('.')}; market {made_of.market}, {made_of.kind}, through {day(made_of.through)}, "
        f"{retrieved}SHA-256 {made_of.content_hash[:12]}."
    )
    items = [("Sources.", text)]
    if made_of.assumptions:
        items.append(("Assumptions.", _assumed(made_of.assumptions, assumptions)))
    return [Disclosure((*items, ("Weak facts.", weak_facts(parts.composition, listed_in))), place="full")]


def weak_facts(basket: Basket, listed_in: str) -> str:
    """How many facts of confidence memory, low or assumption the members rest on, and where they are listed."""
    if basket.weak_facts.is_empty():
        return "The members rest on no fact of confidence memory, low or assumption."
    kinds = basket.weak_facts["confidence"].value_counts().sort("confidence")
    words = listed([f"{count} of confidence {kind}" for kind, count in kinds.iter_rows()])
    companies = counted(basket.weak_facts["company_id"].n_unique(), "company")
    facts = counted(basket.weak_facts.height, "weak fact")
    place = f"each is listed in the {listed_in} that comes with this document"
    return f"The members rest on {facts} about {companies}: {words}; {place}."


def _assumed(assumptions: tuple[str, ...], shown: int) -> str:
    sentences = " ".join(sentence.rstrip(".") + "." for sentence in assumptions[:shown])
    more = len(assumptions) - shown
    return f"{sentences} {counted(more, 'more assumption')} in the provenance." if more > 0 else sentences
