"""What a rehearsal shows: what would have been opened, sent, left alone and held, client by client, and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from mailflow.domain.letters import LetterKind
from mailflow.domain.vocabulary import Live
from mailflow.engine.rehearsal_findings import OF_LIFE, SET_ASIDE, WITHHELD, Findings, Judged, Opened, Written
from mailflow.engine.rehearsal_reasons import sentence
from mailflow.engine.rehearse import Played
from mailflow.engine.setup import Setup
from mailflow.engine.store import Store

EXAMPLES = 5  # of mails left alone for one reason
UNPLACED = {"Show", "Refuse", "Confirm"}  # decisions after which a person has to look


@dataclass(frozen=True, kw_only=True)
class Spared:
    """Mails that were left alone for one reason."""

    why: str
    reason: str
    count: int
    examples: tuple[Judged, ...]  # the first few


@dataclass(frozen=True, kw_only=True)
class OneClient:
    """All that concerns one client."""

    key: str
    name: str
    incidents: tuple[Opened, ...]
    letters: tuple[Written, ...]
    left_alone: tuple[Spared, ...]

    @property
    def to_client(self) -> tuple[Written, ...]:
        """What the client would have been sent."""
        return tuple(letter for letter in self.letters if letter.to_client)

    @property
    def sent(self) -> int:
        """How many of these would have reached the client."""
        return sum(letter.sent and letter.reason != WITHHELD for letter in self.to_client)

    @property
    def forwards(self) -> tuple[Written, ...]:
        """The client's own mails, shown to the liaison."""
        return tuple(letter for letter in self.letters if letter.kind == LetterKind.FORWARD)

    @property
    def to_staff(self) -> tuple[Written, ...]:
        """What else our own people would have been sent about it."""
        return tuple(x for x in self.letters if not x.to_client and x.kind != LetterKind.FORWARD)


@dataclass(frozen=True, kw_only=True)
class Excess:
    """Something that would have been too much."""

    why: str
    reason: str
    count: int
    first: datetime


@dataclass(frozen=True, kw_only=True)
class Report:
    """One configuration's rehearsal."""

    live: Live
    mails: int
    first: datetime | None
    last: datetime | None
    verdicts: Mapping[str, int]
    clients: tuple[OneClient, ...]  # those that anything concerns, as the configuration orders them
    unplaced: tuple[Judged, ...]
    left_alone: tuple[Spared, ...]  # of no client
    quarantined: tuple[Judged, ...]
    letters: tuple[Written, ...]  # to our own people, about no client
    too_much: tuple[Excess, ...]
    judged: tuple[Judged, ...] = field(repr=False)  # every mail, in order


def report(store: Store, setup: Setup, played: Sequence[Played]) -> Report:
    """The report on what has been played into `store`."""
    found = Findings(store, setup)
    judged = tuple(found.judged(played))
    letters = found.letters()
    spared = [mail for mail in judged if _left_alone(mail)]
    named = {c.key: c.name for c in setup.directory.clients}
    named |= {a.client_key: a.client_name for _, affected in found.incidents for a in affected}
    clients = []
    for key, name in named.items():
        one = OneClient(
            key=key,
            name=name,
            incidents=found.opened(key, judged),
            letters=tuple(letter for letter in letters if letter.client == key),
            left_alone=_spared([mail for mail in spared if key in mail.clients]),
        )
        if one.incidents or one.letters or one.left_alone:
            clients.append(one)
    return Report(
        live=setup.policy.live,
        mails=len(judged),
        first=judged[0].arrival if judged else None,
        last=judged[-1].arrival if judged else None,
        verdicts=dict(Counter(mail.verdict for mail in judged).most_common()),
        clients=tuple(clients),
        unplaced=tuple(
            m
            for m in judged
            if m.verdict != OF_LIFE and any(d.action in UNPLACED and not d.incident for d in m.decisions)
        ),
        left_alone=_spared([mail for mail in spared if not mail.clients]),
        quarantined=tuple(mail for mail in judged if mail.verdict == SET_ASIDE),
        letters=tuple(letter for letter in letters if not letter.client),
        too_much=_too_much(judged, letters, found.pages),
        judged=judged,
    )


def _left_alone(mail: Judged) -> bool:
    """Whether nothing came of a mail: no incident, nobody who must look."""
    return mail.verdict == OF_LIFE or (
        mail.verdict != SET_ASIDE
        and not any(ruling.incident for ruling in mail.decisions)
        and not any(ruling.action in UNPLACED for ruling in mail.decisions)
    )


def _spared(mails: Sequence[Judged]) -> tuple[Spared, ...]:
    """By reason, the most frequent first."""
    ordered = sorted(mails, key=lambda mail: mail.why)
    groups = [(why, list(some)) for why, some in groupby(ordered, key=lambda mail: mail.why)]
    return tuple(
        Spared(
            why=why,
            reason=some[0].decisions[0].reason if some[0].decisions else some[0].verdict,
            count=len(some),
            examples=tuple(some[:EXAMPLES]),
        )
        for why, some in sorted(groups, key=lambda group: -len(group[1]))
    )


def _too_much(
    judged: Sequence[Judged], letters: Sequence[Written], pages: Mapping[str, datetime]
) -> tuple[Excess, ...]:
    """Caps and storms: by what they are called, since both have several names."""
    found = [(x.reason, x.why, x.at) for x in letters if x.reason.startswith("cap-")]
    found += [(d.reason, d.why, m.arrival) for m in judged for d in m.decisions if "storm" in d.reason]
    found += [(cap, sentence(cap), at) for cap, at in pages.items() if cap not in {reason for reason, _, _ in found}]
    ordered = sorted(found)
    return tuple(
        Excess(reason=some[0][0], why=some[0][1], count=len(some), first=min(at for _, _, at in some))
        for some in (list(group) for _, group in groupby(ordered, key=lambda excess: excess[0]))
    )
