"""How mail programs answer a form: the mail as it was sent and a dict of answers -> the reply's bytes.

A person's doing (`Draft`) and a program's (`CLIENTS`) are apart: the same answers, typed in the same way, come out of
each program as that program writes them, in its interface's language.
"""

import email
import email.policy
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.message import EmailMessage
from html import escape, unescape

from tests.intake.reply_words import INTERFACES, Interface

PERSON = "Paul Jones <paul@msp.example>"
WRAPPED, FLOWED = 76, 72  # columns: Gmail's text part, Thunderbird's lines
STYLES = ("top", "inline", "behind", "below", "mixed")
LABELLINGS = ("worded", "bracket", "bare")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A paragraph of the quoted mail, or what was typed between."""

    lines: tuple[str, ...]
    quoted: bool
    html: str = ""  # as it was sent; empty where it was typed or changed


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A reply as typed: above the quote, the quote with what stands between, below it, and the signature's lines."""

    top: tuple[str, ...] = ()
    body: tuple[Block, ...]
    below: tuple[str, ...] = ()
    signature: tuple[str, ...] = ()
    marked_signature: bool = False  # set up in the program, instead of typed
    who: str
    recipient: str
    subject: str

    @property
    def name(self) -> str:
        """Who sent the form, without the address."""
        return self.who.partition(" <")[0].strip('"')


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a program makes of a draft."""

    text: str = ""
    html: str = ""
    flowed: bool = False
    charset: str = "utf-8"
    cte: str = "quoted-printable"


def reply(
    sent: bytes,
    client: str,
    answers: Mapping[int, str],
    *,
    style: str = "top",
    labelling: str = "worded",
    language: str = "en",
    first: str = "",
    signature: tuple[str, ...] = (),
    marked_signature: bool = False,
    last: tuple[str, ...] = (),
    parts: str = "both",
) -> bytes:
    """A program's reply to the form `sent`; `first` is a line above everything else, `last` are lines below it."""
    form = email.message_from_bytes(sent, policy=email.policy.SMTP)
    assert isinstance(form, EmailMessage)
    draft = typed(form, answers, style=style, labelling=labelling, first=first, apart=client not in AS_TEXT)
    draft = replace(
        draft,
        below=(*draft.below, *(["", *last] if last else [])),
        signature=signature,
        marked_signature=marked_signature,
    )
    return _mail(form, CLIENTS[client](draft, INTERFACES[language]), parts)


# --- what the person types ---


def typed(
    form: EmailMessage, answers: Mapping[int, str], *, style: str, labelling: str, first: str, apart: bool
) -> Draft:
    """The draft of somebody who answers in this style. `apart`: the program quotes the HTML part, not the text."""
    blocks = _paragraphs(form) if apart else _text_lines(form)
    labels = {int(m[1]): b.lines[0] for b in blocks if (m := re.match(r"\[(\d+)\] ", b.lines[0]))}
    above = list(answers) if style == "top" else list(answers)[:2] if style == "mixed" else []
    below = list(answers) if style == "below" else []
    between = {n: a for n, a in answers.items() if n not in {*above, *below}}
    top = [first, ""] if first else []
    for n in above:
        top += [*_labelled(labels[n], labelling, answers[n]), ""]
    under: list[str] = []
    for n in below:
        under += [*_labelled(labels[n], "worded", answers[n]), ""]
    return Draft(
        top=tuple(top[:-1]),
        body=tuple(_with_answers(blocks, labels, between, behind=style == "behind", apart=apart)),
        below=tuple(under[:-1]),
        who=str(form["From"]),
        recipient=str(form["To"]),
        subject=str(form["Subject"]),
    )


def _labelled(label: str, labelling: str, answer: str) -> list[str]:
    number = label[1 : label.index("]")]
    wording = re.match(r".*?[?:](?=\s|$)", label)
    head = {"worded": wording[0] if wording else label, "bracket": f"[{number}]", "bare": f"{number}:"}[labelling]
    return f"{head} {answer}".split("\n")


