"""A real Chromium for a test run, driven by playwright: the status page and the letters as a person sees them."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.daemon import Missing, program

if TYPE_CHECKING:
    from playwright.sync_api import Page

ARGUMENTS = (
    "--no-sandbox",  # root may not use it, and it shows only our own pages
    "--disable-gpu",
    "--disable-dev-shm-usage",  # a container's /dev/shm is 64 MB
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",  # no word to anybody outside
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, kw_only=True)
class Chromium:
    """An installed Chromium."""

    path: str

    @contextmanager
    def page(self, width: int = 900, height: int = 600) -> Iterator["Page"]:
        """A fresh page, in a browser that ends with the block.

        Not one browser for the whole run: while playwright's synchronous API is open, its event loop counts as
        running in this thread, and `asyncio.run` in any other test would be refused.
        """
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - make check has no playwright

        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=self.path, headless=True, args=list(ARGUMENTS))
            try:
                yield browser.new_page(viewport={"width": width, "height": height})
            finally:
                browser.close()

    def screenshot(self, url: str, to: Path, width: int = 900, height: int = 600) -> Path:
        """Render `url`, the whole page however long, into the PNG `to`."""
        with self.page(width, height) as page:
            page.goto(url)
            page.screenshot(path=str(to), full_page=True)
        return to


def find_chromium() -> Chromium:
    """The Chromium of this machine; Missing where it or playwright is not installed."""
    try:
        importlib.import_module("playwright.sync_api")
    except ImportError:
        raise Missing("playwright is not installed: pip install 'mailflow[servers]' (make test-servers does)") from None
    for name in ("chromium", "chromium-browser", "google-chrome"):
        try:
            return Chromium(path=program(name, "Chromium", "chromium"))
        except Missing as missing:
            absent = missing
    raise absent
