"""What the channels have in common: which URLs they take, how they trust a server, and where a secret comes from."""

import os
import re
import ssl
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from exchina.errors import Problem, PublicationError

SECONDS = 20.0
NAME = re.compile(r"[A-Z][A-Z0-9_]*")  # capitals, so that a secret set in its place is seldom taken for one
USER_IN_URL = "names a user with a password, or several: a secret goes into the variable that secret_env names"


def url_fault(url: str, schemes: Collection[str]) -> str | None:
    """Why something cannot be a URL of a channel, in words that do not repeat it: it may hold what is secret.

    Args:
        url: as read from the file.
        schemes: those it may have; none for any.
    """
    try:
        parts = urlsplit(url)
        well_formed = bool(parts.scheme) and parts.port != 0
    except ValueError:
        return "is no URL"
    if not well_formed or not url.isascii() or not url.isprintable() or " " in url:
        return "is no URL"
    if schemes and (parts.scheme not in schemes or not parts.hostname):
        return f"is no URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    return USER_IN_URL if parts.password is not None or parts.netloc.count("@") > 1 else None


def env_fault(name: str) -> str | None:
    """Why something cannot be the name of an environment variable, in words that do not repeat it."""
    fits = not name or NAME.fullmatch(name)
    return (
        None
        if fits
        else "secret_env is no name of an environment variable in capitals: it takes the name, never the secret itself"
    )


def first_fault(*faults: str | None) -> str | None:
    """All faults that there are in one sentence; None where there is none."""
    return "; ".join(fault for fault in faults if fault) or None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, whatever the network."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trusting(ca_file: str) -> ssl.SSLContext:
    """TLS that proves the server, by the authorities of this machine or else by those of a PEM file.

    Raises:
        PublicationError: the file cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as fault:
        what = f"cannot be read as certificates: {fault.strerror or fault}"
        raise PublicationError(Problem(ca_file, what, "set ca_file to a PEM file, or leave it out")) from fault


def secret_of(name: str) -> str:
    """The secret in an environment variable; empty for no name.

    Raises:
        PublicationError: naming the variable that is not set.
    """
    found = os.environ.get(name, "") if name else ""
    if name and not found:
        what, cure = "is not set, or empty", "set it for the service; secret_env in subscribers.toml names it"
        raise PublicationError(Problem(f"environment variable {name}", what, cure))
    return found
