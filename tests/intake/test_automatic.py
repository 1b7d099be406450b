"""Machines' mail: what must not be answered, and what is an answering machine."""

import pytest

from mailflow.intake.automatic import auto_reply, automatic
from mailflow.intake.parse import parse


@pytest.mark.parametrize(
    ("headers", "subject", "reply", "reason"),
    [
        ("", "Server is down", None, None),
        ("Auto-Submitted: no", "Server is down", None, None),
        ("Auto-Submitted: auto-replied (vacation)", "Re: x", "auto-replied", "auto-replied"),
        ("Auto-Submitted: Auto-Generated", "Server is down", None, "auto-submitted"),
        ("X-Autoreply: yes", "x", "x-autoreply", "x-autoreply"),
        ("X-Autorespond: ", "x", "x-autorespond", "x-autorespond"),
        ("Precedence: auto_reply", "x", "precedence-auto-reply", "precedence-auto-reply"),
        ("Precedence: bulk", "x", None, "precedence"),
        ("Precedence: list\nList-Id: <x.example>", "x", None, "precedence"),
        ("List-Unsubscribe: <https://x.example>", "x", None, "mailing-list"),
        ("X-Auto-Response-Suppress: All", "x", None, "auto-response-suppress"),
        ("X-Auto-Response-Suppress: None", "x", None, None),
        ("Return-Path: <>", "x", None, "null-return-path"),
        (
            "Return-Path: <>",
            "Out of office hours system",
            "out-of-office-null-return-path",
            "out-of-office-null-return-path",
        ),
        (
            'Content-Type: multipart/report; report-type="disposition-notification"; boundary=b',
            "Read: x",
            "read-receipt",
            "read-receipt",
        ),
        ("Content-Type: multipart/report; report-type=feedback-report; boundary=b", "x", None, "report"),
        *(
            ("", subject, "out-of-office-subject", "out-of-office-subject")
            for subject in (
                "Automatic reply: Your server",
                "Out of Office: Re: x",
                "Out of office",
                "Out of the office until Monday",
                "[EXTERNAL] Automatic reply: x",
                "Automatische Antwort: x",
                "Abwesend: x",
                "Abwesenheitsnotiz",
                "Réponse automatique : x",
                "Respuesta automática: x",
                "Risposta automatica: x",
                "Automatisch antwoord: x",
                "Autosvar: x",
                "Automatyczna odpowiedź: x",
                "Автоответ: x",
                "自動返信: x",
                "自动回复: x",
                "Auto: Re: x",
            )
        ),
        *(
            ("", subject, None, None)
            for subject in (
                "Out of office hours the server crashed",
                "RE: Automatic reply: Your server",
                "Automatic reply does not work any more on my phone",
                "Auto insurance portal is down",
                "Server out of office network",
                "Automation: x",
            )
        ),
    ],
)
def test_machines(headers: str, subject: str, reply: str | None, reason: str | None) -> None:
    """Each sign has its named reason; what forbids an answer does not make an answering machine."""
    message = parse(f"{headers}\nSubject: x\n\nx".lstrip().encode(), [])
    assert (auto_reply(message, subject), automatic(message, subject, "john@example.com")) == (reply, reason)


def test_no_reply_addresses_are_not_answered() -> None:
    """Nobody reads what is sent to noreply@."""
    message = parse(b"Subject: x\n\nx", [])
    assert automatic(message, "x", "no-reply@example.com") == "no-reply-address"
    assert automatic(message, "x", "noreplyson@example.com") is None
