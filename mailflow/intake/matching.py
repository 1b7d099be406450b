"""An alert mail by a recipe: is it this tool's, and what events does it report.

A person's forward is never an alert: what makes a recipe's mail its own is looked for in the sender, in headers, and
at the start of the text above any quote. Patterns see a bounded, normalised text.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice, takewhile

from mailflow.domain.mail import Event, Line, Mark
from mailflow.domain.people import Address
from mailflow.domain.vocabulary import Class, Severity, State
from mailflow.intake.forward import MIN_HEADERS, begins_forward
from mailflow.intake.parse import Headers
from mailflow.intake.recipe import Choice, Match, Pattern, Recipe, Source, Stretch, Template
from mailflow.intake.recipes import Recipes

MAX_TEXT = 64 * 1024  # characters that patterns see
MAX_SUBJECT = 1000
MAX_VALUE = 500  # characters of one field; a client reads it in a sentence
MAX_KEY = 500
MAX_EVENTS = 200  # of one mail; a larger storm is told in several
START_LINES = 15  # non-blank ones: a banner, a logo's text and a greeting may precede the alert

# What gateways say of a mail: whole words, since a monitored thing may be called "Extranet" or "External IP".
_TAG = (
    r"(?:(?:warning|caution|attention|message|e-?mail|suspected)\W{1,3})?(?:external|extern(?:e[rs]?)?|ext|spam|caution)"
    r"(?:[ _-](?:e-?mail|mail|sender|message|absender|afzender|bericht|nachricht))?[.!]?"
)
# Prefixes of replies, forwards and gateways, in the languages that mail clients speak. Bounded: at most eight.
_PREFIX = re.compile(
    r"^(?:\s*(?:(?:re|aw|antw|antwort|sv|vs|fw|fwd|wg|tr|rv|vb|pd|enc|i|r|rif|doorst|doorgest|doorgestuurd)"
    rf"(?:\[\d{{1,3}}\])?\.?\s?:|(?:[\[({{<]{{1,2}}\s?{_TAG}\s?[\])}}>]{{1,2}}|\*{{1,3}}\s?{_TAG}\s?\*{{1,3}}):?|{_TAG}:)){{1,8}}\s*",
    re.IGNORECASE,
)
_ODD_BLANKS = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad\u034f]")  # preheader padding, soft hyphens, marks
# A number that changes with each mail, not one of a name: "Gi1/0/2", "MSSQL$PROD1", an address, "Fan 2" without a unit.
_NUMBER = re.compile(
    r"(?P<name>\b(?:port|disk|drive|slot|raid|id|nic|fan|cpu|core|psu|supply|sensor|controller|bay|array|pool|volume|lun"
    r"|vlan|interface|adapter|ethernet|channel|unit|zone|battery|probe|wan|lan|link|tunnel|site|server|node|instance|vm"
    r"|module|switch|member|line) ?[#:]? ?)?"
    r"(?<![\w$/.])(?<!\w-)(?!\d+(?:\.\d+){3}\b)\d+(?:[.,]\d+)*"
    r"(?P<unit>\s?(?:%|percent|°|[kmgt]i?b(?:/s|ps)?\b|[kmgt]?hz\b|m?s\b|(?:sec|min|hour|day)))?",
    re.IGNORECASE,
)
# The first line of a quote or of a forwarded mail ("##- Please type your reply above": a helpdesk's): nothing from
# there on counts as the start of this one.
_QUOTED = re.compile(
    r"^\s*(?:>|\|)|^\W{2,}\s*(?:original|forwarded|weitergeleitete|ursprüngliche|doorgestuurd|oorspronkelijk|"
    r"message transféré|mensaje reenviado|messaggio inoltrato|mensagem)|^\s*begin forwarded message|"
    r"^##-|(?:wrote|schrieb|schreef|a écrit)\s*:\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class AlertText:
    """One body of a mail: how to get its text, when a recipe asks, and its lines as the quote finder saw them."""

    make: Callable[[], str]
    lines: Sequence[Line]

    @property
    def own_lines(self) -> int:
        """How many non-blank lines stand above any quote."""
        count = 0
        for line in self.lines:
            if line.below or line.depth or line.mark in {Mark.ATTRIBUTION, Mark.HEADER}:
                break
            count += bool(line.text.strip())
            if count == START_LINES:
                break
        return count


@dataclass(frozen=True, kw_only=True)
class AlertView:
    """A mail as recipes see it. `texts` are its readable bodies, best first."""

    author: Address | None
    subject: str
    headers: Headers
    texts: tuple[AlertText, ...]


@dataclass(frozen=True, kw_only=True)
class Found:
    """The recipe that knew the mail, and the events that it read."""

    recipe: Recipe
    events: tuple[Event, ...]


def find_alert(view: AlertView, recipes: Recipes, defects: list[str]) -> Found | None:
    """The first recipe that knows this mail and finds an event in it; None, and a defect for each that came close.

    Of two bodies that both give one, the one that tells more.
    """
    subject = normal_subject(view.subject)
    gated = [r for r in recipes.all if _gate(r, view, subject)]
    if not gated:
        return None
    keyless: list[str] = []
    found: list[Found] = []
    for body in view.texts:
        text = normal_text(body.make())
        start = _start(text, body.own_lines)
        for recipe in gated:
            match = recipe.match
            if match.start and not _any(match.start, start):
                continue
            if not all(p.search(text) for p in match.body):
                continue
            if events := _events(recipe, view, subject, text, defects):
                found.append(Found(recipe=recipe, events=events))
                break
            keyless.append(f"looks like {recipe.tool}, but recipe {recipe.id} found no key in it")
        if found and (found[0].recipe.match.start or found[0].recipe.match.body):
            break  # this text is the alert; what a sender alone tells may be "please view this in HTML"
    if not found:
        defects += keyless
    return max(found, key=_richness, default=None)


def _richness(found: Found) -> tuple[bool, int]:
    """How much was read: the text of two that tells more is the alert."""
    return any(e.state is not State.INFO for e in found.events), sum(len(e.fields) for e in found.events)


def normal_subject(subject: str) -> str:
    """A subject as patterns see it: plain blanks, no RE:, FW: or [EXTERNAL] before it."""
    plain = _ODD_BLANKS.sub(" ", _INVISIBLE.sub("", subject[:MAX_SUBJECT]))
    return _PREFIX.sub("", plain).strip()


def normal_text(text: str) -> str:
    """A body as patterns see it: plain blanks, nothing invisible, cut to a bound."""
    text = text[:MAX_TEXT]
    return text if text.isascii() else _ODD_BLANKS.sub(" ", _INVISIBLE.sub("", text))


def _gate(recipe: Recipe, view: AlertView, subject: str) -> bool:
    """Whether the mail may be this recipe's, by what is cheap to look at."""
    match = recipe.match
    if (match.sender or match.name) and view.author is None:
        return False
    author = view.author or Address(name="", address="")
    return (
        (not match.sender or _any(match.sender, author.address))
        and (not match.name or _any(match.name, author.name))
        and (not match.subject or _any(match.subject, subject))
        and all(name in view.headers and p.search(view.headers.get(name)[:MAX_SUBJECT]) for name, p in match.headers)
    )


