"""How people's mail programs answer a mail: what Outlook desktop and Gmail really put on the wire."""

import email
import email.policy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from html import escape

POLICY = email.policy.SMTP


@dataclass(frozen=True, kw_only=True)
class Received:
    """A mail as it lies in a person's mailbox."""

    message: EmailMessage

    @property
    def text(self) -> str:
        """Its text part."""
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part else ""

    @property
    def html(self) -> str:
        """Its HTML part."""
        part = self.message.get_body(("html",))
        return str(part.get_content()) if part else ""

    @property
    def subject(self) -> str:
        """Its subject."""
        return str(self.message["Subject"])


def received(raw: bytes) -> Received:
    """Parse a mail of our own making (so the lenient policy of the standard library will do)."""
    message = email.message_from_bytes(raw, policy=POLICY)
    assert isinstance(message, EmailMessage)
    return Received(message=message)


def write_mail(sender: str, recipient: str, subject: str, text: str, at: datetime) -> bytes:
    """A plain new mail."""
    message = EmailMessage(policy=POLICY)
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].partition("@")[2])
    message.set_content(text)
    return message.as_bytes()


def gmail_on_top(mail: Received, sender: str, text: str, at: datetime) -> bytes:
    """Gmail: the answer on top, the whole mail quoted below an attribution line."""
    name = str(mail.message["From"])
    attribution = f"On {at:%a, %b} {at.day}, {at.year} at {at:%I:%M}\u202f{at:%p} {name} wrote:"
    plain = f"{text}\n\n{attribution}\n\n" + "".join(f"> {line}".rstrip() + "\n" for line in mail.text.splitlines())
    paragraphs = "".join(f"<div>{escape(line) or '<br>'}</div>" for line in text.splitlines())
    html = (
        f'<div dir="ltr">{paragraphs}</div><br><div class="gmail_quote gmail_quote_container">'
        f'<div dir="ltr" class="gmail_attr">{escape(attribution)}<br></div>'
        '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid '
        f'rgb(204,204,204);padding-left:1ex">{_body_of(mail.html)}</blockquote></div>'
    )
    return _reply(mail, sender, plain, html, at)


def outlook_inline(mail: Received, sender: str, answers: Mapping[int, str], at: datetime) -> bytes:
    """Outlook desktop: typed between the lines of the quoted mail, and nothing marks what was typed."""
    head = (
        ("From", str(mail.message["From"])),
        ("Sent", f"{at:%A, %B} {at.day}, {at.year} {at:%I:%M %p}"),
        ("To", str(mail.message["To"])),
        ("Subject", mail.subject),
    )
    lines: list[str] = []
    for line in mail.text.splitlines():
        lines.append(line)
        number = line.strip().removeprefix("[").partition("]")[0]
        if number.isdigit() and line.startswith("[") and int(number) in answers:
            lines.extend(answers[int(number)].splitlines())
    plain = "\n" + "".join(f"{k}: {v}\n" for k, v in head) + "\n" + "\n\n".join(lines) + "\n"
    header = "<br>".join(f"<b>{k}:</b> {escape(v)}" for k, v in head)
    paragraphs = "".join(f'<p class="MsoNormal">{escape(line) or "<o:p>&nbsp;</o:p>"}</p>\n' for line in lines)
    html = (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><body lang="EN-US"><div class="WordSection1">'
        '<p class="MsoNormal"><o:p>&nbsp;</o:p></p>'
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in">'
        f'<p class="MsoNormal">{header}</p></div>{paragraphs}</div></body></html>'
    )
    return _reply(mail, sender, plain, html, at)


def _reply(mail: Received, sender: str, plain: str, html: str, at: datetime) -> bytes:
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    message["To"] = str(mail.message["Reply-To"] or mail.message["From"])
    message["Subject"] = mail.subject if mail.subject.startswith("Re:") else f"Re: {mail.subject}"
    message["Date"] = format_datetime(at)
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].partition("@")[2])
    message["In-Reply-To"] = str(mail.message["Message-ID"])
    before = str(mail.message["References"] or "")
    message["References"] = f"{before} {mail.message['Message-ID']}".strip()
    message.set_content(plain)
    message.add_alternative(html, subtype="html")
    return message.as_bytes()


def _body_of(html: str) -> str:
    """What stands inside <body>."""
    inner = html.partition("<body")[2].partition(">")[2].rpartition("</body>")[0]
    return inner or html
