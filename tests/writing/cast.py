"""Letters' facts, fixed: one outage at Northwind, told in every letter there is. Also how the shipped words are had."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from mailflow.config.shipped import layers
from mailflow.domain.form import BY_NAME, BY_NUMBER, Fill
from mailflow.domain.letters import ClientView, LetterKind, acknowledgement, debrief, written
from mailflow.domain.people import Contact
from mailflow.writing.render import Rendered, Writer
from mailflow.writing.words import Words

CHICAGO = ZoneInfo("America/Chicago")
STARTED = datetime(2026, 11, 24, 9, 12, tzinfo=CHICAGO)  # a Tuesday
ENDED = STARTED + timedelta(minutes=9)
REPORTED = STARTED + timedelta(minutes=14)
PROMISED = datetime(2026, 11, 26, 17, tzinfo=CHICAGO)
SOON, LATER = STARTED + timedelta(minutes=4), STARTED + timedelta(minutes=20)
TAG = "abcdefghij-abcdefghijklmnopqrstuvwxyz"
JOHN = Contact(name="John Harper", first_name="John", address="john@northwind.example")
VIEW = ClientView(
    reference="INC-2041",
    plain="your file server",
    symptom="down",
    started=STARTED,
    ended=None,
    reporter="",
    reported="",
    reported_at=None,
    timezone="America/Chicago",
    liaison="Valery Stufano",
    title="Client Experience Liaison",
    phone="555 0100",
    footer="",
    promised=PROMISED,
)
BY_SHIRLEY = {"reporter": "Shirley", "reported": "I can't open the Data drive", "reported_at": REPORTED}
PROBLEM = (
    "A Windows update had finished in the night and the server restarted itself to install it.\n"
    "The automatic restart was never meant to happen during the day; the setting for it was missing."
)
STEPS = "- Set the file server to install updates on Sunday night only\n- Checked your other two servers too"
ANSWERS = {
    "problem": PROBLEM,
    "steps": STEPS,
    "recurrence": "Not from this cause: updates now wait for Sunday night.",
    "recommendations": "A second file server would let one of them restart unnoticed.\n\nI can send you an offer.",
    "impact": "everyone using the Data drive",
    "worry": "No: nothing was lost, and nobody from outside was involved.",
    "narrative": "Shirley could not open the Data drive. Paul looked, and saw that the server was just coming up.\n\n"
    "Our monitoring told us a little later, since it looks every five minutes.",
}


@cache
def shipped() -> dict[str, str]:
    """The shipped templates, by path."""
    return {p: f.read_text() for p, f in layers("templates", None).items() if p.endswith((".txt", ".html", ".toml"))}


@cache
def writer() -> Writer:
    """The shipped letters, compiled once."""
    return Writer(shipped())


def english() -> Words:
    """The shipped English words."""
    return writer().words("en")


def rendered(kind: LetterKind, facts: Mapping[str, Any], now: datetime, language: str = "en") -> Rendered:
    """A letter's words."""
    return writer().render(kind, language, {"tag": TAG, **facts}, now)


# --- to John ---


def acknowledged(variant: int = 0, **changes: Any) -> dict[str, Any]:
    """An acknowledgement's facts."""
    return dict(acknowledgement(replace(VIEW, **changes), JOHN, variant))


def debriefed(answers: Mapping[str, str], variant: int = 0, **changes: Any) -> dict[str, Any]:
    """A debrief's facts."""
    fills = {
        BY_NAME[name].number: Fill(number=BY_NAME[name].number, value=value, by="valery@msp.example", at=LATER)
        for name, value in answers.items()
    }
    view = replace(VIEW, **{"symptom": "rebooted", "ended": ENDED, **BY_SHIRLEY, **changes})
    return {**debrief(view, JOHN, fills), "variant": variant}


UPDATE = "We found the disk that failed, and a new one is on its way."
ANSWER = "Yes, it is safe to open the Data drive again.\n\nPaul copied everything back at noon."


def told(text: str, next_by: datetime | None = None, variant: int = 0, **changes: Any) -> dict[str, Any]:
    """A letter in the liaison's own words."""
    return {**written(replace(VIEW, **changes), JOHN, text, next_by=next_by, variant=variant), "waits_for": ""}


