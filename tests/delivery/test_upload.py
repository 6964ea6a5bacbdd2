"""Uploads: to a folder, to an object store in memory, and to a real SFTP server."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from exchina.delivery.channels import upload
from exchina.ledger import Ledger
from exchina.ledger.chain import export_lines
from tests.delivery.desk import AT, ID, LEVELS, MINUTE, known, publish, sent, states, subscriber
from tests.delivery.servers import Shell

CLOSE = f"{ID}/close/2026-09-18/levels.csv"


def vendor(url: str, **settings: Any) -> str:
    return subscriber("vendor", kind="upload", url=url, **settings)


def on_disk(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_gets_the_public_files_and_the_ledger_last(ledger: Ledger, tmp_path: Path) -> None:
    rows = [publish(ledger), publish(ledger, "draft", 1), publish(ledger, after=2), publish(ledger, "snapshot", 3)]
    folder = tmp_path / "vendor"
    made, problems = sent(ledger, known(vendor(f"file://{folder}")))
    assert (states(made), problems) == (["ok", "ok"], [])
    second = f"{ID}/close/2026-09-20/levels.csv"
    assert on_disk(folder) == {CLOSE: LEVELS, second: LEVELS, "ledger.jsonl": export_lines(rows[:3])}


def test_licensed_files_go_to_those_who_have_a_licence(ledger: Ledger, tmp_path: Path) -> None:
    publish(ledger)
    sent(ledger, known(vendor(f"file://{tmp_path}/v", licensed=True)))
    licensed = f"{ID}/close/2026-09-18/closing.licensed.csv"
    assert set(on_disk(tmp_path / "v")) == {CLOSE, licensed, "ledger.jsonl"}


def test_what_is_there_is_left_and_what_is_torn_is_mended(ledger: Ledger, tmp_path: Path) -> None:
    row, folder = publish(ledger), tmp_path / "v"
    (folder / CLOSE).parent.mkdir(parents=True)
    (folder / CLOSE).write_bytes(LEVELS)
    longer = export_lines([row]) + b'{"sequence":2}\n'
    (folder / "ledger.jsonl").write_bytes(longer)
    before = (folder / CLOSE).stat().st_ino
    sent(ledger, known(vendor(f"file://{folder}")))
    assert (folder / CLOSE).stat().st_ino == before
    assert (folder / "ledger.jsonl").read_bytes() == longer
    for torn in (LEVELS[:-1], LEVELS + b"x", LEVELS.replace(b"PR", b"XX")):
        (folder / CLOSE).write_bytes(torn)
        again = known(vendor(f"file://{folder}").replace("vendor", f"v{sha256(torn).hexdigest()}"))
        assert states(sent(ledger, again)[0]) == ["ok"]
        assert (folder / CLOSE).read_bytes() == LEVELS


def test_an_upload_that_breaks_off_names_no_file_that_is_not_there(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever write fails: each file that the ledger there names as public is there, and the next try succeeds."""
    first = publish(ledger, files={"a.csv": b"a", "b.csv": b"b"})
    second = publish(ledger, after=1, files={"a.csv": b"A", "b.csv": b"B"})
    real = MemoryFileSystem.pipe_file
    for broken in range(1, 7):
        store = MemoryFileSystem()
        store.store.clear()
        people, calls = known(vendor("memory://vendor").replace("vendor", f"v{broken}")), iter(range(1, 99))

        def flaky(*given: Any, calls: Any = calls, broken: int = broken, **named: Any) -> None:
            if next(calls) == broken:
                raise OSError("the line broke")
            real(*given, **named)

        monkeypatch.setattr(MemoryFileSystem, "pipe_file", flaky)
        made, _ = sent(ledger, people)
        assert states(made) == ["ok"] * ((broken - 1) // 3) + ["failed"]
        found = {path.partition("/")[2].partition("/")[2]: file.getvalue() for path, file in store.store.items()}
        named = [row for row in (first, second) if export_lines([row]) in found.get("ledger.jsonl", b"")]
        assert {path for row in named for path in row.files if "frozen" not in path} <= set(found)
        assert "failed" not in states(sent(ledger, people, AT + MINUTE)[0])
        assert store.cat_file(f"/v{broken}/ledger.jsonl") == export_lines([first, second])


def server_settings(shell: Shell) -> dict[str, Any]:
    options = {"key_filename": str(shell.key_file)}
    return {"host_key": shell.host_key.strip(), "options": options, "secret_env": "KEY", "secret_option": "passphrase"}


def test_an_sftp_server_gets_whole_files(
    ledger: Ledger, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", shell.passphrase)
    rows = [publish(ledger), publish(ledger, after=1)]
    people = known(vendor(f"{shell.url}{tmp_path}/in coming".replace(" ", "-"), **server_settings(shell)))
    made, problems = sent(ledger, people)
    assert ([(one.outcome, one.detail) for one in made], problems) == ([("ok", "")] * 2, [])
    found = on_disk(tmp_path / "in-coming")
    assert found.pop("ledger.jsonl") == export_lines(rows)
    assert set(found) == {CLOSE, f"{ID}/close/2026-09-19/levels.csv"}
    third = publish(ledger, after=2)
    (tmp_path / "in-coming" / f"{ID}/close/2026-09-20").mkdir()
    (tmp_path / "in-coming" / f"{ID}/close/2026-09-20/levels.csv").write_bytes(b"torn")
    assert states(sent(ledger, people)[0]) == ["ok"]
    assert on_disk(tmp_path / "in-coming")["ledger.jsonl"] == export_lines([*rows, third])
    assert on_disk(tmp_path / "in-coming")[f"{ID}/close/2026-09-20/levels.csv"] == LEVELS


def test_an_sftp_upload_that_breaks_off_shows_no_half_file(
    ledger: Ledger, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", shell.passphrase)
    publish(ledger)
    people = known(vendor(f"{shell.url}{tmp_path}/v", **server_settings(shell)))

    def broken(*_: object) -> None:
        raise OSError("the line broke")

    with monkeypatch.context() as patch:
        patch.setattr("fsspec.implementations.sftp.SFTPFileSystem.mv", broken)
        assert states(sent(ledger, people)[0]) == ["failed"]
    (part,) = on_disk(tmp_path / "v")
    assert part.startswith(f"{ID}/close/2026-09-18/.levels.csv.")
    assert states(sent(ledger, people, AT + MINUTE)[0]) == ["ok"]
    assert set(on_disk(tmp_path / "v")) == {CLOSE, "ledger.jsonl"}


def test_an_sftp_server_with_another_key_gets_nothing(
    ledger: Ledger, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", shell.passphrase)
    publish(ledger)
    other = {**server_settings(shell), "host_key": f"ssh-ed25519 {b64encode(bytes(51)).decode()}"}
    made, _ = sent(ledger, known(vendor(f"{shell.url}{tmp_path}/v", **other)))
    said = "SSHException: the server shows another ssh-ed25519 key than host_key says"
    assert [(one.outcome, one.detail) for one in made] == [("failed", said)]
    assert not (tmp_path / "v").exists()


def test_a_wrong_secret_fails_and_is_not_repeated(
    ledger: Ledger, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "wr0ng")
    publish(ledger)
    made, _ = sent(ledger, known(vendor(f"{shell.url}{tmp_path}/v", **server_settings(shell))))
    assert states(made) == ["failed"]
    assert "wr0ng" not in made[0].detail


def test_a_missing_library_names_the_cure_and_uses_up_no_attempt(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(ledger)

    def missing(_: str) -> None:
        raise ImportError("No module named 'paramiko'")

    monkeypatch.setattr(upload, "_only", missing)
    settings = {"host_key": "ssh-ed25519 AAAA"}
    made, (problem,) = sent(ledger, known(vendor("sftp://me@127.0.0.1:9/v", **settings)))
    assert made == []
    assert str(problem).startswith("subscriber vendor: upload: a library is missing: No module named 'paramiko' (pip")
