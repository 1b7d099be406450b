"""The test Chromium renders, clicks and leaves the thread as it found it."""

import asyncio
import struct
from pathlib import Path

import pytest

from tests.servers.chromium import Chromium

pytestmark = pytest.mark.servers

PAGE = """\
<!doctype html><title>Board</title><body style="margin: 0"><h1 style="height: 1500px">Incidents</h1>
<button onclick="this.textContent = 'done'">go</button>
"""


@pytest.fixture
def page_file(tmp_path: Path) -> str:
    """The address of a page longer than the window."""
    file = tmp_path / "page.html"
    file.write_text(PAGE)
    return file.as_uri()


def test_it_renders_a_page_to_png(chromium: Chromium, page_file: str, tmp_path: Path) -> None:
    """The picture is a PNG as wide as the window and as high as the page."""
    shot = chromium.screenshot(page_file, tmp_path / "page.png", width=640, height=480).read_bytes()
    assert shot.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", shot[16:24])
    assert width == 640
    assert height > 1500


def test_a_click_is_a_click(chromium: Chromium, page_file: str) -> None:
    """Scripts run and buttons can be pressed; afterwards asyncio may be used in the same thread."""
    with chromium.page() as page:
        page.goto(page_file)
        assert page.title() == "Board"
        page.get_by_role("button", name="go").click()
        assert page.get_by_role("button").inner_text() == "done"
    asyncio.run(asyncio.sleep(0))
