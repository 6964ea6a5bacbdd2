import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from exchina.errors import DataError
from exchina.market import Delivery, provider
from exchina.market.intake.mapping import Prices
from exchina.market.intake.readers import read_prices
from exchina.market.providers.files import files
from exchina.market.store import save
from exchina.model import Reference
from exchina.tables.checking import problems
from exchina.tables.market import CONTRACTS

HEAD = '[source]\ndescription = "A test."\n'
PLAIN = HEAD + '[[prices]]\npath = "prices.csv"\n'
RATES = '[[fx]]\npath = "rates.csv"\n'


def delivered(reference: Reference, folder: Path, mapping: str, **sheets: str) -> Delivery:
    for name, text in sheets.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "mapping.toml").write_text(mapping)
    return files(reference, mapping=folder / "mapping.toml")


def refused(reference: Reference, folder: Path, mapping: str, **sheets: str) -> list[str]:
    with pytest.raises(DataError) as caught:
        delivered(reference, folder, mapping, **sheets)
    return [str(problem) for problem in caught.value.problems]


def real(shared: Path, rest: str) -> str:
    return rest.replace("REAL", str(shared / "market" / "real"))


def test_the_smallest_mapping(reference: Reference, tmp_path: Path) -> None:
    given = "session,symbol,close\n2025-07-09,MP,30.03\n2025-07-10,MP,45.23\n"
    delivery = delivered(reference, tmp_path, PLAIN, prices=given)
    assert delivery.kind == "file"
    assert delivery.source == "A test."
    assert delivery.tables["prices"].rows() == [
        ("MP", date(2025, 7, 9), 30.03, None, date(2025, 7, 9)),
        ("MP", date(2025, 7, 10), 45.23, None, date(2025, 7, 10)),
    ]
    assert delivery.tables["sessions"].filter(calendar="XNYS")["session"].max() == date(2026, 12, 31)
    assert any("No share count for MP" in notice for notice in delivery.notices)


def test_every_table_has_its_file(reference: Reference, tmp_path: Path) -> None:
    mapping = (
        HEAD
        + """
[[prices]]
path = "prices.csv"
session = "day"
symbol = { is = "RBW.L" }
close = "px"
known_date = "seen"
[[dividends]]
path = "dividends.csv"
[[splits]]
path = "splits.csv"
[[shares]]
path = "shares.csv"
[[floats]]
path = "floats.csv"
[[fx]]
path = "fx.csv"
[[benchmarks]]
path = "benchmarks.csv"
"""
    )
    delivery = delivered(
        reference,
        tmp_path,
        mapping,
        prices="day,px,seen\n2025-07-09,12.5,2025-07-09\n2025-07-10,13,2025-07-11\n",
        dividends="ex_date,symbol,amount\n2025-07-10,RBW.L,0.5\n",
        splits="ex_date,symbol,ratio\n2025-07-10,RBW.L,0.1\n",
        shares="effective_date,symbol,shares\n2025-07-01,RBW.L,1000000\n",
        floats="effective_date,symbol,free_float_factor\n2025-07-01,RBW.L,0.6\n",
        fx="session,currency,usd_per_unit\n2025-07-09,GBP,1.36\n2025-07-09,USD,1\n",
        benchmarks="session,symbol,level\n2025-07-09,^FTSE,8867.02\n",
    )
    tables = delivery.tables
    assert tables["prices"]["close"].to_list() == [0.125, 0.13]
    assert tables["prices"]["known_date"][1] == date(2025, 7, 11)
    assert tables["dividends"].row(0) == (
        *("RBW.L", date(2025, 7, 10), 0.005, "GBP", "ordinary"),
        *(0.0, "confirmed", date(2025, 7, 10)),
    )
    assert tables["floats"]["basis"].to_list() == ["reported"]
    assert tables["fx"]["currency"].to_list() == ["GBP"]
    assert delivery.assumptions == ()
    assert delivery.notices == ()
    assert all(problems(tables[name], contract, name) == [] for name, contract in CONTRACTS.items() if name in tables)


def test_parquet_is_read_too(reference: Reference, tmp_path: Path) -> None:
    frame = pl.DataFrame({"session": [date(2025, 7, 9)], "symbol": ["MP"], "close": [30.03]})
    frame.write_parquet(tmp_path / "prices.parquet")
    delivery = delivered(reference, tmp_path, PLAIN.replace(".csv", ".parquet"))
    assert delivery.tables["prices"]["close"].to_list() == [30.03]


