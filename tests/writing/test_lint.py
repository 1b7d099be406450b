"""The writing gate: what it holds back, what it leaves alone, and that nobody's text or rule file can hurt it."""

import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from mailflow.config.shipped import layers
from mailflow.writing.lint import FOREIGN, MAX_SENTENCE, MAX_TEXT, Level, lint
from mailflow.writing.lint_files import RulesError, load_rules

GOLDENS = Path(__file__).parent.parent / "goldens" / "letters"
SOURCES = {path: file.read_text() for path, file in layers("templates", None).items() if path.startswith("lint/")}
RULES = load_rules(SOURCES)
EN = RULES["en"]
FILES = {path.removeprefix("lint/").removesuffix(".toml"): tomllib.loads(text) for path, text in SOURCES.items()}
ACK = """Hello John,

Our monitoring lost contact with your file server at about quarter past
nine this morning. Nobody could open the Data drive until Paul came.

A disk in the server had failed and the other one took its place.

Kind regards,
Valery Stufano
"""


def said(text: str, language: str = "en", foreign: Sequence[tuple[str, ...]] = ()) -> list[str]:
    """The ids of the rules that object to a text, in order."""
    return [o.rule for o in lint(text, RULES[language], foreign=foreign)]


# --- rules as data ---


def test_there_is_as_much_to_say_in_dutch() -> None:
    """N.7: about fifty rules in each shipped language, and the words for everything that code looks for."""
    assert {"en", "nl"} <= set(FILES)
    assert all(len(file["rule"]) >= 45 for file in FILES.values())
    assert FILES["en"]["said"].keys() == FILES["nl"]["said"].keys()


@pytest.mark.parametrize("language", FILES)
def test_each_rule_finds_its_examples_and_leaves_its_near_misses(language: str) -> None:
    """N.7: every rule finds what it is for inside a whole letter; near misses pass the whole gate without an error."""
    for rule in FILES[language]["rule"]:
        assert rule["finds"], rule["id"]
        assert rule["leaves"], rule["id"]
        for text in rule["finds"]:
            found = lint(f"Hello John,\n\n{text}\n\nKind regards,\nValery", RULES[language])
            assert [(o.level, o.why, o.better) for o in found if o.rule == rule["id"]] == [
                (rule["level"], rule["why"], rule["better"])
            ], (rule["id"], text)
        for text in rule["leaves"]:
            assert [o for o in lint(text, RULES[language]) if o.level is not Level.WARNING] == [], rule["id"]


@pytest.mark.parametrize("language", FILES)
def test_a_rule_speaks_in_plain_short_sentences(language: str) -> None:
    """N.7: each reason is one sentence, and each better way is short enough to be read in a preview."""
    for row in (*FILES[language]["rule"], *FILES[language]["said"].values()):
        assert row["why"].endswith("."), row
        assert len(row["why"]) <= 90, row
        assert len(row["better"]) <= 110, row


def test_no_golden_letter_to_a_client_is_held() -> None:
    """N.7: no letter that mailflow itself writes to a client is held back."""
    letters = sorted(GOLDENS.glob("john-*.txt"))
    assert len(letters) > 20
    for letter in letters:
        found = lint(letter.read_text().removeprefix("Subject: "), EN)
        assert [o for o in found if o.level is not Level.WARNING] == [], letter.name


def test_objections_come_in_the_order_of_the_text_once_a_sentence() -> None:
    """N.7: they are read beside the letter, so they follow it; the same word twice in a sentence is one objection."""
    text = "We forgot to look.\n\nSorry for the inconvenience, a great inconvenience. More inconvenience\nat 10.1.2.3."
    found = lint(text, EN)
    assert [o.rule for o in found] == ["blame-verb", "inconvenience", "inconvenience", "private-address"]
    assert found[1].sentence == "Sorry for the inconvenience, a great inconvenience."
    assert found[3].sentence == "More inconvenience at 10.1.2.3."


def test_wrapping_and_word_processors_hide_nothing() -> None:
    """N.7: a line break, a bent apostrophe, a hard space, a soft hyphen or a wide letter is no way around the gate."""
    for text in (
        "for your\npati\u00adence: thank you for\u00a0your\npatience",
        "It wo\u200bn’t happen again",
        "ｇuarantee",
    ):
        assert {"patience", "promise-never"} & set(said(text)), text