def _with_answers(
    blocks: list[Block], labels: Mapping[int, str], answers: Mapping[int, str], *, behind: bool, apart: bool
) -> list[Block]:
    """The quote with the answers under their labels, or on the labels' own lines, over what was prefilled there."""
    out: list[Block] = []
    skip = False
    for block in blocks:
        if skip and not block.lines[0].strip():
            skip = False
            continue  # the blank line under a question is typed over
        number = next((n for n, label in labels.items() if block.lines[0] == label), 0)
        skip = bool(number in answers and not behind)
        if number not in answers:
            out.append(block)
        elif behind:
            first, *rest = _labelled(block.lines[0], "worded", answers[number])
            # Where a program keeps the cursor in the quote, all that is typed there is quoted.
            out.append(Block(lines=(first, *rest) if apart else (first,), quoted=True))
            out += [Block(lines=tuple(rest), quoted=False)] if rest and not apart else []
        else:
            out += [block, Block(lines=tuple(answers[number].split("\n")), quoted=False)]
    return out


def _paragraphs(form: EmailMessage) -> list[Block]:
    part = form.get_body(("html",))
    assert part is not None
    return [
        Block(lines=tuple(_words(p) for p in re.split(r"<br\s*/?>", found[2])), quoted=True, html=found[0])
        for found in re.finditer(r"<p([^>]*)>(.*?)</p>", str(part.get_content()), re.DOTALL)
    ]


def _text_lines(form: EmailMessage) -> list[Block]:
    part = form.get_body(("plain",))
    assert part is not None
    return [Block(lines=(line,), quoted=True) for line in str(part.get_content()).rstrip().splitlines()]


def _words(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html)).replace("\n", " ").replace("\xa0", " ").strip()


# --- what the programs make of it ---


def gmail(draft: Draft, words: Interface, *, auto: bool = False) -> Written:
    """Gmail on the web; blockquotes are closed and opened again around each answer, inside gmail_quote."""
    direction = "auto" if auto else "ltr"
    opened = (
        '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);'
        'padding-left:1ex">'
    )
    attribution = words.gmail.format(who=draft.who, name=draft.name)
    signature = ""
    if draft.signature and draft.marked_signature:
        signature = (
            '<div><br clear="all"></div><div><br></div><span class="gmail_signature_prefix">-- </span><br>'
            f'<div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature">{_divs(draft.signature)}</div>'
        )
    top = _with_signature(draft)
    html = [f'<div dir="{direction}">{_divs(top)}</div>{signature}<br>']
    html.append('<div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">')
    html.append(f"{_linked(attribution)}<br></div>{opened}<u></u>\n<div>\n")
    for block in draft.body:
        if block.quoted:
            html.append(block.html or _paragraph(block.lines))
        else:
            html.append(f"</div></blockquote><div><br></div>{_divs(block.lines)}<div><br></div>{opened}<div>")
    html.append(f"</div></blockquote></div>{'<div><br></div>' + _divs(draft.below) if draft.below else ''}")
    dashes = ["", "-- ", *draft.signature] if draft.signature and draft.marked_signature else []
    text = [*_wrapped([*top, *dashes]), "", *_wrapped([attribution]), "", *_marked(draft.body, wrap=WRAPPED)]
    return Written(text="\n".join([*text, "", *_wrapped(draft.below)]), html="".join(html))


def gmail_phone(draft: Draft, words: Interface) -> Written:
    """Gmail's app: as on the web, in other elements."""
    return gmail(draft, words, auto=True)


def outlook(draft: Draft, words: Interface) -> Written:
    """Outlook desktop: Word's paragraphs, a header block under a border, and nothing marks what was typed."""
    head = _header(draft, words)
    out = [
        '<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40"><head>'
        "<style><!--\np.MsoNormal, li.MsoNormal, div.MsoNormal\n\t{margin:0in;font-size:11.0pt;}\n--></style></head>"
        '<body lang=EN-US link="#0563C1" vlink="#954F72" style=\'word-wrap:break-word\'><div class=WordSection1>'
    ]
    top = _with_signature(draft, always=True)
    out.append(_mso(top) + "<p class=MsoNormal><o:p>&nbsp;</o:p></p>")
    out.append("<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'>")
    out.append("<p class=MsoNormal>" + "<br>".join(f"<b>{k}:</b> {escape(v)}" for k, v in head))
    out.append("<o:p></o:p></p></div></div><p class=MsoNormal><o:p>&nbsp;</o:p></p>")
    style = "mso-margin-top-alt:0in;margin-right:0in;margin-bottom:10.5pt;margin-left:0in"
    for block in draft.body:
        for line in block.lines:  # typed inside the quote, a paragraph takes the looks of the one above it
            out.append(f"<p style='{style}'><span style='font-size:12.0pt'>{_spaced(line)}<o:p></o:p></span></p>\r\n")
    out.append(_mso(draft.below) + "</div></body></html>")
    paragraphs = [*top, "", "\n".join(f"{k}: {v}" for k, v in head)]
    paragraphs += [line for block in draft.body for line in block.lines] + list(draft.below)
    text = "\n\n".join(p.strip() or "\xa0" for p in paragraphs) + "\n"
    return Written(text=text, html="".join(out), charset="windows-1252")


