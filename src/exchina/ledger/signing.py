"""Ed25519 signatures over the hashes of rows: only who holds the private key can have published them (RFC 8032)."""

import os
from base64 import b64decode, b64encode
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from exchina.errors import Problem, PublicationError
from exchina.ledger.chain import RESTORE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAKE = "name another file, or make a key: exchina.ledger.signing.new_key"


class Signed(Protocol):
    """What a signature needs of a row."""

    @property
    def sequence(self) -> int: ...  # noqa: D102

    @property
    def hash(self) -> str: ...  # noqa: D102

    @property
    def signature(self) -> str: ...  # noqa: D102


def new_key(path: Path) -> Path:
    """Make a private key that only its owner may read, and beside it, as ``<stem>.pub.pem``, the public key.

    Returns:
        The file of the public key, which subscribers get.

    Raises:
        PublicationError: one of the files is there already, or cannot be written.
    """
    with _refusing(path):
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        public = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
        beside = path.with_name(f"{path.stem}.pub.pem")
        for file, text, mode in ((path, private, 0o600), (beside, public, 0o644)):
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
        return beside


def read_key(path: Path) -> "Ed25519PrivateKey":
    """The private key of a PEM file; `PublicationError` if there is none."""
    with _refusing(path):
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        return _of_kind(load_pem_private_key(path.read_bytes(), password=None), Ed25519PrivateKey)


def public_key(path: Path) -> "Ed25519PublicKey":
    """The public key of a PEM file; `PublicationError` if there is none."""
    with _refusing(path):
        return public_key_of(path.read_bytes(), str(path))


def public_key_of(pem: bytes, where: str = "public key") -> "Ed25519PublicKey":
    """The public key in PEM; `PublicationError` naming ``where`` if there is none."""
    with _refusing(Path(where)):
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        return _of_kind(load_pem_public_key(pem), Ed25519PublicKey)


def signature_of(row_hash: str, key: "Ed25519PrivateKey") -> str:
    """The signature over the 64 characters of a row's hash, in base64."""
    return b64encode(key.sign(row_hash.encode())).decode()


def signature_faults(rows: Sequence[Signed], key: "Ed25519PublicKey") -> list[Problem]:
    """Rows that the holder of a key has not signed, given that the chain of their hashes was proven.

    A signature vouches for every row before its own, whose hashes it covers; so rows before the first that is signed
    are vouched for too, and none after it may be without.

    Args:
        rows: all of a ledger, oldest first.
        key: the public key, which has to come from the publisher by another way than the rows.
    """
    first = next((number for number, row in enumerate(rows) if row.signature), 0)
    return [
        Problem(f"ledger row {row.sequence}", what, RESTORE) for row in rows[first:] if (what := _unproven(row, key))
    ]


def _unproven(row: Signed, key: "Ed25519PublicKey") -> str:
    from cryptography.exceptions import InvalidSignature

    if not row.signature:
        return "is not signed"
    try:
        key.verify(b64decode(row.signature, validate=True), row.hash.encode())
    except (InvalidSignature, ValueError):
        return "was not signed with this key, or was changed after"
    return ""


def _of_kind(key: Any, kind: type[Any]) -> Any:
    if not isinstance(key, kind):
        raise ValueError(f"is a key of another kind than {kind.__name__}")
    return key


@contextmanager
def _refusing(path: Path) -> Generator[None]:
    try:
        yield
    except ImportError as fault:
        raise PublicationError(
            Problem(str(path), f"a library is missing: {fault}", "pip install 'exchina[service]'")
        ) from fault
    except OSError as fault:
        raise PublicationError(Problem(str(fault.filename or path), fault.strerror or str(fault), MAKE)) from fault
    except (TypeError, ValueError) as fault:
        raise PublicationError(Problem(str(path), f"holds no Ed25519 key in PEM: {fault}", MAKE)) from fault
