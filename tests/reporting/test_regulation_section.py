"""What the announcement says of the diversification tests of fund law."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from exchina.reporting.document import Disclosure
from exchina.reporting.parts import Parts
from exchina.reporting.render import to_html, to_pdf
from exchina.reporting.sections.regulation import regulation
from exchina.rules.regulation import checks
from tests.reporting import documents
from tests.reporting.test_documents import composed, html_text, pdf_text, plain

HEAVY = {"a": 0.36, "b": 0.04} | {f"c{n}": 0.03 for n in range(20)}
EVEN = {f"c{n}": 0.04 for n in range(25)}


@pytest.fixture(scope="module")
def templates(root: Path) -> Path:
    return root / "reports" / "templates"


def parts(*tables: pl.DataFrame, count: int = 20) -> Parts:
    basket = replace(documents.basket(count), checks=pl.concat(tables)) if tables else documents.basket(count)
    return Parts(basket, None, None, "institutional")


def said(made: Parts) -> str:
    (block,) = regulation(made)
    assert isinstance(block, Disclosure)
    return block.items[0][1]


def test_a_basket_without_tests_has_no_section() -> None:
    assert regulation(parts()) == []


def test_each_failure_is_told_with_its_number_and_its_limit() -> None:
    text = said(parts(checks(EVEN, when="at_review"), checks(HEAVY, when="before_review")))
    now, _, before = text.partition("Weights before the review, as drifted: ")
    assert now.startswith("New weights: UCITS 52 passes; UCITS 53 passes; US RIC passes (votes not tested)")
    assert "fails" not in now
    assert "UCITS 52 fails, largest issuer 36.0%, limit 10%;" in before
    assert "1940 Act fails, issuers above 5 % together 36.0%, limit 25% (votes not tested)" in before


def test_few_companies_are_counted() -> None:
    assert "12 companies, at least 14" in said(parts(checks({f"c{n}": 1 / 12 for n in range(12)}, when="at_review")))


def test_a_long_announcement_with_many_failures_still_fits_one_page(root: Path, templates: Path) -> None:
    few = {"a": 0.4, "b": 0.3, "c": 0.3}
    made = parts(checks(few, when="at_review"), checks(few, when="before_review"), count=45)
    document = composed(root, "announcement", made)
    for text in (pdf_text(to_pdf(document, templates)), html_text(to_html(document, templates))):
        assert plain("Diversification tests.") in text
