import re
from dataclasses import fields, replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.analytics.claims import CAVEAT, FEWEST_DATES, TESTED, Claim, ClassClaim, sentence
from exchina.errors import DataError

EASTERN = timezone(timedelta(hours=-4))
ONE = Claim(
    event="agreement of a US department with MP Materials",
    instant=datetime(2025, 7, 10, 7, 18, tzinfo=EASTERN),
    window=(0, 0),
    benchmark="each name's local broad market",
    names=8,
    missing=("Iluka", "Lynas"),
    weighting="equal-weighted",
    statistic="kp_bmp",
    move=0.0512,
    adjusted_p=0.0123,
    family_size=24,
    mde=0.0698,
    hypothetical=False,
)
DATES = tuple(date(2025, month, 4) for month in range(1, 8))
SEVERAL = ClassClaim(
    event_class="export restriction",
    instants=DATES,
    hypothetical=(True, True, False, False, False, False, False),
    happened=7,
    left_out=(),
    window=(0, 1),
    benchmark="each name's local broad market",
    names=(8, 8),
    missing=(),
    weighting="equal-weighted",
    statistic="date_bmp",
    move=-0.0312,
    adjusted_p=0.0004,
    family_size=24,
    mde=0.0264,
)
FEW = replace(SEVERAL, instants=DATES[:5], hypothetical=(True,) * 5, happened=5)
FORBIDDEN = re.compile(r"caus(e|ing)|benefit\w*\s+from|no\s+effect", re.IGNORECASE)


def refused(claim: Claim | ClassClaim) -> list[str]:
    with pytest.raises(DataError) as caught:
        sentence(claim)
    return [problem.where.removeprefix("claim.") for problem in caught.value.problems]


def changed(claim: Claim | ClassClaim, **values: Any) -> Claim | ClassClaim:
    return replace(claim, **values)


def test_one_date_says_what_the_standard_allows() -> None:
    assert sentence(ONE) == (
        "In the first reacting session after agreement of a US department with MP Materials (2025-07-10 11:18 UTC) the "
        "8 names (equal-weighted; 2 missing: Iluka, Lynas) moved +5.1 % against each name's local broad market; "
        "p = 0.012 after adjustment for common movement and for a family of 24 tests "
        "(Kolari-Pynnonen adjusted BMP test, Holm-adjusted); effects under 7.0 % could not have been detected "
        "even by a single test on a day of usual spread (80 % power at 5 %, normal approximation). "
        "Past reactions do not predict future ones."
    )


def test_several_dates_state_their_number_and_which_are_hypothetical() -> None:
    text = sentence(SEVERAL)
    assert text.startswith(
        "On average over all 7 dates of the class export restriction "
        "(2025-01-04, time not known, hypothetical; 2025-02-04, time not known, hypothetical; 2025-03-04, time"
    )
    assert text.count(", hypothetical") == 2
    assert text.endswith(
        "in sessions 0 to +1 around day 0, the first reacting session after each announcement the 8 names "
        "(equal-weighted; none missing) moved -3.1 % against each name's local broad market; p < 0.001 after "
        "adjustment for common movement and for a family of 24 tests (BMP test over dates, Holm-adjusted); "
        "effects under 2.6 % could not have been detected even by a single test on a day of usual spread "
        "(80 % power at 5 %, normal approximation). "
        "2 of the 7 dates lie before the live date and are hypothetical. Past reactions do not predict future ones."
    )


def test_fewer_than_six_dates_are_described_without_a_test() -> None:
    untested = changed(FEW, **dict.fromkeys(TESTED))
    assert sentence(untested) == sentence(FEW), "a p that is there is not printed either"
    assert "fewer than 6 dates allow no test" in sentence(FEW)
    assert "p =" not in sentence(FEW)
    assert "p <" not in sentence(FEW)
    assert "moved -3.1 %" in sentence(FEW)
    assert len(DATES) > FEWEST_DATES
    six = changed(SEVERAL, instants=DATES[:6], hypothetical=(False,) * 6, happened=6)
    assert "p < 0.001" in sentence(six)
    assert "hypothetical" not in sentence(six)


@pytest.mark.parametrize("claim", [ONE, SEVERAL], ids=["one date", "several dates"])
def test_a_claim_that_lacks_anything_is_refused(claim: Claim | ClassClaim) -> None:
    for field in fields(claim):
        assert refused(changed(claim, **{field.name: None})) == [field.name]
    assert sorted(refused(changed(claim, **{field.name: None for field in fields(claim)}))) == sorted(
        field.name
        for field in fields(claim)
        if isinstance(claim, Claim) or field.name not in TESTED  # without dates not known to be enough for a test
    )


def test_a_description_needs_all_but_the_test() -> None:
    for field in fields(FEW):
        if field.name not in TESTED:
            assert refused(changed(FEW, **{field.name: None})) == [field.name]


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_blank_is_missing(blank: str) -> None:
    assert refused(changed(ONE, event=blank, benchmark=blank, weighting=blank, statistic=blank)) == [
        "event",
        "benchmark",
        "weighting",
        "statistic",
    ]


