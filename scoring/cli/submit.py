"""`podium submit`: upload an entry, follow it, print its report."""

from __future__ import annotations

import hashlib
import json as jsonlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
from rich.progress import Progress as ProgressBar

from scoring.cli import logins
from scoring.cli.answers import Refused, Unreachable
from scoring.cli.client import Progress, Receipt, RemoteTrack, Site
from scoring.cli.ending import EXIT_FAULT, EXIT_OK, EXIT_REJECTED, EXIT_USAGE
from scoring.cli.screen import STAGES, Screen
from scoring.cli.talking import NOT_SIGNED_IN, WRONG_USAGE, WrongUsageError, address_of, sign_in
from scoring.contracts import Stage, Status, Verdict
from scoring.errors import Rejected, reject, render_all
from scoring.reports import report as reports

EXIT_INTERRUPTED: Final = 130
EXIT_OF_STATUS: Final = {
    Status.SCORED: EXIT_OK,
    Status.REJECTED: EXIT_REJECTED,
    Status.CANCELLED: EXIT_REJECTED,
    Status.FAILED: EXIT_FAULT,
}
SUBMITTED_AGAIN: Final = frozenset({Status.FAILED, Status.CANCELLED})
MOST_EARLIER: Final = 200
ALMOST_A_MINUTE: Final = timedelta(seconds=59, microseconds=999_999)
FIRST_POLL_S, SLOWEST_POLL_S = 1.0, 5.0


