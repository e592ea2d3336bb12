"""The OpenAPI document is valid, complete and true of what the API answers."""

from io import StringIO
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from rest_framework.test import APIClient

from competition.api import choices
from competition.submissions.models import Evaluation
from competition.tracks.models import Track

HTTP_METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    out = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    return dict(yaml.safe_load(out.getvalue()))


def test_every_operation_has_a_name_a_tag_and_the_shape_of_refusals(document: dict[str, Any]) -> None:
    operations = [
        one for path in document["paths"].values() for name, one in path.items() if name in HTTP_METHODS
    ]

    assert len(operations) == 37
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all(one["tags"] and "default" in one["responses"] for one in operations)
    assert document["paths"]["/api/tracks/"]["get"]["summary"] == "List the tracks that you may see"
    assert all(one["summary"] for one in operations)


def test_no_input_of_the_api_names_a_field_of_the_server(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    taken = {
        name: set(schema["properties"])
        for name, schema in schemas.items()
        if name.endswith(("Input", "Request"))
    }

    assert {field for fields in taken.values() for field in fields} == {
        "username",
        "email",
        "password",
        "entry",
        "entry_name",
        "entry_bytes",
        "sha256",
        "numbers",
        "name",
        "reason",
        "note",
        "visibility",
        "is_final",
    }


def test_an_upload_is_declared_as_a_form_with_a_file(document: dict[str, Any]) -> None:
    body = document["paths"]["/api/tracks/{slug}/submissions/"]["post"]["requestBody"]["content"]

    assert set(body) == {"multipart/form-data"}


@pytest.mark.parametrize(
    ("address", "schema"),
    [
        ("/api/tracks/{slug}/", "TrackDetailOutput"),
        ("/api/tracks/{slug}/leaderboard/", "BoardOutput"),
        ("/api/submissions/{id}/", "SubmissionDetailOutput"),
        ("/api/submissions/{id}/report/", "ReportOutput"),
    ],
)
def test_an_answer_has_the_fields_that_the_document_declares(
    document: dict[str, Any],
    as_alice: APIClient,
    evaluation: Evaluation,
    track: Track,
    address: str,
    schema: str,
) -> None:
    answer = as_alice.get(address.format(slug=track.slug, id=evaluation.submission_id)).json()

    declared = document["components"]["schemas"][_component(document, schema)]
    assert set(declared.get("required", ())) <= set(answer) <= set(declared["properties"])


def _component(document: dict[str, Any], name: str) -> str:
    """Return the component of a serializer; the suffix "Output" may have been dropped."""
    return name if name in document["components"]["schemas"] else name.removesuffix("Output")


@pytest.mark.parametrize("name", [name for name in dir(choices) if name.isupper()])
def test_no_closed_set_is_empty(name: str) -> None:
    assert getattr(choices, name)


@pytest.mark.parametrize("address", ["/api/docs/", "/api/docs/?script="])
def test_the_docs_hold_no_script_or_style_that_the_strict_policy_would_stop(
    anonymous: APIClient, db: None, address: str
) -> None:
    answer = anonymous.get(address, HTTP_ACCEPT="*/*")
    text = answer.content.decode()

    assert answer.status_code == 200
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "<style" not in text
    assert "<script>" not in text
    assert " style=" not in text


def test_the_schema_is_served(anonymous: APIClient, db: None) -> None:
    answer = anonymous.get("/api/schema/", HTTP_ACCEPT="application/vnd.oai.openapi+json")

    assert answer.json()["info"]["title"] == "Podium API"
