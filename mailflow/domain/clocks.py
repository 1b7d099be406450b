"""The eight clocks of an incident and its stages, read from its own log (S4.1, S4.2).

Promises: every reading names the mail or the letter it comes from, where one exists; what the log does not tell is
absent, never guessed; nothing is earlier than the start of the trouble; nobody is told, and nothing is known or
handled, before the trouble was detected. What was over before we heard of it may be resolved before it was detected.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailflow.domain.form import BY_NAME, Fill
from mailflow.domain.incident import Affected, Entry, Incident, IncidentState, Told
from mailflow.domain.letters import LetterKind
from mailflow.domain.vocabulary import Priority

IMPACT_FIELD = BY_NAME["impact"].number

# Lines of the timeline, by what they say of the course.
AGAIN = {"trouble again", "reopened"}  # what was said of the end before does not count any more
FIXED = {"recovered", "resolved"}
BYPASSED = {"workaround", "failover"}  # service is back, the cause is not gone
ESCALATED = {"asked", "assigned"}
# A person of ours has taken it in hand.
HANDS = {
    *("answered", "answered client", "asked", "assigned", "action", "action done", "approved", "approved by one"),
    *("audience", "closed by hand", "extended", "no debrief", "note", "reopened", "resolved", "stopped"),
    *("workaround", "failover"),
}
BY_RULE = "mailflow"  # the author of what no person decided


class Clock(StrEnum):
    """When what happened (S4.1)."""

    DETECTED = "detected"  # the first mail about it came in
    INFORMED = "clients_informed"  # the last of the clients who hear of it had its first letter
    EXTENT = "extent_known"  # its last client was added; else, when it was opened. While a storm is on: not known
    IMPACT = "impact_known"  # a client said what it means to them, or the liaison's form first said what was impacted
    HANDLING = "handling_started"  # one of ours first did something about it
    WORKAROUND = "workaround"  # service came back, the cause was not gone
    RESOLVED = "resolved"  # it was over
    TOLD = "clients_told"  # the last of those clients had its debrief: resolution and cause


class Stage(StrEnum):
    """The stages that an incident goes through (S4.2)."""

    DETECT = "detect"
    RECORD = "record"
    CLASSIFY = "classify"  # its class and priority became what they are
    NOTIFY = "notify"  # the first letter about it left, to one of ours or of theirs
    ESCALATE = "escalate"  # it was handed to another of ours, or a colleague was asked
    INVESTIGATE = "investigate"
    RESTORE = "restore"  # service was back, by whatever means


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a clock shows, and the mail or letter that says so."""

    at: datetime
    why: str
    inbound_id: int | None = None
    letter_id: int | None = None


def clocks(
    incident: Incident,
    affected: Sequence[Affected],
    timeline: Sequence[Entry],
    told: Iterable[Told],
    fills: Mapping[int, Fill],
    received: Mapping[int, datetime],
) -> dict[Clock, Reading]:
    """The clocks that can be known, for these of the incident's clients.

    `fills`: by affected client, the first answer to what was impacted. `received`: when inbound mails came in.
    """
    log = _Log(incident=incident, entries=tuple(timeline), received=received)
    theirs = {a.id for a in affected}
    letters = [t for t in told if t.affected_id in theirs]
    back = log.back()
    read = {
        Clock.DETECTED: log.detected(),
        Clock.INFORMED: log.informed(letters),
        Clock.EXTENT: log.extent(affected),
        Clock.IMPACT: log.impact(affected, fills),
        Clock.HANDLING: log.handling(),
        Clock.WORKAROUND: back.get(Clock.WORKAROUND),
        Clock.RESOLVED: back.get(Clock.RESOLVED),
        Clock.TOLD: log.told_of_cause(affected, letters),
    }
    return {clock: reading for clock, reading in read.items() if reading}


def stages(
    incident: Incident, timeline: Sequence[Entry], read: Mapping[Clock, Reading], received: Mapping[int, datetime]
) -> dict[Stage, Reading]:
    """The stages that can be known, with their times; `read` are the incident's clocks."""
    log = _Log(incident=incident, entries=tuple(timeline), received=received)
    classified = [e for e in log.entries if e.what == "reclassified"]
    letters = [e for e in log.entries if e.what.endswith(" sent") and e.letter_id is not None]
    handed = [e for e in log.entries if e.what in ESCALATED]
    restored = [read[c] for c in (Clock.WORKAROUND, Clock.RESOLVED) if c in read]
    found = {
        Stage.DETECT: read.get(Clock.DETECTED),
        Stage.RECORD: log.known(log.opening),
        Stage.CLASSIFY: log.known(classified[-1] if classified else log.opening),
        Stage.NOTIFY: log.known(_first(letters)),
        Stage.ESCALATE: log.known(_first(handed)),
        Stage.INVESTIGATE: read.get(Clock.HANDLING),
        Stage.RESTORE: min(restored, key=_at) if restored else None,
    }
    return {stage: reading for stage, reading in found.items() if reading}


