"""Attacks on the real sandbox, each a few lines of an entry; every one of them must come to nothing.

`attempt` raises, or returns what it got hold of; anything but nothing is an escape.
"""

from __future__ import annotations

import socket
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import scoring
from scoring.contracts import Processes, Task
from scoring.sandbox import cage, landlock
from scoring.sandbox.base import ExitStatus, Job, Run
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.sandbox.unconfined import UnconfinedSandbox

pytestmark = pytest.mark.sandbox

PROBE = """
import ctypes, fcntl, glob, json, mmap, os, resource, signal, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
seal = json.load(sys.stdin)["seal"]

def must(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True

def attempt():
{attack}

try:
    found = attempt()
    verdict = "escaped: " + repr(found) if found else "held"
except (OSError, ValueError) as error:
    verdict = "held"
os.write(int(given["--reply"]), (seal + " " + verdict + "\\n").encode())
os._exit(0)
"""

# These succeed for an ordinary process, and so prove that the probes can tell.
POSSIBLE_OUTSIDE = {
    "open an internet socket": "return bool(socket.socket(socket.AF_INET))",
    "open an internet socket of version 6": "return bool(socket.socket(socket.AF_INET6))",
    "open a netlink socket": "return bool(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))",
    "read the host's users": "return open('/etc/passwd').read()",
    "read the host's name": "return open('/etc/hostname').read().strip() == os.uname().nodename",
    "see the host's processes": "return [p for p in glob.glob('/proc/[0-9]*') if int(p[6:]) > 100]",
    "read the kernel's command line": "return open('/proc/cmdline').read()",
    "look into /sys": "return os.listdir('/sys')",
    "make a memory file that nobody counts": "return must(libc.memfd_create(b'hidden', 0)) ",
    "make shared memory that outlives the process": ("return must(libc.shmget(0, 4096, 0o1600))"),
    "write next to the package": "return open(given['--package'] + '/new', 'w').write('x')",
    "change the package": "return open(given['--package'] + '/model.py', 'w').write('x')",
}

