"""The whole system on one machine with real data: `make demo`, or `make demo ONCE=1` to stop after the boards.

`make demo FULL=1` adds a track of every other preset (pictures, video, sound; classes, masks, boxes) with generated
data, entered with the starter kits, and a kit as a second entry on both of the first tracks.

Everything goes through the site's own doors: tracks by `sync_tracks`, participants, uploads, results and
boards by the HTTP API. Run again, it finds what is there and uploads nothing twice.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from competition.demo import entries
from competition.demo.datasets import DATASETS
from competition.demo.following import FINAL, PATIENCE_S, Clock, State, follow
from competition.demo.serve import ROOT, ServiceDied, free_port, manage, prepare, running, wait_for_interrupt
from scoring.files.archiving import pack

COMPETITION = "cvpr2022-demo"
COMPETITION_NAME = "Demonstration on generated data"
HIDDEN_SAMPLES = 600
KIT_SAMPLES = 48
SEED = 2022
KITS = ROOT / "docs" / "starter-kits"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One entry of the demo and how it must end."""

    participant: str
    track: str
    file: str
    status: str
    code: str = ""


UPLOADS = (
    Upload(participant="ada", track="cvpr2022-track1", file="track1.zip", status="scored"),
    Upload(participant="grace", track="cvpr2022-track2", file="track2.onnx", status="scored"),
    Upload(
        participant="grace",
        track="cvpr2022-track1",
        file="over_budget.zip",
        status="rejected",
        code="parameters_over_budget",
    ),
    Upload(
        participant="ada",
        track="cvpr2022-track2",
        file="broken.zip",
        status="rejected",
        code="corrupt_archive",
    ),
)


def _of_kit(participant: str, track: str, file: str) -> Upload:
    """Return an upload of a starter kit: it has the kit's name."""
    return Upload(participant=participant, track=track, file=file, status="scored")


KIT_UPLOADS = (
    _of_kit("grace", "cvpr2022-track1", "cvpr2022-track1.zip"),
    _of_kit("ada", "cvpr2022-track2", "cvpr2022-track2-opencv.zip"),
    _of_kit("ada", "gasbench-image", "gasbench-image.zip"),
    _of_kit("grace", "gasbench-video", "gasbench-video.zip"),
    _of_kit("ada", "gasbench-audio", "gasbench-audio.zip"),
    _of_kit("grace", "gasbench-onnx-image", "gasbench-onnx-image.zip"),
    _of_kit("ada", "gasbench-onnx-video", "gasbench-onnx-video.zip"),
    _of_kit("grace", "qaihub-classification", "qaihub-classification.zip"),
    _of_kit("ada", "byom-classification", "byom-classification.tar.gz"),
    _of_kit("grace", "byom-anomaly", "byom-anomaly.tar.gz"),
    _of_kit("ada", "byom-detection", "byom-detection.tar.gz"),
    _of_kit("grace", "byom-segmentation", "byom-segmentation.tar.gz"),
)

console = Console(highlight=False)


def main() -> int:
    """Prepare, serve, upload, follow, print both boards; return 0 if all ended as it should."""
    home = Path(os.environ.get("PODIUM_HOME") or ROOT / "var" / "demo").resolve()
    environment = {**os.environ, "PODIUM_HOME": str(home)}
    home.mkdir(parents=True, exist_ok=True)
    uploads = UPLOADS + (KIT_UPLOADS if environment.get("FULL") else ())
    tracks = tuple(dict.fromkeys(upload.track for upload in uploads))
    started = time.monotonic()
    try:
        _step("Database and static files")
        prepare(environment)
        _prepare_data(home, tracks)
        _prepare_entries(home, uploads)
        _prepare_tracks(home, tracks, environment)
        accounts = _accounts(home, environment)
        port = free_port(int(environment.get("PORT") or 8000))
        with running(environment, port=port, home=home) as url:
            as_expected = _compete(url, home, accounts, uploads)
            _goodbye(url, accounts, seconds=time.monotonic() - started, as_expected=as_expected)
            if not environment.get("ONCE"):
                console.print("The site and its worker keep running; press Ctrl-C to stop them.")
                wait_for_interrupt()
    except (ServiceDied, subprocess.CalledProcessError, httpx.HTTPError) as exc:
        console.print(f"[red]The demo failed:[/] {exc}")
        return 1
    return 0 if as_expected else 1


# --- what is prepared once -------------------------------------------------------------------------


def _prepare_data(home: Path, tracks: Sequence[str]) -> None:
    for track in tracks:
        folder = home / "hidden" / track
        if not (folder / "labels.csv").exists():
            _step(f"Hidden data of {track}")
            DATASETS[track](folder, **_amount(track))


def _amount(track: str) -> dict[str, int]:
    """Return how many samples a track gets, and a seed that gives no two tracks the same pictures."""
    if track in {upload.track for upload in UPLOADS}:
        return {"samples": HIDDEN_SAMPLES, "seed": SEED}
    return {"samples": KIT_SAMPLES, "seed": SEED + 1 + list(DATASETS).index(track)}


def _prepare_entries(home: Path, uploads: Sequence[Upload]) -> None:
    folder = home / "entries"
    if not (folder / "track2.onnx").exists():
        _step("Training two baselines, one per core")
        command = [sys.executable, "-m", "competition.demo.train", str(folder)]
        subprocess.run(command, check=True, cwd=ROOT)
        entries.write_bad_entries(folder)
    for upload in set(uploads) & set(KIT_UPLOADS):
        pack(kit_of(upload), folder / upload.file)


def kit_of(upload: Upload) -> Path:
    """Return the folder that an upload of a kit is packed from."""
    return KITS / upload.file.partition(".")[0] / "entry"


