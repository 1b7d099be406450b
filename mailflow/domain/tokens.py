"""The mark by which we know our own letters and the replies to them.

A tag is `<id>-<mac>`: the id names the letter, the mac (HMAC-SHA-256 cut to 128 bits, RFC 2104) binds it to
incident, client, person, action, version and expiry. Both are lower-case base32, since mail systems fold case and a
tag must survive the local part of an address (`noc+TAG@…`, RFC 5233) as well as a Message-ID.
The key lives in a file of the data folder, never in the database: who can read the database cannot forge a tag.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime

TAG = re.compile(r"(?P<id>[a-z2-7]{10})-(?P<mac>[a-z2-7]{26})")
# In a quoted-printable body a soft line break may stand anywhere inside a tag (RFC 2045 6.7).
TAG_ON_THE_WIRE = re.compile(rb"((?:[a-z2-7](?:=\r?\n)?){10})-(?:(?:=\r?\n)?[a-z2-7]){26}")
MESSAGE_ID = re.compile(rf"^<mf\.(?P<tag>{TAG.pattern})@[^<>@\s]+>$")


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Everything a tag is bound to; `action` is the kind of the letter that carried it."""

    id: str
    incident_id: int | None
    client_key: str
    person: str  # address
    action: str
    version: int
    expires: datetime


def letter_id(idempotency_key: str) -> str:
    """The public id of the letter with this idempotency key: the same letter always gets the same id."""
    return _base32(hashlib.sha256(idempotency_key.encode()).digest()[:7])[:10]


def mint(key: bytes, bound: Bound) -> str:
    """The tag for a letter."""
    fields = (bound.id, bound.incident_id, bound.client_key, bound.person, bound.action, bound.version)
    said = "\0".join([*map(str, fields), str(int(bound.expires.timestamp()))])
    return f"{bound.id}-{_base32(hmac.digest(key, said.encode(), 'sha256')[:16])}"


def valid(key: bytes, tag: str, bound: Bound, now: datetime) -> bool:
    """Whether `tag` was minted with `key` for exactly this, and has not expired."""
    return now < bound.expires and hmac.compare_digest(mint(key, bound).encode(), tag.encode())


def message_id(tag: str, domain: str) -> str:
    """The Message-ID that carries a tag."""
    return f"<mf.{tag}@{domain}>"


def tag_of(message_id: str | None) -> str | None:
    """The tag in one of our Message-IDs, None in anybody else's."""
    found = MESSAGE_ID.match(message_id or "")
    return found["tag"] if found else None


def redact(raw: bytes) -> bytes:
    """The same bytes with every mac cut out: kept copies must not be able to speak for anybody."""
    return TAG_ON_THE_WIRE.sub(rb"\1-cut", raw)


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
