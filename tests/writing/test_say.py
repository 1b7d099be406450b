"""The sentences of letters: every one that is asked for exists, fits what happened, and could be sent to a client."""

import ast
import re
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

import mailflow
from mailflow.config.shipped import recipe_files
from mailflow.domain.form import CATALOGUE, Verb
from mailflow.domain.letters import LetterKind
from mailflow.engine.obey import NOT_UNDERSTOOD, UNCHANGED
from mailflow.intake.recipes import parse_recipes
from mailflow.writing.lint import Level, lint
from mailflow.writing.lint_files import load_rules
from mailflow.writing.say import Say, impact
from mailflow.writing.words import Words
from tests.writing.cast import (
    ANSWERS,
    BY_SHIRLEY,
    COMMON,
    ENDED,
    LATER,
    REPORTED,
    SOON,
    acknowledged,
    debriefed,
    rendered,
    shipped,
    writer,
)

HOUSE = Path(mailflow.__file__).parent
LANGUAGES = writer().languages
EVERY_SYMPTOM = sorted(writer().words("en").at("symptom"))


def words(language: str) -> Words:
    """One language's words."""
    return writer().words(language)


def leaves(table: Any, path: str = "") -> dict[str, Any]:
    """Every entry of a words.toml by its dotted path."""
    if not isinstance(table, dict):
        return {path: table}
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= leaves(value, f"{path}.{key}".lstrip("."))
    return found


