"""A site's API as the command line uses it: upload once however often the line breaks, then follow.

Trusts the site to mean well, not to answer well: whatever it sends is checked before use.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

import httpx

from scoring.cli.answers import Passing, Refused, Unreachable, odd, read, wait_of
from scoring.cli.sending import send
from scoring.contracts import Status

ATTEMPTS: Final = 6
TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0)


@dataclass(frozen=True, kw_only=True)
class RemoteTrack:
    """What must be known of a track before uploading."""

    slug: str
    name: str
    max_upload_bytes: int
    direct_uploads: bool = False
    quota: RemoteQuota | None = None


@dataclass(frozen=True, kw_only=True)
class RemoteQuota:
    """One's submissions on a track; `next_slot_at` is None while one is free."""

    used: int
    allowed: int
    window_hours: int
    next_slot_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Where an entry went; `repeated` if the site had it already."""

    id: UUID
    repeated: bool


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a submission stands."""

    status: Status
    stage: str
    position: int | None
    is_final: bool
    page: str


class Site:
    """One site, spoken to as one participant."""

    def __init__(self, server: str, *, token: str = "", pause: Callable[[float], None] = time.sleep) -> None:
        self._pause = pause
        self.server = server.rstrip("/")
        self.token = ""
        # No redirects: a token goes to the address that the user typed and to no other.
        self._http = httpx.Client(base_url=f"{server.rstrip('/')}/api/", timeout=TIMEOUT)
        if token:
            self.use_token(token)

    def __enter__(self) -> Self:
        """Keep connections open from here."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        self._http.close()

    def use_token(self, token: str) -> None:
        """Speak as the owner of a token from now on."""
        self.token = token
        self._http.headers["Authorization"] = f"Token {token}"

    def create_token(self, username: str, password: str, *, name: str) -> str:
        """Exchange a user name and password for a token of a name."""
        body = self._ask("POST", "token/", json={"username": username, "password": password, "name": name})
        return _text(body, "token")

    def revoke_own_token(self) -> None:
        """End the token that this site is spoken to with."""
        for known in _rows(self._ask("GET", "tokens/?page_size=200"), "results"):
            if self.token.startswith(_text(known, "beginning")):
                self._ask("DELETE", f"tokens/{_whole(known, 'id')}/")
                return

    def track(self, slug: str) -> RemoteTrack:
        """Return what must be known of a track before uploading."""
        body = self._ask("GET", f"tracks/{slug}/")
        return RemoteTrack(
            slug=_text(body, "slug"),
            name=_text(body, "name"),
            max_upload_bytes=_whole(body, "max_upload_bytes"),
            direct_uploads=body.get("direct_uploads") is True,
            quota=_quota(body.get("quota")),
        )

    def upload(
        self,
        slug: str,
        entry: Path,
        *,
        sha256: str,
        note: Callable[[int], None],
        into_the_store: bool = False,
    ) -> Receipt:
        """Upload an entry whose SHA-256 is known; `note` hears how many bytes have left.

        With `into_the_store` it goes there past the site, where the track says that it may. Goes on with what an
        earlier call began. Safe to repeat: a site that already has the file names the submission it became.
        """
        try:
            submission = send(
                self,
                track=slug,
                entry=entry,
                sha256=sha256,
                into_the_store=into_the_store,
                note=note,
                pause=self._pause,
            )
            return Receipt(id=submission, repeated=False)
        except Refused as refused:
            if refused.code != "already_submitted":
                raise
            return Receipt(id=_id(refused.body.get("submission")), repeated=True)

    def exchange(self, method: str, address: str, **content: Any) -> httpx.Response:
        """Send one request below /api/; raises Passing if no answer comes."""
        try:
            return self._http.request(method, address, **content)
        except httpx.UnsupportedProtocol as exc:
            raise Unreachable(f"{self._http.base_url} is no address of a site.") from exc
        except httpx.TransportError as exc:
            raise Passing(f"{self._http.base_url} does not answer ({exc}).") from exc

    def progress(self, submission: UUID) -> Progress:
        """Return where a submission stands."""
        body = self._ask("GET", f"submissions/{submission}/")
        try:
            status = Status(body.get("status", ""))
        except ValueError as exc:
            raise odd("an unknown status") from exc
        position = body.get("position")
        urls = body.get("urls")
        return Progress(
            status=status,
            stage=_text(body, "stage"),
            position=position if isinstance(position, int) else None,
            is_final=body.get("is_final") is True,
            page=_text(urls if isinstance(urls, dict) else {}, "page"),
        )

    def submissions(self, *, track: str | None = None, limit: int = 20) -> list[dict[str, Any]]:
        """Return one's newest submissions."""
        asked = {"page_size": limit} | ({"track": track} if track else {})
        found = _rows(self._ask("GET", "submissions/", params=asked), "results")
        for one in found:
            _id(one)
            for name in ("track", "entry_name", "status", "code", "created_at"):
                _text(one, name)
        return found

    def submission(self, submission: UUID) -> dict[str, Any]:
        """Return what is known of a submission."""
        body = self._ask("GET", f"submissions/{submission}/")
        for name in ("entry_name", "sha256"):
            _text(body, name)
        return body

    def entry(self, submission: UUID) -> Iterator[bytes]:
        """Yield an entry's bytes, piece by piece."""
        with self._http.stream("GET", f"submissions/{submission}/entry/") as response:
            if not response.is_success:
                response.read()
                read(response)
            try:
                yield from response.iter_bytes()
            except httpx.TransportError as exc:
                raise Unreachable(f"The line to {self.server} broke ({exc}).") from exc

    def board(self, track: str, *, top: int) -> dict[str, Any]:
        """Return the first rows of a track's leaderboard."""
        body = self._ask("GET", f"tracks/{track}/leaderboard/", params={"page_size": top})
        _text(body, "metric")
        return {**body, "rows": _rows(body, "rows")[:top]}

    def report(self, submission: UUID) -> dict[str, Any]:
        """Return a submission's report; only what every report has is checked here."""
        report = self._ask("GET", f"submissions/{submission}/report/")
        for name in ("status", "code", "message", "hint"):
            _text(report, name)
        if not isinstance(report.get("findings"), list):
            raise odd("no findings")
        return report

    def _ask(self, method: str, address: str, **content: Any) -> dict[str, Any]:
        """Send a request, again when the line breaks or the site is busy; raises Refused or Unreachable."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._http.request(method, address, **content)
            except httpx.TransportError as exc:
                if attempt == ATTEMPTS or isinstance(exc, httpx.UnsupportedProtocol):
                    raise Unreachable(f"{self._http.base_url} does not answer ({exc}).") from exc
                self._pause(2.0 ** (attempt - 1))
                continue
            wait_s = wait_of(response, attempt)
            if wait_s is None or attempt == ATTEMPTS:
                return read(response)
            self._pause(wait_s)
        raise Unreachable(f"{self._http.base_url} does not answer.")


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise odd(f"no {name}")
    return value


def _whole(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int):
        raise odd(f"no {name}")
    return value


def _rows(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = body.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise odd(f"no {name}")
    return rows


def _quota(body: object) -> RemoteQuota | None:
    """Return what a track says of one's own submissions; None where it knows nobody."""
    if not isinstance(body, dict):
        return None
    told = body.get("next_slot_at")
    try:
        next_slot_at = datetime.fromisoformat(told).astimezone(UTC) if told is not None else None
    except (TypeError, ValueError) as exc:
        raise odd("a malformed time") from exc
    numbers = {name: _whole(body, name) for name in ("used", "allowed", "window_hours")}
    return RemoteQuota(**numbers, next_slot_at=next_slot_at)


def _id(body: object) -> UUID:
    """Return the id in a submission's description; an id that is not a UUID never becomes an address."""
    try:
        return UUID(_text(body if isinstance(body, dict) else {}, "id"))
    except ValueError as exc:
        raise odd("a malformed id") from exc
