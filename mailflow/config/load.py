"""Loads a configuration: finds the file, reads it with all that it includes, and gives it to the domain.

Calendar files are read here too, and their events written out around the present.

Either everything is right, or one ConfigurationError tells all that is wrong at once; nothing is ever half loaded.
So a running service can load anew and keep the old configuration if this raises.
"""

import os.path
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from mailflow.config.calendar import ClientMaintenanceEntry, MaintenanceEntry, expected, planned
from mailflow.config.checks import check, machines_mean_one_client
from mailflow.config.draft import Draft, Read
from mailflow.config.holidays import HolidaysEntry, holidays_of, removed_in_vain
from mailflow.config.ical import read_ical_file
from mailflow.config.mailbox import MailboxEntry
from mailflow.config.model import (
    ClientEntry,
    ColleagueEntry,
    Criticality,
    LiaisonEntry,
    ManagerEntry,
    ServiceSection,
    Settings,
    StoreSection,
)
from mailflow.config.notation import shown
from mailflow.config.policy import DEFAULTS, PolicySection
from mailflow.config.report import ConfigurationError, Report
from mailflow.config.secrets import SecretError, secret
from mailflow.config.source import Source, read
from mailflow.config.table import Table
from mailflow.config.wording import validate
from mailflow.domain.expected import Expected
from mailflow.domain.hours import ALWAYS
from mailflow.domain.maintenance import Recurring, Window
from mailflow.domain.people import Client, Component, Contact, Directory, Role, Staff
from mailflow.domain.policy import Caps, Policy

__all__ = ["ConfigurationError", "Loaded", "SecretError", "directory", "find_config", "load", "policy", "secret"]

LOOKED_FOR = (Path("config.toml"), Path("/etc/mailflow/config.toml"))  # where nothing else is said
DATABASE = "mailflow.db"

T = TypeVar("T", bound=Table)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A configuration that can be used."""

    settings: Settings
    directory: Directory
    policy: Policy
    windows: tuple[Window | Recurring, ...]  # planned work
    expected: tuple[Expected, ...]  # mails that must come
    base: Path  # the configuration file's folder, absolute: relative paths start here
    files: tuple[Path, ...]  # the configuration file and all that it includes
    warnings: tuple[str, ...]  # told like problems, but nothing is refused for them

    def path(self, written: str) -> Path:
        """A path as written in the configuration."""
        return self.base / written

    @property
    def data_dir(self) -> Path:
        """The data folder; it may not exist yet."""
        return self.path(self.settings.service.data_dir)

    @property
    def database_url(self) -> str:
        """Where the records lie: `sqlite:///` with an absolute path, or `postgresql://…`."""
        url = self.settings.store.url
        if url and url.startswith("postgresql:"):
            return url
        return f"sqlite:///{self.path(url.removeprefix('sqlite:///')) if url else self.data_dir / DATABASE}"

    @property
    def templates(self) -> Path | None:
        """The MSP's own folder of templates, laid over the shipped one."""
        return self._own(self.settings.service.templates)

    @property
    def recipes(self) -> Path | None:
        """The MSP's own folder of recipes, laid over the shipped ones."""
        return self._own(self.settings.service.recipes)

    @property
    def administrator(self) -> str:
        """The address that pages go to: the one named, else the first manager's, else the first liaison's."""
        people = (*self.settings.managers, *self.settings.liaisons)
        return self.settings.service.administrator or people[0].address

    def _own(self, written: str | None) -> Path | None:
        return None if written is None else self.path(written)


