"""A client's key, made from its name: short, lower case, ASCII, the same at each import, and nobody else's."""

import hashlib
import re
import unicodedata
from collections.abc import Collection

LENGTH = 50  # of the 64 that a key may have, so that a difference fits behind it
LETTERS = {"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "œ": "oe", "&": " and "}
APART = re.compile(r"[^a-z0-9]+")


def key_for(name: str, taken: Collection[str]) -> str:
    """The key of a client of this name. Where another has it already, a few digits of the name's hash tell them apart:
    a running number would depend on who came first."""
    spelt = "".join(LETTERS.get(c, c) for c in name.casefold())
    ascii_ = "".join(c for c in unicodedata.normalize("NFKD", spelt) if c.isascii())
    key = APART.sub("-", ascii_.replace("'", "")).strip("-")[:LENGTH].strip("-")
    digits = hashlib.sha256(name.casefold().encode()).hexdigest()[:8]
    if not key:  # a name without Latin letters
        key = f"client-{digits}"
    return key if key not in taken else f"{key}-{digits}"