def _start(text: str, own_lines: int) -> str:
    """The first lines, up to any quote or forwarded mail: by the quote finder, and by the marks that tell at once."""
    lines = list(islice((li for li in text.split("\n", 400) if li.strip()), own_lines + MIN_HEADERS))
    own = takewhile(
        lambda n: not (_QUOTED.search(lines[n][:300]) or begins_forward(lines[n : n + MIN_HEADERS])),
        range(min(own_lines, len(lines))),
    )
    return "\n".join(lines[n] for n in own)


def _any(patterns: tuple[Pattern, ...], text: str) -> bool:
    return any(p.search(text) for p in patterns)


@dataclass(frozen=True, kw_only=True)
class _Block:
    """The text of one event, with what its place in the mail already says."""

    text: str
    state: State | None = None
    fields: Mapping[str, str]


def _events(recipe: Recipe, view: AlertView, subject: str, text: str, defects: list[str]) -> tuple[Event, ...]:
    found: dict[tuple[str, State], Event] = {}
    for block in _blocks(recipe, text):
        event = _event(recipe, view, subject, text, block)
        if event is None:
            continue
        found.setdefault((event.key, event.state), event)
        if len(found) == MAX_EVENTS:
            defects.append(f"more than {MAX_EVENTS} events in one mail: the rest was not read")
            break
    return tuple(found.values())


