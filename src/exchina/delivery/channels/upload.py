"""The files put where a subscriber fetches them: a folder, an SFTP server, an object store, whatever fsspec reaches."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from exchina.atomic import place
from exchina.delivery.channels import channel
from exchina.delivery.message import Message, Outcome
from exchina.delivery.network import SECONDS, env_fault, first_fault, secret_of, url_fault
from exchina.delivery.subscribers import Site
from exchina.ledger.chain import export_lines
from exchina.site.lists import LEDGER

SFTP = ("sftp", "ssh")
SECRETIVE = ("password", "passwd", "passphrase", "secret", "token", "credential", "pkey", "private")
WAIT_FOR = {"timeout": SECONDS, "banner_timeout": SECONDS, "auth_timeout": SECONDS, "channel_timeout": SECONDS}


def _fault(url: str, options: Mapping[str, Any], secret_env: str, host_key: str, **_: object) -> str | None:
    wrong = url_fault(url, ())
    remote = not wrong and urlsplit(url).scheme in SFTP
    unproven = "host_key is required for SFTP: the key of the server, as ssh-keyscan -t ed25519 prints it"
    open_secrets = sorted(name for name in _names(options) if any(word in name.casefold() for word in SECRETIVE))
    return first_fault(
        wrong and f"url {wrong}",
        unproven if remote and len(host_key.split()) < 2 else None,
        f"options.{open_secrets[0]} would be a secret in the file: secret_env and secret_option are for it"
        if open_secrets
        else None,
        env_fault(secret_env),
    )


def _names(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        yield name
        yield from _names(value) if isinstance(value, dict) else ()


@channel("upload", check=_fault)
def upload(
    message: Message,
    _: Site,
    *,
    url: str,
    options: dict[str, Any] = {},  # noqa: B006  (never changed; it shows what is left out)
    secret_env: str = "",
    secret_option: str = "password",
    host_key: str = "",
) -> Outcome:
    """Put the files of a row below a URL under their own paths, then the ledger up to that row, which names them.

    A file appears whole or not at all, and one that is there with the same bytes is left. The ledger never shrinks.

    Args:
        message: what is told.
        url: such as ``file:///srv/indices``, ``sftp://user@host/indices`` or ``s3://bucket/indices``.
        options: of the file system, as fsspec and the library behind it name them.
        secret_env: environment variable with the password; empty where none is needed.
        secret_option: under which name the file system takes it.
        host_key: of an SFTP server, ``ssh-ed25519 AAAA...``; another key is refused.
    """
    secret = {secret_option: secret_of(secret_env)} if secret_env else {}
    with _opened(url, {**options, **secret}, host_key) as (fs, root):
        for path in sorted(message.files):
            _put(fs, f"{root}/{path}", message.content(path))
        _put(fs, f"{root}/{LEDGER}", export_lines(message.rows), grows=True)
    return Outcome("ok")


@contextmanager
def _opened(url: str, options: Mapping[str, Any], host_key: str) -> Generator[tuple[Any, str]]:
    """The file system of a URL, never one that was open before, and the path in it."""
    from fsspec.core import url_to_fs

    if urlsplit(url).scheme not in SFTP:
        fs, root = url_to_fs(url, skip_instance_cache=True, **options)
        yield fs, root.rstrip("/")
        return
    proven = {"host_key_policy": _only(host_key), "look_for_keys": False, "allow_agent": False}
    fs, root = url_to_fs(url, skip_instance_cache=True, **proven, **WAIT_FOR, **options)
    try:
        fs.ftp.get_channel().settimeout(SECONDS)
        yield fs, root.rstrip("/")
    finally:
        fs.client.close()


def _only(host_key: str) -> Any:
    """What refuses every server but the one with that key."""
    from paramiko import MissingHostKeyPolicy, PKey, SSHClient, SSHException

    class Only(MissingHostKeyPolicy):
        def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:  # noqa: ARG002
            if key.get_base64() not in host_key.split():
                raise SSHException(f"the server shows another {key.get_name()} key than host_key says")

    return Only()


def _put(fs: Any, path: str, content: bytes, *, grows: bool = False) -> None:
    """A file in its place, whole; one that says the same already, or more where it grows, is left."""
    try:
        size = fs.info(path)["size"]
    except FileNotFoundError:
        size = -1
    if (size == len(content) or (grows and size > len(content))) and fs.cat_file(path, 0, len(content)) == content:
        return
    protocol = fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]
    if protocol == "file":
        place(Path(path), content)
    elif protocol in SFTP:
        folder, name = PurePosixPath(path).parent, PurePosixPath(path).name
        hidden = str(folder / f".{name}.{sha256(content).hexdigest()[:16]}.part")
        fs.makedirs(str(folder), exist_ok=True)
        fs.pipe_file(hidden, content)
        fs.mv(hidden, path)
    else:  # an object store shows an object when it is whole
        fs.pipe_file(path, content)
