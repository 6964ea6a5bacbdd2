"""The facts of the index: what it is called, how it is weighted, capped and reviewed, whether it is live."""

from exchina.model import Basket, Rule, Rulebook
from exchina.reporting import section
from exchina.reporting.document import Block, Fact, Facts, Heading
from exchina.reporting.parts import Parts, steps_taken
from exchina.reporting.wording import MONTHS, RETURN_VARIANT, capitalised, day, number, rule_settings, rule_words
from exchina.rules.review_presets import day_words

NOT_LIVE = "Not yet live"
SHORT = 24


@section("index_facts")
def index_facts(parts: Parts, *, reasons: bool = True) -> list[Block]:
    """Identity, base, return type, launch, reviews, weighting, caps, and each step that the review took off them.

    Args:
        parts: reads the rulebook and the basket's steps.
        reasons: whether each cap is followed by its reason.
    """
    book = parts.book
    caps = tuple(_cap(rule, rule.why if reasons else "") for rule in book.caps)
    facts = (*_identity(book), *_rules(book), *caps, *_applied(parts.composition))
    return [Heading("Index facts", place="side"), Facts(facts, place="side")]


def _identity(book: Rulebook) -> tuple[Fact, ...]:
    index = book.index
    return (
        Fact("Rulebook", f"version {index.version}"),
        Fact("Currency", index.currency),
        Fact("Base", f"{number(index.base_value, 0)} on {day(index.base_date)}"),
        Fact("Launch", NOT_LIVE if index.live_date is None else day(index.live_date)),
        *(Fact("Return type", variant, RETURN_VARIANT[variant]) for variant in index.returns),
    )


def _rules(book: Rulebook) -> tuple[Fact, ...]:
    return (
        Fact("Reviews", ", ".join(MONTHS[month - 1] for month in book.review.months)),
        Fact("Effective after", f"close of {day_words(book.review.effective_after_close_of)}"),
        Fact("Weighting", capitalised(rule_words(book.weight.name)), capitalised(rule_settings(book.weight))),
    )


def _cap(rule: Rule, why: str) -> Fact:
    name, settings = f"Cap: {rule_words(rule.name)}", rule_settings(rule)
    if len(settings) <= SHORT:
        return Fact(name, settings, why)
    return Fact(name, "", f"{capitalised(settings)}. {why}".strip())


def _applied(basket: Basket) -> tuple[Fact, ...]:
    """The caps are printed as written; what could not be met as written must stand beside them."""
    steps = steps_taken(basket)
    return (Fact("Applied at this review", "", steps),) if steps else ()
