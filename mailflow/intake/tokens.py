"""Where a token of ours may stand in a mail that comes back, best place first; the engine tells if it is genuine."""

import re
from collections.abc import Iterator, Sequence

from mailflow.domain.people import Address

MAX_TAGS = 20  # each costs the engine an HMAC and a query
MAX_TEXT = 256 * 1024  # how far into a body a reference line is looked for

# An id and a 128-bit HMAC in lower-case base32 (RFC 4648 6), whole: no further letter on either side.
_TAG = re.compile(r"(?<![a-z2-7-])[a-z2-7]{10}-[a-z2-7]{26}(?![a-z2-7-])")
_OUR_MESSAGE_ID = re.compile(r"<mf\.([a-z2-7]{10}-[a-z2-7]{26})@[^<>\s]+>")


def token_tags(
    addressed: Sequence[Address], in_reply_to: str | None, references: Sequence[str], texts: Sequence[str]
) -> tuple[str, ...]:
    """Candidates without repetition: plus-tags, In-Reply-To, References newest first, reference lines in the body."""

    def candidates() -> Iterator[str]:
        for address in addressed:
            yield from _TAG.findall(address.address.partition("@")[0].partition("+")[2])
        for message_id in (in_reply_to or "", *reversed(references)):
            if ours := _OUR_MESSAGE_ID.fullmatch(message_id.casefold()):
                yield ours[1]
        for text in texts:
            yield from (tag for tag, _ in zip(_TAG.findall(text[:MAX_TEXT]), range(MAX_TAGS), strict=False))

    found: dict[str, None] = {}
    for tag in candidates():
        found[tag] = None
        if len(found) == MAX_TAGS:
            break
    return tuple(found)
