"""Yahoo Finance through the library yfinance: the only module that knows either."""

import logging
import math
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import version
from numbers import Real
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from exchina.errors import Problem, ProviderError
from exchina.market import provider
from exchina.market.live.source import (
    BARS,
    COUNTS,
    DIVIDENDS,
    SPLITS,
    Absent,
    Broken,
    Facts,
    History,
    Pace,
    Pair,
    Source,
    Throttled,
    Unreachable,
)

NO_CONNECTION = (5, 6, 7)  # curl: the proxy or the host has no address, or nobody listens there
DOLLARS_PER_UNIT = ("EUR", "GBP", "AUD", "NZD")  # quoted that way by the market, so with most digits
PRICES, FACTS, COUNTED = "/v8/finance/chart/", "/v10/finance/quoteSummary/", "/ws/fundamentals-timeseries/"
PATHS = (PRICES, FACTS, COUNTED, "/v7/")
ASSUMPTIONS = (
    "Yahoo Finance does not tell special dividends from ordinary ones, nor how far one is franked: all count as "
    "ordinary and unfranked.",
    "Yahoo Finance does not say when it learnt of a fact: a dividend and a split count as known on the ex-date, a "
    "share count on its own date.",
)


@provider("yahoo", "live")
def yahoo(
    *,
    pause_seconds: float = 1.5,
    first_wait_seconds: float = 30.0,
    longest_wait_seconds: float = 900.0,
    patience_seconds: float = 3600.0,
    timeout_seconds: float = 30.0,
    endpoint: str | None = None,
) -> Source:
    """Prices, dividends, splits, share counts, float and exchange rates of Yahoo Finance.

    Closes come adjusted for splits, never for dividends. London quotes pence. For personal use: read Yahoo's terms.

    Args:
        pause_seconds: before each call.
        first_wait_seconds: after a refusal without a time; doubled each time.
        longest_wait_seconds: what that doubling ends at.
        patience_seconds: waited in all for one answer before the fetch stops.
        timeout_seconds: for one answer.
        endpoint: base URL of another server that speaks the same protocol, such as ``http://127.0.0.1:8000``.

    Raises:
        ProviderError: yfinance is not installed.
    """
    try:
        import yfinance
    except ImportError as fault:
        cure = "install it: pip install 'exchina[market]'"
        raise ProviderError(Problem("provider yahoo", "needs the library yfinance", cure)) from fault
    yfinance.set_tz_cache_location(_caches().name)
    yfinance.config.debug.hide_exceptions = False
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # what it would say is raised, and reported
    pace = Pace(pause_seconds, first_wait_seconds, longest_wait_seconds, patience_seconds)
    sentence = f"Yahoo Finance, through the library yfinance {version('yfinance')}"
    return _Yahoo(_session(endpoint, timeout_seconds), timeout_seconds, pace, sentence)


@cache
def _caches() -> TemporaryDirectory[str]:
    """A folder for yfinance's own caches, which it opens once a process; it goes when the process ends."""
    return TemporaryDirectory(prefix="exchina-yfinance-", ignore_cleanup_errors=True)


@dataclass(frozen=True)
class _Yahoo:
    session: Any
    timeout: float
    pace: Pace
    sentence: str
    name: str = "yahoo"
    assumptions: tuple[str, ...] = ASSUMPTIONS

    def history(self, symbol: str, since: date, until: date) -> History:
        with _translated(symbol):
            ticker = self._ticker(symbol)
            # no end: the splits up to now are needed, since Yahoo's closes carry them
            frame = ticker.history(
                start=since.isoformat(), auto_adjust=False, actions=True, keepna=True, timeout=self.timeout
            )
            facts: dict[str, Any] = ticker.history_metadata
            # the frame moves an ex-date without a bar to the bar before: the events as they were sent
            events = {name: getattr(ticker._price_history, name) for name in ("_dividends", "_splits")}
        found = {"session": _dates(frame.index), "close": _numbers(frame["Close"]), "volume": _numbers(frame["Volume"])}
        bars = pl.DataFrame(found, schema=BARS).filter(pl.col("session").is_between(since, until))
        dividends, splits = _dividends(events["_dividends"]), _splits(events["_splits"])
        last = frame.index[frame["Close"].notna()]
        return History(
            bars,
            dividends.filter(pl.col("ex_date") >= since),
            splits,
            facts["currency"],
            facts.get("exchangeTimezoneName"),
            last[-1].date() if len(last) else None,
        )

    def counts(self, symbol: str, since: date) -> pl.DataFrame:
        with _translated(symbol):
            series = self._ticker(symbol).get_shares_full(start=since.isoformat())
        if series is None or series.empty:
            raise Absent("no share counts")
        days = _dates(series.index)
        rows = {"effective_date": days, "shares": _numbers(series), "known_date": days}
        return pl.DataFrame(rows, schema=COUNTS).unique("effective_date", keep="last", maintain_order=True)

    def facts(self, symbol: str) -> Facts:
        with _translated(symbol):
            info: dict[str, Any] = self._ticker(symbol).info
        return Facts(_number(info.get("sharesOutstanding")), _number(info.get("floatShares")))

    def pair(self, currency: str) -> Pair:
        if currency in DOLLARS_PER_UNIT:
            return Pair(f"{currency}USD=X", units_per_dollar=False)
        return Pair(f"{currency}=X", units_per_dollar=True)

    def _ticker(self, symbol: str) -> Any:
        import yfinance

        return yfinance.Ticker(symbol, session=self.session)


