"""The shipped recipes on the tools' own mails, the mails that only look like them, and what the format can say."""

# ruff: noqa: E501 - tables of whole header lines and whole mails

from pathlib import Path

import pytest

import mailflow
from mailflow.domain.mail import Event, Reading
from mailflow.domain.vocabulary import Class, Kind, Severity, State
from mailflow.intake.matching import normal_subject
from mailflow.intake.read import read
from mailflow.intake.recipes import parse_recipes

FOLDER = Path(mailflow.__file__).parent / "recipes"
MAILS = Path(__file__).parent.parent / "fixtures" / "mails"
SHIPPED = parse_recipes({p.name: p.read_text("utf-8") for p in sorted(FOLDER.glob("*.toml"))})

ZABBIX = (
    "Problem started at 07:42:10 on 2026.11.23\nProblem name: Unavailable by ICMP ping\nHost: ACME-SRV01\n"
    "Severity: High\nOperational data: Down (0)\nOriginal problem ID: 184467\n"
    "https://zabbix.acme-msp.example/tr_events.php?triggerid=23512&eventid=184467"
)
ZABBIX_OVER = (
    "Problem has been resolved at 07:53:42 on 2026.11.23\nProblem name: Unavailable by ICMP ping\n"
    "Problem duration: 11m 32s\nHost: ACME-SRV01\nSeverity: High\nOriginal problem ID: 184467\n"
)
UPTIMEROBOT = (
    "UptimeRobot\tGo to monitor\nACME Portal is down.\nHello Valery,\n\nWe just detected an incident.\n\n"
    "Monitor name\nACME Portal\nChecked URL\nhttps://portal.acme.example\nRoot cause\nConnection Timeout\n"
    "Incident started at\n2026-11-23 07:42:10"
)
VEEAM = (
    "Backup job: ACME Daily Servers\nCreated by ACME\\veeam at 1/3/2026 9:00 AM.\nFailed\n1 of 3 VMs processed\n"
    "Monday, November 23, 2026 1:00:14 AM\nSuccess 2\nWarning 0\nError 1\nDetails\n"
    "ACME-SQL Failed 1:00:20 AM 1:09:02 AM 120 GB 0 B 0 B 0:08:42 Error: VSSControl: guest freeze\n"
    "Veeam Backup & Replication 12.3.0.310"
)
VEEAM_OK = (
    "Backup job: ACME Daily Servers\nSuccess\n3 of 3 VMs processed\nError 0\nVeeam Backup & Replication 12.3.0.310"
)
PRTG = (
    "Sensor Ping (https://prtg.acme-msp.example/sensor.htm?id=2204)\nDevice acme-fw01 (10.20.0.1)\nStatus: {status}\n"
    "Last Message: Request timed out (ICMP error # 11010)\nDate/Time: 11/23/2026 7:42:10 AM\nGroup: ACME\n"
)
ALERTMANAGER = (
    "1 alert for\n  alertname=HostDown\n  client=acme\n\nView in Alertmanager\n\n[1] {state}\n\nLabels\n"
    "alertname = HostDown\nclient = acme\ninstance = acme-srv01:9100\njob = node\nseverity = critical\nAnnotations\n"
    "summary = acme-srv01 is not answering\nSource\n\nSent by Alertmanager"
)
LABELS = "alertmanager:alertname = hostdown client = acme instance = acme-srv01:9100 job = node severity = critical"


def mail(sender: str, subject: str, text: str, *headers: str) -> Reading:
    head = "\n".join((f"From: {sender}", f"Subject: {subject}", "Message-ID: <x@acme.example>", *headers))
    return read(f"{head}\nContent-Type: text/plain; charset=utf-8\n\n{text}".encode(), SHIPPED)


def fixture(name: str) -> Reading:
    return read((MAILS / f"{name}.eml").read_bytes(), SHIPPED)


