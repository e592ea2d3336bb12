"""One request of one role, undone afterwards, and what became of it in a word."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponseBase, StreamingHttpResponse
from django.urls import reverse

from tests.competition.permissions.addresses import address_of
from tests.competition.permissions.bodies import BODIES
from tests.competition.permissions.scene import Scene

SIGN_IN = ("/accounts/login/", "/admin/login/")
WORDS = {401: "sign-in", 403: "forbidden", 404: "hidden", 405: "no-method"}


@dataclass(frozen=True)
class Asked:
    """What a role was answered, and whether that changed the first competition's rows."""

    word: str
    body: str
    changed: bool


def ask(scene: Scene, route: str, method: str, role: str) -> Asked:
    """Send the request; nothing of what it does stays."""
    cache.clear()  # else the limits on requests would answer in place of the views
    given = BODIES[route](scene) if method == "POST" and route in BODIES else {}
    with transaction.atomic():
        send = getattr(scene.browser_of(role), method.lower())
        answer = send(address_of(route, scene), given)
        asked = Asked(
            word=word_for(answer, route),
            body=_body(answer),
            changed=method != "GET" and scene.rows() != scene.untouched,
        )
        transaction.set_rollback(True)
    return asked


def word_for(answer: HttpResponseBase, route: str) -> str:
    """Return what the answer is in the words of the table."""
    status = answer.status_code
    leads_to = answer.headers.get("Location", "")
    if status == 302 and leads_to.startswith(SIGN_IN):
        return "sign-in"
    # What the admin does not find leads back to its first page.
    if status == 302 and leads_to == reverse("admin:index") and "<" in route:
        return "hidden"
    if status == 429 or status >= 500:
        return str(status)
    return WORDS.get(status, "ok")


def _body(answer: HttpResponseBase) -> str:
    if isinstance(answer, StreamingHttpResponse) or answer.streaming:
        content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]  # of streaming answers
    else:
        content = answer.content  # type: ignore[attr-defined]  # of all others
    return content.decode("utf-8", "replace")
