"""The admin of competitions, tracks and datasets, arranged for a person."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.db.models import Count, Field, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from competition.tracks import admin_acts, services
from competition.tracks.models import BenchmarkVersion, Competition, Dataset, Track
from competition.tracks.quantities import write_bytes
from competition.tracks.track_form import TrackForm, track_formfield
from scoring.contracts import Split

admin.site.site_header = "Podium"
admin.site.site_title = "Podium"
admin.site.index_title = "Organisation"
# Django's own login knows no second factor: a stolen password would be enough for the admin.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as allauth documents

SHOWN_CLASSES = 200


@admin.register(Competition)
class CompetitionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("name", "slug", "is_public", "track_count", "created_at")
    list_filter = ("is_public",)
    search_fields = ("name", "slug")
    prepopulated_fields: ClassVar = {"slug": ("name",)}
    fields = ("name", "slug", "summary", "description", "is_public")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Competition]:
        rows: QuerySet[Competition] = super().get_queryset(request).annotate(tracks_counted=Count("tracks"))
        return rows

    @admin.display(description="Tracks", ordering="tracks_counted")
    def track_count(self, row: Any) -> int:
        return int(row.tracks_counted)


@admin.register(Track)
class TrackAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    form = TrackForm
    change_form_template = "admin/tracks/track/change_form.html"
    change_list_template = "admin/tracks/track/change_list.html"
    save_on_top = True
    list_display = ("name", "state", "metric", "dataset", "version", "submission_count", "competition")
    list_filter = ("is_open", "competition", "metric")
    list_select_related = ("competition", "dataset", "benchmark", "benchmark__track")
    search_fields = ("name", "slug")
    fieldsets = (
        (None, {"fields": ("competition", "name", "slug", "position", "summary", "rules")}),
        (
            "Window and quota",
            {"fields": ("opens_at", "closes_at", ("quota_submissions", "quota_window_hours"))},
        ),
        ("Formats", {"fields": ("formats",)}),
        (
            "Input: what a model receives",
            {
                "description": "A batch of N samples, of shape N x channels x height x width.",
                "fields": (
                    "reader",
                    "input_shape",
                    "input_fit",
                    ("input_mean", "input_std"),
                    ("frame_rate", "sample_rate"),
                    "input_dtype",
                    ("input_low", "input_high"),
                    "channel_order",
                ),
            },
        ),
        (
            "Output and metric",
            {
                "description": "A model returns N x width logits or confidences, N x classes x height x "
                "width for a class map, or boxes as their layout says.",
                "fields": (
                    ("output_kind", "output_width"),
                    ("output_classes", "box_layout"),
                    "class_names",
                    "metric",
                    "extra_metrics",
                ),
            },
        ),
        (
            "Budgets",
            {
                "description": "Numbers may be written with a unit: 30M, 5G, 100 MB, 512 MiB.",
                "fields": ("max_parameters", "max_macs", "max_package_bytes", "max_latency_ms"),
            },
        ),
        (
            "Quantisation",
            {
                "description": "A second score of each entry, with its graph quantised. It changes what is "
                "scored, so a track with scores needs a new benchmark version.",
                "fields": ("precision", ("calibration_samples", "max_drop_points")),
            },
        ),
        ("Private scores", {"fields": ("private_scores",)}),
        ("Dataset and workers", {"fields": ("dataset", "queue")}),
        (
            "Limits on archives",
            {
                "classes": ("collapse",),
                "fields": ("max_entry_bytes", "max_unpacked_bytes", "max_files", "max_depth", "max_ratio"),
            },
        ),
        (
            "Limits on runs in the sandbox",
            {
                "classes": ("collapse",),
                "fields": (
                    "max_memory_bytes",
                    "max_processes",
                    "max_file_bytes",
                    "max_tmp_bytes",
                    "max_log_bytes",
                    "measure_timeout_s",
                    "predict_timeout_s",
                    "threads",
                    "batch_size",
                    "seed",
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Track]:
        rows: QuerySet[Track] = (
            super().get_queryset(request).annotate(submissions_counted=Count("submissions"))
        )
        return rows

    @admin.display(description="State", ordering="is_open")
    def state(self, row: Track) -> str:
        return admin_acts.state(row)

    @admin.display(description="Version", ordering="benchmark__number")
    def version(self, row: Track) -> int | None:
        return row.benchmark.number if row.benchmark else None

    @admin.display(description="Submissions", ordering="submissions_counted")
    def submission_count(self, row: Any) -> int:
        return int(row.submissions_counted)

    def get_readonly_fields(self, request: HttpRequest, obj: Track | None = None) -> tuple[str, ...]:
        """Fix the address of a track that has submissions: links and stored entries carry it."""
        return ("slug",) if obj is not None and obj.submissions.exists() else ()

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Track | None = None
    ) -> dict[str, Sequence[str]]:
        return {"slug": ("name",)} if obj is None else {}

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        return track_formfield(db_field) or super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Track, form: ModelForm[Track], change: bool) -> None:
        """Save, and keep the benchmark version true as long as nothing was evaluated on it."""
        super().save_model(request, obj, form, change)
        if obj.benchmark is not None and obj.dataset is not None and not services.has_evaluations(obj):
            services.renew_benchmark(track=obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        track = self.get_object(request, object_id)
        panel = (
            admin_acts.panel(track, may_change=self.has_change_permission(request, track)) if track else {}
        )
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **panel})

    def get_urls(self) -> list[URLPattern]:
        def act(route: str, view: Any, name: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(partial(view, self))
            return path(route, wrapped, name=f"tracks_track_{name}")

        own = [
            act("from-document/", admin_acts.new_from_document, "from_document"),
            *(act(f"<int:pk>/{name}/", view, name) for name, view in admin_acts.ACTS.items()),
        ]
        return [*own, *super().get_urls()]


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Rows that people look at and that only the program writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    change_list_template = "admin/tracks/dataset/change_list.html"
    list_display = ("name", "samples", "public", "private_samples", "size", "used_by", "created_at")
    search_fields = ("name", "digest")
    fields = (
        "name",
        "samples",
        "public",
        "private_samples",
        "classes",
        "size",
        "digest",
        "used_by",
        "created_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        return super().get_queryset(request).prefetch_related("tracks")

    @admin.display(description="Public samples")
    def public(self, row: Dataset) -> int:
        return row.samples - row.private_samples

    @admin.display(description="Size")
    def size(self, row: Dataset) -> str:
        return f"{row.archive_bytes:,} bytes" if row.archive_bytes < 2**20 else write_bytes(row.archive_bytes)

    @admin.display(description="Tracks")
    def used_by(self, row: Dataset) -> str:
        return ", ".join(track.name for track in row.tracks.all()) or "none"

    @admin.display(description="Samples of each class")
    def classes(self, row: Dataset) -> SafeString:
        public, private = row.labels(Split.PUBLIC), row.labels(Split.PRIVATE)
        labels = sorted(public.keys() | private.keys())
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (label, f"{public.get(label, 0):,}", f"{private.get(label, 0):,}")
                for label in labels[:SHOWN_CLASSES]
            ),
        )
        more = f"… and {len(labels) - SHOWN_CLASSES:,} more classes" if len(labels) > SHOWN_CLASSES else ""
        head = "<thead><tr><th>Label</th><th>Public</th><th>Private</th></tr></thead>"
        return format_html(
            '<table class="podium-table">{}<tbody>{}</tbody></table>{}', SafeString(head), rows, more
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(admin_acts.import_without_track, self))
        return [path("import/", view, name="tracks_dataset_import"), *super().get_urls()]


@admin.register(BenchmarkVersion)
class BenchmarkVersionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "dataset", "metric_version", "evaluation_count", "is_current", "created_at")
    list_filter = ("track",)
    list_select_related = ("track", "dataset")
    search_fields = ("digest", "track__slug")
    fields = (
        "track",
        "number",
        "dataset",
        "metric_version",
        "digest",
        "spec_digest",
        "document",
        "created_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[BenchmarkVersion]:
        rows: QuerySet[BenchmarkVersion] = (
            super().get_queryset(request).annotate(evaluations_counted=Count("evaluations"))
        )
        return rows

    @admin.display(description="Evaluations")
    def evaluation_count(self, row: Any) -> int:
        return int(row.evaluations_counted)

    @admin.display(description="Current", boolean=True)
    def is_current(self, row: BenchmarkVersion) -> bool:
        return row.track.benchmark_id == row.pk

    @admin.display(description="Track document")
    def document(self, row: BenchmarkVersion) -> SafeString:
        return format_html('<pre class="podium-document">{}</pre>', admin_acts.as_yaml(row.document()))
