"""`podium login`, `logout`, `status`, `leaderboard` and `download`: what one does on a site besides submitting."""

from __future__ import annotations

import hashlib
import json as jsonlib
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table

from scoring.cli import logins
from scoring.cli.client import Site
from scoring.cli.ending import EXIT_FAULT, EXIT_OK, EXIT_USAGE
from scoring.cli.screen import Screen
from scoring.cli.talking import ask, sign_in

_CALLED = "podium login"


def login(*, server: str | None, token: str | None) -> int:
    """Keep a token for the site: the one given, or one for a user name and password; return the exit code."""

    def prove(site: Site) -> int:
        if not token:
            site.use_token(sign_in(site, name=_CALLED))
        site.submissions(limit=1)
        kept = logins.keep(site.server, site.token)
        sys.stderr.write(f"Signed in at {site.server}. The token is in {kept}.\n")
        return EXIT_OK

    return ask(server, token, prove)


def logout(*, server: str | None) -> int:
    """Revoke the token that is kept for the site and forget it; return the exit code."""

    def end(site: Site) -> int:
        if not site.token:
            sys.stderr.write(f"Not signed in at {site.server}.\n")
            return EXIT_USAGE
        try:
            site.revoke_own_token()
        finally:
            logins.forget(site.server)
        sys.stderr.write(f"Signed out at {site.server}.\n")
        return EXIT_OK

    return ask(server, None, end)


def status(
    submission: UUID | None, *, track: str | None, server: str | None, token: str | None, json: bool
) -> int:
    """Print one's newest submissions, or the report of one; return the exit code."""

    def show(site: Site) -> int:
        if submission is not None:
            report = site.report(submission)
            _print_json(report) if json else Screen(quiet=True).show(report)
            return EXIT_OK
        found = site.submissions(track=track)
        _print_json(found) if json else _print_rows(_submission_rows(found), "No submissions yet.")
        return EXIT_OK

    return ask(server, token, show)


def leaderboard(*, track: str, top: int, server: str | None, token: str | None, json: bool) -> int:
    """Print the first rows of a board; return the exit code."""

    def show(site: Site) -> int:
        board = site.board(track, top=top)
        _print_json(board) if json else _print_rows(_board_rows(board), "Nobody has a score yet.")
        return EXIT_OK

    return ask(server, token, show)


def download(submission: UUID, *, output: Path | None, server: str | None, token: str | None) -> int:
    """Download an entry and compare it with the digest that the site took at the upload; return the exit code."""

    def fetch(site: Site) -> int:
        known = site.submission(submission)
        target = output or Path(Path(known["entry_name"]).name)
        if target.exists():
            sys.stderr.write(f"{target} exists already; choose another file with --output.\n")
            return EXIT_USAGE
        part = target.with_name(f"{target.name}.part")
        try:
            taken = hashlib.sha256()
            with part.open("wb") as file:
                for chunk in site.entry(submission):
                    taken.update(chunk)
                    file.write(chunk)
            if taken.hexdigest() != known["sha256"]:
                sys.stderr.write("What came is not what was uploaded (SHA-256). Please try again.\n")
                return EXIT_FAULT
            part.rename(target)
        finally:
            part.unlink(missing_ok=True)
        sys.stderr.write(f"Wrote {target}.\n")
        return EXIT_OK

    return ask(server, token, fetch)


def _submission_rows(found: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [
        {
            "id": str(one["id"]),
            "track": one["track"],
            "entry": one["entry_name"],
            "status": one["status"] + (f" ({one['code']})" if one["code"] else ""),
            "score": "" if one.get("score") is None else f"{one['score']:.6f}",
            "uploaded": one["created_at"][:16].replace("T", " ") + " UTC",
        }
        for one in found
    ]


def _board_rows(board: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "rank": "–" if row["rank"] is None else str(row["rank"]),
            "participant": row["participant"],
            board["metric"]: f"{row['value']:.6f}",
            "95 % interval": "{:.6f} to {:.6f}".format(*row["ci"]),
            "submissions": str(row["submissions"]),
        }
        for row in board["rows"]
    ]


def _print_json(found: object) -> None:
    sys.stdout.write(jsonlib.dumps(found, indent=2, ensure_ascii=False) + "\n")


def _print_rows(rows: list[dict[str, str]], if_none: str) -> None:
    console = Console(highlight=False, markup=False)
    if not rows:
        console.print(if_none)
        return
    table = Table(*rows[0], box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row.values())
    console.print(table)
