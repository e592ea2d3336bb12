"""Take a screenshot of every page at phone and desktop width: python -m tests.browser.screenshots FOLDER.

Needs a migrated, empty scratch database and the site's own server (`manage.py runserver`) on it:
the rows are made here, the pages are fetched from --url.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition.settings")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright's sync API runs inside an event loop
django.setup()

from django.utils import timezone  # noqa: E402
from playwright.sync_api import Browser, BrowserContext, sync_playwright  # noqa: E402

from tests.browser.believable import PASSWORD, fill  # noqa: E402
from tests.browser.chromium import launch  # noqa: E402
from tests.browser.pages import EMPTY_PAGES, SIGNED_IN_PAGES, SIGNED_OUT_PAGES, STAFF_PAGES  # noqa: E402

WIDTHS = (360, 1280)


def main() -> None:
    """Visit every page and write FOLDER/WIDTH-NAME.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, launch(playwright) as browser:
        for width in WIDTHS:
            photographer = Photographer(browser, arguments.url, arguments.folder, width, arguments.scheme)
            if width == WIDTHS[0]:
                photographer.take(EMPTY_PAGES, None)
                scene = fill(timezone.now())
            photographer.take({name: page(scene) for name, page in SIGNED_OUT_PAGES.items()}, None)
            photographer.take(
                {name: page(scene) for name, page in SIGNED_IN_PAGES.items()}, scene.me.username
            )
            photographer.take({name: page(scene) for name, page in STAFF_PAGES.items()}, scene.staff.username)


class Photographer:
    """Take screenshots at one width."""

    def __init__(self, browser: Browser, url: str, folder: Path, width: int, scheme: str) -> None:
        self.browser = browser
        self.url = url
        self.folder = folder
        self.width = width
        self.scheme = scheme

    def take(self, pages: dict[str, str], username: str | None) -> None:
        """Visit the pages as somebody and write one picture each."""
        with self._context() as context:
            page = context.new_page()
            if username:
                page.goto(f"{self.url}/accounts/login/")
                page.get_by_label("Login").fill(username)
                page.get_by_label("Password").fill(PASSWORD)
                page.get_by_role("button", name="Sign in").click()
                page.wait_for_url(f"{self.url}/")
            for name, path in pages.items():
                page.goto(self.url + path)
                page.screenshot(path=self.folder / f"{self.width}-{name}.png", full_page=True)

    def _context(self) -> BrowserContext:
        return self.browser.new_context(
            viewport={"width": self.width, "height": 800}, color_scheme=self.scheme, reduced_motion="reduce"
        )


if __name__ == "__main__":
    main()
