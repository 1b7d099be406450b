"""Templates -> words. Everything slow happens once, when the templates are loaded: parsing, and inlining of styles.

A letter is three files, `letters/<language>/<kind>.{subject.txt,txt,html}`. An HTML file holds what stands in the body;
`layout.html` stands around it. Templates may be an administrator's own, so they run in a sandbox; what is missing
raises, and the letter is held rather than sent with a hole in it.
"""

import json
import logging
import re
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape
from premailer import Premailer

from mailflow.domain.letters import Facts, LetterKind
from mailflow.writing.say import Say, impact
from mailflow.writing.words import Words, WordsError, parse_words

FALLBACK = "en"
WIDTH = 72  # columns of a text part; forms must stay under 70 to come back unbroken, and their lines are short
JINJA_TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)


class TemplateError(Exception):
    """A template that cannot be used; names the file, the line and what is missing."""


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """The words of a letter: what is previewed, approved and sent."""

    subject: str
    text: str
    html: str

    def to_bytes(self) -> bytes:
        """As kept; its SHA-256 is what SEND approves."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode()

    @staticmethod
    def from_bytes(raw: bytes) -> "Rendered":
        """As it was kept."""
        return Rendered(**json.loads(raw))

    @property
    def body(self) -> str:
        """What stands in the HTML part's body, to be shown inside another letter."""
        return self.html.partition("<body")[2].partition(">")[2].rpartition("</body>")[0].strip()

    def marked(self, subject: str, line: str) -> "Rendered":
        """The same letter with a line above it, for somebody else to see."""
        text = f"{line}\n\n{self.text}"
        html = re.sub(r"<body[^>]*>", lambda m: m[0] + str(prose(line)), self.html, count=1)
        return Rendered(subject=subject, text=text, html=html)


NO_PHRASES: Mapping[str, Mapping[str, str]] = {}


