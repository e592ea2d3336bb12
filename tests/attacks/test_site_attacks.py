"""Attacks that go by way of the site: what is uploaded, what a worker makes of it, and what pages show then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from competition.tracks.models import Track
from tests.attacks import site
from tests.attacks.cases import Case, params
from tests.attacks.effects import shown_secrets
from tests.attacks.surroundings import Surroundings

pytestmark = pytest.mark.django_db
SERVER_ERROR = 500
FOUND = 200


def shown(case: Case, visit: site.Visit, around: Surroundings) -> Iterator[str]:
    """Yield what an address shows and must not."""
    yield from (f"{visit.address} shows the {name}" for name in shown_secrets(around, visit.text))
    held = (*case.never_shown, *case.never_run) if visit.is_page else case.never_shown
    yield from (f"{visit.address} shows {text}" for text in held if text in visit.text)
    if visit.status >= SERVER_ERROR:
        yield f"{visit.address} answers {visit.status}"


@pytest.mark.sandbox
@pytest.mark.parametrize("case", params("site"))
def test_an_attack_by_way_of_the_site_comes_to_nothing(
    case: Case, around: Surroundings, track: Track, alice: User, bob: User, tmp_path: Path
) -> None:
    site.make_real(track, case, around)
    before = around.fingerprint()

    submission = site.upload(case, track, site.client_of(alice), around, tmp_path)
    end = site.work_off(tmp_path)

    wrong = [] if end in case.ends else [f"ended as {end}, not as {' or '.join(case.ends)}"]
    wrong += [
        each
        for visit in site.visits(submission, site.client_of(alice))
        for each in shown(case, visit, around)
    ]
    for stranger in (bob, None):
        for visit in site.visits(submission, site.client_of(stranger)):
            wrong += shown(case, visit, around)
            if visit.address in site.OF_ONE_SUBMISSION and visit.status == FOUND:
                wrong.append(f"{stranger} sees {visit.address}")
    wrong += [f"changed: {path}" for path, digest in around.fingerprint().items() if before[path] != digest]
    assert wrong == []


@pytest.mark.parametrize("case", params("request"))
def test_a_hostile_request_is_refused(case: Case, alice: User) -> None:
    statuses = {request["path"]: site.send(request, site.client_of(alice)) for request in case.requests}

    assert statuses == {request["path"]: int(case.ends[0]) for request in case.requests}
