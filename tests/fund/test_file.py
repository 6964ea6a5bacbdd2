"""Fund files: every fault at once, each with its place, its figures and a cure; and the files of the workspace."""

from dataclasses import fields, replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from exchina.errors import DataError, RulebookError
from exchina.fund import terms
from exchina.fund.file import LINES, fund_in_english, parse_fund
from exchina.workspace import Workspace

SMALLEST = """
[fund]
id = "small"
name = "Small Fund"
currency = "USD"
launch = 2018-01-05
law = "ucits"
benchmark = "NTR"

[vehicle]
fee = { per_year = 0.0059, why = "As its rivals." }
"""
TEXT = """
[fund]
id = "chain-etf"
name = "Chain ETF"
currency = "USD"
launch = 2018-01-05
law = "us_1940_act"
benchmark = "NTR"
share_price = 25.0
seed = 10e6

[vehicle]
fee = { per_year = 0.0059, why = "The fee of the nearest rival." }
distribution = { policy = "distributing", months = [12], why = "Income must go out." }
withholding = { profile = "treaty_us_ric", why = "An American fund." }
hedge = { ratio = 0.5, currencies = ["JPY"], why = "Half of the yen." }

[dealing]
creation = { unit_shares = 50000, fee = 500, cash_only = ["XKRX"], why = "Seoul is not delivered." }
flows = { model = "steady", per_year = 0.2, why = "A young fund grows." }

[holdings]
cash = { target = 0.002, band = 0.0, why = "For the fee." }
lots = { shares = 1, venues = { XTKS = 100 }, why = "Tokyo trades in hundreds." }
costs = { impact = 0.7, why = "The square-root law." }

[replication]
stratified = { count = 8, by = ["stage"], why = "Each stage at its weight." }
execution = { first = -1, last = 1, why = "Three closes." }

[limits]
ric = { why = "Else it is taxed." }
votes = { law = "us_1940_act", why = "Small miners." }
"""
ACCUMULATING = ('"distributing", months = [12]', '"accumulating"')
US, UCITS = 'law = "us_1940_act"\nbenchmark', 'law = "ucits"\nbenchmark'
FEE = 'fee = { per_year = 0.0059, why = "The fee of the nearest rival." }'
RIC = 'profile = "treaty_us_ric"'


def faults(text: str) -> list[str]:
    with pytest.raises(RulebookError) as caught:
        parse_fund(text, "f.toml")
    return [str(problem) for problem in caught.value.problems]


def changed(*pairs: tuple[str, str]) -> str:
    text = TEXT
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_every_line_is_read() -> None:
    fund = parse_fund(TEXT)
    assert fund.facts == terms.FundFacts(
        "chain-etf", "Chain ETF", "USD", date(2018, 1, 5), "us_1940_act", "NTR", 25.0, 10e6
    )
    assert fund.fee == terms.Fee(0.0059)
    assert fund.distribution == terms.Distribution("distributing", (12,))
    assert fund.withholding == terms.Withholding("treaty_us_ric")
    assert fund.hedge == terms.Hedge(0.5, ("JPY",))
    assert fund.creation == terms.Creation(50_000, fee=500, cash_only=("XKRX",))
    assert fund.flows == terms.Chosen("steady", {"per_year": 0.2}, "A young fund grows.")
    assert fund.cash == terms.Cash(0.002)
    assert fund.lots == terms.Lots(1, {"XTKS": 100})
    assert fund.costs == terms.Costs(True, 0.7)
    assert fund.replication == terms.Chosen("stratified", {"count": 8, "by": ("stage",)}, "Each stage at its weight.")
    assert fund.execution == terms.Execution(-1, 1)
    assert fund.limits == (
        terms.Chosen("ric", {"year_ends": 12}, "Else it is taxed."),
        terms.Chosen("votes", {"law": "us_1940_act", "at_most": 0.1}, "Small miners."),
    )
    assert fund.why["vehicle.fee"] == "The fee of the nearest rival."
    assert fund.why["replication.execution"] == "Three closes."
    assert len(fund.why) == TEXT.count("why =")
    assert (fund.text, fund.content_hash) == (TEXT, sha256(TEXT.encode()).hexdigest())


