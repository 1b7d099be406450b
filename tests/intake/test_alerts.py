"""Every monitoring tool's mails, as it sends them: tests/fixtures/alerts holds one file a tool.

An expected event names its state, severity and key; it may name symptom, class, vendor, names, hosts and fields too.
A mail with `events = []` opens, joins and ends nothing.
"""

import html
import tomllib
from base64 import encodebytes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mailflow
from mailflow.domain.mail import Event, Reading
from mailflow.domain.vocabulary import Kind, State
from mailflow.intake.read import read
from mailflow.intake.recipes import Recipes, parse_recipes

FOLDER = Path(mailflow.__file__).parent / "recipes"
ALERTS = Path(__file__).parent.parent / "fixtures" / "alerts"
SHIPPED = parse_recipes({p.name: p.read_text("utf-8") for p in sorted(FOLDER.glob("*.toml"))})
TELLING = (State.PROBLEM, State.RECOVERY, State.UPDATE)


@dataclass(frozen=True)
class Sample:
    """One mail of one tool, and what must be read in it."""

    tool: str
    mail: dict[str, Any]

    @property
    def events(self) -> list[dict[str, Any]]:
        """What must be read."""
        events: list[dict[str, Any]] = self.mail["events"]
        return events

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What must stay the same however the mail is wrapped."""
        return [(event["state"], event["key"]) for event in self.events]

    def raw(self, *, subject: str = "", sender: str = "", body: str = "", as_html: bool = False) -> bytes:
        """The mail's bytes, some of it changed."""
        text = body or self.mail["body"]
        headers = {
            "From": sender or self.mail["from"],
            "To": "noc@msp.example",
            "Subject": subject or self.mail["subject"],
            "Date": "Mon, 23 Nov 2026 07:42:15 +0000",
            "Message-ID": "<1@acme.example>",
            **self.mail.get("headers", {}),
            "MIME-Version": "1.0",
        }
        if as_html:
            text = "".join(f"<div>{html.escape(line) or '<br>'}</div>" for line in text.splitlines())
            text = f"<html><body>{text}</body></html>"
        headers["Content-Type"] = f"text/{'html' if as_html else 'plain'}; charset=utf-8"
        headers["Content-Transfer-Encoding"] = "base64"
        head = "".join(f"{name}: {value}\n" for name, value in headers.items())
        return head.encode() + b"\n" + encodebytes(text.encode())


def samples() -> list[Any]:
    """All of them, each with a name for the report."""
    found = []
    for path in sorted(ALERTS.glob("*.toml")):
        for mail in tomllib.loads(path.read_text("utf-8"))["mail"]:
            found.append(pytest.param(Sample(path.stem, mail), id=f"{path.stem}-{mail['name']}"))
    return found


SAMPLES = samples()
# Each tool's mails with events, together: one test of ten mails is quicker than ten tests.
TOOLS = {
    tool: [p.values[0] for p in SAMPLES if p.values[0].tool == tool and p.values[0].events]
    for tool in sorted({p.values[0].tool for p in SAMPLES})
}


def told(reading: Reading) -> list[Event]:
    """The events that change something."""
    return [event for event in reading.events if event.state in TELLING]


def kept(reading: Reading) -> list[tuple[str, str]]:
    """What must stay the same however the mail is wrapped."""
    return [(event.state, event.key) for event in reading.events]


def as_expected(event: Event, expected: dict[str, Any]) -> dict[str, Any]:
    """An event, in the words of what is expected of it."""
    said = {"class": event.class_, **{name: getattr(event, name) for name in expected if name not in {"class"}}}
    if "fields" in expected:
        said["fields"] = {name: event.fields.get(name) for name in expected["fields"]}
    return {name: list(said[name]) if isinstance(said[name], tuple) else said[name] for name in expected}


@pytest.mark.parametrize("sample", SAMPLES)
def test_each_mail_is_read(sample: Sample) -> None:
    """N.1: the right recipe, and every event's state, severity and key; what is no news opens nothing."""
    reading = read(sample.raw(), SHIPPED)
    events = told(reading) if not sample.events else list(reading.events)
    assert [as_expected(e, x) for e, x in zip(events, sample.events, strict=True)] == sample.events
    assert {event.recipe for event in events} <= {sample.tool}
    assert not sample.events or reading.kind is Kind.ALERT


@pytest.mark.soak
@pytest.mark.parametrize("tool", TOOLS)
def test_each_mail_is_known_by_one_recipe(tool: str) -> None:
    """No mail is known by two recipes: whichever is asked first, the answer is the same."""
    for sample in TOOLS[tool]:
        raw = sample.raw()
        knowing = [r.id for r in SHIPPED.all if read(raw, Recipes(all=(r,))).events]
        assert (sample.mail["name"], knowing) == (sample.mail["name"], [sample.tool])


PREFIXES = ("[EXTERNAL] ", "FW: ", "RE: [EXT] ", "WG: *EXTERN* ", "***EXTERNAL*** {EXTERNAL} ", "<EXTERNAL> [SPAM] ")