def test_a_very_long_sentence_is_shown_where_it_matters() -> None:
    """N.7: what is shown stays short and holds the words that are meant."""
    (found,) = lint("and so on " * 100 + "we guarantee it " + "and so on " * 100, EN)
    assert "guarantee" in found.sentence
    assert len(found.sentence) <= MAX_SENTENCE


# --- leaks ---

LEAKS = {
    "private-address": [
        "The host 192.168.1.2 is down",
        "10.0.0.5",
        "see 172.16.4.1",
        "at fe80::1ff:fe23",
        "fd12:3456::1",
    ],
    "internal-name": [
        "dc01.northwind.local",
        "ask files.corp.",
        "\\\\fs01\\data is back",
        "on nas.lan",
        "db.internal:5432",
    ],
    "file-path": ["see /var/log/syslog", "in C:\\Windows\\Temp", "(/etc/hosts)", "~/notes.txt", "HKLM was wrong"],
    "traceback": [
        *("Traceback (most recent call last):", "at com.foo.Bar(Baz.java:12)", 'File "x.py", line 3'),
        *("a NullPointerException came", "KeyError: 'x'", "fault at 0x7ffe0012"),
    ],
    "placeholder": [
        *("Hello {{ name }},", "{% if x %}", "on %s at nine", "${HOST} is down", "Hello [NAME],", "Dear <name>,"),
        *(
            "TODO: more",
            "It cost XXX euro",
            "Lorem ipsum dolor",
            "Hello {first_name},",
            "[your name]",
            "It ended at None.",
        ),
    ],
    "credentials": [
        *("Password: hunter2", "your password is Summer24", "api key = abcdef", "wachtwoord: geheim"),
        *("-----BEGIN RSA PRIVATE KEY-----", "d41d8cd98f00b204e9800998ecf8427e", "https://a:b@files.example/x"),
        "https://files.example/x?token=abc",
    ],
    "form": ["[1] A disk.", "see [2]", "----- end of form INC-2041/1 -----", "abcdefghij-abcdefghijklmnopqrstuvwxyz"],
    "command": ["SEND", "NO DEBRIEF, he knows", "LATER FRIDAY", "ASK PAUL", "NOTE he pays late", "MERGE INC-2040"],
}
NO_LEAKS = [
    *(
        "Version 10.2 is out since 10.11.2026.",
        "Call 555 0100 from 10.30 on.",
        "Everything local is fine.",
        "203.0.113.9 is up.",
    ),
    *("None of your files were touched.", "We reset the password of Maria.", "It was 50 % full, and/or slow."),
    *(
        "The home page and the tmp folder.",
        "Read https://status.example/incidents/file-server-and-mail-of-tuesday.",
        "a < b",
    ),
    *("I'll send it later on Friday.", "Please note that it is Sunday.", "INC-2041", "The error on screen was new."),
    *("It ended at noon [we think].", "Paul asked about the note.", "Ask Paul."),
]


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in LEAKS.items() for text in texts])
@pytest.mark.parametrize("language", ["en", "nl"])
def test_what_leaks_is_found_in_any_language(rule: str, text: str, language: str) -> None:
    """N.7: nothing from inside a network, a program, a template or our own mails reaches a client."""
    for whole in (text, f"Hello John,\n\nIt went wrong.\n\n{text}\n\nKind regards"):
        assert (rule, Level.LEAK) in [(o.rule, o.level) for o in lint(whole, RULES[language])], whole


@pytest.mark.parametrize("text", NO_LEAKS)
def test_what_only_looks_like_a_leak_is_left_alone(text: str) -> None:
    """N.7: dates, versions, links, our reference and plain words are no leaks."""
    assert [o for o in lint(text, EN) if o.level is Level.LEAK] == []


# --- other clients ---

OTHERS = [("Contoso B.V.", "contoso.example"), ("Apex",), ("Target",), ("IBS",), ("Jansen & Zonen",), ("Café Zürich",)]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "It hit Contoso too.",
            "as at CONTOSO's",
            "mail to ann@contoso.example",
            "the same at Apex",
            "Target had it too",
        ),
        *("seen at IBS.", "jansen & zonen called", "the café zürich server", "host CONTOSO-DC01"),
    ],
)
def test_another_client_is_never_named(text: str) -> None:
    """N.7: another client's name is found as whole words in any case, without its legal form, in an address too."""
    assert said(text, foreign=OTHERS).count(FOREIGN) == 1
    assert FOREIGN not in said(text)