def outlook_web(draft: Draft, words: Interface, *, append: bool = True) -> Written:
    """Outlook on the web and the new Outlook."""
    font = 'class="elementToProof" style="font-family: Aptos, Calibri, sans-serif; font-size: 12pt;"'
    out = [
        '<html><head><style type="text/css" style="display:none;"> P {margin-top:0;margin-bottom:0;} </style></head>'
        f'<body dir="ltr">{_divs(_with_signature(draft), font)}'
    ]
    if draft.signature and draft.marked_signature:
        out.append(f'<div {font}><br></div><div id="Signature" {font}>{_paragraph(draft.signature)}</div>')
    out.append('<div id="appendonsend"></div>' if append else "")
    out.append('<hr style="display:inline-block;width:98%" tabindex="-1">' + _reply_head(draft, words) + "<div>")
    for block in draft.body:
        out.append((block.html or _paragraph(block.lines)) if block.quoted else _divs(block.lines, font))
    out.append(f"{_divs(draft.below, font)}</div></body></html>")
    lines = [*_with_signature(draft, always=True), "", "_" * 32, *(f"{k}: {v}" for k, v in _header(draft, words)), ""]
    lines += _unmarked(draft.body)
    return Written(text="\n".join([*lines, *draft.below]) + "\n", html="".join(out), cte="base64")


def outlook_web_bare(draft: Draft, words: Interface) -> Written:
    """The other half of its mails: without appendonsend."""
    return outlook_web(draft, words, append=False)


def outlook_phone(draft: Draft, words: Interface) -> Written:
    """Outlook's app."""
    name = words.outlook
    out = [f'<html><body><div dir="auto">{_divs(_with_signature(draft, always=True), _AUTO)}<div dir="auto"><br></div>']
    out.append(f'<div dir="auto" id="ms-outlook-mobile-signature">{name}</div></div>')
    out.append('<div id="mail-editor-reference-message-container" class="ms-outlook-mobile-reference-message"><hr ')
    out.append(f'style="display:inline-block;width:98%" tabindex="-1">{_reply_head(draft, words)}')
    for block in draft.body:
        out.append((block.html or _paragraph(block.lines)) if block.quoted else _divs(block.lines, _AUTO))
    out.append(f"{_divs(draft.below, _AUTO)}</div></body></html>")
    lines = [*_with_signature(draft, always=True), "", name, "_" * 32]
    lines += [*(f"{k}: {v}" for k, v in _header(draft, words)), "", *_unmarked(draft.body), *draft.below]
    return Written(text="\n".join(lines) + "\n", html="".join(out))


def apple(draft: Draft, words: Interface) -> Written:
    """Apple Mail: the attribution inside the quote, the quote closed and opened again around each answer."""
    attribution = words.apple.format(who=draft.who, name=draft.name)
    opened = '<blockquote type="cite"><div>'
    out = ['<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head>']
    out.append('<body style="overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">')
    out.append(f'{_divs(_with_signature(draft, always=True))}<br id="lineBreakAtBeginningOfMessage"><div><br>')
    out.append(f'<blockquote type="cite"><div>{escape(attribution)}</div><br class="Apple-interchange-newline"><div>')
    for block in draft.body:
        if block.quoted:
            out.append(block.html or _paragraph(block.lines))
        else:
            out.append(f"</div></blockquote><div><br></div>{_divs(block.lines)}<div><br></div>{opened}")
    out.append(f"</div></blockquote></div><br>{_divs(draft.below)}</body></html>")
    lines = [*_with_signature(draft, always=True), "", f"> {attribution}", "> ", *_marked(draft.body)]
    return Written(text="\n".join([*lines, "", *draft.below]), html="".join(out))