@contextmanager
def _translated(symbol: str) -> Generator[None]:
    """Whatever yfinance raises as one of our three answers; what it remembers of bad answers is forgotten first."""
    from yfinance.data import YfData
    from yfinance.exceptions import YFRateLimitError, YFTickerMissingError

    YfData.cache_get.cache_clear()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it runs behind its pandas
            yield
    except (Throttled, Absent, Broken, Unreachable):
        raise
    except YFRateLimitError as fault:
        raise Throttled from fault
    except YFTickerMissingError as fault:
        raise Absent(fault.rationale) from fault
    except Exception as fault:
        said = " ".join(str(fault).split())[:200]
        if getattr(fault, "code", None) in NO_CONNECTION:
            raise Unreachable(said.partition(". See ")[0]) from fault
        raise Broken(f"{symbol}: {type(fault).__name__}: {said}") from fault


def _session(endpoint: str | None, timeout: float) -> Any:
    """A session as yfinance makes its own, that stops at a refusal where yfinance would ask up to 18 times more.

    Args:
        endpoint: base URL that every request goes to instead, the real host in its Host header.
        timeout: of each request, in seconds.
    """
    from curl_cffi.requests import Session

    class Stopping(Session):  # pyright: ignore[reportMissingTypeArgument]
        def request(self, method: Any, url: str, *rest: Any, **options: Any) -> Any:
            asked, options["timeout"] = urlsplit(url), timeout
            if endpoint is not None:
                url = f"{endpoint.rstrip('/')}{asked.path or '/'}" + (f"?{asked.query}" if asked.query else "")
                options["headers"] = {**(options.get("headers") or {}), "Host": asked.netloc}
            answer = super().request(method, url, *rest, **options)
            if asked.path.startswith(PATHS):
                _stop(answer, asked.path, asked.query)
            return answer

    return Stopping(impersonate="chrome")


def _stop(answer: Any, path: str, query: str) -> None:
    status: int = answer.status_code
    if status == 429:
        raise Throttled(_seconds(answer.headers.get("Retry-After")))
    if status >= 500:
        raise Broken(f"the server answered with status {status}")
    if status == 404 and (path.startswith((PRICES, FACTS)) or (path.startswith(COUNTED) and "type=" not in query)):
        raise Absent(_reason(answer))


def _reason(answer: Any) -> str:
    """What Yahoo says of a symbol that it does not have."""
    try:
        (block,) = answer.json().values()
        return str(block["error"]["description"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return "no such symbol"


def _seconds(header: str | None) -> float | None:
    """Seconds of a Retry-After header, which holds a number or a date; None where it holds neither."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None


def _dates(index: Any) -> list[date]:
    """The exchange's own dates of a pandas index in the exchange's time."""
    return [moment.date() for moment in index]


def _numbers(values: Any) -> list[float | None]:
    return [_number(value) for value in values]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, Real) and math.isfinite(value) else None


def _dividends(events: Any) -> pl.DataFrame:
    """From yfinance's events: a series of amounts, or a frame with currencies where Yahoo names them."""
    named = hasattr(events, "columns")
    amounts: Sequence[Any] = events["Dividends"] if named else events
    currencies = [text or None for text in events["currency"]] if named else [None] * len(events)
    rows = {"ex_date": _dates(events.index), "amount": _numbers(amounts), "currency": currencies}
    return pl.DataFrame(rows, schema=DIVIDENDS)


def _splits(events: Any) -> pl.DataFrame:
    return pl.DataFrame({"ex_date": _dates(events.index), "ratio": _numbers(events)}, schema=SPLITS)
