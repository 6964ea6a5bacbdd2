"""A server on loopback that speaks Yahoo's protocol, as yfinance 1.7 asks for it, with faults to order.

Run as a program it serves the market of `market` on the port that it prints, for tests of other processes.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import numpy as np

from exchina.market.calendar import sessions_table

FIRST, LAST = date(2023, 10, 2), date(2025, 11, 24)
DOWN = "<html><body>Will be right back. Thank you for your patience.</body></html>"


@dataclass
class Line:
    """What the vendor knows of one symbol; closes and dividends as traded, in the unit of ``currency``."""

    days: list[date]
    closes: list[float | None]
    currency: str = "USD"
    zone: str = "America/New_York"
    splits: dict[date, float] = field(default_factory=dict)
    dividends: dict[date, float] = field(default_factory=dict)
    counts: list[tuple[date, float]] = field(default_factory=list)
    shares: float | None = None
    float_shares: float | None = None
    volume: float = 400_000.0

    def later(self, day: date) -> float:
        """What Yahoo divides the closes of a day by."""
        return float(np.prod([ratio for ex, ratio in self.splits.items() if ex > day]))


@dataclass(frozen=True)
class Fault:
    """A bad answer: status, body, headers, how slow it is; ``cut`` sends half of the right one."""

    status: int = 200
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    cut: bool = False
    empty: bool = False


BUSY = Fault(429, "Too Many Requests")
ERROR = Fault(500, "Internal Server Error")
PAGE = Fault(200, DOWN)
CUT = Fault(cut=True)
EMPTY = Fault(empty=True)


@dataclass
class Stub:
    """The server's lines, the faults it still has to commit by symbol, and what it was asked."""

    lines: dict[str, Line]
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    asked: list[str] = field(default_factory=list)
    url: str = ""
    seconds: float = 0.0

    def charts(self) -> list[str]:
        """Symbols of the charts asked for, in order, without the look at the time zone."""
        found = [urlsplit(path) for path in self.asked]
        return [unquote(one.path.rsplit("/")[-1]) for one in found if "/chart/" in one.path and "period1" in one.query]


def chart(symbol: str, line: Line, query: dict[str, list[str]]) -> dict[str, Any]:
    """A chart of daily bars: adjusted for splits, in single precision, with the events since."""
    zone = ZoneInfo(line.zone)
    stamps = [int(datetime(day.year, day.month, day.day, 10, tzinfo=zone).timestamp()) for day in line.days]
    since = int(query["period1"][0]) if "period1" in query else stamps[-1]
    kept = [number for number, stamp in enumerate(stamps) if stamp >= since]
    closes = [None if line.closes[n] is None else _single(line.closes[n] / line.later(line.days[n])) for n in kept]
    volumes = [None if line.closes[n] is None else int(line.volume * line.later(line.days[n])) for n in kept]

    def events(found: dict[date, float], make: Any) -> dict[str, Any]:
        at = {day: int(datetime(day.year, day.month, day.day, 10, tzinfo=zone).timestamp()) for day in found}
        return {str(at[day]): {"date": at[day], **make(day)} for day in sorted(found) if at[day] >= since}

    meta = {
        "currency": line.currency,
        "symbol": symbol,
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": line.zone,
        "validRanges": ["1d", "5d", "max"],
        "priceHint": 2,
    }
    quote = {"open": closes, "high": closes, "low": closes, "close": closes, "volume": volumes}
    paid = events(line.dividends, lambda day: {"amount": round(line.dividends[day] / line.later(day), 6)})
    split = events(line.splits, lambda day: _fraction(line.splits[day]))
    result = {
        "meta": meta,
        "timestamp": [stamps[n] for n in kept],
        "events": {**({"dividends": paid} if paid else {}), **({"splits": split} if split else {})},
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": [c and c * 0.9 for c in closes]}]},
    }
    return {"chart": {"result": [result], "error": None}}


def _single(value: float) -> float:
    return float(np.float32(value))


