"""Recipes: how one monitoring tool's mails are known and read, as data (one TOML file a tool).

`parse_recipes` makes them from texts, refuses whatever it does not know, and names every fault with file, key and
reason. Patterns are RE2's: linear on hostile text, no look-around; `^` and `$` match at every line.

    tool = "Zabbix"                     # for people
    class = "outage"                    # a word of the vocabulary, or an ordered list of choices (see `state`)
    recovery = "mail"                   # mail | next_success | never: how trouble ends
    delay_minutes = 5                   # the monitor's own delay before it tells
    external = true                     # it looks from outside the client's network
    unconfirmed = true                  # written from memory: nothing automatic to clients
    client_from = ["group"]             # fields that may name the client, best first
    host_from = ["host", "service"]     # fields that may name its component, best first; left out: host
    default_client = "northwind"        # whose it is where nothing else tells, by the client's key
    key = ["{event_id}", "{host}/{service}"]   # the first one whose fields are all there; {labels|sorted} sorts lines
    same = "{host}/{service}"           # what is in trouble, where the key is new each time: it reopens, it flaps
    storm = "{symptom}"                 # three of these in an hour are one incident; "" is never, this the default
    vendor = "Microsoft 365"            # trouble of a vendor's: it concerns every client whose components name it
    acknowledge = "review"              # auto | review | never: stricter than the policy for the class, if it is
    orphan_minutes = 10                 # so long a recovery waits for a problem that bears no Date of its own
    reopen_minutes = 240                # trouble again so soon is the same incident; left out: as the policy says
    defaults = {service = "host"}       # for fields that nothing gave

    [match]                             # every line must hold; `headers`, `start` or a sender's domain is required
    sender = ['@uptimerobot\\.com$']     # any of these, on the author's address in lower case
    name = ['Cron Daemon']              # any of these, on the author's display name
    subject = ['^Problem: ']            # any of these, RE:, FW: and [EXTERNAL] taken off
    start = ['^Problem started at ']    # any of these, on the first lines above any quote or forwarded mail
    body = ['^Host: ']                  # all of these, anywhere in the text
    headers = {X-IDS-OSSEC = ''}        # all of these

    [extract]                           # field = where it stands: one source, or a list of which the first gives it
    host = {label = "Host"}             # "Host: x"; several spellings in a list; also = "next_line" for tables
    service = [{subject = '^Problem: (.+)$'}, {body = 'Service (\\S+)'}]     # group 1, else the whole match
    node = {header = "X-TrueNAS-Host"}  # pattern = '…' refines any source but subject, body, mail and sender
    short = {field = "host", pattern = '^([^.]+)'}                          # an earlier field

    [[split]]                           # many events in one mail; without it the mail is one event
    at = '^Labels$'                     # an event begins at every match; or each = '…': every match is one event,
    from = '^\\[\\d+\\] Firing'            # whose named groups are fields. Only between `from` and `until`.
    until = '^\\[\\d+\\] Resolved'
    state = "problem"                   # of the events of this stretch

    [[state]]                           # first hit wins; so too for severity, class and symptom
    is = "recovery"
    when = {subject = '^Resolved'}      # all must match: subject, body, mail, sender, or a field; severity
                                        # may look at `state`, symptom at both, class at all three

    [phrase.line_lost]                  # a symptom of the recipe's own, as a letter says it of a thing:
    en = "lost its internet line"       # "Your router lost its internet line this morning."
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import re2

from mailflow.domain.mail import Ending, Rules
from mailflow.domain.policy import Acknowledge
from mailflow.domain.vocabulary import Class, Severity, State
from mailflow.intake.recipe import Choice, Matcher, Pattern, Recipe, Source, Stretch, Template

# The words that every language's words.toml has a phrase for.
SYMPTOMS = (
    *("down", "rebooted", "disk_full", "backup_failed", "slow", "certificate", "storage", "power", "job_failed"),
    *("security", "vendor", "other"),
)
# What a template may do with a field: {labels|sorted}.
FUNCTIONS = ("sorted", "without_numbers")
# Texts that patterns may be tried on, besides fields.
TEXTS = ("subject", "body", "mail", "sender")
A_DAY = 24 * 60  # minutes
A_MONTH = 31 * A_DAY


class RecipeError(Exception):
    """Recipes that cannot be used; the message names every fault, a line each: file, key, reason."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipes:
    """All recipes, in the order in which they are tried."""

    all: tuple[Recipe, ...] = ()

    def __getitem__(self, id_: str) -> Recipe:
        return next(r for r in self.all if r.id == id_)

    def get(self, id_: str) -> Recipe | None:
        """The recipe of that name."""
        return next((r for r in self.all if r.id == id_), None)