def test_what_a_file_does_not_say_is_without_friction() -> None:
    said = parse_fund(SMALLEST)
    plain = terms.Fund(said.facts, said.fee)
    assert replace(said, why={}, text="", content_hash="") == plain
    assert said.why == {"vehicle.fee": "As its rivals."}


def test_every_noun_of_a_fund_has_its_line() -> None:
    lines = {name for table in LINES.values() for name in table}
    chosen, own = {"replication", "flows", "limits"}, {"facts", "why", "text", "content_hash"}
    assert {one.name for one in fields(terms.Fund)} == lines | chosen | own


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "per_year = 0.0059",
            "per_year = 40",
            "f.toml: vehicle.fee.per_year: 40 is 4,000% of net assets a year "
            "(a fee is a fraction from 0 to 0.05, such as 0.0059 for 0.59 %)",
        ),
        ("per_year = 0.0059", "per_year = 0.59", "0.59 is 59% of net assets a year"),
        ("per_year = 0.0059", 'per_year = "0.59 %"', "vehicle.fee.per_year: Input should be a valid number"),
        (
            "per_year = 0.0059",
            "per_yaer = 0.0059",
            "vehicle.fee.per_yaer: vehicle.fee has no setting 'per_yaer' (did you mean 'per_year'?)",
        ),
        ("per_year = 0.0059", "per_yaer = 0.0059", "vehicle.fee.per_year: this setting is required"),
        (', why = "The fee of the nearest rival."', "", "vehicle.fee.why: every line says why it is there"),
        ('why = "The fee of the nearest rival."', "why = 3", "vehicle.fee.why: every line says why it is there"),
        ('why = "The fee of the nearest rival."', 'why = " "', "vehicle.fee.why: every line says why it is there"),
        (
            FEE,
            "",
            "vehicle.fee: this line is required",
        ),
        (
            FEE,
            "fee = 0.0059",
            'vehicle.fee: found 0.0059 (write fee = { settings, why = "..." })',
        ),
        ("[holdings]", "[holding]", "holding: no table called [holding] (did you mean 'holdings'?)"),
        ("[holdings]", "[[holdings]]", "([holdings] is a table)"),
        ("[fund]", "[fnud]", "fund: the table [fund] is missing"),
        ("[fund]", "[fund", "not valid TOML"),
        ("lots =", "lotz =", "holdings.lotz: [holdings] has no line 'lotz' (did you mean 'lots'?)"),
        ('currency = "USD"', 'currency = "usd"', "fund.currency"),
        ('currency = "USD"', 'currency = "USD"\nlunch = 1', "[fund] has no setting 'lunch' (did you mean 'launch'?)"),
        ("launch = 2018-01-05", "launch = 2018", "fund.launch"),
        ("XTKS = 100", "XTKS = 0", "holdings.lots.venues.XTKS: Input should be greater than or equal to 1, found 0"),
        ("months = [12]", "months = [13]", "vehicle.distribution.months.0"),
        ('model = "steady", ', "", "dealing.flows.model: this setting is required (one of follows_return, given"),
        ('model = "steady"', 'model = "stedy"', "no flow model called 'stedy' (did you mean 'steady'?)"),
        ("per_year = 0.2,", "per_yaer = 0.2,", "flow model 'steady' has no setting 'per_yaer'"),
        ("stratified =", "stratifed =", "[replication] has no line 'stratifed' (did you mean 'stratified'?)"),
        ("execution =", "excution =", "[replication] has no line 'excution' (did you mean 'execution'?)"),
        ("count = 8, ", "", "replication.stratified.count: this setting is required"),
        (
            "[replication]",
            '[replication]\nfull = { why = "x" }',
            "replication.stratified: a second method beside full (keep one)",
        ),
        ("ric = {", "rik = {", "[limits] has no line 'rik' (did you mean 'ric'?)"),
        ("ric = {", "ric = { year_end = 3,", "limits.ric.year_end: fund limit 'ric' has no setting 'year_end'"),
    ],
)
def test_each_fault_says_what_and_how_to_mend(old: str, new: str, fault: str) -> None:
    assert any(fault in found for found in faults(changed((old, new))))


