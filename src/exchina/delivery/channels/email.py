"""A message by electronic mail, in plain text, to one address."""

import mimetypes
from collections.abc import Generator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from pathlib import PurePosixPath
from smtplib import SMTP, SMTP_SSL, SMTPAuthenticationError
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from exchina.delivery.channels import channel
from exchina.delivery.letter import letter
from exchina.delivery.message import Message, Outcome
from exchina.delivery.network import SECONDS, env_fault, first_fault, is_loopback, secret_of, trusting
from exchina.delivery.subscribers import Site
from exchina.errors import Problem, PublicationError

Address: TypeAlias = Annotated[str, Field(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$")]
Security: TypeAlias = Literal["starttls", "tls", "plain", "plain_anywhere"]
LARGEST = 10_000_000


def _fault(host: str, security: str, user: str, secret_env: str, **_: object) -> str | None:
    open_road = "security is 'plain', which anybody on the way can read, and host is another machine"
    return first_fault(
        f"{open_road} ('plain_anywhere' permits it)" if security == "plain" and not is_loopback(host) else None,
        "user and secret_env stand together or not at all" if bool(user) != bool(secret_env) else None,
        env_fault(secret_env),
    )


@channel("email", "links", check=_fault)
def email(
    message: Message,
    site: Site,
    *,
    to: Address,
    sender: Address,
    host: str,
    port: int = 587,
    security: Security = "starttls",
    user: str = "",
    secret_env: str = "",
    ca_file: str = "",
    attach: tuple[str, ...] = (),
    attach_up_to_bytes: Annotated[int, Field(ge=0, le=50_000_000)] = LARGEST,
) -> Outcome:
    """Hand a row to a mail server; a repetition has the same Message-ID.

    Args:
        message: what is told.
        site: where the files are served.
        to: one address; another one is another subscriber.
        sender: the address that it comes from.
        host: of the mail server.
        port: its port; 587 for STARTTLS, 465 for TLS.
        security: ``starttls`` or ``tls``, which prove the server; ``plain`` on this machine, or ``plain_anywhere``.
        user: of the mail server; empty where it asks for none.
        secret_env: environment variable with the password of the user.
        ca_file: PEM file of the authorities that vouch for the server; those of this machine without it.
        attach: endings of the files that are attached, such as ``.pdf``.
        attach_up_to_bytes: attach none where all together are larger.
    """
    mail = _mail(message, site, to, sender)
    _attach(mail, message, attach, attach_up_to_bytes)
    secret = secret_of(secret_env)
    if not secret.isascii():
        what, cure = "holds letters beyond ASCII, which no mail server is sure to take", "set another password"
        raise PublicationError(Problem(f"environment variable {secret_env}", what, cure))
    with _connected(host, port, security, ca_file) as server:
        try:
            if user:
                server.login(user, secret)
        except SMTPAuthenticationError as fault:  # its text may repeat what was sent
            return Outcome("failed", f"the mail server refused the user or the password: {fault.smtp_code}")
        server.send_message(mail, sender, [to])
    return Outcome("ok")


def _mail(message: Message, site: Site, to: str, sender: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = " ".join(message.title.split())
    mail["Date"] = format_datetime(message.at)
    name = sha256(f"{message.row.hash} {to}".encode()).hexdigest()
    mail["Message-ID"] = f"<{name}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter(message, site))
    return mail


def _attach(mail: EmailMessage, message: Message, endings: tuple[str, ...], most: int) -> None:
    wanted = sorted(path for path in message.files if endings and path.endswith(endings))
    if sum(map(message.size, wanted)) > most:
        return
    for path in wanted:
        kind, _ = mimetypes.guess_type(path)
        main, _, sub = (kind or "application/octet-stream").partition("/")
        mail.add_attachment(message.content(path), maintype=main, subtype=sub, filename=PurePosixPath(path).name)


@contextmanager
def _connected(host: str, port: int, security: Security, ca_file: str) -> Generator[SMTP]:
    if security == "tls":
        with SMTP_SSL(host, port, timeout=SECONDS, context=trusting(ca_file)) as server:
            yield server
        return
    with SMTP(host, port, timeout=SECONDS) as server:
        if security == "starttls":
            server.starttls(context=trusting(ca_file))
        yield server
