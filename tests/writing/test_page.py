"""Pages for a browser."""

from datetime import UTC, datetime

import pytest

from mailflow.writing.page import page, unwrapped
from mailflow.writing.render import TemplateError


def test_words_of_a_mail_are_never_markup() -> None:
    """N.8: what came in by mail cannot put a script into the page."""
    assert page("{{ x }}", {"x": "<script>"}, timezone="UTC") == "&lt;script&gt;"


def test_times_are_local() -> None:
    """N.8: a page shows times in the service's zone."""
    at = datetime(2026, 11, 24, 15, 12, tzinfo=UTC)
    assert page("{{ x|moment }}", {"x": at}, timezone="America/Chicago") == "24 Nov 09:12"


def test_a_page_with_a_hole_is_refused() -> None:
    """N.8: a template that wants what is not there raises, and no half page is written."""
    with pytest.raises(TemplateError, match="nothing"):
        page("{{ nothing }}", {}, timezone="UTC")


def test_wrapped_lines_are_joined_and_short_ones_stay() -> None:
    """N.8: a letter reads well in a narrow window."""
    long = "I just wanted to let you know that your file server restarted by itself"
    assert unwrapped(f"{long}\nthis morning.\n\nRegards,\nValery") == f"{long} this morning.\n\nRegards,\nValery"
