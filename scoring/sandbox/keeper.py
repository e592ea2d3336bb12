"""Start the child with its limits, wait for its whole family, report how it ended.

Runs as a script of its own, never imported by the scoring side: inside bubblewrap it is process 1
of the sandbox, with `--trust` it is an ordinary parent. Reads one JSON plan from its command line,
and writes JSON lines to the status pipe, which no other process inside ever holds:

    {"failed": "why"}      set-up failed, nothing of the entry has run
    {"started": true}      limits stand, privileges are gone, the child is about to start
    {"ended": {"exit": 0, "signal": 0, "cpu_s": 1.5, "stopped": false}}

Standard library only: it starts with `python -I -S`.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_CAPBSET_DROP: Final = 24
PR_SET_SECCOMP: Final = 22
PR_SET_CHILD_SUBREAPER: Final = 36
SECCOMP_MODE_FILTER: Final = 2
BYTES_OF_INSTRUCTION: Final = 8
CAPABILITY_VERSION_3: Final = 0x20080522
CAPABILITY_SETS: Final = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
# System calls and rights of Landlock; the numbers are those of every processor.
LANDLOCK_CREATE_RULESET: Final = 444
LANDLOCK_ADD_RULE: Final = 445
LANDLOCK_RESTRICT_SELF: Final = 446
LANDLOCK_VERSION: Final = 1
LANDLOCK_PATH_BENEATH: Final = 1
READ_FILE: Final = 1 << 2
MOVE: Final = 1 << 13
VERSION_THAT_KNOWS_MOVE: Final = 2
SI_USER: Final = 0
WAITED_FOR: Final = (signal.SIGCHLD, signal.SIGTERM)


class FilterProgram(ctypes.Structure):
    """The kernel's `struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class PathBeneath(ctypes.Structure):
    """The kernel's `struct landlock_path_beneath_attr`."""

    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


class SetupError(Exception):
    """The sandbox is not as tight as the plan demands; the entry must not run."""


def main() -> int:
    """Run the plan given as the only argument."""
    return keep(json.loads(sys.argv[1]), become_child)


