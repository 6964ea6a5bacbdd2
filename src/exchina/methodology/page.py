"""The order of the page: from what an index is to what its words mean."""

from exchina.methodology import calculation, standing
from exchina.methodology.calendar import review_days
from exchina.methodology.markdown import table
from exchina.methodology.rules import ladder, other_tables, rule_block
from exchina.methodology.score import policy_score
from exchina.model import Rule, Rulebook
from exchina.policy import SCORE_VERSION

RULES = ("index", "review", "screens", "select", "weight", "caps", "if_infeasible")
TOLD = frozenset((*RULES, "calculation", "series", "text", "content_hash"))
NEAREST = (
    "The capped weights are those nearest to the uncapped ones that meet every cap together: of all weights that do, "
    "those with the least sum of w ln(w / u), u uncapped. They are solved for, not reached by cutting in turn."
)


def methodology_page(book: Rulebook) -> str:
    """The methodology of an index as one Markdown page; the same rulebook gives the same bytes.

    Args:
        book: the rules.
    """
    chapters = [
        ("What it is, and what it is not", f"{book.index.objective}\n\n{standing.nature(book)}"),
        ("Facts and versions", _facts(book)),
        ("Eligible universe and data", standing.universe()),
        ("Reviews", review_days(book.review)),
        ("Screens", _rules(book.screens, "Every company must pass each of these; the order is that of the rulebook.")),
        ("Selection", _rules((book.select,), "Among the companies that pass every screen:")),
        ("Weighting", _rules((book.weight,), "Before the caps, the selected companies are weighted so:")),
        ("Caps", _caps(book)),
        *other_tables(book, TOLD),
        ("Calculation conventions", calculation.levels(book.calculation)),
        ("Corporate actions", calculation.actions(book.calculation)),
        ("Derived series", calculation.series(book)),
        ("Policy score", policy_score(book)),
        ("What is not known", standing.unknown(book)),
        ("Corrections", calculation.corrections(book.calculation)),
        ("What is left to judgement", standing.judgement(book)),
        ("Limits", standing.limits(book)),
        ("Words", standing.glossary()),
    ]
    used = [(heading, body) for heading, body in chapters if body]
    text = [f"## {number}. {heading}\n\n{body}" for number, (heading, body) in enumerate(used, 1)]
    first = (
        f"# {book.index.name}: methodology\n\nWritten from the rulebook and the rules themselves; not edited by hand."
    )
    return "\n\n".join([first, *text]) + "\n"


def _facts(book: Rulebook) -> str:
    index = book.index
    rows = [
        ("index", f"`{index.id}`"),
        ("version of the rules", index.version),
        ("SHA-256 of the rulebook", f"`{book.content_hash}`"),
        ("version of the policy score", SCORE_VERSION),
        ("currency", index.currency),
        ("base", f"{index.base_value:,.12g} on {index.base_date}"),
        ("live since", "not yet" if index.live_date is None else str(index.live_date)),
        *((f"variant {name}", calculation.RETURNS[name]) for name in index.returns),
    ]
    return table(("fact", "value"), rows)


def _rules(rules: tuple[Rule, ...], first: str) -> str:
    return "\n\n".join([first, *map(rule_block, rules)]) if rules else "None."


def _caps(book: Rulebook) -> str:
    return "\n\n".join([_rules(book.caps, NEAREST), ladder(book)]) if book.caps else "None: no weight is bounded."
