"""A liaison's answer to a client's mail: her words go to that one person, as she typed them (S0.9, S1.4).

Promises: only a reply to the very mail that showed her the client's words is an answer; it goes by itself only where
letters of that client do, nothing is doubtful about what she typed, and the writing gate has no objection. Everything
else is shown to her first, and waits for SEND.
"""

import hashlib
import re
from dataclasses import replace
from datetime import datetime

from mailflow.domain.decisions import Relay
from mailflow.domain.form import Verb
from mailflow.domain.incident import Entry
from mailflow.domain.letters import JSON, LetterKind, NewLetter
from mailflow.domain.people import Contact
from mailflow.domain.vocabulary import Live
from mailflow.engine.case import Case, open_case
from mailflow.engine.drafts import Drafts
from mailflow.engine.gate import objections
from mailflow.engine.mailroom import Inbound
from mailflow.engine.post import Post, address_of
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store

# What stands in no answer, and in every quote: a quoted line, a header, a rule above the mail that was answered.
RESIDUE = re.compile(
    r"(?m)^\s*(?:>|-{2,} ?\w|_{5,}|(?:from|to|cc|sent|date|subject|von|an|gesendet|betreff|van|aan|verzonden|onderwerp)"
    r" ?:)|\bTO CLIENT\b|\b(?:wrote|schreef|schrieb)\b[^\n]{0,40}:\s*$",
    re.IGNORECASE,
)


class Relaying:
    """The use case."""

    def __init__(self, store: Store, setup: Setup, post: Post, drafts: Drafts) -> None:
        self._store, self._setup, self._post, self._drafts = store, setup, post, drafts

    def answer(self, decision: Relay, inbound: Inbound, now: datetime) -> None:
        """Send the answer, or show it first."""
        shown = decision.letter
        assert shown.affected_id is not None
        affected = self._store.records.affected(shown.affected_id)
        case = open_case(self._store, self._setup, self._store.records.incident(affected.incident_id), affected)
        letter = self._letter(case, decision, now)
        words = self._drafts.render(letter, now)
        held, advised = objections(self._store, self._setup, [letter], [words])
        unclear = decision.unsure or bool(RESIDUE.search(decision.text)) or self._is_inward(decision, case)
        doubtful = unclear or bool(held or advised)
        two = self._setup.policy.two_approve(case.incident.priority)
        if doubtful or two or self._setup.live(affected) is not Live.AUTO:
            problem: JSON = ["answer_unsure", {}] if unclear else None
            self._drafts.offer(case, [letter], now, remarks=[], problem=problem, cause=inbound.id, about=shown.id)
            return
        kept = self._store.mailroom.put_content(words.to_bytes(), now)
        approved = replace(
            letter, rendered=kept, approved=True, due_at=now + self._setup.policy.rest, reason="answer-as-typed"
        )
        if put := self._store.outbox.put(approved, now):
            entry = Entry(
                at=now, what="answered client", author=decision.staff.name, text=decision.text, inbound_id=inbound.id
            )
            self._store.records.note(case.incident.id, entry)
            said: dict[str, JSON] = {"names": letter.recipient.name, "leaves_at": put.due_at.isoformat()}
            self._post.notice(
                ["answer_goes", said],
                [["answer_goes", said]],
                address_of(decision.staff),
                key=f"answer:{inbound.id}",
                now=now,
                incident=case.incident,
                affected=affected,
                text=words.text,
            )
        else:
            self._post.notice(
                ["noted", {}],
                [["answered_already", {"names": letter.recipient.name}]],
                address_of(decision.staff),
                key=f"answer:{inbound.id}",
                now=now,
                incident=case.incident,
                affected=affected,
            )

    def _is_inward(self, decision: Relay, case: Case) -> bool:
        """Whether words may be meant for us: a command's word in any case, or one of ours is spoken to."""
        table = self._setup.writer.words(decision.staff.language).at("command")
        commands = [w for verb in Verb for w in table.get(verb.value, ()) if w[:1].isalpha()] + list(table["inward"])
        theirs = {word.casefold() for contact in case.contacts for word in contact.name.split()}
        ours = {s.first_name for s in self._setup.directory.staff if s.first_name.casefold() not in theirs}
        word, name = ("|".join(map(re.escape, words)) for words in (commands, ours or {"-"}))
        begins = rf"^(?:{word})\b|^\W*(?:(?:hi|hello|hey|dear)\s+)?@?(?:{name})\s*[,:!]|@(?:{name})\b"
        return bool(re.match(begins, decision.text.strip(), re.IGNORECASE)) or bool(
            re.search(rf"(?mi)^\W*(?:{word}|{name})\s*[:\-–—]|@(?:{name})\b", decision.text)
        )

    def _letter(self, case: Case, decision: Relay, now: datetime) -> NewLetter:
        facts = decision.letter.facts
        contact = Contact(
            name=str(facts["contact_name"]),
            first_name=str(facts["contact"]).split()[0] if str(facts["contact"]).strip() else "",
            address=str(facts["contact_address"]),
        )
        # The same words to the same mail are the same answer, however often a mail program sends it.
        key = f"{decision.letter.id}:{hashlib.sha256(decision.text.encode()).hexdigest()}"
        return self._drafts.letter(LetterKind.ANSWER, case, contact, decision.text, key=key, now=now)