@pytest.mark.parametrize("tool", TOOLS)
def test_prefixes_are_taken_off(tool: str) -> None:
    """What gateways and redirecting colleagues put before a subject changes nothing."""
    for sample in TOOLS[tool]:
        plain = read(sample.raw(), SHIPPED)
        for prefix in PREFIXES:
            prefixed = read(sample.raw(subject=prefix + sample.mail["subject"]), SHIPPED)
            assert (sample.mail["name"], prefix, prefixed.events) == (sample.mail["name"], prefix, plain.events)


BANNERS = (
    "CAUTION: This email originated from outside of the organization. Do not click links.",
    "CAUTION: External Sender\n________________________________",
    "From: external sender. Be careful!",
)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_banner_on_top_changes_nothing(tool: str) -> None:
    """A gateway's warning above the text is not what the tool said."""
    for sample in TOOLS[tool]:
        for banner in BANNERS:
            reading = read(sample.raw(body=f"{banner}\n\n{sample.mail['body']}"), SHIPPED)
            assert kept(reading) == sample.kept, (sample.mail["name"], banner)


@pytest.mark.parametrize("tool", TOOLS)
def test_html_says_the_same(tool: str) -> None:
    """The same lines as HTML alone are the same events."""
    for sample in TOOLS[tool]:
        reading = read(sample.raw(as_html=True), SHIPPED)
        assert kept(reading) == sample.kept, sample.mail["name"]


STUB = (
    "--b\nContent-Type: text/plain\n\nPlease view this message in an HTML capable client.\n\n"
    "--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_stub_beside_the_html_is_not_read(tool: str) -> None:
    """Of two bodies the one that tells the trouble is the alert, not the one that points to the other."""
    for sample in TOOLS[tool]:
        head, _, body = sample.raw(as_html=True).partition(b"\n\n")
        head = head.replace(
            b"text/html; charset=utf-8\nContent-Transfer-Encoding: base64", b"multipart/alternative; boundary=b"
        )
        reading = read(head + b"\n\n" + STUB.encode() + body + b"\n--b--\n", SHIPPED)
        assert kept(reading) == sample.kept, sample.mail["name"]


FORWARDS = {
    "gmail": "FYI, is this bad?\n\n---------- Forwarded message ---------\nFrom: Monitor <{sender}>\n"
    "Date: Mon, 23 Nov 2026 at 07:42\nSubject: {subject}\nTo: <john@northwind.example>\n\n\n{body}",
    "outlook": "Please look into this.\n\nJohn\n\nFrom: Monitor <{sender}>\nSent: Monday, November 23, 2026 7:42 AM\n"
    "To: John Harper\nSubject: {subject}\n\n{body}",
    "outlook-cs": "FYI\n\nOd: Monitor\nOdesláno: 23. listopadu\nKomu: John\nPředmět: {subject}\n\n{body}",
    "outlook-fi": "FYI\n\nLähettäjä: Monitor\nLähetetty: 23.\nVastaanottaja: John\nAihe: {subject}\n\n{body}",
    "outlook-hu": "FYI\n\nFeladó: Monitor\nElküldve: 23\nCímzett: John\nTárgy: {subject}\n\n{body}",
    "outlook-tr": "FYI\n\nKimden: Monitor\nGönderildi: 23\nKime: John\nKonu: {subject}\n\n{body}",
    "outlook-he": "FYI\n\nמאת: Monitor\nנשלח: 23\nאל: John\nנושא: {subject}\n\n{body}",
    "helpdesk": "##- Please type your reply above this line -##\n\nYour request has been received.\n\n{body}",
    "nothing added": "From: Monitor <{sender}>\nSent: Monday, November 23, 2026 7:42 AM\nTo: John\n"
    "Subject: {subject}\n\n{body}",
}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_persons_forward_is_no_alert(tool: str) -> None:
    """A client who forwards an alert is a client who writes: no monitor spoke."""
    for sample in TOOLS[tool]:
        for style, frame in FORWARDS.items():
            body = frame.format(sender=sample.mail["from"], **sample.mail)
            raw = sample.raw(subject=f"Fwd: {sample.mail['subject']}", sender="john@northwind.example", body=body)
            assert (sample.mail["name"], style, read(raw, SHIPPED).events) == (sample.mail["name"], style, ())


@pytest.mark.parametrize("tool", TOOLS)
def test_an_out_of_office_that_quotes_it_is_no_alert(tool: str) -> None:
    """An answering machine that answers the monitor opens nothing."""
    for sample in TOOLS[tool]:
        body = "I am away until Monday.\n\n" + "\n".join(f"> {line}" for line in sample.mail["body"].splitlines())
        raw = sample.raw(subject=f"Automatic reply: {sample.mail['subject']}", sender="noc@msp.example", body=body)
        reading = read(raw, SHIPPED)
        assert (reading.kind, reading.events) == (Kind.AUTO_REPLY, ()), sample.mail["name"]


def test_every_tool_has_its_recipe_and_its_mails() -> None:
    """What ships is proven: a recipe without a mail of its tool would be a guess."""
    assert {path.stem for path in ALERTS.glob("*.toml")} == {recipe.id for recipe in SHIPPED.all}
