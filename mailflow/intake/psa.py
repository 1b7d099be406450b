"""The ticket token of a client's own helpdesk or PSA in a subject, for our reply to keep, so that it finds its ticket.

Promises: a token comes back exactly as it was written, or "" where none stands. A bare number is never one: each form
below is one that such a system is known to write. Our own references (INC-2041) are never taken for a token.
"""

import re

MAX_SUBJECT = 1000  # characters; RFC 5322 2.1.1 allows 998 in a line
MIN_BARE = 3  # digits of a number that only "[#…]" or "Ticket #…" vouches for: "[#1] priority" is prose

_BARE = rf"\d{{{MIN_BARE},18}}"
# Projects that are a helpdesk by their name; others' keys are believed in brackets alone.
_DESKS = r"(?:ITSM|ITSD|ITS|ITH|ITHELP|SD|SUP|SUPPORT|HELP|HELPDESK|HD|DESK|SERVICEDESK|TICKET)"
# What has the shape of a project's key, and is a reference of ours, a document, a place or a version.
_NO_PROJECT = (
    r"(?!(?:INC|PO|INV|INVOICE|ORDER|ORD|SO|QUOTE|CVE|ISO|IEC|RFC|EN|DIN|KB|MS|COVID|CV|UTC|GMT|WIN|WINDOWS|OFFICE"
    r"|SERVER|SQL|VLAN|RAID|USB|SHA|AES|TLS|HTTP|FY|Q[1-4]|H[12]|[A-Z]?\d{1,2})-)"
)
_YEAR = r"(?!(?:19|20)\d\d\b)"

# Best first: the most telling form wins where a subject holds two.
_FORMS = tuple(
    re.compile(form)
    for form in (
        # Autotask: T, the day, a running number.
        r"(?<![\w.-])T20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\.\d{4,5}(?![\w-]|\.\d)",
        # ServiceNow: its table's prefix and seven digits or more, never a hyphen.
        r"(?<![\w.-])(?:INC|RITM|REQ|SCTASK|CTASK|TASK|CHG|PRB|CS|HRC)\d{7,10}(?![\w-]|\.\d)",
        # ConnectWise "Ticket #123456", Atera, Spiceworks and osTicket "[Ticket #12345]", OTRS, Znuny and Zammad
        # "[Ticket#2026112310000011]", Syncro "Ticket #1234", Kaseya BMS "[Ticket# 12345]", FreeScout "[Case #1234]".
        rf"(?i)\[(?:service[ -]?)?(?:ticket|case|request|incident|support|vorgang|zaak|melding|anfrage|demande)"
        rf"(?:[ -]?(?:id|no\.?|nr\.?|number|nummer))? ?[#:]{{1,2}} ?(?!INC-)(?:[A-Z]{{1,6}}-?)?{_BARE}\]",
        # HaloPSA and Atera, in brackets or bare.
        r"(?i)\[(?:ticket )?ID: ?#?\d{4,10}\]",
        # ManageEngine and SolarWinds.
        r"(?i)\[?(?:request ?id ?: ?)?##(?!INC-)(?:[A-Z]{1,6}-)?\d{2,12}##\]?",
        # Salesforce.
        r"\[? ?ref:[!_]?00D\w{5,24}\.[!_]?500\w{5,24}:ref ?\]?",
        # Freshdesk "[#TIC-1234]", "[#1234]"; osTicket "[#123456]"; HappyFox "[#HF00001234]".
        rf"(?i)\[#(?!INC-)(?:[A-Z]{{2,8}}-?)?{_BARE}\]",
        # RT: the name of the instance, mostly its domain.
        r"(?i)\[(?:[a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,40}){0,3}\.[a-z]{2,20}|rt|it|support|help|helpdesk|servicedesk)"
        r" #\d{1,10}\]",
        # Zendesk: two groups of letters and digits, of which at least one has both: "[SERVER-2022]" is none.
        r"\[(?!WIN|COVID)(?:(?=\d{0,5}[A-Z])(?=[A-Z]{0,5}\d)[A-Z0-9]{5,6}-[A-Z0-9]{3,4}"
        r"|[A-Z0-9]{5,6}-(?=\d{0,3}[A-Z])(?=[A-Z]{0,3}\d)[A-Z0-9]{3,4})\]",
        # Jira Service Management: a project's key, in brackets, or at the start where it can be nothing else.
        rf"[\[(]{_DESKS}-\d{{1,7}}[\])]",
        rf"[\[(]{_NO_PROJECT}[A-Z][A-Z0-9]{{1,9}}-{_YEAR}\d{{1,7}}[\])]",
        rf"(?<![\w.-]){_DESKS}-\d{{1,7}}(?![\w-]|\.\d)",
        # The same words without brackets.
        rf"(?i)(?<![\w-])(?:service )?ticket(?: ?(?:id|no\.?|nr\.?|number|nummer))? ?# ?{_BARE}(?![\w-]|[.,]\d)",
        r"(?i)(?<![\w-])ticket(?: ?(?:id|no\.?|nr\.?|number|nummer))?: ?#?\d{5,16}(?![\w-]|[.,]\d)",
        r"(?<![\w-])ID: ?\d{7,8}(?![\w-]|[.,]\d)",
    )
)
# "Parking ticket #4711": a ticket, but nobody's helpdesk.
_OTHER_TICKET = re.compile(r"(?i)\b(?:parking|concert|train|flight|bus|lottery|speeding|theatre|theater|ski)[ -]$")


def psa_token(subject: str) -> str:
    """The token as it stands in the subject, brackets included; "" where there is none."""
    subject = subject[:MAX_SUBJECT]
    for form in _FORMS:
        for found in form.finditer(subject):
            if not _OTHER_TICKET.search(subject[max(0, found.start() - 12) : found.start()]):
                return found[0].strip()
    return ""