@pytest.mark.parametrize(
    "text", ["Our target is Sunday.", "the apex of the roof", "Contosoville", "ribs and ibs", "Jansen called", "Zonen"]
)
def test_a_word_that_is_also_a_name_is_left_alone(text: str) -> None:
    """N.7: a short name, or one that is an ordinary word, is found with its own capitals only; never part of a word."""
    assert said(text, foreign=OTHERS) == []


def test_a_clients_many_names_are_one_objection_a_sentence() -> None:
    """N.7: "Contoso, ann@contoso.example" is one thing to take out, in each sentence where it stands."""
    assert said("Contoso, ann@contoso.example and Contoso. Then Contoso again.", foreign=OTHERS) == [FOREIGN, FOREIGN]


# --- earlier letters ---


def test_the_same_letter_twice_is_an_error() -> None:
    """N.7: a client never gets nearly the same letter again, whoever greets and signs it."""
    again = ACK.replace("Hello John", "Dear Mr Harper").replace("Valery Stufano", "Paul\n555 0100")
    (found,) = lint(again, EN, before=["Something else entirely.", ACK])
    assert (found.rule, found.level) == ("same-letter", Level.ERROR)
    assert found.sentence.startswith("Our monitoring lost contact")


def test_a_sentence_said_before_is_a_thought() -> None:
    """N.7: a long sentence that this client has read word for word is a warning, a short or a new one is nothing."""
    new = (
        "Hello John,\n\nThe printer on the second floor has new rollers, and prints again since noon. "
        "Its old ones had been in for six years, so they slipped on damp paper.\n\n"
        "A disk in the server had failed and the other one took\nits place. Nobody waited.\n\nKind regards,\nValery"
    )
    (found,) = lint(new, EN, before=[ACK + "Nobody waited."])
    assert (found.rule, found.level) == ("repeated-sentence", Level.WARNING)
    assert found.sentence == "A disk in the server had failed and the other one took its place."
    assert lint(new, EN, before=["Hello John,\n\nAll is new here.\n\nKind regards,\nValery"]) == ()


def test_what_stands_in_every_letter_is_no_repetition() -> None:
    """N.7: offering a phone number again is no repetition, nor is a signature."""
    offer = "If you have any questions or concerns at all, just reply, or call me on 555 0100.\n\nKind regards,\nValery"
    assert lint(f"The disk is new.\n\n{offer}", EN, before=[f"Mail came late on Monday.\n\n{offer}"]) == ()


def test_only_the_newest_letters_are_compared() -> None:
    """N.7: the comparison is bounded: twenty earlier letters, newest first."""
    others = [f"Letter number {n} about something else." for n in range(20)]
    assert lint(ACK, EN, before=[*others, ACK]) == ()
    assert [o.rule for o in lint(ACK, EN, before=[*others[:19], ACK])] == ["same-letter"]


# --- bounds ---