# --- to our own people ---

COMMON = {
    "first_name": "Valery",
    "reference": "INC-2041",
    "timezone": "America/Chicago",
    "client": "Northwind",
    "title": "file server",
    "symptom": "rebooted",
    "started": STARTED.isoformat(),
}
NOBODYS = {**COMMON, "reference": "", "client": "", "title": "", "symptom": ""}
NAMES = {"names": "John Harper", "due_at": SOON.isoformat(), "due_by": PROMISED.isoformat()}
LEAD = {
    "client": "Northwind",
    "title": "file server",
    "symptom": ["symptom", "rebooted"],
    "started_when": STARTED.isoformat(),
    "ended_at": ENDED.isoformat(),
    "noticed_by": "Zabbix",
    "reporter": "Shirley",
    "reported": "I can't open the Data drive",
}
URL = "https://zabbix.msp.example/tr_events.php?triggerid=23512&eventid=184467"


def asked(*numbers: int, **prefilled: str) -> list[dict[str, Any]]:
    """Fields as a form shows them."""
    return [
        {
            "number": n,
            "label": english().phrase(f"form.label.{BY_NUMBER[n].name}"),
            "prefilled": prefilled.get(BY_NUMBER[n].name, ""),
        }
        for n in numbers
    ]


def opened(lead: str = "alert_opened", *plan: str, excerpt: str = "") -> dict[str, Any]:
    """What an "opened" mail says."""
    return {
        **COMMON,
        "first_shown": "Problem: NW-FS01 has been restarted" if not excerpt else "",
        "lead": [lead, LEAD],
        "lines": []
        if excerpt
        else [
            ["fact", {"name": ["field", "host"], "value": "NW-FS01"}],
            ["fact", {"name": ["field", "url"], "value": URL}],
        ],
        "plan": [[name, {"client": "Northwind", "class_": "backup", **NAMES}] for name in plan],
        "excerpt": excerpt,
    }


def form() -> dict[str, Any]:
    """What the form says."""
    times = {"started": "Tue 9:12", "ended": "Tue 9:21"}
    return {
        **COMMON,
        "lines": [
            ["form_restored", LEAD],
            ["form_reporter", {"reporter": "Shirley", "reported_at": REPORTED.isoformat()}],
            ["form_promise", {"names": "John", "due_by": PROMISED.isoformat()}],
        ],
        "readers": ["form_readers", {"names": "John"}],
        "groups": [
            {"heading": "", "compact": False, "fields": asked(1, 2)},
            {"heading": "optional", "compact": False, "fields": asked(3, 4)},
            {"heading": "facts", "compact": True, "fields": asked(5, 6, 7, **times)},
        ],
        "fields": asked(1, 2, 3, 4, 5, 6, 7, **times),
        "helper": "PAUL",
        "end_marker": "----- end of form INC-2041/1 -----",
    }


def ask(question: str = "Which disk was it?") -> dict[str, Any]:
    """What a colleague is asked."""
    return {
        **COMMON,
        "first_name": "Paul",
        "lines": [["asked_by", {"name": "Valery Stufano"}], ["form_restored", LEAD]],
        "question": question,
        "fields": asked(1, 2),
        "others": asked(*range(3, 21)),
        "end_marker": "----- end of form INC-2041/2 -----",
    }


def missing(problems: list[Any], *numbers: int, notes: str = "") -> dict[str, Any]:
    """What comes back when a form was not answered whole."""
    return {
        **COMMON,
        "problems": problems,
        "fields": asked(*numbers),
        "others": asked(*({*range(1, 21)} - {*numbers})),
        "taken": [{"label": "[1] What was the problem?", "value": PROBLEM}],
        "notes": notes,
        "end_marker": "----- end of form INC-2041/2 -----",
    }