def ios(draft: Draft, words: Interface) -> Written:
    """An iPhone: its signature where the cursor was, and a byte order mark at the start of the quote."""
    attribution = words.ios.format(who=draft.who, name=draft.name)
    top = _with_signature(draft, always=True)
    out = ['<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body dir="auto">']
    out.append(f'{_divs(top, _LTR)}<div dir="ltr"><br></div><div dir="ltr">{words.iphone}</div><div dir="ltr"><br>')
    out.append(f'<blockquote type="cite">{escape(attribution)}<br><br></blockquote></div>')
    out.append('<blockquote type="cite"><div dir="ltr">\ufeff')
    for block in draft.body:
        if block.quoted:
            out.append(block.html or _paragraph(block.lines))
        else:
            out.append(f"</div></blockquote><div><br></div>{_divs(block.lines)}<div><br></div>")
            out.append('<blockquote type="cite"><div dir="ltr">')
    out.append(f"</div></blockquote>{_divs(draft.below)}</body></html>")
    lines = [*top, "", words.iphone, "", f"> {attribution}", "> ", "> \ufeff", *_marked(draft.body)]
    return Written(text="\n".join([*lines, "", *draft.below]), html="".join(out), cte="base64")


def thunderbird(draft: Draft, words: Interface) -> Written:
    """Thunderbird, HTML: a cite prefix and a blockquote, split around each answer."""
    attribution = words.thunderbird.format(who=draft.who, name=draft.name)
    opened = '<blockquote type="cite" cite="mid:form@msp.example">\n'
    out = ['<!DOCTYPE html>\n<html><head>\n<meta http-equiv="Content-Type" content="text/html; charset=UTF-8"></head>']
    out.append(f'<body>\n{_paragraph(_with_signature(draft))}<div class="moz-cite-prefix">{escape(attribution)}<br>')
    out.append(f"</div>\n{opened}")
    for block in draft.body:
        if block.quoted:
            out.append((block.html or _paragraph(block.lines)) + "\n")
        else:
            out.append(f"</blockquote>\n{_paragraph(block.lines)}\n{opened}")
    out.append(f"</blockquote>\n{_paragraph(draft.below) if draft.below else ''}")
    if draft.signature and draft.marked_signature:
        out.append(f'<pre class="moz-signature" cols="72">-- \n{escape(chr(10).join(draft.signature))}</pre>')
    out.append("</body></html>")
    lines = [*_flowed(_with_signature(draft)), "", attribution, *_marked(draft.body), *_flowed(draft.below)]
    lines += ["", "-- ", *draft.signature] if draft.signature and draft.marked_signature else []
    return Written(text="\n".join(lines) + "\n", html="".join(out), flowed=True)


def thunderbird_text(draft: Draft, words: Interface) -> Written:
    """Thunderbird, text only: format=flowed, space-stuffed."""
    attribution = words.thunderbird.format(who=draft.who, name=draft.name)
    lines = [*_flowed(_with_signature(draft)), "", attribution]
    for block in draft.body:
        lines += [f"> {line}".rstrip() for line in block.lines] if block.quoted else _flowed(block.lines)
    lines += _flowed(draft.below)
    lines += ["", "-- ", *draft.signature] if draft.signature and draft.marked_signature else []
    return Written(text="\n".join(lines) + "\n", flowed=True)


