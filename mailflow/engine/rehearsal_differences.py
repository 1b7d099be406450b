"""Two rehearsals of the same mails, held against each other: the mails over which they decide otherwise, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailflow.engine.rehearsal_findings import Judged, Written
from mailflow.engine.rehearsal_reasons import done
from mailflow.engine.rehearsal_report import Report

# Where no reason is new.
LETTERS_ONLY = "It is decided alike, and what the client is sent, or when, is not the same."


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """What comes of a mail: a decision, or a letter to a client; equal where the same comes of it."""

    said: str
    why: str
    about: int = -1  # which mail opened the incident: references may differ where nothing else does


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A mail of which something else would come."""

    mail: Judged  # as the first rehearsal has it
    before: tuple[str, ...]
    now: tuple[str, ...]
    why: tuple[str, ...]  # the reasons that are new
    why_before: tuple[str, ...]


def differences(before: Report, now: Report) -> tuple[Difference, ...]:
    """The mails over which two configurations decide otherwise; both played the same mails."""
    found = []
    pairs = zip(before.judged, _consequences(before), _consequences(now), strict=True)
    for mail, was, is_ in pairs:
        if was == is_:
            continue
        gone = [c for c in was if c not in is_]
        new = [c for c in is_ if c not in was]
        found.append(
            Difference(
                mail=mail,
                before=tuple(c.said for c in gone),
                now=tuple(c.said for c in new),
                why=_sentences(new) or (LETTERS_ONLY,),
                why_before=_sentences(gone),
            )
        )
    return tuple(found)


def _sentences(consequences: Sequence[Consequence]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c.why for c in consequences if c.why))


def _consequences(report: Report) -> list[tuple[Consequence, ...]]:
    """For each mail what was decided, and which letters to clients came of the incidents that it opened."""
    openers: dict[str, int] = {}  # reference -> place of the mail that opened it
    letters: dict[str, list[Written]] = {}
    named = {client.key: client.name for client in report.clients}
    for client in report.clients:
        for letter in client.to_client:
            letters.setdefault(letter.incident, []).append(letter)
    result = []
    for place, mail in enumerate(report.judged):
        consequences = [
            Consequence(
                said=done(ruling.action) + (f" ({_names(mail, named)})" if ruling.incident and mail.clients else ""),
                why=ruling.why,
                about=openers.setdefault(ruling.incident, place) if ruling.incident else -1,
            )
            for ruling in mail.decisions
        ] or [Consequence(said=mail.verdict, why=mail.why)]
        mine = {r.incident for r in mail.decisions if r.incident and openers[r.incident] == place}
        consequences += [
            Consequence(said=f"{letter.kind} to {letter.address} {_fate(letter, letter.at)}", why=letter.why)
            for reference in sorted(mine)
            for letter in letters.pop(reference, ())
        ]
        result.append(tuple(consequences))
    return result


def _names(mail: Judged, named: dict[str, str]) -> str:
    return ", ".join(named.get(key, key) for key in mail.clients)


def _fate(letter: Written, at: datetime) -> str:
    """What becomes of a letter, to the minute."""
    return f"sent at {at:%Y-%m-%d %H:%M} UTC" if letter.sent else letter.state