def preview(*remarks: list[Any], problem: list[Any] | None = None, notes: str = "") -> dict[str, Any]:
    """What would be sent, word for word."""
    words = rendered(
        LetterKind.DEBRIEF,
        debriefed({"problem": PROBLEM, "steps": STEPS}),
        LATER,
    )
    return {
        **COMMON,
        "releases": "debrief",
        "blocked": [],
        "changed": [],
        "change": ["change_debrief", {}],
        "names": "John",
        "ready": ["ready_one", {"names": "John Harper", "rest": "3 minutes"}],
        "remarks": list(remarks),
        "problem": problem,
        "notes": notes,
        "letters": [
            {"first_name": "John", "subject": words.subject, "text": words.text.strip(), "html": words.body},
        ],
        "fields": asked(*BY_NUMBER),
        "end_marker": "----- end of form INC-2041/3 -----",
    }


def forward(
    text: str = "I can't open the Data drive since this morning.\n\nShirley",
    *,
    answerable: bool = True,
    live: str = "auto",
) -> dict[str, Any]:
    """A client's mail, as the liaison sees it."""
    return {
        **COMMON,
        "lead": [
            "forward_joined",
            {
                "contact_name": "Shirley Lane",
                "client": "Northwind",
                "client_key": "northwind",
                "title": "file server",
                "reference": "INC-2041",
                "mail_subject": "I can't open the Data drive",
            },
        ],
        "contact": "Shirley",
        "contact_name": "Shirley Lane",
        "contact_address": "shirley@northwind.example",
        "answerable": answerable,
        "reply_name": "TO CLIENT Shirley Lane" if answerable else "",
        "live": live,
        "text": text,
    }


def notice(name: str, **values: Any) -> dict[str, Any]:
    """A short answer or warning, where headline and line have the same name."""
    return {**COMMON, "headline": [name, values], "lines": [[name, values]], "text": "", "about": 7}


def confirm() -> dict[str, Any]:
    """ "Was this you?"."""
    return {
        **NOBODYS,
        "mail_subject": "Contoso upgrade",
        "mailbox": "noc@msp.example",
        "came": STARTED.isoformat(),
        "text": "OPEN contoso: upgrade was not announced",
        "manager": "Dana Reyes",
        "about": None,
    }


def shown() -> dict[str, Any]:
    """A mail that nobody could place."""
    values = {"mailbox": "noc@msp.example", "why": "no-recipe", "keys": "contoso, northwind"}
    return {
        **NOBODYS,
        "why": ["shown_no_recipe", values],
        "hint": ["hint_place", values],
        "mail_from": "Jo Lake <jo@mail.example>",
        "mail_subject": "Your invoice",
        "came": STARTED.isoformat(),
        "text": "Please find it attached.",
        "about": 7,
        "teaches": True,
        "own_people": False,
    }


def digest() -> dict[str, Any]:
    """What is overdue, on Monday morning."""
    due = PROMISED.isoformat()
    return {
        **NOBODYS,
        "first_name": "Dana",
        "rows": [
            {
                "client": "Northwind",
                "title": "file server",
                "reference": "INC-2041",
                "line": ["digest_promise", {"names": "John Harper", "due_by": due, "late": 87.0}],
                "progress": ["progress_partly", {"owner": "Valery", "done": "[1]", "missing": "[2]"}],
                "contact": ["digest_waiting", {"name": "John Harper", "wrote_day": PROMISED.isoformat()}],
            },
            {
                "client": "Contoso",
                "title": "upgrade was not announced",
                "reference": "INC-2042",
                "line": ["digest_owed", {"names": "Contoso", "due_by": due, "late": 1.5}],
                "progress": ["progress_none", {"owner": "Valery"}],
                "contact": None,
            },
        ],
        "more": 0,
        "how": ["digest_how", {"name": "ROBIN", "day": "WEDNESDAY"}],
        "targets": [[1, 1, 1], [2, 2, 2]],
        "oldest_hours": 87.0,
        "closed_without": 1,
    }


def morning() -> dict[str, Any]:
    """What is a liaison's today."""
    facts = {name: value for name, value in digest().items() if name not in {"oldest_hours", "closed_without"}}
    for row in facts["rows"]:
        row["progress"][0] += "_you"
    return {**facts, "first_name": "Valery", "more": 3, "how": ["morning_how", {"name": "ROBIN", "day": "WEDNESDAY"}]}


