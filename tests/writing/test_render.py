"""Templates -> words: every letter, from the facts that the engine really makes, and nothing inbound is markup."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatch
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from mailflow.domain.letters import Letter, LetterKind
from mailflow.domain.tokens import redact
from mailflow.writing.compose import compose
from mailflow.writing.render import JINJA_TAG, Rendered, TemplateError, Writer, inline_styles, prose, quoted, tidy
from mailflow.writing.words import WordsError
from tests.house import DANA, JOHN, MORNING, NOC, SHIRLEY, VALERY, by_hand, write_mail
from tests.writing.cast import EVERY, LATER, SOON, TAG, acknowledged, debriefed, rendered, shipped, writer
from tests.writing.test_compose import ENVELOPE, body

K = LetterKind


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> list[Letter]:
    """Letters of every kind, as the engine put them into its outbox in one eventful morning."""
    with by_hand(tmp_path_factory.mktemp("house")) as on:
        on.alert()
        on.later(minutes=4)
        on.replies(on.last(K.OPENED), "UPDATE We are looking at the fans.")
        on.replies(on.last(K.PREVIEW), "SEND")
        on.replies(on.last(K.OPENED), "ASK Paul which fan was it?")
        on.writes(
            JOHN,
            "How long will it take?\n",
            f"Re: {on.last(K.UPDATE, JOHN).subject}" if on.got(JOHN, K.UPDATE) else "?",
        )
        on.later(minutes=4)
        on.replies(on.last(K.FORWARD), "An hour, I think.")
        on.later(minutes=4)
        on.recovery()
        on.writes(SHIRLEY, "I can't open the Data drive.\n", "Data drive")
        on.later(minutes=15)
        on.replies(on.last(K.FORM), "1: A fan.")
        on.replies(on.last(K.MISSING), "2: about nine\n5: whenever")
        on.replies(on.last(K.PREVIEW), "SEND") if on.got(VALERY, K.PREVIEW) else None
        on.replies(on.last(K.MISSING), "5: Tue 9:05")
        on.replies(on.last(K.PREVIEW), "SEND")
        on.later(minutes=4)
        on.writes(JOHN, "Who can look at the printer?\n", "Printer")
        on.arrives(write_mail("jo@mail.example", NOC, "Your invoice", "Please pay.\n", on.now))
        on.arrives(write_mail(f"Valery Stufano <{VALERY}>", NOC, "Upgrade", "OPEN contoso: upgrade\n", on.now))
        on.writes(VALERY, "OPEN contoso: upgrade was not announced\n", "Contoso")
        on.later(days=6)
        assert on.got(DANA, K.DIGEST)
        on.later(days=2)
        on.writes(VALERY, "REPORT northwind November\n", "Please")
        return on.letters()


def test_every_kind_is_among_them(real: list[Letter]) -> None:
    """The tests below are about every letter there is."""
    assert {letter.kind for letter in real} == set(LetterKind)


def test_the_cast_is_true_to_the_engine(real: list[Letter]) -> None:
    """The goldens' fixed facts have just the names that the engine's have."""
    for letter in real:
        fixed = set(EVERY[letter.kind][0]) - {"tag"}
        assert set(letter.facts) - {"tag"} == fixed, letter.kind


@pytest.mark.parametrize("language", writer().languages)
def test_every_letter_can_be_written(real: list[Letter], language: str) -> None:
    """S2.13: every kind of letter, in every language, from the engine's own facts, with no hole in it."""
    for letter in real:
        words = rendered(letter.kind, letter.facts, letter.due_at, language)
        for part in (words.subject, words.text, LexborHTMLParser(words.html).body.text()):  # type: ignore[union-attr]
            assert part.strip()
            assert not re.search(r"[{}]|\bNone\b|JINJA", part), (letter.kind, part)
        assert not re.search(r"\n\n\n|[ \t]\n", words.text), (letter.kind, words.text)
        assert words.text.endswith("\n")