def samsung(draft: Draft, words: Interface) -> Written:
    """Samsung's app: a line of dashes, a header block, and the mail as it was."""
    head = [
        (k, v) for k, v in zip((words.header[0], words.date, *words.header[2:]), _values(draft, words), strict=True)
    ]
    out = [f'<html><body>{_divs(_with_signature(draft, always=True), _AUTO)}<div dir="auto"><br></div>']
    out.append('<div id="composer_signature" dir="auto"><div style="font-size:12px;color:#575757" dir="auto">')
    out.append(f'{words.galaxy}</div></div><div dir="auto"><br></div><div align="left" dir="auto" ')
    out.append(f'style="font-size:100%;color:#000000"><div>{words.original}</div>')
    out.append("".join(f"<div>{k}: {escape(v)} </div>" for k, v in head) + "<div><br></div></div>")
    for block in draft.body:
        out.append((block.html or _paragraph(block.lines)) if block.quoted else _divs(block.lines, _AUTO))
    out.append(f"{_divs(draft.below, _AUTO)}</body></html>")
    lines = [*_with_signature(draft, always=True), "", words.galaxy, "", words.original]
    lines += [*(f"{k}: {v} " for k, v in head), "", *_unmarked(draft.body), *draft.below]
    return Written(text="\n".join(lines) + "\n", html="".join(out), cte="base64")


def yahoo(draft: Draft, words: Interface) -> Written:
    """Yahoo on the web: its text part indents the quote, and drops the line ends between neighbouring divs."""
    attribution = words.yahoo.format(who=draft.who, name=draft.name)
    ltr = 'dir="ltr" data-setdir="false"'
    top = _with_signature(draft, always=True)
    out = [f'<html><head></head><body><div class="ydp1a2b3c4dyahoo-style-wrap">{_divs(top, ltr)}</div>']
    out.append('<div id="yahoo_quoted_0123456789" class="yahoo_quoted"><div style="color:#26282a;">')
    out.append(f"<div>{escape(attribution)} </div><div><br></div><div><br></div><div><div id='yiv0123456789'>")
    for block in draft.body:
        out.append((block.html or _paragraph(block.lines)) if block.quoted else _divs(block.lines, ltr))
    out.append(f"{_divs(draft.below, ltr)}</div></div></div></div></body></html>")
    lines = ["".join(top), "", f"    {attribution}  ", "", ""]
    lines += [f" {line}" for line in [*_unmarked(draft.body), *draft.below]]
    return Written(text="\n".join(lines) + "\n", html="".join(out))


def mutt(draft: Draft, words: Interface) -> Written:
    """A program for text alone, unwrapped."""
    lines = [*_with_signature(draft), "", words.mutt.format(who=draft.who, name=draft.name)]
    for block in draft.body:
        lines += [f"> {line}".rstrip() for line in block.lines] if block.quoted else ["", *block.lines, ""]
    lines += ["", *draft.below] if draft.below else []
    lines += ["", "-- ", *draft.signature] if draft.signature and draft.marked_signature else []
    return Written(text="\n".join(lines) + "\n")


CLIENTS: dict[str, Callable[[Draft, Interface], Written]] = {
    client.__name__: client
    for client in (
        gmail,
        gmail_phone,
        outlook,
        outlook_web,
        outlook_web_bare,
        outlook_phone,
        apple,
        ios,
        thunderbird,
        thunderbird_text,
        samsung,
        yahoo,
        mutt,
    )
}
AS_TEXT = frozenset({"mutt", "thunderbird_text"})  # they quote the text part
_AUTO, _LTR = 'dir="auto"', 'dir="ltr"'


def _mail(form: EmailMessage, written: Written, parts: str) -> bytes:
    """The reply's bytes."""
    made = [("plain", written.text)] if written.text and parts != "html" else []
    made += [("html", written.html)] if written.html and parts != "text" else []
    made = made or [("plain", written.text)]
    head = (
        f"From: {PERSON}\r\nTo: {form['Reply-To']}\r\nSubject: Re: {form['Subject']}\r\n"
        f"Date: Tue, 24 Nov 2026 10:02:11 -0600\r\nMessage-ID: <reply@msp.example>\r\n"
        f"In-Reply-To: {form['Message-ID']}\r\nReferences: {form['Message-ID']}\r\nMIME-Version: 1.0\r\n"
    )
    bodies = [_part(kind, text, written) for kind, text in made]
    if len(bodies) == 1:
        return (head + bodies[0]).encode("ascii")
    inside = "".join(f"--=_b0undary\r\n{body}\r\n" for body in bodies)
    return f'{head}Content-Type: multipart/alternative; boundary="=_b0undary"\r\n\r\n{inside}--=_b0undary--\r\n'.encode(
        "ascii"
    )


