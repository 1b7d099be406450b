"""What an MSP decides beforehand, as one value: who is told, when, how soon everything is due, and the caps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from mailflow.domain.vocabulary import Class, Live, Priority, Severity
from mailflow.domain.worktime import Deadlines, Within


class MonthlyReport(StrEnum):
    """Whose month is offered to the liaison as a letter."""

    OFF = "off"
    TROUBLE = "trouble"  # of the clients who had some
    ALWAYS = "always"


class Acknowledge(StrEnum):
    """Whether trouble of a class is acknowledged to the client without anybody being asked."""

    AUTO = "auto"
    REVIEW = "review"  # drafted, waits for SEND
    NEVER = "never"


# A security alert is never acknowledged automatically: it may be the attacker who reads the client's mail.
ACKNOWLEDGE = {
    Class.OUTAGE: Acknowledge.AUTO,
    Class.DEGRADED: Acknowledge.AUTO,
    Class.CLIENT: Acknowledge.REVIEW,
    Class.VENDOR: Acknowledge.REVIEW,
    Class.BACKUP: Acknowledge.NEVER,
    Class.WARNING: Acknowledge.NEVER,
    Class.SECURITY: Acknowledge.NEVER,
}
PRIORITY = {
    Severity.CRITICAL: Priority.P1,
    Severity.HIGH: Priority.P2,
    Severity.MEDIUM: Priority.P3,
    Severity.LOW: Priority.P4,
    Severity.INFO: Priority.P4,
}
HIGHEST_FIRST = tuple(Priority)


def priority_of(severity: Severity, *, critical: bool) -> Priority:
    """How bad it is for the client: what the monitor says, one step worse for what the client cannot do without
    (S4.8)."""
    priority = PRIORITY[severity]
    return HIGHEST_FIRST[max(HIGHEST_FIRST.index(priority) - critical, 0)]


DEBRIEF_WITHIN = {
    Priority.P1: Within(days=1),
    Priority.P2: Within(days=2),
    Priority.P3: Within(days=3),
    Priority.P4: Within(days=5),
}
ACKNOWLEDGE_WITHIN = {
    Priority.P1: Within(working=timedelta(hours=1)),
    Priority.P2: Within(working=timedelta(hours=2)),
    Priority.P3: Within(working=timedelta(hours=4)),
    Priority.P4: Within(working=timedelta(hours=8)),
}
UPDATE_WITHIN = Within(days=1)


@dataclass(frozen=True, kw_only=True)
class Caps:
    """How many letters that nobody approved may go to people who are not ours, before everything is held (loops)."""

    per_contact_and_incident: int = 1
    per_address_hour: int = 3
    answers_per_sender_2h: int = 20
    per_domain_hour: int = 20
    overall_hour: int = 200
    staff_hour: int = 60


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """One step of reminding of what a client was promised."""

    name: str  # its own word on the timeline
    after: timedelta  # its due time; before it, where negative
    to: str  # "liaison", "manager" or "administrator"


REMINDERS = (
    Reminder(name="soon", after=timedelta(hours=-2), to="liaison"),
    Reminder(name="due", after=timedelta(), to="liaison"),
    Reminder(name="late", after=timedelta(hours=4), to="manager"),
    Reminder(name="very late", after=timedelta(days=1), to="administrator"),
)


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What a debrief's form asks, by the catalogue's numbers, and what a debrief cannot do without."""

    asked: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    required: tuple[int, ...] = (1, 2)


@dataclass(frozen=True, kw_only=True)
class Tier:
    """What clients of a tier are promised beyond what all are, by priority."""

    acknowledge_within: Mapping[Priority, Within] = field(default_factory=dict)  # instead of everybody's
    debrief_within: Mapping[Priority, Within] = field(default_factory=dict)  # the same
    call_within: Mapping[Priority, Within] = field(default_factory=dict)  # they are called as well (S4.15)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Every default here is the shipped configuration's."""

    timezone: str = "UTC"
    language: str = "en"
    live: Live = Live.OFF
    acknowledge: Mapping[Class, Acknowledge] = field(default_factory=lambda: dict(ACKNOWLEDGE))
    settle: timedelta = timedelta(minutes=10)  # a blip that is over within it is told to nobody
    rest: timedelta = timedelta(minutes=3)  # a client letter waits so long, and STOP withdraws it
    stale_after: timedelta = timedelta(hours=12)  # an automatic letter older than this is held ("this morning")
    form_after: timedelta = timedelta(minutes=10)  # after service is back, the form goes to the liaison
    form_before_due: timedelta = timedelta(hours=4)  # or so long before the debrief is due
    reopen_within: timedelta = timedelta(hours=4)  # a new problem or client mail this soon after the end is the same
    storm_count: int = 3  # so many things of one family within storm_within are one incident; 1 is never
    storm_within: timedelta = timedelta(hours=1)
    helpdesk: str = ""  # where requests go that have nothing to do with trouble; empty: the liaison passes them on
    acknowledge_within: Mapping[Priority, Within] = field(default_factory=lambda: dict(ACKNOWLEDGE_WITHIN))
    debrief_within: Mapping[Priority, Within] = field(default_factory=lambda: dict(DEBRIEF_WITHIN))
    tiers: Mapping[str, Tier] = field(default_factory=dict)  # by name, in small letters
    review_within: Mapping[Priority, Within] = field(default_factory=dict)  # after the debrief; left out: no review
    day_ends: str = "17:00"  # "by Thursday" means by this local time on Thursday
    form: Questions = Questions()
    forms: Mapping[Priority, Questions] = field(default_factory=dict)  # instead of it, for these priorities
    two_approvals: frozenset[Priority] = frozenset()  # their letters need the SEND of two
    managed: frozenset[Priority] = frozenset()  # a manager is named for trouble of these (S4.23)
    reminders: tuple[Reminder, ...] = REMINDERS
    quiet: tuple[str, str] = ("21:00", "07:00")  # our own people's night: a reminder waits for its end; alike: none
    status_after: timedelta = timedelta(hours=4)  # a client in an outage who heard nothing for so long; 0: never asked
    untold_after: timedelta = timedelta(hours=1)  # an outage so old of which the client was told nothing; 0: never
    update_within: Within = UPDATE_WITHIN  # "we don't know yet": so long until the next word
    monthly_report: MonthlyReport = MonthlyReport.OFF
    caps: Caps = field(default_factory=Caps)
    footer: str = ""  # under every client letter, e.g. the firm's name and address (S0.12)

    def debriefs(self, tier: str) -> Deadlines:
        """When debriefs to clients of a tier are due."""
        return Deadlines(within={**self.debrief_within, **self.tier(tier).debrief_within}, day_ends=self.day_ends)

    def acknowledges(self, tier: str) -> Mapping[Priority, Within]:
        """How soon clients of a tier have the first word, where it waits for a person."""
        return {**self.acknowledge_within, **self.tier(tier).acknowledge_within}

    def tier(self, name: str) -> Tier:
        """What a tier is promised beyond; nothing where the policy does not know it."""
        return self.tiers.get(name.casefold(), Tier())

    def two_approve(self, priority: Priority) -> bool:
        """Whether a letter about trouble of this priority needs the SEND of two."""
        return priority in self.two_approvals

    def questions(self, priority: Priority) -> Questions:
        """What the form asks for trouble of this priority."""
        return self.forms.get(priority, self.form)
