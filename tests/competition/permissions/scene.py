"""Two competitions of two organisers, with everything that one must not see of the other, and who asks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from competition.accounts.models import AccessToken
from competition.admin.organisers import organisers
from competition.leaderboard import standings
from competition.leaderboard.disqualifying import disqualify_submission
from competition.leaderboard.models import Standing
from competition.submissions import lifecycle
from competition.submissions.counts import count_submission
from competition.submissions.models import (
    Disqualification,
    Evaluation,
    PartialUpload,
    Quarantine,
    Score,
    Submission,
    Worker,
)
from competition.tracks.columns import columns_of
from competition.tracks.models import BenchmarkVersion, Competition, Dataset, Picture, Track
from competition.tracks.picture_files import Written, put
from scoring.contracts import Status
from scoring.tracks import load_track
from tests.examples import new_benchmark, scored_report

ROLES = ("anonymous", "participant", "other", "organiser", "rival", "staff", "superuser")
"""`participant` made the submissions that are asked for, `other` made none of them. `organiser` was given the
competition that is asked for, `rival` another one, `staff` none; all three may do in the admin what organisers may."""
OUTSIDERS = ("anonymous", "other", "rival", "staff")
"""Whom only what is public of the competition concerns."""
SECRETS = {
    "hidden competition": "Secret competition",
    "hidden track": "Secret hidden track",
    "dataset": "Secret dataset",
    "digest of the dataset": hashlib.sha256(b"secret").hexdigest(),
    "e-mail": "pia@secret.example",
    "file name": "secret-entry",
    "log": "secret words of a log",
    "fault": "Secret traceback",
    "reference": "5EC4E75EC4E7",
    "private score": "0.1234",
    "token": "5ec4e7" * 6,
    "disqualified": "Secret reason",
}
"""What of the first competition must reach no outsider, as pages and files would show it."""
PICTURE = Written(full=b"full", small=b"small", width=2, height=1)
OWN = ("e-mail", "file name", "log", "reference", "token", "disqualified")
"""What the participant may see of it: their own."""


@dataclass(frozen=True)
class Scene:
    """The first competition's objects, and a signed-in browser for each role."""

    competition: Competition
    dataset: Dataset
    track: Track
    hidden: Track
    hidden_competition: Competition
    scored: Evaluation
    failed: Evaluation
    queued: Evaluation
    upload: PartialUpload
    worker: Worker
    people: Mapping[str, User]
    cookies: Mapping[str, str]
    browser: Client = field(default_factory=Client)

    @cached_property
    def untouched(self) -> list[Any]:
        """Return the rows as they are before anybody asks for anything."""
        return self.rows()

    def browser_of(self, role: str) -> Client:
        """Return the browser with nothing in it but the role's session."""
        self.browser.cookies.clear()
        self.browser.cookies.load(self.cookies[role])
        return self.browser

    def rows(self) -> list[Any]:
        """Return all that the database holds of the first competition and its participant."""
        of_track = {"track__competition": self.competition}
        mine: list[tuple[type[Model], dict[str, Any]]] = [
            (Competition, {"organisers": self.people["organiser"]}),
            (Competition.organisers.through, {"user": self.people["organiser"]}),
            (Dataset, {"competition": self.competition}),
            (Track, {"competition": self.competition}),
            (BenchmarkVersion, of_track),
            (Submission, {**of_track, "participant": self.people["participant"]}),
            (Evaluation, {"submission__participant": self.people["participant"]}),
            (Score, {"evaluation__submission__track__competition": self.competition}),
            (Standing, {"benchmark__track__competition": self.competition}),
            (PartialUpload, {"participant": self.people["participant"]}),
            (Disqualification, {"competition": self.competition}),
            (Quarantine, {"submission__track__competition": self.competition}),
            (Worker, {"pk": self.worker.pk}),
            (User, {"pk": self.people["participant"].pk}),
        ]
        return [list(model._default_manager.filter(**of).order_by("pk").values()) for model, of in mine]


def _upload(track: Track, participant: User) -> PartialUpload:
    now = timezone.now()
    return PartialUpload.objects.create(
        track=track,
        participant=participant,
        entry_name=f"{SECRETS['file name']}.zip",
        entry_bytes=1000,
        received_bytes=10,
        created_at=now,
        expires_at=now + timedelta(days=1),
    )


