"""The last step before the wire: a letter's words and envelope become exact bytes, which never change again."""

from dataclasses import dataclass, replace
from datetime import datetime

from mailflow.domain import tokens
from mailflow.domain.form import AskedField, Form
from mailflow.domain.incident import PromiseKind, PromiseState
from mailflow.domain.letters import JSON, Letter, LetterKind
from mailflow.domain.people import Address
from mailflow.engine.setup import Setup
from mailflow.engine.situation import bound
from mailflow.engine.store import Store
from mailflow.writing.compose import Envelope, compose
from mailflow.writing.render import Rendered


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A letter as it goes over the wire."""

    letter: Letter
    raw: bytes
    message_id: str
    subject: str
    recipient: Address
    form: Form | None


class Freezer:
    """Makes the bytes. TemplateError or HeaderError where a letter cannot be written."""

    def __init__(self, store: Store, setup: Setup) -> None:
        self._store, self._setup = store, setup

    def freeze(self, letter: Letter, withheld: Address | None, now: datetime) -> Ready:
        """Words and envelope; a letter that was frozen for an earlier try keeps its bytes."""
        recipient = withheld or letter.recipient
        # What bounced after it was sent has lost its tag, so its bytes are made anew.
        if letter.frozen and letter.sent_at is None and recipient.address == letter.recipient.address:
            raw = self._store.mailroom.content(letter.frozen)
            return Ready(
                letter=letter,
                raw=raw,
                message_id=letter.message_id,
                subject=letter.subject,
                recipient=recipient,
                form=None,
            )
        mailbox = self._setup.mailbox(letter.mailbox)
        tag = tokens.mint(self._setup.key, bound(replace(letter, recipient=recipient)))
        thread = self._store.outbox.thread(letter.incident_id, recipient.address)
        words = self._words(letter, tag, now)
        if withheld:
            words = self._mark(letter, words, withheld)
        elif letter.kind.to_client and thread.subject and not letter.rendered:
            words = replace(words, subject=f"Re: {thread.subject}")
        local, _, domain = mailbox.address.partition("@")
        reply_to = f"{local}+{tag}@{domain}" if mailbox.plus_addressing else mailbox.address
        if letter.kind.to_client and letter.affected_id and (ticket := self._ticket(letter, words.subject)):
            words = replace(words, subject=f"{words.subject} {ticket}")
        envelope = Envelope(
            sender=Address(name=self._signs(letter), address=mailbox.address),
            recipient=recipient,
            reply_to=Address(name=str(letter.facts.get("reply_name", "")), address=reply_to),
            message_id=tokens.message_id(tag, domain),
            date=now,
            references=thread.references,
            automatic=not letter.approved,
        )
        return Ready(
            letter=letter,
            raw=compose(envelope, words),
            message_id=envelope.message_id,
            subject=words.subject,
            recipient=recipient,
            form=self._form(letter, words) if letter.kind.shows_form else None,
        )

    def _signs(self, letter: Letter) -> str:
        """Who signs: an automatic letter is signed by whoever answers for it when it leaves."""
        automatic = letter.kind is LetterKind.ACKNOWLEDGEMENT and not letter.rendered and letter.affected_id
        return self._store.records.affected(letter.affected_id or 0).liaison.name if automatic else letter.sender_name

    def _words(self, letter: Letter, tag: str, now: datetime) -> Rendered:
        """Approved words as they were approved; an automatic letter's are made now."""
        if letter.rendered:
            return Rendered.from_bytes(self._store.mailroom.content(letter.rendered))
        facts = dict(letter.facts) | {"tag": tag}
        if letter.kind is LetterKind.ACKNOWLEDGEMENT and letter.affected_id and letter.incident_id:
            # What has become known since it was put: that it is back, or that a person noticed too.
            incident = self._store.records.incident(letter.incident_id)
            affected = self._store.records.affected(letter.affected_id)
            ended = affected.ended_at or incident.ended_at
            facts["ended"] = ended.isoformat() if ended else None
            facts["liaison"], facts["title"] = affected.liaison.name, affected.liaison_title
            facts["phone"] = affected.liaison_phone
            debrief = self._store.promises.find(affected.id, PromiseKind.DEBRIEF)
            if debrief and facts["promised"]:  # LATER was said before it left
                facts["promised"] = debrief.due_at.isoformat()
            # An automatic letter names a person of theirs only as the configuration does: a From is anybody's to write.
            client = self._setup.directory.client(affected.client_key)
            known = {c.first_name for c in client.contacts} if client else set()
            reporter = affected.reporter if affected.reporter in known else ""
            facts["reporter"] = "you" if reporter and reporter == facts["first_name"] else reporter
            facts["plain"] = self._things(letter, str(facts["plain"]))
        elif letter.facts.get("many") and letter.incident_id:
            mine = self._clients(letter, letter.incident_id)
            facts["lines"] = [*letter.facts["lines"], *mine]  # type: ignore[misc]
            clients = sum(1 for line in mine if isinstance(line, list) and line[0] == "storm_client")
            if clients > 1:
                facts["client"] = self._setup.writer.words(letter.language).phrase("line.storm_clients", count=clients)
        return self._setup.writer.render(letter.kind, letter.language, facts, now)

    def _ticket(self, letter: Letter, subject: str) -> str:
        """The token of the client's own helpdesk, where the subject has it not yet: their ticket finds our letter."""
        ticket = self._store.records.affected(letter.affected_id or 0).ticket
        return "" if ticket in subject else ticket

    def _things(self, letter: Letter, plain: str) -> str:
        """What is in trouble by now: a storm may have struck more of this client's things than one."""
        assert letter.incident_id is not None
        mine = self._store.records.affected(letter.affected_id or 0).id
        root = self._store.records.incident(letter.incident_id)
        signals = self._store.signals.of(root.id, mine)
        struck, names = {s.thing for s in signals}, {s.plain for s in signals}
        words = self._setup.writer.words(letter.language)
        return words.phrase("acknowledgement.several") if len(struck) > 1 and len(names) > 1 else plain

    def _clients(self, letter: Letter, incident_id: int) -> list[JSON]:
        """The clients of an incident with many, as its liaison is told of them when the mail leaves."""
        root = self._store.records.incident(incident_id)
        outbox = self._store.outbox
        acknowledged = [
            x
            for x in reversed(outbox.letters(incident_id=root.id, limit=10_000))
            if x.kind is LetterKind.ACKNOWLEDGEMENT
        ]
        lines: list[JSON] = []
        for affected in self._store.records.affected_of(root.id):
            if affected.liaison.address != letter.recipient.address:
                continue
            names = [x.recipient.name for x in acknowledged if x.client_key == affected.client_key]
            said: JSON = ", ".join(dict.fromkeys(names)) or ["line", "storm_nobody"]
            lines.append(["storm_client", {"client": affected.client_name, "names": said}])
            lines += [
                ["call_by", {"what": p.what, "due_full": p.due_at.isoformat()}]
                for p in self._store.promises.of(root.id)
                if (p.affected_id, p.kind, p.state) == (affected.id, PromiseKind.CALL, PromiseState.OPEN)
            ]
        return lines

    def _mark(self, letter: Letter, words: Rendered, liaison: Address) -> Rendered:
        """ "This would have gone to John": the client's letter, marked, for the liaison."""
        staff = self._setup.directory.staff_at(liaison.address)
        language = self._setup.writer.words(staff.language if staff else letter.language)
        names = letter.recipient.name or letter.recipient.address
        line = language.phrase("line.withheld", names=names, address=letter.recipient.address)
        subject = language.phrase("line.withheld_subject", names=names) + words.subject
        return words.marked(subject, line)

    def _form(self, letter: Letter, words: Rendered) -> Form:
        asked, others = letter.facts["fields"], letter.facts.get("others", [])
        assert isinstance(asked, list)
        assert isinstance(others, list)
        return Form(
            reference=str(letter.facts["reference"]),
            version=letter.version,
            language=letter.language,
            fields=tuple(AskedField(**field) for field in [*asked, *others]),
            text=words.text,
            end_marker=str(letter.facts["end_marker"]),
        )
