"""How a rehearsal and an explanation are printed: tables for a person, and the form that programs read."""

from dataclasses import asdict

from mailflow.adapters.mailfiles import MailFiles
from mailflow.cli.output import CONTROL, OUT, as_json, as_table, local
from mailflow.config.load import Loaded
from mailflow.engine.rehearsal_differences import Difference
from mailflow.engine.rehearsal_explain import Explanation
from mailflow.engine.rehearsal_reasons import done
from mailflow.engine.rehearsal_report import OneClient, Report, Spared
from mailflow.writing.page import counted


def as_dict(found: Loaded, mails: MailFiles, before: Report) -> dict[str, object]:
    """The public form of a rehearsal."""
    return {"configured_live": found.policy.live, "arrival_told_by": dict(mails.clues), **asdict(before)}


def _say(text: str) -> None:
    OUT.print(text.translate(CONTROL), markup=False)


def show_report(found: Loaded, source: str, mails: MailFiles, before: Report, *, letters: bool) -> None:
    """A rehearsal, for a person."""
    zone = found.policy.timezone
    configured = "" if found.policy.live is before.live else f' (configured: "{found.policy.live}")'
    span = f"{local(before.first, zone)} to {local(before.last, zone)}"
    _say(f'{counted(before.mails, "mail")} from {source}, {span}; rehearsed with live = "{before.live}"{configured}.')
    _say("When they came in was told by " + ", ".join(f"{c} ({n})" for c, n in mails.clues.most_common()) + ".")
    _say("Nothing was sent, and no record was touched.\n")
    as_table(["mails", "what became of them"], [(n, done(v)) for v, n in before.verdicts.items()], empty="")
    for client in before.clients:
        _show_client(client, zone, letters=letters)
    if before.unplaced:
        _say("\nWhat nobody could place")
        rows = [(local(m.arrival, zone), m.author, m.subject, m.why, m.source) for m in before.unplaced]
        as_table(["came", "from", "subject", "why", "where"], rows, empty="")
    if before.quarantined:
        _say("\nSet aside")
        set_aside = [(local(m.arrival, zone), m.source, m.why) for m in before.quarantined]
        as_table(["came", "where", "why"], set_aside, empty="")
    if before.left_alone:
        _say("\nLeft alone")
        _show_spared(before.left_alone)
    if before.too_much:
        _say("\nWhat would have been too much")
        as_table(
            ["times", "what", "first"], [(x.count, x.why, local(x.first, zone)) for x in before.too_much], empty=""
        )


def _show_client(client: OneClient, zone: str, *, letters: bool) -> None:
    forwards, others = len(client.forwards), len(client.to_staff)
    _say(
        f"\n{client.name}: {counted(len(client.incidents), 'incident')}, "
        f"{client.sent} of {counted(len(client.to_client), 'letter')} to the client sent, "
        f"{counted(forwards, 'forward')} and {counted(others, 'other letter')} to our own people"
    )
    opened_ = [
        (i.reference, local(i.opened_at, zone), i.title, i.symptom, i.state, local(i.ended_at, zone), i.joined)
        for i in client.incidents
    ]
    if opened_:
        as_table(["incident", "opened", "what", "symptom", "at the end", "ended", "more mails"], opened_, empty="")
    written = [
        (local(x.at, zone), x.kind, x.name or x.address, x.incident, x.state, x.subject, x.why)
        for x in (*client.to_client, *client.forwards)
    ]
    if written:
        as_table(["when", "letter", "to", "incident", "state", "subject", "why"], written, empty="")
    if client.left_alone:
        _show_spared(client.left_alone)
    for letter in client.to_client if letters else ():
        _say(f"\n--- {local(letter.at, zone)} to {letter.name} <{letter.address}>, {letter.state}: {letter.subject}")
        _say(letter.text or "(never written)\n")


def _show_spared(groups: tuple[Spared, ...]) -> None:
    rows = [(group.count, group.why, group.examples[0].subject) for group in groups]
    as_table(["left alone", "why", "for example"], rows, empty="")


def show_differences(found: Loaded, before: Report, different: tuple[Difference, ...], *, json: bool) -> None:
    """What another configuration would decide otherwise."""
    if json:
        rows = [
            {
                "source": d.mail.source,
                "mailbox": d.mail.mailbox,
                "arrival": d.mail.arrival,
                "author": d.mail.author,
                "subject": d.mail.subject,
                "before": d.before,
                "now": d.now,
                "why_before": d.why_before,
                "why": d.why,
            }
            for d in different
        ]
        as_json({"live": before.live, "mails": before.mails, "different": rows})
        return
    zone = found.policy.timezone
    _say(f"{counted(before.mails, 'mail')}; {counted(len(different), 'decision')} would be another.")
    table = [
        (
            local(d.mail.arrival, zone),
            d.mail.subject or d.mail.source,
            "; ".join(d.before) or "nothing",
            "; ".join(d.now) or "nothing",
            " ".join(d.why),
        )
        for d in different
    ]
    as_table(["came", "mail", "before", "now", "why"], table, empty="")


def show_explanation(what: Explanation, zone: str) -> None:
    """One mail's decision, for a person."""
    _say(f"Mail {what.id}  {what.message_id}".rstrip())
    for place in what.places:
        filed = f", filed {local(place.filed_at, zone)}" if place.filed_at else ", not filed"
        _say(f"Came in {local(what.received_at, zone)} by {place.mailbox}, {place.folder}, UID {place.uid}{filed}")
    if what.also:
        _say(f"The same Message-ID came as mail {', '.join(map(str, what.also))} too")
    _say(f"State: {what.state}" + (f". {what.why}" if what.state == "quarantined" else ""))
    _say("")
    _explain_reading(what)
    taken = what.taken_for
    who = " ".join(filter(None, [taken.role, taken.name, f"({', '.join(taken.clients)})" if taken.clients else ""]))
    article = "" if taken.role == "ourselves" else "the " if taken.name else "a "
    _say(f"Sender: {what.author or '(none)'}, taken for {article}{who}. {taken.by}")
    _say("")
    decided = [(local(d.at, zone), d.done, d.incident, d.why, d.reason) for d in what.decisions]
    as_table(["decided", "what", "incident", "why", "reason"], decided, empty="Nothing is decided yet.")
    if what.letters:
        rows = [
            (x.id, x.kind, x.to, x.state, x.why, local(x.due_at, zone), local(x.sent_at, zone)) for x in what.letters
        ]
        as_table(["letter", "kind", "to", "state", "why", "due", "sent"], rows, empty="")
    else:
        _say("No letter came of it.")


def _explain_reading(what: Explanation) -> None:
    read = what.reading
    if read is None:
        _say(f"How it reads cannot be told any more. {what.forgotten}")
        return
    _say(f"Subject: {read.subject}")
    _say(f"Kind: {read.kind} ({read.rule}). {read.why}")
    if read.automatic:
        _say(f"Automatic: {read.automatic}")
    for event in read.events:
        _say(f"Event: {event.state} {event.severity} {event.symptom}, key {event.key}, by recipe {event.recipe}")
        for name, value in event.fields.items():
            _say(f"  {name}: {value}")
    for defect in read.defects:
        _say(f"Odd: {defect}")