def _part(kind: str, text: str, written: Written) -> str:
    charset = written.charset
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    part = EmailMessage(policy=email.policy.SMTP)
    part.set_content(text, subtype=kind, charset=charset, cte=written.cte)
    if written.flowed and kind == "plain":
        part.set_param("format", "flowed")
    del part["MIME-Version"]
    return part.as_bytes().decode("ascii")


def _with_signature(draft: Draft, *, always: bool = False) -> list[str]:
    """What stands above the quote; `always` where a program's own signature looks like typed text, too."""
    typed_one = draft.signature and (always or not draft.marked_signature)
    return [*draft.top, *(["", *draft.signature] if typed_one else [])]


def _header(draft: Draft, words: Interface) -> list[tuple[str, str]]:
    return list(zip(words.header, _values(draft, words), strict=True))


def _values(draft: Draft, words: Interface) -> tuple[str, str, str, str]:
    return draft.who, words.sent, draft.recipient, draft.subject


def _reply_head(draft: Draft, words: Interface) -> str:
    lines = "<br>".join(f"<b>{k}:</b> {escape(v)}" for k, v in _header(draft, words))
    return (
        '<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt" color="#000000">'
        f"{lines}</font><div>&nbsp;</div></div>"
    )


def _divs(lines: list[str] | tuple[str, ...], attributes: str = "") -> str:
    opened = f"<div {attributes}>" if attributes else "<div>"
    return "".join(f"{opened}{_spaced(line) if line.strip() else '<br>'}</div>" for line in lines)


def _paragraph(lines: list[str] | tuple[str, ...]) -> str:
    """One <p>, its lines broken; an empty line begins another."""
    inner = "\n".join(lines).split("\n\n")
    return "".join("<p>" + "<br>\n".join(_spaced(line) for line in p.split("\n")) + "</p>" for p in inner)


def _mso(lines: list[str] | tuple[str, ...]) -> str:
    """Word's paragraphs; what begins like a list's item has become one."""
    out = []
    for line in lines:
        item = re.match(r"(?:(-)|(\d+)\.) (.*)", line)
        if item:
            tag = "ul style='margin-top:0in' type=disc" if item[1] else f"ol style='margin-top:0in' start={item[2]}"
            out.append(f"<{tag}><li class=MsoListParagraph>{_spaced(item[3])}<o:p></o:p></li></{tag[:2]}>\r\n")
        else:
            out.append(
                f"<p class=MsoNormal>{_spaced(line) if line.strip() else '<o:p>&nbsp;</o:p>'}<o:p></o:p></p>\r\n"
            )
    return "".join(out)


def _spaced(line: str) -> str:
    return re.sub(r"^ | (?= )", "&nbsp;", escape(line, quote=False))


def _linked(attribution: str) -> str:
    return re.sub(r"&lt;(\S+@\S+)&gt;", r'&lt;<a href="mailto:\1">\1</a>&gt;', escape(attribution, quote=False))


def _wrapped(lines: list[str] | tuple[str, ...], width: int = WRAPPED) -> list[str]:
    out: list[str] = []
    for line in lines:
        out += (
            textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) if len(line) > width else [line]
        )
    return out


def _marked(body: tuple[Block, ...], wrap: int = 0) -> list[str]:
    """A text part made of HTML: paragraphs with a blank line between, what is quoted behind "> "."""
    out: list[str] = []
    for block in body:
        lines = _wrapped(block.lines, wrap) if wrap else block.lines
        if block.quoted:
            out += [*(f"> {line}".rstrip() for line in lines if line or len(lines) > 1), ">"]
        else:
            out += ["", *lines, ""]
    return out


def _unmarked(body: tuple[Block, ...]) -> list[str]:
    return [line for block in body for line in (*block.lines, "")]


def _flowed(lines: list[str] | tuple[str, ...]) -> list[str]:
    """RFC 3676: long lines broken behind a blank, what could be mistaken space-stuffed."""
    out: list[str] = []
    for line in lines:
        pieces = _wrapped([line.rstrip()], FLOWED)
        flowed = [f"{piece} " for piece in pieces[:-1]] + pieces[-1:]
        out += [f" {piece}" if piece.startswith((" ", ">", "From ")) else piece for piece in flowed]
    return out
