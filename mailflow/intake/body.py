"""Which parts of a mail are what its author wrote, and which are attachments.

The text is every inline text/plain part (an answer typed below a picture is a second one), the HTML likewise; never
what was attached, forwarded as a message, or stands in a report.
"""

from dataclasses import dataclass

from mailflow.intake.charset import printable
from mailflow.intake.parse import Message, Part

MAX_BODIES = 20  # inline text parts of one kind; an Apple mail has one more than it has pictures
MAX_ATTACHMENTS = 100
MAX_FILENAME = 255

_ENCLOSED = {"message/rfc822": "(attached message)", "message/global": "(attached message)"}
_REPORTS = frozenset({"message/delivery-status", "message/disposition-notification", "text/rfc822-headers"})
# Text that is meant for programs; any other text/* reads as plain text (RFC 2046 4.1.4).
_NO_TEXT = frozenset(
    {"text/calendar", "text/vcard", "text/x-vcard", "text/directory", "text/css", "text/xml", "text/csv"}
)
_SIGNATURES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"})
_SEALED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"})
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})


@dataclass(frozen=True, kw_only=True)
class Body:
    """What a mail's author wrote, and the names of what came with it."""

    plain: str = ""
    html: str = ""
    flowed: bool = False  # RFC 3676
    delsp: bool = False
    attachments: tuple[str, ...] = ()


def body(message: Message, defects: list[str]) -> Body:
    """Find the text, the HTML and the attachments' names."""
    plain: list[Part] = []
    html: list[Part] = []
    other: list[Part] = []
    names: list[str] = []
    for part in message.parts:
        if _is_attached(part, single=len(message.parts) == 1):
            if len(names) < MAX_ATTACHMENTS and (name := _shown_name(part, defects)):
                names.append(name)
        elif part.type == "text/html":
            html.append(part)
        elif part.type == "text/plain":
            plain.append(part)
        else:
            other.append(part)
    if not plain and not html:
        plain = other[:1]
    if not plain and not html:
        _explain(message, defects)
    first = plain[0].parameters if plain else {}
    return Body(
        plain="\n".join(p.text(defects) for p in plain[:MAX_BODIES]),
        html="\n".join(p.text(defects) for p in html[:MAX_BODIES]),
        flowed=first.get("format", "").strip().casefold() == "flowed",
        delsp=first.get("delsp", "").strip().casefold() == "yes",
        attachments=tuple(names),
    )


def _is_attached(part: Part, *, single: bool) -> bool:
    """Whether a part is something enclosed. The only part of a mail is its text, whatever it is called."""
    if not part.type.startswith("text/") or part.type in _NO_TEXT or part.type in _REPORTS:
        return True
    if part.disposition == "attachment":
        return not single or bool(part.filename)
    return bool(part.filename) and not single


def _shown_name(part: Part, defects: list[str]) -> str:
    if part.type in _SIGNATURES or part.type in _REPORTS:
        return ""
    name = printable(part.filename, defects, "a file name").replace("\\", "/").rpartition("/")[2]
    return name[:MAX_FILENAME] or _ENCLOSED.get(part.type, "")


def _explain(message: Message, defects: list[str]) -> None:
    """Why there is no text."""
    kinds = {p.type for p in message.parts} | {message.type}
    if kinds & _TNEF:
        defects.append("winmail.dat only: the text is inside Outlook's own format")
    elif kinds & _SEALED:
        defects.append("encrypted or sealed (S/MIME, PGP): the text cannot be read")
    else:
        defects.append("no text part")