class Writer:
    """All letters in all languages. Made once, used by every thread."""

    def __init__(self, sources: Mapping[str, str], phrases: Mapping[str, Mapping[str, str]] = NO_PHRASES) -> None:
        """`sources` maps paths such as "letters/en/form.txt" to their text; TemplateError or WordsError if unusable.

        `phrases` are symptoms that recipes brought along: name -> language -> words.
        """
        files = {p.removeprefix("letters/"): text for p, text in sources.items() if p.startswith("letters/")}
        self.languages = sorted({path.partition("/")[0] for path in files if path.endswith("/words.toml")})
        words = [parse_words(code, files[f"{code}/words.toml"]) for code in self.languages]
        self._words = {one.language: one.with_symptoms(phrases) for one in words}
        self._templates = {
            (code, kind, part): self._compile(files, code, f"{kind}.{part}")
            for code in self.languages
            for kind in LetterKind
            for part in ("subject.txt", "txt", "html")
        }

    def words(self, language: str) -> Words:
        """The words of a language, English where we have no other."""
        return self._words.get(language) or self._words[FALLBACK]

    def render(self, kind: LetterKind, language: str, facts: Facts, now: datetime) -> Rendered:
        """The letter's words; TemplateError where a template wants what is not there."""
        words = self.words(language)
        say = Say(words, facts, now)
        values = {**facts, "say": say, "language": words.language}
        try:
            subject = " ".join(self._template(words, kind, "subject.txt").render(values).split())
            text = tidy(self._template(words, kind, "txt").render(values))
            html = self._template(words, kind, "html").render({**values, "subject": subject})
        except (jinja2.TemplateError, WordsError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise TemplateError(f"letters/{words.language}/{kind}: {' '.join(str(error).split())}") from error
        return Rendered(subject=subject, text=text, html=html)

    def _template(self, words: Words, kind: LetterKind, part: str) -> jinja2.Template:
        return self._templates[words.language, kind, part]

    def _compile(self, files: Mapping[str, str], language: str, name: str) -> jinja2.Template:
        html = name.endswith(".html")
        path = f"{language}/{name}"
        if path not in files:
            raise TemplateError(f"letters/{path} is missing")
        words = self._words[language]
        own = {p.partition("/")[2]: text for p, text in files.items() if p.startswith(f"{language}/")}
        environment = SandboxedEnvironment(
            loader=jinja2.DictLoader(own),
            autoescape=html,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(
            prose=prose,
            lines=lambda text: Markup("<br>").join(str(text).splitlines()),
            quoted=quoted,
            capital=lambda text: text[:1].upper() + text[1:],
            as_html=Markup,
            sentence=lambda text: impact(str(text), words.phrase("debrief.impact", impact="{impact}")),
        )
        source = files[path]
        if html:
            layout = files.get(f"{language}/layout.html") or files[f"{FALLBACK}/layout.html"]
            source = inline_styles(layout.replace("<!-- letter -->", _included(source, files, language)))
        try:
            return environment.from_string(source)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"letters/{path}, line {error.lineno}: {error.message}") from error


def inline_styles(source: str) -> str:
    """Styles moved onto their elements (mail clients drop style sheets), every Jinja tag as it was.

    premailer escapes what stands in Jinja tags, so they are swapped for something it leaves alone: a comment between
    elements, a bare word inside an element's tag or a title.
    """
    tags: list[str] = []

    def swap(match: re.Match[str]) -> str:
        tags.append(match[0])
        before = JINJA_TAG.sub("", source[: match.start()])
        inside = before.rfind("<") > before.rfind(">") or before.rfind("<title>") > before.rfind("</title>")
        return f"JINJA{len(tags) - 1}END" if inside else f"<!--JINJA{len(tags) - 1}END-->"

    swapped = JINJA_TAG.sub(swap, source)
    inlined = Premailer(
        swapped,
        allow_network=False,
        disable_validation=True,
        cssutils_logging_level=logging.CRITICAL,
        keep_style_tags=False,
        remove_classes=True,
    ).transform()
    return re.sub(r"<!--JINJA(\d+)END-->|JINJA(\d+)END", lambda m: tags[int(m[1] or m[2])], inlined)


def prose(text: object) -> Markup:
    """A person's plain text as HTML: paragraphs, lists, line breaks; nothing of it is ever markup (S1.4)."""
    blocks = re.split(r"\n\s*\n", str(text).strip())
    return Markup("\n").join(_block(block.splitlines()) for block in blocks if block.strip())


def _block(lines: list[str]) -> Markup:
    """One paragraph, with the lists inside it as lists."""
    out: list[Markup] = []
    for line in lines:
        bullet = re.match(r"\s*(?:[-*•]|(\d+)[.)])\s+(.*)", line)
        kind = ("ol" if bullet[1] else "ul") if bullet else "p"
        words = escape(bullet[2] if bullet else line.strip())
        item = Markup("<li style='margin:0 0 4px 0'>{}</li>").format(words) if bullet else words
        opening, closing = TAGS[kind]
        if out and out[-1].startswith(opening):
            joint = "" if bullet else Markup("<br>")
            out[-1] = out[-1].removesuffix(closing) + joint + item + closing
        else:
            out.append(opening + item + closing)
    return Markup("").join(out)


# Styles inline: what a person wrote is laid in long after the template's styles were moved onto its elements.
TAGS = {
    "p": (Markup('<p style="margin:0 0 14px 0">'), Markup("</p>")),
    "ul": (Markup('<ul style="margin:0 0 14px 0; padding-left:24px">'), Markup("</ul>")),
    "ol": (Markup('<ol style="margin:0 0 14px 0; padding-left:24px">'), Markup("</ol>")),
}


def quoted(text: object) -> str:
    """Somebody's words inside a text part, marked by a bar at each line."""
    lines = [piece for line in str(text).strip().splitlines() for piece in _wrapped(line, WIDTH - 2) or [""]]
    return "\n".join(f"| {line}".rstrip() for line in lines)


def tidy(text: str) -> str:
    """A text part: long lines wrapped, at most one blank line in a row, one line end at the end."""
    out: list[str] = []
    for line in text.strip().splitlines():
        line = line.rstrip()
        if len(line) > WIDTH and not line.startswith("|"):
            out += _wrapped(line, WIDTH)
        elif line or (out and out[-1]):
            out.append(line)
    return "\n".join(out) + "\n"


def _wrapped(line: str, width: int) -> list[str]:
    """One long line as several; what hangs under a bullet or a number is indented below its words."""
    bullet = re.match(r"\s*(?:\d+\. |- )?", line)
    indent = " " * len(bullet[0]) if bullet else ""
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _included(source: str, files: Mapping[str, str], language: str) -> str:
    """The source with its includes laid in, so that their styles are inlined too."""
    return re.sub(r'{% include "([^"]+)" %}', lambda m: files[f"{language}/{m[1]}"], source)