@pytest.mark.parametrize(
    ("pairs", "place", "figures"),
    [
        ([("months = [12], ", "")], "vehicle.distribution.months", "found [] for a fund that is distributing"),
        (
            [(US, UCITS), (RIC, 'profile = "maximum"'), ('"distributing"', '"accumulating"')],
            "vehicle.distribution.months",
            "found [12] for a fund that is accumulating",
        ),
        ([ACCUMULATING], "vehicle.distribution.policy", "90 % must be distributed"),
        ([(RIC, 'profile = "treaty_ucits_ie"')], "vehicle.withholding.profile", "treaty_ucits_ie is a European fund's"),
        ([(RIC, 'profile = "treaty_ucits_lu"')], "vehicle.withholding.profile", "treaty_ucits_lu is a European fund's"),
        ([(US, UCITS)], "vehicle.withholding.profile", "treaty_us_ric is a US fund's"),
        (
            [("[holdings]", 'swing = { over = 0.01, factor = 0.003, why = "x" }\n[holdings]')],
            "dealing.swing",
            "rule 22c-1(a)(3)",
        ),
        (
            [(US, UCITS), ("[holdings]", 'swing = { factor = 0.003, why = "x" }\n[holdings]')],
            "dealing.swing.over",
            "0.30%",
        ),
        ([('["JPY"]', '["JPY", "USD"]')], "vehicle.hedge.currencies", "USD is the fund's own currency"),
        ([("first = -1", "first = 3")], "replication.execution", "ends 1 sessions from the effective close, before it"),
        (
            [("unit_shares = 50000", "unit_shares = 400001")],
            "dealing.creation.unit_shares",
            "a unit of 400,001 shares, and the seed makes 400,000 (10,000,000 at 25)",
        ),
        ([("shares = 1", "shares = 0")], "holdings.lots", "lots of XTKS beside fractions"),
        (
            [(RIC, RIC + ', relief = "reclaim"')],
            "vehicle.withholding.reclaimed_after_days",
            "relief at source",
        ),
        ([(RIC, RIC + ", recovered = 0.8")], "vehicle.withholding.recovered", "nothing is claimed back"),
        (
            [(RIC, 'profile = "maximum", relief = "reclaim", reclaimed_after_days = 540')],
            "vehicle.withholding.profile",
            "nothing can be claimed back",
        ),
        (
            [('votes = { law = "us_1940_act"', 'votes = { law = "ucits"')],
            "limits.votes.law",
            "ucits, and the fund is under us_1940_act",
        ),
    ],
)
def test_terms_that_contradict_each_other(pairs: list[tuple[str, str]], place: str, figures: str) -> None:
    found = faults(changed(*pairs))
    mine = [one for one in found if one.startswith(f"f.toml: {place}: ")]
    assert len(mine) == 1, found
    assert figures in mine[0]
    assert mine[0].endswith(")"), "no cure"


def test_a_seed_of_just_one_unit_and_a_target_without_a_band_are_sound() -> None:
    assert parse_fund(changed(("unit_shares = 50000", "unit_shares = 400000"))).cash.band == 0


