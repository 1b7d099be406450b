"""The preview: the exact text of every letter of a draft, who gets it, and what SEND will do."""

import difflib
from datetime import datetime, timedelta

from mailflow.domain.form import end_marker
from mailflow.domain.letters import JSON, Draft, LetterKind
from mailflow.domain.people import Address
from mailflow.domain.vocabulary import Live
from mailflow.engine.case import Case
from mailflow.engine.post import Post
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.writing.render import Rendered
from mailflow.writing.words import Words

# How a letter's words may be changed, as the name of the sentence that says so; the others by writing them anew.
CHANGE = {
    LetterKind.DEBRIEF: "change_debrief",
    LetterKind.ACKNOWLEDGEMENT: "change_fixed",
    LetterKind.ANSWER: "change_answer",
    LetterKind.REPORT: "change_report",
}

MAX_DIFFERENCE = 40  # lines; more is a new letter, which is shown in full below


class Previews:
    """Shows drafts to those who may send them."""

    def __init__(self, store: Store, setup: Setup, post: Post) -> None:
        self._store, self._setup, self._post = store, setup, post

    def show(
        self,
        case: Case,
        draft: Draft,
        remarks: list[JSON],
        problem: JSON,
        notes: str,
        cause: int,
        now: datetime,
        *,
        settle: timedelta = timedelta(),
        blocked: JSON = None,
        changed: JSON = None,
        reader: Address | None = None,
    ) -> None:
        """The exact text, the recipients by name, and what SEND will do."""
        facts = self.facts(draft, self._setup.live(case.affected), case.words, case.affected.client_name)
        self._post.to_staff(
            LetterKind.PREVIEW,
            reader or case.affected.liaison,
            {
                **facts,
                "blocked": blocked,
                "changed": changed,
                "remarks": remarks,
                "problem": problem,
                "notes": notes,
                "fields": case.others([]),
                "end_marker": end_marker(case.incident.reference, draft.version),
            },
            key=f"{draft.affected_id}:{draft.version}:{cause}",
            now=now,
            incident=case.incident,
            affected=case.affected,
            version=draft.version,
            draft_id=draft.id,
            due_at=now + settle,
            unless_over=settle > timedelta(),
        )

    def facts(self, draft: Draft, live: Live, words: Words, client: str) -> dict[str, JSON]:
        """What every preview tells of its draft: each letter, who gets it, what SEND does, how words are changed."""
        rest = self._setup.policy.rest
        letters = self._store.outbox.of_draft(draft.id)
        shown: list[JSON] = []
        for letter in letters:
            said = Rendered.from_bytes(self._store.mailroom.content(letter.rendered))
            first_name, text = letter.facts["first_name"], said.text.strip()
            shown.append({"first_name": first_name, "subject": said.subject, "text": text, "html": said.body})
        ready = "ready_many" if len(letters) > 1 else "ready_one" if rest else "ready_now"
        if live is Live.OFF:
            ready = "ready_off"
        if not letters:
            ready = "ready_nobody"
        if draft.objection:
            ready = "ready_objected"
        seconds = int(rest / timedelta(seconds=1))
        unit = "seconds" if seconds < 60 else "minutes"
        pause = words.phrase(f"line.rest_{unit}", seconds=seconds, minutes=seconds // 60)
        return {
            "releases": draft.kind,
            "change": [CHANGE.get(draft.kind, "change_words"), {}],
            "blocked": None,
            "changed": None,
            "names": ", ".join(str(letter.facts["first_name"]) for letter in letters) or client,
            "ready": [ready, {"names": ", ".join(letter.recipient.name for letter in letters), "rest": pause}],
            "remarks": [],
            "problem": None,
            "notes": "",
            "letters": shown,
        }

    def difference(self, older: Draft, newer: Draft) -> list[str]:
        """What the newer draft says otherwise to the first who reads both, line by line."""
        was, now = self._contents(older), self._contents(newer)
        reader = next((address for address in now if address in was), None)
        if reader is None:
            return []
        before, after = (
            Rendered.from_bytes(self._store.mailroom.content(one[reader])).text.splitlines() for one in (was, now)
        )
        signs = {"- ": "\N{MINUS SIGN}", "+ ": "+"}
        lines = [(line[:2], line[2:].strip()) for line in difflib.ndiff(before, after)]
        return [f"{signs[sign]} {line}" for sign, line in lines if sign in signs and line][:MAX_DIFFERENCE]

    def _contents(self, draft: Draft) -> dict[str, str]:
        """Reader to the content of what they would get."""
        return {x.recipient.address: x.rendered for x in self._store.outbox.of_draft(draft.id)}
