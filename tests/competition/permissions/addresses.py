"""Every address of the site as the resolver has it, with what stands for its variable parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from competition.audit.models import AuditRecord
from competition.client_wheel import client_wheel
from competition.submissions.models import Disqualification, Quarantine
from tests.competition.permissions.scene import Scene

VARIABLE = re.compile(r"<[^>]+>|\(\?P<|[\^$]")
FILLED: Mapping[str, Callable[[Scene], object]] = {
    "competitions/<slug:slug>/": lambda scene: scene.competition.slug,
    "tracks/<slug:slug>/": lambda scene: scene.track.slug,
    "submissions/<uuid:submission_id>/cancel/": lambda scene: scene.queued.submission_id,
    "submissions/<uuid:id>/cancel/": lambda scene: scene.queued.submission_id,
    "submissions/<uuid:submission_id>/retry/": lambda scene: scene.failed.submission_id,
    "submissions/<uuid:submission_id>/quarantine/": lambda scene: scene.queued.submission_id,
    "submissions/<uuid:id>/quarantine/": lambda scene: scene.queued.submission_id,
    "operations/workers/<int:pk>/": lambda scene: scene.worker.pk,
    "submissions/<uuid:submission_id>/": lambda scene: scene.scored.submission_id,
    "submissions/<uuid:id>/": lambda scene: scene.failed.submission_id,
    "admin/audit/auditrecord/<path:object_id>/": lambda scene: AuditRecord.objects.first().pk,
    "admin/submissions/disqualification/<path:object_id>/": lambda scene: Disqualification.objects.first().pk,
    "admin/submissions/quarantine/<path:object_id>/": lambda scene: Quarantine.objects.first().pk,
    "admin/leaderboard/standing/<path:object_id>/": lambda scene: scene.scored.benchmark.standings.first().pk,
    "admin/submissions/evaluation/<path:object_id>/": lambda scene: scene.failed.pk,
    "admin/submissions/submission/<path:object_id>/": lambda scene: scene.scored.submission_id,
    "admin/tracks/benchmarkversion/<path:object_id>/": lambda scene: scene.track.benchmark_id,
    "admin/tracks/competition/<path:object_id>/": lambda scene: scene.competition.pk,
    "admin/tracks/dataset/<path:object_id>/": lambda scene: scene.dataset.pk,
    "admin/tracks/track/<path:object_id>/": lambda scene: scene.track.pk,
    "admin/tracks/track/<int:pk>/": lambda scene: scene.track.pk,
    "admin/auth/user/<id>/": lambda scene: scene.people["participant"].pk,
    "admin/auth/user/<path:object_id>/": lambda scene: scene.people["participant"].pk,
    "admin/auth/group/<path:object_id>/": lambda scene: scene.people["organiser"].groups.get().pk,
    "admin/account/emailaddress/<path:object_id>/": lambda scene: scene.people["participant"].emailaddress_set.get().pk,
    "admin/mfa/authenticator/<path:object_id>/": lambda scene: scene.people["participant"].authenticator_set.get().pk,
    "admin/accounts/accesstoken/<path:object_id>/": lambda scene: 7,
    "admin/usersessions/usersession/<path:object_id>/": lambda scene: 1,
    "pip/<str:filename>": lambda scene: client_wheel().filename,
    "account/tokens/<int:pk>/revoke/": lambda scene: 7,
    "tokens/<int:pk>/": lambda scene: 7,
    "uploads/<uuid:id>/": lambda scene: scene.upload.pk,
    "admin/socialaccount/socialaccount/<path:object_id>/": lambda scene: 1,
}  # fmt: skip
"""For the beginning of an address, what its variable part is; the longest beginning that fits counts."""
WHOLE: Mapping[str, str] = {
    r"accounts/oidc/^(?P<provider_id>[^/]+)/login/": "accounts/oidc/none/login/",
    r"accounts/oidc/^(?P<provider_id>[^/]+)/login/callback/": "accounts/oidc/none/login/callback/",
    r"accounts/^confirm-email/(?P<key>[-:\w]+)/$": "accounts/confirm-email/none/",
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "accounts/password/reset/key/1-none/",
    r"admin/^(?P<app_label>": "admin/tracks/",
    r"admin/(?P<url>.*)$": "admin/nothing/here/",
    "api/": "api/nothing/here/",
}
"""Addresses that are patterns altogether."""
VARIANTS: Mapping[str, Callable[[Scene], str]] = {
    "competitions/<slug:slug>/ [hidden]": lambda scene: scene.hidden_competition.get_absolute_url(),
    **{
        f"competitions/<slug:slug>/{page}/ [hidden]": lambda scene, page=page: (
            f"{scene.hidden_competition.get_absolute_url()}{page}/"
        )
        for page in ("data", "leaderboards", "news", "rules", "submissions")
    },
    "competitions/<slug:slug>/news.atom [hidden]": lambda scene: (
        f"{scene.hidden_competition.get_absolute_url()}news.atom"
    ),
    "competitions/<slug:slug>/pictures/<slug:name>.webp [hidden]": lambda scene: (
        f"{scene.hidden_competition.get_absolute_url()}pictures/shot.webp"
    ),
    "admin/tracks/competition/<path:object_id>/change/ [hidden]": lambda scene: reverse(
        "admin:tracks_competition_change", args=[scene.hidden_competition.pk]
    ),
    "tracks/<slug:slug>/ [hidden]": lambda scene: reverse("track", args=[scene.hidden.slug]),
    "tracks/<slug:slug>/env.txt [hidden]": lambda scene: reverse("track-environment", args=[scene.hidden.slug]),
    "tracks/<slug:slug>/track.yaml [hidden]": lambda scene: reverse("track-yaml", args=[scene.hidden.slug]),
    "tracks/<slug:slug>/submit/ [hidden]": lambda scene: reverse("submit", args=[scene.hidden.slug]),
    "tracks/<slug:slug>/leaderboard/ [hidden]": lambda scene: reverse("leaderboard", args=[scene.hidden.slug]),
    "tracks/<slug:slug>/leaderboard/ [private]": lambda scene: private("leaderboard", scene),
    "tracks/<slug:slug>/leaderboard/charts/ [hidden]": lambda scene: reverse(
        "leaderboard-charts", args=[scene.hidden.slug]
    ),
    "tracks/<slug:slug>/leaderboard/charts/ [private]": lambda scene: private("leaderboard-charts", scene),
    "tracks/<slug:slug>/leaderboard/compare/ [hidden]": lambda scene: reverse(
        "leaderboard-compare", args=[scene.hidden.slug]
    ),
    "tracks/<slug:slug>/leaderboard/compare/ [private]": lambda scene: private("leaderboard-compare", scene),
    "tracks/<slug:slug>/leaderboard.csv [private]": lambda scene: private("leaderboard-csv", scene),
    "tracks/<slug:slug>/leaderboard.json [private]": lambda scene: private("leaderboard-json", scene),
    "tracks/<slug:slug>/pause/ [hidden]": lambda scene: reverse("pause-track", args=[scene.hidden.slug]),
    "api/tracks/<slug:slug>/pause/ [hidden]": lambda scene: reverse("api-pause", args=[scene.hidden.slug]),
    "api/competitions/<slug:slug>/ [hidden]": lambda scene: reverse(
        "api-competition", args=[scene.hidden_competition.slug]
    ),
    "api/tracks/<slug:slug>/ [hidden]": lambda scene: reverse("api-track", args=[scene.hidden.slug]),
    "api/tracks/<slug:slug>/submissions/ [hidden]": lambda scene: reverse("api-submit", args=[scene.hidden.slug]),
    "api/tracks/<slug:slug>/uploads/ [hidden]": lambda scene: reverse("api-uploads", args=[scene.hidden.slug]),
    "api/tracks/<slug:slug>/leaderboard/ [hidden]": lambda scene: reverse("api-leaderboard", args=[scene.hidden.slug]),
    "api/tracks/<slug:slug>/leaderboard/ [private]": lambda scene: private("api-leaderboard", scene),
    "api/tracks/<slug:slug>/leaderboard/charts/ [hidden]": lambda scene: reverse(
        "api-charts", args=[scene.hidden.slug]
    ),
    "api/tracks/<slug:slug>/leaderboard/charts/ [private]": lambda scene: private("api-charts", scene),
}  # fmt: skip
"""Addresses once more: of what is hidden, or with the private split in their query."""


def private(name: str, scene: Scene) -> str:
    return reverse(name, args=[scene.track.slug]) + "?split=private"


def routes() -> list[str]:
    """Return every address of the site as its patterns spell it."""
    return sorted(set(_walk(get_resolver().url_patterns)))


def _walk(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            # The names of the admin's apps would make a line too long, and change with every app.
            yield route if "app_label" not in route else "admin/^(?P<app_label>"


def address_of(route: str, scene: Scene) -> str:
    """Return a real address for a route; raises LookupError for one whose variable parts nobody fills."""
    if route in VARIANTS:
        return VARIANTS[route](scene)
    if route in WHOLE:
        return f"/{WHOLE[route]}"
    fitting = max(
        (start for start in FILLED if route.removeprefix("api/").startswith(start)), key=len, default=""
    )
    address = VARIABLE.sub(str(FILLED[fitting](scene)), route, count=1) if fitting else route
    address = address.replace("<slug:name>", "shot")
    if VARIABLE.search(address):
        raise LookupError(f"say in {__name__} what stands for the variable parts of {route}")
    return f"/{address}"
