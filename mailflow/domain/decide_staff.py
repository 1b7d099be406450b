"""What a mail of one of ours means: commands and answers, if it is really them, and as far as they may.

Pure, like decide. The order of the questions is again that of danger: is the tag ours, is it they, may they publish,
and only then what they want.
"""

from mailflow.domain.decisions import (
    Announce,
    CallOff,
    Confirm,
    Decision,
    Fill,
    Ignore,
    Obey,
    OpenFromStaff,
    Place,
    Refuse,
    RefuseSend,
    Relay,
    Release,
    Reword,
    Show,
    Situation,
)
from mailflow.domain.form import Answers, Command, Numbered, Verb
from mailflow.domain.letters import DraftState, Letter, LetterKind
from mailflow.domain.mail import Reading
from mailflow.domain.people import Role, Staff
from mailflow.domain.vocabulary import Kind

GREETING_WORDS = 4  # "Mit freundlichen Grüßen,", in whatever language
MAY_PUBLISH = frozenset({Role.LIAISON, Role.MANAGER})


def decide_staff(staff: Staff, reading: Reading, answers: Answers, situation: Situation) -> tuple[Decision, ...]:
    """One of ours wrote: commands and answers, if it is really them."""
    answered = situation.answered
    if answered and not answered.genuine:
        # An answer to a letter of long ago, or of before the key was lost, is hers all the same.
        writer = staff if situation.authenticated else None
        return (Refuse(reason="tag-is-not-genuine", kind=Kind.LIAISON, writer=writer),)
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
        if letter.facts.get("own_people"):
            subject, text = str(letter.facts.get("mail_subject", "")), str(letter.facts.get("text", ""))
            word = situation.named.key
            return (OpenFromStaff(reason="liaison-opens", client_word=word, title=subject, note=text, staff=staff),)
        if isinstance(about, int):
            teaches = bool(letter.facts.get("teaches"))
            return (Place(reason="liaison-places", client=situation.named, about=about, teaches=teaches, staff=staff),)
    if letter and letter.kind.numbers_rows and answers.numbered:
        return tuple(_row(letter, row, staff) for row in answers.numbered)
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
    report = situation.draft if letter and letter.affected_id is None else None
    if answers.stop_like and letter and (letter.affected_id is not None or report):
        stop = Command(verb=Verb.STOP, argument=answers.stop_like)
        decisions.append(_obey(stop, letter, staff, reason="like-stop"))
    says_more = answers.values or answers.doubts or answers.loose or answers.notes or answers.near_miss
    settled = any(isinstance(d, Release | RefuseSend) for d in decisions)
    if answers.unknown and not (letter and letter.kind.shows_form and says_more):
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
    if report and says_more and not any(isinstance(d, Release | RefuseSend | Obey) for d in decisions):
        reason, text = "with-send" if _sends(answers) else "rewords", answers.words
        decisions.append(Reword(reason=reason, draft=report, text=text, near_miss=answers.near_miss, staff=staff))
    if not decisions and letter and letter.kind is LetterKind.SHOWN and answers.loose:
        which = Command(verb=Verb.HELP, argument=answers.loose)
        decisions.append(_obey(which, letter, staff, reason="names-no-client"))
    if not decisions and letter and letter.kind in {LetterKind.SHOWN, LetterKind.NOTICE}:
        # Showing it again would be how two robots talk for ever.
        decisions.append(Ignore(reason="answer-without-command", kind=Kind.LIAISON))
    if not decisions:
        decisions.append(Show(reason="staff-mail-without-command", kind=Kind.LIAISON))
    return tuple(decisions)


def _row(letter: Letter, row: Numbered, staff: Staff) -> Obey:
    """A row of a digest by its number; a manager's CLOSE with a reason is the word that no debrief is owed (S3.1)."""
    incident_id, affected_id, promise_id = _target(letter, row.number)
    command = row.command
    if command.verb is Verb.CLOSE and command.argument:
        command = Command(verb=Verb.NO_DEBRIEF, argument=command.argument)
    return Obey(
        reason=f"row-{command.verb}" if affected_id else "row-of-none",
        command=command,
        incident_id=incident_id,
        affected_id=affected_id,
        promise_id=promise_id,
        letter=letter,
        staff=staff,
    )


def _target(letter: Letter, number: int) -> tuple[int | None, int | None, int | None]:
    """The incident, client and promise of a digest's row; none where it has no such row."""
    targets = letter.facts.get("targets")
    match targets[number - 1 : number] if isinstance(targets, list) and number else []:
        case [[int(incident_id), int(affected_id), int(promise_id)]]:
            return incident_id, affected_id, promise_id
        case _:
            return None, None, None


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
    if letter is None or (letter.affected_id is None and situation.draft is None):
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