def _blocks(recipe: Recipe, text: str) -> Iterator[_Block]:
    """The stretches that hold an event each; the whole mail where nothing splits it."""
    split = False
    for stretch in recipe.split:
        section = _section(stretch, text)
        if section is None:
            continue
        if stretch.each:
            for m in stretch.each.finditer(section):
                split = True
                groups = {k: v.strip() for k, v in m.groupdict().items() if v}
                yield _Block(text=m.group() or "", state=stretch.state, fields=groups)
        elif stretch.at:
            begins = [m.start() for m in islice(stretch.at.finditer(section), MAX_EVENTS + 1)]
            for begin, end in zip(begins, [*begins, len(section)][1:], strict=True):
                split = True
                yield _Block(text=section[begin:end], state=stretch.state, fields={})
    if not split:
        yield _Block(text=text, fields={})


def _section(stretch: Stretch, text: str) -> str | None:
    if stretch.from_:
        begin = stretch.from_.search(text)
        if begin is None:
            return None
        text = text[begin.end() :]
    if stretch.until and (end := stretch.until.search(text)):
        text = text[: end.start()]
    return text


def _event(recipe: Recipe, view: AlertView, subject: str, mail: str, block: _Block) -> Event | None:
    sender = view.author.address if view.author else ""
    texts = {"subject": subject, "body": block.text, "mail": mail, "sender": sender}
    raw: dict[str, str] = {"sender": sender, **block.fields}
    for name, sources in recipe.extract:
        if value := next((v for s in sources if (v := _found(s, texts, raw, view.headers))), ""):
            raw[name] = value
    for name, value in recipe.defaults.items():
        raw.setdefault(name, value)
    key = _first(recipe.key, raw)
    if not key:
        return None
    state = block.state or State(_chosen(recipe.state, texts, raw, State.INFO))
    decided = {**raw, "state": state.value}
    decided["severity"] = _chosen(recipe.severity, texts, decided, Severity.MEDIUM)
    decided["symptom"] = _chosen(recipe.symptom, texts, decided, "other")
    decided["class"] = _chosen(recipe.class_, texts, decided, Class.WARNING)
    thing = _first(recipe.same, raw)
    return Event(
        recipe=recipe.id,
        state=state,
        severity=Severity(decided["severity"]),
        class_=Class(decided["class"]),
        symptom=decided["symptom"],
        key=f"{recipe.id}:{key}",
        thing=f"{recipe.id}:{thing}" if thing else "",
        family=_family(recipe, decided),
        names=tuple(raw[name] for name in recipe.client_from if raw.get(name)),
        hosts=tuple(raw[name] for name in recipe.host_from if raw.get(name)),
        vendor=_plain(recipe.vendor, raw),
        rules=recipe.rules,
        fields={name: line for name, value in raw.items() if (line := " ".join(value.split())[:MAX_VALUE])},
        delay_minutes=recipe.delay_minutes,
        external=recipe.external,
        unconfirmed=recipe.unconfirmed,
    )


def _found(source: Source, texts: Mapping[str, str], fields: Mapping[str, str], headers: Headers) -> str:
    """What a source gives, empty where it gives nothing."""
    match source.kind:
        case "value":
            found = source.argument
        case "field":
            found = fields.get(source.argument, "")
        case "header":
            found = headers.get(source.argument)[:MAX_SUBJECT]
        case _:
            text = texts["body" if source.kind == "label" else source.kind]
            found = next((_group(m) for p in source.patterns if (m := p.search(text))), "")
    if source.refine and found:
        found = _group(m) if (m := source.refine.search(found)) else ""
    return found.strip()


