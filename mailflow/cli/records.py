"""Verbs about incidents: incidents, show."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from mailflow.app import App
from mailflow.cli.options import AsJson, Config, opened
from mailflow.cli.output import CONTROL, OUT, as_json, as_table, fail, local, told
from mailflow.cli.report import course_as_dict
from mailflow.domain.clocks import Clock, Reading, Stage
from mailflow.domain.form import BY_NUMBER
from mailflow.domain.incident import Affected, Incident
from mailflow.engine.case import open_case
from mailflow.engine.report import Reporting

MANY = 1_000


def incidents(
    config: Config = None,
    json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
) -> None:
    """List the incidents, newest first.

    Those that are open, and those whose debrief is owed; with --all every one.
    """
    with told(json=json):
        app = opened(config)
        found = app.store.records.incidents(running_only=not everything, limit=MANY)
        if json:
            as_json([_summary(incident, clients) for incident, clients in found])
            return
        zone = app.setup.policy.timezone
        rows = [
            (
                i.reference,
                i.state,
                i.priority,
                ", ".join(a.client_name for a in clients),
                i.title,
                i.symptom,
                local(i.started_at, zone),
                local(i.ended_at, zone),
            )
            for i, clients in found
        ]
        columns = ["incident", "state", "", "client", "what", "symptom", "began", "ended"]
        as_table(columns, rows, empty="There is no incident." if everything else "No incident is open.")


def show(
    reference: Annotated[str, typer.Argument(help="The incident's reference, like INC-7, or its number.")],
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Show one incident whole.

    Its timeline, clocks, promises, letters and form.
    """
    with told(json=json):
        app = opened(config)
        incident = app.store.records.by_reference(f"INC-{reference}" if reference.isdecimal() else reference)
        if incident is None:
            fail(f"no incident is called {reference}; `mailflow incidents --all` lists them", code=1)
        if json:
            as_json(_whole(app, incident))
            return
        zone = app.setup.policy.timezone
        clients = app.store.records.affected_of(incident.id)
        too = ", ".join(f"{a.client_name} {a.me_too}" for a in clients if a.me_too)
        OUT.print(
            f"{incident.reference}  {', '.join(a.client_name for a in clients)}: {incident.title}  "
            f"[{incident.state}, {incident.priority}, {incident.class_}]".translate(CONTROL),
            markup=False,
        )
        OUT.print(
            f"began {local(incident.started_at, zone)}, ended {local(incident.ended_at, zone) or 'not yet'}; "
            f"{incident.detected_by}, {incident.noticed_by}".translate(CONTROL),
            markup=False,
        )
        if too:
            OUT.print(f"further mails of people who are struck: {too}".translate(CONTROL), markup=False)
        rows = [(local(e.at, zone), e.what, e.author, e.text) for e in app.store.records.timeline(incident.id)]
        as_table(["when", "what", "who", ""], rows, empty="")
        read, _ = _course(app, incident)
        clocks = [(c.replace("_", " "), local(r.at, zone), r.why, _source(r)) for c, r in read.items()]
        as_table(["clock", "when", "by", "from"], clocks, empty="No clock can be read.")
        promised = [(p.kind, local(p.due_at, zone), p.state, p.owner) for p in app.store.promises.of(incident.id)]
        as_table(["promise", "due", "state", "owner"], promised, empty="Nothing is promised.")
        letters = app.store.outbox.letters(incident_id=incident.id, limit=MANY)
        sent = [(x.id, x.kind, x.recipient, x.state, x.reason, local(x.sent_at, zone)) for x in reversed(letters)]
        as_table(["letter", "kind", "to", "state", "why", "sent"], sent, empty="No letter was written.")
        form = _form(app, incident, clients[0])
        answers = [*form["fields"].items(), *((name, "is still needed") for name in form["asks"])]
        as_table(["form", "answer"], answers, empty="")


def _summary(incident: Incident, clients: list[Affected]) -> dict[str, object]:
    return {
        "ref": incident.reference,
        "state": incident.state,
        "priority": incident.priority,
        "class": incident.class_,
        "symptom": incident.symptom,
        "title": incident.title,
        "key": incident.key,
        "scope": incident.scope,
        "detected_by": incident.detected_by,
        "noticed_by": incident.noticed_by,
        "first_shown": incident.first_shown,
        "opened_at": incident.opened_at,
        "started_at": incident.started_at,
        "ended_at": incident.ended_at,
        "closed_at": incident.closed_at,
        "why_closed": incident.why_closed,
        "clients": [
            {
                "key": a.client_key,
                "name": a.client_name,
                "liaison": a.liaison.address,
                "settled": a.settled_why,
                "me_too": a.me_too,
            }
            for a in clients
        ],
    }


def _whole(app: App, incident: Incident) -> dict[str, object]:
    """The public form of an incident."""
    records = app.store.records
    clients = records.affected_of(incident.id)
    read, stages = _course(app, incident)
    return {
        **_summary(incident, clients),
        "timeline": [asdict(entry) for entry in records.timeline(incident.id)],
        "clocks": course_as_dict(read),
        "stages": course_as_dict(stages),
        "told": [asdict(told) for told in records.audience(incident.id)],
        "promises": [
            {"kind": p.kind, "due_at": p.due_at, "state": p.state, "owner": p.owner}
            for p in app.store.promises.of(incident.id)
        ],
        "letters": [
            {
                "id": x.id,
                "kind": x.kind,
                "to": x.recipient.address,
                "state": x.state,
                "reason": x.reason,
                "subject": x.subject,
                "due_at": x.due_at,
                "sent_at": x.sent_at,
                "tries": x.tries,
                "said": x.said,
            }
            for x in reversed(app.store.outbox.letters(incident_id=incident.id, limit=MANY))
        ],
        "form": _form(app, incident, clients[0]),
    }


def _course(app: App, incident: Incident) -> tuple[dict[Clock, Reading], dict[Stage, Reading]]:
    """The incident's clocks and stages; none of what lives on in another."""
    try:
        return Reporting(app.store, app.setup).course(app.store.history.chapter(incident.id))
    except KeyError:
        return {}, {}


def _source(reading: Reading) -> str:
    """ "mail 12" for `mailflow explain 12`, "letter 5" of the letters below."""
    if reading.letter_id is not None:
        return f"letter {reading.letter_id}"
    return f"mail {reading.inbound_id}" if reading.inbound_id is not None else ""


def _form(app: App, incident: Incident, client: Affected) -> dict[str, Any]:
    """What the record knows and what was answered so far, and what is still needed for a debrief."""
    fills = app.store.desk.fills(client.id)
    known = open_case(app.store, app.setup, incident, client).known(app.clock.now())
    fields = {**known, **{number: fill.value for number, fill in fills.items()}}
    return {
        "version": app.store.desk.next_version(client.id) - 1,
        "fields": {BY_NUMBER[n].name: value for n, value in sorted(fields.items())},
        "asks": [BY_NUMBER[n].name for n in app.setup.policy.questions(incident.priority).required if n not in fills],
        "notes": [e.text for e in app.store.records.timeline(incident.id) if e.what == "note"],
    }
