"""The whole system on one machine with real data: `make demo`, or `make demo ONCE=1` to stop after the boards.

`make demo FULL=1` adds a track of every other preset (pictures, video, sound; classes, masks, boxes) with generated
data, entered with the starter kits, and a kit as a second entry on both of the first tracks.

What can be done side by side is (`plan.py`): the site is open while the baselines are trained, and each entry is
uploaded as soon as it is ready. Everything goes through the site's own doors: tracks by `sync_tracks`, participants,
uploads, results and boards by the HTTP API. Run again, it finds what is there and uploads nothing twice.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx

from competition.demo import entries
from competition.demo.competing import Competition
from competition.demo.parts import PartFailed, Parts
from competition.demo.plan import ACCOUNT, ORGANISER, preparation
from competition.demo.serve import (
    DATABASE,
    STATIC_FILES,
    ServiceDied,
    interrupted_by_sigterm,
    port_to_use,
    require_sandbox,
    running,
    wait_for_interrupt,
)
from competition.demo.telling import Teller, console
from competition.demo.uploads import KIT_UPLOADS, ROOT, UPLOADS, Upload, kit_of
from scoring.files.archiving import pack

EXIT_INTERRUPTED: Final = 130


def main() -> int:
    """Show all of it; return 0 if everything went as it should."""
    home = Path(os.environ.get("PODIUM_HOME") or ROOT / "var" / "demo").resolve()
    home.mkdir(parents=True, exist_ok=True)
    interrupted_by_sigterm()
    say = Teller()
    try:
        return _demonstrate(home, {**os.environ, "PODIUM_HOME": str(home)}, say)
    except KeyboardInterrupt:
        say("Stopped. What is done is kept: the next `make demo` goes on from there.")
        return EXIT_INTERRUPTED
    except (ServiceDied, PartFailed, httpx.HTTPError) as exc:
        say(f"The demo failed, and everything was stopped: {exc}", style="red")
        say(f"What is done is kept in {home}: the next `make demo` goes on from there.")
        return 1


def _demonstrate(home: Path, environment: Mapping[str, str], say: Teller) -> int:
    """Prepare, serve, upload, follow; keep serving unless ONCE is set."""
    full = bool(environment.get("FULL"))
    uploads = UPLOADS + (KIT_UPLOADS if full else ())
    passwords, are_new = _passwords(home / "accounts.json")
    plan = tuple(preparation(home, full=full, new_password=passwords[ORGANISER] if are_new else None))
    say(f"Podium's demo in {home}. Side by side: {', '.join(part.name for part in plan)}.")
    with Parts(plan, folder=ROOT, environment=environment, say=say) as parts:
        require_sandbox(environment)
        _write_entries(home / "entries", uploads)
        parts.wait_for(DATABASE, STATIC_FILES, ACCOUNT)
        _keep(home / "accounts.json", passwords)
        with running(environment, port=port_to_use(environment, say), home=home) as services:
            say(
                f"The site is open at {services.url}. Tracks open when their data is ready, then boards fill."
            )
            competition = Competition(services, parts, home / "entries", passwords, uploads, say)
            as_expected = competition.hold()
            _goodbye(services.url, passwords, say, as_expected=as_expected)
            if not environment.get("ONCE"):
                console.print("The site and its worker keep running; press Ctrl-C to stop them.")
                wait_for_interrupt()
    return 0 if as_expected else 1


def _write_entries(folder: Path, uploads: Sequence[Upload]) -> None:
    """Write all entries but those that are trained."""
    entries.write_untrained_entries(folder)
    for upload in set(uploads) & set(KIT_UPLOADS):
        pack(kit_of(upload), folder / upload.file)


def _passwords(file: Path) -> tuple[dict[str, str], bool]:
    """Return the accounts' passwords, made at random at the first start, and whether they are new."""
    if file.exists():
        return {str(name): str(password) for name, password in json.loads(file.read_text()).items()}, False
    names = (ORGANISER, *sorted({upload.participant for upload in UPLOADS}))
    return {name: secrets.token_urlsafe(12) for name in names}, True


def _keep(file: Path, passwords: Mapping[str, str]) -> None:
    """Write the passwords down, once the organiser's account has been made with one of them."""
    file.touch(mode=0o600)
    file.write_text(json.dumps(passwords))


def _goodbye(url: str, passwords: Mapping[str, str], say: Teller, *, as_expected: bool) -> None:
    if as_expected:
        say("Everything went as expected.", style="green")
    else:
        say("Not everything went as expected: see the lines in red above.", style="red")
    console.print(f"Site: {url}   Admin: {url}/admin/   API: {url}/api/docs/", soft_wrap=True)
    console.print("Accounts and their passwords (the first one is for the admin):")
    for name, password in passwords.items():
        console.print(f"  {name:10} {password}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
