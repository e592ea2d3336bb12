"""WCAG 2.2 AA, as far as axe-core can tell: on every page, on a phone and a desktop, light and dark.

A new page needs no line here: one in `pages.py` is enough.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DESKTOP
from tests.browser.pages import SIGNED_IN_PAGES, SIGNED_OUT_PAGES, STAFF_PAGES

AXE = gzip.decompress((Path(__file__).parent / "axe" / "axe.min.js.gz").read_bytes()).decode()
PHONE = {"width": 375, "height": 740}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHECK = """async (rules) => {
    const {violations} = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
    const inWords = (node) => `${node.target.join(" ")}: ${node.failureSummary.replace(/\\s+/g, " ")}`;
    return violations.flatMap((broken) => broken.nodes.map((node) => `${broken.id}: ${inWords(node)}`));
}"""
# What colours and widths alone can break: the rest is the same in the other scheme.
LOOKS = ["color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block"]


def broken_rules(page: Page, rules: list[str]) -> list[str]:
    """Return what axe finds wrong with the page as it is shown now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)  # as a script element the page's own policy would refuse it
    found: list[str] = page.evaluate(CHECK, rules)
    return found


def examine(page: Page, name: str, path: str) -> list[str]:
    """Open a page and return what is wrong with it in each scheme and width."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size(PHONE)
    page.goto(path)
    wrong = [f"{name}, phone, light: {text}" for text in broken_rules(page, RULES)]
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    wrong += [f"{name}, phone, dark: {text}" for text in broken_rules(page, LOOKS[:1])]
    page.set_viewport_size(DESKTOP)
    wrong += [f"{name}, desktop, dark: {text}" for text in broken_rules(page, RULES)]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    return wrong + [f"{name}, desktop, light: {text}" for text in broken_rules(page, LOOKS)]


@pytest.mark.parametrize(
    ("pages", "who"), [(SIGNED_OUT_PAGES, None), (SIGNED_IN_PAGES, "me"), (STAFF_PAGES, "staff")]
)
def test_pages_break_no_rule_of_axe(open_page, scene, sign_in, pages, who):
    page = open_page(DESKTOP)
    if who:
        sign_in(page, getattr(scene, who).username)

    wrong = [text for name, path in pages.items() for text in examine(page, name, path(scene))]

    assert not wrong, "\n".join(wrong)


def test_an_unnamed_button_would_be_found(page, scene):
    page.goto("/")

    page.evaluate("document.querySelector('main').append(document.createElement('button'))")

    assert any(text.startswith("button-name:") for text in broken_rules(page, RULES))