def submit(
    path: Path,
    *,
    track: str,
    server: str | None,
    token: str | None,
    json: bool,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Upload an entry, follow it and print its report; return the exit code of the command."""
    notes = Console(stderr=True, highlight=False)
    try:
        found = address_of(server, notes)
    except WrongUsageError as wrong:
        notes.print(str(wrong))
        return EXIT_USAGE
    token = token or logins.token_for(found)
    if not token and not sys.stdin.isatty():
        notes.print(NOT_SIGNED_IN)
        return EXIT_USAGE
    with Site(found, token=token or "", pause=pause) as site:
        try:
            if not token:
                site.use_token(sign_in(site, name="podium submit"))
            return _upload_and_follow(site, path, track, notes=notes, as_json=json, pause=pause)
        except Rejected as rejected:
            _print(_unsubmitted(reports.rejected(rejected, track=track)), as_json=json)
            return EXIT_REJECTED
        except Refused as refused:
            _print(_unsubmitted(_refusal(refused, track)), as_json=json)
            return EXIT_USAGE if refused.code in WRONG_USAGE else EXIT_REJECTED
        except Unreachable as unreachable:
            _print(_unsubmitted(reports.fault(unreachable, track=track)), as_json=json)
            return EXIT_FAULT


def _upload_and_follow(
    site: Site, path: Path, track: str, *, notes: Console, as_json: bool, pause: Callable[[float], None]
) -> int:
    remote = _track(site, track)
    try:
        with _entry(path) as entry:
            _check_size(entry, remote)
            sha256 = _sha256(entry)
            upload = _uploaded_before(site, remote, sha256)
            if upload is None:
                _check_quota(remote)
                upload = _upload(site, remote, entry, sha256, notes=notes, quiet=as_json)
    except KeyboardInterrupt:
        notes.print(
            "\nInterrupted during the upload. Run the same command again: it goes on from where it stopped."
        )
        return EXIT_INTERRUPTED
    if upload.repeated:
        notes.print("You already submitted this exact file; following that submission.")
    return _follow_to_report(site, upload.id, notes=notes, as_json=as_json, pause=pause)


def _track(site: Site, track: str) -> RemoteTrack:
    try:
        return site.track(track)
    except Refused as refused:
        if refused.code != "not_found":
            raise
        message = f"This site has no track with the short name “{track}”."
        hint = "The short name is in the address of the track's page: /tracks/SHORT-NAME/."
        raise Refused(refused.status, {**refused.body, "message": message, "hint": hint}) from refused


@contextmanager
def _entry(path: Path) -> Iterator[Path]:
    """Yield the file to upload: the path itself, or a folder packed as `podium pack` does."""
    if path.is_file():
        yield path
        return
    from scoring.files.archiving import pack

    with tempfile.TemporaryDirectory(prefix="podium-") as folder:
        yield pack(path, Path(folder) / f"{path.resolve().name}.zip")


def _check_size(entry: Path, remote: RemoteTrack) -> None:
    """Refuse before the upload what the site would refuse after it."""
    found = entry.stat().st_size
    if found > remote.max_upload_bytes:
        raise reject("upload_too_large", allowed_bytes=remote.max_upload_bytes)
    if found == 0:
        raise reject("empty_upload")


def _sha256(entry: Path) -> str:
    with entry.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _uploaded_before(site: Site, remote: RemoteTrack, sha256: str) -> Receipt | None:
    """Return what the same file became, where only that would be accepted: no slot is left for another."""
    if remote.quota is None or remote.quota.next_slot_at is None:
        return None
    for known in site.submissions(track=remote.slug, limit=MOST_EARLIER):
        if known.get("sha256") == sha256 and known["status"] not in SUBMITTED_AGAIN:
            return Receipt(id=UUID(known["id"]), repeated=True)
    return None


def _check_quota(remote: RemoteTrack) -> None:
    """Refuse before the upload what the site would refuse for want of a slot."""
    quota = remote.quota
    if quota is None or quota.next_slot_at is None:
        return
    minute = (quota.next_slot_at + ALMOST_A_MINUTE).replace(second=0, microsecond=0)
    refusal = reject(
        "quota_used_up",
        found=quota.used,
        allowed=quota.allowed,
        window_hours=quota.window_hours,
        next_slot=f"{minute:%Y-%m-%d %H:%M} UTC",
    )
    told = vars(render_all(refusal.findings)[0])
    raise Refused(HTTPStatus.TOO_MANY_REQUESTS, {**told, "next_slot_at": quota.next_slot_at.isoformat()})


def _upload(
    site: Site, remote: RemoteTrack, entry: Path, sha256: str, *, notes: Console, quiet: bool
) -> Receipt:
    columns = (TextColumn("uploading"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with ProgressBar(*columns, console=notes, transient=True, disable=quiet) as bar:
        task = bar.add_task("uploading", total=entry.stat().st_size)
        return site.upload(
            remote.slug,
            entry,
            sha256=sha256,
            into_the_store=remote.direct_uploads,
            note=lambda sent: bar.update(task, completed=sent),
        )


def _follow_to_report(
    site: Site, submission: UUID, *, notes: Console, as_json: bool, pause: Callable[[float], None]
) -> int:
    page = ""
    try:
        progress = site.progress(submission)
        page = progress.page
        notes.print(f"Submission {submission}: {escape(page)}", soft_wrap=True)
        final = _follow(site, submission, progress, notes=notes, quiet=as_json, pause=pause)
    except KeyboardInterrupt:
        notes.print(
            f"\nThe submission keeps running. See it at {escape(page or str(submission))}, "
            "or run the same command again to follow it.",
            soft_wrap=True,
        )
        return EXIT_INTERRUPTED
    _print(site.report(submission), as_json=as_json)
    return EXIT_OF_STATUS[final.status]


def _follow(
    site: Site,
    submission: UUID,
    progress: Progress,
    *,
    notes: Console,
    quiet: bool,
    pause: Callable[[float], None],
) -> Progress:
    """Ask until nothing more will happen, ever more slowly; show each change."""
    shown = ""
    poll_s = FIRST_POLL_S
    with notes.status("waiting") as spinner:
        while not progress.is_final:
            line = _describe(progress)
            spinner.update(line)
            if line != shown and not quiet and not notes.is_terminal:
                notes.print(line)
            shown = line
            pause(poll_s)
            poll_s = min(poll_s * 1.2, SLOWEST_POLL_S)
            progress = site.progress(submission)
    return progress


def _describe(progress: Progress) -> str:
    if progress.status is Status.QUEUED:
        place = "" if progress.position is None else f", number {progress.position} in the queue"
        return f"queued{place}"
    known = progress.stage in {stage.value for stage in Stage}
    return f"running: {STAGES[Stage(progress.stage)]}" if known else "running"


def _unsubmitted(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report with the fields that the site's reports have beside it, for want of a submission empty."""
    return {"status": None, "stage": "", "reference": "", **report}


def _refusal(refused: Refused, track: str) -> dict[str, Any]:
    """Return the site's refusal of a request as a report, with whatever else the site said."""
    told = {"code": refused.code, "message": refused.body["message"], "hint": refused.body.get("hint", "")}
    finding = {"path": "", **told, "warning": False}
    report = reports.Report(verdict=Verdict.REJECTED.value, track=track)
    return {**report.plain(), **refused.body, **told, "findings": [finding]}


def _print(outcome: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(jsonlib.dumps(outcome, indent=2, ensure_ascii=False) + "\n")
        return
    if outcome.get("status") == Status.CANCELLED:
        Console(highlight=False).print("[bold yellow]cancelled[/]")
        return
    Screen(quiet=True).show(outcome)
    if outcome["verdict"] == Verdict.FAULT and outcome["hint"]:
        Console(highlight=False).print(escape(outcome["hint"]))
