"""Whole letters, word for word, as people get them: tests/goldens/letters, .txt for each, .html for one of each kind.

After a change of templates or words, write them anew and read what changed, as the people who get them would:

    MAILFLOW_WRITE_GOLDENS=1 python -m pytest tests/writing/test_goldens.py && git diff tests/goldens
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailflow.domain.letters import LetterKind
from mailflow.writing.render import Rendered
from tests.writing.cast import (
    ANSWERS,
    BY_SHIRLEY,
    ENDED,
    EVERY,
    LATER,
    MONDAY,
    PROBLEM,
    PROMISED,
    REPORTED,
    SOON,
    STARTED,
    STEPS,
    acknowledged,
    debriefed,
    english,
    forward,
    missing,
    monthly,
    notice,
    opened,
    preview,
    rendered,
    told,
    weekly,
)

FOLDER = Path(__file__).parent.parent / "goldens" / "letters"
WRITE = bool(os.environ.get("MAILFLOW_WRITE_GOLDENS"))
K = LetterKind
OWN_REPORT: dict[str, Any] = {
    "symptom": "reported",
    "plain": "",
    "reported": "Printer on the second floor",
    "reported_at": REPORTED,
}
DEBRIEF = {"problem": PROBLEM, "steps": STEPS}

LETTERS: dict[str, tuple[K, dict[str, Any], datetime]] = {
    "john-down-1": (K.ACKNOWLEDGEMENT, acknowledged(0), SOON),
    "john-down-2": (K.ACKNOWLEDGEMENT, acknowledged(1), SOON),
    "john-down-3": (K.ACKNOWLEDGEMENT, acknowledged(2), SOON),
    "john-rebooted-1": (K.ACKNOWLEDGEMENT, acknowledged(0, symptom="rebooted"), SOON),
    "john-rebooted-2": (K.ACKNOWLEDGEMENT, acknowledged(1, symptom="rebooted"), SOON),
    "john-rebooted-3": (K.ACKNOWLEDGEMENT, acknowledged(2, symptom="rebooted"), SOON),
    "john-slow": (K.ACKNOWLEDGEMENT, acknowledged(0, symptom="slow"), SOON),
    "john-back": (K.ACKNOWLEDGEMENT, acknowledged(0, ended=ENDED), LATER),
    "john-shirley-noticed": (K.ACKNOWLEDGEMENT, acknowledged(1, **BY_SHIRLEY), LATER),
    "john-back-and-shirley": (K.ACKNOWLEDGEMENT, acknowledged(2, ended=ENDED, **BY_SHIRLEY), LATER),
    "john-no-phone-with-footer": (
        K.ACKNOWLEDGEMENT,
        acknowledged(0, phone="", title="", footer="Example Managed Services\n1 Main Street, Chicago"),
        SOON,
    ),
    "john-no-plain-name": (K.ACKNOWLEDGEMENT, acknowledged(0, plain=""), SOON),
    "john-reported-by-him": (K.ACKNOWLEDGEMENT, acknowledged(0, reporter="John", **OWN_REPORT), LATER),
    "john-reported-by-shirley-1": (K.ACKNOWLEDGEMENT, acknowledged(0, reporter="Shirley", **OWN_REPORT), LATER),
    "john-reported-by-shirley-2": (K.ACKNOWLEDGEMENT, acknowledged(1, reporter="Shirley", **OWN_REPORT), LATER),
    "john-debrief-full": (K.DEBRIEF, debriefed(ANSWERS), LATER),
    "john-debrief-minimal": (K.DEBRIEF, debriefed(DEBRIEF, reporter="", reported_at=None), LATER),
    "john-debrief-told-first": (K.DEBRIEF, debriefed(DEBRIEF, 1, symptom="down", ended=None, started=LATER), LATER),
    "john-debrief-other": (K.DEBRIEF, debriefed(DEBRIEF, 2, symptom="other"), LATER),
    "john-debrief-next-day": (
        K.DEBRIEF,
        debriefed(DEBRIEF, symptom="down", plain="", ended=ENDED + timedelta(days=1)),
        LATER + timedelta(days=2),
    ),
    "john-debrief-reported": (K.DEBRIEF, debriefed(DEBRIEF, **{**OWN_REPORT, "reporter": "John"}), LATER),
    "john-debrief-unannounced": (
        K.DEBRIEF,
        debriefed(DEBRIEF, **{**OWN_REPORT, "reporter": "", "reported_at": None, "promised": None}),
        LATER,
    ),
    "valery-opened-auto": (K.OPENED, *EVERY[K.OPENED]),
    "valery-opened-review": (K.OPENED, opened("alert_opened", "ack_review", "promised_then"), STARTED),
    "valery-opened-off": (K.OPENED, opened("alert_opened", "ack_off"), STARTED),
    "valery-opened-never": (K.OPENED, opened("alert_opened", "ack_never"), STARTED),
    "valery-opened-nobody": (K.OPENED, opened("alert_opened", "ack_nobody"), STARTED),
    "valery-opened-by-client": (
        K.OPENED,
        {
            **opened(
                "client_opened", "ack_review", "promised_then", excerpt="Hi,\n\nI can't open the Data drive.\n\nShirley"
            ),
            "title": "I can't open the Data drive",
            "symptom": "reported",
        },
        STARTED,
    ),
    "valery-form": (K.FORM, *EVERY[K.FORM]),
    "valery-missing": (K.MISSING, *EVERY[K.MISSING]),
    "valery-missing-doubts": (
        K.MISSING,
        missing(
            [
                [
                    "two_answers",
                    {"label": "[2] What did we do about it?", "first": "Restarted it.", "second": "Nothing."},
                ],
                ["bad_time", {"value": "about nine"}],
            ],
            *(2, 5),
        ),
        LATER,
    ),
    "valery-missing-both": (K.MISSING, missing([["missing_many", {}]], 1, 2), LATER),
    "valery-preview": (K.PREVIEW, *EVERY[K.PREVIEW]),
    "valery-preview-loose": (K.PREVIEW, preview(["loose", {"label": "[1] What was the problem?"}]), LATER),
    "valery-preview-superseded": (K.PREVIEW, preview(problem=["superseded", {}]), LATER),
    "dana-weekly": (K.WEEKLY, *EVERY[K.WEEKLY]),
    "dana-weekly-nothing-late": (K.WEEKLY, weekly(late=False), MONDAY),
    "john-report": (K.REPORT, *EVERY[K.REPORT]),
    "john-report-in-her-words": (K.REPORT, monthly("November was kind to you:\n\nthree things, all small."), MONDAY),
    "john-report-quiet": (K.REPORT, monthly(quiet=True), MONDAY),
    "valery-morning": (K.MORNING, *EVERY[K.MORNING]),
    "john-update": (K.UPDATE, *EVERY[K.UPDATE]),
    "john-update-greets": (K.UPDATE, told("Hi John, just a short word: the new disk is in."), LATER),
    "john-later": (
        K.UPDATE,
        told(english().phrase("update.later", plain="your file server", was="Thursday"), PROMISED, 1),
        LATER,
    ),
    "john-not-known": (
        K.UPDATE,
        told(english().phrase("update.not_known", plain="your file server"), PROMISED, symptom="rebooted", ended=ENDED),
        LATER,
    ),
    "john-answer": (K.ANSWER, *EVERY[K.ANSWER]),
    "john-debrief-our-fault": (
        K.DEBRIEF,
        debriefed(
            {
                "problem": PROBLEM,
                "steps": STEPS,
                "our_fault": "Yes. We had set this server up, and we left that setting out.",
                "prevention": "Paul goes through the same setting on every server we look after, by Friday.",
            }
        ),
        LATER,
    ),
    "paul-asked": (K.ASK, *EVERY[K.ASK]),
    "valery-preview-held": (
        K.PREVIEW,
        {
            **preview(),
            "ready": ["ready_objected", {}],
            "blocked": [
                [
                    "objected",
                    {
                        "said": "The log on 10.1.2.3 says so.",
                        "why": "A private address is nobody's business outside.",
                        "better": "Say which machine, in their own words.",
                    },
                ]
            ],
        },
        LATER,
    ),
    "valery-forward-review": (K.FORWARD, forward(live="review"), LATER),
    "valery-forward-unanswerable": (K.FORWARD, forward(answerable=False), LATER),
    "valery-forward": (K.FORWARD, *EVERY[K.FORWARD]),
    "valery-forward-long": (K.FORWARD, forward("I can't open the Data drive. " * 6 + "\n\n> a quote"), LATER),
    "valery-shown": (K.SHOWN, *EVERY[K.SHOWN]),
    "valery-placed": (
        K.NOTICE,
        {
            **notice("placed"),
            "lines": [
                ["placed_many", {"client": "Northwind", "count": 2}],
                ["placed_in", {"references": "INC-2041"}],
                ["placed_learned", {"value": "xx-99", "manager": "Dana Reyes"}],
            ],
            "headline": ["noted", {}],
            "reference": "",
        },
        LATER,
    ),
    "valery-next-contact": (
        K.NOTICE,
        {
            **notice("next_contact", names="John Harper", next_name="Shirley Lane", due_at=LATER.isoformat()),
            "headline": ["failed", {"names": "John Harper"}],
        },
        LATER,
    ),
    "helpdesk": (
        K.NOTICE,
        {
            **notice(
                "helpdesk",
                contact_name="John Harper",
                contact_address="john@northwind.example",
                client="Northwind",
                mail_subject="Re: Your file server this morning",
                reference="INC-2041",
            ),
            "first_name": "Hello",
            "text": "Can you please reset Maria's password?",
        },
        LATER,
    ),
    "valery-sent": (K.NOTICE, *EVERY[K.NOTICE]),
    "valery-unproven": (K.NOTICE, notice("unproven", names="John Harper"), LATER),
    "valery-failed": (K.NOTICE, notice("failed", names="John Harper", said="550 no such user", letter=7), LATER),
    "valery-confirm": (K.CONFIRM, *EVERY[K.CONFIRM]),
    "dana-digest": (K.DIGEST, *EVERY[K.DIGEST]),
}
# The HTML of one letter of each kind: the sentences are the same, and the styles stand in each.
WITH_HTML = {
    *("john-down-1", "john-debrief-full", "valery-opened-auto", "valery-form", "valery-missing", "valery-preview"),
    *("dana-weekly", "valery-morning", "john-update", "john-answer", "paul-asked"),
    *("john-report", "valery-forward", "valery-shown", "valery-sent", "valery-confirm", "dana-digest"),
}


def as_text(words: Rendered) -> str:
    """Subject and text part, as one file."""
    return f"Subject: {words.subject}\n\n{words.text}"


def compare(path: Path, now: str) -> None:
    """The golden says the same; where it is to be written anew, it does from here on."""
    if WRITE:
        path.write_text(now)
    assert path.exists(), f"{path} is missing; see the head of this file"
    assert now == path.read_text(), f"{path.name} reads otherwise now; see the head of this file"


@pytest.mark.parametrize("name", LETTERS)
def test_letter(name: str) -> None:
    """S0.2, S0.8, S1.2: the letter reads just as it was last read by a person."""
    words = rendered(*LETTERS[name])
    compare(FOLDER / f"{name}.txt", as_text(words))
    if name in WITH_HTML:
        compare(FOLDER / f"{name}.html", words.html)


def test_every_golden_has_its_letter() -> None:
    """No golden is left behind that nothing is compared with, and every kind of letter has one."""
    files = {f"{name}.txt" for name in LETTERS} | {f"{name}.html" for name in WITH_HTML}
    assert {path.name for path in FOLDER.iterdir()} == files
    assert {LETTERS[name][0] for name in WITH_HTML} == set(LetterKind)
