"""Calls a function for each of many things, each in a forked process: memory returns, and a crash ends one only."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any


@dataclass(frozen=True)
class Ended:
    """A process that ended without an answer."""

    status: int | None

    def __str__(self) -> str:
        return f"its process ended with {self.status}"


def in_forks(
    function: Callable[[str], Any], names: Iterable[str], *, jobs: int
) -> Iterator[tuple[str, Any | Ended]]:
    """Yield each name with what the function returned, as they come; names are asked for one by one."""
    waiting = iter(names)
    running: dict[Connection, tuple[str, BaseProcess]] = {}
    try:
        while True:
            while len(running) < jobs and (name := next(waiting, None)) is not None:
                running.update([_start(function, name)])
            if not running:
                return
            for receiver in wait(list(running)):
                assert isinstance(receiver, Connection)
                name, process = running.pop(receiver)
                yield name, _answer(receiver, process)
    finally:
        for _, process in running.values():
            process.kill()


def _start(function: Callable[[str], Any], name: str) -> tuple[Connection, tuple[str, BaseProcess]]:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(function, name, sender))
    process.start()
    sender.close()
    return receiver, (name, process)


def _send(function: Callable[[str], Any], name: str, sender: Connection) -> None:
    sender.send(function(name))


def _answer(receiver: Connection, process: BaseProcess) -> Any | Ended:
    try:
        return receiver.recv()
    except EOFError:
        process.join()
        return Ended(process.exitcode)
    finally:
        process.join()
        receiver.close()