def test_a_text_that_is_too_long_is_an_error() -> None:
    """N.7: what was not read to its end is not let through."""
    assert lint("a " * (MAX_TEXT // 2), EN) == ()
    assert [(o.rule, o.level) for o in lint("a " * MAX_TEXT, EN)] == [("too-long", Level.ERROR)]


@pytest.mark.parametrize(
    "text",
    [
        "a. " * 7000,
        "sorry " * 3300,
        "\\" * 20000,
        "{" * 20000,
        "Your staff failed to. " * 900,
        "\n\n- x" * 5000,
        "\ufdfa" * 9999,
    ],
    ids=["sentences", "nearly", "slashes", "braces", "hits", "items", "ligatures"],
)
def test_a_hostile_text_is_not_slow(text: str) -> None:
    """N.7: the work is linear in the text and bounded in what is said, whatever the text, the clients, the past."""
    began = time.perf_counter()
    found = lint(text, EN, foreign=[(f"Contoso {n}",) for n in range(500)], before=[text + "x"] * 50)
    assert time.perf_counter() - began < 2  # a twentieth of it on a quiet machine
    assert len(found) < 200


@pytest.mark.parametrize("text", ["", " \n", "\x00", "\ud800 guarantee", "\u200b", ".", "- ", "---"])
def test_odd_texts_are_read_all_the_same(text: str) -> None:
    """N.7: nothing that can stand in a text makes the gate fail."""
    assert said(text) == (["promise-never"] if "guarantee" in text else [])


# --- an MSP's own files ---


def rule(**changes: str) -> str:
    """One rule as TOML, with something changed; an empty value leaves the key out."""
    row = {"id": "ours", "level": "warning", "pattern": "synerg", "why": "No.", "better": "Yes."} | changes
    return "[[rule]]\n" + "\n".join(f"{key} = {value!r}" for key, value in row.items() if value)


def test_an_msp_adds_replaces_and_drops_rules() -> None:
    """N.7: a file beside the shipped one adds a rule, replaces one of the same id, or takes one away; leaks stay."""
    own = "\n".join([rule(), rule(id="inconvenience", pattern="discomfort"), '[[rule]]\nid = "soon"\nlevel = "off"'])
    rules = load_rules({**SOURCES, "lint/en.house.toml": own})["en"]
    assert [o.rule for o in lint("Synergy, soon. No inconvenience. Discomfort at 10.1.2.3!", rules)] == [
        *("ours", "inconvenience", "private-address"),
    ]


def test_a_language_of_an_msps_own_borrows_words() -> None:
    """N.7: a language without words for what code finds says them in English, and still lets nothing leak."""
    rules = load_rules({**SOURCES, "lint/fr.toml": rule(pattern="malaise")})["fr"]
    assert [o.rule for o in lint("Un malaise. Le 10.1.2.3 !", rules)] == ["ours", "private-address"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (rule(pattern="(x"), "lint/en.house.toml: rule ours: not an RE2 pattern: missing )"),
        (rule(pattern="x(?=y)"), "lint/en.house.toml: rule ours: not an RE2 pattern: "),
        (rule(pattern="x*"), "lint/en.house.toml: rule ours: the pattern finds every text"),
        (rule(pattern=""), "lint/en.house.toml: rule ours: pattern is missing, or not a text"),
        (rule(level="info"), "lint/en.house.toml: rule ours: level 'info' is none of error, warning, off"),
        (rule(why=""), "lint/en.house.toml: rule ours: why is missing, or not a text"),
        (rule(id=""), "lint/en.house.toml: rule[1]: id is missing, or not a text"),
        (rule(because="x"), "lint/en.house.toml: rule ours.because: unknown key (known here: better, "),
        (rule() + "\n" + rule(), "lint/en.house.toml: rule ours: stands twice"),
        (rule() + '\nfinds = ["other"]', "lint/en.house.toml: rule ours: finds 'other', as it says, but the pattern"),
        (rule() + '\nleaves = ["synergy"]', "lint/en.house.toml: rule ours: leaves 'synergy', as it says, but the"),
        (rule() + "\nfinds = 3", "lint/en.house.toml: rule ours.finds: not a list of texts"),
        ("rule = 3", "lint/en.house.toml: said, rule: must be written [said.NAME] and [[rule]]"),
        ("rule = [3]", "lint/en.house.toml: rule[1]: id is missing, or not a text"),
        ("closings = [3]", "lint/en.house.toml: closings: not a list of texts"),
        ("standing = ['(']", "lint/en.house.toml: standing: not an RE2 pattern: "),
        (
            "[said.nothing]\nwhy = 'x'\nbetter = 'y'",
            "lint/en.house.toml: said.nothing: unknown key (known here: command",
        ),
        ("[said]\nform = 3", "lint/en.house.toml: said.form: why is missing, or not a text"),
        ("rules = []", "lint/en.house.toml: rules: unknown key (known here: closings, "),
        ("[[rule", "lint/en.house.toml: not TOML: "),
    ],
)
def test_a_mistake_in_a_rule_file_names_file_rule_and_reason(text: str, message: str) -> None:
    """N.7: a rule file that cannot be used says where it is wrong and why, and never fails otherwise."""
    with pytest.raises(RulesError) as raised:
        load_rules({**SOURCES, "lint/en.house.toml": text})
    assert message in str(raised.value)


def test_all_mistakes_are_told_at_once() -> None:
    """N.7: whoever corrects a rule file does it once."""
    with pytest.raises(RulesError) as raised:
        load_rules({**SOURCES, "lint/en.toml": rule(level="x"), "lint/nl.toml": rule(pattern="(")})
    lines = str(raised.value).splitlines()
    assert "lint/en.toml: said.private-address: missing" in lines
    assert {line.partition(":")[0] for line in lines} == {"lint/en.toml", "lint/nl.toml"}