ATTACKS = {
    **POSSIBLE_OUTSIDE,
    "open a raw packet socket": "return bool(socket.socket(socket.AF_PACKET, socket.SOCK_RAW))",
    "open a socket to the hypervisor": "return bool(socket.socket(40, socket.SOCK_STREAM))",
    "have a network interface": "return [l for l in open('/proc/net/dev').readlines()[2:] if 'lo:' not in l]",
    "have an environment of the host": (
        "return set(os.environ) - set('PATH HOME USER LANG PYTHONHASHSEED PYTHONDONTWRITEBYTECODE PYTHONPATH "
        "OMP_NUM_THREADS MKL_NUM_THREADS TORCHDYNAMO_DISABLE TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD GLIBC_TUNABLES "
        "MALLOC_MMAP_MAX_ MALLOC_TRIM_THRESHOLD_ MALLOC_TOP_PAD_ PWD'.split())"
    ),
    "read process 1's environment": "return open('/proc/1/environ').read()",
    "walk out by process 1's root": "return os.listdir('/proc/1/root/')",
    "walk out by process 1's folder": "return os.listdir('/proc/1/cwd/')",
    "list the keeper's descriptors": "return os.listdir(f'/proc/{os.getppid()}/fd')",
    "see who started the keeper": "return os.readlink(f'/proc/{os.getppid()}/exe')",
    "read process 1's memory": "return bool(open('/proc/1/mem', 'rb'))",
    "read process 1's map": "return open('/proc/1/maps').read()",
    "write process 1's memory": "return bool(open('/proc/1/mem', 'r+b'))",
    "leave by any process's root": (
        "return [p for p in glob.glob('/proc/[0-9]*/root') if os.path.exists(p + '/etc/passwd')]"
    ),
    "read host paths from process 1's arguments": "return '--ro-' 'bind' in open('/proc/1/cmdline').read()",
    "inherit a descriptor": "return set(os.listdir('/proc/self/fd')) - {'0', '1', '2', '3', given['--reply']}",
    "read the letter a second time": "return os.read(0, 1) or open('/proc/self/fd/0', 'rb').read(1)",
    "read the letter by the keeper": "return open('/proc/1/fd/0', 'rb').read(1)",
    "write the reply by the keeper": "return os.listdir('/proc/1/fd')",
    "write the inputs": "return bool(open('/given/inputs.npy', 'r+b'))",
    "write the request": "return bool(open('/given/request.json', 'w'))",
    "write programs": "return bool(open('/usr/bin/new', 'w'))",
    "write our code": "return bool(open('/podium/scoring/sandboxed/new.py', 'w'))",
    "write a library": "return bool(open(os.path.dirname(os.__file__) + '/new.py', 'w'))",
    "write the root folder": "return bool(open('/new', 'w'))",
    "write the device folder": "return bool(open('/dev/new', 'w'))",
    "write below a folder above a mount": "return bool(open(os.path.dirname(sys.prefix) + '/new', 'w'))",
    "remove the outputs": "os.remove('/outputs.bin'); return True",
    "put a link in the outputs' place": (
        "os.symlink('/etc/passwd', '/tmp/link'); os.replace('/tmp/link', '/outputs.bin'); return True"
    ),
    "link the inputs into /tmp": "os.link('/given/inputs.npy', '/tmp/inputs'); return True",
    "see metric code": "return os.path.exists('/podium/scoring/metrics')",
    "see the web application": "return os.path.exists('/podium/competition')",
    "see other modules": (
        "return set(os.listdir('/podium/scoring')) - {'__init__.py', 'contracts', 'sandboxed', '__pycache__'}"
    ),
    "be root": "return os.getuid() == 0 or os.geteuid() == 0 or os.getgid() == 0",
    "become root": "os.setuid(0); return True",
    "become root's group": "os.setgid(0); return True",
    "belong to groups": "return [g for g in os.getgroups() if g != 65534]",
    "hold a capability": (
        "return [l for l in open('/proc/self/status') if l.startswith('Cap') and int(l.split()[1], 16)]"
    ),
    "gain by a set-user-id program": (
        "return [l for l in open('/proc/self/status') if l.startswith('NoNewPrivs') and l.split()[1] != '1']"
    ),
    "mount with set-user-id": (
        "return [l for l in open('/proc/self/mountinfo') if 'nosuid' not in l.split()[5]]"
    ),
    "trace process 1": "return must(libc.ptrace(16, 1, 0, 0))",
    "make a user namespace": "return must(libc.unshare(0x10000000))",
    "make a user namespace by clone": "return must(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0))",
    "mount": "return must(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))",
    "unmount": "return must(libc.umount2(b'/outputs.bin', 2))",
    "type into the terminal": "return must(libc.ioctl(0, 0x5412, b'x'))",
    "type into the terminal with a high bit set": (
        "return must(libc.syscall(16, 0, ctypes.c_ulong(0x100005412), b'x'))"
    ),
    "open a terminal": "return bool(open('/dev/tty')) or bool(open('/dev/ptmx'))",
    "use other devices": "return set(os.listdir('/dev')) - set('null zero full random urandom fd shm'.split())",
    "make a device": "os.mknod('/tmp/disk', 0o60600, os.makedev(254, 0)); return True",
    "read the kernel's memory": "return open('/proc/kcore', 'rb').read(1)",
    "read the kernel's symbols": "return open('/proc/kallsyms').read(1)",
    "read keys": "return open('/proc/keys').read()",
    "use the host's keyring": "return must(libc.syscall(250, 0, -3, 1))",
    "press the system request key": "return bool(open('/proc/sysrq-trigger', 'w'))",
    "change the kernel's settings": "return bool(open('/proc/sys/kernel/hostname', 'w'))",
    "hide from the out-of-memory killer": "return os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'-1000')",
    "raise the process limit": "resource.setrlimit(resource.RLIMIT_NPROC, (10_000, 10_000)); return True",
    "raise the memory limit": "resource.setrlimit(resource.RLIMIT_DATA, (2**40, 2**40)); return True",
    "write more than /tmp holds": "return open('/tmp/big', 'wb').write(bytes(17 * 2**20))",
    "write more to shared memory than /tmp holds": "return open('/dev/shm/big', 'wb').write(bytes(17 * 2**20))",
    "write a file over the size limit": "return open('/tmp/big', 'wb').write(bytes(2 * 2**20))",
    "kill itself, as if from outside": "os.kill(os.getpid(), 9); return True",
    "kill its group": "os.kill(0, 9); return True",
    "kill its group by number": "os.kill(-os.getpgrp(), 9); return True",
    "kill its own thread": "return must(libc.syscall(200, os.getpid(), 9))",
    "kill its own thread by process": "return must(libc.syscall(234, os.getpid(), os.getpid(), 9))",
    "kill itself with a message": "return must(libc.syscall(129, os.getpid(), 9, bytes(128)))",
    "kill itself by a descriptor": ("signal.pidfd_send_signal(os.pidfd_open(os.getpid()), 9); return True"),
    "kill itself with a high bit set": "return must(libc.syscall(62, os.getpid(), ctypes.c_ulong(0x100000009)))",
    "let a limit kill it": "resource.setrlimit(resource.RLIMIT_CPU, (1, 1)); return True",
    "let input kill it": "return bool(fcntl.fcntl(os.pipe()[0], 10, 9)) or True",
    "let a timer kill it": "return must(libc.syscall(222, 0, None, bytes(8)))",
    "call through the x32 table beside a thread": (
        "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"
        "return must(libc.syscall(0x40000000 + 39))"
    ),
    "call as a 32-bit program does beside a thread": (
        "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"
        "code = mmap.mmap(-1, 4096, prot=7)\n"
        "code.write(bytes.fromhex('b814000000cd80c3'))\n"
        "call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))\n"
        "return call() != -1"
    ),
    "ask the keeper to stop": "os.kill(1, 15); time.sleep(0.5); return False",
    "leave a core file": "return resource.getrlimit(resource.RLIMIT_CORE)[1]",
    "close itself to the watcher": "return must(libc.prctl(4, 0)) or True",
    "open a socket": "return bool(socket.socket(socket.AF_UNIX))",
    "listen": "a, b = socket.socketpair(); a.listen(); return True",
    "send a descriptor": "a, b = socket.socketpair(); return socket.send_fds(a, [b'x'], [0])",
    "enlarge a socket's buffer": "a, b = socket.socketpair(); a.setsockopt(1, 7, 10**6); return True",
    "enlarge a pipe": "return fcntl.fcntl(os.pipe()[1], 1031, 2**20)",
    "fork": "return os.fork() or os._exit(0)",
    "fork by number": "return must(libc.syscall(57)) or os._exit(0)",
    "fork as vfork does": "return must(libc.syscall(58)) or os._exit(0)",
    "clone itself": "return must(libc.syscall(56, 17, 0, 0, 0, 0)) or os._exit(0)",
    "clone itself into its parent's family": "return must(libc.syscall(56, 0x8000 | 17, 0, 0, 0, 0)) or os._exit(0)",
    "share its memory with a process": "return must(libc.syscall(56, 0x4100, 0, 0, 0, 0)) or os._exit(0)",
    "run a program": "return subprocess.run([sys.executable, '-c', ''])",
    "run a program in a shell": "return os.system('true') == 0",
    "spawn a program": "return os.posix_spawn(sys.executable, [sys.executable, '-c', ''], {})",
}
WHERE_PROCESSES_ARE_ALLOWED = {
    "let its child's end kill it": (
        "child = libc.syscall(56, 9, 0, 0, 0, 0)\nif child == 0: os._exit(0)\nreturn must(child)"
    ),
}


