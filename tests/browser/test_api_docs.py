import re

from drf_spectacular.generators import SchemaGenerator
from playwright.sync_api import expect

from tests.browser.conftest import PHONE

DARK, BRIGHT = 60, 160
WIDER_THAN_THE_SCREEN = "document.documentElement.scrollWidth > window.innerWidth"


def operations():
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    return sum(len(methods) for methods in paths.values())


def test_the_api_docs_show_every_operation_under_the_strict_policy(open_page, scene, complaints):
    page = open_page(PHONE)

    response = page.goto("/api/docs/")

    expect(page.locator(".opblock")).to_have_count(operations())
    assert "unsafe" not in response.headers["content-security-policy"]
    assert not page.evaluate(WIDER_THAN_THE_SCREEN)
    assert complaints == []


def test_an_operation_can_be_tried_out_in_the_api_docs(page, scene, complaints):
    page.goto("/api/docs/")
    operation = page.locator("#operations-tracks-list_tracks")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()

    operation.get_by_role("button", name="Execute").click()

    expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_have_text("200")
    assert complaints == []


def test_the_api_docs_have_the_sites_header_and_follow_the_system_into_the_dark(open_page, scene, complaints):
    page = open_page(PHONE, color_scheme="dark")

    page.goto("/api/docs/")

    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    expect(page.locator(".opblock")).to_have_count(operations())
    assert lightness(page, "body", "background-color") < DARK
    assert lightness(page, ".opblock-summary-description >> nth=0", "color") > BRIGHT
    assert complaints == []


def lightness(page, selector, which):
    """Return how bright a colour is, between 0 and 255."""
    colour = page.locator(selector).first.evaluate("(it, which) => getComputedStyle(it)[which]", which)
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return (red + green + blue) / 3
