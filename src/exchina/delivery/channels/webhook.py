"""A message to a web server, signed by the scheme of Standard Webhooks (standardwebhooks.com)."""

import socket
from base64 import b64decode
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from importlib.metadata import version
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from exchina.delivery.channels import channel
from exchina.delivery.message import Message, Outcome
from exchina.delivery.network import SECONDS, env_fault, first_fault, is_loopback, secret_of, trusting, url_fault
from exchina.delivery.subscribers import Site
from exchina.errors import Problem, PublicationError
from exchina.ledger.chain import canonical
from exchina.site.words import simulated

LONGEST = 60.0
PREFIX, FEWEST_BYTES = "whsec_", 24


def _fault(url: str, secret_env: str, **_: object) -> str | None:
    wrong = url_fault(url, ("https", "http"))
    bare = not wrong and urlsplit(url).scheme == "http" and not is_loopback(urlsplit(url).hostname or "")
    open_road = "url begins with http://, which anybody on the way can read: only this machine may do without https://"
    missing = None if secret_env else "secret_env names no variable: every message is signed"
    return first_fault(wrong and f"url {wrong}", open_road if bare else None, env_fault(secret_env), missing)


@channel("webhook", "links", check=_fault)
def webhook(message: Message, site: Site, *, url: str, secret_env: str, ca_file: str = "") -> Outcome:
    """POST a row as JSON; the header ``webhook-id`` is its hash, by which a receiver knows a repetition.

    2xx is success, 410 Gone ends it for good, and anything else is tried again; a redirect is not followed.

    Args:
        message: what is told.
        site: where the files are served.
        url: of the receiver, ``https://...``.
        secret_env: environment variable with the secret that both sides know, ``whsec_`` and Base64 of 24 to 64 bytes.
        ca_file: PEM file of the authorities that vouch for the server; those of this machine without it.
    """
    body = canonical(payload(message, site)).encode()
    status = _posted(url, body, _signed(message, body, secret_env), ca_file)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome("ok")
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    return Outcome("gone" if status == HTTPStatus.GONE else "failed", f"HTTP {status} {phrase}".strip())


def payload(message: Message, site: Site) -> dict[str, Any]:
    """What the body says; the same for every attempt."""
    row = message.row
    return {
        "id": f"urn:exchina:{row.hash}",
        "index": row.index_id,
        "what": row.what,
        "for_day": row.for_day,
        "revision": row.revision,
        "due_at": row.due_at or None,
        "published_at": row.published_at,
        "late": message.late,
        "simulated": simulated(row),
        "row": row.sequence,
        "hash": row.hash,
        "files": [
            {"path": path, "sha256": digest, "url": site.link(path)} for path, digest in sorted(message.files.items())
        ],
    }


def _signed(message: Message, body: bytes, secret_env: str) -> dict[str, str]:
    """The headers; `PublicationError` where the variable holds no secret of the scheme."""
    from standardwebhooks.webhooks import Webhook

    key, secret = b"", secret_of(secret_env)
    with suppress(ValueError):
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    if not secret.startswith(PREFIX) or len(key) < FEWEST_BYTES:
        what = f"holds no secret of Standard Webhooks: {PREFIX} and the Base64 of at least {FEWEST_BYTES} bytes"
        cure = "make one: echo whsec_$(openssl rand -base64 32)"
        raise PublicationError(Problem(f"environment variable {secret_env}", what, cure))
    return {
        "Content-Type": "application/json",
        "User-Agent": f"exchina/{version('exchina')}",
        "webhook-id": message.row.hash,
        "webhook-timestamp": str(int(message.at.timestamp())),
        "webhook-signature": Webhook(key).sign(message.row.hash, message.at, body.decode()),
    }


def _posted(url: str, body: bytes, headers: Mapping[str, str], ca_file: str) -> int:
    """The status that a server answers; nothing of its text is read."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection = (
        HTTPSConnection(host, port, timeout=SECONDS, context=trusting(ca_file))
        if parts.scheme == "https"
        else HTTPConnection(host, port, timeout=SECONDS)
    )
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with closing(connection), _hung_up(connection):
        connection.request("POST", target, body, dict(headers))
        return connection.getresponse().status


@contextmanager
def _hung_up(connection: HTTPConnection) -> Generator[None]:
    """Hang up after a minute, however slowly the other side goes on talking."""

    def hang_up() -> None:
        with suppress(OSError, AttributeError):  # there is no socket yet, or no longer
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = Timer(LONGEST, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