def _prepare_tracks(home: Path, tracks: Sequence[str], environment: Mapping[str, str]) -> None:
    _step("Competition and tracks")
    arguments = [
        "--competition",
        COMPETITION,
        "--name",
        COMPETITION_NAME,
        "--data",
        str(home / "hidden"),
        "--open",
    ]
    manage("sync_tracks", *tracks, *arguments, environment={**environment, "PODIUM_IMPORT_ROOT": str(home)})


def _accounts(home: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the demo's passwords, made at random at the first start; the organiser is made here."""
    file = home / "accounts.json"
    if not file.exists():
        names = ("organiser", *sorted({upload.participant for upload in UPLOADS}))
        accounts = {name: secrets.token_urlsafe(12) for name in names}
        manage(
            "createsuperuser",
            "--noinput",
            "--username",
            "organiser",
            "--email",
            "organiser@example.org",
            environment={**environment, "DJANGO_SUPERUSER_PASSWORD": accounts["organiser"]},
        )
        file.touch(mode=0o600)
        file.write_text(json.dumps(accounts))
    accounts = json.loads(file.read_text())
    return {str(name): str(password) for name, password in accounts.items()}


# --- the competition, through the API ----------------------------------------------------------------


def _compete(url: str, home: Path, accounts: Mapping[str, str], uploads: Sequence[Upload]) -> bool:
    _step(f"Uploading {len(uploads)} entries as two participants through {url}/api/")
    clients = {upload.participant: _sign_in(url, upload.participant, accounts) for upload in uploads}
    try:
        pending = {_upload(clients[upload.participant], home, upload): upload for upload in uploads}
        as_expected = _follow(clients, pending)
        for track in dict.fromkeys(upload.track for upload in uploads):
            _print_board(clients["ada"], track)
    finally:
        for client in clients.values():
            client.close()
    return as_expected


def _sign_in(url: str, name: str, accounts: Mapping[str, str]) -> httpx.Client:
    """Sign the participant up if need be, and return a client that carries the token."""
    # A connection for each request: the server closes idle ones after as long as `follow` waits between two.
    client = httpx.Client(base_url=url, timeout=120, limits=httpx.Limits(max_keepalive_connections=0))
    account = {"username": name, "password": accounts[name]}
    answer = client.post("/api/token/", json=account)
    if answer.is_client_error:
        client.post("/api/accounts/", json={**account, "email": f"{name}@example.org"}).raise_for_status()
        answer = client.post("/api/token/", json=account)
    answer.raise_for_status()
    client.headers["Authorization"] = f"Token {answer.json()['token']}"
    return client


def _upload(client: httpx.Client, home: Path, upload: Upload) -> str:
    """Upload the entry and return the submission's id; an entry that is there already is followed."""
    path = home / "entries" / upload.file
    with path.open("rb") as entry:
        answer = client.post(f"/api/tracks/{upload.track}/submissions/", files={"entry": (path.name, entry)})
    if answer.status_code == httpx.codes.CONFLICT:
        return str(answer.json()["submission"]["id"])
    answer.raise_for_status()
    return str(answer.json()["id"])


def _follow(clients: Mapping[str, httpx.Client], pending: Mapping[str, Upload]) -> bool:
    """Print each result as it comes, say whether all are the expected ones."""

    def state_of(submission: str) -> State:
        client = clients[pending[submission].participant]
        state: State = client.get(f"/api/submissions/{submission}/").raise_for_status().json()
        return state

    ended = follow(list(pending), state_of=state_of, tell=_tell_of_waiting, clock=Clock())
    results = [_is_expected(pending[submission], state) for submission, state in ended]
    return all(results)


def _tell_of_waiting(states: Sequence[State]) -> None:
    counts = Counter(f"in {state['stage']}" if state["stage"] else "waiting" for state in states)
    console.print("  … " + ", ".join(f"{number} {words}" for words, number in counts.items()), style="dim")


def _is_expected(upload: Upload, state: State) -> bool:
    """Print a result, say whether it is the expected one."""
    status = state["status"]
    how = status if status in FINAL else f"still {status}, without news for {PATIENCE_S:g} s"
    right = (status, state["code"] or "") == (upload.status, upload.code)
    mark = "[green]as expected[/]" if right else f"[red]expected {upload.status} {upload.code}[/]"
    console.print(
        f"  {upload.participant:6} {upload.track:21} {upload.file:27} {how} {state['code']} {mark}",
        soft_wrap=True,
    )
    return right


def _print_board(client: httpx.Client, track: str) -> None:
    board = client.get(f"/api/tracks/{track}/leaderboard/").raise_for_status().json()
    table = Table("rank", "participant", "score", "95% interval", title=track)
    for row in board["rows"]:
        low, high = row["ci"]
        table.add_row(str(row["rank"]), row["participant"], f"{row['value']:.4f}", f"{low:.4f} to {high:.4f}")
    console.print(table)


def _goodbye(url: str, accounts: Mapping[str, str], *, seconds: float, as_expected: bool) -> None:
    verdict = (
        "[green]Everything went as expected.[/]"
        if as_expected
        else "[red]Not everything went as expected.[/]"
    )
    console.print(f"{verdict} ({seconds:.0f} s)")
    console.print(f"Site: {url}   Admin: {url}/admin/   API: {url}/api/docs/", soft_wrap=True)
    console.print("Accounts and their passwords (the first one is for the admin):")
    for name, password in accounts.items():
        console.print(f"  {name:10} {password}", markup=False)


def _step(text: str) -> None:
    console.print(f"[bold]{text}[/]")


if __name__ == "__main__":
    sys.exit(main())
