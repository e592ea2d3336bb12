"""The system calls that an entry may make, as a seccomp program; whatever is not named here fails.

Close to the container default profile, and tighter: no sockets but AF_UNIX, nothing that holds
memory where the watcher cannot see it, nothing that looks into another process.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
from functools import cache
from typing import Any, Final

# Namespace flags of clone(2): a new user namespace would hand out capabilities inside it.
NAMESPACE_FLAGS: Final = 0x7E020000
CLONE_THREAD: Final = 0x10000
PR_SET_DUMPABLE: Final = 4
AF_UNIX: Final = 1
F_SETSIG: Final = 10
# The keeper's child hides the host's paths with these before the entry begins.
LANDLOCK: Final = "landlock_add_rule landlock_create_ruleset landlock_restrict_self"
F_SETPIPE_SZ: Final = 1031
# One process needs of sockets no more than pairs of them. Others hold memory that nobody counts: what was
# sent to a socket that nobody accepted, or within a message.
SOCKETS: Final = "accept accept4 bind connect listen sendmmsg sendmsg setsockopt socket"
# The keeper is process 1 inside, and the first that it starts is the entry.
CHILD_PID: Final = 2

# Terminal input (TIOCSTI) and console (TIOCLINUX) injection stay out because only these are let in:
# TCGETS TIOCGPGRP TIOCGWINSZ FIONREAD FIONBIO FIONCLEX FIOCLEX
IOCTLS: Final = (0x5401, 0x540F, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)

# Left out on purpose, against: memfd_create, memfd_secret, shmget, mq_* (memory outside every address
# space and outside /tmp), ptrace, process_vm_*, pidfd_getfd, kcmp (other processes), add_key, keyctl
# (shared with the host), io_uring_*, bpf, userfaultfd, perf_event_open (attack surface of the kernel),
# mount family, chroot, unshare, setns (namespaces), personality, clock_set*, reboot, swapon, *_module.
NAMES: Final = """
access alarm arch_prctl brk cachestat capget capset chdir chmod chown clock_getres clock_gettime
clock_nanosleep close close_range copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group
faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl
fdatasync fgetxattr flistxattr flock fork fstat fstatfs fsync ftruncate futex futex_requeue
futex_wait futex_waitv futex_wake futimesat get_mempolicy get_robust_list getcpu getcwd getdents
getdents64 getegid geteuid getgid getgroups getitimer getpgid getpgrp getpid getppid getpriority
getrandom getresgid getresuid getrlimit getrusage getsid gettid gettimeofday getuid getxattr
inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioprio_get kill landlock_add_rule
landlock_create_ruleset landlock_restrict_self lchown lgetxattr link
linkat listxattr llistxattr lseek lstat madvise membarrier mincore mkdir mkdirat mknod mknodat mlock
mlock2 mlockall mmap mprotect mremap mseal msync munlock munlockall munmap nanosleep newfstatat open
openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll
ppoll prctl pread64 preadv preadv2 prlimit64 pselect6 pwrite64 pwritev pwritev2 read readahead
readlink readlinkat readv rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction
rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_yield seccomp select
sendfile set_robust_list set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid
setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid sigaltstack splice stat
statfs statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create
timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime
timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat utimes vfork wait4
waitid write writev
accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg
sendmmsg sendmsg sendto setsockopt shutdown
"""


@cache
def program() -> bytes:
    """Return the filter as BPF instructions for bubblewrap's `--seccomp`."""
    # Imported here: it opens the shared library, which machines without a sandbox may lack.
    import pyseccomp as seccomp

    rules = _rules(seccomp.ERRNO(errno.EPERM))
    for name in _known(NAMES):
        rules.add_rule(seccomp.ALLOW, name)
    rules.add_rule(seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, NAMESPACE_FLAGS, 0))
    # clone3 keeps its flags in memory where no filter can see them; libc then falls back to clone.
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for name in ("socket", "socketpair"):
        rules.add_rule(seccomp.ALLOW, name, seccomp.Arg(0, seccomp.EQ, AF_UNIX))
    for request in IOCTLS:
        rules.add_rule(seccomp.ALLOW, "ioctl", _is(1, request))
    return _exported(rules)