FORBIDDEN = """
acct add_key adjtimex bpf chroot clock_adjtime clock_settime clone3 create_module delete_module
fanotify_init finit_module fsconfig fsmount fsopen fspick init_module io_uring_enter
io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie
memfd_create memfd_secret modify_ldt mount mount_setattr move_mount mq_open msgget name_to_handle_at
nfsservctl open_by_handle_at open_tree perf_event_open personality pidfd_getfd pivot_root
process_madvise process_vm_readv process_vm_writev ptrace quotactl reboot remap_file_pages
request_key sched_setscheduler semget setdomainname sethostname setns settimeofday shmat shmget
swapoff swapon sysfs syslog umount2 unshare userfaultfd uselib vhangup vmsplice
"""


def probe(attack: str) -> str:
    return PROBE.format(attack=textwrap.indent(attack, "    "))


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_an_entry_cannot(attack: str, inside: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "very secret")

    run = inside(probe(attack), max_file_bytes=2**20)

    assert (run.status, run.reply) == (ExitStatus.EXITED, b"held"), run.log


@pytest.mark.parametrize(
    "attack", WHERE_PROCESSES_ARE_ALLOWED.values(), ids=WHERE_PROCESSES_ARE_ALLOWED.keys()
)
def test_an_entry_that_may_start_processes_cannot(attack: str, inside: Callable[..., Run]) -> None:
    run = inside(probe(attack), processes=Processes.ALLOWED)

    assert (run.status, run.reply) == (ExitStatus.EXITED, b"held"), run.log


