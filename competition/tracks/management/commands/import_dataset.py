"""Import a data folder, or a zip of one, as a dataset."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError

from competition.tracks import services
from competition.tracks.models import Competition, Dataset, Track


class Command(BaseCommand):
    help = "Import a folder with labels.csv and the files it names, or a zip of one, as a dataset."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help="A data folder or a zip.")
        parser.add_argument("--name", help="Default: the name of the folder or zip.")
        parser.add_argument("--track", metavar="SLUG", help="Assign the dataset to this track.")
        parser.add_argument(
            "--competition",
            metavar="SLUG",
            help="Let its organisers use the dataset. Default: that of the track; without either, only superusers.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["path"]
        track = Track.objects.filter(slug=options["track"]).first()
        if options["track"] and track is None:
            raise CommandError(f"Unknown track “{options['track']}”.")
        competition = track.competition if track else None
        if options["competition"]:
            competition = Competition.objects.filter(slug=options["competition"]).first()
            if competition is None:
                raise CommandError(f"Unknown competition “{options['competition']}”.")
        try:
            dataset = self._import(path, options["name"] or path.stem, track, competition)
        except services.DatasetProblem as exc:
            for finding in exc.findings:
                self.stderr.write(f"{path}: {finding}")
            raise CommandError("Nothing was imported.", returncode=1) from exc
        private = dataset.private_samples
        self.stdout.write(
            f"{dataset.digest}  {dataset.name}: {dataset.samples:,} samples, {private:,} private"
        )
        if track:
            services.assign_dataset(track=track, dataset=dataset)
            self.stdout.write(f"track {track.slug}: uses this dataset")

    def _warn(self, warning: str) -> None:
        self.stderr.write(f"warning: {warning}")

    def _import(self, path: Path, name: str, track: Track | None, competition: Competition | None) -> Dataset:
        reader = track.spec().input.reader if track else None
        if path.is_dir():
            return services.import_dataset_folder(
                name=name, folder=path, competition=competition, reader=reader, warn=self._warn
            )
        if not path.is_file():
            raise CommandError(f"{path} does not exist.")
        with path.open("rb") as stream:
            return services.import_dataset(
                name=name, archive=File(stream), competition=competition, reader=reader, warn=self._warn
            )
