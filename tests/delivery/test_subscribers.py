"""The file of subscribers: every fault at once, with its place, and never with what may be a secret."""

import re
from pathlib import Path

import pytest

from exchina.delivery import parse_subscribers
from exchina.errors import RulebookError
from tests.delivery.desk import SITE, hook, known, subscriber

UPLOAD = {"kind": "upload", "url": "file:///srv/indices"}
MAIL = {"kind": "email", "to": "a@b.example", "sender": "c@d.example", "host": "127.0.0.1"}


def faults(text: str) -> list[str]:
    with pytest.raises(RulebookError) as caught:
        parse_subscribers(text, ["magnet-chain", "ex-china-core"], "subscribers.toml")
    return [str(problem) for problem in caught.value.problems]


def test_the_shipped_file_tells_nobody_and_its_examples_are_sound(root: Path) -> None:
    text = (root / "scheduler" / "subscribers.toml").read_text(encoding="utf-8")
    assert parse_subscribers(text, ["magnet-chain"]).subscribers == ()
    examples = "\n".join(re.findall(r"^# (\[.*\]|[a-z_]+ = .*)$", text, re.MULTILINE))
    found = parse_subscribers(examples, ["magnet-chain"])
    assert [one.kind for one in found.subscribers] == ["webhook", "email", "upload"]
    assert found.site.link("a b/c.csv") == "https://indices.example.com/a%20b/c.csv"


def test_every_fault_is_told_at_once() -> None:
    text = (
        'mail = 1\n[site]\nurl = "ftp://x"\ntitel = "x"\n[[subscriber]]\nid = "A b"\nkind = "webhok"\n'
        '[[subscriber]]\nid = "two"\nkind = "webhook"\nlicenced = true\nwhat = ["clos", "draft"]\nindex = "magnet"\n'
        'url = "http://hooks.example.com/"\nsecret_env = ""\n'
        '[[subscriber]]\nid = "two"\nkind = "upload"\nsince = 2026-09-01\nlicensed = "yes"\nindex = []\n'
        'url = "no url"\n'
    )
    said = faults(text)
    expected = [
        "mail: no table called 'mail'",
        "site.titel: .* \\(did you mean 'title'\\?\\)",
        "site.url: is no URL that begins with https:// or http://",
        "subscriber 1.id: ",
        "subscriber 1.since: this setting is required",
        "subscriber 1.kind: no channel called 'webhok' \\(did you mean 'webhook'\\?\\)",
        "subscriber 2.since: this setting is required",
        "subscriber 2.licenced: .* \\(did you mean 'licensed'\\?\\)",
        "subscriber 2.what: no public kind of publication called 'clos' \\(did you mean 'close'\\?\\)",
        "subscriber 2.what: no public kind of publication called 'draft'",
        "subscriber 2.index: no index called 'magnet' \\(did you mean 'magnet-chain'\\?\\)",
        "subscriber 2: url begins with http://.*; secret_env names no variable",
        "subscriber 3.licensed: ",
        "subscriber 3.index: ",
        "subscriber 3: url is no URL",
        "two: 2 subscribers have this id",
    ]
    assert len(said) == len(expected)
    for one in expected:
        assert any(re.match(f"subscribers.toml: {one}", line) for line in said), one


SECRETS = [
    hook("https://user:s3cret@hooks.example.com/"),
    hook("https://hooks.example.com/").replace("SIGNING", "whsec_s3cret"),
    hook("https://hooks.example.com/").replace("SIGNING", "s3cret/"),
    subscriber("v", **UPLOAD | {"url": "sftp://me:s3cret@h/x"}, host_key="ssh-ed25519 AAAA"),
    subscriber("v", **UPLOAD, options={"client_kwargs": {"aws_secret_access_key": "s3cret"}}),
    subscriber("v", **UPLOAD, password="s3cret"),
    subscriber("m", **MAIL, security="plain", user="me", secret_env="s3cret"),
]


@pytest.mark.parametrize("table", SECRETS)
def test_a_secret_in_the_file_is_refused_and_not_repeated(table: str) -> None:
    (said,) = faults(SITE + table)
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (hook("http://192.0.2.1/"), "url begins with http://"),
        (hook("file:///etc"), "url is no URL that begins with https:// or http://"),
        (hook("https://hooks.example.com:x/"), "url is no URL"),
        (subscriber("m", **MAIL | {"host": "mail.example.com"}, security="plain"), "security is 'plain'"),
        (subscriber("m", **MAIL, user="me"), "user and secret_env stand together"),
        (subscriber("m", **MAIL | {"to": "a@b.example, c@d.example"}), "should match pattern"),
        (subscriber("v", **UPLOAD | {"url": "sftp://h/x"}), "host_key is required"),
    ],
)
def test_what_would_be_unsafe_is_refused(table: str, fault: str) -> None:
    (said,) = faults(SITE + table)
    assert fault in said


def test_who_tells_where_files_are_needs_a_site() -> None:
    assert faults(hook("https://h.example/")) == [
        "subscribers.toml: site.url: is required: webhook tell where the files are served (such as "
        "https://indices.example.com)"
    ]
    assert len(parse_subscribers(subscriber("v", **UPLOAD), []).subscribers) == 1


@pytest.mark.parametrize("text", ["subscriber = 1", "[subscriber]\nid = 'x'", "subscriber = [1]", "site = 1", "= 1"])
def test_a_file_of_another_shape_is_refused(text: str) -> None:
    assert faults(text)


def test_one_index_or_several() -> None:
    one, two = known(
        hook("https://h.example/", index="magnet-chain"), hook("https://h.example/", "two", index=["magnet-chain"])
    ).subscribers
    assert one.index == two.index == ("magnet-chain",)
