"""Webhooks at a real server: signed, repeated under the same key, and never led astray."""

import json
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from time import monotonic, sleep
from zoneinfo import ZoneInfo

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from exchina.delivery.channels import webhook
from exchina.ledger import Ledger
from tests.delivery.desk import AT, MINUTE, SIGNING, hook, known, publish, sent, states
from tests.delivery.servers import Certificate, Hooks, receiving
from tests.postgres import free_port


def test_a_receiver_verifies_what_it_is_told(ledger: Ledger, hooks: Hooks) -> None:
    row = publish(ledger, inputs={"market_kind": "simulated"})
    made, problems = sent(ledger, known(hook(hooks.url)), datetime.now(ZoneInfo("Asia/Tokyo")))
    assert (states(made), problems) == (["ok"], [])
    ((headers, body),) = hooks.seen
    said = Webhook(SIGNING).verify(body, headers)
    path = "magnet-chain/close/2026-09-18/levels.csv"
    assert said == {
        "id": f"urn:exchina:{row.hash}",
        "index": "magnet-chain",
        "what": "close",
        "for_day": "2026-09-18",
        "revision": 0,
        "due_at": "2026-09-18T20:30:00+00:00",
        "published_at": "2026-09-18T22:00:00+00:00",
        "late": True,
        "simulated": True,
        "row": 1,
        "hash": row.hash,
        "files": [{"path": path, "sha256": row.files[path], "url": f"https://indices.example.com/{path}"}],
    }
    assert headers["webhook-id"] == row.hash
    assert headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(SIGNING).verify(body.replace(b"close", b"clone"), headers)


def test_what_fails_is_repeated_word_for_word_under_the_same_key(ledger: Ledger, hooks: Hooks) -> None:
    publish(ledger)
    hooks.answers = [500, 429, 404]
    people, now = known(hook(hooks.url)), AT
    for wait in (1, 2, 4):
        made, _ = sent(ledger, people, now)
        assert states(made) == ["failed"]
        assert sent(ledger, people, now + wait * MINUTE - timedelta(seconds=1)) == ([], [])
        now += wait * MINUTE
    made, problems = sent(ledger, people, now)
    assert (states(made), problems) == (["ok"], [])
    assert sent(ledger, people, now + timedelta(days=9)) == ([], [])
    assert len(set(hooks.ids())) == 1
    assert len({body for _, body in hooks.seen}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in hooks.seen}) == 4


def test_one_who_is_gone_is_sent_nothing_more(ledger: Ledger, hooks: Hooks) -> None:
    publish(ledger)
    hooks.answers = [410]
    people = known(hook(hooks.url))
    made, (problem,) = sent(ledger, people)
    assert states(made) == ["gone"]
    assert "HTTP 410 Gone: nothing more is sent" in problem.what
    publish(ledger, after=1)
    assert sent(ledger, people, AT + timedelta(days=9)) == ([], [problem])
    assert len(hooks.seen) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(ledger: Ledger, hooks: Hooks, status: int) -> None:
    with receiving() as elsewhere:

        def lead_astray(asked: BaseHTTPRequestHandler) -> None:
            asked.send_response(status)
            asked.send_header("Location", elsewhere.url)
            asked.send_header("Content-Length", "0")
            asked.end_headers()

        publish(ledger)
        hooks.answers = [lead_astray]
        made, _ = sent(ledger, known(hook(hooks.url)))
        assert states(made) == ["failed"]
        assert made[0].detail.startswith(f"HTTP {status}")
        assert elsewhere.seen == []


def test_a_server_that_says_nothing_is_left(ledger: Ledger, hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "SECONDS", 0.2)
    publish(ledger)
    hooks.answers = [lambda _: sleep(1)]
    made, _ = sent(ledger, known(hook(hooks.url)))
    assert [(one.outcome, one.detail) for one in made] == [("failed", "TimeoutError: timed out")]


def test_a_server_that_never_stops_talking_is_left(
    ledger: Ledger, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drip(asked: BaseHTTPRequestHandler) -> None:
        for _ in range(100):
            asked.wfile.write(b"H")
            sleep(0.05)

    monkeypatch.setattr(webhook, "LONGEST", 0.4)
    publish(ledger)
    hooks.answers = [drip]
    begun = monotonic()
    made, _ = sent(ledger, known(hook(hooks.url)))
    assert states(made) == ["failed"]
    assert monotonic() - begun < 3


def test_a_server_that_is_not_there_fails(ledger: Ledger) -> None:
    publish(ledger)
    made, _ = sent(ledger, known(hook(f"http://127.0.0.1:{free_port()}/hook")))
    assert states(made) == ["failed"]
    assert made[0].detail.startswith("ConnectionRefusedError")


def test_a_server_over_tls_must_be_proven(ledger: Ledger, certificate: Certificate) -> None:
    with receiving(certificate.context) as hooks:
        publish(ledger)
        made, _ = sent(ledger, known(hook(hooks.url, "strange"), hook(hooks.url, ca_file=str(certificate.file))))
        assert [(one.subscriber, one.outcome) for one in made] == [("strange", "failed"), ("one", "ok")]
        assert "certificate verify failed" in made[0].detail
        assert len(hooks.seen) == 1


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", SIGNING.removeprefix("whsec_"), "whsec_n0t base64"])
def test_a_secret_that_is_none_keeps_us_from_sending(
    ledger: Ledger, hooks: Hooks, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("SIGNING", secret)
    publish(ledger)
    made, (problem,) = sent(ledger, known(hook(hooks.url)))
    assert (made, hooks.seen) == ([], [])
    assert problem.where == "subscriber one: environment variable SIGNING"
    assert problem.hint
    assert not secret or secret not in str(problem) or secret == "whsec_"
    assert json.dumps(problem.as_dict())
