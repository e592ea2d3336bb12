"""Site and worker side by side on one machine: `python -m competition.demo.serve`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType

import httpx

from competition.demo.parts import Part, PartFailed, Parts
from competition.demo.telling import Teller
from competition.demo.uploads import ROOT
from scoring.worker.self_check import unfit_sandbox

START_UP_S = 60.0
LAST_LINES = 8
DEFAULT_PORT = 8000
DATABASE = "database"
STATIC_FILES = "static files"


class ServiceDied(RuntimeError):
    """Site or worker cannot run, or ended by itself."""


def management(*arguments: str) -> tuple[str, ...]:
    """Return the command line of a management command."""
    return (sys.executable, str(ROOT / "manage.py"), *arguments)


def site_parts() -> tuple[Part, ...]:
    """Return what brings the database and the static files up to date."""
    return (
        Part(name=DATABASE, command=management("migrate", "--verbosity", "0")),
        Part(name=STATIC_FILES, command=management("collectstatic", "--noinput", "--verbosity", "0")),
    )


def free_port(wanted: int) -> int:
    """Return the wanted port of 127.0.0.1, or one that is free."""
    for port in (wanted, 0):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServiceDied("no port of 127.0.0.1 is free")


class Services:
    """Site and worker while they run."""

    def __init__(self, url: str, logs: Path) -> None:
        self.url = url
        self._logs = logs
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start one; what it prints goes to its log."""
        with self._log(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, env=dict(environment), cwd=ROOT, stdout=log, stderr=log
            )

    def look(self) -> None:
        """Raise ServiceDied if one has ended by itself."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                log = self._log(name)
                last = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
                words = "\n".join(f"  {line}" for line in last)
                raise ServiceDied(
                    f"the {name} ended with exit code {process.returncode}. The end of {log}:\n{words}"
                )

    def await_site(self) -> None:
        """Return when the site answers."""
        deadline = time.monotonic() + START_UP_S
        while time.monotonic() < deadline:
            self.look()
            try:
                if httpx.get(self.url, timeout=5).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise ServiceDied(f"the site did not answer within {START_UP_S:g} s; see {self._log('site')}")

    def stop(self) -> None:
        """End them, at first politely."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"


@contextmanager
def running(environment: Mapping[str, str], *, port: int, home: Path) -> Iterator[Services]:
    """Run site and worker until the block ends; raises ServiceDied if one has ended before."""
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    services = Services(f"http://127.0.0.1:{port}", logs)
    env = {**environment, "SITE_URL": services.url}
    site = [sys.executable, "-m", "gunicorn", "competition.wsgi", "--bind", f"127.0.0.1:{port}"]
    site += ["--workers", "2", "--threads", "4", "--timeout", "300", "--worker-tmp-dir", str(home)]
    worker = [sys.executable, "-m", "celery", "--app", "competition", "worker", "--beat"]
    worker += ["--concurrency", "1", "--queues", "cpu", "--loglevel", "info", "--without-gossip"]
    try:
        services.start("site", site, env)
        services.start("worker", worker, env)
        services.await_site()
        yield services
        services.look()
    finally:
        services.stop()


def require_sandbox(environment: Mapping[str, str]) -> None:
    """Raise ServiceDied, with the reason, where no worker would start."""
    problem = "; ".join(unfit_sandbox(environment.get("PODIUM_SANDBOX") or "bubblewrap"))
    if problem:
        raise ServiceDied(f"{problem}")


def port_to_use(environment: Mapping[str, str], say: Callable[[str], None]) -> int:
    """Return the port that PORT asks for, or another one if it is taken."""
    wanted = int(environment.get("PORT") or DEFAULT_PORT)
    port = free_port(wanted)
    if port != wanted:
        say(f"port {wanted} is in use, so the site takes port {port}")
    return port


def interrupted_by_sigterm() -> None:
    """Let SIGTERM do what Ctrl-C does: raise KeyboardInterrupt, so that what was started is stopped."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def wait_for_interrupt() -> None:
    """Return at Ctrl-C or SIGTERM."""
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def main() -> int:
    """Serve the data in PODIUM_HOME (var/ by default) until interrupted."""
    environment = dict(os.environ)
    home = Path(environment.setdefault("PODIUM_HOME", str(ROOT / "var")))
    home.mkdir(parents=True, exist_ok=True)
    interrupted_by_sigterm()
    say = Teller()
    try:
        with Parts(site_parts(), folder=ROOT, environment=environment, say=say) as parts:
            require_sandbox(environment)
            parts.wait_for(DATABASE, STATIC_FILES)
        with running(environment, port=port_to_use(environment, say), home=home) as services:
            say(f"Podium is running at {services.url} (press Ctrl-C to stop it).")
            say("To create an admin account: .venv/bin/python manage.py createsuperuser")
            wait_for_interrupt()
    except (ServiceDied, PartFailed) as exc:
        say(f"Podium cannot run: {exc}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