def _fraction(ratio: float) -> dict[str, float]:
    return {"numerator": ratio, "denominator": 1} if ratio >= 1 else {"numerator": 1, "denominator": round(1 / ratio)}


def timeseries(line: Line, query: dict[str, list[str]]) -> dict[str, Any]:
    if "type" in query or not line.counts:
        return {"timeseries": {"result": [{"meta": {}}], "error": None}}
    since, until = int(query["period1"][0]), int(query["period2"][0])
    found = [(int(datetime(d.year, d.month, d.day).timestamp()), count) for d, count in line.counts]
    kept = [(stamp, count) for stamp, count in found if since <= stamp <= until]
    block = {"timestamp": [stamp for stamp, _ in kept], "shares_out": [count for _, count in kept]} if kept else {}
    return {"timeseries": {"result": [{"meta": {}, **block}], "error": None}}


def answer(stub: Stub, path: str) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """Status, body and headers of an answer."""
    asked = urlsplit(path)
    query, symbol = parse_qs(asked.query), unquote(asked.path.rsplit("/")[-1])
    if asked.path.endswith("/getcrumb"):
        return 200, "crumb", ()
    if asked.path.endswith("/v7/finance/quote"):
        symbol = query["symbols"][0]
    if not any(part in asked.path for part in ("/chart/", "/quoteSummary/", "/timeseries/", "/v7/finance/quote")):
        return 404, "<html></html>", ()
    time.sleep(stub.seconds)
    counted = "period1" in query or "/chart/" not in asked.path
    fault = stub.faults[symbol].pop(0) if counted and stub.faults[symbol] else None
    if fault:
        time.sleep(fault.seconds)
        if fault.body is not None:
            return fault.status, fault.body, fault.headers
    line = stub.lines.get(symbol)
    if line is None:
        kind = "chart" if "/chart/" in asked.path else "quoteSummary"
        error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        return 404, json.dumps({kind: {"result": None, "error": error}}), ()
    body = json.dumps(_document(symbol, line, asked.path, query, empty=bool(fault and fault.empty)))
    return 200, body[: len(body) // 2] if fault and fault.cut else body, ()


def _document(symbol: str, line: Line, path: str, query: dict[str, list[str]], *, empty: bool) -> dict[str, Any]:
    if "/timeseries/" in path:
        return timeseries(line, query)
    if "/quoteSummary/" in path:
        facts = {"sharesOutstanding": line.shares, "floatShares": line.float_shares}
        return {"quoteSummary": {"result": [{"defaultKeyStatistics": facts}], "error": None}}
    if "/v7/" in path:
        return {"quoteResponse": {"result": [{"symbol": symbol, "currency": line.currency}], "error": None}}
    whole = chart(symbol, line, query)
    if empty:
        whole["chart"]["result"][0] |= {"timestamp": [], "events": {}, "indicators": {"quote": [{}]}}
    return whole


@contextmanager
def serving(lines: dict[str, Line], port: int = 0) -> Generator[Stub]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    stub = Stub(lines)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            assert self.headers["Host"].endswith("yahoo.com"), self.headers["Host"]
            stub.asked.append(self.path)
            status, body, headers = answer(stub, self.path)
            self.send_response(status)
            for name, value in (*headers, ("Content-Length", str(len(body.encode())))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a caller that was killed or has lost patience

    server = Server(("127.0.0.1", port), Handler)
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def days_of(calendar: str, first: date = FIRST, last: date = LAST) -> list[date]:
    return sessions_table([calendar], first, last)["session"].to_list()


def line(symbol: str, calendar: str, start: float, **facts: Any) -> Line:
    """A line with closes on the grid of its prices, from a walk of its own."""
    days, chance = days_of(calendar), Random(symbol)
    decimals = 0 if start >= 1000 else 2 if start >= 1 else 3
    closes: list[float | None] = []
    level = start
    for _ in days:
        level *= 1 + chance.gauss(0.0003, 0.015)
        closes.append(round(level, decimals))
    return Line(days, closes, **facts)


def market() -> dict[str, Line]:
    """Nine listings of the reference, on six exchanges, with what they need of rates and benchmarks."""
    sydney, tokyo = {"currency": "AUD", "zone": "Australia/Sydney"}, {"currency": "JPY", "zone": "Asia/Tokyo"}
    toronto = {"currency": "CAD", "zone": "America/Toronto"}
    old = date(2023, 9, 30)
    lines = {
        "LYC.AX": line("LYC.AX", "XASX", 7.1, **sydney, **_owned(934e6, 0.96, old)),
        "ILU.AX": line("ILU.AX", "XASX", 7.9, **sydney, **_owned(427e6, 0.9, old)),
        "ARU.AX": line("ARU.AX", "XASX", 0.2, **sydney, **_owned(2.4e9, 0.8, old)),
        "MP": line("MP", "XNYS", 17.0, **_owned(163e6, 0.85, old)),
        "UUUU": line("UUUU", "XNYS", 7.0, **_owned(197e6, 0.97, old)),
        "NEO.TO": line("NEO.TO", "XTSE", 8.0, **toronto, **_owned(42e6, 0.7, old)),
        "4063.T": line("4063.T", "XTKS", 4300.0, **tokyo, **_owned(1.98e9, 0.9, old)),
        "RBW.L": line("RBW.L", "XLON", 15.0, currency="GBp", zone="Europe/London", **_owned(650e6, 0.75, old)),
    }
    lines["SOLB.BR"] = line("SOLB.BR", "XBRU", 27.0, currency="EUR", zone="Europe/Brussels", **_owned(106e6, 0.69, old))
    lines["MP"] = replace(lines["MP"], splits={date(2025, 6, 16): 2.0}, dividends={date(2024, 9, 16): 0.33})
    at = lines["MP"].days.index(date(2025, 6, 16))
    lines["MP"].closes[at:] = [round((close or 0) / 2, 2) for close in lines["MP"].closes[at:]]
    lines["MP"].counts.append((date(2025, 6, 20), 326e6))
    lines["MP"].shares, lines["MP"].float_shares = 326e6, 326e6 * 0.85
    lines["ILU.AX"].dividends[date(2024, 9, 5)] = 0.04
    lines["RBW.L"].dividends[date(2025, 3, 6)] = 0.25
    for symbol, rate, currency in (("AUDUSD=X", 0.65, "USD"), ("GBPUSD=X", 1.27, "USD"), ("EURUSD=X", 1.08, "USD")):
        lines[symbol] = rates(symbol, rate, currency)
    for symbol, rate, currency in (("CAD=X", 1.36, "CAD"), ("JPY=X", 149.0, "JPY")):
        lines[symbol] = rates(symbol, rate, currency)
    for symbol, calendar, start, zone in (
        ("^AXJO", "XASX", 7000.0, "Australia/Sydney"),
        ("^GSPC", "XNYS", 4300.0, "America/New_York"),
        ("^GSPTSE", "XTSE", 19500.0, "America/Toronto"),
        ("^N225", "XTKS", 31500.0, "Asia/Tokyo"),
        ("^BFX", "XBRU", 3600.0, "Europe/Brussels"),
        ("^FTSE", "XLON", 7500.0, "Europe/London"),
        ("PICK", "XNYS", 40.0, "America/New_York"),
    ):
        lines[symbol] = line(symbol, calendar, start, zone=zone)
    return lines


def rates(symbol: str, start: float, currency: str) -> Line:
    days, chance = days_of("24/5", FIRST - timedelta(days=20)), Random(symbol)
    closes: list[float | None] = []
    for _ in days:
        start *= 1 + chance.gauss(0, 0.004)
        closes.append(round(start, 5))
    return Line(days, closes, currency=currency, zone="Europe/London")


def _owned(shares: float, public: float, day: date) -> dict[str, Any]:
    return {"counts": [(day, shares)], "shares": shares, "float_shares": shares * public}


if __name__ == "__main__":
    with serving(market()) as running:
        print(running.url, flush=True)
        threading.Event().wait()
