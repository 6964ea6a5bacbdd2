"""Another exchange's own files, as they lie there: Brazilian closes by a mapping, levels as the exchange published."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from exchina import workflow
from exchina.errors import DataError
from exchina.market.view import MarketView
from exchina.tables.reference import CONTRACTS
from exchina.workspace import Workspace

MAPPING = """
[source]
description = "Closes of the constituents of four indices of B3."

[[prices]]
path = "{real}/index/b3_prices_2022-04_05.csv"
session = "date"
symbol = "ticker"
since = 2022-05-02

[[fx]]
path = "{real}/benchmarks/ecb_reference_rates.csv"
layout = "wide"
session = "date"
only = ["BRL"]
"""
WORDS = {"confidence": "assumption", "name": "A company of B3", "countries_of_operation": "BR"}
VENUE = {
    **{"mic": "BVMF", "name": "B3", "country": "BR", "currency": "BRL", "quote_unit": "1", "calendar": "BVMF"},
    **{"utc_offset_zone": "America/Sao_Paulo", "open_local": "10:00", "close_local": "17:00"},
    **{"calendar_is_standin": "false", "local_benchmark_symbol": "^BVSP", "confidence": "assumption"},
}
EVENING = datetime(2022, 5, 4, 22, tzinfo=UTC)
LEVELS = [
    *((index, day, 0.01) for index in ("INDX", "ICON", "IMOB") for day in (date(2022, 5, 3), date(2022, 5, 4))),
    *(("IBOV", day, 1e-4 * 106_000) for day in (date(2022, 5, 3), date(2022, 5, 4))),
]


def write(folder: Path, table: str, rows: list[dict[str, str]]) -> None:
    """A reference file with these cells; the others are empty."""
    cells = {name: [row.get(name) for row in rows] for name in CONTRACTS[table].columns}
    pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String)).write_csv(folder / f"{table}.csv")


def brazil(folder: Path, tickers: list[str]) -> None:
    """Reference data of nothing but these shares."""
    folder.mkdir(parents=True)
    companies = {"one_line_business": "A share of B3", "china_exposure_note": "Not looked at"}
    companies |= {"country_of_domicile": "BR", "rare_earth_exposure": "marginal", "listing_status": "listed"}
    listing = {"mic": "BVMF", "currency": "BRL", "primary": "true", "first_trade_basis": "pre_2010"}
    stage = {"stage": "producer", "role": "primary", "valid_from": "2010-01-01", "evidence": "For this test only"}
    rows = {
        "companies": [{**WORDS, **companies, "id": ticker.lower()} for ticker in tickers],
        "listings": [{**WORDS, **listing, "company_id": name.lower(), "yahoo_symbol": name} for name in tickers],
        "stages": [{**WORDS, **stage, "company_id": name.lower()} for name in tickers],
        "venues": [VENUE],
    }
    for table in CONTRACTS:
        write(folder, table, rows.get(table, []))


@pytest.fixture(scope="module")
def view(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> MarketView:
    """The closes, imported into a workspace that knows only Brazil, and read back."""
    place = Workspace(tmp_path_factory.mktemp("b3"))
    real = shared / "market" / "real"
    tickers = pl.read_csv(real / "index" / "b3_portfolios_2022.csv")["ticker"].unique().sort().to_list()
    brazil(place.reference, tickers)
    mapping = place.root / "b3.toml"
    mapping.write_text(MAPPING.format(real=real))
    saved = workflow.fetch(place, "files", market="b3", recorded_at=EVENING, settings={"mapping": mapping})
    assert (saved.manifest, saved.added["prices"]) == (1, 158 * 3)
    assert f"b3_prices_2022-04_05.csv: {158 * 19} rows before 2022-05-02 were passed over." in saved.notices
    return workflow.open_market("b3", workspace=place.root)


def test_closes_that_were_adjusted_later_are_told_apart(view: MarketView, shared: Path, tmp_path: Path) -> None:
    """The file was adjusted for what went ex in April 2022; four shares show it, and none from 2 May on."""
    place, mapping = Workspace(tmp_path), tmp_path / "b3.toml"
    brazil(place.reference, view.reference.listings["yahoo_symbol"].to_list())
    mapping.write_text(MAPPING.format(real=shared / "market" / "real").replace("since = 2022-05-02\n", ""))
    with pytest.raises(DataError) as caught:
        workflow.fetch(place, "files", market="b3", recorded_at=EVENING, settings={"mapping": mapping})
    said = [problem.where.rsplit(", ", 1)[1] for problem in caught.value.problems]
    assert said == ["BBDC3", "BBDC4", "CMIG4", "UNIP6"]
    assert all("looks adjusted" in problem.what for problem in caught.value.problems)


def test_the_market_is_that_of_the_files(view: MarketView) -> None:
    assert view.provenance.through == date(2022, 5, 4)
    assert view.reference.venues["calendar"].to_list() == ["BVMF"]
    assert "2022-04-21" not in view.market.sessions.filter(calendar="BVMF")["session"].cast(pl.String).to_list()
    assert view.market.actions.is_empty()


@pytest.mark.parametrize(("index", "day", "within"), LEVELS)
def test_levels_are_those_that_were_published(
    view: MarketView, shared: Path, index: str, day: date, within: float
) -> None:
    """level = sum(theoretical quantity x close) / reducer, with the portfolio of 2022-05-04."""
    folder = shared / "market" / "real" / "index"
    held = pl.read_csv(folder / "b3_portfolios_2022.csv").filter(index=index, portfolio_date="2022-05-04")
    reducer = pl.read_csv(folder / "b3_divisors_2022.csv").filter(index=index, portfolio_date="2022-05-04")
    published = pl.read_csv(folder / "b3_levels_2019_2022.csv").filter(index=index, date=day.isoformat())
    closes = view.as_of(day).market.prices.filter(session=day)
    priced = held.join(closes, left_on="ticker", right_on="symbol", how="left", maintain_order="left")
    assert priced["close"].null_count() == 0
    level = priced.select((pl.col("theoretical_quantity") * pl.col("close")).sum()).item() / reducer["reducer"].item()
    assert level == pytest.approx(published["level"].item(), abs=within)
