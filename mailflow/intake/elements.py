"""What the elements of an HTML mail mean: seen or hidden, block or inline, quote or typed, by the names clients give.

Every entry below is one that a mail client is known to write; classes come back prefixed when a mail is quoted again
by Outlook on the web (x_), Gmail (m_123) or Yahoo (yiv123, ydp12ab).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mailflow.domain.mail import Mark

Attributes = Mapping[str, str | None]


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


BLOCKS = _words(
    "address article aside blockquote body caption center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6"
    " header hr html li main nav ol p pre section table tbody tfoot thead tr ul"
)
PARAGRAPHS = _words("p h1 h2 h3 h4 h5 h6")  # set apart by a blank line, unless class or style says not
_NEVER_SEEN = _words(
    "script style head title meta link noscript template object embed svg math select textarea iframe audio video"
)
_STRUCK = frozenset({"s", "strike", "del"})  # struck through is taken back: the new value stands beside it
_HIDING = re.compile(r"display:none|visibility:hidden|mso-hide:all|font-size:0(?:px|pt|em)?(?:;|!|$)")
_STRIKING = re.compile(r"text-decoration(?:-line)?:[^;]*line-through")
_TIGHT = re.compile(r"margin(?:-top|-bottom)?:0(?![.\d]*[1-9])")
_OUTLOOK_RULE = re.compile(r"border-top:solid#(?:e1e1e1|b5c4df)|border:none;border-top:solid[^;]*;padding:3")
_PREFIX = re.compile(r"^(?:(?:x_)+|m_-?\d+|yiv\d+|ydp[0-9a-f]{6,10})")
MAX_PICTURE = 4  # characters of an alternative text that can be an emoji; longer ones describe a logo

_QUOTE_STARTS = (
    "gmail_quote",  # and gmail_quote_container, gmail_quote_attribution
    "gmail_extra",
    "gmail_attr",
    "moz-cite-prefix",
    "moz-forward-container",
    "yahoo_quoted",  # as an id with a number behind it
    "appendonsend",  # Outlook on the web, in half of its mails
    "divrplyfwdmsg",
    "mail-editor-reference-message-container",
    "ms-outlook-mobile-reference-message",
    "ms-outlook-mobile-body-separator-line",
    "olk_src_body_section",
    "protonmail_quote",
    "zmail_extra",
)
_MARKS = {
    "gmail_attr": Mark.ATTRIBUTION,
    "moz-cite-prefix": Mark.ATTRIBUTION,
    "divrplyfwdmsg": Mark.HEADER,
    "gmail_signature": Mark.SIGNATURE,
    "gmail_signature_prefix": Mark.SIGNATURE,
    "moz-signature": Mark.SIGNATURE,
    "composer_signature": Mark.SIGNATURE,  # Samsung
    "ms-outlook-mobile-signature": Mark.SIGNATURE,
    "applemailsignature": Mark.SIGNATURE,
    "protonmail_signature_block": Mark.SIGNATURE,
    "signature": Mark.SIGNATURE,  # Outlook on the web
}


@dataclass(frozen=True, kw_only=True)
class Look:
    """How an element is laid out."""

    block: bool
    paragraph: bool
    pre: bool
    quotes: int  # how many quote levels it adds

    @classmethod
    def of(cls, tag: str, names: Collection[str], style: str, attributes: Attributes) -> "Look":
        """The look of an element with these names and this squeezed style."""
        return cls(
            block=tag in BLOCKS,
            paragraph=tag in PARAGRAPHS and not _TIGHT.search(style) and not any(n.startswith("mso") for n in names),
            pre=tag == "pre" or "white-space:pre" in style,
            quotes=int(tag == "blockquote" and not _indents(names, style, attributes)),
        )


def squeezed_style(attributes: Attributes) -> str:
    """An element's style in lower case without blanks."""
    style = attributes.get("style")
    return "".join(style.lower().split()) if style else ""


def names_of(attributes: Attributes) -> tuple[str, ...]:
    """An element's id and classes as its first client wrote them, in lower case."""
    names = f"{attributes.get('id') or ''} {attributes.get('class') or ''}".lower().split()
    return tuple(_PREFIX.sub("", n) for n in names)


def unseen(tag: str, attributes: Attributes, style: str) -> bool:
    """Whether an element is hidden or struck through."""
    if tag in _NEVER_SEEN or tag in _STRUCK or "hidden" in attributes:
        return True
    return bool(style and (_HIDING.search(style) or _STRIKING.search(style)))


def quote_start(names: Collection[str]) -> bool:
    """Whether a mail client begins its quote with an element so named."""
    return any(n.startswith(_QUOTE_STARTS) for n in names)


def tells_mark(names: Collection[str], style: str) -> Mark | None:
    """What an element's name, or Outlook's line above its header block, says that its lines are."""
    if style and _OUTLOOK_RULE.search(style):
        return Mark.HEADER
    return next((_MARKS[n] for n in names if n in _MARKS), None)


def picture(attributes: Attributes) -> str:
    """An emoji that a client drew as a picture; nothing for any other picture."""
    alternative = (attributes.get("alt") or "").strip()
    return alternative if len(alternative) <= MAX_PICTURE and not alternative.isascii() else ""


def _indents(names: Collection[str], style: str, attributes: Attributes) -> bool:
    """Whether a blockquote is what Gmail and Apple write for "indent", not a quote."""
    if attributes.get("type") == "cite" or "gmail_quote" in names:
        return False
    return "border:none" in style or "border:0" in style