def test_no_kept_copy_can_speak(real: list[Letter]) -> None:
    """DESIGN 3, Tokens: once the tag is cut out of a letter's bytes, it stands in none of its parts any more."""
    mac = TAG.partition("-")[2]
    for kind in LetterKind:
        letter = next(letter for letter in real if letter.kind is kind)
        facts = {**letter.facts, "tag": TAG}
        sent = compose(replace(ENVELOPE, references=()), writer().render(kind, "en", facts, letter.due_at))
        assert mac.encode() in sent
        kept = redact(sent)
        for part in (kept.decode(), body(kept, "plain"), body(kept, "html")):
            assert mac not in part, kind
            assert mac not in part.replace("=\r\n", ""), kind


# --- nothing inbound is markup ---

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><a href='https://evil.example'>x</a>",
    "</p></div></body><h1>x</h1>",
    "{{ 7 * 7 }}{{ liaison.__class__ }}",
    "{% for x in y %}{% endfor %}{# note #}",
    "<!-- x --> &lt;b&gt; &amp;",
    "{0} {plain} {time.__class__}",
    "<style>body{display:none}</style>",
]
# What the engine writes itself, and never anybody outside.
OURS = {
    "timezone",
    "symptom",
    "started",
    "ended",
    "reported_at",
    "promised",
    "came",
    "heading",
    "html",
    "due_by",
    "late",
}
OURS |= {"started_when", "ended_at", "due_at", "sent_at", "releases", "oldest_hours", "number", "compact", "variant"}
OURS |= {"next_by", "live", "bar", "opened", "late_count"}


def with_words(fact: Any, words: str, name: str = "") -> Any:
    """The same facts, where everything that somebody else may have written says `words`."""
    if name in OURS or name.endswith(("_at", "_when", "_day", "_date", "_full")):
        return fact
    if isinstance(fact, dict):
        return {key: with_words(value, words, key) for key, value in fact.items()}
    if isinstance(fact, list):
        sentence = len(fact) == 2 and isinstance(fact[0], str)  # [name, values] or [table, key]
        return (
            [fact[0], with_words(fact[1], words) if isinstance(fact[1], dict) else fact[1]]
            if sentence
            else [with_words(each, words) for each in fact]
        )
    return words if isinstance(fact, str) and fact else fact


def elements(html: str) -> list[tuple[str | None, tuple[str, ...]]]:
    """Every element with the names of its attributes, in order."""
    return [(node.tag, tuple(sorted(node.attributes))) for node in LexborHTMLParser(html).css("*")]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("kind", list(LetterKind))
def test_hostile_words_stay_words(kind: LetterKind, hostile: str) -> None:
    """DESIGN 3, Nothing inbound: whatever anybody wrote, the letter has the same elements and shows it as it is."""
    facts, now = EVERY[kind]
    calm = rendered(kind, with_words(facts, "calm words"), now)
    words = rendered(kind, with_words(facts, hostile), now)
    assert elements(words.html) == elements(calm.html)
    assert "49" not in words.text
    shown = LexborHTMLParser(words.html).body
    assert shown is not None
    assert " ".join(hostile.split()) in " ".join(shown.text().split())
    assert " ".join(hostile.split()) in " ".join(words.text.replace("\n| ", " ").split())


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.sampled_from("<>\"'&/ {}%#=x\n-*1.\u2028é"), min_size=1, max_size=40))
def test_whatever_is_answered(text: str) -> None:
    """S1.4: any answer at all can be sent, and never makes an element that prose does not make."""
    words = rendered(K.DEBRIEF, debriefed({"problem": text, "steps": "x", "impact": text}), LATER)
    assert {node.tag for node in LexborHTMLParser(words.html).css("body *")} <= {"p", "h2", "br", "ul", "ol", "li"}
    assert words.text.endswith("\n")


# --- styles ---


