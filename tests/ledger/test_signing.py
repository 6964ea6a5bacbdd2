"""Signatures: only the holder of the key can have published a row."""

import json
import subprocess
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs exchina[service]")

from exchina.errors import PublicationError
from exchina.ledger import Ledger, open_ledger
from exchina.ledger.signing import new_key, public_key, public_key_of, read_key, signature_faults
from exchina.model import Publication
from tests.ledgers import DAY, on_disk, publish, three, unguarded


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """The public key, beside ``key.pem``."""
    return new_key(tmp_path / "key.pem")


@pytest.fixture
def ledger(tmp_path: Path, ledger_url: str, public: Path) -> Ledger:
    """Three publications, each signed."""
    return three(open_ledger(tmp_path / "reports", ledger_url, read_key(tmp_path / "key.pem")))


def whats(rows: list[Publication], public: Path) -> list[str]:
    return [str(problem) for problem in signature_faults(rows, public_key(public))]


def test_only_the_owner_may_read_the_private_key(tmp_path: Path, public: Path) -> None:
    assert public == tmp_path / "key.pub.pem"
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in public.read_bytes()
    with pytest.raises(PublicationError, match=r"key.pem: File exists \(name another file"):
        new_key(tmp_path / "key.pem")


def test_each_row_and_line_is_signed(ledger: Ledger, public: Path) -> None:
    rows = ledger.entries()
    assert whats(rows, public) == []
    assert ledger.verify() == []
    lines = [json.loads(line) for line in ledger.export.read_text().splitlines()]
    assert [line["signature"] for line in lines] == [row.signature for row in rows]
    assert len({row.signature for row in rows}) == 3


def test_openssl_says_the_same(ledger: Ledger, public: Path, tmp_path: Path) -> None:
    row = ledger.entries()[0]
    (tmp_path / "hash").write_text(row.hash)
    (tmp_path / "signature").write_bytes(b64decode(row.signature))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin"]
    files = ["-in", str(tmp_path / "hash"), "-sigfile", str(tmp_path / "signature")]
    assert b"Signature Verified" in subprocess.run([*command, *files], check=True, capture_output=True).stdout


def test_the_signature_is_not_in_the_hash(ledger: Ledger, tmp_path: Path) -> None:
    bare = three(open_ledger(tmp_path / "bare"))
    assert [row.hash for row in bare.entries()] == [row.hash for row in ledger.entries()]


def test_another_key_did_not_sign_it(ledger: Ledger, tmp_path: Path) -> None:
    other = new_key(tmp_path / "other.pem")
    assert len(whats(ledger.entries(), other)) == 3
    assert "row 1: was not signed with this key" in whats(ledger.entries(), other)[0]


@pytest.mark.parametrize("signature", ["", "%", "AAAA", "ü"])
def test_a_spoilt_signature_is_found(ledger: Ledger, public: Path, signature: str) -> None:
    rows = ledger.entries()
    rows[1] = replace(rows[1], signature=signature)
    (what,) = whats(rows, public)
    assert "row 2: " in what
    unguarded(ledger, f"UPDATE publications SET signature = '{signature.replace('%', '%%')}' WHERE sequence = 2")
    assert "line 2: differs" in str(ledger.verify()[0])


def test_a_signature_of_another_row_is_found(ledger: Ledger, public: Path) -> None:
    rows = ledger.entries()
    rows[2] = replace(rows[2], signature=rows[1].signature)
    assert len(whats(rows, public)) == 1


def test_rows_before_the_first_key_are_vouched_for_and_none_after_it_is_without(
    tmp_path: Path, ledger_url: str, public: Path
) -> None:
    three(open_ledger(tmp_path / "reports", ledger_url))
    bare = open_ledger(tmp_path / "reports", ledger_url)
    assert len(whats(bare.entries(), public)) == 3
    publish(open_ledger(tmp_path / "reports", ledger_url, read_key(tmp_path / "key.pem")), DAY + timedelta(9))
    assert whats(bare.entries(), public) == []
    publish(bare, DAY + timedelta(10))
    assert whats(bare.entries(), public) == [
        "ledger row 5: is not signed (restore the folder from a backup, then verify again)"
    ]


def test_what_is_no_key_is_named(tmp_path: Path, public: Path) -> None:
    for read in (read_key, public_key):
        with pytest.raises(PublicationError, match=r"none.pem: No such file .* \(name another file, or make a key"):
            read(tmp_path / "none.pem")
        (tmp_path / "text.pem").write_text("no key")
        with pytest.raises(PublicationError, match="text.pem: holds no Ed25519 key in PEM"):
            read(tmp_path / "text.pem")
    with pytest.raises(PublicationError, match="holds no Ed25519 key"):
        public_key(tmp_path / "key.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", tmp_path / "x.pem"], check=True)
    with pytest.raises(PublicationError, match="a key of another kind"):
        read_key(tmp_path / "x.pem")
    assert public_key_of(public.read_bytes()) == public_key(public)


def test_the_private_key_is_written_nowhere(ledger: Ledger, tmp_path: Path) -> None:
    secret = (tmp_path / "key.pem").read_bytes().splitlines()[1]
    assert secret not in b"".join(on_disk(ledger.folder).values())
    assert "25519" not in repr(ledger)