def find_config(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration file to use: --config, else $MAILFLOW_CONFIG, else ./config.toml, else the one in /etc.

    A file that was named must be there: another one in its place would be a surprise.
    """
    named = [("--config", explicit)] if explicit else []
    if not named and environ.get("MAILFLOW_CONFIG"):
        named = [("$MAILFLOW_CONFIG", Path(environ["MAILFLOW_CONFIG"]))]
    for how, path in named:
        if path is not None and os.path.isfile(path):
            return path
        is_folder = path is not None and os.path.isdir(path)
        what = "it is a folder; name the file in it" if is_folder else "there is no such file; correct the name"
        raise ConfigurationError((f"{path}: named by {how}, but {what}",))
    for path in LOOKED_FOR:
        if os.path.isfile(path):
            return path
    places = "--config, $MAILFLOW_CONFIG, " + ", ".join(str(path.absolute()) for path in LOOKED_FOR)
    raise ConfigurationError((f"no configuration found; looked at {places}; write one, or name it with --config",))


def load(path: Path, environ: Mapping[str, str], now: datetime | None = None) -> Loaded:
    """Load the configuration in `path`; ConfigurationError with every problem where there is any.

    Calendar files and holidays are written out around `now`; left out, it is the present time.
    """
    now = now or datetime.now(UTC)
    report = Report()
    source = read(path, report)
    base = path.parent.absolute()
    service = _one(ServiceSection, "service", source, report)
    store = _one(StoreSection, "store", source, report)
    rules = _one(PolicySection, "policy", source, report)
    draft = Draft(
        source=source,
        base=base,
        environ=environ,
        service=service,
        store=store,
        mailboxes=_each(MailboxEntry, "mailbox", source, report),
        liaisons=_each(LiaisonEntry, "liaison", source, report),
        managers=_each(ManagerEntry, "manager", source, report),
        colleagues=_each(ColleagueEntry, "colleague", source, report),
        clients=_each(ClientEntry, "client", source, report),
        maintenance=_each(MaintenanceEntry, "maintenance", source, report),
    )
    check(draft, report)
    _look_at_holidays(draft, report, now.year)
    windows = tuple(_windows(draft, report, now))
    if report.problems or service is None:
        raise ConfigurationError(report.problems)
    settings = Settings(
        service=service.value,
        mailboxes=tuple(read.value for read in draft.mailboxes),
        store=store.value if store else StoreSection(),
        policy=rules.value if rules else PolicySection(),
        liaisons=tuple(read.value for read in draft.liaisons),
        managers=tuple(read.value for read in draft.managers),
        colleagues=tuple(read.value for read in draft.colleagues),
        clients=tuple(read.value for read in draft.clients),
        maintenance=tuple(read.value for read in draft.maintenance),
    )
    everybody = directory(settings, now)
    machines_mean_one_client(draft, everybody, report)
    return Loaded(
        settings=settings,
        directory=everybody,
        policy=policy(settings),
        windows=windows,
        expected=tuple(
            expected(entry, client.key, client.timezone or service.value.timezone)
            for client in settings.clients
            for entry in client.expected
        ),
        base=base,
        files=source.files,
        warnings=report.warnings,
    )


def directory(settings: Settings, now: datetime | None = None) -> Directory:
    """Everybody whom the configuration names, as the domain knows them; with holidays around `now`, the present."""
    service, year = settings.service, (now or datetime.now(UTC)).year
    liaisons = [
        Staff(
            role=Role.LIAISON,
            name=one.name,
            address=one.address,
            title=one.title,
            phone=one.phone,
            deputy=one.deputy or "",
            timezone=one.timezone or service.timezone,
            language=one.language or service.language,
            date_order=_order(one.date_order, service),
        )
        for one in settings.liaisons
    ]
    managers = [
        Staff(
            role=Role.MANAGER,
            name=one.name,
            address=one.address,
            timezone=one.timezone or service.timezone,
            language=service.language,
            date_order=_order(one.date_order, service),
            digest_time=one.digest_time,
        )
        for one in settings.managers
    ]
    colleagues = [
        Staff(
            role=Role.COLLEAGUE,
            name=one.name,
            address=one.address,
            timezone=service.timezone,
            language=service.language,
            date_order=service.date_order,
        )
        for one in settings.colleagues
    ]
    clients = tuple(_client(one, service, year) for one in settings.clients)
    return Directory(staff=(*liaisons, *managers, *colleagues), clients=clients)


def policy(settings: Settings) -> Policy:
    """What the MSP decided beforehand, as the domain knows it."""
    rules, service = settings.policy, settings.service
    return Policy(
        timezone=service.timezone,
        language=service.language,
        live=service.live,
        acknowledge={**DEFAULTS.acknowledge, **rules.acknowledge},
        settle=rules.settle,
        rest=rules.rest,
        stale_after=rules.stale_after,
        form_after=rules.form_after,
        form_before_due=rules.form_before_due,
        reopen_within=rules.reopen_within,
        storm_count=rules.storm_count,
        storm_within=rules.storm_within,
        helpdesk=rules.helpdesk or "",
        acknowledge_within={**DEFAULTS.acknowledge_within, **rules.acknowledge_within},
        debrief_within=rules.debriefs,
        tiers=rules.tiers,
        review_within=rules.review_within,
        day_ends=rules.day_ends,
        form=rules.questions,
        forms=rules.forms,
        two_approvals=frozenset(rules.two_approvals),
        managed=frozenset(rules.managed),
        update_within=rules.update_within,
        reminders=rules.reminders,
        quiet=rules.quiet,
        status_after=rules.status_after,
        untold_after=rules.untold_after,
        monthly_report=rules.monthly_report,
        caps=Caps(**rules.caps.model_dump()),
        footer=service.footer,
    )


def _order(written: str | None, service: ServiceSection) -> str:
    """A person's own order of dates, "" too; left out, the service's."""
    return service.date_order if written is None else written


def _client(one: ClientEntry, service: ServiceSection, year: int) -> Client:
    contacts = (
        Contact(name=c.name, first_name=c.first_name, address=c.address, role=c.role, wants=c.wants)
        for c in one.contact
    )
    components = (
        Component(
            name=c.name,
            plain=c.plain,
            hosts=c.hosts,
            critical=c.criticality is Criticality.CRITICAL,
            vendor=c.vendor,
        )
        for c in one.component
    )
    return Client(
        key=one.key,
        name=one.name,
        domains=one.domains,
        timezone=one.timezone or service.timezone,
        language=one.language or service.language,
        liaison=one.liaison,
        live=one.live or service.live,
        contacts=tuple(contacts),
        components=tuple(components),
        aliases=one.aliases,
        addresses=one.addresses,
        hosts=one.hosts,
        hours=one.hours,
        holidays=holidays_of(one.holidays, _everybodys(one, service), year),
        tier=one.tier,
    )


def _everybodys(one: ClientEntry, service: ServiceSection) -> HolidaysEntry | None:
    """The service's holidays, where a client has them: whoever always works has none but those of its own."""
    return None if one.hours == ALWAYS else service.holidays


def _look_at_holidays(draft: Draft, report: Report, year: int) -> None:
    """A day that is taken out of the holidays, and is none, was meant to be another one."""
    service = draft.service.value.holidays if draft.service else None
    everybodys = [(draft.service.entry, service)] if draft.service else []
    for entry, own in (*everybodys, *((client.entry, client.value.holidays) for client in draft.clients)):
        for gone in removed_in_vain(own, service, year) if own else ():
            text = f"`{gone}` is no holiday there; correct it, or leave it out"
            report.warning(entry.file, entry.path("holidays", "remove"), text)


def _windows(draft: Draft, report: Report, now: datetime) -> Iterator[Window | Recurring]:
    """All planned work, in the time of the client that it is at, or of the service where it is at every client."""
    service = draft.service.value.timezone if draft.service else "UTC"
    zones = {read.value.key: read.value.timezone or service for read in draft.clients}
    for entry, key, file, path in _work(draft):
        zone = zones.get(key, service)
        if entry.ical is None:
            if window := planned(entry, key, zone, f"{file}: {path}"):
                yield window
            continue
        try:
            calendar = read_ical_file(draft.base / entry.ical, entry.ical, zone, key, entry.things, now)
        except ValueError as error:
            report.problem(file, f"{path}.ical", f"{shown(entry.ical)}: {error}")
            continue
        for fault in calendar.faults:
            report.warning(file, f"{path}.ical", f"{shown(entry.ical)}: {fault}")
        yield from (replace(window, why=window.why or entry.why) for window in calendar.windows)


def _work(draft: Draft) -> Iterator[tuple[ClientMaintenanceEntry, str, str, str]]:
    """Each entry of planned work with its client's key, "" for every one, its file and its path."""
    for client in draft.clients:
        for path, entry in client.placed("maintenance", client.value.maintenance):
            yield entry, client.value.key, client.entry.file, path
    for one in draft.maintenance:
        yield one.value, one.value.client or "", one.entry.file, one.entry.path()


def _one(model: type[T], section: str, source: Source, report: Report) -> Read[T] | None:
    """The section that may stand once."""
    return next(iter(_each(model, section, source, report)), None)


def _each(model: type[T], section: str, source: Source, report: Report) -> tuple[Read[T], ...]:
    """The entries of a repeated section that could be read."""
    pairs = ((entry, validate(model, entry, report)) for entry in source.of(section))
    return tuple(Read(entry=entry, value=value) for entry, value in pairs if value is not None)
