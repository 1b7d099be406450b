"""What proves an author, and what only says so."""

# ruff: noqa: E501 - tables of whole header lines and whole mails

import pytest

from mailflow.domain.mail import Authentication
from mailflow.intake.authentication import aligned, authserv_id_of, results_on_top, verdict

PASS = "mx.google.com; dkim=pass header.i=@example.com; spf=pass smtp.mailfrom=a@example.com; dmarc=pass header.from=example.com"


def judged(*texts: str, preset: str = "gmail", id_: str = "", internal: bool = False) -> bool | None:
    results = tuple((authserv_id_of(t), t) for t in texts)
    return verdict(
        Authentication(results=results, internal=internal),
        preset=preset,
        authserv_id=id_,
        author="john@example.com",
        own_domains=frozenset({"example.com"}),
    )


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((PASS,), True),
        ((), None),
        (("mx.google.com; dmarc=fail header.from=example.com; dkim=pass header.d=example.com",), False),
        (("mx.google.com; dkim=pass header.d=mail.example.com",), True),
        (("mx.google.com; dkim=pass header.i=@evil.example",), None),
        (("mx.google.com; spf=pass smtp.mailfrom=bounce@example.com",), True),
        (("mx.google.com; spf=softfail smtp.mailfrom=bounce@example.com; dkim=fail header.d=example.com",), None),
        (("mx.google.com; dmarc=none (dmarc=pass) header.from=example.com",), None),
        (('mx.google.com; dkim=none reason="; dmarc=pass header.from=example.com"',), None),
        (("mx.evil.example; dmarc=pass header.from=example.com",), None),
        (("mx.google.com; dmarc=pass header.from=evil.example",), False),
        ((PASS, "mx.google.com; dmarc=fail header.from=example.com"), False),
        (("mx.google.com; spf=none", PASS), False),
        (("mx.google.com (by mx.evil.example; dmarc=fail) ; dmarc = pass (p=reject) header.from = example.com",), True),
    ],
)
def test_gmail(texts: tuple[str, ...], expected: bool | None) -> None:
    """Only mx.google.com's own result counts; words in comments, other servers' and contradictions never pass."""
    assert judged(*texts) is expected


@pytest.mark.parametrize(
    ("texts", "internal", "expected"),
    [
        (("spf=pass smtp.mailfrom=example.com; dkim=pass header.d=example.com;dmarc=pass action=none header.from=example.com;compauth=pass reason=100",), False, True),
        (("spf=fail smtp.mailfrom=x.example; dmarc=fail action=quarantine header.from=example.com;compauth=fail",), False, False),
        (("spf=none; dkim=none; dmarc=none header.from=example.com; compauth=fail reason=001",), False, False),
        (("dkim=none; dmarc=none",), True, True),
        ((), True, True),
        ((), False, None),
        (("x.example; dmarc=pass header.from=example.com",), False, None),
        (("dmarc=none header.from=example.com", "dmarc=pass header.from=example.com"), False, False),
    ],
)  # fmt: skip
def test_microsoft_365(texts: tuple[str, ...], internal: bool, expected: bool | None) -> None:
    """A result without authserv-id is Microsoft's; inside the tenant its Internal mark proves our own domains."""
    assert judged(*texts, preset="m365", internal=internal) is expected


def test_internal_proves_only_own_domains() -> None:
    """Internal mail from a domain that is not ours proves nothing."""
    said = Authentication(internal=True)
    assert verdict(said, preset="m365", authserv_id="", author="a@x.example", own_domains=frozenset()) is None


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("mx.msp.example; dmarc=pass header.from=example.com",), True),
        (
            ("mx.msp.example; dkim=pass header.d=example.com", "mx.msp.example; dmarc=pass header.from=example.com"),
            True,
        ),
        (("mx.msp.example; dkim=pass header.d=example.com",), None),
        (("MX.msp.example 1; auth=pass smtp.auth=john@example.com",), True),
        (("mx.msp.example; auth=pass smtp.auth=john@evil.example",), None),
        (("mx.msp.example; auth=pass smtp.auth=paul@example.com",), None),  # a colleague's login proves the colleague
        (("mx.msp.example; auth=pass smtp.auth=john",), None),
        (("mx.msp.example; dmarc=fail header.from=example.com",), False),
        (("mx.msp.example; dmarc=pass header.from=example.com", "mx.msp.example; dmarc=none"), False),
    ],
)
def test_generic(texts: tuple[str, ...], expected: bool | None) -> None:
    """The configured server's DMARC or its aligned login; the milters' several headers are read together."""
    assert judged(*texts, preset="generic", id_="mx.msp.example") is expected


