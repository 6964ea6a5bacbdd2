"""The health page and the metrics, over HTTP."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from exchina.errors import ExchinaError, Problem
from exchina.service.status import Status

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@contextmanager
def served(status: Status, host: str, port: int) -> Generator[str]:
    """Answer ``/health`` (JSON; 503 while something is wrong) and ``/metrics`` (Prometheus text) meanwhile.

    Args:
        status: what is told.
        host: address to listen on; that of the loopback keeps it on this machine.
        port: 0 takes a free one.

    Yields:
        The URL.

    Raises:
        ExchinaError: the address cannot be listened on.
    """

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, code, body = _answer(status, self.path)
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not logged."""

    try:
        server = ThreadingHTTPServer((host, port), Page)
    except OSError as fault:
        hint = "choose another with --port, or --port 0 for a free one"
        raise ExchinaError(Problem(f"{host}:{port}", f"cannot listen here: {fault.strerror}", hint)) from fault
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(status: Status, path: str) -> tuple[str, int, bytes]:
    now = datetime.now(UTC)
    if path == "/health":
        said = status.as_dict(now)
        return "application/json", 200 if said["status"] == "ok" else 503, (json.dumps(said) + "\n").encode()
    if path == "/metrics":
        return METRICS_TYPE, 200, metrics(status, now)
    return "text/plain", 404, b"/health and /metrics are here\n"


def metrics(status: Status, now: datetime) -> bytes:
    """The figures of the service in the text format of Prometheus."""
    registry = CollectorRegistry()
    said = status.as_dict(now)
    published = CounterMetricFamily("exchina_publications", "Ledger rows made since the start", labels=["what"])
    for what, count in sorted(said["published"].items()):
        published.add_metric([what], count)
    last = (status.last_pass or status.started).timestamp()
    found: list[Metric] = [
        published,
        CounterMetricFamily("exchina_failures", "Attempts that failed since the start", value=said["failures"]),
        GaugeMetricFamily("exchina_up", "Whether nothing is wrong", value=said["status"] == "ok"),
        GaugeMetricFamily("exchina_last_pass_timestamp_seconds", "When the last pass ended, Unix time", value=last),
        GaugeMetricFamily("exchina_pass_seconds", "How long the last pass took", value=said["pass_seconds"]),
        GaugeMetricFamily(
            "exchina_late_seconds", "Longest wait of what is due and not done", value=said["late_seconds"]
        ),
    ]
    if status.next_due is not None:
        at = status.next_due.at.timestamp()
        found.append(GaugeMetricFamily("exchina_next_due_timestamp_seconds", "When something is due next", value=at))
    registry.register(_Figures(found))
    return generate_latest(registry)


class _Figures:
    """What `CollectorRegistry.register` asks for."""

    def __init__(self, figures: list[Metric]) -> None:
        self.figures = figures

    def collect(self) -> list[Metric]:
        return self.figures
