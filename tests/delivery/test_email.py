"""Letters at a real mail server: with STARTTLS, TLS and a password, and as a person reads them."""

from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from exchina.ledger import Ledger
from tests.delivery.desk import AT, ID, PASSWORD, known, publish, sent, states, subscriber
from tests.delivery.servers import Certificate
from tests.postgres import free_port

USER = "indices"
PROFORMA = (
    b"action,name,symbol,weight,previous_weight\nkeep,Lynas,LYC.AX,0.7,0.6\nadd,Iluka,ILU.AX,0.3,0.0\n"
    b"delete,Neo,NEO.TO,0.0,0.4\n"
)


class Box:
    """What a mail server was handed, and what it answers."""

    def __init__(self) -> None:
        self.letters: list[tuple[list[str], EmailMessage]] = []
        self.answers: list[str] = []

    async def handle_DATA(  # noqa: N802
        self, server: Any, session: Any, envelope: Envelope
    ) -> str:
        content = envelope.original_content or b""
        letter = message_from_bytes(content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append((envelope.rcpt_tos, letter))
        return self.answers.pop(0) if self.answers else "250 taken"


@pytest.fixture
def posted() -> Iterator[Callable[..., tuple[Box, int]]]:
    """Start mail servers: the box, and the port."""
    running: list[Controller] = []

    def start(**options: Any) -> tuple[Box, int]:
        box = Box()
        port = free_port()
        controller = Controller(box, hostname="127.0.0.1", port=port, **options)
        controller.start()
        running.append(controller)
        return box, port

    yield start
    for controller in running:
        controller.stop(no_assert=True)


def only_indices(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: LoginPassword) -> AuthResult:
    right = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False, message=None if right else f"535 not {given.password!r}")


def reader(port: int, name: str = "one", **settings: Any) -> str:
    given = {"to": f"{name}@example.org", "sender": "desk@example.com", "host": "127.0.0.1", "port": port}
    return subscriber(name, kind="email", **given, **settings)


def test_a_close_as_a_person_reads_it(ledger: Ledger, posted: Callable[..., tuple[Box, int]]) -> None:
    row = publish(ledger, inputs={"market_kind": "simulated"})
    box, port = posted()
    made, problems = sent(ledger, known(reader(port, security="plain"), reader(port, "two", security="plain")))
    assert (states(made), problems) == (["ok", "ok"], [])
    assert sorted(to for tos, _ in box.letters for to in tos) == ["one@example.org", "two@example.org"]
    (_, letter), (_, other) = sorted(box.letters, key=lambda pair: pair[0])
    assert letter["Subject"] == "Magnet Chain Index: closing files for 18 September 2026 (late)"
    assert (letter["From"], letter["To"]) == ("desk@example.com", "one@example.org")
    assert letter["Date"].datetime == AT
    assert letter["Message-ID"] != other["Message-ID"]
    path = f"{ID}/close/2026-09-18/levels.csv"
    assert letter.get_content().splitlines() == [
        "Magnet Chain Index: closing files for 18 September 2026 (late)",
        "SIMULATED PRICES.",
        "",
        "Published 18 September 2026, 22:00 UTC (due 18 September 2026, 20:30 UTC, late).",
        "",
        "PR                             1,234.50 USD",
        "NTR                            1,300.25 USD",
        "",
        f"https://indices.example.com/{path}",
        f"  SHA-256 {row.files[path]}",
        "",
        "Row 1 of the ledger, https://indices.example.com/ledger.jsonl:",
        row.hash,
        "",
        "Indices",
        "desk@example.com",
    ]


def test_an_announcement_says_who_comes_and_goes(ledger: Ledger, posted: Callable[..., tuple[Box, int]]) -> None:
    publish(ledger, "announcement", files={"proforma.csv": PROFORMA, "factsheet.pdf": b"%PDF", "big.html": b"x" * 99})
    box, port = posted()
    plain = {"security": "plain", "attach": [".pdf", ".html"]}
    sent(ledger, known(reader(port, **plain), reader(port, "small", **plain, attach_up_to_bytes=100)))
    letters = {tos[0]: letter for tos, letter in box.letters}
    text = letters["one@example.org"].get_body().get_content()  # type: ignore[union-attr]
    assert text.splitlines()[4:6] == ["Added: Iluka (ILU.AX, 30.00%)", "Deleted: Neo (NEO.TO, 40.00%)"]
    attached = {part.get_filename(): part.get_content_type() for part in letters["one@example.org"].iter_attachments()}
    assert attached == {"big.html": "text/html", "factsheet.pdf": "application/pdf"}
    assert list(letters["small@example.org"].iter_attachments()) == []


