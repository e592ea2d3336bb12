from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.pages import SIGNED_IN_PAGES, SIGNED_OUT_PAGES, STAFF_PAGES

WIDER_THAN_THE_SCREEN = "document.documentElement.scrollWidth > window.innerWidth"
# What a person with a screen reader would miss: a page needs one h1, landmarks, and a name for every control.
UNNAMED_CONTROLS = """() => {
    const controls = document.querySelector("main").querySelectorAll("input:not([type=hidden]), select, button, a");
    const isNamed = (e) => e.labels?.length || e.textContent.trim() || e.ariaLabel;
    return [...controls].filter((e) => !isNamed(e)).map((e) => e.outerHTML);
}"""
STATUSES = {"not-found": 404}


def visit(page, name, path):
    """Open a page; return what is wrong with it, in words."""
    response = page.goto(path)
    expect(page.get_by_role("main")).to_be_visible()
    wrong = []
    if response.status != STATUSES.get(name, 200):
        wrong.append(f"{name}: status {response.status}")
    if page.evaluate(WIDER_THAN_THE_SCREEN):
        wrong.append(f"{name}: scrolls sideways")
    if page.locator("h1").count() != 1:
        wrong.append(f"{name}: {page.locator('h1').count()} h1")
    return wrong + [f"{name}: no name for {control}" for control in page.evaluate(UNNAMED_CONTROLS)]


def visit_all(page, pages, scene):
    return [wrong for name, path in pages.items() for wrong in visit(page, name, path(scene))]


def own_complaints(complaints):
    """Leave out that Chromium reports the 404 page's own status as an error."""
    return [text for text in complaints if "no-such-page" not in text]


def test_pages_for_visitors_fit_a_phone_and_raise_no_complaint(open_page, scene, complaints):
    wrong = visit_all(open_page(PHONE), SIGNED_OUT_PAGES, scene)

    assert wrong == []
    assert own_complaints(complaints) == []


def test_pages_for_participants_fit_a_phone_and_raise_no_complaint(open_page, scene, sign_in, complaints):
    page = open_page(PHONE)
    sign_in(page, scene.me.username)

    wrong = visit_all(page, SIGNED_IN_PAGES, scene)

    assert wrong == []
    assert own_complaints(complaints) == []


def test_pages_for_staff_fit_a_phone_and_raise_no_complaint(open_page, scene, sign_in, complaints):
    page = open_page(PHONE)
    sign_in(page, scene.staff.username)

    wrong = visit_all(page, STAFF_PAGES, scene)

    assert wrong == []
    assert own_complaints(complaints) == []


def test_the_empty_front_page_fits_a_phone(open_page, transactional_db, complaints):
    assert visit(open_page(PHONE), "home-empty", "/") == []
    assert complaints == []


def test_an_inline_script_would_be_reported(page, scene, complaints):
    page.goto("/")

    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))"
    )

    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in text for text in complaints)


def test_the_first_tab_leads_past_the_navigation(page, scene):
    page.goto("/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("main")).to_be_focused()


def test_times_are_shown_in_the_viewers_zone_with_utc_at_hand(open_page, scene):
    page = open_page(timezone_id="Asia/Tokyo", locale="en-GB")

    page.goto(scene.track.get_absolute_url())
    closing = page.locator("#window + dl time").nth(1)

    expect(closing).to_contain_text("GMT+9")
    expect(closing).to_have_attribute("title", f"{scene.track.closes_at:%Y-%m-%d %H:%M} UTC")


def test_pages_follow_the_systems_dark_setting(open_page, scene):
    page = open_page(color_scheme="dark")

    page.goto("/")

    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_example_model_can_be_copied(open_page, scene, live_server):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(scene.track.get_absolute_url())

    page.get_by_text("Example model.py").click()
    button = page.locator("button[data-copy=example-model]")
    button.click()

    expect(button).to_have_text("Copied")
    assert "class Model(nn.Module)" in page.evaluate("navigator.clipboard.readText()")
