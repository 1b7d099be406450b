"""What a mail means for us: `decide` turns a reading and its situation into decisions, each with a named reason.

Pure: everything it needs stands in its arguments. The engine fetches the Situation before and records the decisions
after. The order of the questions is the order of danger: our own mail and bounces first, then machines, then alerts,
then our people, then clients, and only then whoever is left.
"""

from datetime import datetime, timedelta

from mailflow.domain.correlation import correlate, said_at
from mailflow.domain.decisions import (
    Announce,
    Bounced,
    CallOff,
    ClientSaid,
    Confirm,
    Decision,
    Fill,
    Ignore,
    Noted,
    Obey,
    OpenFromClient,
    OpenFromStaff,
    Place,
    Proved,
    Refuse,
    RefuseSend,
    Relay,
    Release,
    Show,
    Situation,
)
from mailflow.domain.form import Answers, Command, Verb
from mailflow.domain.incident import Incident, IncidentState
from mailflow.domain.letters import DraftState, Letter, LetterKind
from mailflow.domain.mail import Action, Reading
from mailflow.domain.people import Role, Staff
from mailflow.domain.policy import Policy
from mailflow.domain.vocabulary import Class, Kind

GREETING_WORDS = 4  # "Mit freundlichen Grüßen,", in whatever language
MAY_PUBLISH = frozenset({Role.LIAISON, Role.MANAGER})


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
    if reading.kind is Kind.AUTO_REPLY:
        return (Ignore(reason=reading.automatic or "automatic", kind=Kind.AUTO_REPLY),)
    if reading.events and situation.disproven:
        return (Show(reason="alert-of-a-forged-sender", kind=Kind.ALERT),)
    if reading.events:
        said = said_at(reading.date, situation.received_at or now)
        return tuple(correlate(event, situation, said, now, policy) for event in reading.events)
    if reading.kind is Kind.ALERT:
        return (Show(reason=reading.rule, kind=Kind.ALERT),)  # a recipe knows it, and cannot tell what it is about
    if situation.who.staff:
        return _staff(situation.who.staff, reading, answers, situation)
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


def _staff(staff: Staff, reading: Reading, answers: Answers, situation: Situation) -> tuple[Decision, ...]:
    """One of ours wrote: commands and answers, if it is really them."""
    answered = situation.answered
    if answered and not answered.genuine:
        return (Refuse(reason="tag-is-not-genuine", kind=Kind.LIAISON),)
    if reading.automatic and not answered:
        return (Ignore(reason=reading.automatic, kind=Kind.AUTO_REPLY),)
    if not situation.proven:
        if answers.empty and not situation.named:
            return (Show(reason="staff-mail-without-command", kind=Kind.LIAISON),)
        return (Confirm(reason="not-authenticated", staff=staff),)
    if staff.role not in MAY_PUBLISH:
        return (_colleague(staff, answers, situation),)
    return _orders(staff, answers, situation)


def _colleague(staff: Staff, answers: Answers, situation: Situation) -> Decision:
    """A colleague may add facts to the form that was sent to them, and nothing else: nothing of theirs is published."""
    letter = situation.answered.letter if situation.answered else None
    asked = letter and letter.kind.shows_form and letter.recipient.address == staff.address
    says = answers.values or answers.loose or answers.notes or answers.doubts
    if letter and letter.affected_id is not None and asked and says and not answers.commands:
        return Fill(reason="colleague-answers", affected_id=letter.affected_id, answers=answers, staff=staff)
    return Show(reason="colleague-wrote", kind=Kind.LIAISON)