@pytest.mark.parametrize("attack", POSSIBLE_OUTSIDE.values(), ids=POSSIBLE_OUTSIDE.keys())
def test_an_ordinary_process_can(attack: str, make_job: Callable[..., Job], play: Callable[..., Run]) -> None:
    run = play(UnconfinedSandbox(child=("-c", probe(attack))), make_job())

    assert run.reply.startswith(b"escaped"), run.log


def test_no_forbidden_system_call_reaches_the_kernel(inside: Callable[..., Run]) -> None:
    seccomp = pytest.importorskip("pyseccomp")
    names = FORBIDDEN.split()
    numbers = {name: seccomp.resolve_syscall(seccomp.system_arch(), name) for name in names}
    known = {name: number for name, number in numbers.items() if number >= 0}

    run = inside(
        probe(
            f"reached = []\nfor name, number in {known!r}.items():\n"
            "    failed = libc.syscall(number, 0, 0, 0, 0, 0, 0) == -1\n"
            "    if not failed or ctypes.get_errno() not in (1, 38): reached.append(name)\n"
            "return reached"
        )
    )

    assert len(known) > 50
    assert run.reply == b"held"


@pytest.mark.skipif(landlock.version() == 0, reason="needs a kernel with Landlock")
@pytest.mark.parametrize("name", ["mountinfo", "mounts", "mountstats", "task/*/mountinfo", "mem"])
def test_an_entry_does_not_learn_where_its_files_lie(name: str, inside: Callable[..., Run]) -> None:
    attack = f"""
for path in glob.glob('/proc/[0-9]*/{name}'):
    try: return open(path, 'rb').read(1)
    except PermissionError: pass
return not glob.glob('/proc/self/{name}')
"""

    run = inside(probe(attack))

    assert run.reply == b"held"


@pytest.mark.parametrize("name", cage.READABLE)
def test_an_entry_reads_what_programs_look_for_in_proc(name: str, inside: Callable[..., Run]) -> None:
    run = inside(
        probe(
            f"return os.path.isdir({name!r}) or not os.path.exists({name!r}) or open({name!r}, 'rb').read(1)"
        )
    )

    assert run.reply.startswith(b"escaped")


def test_empty_files_count_as_memory(inside: Callable[..., Run]) -> None:
    many = "import time\nfor number in range(70_000): open(f'/tmp/{number}', 'w').close()\ntime.sleep(1000)"

    run = inside(many, max_memory_bytes=64 * 2**20)

    assert run.status is ExitStatus.OUT_OF_MEMORY


