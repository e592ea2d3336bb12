"""A live site on believable rows, and a Chromium that notes every complaint of a page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.believable import PASSWORD, Scene
from tests.browser.chromium import executable, launch
from tests.browser.stage import Stage

HERE = f"{Path(__file__).parent}/"
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}
TIMEOUT_MS = 15_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as `browser`; skip it where there is no Chromium."""
    missing = pytest.mark.skip(reason="no Chromium found; set CHROMIUM to its path")
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.browser)
            if executable() is None:
                item.add_marker(missing)


@pytest.fixture(scope="module")  # no longer: its event loop would run under the tests of other folders too
def browser() -> Iterator[Browser]:
    # Playwright's sync API runs inside an event loop, where Django refuses its ORM unless told otherwise.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright, launch(playwright) as chromium:
        yield chromium
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage"))


@pytest.fixture
def scene(transactional_db: None, stage: Stage) -> Scene:
    """A filled site."""
    return stage.scene()


class Complaints(list[str]):
    """What pages wrote to the console as warnings or errors, Content-Security-Policy violations among them."""

    def watch(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.append(f"{page.url}: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("warning", "error"):
            self.append(f"{message.location.get('url')}: {message.text}")


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def open_page(browser: Browser, live_server, complaints: Complaints) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a fresh, watched page of a width."""
    contexts: list[BrowserContext] = []

    def make(viewport: dict[str, int] = DESKTOP, **options: object) -> Page:
        context = browser.new_context(viewport=viewport, **{"base_url": live_server.url, **options})
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        complaints.watch(page)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


@pytest.fixture
def sign_in() -> Callable[[Page, str], None]:
    """Return a function that signs somebody in through the form."""

    def act(page: Page, username: str) -> None:
        page.goto("/accounts/login/")
        page.get_by_label("Login").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    return act


@pytest.fixture
def as_me(page: Page, scene: Scene, sign_in: Callable[[Page, str], None]) -> Page:
    """A page on which the scene's participant is signed in."""
    sign_in(page, scene.me.username)
    return page