def test_a_large_file_is_not_quoted(ledger: Ledger, posted: Callable[..., tuple[Box, int]]) -> None:
    levels = b"variant,level,currency,status\n" + b"PR,1,USD,published\n" * 5000
    publish(ledger, files={"levels.csv": levels})
    publish(ledger, after=1, files={"levels.csv": b"another,table\n1,2\n"})
    box, port = posted()
    sent(ledger, known(reader(port, security="plain")))
    assert ["PR  " in letter.get_content() for _, letter in box.letters] == [False, False]


def test_a_password_goes_over_starttls_to_a_proven_server(
    ledger: Ledger, posted: Callable[..., tuple[Box, int]], certificate: Certificate
) -> None:
    publish(ledger)
    box, port = posted(
        tls_context=certificate.context, require_starttls=True, auth_required=True, authenticator=only_indices
    )
    login = {"user": USER, "secret_env": "PASSWORD"}
    people = known(
        reader(port, **login, ca_file=str(certificate.file)),
        reader(port, "unproven", **login),
        reader(port, "nobody", ca_file=str(certificate.file)),
    )
    made, problems = sent(ledger, people)
    assert {one.subscriber: one.outcome for one in made} == {"one": "ok", "unproven": "failed", "nobody": "failed"}
    assert problems == []
    assert [tos for tos, _ in box.letters] == [["one@example.org"]]
    assert "certificate verify failed" in next(one.detail for one in made if one.subscriber == "unproven")


def test_a_wrong_password_is_repeated_nowhere(
    ledger: Ledger,
    posted: Callable[..., tuple[Box, int]],
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PASSWORD", "wr0ng")
    publish(ledger)
    _, port = posted(tls_context=certificate.context, auth_required=True, authenticator=only_indices)
    made, _ = sent(ledger, known(reader(port, user=USER, secret_env="PASSWORD", ca_file=str(certificate.file))))
    assert [one.detail for one in made] == ["the mail server refused the user or the password: 535"]


def test_tls_from_the_first_byte(
    ledger: Ledger, posted: Callable[..., tuple[Box, int]], certificate: Certificate
) -> None:
    publish(ledger)
    box, port = posted(ssl_context=certificate.context)
    made, _ = sent(ledger, known(reader(port, security="tls", ca_file=str(certificate.file))))
    assert states(made) == ["ok"]
    assert len(box.letters) == 1


def test_a_server_without_starttls_gets_nothing(ledger: Ledger, posted: Callable[..., tuple[Box, int]]) -> None:
    publish(ledger)
    box, port = posted()
    made, _ = sent(ledger, known(reader(port)))
    assert [one.detail.partition(":")[0] for one in made] == ["SMTPNotSupportedError"]
    assert box.letters == []


def test_a_repetition_has_the_same_message_id(ledger: Ledger, posted: Callable[..., tuple[Box, int]]) -> None:
    publish(ledger)
    box, port = posted()
    box.answers = ["451 later"]
    people = known(reader(port, security="plain"))
    assert states(sent(ledger, people)[0]) == ["failed"]
    assert states(sent(ledger, people, AT.replace(hour=23))[0]) == ["ok"]
    first, second = (letter for _, letter in box.letters)
    assert first["Message-ID"] == second["Message-ID"]


def test_a_file_of_authorities_that_is_not_there_uses_up_no_attempt(
    ledger: Ledger, posted: Callable[..., tuple[Box, int]]
) -> None:
    publish(ledger)
    _, port = posted()
    made, (problem,) = sent(ledger, known(reader(port, security="tls", ca_file="/no/such.pem")))
    assert made == []
    assert problem.where == "subscriber one: /no/such.pem"


def test_a_password_that_cannot_be_sent_uses_up_no_attempt(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "geheïm")
    publish(ledger)
    made, (problem,) = sent(ledger, known(reader(free_port(), user=USER, secret_env="PASSWORD")))
    assert made == []
    assert "environment variable PASSWORD: holds letters beyond ASCII" in str(problem)
    assert "ï" not in str(problem)
