"""What is answered when no view could: HTML for people, below /api/ the one shape of refusals.

Django calls these; `competition.urls` names them. What failed stands in the log and never in the answer.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.template import loader
from django.views import defaults

from competition import storage, uploads
from competition.api.errors import Problem, problem_of_rejected
from competition.database import Trouble, trouble_of
from competition.pages.upload import wants_json
from competition.references import new_reference
from competition.wellformed import Malformed
from scoring.errors import Rejected

API: Final = "/api/"
STORE_AWAY: Final = "store_away"
RETRY_AFTER_S: Final[Mapping[str, int]] = {Trouble.BUSY: 5, Trouble.AWAY: 15, STORE_AWAY: 15}
SENTENCES: Final[Mapping[str, str]] = {
    Trouble.BUSY: "Somebody else is writing to what this request needs, and did not finish in time.",
    Trouble.AWAY: "The site's database does not answer.",
    STORE_AWAY: "The site's file store does not answer.",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an invalid request, such as one for an unknown host."""
    if not _is_for_api(request):
        return defaults.bad_request(request, exception)
    message = str(exception) if isinstance(exception, Malformed) else "The request is malformed."
    return _json(Problem(status=400, code="parse_error", message=message))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that nothing has."""
    if not _is_for_api(request):
        return defaults.page_not_found(request, exception)
    return _json(Problem(status=404, code="not_found", message="Nothing was found at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a defect of ours with a reference; Django's log line about it carries the same one.

    Where only the database or the file store is in trouble, or the disk is full, the answer is to come again.
    """
    failed = sys.exc_info()[1]
    trouble: str | None = trouble_of(failed) or (STORE_AWAY if storage.is_away(failed) else None)
    if trouble is not None:
        return _come_again(request, _problem_of(trouble))
    if isinstance(failed, Rejected) and failed.code in uploads.STATUSES:
        return _come_again(request, problem_of_rejected(failed))
    reference = new_reference()
    request.reference = reference  # type: ignore[attr-defined]  # for competition.logs
    if _is_for_api(request):
        message = "Something went wrong on our side. It has been logged."
        return _json(
            Problem(status=500, code="server_error", message=message, extra={"reference": reference})
        )
    # No request goes to the template: context processors ask the database, which may be what failed.
    return HttpResponseServerError(loader.get_template("500.html").render({"reference": reference}))


def _problem_of(trouble: str) -> Problem:
    wait_s = RETRY_AFTER_S[trouble]
    return Problem(
        status=503,
        code=trouble,
        message=SENTENCES[trouble],
        extra={"retry_after_s": wait_s},
        headers={"Retry-After": str(wait_s)},
    )


def _come_again(request: HttpRequest, problem: Problem) -> HttpResponse:
    if _is_for_api(request):
        return _json(problem)
    if wants_json(request):
        finding = {name: problem.body[name] for name in ("code", "message", "hint")}
        return JsonResponse({"findings": [finding]}, status=problem.status, headers=problem.headers)
    page = loader.get_template("503.html").render(problem.body)
    return HttpResponse(page, status=problem.status, headers=problem.headers)


def _is_for_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API)


def _json(problem: Problem) -> JsonResponse:
    return JsonResponse(problem.body, status=problem.status, headers=problem.headers)