def parse_recipes(texts: Mapping[str, str]) -> Recipes:
    """Make recipes from TOML texts (name -> text; a name's trailing ".toml" is no part of the recipe's id)."""
    faults: list[str] = []
    recipes: list[Recipe] = []
    for name, text in texts.items():
        id_ = name.removesuffix(".toml")
        reader = _Reader(file=f"{id_}.toml", faults=faults)
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            faults.append(f"{reader.file}: not TOML: {error}")
            continue
        before = len(faults)
        recipe = reader.recipe(id_, table)
        if len(faults) == before:
            recipes.append(recipe)
    if faults:
        raise RecipeError("\n".join(faults))
    return Recipes(all=tuple(recipes))


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """Reads one file; each fault is noted with its key, and reading goes on, so that all are told at once."""

    file: str
    faults: list[str]

    def fault(self, key: str, reason: str) -> None:
        self.faults.append(f"{self.file}: {key}: {reason}")

    def recipe(self, id_: str, table: dict[str, Any]) -> Recipe:
        known = {"tool", "class", "recovery", "delay_minutes", "external", "unconfirmed", "client_from", "host_from"}
        known |= {"default_client", "key", "same", "storm", "vendor", "acknowledge", "orphan_minutes", "reopen_minutes"}
        known |= {"match", "extract", "split", "state", "severity", "symptom", "defaults", "phrase"}
        self.keys("", table, known)
        extract = self.table("extract", table.get("extract", {}))
        defaults = {
            k: self.word(f"defaults.{k}", v) for k, v in self.table("defaults", table.get("defaults", {})).items()
        }
        stretches = tuple(
            self.stretch(f"split[{i}]", s) for i, s in enumerate(self.rows("split", table.get("split", [])))
        )
        grouped = {g for s in stretches if s.each for g in cast("Any", s.each).groupindex}
        fields = {*extract, *defaults, *grouped, "sender"}
        for required in ("tool", "class", "recovery", "key", "match", "state"):
            if required not in table:
                self.fault(required, "missing")
        phrases = self.phrases(table.get("phrase", {}))
        decided = {"state", "severity", "symptom", "class"}
        storm = table.get("storm")
        return Recipe(
            id=id_,
            tool=self.word("tool", table.get("tool", id_)),
            match=self.matcher(self.table("match", table.get("match", {}))),
            split=stretches,
            extract=tuple((name, self.sources(f"extract.{name}", value, fields)) for name, value in extract.items()),
            defaults=defaults,
            state=self.choices("state", table.get("state", "info"), fields, tuple(State)),
            severity=self.choices("severity", table.get("severity", "medium"), {*fields, "state"}, tuple(Severity)),
            class_=self.choices(
                "class", table.get("class", "warning"), {*fields, "state", "severity", "symptom"}, tuple(Class)
            ),
            symptom=self.choices(
                "symptom", table.get("symptom", "other"), {*fields, "state", "severity"}, (*SYMPTOMS, *phrases)
            ),
            key=self.templates("key", table.get("key", ""), fields),
            same=self.templates("same", table.get("same", []), fields),
            storm=None if storm is None else self.templates("storm", storm or [], fields | decided),
            vendor=self.templates("vendor", table.get("vendor", []), fields, plain=True),
            phrases=phrases,
            rules=self.rules(table),
            delay_minutes=self.minutes("delay_minutes", table.get("delay_minutes", 0), A_DAY),
            external=self.flag("external", table.get("external", False)),
            unconfirmed=self.flag("unconfirmed", table.get("unconfirmed", False)),
            client_from=self.fields("client_from", table.get("client_from", []), fields),
            host_from=self.fields("host_from", table.get("host_from", ["host"] if "host" in fields else []), fields),
        )

    def rules(self, table: dict[str, Any]) -> Rules:
        reopen = table.get("reopen_minutes")
        acknowledge = table.get("acknowledge")
        return Rules(
            ending=Ending(self.one_of("recovery", table.get("recovery", "mail"), tuple(Ending))),
            orphan_grace=timedelta(minutes=self.minutes("orphan_minutes", table.get("orphan_minutes", 10), A_DAY)),
            reopen_within=None
            if reopen is None
            else timedelta(minutes=self.minutes("reopen_minutes", reopen, A_MONTH)),
            acknowledge=None
            if acknowledge is None
            else Acknowledge(self.one_of("acknowledge", acknowledge, tuple(Acknowledge))),
            default_client=self.word("default_client", table.get("default_client", "")).casefold(),
        )

    def phrases(self, value: object) -> dict[str, dict[str, str]]:
        """Symptoms of the recipe's own; English is the one that every language can fall back on."""
        found: dict[str, dict[str, str]] = {}
        for name, words in self.table("phrase", value).items():
            row = self.table(f"phrase.{name}", words)
            found[name] = {code: self.word(f"phrase.{name}.{code}", text) for code, text in row.items()}
            if name in SYMPTOMS:
                self.fault(f"phrase.{name}", "a symptom that the languages know already; choose another name")
            if not found[name].get("en"):
                self.fault(f"phrase.{name}.en", "missing: the phrase in English")
        return found

    def fields(self, key: str, value: object, fields: set[str]) -> tuple[str, ...]:
        names = tuple(self.words(key, value))
        for name in names:
            if name not in fields:
                self.fault(key, f"{name!r} is no field of this recipe")
        return names

    def minutes(self, key: str, value: object, at_most: int) -> int:
        if type(value) is int and 0 <= value <= at_most:
            return value
        self.fault(key, f"not a number of minutes from 0 to {at_most}")
        return 0

    def one_of(self, key: str, value: object, words: Sequence[str]) -> str:
        if isinstance(value, str) and value in words:
            return value
        self.fault(key, f"{value!r} is none of {', '.join(words)}")
        return words[0]

    def matcher(self, table: dict[str, Any]) -> Matcher:
        self.keys("match", table, {"sender", "name", "subject", "start", "body", "headers"})
        senders = self.words("match.sender", table.get("sender", []))
        headers = self.table("match.headers", table.get("headers", {}))
        # Words of a subject or a body can be quoted or forwarded by anybody, and a local part be chosen by anybody.
        if not (
            headers
            or "start" in table
            or (senders and all("." in s.replace("[^@]", "").partition("@")[2] for s in senders))
        ):
            self.fault("match", "needs `headers`, `start`, or a `sender` with its domain: else a forward would match")
        return Matcher(
            sender=self.patterns("match.sender", senders),
            name=self.patterns("match.name", table.get("name", [])),
            subject=self.patterns("match.subject", table.get("subject", [])),
            start=self.patterns("match.start", table.get("start", [])),
            body=self.patterns("match.body", table.get("body", [])),
            headers=tuple((k.casefold(), self.pattern(f"match.headers.{k}", v)) for k, v in headers.items()),
        )

    def stretch(self, key: str, table: dict[str, Any]) -> Stretch:
        self.keys(key, table, {"at", "each", "from", "until", "state"})
        if ("at" in table) == ("each" in table):
            self.fault(key, "needs either `at` or `each`")
        state = table.get("state")
        if state is not None and state not in set(State):
            self.fault(f"{key}.state", f"{state!r} is none of {', '.join(State)}")
            state = None
        given = {k: self.pattern(f"{key}.{k}", table[k]) for k in ("at", "each", "from", "until") if k in table}
        return Stretch(
            at=given.get("at"),
            each=given.get("each"),
            from_=given.get("from"),
            until=given.get("until"),
            state=State(state) if state else None,
        )

    def sources(self, key: str, value: object, fields: set[str]) -> tuple[Source, ...]:
        rows = value if isinstance(value, list) else [value]
        return tuple(self.source(f"{key}[{i}]" if len(rows) > 1 else key, row, fields) for i, row in enumerate(rows))

    def source(self, key: str, value: object, fields: set[str]) -> Source:
        table = self.table(key, value)
        kinds = [k for k in (*TEXTS, "label", "header", "field", "value") if k in table]
        if len(kinds) != 1:
            self.fault(key, "needs exactly one of subject, body, mail, sender, label, header, field, value")
            return Source(kind="value")
        kind = kinds[0]
        self.keys(key, table, {kind} | (set() if kind in {*TEXTS, "value"} else {"pattern"}) | ({"also"} & set(table)))
        refine = self.pattern(f"{key}.pattern", table["pattern"]) if "pattern" in table else None
        if kind in TEXTS:
            return Source(kind=kind, patterns=self.patterns(f"{key}.{kind}", table[kind]))
        if kind == "label":
            also = table.get("also")
            if also not in {None, "next_line"}:
                self.fault(f"{key}.also", f"{also!r} is not next_line")
            labels = "|".join(re2.escape(w) for w in self.words(f"{key}.label", table["label"]))
            line = rf"^[ \t>*•-]*(?:{labels})[ \t]*[:=：][ \t]*(\S.*?)[ \t]*$"
            after = rf"^[ \t>*•-]*(?:{labels})[ \t]*[:：]?[ \t]*\n\s*(\S.*?)[ \t]*$"
            return Source(
                kind="label", patterns=self.patterns(key, [line, after] if also else [line], "(?i)"), refine=refine
            )
        argument = self.word(f"{key}.{kind}", table[kind])
        if kind == "field" and argument not in fields:
            self.fault(f"{key}.field", f"{argument!r} is no field of this recipe")
        return Source(kind=kind, argument=argument.casefold() if kind == "header" else argument, refine=refine)

    def choices(self, key: str, value: object, fields: set[str], words: Sequence[str]) -> tuple[Choice, ...]:
        rows = [{"is": value}] if isinstance(value, str) else self.rows(key, value)
        found = []
        for i, row in enumerate(rows):
            place = key if isinstance(value, str) else f"{key}[{i}]"
            self.keys(place, row, {"is", "when"})
            word = row.get("is")
            if word not in words:
                self.fault(place, f"{word!r} is none of {', '.join(words)}")
                continue
            when = self.table(f"{place}.when", row.get("when", {}))
            for name in when:
                if name not in fields and name not in TEXTS:
                    self.fault(f"{place}.when.{name}", "neither a field of this recipe nor subject, body, mail, sender")
            patterns = tuple((name, self.pattern(f"{place}.when.{name}", p)) for name, p in when.items())
            found.append(Choice(word=str(word), when=patterns))
        return tuple(found)

    def templates(self, key: str, value: object, fields: set[str], *, plain: bool = False) -> tuple[Template, ...]:
        texts = self.words(key, value)
        return tuple(self.template(f"{key}[{i}]", t, fields, plain=plain) for i, t in enumerate(texts))

    def template(self, key: str, text: str, fields: set[str], *, plain: bool = False) -> Template:
        pieces: list[tuple[str, str, str]] = []
        rest = text
        while "{" in rest:
            literal, _, rest = rest.partition("{")
            name, closed, rest = rest.partition("}")
            name, _, function = name.partition("|")
            if not closed or name not in fields:
                self.fault(key, f"{{{name}}} is no field of this recipe")
            if function and function not in FUNCTIONS:
                self.fault(key, f"{function!r} is none of {', '.join(FUNCTIONS)}")
            pieces.append((literal, name, function))
        if not pieces and not plain:
            self.fault(key, "names no field: all trouble of this tool would be one incident")
        return Template(pieces=tuple(pieces), tail=rest)

    def keys(self, place: str, table: Mapping[str, object], known: set[str]) -> None:
        for key in table:
            if key not in known:
                self.fault(f"{place}.{key}".lstrip("."), f"unknown key (known here: {', '.join(sorted(known))})")

    def table(self, key: str, value: object) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.fault(key, "not a table")
        return {}

    def rows(self, key: str, value: object) -> list[dict[str, Any]]:
        if isinstance(value, list) and all(isinstance(row, dict) for row in value):
            return value
        self.fault(key, "not a list of tables")
        return []

    def word(self, key: str, value: object) -> str:
        if isinstance(value, str):
            return value
        self.fault(key, "not a text")
        return ""

    def words(self, key: str, value: object) -> list[str]:
        return [self.word(key, v) for v in (value if isinstance(value, list) else [value])]

    def flag(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            self.fault(key, "neither true nor false")
        return bool(value)

    def patterns(self, key: str, value: object, flags: str = "") -> tuple[Pattern, ...]:
        return tuple(self.pattern(key, p, flags) for p in (value if isinstance(value, list) else [value]))

    def pattern(self, key: str, value: object, flags: str = "") -> Pattern:
        options = re2.Options()
        options.log_errors = False
        text = f"(?m){flags}{self.word(key, value)}"
        try:
            return cast("Pattern", re2.compile(text, options))
        except re2.error as error:
            reason = (
                error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else error
            )
            self.fault(key, f"not an RE2 pattern: {reason}")
            return cast("Pattern", re2.compile("", options))
