"""`podium submit` against the real site over real HTTP; the worker's part is played between two polls."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from competition.accounts.tokens import make_token
from competition.leaderboard import standings
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation, PartialUpload, Submission
from competition.tracks.models import Track
from scoring.cli.client import Site
from scoring.cli.submit import submit
from scoring.codes import CODES
from scoring.contracts import Finding, Stage
from scoring.errors import Rejected
from tests.examples import rewrite, scored_report, tried_before
from tests.line import Line

pytestmark = pytest.mark.django_db(transaction=True)
Act = Callable[[], None]


class Worker:
    """Does one act of the evaluation each time that the command pauses."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.pauses_s: list[float] = []
        self._lease: lifecycle.Lease | None = None

    def pause(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        if not self.acts:
            pytest.fail("the command waits for something that will not happen")
        self.acts.pop(0)()

    def claims(self) -> None:
        self._lease = lifecycle.claim(Evaluation.objects.get().pk, owner="worker", now=timezone.now())

    def notes(self, stage: Stage) -> Act:
        return lambda: lifecycle.note_stage(self.lease, stage, now=timezone.now())

    def scores(self) -> None:
        lifecycle.record_scored(self.lease, scored_report(0.75), now=timezone.now(), place=standings.place)

    def rejects(self, rejected: Rejected) -> Act:
        return lambda: lifecycle.record_rejected(self.lease, rejected, now=timezone.now())

    def faults(self) -> None:
        tried_before(Evaluation.objects.get())
        lifecycle.record_fault(self.lease, reference="ab12cd34", detail="boom", now=timezone.now())

    def is_cancelled(self) -> None:
        lifecycle.cancel(Evaluation.objects.get().pk, now=timezone.now())

    def user_presses_control_c(self) -> None:
        raise KeyboardInterrupt

    @property
    def lease(self) -> lifecycle.Lease:
        assert self._lease is not None
        return self._lease


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    path = tmp_path / "net.zip"
    path.write_bytes(b"an entry")
    return path


@pytest.fixture
def run(live_server: LiveServer, alice: User, track: Track, worker: Worker) -> Callable[..., int]:
    """Return a function that submits as Alice."""

    def go(path: Path, *, slug: str = "track-one", json: bool = False, token: str | None = None) -> int:
        known = token or make_token(owner=alice, name="test")
        return submit(path, track=slug, server=live_server.url, token=known, json=json, pause=worker.pause)

    return go


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    return


def test_an_entry_is_uploaded_followed_and_its_score_printed(
    run: Any, entry: Path, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    worker.acts = [worker.claims, worker.notes(Stage.MEASURE), worker.notes(Stage.PREDICT), worker.scores]

    code = run(entry)

    out, err = capsys.readouterr()
    assert code == 0
    assert "scored" in out
    assert "accuracy 0.750000" in out
    assert "0.740000 to 0.760000" in out
    assert "queued, number 1 in the queue" in err
    assert "running: measuring on sample images" in err
    assert Submission.objects.get().entry_name == "net.zip"


def test_a_rejection_prints_every_finding_with_its_hint_and_exits_1(
    run: Any, entry: Path, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    rejected = Rejected(
        Finding(code="missing_file", facts={"expected": "model.py"}),
        Finding(code="encrypted_archive", path="weights.bin"),
    )
    worker.acts = [worker.claims, worker.rejects(rejected)]

    code = run(entry)

    out = capsys.readouterr().out
    assert code == 1
    assert out.index("missing_file") < out.index("encrypted_archive")
    assert CODES["encrypted_archive"].hint in out
    assert "without isolation" not in out


def test_a_fault_of_ours_exits_3_and_prints_the_reference(
    run: Any, entry: Path, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    worker.acts = [worker.claims, worker.faults]

    code = run(entry)

    assert code == 3
    assert "ab12cd34" in capsys.readouterr().out


def test_a_submission_that_was_cancelled_exits_1_and_says_so(
    run: Any, entry: Path, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    worker.acts = [worker.is_cancelled]

    code = run(entry)

    assert code == 1
    assert "cancelled" in capsys.readouterr().out


def test_json_prints_the_report_and_nothing_else(
    run: Any, entry: Path, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    worker.acts = [worker.claims, worker.scores]

    run(entry, json=True)

    report = json.loads(capsys.readouterr().out)
    assert (report["verdict"], report["scores"]["accuracy"]["value"]) == ("scored", 0.75)


def test_what_never_became_a_submission_is_reported_with_the_same_fields(
    run: Any, entry: Path, worker: Worker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worker.acts = [worker.claims, worker.scores]
    empty = tmp_path / "empty.zip"
    empty.touch()

    def told(path: Path, **options: Any) -> set[str]:
        run(path, json=True, **options)
        return set(json.loads(capsys.readouterr().out))

    scored = told(entry)

    assert (told(empty), told(entry, slug="nowhere"), told(entry, token="wrong")) == (scored, scored, scored)


def test_control_c_leaves_the_submission_running_and_says_where_it_is(
    run: Any, entry: Path, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    worker.acts = [worker.claims, worker.user_presses_control_c]

    code = run(entry)

    evaluation = Evaluation.objects.get()
    assert code == 130
    assert (evaluation.status, evaluation.cancel_requested) == ("running", False)
    assert f"/submissions/{evaluation.submission_id}/" in capsys.readouterr().err.split("keeps running")[1]


def test_the_same_command_again_follows_the_same_submission(
    run: Any, entry: Path, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    worker.acts = [worker.user_presses_control_c]
    run(entry)
    worker.acts = [worker.claims, worker.scores]

    code = run(entry)

    assert code == 0
    assert Submission.objects.count() == 1
    assert "already" in capsys.readouterr().err


def test_through_a_line_that_breaks_the_rest_of_the_file_is_sent(
    live_server: LiveServer, alice: User, track: Track, tmp_path: Path
) -> None:
    entry = tmp_path / "large.zip"
    entry.write_bytes(b"PK" + bytes(range(256)) * 2000)
    sha256 = hashlib.sha256(entry.read_bytes()).hexdigest()
    sent: list[int] = []
    pauses_s: list[float] = []

    with Line(urlsplit(live_server.url).port or 0) as line:

        def mend(seconds: float) -> None:
            pauses_s.append(seconds)
            while not PartialUpload.objects.filter(received_bytes__gt=0).exists():
                pass  # the site notes what came, on a thread of its own
            line.mend()

        with Site(line.url, token=make_token(owner=alice, name="test"), pause=mend) as site:
            line.break_after(300_000)
            upload = site.upload("track-one", entry, sha256=sha256, note=sent.append)

    submission = Submission.objects.get(pk=upload.id)
    assert pauses_s
    assert any(later < earlier for earlier, later in pairwise(sent))  # it began again, not from the start
    assert min(later for earlier, later in pairwise(sent) if later < earlier) > 100_000
    with submission.entry.open() as file:
        assert file.read() == entry.read_bytes()


def test_a_folder_is_packed_before_it_is_uploaded(run: Any, tmp_path: Path, worker: Worker) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "model.py").write_text("class Model: ...\n")
    worker.acts = [worker.claims, worker.scores]

    run(folder)

    submission = Submission.objects.get()
    with submission.entry.open() as file:
        start = file.read(2)
    assert (submission.entry_name, start) == ("mine.zip", b"PK")


def test_an_empty_folder_is_refused_before_the_upload(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()

    assert run(folder) == 1
    assert not Submission.objects.exists()


def test_a_file_over_the_tracks_limit_is_not_even_sent(
    run: Any, entry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(Track.objects.get(), archive_limits__max_entry_bytes=entry.stat().st_size - 1)

    code = run(entry)

    assert code == 1
    assert "upload_too_large" in capsys.readouterr().out


def test_an_empty_file_is_refused(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.zip"
    empty.touch()

    assert run(empty) == 1
    assert "empty_upload" in capsys.readouterr().out


def test_a_used_up_quota_is_told_at_once(
    run: Any, entry: Path, make_evaluation: Any, alice: User, track: Track, capsys: pytest.CaptureFixture[str]
) -> None:
    Track.objects.update(quota_submissions=1)
    make_evaluation(alice, track, at=timezone.now())

    code = run(entry, json=True)

    assert code == 1
    told = json.loads(capsys.readouterr().out)
    assert told["code"] == "quota_used_up"
    assert told["hint"].startswith("You can submit again at ")
    assert datetime.fromisoformat(told["next_slot_at"]) > timezone.now()


def test_with_a_used_up_quota_no_byte_of_the_file_is_sent(
    run: Any, entry: Path, make_evaluation: Any, alice: User, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    Track.objects.update(quota_submissions=1)
    make_evaluation(alice, track, at=timezone.now())
    monkeypatch.setattr(Site, "upload", lambda *_, **__: pytest.fail("the file is sent"))

    assert run(entry) == 1


def test_the_command_again_after_the_last_slot_follows_what_the_file_became(
    run: Any, entry: Path, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    Track.objects.update(quota_submissions=1)
    worker.acts = [worker.claims, worker.scores]
    run(entry)

    assert run(entry) == 0
    assert "You already submitted this exact file" in capsys.readouterr().err
    assert Submission.objects.count() == 1


def test_a_closed_track_exits_1(run: Any, entry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Track.objects.update(closes_at=timezone.now())

    assert run(entry) == 1
    assert "track_not_open" in capsys.readouterr().out


def test_an_unknown_track_is_wrong_usage(run: Any, entry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(entry, slug="nowhere") == 2
    assert "no track with the short name “nowhere”" in capsys.readouterr().out


def test_a_wrong_token_is_wrong_usage(run: Any, entry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(entry, token="wrong") == 2
    assert "authentication_failed" in capsys.readouterr().out


def test_no_token_and_nobody_to_ask_is_wrong_usage(
    live_server: LiveServer, track: Track, entry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit(entry, track="track-one", server=live_server.url, token=None, json=False) == 2
    assert "PODIUM_TOKEN" in capsys.readouterr().err


@pytest.mark.parametrize("server", ["podium.example.org", "ftp://example.org", "https://", ""])
def test_an_address_that_is_none_is_wrong_usage(entry: Path, server: str) -> None:
    assert submit(entry, track="t", server=server, token="x", json=False) == 2


class _Keyboard(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("password", "code"), [("pw", 0), ("wrong", 2)])
def test_without_a_token_name_and_password_are_asked_for(
    live_server: LiveServer,
    alice: User,
    track: Track,
    entry: Path,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    password: str,
    code: int,
) -> None:
    alice.set_password("pw")
    alice.save()
    monkeypatch.setattr("sys.stdin", _Keyboard("alice\n"))
    monkeypatch.setattr("getpass.getpass", lambda prompt: password)
    worker.acts = [worker.claims, worker.scores]

    found = submit(
        entry, track="track-one", server=live_server.url, token=None, json=False, pause=worker.pause
    )

    assert found == code


def test_polling_slows_down_but_never_beyond_its_limit(run: Any, entry: Path, worker: Worker) -> None:
    worker.acts = [worker.claims, *[worker.notes(Stage.PREDICT)] * 15, worker.scores]

    run(entry)

    assert worker.pauses_s == sorted(worker.pauses_s)
    assert (worker.pauses_s[0], worker.pauses_s[-1]) == (1.0, 5.0)