def test_a_url_is_opened_as_it_stands(reference: Reference, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("session,symbol,close\n2025-07-09,MP,30.03\n")
    mapping = PLAIN.replace("prices.csv", (tmp_path / "p.csv").as_uri())
    (tmp_path / "elsewhere").mkdir()
    assert delivered(reference, tmp_path / "elsewhere", mapping).tables["prices"].height == 1


def test_a_column_of_the_file_may_be_called_row(reference: Reference, tmp_path: Path) -> None:
    given = "row,session,symbol,close\n7,2025-07-09,MP,30.03\n"
    assert delivered(reference, tmp_path, PLAIN, prices=given).tables["prices"].height == 1


def test_a_secret_in_a_url_is_not_repeated(reference: Reference, tmp_path: Path) -> None:
    (said,) = refused(reference, tmp_path, PLAIN.replace("prices.csv", "gone.csv?token=hidden"))
    assert said.startswith("gone.csv: cannot be read")
    assert "hidden" not in said


def test_the_register_knows_the_settings() -> None:
    checked, faults = provider.checked_settings("fetch", "files", {"mapping": "mine.toml"})
    assert (checked, faults) == ({"mapping": Path("mine.toml")}, [])
    checked, faults = provider.checked_settings("fetch", "sample", {"through": "2020-01-31"})
    assert (checked["through"], faults) == (date(2020, 1, 31), [])


def test_every_bad_cell_is_named(reference: Reference, tmp_path: Path) -> None:
    rows = ["NaN", "", "0", "-1", "inf", "ten", "30.03"]
    given = "session,symbol,close\n" + "".join(f"2025-07-{day:02},MP,{cell}\n" for day, cell in enumerate(rows, 1))
    given += "10/07/2025,MP,31\n2025-07-10,MPP,31\n"
    said = refused(reference, tmp_path, PLAIN, prices=given)
    places = [line.split(":")[0] for line in said if "column close" in line]
    assert sorted(places) == [f"prices.csv row {row}, column close" for row in range(2, 8)]
    assert "found 'NaN'" in "\n".join(said)
    assert any(line.startswith("prices.csv row 9, column session: found '10/07/2025'") for line in said)
    assert any("row 10" in line and "'MPP' is no listing" in line and "did you mean 'MP'?" in line for line in said)
    assert len(said) == 8


def test_repeats_and_disorder_are_named(reference: Reference, tmp_path: Path) -> None:
    given = "session,symbol,close\n2025-07-10,MP,1\n2025-07-09,MP,2\n2025-07-10,MP,3\n"
    said = refused(reference, tmp_path, PLAIN, prices=given)
    assert said[0].startswith("prices.csv row 3, column session: 2025-07-09 stands below a later day")
    assert said[1].startswith("prices.csv row 4, column symbol+session: repeats prices.csv row 2: 'MP', 2025-07-10")


def test_a_row_in_two_files_is_a_repeat(reference: Reference, tmp_path: Path) -> None:
    given = "session,symbol,close\n2025-07-10,MP,1\n"
    mapping = PLAIN + '[[prices]]\npath = "more.csv"\n'
    (said,) = refused(reference, tmp_path, mapping, prices=given, more=given)
    assert said.startswith("more.csv row 2, column symbol+session: repeats prices.csv row 2")


def test_what_is_missing_is_named(reference: Reference, tmp_path: Path) -> None:
    mapping = PLAIN + 'close = "clos"\nvolume = "vol"\n[[prices]]\npath = "gone.csv"\n' + RATES
    said = "\n".join(refused(reference, tmp_path, mapping, prices="session,symbol,close\n", rates="session\n"))
    assert "prices.csv: no column 'clos' for close (did you mean 'close'?)" in said
    assert "prices.csv: no column 'vol' for volume" in said
    assert "gone.csv: cannot be read" in said
    assert "rates.csv: no column 'currency' for currency" in said


def test_a_long_list_is_counted(reference: Reference, tmp_path: Path) -> None:
    given = "session,symbol,close\n" + "".join(f"2025-07-{day:02},MP,0\n" for day in range(1, 31))
    said = refused(reference, tmp_path, PLAIN, prices=given)
    assert len(said) == 21
    assert said[-1] == "prices.csv, column close: and 10 more like these"


def test_the_mapping_itself_is_checked(reference: Reference, tmp_path: Path) -> None:
    mapping = '[sorce]\n[[prices]]\npth = "x"\nsymbol = { iss = "MP" }\n[assume]\nfree_float_factor = 2\n'
    said = "\n".join(refused(reference, tmp_path, mapping))
    assert "mapping.toml: has no setting 'sorce' (did you mean 'source'?)" in said
    assert "mapping.toml prices 1: has no setting 'pth' (did you mean 'path'?)" in said
    assert "mapping.toml prices 1 symbol: has no setting 'iss' (did you mean 'is'?)" in said
    assert "mapping.toml assume free_float_factor: Input should be less than or equal to 1" in said


def test_rows_before_a_listing_are_refused_or_cut(reference: Reference, tmp_path: Path) -> None:
    given = "session,symbol,close\n2025-03-12,USAR,11.20\n2025-03-13,USAR,10.78\n2025-03-14,USAR,18.55\n"
    said = refused(reference, tmp_path, PLAIN, prices=given)
    assert [line.split(":")[0] for line in said] == [f"prices.csv row {row}, column session" for row in (2, 3)]
    assert 'outside_listing_window = "cut"' in said[0]
    delivery = delivered(reference, tmp_path, PLAIN + 'outside_listing_window = "cut"\n', prices=given)
    assert delivery.tables["prices"]["close"].to_list() == [18.55]
    assert "prices.csv: 2 rows of USAR outside its time of listing were cut." in delivery.notices


def test_a_currency_needs_its_rate_from_the_first_day(reference: Reference, tmp_path: Path) -> None:
    given = "session,symbol,close\n2025-07-09,LYC.AX,8\n"
    (said,) = refused(reference, tmp_path, PLAIN, prices=given)
    assert said.startswith("prices.csv: no AUD exchange rate on 2025-07-09: there is none")
    late = "session,currency,usd_per_unit\n2025-07-10,AUD,0.65\n"
    (said,) = refused(reference, tmp_path, PLAIN + RATES, prices=given, rates=late)
    assert "the first is of 2025-07-10" in said


def test_wide_rates(reference: Reference, tmp_path: Path) -> None:
    given = "session,symbol,close\n2025-07-10,LYC.AX,8\n"
    mapping = PLAIN + RATES + 'layout = "wide"\nsession = "Date"\n'
    wide = "Date,USD,AUD,JPY,\n2025-07-09,1.17,1.80,N/A,\n2025-07-10,1.1709,1.7873,171.33,\n"
    rates = delivered(reference, tmp_path, mapping, prices=given, rates=wide).tables["fx"]
    found = {(currency, day.day): rate for currency, day, rate, _ in rates.iter_rows()}
    assert sorted(found) == [("AUD", 9), ("AUD", 10), ("EUR", 9), ("EUR", 10), ("JPY", 10)]
    assert found["AUD", 10] == pytest.approx(1.1709 / 1.7873, abs=0)
    assert found["EUR", 10] == 1.1709


def test_an_assumed_float_says_so(reference: Reference, tmp_path: Path) -> None:
    mapping = PLAIN + '[[floats]]\npath = "floats.csv"\n[assume]\nfree_float_factor = 0.8\n'
    prices = "session,symbol,close\n2025-07-10,MP,45\n2025-07-10,UUUU,6\n"
    floats = "effective_date,symbol,free_float_factor\n2025-01-01,MP,0.9\n"
    delivery = delivered(reference, tmp_path, mapping, prices=prices, floats=floats)
    assert [row[:4] for row in delivery.tables["floats"].iter_rows()] == [
        ("MP", date(2025, 1, 1), 0.9, "reported"),
        ("UUUU", date(2025, 7, 10), 0.8, "assumed"),
    ]
    assert delivery.assumptions == ("Free float of UUUU assumed to be 80% of the shares.",)


def test_share_counts_come_from_market_values(reference: Reference, tmp_path: Path) -> None:
    mapping = PLAIN + 'market_cap_usd = "cap"\n' + RATES
    prices = "session,symbol,close,cap\n2025-07-09,LYC.AX,8,520\n2025-07-10,LYC.AX,10,650\n2025-07-11,LYC.AX,10,\n"
    prices += "2025-07-14,LYC.AX,10,1300\n"
    rates = "session,currency,usd_per_unit\n2025-07-08,AUD,0.65\n"
    shares = delivered(reference, tmp_path, mapping, prices=prices, rates=rates).tables["shares"]
    assert shares.rows() == [
        ("LYC.AX", date(2025, 7, 9), 100.0, date(2025, 7, 9)),
        ("LYC.AX", date(2025, 7, 14), 200.0, date(2025, 7, 14)),
    ]


LONDON = "session,symbol,close\n2025-07-09,RBW.L,12.5\n"
POUNDS = "session,currency,usd_per_unit\n2025-07-09,GBP,1.36\n"
ACTIONS = PLAIN + RATES + '[[actions]]\npath = "actions.csv"\n'


def test_actions_are_read(reference: Reference, tmp_path: Path) -> None:
    given = "id,symbol,type,ex_date,status,new,old,price,other,underwritten\n"
    given += "r1,RBW.L,rights_issue,2025-08-01,confirmed,1,5,8,,TRUE\n"
    given += "r2,RBW.L,redomicile,2025-09-01,announced,,,,AU,\n"
    mapping = ACTIONS + 'known_date = "seen"\n'
    given = "\n".join(f"{line},{seen}" for line, seen in zip(given.split(), ("seen", *["2025-07-01"] * 2), strict=True))
    tables = delivered(reference, tmp_path, mapping, prices=LONDON, rates=POUNDS, actions=given).tables
    assert problems(tables["actions"], CONTRACTS["actions"], "actions") == []
    rights, move = tables["actions"].to_dicts()
    assert (rights["new"], rights["old"], rights["price"], rights["amount"]) == (1.0, 5.0, 0.08, None)
    assert (rights["underwritten"], rights["source"]) == (True, "actions.csv row 2")
    assert (rights["ex_date"], rights["known_date"]) == (date(2025, 8, 1), date(2025, 7, 1))
    assert (move["other"], move["underwritten"], move["source"]) == ("AU", None, "actions.csv row 3")


def test_every_fault_of_an_action_is_named_at_once(reference: Reference, tmp_path: Path) -> None:
    given = "id,symbol,type,ex_date,status,neu,old,price,other\n"
    given += "a,RBW.L,spin_off,2025-08-01,confirmed,1,5,,MPP\n"
    given += "b,RBW.LL,delistng,2025-08-01,sure,,,,\n"
    given += "c,RBW.L,takeover,2025-08-01,confirmed,,,,\n"
    given += "d,RBW.L,rights_issue,2025-08-01,announced,0,5,ten,\n"
    given += "e,RBW.L,redomicile,soon,announced,,,,Australia\n"
    given += "f,RBW.L,redomicile,2025-08-01,announced,,,,Australia\n" * 2
    said = refused(reference, tmp_path, ACTIONS + 'new = "neu"\n', prices=LONDON, rates=POUNDS, actions=given)
    assert sorted(line.split(":")[0] for line in said) == [
        "actions.csv row 2, column other",
        "actions.csv row 3, column status",
        "actions.csv row 3, column symbol",
        "actions.csv row 3, column type",
        "actions.csv row 4, column price",
        "actions.csv row 5, column neu",
        "actions.csv row 5, column price",
        "actions.csv row 6, column ex_date",
        "actions.csv row 7, column other",
        "actions.csv row 8, column id",
        "actions.csv row 8, column other",
    ]
    text = "\n".join(said)
    assert "did you mean 'delisting'?" in text
    assert "'MPP' is no listing of the reference (did you mean 'MP'?)" in text
    assert "event c, takeover of RBW.L, has no price" in text
    assert "'Australia' is no country" in text


def test_an_own_row_can_withdraw_a_registered_action(reference: Reference, tmp_path: Path) -> None:
    own = "id,symbol,type,ex_date,status\nPEK.AX-MERGER-CASH-2025,PEK.AX,takeover,2025-09-22,withdrawn\n"
    delivery = delivered(reference, tmp_path, ACTIONS, prices=PEAK, rates=MONEY, actions=own)
    assert delivery.tables["actions"]["status"].to_list() == ["withdrawn"]
    assert not any("PEK.AX" in notice for notice in delivery.notices if notice.startswith("Registered"))


def test_an_action_needs_the_columns_that_the_mapping_names(reference: Reference, tmp_path: Path) -> None:
    given = "id,symbol,type,ex_date,status\n"
    mapping = ACTIONS + 'price = "offer"\n'
    (said,) = refused(reference, tmp_path, mapping, prices=LONDON, rates=POUNDS, actions=given)
    assert said.startswith("actions.csv: no column 'offer' for price")
    (said,) = refused(reference, tmp_path, ACTIONS, prices=LONDON, rates=POUNDS, actions="id,symbol,type,ex_date\n")
    assert said.startswith("actions.csv: no column 'status' for status")


def test_forwards_cash_rates_and_richer_dividends(reference: Reference, tmp_path: Path) -> None:
    mapping = PLAIN + RATES + '[[forwards]]\npath = "forwards.csv"\n[[cash_rates]]\npath = "cash.csv"\n'
    mapping += '[[dividends]]\npath = "paid.csv"\nfranked = "tax_free"\nstatus = "status"\ntype = "kind"\n'
    sheets = {
        "prices": LONDON,
        "rates": POUNDS,
        "forwards": "session,currency,usd_per_unit\n2025-07-09,GBP,1.3605\n2025-07-09,USD,1\n",
        "cash": "session,currency,rate\n2025-07-09,GBP,0.042\n2025-07-09,USD,-0.001\n",
        "paid": "ex_date,symbol,amount,kind,tax_free,status\n2025-07-10,RBW.L,2,return_of_capital,0.7,estimated\n",
    }
    tables = delivered(reference, tmp_path, mapping, **sheets).tables
    assert tables["forwards"].rows() == [("GBP", date(2025, 7, 9), 1.3605, date(2025, 7, 9))]
    assert tables["cash_rates"]["rate"].to_list() == [0.042, -0.001]
    paid = tables["dividends"].row(0, named=True)
    assert (paid["amount"], paid["type"], paid["franked"], paid["status"]) == (
        *(0.02, "return_of_capital"),
        *(0.7, "estimated"),
    )
    sheets |= {"cash": "session,currency,rate\n2025-07-09,GBP,4.2\n2025-07-09,pound,0.04\n"}
    sheets["paid"] = sheets["paid"].replace("0.7,estimated", "70,estimate").replace("return_of_capital", "ordinry")
    sheets["paid"] += "2025-07-11,RBW.L,2,ordinry,0,estimate\n"
    assert sorted(line.split(":")[0] for line in refused(reference, tmp_path, mapping, **sheets)) == [
        "cash.csv row 2, column rate",
        "cash.csv row 3, column currency",
        "paid.csv row 2, column tax_free",
        "paid.csv row 3, column kind",
        "paid.csv row 3, column status",
    ]


PEAK = "session,symbol,close\n2025-09-18,PEK.AX,0.43\n2025-09-18,ILU.AX,6\n2025-09-18,SOLB.BR,27\n"
MONEY = "session,currency,usd_per_unit\n2025-09-18,AUD,0.66\n2025-09-18,EUR,1.18\n"


def test_registered_actions_come_along(reference: Reference, tmp_path: Path) -> None:
    early = PEAK + "2012-05-01,NEM.TO,11\n"
    sheets = {"prices": early, "rates": MONEY + "2012-05-01,CAD,1\n"}
    delivery = delivered(reference, tmp_path, PLAIN + RATES, **sheets)
    (peak,) = delivery.tables["actions"].to_dicts()
    assert (peak["id"], peak["type"], peak["price"]) == ("PEK.AX-MERGER-CASH-2025", "takeover", 0.443)
    (said,) = [notice for notice in delivery.notices if "cannot be applied" in notice]
    assert said.endswith("under the same id: NEM.TO-MERGER-CASH-2012 (no ex_date).")
    assert save(tmp_path / "store", "peak", delivery, recorded_at=datetime(2026, 11, 23, tzinfo=UTC)).added["actions"]


@pytest.mark.parametrize("name", ["PEK.AX-MERGER-CASH-2025", "my-own"])
def test_an_own_row_wins_over_a_registered_one(reference: Reference, tmp_path: Path, name: str) -> None:
    own = f"id,symbol,type,ex_date,status,price\n{name},PEK.AX,takeover,2025-09-23,confirmed,0.45\n"
    delivery = delivered(reference, tmp_path, ACTIONS, prices=PEAK, rates=MONEY, actions=own)
    assert delivery.tables["actions"].select("id", "price").rows() == [(name, 0.45)]
    replaced = [notice for notice in delivery.notices if notice.startswith("Registered actions that these files")]
    assert len(replaced) == (name == "my-own")


def test_the_actions_of_the_guide(reference: Reference, root: Path, tmp_path: Path) -> None:
    guide = (root / "docs" / "guides" / "your-own-prices.md").read_text(encoding="utf-8")
    example = guide.split("```csv\n")[1].split("```")[0]
    prices = PEAK + "2025-09-18,RBW.L,12.5\n"
    rates = MONEY + "2025-09-18,GBP,1.36\n"
    tables = delivered(reference, tmp_path, ACTIONS, prices=prices, rates=rates, actions=example).tables
    assert dict(tables["actions"].select("type", "price").iter_rows()) == {"takeover": 0.443, "rights_issue": 0.08}


SYDNEY = 'session = "date"\nsymbol = "ticker"\nonly = ["{}"]'


@pytest.mark.parametrize(
    ("path", "columns", "faults"),
    [
        ("asx_ree_ohlcv.csv", SYDNEY.format("LYC.AX"), []),
        ("asx_ree_ohlcv.csv", SYDNEY.format("PLS.AX"), []),
        ("asx_ree_ohlcv.csv", SYDNEY.format("IGO.AX"), ["looks adjusted"]),
        ("us_ree_adjclose.csv", 'session = "date"\nsymbol = "ticker"\nclose = "adj_close"', ["by its name"]),
        ("jp_magnet_ohlcv.csv", 'session = "date"\nsymbol = "ticker"', []),
        ("us_quotes_mcap.csv", 'session = "trade_date"\nsymbol = "yahoo_symbol"\nclose = "last"', []),
    ],
)
def test_adjusted_prices_are_told_from_raw_ones(
    reference: Reference, shared: Path, path: str, columns: str, faults: list[str]
) -> None:
    folder = shared / "market" / "real" / "prices"
    entry = Prices(path=path, **tomllib.loads(columns))
    found = read_prices(entry, folder, reference).problems
    said = [str(problem) for problem in found if "adjusted" in str(problem)]
    assert [fault in line for fault, line in zip(faults, said, strict=True)] == [True] * len(faults)


def test_real_files(reference: Reference, shared: Path, tmp_path: Path) -> None:
    mapping = real(
        shared,
        HEAD
        + """
[[prices]]
path = "REAL/prices/us_quotes_mcap.csv"
session = "trade_date"
symbol = "yahoo_symbol"
close = "last"
volume = "volume"
market_cap_usd = "market_cap_usd"
[[prices]]
path = "REAL/prices/asx_ree_ohlcv.csv"
session = "date"
symbol = "ticker"
volume = "volume"
only = ["LYC.AX"]
[[fx]]
path = "REAL/benchmarks/ecb_reference_rates.csv"
layout = "wide"
session = "date"
units_per = "EUR"
[[benchmarks]]
path = "REAL/benchmarks/us_etf_adjclose.csv"
session = "date"
symbol = "ticker"
level = "adj_close"
only = ["SPY"]
[assume]
free_float_factor = 1.0
""",
    )
    delivery = delivered(reference, tmp_path, mapping)
    prices, rates = delivery.tables["prices"], delivery.tables["fx"]
    mp = dict(prices.filter(symbol="MP").select("session", "close").iter_rows())
    assert (mp[date(2025, 7, 9)], mp[date(2025, 7, 10)]) == (30.03, 45.23)
    lynas = dict(prices.filter(symbol="LYC.AX").select("session", "close").iter_rows())
    assert lynas[date(2025, 7, 11)] / lynas[date(2025, 7, 10)] - 1 == pytest.approx(0.16647, abs=5e-6)
    aud = rates.filter(currency="AUD", session=date(2025, 7, 10))["usd_per_unit"].item()
    assert aud == pytest.approx(0.655122251, abs=5e-10)
    assert prices.filter(symbol="USAR")["session"].min() == date(2025, 3, 14)
    assert delivery.tables["benchmarks"]["symbol"].unique().to_list() == ["SPY"]
    assert any("2026-02-04" in notice and "USAR" in notice for notice in delivery.notices)
    saved = save(tmp_path / "store", "real", delivery, recorded_at=datetime(2026, 11, 23, tzinfo=UTC))
    assert saved.added["prices"] == prices.height
