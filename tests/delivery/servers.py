"""Real servers on loopback that do as they are told, and a certificate that vouches for them."""

import datetime as dt
import getpass
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.postgres import free_port

Answer = int | Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Hooks:
    """A receiver: what it was sent, and what it answers, one after another; 204 when it has no more to say."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.seen]


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Hooks]:
    hooks = Hooks()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hooks.seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = hooks.answers.pop(0) if hooks.answers else 204
            if callable(answer):
                return answer(self)
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            return self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """One who hangs up is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    hooks.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}/hook"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hooks
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Certificate:
    """A certificate of this machine, signed by itself."""

    file: Path
    context: ssl.SSLContext


def certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, private = folder / "ca.pem", folder / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, private)
    return Certificate(file, context)


@dataclass(frozen=True)
class Shell:
    """An SFTP server of this user: its URL, its own key, and the file of the key that opens it, under a passphrase."""

    url: str
    host_key: str
    key_file: Path
    passphrase: str


@contextmanager
def sshd(folder: Path) -> Iterator[Shell]:
    program, keygen = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin"), shutil.which("ssh-keygen")
    if program is None or keygen is None:
        pytest.skip("needs the Debian package openssh-server")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd of root asks for it
    passphrase, port = "open s3same", free_port()
    for name, secret in (("host", ""), ("user", passphrase)):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", secret, "-f", folder / name], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized_keys",
        "PidFile": folder / "pid",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "yes",
        "Subsystem": "sftp internal-sftp",
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "-D", "-e", "-f", folder / "config"], stderr=log)
    try:
        deadline = monotonic() + 20
        while b"Server listening" not in (folder / "log").read_bytes():
            assert server.poll() is None, (folder / "log").read_text()
            assert monotonic() < deadline
            sleep(0.02)
        url = f"sftp://{getpass.getuser()}@127.0.0.1:{port}"
        yield Shell(url, (folder / "host.pub").read_text(), folder / "user", passphrase)
    finally:
        server.terminate()
        server.wait(20)
