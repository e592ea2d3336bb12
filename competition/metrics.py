"""The site's and the workers' own numbers for Prometheus; what the database tells, `competition.operations` adds.

Each process counts in a file of `PODIUM_HOME/metrics/HOST`, and whoever is asked adds up the files of its machine
(the client library's multi-process mode, which settings switch on). Labels come from lists of ours, never from
an entry or a request.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

REQUEST_SECONDS: Final = Histogram(
    "podium_request_seconds",
    "Time that requests took, by view and status.",
    ("view", "method", "status"),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
UPLOAD_BYTES: Final = Counter("podium_upload_bytes_total", "Bytes of accepted entries.", ("track",))
UPLOADS_REFUSED: Final = Counter("podium_uploads_refused_total", "Uploads that were refused.", ("code",))
CLAIMS: Final = Counter("podium_claims_total", "Evaluations that workers claimed.", ("queue",))
RENEWALS: Final = Counter("podium_lease_renewals_total", "Leases renewed by workers.", ("queue",))
LEASES_LOST: Final = Counter(
    "podium_leases_lost_total", "Leases that workers had lost when they wrote.", ("queue",)
)
STAGE_SECONDS: Final = Histogram(
    "podium_stage_seconds",
    "Time that evaluations spent in a stage.",
    ("stage",),
    buckets=(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600),
)
OUTCOMES: Final = Counter("podium_evaluations_total", "Attempts that ended, by how.", ("queue", "outcome"))
REJECTIONS: Final = Counter("podium_rejections_total", "Entries rejected, by code.", ("code",))
FAULTS: Final = Counter("podium_faults_total", "Attempts that failed by our fault, by cause.", ("cause",))

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestSecondsMiddleware:
    """Measure requests by the view that answered; an address that no view has is “none”."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request and note how long that took."""
        began = time.monotonic()
        response = self.get_response(request)
        match = request.resolver_match
        REQUEST_SECONDS.labels(
            view=(match.view_name or "none") if match else "none",
            method=request.method if request.method in METHODS else "other",
            status=str(response.status_code),
        ).observe(time.monotonic() - began)
        return response
