"""The story of one morning at Northwind, played by the real daemon over sockets against embedded mail servers."""

import contextlib
import shutil
import smtplib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from mailflow.app import App
from mailflow.config.load import Loaded, load
from mailflow.config.shipped import shipped
from mailflow.demo.clients import Received, gmail_on_top, outlook_inline, received, write_mail
from mailflow.demo.clock import MovableClock
from mailflow.demo.servers import EmbeddedMail, SentMail
from mailflow.runners import MailboxRunner

PASSWORD = "demo"  # noqa: S105 - of everybody in the story
NOC = "noc@msp.example"
ZABBIX = "zabbix@msp.example"
VALERY, JOHN, SHIRLEY = "valery@msp.example", "john@northwind.example", "shirley@northwind.example"
DANA = "dana@msp.example"
PEOPLE = (NOC, ZABBIX, VALERY, JOHN, SHIRLEY, DANA, "paul@msp.example", "ann@contoso.example")
CHICAGO = ZoneInfo("America/Chicago")
MORNING = datetime(2026, 11, 24, 9, 12, tzinfo=CHICAGO)  # a Tuesday
PATIENCE = 20.0  # seconds until a mail that should have come is missed
MARK = ".mailflow-demo"  # in a folder that the demo may empty

Tell = Callable[[str, str], None]


class StoryError(Exception):
    """The story did not go as it should: a mail did not come."""


