"""Forks children that have their libraries loaded, where a cold child would spend seconds on importing them.

Runs as a script of its own: `server.py SOCKET`. An order is one JSON message, with descriptors beside it:

    {"do": "branch", "module": ...}  [socket]  become a server that has loaded one more module
    {"do": "keep", "plan": ..., "variables": ..., "cwd": ...}  [letter, log, status, reply]  run one child

The answer to an order is the number of the new process, with its descriptor. A child is forked where a
cold one is started by exec. It has run no operator and started no thread yet, and it knows the modules
that a cold child would have loaded by then; of Python's own library, those of this script as well.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

KEEPER_FILE: Final = Path(__file__).parents[2] / "scoring/sandbox/keeper.py"
CHILD: Final = "scoring.sandboxed.__main__"
WALK: Final = "scoring.sandboxed.counters.left_alive"
MOST_BYTES: Final = 2**20
MOST_DESCRIPTORS: Final = 8
SETUP_FAILED: Final = 70


def load_keeper() -> ModuleType:
    """Load the keeper's script under no name that an entry could find."""
    spec = importlib.util.spec_from_file_location("keeper", KEEPER_FILE)
    keeper = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(keeper)
    return keeper


KEEPER: Final = load_keeper()


def serve(channel: socket.socket, follow: Callable[..., socket.socket]) -> None:
    """Have forked children follow the orders, until whoever gives them is gone.

    `follow` gets an order's descriptors and words. It ends the child, or returns the socket by
    which that serves others.
    """
    while True:
        content, descriptors, _, _ = socket.recv_fds(channel, MOST_BYTES, MOST_DESCRIPTORS)
        if not content:
            # Python would take a second to tidy away what torch has loaded.
            os._exit(0)
        forget_the_ended()
        made = os.fork()
        if made == 0:
            channel.close()
            channel = follow(descriptors, **json.loads(content))
            continue
        told = os.pidfd_open(made)
        socket.send_fds(channel, [str(made).encode()], [told])
        for descriptor in (*descriptors, told):
            os.close(descriptor)


def forget_the_ended() -> None:
    """Reap the keepers that have ended; until here their numbers were nobody else's."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def follow(descriptors: Sequence[int], do: str, **order: Any) -> socket.socket:
    """Run one child and end with it, or become a server of others."""
    if do == "keep":
        os._exit(keep(descriptors, **order))
    return branch(descriptors, **order)


def branch(descriptors: Sequence[int], module: str) -> socket.socket:
    """Become a server that has loaded one more module; return its socket."""
    KEEPER.prctl(KEEPER.PR_SET_PDEATHSIG, signal.SIGKILL)
    importlib.import_module(module)
    gc.collect()
    gc.freeze()
    # Children look through what was made since alone: to walk through libraries would copy all their pages for each.
    if WALK in sys.modules:
        sys.modules[WALK]._thaw = lambda: None
    return socket.socket(fileno=descriptors[0])


def keep(descriptors: Sequence[int], plan: Mapping[str, Any], variables: Mapping[str, str], cwd: str) -> int:
    """Be the keeper of one run, which starts as its script starts, and forks where that would exec."""
    letter, log, status, reply = descriptors
    for descriptor, standard in ((letter, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, standard)
    os.close(letter)
    os.close(log)
    os.environ.update(variables)
    os.chdir(cwd)
    os.setsid()
    return KEEPER.keep({**plan, "status_fd": status, "reply_fd": reply}, be_child)


def be_child(plan: Mapping[str, Any]) -> None:
    """Take the limits and become the program of the plan."""
    try:
        KEEPER.prepare_child(plan)
        # A program that is started anew could be looked at; a fork inherits that its keeper could not.
        KEEPER.prctl(KEEPER.PR_SET_DUMPABLE, 1)
        KEEPER.tell(plan["status_fd"], {"started": True})
    except (OSError, ValueError, KEEPER.SetupError) as error:
        KEEPER.tell(plan["status_fd"], {"failed": f"{type(error).__name__}: {error}"})
        os._exit(SETUP_FAILED)
    os.close(plan["status_fd"])
    # As an interpreter does when it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_IGN)
    begin([*plan["argv"][1:], "--reply", str(plan["reply_fd"])])
    sys.exit(0)


def begin(words: Sequence[str]) -> None:
    """Do what an interpreter with these arguments does: run a program that is given, or the child."""
    if "-c" in words:
        program, *arguments = words[words.index("-c") + 1 :]
        sys.argv = ["-c", *arguments]
        exec(program, {"__name__": "__main__"})  # noqa: S102
        return
    main = sys.modules.pop(CHILD)
    main.__name__, sys.modules["__main__"] = "__main__", main
    sys.argv = [str(main.__file__), *words[words.index("-m") + 2 :]]
    main.main()


if __name__ == "__main__":
    importlib.import_module(CHILD)
    serve(socket.socket(fileno=int(sys.argv[1])), follow)
