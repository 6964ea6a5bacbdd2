"""The adopted facts are sound; every way to break them is found, placed and worded."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from shutil import copytree
from time import perf_counter

import polars as pl
import pytest

from exchina.errors import DataError
from exchina.reference import check_reference, read_reference
from exchina.tables.reference import CONTRACTS


@pytest.fixture
def folder(root: Path, tmp_path: Path) -> Path:
    """A copy of the reference files that a test may break."""
    return copytree(root / "indices" / "reference", tmp_path / "reference")


@pytest.fixture
def told(folder: Path) -> Callable[[str, str, str], list[str]]:
    """The problems after one text in one file was replaced by another (once)."""

    def replace(file: str, old: str, new: str) -> list[str]:
        path = folder / f"{file}.csv"
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} no longer holds {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return [str(problem) for problem in check_reference(folder)]

    return replace


def test_the_adopted_facts_are_sound_and_typed(root: Path) -> None:
    reference = read_reference(root / "indices" / "reference")
    for name, contract in CONTRACTS.items():
        frame = getattr(reference, name)
        assert frame.height > 0
        assert frame.schema == pl.Schema({key: column.dtype.type for key, column in contract.columns.items()})


def test_values_are_those_of_the_files(root: Path) -> None:
    reference = read_reference(root / "indices" / "reference")
    shock = reference.policy_shocks.row(by_predicate=pl.col("id") == "S20101019-US-EU-EMBARGO", named=True)
    assert shock["event_date"] == date(2010, 10, 19)
    assert shock["direction"] == 1
    announced = reference.policy_shocks["announced_at"].drop_nulls().sort()
    assert announced.to_list() == [
        datetime(2021, 2, 16, 5, 36, tzinfo=UTC),
        datetime(2026, 6, 3, 12, 23, 25, tzinfo=UTC),
    ]
    shares = reference.exposures.row(0, named=True)
    assert (shares["metric"], shares["value"], shares["as_of"]) == (
        "shares_outstanding",
        163_310_000.0,
        date(2024, 4, 30),
    )
    domicile = reference.companies.filter(pl.col("country_of_domicile").is_null())["id"].to_list()
    assert domicile == ["imc-rare-earths"]


def test_reading_is_quick(root: Path) -> None:
    read_reference(root / "indices" / "reference")
    start = perf_counter()
    read_reference(root / "indices" / "reference")
    assert perf_counter() - start < 2  # about 0.3 s on one quiet core


def test_the_hash_follows_every_byte(folder: Path) -> None:
    before = read_reference(folder).content_hash
    assert read_reference(folder).content_hash == before
    path = folder / "venues.csv"
    path.write_bytes(path.read_bytes().replace(b"Toronto Stock Exchange", b"Toronto stock exchange", 1))
    assert read_reference(folder).content_hash != before


BROKEN = [
    (
        "companies",
        "aclara-resources,Aclara",
        "Aclara_Resources,Aclara",
        "companies.csv row 2, column id: found 'Aclara_Resources'",
    ),
    (
        "companies",
        ",medium,pure,listed,",
        ",medium,pur,listed,",
        "companies.csv row 2, column rare_earth_exposure: found 'pur'",
    ),
    (
        "companies",
        "alkane-resources,Alkane",
        "aclara-resources,Alkane",
        "companies.csv row 3, column id: repeats row 2",
    ),
    (
        "listings",
        "XTSE,CAD,true,2021-12-10",
        "XTSE,CAD,yes,2021-12-10",
        "listings.csv row 2, column primary: found 'yes'",
    ),
    (
        "listings",
        "XTSE,CAD,true,2021-12-10",
        "XTSE,CAD,true,10/12/2021",
        "listings.csv row 2, column first_trade_date: found '10/12/2021'",
    ),
    (
        "listings",
        "ARA.TO,XTSE",
        "ARA.TO,XTSEE",
        "listings.csv row 2, column mic: 'XTSEE' is not in venues.mic (did you mean 'XTSE'?)",
    ),
    ("listings", "XTSE,CAD", "XTSE,USD", "listings.csv row 2, column currency: USD, but XTSE trades in CAD"),
    ("listings", "ARA.TO,XTSE", "ARA.V,XTSE", "listings.csv row 2, column yahoo_symbol: 'ARA.V' does not end in '.TO'"),
    (
        "listings",
        "CAD,true,2021-12-10",
        "CAD,false,2021-12-10",
        "companies.csv row 2, column id: 'aclara-resources' has 0 primary listings",
    ),
    (
        "listings",
        "2021-12-10,,IPO",
        "2021-12-10,2020-01-01,IPO",
        "listings.csv row 2, column last_trade_date: 2020-01-01 is before",
    ),
    (
        "listings",
        ",exact",
        ",pre_2010",
        "listings.csv row 2, column first_trade_basis: first_trade_basis pre_2010 does not go",
    ),
    (
        "stages",
        "aclara-resources,developer",
        "aclara-resource,developer",
        "stages.csv row 2, column company_id: 'aclara-resource' is not in",
    ),
    (
        "stages",
        "developer,primary,2010-01-01,2020-07-29",
        "developer,primary,2010-01-01,2010-01-01",
        "stages.csv row 3, column valid_to: 2010-01-01 is not after",
    ),
    (
        "stages",
        "aclara-resources,developer,primary",
        "aclara-resources,developer,secondary",
        "companies.csv row 2, column id: 'aclara-resources' has no primary stage",
    ),
    (
        "policy_measures",
        "5000000,USD",
        "5000000,",
        "policy_measures.csv row 2, column amount_currency: of amount_value and amount_currency only one",
    ),
    (
        "policy_measures",
        "5000000,USD",
        '"5,000,000",USD',
        "policy_measures.csv row 2, column amount_value: found '5,000,000'",
    ),
    (
        "policy_measures",
        "equity,US-DFC,government",
        "equity,US-DCF,government",
        "policy_measures.csv row 2, column sponsor: 'US-DCF' is not in sponsors.sponsor (did you mean 'US-DFC'?)",
    ),
    (
        "policy_measures",
        "government,signed,2025-09-02",
        "government,sign,2025-09-02",
        "policy_measures.csv row 2, column status: found 'sign'",
    ),
    (
        "policy_shocks",
        "china_quota,CN-MOFCOM,+1",
        "china_quota,CN-MOFCOM,+2",
        "policy_shocks.csv row 2, column direction: found 2",
    ),
    (
        "policy_shocks",
        ",,Asia/Shanghai,date,",
        ",,Asia/Shanghai,minute,",
        "policy_shocks.csv row 2, column announced_at: time_precision minute does not go",
    ),
    (
        "policy_shocks",
        "2021-02-16T11:06:00+05:30",
        "2021-02-16 11:06",
        "column announced_at: found '2021-02-16 11:06' (write day, time and offset",
    ),
    (
        "corporate_actions",
        ",high,completed",
        ",high,announced",
        "corporate_actions.csv row 2, column effective_date: status announced does not go",
    ),
    (
        "corporate_actions",
        "ILU.AX-SPINOFF-2022",
        "ILU.AX-SPINOFF-2020",
        "corporate_actions.csv row 29, column id: repeats row 28",
    ),
    (
        "corporate_actions",
        "5471.T-SPLIT-2023",
        "5471.T split",
        "corporate_actions.csv row 16, column id: found '5471.T split' (symbol, type, year",
    ),
    (
        "corporate_actions",
        "ASM.AX-MERGER-STOCK-2026,",
        "ASM.AX-MERGER-STOCK-2026,2026-08-19",
        "corporate_actions.csv row 8, column ex_date: ex-date 2026-08-19 of an event whose day is not verified",
    ),
    (
        "corporate_actions",
        "2017-09-27,1,10,",
        "2017-09-27,1,,",
        "corporate_actions.csv row 15, column old_shares: of new_shares and old_shares only one",
    ),
    (
        "corporate_actions",
        "2017-09-27,1,10,",
        "2017-09-27,10,1,",
        "corporate_actions.csv row 15, column new_shares: a consolidation of 10 for 1 (new_shares for every old_shares",
    ),
    (
        "corporate_actions",
        ",MCPIQ,2015-06-26",
        ",MCPQ,2015-06-26",
        "column other_symbol: 'MCPQ' is not in listings.yahoo_symbol (did you mean 'MCPIQ'?)",
    ),
    (
        "corporate_actions",
        ",MCPIQ,2015-06-26",
        ",MCP,2015-06-26",
        "column other_symbol: MCP names the line itself",
    ),
    (
        "corporate_actions",
        ",high,completed",
        ",high,complete",
        "corporate_actions.csv row 2, column status: found 'complete' (allowed: announced, date_unverified, confirmed",
    ),
    (
        "exposures",
        "2024-04-30,2024-05-10",
        "2024-04-30,2024-04-10",
        "exposures.csv row 2, column known_date: known on 2024-04-10, before the day 2024-04-30",
    ),
    (
        "exposures",
        "163310000,shares",
        "163310000,t/y",
        "exposures.csv row 2, column unit: shares_outstanding is not measured in t/y",
    ),
    ("exposures", "163310000", "nan", "exposures.csv row 2, column value: found nan"),
    (
        "china_links",
        "0.0999,fraction",
        "9.99,fraction",
        "column value: found '9.99' (a share such as 0.0999, or one of none, minor, material",
    ),
    ("china_links", "0.0999,fraction", "0.0999,level", "column unit: ownership is not measured as a level"),
    ("china_links", "0.0999,fraction", "minor,fraction", "column value: minor is no fraction"),
    (
        "china_links",
        "2025-03-31,,2025-05-09",
        "2025-03-31,,2025-03-09",
        "column known_date: known on 2025-03-09, before the day 2025-03-31 from which it holds",
    ),
    (
        "china_links",
        "2018-10-31,2022-07-01",
        "2018-10-31,2018-07-01",
        "column valid_to: 2018-07-01 is not after valid_from 2018-10-31",
    ),
    (
        "china_links",
        "viagold,domicile",
        "viagolt,domicile",
        "column company_id: 'viagolt' is not in companies.id or related_entities.id (did you mean 'viagold'?)",
    ),
    ("china_links", "mp-materials,revenue", "mp-materials,sales", "column aspect: found 'sales' (allowed: domicile"),
    (
        "china_links",
        "Shenghe,0.031,fraction,2025-12-31,,2025-12-31",
        "Shenghe,0.08,fraction,2020-11-18,,2020-11-18",
        "repeats row",
    ),
    (
        "withholding",
        "AU,maximum,0.3,2010-01-01,",
        "AU,maximum,0.3,2010-01-01,2020-12-31",
        "withholding.csv row 2, column valid_to: no rate is given after 2020-12-31",
    ),
    (
        "withholding",
        "AU,maximum,0.3,",
        "AU,maximum,30,",
        "withholding.csv row 2, column rate: found 30.0 (must lie between 0 and 1)",
    ),
    (
        "venues",
        "10:00,16:00",
        "10:00,9:00",
        "venues.csv row 2, column close_local: found '9:00' (local time written hh:mm",
    ),
    (
        "related_entities",
        "serra-verde,Serra",
        "lynas-rare-earths,Serra",
        "related_entities.csv row 2, column id: 'lynas-rare-earths' is a company of the universe",
    ),
    (
        "sponsors",
        "national_government",
        "national_goverment",
        "sponsors.csv row 2, column credit_class: found 'national_goverment'",
    ),
    (
        "venues",
        "https://github.com/gerrymanoim/exchange_calendars,high",
        ",high",
        "venues.csv row 2, column source_url: no source is given, yet the confidence is high",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "expected"), BROKEN)
def test_each_fault_is_told(
    told: Callable[[str, str, str], list[str]], file: str, old: str, new: str, expected: str
) -> None:
    found = told(file, old, new)
    assert any(expected in text for text in found), found


def changed(folder: Path, file: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> list[str]:
    path = folder / f"{file}.csv"
    change(pl.read_csv(path, infer_schema=False)).write_csv(path)
    return [str(problem) for problem in check_reference(folder)]


def test_a_gap_and_an_overlap_between_primary_stages(folder: Path) -> None:
    primary = (
        pl.read_csv(folder / "stages.csv", infer_schema=False)
        .with_row_index("row", 2)
        .filter(pl.col("role") == "primary")
    )
    row = primary.filter(
        pl.col("valid_to").is_not_null() & (pl.col("company_id").shift(-1) == pl.col("company_id"))
    ).row(0, named=True)
    here = pl.int_range(pl.len()) == row["row"] - 2
    for end, kind in (("2010-01-02", "a gap follows"), ("2030-01-01", "two rows hold at once"), (None, "ends never")):
        found = changed(
            folder,
            "stages",
            lambda frame, end=end: frame.with_columns(valid_to=pl.when(here).then(pl.lit(end)).otherwise("valid_to")),
        )
        assert any(
            text.startswith(f"stages.csv row {row['row']}, column valid_to") and kind in text for text in found
        ), found


def test_a_gap_between_withholding_rates(folder: Path) -> None:
    found = changed(
        folder, "withholding", lambda frame: frame.with_columns(pl.col("valid_to").replace("2025-12-31", "2025-12-30"))
    )
    assert len(found) == 4
    assert all("a gap follows" in text for text in found)


def test_the_history_of_a_measure(folder: Path) -> None:
    assert changed(folder, "policy_measures", lambda frame: frame[::-1]) == []
    final = (pl.col("id") == "LYC-DOD-2022-HRE") & (pl.col("known_date") == "2023-08-01")
    found = changed(
        folder,
        "policy_measures",
        lambda frame: frame.with_columns(status=pl.when(final).then(pl.lit("expired")).otherwise("status")),
    )
    assert any("LYC-DOD-2022-HRE goes on after it was expired" in text for text in found)


def test_a_measure_may_belong_to_a_related_entity_but_not_to_a_stranger(
    told: Callable[[str, str, str], list[str]],
) -> None:
    found = told("policy_measures", "ARA-DFC-2025,aclara-resources", "ARA-DFC-2025,acalra-resources")
    assert any(
        "is not in companies.id or related_entities.id (did you mean 'aclara-resources'?)" in text for text in found
    )


def test_faults_of_all_files_are_raised_together(folder: Path) -> None:
    (folder / "venues.csv").unlink()
    for file, old, new in (
        ("stages", "producer", "produser"),
        ("sponsors", ",high", ",hihg"),
        ("exposures", ",high", ",hi"),
    ):
        path = folder / f"{file}.csv"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError) as raised:
        read_reference(folder)
    places = {problem.where.split()[0] for problem in raised.value.problems}
    assert {str(folder / "venues.csv"), "stages.csv", "sponsors.csv", "exposures.csv"} <= places
    assert len(check_reference(folder)) == len(raised.value.problems)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    found = check_reference(tmp_path / "nowhere")
    assert len(found) == len(CONTRACTS)
    assert all("No such file" in problem.what for problem in found)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "sponsors.csv: column 'sponsor' is missing"),
        (b"\xff\xfe\x00", "sponsors.csv: byte 1 is not UTF-8 text"),
        (b'sponsor,country\n"open', "sponsors.csv: is not a CSV file"),
        (b"sponsor,sponsor\nA,B\n", "sponsors.csv row 1: 2 columns are called 'sponsor'"),
        (b"sponsor,country\nA,B,C\n", "sponsors.csv row 2: has 3 cells where the header has 2"),
    ],
)
def test_a_file_that_is_no_table(folder: Path, content: bytes, expected: str) -> None:
    (folder / "sponsors.csv").write_bytes(content)
    assert any(str(problem).startswith(expected) for problem in check_reference(folder))


def test_what_a_spreadsheet_adds_is_harmless(folder: Path) -> None:
    for path in folder.glob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert check_reference(folder) == []


def test_weak_rows_are_listed_with_their_place(root: Path) -> None:
    reference = read_reference(root / "indices" / "reference")
    rows = reference.weak_facts
    assert rows.columns == ["file", "row", "company_id", "known", "confidence", "what"]
    assert set(rows["confidence"]) == {"low", "memory", "assumption"}
    stage = rows.row(by_predicate=pl.col("file") == "stages", named=True)
    lines = (root / "indices" / "reference" / "stages.csv").read_text(encoding="utf-8").splitlines()
    assert lines[stage["row"] - 1].startswith(stage["company_id"])
    assert lines[stage["row"] - 1].endswith(stage["confidence"])


def test_terms_and_days_of_actions_are_as_the_words_say(root: Path) -> None:
    actions = read_reference(root / "indices" / "reference").corporate_actions
    assert actions["id"].is_unique().all()
    assert actions["known_date"].null_count() == 0
    vague = pl.col("ratio_or_terms").str.contains("day approximate|day unverified|day to be|day from memory")
    assert actions.filter(vague)["ex_date"].null_count() == actions.filter(vague).height > 10
    said = actions.with_columns(
        words=pl.col("ratio_or_terms").str.extract_groups(r"(?:^|, )([0-9.]+) (?:new |[A-Z]{3} )?for ([0-9]+)")
    ).unnest("words")
    counted = said.filter(pl.col("1").is_not_null() & pl.col("type").is_in(["split", "consolidation", "spinoff"]))
    assert counted.height > 15
    assert counted.filter(
        (pl.col("1").cast(pl.Float64) != pl.col("new_shares")) | (pl.col("2").cast(pl.Float64) != pl.col("old_shares"))
    ).is_empty()


def test_links_to_china_are_measured_as_their_aspect_asks(root: Path) -> None:
    links = read_reference(root / "indices" / "reference").china_links
    shares = links.filter(pl.col("unit") == "fraction")
    assert set(shares["aspect"]) == {"ownership", "revenue"}
    assert shares["value"].cast(pl.Float64).is_between(0, 1).all()
    assert set(links.filter(pl.col("unit") == "level")["value"]) == {"none", "minor", "material"}
    unsourced = links.filter(pl.col("source_url").is_null())
    assert set(unsourced["confidence"]) == {"memory"}