class Stage:
    """The daemon, its servers and its clock, and the people's mail programs."""

    def __init__(self, app: App, mail: EmbeddedMail, clock: MovableClock) -> None:
        self.app, self.mail, self.clock = app, mail, clock
        self._seen = 0

    def ready(self) -> "Stage":
        """Wait until the daemon waits for mail: what lies there before is before its time."""
        for runner in self.app.runners:
            if isinstance(runner, MailboxRunner) and not runner.waiting.wait(PATIENCE):
                raise StoryError(f"{runner.name} did not get ready in time")
        return self

    def send(self, login: str, raw: bytes) -> None:
        """Somebody hands a mail in, as their own program would."""
        with smtplib.SMTP("127.0.0.1", self.mail.smtp_port) as smtp:
            smtp.login(login, PASSWORD)
            smtp.sendmail(login, [str(received(raw).message["To"]).rpartition("<")[2].rstrip(">")], raw)

    def expect(self, recipient: str, words: str) -> Received:
        """Wait for a new mail to `recipient` that contains `words`; StoryError when it does not come."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            for place, sent in enumerate(self.mail.sent[self._seen :], self._seen):
                if sent.recipients[0] == recipient and words in (got := received(sent.raw)).text + got.subject:
                    self._seen = place + 1
                    return got
            time.sleep(0.02)
        raise StoryError(f"no mail with “{words}” came to {recipient} within {PATIENCE:.0f} seconds")

    def settle(self) -> None:
        """Wait until the daemon has seen and decided everything that lies in its inbox."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            counts = self.app.store.mailroom.counts()
            sent_in = sum(any(_plain(r) == NOC for r in sent.recipients) for sent in self.mail.sent)
            if not counts.get("kept") and sum(counts.values()) >= sent_in:
                return
            time.sleep(0.02)
        raise StoryError("the inbox was not drained in time")

    def move_to(self, moment: datetime) -> None:
        """Move the one clock forward, and let everybody look."""
        self.clock.move_to(moment)
        self.app.hasten()

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who has a mailbox in the story."""
        return PEOPLE

    @property
    def now(self) -> datetime:
        """The story's time, in John's zone."""
        return self.clock.now().astimezone(CHICAGO)


@contextlib.contextmanager
def stage(folder: Path, *, imap_port: int = 0, smtp_port: int = 0, environ: Mapping[str, str]) -> Iterator[Stage]:
    """The real daemon on embedded servers, its data in `folder`; ports 0 mean any free ones."""
    clock = MovableClock(MORNING)
    users = dict.fromkeys(PEOPLE, PASSWORD)
    with EmbeddedMail(users, now=clock.now, imap_port=imap_port, smtp_port=smtp_port) as mail:
        loaded = on_ports(load(shipped("config.toml"), environ), folder / "data", mail)
        app = App(loaded, environ=environ, clock=clock)
        app.lock()
        app.start()
        try:
            yield Stage(app, mail, clock).ready()
        finally:
            app.stop()


def play(stage: Stage, tell: Tell) -> None:
    """The five parts of the story, told step by step."""
    _reboot(stage, tell)
    _one_incident(stage, tell)
    _shirley(stage, tell)
    _debrief(stage, tell)
    _overdue(stage, tell)


def _reboot(on: Stage, tell: Tell) -> None:
    tell("Tuesday, 9:12", "Zabbix mails the shared inbox: Northwind's file server restarted.")
    on.send(ZABBIX, zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, on.now))
    opened = on.expect(VALERY, "restarted")
    tell("", f"IDLE woke the daemon. Valery has one mail: “{opened.subject}”.")
    on.move_to(MORNING + timedelta(minutes=4))
    told = on.expect(JOHN, "your file server")
    tell("9:16", f"Nobody said STOP, so John has the acknowledgement: “{told.subject}”.")
    tell("letter", told.text)


def _one_incident(on: Stage, tell: Tell) -> None:
    on.move_to(MORNING + timedelta(minutes=7))
    tell("9:19", "Zabbix mails again about the same outage.")
    on.send(ZABBIX, zabbix_mail("Problem: NW-FS01 has been restarted", PROBLEM, on.now))
    on.settle()
    on.move_to(MORNING + timedelta(minutes=9))
    tell("9:21", "And once more: it is resolved.")
    on.send(ZABBIX, zabbix_mail("Resolved in 9m 4s: NW-FS01 has been restarted", RECOVERY, on.now))
    on.settle()
    incidents = on.app.store.records.incidents(running_only=False, limit=10)
    tell("", f"Still {len(incidents)} incident, no second acknowledgement, and the record knows when it ended.")


def _shirley(on: Stage, tell: Tell) -> None:
    on.move_to(MORNING + timedelta(minutes=14))
    tell("9:26", "Shirley, also at Northwind, writes: “I can't open the Data drive”.")
    text = "Hi,\n\nI can't open the Data drive since this morning, it says the path was not found.\n\nShirley\n"
    on.send(SHIRLEY, write_mail(f"Shirley Lane <{SHIRLEY}>", NOC, "I can't open the Data drive", text, on.now))
    forwarded = on.expect(VALERY, "Data drive")
    tell("", f"It joined the incident and reached Valery: “{forwarded.subject}”.")


def _debrief(on: Stage, tell: Tell) -> None:
    on.move_to(MORNING + timedelta(minutes=20))
    form = on.expect(VALERY, "[1] What was the problem?")
    tell("9:32", "Service has been back for ten minutes, so Valery gets the form.")
    tell("letter", form.text)
    problem = (
        "A Windows update had finished in the night and the server restarted itself to install it.\n"
        "It should only have done so at night, and we had not set that."
    )
    on.send(VALERY, outlook_inline(form, f"Valery Stufano <{VALERY}>", {1: problem, 3: NOT_AGAIN}, on.now))
    missing = on.expect(VALERY, "[2] What did we do about it?")
    tell("", "She answers between the lines, as Outlook quotes them, and leaves [2] out. Just that comes back:")
    tell("letter", missing.text)
    steps = "- Set the file server to install updates on Sunday night only\n- Checked your other two servers too"
    on.send(VALERY, gmail_on_top(missing, f"Valery Stufano <{VALERY}>", f"2: {steps}", on.now))
    preview = on.expect(VALERY, "word for word")
    tell("", "She answers on top, from Gmail, and gets the preview:")
    tell("letter", preview.text)
    on.send(VALERY, gmail_on_top(preview, f"Valery Stufano <{VALERY}>", "SEND", on.now))
    on.settle()
    on.move_to(on.now + timedelta(minutes=4))
    debrief = on.expect(JOHN, "Problem Identified")
    tell("9:36", "She replied SEND. John has the debrief, in the thread of his acknowledgement:")
    tell("letter", debrief.text)
    on.expect(VALERY, "has the letter")


def _overdue(on: Stage, tell: Tell) -> None:
    on.move_to(MORNING.replace(hour=11, minute=0))
    tell("Tuesday, 11:00", "Valery opens another one by mail, no alert behind it:")
    tell("letter", "OPEN contoso: upgrade was not announced")
    command = "OPEN contoso: upgrade was not announced\n"
    on.send(VALERY, write_mail(f"Valery Stufano <{VALERY}>", NOC, "Contoso upgrade", command, on.now))
    on.expect(VALERY, "upgrade was not announced")
    on.move_to(datetime(2026, 11, 27, 14, 30, tzinfo=CHICAGO))
    on.expect(VALERY, "Contoso: what was it")
    tell("Friday, 14:30", "Nothing happened since. The debrief is due today, so she is asked for it; she is away.")
    on.move_to(datetime(2026, 11, 30, 8, 1, tzinfo=CHICAGO))
    digest = on.expect(DANA, "overdue")
    tell("Monday, 8:01", f"Dana, the manager, has the digest: “{digest.subject}”.")
    tell("letter", digest.text)


def write_mails(sent: list[SentMail], folder: Path) -> list[Path]:
    """Every mail of the story as .eml and .html, in order; the .eml paths."""
    paths = []
    for number, mail in enumerate(sent, 1):
        got = received(mail.raw)
        who = _plain(mail.recipients[0]).partition("@")[0]
        words = "".join(c if c.isalnum() else "-" for c in got.subject.lower())[:40].strip("-")
        path = folder / f"{number:02}-to-{who}-{words}.eml"
        path.write_bytes(mail.raw)
        text = got.text.replace("&", "&amp;").replace("<", "&lt;")
        path.with_suffix(".html").write_text(got.html or f"<!DOCTYPE html><meta charset=utf-8><pre>{text}</pre>")
        paths.append(path)
    return paths


def emptied(folder: Path) -> Path:
    """The folder, made or emptied; StoryError where it holds what the demo did not put there."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise StoryError(f"{folder} holds files that are not the demo's; name an empty folder with --folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("The demo empties this folder at each run.\n")
    return folder


