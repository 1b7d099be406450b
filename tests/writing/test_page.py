"""Pages for a browser: one file, safe against what came in by mail."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailflow.writing.page import counted, page, unwrapped
from mailflow.writing.render import TemplateError, tidy

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WORDS = st.lists(st.text(st.characters(categories=["Ll", "Lu"]), min_size=1, max_size=12), min_size=1, max_size=60)


def made(source: str, **values: object) -> str:
    return page(source, values, timezone="America/Chicago")


def test_what_came_in_by_mail_is_never_markup() -> None:
    """S1.4: a subject is words, whatever it holds; so is a template's own syntax inside it."""
    written = made("<p>{{ subject }}</p>", subject="<script>x</script> {{ 7 * 7 }}")
    assert written == "<p>&lt;script&gt;x&lt;/script&gt; {{ 7 * 7 }}</p>"


def test_times_are_those_of_the_service() -> None:
    """N.8: a time is told in the service's zone; none is an empty word."""
    assert (
        made("{{ at|moment }}, {{ at|day }}, {{ none|moment }}.", at=NOON, none=None) == "24 Nov 06:00, 24 Nov 2026, ."
    )


@pytest.mark.parametrize("source", ["{{ missing }}", "{% if %}", "{{ ''.__class__ }}", "{{ thing.none.of_it }}"])
def test_a_template_that_cannot_be_used_is_told(source: str) -> None:
    """An administrator's own page may be wrong: that is told, no hole is left in it, and it reaches no insides."""
    with pytest.raises(TemplateError, match="pages: "):
        made(source, thing={})


def test_counted() -> None:
    """One mail, two mails."""
    assert [counted(0, "mail"), counted(1, "mail"), counted(1200, "mail")] == ["0 mails", "1 mail", "1,200 mails"]
    assert counted(2, "body", "bodies") == "2 bodies"


@given(WORDS, WORDS)
def test_a_letter_is_unwrapped_as_it_was_wrapped(first: list[str], second: list[str]) -> None:
    """N.8: on a narrow screen a letter's lines are the screen's own: wrapping and unwrapping leave the same words."""
    text = f"{' '.join(first)}\n\n{' '.join(second)}"
    assert unwrapped(tidy(text)) == text


def test_lines_that_were_not_wrapped_stay_apart() -> None:
    """N.8: a signature, a list and quoted lines keep their lines."""
    text = f"Kind regards,\nValery\n\n- {'a' * 69}\n- two\n| {'b' * 70}\n| c"
    assert unwrapped(text) == text
