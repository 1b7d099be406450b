"""Recording decisions: what the domain decided becomes incidents, timeline, promises and letters, in one savepoint."""

from datetime import datetime

from mailflow.domain.decisions import (
    Absent,
    Announce,
    Bounced,
    CallOff,
    ClientSaid,
    Confirm,
    Decision,
    Fill,
    Gather,
    Ignore,
    Join,
    Mute,
    Noted,
    Obey,
    OpenFromAlert,
    OpenFromClient,
    OpenFromStaff,
    Place,
    Proved,
    Recover,
    Refuse,
    RefuseSend,
    Relapse,
    Relay,
    Release,
    Reword,
    Show,
    Situation,
    Wait,
)
from mailflow.domain.incident import Entry
from mailflow.domain.letters import JSON, LetterKind, LetterState
from mailflow.domain.lifecycle import Dispatch, dispatch
from mailflow.domain.mail import Reading
from mailflow.domain.people import Client
from mailflow.domain.vocabulary import Kind
from mailflow.engine.aftermath import Aftermath
from mailflow.engine.alerts import Alerts
from mailflow.engine.announcing import Announcing
from mailflow.engine.client_mail import ClientMail
from mailflow.engine.desk import Desk
from mailflow.engine.drafts import Drafts
from mailflow.engine.mailroom import Inbound
from mailflow.engine.monthly import Monthly
from mailflow.engine.obey import Orders
from mailflow.engine.opening import EXCERPT, Opening, Word
from mailflow.engine.pauses import Pauses
from mailflow.engine.post import Post, address_of
from mailflow.engine.relay import Relaying
from mailflow.engine.replay import Replay
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.engine.triage import Triage