def test_all_faults_at_once() -> None:
    found = faults(
        changed(
            ("[limits]", "[limit]\n[limits]"),
            ("per_year = 0.0059", "per_year = 40"),
            ('currency = "USD"', 'currency = "usd"'),
            ("lots =", "lotz ="),
            ("ric = {", "rik = {"),
            ('model = "steady"', 'model = "stedy"'),
            (', why = "Three closes."', ""),
        )
    )
    places = ["limit", "fund.currency", "vehicle.fee.per_year", "dealing.flows", "holdings.lotz"]
    assert [one.split(": ")[1] for one in found] == [*places, "replication.execution.why", "limits.rik"]


def test_contradictions_stand_beside_other_faults() -> None:
    pairs = [("per_year = 0.0059", "per_year = 40"), ("first = -1", "first = 3"), (RIC, RIC + ", recovered = 0.8")]
    places = ["vehicle.fee.per_year", "vehicle.withholding.recovered", "replication.execution"]
    assert [one.split(": ")[1] for one in faults(changed(*pairs))] == places
    places.insert(0, "fund.currency")
    assert [one.split(": ")[1] for one in faults(changed(*pairs, ('"USD"', '"usd"')))] == places


def test_a_line_that_cannot_be_read_contradicts_nothing() -> None:
    found = faults(changed(("months = [12]", "months = [13]")))
    assert len(found) == 1


def test_the_same_text_is_the_same_fund() -> None:
    assert parse_fund(TEXT) == parse_fund(TEXT)
    assert parse_fund(TEXT + "\n").content_hash != parse_fund(TEXT).content_hash


def test_english_says_every_line_and_its_why() -> None:
    fund = parse_fund(TEXT)
    said = fund_in_english(fund)
    assert "10,000,000 USD" in said
    assert "dealing.flows: steady, per year 0.2. A young fund grows." in said
    assert "holdings.lots: shares 1, venues XTKS 100. Tokyo trades in hundreds." in said
    assert "limits.ric: year ends 12. Else it is taxed." in said
    for place, why in fund.why.items():
        assert f"{place}: ".replace("_", " ") in said
        assert why in said


def fund_files(root: Path) -> list[Path]:
    return sorted((root / "indices").glob("*/funds/*.toml"))


def test_every_fund_file_of_the_workspace_is_sound(root: Path) -> None:
    files = fund_files(root)
    assert {path.parts[-3] for path in files} >= {"magnet-chain", "ex-china-core"}
    for path in files:
        fund = parse_fund(path.read_text(), str(path))
        assert fund.facts.id == path.stem
        assert fund.limits
        assert min(len(words) for words in fund.why.values()) >= 20
        assert all(one.why for one in (fund.flows, fund.replication, *fund.limits))
        fund_in_english(fund)


def test_their_markets_exist(root: Path) -> None:
    known = {line.split(",")[0] for line in (root / "indices/reference/venues.csv").read_text().splitlines()[1:]}
    for path in fund_files(root):
        fund = parse_fund(path.read_text(), str(path))
        assert {*fund.lots.venues, *fund.creation.cash_only, fund.facts.listed_on} <= known


def test_the_workspace_finds_its_funds(tmp_path: Path) -> None:
    for index, names in {"chain": ("us", "acc"), "empty": ()}.items():
        (tmp_path / "indices" / index / "funds").mkdir(parents=True)
        (tmp_path / "indices" / index / "rulebook.toml").touch()
        for name in names:
            (tmp_path / "indices" / index / "funds" / f"{name}.toml").touch()
    place = Workspace(tmp_path)
    assert place.fund_ids("chain") == ["acc", "us"]
    assert place.fund_ids("empty") == []
    assert place.fund("chain", "us") == tmp_path / "indices" / "chain" / "funds" / "us.toml"
    with pytest.raises(DataError, match=r"no fund called 'uss' \(did you mean 'us'\?\)"):
        place.fund("chain", "uss")
    with pytest.raises(DataError, match=r"no fund called 'us' \(none is known\)"):
        place.fund("empty", "us")
    with pytest.raises(DataError, match=r"no index called 'chian' \(did you mean 'chain'\?\)"):
        place.fund_ids("chian")
