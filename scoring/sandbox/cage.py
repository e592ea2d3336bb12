"""What an entry sees of the machine: bubblewrap's arguments, as pure functions of paths.

Everything is read-only but /tmp (capped) and the outputs. No /etc, no /sys, no /home.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import scoring
from scoring.contracts import DEFAULT_ENVIRONMENT, RunLimits
from scoring.environment import home_of, why_not_here
from scoring.errors import Fault

SOURCE: Final = Path(scoring.__file__).parent
KEEPER: Final = "/podium/keeper.py"
PACKAGES: Final = "/python"
DEVICES: Final = ("null", "zero", "full", "random", "urandom")
READABLE: Final = (
    *(f"/proc/{name}" for name in ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "sys", "uptime")),
    *("/proc/version", "/proc/vmstat"),
    *(f"/proc/self/{name}" for name in ("auxv", "cgroup", "cmdline", "comm", "environ", "fdinfo", "io")),
    *(f"/proc/self/{name}" for name in ("limits", "maps", "oom_score", "smaps", "smaps_rollup", "stat")),
    *("/proc/self/statm", "/proc/self/status"),
)
"""What an entry reads of /proc where the kernel can forbid the rest."""
# Parts of /proc that tell of the host or of the kernel, and nothing that Python or torch read.
MASKED: Final = (
    "/proc/cmdline",
    "/proc/config.gz",
    "/proc/interrupts",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/key-users",
    "/proc/keys",
    "/proc/modules",
    "/proc/sched_debug",
    "/proc/timer_list",
)


REQUEST: Final = "/given/request.json"
INPUTS: Final = "/given/inputs.npy"
PACKAGE: Final = "/package"
OUTPUTS: Final = "/outputs.bin"


@dataclass(frozen=True, kw_only=True)
class Exhibits:
    """The host files of one run; inside they are `REQUEST`, `PACKAGE`, `INPUTS` and `OUTPUTS`."""

    request: Path
    package: Path
    inputs: Path
    outputs: Path

    @property
    def mounts(self) -> Mapping[str, Path]:
        """Return which of them stands where, read-only."""
        return {PACKAGE: self.package, INPUTS: self.inputs, REQUEST: self.request}


def arguments(
    given: Mapping[str, Path], outputs: Path, limits: RunLimits, packages: str = DEFAULT_ENVIRONMENT
) -> list[str]:
    """Return what makes up the inside: file system, then environment. Namespaces are the caller's.

    `given` is what a run is given to read, by where it stands inside; `packages` names the installed ones.
    """
    mounts = {
        "/usr": Path("/usr"),
        **python_mounts(packages),
        "/podium/scoring/__init__.py": SOURCE / "__init__.py",
        "/podium/scoring/contracts": SOURCE / "contracts",
        "/podium/scoring/sandboxed": SOURCE / "sandboxed",
        KEEPER: Path(__file__).with_name("keeper.py"),
        **given,
    }
    words = ["--perms", "1777", "--size", str(limits.max_tmp_bytes), "--tmpfs", "/tmp"]  # noqa: S108
    words += open_parents(mounts)
    for inside, outside in mounts.items():
        words += ["--ro-bind", str(outside), inside]
    words += ["--bind", str(outputs), OUTPUTS]
    words += [*library_links(), *devices(), *processes()]
    # In a user namespace the entry owns the root folder, which has no size cap: close it for good.
    words += ["--remount-ro", "/", "--chdir", "/tmp", "--hostname", "sandbox", "--clearenv"]  # noqa: S108
    for name, value in {**environment(limits.threads), "PYTHONPATH": "/podium"}.items():
        words += ["--setenv", name, value]
    return words


def python_mounts(packages: str) -> dict[str, Path]:
    """Return where the interpreter, its library and the packages of an environment stand inside.

    A virtual environment stands under another name, so that no traceback names a folder of the host. The
    interpreter that it was made from stays where its links and libraries look for it.
    """
    bases = (Path(sys.base_prefix), Path(sys.base_prefix).resolve())
    mounts = {str(base): base for base in bases if base != Path("/usr")}
    home = virtual_home(packages)
    return mounts | ({PACKAGES: home} if home else {})


def interpreter(packages: str = DEFAULT_ENVIRONMENT) -> str:
    """Return the interpreter's path inside; it finds the packages of the environment from there."""
    outside, home = outer_interpreter(packages), virtual_home(packages)
    return str(PACKAGES / outside.relative_to(home)) if home else str(outside)


def outer_interpreter(packages: str) -> Path:
    """Return the interpreter's path on this machine; raises Fault as `virtual_home`."""
    if packages == DEFAULT_ENVIRONMENT:
        return Path(sys.executable)
    return _home_of_its_own(packages) / "bin" / "python"


def virtual_home(packages: str) -> Path | None:
    """Return the virtual environment of these packages; None where they are Podium's and it runs in none.

    Raises Fault if entries cannot run with them on this machine.
    """
    if packages != DEFAULT_ENVIRONMENT:
        return _home_of_its_own(packages)
    return Path(sys.prefix) if sys.prefix != sys.base_prefix else None


def _home_of_its_own(packages: str) -> Path:
    why = why_not_here(packages)
    if why:
        raise Fault(why)
    return home_of(packages)


def open_parents(inside: Iterable[str]) -> list[str]:
    """Make the folders above each mount first: bubblewrap's own would be closed to other users."""
    parents = {parent for path in inside for parent in Path(path).parents if parent != Path("/")}
    made = sorted(parents - {Path("/tmp")}, key=lambda path: path.parts)  # noqa: S108
    return [word for path in made for word in ("--perms", "0755", "--dir", str(path))]


def library_links() -> Iterator[str]:
    """Repeat the host's top folders for programs and libraries: links on merged systems, else mounts."""
    for name in ("bin", "lib", "lib32", "lib64"):
        host = Path("/") / name
        if host.is_symlink():
            yield from ("--symlink", str(host.readlink()), str(host))
        elif host.is_dir():
            yield from ("--ro-bind", str(host), str(host))


def devices() -> Iterator[str]:
    """Give five harmless devices. bubblewrap's own /dev would add a /dev/shm without a size cap."""
    yield from ("--perms", "0755", "--dir", "/dev")
    for name in DEVICES:
        yield from ("--dev-bind", f"/dev/{name}", f"/dev/{name}")
    yield from ("--symlink", "/proc/self/fd", "/dev/fd", "--symlink", "/tmp", "/dev/shm")  # noqa: S108


def processes() -> Iterator[str]:
    """Mount a /proc of the sandbox's own processes, less what tells of the machine."""
    yield from ("--proc", "/proc")
    for path in MASKED:
        if Path(path).exists():
            yield from ("--ro-bind", "/dev/null", path)


def environment(threads: int) -> Mapping[str, str]:
    """Return the whole environment of a child but PYTHONPATH; nothing of ours is passed on."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",  # noqa: S108
        "USER": "entry",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        # Checkpoints of the time hold more than tensors. What they run as they load is in the sandbox too.
        "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1",
        # `torch.compile` returns what it is given: its compiler takes minutes for what two batches need.
        "TORCHDYNAMO_DISABLE": "1",
        # glibc would map and unmap activations afresh for each batch; kept, a run is up to 1.8x faster.
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": "8589934592",
        "MALLOC_TOP_PAD_": "268435456",
    }
