"""Whose is it? The clients that an alert may concern, by the surest sign that tells; pure.

A sign that names one client decides. One that names several is narrowed by the next; what is still several, or none,
is for a person to say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailflow.domain.mail import Event, Reading
from mailflow.domain.people import Client, Directory


class Sign(StrEnum):
    """What told whose it is, the surest first."""

    ADDRESS = "address"  # noc+northwind@…, or an address that is the client's own
    NAME = "client-field"  # the monitor names the client
    HOST = "host"  # the thing is one of the client's
    SENDER = "sender"  # a listed contact's address sent it
    DOMAIN = "sender-domain"
    VENDOR = "vendor"  # every client that uses the vendor's service
    DEFAULT = "recipe-default"
    LEARNED = "learned"  # a liaison said so once
    PLACED = "placed"  # a liaison said so of this very mail


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose an event is; one client, unless it is a vendor's. `said` is what the sign read."""

    clients: tuple[Client, ...] = ()
    sign: Sign | None = None
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a liaison taught by answering triage: mail that says this (`sign`: `value`) is that client's."""

    sign: Sign
    value: str  # as compared: without case
    client_key: str


def whose(
    event: Event, reading: Reading, directory: Directory, own: frozenset[str], lessons: Mapping[tuple[Sign, str], str]
) -> Owner:
    """The owner of one event; no clients where nothing tells, several where the signs name several."""
    if event.vendor:
        clients = directory.clients_of_vendor(event.vendor, *event.hosts)
        return Owner(clients=clients, sign=Sign.VENDOR, said=event.vendor)
    best = Owner()
    for sign, said, clients in _signs(event, reading, directory, own, lessons):
        if not clients:
            continue
        narrowed = clients if not best.clients else tuple(c for c in best.clients if c in clients)
        if not best.clients or (narrowed and len(narrowed) < len(best.clients)):
            best = Owner(clients=narrowed, sign=sign, said=said)
        if len(best.clients) == 1:
            return best
    return best


def teaches(event: Event | None, reading: Reading, client: Client) -> Lesson | None:
    """What placing this mail by hand says about the next one; None where it has nothing that could be known again."""
    said = [(Sign.NAME, name) for name in event.names] + [(Sign.HOST, host) for host in event.hosts] if event else []
    if not event and reading.author:
        said.append((Sign.SENDER, reading.author.address))
    return next((Lesson(sign=s, value=v.casefold(), client_key=client.key) for s, v in said if v), None)


def lesson_keys(event: Event | None, reading: Reading) -> tuple[tuple[Sign, str], ...]:
    """What lessons could say about a mail."""
    said = [(Sign.NAME, name) for name in event.names] + [(Sign.HOST, host) for host in event.hosts] if event else []
    if reading.author:
        said.append((Sign.SENDER, reading.author.address))
    return tuple((sign, value.casefold()) for sign, value in said)


def _signs(
    event: Event, reading: Reading, directory: Directory, own: frozenset[str], lessons: Mapping[tuple[Sign, str], str]
) -> Iterator[tuple[Sign, str, tuple[Client, ...]]]:
    """What each sign says, the surest first."""
    addressed = tuple(a.address for a in reading.addressed)
    yield Sign.ADDRESS, ", ".join(addressed), directory.clients_addressed(addressed, own)
    for name in event.names:
        yield Sign.NAME, name, directory.clients_named(name)
    for host in event.hosts:
        yield Sign.HOST, host, directory.clients_of_host(host)
    if reading.author:
        who = directory.who(reading.author.address)
        sign = Sign.SENDER if who.contact else Sign.DOMAIN
        yield sign, reading.author.address, who.clients
    default = directory.client(event.rules.default_client) if event.rules.default_client else None
    yield Sign.DEFAULT, event.recipe, (default,) if default else ()
    for sign, value in lesson_keys(event, reading):
        taught = directory.client(lessons.get((sign, value), ""))
        yield Sign.LEARNED, value, (taught,) if taught else ()