@pytest.mark.parametrize(
    ("sender", "subject", "text", "state", "severity", "key"),
    [
        ("zabbix@m.example", "Problem: Unavailable by ICMP ping", ZABBIX, "problem", "high", "zabbix:184467"),
        ("zabbix@m.example", "Resolved in 11m 32s: Unavailable", ZABBIX_OVER, "recovery", "high", "zabbix:184467"),
        ("zabbix@m.example", "Resolved: Unavailable", ZABBIX_OVER, "recovery", "high", "zabbix:184467"),
        ("zabbix@m.example", "Updated problem in 5m: Unavailable", ZABBIX, "update", "high", "zabbix:184467"),
        ("alert@uptimerobot.com", "Monitor is DOWN: ACME Portal", UPTIMEROBOT, "problem", "high", "uptimerobot:acme portal"),
        ("alert@uptimerobot.com", "Monitor is UP: ACME Portal", UPTIMEROBOT, "recovery", "high", "uptimerobot:acme portal"),
        ("veeam@acme.example", "[Failed] ACME Daily Servers (3 objects) 1 failed", VEEAM, "problem", "high", "veeam:veeam@acme.example/acme daily servers"),
        ("veeam@acme.example", "[Success] ACME Daily Servers (3 objects)", VEEAM_OK, "recovery", "medium", "veeam:veeam@acme.example/acme daily servers"),
        ("prtg@m.example", "[PRTG] fw Ping Down", PRTG.format(status="Down"), "problem", "high", "prtg:2204"),
        ("prtg@m.example", "[PRTG] fw Ping", PRTG.format(status="Down ended (now: Up)"), "recovery", "medium", "prtg:2204"),
        ("prtg@m.example", "[PRTG] fw Ping", PRTG.format(status="Down ended (now: Warning)"), "update", "high", "prtg:2204"),
        ("prtg@m.example", "[PRTG] fw Ping", PRTG.format(status="Down ESCALATION"), "update", "high", "prtg:2204"),
        ("am@m.example", "[FIRING:1] HostDown acme ", ALERTMANAGER.format(state="Firing"), "problem", "high", LABELS),
        ("am@m.example", "[RESOLVED] HostDown acme", ALERTMANAGER.format(state="Resolved"), "recovery", "high", LABELS),
        ("zabbix@m.example", "[EXTERNAL] Problem: Unavailable", ZABBIX.replace(": ", ":\u00a0"), "problem", "high", "zabbix:184467"),
    ],
)  # fmt: skip
def test_the_tools_own_mails(sender: str, subject: str, text: str, state: str, severity: str, key: str) -> None:
    """N.1: problem, recovery and update of one trouble carry one key, the monitor's state and its severity."""
    reading = mail(sender, subject, text, "Auto-Submitted: auto-generated", "List-Unsubscribe: <https://x.example>")
    assert (reading.kind, reading.automatic) == (Kind.ALERT, "auto-submitted")
    assert [(e.state, e.severity, e.key) for e in reading.events] == [(state, severity, key)]


def test_zabbix_in_html() -> None:
    """S0.2: Zabbix's HTML mail says as much as its text one; a restarted server is "rebooted", an outage."""
    (event,) = fixture("zabbix-restarted").events
    assert (event.symptom, event.class_, event.severity, event.key) == (
        "rebooted",
        Class.OUTAGE,
        Severity.LOW,
        "zabbix:184467",
    )
    wanted = {"host": "ACME-SRV01", "started": "07:42:10 on 2026.11.23", "event_id": "184467"}
    assert wanted.items() <= event.fields.items()
    assert event.fields["service"] == "Windows: ACME-SRV01 has been restarted (uptime < 10m)"


def test_alertmanager_in_html_is_many_events() -> None:
    """One mail of a group holds firing and resolved alerts; each is an event with its own labels as key."""
    first, second = fixture("alertmanager-group").events
    assert (first.state, first.fields["host"], first.fields["group"]) == (State.PROBLEM, "acme-srv01", "acme")
    assert (second.state, second.fields["host"]) == (State.RECOVERY, "acme-srv02")
    assert first.fields["url"] == "https://prom.acme-msp.example/graph?g0=up"
    assert first.key != second.key


