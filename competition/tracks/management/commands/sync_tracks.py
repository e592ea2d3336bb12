"""Create or update tracks from YAML files: the same as the admin does, for scripts and repositories."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from competition.tracks import services
from competition.tracks.access import NO_ORGANISER, organisers_named
from competition.tracks.models import Competition, Dataset
from scoring.data.labels import LABELS_FILE, DatasetProblem
from scoring.tracks import InvalidTrack, TrackDocument, load_track


class Command(BaseCommand):
    help = "Create or update tracks from track.yaml files or presets. If it finds any problem, it changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="A track.yaml, or the name of a preset.")
        parser.add_argument(
            "--competition",
            required=True,
            metavar="SLUG",
            help="Slug of the competition; created if missing.",
        )
        parser.add_argument("--name", help="Name of the competition, if it is created. Default: its slug.")
        parser.add_argument(
            "--organiser",
            action="append",
            default=[],
            metavar="USERNAME",
            help="Give the competition to this account, if it is created. May be given several times.",
        )
        parser.add_argument(
            "--data",
            type=Path,
            metavar="FOLDER",
            help="One data folder for all tracks, or a folder with a data folder for each, named after its slug.",
        )
        parser.add_argument("--open", action="store_true", help="Open each track that is ready.")
        parser.add_argument(
            "--check", action="store_true", help="Report what would happen and change nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.findings: list[str] = []
        self.imported: list[Dataset] = []
        documents = list(self._documents(options["files"]))
        # Datasets first: packing one takes long, and the transaction below holds locks.
        competition = Competition.objects.filter(slug=options["competition"]).first()
        datasets = {
            file: self._dataset(file, document, options["data"], competition) for file, document in documents
        }
        undo = options["check"]
        if not self.findings:
            with transaction.atomic():
                self._sync(documents, datasets, options)
                undo = undo or bool(self.findings)
                transaction.set_rollback(undo)
        if undo or self.findings:
            self._forget_imported()
        for finding in self.findings:
            self.stderr.write(finding)
        if self.findings:
            raise CommandError(f"{len(self.findings)} problems found; nothing was changed.", returncode=1)
        if options["check"]:
            self.stdout.write("Check only: nothing was changed.")

    def _documents(self, files: list[str]) -> Iterator[tuple[str, TrackDocument]]:
        for file in files:
            try:
                yield file, load_track(file)
            except InvalidTrack as exc:
                self._report(file, exc.findings)

    def _sync(
        self,
        documents: list[tuple[str, TrackDocument]],
        datasets: dict[str, Dataset | None],
        options: dict[str, Any],
    ) -> None:
        slug = options["competition"]
        competition, created = Competition.objects.get_or_create(
            slug=slug, defaults={"name": options["name"] or slug}
        )
        if created:
            self.stdout.write(f"competition {slug}: created")
            competition.organisers.set(self._organisers(options["organiser"]))
            Dataset.objects.filter(pk__in=[dataset.pk for dataset in self.imported]).update(
                competition=competition
            )
        for file, document in documents:
            try:
                synced = services.bring_in_line(
                    document=document, competition=competition, dataset=datasets[file]
                )
                self._tell(synced)
                if options["open"] and not synced.track.is_open:
                    services.open_track(track=synced.track)
                    self.stdout.write(f"track {synced.track.slug}: opened")
            except InvalidTrack as exc:
                self._report(file, exc.findings)
            except services.NotReady as exc:
                self._report(file, tuple(f"{check.name.lower()}: {check.message}" for check in exc.checks))

    def _organisers(self, names: list[str]) -> list[User]:
        found = {user.username: user for user in organisers_named(names)}
        self.findings += [NO_ORGANISER.format(name=name) for name in names if name not in found]
        return list(found.values())

    def _dataset(
        self, file: str, document: TrackDocument, data: Path | None, competition: Competition | None
    ) -> Dataset | None:
        if data is None:
            return None
        own = data / document.spec.slug
        folder = own if not (data / LABELS_FILE).exists() and own.is_dir() else data
        known = set(Dataset.objects.values_list("pk", flat=True))
        try:
            dataset = services.import_dataset_folder(
                name=document.spec.slug,
                folder=folder,
                competition=competition,
                reader=document.spec.input.reader,
                warn=lambda warning: self.stderr.write(f"{file}: warning: data: {warning}"),
            )
        except DatasetProblem as exc:
            self._report(file, tuple(f"data: {finding}" for finding in exc.findings))
            return None
        if dataset.pk not in known:
            self.imported.append(dataset)
        return dataset

    def _forget_imported(self) -> None:
        for dataset in self.imported:
            services.forget_dataset(dataset)

    def _tell(self, synced: services.Synced) -> None:
        slug = synced.track.slug
        changed = f" ({', '.join(synced.changed)})" if synced.changed else ""
        self.stdout.write(f"track {slug}: {synced.outcome}{changed}")
        unpublished = services.unpublished_in_words(synced.track)
        if unpublished:
            self.stdout.write(
                f"track {slug}: differs from benchmark version {synced.track.benchmark}, which evaluations "
                "still use; publish a new version in the admin to rescore"
            )
        for sentence in unpublished:
            self.stdout.write(f"track {slug}: {sentence}")

    def _report(self, file: str, findings: tuple[str, ...]) -> None:
        self.findings += [f"{file}: {finding}" for finding in findings]
