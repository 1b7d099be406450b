"""The writing gate before a draft (N.7): what holds letters that people wrote, and what is only advised."""

from collections.abc import Sequence

from mailflow.domain.letters import LetterKind, NewLetter
from mailflow.domain.people import Client
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store
from mailflow.writing.lint import Level, Objection, lint
from mailflow.writing.render import Rendered

# The words of these are a person's; an acknowledgement's are the templates', which the tests lint.
WRITTEN = {LetterKind.DEBRIEF, LetterKind.UPDATE, LetterKind.ANSWER, LetterKind.REPORT}


def objections(
    store: Store, setup: Setup, letters: Sequence[NewLetter], rendered: Sequence[Rendered]
) -> tuple[list[Objection], list[Objection]]:
    """What holds these letters, the worst first, and what the liaison may overrule; each said once."""
    found: dict[tuple[str, str], Objection] = {}
    for letter, words in zip(letters, rendered, strict=True):
        if letter.kind not in WRITTEN:
            continue
        foreign = _others(setup, letter.client_key)
        before = [
            Rendered.from_bytes(store.mailroom.content(content)).text
            for content in store.outbox.approved_words(letter.client_key, besides=letter.incident_id or 0, limit=20)
            if letter.kind is not LetterKind.REPORT  # which is to say again what was said
        ]
        for objection in lint(
            f"{words.subject}\n\n{words.text}", setup.rules(letter.language), foreign=foreign, before=before
        ):
            found.setdefault((objection.rule, objection.sentence), objection)
    worst_first = sorted(found.values(), key=lambda objection: list(Level).index(objection.level))
    held = [objection for objection in worst_first if objection.level is not Level.WARNING]
    return held, [objection for objection in worst_first if objection.level is Level.WARNING]


def _others(setup: Setup, client_key: str) -> list[tuple[str, ...]]:
    """What the other clients, their people and their domains are called, unless this client's own name holds it
    ("Contoso" within "Contoso Belgium") or somebody of its own, or of ours, has the same."""
    client = setup.directory.client(client_key)
    own = " ".join((*client.names, *client.domains)).casefold() if client else ""
    known = {ours.name.casefold() for ours in setup.directory.staff}
    known |= {contact.name.casefold() for contact in (client.contacts if client else ())}
    return [
        tuple(name for name in _called(other) if name.casefold() not in own and name.casefold() not in known)
        for other in setup.directory.clients
        if other.key != client_key
    ]


def _called(client: Client) -> tuple[str, ...]:
    """By what a reader would know a client: a first name alone ("John") is anybody's."""
    people = [contact.name for contact in client.contacts if " " in contact.name.strip()]
    return (client.name, *client.aliases, *client.domains, *people)
