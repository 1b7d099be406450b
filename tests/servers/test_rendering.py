"""Every letter's HTML part as a person sees it, in Chromium at the width of a desk and of a phone."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailflow.demo import story
from mailflow.domain.letters import LetterKind
from tests.house import DANA, JOHN, VALERY, ByHand, House, Received, by_hand, house, received, until, write_mail
from tests.servers.chromium import Chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.servers

WIDTHS = (600, 360)
FROM_THE_DESK = {
    LetterKind.UPDATE,
    LetterKind.ANSWER,
    LetterKind.ASK,
    LetterKind.WEEKLY,
    LetterKind.MORNING,
    LetterKind.REPORT,
}
LONG = "https://remote.msp.example/" + "averylongaddressthatnobodycanbreak" * 4


def every_kind(on: House) -> dict[LetterKind, Received]:
    """The newest letter of each kind after the story and what the story leaves out."""
    story.play(on, lambda when, what: None)
    on.send("shirley@northwind.example", write_mail("Eve <eve@else.example>", story.NOC, "Hi", f"See {LONG}\n", on.now))
    on.send(story.JOHN, write_mail(f"Valery <{story.VALERY}>", story.NOC, "Me", "OPEN contoso: x\n", on.now))
    by_id = {}

    def complete() -> bool:
        by_id.update({str(received(sent.raw).message["Message-ID"]): received(sent.raw) for sent in on.mail.sent})
        return set(found()) >= set(LetterKind) - FROM_THE_DESK

    def found() -> dict[LetterKind, Received]:
        letters = reversed(on.app.store.outbox.letters(limit=999))
        return {letter.kind: by_id[letter.message_id] for letter in letters if letter.message_id in by_id}

    until(complete)
    return found()


def from_the_desk(on: ByHand) -> dict[LetterKind, Received]:
    """What the story leaves out: a word in between, an answer to the client, the questions to a colleague."""
    on.alert()
    on.later(minutes=4)
    on.replies(on.last(LetterKind.OPENED), "UPDATE We found the disk that failed.")
    on.replies(on.last(LetterKind.PREVIEW), "SEND")
    on.replies(on.last(LetterKind.OPENED), "ASK Paul which disk was it?")
    on.replies(on.got(JOHN)[0], "How long will it take?\n", JOHN)
    on.replies(on.last(LetterKind.FORWARD), f"About an hour. Paul shows it at {LONG} meanwhile.")
    on.later(minutes=4)
    on.later(days=6)  # Monday morning
    on.later(days=2)
    on.writes(VALERY, "REPORT northwind\n", "Please")
    on.replies(on.last(LetterKind.PREVIEW), "SEND")
    on.later(minutes=4)
    readers = {LetterKind.UPDATE: JOHN, LetterKind.ANSWER: JOHN, LetterKind.ASK: "paul@msp.example"}
    readers |= {LetterKind.WEEKLY: DANA, LetterKind.MORNING: VALERY, LetterKind.REPORT: JOHN}
    return {kind: on.last(kind, reader) for kind, reader in readers.items()}


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> dict[LetterKind, Received]:
    """One letter of each kind."""
    with house(tmp_path_factory.mktemp("letters")) as on:
        found = every_kind(on)
    with by_hand(tmp_path_factory.mktemp("desk")) as desk:
        return found | from_the_desk(desk)


def shown(page: "Page", html: str) -> list[str]:
    """Show the HTML part; what it asked of the outside."""
    asked: list[str] = []

    def answer(route: "Route") -> None:
        asked.append(route.request.url)
        if route.request.url == "http://mail.example/":
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        else:
            route.abort()

    page.route("**/*", answer)
    page.goto("http://mail.example/")
    page.unroute("**/*")
    return [url for url in asked if url != "http://mail.example/"]


def words(text: str) -> list[str]:
    """The words, without what only lays them out: bars, bullets, underlines, numbers of a list."""
    bare = re.sub(r"(?m)^ *(?:\|(?: -)?|- |-{4,}$|\d+\. )", " ", text)
    return re.findall(r"[\w'’@.:/·-]*\w[\w'’@/·-]*", bare)


@pytest.mark.parametrize("width", WIDTHS)
def test_letters_fit_and_ask_for_nothing(
    letters: dict[LetterKind, Received], chromium: Chromium, tmp_path: Path, width: int
) -> None:
    """MAIL-WORLD 5: no letter scrolls sideways on a desk or a phone, none fetches anything, light or dark."""
    with chromium.page(width, 700) as page:
        for kind, letter in letters.items():
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                assert shown(page, letter.html) == [], kind
                wide, there = page.evaluate(
                    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
                )
                page.screenshot(path=str(tmp_path / f"{kind}-{width}-{scheme}.png"), full_page=True)
                assert wide <= there, f"{kind} is {wide} wide at {there}"
                ink = page.evaluate("getComputedStyle(document.body).color")
                assert ink == ("rgb(255, 255, 255)" if scheme == "dark" else "rgb(0, 0, 0)")


def test_both_parts_say_the_same(letters: dict[LetterKind, Received], chromium: Chromium) -> None:
    """MAIL-WORLD 5: whoever reads the HTML part reads each sentence of the text part, in its order."""
    with chromium.page() as page:
        for kind, letter in letters.items():
            shown(page, letter.html)
            visible = words(page.evaluate("document.body.innerText"))
            if kind is LetterKind.DIGEST:  # its headline is the subject
                visible = visible[len(words(letter.subject)) :]
            assert visible == words(letter.text), kind


def test_every_letter_is_accessible(letters: dict[LetterKind, Received], chromium: Chromium) -> None:
    """MAIL-WORLD 5: a language, one h1 at most, 16 px; small print from 12 px on, with contrast by day and night."""
    with chromium.page() as page:
        for kind, letter in letters.items():
            shown(page, letter.html)
            assert page.get_attribute("html", "lang") == "en", kind
            assert page.locator("h1").count() <= 1, kind
            assert page.evaluate("getComputedStyle(document.body).fontSize") == "16px", kind
            for size, colour in page.evaluate(
                "[...document.body.querySelectorAll('*')].filter(e => e.innerText)"
                ".map(e => [parseFloat(getComputedStyle(e).fontSize), getComputedStyle(e).color])"
            ):
                assert size >= 12, kind
                assert contrast(colour, "rgb(255, 255, 255)") >= 4.5, f"{kind}: {colour}"
                if colour != "rgb(0, 0, 0)":  # what is not named turns white by night; what is named stays
                    assert contrast("rgb(18, 18, 18)", colour) >= 4, f"{kind}: {colour}"


def contrast(dark: str, light: str) -> float:
    """WCAG's ratio of two rgb() colours."""
    return (luminance(light) + 0.05) / (luminance(dark) + 0.05)


def luminance(colour: str) -> float:
    """WCAG's relative luminance of an rgb() colour."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
