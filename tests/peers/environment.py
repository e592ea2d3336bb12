"""An environment of their own for the real systems that Podium is compared with, made once from the package index."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = Path(__file__).parents[2] / "var" / "peers"
REQUIREMENTS = HERE / "requirements.txt"
PACKAGES = {
    "GASBENCH": os.environ.get("GASBENCH") or "gasbench==0.8.0",
    "QAIHUB": os.environ.get("QAIHUB") or "qai-hub-models==0.65.0",
}
"""What pip is asked for; both may name a folder, a wheel or a repository instead."""


class PeersMissing(Exception):
    """The environment cannot be made; the text says why."""


def python_of_peers(system: str) -> Path:
    """Return the Python of the environment that has one of the systems; make it first where there is none."""
    wanted = PACKAGES[system]
    name = hashlib.sha256(f"{wanted}\n{REQUIREMENTS.read_text()}".encode()).hexdigest()[:12]
    folder = FOLDER / f"{system.lower()}-{name}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if ready.exists():
        return python
    venv.create(folder, with_pip=True, clear=True)
    _install(python, "--requirement", str(REQUIREMENTS))
    # Without what it depends on: much of that is large, and none of it decides what is compared.
    _install(python, wanted)
    _borrow_packages(python)
    ready.touch()
    return python


def _install(python: Path, *what: str) -> None:
    command = [
        str(python),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-deps",
        *what,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["no reason given"]
        raise PeersMissing(f"pip cannot install {what[-1]}: {lines[-1].removeprefix('ERROR: ')}")


def _borrow_packages(python: Path) -> None:
    """Let the environment find Podium's packages behind its own: torch and onnxruntime."""
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = Path(subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip())
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (own / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")


def run_peer(system: str, script: str, *arguments: str) -> None:
    """Run a script of this folder with the system's Python; its output is shown when it fails."""
    command = [str(python_of_peers(system)), str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout[-4_000:], done.stderr[-4_000:], file=sys.stderr)
        raise AssertionError(f"{script} failed")
