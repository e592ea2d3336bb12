"""What is posted to addresses that do something only with a body; everything is about the first competition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from scoring.tracks import dump_track
from tests.competition.permissions.scene import Scene


def _entry(scene: Scene) -> dict[str, Any]:
    return {"entry": SimpleUploadedFile("net.zip", b"an entry")}


def _chosen(action: str, pk: Callable[[Scene], object]) -> Callable[[Scene], dict[str, Any]]:
    """Return an action of a list, confirmed at once."""
    return lambda scene: {
        "action": action,
        "_selected_action": str(pk(scene)),
        "confirmed": "yes",
        "post": "yes",
    }


def _document(scene: Scene) -> dict[str, Any]:
    text = dump_track(scene.track.document()).replace("quota_submissions: 5", "quota_submissions: 9")
    return {"file": SimpleUploadedFile("track.yaml", text.encode())}


BODIES: Mapping[str, Callable[[Scene], dict[str, Any]]] = {
    "tracks/<slug:slug>/submit/": _entry,
    "tracks/<slug:slug>/submit/ [hidden]": _entry,
    "api/tracks/<slug:slug>/submissions/": _entry,
    "api/tracks/<slug:slug>/submissions/ [hidden]": _entry,
    "submissions/<uuid:submission_id>/quarantine/": lambda scene: {"reason": "planted"},
    "api/submissions/<uuid:id>/quarantine/": lambda scene: {"reason": "planted"},
    "admin/submissions/submission/": lambda scene: {
        **_chosen("disqualify", lambda scene: scene.scored.submission_id)(scene),
        "reason": "planted",
    },
    "admin/submissions/disqualification/": lambda scene: {
        **_chosen("reinstate", lambda scene: scene.failed.submission.disqualification.pk)(scene),
        "reason": "planted",
    },
    "admin/submissions/evaluation/": _chosen("cancel", lambda scene: scene.queued.pk),
    "admin/tracks/track/": _chosen("delete_selected", lambda scene: scene.hidden.pk),
    "admin/tracks/track/add/": lambda scene: {
        "competition": scene.competition.pk,
        "dataset": scene.dataset.pk,
        "name": "New",
        "slug": "new",
    },
    "admin/tracks/track/from-document/": lambda scene: {
        "competition": scene.competition.pk,
        "preset": "cvpr2022-track2",
    },
    "admin/tracks/track/<int:pk>/clone/": lambda scene: {"slug": "a-copy"},
    "admin/tracks/track/<int:pk>/upload/": _document,
    "admin/tracks/competition/add/": lambda scene: {"name": "New", "slug": "new"},
    "admin/tracks/competition/<path:object_id>/change/": lambda scene: {"name": "Taken", "slug": "taken"},
    "admin/tracks/track/<path:object_id>/delete/": lambda scene: {"post": "yes"},
    "admin/tracks/dataset/import/": lambda scene: {
        "competition": scene.competition.pk,
        "name": "planted",
        "archive": SimpleUploadedFile("data.zip", b"no zip"),
    },
}
"""Without a body here, an empty form is posted."""
