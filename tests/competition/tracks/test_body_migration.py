"""A database made when tracks had a column for each field goes forward and back without losing one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from competition.tracks.documents import read_document
from scoring.tracks import TrackDocument, build_track, load_track, plain, presets
from tests.competition.tracks.young_fields import as_of_old, without_young

BEFORE = [("tracks", "0008_class_names_and_quantisation")]
AFTER = [("tracks", "0009_track_body")]
IN_COLUMNS = {"slug", "name", "opens_at", "closes_at", "quota_submissions", "quota_window_hours"}
OPENS = datetime(2030, 1, 1, tzinfo=UTC)
EVERYTHING: dict[str, Any] = {
    "slug": "everything",
    "name": "Every field has another value than its default",
    "summary": "s",
    "rules": "r",
    "opens_at": OPENS,
    "closes_at": datetime(2031, 1, 1, tzinfo=UTC),
    "quota_submissions": 6,
    "quota_window_hours": 25,
    "private_scores": "never",
    "formats": ["onnx", "byom"],
    "input": {
        "reader": "video",
        "shape": [8, 3, None, 32],
        "dtype": "uint8",
        "low": 0.0,
        "high": 255.0,
        "channel_order": "rgb",
        "fit": "crop-to-aspect-then-resize",
        "mean": [0.1, 0.2, 0.3],
        "std": [0.4, 0.5, 0.6],
        "frame_rate": 2.5,
        "sample_rate": 8_000,
    },
    "output": {"kind": "logits", "width": 2, "class_names": ["cat", "dog"]},
    "metric": "mcc",
    "extra_metrics": ["brier"],
    "budgets": {
        "max_parameters": 1,
        "max_macs": 2,
        "max_package_bytes": 2**40,
        "max_latency_ms": 4.5,
    },
    "quantisation": {"calibration_samples": 7, "max_drop_points": 0.5},
    "archive_limits": {
        "max_entry_bytes": 1,
        "max_unpacked_bytes": 2**40,
        "max_files": 3,
        "max_depth": 4,
        "max_ratio": 5.5,
    },
    "run_limits": {
        "max_memory_bytes": 1,
        "max_processes": 2,
        "max_file_bytes": 3,
        "max_tmp_bytes": 4,
        "max_log_bytes": 5,
        "measure_timeout_s": 6.5,
        "predict_timeout_s": 7.5,
        "threads": 8,
        "batch_size": 9,
        "seed": 2**31 - 1,
    },
}
DOCUMENTS = {
    **{name: as_of_old(load_track(name)) for name in presets()},
    "everything": build_track(EVERYTHING),
}


def old_columns(document: TrackDocument) -> dict[str, Any]:
    """Return the columns as they were written in those days."""
    spec = document.spec
    renamed = {"shape", "fit", "mean", "std", "dtype", "low", "high"}
    inputs = {
        f"input_{name}" if name in renamed else name: value
        for name, value in without_young("input", plain_of(spec.input)).items()
    }
    output = plain_of(spec.output)
    second = (
        without_young("quantisation", plain_of(spec.quantisation)) if spec.quantisation else {"precision": ""}
    )
    return {
        "formats": [member.value for member in spec.formats],
        "metric": spec.metric.value,
        "extra_metrics": [metric.value for metric in spec.extra_metrics],
        **inputs,
        **{f"output_{name}": output[name] for name in ("kind", "width", "classes")},
        "box_layout": output["box_layout"] or "",
        "class_names": output["class_names"],
        **without_young("budgets", plain_of(spec.budgets)),
        **second,
        **plain_of(spec.archive_limits),
        **without_young("run_limits", plain_of(spec.run_limits)),
        **without_young("page", plain_of(document.page)),
    }


def plain_of(section: Any) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else getattr(value, "value", value)
        for name, value in asdict(section).items()
    }


@pytest.fixture
def as_it_was(transactional_db: None) -> Iterator[Apps]:
    """A database with the old tables, brought forward again at the end."""
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate(BEFORE)
    yield executor.loader.project_state(BEFORE).apps
    executor.loader.build_graph()
    executor.migrate(newest)


def migrate(targets: list[tuple[str, str]]) -> Apps:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


def fill(apps: Apps) -> None:
    competition = apps.get_model("tracks", "Competition").objects.create(slug="c", name="C")
    for document in DOCUMENTS.values():
        apps.get_model("tracks", "Track").objects.create(
            competition=competition,
            slug=document.spec.slug,
            name=document.spec.name,
            **old_columns(document),
        )


@pytest.mark.slow
def test_every_track_keeps_its_document_forward_and_its_columns_back(as_it_was: Apps) -> None:
    fill(as_it_was)
    before = list(as_it_was.get_model("tracks", "Track").objects.order_by("slug").values())

    forward = migrate(AFTER).get_model("tracks", "Track").objects.order_by("slug")
    documents = [
        read_document({**track.body, **{name: getattr(track, name) for name in IN_COLUMNS}})
        for track in forward
    ]
    bodies = [track.body for track in forward]
    back = list(migrate(BEFORE).get_model("tracks", "Track").objects.order_by("slug").values())

    assert documents == [DOCUMENTS[slug] for slug in sorted(DOCUMENTS)]
    assert back == before
    assert all("summary" in body and not IN_COLUMNS & body.keys() for body in bodies)
    assert all(
        without_young("input", plain(document)["input"]) == body["input"]
        for document, body in zip(documents, bodies, strict=True)
    )
