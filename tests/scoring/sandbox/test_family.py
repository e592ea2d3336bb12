import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scoring.sandbox.family import Family

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
MIB = 2**20
Start = Callable[..., int]

# Says when it is ready, then waits for its input to end.
HOLDS_PRIVATE = "import os, sys; held = os.urandom(40 * 2**20); print(flush=True); sys.stdin.read()"
HOLDS_SHARED = (
    "import mmap, sys\nheld = mmap.mmap(-1, 40 * 2**20)\n"
    "for i in range(0, len(held), 4096): held[i] = 1\nprint(flush=True); sys.stdin.read()"
)
HOLDS_PAGE_TABLES = (
    "import mmap, sys\nheld = mmap.mmap(-1, 4 * 2**34, mmap.MAP_PRIVATE, mmap.PROT_READ)\n"
    "for i in range(0, len(held), 2**21): held[i]\nprint(flush=True); sys.stdin.read()"
)
HOLDS_SOCKETS = (
    "import socket, sys\nheld = [socket.socketpair() for _ in range(100)]\n"
    "print(flush=True); sys.stdin.read()"
)
HOLDS_PIPES = "import os, sys\nheld = [os.pipe() for _ in range(400)]\nprint(flush=True); sys.stdin.read()"
FORKED = """
import os, sys
held, first, (reader, writer) = os.urandom(40 * 2**20), os.getpid(), os.pipe()
os.fork(), os.fork(), os.write(writer, b".")
if os.getpid() == first:
    for _ in range(4): os.read(reader, 1)
    print(flush=True)
sys.stdin.read()
"""
MAPS_A_FILE = (
    "import mmap, sys\nheld = mmap.mmap(open(sys.argv[1], 'rb').fileno(), 0, prot=mmap.PROT_READ)\n"
    "sum(held[::4096]); print(flush=True); sys.stdin.read()"
)


@pytest.fixture
def start() -> Iterator[Start]:
    running = []

    def run(program: str, *arguments: str) -> int:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        running.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process.pid

    yield run
    for process in running:
        process.communicate()


@pytest.mark.parametrize("program", [HOLDS_PRIVATE, HOLDS_SHARED], ids=["private", "shared"])
def test_memory_is_counted(program: str, start: Start) -> None:
    family = Family(start(program), None)

    assert 40 * MIB < family.sample().memory_bytes < 60 * MIB
    assert 40 * MIB < family.exact_memory_bytes() < 60 * MIB


@pytest.mark.parametrize(
    ("program", "at_least"),
    [
        # 64 GiB of zeros, of which one page in 2 MiB was read: a page table for each.
        pytest.param(HOLDS_PAGE_TABLES, 2**15 * 4096, id="page tables"),
        pytest.param(HOLDS_SOCKETS, 200 * 212_992, id="sockets"),
        pytest.param(HOLDS_PIPES, 400 * 2**16, id="pipes"),
    ],
)
def test_memory_that_no_address_space_shows_is_counted(program: str, at_least: int, start: Start) -> None:
    family = Family(start(program), None)

    assert at_least <= family.sample().memory_bytes < at_least + 20 * MIB
    assert at_least <= family.exact_memory_bytes() < at_least + 20 * MIB


def test_a_mapped_file_is_not_memory(start: Start, tmp_path: Path) -> None:
    (tmp_path / "inputs").write_bytes(bytes(40 * MIB))

    family = Family(start(MAPS_A_FILE, str(tmp_path / "inputs")), None)

    assert family.sample().memory_bytes < 20 * MIB


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a memory file system")
def test_files_of_the_memory_file_system_are_counted_and_each_takes_kernel_memory(start: Start) -> None:
    family = Family(start("print(flush=True); input()"), "/dev/shm")
    before = family.sample()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for number in range(3_000):
            (Path(folder) / str(number)).touch()

        sample = family.sample()

    # Others on this machine may add and remove some meanwhile.
    assert sample.files > before.files + 2_000
    assert sample.memory_bytes > before.memory_bytes + 2_000 * 1024


def test_pages_shared_by_forks_count_once_in_the_exact_sum(start: Start) -> None:
    family = Family(start(FORKED), None)
    sample = family.sample()

    assert sample.processes == 4
    assert sample.memory_bytes > 4 * 40 * MIB
    assert 40 * MIB < family.exact_memory_bytes() < 80 * MIB


def test_processor_time_does_not_fall_when_a_process_is_gone() -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    family = Family(os.getpid(), None)
    before = family.sample().cpu_s
    process.communicate(b"\n")

    after = family.sample().cpu_s

    assert after >= before


def test_a_process_that_is_gone_uses_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", ""])
    process.wait()

    assert Family(process.pid, None).sample().memory_bytes == 0
