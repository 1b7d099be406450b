"""What our own provider says about who sent a mail (RFC 8601), and whether that proves the author.

Anybody can write an Authentication-Results header. Those that count stand where only our own servers write, carry
their name, and do not contradict each other; comments in them are no results.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailflow.domain.mail import Authentication

MAX_RESULTS = 10  # headers kept; a provider writes one, a milter chain three
MAX_RESULT_TEXT = 4096

GMAIL = "mx.google.com"  # the authserv-id that Gmail writes

_BY = re.compile(r"(?:^|\s)by\s+([^\s;()]+)", re.IGNORECASE)
# Second-level labels under which names are registered, as in co.uk: there the last three labels name the organisation.
_REGISTRY_LABELS = frozenset({"co", "com", "org", "net", "ac", "gov", "edu", "or", "ne", "gv"})


def results_on_top(headers: Sequence[tuple[str, str]]) -> Authentication:
    """The Authentication-Results above the first foreign Received.

    The topmost Received was written by the server that keeps the mailbox, so its organisation is ours, and the first
    Received written by anybody else ends the list. `headers` are (name, value) pairs, topmost first, names in lower
    case.

    Gmail writes two or three Received above its results and Microsoft 365 up to five, so a fixed number will not do.
    A `by` above it without a dot or with a bare IP address (Gmail's "by 2002:…") is an inner hop and names nobody.
    """
    own = ""
    results: list[tuple[str, str]] = []
    for name, value in headers:
        if name == "received":
            by = _by(value)
            if own and not (by == own or by.endswith(f".{own}")):
                break
            own = own or (_organisation(by) if _named(by) else "")
        if name == "authentication-results" and len(results) < MAX_RESULTS:
            results.append((authserv_id_of(value), value[:MAX_RESULT_TEXT]))
    # Exchange strips this header from whatever comes from outside; said twice, somebody else said it too.
    internal = [v.strip().casefold() for n, v in headers if n == "x-ms-exchange-organization-authas"]
    return Authentication(results=tuple(results), internal=internal == ["internal"])


def verdict(
    authentication: Authentication, *, preset: str, authserv_id: str, author: str, own_domains: frozenset[str]
) -> bool | None:
    """Whether the author is proven (True), disproven (False), or cannot be told (None).

    Presets: `gmail` (authserv-id mx.google.com; DMARC, else aligned DKIM or SPF), `m365` (no authserv-id; DMARC, or
    sent inside the tenant by one of our own domains), `generic` (the configured authserv-id; DMARC, or a login as
    the author), `none`. Results of one method that contradict each other disprove: one of them is forged.
    """
    author = author.casefold()
    author_domain = author.rpartition("@")[2]
    match preset:
        case "gmail":
            wanted = GMAIL
        case "m365":
            wanted = ""
        case "generic" if authserv_id:
            wanted = authserv_id.casefold()
        case _:
            return None
    texts = [text for id_, text in authentication.results if id_.casefold() == wanted]
    internal = preset == "m365" and authentication.internal and author_domain in own_domains
    if preset != "generic" and len(texts) > 1:
        # These providers write one header: a second one that tells another story was brought along.
        stories = {_judged(parse_results(text), preset, author, internal=internal) for text in texts}
        return stories.pop() if len(stories) == 1 else False
    return _judged([r for text in texts for r in parse_results(text)], preset, author, internal=internal)


def _judged(results: Sequence["MethodResult"], preset: str, author: str, *, internal: bool) -> bool | None:
    author_domain = author.rpartition("@")[2]
    dmarc = {r.result for r in results if r.method == "dmarc"}
    if len(dmarc) > 1 or len({r.result for r in results if r.method == "spf"}) > 1:
        return False
    if dmarc & {"fail", "permerror"}:
        return False
    if "pass" in dmarc:
        # DMARC proves the domain in From as it was then: with another one it says nothing of this author.
        named = {r.properties.get("header.from", author_domain) for r in results if r.method == "dmarc"}
        return all(aligned(domain, author_domain) for domain in named)
    if preset == "gmail":
        return _aligned_pass(results, author_domain)
    if preset == "m365":
        if internal:
            return True
        return False if any(r.method == "compauth" and r.result == "fail" for r in results) else None
    # The login must be the author's own: a colleague's login at the same domain proves only the colleague.
    authenticated = any(
        r.method == "auth" and r.result == "pass" and r.properties.get("smtp.auth", "").casefold() == author
        for r in results
    )
    return True if authenticated else None


def aligned(identity: str, domain: str) -> bool:
    """Whether the identity's domain and the author's are of one organisation: equal, or one below the other."""
    other = identity.rpartition("@")[2].strip(".").casefold()
    if "." not in other or "." not in domain:
        return bool(other) and other == domain
    return other == domain or other.endswith(f".{domain}") or domain.endswith(f".{other}")


@dataclass(frozen=True, kw_only=True)
class MethodResult:
    """One result of an Authentication-Results header: dmarc=pass header.from=example.com."""

    method: str
    result: str
    properties: dict[str, str]


def parse_results(text: str) -> list[MethodResult]:
    """The results of one header's text, with or without an authserv-id before them, without its comments."""
    found = []
    for piece in _without_comments(text[:MAX_RESULT_TEXT]).split(";"):
        words = re.sub(r"\s*=\s*", "=", piece).split()
        pairs = [
            (name.casefold(), value.strip('"').casefold())
            for name, eq, value in (w.partition("=") for w in words)
            if eq
        ]
        if pairs and "." not in pairs[0][0]:
            method = pairs[0][0].partition("/")[0]
            found.append(MethodResult(method=method, result=pairs[0][1], properties=dict(pairs[1:])))
    return found


def authserv_id_of(text: str) -> str:
    """The name of the server that wrote the header; empty for Microsoft 365, which writes none."""
    words = _without_comments(text[:MAX_RESULT_TEXT]).partition(";")[0].split()
    return words[0].casefold() if words and "=" not in words[0] else ""


def _aligned_pass(results: Sequence[MethodResult], domain: str) -> bool | None:
    """Without a DMARC policy: a DKIM signature or an SPF pass of the author's own domain proves as much."""
    for r in results:
        identity = {
            "dkim": r.properties.get("header.d") or r.properties.get("header.i", ""),
            "spf": r.properties.get("smtp.mailfrom", ""),
        }.get(r.method)
        if r.result == "pass" and identity and aligned(identity, domain):
            return True
    return None


def _by(received: str) -> str:
    """The host that wrote a Received header, in lower case."""
    return m[1].strip("[].").casefold() if (m := _BY.search(_without_comments(received[:MAX_RESULT_TEXT]))) else ""


def _named(host: str) -> bool:
    """Whether it is a full host name, and no address or bare word."""
    return "." in host and ":" not in host and not host.replace(".", "").isdigit()


def _organisation(host: str) -> str:
    labels = host.split(".")
    return ".".join(labels[-3:] if len(labels) > 2 and labels[-2] in _REGISTRY_LABELS else labels[-2:])


def _without_comments(text: str) -> str:
    """`text` with its comments (which nest) as blanks; a `;` inside a quoted string becomes a blank too."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for char in text:
        if escaped:
            escaped = False
            continue
        if char == "\\" and (quoted or depth):
            escaped = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif char == "(" and not quoted:
            depth += 1
        elif char == ")" and depth:
            depth -= 1
            kept.append(" ")
        elif not depth:
            kept.append("_" if quoted and char in "; =" else char)
    return "".join(kept)