def wanted(sentence: str) -> set[str]:
    """The values that a sentence wants."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


# --- nothing that is asked for is missing ---


def named_in_code() -> dict[str, set[str]]:
    """Names of sentences as code writes them: the first of a list [name, {values}], by where it is written."""
    found: dict[str, set[str]] = {}
    for file in sorted((HOUSE / "engine").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.List) and len(node.elts) == 2):
                continue
            name, values = node.elts
            said = isinstance(values, ast.Dict) or (isinstance(values, ast.Name) and values.id in {"values", "said"})
            for one in [name.body, name.orelse] if isinstance(name, ast.IfExp) else [name]:
                if said and isinstance(one, ast.Constant) and isinstance(one.value, str):
                    found.setdefault(one.value, set()).add(file.name)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_that_code_names_exists(language: str) -> None:
    """A mail to our own people never fails for a sentence that nobody wrote."""
    named = named_in_code()
    assert len(named) > 30
    lines, headlines = words(language).at("line"), words(language).at("headline")
    assert {name: where for name, where in named.items() if name not in lines and name not in headlines} == {}


# What is named by the value of something: decisions' reasons, plans, warnings.
BY_VALUE = [
    *("ack_auto", "ack_review", "ack_staff", "ack_never", "ack_nobody", "ack_off"),
    *("alert_opened", "client_opened", "staff_opened", "form_restored", "form_open", "form_staff"),
    *("superseded", "send_to_no_preview", "preview_of_another_person", "send_with_changes"),
    *("two_answers", "parts_disagree", "ready_one", "ready_many", "ready_off", "ready_nobody", "ready_now"),
    *("failed", "unproven", "slow", "stale", "template", "capped", "held_review"),
    *("shown_alert_of_no_client", "shown_alert_of_two_clients", "shown_sender_of_two_clients", "shown_staff"),
    *("shown_stranger", "shown_automatic", "shown_no_recipe", "hint_open", "hint_staff", "hint_place"),
    *NOT_UNDERSTOOD,
    *UNCHANGED,
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_that_a_value_names_exists(language: str) -> None:
    """The same for those that a reason, a plan or a warning names."""
    assert [name for name in BY_VALUE if name not in words(language).at("line")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_command_and_symptom_has_words(language: str) -> None:
    """S2.13: fields of the form, commands, and whatever a recipe can see are all said in this language."""
    has = words(language)
    for field in CATALOGUE:
        assert has.at(f"form.label.{field.name}")
        assert has.at(f"form.short.{field.name}")
    assert {verb.value for verb in Verb} <= set(has.at("command"))
    assert set(has.at("symptom")) - {"reported"} <= set(has.at("acknowledgement.seen"))
    recipes = parse_recipes({name: file.read_text() for name, file in recipe_files(None).items()})
    seen = re.findall(r'symptom = "(\w+)"', "\n".join(file.read_text() for file in recipe_files(None).values()))
    assert recipes
    assert set(seen) <= set(has.at("symptom"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_of_the_day_has_words(language: str) -> None:
    """S0.2: no hour of the day is without words, today or yesterday."""
    time = words(language).at("time")
    for _, part in time["parts"]:
        assert time["today"][part]
        assert time["yesterday"][part]
    assert (len(time["hours"]), len(time["exact"]), len(time["days"]), len(time["short_days"])) == (24, 3, 7, 7)
    assert len(time["months"]) == 12
    assert 60 % len(time["rough"]) == 0
    assert time["parts"][0][0] == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_things(language: str) -> None:
    """S2.13: a language has every entry that English has, and wants no value that English does not."""
    english, other = leaves(words("en").table), leaves(words(language).table)
    optional = ("acknowledgement.seen.", "debrief.story.", "time.today.", "time.yesterday.", "time.late_today.")
    assert [path for path in english if path not in other and not path.startswith(optional)] == []
    for path, sentence in other.items():
        if path in english and isinstance(sentence, str) and isinstance(english[path], str):
            assert wanted(sentence) <= wanted(english[path]), path


@pytest.mark.parametrize("path", sorted(p for p in shipped() if p.endswith((".txt", ".html"))))
def test_every_sentence_that_a_template_asks_for_exists(path: str) -> None:
    """A template asks `say` only for what it can say."""
    asked = set(re.findall(r"\bsay\.(\w+)", shipped()[path]))
    assert {name for name in asked if not hasattr(Say, name)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_gets_what_it_wants(language: str) -> None:
    """Sentences of acknowledgements and debriefs want only what every client letter knows."""
    known = {"plain", "Plain", "when", "when_of", "reporter", "reported", "time", "by", "phone", "part", "impact"}
    for path, entry in leaves(words(language).table).items():
        if path.startswith(("acknowledgement.", "debrief.opening")):
            for sentence in [entry] if isinstance(entry, str) else entry:
                assert wanted(sentence) <= known, path


# --- what is said fits what happened, and may be sent ---

WAYS = range(4)
HAPPENED: list[dict[str, Any]] = [
    {},
    {"ended": ENDED},
    dict(BY_SHIRLEY),
    {"ended": ENDED, **BY_SHIRLEY},
    {"reporter": "John", "reported_at": REPORTED},
    {"phone": ""},
    {"plain": ""},
]


@cache
def to_clients(language: str) -> list[tuple[str, str]]:
    """Every letter to a client that the shipped words can make, in its two parts, subject first."""
    letters = [
        (LetterKind.ACKNOWLEDGEMENT, acknowledged(way, symptom=symptom, **happened))
        for way, symptom, happened in product(WAYS, [*EVERY_SYMPTOM, "unheard_of"], HAPPENED)
        if symptom != "reported"
    ]
    reported: dict[str, Any] = {"symptom": "reported", "plain": "", "reported": "The printer"}
    letters += [
        (LetterKind.ACKNOWLEDGEMENT, acknowledged(way, reporter=who, **reported))
        for way, who in product(WAYS, ("John", "Shirley"))
    ]
    for symptom, promised, ended in product(EVERY_SYMPTOM, (None, LATER), (None, ENDED)):
        changes = {"symptom": symptom, "promised": promised, "ended": ended}
        letters += [(LetterKind.DEBRIEF, debriefed(ANSWERS, way, **changes)) for way in WAYS]
        letters.append((LetterKind.DEBRIEF, debriefed({"problem": "A fan.", "steps": "A new one."}, **changes)))
    found = []
    for kind, facts in letters:
        made = rendered(kind, facts, LATER if kind is LetterKind.DEBRIEF else SOON, language)
        found.append((made.subject, made.text))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_letter_to_a_client_has_a_hole(language: str) -> None:
    """S1.2: whatever happened, subject and sentences are whole: no blank where a name belongs, no doubled sign."""
    hole = re.compile(
        r"  |[{}]|\bNone\b|\bNoneType\b|“”| [,.;:?!](?:\s|$)|[,;:]\.|\.\.|,,|\n\n\n|\(\)|\[\]", re.MULTILINE
    )
    for subject, text in to_clients(language):
        assert subject.strip()
        assert not hole.search(subject), subject
        assert not hole.search(text), text
        assert all(line == line.rstrip() and len(line) <= 72 for line in text.splitlines()), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_letter_to_a_client_says_what_nobody_should(language: str) -> None:
    """N.7, S1.2: no sentence of ours is one that the writing gate holds back."""
    rules = load_rules(shipped())[language]
    sentences = {part for letter in to_clients(language) for text in letter for part in text.split("\n\n")}
    assert len(sentences) > 50
    held = {part: [o.rule for o in lint(part, rules) if o.level is not Level.WARNING] for part in sentences}
    assert {part: ids for part, ids in held.items() if ids} == {}


def test_a_second_letter_is_worded_otherwise() -> None:
    """S1.2: nobody gets a second acknowledgement in the same sentences as the one before."""
    for symptom in ("rebooted", "down", "slow"):
        texts = [rendered(LetterKind.ACKNOWLEDGEMENT, acknowledged(n, symptom=symptom), SOON).text for n in range(3)]
        assert all(one != next_ for one, next_ in pairwise(texts))
        promises = [text.split("\n\n")[2] for text in texts]
        assert len(set(promises)) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("everyone using the Data drive", "It touched everyone using the Data drive."),
        (" the front desk ", "It touched the front desk."),
        ("Nobody could print.", "Nobody could print."),
        ("Everyone!", "Everyone!"),
        ("Two people\nand a printer", "Two people\nand a printer"),
        ("one two three four five six seven eight nine", "one two three four five six seven eight nine"),
        ("{plain} {0}", "It touched {plain} {0}."),
    ],
)
def test_who_felt_it(text: str, said: str) -> None:
    """S1.6, S1.4: a phrase gets a sentence around it; a sentence stays as it was written."""
    assert impact(text, "It touched {impact}.") == said


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        *((0.2, "less than an hour"), (1.0, "1 hour"), (1.9, "1 hour"), (2.0, "2 hours"), (23.9, "23 hours")),
        *((24.0, "1 day"), (47.9, "2 days"), (48.0, "2 days"), (500.0, "21 days")),
    ],
)
def test_how_late(hours: float, said: str) -> None:
    """S1.15: lateness in whole hours or days, singular where it is one."""
    assert Say(words("en"), COMMON, LATER).late(hours) == said


def test_values_of_a_sentence_are_spoken() -> None:
    """Times among a sentence's values are said as a person says them, and a list names other words."""
    say = Say(words("en"), COMMON, LATER)
    line = ["resolved_already", {"ended_at": ENDED.isoformat()}]
    assert say.line(line) == "It was over already, at 9:21. Your word is in the record."
    assert say.lines([line, line]).count("9:21") == 2
    assert say.line(["fact", {"name": ["field", "host"], "value": "{x}"}]) == "Host: {x}"
    seen = {"title": "printer", "symptom": ["symptom", "down"], "noticed_by": "Zabbix"}
    for client, whose in (("Northwind", "Northwind's"), ("De Jong Logistics", "De Jong Logistics'")):
        said = say.line(["alert_opened", {**seen, "client": client, "started_when": ENDED.isoformat()}])
        assert said == f"{whose} printer stopped answering. Zabbix saw it at 9:21."
    assert say.headline(["failed", {"names": "John"}]) == "Not delivered: the letter to John"
