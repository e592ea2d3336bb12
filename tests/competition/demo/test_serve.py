"""Site and worker as they start and end, and what is said where they cannot."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from competition.demo.serve import ServiceDied, Services, port_to_use, require_sandbox

ENDS = [sys.executable, "-c", "import sys; sys.stderr.write('no memory\\n'); sys.exit(3)"]
STAYS = [sys.executable, "-c", "import time; time.sleep(3600)"]


@pytest.fixture
def services(tmp_path):
    services = Services("http://127.0.0.1:1", tmp_path)
    yield services
    services.stop()


def look_for_ever(services):
    while True:
        services.look()


def test_the_end_of_a_service_is_told_with_the_end_of_its_log(services, tmp_path):
    services.start("site", STAYS, os.environ)
    services.start("worker", ENDS, os.environ)

    with pytest.raises(ServiceDied, match=r"the worker ended with exit code 3\. .*worker\.log:\n  no memory"):
        look_for_ever(services)


def test_waiting_for_the_site_ends_where_the_worker_does(services):
    services.start("worker", ENDS, os.environ)

    with pytest.raises(ServiceDied, match="the worker ended"):
        services.await_site()


def test_a_port_in_use_is_told_and_replaced():
    said = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]

        port = port_to_use({"PORT": str(taken)}, said.append)

    assert port != taken
    assert said == [f"port {taken} is in use, so the site takes port {port}"]


def test_a_free_port_is_taken_without_a_word():
    said = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]

    assert port_to_use({"PORT": str(free)}, said.append) == free
    assert said == []


def test_without_a_sandbox_that_isolates_nothing_is_begun():
    with pytest.raises(ServiceDied, match="workers cannot use the sandbox “unconfined”"):
        require_sandbox({"PODIUM_SANDBOX": "unconfined"})
