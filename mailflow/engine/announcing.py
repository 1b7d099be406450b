"""Planned work that a liaison announces by mail, and calls off again.

What was understood is said back in full, and counts; what was not is answered with what was wrong and how to write it,
and nothing counts. A mail announces one window, so that a mail decided twice announces nothing new.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from mailflow.domain.announcement import Announcement, parse_window
from mailflow.domain.decisions import Announce, CallOff
from mailflow.domain.letters import JSON, LetterKind
from mailflow.domain.maintenance import Window, spelt_like
from mailflow.domain.people import Client, Staff, fits, folded, short
from mailflow.domain.time_words import Doubt, Unclear
from mailflow.engine.case import names_of
from mailflow.engine.mailroom import Inbound
from mailflow.engine.post import Post, address_of
from mailflow.engine.setup import Setup
from mailflow.engine.signals import MAINTENANCE
from mailflow.engine.store import Store
from mailflow.writing.words import Times

QUOTED = 200  # characters of her own words in an answer
MANY = 12  # so many names are listed in a mail; more are known by the configuration


@dataclass(frozen=True, kw_only=True)
class _Understood:
    """Planned work, and what is to be said of it besides."""

    window: Window
    client: Client | None  # None: every client
    unnamed: tuple[str, ...]  # things that no component is called by


class Announcing:
    """The use cases of planned work by mail."""

    def __init__(self, store: Store, setup: Setup, post: Post) -> None:
        self._store, self._setup, self._post = store, setup, post

    def record(self, decision: Announce | CallOff, inbound: Inbound, now: datetime) -> None:
        """Carry one out, and answer it."""
        if isinstance(decision, Announce):
            self._announce(decision, inbound, now)
        else:
            self._call_off(decision, inbound, now)

    def _announce(self, decision: Announce, inbound: Inbound, now: datetime) -> None:
        staff = decision.staff
        line, _, more = decision.text.partition("\n")
        found = self._understood(line, staff, inbound, now)
        if isinstance(found, _Understood):
            window = found.window
            window_id = self._store.windows.put(window, staff.address, inbound.id, now)
            said = self._said(window, found.client, staff, now)
            name = "maintenance_why" if window.why else "maintenance"
            lines: list[JSON] = [[name, {**said, "why": window.why}], *self._besides(found, staff, now)]
            lines.append(["maintenance_then", {}])
            headline: JSON = ["maintenance", {"what": said["what"]}]
        else:
            window_id, headline = None, ["not_understood", {}]
            lines = [found, ["maintenance_how", {"client": self._some_key()}]]
        if more:
            lines.append(["maintenance_more", {"said": more.replace("\n", "; ")[:QUOTED]}])
        self._answer(headline, lines, staff, inbound, now, key=f"announced:{inbound.id}", window_id=window_id)

    def _understood(self, line: str, staff: Staff, inbound: Inbound, now: datetime) -> _Understood | list[JSON]:
        """The planned work; else the sentence that says what was wrong."""
        words = self._setup.writer.words(staff.language)
        names = names_of(words)
        # As seen when the mail came: "now for 2 hours" does not begin later because we stood still.
        read = parse_window(
            line,
            inbound.received_at,
            staff.timezone,
            names.days,
            names.months,
            names.phrases,
            self._is_whole_name,
            order=staff.date_order,
        )
        if read is None:
            return ["maintenance_no_line", {"said": line[:QUOTED]}]
        if isinstance(read, Unclear):
            return [f"unclear_{read.reason}", {"said": read.text}]
        if read.ends <= now:
            return [f"unclear_{Doubt.PAST}", {"said": line[:QUOTED]}]
        if not read.client:
            unnamed = tuple(t for t in read.things if not any(_called(c, t) for c in self._setup.directory.clients))
            return _Understood(window=_window(read, None, read.things), client=None, unnamed=unnamed)
        clients = self._setup.directory.clients_named(read.client)
        if len(clients) != 1:
            keys = [c.key for c in clients or self._setup.directory.clients]
            name = "maintenance_two_clients" if clients else "maintenance_no_client"
            return [name, {"word": read.client[:QUOTED], "keys": _listed(sorted(keys))}]
        (client,) = clients
        called = {thing: _called(client, thing) for thing in read.things}
        return _Understood(
            window=_window(read, client, tuple(name or thing for thing, name in called.items())),
            client=client,
            unnamed=tuple(thing for thing, name in called.items() if not name),
        )

    def _besides(self, found: _Understood, staff: Staff, now: datetime) -> list[JSON]:
        """What she may not have meant: things that nobody knows, and hours that are others at the client."""
        lines: list[JSON] = []
        client, begins = found.client, found.window.begins
        if found.unnamed:
            components = [c.name for c in client.components] if client else []
            name = "maintenance_unnamed" if components else "maintenance_unnamed_bare"
            values: dict[str, JSON] = {"things": ", ".join(found.unnamed)[:QUOTED], "components": _listed(components)}
            lines.append([name, {**values, "client": client.name if client else ""}])
        if client and _offset(begins, client.timezone) != _offset(begins, staff.timezone):
            theirs = self._spoken(begins, client.timezone, staff, now)
            lines.append(["maintenance_zone", {"zone": staff.timezone, "client": client.name, "theirs": theirs}])
        return lines

    def _call_off(self, decision: CallOff, inbound: Inbound, now: datetime) -> None:
        staff, number = decision.staff, decision.window_id
        window = self._store.windows.cancel(number, now) if number is not None else None
        if window is None:
            headline: JSON = ["not_done", {}]
            line: JSON = ["cancel_which" if number is None else "cancel_over", {}]
        else:
            self._store.waiting.hasten(MAINTENANCE, window.ends, now)
            client = self._setup.directory.client(window.client) if window.client else None
            said = self._said(window, client, staff, now)
            headline = ["called_off", {"what": said["what"]}]
            line = ["called_off" if window.begins > now else "called_off_begun", said]
        self._answer(headline, [line], staff, inbound, now, key=f"called-off:{inbound.id}", window_id=None)

    def _answer(
        self,
        headline: JSON,
        lines: list[JSON],
        staff: Staff,
        inbound: Inbound,
        now: datetime,
        *,
        key: str,
        window_id: int | None,
    ) -> None:
        facts: dict[str, JSON] = {"headline": headline, "lines": lines, "text": "", "about": None, "window": window_id}
        mailbox = inbound.mailbox
        self._post.to_staff(LetterKind.NOTICE, address_of(staff), facts, key=key, now=now, mailbox=mailbox)

    # --- as it is said ---

    def _said(self, window: Window, client: Client | None, staff: Staff, now: datetime) -> dict[str, JSON]:
        """ "Northwind, file server", "Saturday 28 November 22:00", "Sunday 29 November 2:00"."""
        words = self._setup.writer.words(staff.language)
        whose = client.name if client else window.client or self._everyone(staff)
        things = ", ".join(window.things) or words.phrase("line.maintenance_everything")
        begins, ends = (self._spoken(m, staff.timezone, staff, now) for m in (window.begins, window.ends))
        return {"what": f"{whose}, {things}", "begins": begins, "ends": ends}

    def _spoken(self, moment: datetime, timezone: str, staff: Staff, now: datetime) -> str:
        words = self._setup.writer.words(staff.language)
        return Times.in_zone(words, timezone, now).full(moment)

    def _everyone(self, staff: Staff) -> str:
        return self._setup.writer.words(staff.language).phrase("line.maintenance_everyone")

    # --- names ---

    def _is_whole_name(self, name: str) -> bool:
        """Whether a client is called exactly so; a name within a path is none here."""
        clients = self._setup.directory.clients_named(name)
        return any(folded([name]) <= folded(client.names) for client in clients)

    def _some_key(self) -> str:
        """A client's key, to show how it is written."""
        return next((client.key for client in self._setup.directory.clients), "all")


def _window(read: Announcement, client: Client | None, things: tuple[str, ...]) -> Window:
    key = client.key if client else ""
    return Window(client=key, things=things, begins=read.begins, ends=read.ends, why=read.why)


def _called(client: Client, thing: str) -> str:
    """A thing as alerts may spell it; empty where nothing of the client's is called so."""
    for component in client.components:
        if component.spelt(thing) or spelt_like((thing,), (component.name, *component.hosts)):
            return thing
    if client.component_for(thing):  # by the machine's own name, without its domain
        return short(thing)
    plain = folded([thing])
    for component in client.components:
        if plain <= folded([component.plain, component.plain.partition(" ")[2]]):  # "your file server", "file server"
            return component.name
    known = any(fits(pattern, thing) for pattern in client.hosts) or spelt_like((thing,), client.hosts)
    return thing if known else ""


def _listed(names: list[str]) -> str:
    return ", ".join(names[:MANY]) + (", …" if len(names) > MANY else "")


def _offset(moment: datetime, timezone: str) -> object:
    return moment.astimezone(ZoneInfo(timezone)).utcoffset()