def make_scene() -> Scene:
    """Fill the database."""
    people = _people()
    first = Competition.objects.create(slug="aurora", name="Aurora")
    secret = Competition.objects.create(slug="secret", name=SECRETS["hidden competition"], is_public=False)
    for competition in (first, secret):
        competition.organisers.add(people["organiser"])
    for competition in (first, secret):
        picture = put(Picture(competition=competition, name="shot"), PICTURE)
        picture.save()
    second = Competition.objects.create(slug="borealis", name="Borealis")
    second.organisers.add(people["rival"])
    dataset = _dataset(first, SECRETS["dataset"], SECRETS["digest of the dataset"])
    track = _track(first, dataset, slug="aurora-open", name="Aurora's track", is_open=True)
    hidden = _track(first, dataset, slug="aurora-hidden", name=SECRETS["hidden track"], is_open=False)
    rivals = _track(second, _dataset(second, "Other", "0" * 64), slug="borealis-open", name="B", is_open=True)
    _evaluation(rivals, people["other"], name="other.zip")
    scored = _evaluation(track, people["participant"])
    report = scored_report(0.9, private=0.12341234, log=SECRETS["log"])
    lease = lifecycle.claim(scored.pk, owner="test", now=timezone.now())
    lifecycle.record_scored(lease, report, now=timezone.now(), place=standings.place)
    failed = _evaluation(
        track, people["participant"], status=Status.FAILED, finished_at=timezone.now(),
        fault=SECRETS["fault"], reference=SECRETS["reference"],
    )  # fmt: skip
    disqualify_submission(
        submission=failed.submission, reason=SECRETS["disqualified"], by=people["superuser"]
    )
    Quarantine.objects.create(submission=failed.submission, reason=SECRETS["disqualified"], at=timezone.now())
    return Scene(
        competition=first,
        dataset=dataset,
        track=track,
        hidden=hidden,
        hidden_competition=secret,
        scored=scored,
        failed=failed,
        queued=_evaluation(track, people["participant"]),
        upload=_upload(track, people["participant"]),
        worker=Worker.objects.create(
            name="w:1", machine="w", version="1", started_at=timezone.now(), seen_at=timezone.now()
        ),
        people=people,
        cookies={role: _cookies(people.get(role)) for role in ROLES},
    )


def _people() -> dict[str, User]:
    names = {"participant": "pia", "other": "otto", "organiser": "ada", "rival": "boris", "staff": "stan"}
    people = {role: User.objects.create_user(name) for role, name in names.items()}
    people["superuser"] = User.objects.create_superuser("root")
    User.objects.filter(username="pia").update(email=SECRETS["e-mail"])
    people["participant"].refresh_from_db()
    EmailAddress.objects.create(user=people["participant"], email=SECRETS["e-mail"], primary=True)
    AccessToken.objects.create(
        pk=7,
        user=people["participant"],
        name="laptop",
        digest=SECRETS["token"],
        beginning=SECRETS["token"][:6],
    )
    Authenticator.objects.create(user=people["participant"], type=Authenticator.Type.TOTP, data={})
    for role in ("organiser", "rival", "staff"):
        people[role].groups.add(organisers())
        people[role].is_staff = True
        people[role].save()
    return people


def _dataset(competition: Competition, name: str, digest: str) -> Dataset:
    return Dataset.objects.create(
        competition=competition, name=name, archive=f"datasets/{digest}.zip", digest=f"sha256:{digest}",
        samples=4, private_samples=2, highest_label=1,
        label_counts={"public": {"0": 1, "1": 1}, "private": {"0": 1, "1": 1}},
    )  # fmt: skip


def _track(competition: Competition, dataset: Dataset, *, is_open: bool, **names: str) -> Track:
    columns = columns_of(load_track("cvpr2022-track1")) | names
    track = Track(competition=competition, dataset=dataset, **columns)
    track.save()
    new_benchmark(track)
    Track.objects.filter(pk=track.pk).update(is_open=is_open)
    track.refresh_from_db()
    return track


def _evaluation(track: Track, participant: User, *, name: str = "", **fields: Any) -> Evaluation:
    number = Submission.objects.count()
    submission = Submission.objects.create(
        track=track, participant=participant, entry=f"entries/{number}", entry_bytes=7,
        entry_name=name or f"{SECRETS['file name']}-{number}.zip", sha256=f"{number:064x}",
    )  # fmt: skip
    count_submission(submission)
    return Evaluation.objects.create(submission=submission, benchmark=track.benchmark, **fields)


def _cookies(user: User | None) -> str:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client.cookies.output(header="", sep=";")