def test_without_preset_nothing_can_be_told() -> None:
    """Preset none, and generic without an authserv-id, never prove anything."""
    assert judged(PASS, preset="none") is None
    assert judged("dmarc=pass", preset="generic") is None


@pytest.mark.parametrize(
    ("identity", "domain", "expected"),
    [
        ("example.com", "example.com", True),
        ("a@mail.example.com", "example.com", True),
        ("example.com", "mail.example.com", True),
        ("badexample.com", "example.com", False),
        ("com", "example.com", False),
        ("", "example.com", False),
        ("example.com", "", False),
    ],
)
def test_alignment(identity: str, domain: str, expected: bool) -> None:
    """Equal, or one below the other; never by the end of a word or by a top-level domain."""
    assert aligned(identity, domain) is expected


def headers(*lines: str) -> list[tuple[str, str]]:
    return [(n.strip().casefold(), v.strip()) for n, _, v in (line.partition(":") for line in lines)]


FORGED = "Authentication-Results: mx.google.com; dmarc=pass header.from=example.com"
TRUE = "Authentication-Results: mx.google.com; dmarc=fail header.from=example.com"


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ([TRUE], 1),
        (["Received: by 2002:a05:6a00:1 with SMTP id x", "Received: from evil by mx.google.com with ESMTPS", TRUE, "Received: from a by mail.evil.example", FORGED], 1),
        (["Received: from evil by mx.google.com", TRUE, "Received: from x (by mx.google.com) by evil.example", FORGED], 1),
        (["Received: from evil by mx.google.com", "Received: from evil by mx.google.com.evil.example", FORGED], 0),
    ],
)  # fmt: skip
def test_results_below_a_foreign_received_do_not_count(lines: list[str], count: int) -> None:
    """What a sender's own servers wrote about him is not read: the first foreign Received ends the list."""
    assert len(results_on_top(headers(*lines)).results) == count


@pytest.mark.parametrize(
    ("lines", "ids"),
    [
        (["Received: by 2002:a05:6a00:1 with SMTP", "Received: from a by mx.google.com", TRUE, "Received: from b by relay.example", FORGED], ["mx.google.com"]),
        (["Received: from x by AM0PR04.eurprd04.prod.outlook.com", "Received: from y by AM7.mail.protection.outlook.com",
          "Authentication-Results: spf=pass; dmarc=pass header.from=example.com", "Received: from z by mail.example.com", FORGED], [""]),
        (["Authentication-Results: mx.msp.example; dmarc=pass", "Received: from x by mx.msp.example", "Received: from y by localhost", FORGED], ["mx.msp.example"]),
        (["Received: from x by mail.one.co.uk", "Received: from y by mail.two.co.uk", FORGED], []),
    ],
)  # fmt: skip
def test_results_on_top_need_no_configuration(lines: list[str], ids: list[str]) -> None:
    """The organisation that wrote the topmost Received is ours, however many hops it has inside."""
    assert [id_ for id_, _ in results_on_top(headers(*lines)).results] == ids


def test_internal_said_twice_is_not_internal() -> None:
    """A second X-MS-Exchange-Organization-AuthAs was brought along by the mail."""
    line = "X-MS-Exchange-Organization-AuthAs: Internal"
    assert results_on_top(headers(line)).internal
    assert not results_on_top(headers(line, line)).internal
    assert not results_on_top(headers("X-MS-Exchange-Organization-AuthAs: Anonymous")).internal
