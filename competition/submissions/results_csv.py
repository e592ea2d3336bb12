"""A track's submissions and their results as CSV for organisers, private scores included."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from django.db.models import Prefetch

from competition.csv_cells import inert
from competition.submissions.models import Evaluation, Submission
from competition.tracks.models import Track
from scoring.contracts import Split, quantised_name

COLUMNS = (
    "submission",
    "participant",
    "email",
    "entry_name",
    "entry_bytes",
    "sha256",
    "submitted_at",
    "benchmark",
    "status",
    "code",
    "reference",
    "started_at",
    "finished_at",
    "parameters",
    "macs",
    "captured",
)


def csv_rows(track: Track) -> Iterator[str]:
    """Yield the CSV's lines: one for each evaluation of each submission, newest submission first."""
    metrics = [f"{metric}_{split}" for metric in _names(track) for split in Split]
    yield _line([*COLUMNS, *metrics])
    evaluations = Evaluation.objects.select_related("benchmark").prefetch_related("scores")
    rows = Submission.objects.filter(track=track).select_related("participant")
    prefetched = rows.prefetch_related(
        Prefetch("evaluations", queryset=evaluations.order_by("benchmark__number"))
    )
    for submission in prefetched.iterator(chunk_size=500):
        for evaluation in submission.evaluations.all():
            scores = {f"{score.metric}_{score.split}": score.value for score in evaluation.scores.all()}
            yield _line([*_facts(submission, evaluation), *(scores.get(name, "") for name in metrics)])


def _names(track: Track) -> list[str]:
    """Return the metrics, and each of them once more in the track's second precision."""
    spec = track.spec()
    metrics: list[str] = [spec.metric, *spec.extra_metrics]
    second = spec.quantisation
    again = [quantised_name(second.precision, metric) for metric in metrics] if second else []
    return [*metrics, *again]


def _facts(submission: Submission, evaluation: Evaluation) -> list[object]:
    usage = evaluation.usage or {}
    return [
        submission.id,
        submission.participant.get_username(),
        submission.participant.email,
        submission.entry_name,
        submission.entry_bytes,
        submission.sha256,
        submission.created_at.isoformat(),
        evaluation.benchmark.number,
        evaluation.status,
        evaluation.code,
        evaluation.reference,
        evaluation.started_at.isoformat() if evaluation.started_at else "",
        evaluation.finished_at.isoformat() if evaluation.finished_at else "",
        usage.get("parameters", ""),
        usage.get("macs", ""),
        "" if usage.get("captured") is None else str(usage["captured"]).lower(),
    ]


def _line(cells: list[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([inert(cell) if isinstance(cell, str) else cell for cell in cells])
    return buffer.getvalue()
