"""Every page of the site, by name, for those who look at all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.urls import reverse

from tests.browser.believable import Scene

Address = Callable[[Scene], str]

EMPTY_PAGES: dict[str, str] = {"home-empty": "/"}

SIGNED_OUT_PAGES: Mapping[str, Address] = {
    "home": lambda scene: reverse("home"),
    "competition": lambda scene: scene.competition.get_absolute_url(),
    "competition-data": lambda scene: reverse("competition-data", args=[scene.competition.slug]),
    "competition-rules": lambda scene: reverse("competition-rules", args=[scene.competition.slug]),
    "competition-leaderboards": lambda scene: reverse(
        "competition-leaderboards", args=[scene.competition.slug]
    ),
    "competition-news": lambda scene: reverse("competition-news", args=[scene.competition.slug]),
    "search-without-result": lambda scene: reverse("home") + "?q=penguins",
    "track-signed-out": lambda scene: scene.track.get_absolute_url(),
    "leaderboard-signed-out": lambda scene: reverse("leaderboard", args=[scene.track.slug]),
    "leaderboard-charts": lambda scene: reverse("leaderboard-charts", args=[scene.track.slug]),
    "leaderboard-sorted": lambda scene: reverse("leaderboard", args=[scene.track.slug]) + "?sort=macs&q=a",
    "leaderboard-compare": lambda scene: (
        reverse("leaderboard-compare", args=[scene.track.slug]) + "?with=nadia&with=kenji-92"
    ),
    "leaderboard-empty": lambda scene: reverse("leaderboard", args=[scene.second_track.slug]),
    "login": lambda scene: reverse("account_login"),
    "signup": lambda scene: reverse("account_signup"),
    "password-reset": lambda scene: reverse("account_reset_password"),
    "status": lambda scene: reverse("status"),
    "not-found": lambda scene: "/no-such-page/",
}

SIGNED_IN_PAGES: Mapping[str, Address] = {
    "track": lambda scene: scene.track.get_absolute_url(),
    "home-signed-in": lambda scene: reverse("home"),
    "competition-submissions": lambda scene: reverse(
        "competition-submissions", args=[scene.competition.slug]
    ),
    "submit": lambda scene: reverse("submit", args=[scene.track.slug]),
    "leaderboard": lambda scene: reverse("leaderboard", args=[scene.track.slug]),
    "my-submissions": lambda scene: reverse("my-submissions"),
    "submission-scored": lambda scene: scene.scored.get_absolute_url(),
    "submission-rejected": lambda scene: scene.rejected.get_absolute_url(),
    "submission-failed": lambda scene: scene.failed.get_absolute_url(),
    "submission-queued": lambda scene: scene.queued.get_absolute_url(),
    "submission-running": lambda scene: scene.running.get_absolute_url(),
    "account": lambda scene: reverse("account"),
    "email": lambda scene: reverse("account_email"),
    "password-change": lambda scene: reverse("account_change_password"),
    "two-factor": lambda scene: reverse("mfa_index"),
    "two-factor-activate": lambda scene: reverse("mfa_activate_totp"),
    "sessions": lambda scene: reverse("usersessions_list"),
    "logout": lambda scene: reverse("account_logout"),
}

STAFF_PAGES: Mapping[str, Address] = {
    "staff-leaderboard-private": lambda scene: (
        reverse("leaderboard", args=[scene.track.slug]) + "?split=private"
    ),
    "operations": lambda scene: reverse("operations"),
    "operations-pause": lambda scene: reverse("pause-track", args=[scene.track.slug]),
    "operations-quarantine": lambda scene: reverse("quarantine-submission", args=[scene.queued.pk]),
    "staff-submission": lambda scene: scene.failed.get_absolute_url(),
    "staff-submission-counted-by-running": lambda scene: scene.by_running.get_absolute_url(),
}