def _group(match: Match) -> str:
    """Group 1 where the pattern has one, else all of it."""
    try:
        return match.group(1) or ""
    except (IndexError, KeyError):
        return match.group() or ""


def _chosen(choices: tuple[Choice, ...], texts: Mapping[str, str], fields: Mapping[str, str], default: str) -> str:
    for choice in choices:
        if all(p.search(fields[n] if n in fields else texts.get(n, "")) for n, p in choice.when):
            return choice.word
    return default


def _family(recipe: Recipe, decided: Mapping[str, str]) -> str:
    """What a storm is made of; trouble that is merely "other" is alike only where the recipe says so."""
    if recipe.storm is None:
        family = "" if decided["symptom"] == "other" else decided["symptom"]
    else:
        family = _first(recipe.storm, decided)
    return f"{recipe.id}:{family}" if family else ""


def _first(templates: tuple[Template, ...], fields: Mapping[str, str]) -> str:
    return next((filled for t in templates if (filled := _filled(t, fields))), "")


def _plain(templates: tuple[Template, ...], fields: Mapping[str, str]) -> str:
    """The first template whose fields are all there, as it is spelt."""
    for template in templates:
        if all(fields.get(name) for _, name, _ in template.pieces):
            words = "".join(part for literal, name, _ in template.pieces for part in (literal, fields[name]))
            return " ".join((words + template.tail).split())[:MAX_VALUE]
    return ""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One field of an event, and the source of the recipe that gave it."""

    field: str
    value: str
    source: str


def trace(view: AlertView, recipe: Recipe) -> tuple[Origin, ...]:
    """Where each field of the mail's first event came from, for whoever writes a recipe."""
    subject = normal_subject(view.subject)
    sender = view.author.address if view.author else ""
    traces: list[tuple[Origin, ...]] = []
    for body in view.texts:
        text = normal_text(body.make())
        block = next(_blocks(recipe, text))
        if _event(recipe, view, subject, text, block) is None:
            continue
        texts = {"subject": subject, "body": block.text, "mail": text, "sender": sender}
        raw = {"sender": sender, **block.fields}
        found = [Origin(field=name, value=value, source="split") for name, value in block.fields.items()]
        for name, sources in recipe.extract:
            for place, source in enumerate(sources):
                if value := _found(source, texts, raw, view.headers):
                    raw[name] = value
                    where = f"{source.kind} {source.argument}".strip()
                    nth = f", source {place + 1} of {len(sources)}" if len(sources) > 1 else ""
                    found.append(Origin(field=name, value=" ".join(value.split())[:MAX_VALUE], source=where + nth))
                    break
        given = {origin.field for origin in found}
        found += [Origin(field=n, value=v, source="default") for n, v in recipe.defaults.items() if n not in given]
        traces.append(tuple(found))
    return max(traces, key=len, default=())


def _without_value(number: re.Match[str]) -> str:
    name, unit = number["name"] or "", number["unit"] or ""
    return number[0] if name and not unit else f"{name}#{unit}"


def _filled(template: Template, fields: Mapping[str, str]) -> str:
    """The key, in one spelling (no case, single blanks); empty where a field is missing."""
    parts: list[str] = []
    for literal, name, function in template.pieces:
        value = fields.get(name, "")
        if function == "sorted":
            value = "\n".join(sorted(line.strip() for line in value.splitlines() if line.strip()))
        elif function == "without_numbers":
            value = _NUMBER.sub(_without_value, value)
        if not value:
            return ""
        parts += (literal, value)
    key = " ".join("".join((*parts, template.tail)).casefold().split())
    # A key that is cut must still tell two long ones apart.
    return key if len(key) <= MAX_KEY else f"{key[:MAX_KEY]}#{sha256(key.encode()).hexdigest()[:16]}"