@pytest.mark.parametrize(
    ("name", "key", "fields"),
    [
        ("uptimerobot-down", "uptimerobot:acme portal", {"host": "portal.acme.example", "detail": "Connection Timeout"}),
        ("veeam-failed", "veeam:veeam@acme.example/acme daily servers", {"host": "ACME-SQL", "service": "ACME Daily Servers"}),
        ("prtg-down", "prtg:2204", {"host": "acme-fw01", "service": "Ping", "group": "ACME"}),
    ],
)  # fmt: skip
def test_html_only_mails(name: str, key: str, fields: dict[str, str]) -> None:
    """Tools that send only HTML are read as well as in text."""
    (event,) = fixture(name).events
    assert event.key == key
    assert fields.items() <= event.fields.items()


def test_uptimerobot_looks_from_outside() -> None:
    """S4.5: an external monitor is known as such."""
    (event,) = fixture("uptimerobot-down").events
    assert event.external


FORWARDS = {
    "gmail": "FYI\n\n---------- Forwarded message ---------\nFrom: {sender}\nDate: Mon\nSubject: {subject}\nTo: <a@b.example>\n\n\n{text}",
    "outlook": "Please look.\n\nFrom: {sender}\nSent: Monday\nTo: john\nSubject: {subject}\n\n{text}",
    "outlook-bare": "From: {sender}\nSent: Monday\nTo: john\nSubject: {subject}\n\n{text}",
    "apple": "Begin forwarded message:\n\nFrom: {sender}\nSubject: {subject}\n\n{text}",
    "quoted": "On Mon, 23 Nov 2026 at 07:42, x <x@y.example> wrote:\n> {text}",
    "german": "zur Info\n\n-----Ursprüngliche Nachricht-----\nVon: {sender}\nBetreff: {subject}\n\n{text}",
}  # fmt: skip
TOOLS = [
    ("zabbix@m.example", "Problem: Unavailable", ZABBIX),
    ("alert@uptimerobot.com", "Monitor is DOWN: ACME Portal", UPTIMEROBOT),
    ("veeam@acme.example", "[Failed] ACME Daily Servers (3 objects) 1 failed", VEEAM),
    ("prtg@m.example", "[PRTG] fw Ping Down", PRTG.format(status="Down")),
    ("am@m.example", "[FIRING:1] HostDown", ALERTMANAGER.format(state="Firing")),
]


@pytest.mark.parametrize(("sender", "subject", "text"), TOOLS)
@pytest.mark.parametrize("form", FORWARDS)
def test_a_persons_forward_is_no_alert(sender: str, subject: str, text: str, form: str) -> None:
    """A client who forwards an alert writes a client mail, in every mail program's manner of forwarding."""
    body = FORWARDS[form].format(
        sender=sender, subject=subject, text=text.replace("\n", "\n> ") if form == "quoted" else text
    )
    reading = mail("John <john@acme.example>", f"FW: {subject}", body)
    assert (reading.kind, reading.rule, reading.events) == (Kind.UNKNOWN, "no-recipe", ())


@pytest.mark.parametrize(
    "frame",
    [
        '<div>Bin dran.</div><br><div class="gmail_quote"><div class="gmail_attr">Am Mo., 23. Nov. 2026 um 07:42 schrieb AM '
        "&lt;am@m.example&gt;:<br></div><blockquote class='gmail_quote'>{text}</blockquote></div>",
        '<p>I am on it</p><blockquote type="cite">{text}</blockquote>',
        '<div>FYI</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> AM<br><b>Sent:</b> Monday<br>'
        "<b>To:</b> x<br><b>Subject:</b> [FIRING:1] HostDown</div><div>{text}</div>",
    ],
)
def test_a_colleagues_html_answer_is_no_alert(frame: str) -> None:
    """An answer in HTML to an alert, in any language's manner of quoting, is a person's mail."""
    text = (MAILS / "alertmanager-group.eml").read_text("utf-8").partition("\n\n")[2]
    raw = f"From: Paul <paul@msp.example>\nSubject: AW: [FIRING:1] HostDown\nContent-Type: text/html\n\n{frame.format(text=text)}"
    reading = read(raw.encode(), SHIPPED)
    assert (reading.kind, reading.rule) == (Kind.UNKNOWN, "no-recipe")