@pytest.mark.parametrize(
    "path", sorted(p for p in shipped() if fnmatch(p, "letters/*.html") and "/_" not in p and "layout" not in p)
)
def test_inlining_keeps_every_jinja_tag(path: str) -> None:
    """Moving styles onto elements changes no tag of the template, nor their order."""
    source = shipped()["letters/en/layout.html"].replace("<!-- letter -->", shipped()[path])
    assert JINJA_TAG.findall(inline_styles(source)) == JINJA_TAG.findall(source)


def test_styles_are_on_their_elements() -> None:
    """Mail clients drop style sheets: none is left, and a class's style stands on its element."""
    made = inline_styles(
        "<html><head><title>{{ a }}</title><style>.x { color: red; } p { margin: 0; }</style></head><body>"
        '{% if a < b and c > d %}<p class="x" title="{{ e }}">{{ f | g("<i>") }}</p>{% endif %}</body></html>'
    )
    assert "<style" not in made
    assert "{% if a < b and c > d %}<p" in made
    assert '{{ f | g("<i>") }}</p>' in made
    assert 'title="{{ e }}"' in made
    assert "<title>{{ a }}</title>" in made
    (paragraph,) = LexborHTMLParser(made).css("p")
    assert "color:red" in str(paragraph.attributes["style"]).replace(" ", "")


# --- people's plain text ---


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("one", "p"),
        ("one\ntwo", "p(br)"),
        ("one\n\ntwo", "p p"),
        ("- a\n- b", "ul(li li)"),
        ("* a\n• b", "ul(li li)"),
        ("1. a\n2) b", "ol(li li)"),
        ("before\n- a\nafter", "p ul(li) p"),
        ("-5 degrees", "p"),
        ("10.30 it stopped", "p"),
        ("", ""),
        (" \n\n ", ""),
    ],
)
def test_prose(text: str, shape: str) -> None:
    """S1.4: paragraphs, line breaks and lists of a plain text are kept as such."""

    def of(node: Any) -> str:
        inside = " ".join(of(child) for child in node.iter())
        return f"{node.tag}({inside})" if inside else str(node.tag)

    body = LexborHTMLParser(f"<body>{prose(text)}</body>").body
    assert body is not None
    assert " ".join(of(child) for child in body.iter()) == shape


def test_quoted_words_are_marked() -> None:
    """Somebody else's words have a bar at each line, however long, and no line is too wide."""
    made = quoted("one\n\n" + "word " * 40)
    assert all(line.startswith("|") and len(line) <= 72 for line in made.splitlines())
    assert made.splitlines()[:2] == ["| one", "|"]


@settings(deadline=None, max_examples=100)
@given(st.text(alphabet=st.sampled_from("ab .-1)|\n\té"), max_size=300))
def test_a_tidy_text_stays_as_it_is(text: str) -> None:
    """N.6: a letter's text is shown in its preview just as it will be sent, so tidying twice changes nothing."""
    once = tidy(text)
    assert tidy(once) == once
    assert "\n\n\n" not in once
    assert "".join(once.split()) == "".join(text.split())


def test_the_preview_shows_what_is_sent() -> None:
    """N.6: text and subject of the letter stand in its preview word for word."""
    facts, now = EVERY[K.PREVIEW]
    (letter,) = facts["letters"]
    assert letter["text"] in rendered(K.PREVIEW, facts, now).text
    assert f"Subject: {letter['subject']}\n" in rendered(K.PREVIEW, facts, now).text


# --- a rendered letter as a value ---


def test_a_letter_is_kept_whole() -> None:
    """N.6: what is kept for SEND comes back the same, and the same words have the same bytes."""
    words = Rendered(subject="é", text="a\n", html="<body>b</body>")
    assert Rendered.from_bytes(words.to_bytes()) == words
    assert words.to_bytes() == Rendered.from_bytes(words.to_bytes()).to_bytes()
    assert words.body == "b"


def test_a_marked_letter() -> None:
    """DESIGN 4: "would have gone to John" stands above the letter in both parts, and is no markup."""
    words = rendered(K.ACKNOWLEDGEMENT, acknowledged(), SOON)
    marked = words.marked("[x] y", 'For "John" <john@northwind.example>.')
    assert marked.subject == "[x] y"
    assert marked.text.startswith('For "John" <john@northwind.example>.\n\nHello John,')
    first, second, *_ = LexborHTMLParser(marked.html).css("body p")
    assert first.text() == 'For "John" <john@northwind.example>.'
    assert second.text() == "Hello John,"


