"""A kept mail as it was meant: alert words in a person's mail are the person's, whatever recipe they fit.

Promises: a genuine answer to one of our letters is never an alert. Nor is what one of ours or a listed contact writes,
or anybody at a client as an answer or a forward, unless a machine sent it or the recipe knows its mail by the sender or
a header: monitors do send from a client's addresses, and colleagues redirect them. What is no alert is decided over as
any other mail, so doubt ends with a person.
"""

from dataclasses import replace
from datetime import datetime

from mailflow.domain.mail import Reading
from mailflow.domain.vocabulary import Kind
from mailflow.engine.setup import Setup
from mailflow.engine.situation import letter_named
from mailflow.engine.store import Store
from mailflow.intake.forward import says_forward
from mailflow.intake.read import read


def read_kept(store: Store, setup: Setup, hash_: str, now: datetime) -> Reading:
    """What a kept mail says; KeyError where its bytes are forgotten."""
    reading = read(store.mailroom.content(hash_), setup.recipes)
    if reading.events and _spoken(store, setup, reading, now):
        return replace(reading, kind=Kind.UNKNOWN, rule="alert-in-a-persons-words", events=())
    return reading


def _spoken(store: Store, setup: Setup, reading: Reading, now: datetime) -> bool:
    answered = letter_named(store, setup, reading.token_tags, now)
    if answered and answered.genuine:
        return True
    match = setup.recipes[reading.events[0].recipe].match
    if reading.automatic or reading.author is None or match.sender or match.headers:
        return False
    who = setup.directory.who(reading.author.address)
    listed = who.staff or any(c.address == reading.author.address for client in who.clients for c in client.contacts)
    return bool(listed or (who.clients and says_forward(reading.subject) is not None))