def test_an_out_of_office_quoting_an_alert_is_no_alert() -> None:
    """The answering machine of the address that alerts go to is told apart first."""
    reading = mail("zabbix@m.example", "Automatic reply: Problem: Unavailable", ZABBIX)
    assert (reading.kind, reading.rule) == (Kind.AUTO_REPLY, "out-of-office-subject")


@pytest.mark.parametrize(
    ("sender", "subject", "text"),
    [
        ("news@vendor.example", "Problem: your firewall is old", "Buy a new one. Host: yours. Severity: High"),
        ("alert@uptimerobot.com", "Your monthly report", "Monitor name\nACME Portal"),
        ("john@acme.example", "Monitor is DOWN: my screen", "It is black."),
        ("john@acme.example", "[Failed] to log in", "Backup job: what is that? Failed."),
    ],
)
def test_what_only_sounds_like_an_alert(sender: str, subject: str, text: str) -> None:
    """Newsletters, reports and people's words match nothing."""
    assert mail(sender, subject, text).kind is Kind.UNKNOWN


def test_a_success_mail_is_no_trouble() -> None:
    """Veeam's success says "Error 0" and is a recovery all the same."""
    (event,) = mail("veeam@acme.example", "[Success] ACME Daily Servers (3 objects)", VEEAM_OK).events
    assert event.state is State.RECOVERY


def test_an_alert_without_key_is_not_guessed() -> None:
    """A mail that is surely the tool's but names nothing goes to a person, with a defect."""
    reading = mail("zabbix@m.example", "Problem: x", "Problem started at 07:42:10 on 2026.11.23\nnothing more")
    assert (reading.kind, reading.rule) == (Kind.UNKNOWN, "recipe-without-key")
    assert "looks like Zabbix, but recipe zabbix found no key in it" in reading.defects


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("RE: FW: [EXTERNAL] Problem: x", "Problem: x"),
        ("AW: WG: Problem", "Problem"),
        ("[External Email] Re[2]: x", "x"),
        ("[ EXTERNAL ] ***EXTERNAL*** {EXTERNAL} <EXTERNAL> x", "x"),
        ("External Email: EXT: [Warning: External] [SUSPECTED SPAM] x", "x"),
        ("Antw.: Antwort: RIF: Doorst.: [Message externe] x", "x"),
        ("[Extranet] is down", "[Extranet] is down"),
        ("[EXT]** PROBLEM", "** PROBLEM"),
        ("Resolved:\u00a0x", "Resolved: x"),
        ("Recovery: x", "Recovery: x"),
        ("[Failed] x", "[Failed] x"),
    ],
)
def test_subjects_are_normalised(raw: str, plain: str) -> None:
    """Prefixes of replies, forwards and gateways are taken off, other words stay."""
    assert normal_subject(raw) == plain


def events(recipe: str, raw: str) -> tuple[Event, ...]:
    recipes = parse_recipes({"tool": f'tool = "T"\nrecovery = "never"\n{recipe}'})
    return read(raw.encode(), recipes).events


