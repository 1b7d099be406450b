"""Specimen letters: what `check` writes for every client, so that a hole in a template shows before an incident."""

from datetime import UTC, datetime, timedelta

from mailflow.domain.form import Fill
from mailflow.domain.letters import ClientView, LetterKind, acknowledgement, debrief
from mailflow.domain.people import Client, Contact, Wants
from mailflow.engine.setup import Setup
from mailflow.writing.compose import HeaderError, address_header, words_header
from mailflow.writing.render import TemplateError

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)  # any moment will do
VARIANTS = 4  # at least as many ways as words.toml gives to say one thing


def specimens(setup: Setup) -> list[str]:
    """What would keep a letter to a client from being written; empty where all can be."""
    faults: list[str] = []
    for client in setup.directory.clients:
        for contact in client.contacts:
            if contact.wants is not Wants.NOTHING:
                faults += _faults(setup, client, contact)
    return list(dict.fromkeys(faults))


def _faults(setup: Setup, client: Client, contact: Contact) -> list[str]:
    liaison = setup.liaison_of(client)
    plain = next((c.plain for c in client.components if c.plain), "")
    view = ClientView(
        reference="INC-1",
        plain=plain,
        symptom="down" if plain else "reported",
        started=NOON,
        ended=NOON + timedelta(minutes=9),
        reporter=contact.first_name,
        reported="" if plain else "something",
        reported_at=NOON,
        timezone=client.timezone,
        liaison=liaison.name,
        title=liaison.title,
        phone=liaison.phone,
        footer=setup.policy.footer,
        promised=NOON + timedelta(days=2),
    )
    fills = {n: Fill(number=n, value="Words.", by=liaison.address, at=NOON) for n in setup.policy.form.asked}
    letters = [(LetterKind.ACKNOWLEDGEMENT, acknowledgement(view, contact, v)) for v in range(VARIANTS)]
    letters += [(LetterKind.DEBRIEF, {**debrief(view, contact, fills), "variant": v}) for v in range(VARIANTS)]
    faults = []
    for kind, facts in letters:
        try:
            words = setup.writer.render(kind, client.language, facts, NOON)
            words_header(words.subject)
        except (TemplateError, HeaderError) as error:
            faults.append(f"client[{client.key}]: the {kind} to {contact.address} cannot be written: {error}")
    try:
        words_header(contact.name)
        address_header(setup.administrator)
    except HeaderError as error:
        faults.append(f"client[{client.key}]: {error}")
    return faults