def _orders(staff: Staff, answers: Answers, situation: Situation) -> tuple[Decision, ...]:
    """What a liaison who is really the liaison wants."""
    letter = situation.answered.letter if situation.answered else None
    if letter and letter.kind is LetterKind.SHOWN and situation.named and not answers.commands:
        about = letter.facts.get("about")
        if isinstance(about, int):
            teaches = bool(letter.facts.get("teaches"))
            return (Place(reason="liaison-places", client=situation.named, about=about, teaches=teaches, staff=staff),)
    decisions: list[Decision] = []
    for command in answers.commands:
        match command.verb:
            case Verb.OPEN | Verb.CALL:
                word, _, said = command.argument.partition(":")
                title, _, note = said.strip().partition("\n")
                decisions.append(
                    OpenFromStaff(
                        reason="liaison-opens" if command.verb is Verb.OPEN else "call",
                        client_word=word.strip(),
                        title=title.strip().rstrip("."),
                        note=note.strip(),
                        staff=staff,
                    )
                )
            case Verb.MAINTENANCE:
                if not any(isinstance(d, Announce) for d in decisions):
                    lines = [c.argument for c in answers.commands if c.verb is Verb.MAINTENANCE]
                    decisions.append(Announce(reason="liaison-announces", text="\n".join(lines), staff=staff))
            case Verb.CANCEL if letter and letter.affected_id is not None:
                # To a mail about an incident it can only mean its letters, and they may be on their way.
                decisions.append(_obey(Command(verb=Verb.STOP), letter, staff, reason="command-cancel"))
            case Verb.CANCEL:
                window = letter.facts.get("window") if letter else None
                window_id = window if isinstance(window, int) else None
                decisions.append(CallOff(reason="liaison-calls-off", window_id=window_id, staff=staff))
            case Verb.SEND if answers.values or answers.doubts:
                pass  # changed words are shown again before they go: see Fill below
            case Verb.SEND:
                decisions.append(_send(staff, letter, answers, situation))
            case _:
                decisions.append(_obey(command, letter, staff, reason=f"command-{command.verb}"))
    if answers.stop_like and letter and letter.affected_id is not None:
        stop = Command(verb=Verb.STOP, argument=answers.stop_like)
        decisions.append(_obey(stop, letter, staff, reason="like-stop"))
    says_more = answers.values or answers.doubts or answers.loose or answers.notes or answers.near_miss
    settled = any(isinstance(d, Release | RefuseSend) for d in decisions)
    if answers.unknown and letter and not letter.kind.shows_form:
        unknown = Command(verb=Verb.HELP, argument=answers.unknown)
        decisions.append(_obey(unknown, letter, staff, reason="unknown-command", nearest=answers.nearest))
    elif letter and _relays(staff, letter, answers) and not decisions:
        unsure = answers.unsure or situation.confirmed
        decisions.append(Relay(reason="answers-client", text=answers.loose, letter=letter, staff=staff, unsure=unsure))
    elif letter and letter.affected_id is not None and says_more and not settled:
        asked = letter.kind in {LetterKind.FORM, LetterKind.MISSING} or answers.values
        stopped = any(c.verb is Verb.STOP for c in answers.commands) or (answers.stop_like and not asked)
        reason = "with-stop" if stopped else "with-send" if _sends(answers) else "answers"
        decisions.append(Fill(reason=reason, affected_id=letter.affected_id, answers=answers, staff=staff))
    if not decisions and letter and letter.kind in {LetterKind.SHOWN, LetterKind.NOTICE}:
        # Showing it again would be how two robots talk for ever.
        decisions.append(Ignore(reason="answer-without-command", kind=Kind.LIAISON))
    if not decisions:
        decisions.append(Show(reason="staff-mail-without-command", kind=Kind.LIAISON))
    return tuple(decisions)


def _relays(staff: Staff, letter: Letter, answers: Answers) -> bool:
    """Whether words below a client's mail are for that client: nothing else is said, and it was hers to answer."""
    hers = letter.recipient.address == staff.address or staff.role is Role.MANAGER
    other = answers.commands or answers.near_miss or answers.stop_like or answers.values or answers.doubts
    return (
        letter.kind is LetterKind.FORWARD
        and bool(letter.facts.get("answerable") and answers.loose)
        and hers
        and not other
    )


def _obey(command: Command, letter: Letter | None, staff: Staff, *, reason: str, nearest: tuple[str, ...] = ()) -> Obey:
    """A command about whatever the answered letter is about."""
    return Obey(
        nearest=nearest,
        reason=reason,
        command=command,
        incident_id=letter.incident_id if letter else None,
        affected_id=letter.affected_id if letter else None,
        letter=letter,
        staff=staff,
    )


def _sends(answers: Answers) -> bool:
    return any(command.verb is Verb.SEND for command in answers.commands)


def _send(staff: Staff, letter: Letter | None, answers: Answers, situation: Situation) -> Decision:
    """SEND releases exactly the draft that the answered preview showed, and nothing else (N.6)."""
    if letter is None or letter.affected_id is None:
        return _obey(Command(verb=Verb.HELP), letter, staff, reason="send-without-preview")
    if letter.kind is not LetterKind.PREVIEW:
        return RefuseSend(reason="send-to-no-preview", affected_id=letter.affected_id, staff=staff)
    draft = situation.draft
    if letter.recipient.address != staff.address and staff.role is not Role.MANAGER:
        return RefuseSend(reason="preview-of-another-person", affected_id=letter.affected_id, staff=staff, draft=draft)
    if more := _more_than_a_signature(answers.loose, staff):
        return RefuseSend(reason="send-with-more", affected_id=letter.affected_id, staff=staff, said=more, draft=draft)
    if draft is None or draft.state is not DraftState.CURRENT:
        return RefuseSend(reason="superseded", affected_id=letter.affected_id, staff=staff, draft=draft)
    if draft.objection:
        return RefuseSend(reason="objected-to", affected_id=letter.affected_id, staff=staff, draft=draft)
    return Release(reason="send", draft=draft, staff=staff)


def _more_than_a_signature(text: str, staff: Staff) -> str:
    """What somebody wrote on below SEND ("but drop the second sentence"); a greeting and a name are a signature."""
    lines = [line.strip() for line in text.splitlines() if any(map(str.isalnum, line))]
    name = (staff.first_name.casefold(), staff.name.casefold())
    signed = next((n for n, line in enumerate(lines) if line.casefold().lstrip(" -–—*").startswith(name)), len(lines))
    before = " ".join(lines[:signed])
    return "" if signed < len(lines) and len(before.split()) <= GREETING_WORDS else before


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
