"""Reports on letters that did not arrive."""

# ruff: noqa: E501 - tables of whole mails

import pytest

from mailflow.domain.mail import Action, BouncedRecipient
from mailflow.domain.vocabulary import Kind
from mailflow.intake.read import read
from mailflow.intake.recipes import Recipes

NONE = Recipes()


def dsn(status: str, *, original: str = "message/rfc822", kind: str = "report; report-type=delivery-status") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example.com\nTo: help@msp.example\nSubject: Undelivered Mail Returned to Sender\n"
        f"Content-Type: multipart/{kind}; boundary=b\n\n--b\n\nI'm sorry to say ...\n--b\n"
        f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\n{status}\n\n--b\n"
        f"Content-Type: {original}\n\nMessage-ID: <mf.x@msp.example>\nFrom: help@msp.example\n\n--b--\n"
    ).encode()


@pytest.mark.parametrize(
    ("status", "recipients"),
    [
        (
            "Final-Recipient: rfc822; John@Example.com\nAction: failed\nStatus: 5.1.1",
            [("john@example.com", Action.FAILED, "5.1.1")],
        ),
        (
            "Final-Recipient: rfc822;a@example.com\nAction: Delayed\nStatus: 4.4.1 (timeout)",
            [("a@example.com", Action.DELAYED, "4.4.1")],
        ),
        ("Original-Recipient: rfc822;<a@example.com>\nStatus: 4.2.2", [("a@example.com", Action.DELAYED, "4.2.2")]),
        ("Final-Recipient: rfc822;a@example.com\nAction: nonsense", [("a@example.com", Action.FAILED, "")]),
        (
            "Final-Recipient: rfc822;a@example.com\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550\n folded\n\n"
            "Final-Recipient: rfc822;b@example.com\nAction: relayed\nStatus: 2.0.0",
            [("a@example.com", Action.FAILED, "5.0.0"), ("b@example.com", Action.RELAYED, "2.0.0")],
        ),
    ],
)
@pytest.mark.parametrize("original", ["message/rfc822", "text/rfc822-headers"])
def test_delivery_status(status: str, recipients: list[tuple[str, Action, str]], original: str) -> None:
    """N.9: RFC 3464's words are taken as they stand; a delay is no failure; the letter is named by its Message-ID."""
    reading = read(dsn(status, original=original), NONE)
    assert (reading.kind, reading.rule) == (Kind.BOUNCE, "delivery-status")
    assert reading.bounce is not None
    assert [(r.address, r.action, r.status) for r in reading.bounce.recipients] == recipients
    assert reading.bounce.original_message_id == "<mf.x@msp.example>"


@pytest.mark.parametrize(
    ("raw", "rule", "recipient"),
    [
        (
            "From: x@example.com\nX-Failed-Recipients: a@example.com\nSubject: Mail delivery failed\n\n550 5.7.1 no",
            "x-failed-recipients",
            BouncedRecipient(address="a@example.com", action=Action.FAILED, status="5.7.1"),
        ),
        (
            "Return-Path: <>\nFrom: MAILER-DAEMON@example.net\nSubject: failure notice\n\nHi. This is qmail.\n\n"
            "<a@example.com>:\n550 5.1.1 unknown user\n\n--- Below this line is a copy of the message.\n\n"
            "Message-ID: <mf.x@msp.example>\nTo: other@example.com\n",
            "two-bounce-signs",
            BouncedRecipient(address="a@example.com", action=Action.FAILED, status="5.1.1"),
        ),
        (
            "From: postmaster@example.net\nSubject: Warning: could not send message for past 4 hours\n\n"
            "    a@example.com\n",
            "two-bounce-signs",
            BouncedRecipient(address="a@example.com", action=Action.DELAYED, status=""),
        ),
        (
            "Return-Path: <>\nFrom: Mail System <x@example.net>\nSubject: Unzustellbar: Ihre Nachricht\n\na@example.com",
            "two-bounce-signs",
            BouncedRecipient(address="a@example.com", action=Action.FAILED, status=""),
        ),
    ],
)
def test_bounces_of_old_servers(raw: str, rule: str, recipient: BouncedRecipient) -> None:
    """N.9: a bounce without RFC 3464 is known by its header or by two signs, and names who was not reached."""
    reading = read(raw.encode(), NONE)
    assert (reading.kind, reading.rule) == (Kind.BOUNCE, rule)
    assert reading.bounce is not None
    assert reading.bounce.recipients == (recipient,)


@pytest.mark.parametrize(
    "raw",
    [
        "From: john@example.com\nSubject: Undeliverable: your letter\n\nthis came back, why?",
        "From: john@example.com\nSubject: FW: Undeliverable\nReturn-Path: <>\n\nsee below",
        "Return-Path: <>\nFrom: john@example.com\nSubject: Out of office\n\nback on Monday",
        "From: mailer-daemon@example.com\nReturn-Path: <x@example.com>\nSubject: hello\n\nx",
        "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nthis came back\n--b\n"
        "Content-Type: message/rfc822\n\nContent-Type: message/delivery-status\n\n\nFinal-Recipient: rfc822;a@x.example\n--b--\n",
    ],
)
def test_no_bounce(raw: str) -> None:
    """One sign is not enough, and a person who forwards a bounce has not bounced."""
    assert read(raw.encode(), NONE).bounce is None
