"""Staff keep what they have: until now they saw every competition, so each of them organises all that exist.

A dataset goes to the competition that used it first; where several use it, all their organisers still see it.
One that nothing uses goes to the only competition, or stays with superusers where there are several.
"""

from django.conf import settings
from django.db import migrations

EVERYTHING = "."


def give_out(apps, schema_editor):
    competitions = apps.get_model("tracks", "Competition").objects
    staff = apps.get_model(settings.AUTH_USER_MODEL).objects.filter(is_staff=True, is_superuser=False)
    for competition in competitions.all():
        competition.organisers.add(*staff)
    competitions.update(server_folder=EVERYTHING)
    for dataset in apps.get_model("tracks", "Dataset").objects.all():
        dataset.competition_id = first_user(dataset) or only(competitions)
        dataset.save(update_fields=["competition"])


def first_user(dataset):
    """Return the competition of the oldest track that has the dataset or had it in a benchmark version."""
    tracks = [*dataset.tracks.all(), *(version.track for version in dataset.benchmarks.all())]
    return min(((track.pk, track.competition_id) for track in tracks), default=(0, None))[1]


def only(competitions):
    first = competitions.values_list("pk", flat=True).order_by("pk")[:2]
    return first[0] if len(first) == 1 else None


def merge_datasets(apps, schema_editor):
    """Go back: there is one row for equal data again, the oldest."""
    Dataset = apps.get_model("tracks", "Dataset")
    kept = {}
    for dataset in Dataset.objects.order_by("pk"):
        first = kept.setdefault(dataset.digest, dataset)
        if first is not dataset:
            dataset.tracks.update(dataset=first)
            dataset.benchmarks.update(dataset=first)
            dataset.delete()


class Migration(migrations.Migration):
    dependencies = [("tracks", "0011_organisers")]

    operations = [migrations.RunPython(give_out, merge_datasets)]
