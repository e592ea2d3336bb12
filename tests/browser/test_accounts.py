import re

from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from tests.browser.believable import PASSWORD


def sign_up(page, *, username, password=PASSWORD, again=PASSWORD):
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Sign up").click()
    page.get_by_label("Username").fill(username)
    page.get_by_label("Email").fill(f"{username}@example.org")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password (again)").fill(again)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()


def test_a_visitor_signs_up_and_is_signed_in(page, scene):
    sign_up(page, username="newcomer")

    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert get_user_model().objects.filter(username="newcomer").exists()


def test_a_sign_up_with_unequal_passwords_says_so_at_the_field(page, scene):
    sign_up(page, username="newcomer", again="something else entirely")

    expect(page.locator(".field-errors")).to_contain_text("same password")
    assert not get_user_model().objects.filter(username="newcomer").exists()


def test_a_wrong_password_is_refused_in_words(page, scene):
    page.goto("/accounts/login/")
    page.get_by_label("Login").fill(scene.me.username)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("not correct")


def test_sign_in_leads_back_to_the_page_that_asked_for_it(page, scene):
    page.goto(f"/tracks/{scene.track.slug}/submit/")
    page.get_by_label("Login").fill(scene.me.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(f"Submit to {scene.track.name}")


def test_a_participant_signs_out(as_me):
    as_me.get_by_role("button", name="Sign out").click()

    expect(as_me.get_by_role("link", name="Sign in")).to_be_visible()


def test_a_token_is_made_copied_and_reloading_keeps_it(as_me):
    as_me.goto("/account/")
    as_me.get_by_label("Name").fill("phone")
    as_me.get_by_role("button", name="Create token").click()
    expect(as_me.locator("#token")).to_have_text(re.compile("^[0-9a-f]{40}$"))
    beginning = as_me.locator("#token").inner_text()[:6]

    as_me.reload()

    expect(as_me.locator("#token")).to_have_count(0)
    expect(as_me.get_by_role("row", name="phone")).to_contain_text(beginning)
    as_me.get_by_role("button", name="Revoke phone").click()
    expect(as_me.get_by_role("row", name="phone")).to_have_count(0)