def test_files_move_between_folders_of_tmp(inside: Callable[..., Run]) -> None:
    run = inside(
        probe(
            "os.mkdir('/tmp/one'), os.mkdir('/tmp/other'), open('/tmp/one/file', 'w').write('x')\n"
            "os.rename('/tmp/one/file', '/tmp/other/file')\n"
            "return open('/tmp/other/file').read()"
        )
    )

    assert run.reply == b"escaped: 'x'"


def test_no_path_of_python_s_is_the_virtual_environment_s_own(
    make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    attack = f"return [p for p in (*sys.path, sys.executable, sys.prefix) if p.startswith({sys.prefix!r})]"
    job = make_job()

    held = play(BubblewrapSandbox(child=("-c", probe(attack))), job)
    control = play(UnconfinedSandbox(child=("-c", probe(attack))), job)

    assert held.reply == b"held"
    assert control.reply.startswith(b"escaped")


def test_a_timed_entry_cannot_take_more_processors_than_the_track_has_threads(
    make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    attack = """
held_to = os.sched_getaffinity(0)
if len(held_to) != 1: return held_to
os.sched_setaffinity(0, range(64))
return True
"""
    job = make_job(threads=1)
    timed = replace(job, request=replace(job.request, task=Task.LATENCY))

    run = play(BubblewrapSandbox(child=("-c", probe(attack))), timed)

    assert run.reply == b"held"


def test_an_entry_may_kill_a_process_that_it_started(inside: Callable[..., Run]) -> None:
    run = inside(
        probe(
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'])\n"
            "child.kill()\n"
            "return child.wait()"
        ),
        processes=Processes.ALLOWED,
    )

    assert run.reply == b"escaped: -9"


def test_an_abstract_socket_of_the_host_is_out_of_reach(
    make_job: Callable[..., Job], play: Callable[..., Run], tmp_path: Path
) -> None:
    name = f"\0podium-{tmp_path}"
    attack = f"s = socket.socket(socket.AF_UNIX); s.connect({name!r}); return True"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        job = make_job()

        held = play(BubblewrapSandbox(child=("-c", probe(attack))), job)
        control = play(UnconfinedSandbox(child=("-c", probe(attack))), job)

    assert held.reply == b"held"
    assert control.reply == b"escaped: True"


def test_labels_workdir_and_database_are_not_inside(inside: Callable[..., Run], tmp_path: Path) -> None:
    hidden = [tmp_path, tmp_path / "hidden" / "labels.csv", Path(scoring.__file__).parents[1] / "manage.py"]

    run = inside(probe(f"return [p for p in {[str(p) for p in hidden]!r} if os.path.exists(p)]"))

    assert run.reply == b"held"


def test_no_file_inside_is_named_like_labels(inside: Callable[..., Run]) -> None:
    skipped = ["/proc", "/usr", cage.PACKAGES, sys.base_prefix]
    attack = f"""
for folder, folders, files in os.walk('/'):
    folders[:] = [f for f in folders if os.path.join(folder, f) not in {skipped!r}]
    if 'labels.csv' in files or any(f.endswith('.sqlite3') for f in files): return folder
"""

    run = inside(probe(attack))

    assert run.reply == b"held"


def test_a_fork_bomb_stops_at_the_process_limit(inside: Callable[..., Run]) -> None:
    bomb = """
import json, os, sys, time
seal = json.load(sys.stdin)["seal"]
children = 0
try:
    while True:
        if os.fork() == 0: time.sleep(1000)
        children += 1
except BlockingIOError:
    os.write(int(sys.argv[sys.argv.index('--reply') + 1]), f"{seal} {children}\\n".encode())
"""

    run = inside(bomb, max_processes=20, processes=Processes.ALLOWED)

    # The bomb itself takes one place; the keeper another, where it is the same user.
    assert int(run.reply) in {20 - 1, 20 - 2}
