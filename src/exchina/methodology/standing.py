"""What holds for every index that exchina computes: its data, what nobody knows, judgement, limits, words."""

from exchina.currency import STALE_AFTER_DAYS
from exchina.methodology.markdown import listed, table
from exchina.methodology.rules import unknowns
from exchina.model import Rulebook
from exchina.universe.lines import PRICED_WITHIN_DAYS

SOURCES = (
    (
        "line of a company",
        "the listing with a price in the last "
        f"{PRICED_WITHIN_DAYS} days; of several the primary one; then the order of `listings.csv`",
    ),
    ("price", "raw official close of the line; adjusted prices never enter a level"),
    ("exchange rate", f"last fixing at or before the day, at most {STALE_AFTER_DAYS} days old; none is an error"),
    ("share count", "the market's own count, carried over splits; then the registry's"),
    ("free float", "reported by the market; then by the registry; then an assumption, marked as one"),
    (
        "stage, domicile, ties to China, policy backing",
        "dated rows of the registry, each with source and confidence",
    ),
    ("corporate actions, dividends", "the market's events, with the day on which each was known"),
    ("withholding tax", "`withholding.csv`: one rate a country and profile, with its days"),
)
TERMS = (
    ("Data cut-off", "the last day whose knowledge a review may use"),
    ("Effective", "from the close of that day on, the new composition makes the level"),
    ("Index share", "how many shares of a line the index holds"),
    ("Divisor", "what the value of the basket is divided by, so that only prices move the level"),
    ("Free float", "the part of the shares that the public can trade"),
    ("Uncapped weight", "what the weighting gives before the caps"),
    ("One-way turnover", "half the sum of all changes of weight, against the weights to which prices had moved"),
    ("Price floor", "somebody makes up the difference when the price falls under an agreed one"),
    ("Offtake", "a buyer is bound to take an agreed quantity"),
)
NOT_HERE = "who administers and oversees the index, complaints, notice of a change of rules or of the end of the index"


def nature(book: Rulebook) -> str:
    """What the index is, and what it is not."""
    live = book.index.live_date
    first = "its rulebook names no day on which it went live" if live is None else f"live since {live}"
    return "\n".join(
        [
            f"- It is a number computed by the rules below from prices and dated public facts; {first}.",
            "- It is not a product: it cannot be bought, bears no cost, and pays nothing. It is neither advice nor an "
            "offer.",
            "- Naming a company, a government or an exchange means no endorsement by it; the rules know no payment for "
            "being in the index.",
            "- It claims no compliance with a benchmark regulation; this page holds what such rules ask of a "
            f"methodology, except what a rulebook does not know: {NOT_HERE}. Who publishes the index must add that.",
        ]
    )


def universe() -> str:
    """Who may be judged at all, and from which data."""
    first = (
        "Every company of `companies.csv` with a live listing at the data cut-off is judged, one line a company. A "
        f"company without a close in the last {PRICED_WITHIN_DAYS} days fails the verdict `priced`. Where several "
        "sources know a fact, the first of this order counts."
    )
    last = (
        "Every fact has the day on which it became known, and a review sees none that was known after its cut-off. "
        "Each publication records the hashes of rulebook, reference tables and market data, and the version of the "
        "policy score, so that it can be computed again."
    )
    return "\n\n".join([first, table(("fact", "first that there is"), SOURCES), last])


def unknown(book: Rulebook) -> str:
    """What becomes of a fact that nobody knows."""
    first = (
        'An empty fact is unknown, never zero. A screen that reads it says "unknown" in its verdict and passes only '
        "where the rulebook says so below. In the policy score an undisclosed volume, length, amount or revenue share "
        "adds nothing. A missing exchange rate or tax rate stops the calculation; a missing close is carried and "
        "counted against the limit above which a level is marked delayed."
    )
    return "\n\n".join([first, unknowns(book)])


def judgement(book: Rulebook) -> str:
    """What is left to people."""
    called = len(book.review.special)
    apart = f" Reviews that people called, with day and reason: {called} (chapter Reviews)." if called else ""
    return "\n".join(
        [
            "- In a review: nothing. The rules name no committee that chooses, weights or exempts a company; every "
            f"verdict is kept with what was found, what was needed and why.{apart}",
            "- In the data: stage, exposure, float assumptions, the scope of a policy measure and the reading of a "
            "document are people's work, done before the cut-off and dated; each row names its source and its "
            "confidence, and a publication lists the members' facts of low confidence.",
            "- In the rules: a change is a new version of the rulebook with another hash. It acts from the next data "
            "cut-off on; published levels stay.",
        ]
    )


def limits(book: Rulebook) -> str:
    """What a reader must not expect of the index."""
    live = book.index.live_date
    which = "All levels" if live is None else f"Levels before {live}"
    caps = listed([f"`{rule.name}`" for rule in book.caps])
    drift = f"Caps ({caps}) hold at each review; weights drift from there." if caps else "No weight is capped."
    return "\n".join(
        [
            f"- {which} are hypothetical: these rules, written with knowledge of later events, applied to past data.",
            "- The list of companies is what its makers found; one that nobody entered is missing from every review.",
            "- Policy commitments can be changed, delayed or withdrawn, and most of their terms are not public. The "
            "score measures what is disclosed; its weights are a choice and are not fitted to returns.",
            f"- {drift}",
            "- Few companies make up this supply chain outside China: the index is narrow, many members are small, and "
            "one event moves several at once.",
            "- Trading cost, market impact, fees and an investor's own tax are not in any level.",
        ]
    )


def glossary() -> str:
    """The words of the page."""
    return table(("word", "meaning"), TERMS)