@dataclass(frozen=True, kw_only=True)
class _Log:
    """An incident's timeline, to be asked."""

    incident: Incident
    entries: tuple[Entry, ...]
    received: Mapping[int, datetime]

    @property
    def opening(self) -> Entry | None:
        """The line that opened it; of merged incidents the first. One that was split off has none of its own."""
        return _first(e for e in self.entries if e.what == "opened")

    def detected(self) -> Reading | None:
        opening = self.opening
        return self._reading(opening, max(self._heard(opening), self.incident.started_at)) if opening else None

    def known(self, entry: Entry | None) -> Reading | None:
        """A line as a reading: what came in before the trouble was detected was known when it was."""
        return self._reading(entry, max(entry.at, self._floor())) if entry else None

    def informed(self, told: Sequence[Told]) -> Reading | None:
        firsts = [_earliest(t for t in told if t.affected_id == one) for one in {t.affected_id for t in told}]
        return self._letter(max(firsts, key=_at)) if firsts else None

    def told_of_cause(self, affected: Sequence[Affected], told: Sequence[Told]) -> Reading | None:
        since = self._since()
        debriefs: list[Told] = []
        for one in affected:
            theirs = [t for t in told if t.affected_id == one.id]
            told_now = [t for t in theirs if t.kind == LetterKind.DEBRIEF and (since is None or t.at >= since)]
            if told_now:
                debriefs.append(_earliest(told_now))
            elif theirs and one.settled_at is None:
                return None  # a client who knows of the trouble is still owed its end
        return self._letter(max(debriefs, key=_at)) if debriefs else None

    def extent(self, affected: Sequence[Affected]) -> Reading | None:
        opening = self.opening
        many = not self.incident.scope.startswith("client:") or len(affected) > 1
        if many and self.incident.state is IncidentState.OPEN:
            return None  # it may still grow
        if not many:
            apart = [e for e in self.entries if e.what == "split"]
            return self.known(opening or _first(apart))
        adding = [e for e in self._until_closed() if e.what in {"opened", "storm", "merged"}]
        return self.known(max([*adding, *self._added(affected)], key=_at, default=opening))

    def impact(self, affected: Sequence[Affected], fills: Mapping[int, Fill]) -> Reading | None:
        said: list[Entry] = []
        for one in affected:
            if one.reporter and one.reported_at:
                said += [e for e in self.entries if e.what in {"client wrote", "opened"} and e.at == one.reported_at]
            if fill := fills.get(one.id):
                mark = f"[{IMPACT_FIELD}]"
                said += [e for e in self.entries if e.what == "answered" and e.at == fill.at and mark in e.text]
        first = min(said, key=self._heard, default=None)
        return self._reading(first, max(self._heard(first), self._floor())) if first else None

    def handling(self) -> Reading | None:
        opening = self.opening
        opened_by = opening.inbound_id if opening else None
        return self.known(
            _first(e for e in self.entries if _by_hand(e) and (opened_by is None or e.inbound_id != opened_by))
        )

    def back(self) -> dict[Clock, Reading]:
        """How service came back: by a workaround, by the end of the trouble, or first the one and then the other."""
        ended = self.incident.ended_at
        if ended is None:
            return {}
        since = self._since()
        course = [e for e in self._until_closed() if since is None or e.at >= since]
        bypassed = [e for e in course if e.what in BYPASSED]
        fixed = [e for e in course if e.what in FIXED]
        if not bypassed:
            said = _first(e for e in fixed if e.at == ended) or (fixed[-1] if fixed else None)
            over = self._after_start(ended)
            return {Clock.RESOLVED: self._reading(said, over) if said else Reading(at=over, why="as recorded")}
        # "The last word about the end counts": an end named later than the workaround is the end of the trouble itself.
        around = min(bypassed[0].at, ended)
        found = {Clock.WORKAROUND: self._reading(bypassed[0], self._after_start(around))}
        later = [e for e in fixed if course.index(e) > course.index(bypassed[-1])]
        if later:
            last = later[-1]
            over = ended if last.what == "resolved" and last.text else last.at
            found[Clock.RESOLVED] = self._reading(last, self._after_start(max(over, around)))
        return found

    def _added(self, affected: Sequence[Affected]) -> list[Entry]:
        """The alerts that brought clients into a storm which was on already: each the first since its trouble began."""
        alerts = [e for e in self._until_closed() if e.what in {"alert", "storm", "trouble again"}]
        found: list[Entry] = []
        for start in sorted(a.started_at for a in affected if a.started_at):
            brought = next((e for e in alerts if e.at >= start), None)
            if brought:
                alerts.remove(brought)
                found.append(brought)
        return found

    def _until_closed(self) -> list[Entry]:
        closed = self.incident.closed_at
        return [e for e in self.entries if closed is None or e.at <= closed]

    def _since(self) -> datetime | None:
        return max((e.at for e in self.entries if e.what in AGAIN), default=None)

    def _heard(self, entry: Entry) -> datetime:
        """When its mail came in, which may be before we read it."""
        came = self.received.get(entry.inbound_id) if entry.inbound_id is not None else None
        return min(came, entry.at) if came else entry.at

    def _floor(self) -> datetime:
        detected = self.detected()
        return detected.at if detected else self.incident.started_at

    def _after_start(self, at: datetime) -> datetime:
        return max(at, self.incident.started_at)

    def _letter(self, told: Told) -> Reading:
        who = {told.name, told.address} - {""}
        sent = _first(e for e in self.entries if e.what == f"{told.kind} sent" and e.at == told.at and e.author in who)
        return Reading(
            at=max(told.at, self._floor()),
            why=f"{told.kind} sent, {told.name or told.address}",
            letter_id=sent.letter_id if sent else None,
        )

    def _reading(self, entry: Entry, at: datetime) -> Reading:
        return Reading(
            at=at, why=f"{entry.what}, {entry.author}", inbound_id=entry.inbound_id, letter_id=entry.letter_id
        )


def _by_hand(entry: Entry) -> bool:
    if entry.what == "reclassified":  # a monitor says severities, a person priorities
        return entry.text.partition(" ")[0] in set(Priority)
    return entry.what in HANDS or (entry.what in {"merged", "split"} and entry.author != BY_RULE)


def _at(one: Entry | Told | Reading) -> datetime:
    return one.at


def _first(entries: Iterable[Entry]) -> Entry | None:
    return min(entries, key=_at, default=None)


def _earliest(told: Iterable[Told]) -> Told:
    return min(told, key=_at)
