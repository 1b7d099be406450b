"""What a mail means for us: `decide` turns a reading and its situation into decisions, each with a named reason.

Pure: everything it needs stands in its arguments. The engine fetches the Situation before and records the decisions
after. The order of the questions is the order of danger: our own mail and bounces first, then machines, then alerts,
then our people, then clients, and only then whoever is left.
"""

from datetime import datetime, timedelta

from mailflow.domain.correlation import correlate, said_at
from mailflow.domain.decide_staff import decide_staff
from mailflow.domain.decisions import (
    Absent,
    Bounced,
    ClientSaid,
    Decision,
    Ignore,
    Noted,
    OpenFromClient,
    Proved,
    Show,
    Situation,
)
from mailflow.domain.form import Answers
from mailflow.domain.incident import Incident, IncidentState
from mailflow.domain.mail import Action, Reading
from mailflow.domain.policy import Policy
from mailflow.domain.vocabulary import Class, Kind


def decide(
    reading: Reading, answers: Answers, situation: Situation, now: datetime, policy: Policy
) -> tuple[Decision, ...]:
    """Every decision for one mail; never empty."""
    if situation.own_letter and reading.author and reading.author.address in situation.own:
        return (Proved(reason="own-copy", letter=situation.own_letter),)
    if reading.author and reading.author.address in situation.own:
        return (Ignore(reason="from-our-own-address", kind=Kind.OWN),)
    if reading.kind is Kind.BOUNCE:
        return (_bounce(reading, situation),)
    if situation.duplicate_of is not None:
        return (Ignore(reason=f"same-mail-as-{situation.duplicate_of}", kind=reading.kind),)
    if reading.kind is Kind.AUTO_REPLY and situation.answered and situation.answered.genuine and reading.author:
        letter = situation.answered.letter
        if letter.incident_id and letter.kind.to_client:
            who, text = str(reading.author), reading.subject
            return (
                Noted(
                    reason="out-of-office",
                    kind=Kind.AUTO_REPLY,
                    incident_id=letter.incident_id,
                    what="absent",
                    author=who,
                    text=text,
                ),
            )
    if reading.kind is Kind.AUTO_REPLY and situation.who.staff and situation.proven:
        return (Absent(reason="out-of-office-of-ours", staff=situation.who.staff),)
    if reading.kind is Kind.AUTO_REPLY:
        return (Ignore(reason=reading.automatic or "automatic", kind=Kind.AUTO_REPLY),)
    if reading.events and situation.disproven:
        return (Show(reason="alert-of-a-forged-sender", kind=Kind.ALERT),)
    if reading.events:
        said = said_at(reading.date, situation.received_at or now)
        return tuple(correlate(event, situation, said, now, policy) for event in reading.events)
    if reading.kind is Kind.ALERT:
        return (Show(reason=reading.rule, kind=Kind.ALERT),)  # a recipe knows it, and cannot tell what it is about
    if situation.who.staff and reading.author:
        return decide_staff(situation.who.staff, reading, answers, situation)
    if situation.answered and situation.answered.genuine and not situation.who.clients:
        # A stranger with a genuine tag: a letter of ours was forwarded. It may speak, never act.
        return (Show(reason="tag-of-ours-from-a-stranger", kind=Kind.UNKNOWN),)
    if situation.who.clients:
        return (_client(reading, situation, now, policy),)
    return (Show(reason=reading.rule, kind=reading.kind),)


def _bounce(reading: Reading, situation: Situation) -> Decision:
    """A bounce is believed only for a letter that we sent, known by its tag."""
    if not (situation.bounced and situation.bounced.genuine and reading.bounce):
        return Ignore(reason="bounce-of-no-letter-of-ours", kind=Kind.BOUNCE)
    # The copy that proves acceptance has a recipient of its own, who is not the letter's.
    theirs = [r for r in reading.bounce.recipients if _without_tag(r.address) not in situation.own]
    failed = [r for r in theirs if r.action is Action.FAILED]
    letter = situation.bounced.letter
    delayed = [r for r in theirs if r.action is Action.DELAYED]
    if not failed and delayed and letter.incident_id:
        return Noted(
            reason="bounce-not-final",
            kind=Kind.BOUNCE,
            incident_id=letter.incident_id,
            what="delayed",
            author=letter.recipient.address,
            text=f"{letter.kind}: {delayed[0].status or 'on its way, late'}",
        )
    if not failed:
        return Ignore(reason="bounce-not-final", kind=Kind.BOUNCE)
    return Bounced(
        reason="bounced", letter=situation.bounced.letter, said=" ".join(filter(None, (failed[0].status, "bounced")))
    )


def _without_tag(address: str) -> str:
    """The mailbox that an address leads to (RFC 5233)."""
    local, at, domain = address.rpartition("@")
    return local.partition("+")[0] + at + domain


def _recent(incident: Incident, now: datetime, within: timedelta) -> bool:
    """Whether the incident's trouble ended so short a time ago that more of it is the same trouble."""
    return (
        incident.state is IncidentState.RESTORED and incident.ended_at is not None and now - incident.ended_at < within
    )


def _client(reading: Reading, situation: Situation, now: datetime, policy: Policy) -> Decision:
    """A client wrote: it joins what it answers, else what is running for that client, else opens an incident."""
    client = situation.who.client
    if client is None:
        return Show(reason="sender-of-two-clients", kind=Kind.CLIENT)
    answered = situation.answered
    if answered and answered.genuine and answered.letter.incident_id and answered.letter.affected_id:
        if answered.letter.client_key == client.key:
            return ClientSaid(
                reason="thanks" if situation.gist.thanks else "answers-our-letter",
                incident_id=answered.letter.incident_id,
                affected_id=answered.letter.affected_id,
            )
        return Show(reason="tag-of-another-client", kind=Kind.CLIENT)
    if reading.automatic:
        return Show(reason=reading.automatic, kind=Kind.CLIENT)
    if situation.tagged:
        incident, affected = situation.tagged
        reason = "thanks" if situation.gist.thanks else "names-its-incident"
        return ClientSaid(reason=reason, incident_id=incident.id, affected_id=affected.id)
    for incident, affected in situation.running if not _asks_something_else(situation) else ():
        # Mail about an outage joins while it lasts; what a person reported may be quite another thing a day later.
        person = incident.class_ is Class.CLIENT and now - incident.opened_at > policy.reopen_within
        if (incident.state is IncidentState.OPEN and not person) or _recent(incident, now, policy.reopen_within):
            reason = "thanks" if situation.gist.thanks else "client-has-a-running-incident"
            return ClientSaid(reason=reason, incident_id=incident.id, affected_id=affected.id)
    if situation.gist.thanks:
        return Ignore(reason="thanks-for-nothing-open", kind=Kind.CLIENT)
    vouched = situation.authenticated is not False
    return OpenFromClient(reason="new-from-client", client=client, vouched=vouched)


def _asks_something_else(situation: Situation) -> bool:
    """A new mail that only asks for something is no word about the trouble that happens to be on."""
    return bool(situation.gist.request) and not situation.gist.trouble
