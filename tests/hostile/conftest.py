"""One house for all hostile mail: whatever one of them breaks, the next one finds broken."""

import imaplib
from collections.abc import Iterator
from itertools import count

import pytest
from pymap.mime import MessageContent

from mailflow.demo.story import NOC, PASSWORD, VALERY
from mailflow.domain.incident import Incident
from mailflow.domain.letters import LetterState
from mailflow.engine.mailroom import Inbound
from tests.house import House, Received, house, received, until, zabbix_mail

FAR = 20.0  # seconds: nothing here is about speed
NUMBERS = count(900_001)
ALERT = """Problem started at {time} on {day}
Problem name: NW-FS01 is unavailable by ICMP PROBLEM
Host: NW-FS01
Severity: High
Original problem ID: PROBLEM
"""


class Besieged:
    """A house, and what a test of hostile mail asks of it."""

    def __init__(self, on: House) -> None:
        self.on = on
        self._last = 0

    def take(self, raw: bytes) -> Inbound:
        """Deliver a mail and wait for what becomes of it; the daemon then still does its work."""
        last = self._newest()
        self.on.mail.deliver(NOC, raw)
        mail = until(lambda: self._decided_after(last), within=FAR)
        assert mail is not None
        self.still_works()
        return mail

    def still_works(self) -> None:
        """An alert that comes now opens its incident, the liaison has its mail, and every mail is accounted for."""
        number = str(next(NUMBERS))
        body = ALERT.replace("PROBLEM", number)
        subject = "Problem: NW-FS01 is unavailable by ICMP"
        self.on.mail.deliver(NOC, zabbix_mail(subject, body, self.on.now))
        store = self.on.app.store

        def opened() -> Incident | None:
            found = store.records.incidents(running_only=True, limit=99)
            return next((incident for incident, _ in found if incident.key == f"zabbix:{number}"), None)

        incident = until(opened, within=FAR)
        assert incident is not None
        until(lambda: store.outbox.letters(incident_id=incident.id, states=[LetterState.SENT], limit=9), within=FAR)
        until(self.balanced, within=FAR)

    def balanced(self) -> bool:
        """received = processed + ignored + quarantined, counted against what lies on the server."""
        counts = self.on.app.store.mailroom.counts()
        return set(counts) <= {"processed", "ignored", "quarantined"} and sum(counts.values()) == self.on_server()

    def on_server(self) -> int:
        """How many mails lie in the shared mailbox."""
        with imaplib.IMAP4("127.0.0.1", self.on.mail.imap_port) as imap:
            imap.login(NOC, PASSWORD)
            total = 0
            for folder in ("INBOX", "Mailflow/Done"):
                said, there = imap.select(f'"{folder}"', readonly=True)
                total += int(there[0] or b"0") if said == "OK" else 0
            return total

    def shown(self, mail: Inbound) -> Received:
        """What the liaison was shown of a mail."""
        store = self.on.app.store
        keys = {f"shown:{mail.id}", f"forward:{mail.id}"}
        if mail.incident_id:
            keys |= {f"opened:{store.records.incident(mail.incident_id).reference}:contoso"}
        # "shown:7:no-recipe" is known by what stands before its reason.
        about = {":".join(x.idempotency_key.split(":")[:2]): x for x in store.outbox.letters(limit=1000)}
        about |= {x.idempotency_key: x for x in store.outbox.letters(limit=1000)}
        letter = next(about[key] for key in keys if key in about)
        until(lambda: store.outbox.letter(letter.id).state == "sent", within=FAR)
        message_id = store.outbox.letter(letter.id).message_id.partition("-")[0]
        raw = next(m.raw for m in self.on.mail.sent if message_id.encode() in m.raw and m.recipients[0] == VALERY)
        return received(raw)

    def _newest(self) -> int:
        while self.on.app.store.mailroom.inbound(self._last + 1):
            self._last += 1
        return self._last

    def _decided_after(self, last: int) -> Inbound | None:
        """The first mail after `last` that is no copy of our own letters, once it is decided."""
        for number in range(last + 1, self._newest() + 1):
            mail = self.on.app.store.mailroom.inbound(number)
            if mail and mail.state != "kept" and mail.kind != "own":
                return mail
        return None


@pytest.fixture(scope="session")
def server_reads_nothing() -> Iterator[None]:
    """pymap reads every mail that it keeps, slowly, and would die of some: let all of a mail be body to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MessageContent, "_split_lines", classmethod(lambda _, __, lines: ([], lines)))
        yield


@pytest.fixture(scope="session")
def besieged(tmp_path_factory: pytest.TempPathFactory, server_reads_nothing: None) -> Iterator[Besieged]:
    """The shipped configuration, its caps out of the way: they would hold what a test waits for."""
    names = ("per_contact_and_incident", "per_address_hour", "answers_per_sender_2h", "per_domain_hour", "staff_hour")
    with house(tmp_path_factory.mktemp("hostile"), **dict.fromkeys(names, "9999"), storm_count="1") as on:
        yield Besieged(on)
