"""Site and worker side by side on one machine: `python -m competition.demo.serve`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType

import httpx

ROOT = Path(__file__).resolve().parent.parent.parent
START_UP_S = 60.0


class ServiceDied(RuntimeError):
    """Site or worker ended by itself; its log says why."""


def manage(*arguments: str, environment: Mapping[str, str]) -> None:
    """Run a management command; raises CalledProcessError when it fails."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    subprocess.run(command, env=dict(environment), check=True, cwd=ROOT)


def prepare(environment: Mapping[str, str]) -> None:
    """Bring the database and the static files up to date."""
    manage("migrate", "--verbosity", "0", environment=environment)
    manage("collectstatic", "--noinput", "--verbosity", "0", environment=environment)


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


@contextmanager
def running(environment: Mapping[str, str], *, port: int, home: Path) -> Iterator[str]:
    """Run site and worker until the block ends; yield the site's address."""
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port}"
    env = {**environment, "SITE_URL": url}
    web = [sys.executable, "-m", "gunicorn", "competition.wsgi", "--bind", f"127.0.0.1:{port}"]
    web += ["--workers", "2", "--threads", "4", "--timeout", "300", "--worker-tmp-dir", str(home)]
    worker = [sys.executable, "-m", "celery", "--app", "competition", "worker", "--beat"]
    worker += ["--concurrency", "1", "--queues", "cpu", "--loglevel", "info", "--without-gossip"]
    services: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in {"web": web, "worker": worker}.items():
            with (logs / f"{name}.log").open("ab") as log:
                services[name] = subprocess.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=log)
        _await_site(url, services, logs)
        yield url
        _raise_if_ended(services, logs)
    finally:
        _stop(services.values())


def wait_for_interrupt() -> None:
    """Return at Ctrl-C or SIGTERM."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def _await_site(url: str, services: Mapping[str, subprocess.Popen[bytes]], logs: Path) -> None:
    deadline = time.monotonic() + START_UP_S
    while time.monotonic() < deadline:
        _raise_if_ended(services, logs)
        try:
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise ServiceDied(f"the site did not answer within {START_UP_S:g} s; see {logs / 'web.log'}")


def _raise_if_ended(services: Mapping[str, subprocess.Popen[bytes]], logs: Path) -> None:
    for name, service in services.items():
        if service.poll() is not None:
            raise ServiceDied(f"{name} ended with {service.returncode}; see {logs / name}.log")


def _stop(services: Iterable[subprocess.Popen[bytes]]) -> None:
    processes = list(services)
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> None:
    """Serve the data in PODIUM_HOME (var/ by default) until interrupted."""
    environment = dict(os.environ)
    home = Path(environment.setdefault("PODIUM_HOME", str(ROOT / "var")))
    prepare(environment)
    port = free_port(int(environment.get("PORT") or 8000))
    with running(environment, port=port, home=home) as url:
        print(f"Podium is running at {url} (press Ctrl-C to stop it).")
        print("To create an admin account: .venv/bin/python manage.py createsuperuser")
        wait_for_interrupt()


if __name__ == "__main__":
    main()