def keep(plan: Mapping[str, Any], become: Callable[[Mapping[str, Any]], NoReturn]) -> int:
    """Fork the child, which becomes what the plan says; wait for the end of all and report it."""
    status_fd: int = plan["status_fd"]
    keep_from_children(status_fd)
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
    guard_self()
    child = os.fork()
    if child == 0:
        become(plan)
    # Of the reply pipe and the letter the child alone has an end now.
    os.close(plan["reply_fd"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    stopped, wait_status = wait_for(child)
    end_family()
    family = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = {
        "exit": os.WEXITSTATUS(wait_status) if os.WIFEXITED(wait_status) else None,
        "signal": os.WTERMSIG(wait_status) if os.WIFSIGNALED(wait_status) else 0,
        "cpu_s": family.ru_utime + family.ru_stime,
        "stopped": stopped,
    }
    tell(status_fd, {"ended": ended})
    return 0


def tell(status_fd: int, line: Mapping[str, object]) -> None:
    """Write one line to the status pipe."""
    os.write(status_fd, json.dumps(line).encode() + b"\n")


def keep_from_children(status_fd: int) -> None:
    """Close on exec all that was inherited: a descriptor left open is a way out of the sandbox."""
    folder = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
    inherited = {int(path.name) for path in list(folder.iterdir())} - {0, 1, 2}
    for fd in inherited | {status_fd}:
        # The descriptor that listed the folder is among them, and closed by now.
        with contextlib.suppress(OSError):
            os.set_inheritable(fd, False)  # noqa: FBT003


def guard_self() -> None:
    """Die with the parent, adopt orphans, and let nobody with our uid read or write our memory."""
    if sys.platform != "linux":
        return
    # Inside the sandbox the end of process 1 is the end of all; outside the family must be ended first.
    death_signal = signal.SIGKILL if os.getpid() == 1 else signal.SIGTERM
    prctl(PR_SET_PDEATHSIG, death_signal)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    # Without this an entry with our uid forges the report through /proc/1/mem or /proc/1/fd.
    prctl(PR_SET_DUMPABLE, 0)


def wait_for(child: int) -> tuple[bool, int]:
    """Wait until the child ends or SIGTERM asks us to end it; return (asked, wait status)."""
    while True:
        received = signal.sigwaitinfo(WAITED_FOR)
        if received.si_signo == signal.SIGTERM and is_from_outside(received.si_code, received.si_pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            return True, os.waitpid(child, 0)[1]
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                return False, ended[1]


def is_from_outside(code: int, sender: int) -> bool:
    """Say whether a signal is the parent's, and not an entry's that wants its end to look like our doing.

    To process 1 whoever is outside its namespace has no number; an entry cannot feign this code.
    """
    return os.getpid() != 1 or (code == SI_USER and sender == 0)


def end_family() -> None:
    """Kill and reap every process that is left; daemons (double fork, setsid) are our children by now."""
    while True:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill_family()
        try:
            os.wait()
        except ChildProcessError:
            return


def kill_family() -> None:
    """Send SIGKILL to every process below this one."""
    if os.getpid() == 1:
        # All but ourselves in this process namespace, in one step that a fork bomb cannot outrun.
        os.kill(-1, signal.SIGKILL)
        return
    for pid in descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def descendants(root: int) -> list[int]:
    """Return the processes below `root`, parents first; none without /proc."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            stat = (folder / "stat").read_bytes()
            parents[int(folder.name)] = int(stat[stat.rindex(b")") + 2 :].split()[1])
    found = [root]
    for parent in found:
        found.extend(pid for pid, above in parents.items() if above == parent)
    return found[1:]


def become_child(plan: Mapping[str, Any]) -> NoReturn:
    """Take the limits, give up every privilege, and become the program of the plan."""
    try:
        prepare_child(plan)
        tell(plan["status_fd"], {"started": True})
        os.execv(plan["argv"][0], [*plan["argv"], "--reply", str(plan["reply_fd"])])  # noqa: S606
    except (OSError, ValueError, SetupError) as error:
        tell(plan["status_fd"], {"failed": f"{type(error).__name__}: {error}"})
    os._exit(70)


def prepare_child(plan: Mapping[str, Any]) -> None:
    """Do all that must be done between fork and exec."""
    os.setpgid(0, 0)
    os.set_inheritable(plan["reply_fd"], True)  # noqa: FBT003
    with contextlib.suppress(OSError):
        # If the machine runs out of memory, the kernel shall take this process and not the worker.
        Path("/proc/self/oom_score_adj").write_text("1000")
    if plan["uid"] is not None:
        drop_to(plan["uid"])
    if sys.platform == "linux":
        # Changing the user cleared this: should the keeper be killed, the child goes with it.
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if plan["processors"] is not None:
        os.sched_setaffinity(0, plan["processors"])
    for name, wanted in plan["limits"].items():
        lower_limit(getattr(resource, name, None), wanted)
    if plan["confined"]:
        require_no_privileges(Path("/proc/self/status").read_text())
        hide_proc(plan["readable"])
    for caught in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGCHLD):
        signal.signal(caught, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if plan["filter"] is not None:
        add_filter(base64.b64decode(plan["filter"]), pid=plan["pid"])


def lower_limit(limit: int | None, wanted: int) -> None:
    """Set soft and hard limit; a lower limit of the machine's own stays. Unknown systems lack some."""
    if limit is None:
        return
    hard = resource.getrlimit(limit)[1]
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(limit, (value, value))


def drop_to(uid: int) -> None:
    """Become an ordinary user who can never gain a privilege again."""
    capability = 0
    while prctl_succeeds(PR_CAPBSET_DROP, capability):
        capability += 1
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, nothing) != 0:
        raise SetupError("capset failed")


def require_no_privileges(status: str) -> None:
    """Refuse to start an entry that would hold a capability or run without the system call filter."""
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    held = [name for name in CAPABILITY_SETS if int(fields[name], 16) != 0]
    if held:
        raise SetupError(f"capabilities are left in {', '.join(held)}")
    if fields["NoNewPrivs"].strip() != "1":
        raise SetupError("no_new_privs is not set")
    if fields["Seccomp"].strip() != "2":
        raise SetupError("the system call filter is not loaded")


def hide_proc(readable: Sequence[str]) -> None:
    """Let this process read of /proc only what is named, where the kernel has Landlock.

    The mount tables, which each process and each thread has, name the host's folders, and no mount or
    permission hides them.
    """
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = call(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_VERSION)
    if version < 1:
        return
    move = MOVE if version >= VERSION_THAT_KNOWS_MOVE else 0
    handled = ctypes.c_uint64(READ_FILE | move)
    ruleset = call(LANDLOCK_CREATE_RULESET, ctypes.byref(handled), ctypes.sizeof(handled), 0)
    if ruleset < 0:
        raise SetupError("no rules for files can be made")
    rights = {str(path): READ_FILE for path in Path("/").iterdir() if path.name != "proc"}
    # Without a rule for it, files would not move between folders of /tmp.
    for path, right in {**rights, **dict.fromkeys(readable, READ_FILE), "/tmp": READ_FILE | move}.items():  # noqa: S108
        with contextlib.suppress(FileNotFoundError):
            allow(call, ruleset, path, right)
    if call(LANDLOCK_RESTRICT_SELF, ruleset, 0) != 0:
        raise SetupError("the rules for files cannot be set")
    os.close(ruleset)


def allow(call: Callable[..., int], ruleset: int, path: str, rights: int) -> None:
    """Add one rule: the path and all below it."""
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rule = PathBeneath(rights, parent)
    failed = call(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_PATH_BENEATH, ctypes.byref(rule), 0) != 0
    os.close(parent)
    if failed:
        raise SetupError(f"no rule can be made for {path}")


def add_filter(program: bytes, *, pid: int) -> None:
    """Add a system call filter that knows this process by its number."""
    if os.getpid() != pid:
        raise SetupError(f"the child is process {os.getpid()} and not {pid}")
    instructions = ctypes.create_string_buffer(program, len(program))
    address = ctypes.cast(instructions, ctypes.c_void_p)
    packed = FilterProgram(len(program) // BYTES_OF_INSTRUCTION, address)
    set_filter = ctypes.CDLL(None, use_errno=True).prctl
    if set_filter(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(packed), 0, 0) != 0:
        raise SetupError("the second system call filter cannot be set")


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process; raise OSError when the kernel refuses."""
    if not prctl_succeeds(option, value):
        raise OSError(ctypes.get_errno(), f"prctl {option} failed")


def prctl_succeeds(option: int, value: int) -> bool:
    """Set one attribute of this process and say whether it went well."""
    return ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(value), 0, 0, 0) == 0


if __name__ == "__main__":
    sys.exit(main())