def test_sections_of_one_mail() -> None:
    """TrueNAS: the section says whether an alert is new or cleared, each line of it is an event, a header the host."""
    recipe = r"""
class = "warning"
state = "info"
key = ["{host}/{alert}"]
[match]
headers = {X-TrueNAS-Host = ''}
[extract]
host = {header = "X-TrueNAS-Host"}
[[split]]
from = '^New alerts:'
until = '^(?:Current alerts|The following alerts? ha)'
each = '^\* (?P<alert>.+)$'
state = "problem"
[[split]]
from = '^The following alerts? ha(?:s|ve) been cleared:'
until = '^Current alerts:'
each = '^\* (?P<alert>.+)$'
state = "recovery"
"""
    raw = (
        "From: root@nas.example\nX-TrueNAS-Host: nas\nSubject: TrueNAS nas: Alerts\n\nNew alerts:\n* Pool a\n* Pool b\n\n"
        "The following alert has been cleared:\n* Pool c\n\nCurrent alerts:\n* Pool a\n* Pool b\n* Pool d\n"
    )
    assert [(e.state.value, e.key) for e in events(recipe, raw)] == [
        ("problem", "tool:nas/pool a"),
        ("problem", "tool:nas/pool b"),
        ("recovery", "tool:nas/pool c"),
    ]


def test_log_lines_as_events() -> None:
    """FortiGate: several key=value lines in one mail, quoted or not, old names of keys as a second source."""
    recipe = r"""
class = "security"
state = "problem"
key = ["{host}/{id}"]
severity = [{is = "critical", when = {level = '^(?:emergency|alert)$'}}, {is = "high", when = {level = '^critical$'}}]
[match]
start = ['\bdate=\d{4}-\d\d-\d\d time=']
[[split]]
at = '^date='
[extract]
host = [{body = '\bdevname="?([^"\s]+)'}, {body = '\bdevice_id="?([^"\s]+)'}]
id = {body = '\b(?:logid|log_id)="?(\d+)'}
level = {body = '\b(?:level|pri)="?(\w+)'}
"""
    raw = (
        "From: f@x.example\nSubject: Message meets Alert condition\n\nMessage meets Alert condition\n"
        'date=2026-11-23 time=07:42:10 devname=FGT logid="0100032002" level="critical"\n'
        "date=2026-11-23 time=07:42:11 device_id=FGT2 log_id=7 pri=alert\n"
    )
    assert [(e.severity.value, e.key) for e in events(recipe, raw)] == [
        ("high", "tool:fgt/0100032002"),
        ("critical", "tool:fgt2/7"),
    ]


def test_labels_above_values_and_refined_fields() -> None:
    """Azure's values stand on the next line; a field may be taken out of another; a default fills what is missing."""
    recipe = r"""
class = "outage"
key = ["{rule|without_numbers}/{short}/{site}"]
state = [{is = "recovery", when = {condition = '^Resolved$'}}, {is = "problem"}]
severity = [{is = "info", when = {state = '^recovery$'}}, {is = "high"}]
defaults = {site = "main"}
[match]
sender = ['@azure\.example$']
name = ['^Azure$']
[extract]
rule = {label = ["Alert name", "Rule"], also = "next_line"}
condition = {label = "Monitor condition", also = "next_line"}
host = {label = "Affected resource", also = "next_line"}
short = {field = "host", pattern = '^([^.]+)'}
node = {sender = '@(.+)$'}
"""
    raw = "From: Azure <x@azure.example>\n\nAlert name\nCPU above 95.5\nMonitor condition\nResolved\nAffected resource\nDC02.acme.example"
    (event,) = events(recipe, raw)
    assert (event.key, event.state, event.severity) == ("tool:cpu above #/dc02/main", State.RECOVERY, Severity.INFO)
    assert event.fields["node"] == "azure.example"


def test_long_keys_stay_apart() -> None:
    """Two keys that differ only behind the cut are still two."""
    recipe = 'class = "outage"\nstate = "problem"\nkey = ["{x}"]\nmatch = {start = [\'^x\']}\nextract = {x = {body = \'^x (.+)$\'}}'
    first, second = (events(recipe, f"From: a@b.example\n\nx {'y' * 900}{n}")[0].key for n in (1, 2))
    assert first != second
    assert len(first) < 600
