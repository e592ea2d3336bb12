"""Forks the `podium` command from a process that has loaded what it loads: each attack saves a second of imports.

Runs as a script of its own: `host.py SOCKET`. An order is one JSON message, with descriptors beside it:

    {"words": [...], "cwd": ..., "ahead": true}  [stdout, stderr]  be the command with these arguments

The sandboxes of the command are the real ones; with `ahead`, each stands before its job is there, as in a worker.
"""

from __future__ import annotations

import atexit
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

sys.path.insert(0, str(Path(__file__).parents[2]))

from scoring.cli import main, surroundings
from scoring.files.workdirs import own_root
from scoring.sandbox.base import Sandbox
from tests.forked.server import serve
from tests.spares import AheadSandbox

LOADED: Final = ("scoring.cli.check", "scoring.cli.score", "scoring.flow.pipeline", "onnx", "cv2")


def started_ahead(name: str, *, held: ExitStack, ordinary: object) -> Sandbox:
    """Make the sandbox of that name; the real one with spares, which end with the command."""
    if name != "bubblewrap":
        return ordinary(name)
    sandbox = AheadSandbox(own_root())
    held.callback(sandbox.spares.close)
    return sandbox


def follow(descriptors: Sequence[int], words: Sequence[str], cwd: str, ahead: bool) -> NoReturn:
    """Be the command, from its arguments to its end."""
    for descriptor, standard in zip(descriptors, (1, 2), strict=True):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.setsid()
    os.chdir(cwd)
    sys.argv = ["podium", *words]
    # Not those of the process that it was forked from.
    atexit._clear()
    with suppress(SystemExit), ExitStack() as held:
        if ahead:
            ordinary = surroundings.open_sandbox
            surroundings.open_sandbox = partial(started_ahead, held=held, ordinary=ordinary)
        main()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    for name in LOADED:
        import_module(name)
    serve(socket.socket(fileno=int(sys.argv[1])), follow)