def weekly(late: bool = True) -> dict[str, Any]:
    """How the week was."""
    facts = {name: value for name, value in digest().items() if name not in {"oldest_hours", "closed_without"}}
    if not late:
        facts |= {"rows": [], "targets": []}
    return {
        **facts,
        "open": 5,
        "by_liaison": [["Valery Stufano", 4, 2 * late], ["Robin Day", 1, 0]],
        "by_client": [["Northwind", 3, 1 * late], ["Contoso", 2, 1 * late]],
        "without": [["Contoso", "sorted out on the phone"]],
        "waiting": [
            [
                "week_waits",
                {
                    "client": "Contoso",
                    "title": "line to the branch",
                    "whom": "the provider",
                    "since_date": PROMISED.isoformat(),
                    "reference": "INC-2043",
                },
            ]
        ][: int(late)],
        "weeks": [
            {
                "begins_date": (STARTED + timedelta(weeks=n - 7)).isoformat(),
                "opened": n * 3 % 7,
                "late_count": n % 2,
                "bar": n * 3 % 7 * 100 // 6,
            }
            for n in range(8)
        ],
    }


def monthly(words: str = "", quiet: bool = False) -> dict[str, Any]:
    """How November was for Northwind."""
    values = {"total_span": 134.0, "longest_span": 125.0, "thing": "your mail", "count": "two", "month": "November"}
    return {
        "first_name": "John",
        "name": "John Harper",
        "reference": "",
        "month_date": "2026-11-01",
        "month": "November",
        "timezone": "America/Chicago",
        "words": words,
        "summary": [["report_quiet", values]]
        if quiet
        else [
            ["report_many", {**values, "count": "three"}],
            ["report_outage_many", values],
            ["report_informed_many", {"informed_span": 4.0}],
            ["report_kept_some", {"judged": "three", "kept": "two"}],
        ],
        "rows": []
        if quiet
        else [
            {
                "line": [
                    "report_thing",
                    {"thing": "your mail", "began_date": (STARTED - timedelta(days=12)).isoformat()},
                ],
                "state": ["report_over", {"length_span": 125.0}],
                "problem": "The provider's filter refused mail that had come from your own scanner.",
            },
            {
                "line": ["report_thing", {"thing": "your file server", "began_date": STARTED.isoformat()}],
                "state": ["report_over", {"length_span": 9.0}],
                "problem": "A Windows update had finished in the night, and the server restarted itself.",
            },
            {
                "line": ["report_thing", {"thing": "“Scanner in the hall”", "began_date": LATER.isoformat()}],
                "state": ["report_on", {}],
                "problem": "",
            },
        ],
        "recommended": [] if quiet else ["A second disk for the file server, so that one may fail."],
        "liaison": "Valery Stufano",
        "title": "Client Experience Liaison",
        "phone": "555 0100",
        "footer": "",
    }


MONDAY = datetime(2026, 11, 30, 8, 1, tzinfo=CHICAGO)
# One of each kind, with the moment at which it is written.
EVERY: dict[LetterKind, tuple[dict[str, Any], datetime]] = {
    LetterKind.ACKNOWLEDGEMENT: (acknowledged(), SOON),
    LetterKind.DEBRIEF: (debriefed(ANSWERS), LATER),
    LetterKind.UPDATE: (told(UPDATE, PROMISED), LATER),
    LetterKind.ANSWER: (told(ANSWER), LATER),
    LetterKind.ASK: (ask(), LATER),
    LetterKind.OPENED: (opened("alert_opened", "ack_auto", "promised"), STARTED),
    LetterKind.FORM: (form(), LATER),
    LetterKind.MISSING: (missing([["missing_one", {}]], 2, notes="The fan is loud."), LATER),
    LetterKind.PREVIEW: (preview(["blank", {"fields": "recommendations"}], notes="The fan is loud."), LATER),
    LetterKind.FORWARD: (forward(), LATER),
    LetterKind.SHOWN: (shown(), LATER),
    LetterKind.NOTICE: (notice("sent", names="John", sent_at=LATER.isoformat()), LATER),
    LetterKind.CONFIRM: (confirm(), LATER),
    LetterKind.DIGEST: (digest(), MONDAY),
    LetterKind.WEEKLY: (weekly(), MONDAY),
    LetterKind.MORNING: (morning(), MONDAY),
    LetterKind.REPORT: (monthly(), MONDAY + timedelta(days=1)),
}