def test_a_missing_name_has_a_name() -> None:
    assert refused(changed(ONE, missing=("Iluka", " "))) == ["missing"]


def test_values_that_cannot_be_are_named_together() -> None:
    wrong = changed(
        ONE,
        window=(1, 0),
        names=1,
        move=float("nan"),
        instant=datetime(2025, 7, 10, 7, 18),
        statistic="patell_z",
        adjusted_p=1.2,
        family_size=0,
        mde=0.0,
    )
    assert refused(wrong) == ["window", "names", "move", "instant", "statistic", "adjusted_p", "family_size", "mde"]


@pytest.mark.parametrize("instants", [DATES[:1], (DATES[0], *DATES[:6])])
def test_dates_are_two_or_more_and_each_stands_once(instants: tuple[date, ...]) -> None:
    assert refused(changed(SEVERAL, instants=instants, hypothetical=(False,) * len(instants))) == ["instants"]
    for marks in ((), (False,)):
        assert refused(changed(SEVERAL, hypothetical=marks)) == ["hypothetical"]


@pytest.mark.parametrize("statistic", ["patell_z", "bmp_t", "csect_t", "grank_t", "date_bmp", "kp_bmq"])
def test_only_a_headline_test_may_be_printed(statistic: str) -> None:
    assert refused(changed(ONE, statistic=statistic)) == ["statistic"]


@pytest.mark.parametrize(("p", "detected"), [(0.0, True), (0.05, True), (0.0501, False), (1.0, False)])
@pytest.mark.parametrize("claim", [ONE, SEVERAL], ids=["one date", "several dates"])
def test_what_is_not_significant_is_not_called_nothing(claim: Claim | ClassClaim, p: float, detected: bool) -> None:
    text = sentence(changed(claim, adjusted_p=p))
    assert ("no reaction detected is not no reaction" in text) is not detected
    assert "could not have been detected" in text


def test_a_date_before_the_live_date_is_marked() -> None:
    assert sentence(changed(ONE, hypothetical=True)).startswith(
        "Hypothetical, before the live date of the index: in the"
    )
    assert "ypothetical" not in sentence(ONE)


@pytest.mark.parametrize(("move", "printed"), [(-0.0001, "+0.0 %"), (-0.1129, "-11.3 %"), (0.506, "+50.6 %")])
def test_a_move_keeps_its_sign(move: float, printed: str) -> None:
    assert f"moved {printed} against" in sentence(changed(ONE, move=move))


def test_a_window_around_the_event_is_spelled_out() -> None:
    assert sentence(changed(ONE, window=(-5, -1))).startswith("In sessions -5 to -1 around day 0, the first reacting")
    assert "sessions 0 to +10 around" in sentence(changed(ONE, window=(0, 10)))


@pytest.mark.parametrize(
    "words",
    [
        "news that caused a rally",
        "the index BENEFITS\nFROM floors",
        "it had  no effect",
        "Causes of a fall",
        "benefited from support",
    ],
)
@pytest.mark.parametrize("field", ["event", "benchmark", "weighting"])
def test_a_cause_cannot_be_smuggled_in(field: str, words: str) -> None:
    assert refused(changed(ONE, **{field: words})) == [field]


WORDS = ["causes", "what caused it", "benefits", "benefits from", "had no", "no effect", "from", "a floor", "Lynas"]
TEXT = st.text(max_size=30) | st.sampled_from(WORDS)


@given(
    claim=st.sampled_from([ONE, SEVERAL, FEW]),
    text=st.fixed_dictionaries({"benchmark": TEXT, "weighting": TEXT}),
    title=TEXT,
    missing=st.lists(TEXT, max_size=3).map(tuple),
    p=st.floats(0, 1),
    move=st.floats(-1, 10),
)
def test_whatever_is_handed_in_no_cause_is_claimed(
    claim: Claim | ClassClaim, text: dict[str, str], title: str, missing: tuple[str, ...], p: float, move: float
) -> None:
    name = "event" if isinstance(claim, Claim) else "event_class"
    try:
        said = sentence(changed(claim, **text, **{name: title}, missing=missing, adjusted_p=p, move=move))
    except DataError:
        return
    assert not FORBIDDEN.search(said)
    assert said.endswith(CAVEAT)
    assert "\n" not in said
    assert ("could not have been detected" in said) is (claim is not FEW)


def test_dates_that_are_left_out_are_counted_and_explained() -> None:
    part = changed(SEVERAL, happened=9, left_out=("2 in a compound event of several kinds",), names=(11, 15))
    text = sentence(part)
    assert text.startswith("On average over 7 of the 9 dates of the class export restriction (")
    assert "; left out: 2 in a compound event of several kinds), in sessions" in text
    assert "the 11 to 15 names a date (equal-weighted" in text
    assert refused(changed(SEVERAL, happened=9)) == ["left_out"]
    assert refused(changed(SEVERAL, left_out=("1 lost",))) == ["left_out"]
    assert refused(changed(SEVERAL, happened=6)) == ["happened", "left_out"]
