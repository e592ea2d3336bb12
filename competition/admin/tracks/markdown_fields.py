"""Texts in Markdown: a field with its preview beside it, and the address that draws the preview."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from competition.markdown import render
from competition.tracks.models import Competition
from competition.tracks.texts import pictures_of


class MarkdownWidget(AdminTextareaWidget):
    """A text area that sends what is written to the preview, and shows what comes back beside itself."""

    class Media:
        js = (
            forms.Script("vendor/htmx/htmx.min.js", defer=True),
            forms.Script("js/markdown.js", defer=True),
        )

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        """Render the text area, and beside it the place of the preview."""
        preview_id = f"preview-{(attrs or {}).get('id', name)}"
        asking = {
            "hx-post": reverse("admin:tracks_competition_preview"),
            "hx-trigger": "load, input changed delay:400ms",
            "hx-target": f"#{preview_id}",
            "hx-params": f"csrfmiddlewaretoken,field,slug,{name}",
            "hx-vals": json.dumps({"field": name}),
        }
        return format_html(
            '<div class="podium-markdown"><div>{}</div>'
            '<div class="podium-preview" id="{}" role="region" aria-label="Preview" tabindex="0"></div></div>',
            super().render(name, value, {**(attrs or {}), **asking}, renderer),
            preview_id,
        )


def preview(admin: ModelAdmin[Competition], request: HttpRequest) -> HttpResponse:
    """Render a text as the competition's pages will show it, to who may write it. Nothing is kept."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    found = admin.get_queryset(request).filter(slug=request.POST.get("slug", "")).first()
    may_write = admin.has_change_permission(request, found) if found else admin.has_add_permission(request)
    if not may_write:
        raise PermissionDenied
    text = request.POST.get(request.POST.get("field", ""), "")
    pictures = pictures_of(found) if found else {}
    return HttpResponse(render(text, pictures).html or "Nothing yet.")