@cache
def child_program(*, is_pinned: bool, may_start_processes: bool, has_its_limits: bool = True) -> bytes:
    """Return a second filter, for the entry and not for the keeper: no processes, no SIGKILL of its own making.

    A child that has its limit on processor time cannot change it; one that waits for it cannot once it has
    put on the last filter.

    Such an end looks as if somebody had killed the sandbox from outside, which is a fault of ours: it
    is tried again and costs the entrant no submission, so it would be a quota without an end.
    """
    import pyseccomp as seccomp

    rules = _rules(seccomp.ALLOW)
    refused = seccomp.ERRNO(errno.EPERM)
    _refuse_kills(rules, refused)
    if has_its_limits:
        _refuse_limits_of_time(rules, refused)
    for name in _known(LANDLOCK):
        rules.add_rule(refused, name)
    rules.add_rule(refused, "fcntl", _is(1, F_SETPIPE_SZ))
    # It would close /proc to a watcher who is an ordinary user, and with it what /tmp holds.
    rules.add_rule(refused, "prctl", _is(0, PR_SET_DUMPABLE))
    if is_pinned:
        # Held to some processors while it is timed, an entry could take the others back.
        rules.add_rule(refused, "sched_setaffinity")
    if may_start_processes:
        rules.add_rule(refused, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, 0xFF, signal.SIGKILL))
        # Whose end is ignored takes its processor time with it. It looks done and changes nothing: data loaders
        # ask to be told of such ends, and can do without.
        done = seccomp.ERRNO(0)
        rules.add_rule(done, "rt_sigaction", _is(0, signal.SIGCHLD), seccomp.Arg(1, seccomp.NE, 0))
    else:
        for name in _known(f"fork vfork {SOCKETS}"):
            rules.add_rule(refused, name)
        rules.add_rule(refused, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0))
    return _exported(rules)


def _refuse_kills(rules: Any, refused: int) -> None:
    import pyseccomp as seccomp

    negative = seccomp.Arg(0, seccomp.MASKED_EQ, 0x80000000, 0x80000000)
    for name in ("kill", "rt_sigqueueinfo"):
        # Itself, its group, and groups by number; processes that it started it may end.
        for whom in (_is(0, CHILD_PID), _is(0, 0), negative):
            rules.add_rule(refused, name, whom, _is(1, signal.SIGKILL))
    for name in ("tgkill", "rt_tgsigqueueinfo"):
        rules.add_rule(refused, name, _is(0, CHILD_PID), _is(2, signal.SIGKILL))
    for name in ("tkill", "pidfd_send_signal"):
        rules.add_rule(refused, name, _is(1, signal.SIGKILL))
    # Input on a descriptor, a timer and the end of a child can send it too.
    rules.add_rule(refused, "fcntl", _is(1, F_SETSIG))
    rules.add_rule(refused, "timer_create")


def _refuse_limits_of_time(rules: Any, refused: int) -> None:
    """Refuse to change the limit on processor time: reaching it sends SIGKILL."""
    import pyseccomp as seccomp

    rules.add_rule(refused, "setrlimit", _is(0, resource.RLIMIT_CPU))
    rules.add_rule(refused, "prlimit64", _is(1, resource.RLIMIT_CPU), seccomp.Arg(2, seccomp.NE, 0))


def _is(argument: int, value: int) -> object:
    """Compare as the kernel does, which looks at 32 bits only: in full, a high bit set would slip through."""
    import pyseccomp as seccomp

    return seccomp.Arg(argument, seccomp.MASKED_EQ, 0xFFFFFFFF, value)


def _known(names: str) -> list[str]:
    """Return those of the names that are system calls of this processor and known to this libseccomp."""
    import pyseccomp as seccomp

    return [name for name in names.split() if seccomp.resolve_syscall(seccomp.system_arch(), name) >= 0]


@cache
def last_program(*, may_start_processes: bool) -> bytes:
    """Return the filter that the child puts on itself once our libraries are loaded and its limits stand."""
    import pyseccomp as seccomp

    rules = _rules(seccomp.ALLOW)
    refused = seccomp.ERRNO(errno.EPERM)
    _refuse_limits_of_time(rules, refused)
    if not may_start_processes:
        for name in ("execve", "execveat"):
            rules.add_rule(refused, name)
    return _exported(rules)


def _rules(otherwise: int) -> Any:
    """Begin a filter that also refuses every call through the tables of 32-bit programs (int 0x80, x32).

    libseccomp would kill the thread that makes one. A process that lost its first thread does not end
    while it has others, and held its run until the time was up.
    """
    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(otherwise)
    rules.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.ERRNO(errno.EPERM))
    return rules


def _exported(rules: object) -> bytes:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as instructions:
        with os.fdopen(writer, "wb") as sink:
            rules.export_bpf(sink)  # type: ignore[attr-defined]  # pyseccomp has no types
        return instructions.read()
