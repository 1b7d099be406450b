"""A person's name as an export has it, and the first name that a letter may greet by.

Capitals and turned names are mended. Where it is doubtful what the person is called, no first name is given and the
doubt is said: "Hello J." or "Hello Reception" must reach nobody.
"""

import re
from dataclasses import dataclass

# fmt: off
TITLES = frozenset({
    "dhr", "dr", "drs", "frau", "herr", "ing", "ir", "madam", "mevr", "mevrouw", "miss", "mlle", "mme", "mr", "mrs",
    "ms", "mx", "prof", "professor", "rev", "sir",
})
SUFFIXES = frozenset({"bsc", "cpa", "esq", "ii", "iii", "iv", "jr", "mba", "md", "msc", "phd", "sr"})
# Parts of last names that stay small when capitals are mended.
PARTICLES = frozenset({"bin", "da", "de", "den", "der", "di", "du", "la", "le", "te", "ten", "ter", "van", "von"})
# Words of desks, rooms and machines, where a person's name should begin; some are last names too.
NOBODY = frozenset({
    "accounting", "accounts", "admin", "administration", "administrator", "alerts", "ap", "ar", "billing", "boardroom",
    "company", "conference", "contact", "copier", "customer", "default", "department", "dept", "desk", "director",
    "email", "enquiries", "everyone", "fax", "finance", "front", "general", "guest", "hello", "help", "helpdesk",
    "hr", "info", "information", "inquiries", "invoices", "it", "mailbox", "main", "management", "manager",
    "monitoring", "noc", "none", "noreply", "office", "operations", "orders", "owner", "payroll", "postmaster",
    "printer", "purchasing", "reception", "receptionist", "room", "sales", "scanner", "secretary", "security",
    "server", "service", "servicedesk", "shared", "shop", "staff", "support", "team", "technical", "temp", "test",
    "training", "unknown", "user", "voicemail", "warehouse", "webmaster",
})
# Those that are nobody's last name.
NEVER_A_PERSON = frozenset({
    "department", "dept", "helpdesk", "mailbox", "printer", "reception", "scanner", "servicedesk", "team", "voicemail",
})
# fmt: on
INITIALS = re.compile(r"(?:[^\W\d_]\.?|(?:[^\W\d_]\.)+)")  # "J", "J.", "J.R."
SEVERAL = re.compile(r"[&/+;]|\b(?:and|und|en|et)\b", re.IGNORECASE)
PLACEHOLDERS = frozenset({"-", "--", "n/a", "na", "none", "null", "unknown", "tbc", "tbd", ".", "?"})


@dataclass(frozen=True, kw_only=True)
class Greeting:
    """A person's whole name, what a letter calls them, and why it must not where that is doubtful."""

    name: str
    first_name: str
    doubt: str = ""


def greeting(*, full: str = "", first: str = "", last: str = "", client: str = "") -> Greeting:
    """The name that these cells give; a first and a last name count for more than the whole one."""
    first, last, full = _cell(first), _cell(last), _cell(full)
    if first and not last and "," in first:  # "Harper, John" in the wrong column
        first, full = "", first
    if first or last:
        if first.isupper() and last and not last.isupper() and len(first) <= 2:
            pass  # "JP Harper" is what he is called
        else:
            first = _mended(first)
        last = _mended(last, last=True)
        called, titled = _without_title(first)
        name = " ".join(filter(None, (first, last)))
    else:
        name = _mended(_turned(full))
        bare, titled = _without_title(name)
        words = bare.split()
        called = words[0] if words else ""
        if len([word for word in words if not _is_suffix(word)]) == 1 and not _doubt(bare, called, client):
            why = "only a title and a last name" if titled else "one word, and perhaps a last name"
            return Greeting(name=name, first_name="", doubt=why)
    doubt = _doubt(name, called, client) or ("" if called else "a title alone" if titled else "no first name")
    return Greeting(name=name, first_name="" if doubt else called, doubt=doubt)


def _cell(text: str) -> str:
    text = " ".join(text.split())
    return "" if text.casefold() in PLACEHOLDERS else text


def _turned(full: str) -> str:
    """ "Harper, John" as "John Harper"; "John Harper, MD" stays."""
    before, comma, after = full.partition(",")
    if not comma or "," in after or not after.strip() or all(_is_suffix(word) for word in after.split()):
        return full
    return f"{after.strip()} {before.strip()}".strip()


def _is_suffix(word: str) -> bool:
    return word.strip(".,").replace(".", "").casefold() in SUFFIXES


def _mended(name: str, *, last: bool = False) -> str:
    """A name all in capitals, or all without, as names are written."""
    if not (name.isupper() or name.islower()) or "@" in name or INITIALS.fullmatch(name):
        return name
    words = name.split(" ")
    return " ".join(
        word.lower()
        if (at or last) and at < len(words) - 1 and word.lower() in PARTICLES
        else "".join(part.capitalize() for part in re.split(r"([-'’.])", word))
        for at, word in enumerate(words)
    )


def _without_title(name: str) -> tuple[str, bool]:
    words = name.split()
    count = 0
    while count < len(words) and words[count].strip(".,").casefold() in TITLES:
        count += 1
    return " ".join(words[count:]), count > 0


def _doubt(name: str, called: str, client: str) -> str:
    """Why a letter should not greet by this, or nothing."""
    words = [word.strip(".,()-").casefold() for word in name.split()]
    if "@" in name:
        return "an address stands where the name should"
    if client and name.casefold() == client.casefold():
        return "the client's name stands where the person's should"
    if set(words[:1]) & NOBODY or set(words) & NEVER_A_PERSON:
        return "a desk or a machine, not a person"
    if not called:
        return ""
    if SEVERAL.search(called) or SEVERAL.search(name):
        return "more than one person"
    if INITIALS.fullmatch(called.split(maxsplit=1)[0]):
        return "only an initial"
    if not called[0].isalpha() or any(c.isdigit() for c in called):
        return "not a first name"
    return ""
