"""Puts what waits or runs into lines, and writes when each line was last served."""

from datetime import UTC, datetime

from django.db import migrations
from django.db.models import Count, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

BATCH = 1000
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
LINE = ("submission__track_id", "submission__participant_id")


def batches(rows):
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def fill(apps, schema_editor):
    Evaluation = apps.get_model("submissions", "Evaluation")
    Line = apps.get_model("submissions", "Line")
    Lane = apps.get_model("submissions", "Lane")
    alive = Evaluation.objects.filter(status__in=("queued", "running")).order_by()

    served = Evaluation.objects.order_by().values_list(*LINE).annotate(last=Max("started_at"))
    for batch in batches(served.iterator(BATCH)):
        Line.objects.bulk_create(
            [Line(track_id=track, participant_id=who, served_at=last or NEVER) for track, who, last in batch],
            ignore_conflicts=True,
        )
    for track in alive.values_list("submission__track_id", flat=True).distinct():
        lines = dict(Line.objects.filter(track=track).values_list("participant_id", "pk"))
        of_track = alive.filter(submission__track=track)
        kinds = of_track.values_list("submission__participant_id", "benchmark_id", "priority").distinct()
        for batch in batches(kinds.iterator(BATCH)):
            Lane.objects.bulk_create(
                [
                    Lane(line_id=lines[who], benchmark_id=benchmark, priority=priority)
                    for who, benchmark, priority in batch
                ],
                ignore_conflicts=True,
            )
        put_in_lanes(Evaluation, Lane, of_track, track)
    write_lanes(Evaluation, Line, Lane)


def put_in_lanes(Evaluation, Lane, of_track, track):
    rows = Lane.objects.filter(line__track=track)
    kinds = rows.values_list("pk", "line__participant_id", "benchmark_id", "priority")
    lanes = {tuple(kind): pk for pk, *kind in kinds}
    columns = ("pk", "submission__participant_id", "benchmark_id", "priority")
    for batch in batches(of_track.values_list(*columns).iterator(BATCH)):
        Evaluation.objects.bulk_update(
            [Evaluation(pk=pk, lane_id=lanes[tuple(kind)]) for pk, *kind in batch], ["lane"], batch_size=BATCH
        )


def write_lanes(Evaluation, Line, Lane):
    waiting = Evaluation.objects.filter(lane=OuterRef("pk"), status="queued")
    first = waiting.order_by("queued_at", "pk")
    number = waiting.order_by().values("lane").annotate(number=Count("pk")).values("number")
    Lane.objects.update(
        waiting=Coalesce(Subquery(number), 0),
        next_queued_at=Subquery(first.values("queued_at")[:1]),
        next_evaluation=Subquery(first.values("pk")[:1]),
        served_at=Subquery(Line.objects.filter(pk=OuterRef("line")).values("served_at")[:1]),
    )


class Migration(migrations.Migration):

    dependencies = [("submissions", "0007_line_indexes")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
