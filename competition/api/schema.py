"""The OpenAPI document and its browsable form."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

PROBLEM = {
    "type": "object",
    "description": "Any error. `code` is stable; `message` and `hint` are for people.",
    "required": ["code", "message", "hint", "findings"],
    "properties": {
        "code": {"type": "string", "example": "quota_used_up"},
        "message": {"type": "string"},
        "hint": {"type": "string"},
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "path", "message", "hint"],
                "properties": {
                    "code": {"type": "string"},
                    "path": {"type": "string"},
                    "message": {"type": "string"},
                    "hint": {"type": "string"},
                },
            },
        },
        "submission": {
            "type": "object",
            "description": "With `already_submitted`: your earlier submission of the same file.",
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "url": {"type": "string", "format": "uri"},
                "page": {"type": "string", "format": "uri"},
                "created_at": {"type": "string", "format": "date-time"},
                "status": {"type": "string"},
            },
        },
        "next_slot_at": {
            "type": "string",
            "format": "date-time",
            "description": "With `quota_used_up`: when you may submit again.",
        },
        "reference": {
            "type": "string",
            "description": "With `server_error`: identifies the fault on our side when you ask organisers.",
        },
        "retry_after_s": {"type": "integer", "description": "With `throttled` and `quota_used_up`."},
    },
}


def describe_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the shape of refusals to every operation of the OpenAPI document."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = {"description": "Any error", "content": content}
    return result


def add_summaries(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Give every operation the beginning of its description as the summary that the list of operations shows."""
    for operations in result["paths"].values():
        for operation in operations.values():
            description = " ".join(operation["description"].split())
            operation["summary"] = re.split("[.:;]", description, maxsplit=1)[0]
    return result


class SchemaView(SpectacularAPIView):
    """The OpenAPI document."""


class DocsView(SpectacularSwaggerSplitView):
    """The OpenAPI document as pages; scripts are files of ours, so the site's strict policy holds."""

    url_name = "api-schema"
    template_name = "api/docs.html"


class UnknownAddress(APIView):
    """Answer an unknown address below /api/ in the API's own shape."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(exclude=True)
    def dispatch(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]  # DRF's own dispatch takes HttpRequest
        """Refuse every method alike."""
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]  # see above

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raise before a method is looked for, so that none is reported as the wrong one."""
        super().initial(request, *args, **kwargs)
        raise exceptions.NotFound("Nothing was found at this address.")