def on_ports(loaded: Loaded, data_dir: Path, mail: EmbeddedMail) -> Loaded:
    """The shipped configuration, on the embedded servers' ports and with its data in the demo's folder."""
    settings = loaded.settings
    mailboxes = tuple(
        m.model_copy(
            update={
                "imap": m.imap.model_copy(update={"port": mail.imap_port}),
                "smtp": m.smtp.model_copy(update={"port": mail.smtp_port}),
            }
        )
        for m in settings.mailboxes
    )
    service = settings.service.model_copy(update={"data_dir": str(data_dir.absolute())})
    return replace(loaded, settings=replace(settings, mailboxes=mailboxes, service=service))


def zabbix_mail(subject: str, body: str, at: datetime) -> bytes:
    """An alert as Zabbix's default media type writes it."""
    return write_mail(f"Zabbix <{ZABBIX}>", NOC, subject, body.format(time=f"{at:%H:%M:%S}", day=f"{at:%Y.%m.%d}"), at)


def _plain(address: str) -> str:
    """The address without its plus-tag."""
    local, _, domain = address.partition("@")
    return f"{local.partition('+')[0]}@{domain}"


NOT_AGAIN = "Not from this cause: updates now wait for Sunday night."
PROBLEM = """Problem started at {time} on {day}
Problem name: NW-FS01 has been restarted (uptime < 10m)
Host: NW-FS01
Severity: High
Operational data: 00:01:12
Original problem ID: 184467
https://zabbix.msp.example/tr_events.php?triggerid=23512&eventid=184467
"""
RECOVERY = """Problem has been resolved at {time} on {day}
Problem name: NW-FS01 has been restarted (uptime < 10m)
Problem duration: 9m 4s
Host: NW-FS01
Severity: High
Original problem ID: 184467
https://zabbix.msp.example/tr_events.php?triggerid=23512&eventid=184467
"""