class Recorder:
    """Carries decisions out. One for each reading of the configuration."""

    def __init__(self, store: Store, setup: Setup) -> None:
        self._store, self._setup = store, setup
        self._post = Post(store, setup)
        drafts = Drafts(store, setup, self._post)
        self._drafts = drafts
        self._desk = Desk(store, setup, self._post, drafts)
        self._opening = Opening(store, setup, self._post, drafts)
        self.presence = self._opening.presence
        self.alerts = Alerts(store, setup, self._post, self._opening)
        self._client_mail = ClientMail(
            store, setup, self._post, self._opening, Pauses(store, setup, self._post, drafts)
        )
        self.replay = Replay(store, setup, self.record)
        self._triage = Triage(store, setup, self._post, self.replay)
        self._relaying = Relaying(store, setup, self._post, drafts)
        self._monthly = Monthly(store, setup, self._post, drafts)
        self._orders = Orders(store, setup, self._post, drafts, self._monthly)
        self._announcing = Announcing(store, setup, self._post)
        self._aftermath = Aftermath(store, setup, self._post)

    def record(
        self, decision: Decision, inbound: Inbound, reading: Reading, situation: Situation, now: datetime
    ) -> tuple[Kind, int | None]:
        """Carry one decision out: what the mail turned out to be, and the incident it belongs to."""
        word = Word.of(inbound, reading)
        if self._setup.expected and not (situation.disproven or situation.duplicate_of):
            for event in reading.events:
                self.alerts.heard(event, word, situation)
        match decision:
            case Ignore():
                return decision.kind, None
            case Proved():
                self._accept(decision, now)
                return Kind.OWN, decision.letter.incident_id
            case Bounced():
                self._bounced(decision, now)
                return Kind.BOUNCE, decision.letter.incident_id
            case OpenFromAlert():
                return Kind.ALERT, self.alerts.open(decision, word, situation, now)
            case Join():
                return Kind.ALERT, self.alerts.join(decision, word, situation, now)
            case Relapse():
                return Kind.ALERT, self.alerts.relapse(decision, word, situation, now)
            case Recover():
                return Kind.ALERT, self.alerts.recover(decision, word, situation)
            case Gather():
                return Kind.ALERT, self.alerts.gather(decision, word, situation, now)
            case Wait():
                self.alerts.wait(decision, word, situation, now)
                return Kind.ALERT, None
            case Mute():
                self.alerts.mute(decision, word, situation, now)
                return Kind.ALERT, None
            case OpenFromClient():
                return Kind.CLIENT, self._opening.from_client(decision, inbound, reading, now).id
            case ClientSaid():
                self._client_mail.said(decision, inbound, reading, situation, now)
                return Kind.CLIENT, decision.incident_id
            case OpenFromStaff():
                return Kind.LIAISON, self._open_by_name(decision, inbound, reading, now)
            case Announce() | CallOff():
                self._announcing.record(decision, inbound, now)
                return Kind.LIAISON, None
            case Absent():
                self.presence.out_of_office(decision.staff, inbound, now)
                return Kind.AUTO_REPLY, None
            case Fill():
                letter = situation.answered.letter if situation.answered else None
                self._desk.answered(decision, letter, inbound.id, now)
                return Kind.LIAISON, letter.incident_id if letter else None
            case Reword():
                self._monthly.reword(decision, inbound.id, now)
                return Kind.LIAISON, None
            case Release():
                released = self._drafts if decision.draft.affected_id else self._monthly
                released.release(decision, inbound.id, now)
                return Kind.LIAISON, self._incident_of(decision.draft.affected_id)
            case RefuseSend():
                refused = self._desk if decision.affected_id else self._monthly
                refused.refuse(decision, inbound.id, now)
                return Kind.LIAISON, self._incident_of(decision.affected_id)
            case Relay():
                self._relaying.answer(decision, inbound, now)
                return Kind.LIAISON, decision.letter.incident_id
            case Obey():
                self._orders.obey(decision, inbound, now)
                return Kind.LIAISON, decision.incident_id
            case Confirm():
                self._confirm(decision, inbound, reading, situation, now)
                return Kind.LIAISON, None
            case Refuse():
                self._refused(decision, inbound, reading, now)
                return decision.kind, None
            case Show():
                self._triage.show(decision, inbound, reading, situation, now)
                return decision.kind, None
            case Place():
                return Kind.LIAISON, self._triage.place(decision, inbound, now)
            case Noted():
                entry = Entry(
                    at=inbound.received_at,
                    what=decision.what,
                    author=decision.author,
                    text=decision.text,
                    inbound_id=inbound.id,
                )
                self._store.records.note(decision.incident_id, entry)
                return decision.kind, decision.incident_id

    def page_quarantined(self, mail_id: int, reason: str, mailbox: str, now: datetime, *, once: str = "") -> None:
        """A mail was set aside: the administrator is told where to look, of all with the same `once` by one mail."""
        values: dict[str, JSON] = {"mail": mail_id, "why": reason, "mailbox": mailbox}
        recipient = self._setup.administrator
        key = f"quarantine:{once or mail_id}"
        self._post.notice(
            ["quarantined", values], [["quarantined", values]], recipient, key=key, now=now, mailbox=mailbox
        )

    def page_unfetched(self, place: str, said: str, mailbox: str, now: datetime) -> None:
        """The server cannot give a mail that it lists: the administrator is told where it lies."""
        values: dict[str, JSON] = {"place": place, "said": said, "mailbox": mailbox}
        recipient, key = self._setup.administrator, f"unfetched:{mailbox}:{place}"
        self._post.notice(["unfetched", values], [["unfetched", values]], recipient, key=key, now=now, mailbox=mailbox)

    def page_look(self, look: str, said: str, now: datetime) -> None:
        """One of the looks at what is due fails by a bug of ours: the administrator is told once a day."""
        values: dict[str, JSON] = {"look": look, "said": said}
        recipient, key = self._setup.administrator, f"look:{look}:{now:%Y-%m-%d}"
        self._post.notice(["look_failed", values], [["look_failed", values]], recipient, key=key, now=now)

    def _incident_of(self, affected_id: int | None) -> int | None:
        return self._store.records.affected(affected_id).incident_id if affected_id else None

    # --- people ---

    def _open_by_name(self, decision: OpenFromStaff, inbound: Inbound, reading: Reading, now: datetime) -> int | None:
        client = self._client_called(decision.client_word)
        if client is None:
            known = ", ".join(sorted(c.key for c in self._setup.directory.clients)[:40])
            line: JSON = ["unknown_client", {"word": decision.client_word, "known": known}]
            recipient, key = address_of(decision.staff), f"open:{inbound.id}"
            self._post.notice(["not_understood", {}], [line], recipient, key=key, now=now)
            return None
        return self._opening.from_staff(decision, client, inbound, reading, now).id

    def _client_called(self, word: str) -> Client | None:
        """By key, else by name, forgiving case."""
        wanted = word.casefold().strip()
        directory = self._setup.directory
        return directory.client(wanted) or next((c for c in directory.clients if c.name.casefold() == wanted), None)

    def _confirm(
        self, decision: Confirm, inbound: Inbound, reading: Reading, situation: Situation, now: datetime
    ) -> None:
        """ "Was this you?", to the listed address; a reply to it proves that its writer reads that mailbox."""
        about = situation.answered.letter.id if situation.answered else None
        facts: dict[str, JSON] = {
            "mail_subject": reading.subject,
            "mailbox": inbound.mailbox,
            "came": inbound.received_at.isoformat(),
            "text": reading.new_text.strip()[:EXCERPT] or reading.subject,
            "manager": self._setup.administrator.name or self._setup.administrator.address,
            "about": about,
        }
        recipient = address_of(decision.staff)
        key = f"{inbound.id}"
        self._post.to_staff(LetterKind.CONFIRM, recipient, facts, key=key, now=now, mailbox=inbound.mailbox)

    def _refused(self, decision: Refuse, inbound: Inbound, reading: Reading, now: datetime) -> None:
        """Something that looks forged: the manager hears of it, and who really wrote it."""
        values: dict[str, JSON] = {
            "author": str(reading.author) if reading.author else "several authors",
            "why": decision.reason,
            "mail_subject": reading.subject,
        }
        self._post.notice(
            ["refused", values],
            [["refused", values]],
            self._setup.administrator,
            key=f"refused:{inbound.id}",
            now=now,
            mailbox=inbound.mailbox,
        )
        if decision.writer:
            recipient, key = address_of(decision.writer), f"not-ours:{inbound.id}"
            line: JSON = ["answers_nothing_of_ours", values]
            self._post.notice(["not_done", {}], [line], recipient, key=key, now=now, mailbox=inbound.mailbox)

    # --- letters ---

    def _accept(self, decision: Proved, now: datetime) -> None:
        """The copy arrived, perhaps before the server's answer did: whatever we thought of the letter, it was taken."""
        letter = self._store.outbox.letter(decision.letter.id)
        if letter.state not in {LetterState.SENT, LetterState.FAILED, LetterState.DROPPED}:
            state = dispatch(letter.state, Dispatch.ACCEPT)
            if self._store.outbox.move(letter.id, state, was=letter.state, reason=decision.reason, now=now):
                self._aftermath.sent(letter, now)

    def _bounced(self, decision: Bounced, now: datetime) -> None:
        """A letter came back: the duty to inform is open again, and the liaison is told (N.9)."""
        letter = decision.letter
        if letter.state not in {LetterState.SENT, LetterState.UNKNOWN}:
            return
        state = dispatch(letter.state, Dispatch.REJECT)
        self._store.outbox.move(letter.id, state, reason="bounced", said=decision.said, now=now)
        self._aftermath.failed(letter, decision.said, now)
