"""A spreadsheet's clients compared with the configured ones: what would change, and the entries as they would be.

What the sheet knows nothing of stays as somebody wrote it: components, hosts, `live`, aliases, contacts whom the sheet
does not list. Nothing is written here.
"""

import copy
import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mailflow.config.changes import Change, Notes, What
from mailflow.config.checks import PUBLIC_DOMAINS
from mailflow.config.client_key import key_for
from mailflow.config.columns import Field
from mailflow.config.contact_differences import ContactDifferences
from mailflow.config.importing import Imported, SheetClient
from mailflow.config.model import LiaisonEntry
from mailflow.config.notation import ADDRESS, shown
from mailflow.config.report import Report
from mailflow.config.source import RawEntry

# More places where anybody may have an address: access providers, whose mail small firms use.
# fmt: off
PROVIDERS = PUBLIC_DOMAINS | {
    "aol.co.uk", "att.net", "bellsouth.net", "bigpond.com", "bluewin.ch", "btinternet.com", "charter.net",
    "comcast.net", "cox.net", "earthlink.net", "fastmail.com", "free.fr", "hetnet.nl", "home.nl", "hotmail.co.uk",
    "hotmail.nl", "kpnmail.nl", "laposte.net", "live.co.uk", "live.nl", "ntlworld.com", "optonline.net", "orange.fr",
    "outlook.de", "planet.nl", "rocketmail.com", "rogers.com", "sbcglobal.net", "shaw.ca", "sky.com", "skynet.be",
    "t-online.de", "talktalk.net", "telenet.be", "telus.net", "upcmail.nl", "verizon.net", "virginmedia.com",
    "wanadoo.fr", "xs4all.nl", "xtra.co.nz", "yahoo.ca", "yahoo.com.au", "yahoo.de", "yahoo.fr", "ziggo.nl",
}
# fmt: on
MARKS = {Field.INCIDENTS, Field.DEBRIEFS, Field.TYPES}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is configured already, and how the user wants to import."""

    clients: Sequence[RawEntry]
    liaisons: Sequence[LiaisonEntry]
    ours: Collection[str]  # our own people's domains
    liaison: str | None = None  # who signs for new clients
    remove: bool = False  # whether contacts go whom the sheet does not list

    def entry(self, client: SheetClient) -> RawEntry | None:
        """The entry that means this client: by key where the sheet has one, else by anything that it is called."""
        return self._by_key.get(client.key) if client.key else self._by_name.get(client.name.casefold())

    @functools.cached_property
    def _by_key(self) -> Mapping[str, RawEntry]:
        return {str(entry.raw["key"]): entry for entry in self.clients}

    @functools.cached_property
    def _by_name(self) -> Mapping[str, RawEntry]:
        found: dict[str, RawEntry] = {}
        for entry in self.clients:
            key, name, aliases = (entry.raw.get(k) for k in ("key", "name", "aliases"))
            for called in (key, name, *(aliases if isinstance(aliases, list) else ())):
                found.setdefault(str(called).casefold(), entry)
        return found


@dataclass(frozen=True, kw_only=True)
class Merged:
    """A client's entry as it would be."""

    key: str
    row: int
    entry: RawEntry | None  # as configured so far; None for a new client
    raw: Mapping[str, object]
    origins: tuple[int | None, ...]  # for each contact, where it stood among the entry's contacts
    comments: Mapping[str, str]  # by address, above contacts that are new
    rows: Mapping[str, int]  # by address, where the sheet has the contact

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write."""
        return self.entry is None or self.raw != self.entry.raw


@dataclass(frozen=True, kw_only=True)
class Differences:
    """Everything that an import would change, and what somebody should look at."""

    clients: tuple[Merged, ...]
    changes: tuple[Change, ...]
    doubts: tuple[str, ...]


def compare(imported: Imported, known: Known, report: Report) -> Differences:
    """The differences; what cannot be settled is reported with its row."""
    notes = Notes(file=imported.file, columns=imported.columns, report=report)
    if not MARKS & imported.columns.at.keys():
        text = "no column says who is mailed about incidents, so nobody new is"
        notes.doubts.append(f'{text}; add one, or name it with --map "{Field.INCIDENTS.value}=…"')
    private = _private_domains(imported, known, notes)
    taken = {str(entry.raw.get("key")) for entry in known.clients}
    merged: dict[str, Merged] = {}
    for client in imported.clients:
        entry = known.entry(client)
        key = str(entry.raw["key"]) if entry else client.key or key_for(client.name, taken)
        if not client.active:
            if entry:
                detail = "inactive in the sheet; take it out by hand if it has left you"
                notes.changes.append(Change(client=key, what=What.KEPT, detail=detail))
        elif key in merged:
            text = f"{shown(client.name)} is `{key}` too, which row {merged[key].row} names otherwise; make them one"
            report.problem(imported.file, imported.columns.place(client.row, Field.CLIENT), text)
        else:
            taken.add(key)
            merged[key] = _merged(client, key, entry, private.get(client.name, ()), known, notes)
    return Differences(clients=tuple(merged.values()), changes=tuple(notes.changes), doubts=tuple(notes.doubts))


def _private_domains(imported: Imported, known: Known, notes: Notes) -> dict[str, tuple[str, ...]]:
    """By name of a new client, the mail domains of its contacts alone: whoever writes from there speaks for it."""
    users: dict[str, set[str]] = {}
    for entry in known.clients:
        listed = entry.raw.get("domains")
        for one in listed if isinstance(listed, list) else ():
            users.setdefault(str(one).lower(), set()).add(str(entry.raw.get("key")))
    new = [client for client in imported.clients if client.active and not known.entry(client)]
    for client in new:
        for contact in client.contacts:
            users.setdefault(contact.address.rpartition("@")[2], set()).add(client.name)
    found: dict[str, tuple[str, ...]] = {}
    for client in new:
        used = dict.fromkeys(contact.address.rpartition("@")[2] for contact in client.contacts)
        own = [one for one in used if one not in PROVIDERS and one not in known.ours]
        found[client.name] = tuple(one for one in own if len(users[one]) == 1)
        shared = [shown(one) for one in own if len(users[one]) > 1]
        if shared and not client.domains:
            text = f"another client uses {', '.join(shared)} too, so it is not taken for a domain of theirs"
            notes.doubts.append(f"row {client.row}: {shown(client.name)}: {text}; list it by hand if it is")
    return found


def _merged(
    client: SheetClient, key: str, entry: RawEntry | None, private: Sequence[str], known: Known, notes: Notes
) -> Merged:
    raw = copy.deepcopy(dict(entry.raw)) if entry else {}
    written = raw.get("domains")
    listed = [one for one in written if isinstance(one, str)] if isinstance(written, list) else []
    more = [one for one in client.domains if one not in {d.strip().lower() for d in listed}]
    wanted: dict[str, str | list[str]] = {
        "key": key,
        "name": client.name if client.key or not entry else "",  # matched by name, it is called so already
        "domains": [*listed, *(more or ([] if entry else private))],
        "timezone": client.timezone,
        "language": client.language,
        "liaison": _liaison(client, entry, known, notes),
        "tier": client.tier,
    }
    before = len(notes.changes)
    if not entry:
        domains = ", ".join(wanted["domains"])
        notes.changes.append(Change(client=key, what=What.NEW, detail=": ".join(filter(None, [client.name, domains]))))
    for name, value in wanted.items():
        if value and raw.get(name) != value:
            raw[name] = value
            if entry:
                said = ", ".join(value) if isinstance(value, list) else value
                notes.changes.append(Change(client=key, what=What.CLIENT, detail=f"{name} = {said}"))
    configured = raw.get("contact")
    configured = configured if isinstance(configured, list) else []
    contacts = ContactDifferences(client, key, configured, notes, remove=known.remove)
    if contacts.after:
        raw["contact"] = [contact for _, contact in contacts.after]
    else:
        raw.pop("contact", None)
    if all(change.what is What.KEPT for change in notes.changes[before:]):
        notes.changes.insert(before, Change(client=key, what=What.UNCHANGED))
    return Merged(
        key=key,
        row=client.row,
        entry=entry,
        raw=raw,
        origins=tuple(origin for origin, _ in contacts.after),
        comments=contacts.comments,
        rows={contact.address: contact.row for contact in client.contacts},
    )


def _liaison(client: SheetClient, entry: RawEntry | None, known: Known, notes: Notes) -> str:
    """The address of who signs: as the sheet says, else as configured, else as the user says, else the only one."""
    if client.liaison:
        if ADDRESS.fullmatch(client.liaison):
            return client.liaison.lower()
        for liaison in known.liaisons:
            if liaison.name.casefold() == client.liaison.casefold():
                return liaison.address
        text = f"no [[liaison]] is called {shown(client.liaison)}; write the address of one"
        notes.report.problem(notes.file, notes.columns.place(client.row, Field.LIAISON), text)
        return ""
    if entry:
        return ""
    if known.liaison:
        return known.liaison
    if len(known.liaisons) == 1:
        return known.liaisons[0].address
    names = " or ".join(liaison.address for liaison in known.liaisons)
    text = f"new clients need a liaison, and there are {len(known.liaisons)}; add --liaison {names}, or a column"
    notes.report.problem(notes.file, "", text)
    return ""