# --- templates of an administrator's own ---


def changed(path: str, text: str) -> Writer:
    """The shipped letters with one file of one's own; of the other HTML files only the names, since they cost time."""
    bare = {
        p: "<html><body><!-- letter --></body></html>" if p.endswith(".html") else text for p, text in shipped().items()
    }
    return Writer({**bare, f"letters/en/{path}": text})


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("form.txt", "{% if %}", r"letters/en/form\.txt, line 1"),
        ("form.html", "<p>{{ a </p>", r"letters/en/form\.html, line"),
    ],
)
def test_a_broken_template_is_named(path: str, text: str, said: str) -> None:
    """S4.19: a template that cannot be read is found at the start, with file and line."""
    with pytest.raises(TemplateError, match=said):
        changed(path, text)


def test_a_missing_template_is_named() -> None:
    """S4.19: so is one that is not there, and words that are no TOML."""
    with pytest.raises(TemplateError, match=r"letters/en/digest\.txt is missing"):
        Writer({path: text for path, text in shipped().items() if path != "letters/en/digest.txt"})
    with pytest.raises(WordsError, match=r"words\.toml"):
        changed("words.toml", "= x")


@pytest.mark.parametrize(
    "text",
    [
        "{{ nobody }}",
        "{{ say.nothing() }}",
        "{{ say.symptom() + 1 }}",
        "{{ answers.problem }}",
        "{{ first_name.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ [][3] }}",
        "{{ 1 | nofilter if false }}{{ none.x }}",
    ],
)
def test_a_hole_is_never_sent(text: str) -> None:
    """DESIGN 1.7: a template that wants what is not there, or reaches where it may not, holds the letter."""
    try:
        own = changed("acknowledgement.txt", text)
    except TemplateError:
        return
    with pytest.raises(TemplateError, match="letters/en/acknowledgement"):
        own.render(K.ACKNOWLEDGEMENT, "en", acknowledged(), SOON)


@pytest.mark.parametrize(
    "replaced",
    [
        lambda text: text.replace("{by} with what", "{} with what"),
        lambda text: text.replace("{by} with what", "{nobody} with what"),
        lambda text: text.replace("{by} with what", "{by.day} with what"),
        lambda text: text.replace("{by} with what", "{by with what"),
        lambda text: re.sub(r"(?s)promise = \[.*?\n\]", 'promise = "one sentence"', text, count=1),
        lambda text: re.sub(r"(?s)promise = \[.*?\n\]", "promise = []", text, count=1),
    ],
)
def test_a_broken_sentence_is_never_sent(replaced: Callable[[str], str]) -> None:
    """DESIGN 1.7: nor is a sentence of words.toml with a hole; whatever is wrong with it, the letter is held."""
    words = shipped()["letters/en/words.toml"]
    assert replaced(words) != words
    with pytest.raises(TemplateError, match="letters/en/acknowledgement"):
        changed("words.toml", replaced(words)).render(K.ACKNOWLEDGEMENT, "en", acknowledged(), SOON)


def test_an_unknown_language_speaks_english() -> None:
    """A language without letters falls back to English."""
    assert rendered(K.ACKNOWLEDGEMENT, acknowledged(), SOON, "xx") == rendered(K.ACKNOWLEDGEMENT, acknowledged(), SOON)


def test_the_present_is_the_one_that_is_given() -> None:
    """DESIGN 3, Time: written a day later, "this morning" has become "yesterday morning"."""
    later: datetime = MORNING + timedelta(days=1)
    assert "this morning" in " ".join(rendered(K.ACKNOWLEDGEMENT, acknowledged(), MORNING).text.split())
    assert "yesterday morning" in rendered(K.ACKNOWLEDGEMENT, acknowledged(), later).text
